/* The table of SQLSTATEs and its look-up. Messages of PostgreSQL may hold values
 * of users, so none leaves this file but to the log. */
#include "server/db/pgerr.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"

enum { STATE_LEN = 5, CLASS_LEN = 2 };

static const int64_t SOON_US = 200000, LATER_US = 1000000;

/* Longest match first: whole states, then classes. */
static const struct state {
	const char *state;
	enum status_code code;
	const char *reason;
	const char *message;
	bool expected; /* a matter between callers: no warning in the log */
} states[] = {
	{ "23502", STATUS_CODE_INVALID_ARGUMENT, "INVALID_VALUE", "a value is missing", false },
	{ "23503", STATUS_CODE_FAILED_PRECONDITION, "REFERENCE_NOT_FOUND",
	  "something that is referred to does not exist", false },
	{ "23505", STATUS_CODE_ALREADY_EXISTS, "ALREADY_EXISTS", "it exists already", true },
	{ "23514", STATUS_CODE_INVALID_ARGUMENT, "INVALID_VALUE", "a value is not allowed", false },
	{ "23P01", STATUS_CODE_ALREADY_EXISTS, "ALREADY_EXISTS", "it exists already", true },
	{ "25006", STATUS_CODE_UNAVAILABLE, "DATABASE_READ_ONLY",
	  "the database takes no changes now", false },
	{ "40001", STATUS_CODE_ABORTED, "SERIALIZATION_FAILURE",
	  "something that the decision was made from has changed", true },
	{ "40P01", STATUS_CODE_ABORTED, "DEADLOCK", "the change met another one", true },
	{ "42501", STATUS_CODE_PERMISSION_DENIED, "DATABASE_REFUSES",
	  "the database does not allow this", false },
	{ "53300", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
	  "the database cannot be reached", false },
	{ "55P03", STATUS_CODE_ABORTED, "LOCK_TIMEOUT", "another change takes too long", true },
	{ "57014", STATUS_CODE_DEADLINE_EXCEEDED, "STATEMENT_TIMEOUT", "the database took too long",
	  false },
	{ "57P01", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
	  "the database cannot be reached", false },
	{ "57P02", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
	  "the database cannot be reached", false },
	{ "57P03", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
	  "the database cannot be reached", false },
	{ "57P05", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
	  "the database cannot be reached", false },
	{ "P0002", STATUS_CODE_NOT_FOUND, "NOT_FOUND", "it does not exist", false },
	{ "08", STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database cannot be reached",
	  false },
	{ "22", STATUS_CODE_INVALID_ARGUMENT, "INVALID_VALUE", "a value is not allowed", false },
	{ "53", STATUS_CODE_RESOURCE_EXHAUSTED, "DATABASE_FULL",
	  "the database has no room for this", false },
	{ "54", STATUS_CODE_INVALID_ARGUMENT, "TOO_LARGE", "a value is too large", false },
};

static const struct state internal = {
	"", STATUS_CODE_INTERNAL, "INTERNAL", "the server has a fault", false,
};

static const struct state *find_state(const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strncmp(states[i].state, state, strlen(states[i].state)) == 0)
			return &states[i];
	return &internal;
}

static int compare_constraint(const void *key, const void *row)
{
	return strcmp(key, ((const struct pgerr_constraint *)row)->name);
}

static const struct pgerr_constraint *find_constraint(const char *name)
{
	if (name == NULL)
		return NULL;
	return bsearch(name, pgerr_constraints, pgerr_constraints_count,
		       sizeof(pgerr_constraints[0]), compare_constraint);
}

static const char *field_of(const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);
	return text == NULL ? "" : text;
}

/* Without the detail: it holds the row that was refused, digests and all. */
static void tell(const PGresult *result, const struct state *state)
{
	if (state->expected)
		return;
	log_write(state->code == STATUS_CODE_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
		  "database.error", "sqlstate=%s table=%s constraint=%s message=%s context=%s",
		  field_of(result, PG_DIAG_SQLSTATE), field_of(result, PG_DIAG_TABLE_NAME),
		  field_of(result, PG_DIAG_CONSTRAINT_NAME),
		  field_of(result, PG_DIAG_MESSAGE_PRIMARY), field_of(result, PG_DIAG_CONTEXT));
}

