/* Lists are short (at most 1,000 ids), so they are searched straight. */
#include "server/domain/fields.h"

#include <string.h>

#include "common/arena.h"
#include "server/domain/must.h"

bool fields_has(char *const *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], id) == 0)
			return true;
	return false;
}

void fields_unique(char ***list, size_t *n, struct arena *arena)
{
	char **unique = must(arena_array(arena, char *, *n + 1));
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++)
		if (!fields_has(unique, kept, (*list)[i]))
			unique[kept++] = (*list)[i];
	*list = unique;
	*n = kept;
}

void fields_add(char ***list, size_t *n, const char *id, struct arena *arena)
{
	if (fields_has(*list, *n, id))
		return;
	char **longer = must(arena_array(arena, char *, *n + 1));
	if (*n > 0)
		memcpy(longer, *list, *n * sizeof(*longer));
	longer[*n] = must(arena_strdup(arena, id));
	*list = longer;
	*n += 1;
}

bool fields_grew(char *const *before, size_t n_before, char *const *after, size_t n_after)
{
	for (size_t i = 0; i < n_after; i++)
		if (!fields_has(before, n_before, after[i]))
			return true;
	return false;
}

static bool is_row(const struct facts *facts, const char *set, const char *id)
{
	size_t n;
	const Isms__Store__V1__Found *const *rows =
		fact_rows(facts, set, Isms__Store__V1__Found, isms__store__v1__found, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i]->id, id) == 0)
			return true;
	return false;
}

struct status fields_found(const struct facts *facts, const char *set, const char *field,
			   char *const *before, size_t n_before, char *const *after, size_t n_after)
{
	for (size_t i = 0; i < n_after; i++)
		if (!fields_has(before, n_before, after[i]) && !is_row(facts, set, after[i]))
			return status_invalid(
				facts->arena, field,
				"names something that does not exist or may not be seen");
	return STATUS_OK;
}
