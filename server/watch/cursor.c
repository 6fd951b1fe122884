/* The text is "w1", then both numbers as 16 hexadecimal digits; see cursor.h. */
#include "server/watch/cursor.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MARK = 2, DIGITS = 16 };

int cursor_compare(struct cursor a, struct cursor b)
{
	if (a.tx != b.tx)
		return a.tx < b.tx ? -1 : 1;
	return (a.seq > b.seq) - (a.seq < b.seq);
}

struct cursor cursor_later(struct cursor a, struct cursor b)
{
	return cursor_compare(a, b) < 0 ? b : a;
}

void cursor_format(char out[CURSOR_TEXT], struct cursor cursor)
{
	snprintf(out, CURSOR_TEXT, "w1%016" PRIx64 "%016" PRIx64, (uint64_t)cursor.tx,
		 (uint64_t)cursor.seq);
}

static bool parse_number(int64_t *out, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		const char *digit = memchr(digits, text[i], sizeof(digits) - 1);
		if (digit == NULL)
			return false;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	if (value > INT64_MAX)
		return false;
	*out = (int64_t)value;
	return true;
}

bool cursor_parse(struct cursor *out, const char *text)
{
	struct cursor cursor;
	if (strlen(text) != MARK + 2 * DIGITS || memcmp(text, "w1", MARK) != 0 ||
	    !parse_number(&cursor.tx, text + MARK) ||
	    !parse_number(&cursor.seq, text + MARK + DIGITS))
		return false;
	*out = cursor;
	return true;
}
