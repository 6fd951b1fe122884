/* Migrations. All of it happens under one advisory lock of the session, so that
 * starts at the same time stand in line. */
#include "server/db/migrate.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/embed.h"
#include "common/log.h"
#include "server/db/db_connect.h"
#include "server/db/pgerr.h"

enum { MIGRATIONS_MAX = 9999, SHA256_HEX = 65 };

static const char setup_sql[] = "CREATE SCHEMA IF NOT EXISTS " DB_SCHEMA ";"
				"CREATE TABLE IF NOT EXISTS " DB_SCHEMA ".schema_migration ("
				" version integer PRIMARY KEY CHECK (version > 0),"
				" name text NOT NULL,"
				" sha256 text NOT NULL,"
				" applied_at timestamptz NOT NULL DEFAULT now())";

static const char list_sql[] =
	"SELECT version, name, sha256 FROM " DB_SCHEMA ".schema_migration ORDER BY version";

/* Bytes of "isms" and a number, so that no other program has it by chance. */
static const char lock_sql[] = "SELECT pg_advisory_lock(1769172339, 1)";

static struct migrations embedded(void)
{
	return (struct migrations){
		.files = embedded_migrations,
		.n_files = embedded_migrations_count,
		.after = embedded_roles,
		.n_after = embedded_roles_count,
	};
}

static struct status refuse(const char *reason, const char *text)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, reason,
			   text == NULL ? "the schema does not fit" : text);
}

static bool digest(char out[SHA256_HEX], const struct embedded_file *file)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (EVP_Digest(file->data, (size_t)(file->end - file->data), sum, &len, EVP_sha256(),
		       NULL) != 1)
		return false;
	for (unsigned i = 0; i < len; i++)
		snprintf(out + (size_t)i * 2, 3, "%02x", sum[i]);
	return true;
}

static struct status check_names(const struct migrations *migrations, struct arena *arena)
{
	if (migrations->n_files > MIGRATIONS_MAX)
		return refuse("MIGRATION_NAME", "too many migrations");
	for (size_t i = 0; i < migrations->n_files; i++) {
		const char *name = migrations->files[i].name;
		char *end;
		unsigned long number = strtoul(name, &end, 10);
		if (number != i + 1 || end != name + 4 || *end != '_')
			return refuse(
				"MIGRATION_NAME",
				arena_printf(arena, "migration %s is not number %zu", name, i + 1));
	}
	return STATUS_OK;
}

/* --- what is there ----------------------------------------------------------- */

/* Compares what was applied with what we have, row by row. */
static struct status compare(const struct migrations *migrations, const PGresult *applied,
			     struct arena *arena)
{
	int n = PQntuples(applied);
	if ((size_t)n > migrations->n_files)
		return refuse("SCHEMA_VERSION",
			      arena_printf(arena,
					   "schema version %d is newer than %zu, the newest "
					   "that this program knows",
					   n, migrations->n_files));
	for (int i = 0; i < n; i++) {
		const struct embedded_file *file = &migrations->files[i];
		const char *version = PQgetvalue(applied, i, 0);
		char sum[SHA256_HEX] = "";
		if (strtol(version, NULL, 10) != i + 1)
			return refuse("SCHEMA_VERSION",
				      arena_printf(arena, "migration %d is missing in the database",
						   i + 1));
		if (!digest(sum, file) || strcmp(PQgetvalue(applied, i, 2), sum) != 0 ||
		    strcmp(PQgetvalue(applied, i, 1), file->name) != 0)
			return refuse("SCHEMA_VERSION",
				      arena_printf(arena,
						   "migration %s was applied with another text",
						   file->name));
	}
	return STATUS_OK;
}

struct status migrate_check_set(const struct migrations *migrations, PGconn *conn,
				struct arena *arena)
{
	PGresult *applied = PQexec(conn, list_sql);
	const char *state = PQresultErrorField(applied, PG_DIAG_SQLSTATE);
	struct status st;
	if (PQresultStatus(applied) == PGRES_TUPLES_OK) {
		int n = PQntuples(applied);
		st = compare(migrations, applied, arena);
		if (status_ok(&st) && (size_t)n < migrations->n_files)
			st = refuse("SCHEMA_VERSION",
				    arena_printf(arena,
						 "schema version %d is older than %zu: run "
						 "ismsd --migrate",
						 n, migrations->n_files));
	} else if (state != NULL && (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0)) {
		st = refuse("SCHEMA_VERSION", "the database has no schema: run ismsd --migrate");
	} else {
		st = pgerr_status(applied, arena);
	}
	PQclear(applied);
	return st;
}

