/* Connections to PostgreSQL with the settings that every statement relies on. */
#ifndef ISMS_DB_DB_CONNECT_H
#define ISMS_DB_DB_CONNECT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

struct arena;

/* The schema that migrations make; the only one that is searched. */
#define DB_SCHEMA "isms"

/* Settings of a session as libpq's "options": those of conninfo and ours. one_moment:
 * all statements of a transaction see the same moment; for reads, whose statements
 * would otherwise tell of an object in two versions. NULL when out of memory or
 * conninfo is malformed. Yours (free). */
char *db_connect_options(const char *conninfo, int64_t statement_timeout_us, bool one_moment);

/* How many hosts conninfo names; 1 when it names none, libpq's default. */
unsigned db_connect_hosts(const char *conninfo);
/* Starts a connection to one of the hosts without waiting: left to itself, libpq has no
 * time limit for a host when it does not wait, and would never come to the second when
 * the first one does not answer. NULL when out of memory. */
PGconn *db_connect_start(const char *conninfo, const char *options, unsigned host);

/* Connects and waits. UNAVAILABLE with what libpq says in the log. *out is yours
 * (PQfinish). */
STATUS_MUST_CHECK struct status db_connect_wait(PGconn **out, const char *conninfo,
						struct arena *arena);

/* The first line of libpq's last error, for the log; in a static buffer. */
const char *db_connect_error(const PGconn *conn);

#endif
