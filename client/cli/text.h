/* Text for people and files: what a terminal might obey is shown instead of
 * sent, widths are counted in columns, names that were mistyped are guessed. */
#ifndef ISMS_CLI_TEXT_H
#define ISMS_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum text_mode {
	TEXT_LINE,  /* line feeds and tabs are escaped too */
	TEXT_BLOCK, /* line feeds and tabs stay */
};

/* Prints text with control, direction-changing and zero-width characters and
 * bytes that are not UTF-8 as \n, \t, \x1b, \u{202e}. */
void text_print(FILE *out, const char *text, enum text_mode mode);
/* Prints a text of several lines, all but the first with so many blanks before it,
 * each as in TEXT_LINE, and a line feed. */
void text_print_lines(FILE *out, const char *text, unsigned indent);
/* As text_print, in memory of malloc (free it), NULL when out of memory. */
char *text_escape(const char *text, enum text_mode mode);
/* Columns that an escaped text takes on a terminal. */
size_t text_width(const char *text);
/* Bytes of the longest head of text that takes at most so many columns. */
size_t text_head(const char *text, size_t width);
/* Prints one cell of CSV: quoted where needed; a first character that a
 * spreadsheet takes for a formula gets an apostrophe before it. */
void text_csv(FILE *out, const char *text);
/* One code point at *text, which moves on; -1 and one byte when it is not
 * UTF-8. */
long text_next(const char **text);
/* Whether a code point must not reach a terminal. */
bool text_unsafe(long point);
/* How many letters differ (Levenshtein), at most 99. */
unsigned text_distance(const char *a, const char *b);
/* Whether b is near enough to a to be what was meant. */
bool text_near(const char *a, const char *b);

#endif
