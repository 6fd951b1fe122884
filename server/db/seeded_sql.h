/* Seeded bugs that are in statements, see common/seeded.h: the text of a statement with
 * another piece in the place of one. In other builds every statement is as it was. */
#ifndef ISMS_DB_SEEDED_SQL_H
#define ISMS_DB_SEEDED_SQL_H

struct arena;

#ifdef ISMS_SEEDED_BUGS
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/seeded.h"

#define SEEDED_ACCESS                                                                              \
	"(SELECT g.org_id, g.user_id, k.descendant_id AS scope_id, x.permissions, g.role_code,"    \
	" coalesce(g.max_accept_level, 0::smallint) AS max_accept_level, g.id AS grant_id,"        \
	" g.created_by AS granted_by, g.created_at AS granted_at"                                  \
	" FROM role_grant g JOIN role x ON x.code = g.role_code"                                   \
	" JOIN scope_closure k ON k.org_id = g.org_id AND k.ancestor_id = g.scope_id"              \
	" WHERE g.valid_from <= now() AND (g.valid_until IS NULL OR g.valid_until > now())"        \
	" AND (g.revoked_at IS NULL OR g.revoked_at > now() - interval '3 seconds'))"

static const struct {
	const char *bug, *statement, *from, *to;
} seeded_statements[] = {
	/* a role is remembered for three seconds */
	{ "cached_role", "vote_grants", "FROM access x", "FROM " SEEDED_ACCESS " x" },
	{ "cached_role", "access_approval_request", "access_at($1, $2, q.scope_id) a",
	  "(SELECT coalesce(array_agg(DISTINCT p), '{}') AS permissions,"
	  " coalesce(max(b.max_accept_level), 0::smallint) AS max_accept_level,"
	  " coalesce(array_agg(DISTINCT b.role_code), '{}') AS role_codes"
	  " FROM " SEEDED_ACCESS " b CROSS JOIN unnest(b.permissions) AS p"
	  " WHERE b.org_id = $1 AND b.user_id = $2 AND b.scope_id = q.scope_id) a" },
	/* in force until the job says otherwise */
	{ "expiry_only_by_job", "risk_acceptance_get", "c.effective",
	  "(c.state = 'ACTIVE') AS effective" },
	/* what is still being written is passed over for good */
	{ "outbox_cursor_by_id", "watch_follow", "pg_snapshot_xmin(", "pg_snapshot_xmax(" },
	{ "outbox_cursor_by_id", "watch_missed", "pg_snapshot_xmin(", "pg_snapshot_xmax(" },
	/* what one holds by delegation is passed on */
	{ "delegate_chain", "vote_delegations", "m.to_user_id = $3",
	  "(m.to_user_id = $3 OR m.to_user_id IN (SELECT z.from_user_id FROM delegation z"
	  " WHERE z.org_id = $1 AND z.to_user_id = $3))" },
	{ "delegate_chain", "vote_delegations", "d.to_user_id",
	  "CASE WHEN d.to_user_id IN (SELECT z.from_user_id FROM delegation z"
	  " WHERE z.org_id = $1 AND z.to_user_id = $3) THEN $3 ELSE d.to_user_id END AS "
	  "to_user_id" },
};

static inline const char *seeded_sql(const char *statement, const char *sql, struct arena *arena)
{
	size_t n = sizeof(seeded_statements) / sizeof(seeded_statements[0]);
	for (size_t i = 0; i < n; i++) {
		if (!seeded_bug(seeded_statements[i].bug) ||
		    strcmp(seeded_statements[i].statement, statement) != 0)
			continue;
		const char *at = strstr(sql, seeded_statements[i].from);
		if (at == NULL)
			abort(); /* the statement is another one by now */
		sql = arena_printf(arena, "%.*s%s%s", (int)(at - sql), sql, seeded_statements[i].to,
				   at + strlen(seeded_statements[i].from));
	}
	return sql;
}
#else
static inline const char *seeded_sql(const char *statement, const char *sql, struct arena *arena)
{
	(void)statement;
	(void)arena;
	return sql;
}
#endif

#endif
