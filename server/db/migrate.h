/* The schema of the database: numbered files, each applied once in a transaction
 * of its own and remembered with the digest of its text. */
#ifndef ISMS_DB_MIGRATE_H
#define ISMS_DB_MIGRATE_H

#include <stddef.h>

#include "common/status.h"

struct arena;
struct embedded_file;
struct pg_conn; /* libpq's PGconn */

/* A set of migrations, in order of name: NNNN_what.sql, numbered from 1 without a
 * gap; and what is run after them each time (roles), which must be repeatable. */
struct migrations {
	const struct embedded_file *files;
	size_t n_files;
	const struct embedded_file *after;
	size_t n_after;
};

/* Brings the database to the newest version, as the role that owns everything.
 * Two at once: one works, the other waits and finds nothing to do. Progress goes
 * to the log. FAILED_PRECONDITION when an applied migration has another text here
 * or is unknown here, or when a migration fails (then it has left nothing). */
STATUS_MUST_CHECK struct status migrate_run(const char *conninfo, struct arena *arena);
/* The same with given migrations instead of the embedded ones. */
STATUS_MUST_CHECK struct status migrate_run_set(const struct migrations *migrations,
						const char *conninfo, struct arena *arena);

/* FAILED_PRECONDITION, SCHEMA_VERSION when the schema is older, newer or other
 * than the migrations. */
STATUS_MUST_CHECK struct status migrate_check(struct pg_conn *conn, struct arena *arena);
STATUS_MUST_CHECK struct status migrate_check_set(const struct migrations *migrations,
						  struct pg_conn *conn, struct arena *arena);

#endif
