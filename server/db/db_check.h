/* What a server of PostgreSQL must be like, on an open connection. */
#ifndef ISMS_DB_DB_CHECK_H
#define ISMS_DB_DB_CHECK_H

#include <libpq-fe.h>

#include "common/status.h"

struct arena;

/* Refuses a schema older or newer than this binary's migrations, and fsync,
 * full_page_writes or synchronous_commit weakened: FAILED_PRECONDITION, naming
 * the setting or version. */
STATUS_MUST_CHECK struct status db_check_server(PGconn *conn, struct arena *arena);

#endif
