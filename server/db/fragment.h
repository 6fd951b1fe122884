/* Pieces of SQL that several statements share, such as the columns of a kind:
 *
 *   -- fragment: columns_of_risk
 *   r.id, r.ref, …;
 *
 * A statement of any file names one in braces, {columns_of_risk}. A fragment names
 * only those that stand before it. */
#ifndef ISMS_DB_FRAGMENT_H
#define ISMS_DB_FRAGMENT_H

#include <stddef.h>

#include "server/db/query_text.h"

struct arena;

enum { FRAGMENTS_MAX = 64 };

struct fragment {
	const char *name;
	struct text sql; /* borrowed from the embedded file */
};

struct fragments {
	struct fragment list[FRAGMENTS_MAX];
	size_t n;
};

/* NULL, or what is wrong: too many, a name that is taken, a text that names what does
 * not stand before it. name is borrowed. */
const char *fragments_add(struct fragments *fragments, const char *name, struct text sql);

/* The text with its fragments in place, in the arena; NULL when it names one that
 * is not there (or out of memory). */
const char *fragments_expand(const struct fragments *fragments, const char *sql,
			     struct arena *arena);

#endif
