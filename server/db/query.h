/* The named statements of sql/queries, embedded at build time.
 *
 * Each statement opens with a header comment:
 *
 *   -- name: risk_get
 *   -- class: point            point | list | commit
 *   -- kind: risk              optional: rows are of this versioned kind, with
 *                              columns id and version; a write that loads them
 *                              proves at commit that they have not moved
 *   -- params: $org $actor $permission id
 *   SELECT … WHERE org_id = $1 AND …;
 *
 * Several params lines make one list. The header ends at the first line that is
 * no comment; in it, "-- word: …" with an unknown word is a mistake, any other
 * comment is one. A statement ends at a ; that ends a line.
 *
 * What several statements share is a fragment (server/db/fragment.h).
 *
 * A parameter is a special ($org, $actor, …: see query_special) or the name of a
 * field of the message that the statement is bound to. A statement named
 * <kind>_update is wrapped so that it must hit exactly one row:
 * WITH w AS (… RETURNING 1) SELECT must_one(count(*)) FROM w (one that calls
 * must_one itself is left as it is). For each versioned
 * kind the registry makes <kind>_guard: the row with this id and version, FOR
 * SHARE, must be there.
 *
 * A statement without $org needs a line "-- tenantless: reason" in its header. */
#ifndef ISMS_DB_QUERY_H
#define ISMS_DB_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum { QUERY_PARAMS_MAX = 40, QUERY_COLUMNS_MAX = 64 };

enum query_class { QUERY_POINT, QUERY_LIST, QUERY_COMMIT, QUERY_CLASSES };

/* Parameters that do not come from a message. */
enum query_special {
	QUERY_FIELD = 0,     /* not special: a field */
	QUERY_ORG,           /* $org uuid: organisation of the caller */
	QUERY_ACTOR,         /* $actor uuid: account of the caller */
	QUERY_SESSION,       /* $session uuid: session of the caller */
	QUERY_PERMISSION,    /* $permission text: the method's permission */
	QUERY_TOKEN_SHA256,  /* $token_sha256 bytea: digest of the access token */
	QUERY_SECRET_SHA256, /* $secret_sha256 bytea: digest of request.invitation */
	QUERY_EMAIL,         /* $email text: request.email, canonicalised */
	QUERY_REQUEST_ID,    /* $request_id uuid: mutation.request_id */
	QUERY_PAGE_AFTER,    /* $page_after uuid or NULL: key of the last row seen */
	QUERY_PAGE_LIMIT,    /* $page_limit int: rows to return, one more than the page */
	QUERY_ID,            /* $id uuid: id of the row (guards, conflicts) */
	QUERY_DECISIONS, /* $decisions bigint: what a person may decide within an hour; 0: any */
	QUERY_VERSION,   /* $version bigint: version of the row (guards, conflicts) */
	QUERY_KIND,      /* $kind text: name of the kind (conflicts) */
	QUERY_SPECIALS,
};

struct query_param {
	const char *name;
	enum query_special special;
};

struct query_column {
	const char *name;
	uint32_t oid; /* type, filled by the description at start-up */
};

struct query {
	const char *name;
	const char *sql;
	enum query_class class;
	const char *kind;       /* name of the kind, or NULL */
	const char *tenantless; /* why it is not bound to $org, or NULL */
	struct query_param params[QUERY_PARAMS_MAX];
	size_t n_params;
	/* filled when the statement has been prepared and described */
	uint32_t param_oids[QUERY_PARAMS_MAX];
	struct query_column columns[QUERY_COLUMNS_MAX];
	size_t n_columns;
};

struct arena;
struct embedded_file;
struct query_set;

/* Parses the embedded statements; kinds is a NULL-ended list of the names of
 * versioned kinds, for the guards. NULL on a malformed header, named in *why
 * (static). Yours. */
struct query_set *query_set_new(const char *const *kinds, const char **why);
/* The same from given files. */
struct query_set *query_set_new_from(const struct embedded_file *files, size_t n_files,
				     const char *const *kinds, const char **why);
void query_set_free(struct query_set *set);
/* FAILED_PRECONDITION for a statement that could reach another organisation:
 * without $org, or without org_id = $n for it, or with fewer mentions of org_id
 * than of tables (those with a column org_id, a NULL-ended list); unless it is
 * tenantless with a reason. */
STATUS_MUST_CHECK struct status query_set_lint(const struct query_set *set,
					       const char *const *tables, struct arena *arena);
/* Borrowed; NULL when there is none of this name. */
struct query *query_find(struct query_set *set, const char *name);
size_t query_count(const struct query_set *set);
struct query *query_at(struct query_set *set, size_t i);
/* What lives as long as the set. Borrowed. */
struct arena *query_set_arena(struct query_set *set);

#endif
