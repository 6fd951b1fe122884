/* What is looked at once, before the first call: the server's settings and
 * schema, every statement, the lint, and the table of constraints. */
#include "server/db/db_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/db/db.h"
#include "server/db/db_connect.h"
#include "server/db/migrate.h"
#include "server/db/pgerr.h"

enum { TABLES_MAX = 500, VERSION_MIN = 150000 };

static struct status unfit(struct arena *arena, const char *text)
{
	(void)arena;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "DATABASE_UNFIT",
			   text == NULL ? "the database does not fit" : text);
}

/* --- settings --------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *refused;
	bool with_standby; /* weak only where commits wait for a standby */
} weak_settings[] = {
	{ "fsync", "off", false },
	{ "full_page_writes", "off", false },
	{ "synchronous_commit", "off", false },
	{ "synchronous_commit", "local", true },
	{ "synchronous_commit", "remote_write", true },
};

static const struct {
	const char *name;
	const char *wanted;
} fixed_settings[] = {
	{ "server_encoding", "UTF8" },
	{ "transaction_read_only", "off" },
	{ "integer_datetimes", "on" },
};

static struct status setting(const char **out, PGconn *conn, const char *name, struct arena *arena)
{
	const char *values[] = { name };
	PGresult *result =
		PQexecParams(conn, "SELECT current_setting($1)", 1, NULL, values, NULL, NULL, 0);
	struct status st = STATUS_OK;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		st = pgerr_status(result, arena);
	else if ((*out = arena_strdup(arena, PQgetvalue(result, 0, 0))) == NULL)
		st = unfit(arena, "out of memory");
	PQclear(result);
	return st;
}

static struct status check_weak(PGconn *conn, struct arena *arena)
{
	const char *standbys, *value;
	struct status st = setting(&standbys, conn, "synchronous_standby_names", arena);
	for (size_t i = 0; status_ok(&st) && i < sizeof(weak_settings) / sizeof(weak_settings[0]);
	     i++) {
		const char *name = weak_settings[i].name;
		st = setting(&value, conn, name, arena);
		if (!status_ok(&st) || strcmp(value, weak_settings[i].refused) != 0 ||
		    (weak_settings[i].with_standby && *standbys == '\0'))
			continue;
		return unfit(arena, arena_printf(arena,
						 "setting %s of the database is %s: what is "
						 "acknowledged could be lost",
						 name, value));
	}
	return st;
}

static struct status check_fixed(PGconn *conn, struct arena *arena)
{
	const char *value;
	for (size_t i = 0; i < sizeof(fixed_settings) / sizeof(fixed_settings[0]); i++) {
		const char *name = fixed_settings[i].name, *wanted = fixed_settings[i].wanted;
		struct status st = setting(&value, conn, name, arena);
		if (!status_ok(&st))
			return st;
		if (strcmp(value, wanted) != 0)
			return unfit(arena,
				     arena_printf(arena, "setting %s of the database is %s, not %s",
						  name, value, wanted));
	}
	return STATUS_OK;
}

struct status db_check_server(PGconn *conn, struct arena *arena)
{
	if (PQserverVersion(conn) < VERSION_MIN)
		return unfit(arena, "the database is older than postgresql 15");
	struct status st = migrate_check(conn, arena);
	if (status_ok(&st))
		st = check_weak(conn, arena);
	if (status_ok(&st))
		st = check_fixed(conn, arena);
	return st;
}

/* --- statements ------------------------------------------------------------- */

static struct status unfit_query(const struct query *query, const char *what, struct arena *arena)
{
	log_write(LOG_LEVEL_ERROR, "query.fault", "query=%s why=%s", query->name, what);
	return status_make(
		STATUS_CODE_FAILED_PRECONDITION, "QUERY_UNFIT",
		arena_printf(arena, "statement %s cannot be used with this database", query->name));
}

static struct status take_description(struct query *query, const PGresult *result,
				      struct arena *names, struct arena *arena)
{
	if (PQnparams(result) != (int)query->n_params)
		return unfit_query(query, "the header names another number of parameters", arena);
	if (PQnfields(result) > QUERY_COLUMNS_MAX)
		return unfit_query(query, "too many columns", arena);
	for (int i = 0; i < PQnparams(result); i++)
		query->param_oids[i] = PQparamtype(result, i);
	query->n_columns = (size_t)PQnfields(result);
	for (int i = 0; i < PQnfields(result); i++) {
		query->columns[i] = (struct query_column){
			.name = arena_strdup(names, PQfname(result, i)),
			.oid = PQftype(result, i),
		};
		if (query->columns[i].name == NULL)
			return unfit_query(query, "out of memory", arena);
	}
	return STATUS_OK;
}

static struct status describe_query(struct query *query, PGconn *conn, struct arena *names,
				    struct arena *arena)
{
	PGresult *result = PQprepare(conn, query->name, query->sql, (int)query->n_params, NULL);
	struct status st = STATUS_OK;
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		PQclear(result);
		result = PQdescribePrepared(conn, query->name);
	}
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		st = unfit_query(query, db_connect_error(conn), arena);
	else
		st = take_description(query, result, names, arena);
	PQclear(result);
	return st;
}

/* All faults are logged; the first is the answer. */
static struct status describe_all(struct query_set *queries, PGconn *conn, struct arena *arena)
{
	struct status first = STATUS_OK;
	for (size_t i = 0; i < query_count(queries); i++) {
		struct status st =
			describe_query(query_at(queries, i), conn, query_set_arena(queries), arena);
		if (status_ok(&first))
			first = st;
	}
	return first;
}

static struct status lint(struct query_set *queries, PGconn *conn, struct arena *arena)
{
	PGresult *result = PQexec(conn, "SELECT c.relname FROM pg_class c "
					"JOIN pg_attribute a ON a.attrelid = c.oid "
					"WHERE c.relnamespace = current_schema()::regnamespace "
					"AND c.relkind IN ('r', 'v', 'm', 'p') "
					"AND a.attname = 'org_id'");
	struct status st = STATUS_OK;
	int n = PQntuples(result);
	const char **tables = arena_array(arena, const char *, TABLES_MAX + 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		st = pgerr_status(result, arena);
	} else if (tables == NULL || n > TABLES_MAX) {
		st = unfit(arena, "the schema has too many tables");
	} else {
		for (int i = 0; i < n; i++)
			tables[i] = PQgetvalue(result, i, 0);
		st = query_set_lint(queries, tables, arena);
	}
	PQclear(result);
	return st;
}

struct status db_describe(struct query_set *queries, const char *conninfo, struct arena *arena)
{
	PGconn *conn;
	struct status st = db_connect_wait(&conn, conninfo, arena);
	if (!status_ok(&st))
		return st;
	st = db_check_server(conn, arena);
	if (status_ok(&st))
		st = describe_all(queries, conn, arena);
	if (status_ok(&st))
		st = lint(queries, conn, arena);
	if (status_ok(&st))
		st = pgerr_check(conn, arena);
	PQfinish(conn);
	return st;
}
