/* Log lines. A value stands bare when it is made of letters, digits and a few
 * signs, else in double quotes, where \" \\ \n \r \t and \xHH stand for what
 * could break the line or is not ASCII. Memory is the stack's: logging works
 * when nothing else does. */
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pb.h"

enum { WHO_MAX = 32 };

static const char truncated[] = " truncated=true";

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]) };

/* Set at start-up, before there are threads. */
static enum log_level threshold = LOG_LEVEL_INFO;
static char who_name[WHO_MAX] = "main";
static int log_fd = STDERR_FILENO;

/* A line being built; cut once something did not fit. */
struct line {
	char *bytes;
	size_t len, max; /* max leaves room for the end */
	bool cut;
};

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_enabled(enum log_level level)
{
	return level >= threshold;
}

void log_set_who(const char *who)
{
	snprintf(who_name, sizeof(who_name), "%s", who);
}

void log_set_fd(int fd)
{
	log_fd = fd;
}

bool log_level_parse(enum log_level *out, const char *name)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Adds bytes that stay together: all or none. */
static bool add(struct line *line, const char *bytes, size_t len)
{
	if (line->cut || len > line->max - line->len) {
		line->cut = true;
		return false;
	}
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
	return true;
}

static bool is_bare(const char *value, size_t len)
{
	static const char signs[] = "-_.:/@+,%[]()*";

	for (size_t i = 0; i < len; i++) {
		char c = value[i];
		bool word =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!word && (c == '\0' || strchr(signs, c) == NULL))
			return false;
	}
	return len > 0;
}

/* How a byte stands in quotes; at most 4 characters. */
static size_t escape(char out[8], char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char plain[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
	const char *found = c == '\0' ? NULL : strchr(plain, c);
	uint8_t byte = (uint8_t)c;

	if (found != NULL) {
		out[0] = '\\';
		out[1] = letters[found - plain];
		return 2;
	}
	if (byte >= 0x20 && byte < 0x7f) {
		out[0] = c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
	return 4;
}

static void add_value(struct line *line, const char *value, size_t len)
{
	char piece[8];

	if (is_bare(value, len)) {
		/* Cut, too, so that one long value still shows its beginning. */
		size_t room = line->max - line->len;

		add(line, value, len < room ? len : room);
		line->cut = line->cut || len > room;
		return;
	}
	if (line->max - line->len < 2 || !add(line, "\"", 1)) {
		line->cut = true;
		return;
	}
	line->max--; /* the closing quote has its place in any case */
	for (size_t i = 0; i < len && !line->cut; i++)
		add(line, piece, escape(piece, value[i]));
	line->bytes[line->len++] = '"';
	line->max++;
}

/* A conversion of the format: flags and width are for people, not for logs. */
struct conversion {
	char length; /* 0, 'l', 'L' for ll, 'z', 'j' */
	char letter;
	int precision; /* -1 for none */
};

/* Reads the conversion behind '%' at *at and moves *at behind it. */
static struct conversion read_conversion(const char **at, va_list *args)
{
	struct conversion conversion = { .precision = -1 };
	const char *c = *at;

	if (*c == '.') {
		conversion.precision = 0;
		if (*++c == '*') {
			conversion.precision = va_arg(*args, int);
			c++;
		}
		while (*c >= '0' && *c <= '9')
			conversion.precision = conversion.precision * 10 + (*c++ - '0');
	}
	if (*c == 'l' || *c == 'z' || *c == 'j') {
		conversion.length = *c++;
		if (conversion.length == 'l' && *c == 'l') {
			conversion.length = 'L';
			c++;
		}
	}
	conversion.letter = *c;
	assert(*c != '\0' && strchr("sdiuxfg", *c) != NULL);
	*at = c + 1;
	return conversion;
}

static intmax_t signed_argument(char length, va_list *args)
{
	switch (length) {
	case 'l':
		return va_arg(*args, long);
	case 'L':
		return va_arg(*args, long long);
	case 'z':
		return va_arg(*args, ssize_t);
	case 'j':
		return va_arg(*args, intmax_t);
	default:
		return va_arg(*args, int);
	}
}

static uintmax_t unsigned_argument(char length, va_list *args)
{
	switch (length) {
	case 'l':
		return va_arg(*args, unsigned long);
	case 'L':
		return va_arg(*args, unsigned long long);
	case 'z':
		return va_arg(*args, size_t);
	case 'j':
		return va_arg(*args, uintmax_t);
	default:
		return va_arg(*args, unsigned);
	}
}

static void add_argument(struct line *line, struct conversion conversion, va_list *args)
{
	char text[512] = "";
	const char *string;

	switch (conversion.letter) {
	case 's':
		string = va_arg(*args, const char *);
		if (string == NULL)
			add_value(line, "", 0);
		else if (conversion.precision >= 0)
			add_value(line, string, strnlen(string, (size_t)conversion.precision));
		else
			add_value(line, string, strlen(string));
		return;
	case 'd':
	case 'i':
		snprintf(text, sizeof(text), "%jd", signed_argument(conversion.length, args));
		break;
	case 'u':
		snprintf(text, sizeof(text), "%ju", unsigned_argument(conversion.length, args));
		break;
	case 'x':
		snprintf(text, sizeof(text), "%jx", unsigned_argument(conversion.length, args));
		break;
	case 'f':
		snprintf(text, sizeof(text), "%.*f",
			 conversion.precision < 0 ? 6 : conversion.precision,
			 va_arg(*args, double));
		break;
	default:
		snprintf(text, sizeof(text), "%.*g",
			 conversion.precision < 0 ? 6 : conversion.precision,
			 va_arg(*args, double));
	}
	add_value(line, text, strlen(text));
}

static void add_format(struct line *line, const char *format, va_list *args)
{
	for (const char *at = format; *at != '\0';) {
		size_t len = strcspn(at, "%");

		add(line, at, len);
		at += len;
		if (*at != '%')
			break;
		at++;
		add_argument(line, read_conversion(&at, args), args);
	}
}

size_t log_format(char out[LOG_LINE_MAX + 1], int64_t unix_us, enum log_level level,
		  const char *event, const char *format, va_list args)
{
	struct line line = { .bytes = out, .max = LOG_LINE_MAX - sizeof(truncated) };
	char time_text[32], head[128];
	va_list copy;
	int len;

	pb_time_format(time_text, unix_us);
	len = snprintf(head, sizeof(head), "time=%s level=%s event=", time_text,
		       level_names[level]);
	add(&line, head, (size_t)len);
	add_value(&line, event, strlen(event));
	add(&line, " who=", 5);
	add_value(&line, who_name, strlen(who_name));
	len = snprintf(head, sizeof(head), " pid=%d", (int)getpid());
	add(&line, head, (size_t)len);
	if (format[0] != '\0')
		add(&line, " ", 1);
	va_copy(copy, args);
	add_format(&line, format, &copy);
	va_end(copy);
	if (line.cut) {
		memcpy(out + line.len, truncated, sizeof(truncated) - 1);
		line.len += sizeof(truncated) - 1;
	}
	out[line.len++] = '\n';
	out[line.len] = '\0';
	return line.len;
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	char line[LOG_LINE_MAX + 1];
	struct timespec now;
	int saved = errno;
	va_list args;
	size_t len;

	if (!log_enabled(level))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	va_start(args, format);
	len = log_format(line, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, level, event,
			 format, args);
	va_end(args);
	/* A line that cannot be written has nowhere else to go. */
	while (write(log_fd, line, len) < 0 && errno == EINTR)
		continue;
	errno = saved;
}
