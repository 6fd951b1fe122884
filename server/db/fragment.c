/* A name in braces is lower-case letters and underscores: no other braces of SQL
 * look like that, '{}' included. */
#include "server/db/fragment.h"

#include <string.h>

#include "common/arena.h"

static const struct fragment *find(const struct fragments *fragments, const char *name, size_t len)
{
	for (size_t i = 0; i < fragments->n; i++)
		if (strlen(fragments->list[i].name) == len &&
		    memcmp(fragments->list[i].name, name, len) == 0)
			return &fragments->list[i];
	return NULL;
}

/* Length of a name in braces at this place, without them; 0 when there is none. */
static size_t named(const char *at)
{
	if (*at != '{')
		return 0;
	size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
	return at[1 + len] == '}' ? len : 0;
}

const char *fragments_add(struct fragments *fragments, const char *name, struct text sql)
{
	if (fragments->n == FRAGMENTS_MAX)
		return "too many fragments";
	if (find(fragments, name, strlen(name)) != NULL)
		return "the name is used twice";
	for (size_t i = 0; i < sql.len; i++) {
		size_t len = named(sql.at + i);
		if (len != 0 && find(fragments, sql.at + i + 1, len) == NULL)
			return "it names a fragment that does not stand before it";
	}
	fragments->list[fragments->n++] = (struct fragment){ .name = name, .sql = sql };
	return NULL;
}

const char *fragments_expand(const struct fragments *fragments, const char *sql,
			     struct arena *arena)
{
	const char *at = sql;
	while (*at != '\0' && named(at) == 0)
		at++;
	if (*at == '\0')
		return sql;
	size_t len = named(at);
	const struct fragment *fragment = find(fragments, at + 1, len);
	if (fragment == NULL)
		return NULL;
	const char *whole = arena_printf(arena, "%.*s%.*s%s", (int)(at - sql), sql,
					 (int)fragment->sql.len, fragment->sql.at, at + len + 2);
	return whole == NULL ? NULL : fragments_expand(fragments, whole, arena);
}
