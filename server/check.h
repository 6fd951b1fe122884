/* Whether this program and its database fit each other. */
#ifndef ISMS_SERVER_CHECK_H
#define ISMS_SERVER_CHECK_H

#include <stdio.h>

#include "common/status.h"

struct arena;
struct query_set;
struct settings;

/* The statements of this program. Yours (query_set_free). */
STATUS_MUST_CHECK struct status check_queries(struct query_set **out);

/* Describes every statement on the database, which also checks its schema and
 * settings, and binds every method to them; faults of methods are in the log. Tries
 * again for settings.wait_for_database while it cannot be reached. */
STATUS_MUST_CHECK struct status check_bind(struct query_set *queries,
					   const struct settings *settings, struct arena *arena);

/* One line a method: path, mode, permission. */
void check_print(FILE *out);

#endif
