/* A place in the log of announcements: transaction and number of a row. What was
 * given out as a cursor has everything up to it behind it for good, so two of
 * them order all rows, and (tx, 0) stands before all rows of its transaction. */
#ifndef ISMS_WATCH_CURSOR_H
#define ISMS_WATCH_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct cursor {
	int64_t tx, seq;
};

enum { CURSOR_TEXT = 36 }; /* with the NUL */

/* -1, 0 or 1. */
int cursor_compare(struct cursor a, struct cursor b);
struct cursor cursor_later(struct cursor a, struct cursor b);

/* The text that clients keep. */
void cursor_format(char out[CURSOR_TEXT], struct cursor cursor);
/* Only what cursor_format writes is accepted. */
bool cursor_parse(struct cursor *out, const char *text);

#endif
