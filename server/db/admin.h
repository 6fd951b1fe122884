/* Single statements on a connection of their own, blocking: for setting up, never
 * for serving. */
#ifndef ISMS_DB_ADMIN_H
#define ISMS_DB_ADMIN_H

#include <stddef.h>

#include "common/status.h"

struct arena;

/* Connects, runs one statement with text parameters and disconnects. *out is the
 * first column of the first row, in the arena; NULL when there is no row or it is
 * NULL. UNAVAILABLE, DATABASE_UNREACHABLE without a connection; else a failure is
 * FAILED_PRECONDITION, STATEMENT_FAILED with the message of the database, which is
 * for the operator's eyes. */
STATUS_MUST_CHECK struct status admin_run(const char **out, const char *conninfo, const char *sql,
					  const char *const *values, size_t n_values,
					  struct arena *arena);

#endif
