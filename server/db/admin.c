/* Single statements for setting up, see admin.h. */
#include "server/db/admin.h"

#include <libpq-fe.h>
#include <string.h>

#include "common/arena.h"

/* The first line of what libpq says. */
static const char *first_line(const char *text, struct arena *arena)
{
	const char *line = arena_strndup(arena, text, strcspn(text, "\n"));

	return line && line[0] ? line : "the database gives no reason";
}

static struct status take(const char **out, const PGresult *result, struct arena *arena)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		return status_make(
			STATUS_CODE_FAILED_PRECONDITION, "STATEMENT_FAILED",
			first_line(message ? message : PQresultErrorMessage(result), arena));
	if (PQntuples(result) == 0 || PQnfields(result) == 0 || PQgetisnull(result, 0, 0)) {
		*out = NULL;
		return STATUS_OK;
	}
	message = arena_strdup(arena, PQgetvalue(result, 0, 0));
	if (!message)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	*out = message;
	return STATUS_OK;
}

struct status admin_run(const char **out, const char *conninfo, const char *sql,
			const char *const *values, size_t n_values, struct arena *arena)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *result = NULL;
	struct status st;

	if (PQstatus(conn) != CONNECTION_OK) {
		st = status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNREACHABLE",
				 first_line(PQerrorMessage(conn), arena));
		goto out;
	}
	result = PQexecParams(conn, sql, (int)n_values, NULL, values, NULL, NULL, 0);
	st = take(out, result, arena);
out:
	PQclear(result);
	PQfinish(conn);
	return st;
}