struct status migrate_check(PGconn *conn, struct arena *arena)
{
	struct migrations migrations = embedded();
	return migrate_check_set(&migrations, conn, arena);
}

/* --- applying ---------------------------------------------------------------- */

static bool execute(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);
	PQclear(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* libpq's own text would quote a whole file. */
static struct status failed(PGconn *conn, const char *what, struct arena *arena)
{
	log_write(LOG_LEVEL_ERROR, "migration.failed", "what=%s why=%s", what,
		  db_connect_error(conn));
	return refuse(
		"MIGRATION_FAILED",
		arena_printf(arena, "%s failed: the log says why; it has changed nothing", what));
}

static bool remember(PGconn *conn, const struct embedded_file *file, size_t version)
{
	char number[24], sum[SHA256_HEX];
	snprintf(number, sizeof(number), "%zu", version);
	if (!digest(sum, file))
		return false;
	const char *values[] = { number, file->name, sum };
	PGresult *result =
		PQexecParams(conn,
			     "INSERT INTO " DB_SCHEMA ".schema_migration (version, name, sha256)"
			     " VALUES ($1, $2, $3)",
			     3, NULL, values, NULL, NULL, 0);
	bool stored = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return stored;
}

/* One file in one transaction, which it must not end itself. version 0: not
 * remembered. */
static struct status apply(PGconn *conn, const struct embedded_file *file, size_t version,
			   struct arena *arena)
{
	bool good = execute(conn, "BEGIN") && execute(conn, (const char *)file->data);
	if (good && PQtransactionStatus(conn) != PQTRANS_INTRANS)
		return refuse("MIGRATION_FAILED",
			      arena_printf(arena, "%s ends its transaction itself", file->name));
	if (good && version > 0)
		good = remember(conn, file, version);
	if (good && execute(conn, "COMMIT"))
		return STATUS_OK;
	struct status st = failed(conn, file->name, arena);
	(void)execute(conn, "ROLLBACK");
	return st;
}

static struct status apply_new(const struct migrations *migrations, PGconn *conn, size_t done,
			       struct arena *arena)
{
	for (size_t i = done; i < migrations->n_files; i++) {
		struct status st = apply(conn, &migrations->files[i], i + 1, arena);
		if (!status_ok(&st))
			return st;
		log_write(LOG_LEVEL_INFO, "migration.applied", "version=%zu name=%s", i + 1,
			  migrations->files[i].name);
	}
	for (size_t i = 0; i < migrations->n_after; i++) {
		struct status st = apply(conn, &migrations->after[i], 0, arena);
		if (!status_ok(&st))
			return st;
	}
	log_write(LOG_LEVEL_INFO, "schema.ready", "version=%zu applied=%zu", migrations->n_files,
		  migrations->n_files - done);
	return STATUS_OK;
}

static struct status run(const struct migrations *migrations, PGconn *conn, struct arena *arena)
{
	if (!execute(conn, "SET lock_timeout = 0") || !execute(conn, lock_sql))
		return failed(conn, "taking the lock of migrations", arena);
	/* not to stand before everybody else's locks for long */
	if (!execute(conn, "SET lock_timeout = '30s'") ||
	    !execute(conn, "SET client_min_messages = warning") || !execute(conn, setup_sql))
		return failed(conn, "making the schema", arena);
	PGresult *applied = PQexec(conn, list_sql);
	struct status st = PQresultStatus(applied) == PGRES_TUPLES_OK
				   ? compare(migrations, applied, arena)
				   : failed(conn, "reading the schema version", arena);
	size_t done = (size_t)PQntuples(applied);
	PQclear(applied);
	if (!status_ok(&st))
		return st;
	return apply_new(migrations, conn, done, arena);
}

struct status migrate_run_set(const struct migrations *migrations, const char *conninfo,
			      struct arena *arena)
{
	struct status st = check_names(migrations, arena);
	if (!status_ok(&st))
		return st;
	PGconn *conn;
	st = db_connect_wait(&conn, conninfo, arena);
	if (!status_ok(&st))
		return st;
	st = run(migrations, conn, arena);
	/* ends the session and with it the lock */
	PQfinish(conn);
	return st;
}

struct status migrate_run(const char *conninfo, struct arena *arena)
{
	struct migrations migrations = embedded();
	return migrate_run_set(&migrations, conninfo, arena);
}
