/* Log lines of the server: one event, one write(2), key=value, ASCII, at most
 * LOG_LINE_MAX bytes. Whatever a value holds, it cannot end the line or look like
 * another key.
 *
 *   log_write(LOG_LEVEL_INFO, "call.done", "call=%s code=%s us=%lld", id, name, us);
 *   time=2026-11-30T12:00:00.000123Z level=info event=call.done who=worker.2 pid=77
 *   call=7f3a code=NOT_FOUND us=812                       (one line, in fact) */
#ifndef ISMS_LOG_H
#define ISMS_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 8192 };

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
};

/* Lines below this level are not written; INFO until set. */
void log_set_level(enum log_level level);
/* Whether lines of a level are written. */
bool log_enabled(enum log_level level);
/* Name of the process in each line, such as "worker.2"; at most 31 bytes. */
void log_set_who(const char *who);
/* Where lines go; 2 until set. The descriptor stays the caller's. */
void log_set_fd(int fd);
/* Level of a name (debug, info, warning, error); false when there is none. */
bool log_level_parse(enum log_level *out, const char *name);

/* One line. event is a word like "call.done". format is keys with conversions:
 * "key=%s key=%d": each conversion is a whole value. Known are s, .*s, d, i, u, x
 * with l, ll, z, j, and f, g with a precision; anything else is our own bug.
 * A NULL string is the empty value. A line that is too long ends with
 * truncated=true. */
void log_write(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same into out, with the newline and a NUL; returns its length. */
size_t log_format(char out[LOG_LINE_MAX + 1], int64_t unix_us, enum log_level level,
		  const char *event, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

#endif
