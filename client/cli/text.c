/* Text for people and files; see text.h. */
#include "client/cli/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

enum { DISTANCE_MAX = 63 };

long text_next(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	unsigned n = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 9;
	static const long smallest[] = { 0, 0x80, 0x800, 0x10000 };
	*text += 1;
	if (n == 9)
		return -1;
	long point = n == 0 ? p[0] : p[0] & (0x3f >> n);
	for (unsigned i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < smallest[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*text += n;
	return point;
}

bool text_unsafe(long point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c || point == 0xad ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
	       (point >= 0xfff9 && point <= 0xfffb) || point >= 0xe0000;
}

/* Prints the code point at *text, which moves on. */
static void print_point(FILE *out, const char **text, enum text_mode mode)
{
	const char *start = *text;
	long point = text_next(text);
	bool plain = point == '\n' || point == '\t';
	if (point < 0)
		(void)fprintf(out, "\\x%02x", (unsigned char)*start);
	else if (!text_unsafe(point) || (plain && mode == TEXT_BLOCK))
		(void)fwrite(start, 1, (size_t)(*text - start), out);
	else if (plain)
		(void)fputs(point == '\n' ? "\\n" : "\\t", out);
	else if (point < 0x80)
		(void)fprintf(out, "\\x%02lx", (unsigned long)point);
	else
		(void)fprintf(out, "\\u{%lx}", (unsigned long)point);
}

void text_print(FILE *out, const char *text, enum text_mode mode)
{
	while (*text)
		print_point(out, &text, mode);
}

void text_print_lines(FILE *out, const char *text, unsigned indent)
{
	while (*text) {
		if (*text == '\n') {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			text++;
		} else {
			print_point(out, &text, TEXT_LINE);
		}
	}
	(void)fputc('\n', out);
}

char *text_escape(const char *text, enum text_mode mode)
{
	char *out = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&out, &len);
	if (!file)
		return NULL;
	text_print(file, text, mode);
	if (fclose(file) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

static size_t point_width(long point)
{
	int width = wcwidth((wchar_t)point);
	return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	while (*text)
		width += point_width(text_next(&text));
	return width;
}

size_t text_head(const char *text, size_t width)
{
	const char *p = text;
	while (*p) {
		const char *before = p;
		size_t next = point_width(text_next(&p));
		if (next > width)
			return (size_t)(before - text);
		width -= next;
	}
	return (size_t)(p - text);
}

void text_csv(FILE *out, const char *text)
{
	bool formula = *text && strchr("=+-@\t\r", *text);
	if (!formula && !text[strcspn(text, ",\"\r\n\t")]) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	if (formula)
		(void)fputc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

unsigned text_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	if (n > DISTANCE_MAX || m > DISTANCE_MAX)
		return 99;
	unsigned row[DISTANCE_MAX + 1];
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned above = row[j];
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[m];
}

bool text_near(const char *a, const char *b)
{
	size_t len = strlen(a);
	if (len >= 3 && strncasecmp(a, b, len) == 0)
		return true;
	return text_distance(a, b) <= (len <= 3 ? 1u : len <= 6 ? 2u : 3u);
}
