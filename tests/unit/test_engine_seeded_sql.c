/* The seeded bugs are pieces of statements: this fails when a statement has moved on and
 * its bug has not, in every build, so that nobody learns it from the checker. */
#ifndef ISMS_SEEDED_BUGS
#define ISMS_SEEDED_BUGS
#endif
#include "server/db/seeded_sql.h"

#include "server/db/query.h"
#include "server/domain/kind.h"
#include "tests/unit/tap.h"

TEST(each_seeded_bug_fits_its_statement)
{
	const char *kinds[KIND_COUNT] = { NULL };
	const char *why = NULL;
	for (int id = KIND_NONE + 1, n = 0; id < KIND_COUNT; id++)
		if (kind_of((enum kind_id)id)->versioned)
			kinds[n++] = kind_of((enum kind_id)id)->name;
	struct query_set *set = query_set_new(kinds, &why);
	if (!CHECK(set != NULL))
		return;
	for (size_t i = 0; i < sizeof(seeded_statements) / sizeof(seeded_statements[0]); i++) {
		const char *statement = seeded_statements[i].statement;
		const struct query *query = query_find(set, statement);
		if (!CHECK(query != NULL) ||
		    !CHECK(strstr(query->sql, seeded_statements[i].from) != NULL)) {
			printf("# %s in %s\n", seeded_statements[i].bug, statement);
			continue;
		}
		CHECK(seeded_sql(statement, query->sql, query_set_arena(set)) == query->sql);
		CHECK(setenv("ISMS_SEEDED_BUG", seeded_statements[i].bug, 1) == 0);
		CHECK(strcmp(seeded_sql(statement, query->sql, query_set_arena(set)), query->sql) !=
		      0);
		CHECK(unsetenv("ISMS_SEEDED_BUG") == 0);
	}
	query_set_free(set);
}

TAP_MAIN
