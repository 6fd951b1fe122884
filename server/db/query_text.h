/* Looking at SQL text as lines and words: enough for the headers of statements
 * and the lint, not a parser. Comments and quoted strings hold no words. */
#ifndef ISMS_DB_QUERY_TEXT_H
#define ISMS_DB_QUERY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	const char *at;
	size_t len;
};

/* Takes the next line, without its end, off rest; false when there is none. */
bool text_line(struct text *rest, struct text *line);
struct text text_trim(struct text text);
bool text_is(struct text text, const char *word);
/* Takes the next word between blanks off rest. */
bool text_word(struct text *rest, struct text *word);
/* Whether a trimmed line is "-- key: value" with one lower-case word as key. */
bool text_header(struct text line, struct text *key, struct text *value);

/* How often a word (an identifier) stands in SQL. */
size_t text_words(struct text sql, const char *word);
/* How often one of the tables (a NULL-ended list) is named after FROM, JOIN,
 * UPDATE, INTO, USING or a comma of such a list. */
size_t text_tables(struct text sql, const char *const *tables);
/* Whether "column = $param" stands in SQL, or an INSERT names both column and
 * parameter. */
bool text_binds(struct text sql, const char *column, size_t param);

#endif