static struct status constraint_status(const struct pgerr_constraint *row, struct arena *arena)
{
	struct status st = status_make(row->code, row->reason, row->message);
	if (row->field != NULL)
		status_add_violation(&st, arena, row->field, row->message);
	if (row->code == STATUS_CODE_ABORTED)
		status_set_retry(&st, arena, SOON_US);
	return st;
}

struct status pgerr_status(const PGresult *result, struct arena *arena)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* libpq's own errors have no state: the connection is lost */
	const struct state *state = find_state(sqlstate == NULL ? "08006" : sqlstate);
	const struct pgerr_constraint *row = NULL;
	if (strncmp(field_of(result, PG_DIAG_SQLSTATE), "23", CLASS_LEN) == 0)
		row = find_constraint(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
	if (row != NULL)
		return constraint_status(row, arena);
	tell(result, state);
	struct status st = status_make(state->code, state->reason, state->message);
	if (state->code == STATUS_CODE_UNAVAILABLE)
		status_set_retry(&st, arena, LATER_US);
	else if (status_retriable(state->code))
		status_set_retry(&st, arena, SOON_US);
	return st;
}

bool pgerr_stale(const PGresult *result)
{
	const char *state = field_of(result, PG_DIAG_SQLSTATE);
	return strcmp(state, "26000") == 0 || strcmp(state, "0A000") == 0;
}

bool pgerr_fatal(const PGresult *result)
{
	const char *severity = field_of(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

/* --- against the catalogue -------------------------------------------------- */

/* Unique and exclusion constraints and unique indexes of tables with org_id. */
static const char unique_sql[] =
	"SELECT c.relname, i.indisprimary FROM pg_index i "
	"JOIN pg_class c ON c.oid = i.indexrelid "
	"JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'org_id' "
	"WHERE c.relnamespace = current_schema()::regnamespace "
	"AND (i.indisunique OR i.indisexclusion) ORDER BY 1";

static const char names_sql[] =
	"SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace "
	"UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
	"WHERE i.indisunique AND c.relnamespace = current_schema()::regnamespace ORDER BY 1";

static bool ends_with(const char *name, const char *tail)
{
	size_t len = strlen(name), tail_len = strlen(tail);
	return len > tail_len && strcmp(name + len - tail_len, tail) == 0;
}

static bool made_by_server(const char *name)
{
	return ends_with(name, "_pkey") || ends_with(name, "_ref_key") ||
	       ends_with(name, "_token_key");
}

static struct status refuse(struct arena *arena, const char *name, const char *what)
{
	const char *text = arena_printf(arena, "constraint %s %s", name, what);
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "CONSTRAINT_TABLE",
			   text == NULL ? "a constraint is not described" : text);
}

static struct status check_known(const PGresult *result, struct arena *arena)
{
	for (int i = 0; i < PQntuples(result); i++) {
		const char *name = PQgetvalue(result, i, 0);
		bool primary = *PQgetvalue(result, i, 1) == 't';
		if (!primary && !made_by_server(name) && find_constraint(name) == NULL)
			return refuse(arena, name, "has no row in the table of errors");
	}
	return STATUS_OK;
}

static struct status check_there(const PGresult *result, struct arena *arena)
{
	for (size_t i = 0; i < pgerr_constraints_count; i++) {
		const char *name = pgerr_constraints[i].name;
		bool found = false;
		for (int row = 0; row < PQntuples(result) && !found; row++)
			found = strcmp(PQgetvalue(result, row, 0), name) == 0;
		if (!found)
			return refuse(arena, name, "is in the table of errors only");
		if (i > 0 && strcmp(pgerr_constraints[i - 1].name, name) >= 0)
			return refuse(arena, name, "is out of order in the table of errors");
	}
	return STATUS_OK;
}

static struct status check_with(PGconn *conn, const char *sql,
				struct status (*check)(const PGresult *, struct arena *),
				struct arena *arena)
{
	PGresult *result = PQexec(conn, sql);
	struct status st = PQresultStatus(result) == PGRES_TUPLES_OK ? check(result, arena)
								     : pgerr_status(result, arena);
	PQclear(result);
	return st;
}

struct status pgerr_check(PGconn *conn, struct arena *arena)
{
	struct status st = check_with(conn, unique_sql, check_known, arena);
	if (status_ok(&st))
		st = check_with(conn, names_sql, check_there, arena);
	return st;
}
