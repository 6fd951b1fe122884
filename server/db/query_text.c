/* SQL as a sequence of tokens: identifiers, $n, single characters. Quoted
 * strings, dollar quotes and comments are skipped; quoted identifiers are
 * identifiers. */
#include "server/db/query_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool text_line(struct text *rest, struct text *line)
{
	if (rest->len == 0)
		return false;
	const char *end = memchr(rest->at, '\n', rest->len);
	line->at = rest->at;
	line->len = end == NULL ? rest->len : (size_t)(end - rest->at);
	size_t taken = line->len + (end != NULL);
	rest->at += taken;
	rest->len -= taken;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text text)
{
	while (text.len > 0 && blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

bool text_is(struct text text, const char *word)
{
	return strlen(word) == text.len && memcmp(text.at, word, text.len) == 0;
}

bool text_word(struct text *rest, struct text *word)
{
	*rest = text_trim(*rest);
	size_t len = 0;
	while (len < rest->len && !blank(rest->at[len]))
		len++;
	*word = (struct text){ rest->at, len };
	rest->at += len;
	rest->len -= len;
	return len > 0;
}

bool text_header(struct text line, struct text *key, struct text *value)
{
	if (line.len < 3 || memcmp(line.at, "-- ", 3) != 0)
		return false;
	struct text rest = text_trim((struct text){ line.at + 3, line.len - 3 });
	size_t len = 0;
	while (len < rest.len && rest.at[len] >= 'a' && rest.at[len] <= 'z')
		len++;
	if (len == 0 || len == rest.len || rest.at[len] != ':')
		return false;
	*key = (struct text){ rest.at, len };
	*value = text_trim((struct text){ rest.at + len + 1, rest.len - len - 1 });
	return true;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Length of what is no token at the start of sql: blanks, comments, strings. */
static size_t skip(struct text sql)
{
	if (blank(sql.at[0]))
		return 1;
	if (sql.len >= 2 && memcmp(sql.at, "--", 2) == 0) {
		const char *end = memchr(sql.at, '\n', sql.len);
		return end == NULL ? sql.len : (size_t)(end - sql.at);
	}
	if (sql.len >= 2 && memcmp(sql.at, "/*", 2) == 0) {
		const char *end = memmem(sql.at + 2, sql.len - 2, "*/", 2);
		return end == NULL ? sql.len : (size_t)(end - sql.at) + 2;
	}
	if (sql.at[0] == '\'') {
		const char *end = memchr(sql.at + 1, '\'', sql.len - 1);
		return end == NULL ? sql.len : (size_t)(end - sql.at) + 1;
	}
	return 0;
}

static bool token(struct text *rest, struct text *out)
{
	while (rest->len > 0) {
		size_t skipped = skip(*rest);
		if (skipped == 0)
			break;
		rest->at += skipped;
		rest->len -= skipped;
	}
	if (rest->len == 0)
		return false;
	size_t len = rest->at[0] == '$' || in_word(rest->at[0]) ? 1 : 0;
	while (len > 0 && len < rest->len && in_word(rest->at[len]))
		len++;
	*out = (struct text){ rest->at, len > 0 ? len : 1 };
	rest->at += out->len;
	rest->len -= out->len;
	return true;
}

static bool same_word(struct text text, const char *word)
{
	return strlen(word) == text.len && strncasecmp(text.at, word, text.len) == 0;
}

size_t text_words(struct text sql, const char *word)
{
	size_t n = 0;
	struct text found;
	while (token(&sql, &found))
		n += same_word(found, word);
	return n;
}

static bool opens_tables(struct text word)
{
	return same_word(word, "from") || same_word(word, "join") || same_word(word, "update") ||
	       same_word(word, "into") || same_word(word, "using");
}

/* Words that may stand between the opening word and the table. */
static bool passes(struct text word)
{
	return same_word(word, "only") || same_word(word, "lateral") || text_is(word, "\"") ||
	       text_is(word, ".") || same_word(word, "isms");
}

static bool closes_tables(struct text word)
{
	return same_word(word, "where") || same_word(word, "on") || same_word(word, "set") ||
	       same_word(word, "order") || same_word(word, "group") || same_word(word, "select") ||
	       text_is(word, "(") || text_is(word, ")");
}

static bool one_of(struct text word, const char *const *tables)
{
	for (; tables != NULL && *tables != NULL; tables++)
		if (same_word(word, *tables))
			return true;
	return false;
}

size_t text_tables(struct text sql, const char *const *tables)
{
	size_t n = 0;
	bool in_list = false, expected = false;
	struct text word;
	while (token(&sql, &word)) {
		if (opens_tables(word)) {
			in_list = expected = true;
			continue;
		}
		if (expected && passes(word))
			continue;
		if (expected && one_of(word, tables))
			n++;
		if (closes_tables(word))
			in_list = false;
		expected = in_list && text_is(word, ",");
	}
	return n;
}

bool text_binds(struct text sql, const char *column, size_t param)
{
	char name[16];
	snprintf(name, sizeof(name), "$%zu", param);
	struct text word, before[2] = { { "", 0 }, { "", 0 } };
	bool insert = false, has_column = false, has_param = false;
	while (token(&sql, &word)) {
		bool equal = text_is(before[1], "=");
		if (equal && ((same_word(before[0], column) && text_is(word, name)) ||
			      (text_is(before[0], name) && same_word(word, column))))
			return true;
		insert = insert || same_word(word, "insert");
		has_column = has_column || same_word(word, column);
		has_param = has_param || text_is(word, name);
		before[0] = before[1];
		before[1] = word;
	}
	return insert && has_column && has_param;
}
