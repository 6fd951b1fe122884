/* Migrations over small sets of their own, and over those of the product. */
#include <pthread.h>

#include "common/arena.h"
#include "common/embed.h"
#include "pg.h"
#include "server/db/db.h"
#include "server/db/db_check.h"
#include "server/db/db_connect.h"
#include "server/db/migrate.h"
#include "server/db/pgerr.h"
#include "tap.h"

enum { FILES_MAX = 4, BYTES = 1000000 };

static struct embedded_file files[FILES_MAX];
static struct arena *arena;

static struct embedded_file file(const char *name, const char *text)
{
	return (struct embedded_file){ name, (const uint8_t *)text,
				       (const uint8_t *)text + strlen(text) };
}

static const struct embedded_file *after(void)
{
	static struct embedded_file roles;
	roles = file("roles.sql", "CREATE TABLE IF NOT EXISTS isms.runs (n int);"
				  "INSERT INTO isms.runs VALUES (1);");
	return &roles;
}

static struct migrations set_of(size_t n)
{
	return (struct migrations){ files, n, after(), 1 };
}

/* A new database for each test. */
static const char *begin(void)
{
	static unsigned number;
	static char name[16];
	char sql[64];
	pg_start();
	arena = arena_new(BYTES);
	snprintf(name, sizeof(name), "m%u", ++number);
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
	pg_sql("postgres", sql);
	files[0] = file("0001_one.sql", "CREATE TABLE isms.a (x int); SELECT pg_sleep(0.3);");
	files[1] = file("0002_two.sql", "INSERT INTO isms.a VALUES (1); INSERT INTO a VALUES (2)");
	files[2] = file("0003_bad.sql", "INSERT INTO a VALUES (3); SELECT 1 / 0;");
	return name;
}

static void end(void)
{
	arena_free(arena);
}

static struct status migrate(const char *database, size_t n)
{
	struct migrations migrations = set_of(n);
	return migrate_run_set(&migrations, pg_conninfo(database), arena);
}

static struct status check(const char *database, size_t n)
{
	struct migrations migrations = set_of(n);
	PGconn *conn = PQconnectdb(pg_conninfo(database));
	struct status st = migrate_check_set(&migrations, conn, arena);
	PQfinish(conn);
	return st;
}

TEST(migrations_run_once_and_roles_every_time)
{
	const char *database = begin();
	struct status st = check(database, 1);
	CHECK_STR(st.message, "the database has no schema: run ismsd --migrate");
	st = migrate(database, 1);
	CHECK(status_ok(&st));
	st = check(database, 1);
	CHECK(status_ok(&st));
	st = check(database, 2);
	CHECK_STR(st.reason, "SCHEMA_VERSION");
	CHECK_STR(st.message, "schema version 1 is older than 2: run ismsd --migrate");
	st = migrate(database, 2);
	CHECK(status_ok(&st));
	st = migrate(database, 2);
	CHECK(status_ok(&st));
	CHECK_STR(pg_sql(database, "SELECT string_agg(x::text, ',' ORDER BY x) FROM isms.a"),
		  "1,2");
	CHECK_STR(pg_sql(database, "SELECT count(*) FROM isms.runs"), "3");
	CHECK_STR(pg_sql(database, "SELECT string_agg(version || ' ' || name || ' ' || "
				   "length(sha256), ',') FROM isms.schema_migration"),
		  "1 0001_one.sql 64,2 0002_two.sql 64");
	st = check(database, 1);
	CHECK_INT(st.code, STATUS_CODE_FAILED_PRECONDITION);
	CHECK_STR(st.message,
		  "schema version 2 is newer than 1, the newest that this program knows");
	st = migrate(database, 1);
	CHECK_STR(st.reason, "SCHEMA_VERSION");
	end();
}

TEST(a_changed_text_is_refused)
{
	const char *database = begin();
	struct status st = migrate(database, 1);
	CHECK(status_ok(&st));
	files[0] = file("0001_one.sql", "CREATE TABLE isms.b (x int);");
	st = migrate(database, 2);
	CHECK_STR(st.message, "migration 0001_one.sql was applied with another text");
	st = check(database, 1);
	CHECK_STR(st.reason, "SCHEMA_VERSION");
	end();
}

TEST(a_failed_migration_leaves_nothing)
{
	const char *database = begin();
	struct status st = migrate(database, 3);
	CHECK_STR(st.reason, "MIGRATION_FAILED");
	CHECK_STR(st.message, "0003_bad.sql failed: the log says why; it has changed nothing");
	CHECK_STR(pg_sql(database, "SELECT max(x) FROM isms.a"), "2");
	CHECK_STR(pg_sql(database, "SELECT max(version) FROM isms.schema_migration"), "2");
	files[2] = file("0003_bad.sql", "INSERT INTO a VALUES (3);");
	st = migrate(database, 3);
	CHECK(status_ok(&st));
	files[3] = file("0004_ends.sql", "COMMIT; INSERT INTO a VALUES (4);");
	st = migrate(database, 4);
	CHECK_STR(st.message, "0004_ends.sql ends its transaction itself");
	files[3] = file("0005_gap.sql", "SELECT 1");
	st = migrate(database, 4);
	CHECK_STR(st.message, "migration 0005_gap.sql is not number 4");
	end();
}

struct runner {
	char conninfo[256];
	struct status st;
};

static void *run_thread(void *arg)
{
	struct runner *runner = arg;
	struct arena *own = arena_new(BYTES);
	struct migrations migrations = set_of(2);
	runner->st = migrate_run_set(&migrations, runner->conninfo, own);
	arena_free(own);
	return NULL;
}

TEST(two_at_once_take_turns)
{
	const char *database = begin();
	struct runner runners[4];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		snprintf(runners[i].conninfo, sizeof(runners[i].conninfo), "%s",
			 pg_conninfo(database));
		pthread_create(&threads[i], NULL, run_thread, &runners[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		CHECK(status_ok(&runners[i].st));
	}
	CHECK_STR(pg_sql(database, "SELECT count(*) FROM isms.a"), "2");
	CHECK_STR(pg_sql(database, "SELECT count(*) FROM isms.runs"), "4");
	end();
}

TEST(a_weakened_server_is_refused)
{
	const char *database = begin();
	struct status st = migrate_run(pg_conninfo(database), arena);
	if (!CHECK(status_ok(&st)))
		printf("# %s\n", st.message);
	static const char *const weak[] = { "fsync", "full_page_writes", "synchronous_commit" };
	PGconn *conn;
	for (size_t i = 0; i < 3; i++) {
		char sql[64], message[128];
		snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = off", weak[i]);
		pg_sql("postgres", sql);
		pg_sql("postgres", "SELECT pg_reload_conf()");
		usleep(200000);
		st = db_connect_wait(&conn, pg_conninfo(database), arena);
		CHECK(status_ok(&st));
		st = db_check_server(conn, arena);
		PQfinish(conn);
		snprintf(message, sizeof(message),
			 "setting %s of the database is off: what is acknowledged could be lost",
			 weak[i]);
		CHECK_INT(st.code, STATUS_CODE_FAILED_PRECONDITION);
		CHECK_STR(st.message, message);
		pg_sql("postgres", "ALTER SYSTEM RESET ALL");
		pg_sql("postgres", "SELECT pg_reload_conf()");
		usleep(200000);
	}
	st = db_connect_wait(&conn, pg_conninfo(database), arena);
	CHECK(status_ok(&st));
	st = db_check_server(conn, arena);
	CHECK(status_ok(&st));
	PQfinish(conn);
	end();
}

/* The product's own schema: constraints both ways, as at start-up. */
TEST(constraints_and_their_table_agree)
{
	const char *database = begin();
	struct status st = migrate_run(pg_conninfo(database), arena);
	CHECK(status_ok(&st));
	PGconn *conn;
	st = db_connect_wait(&conn, pg_conninfo(database), arena);
	CHECK(status_ok(&st));
	st = pgerr_check(conn, arena);
	if (!CHECK(status_ok(&st)))
		printf("# %s\n", st.message);
	pg_sql(database, "CREATE UNIQUE INDEX surprise_key ON isms.risk (org_id, title)");
	st = pgerr_check(conn, arena);
	CHECK_STR(st.message, "constraint surprise_key has no row in the table of errors");
	pg_sql(database, "DROP INDEX isms.surprise_key;"
			 "ALTER TABLE isms.app_user RENAME CONSTRAINT app_user_email_key TO "
			 "app_user_email_ref_key");
	st = pgerr_check(conn, arena);
	CHECK_STR(st.message, "constraint app_user_email_key is in the table of errors only");
	PQfinish(conn);
	end();
}

static struct status describe(struct query_set **out, const char *database, const char *text)
{
	const char *why = NULL;
	struct embedded_file source = file("probe.sql", text);
	*out = query_set_new_from(&source, 1, NULL, &why);
	if (*out == NULL)
		pg_die(why);
	return db_describe(*out, pg_conninfo(database), arena);
}

#define PROBE(params, sql) "-- name: probe\n-- class: point\n-- params: " params "\n" sql ";\n"

TEST(statements_are_described_and_linted)
{
	const char *database = begin();
	struct query_set *set;
	struct status st = migrate_run(pg_conninfo(database), arena);
	CHECK(status_ok(&st));
	st = describe(&set, database,
		      PROBE("$org id", "SELECT id, version FROM scope WHERE org_id = $1 "
				       "AND id = $2"));
	if (CHECK(status_ok(&st))) {
		const struct query *query = query_find(set, "probe");
		CHECK_INT(query->n_columns, 2);
		CHECK_STR(query->columns[1].name, "version");
		CHECK_INT(query->columns[0].oid, 2950);
		CHECK_INT(query->columns[1].oid, 20);
		CHECK_INT(query->param_oids[1], 2950);
	}
	query_set_free(set);
	st = describe(&set, database,
		      PROBE("$org", "SELECT id FROM scope WHERE org_id = $1 "
				    "AND id = $2"));
	CHECK_STR(st.reason, "QUERY_UNFIT");
	query_set_free(set);
	st = describe(&set, database, PROBE("$org", "SELECT nothing FROM scope WHERE org_id = $1"));
	CHECK_STR(st.message, "statement probe cannot be used with this database");
	query_set_free(set);
	st = describe(&set, database, PROBE("id", "SELECT id FROM scope WHERE id = $1"));
	CHECK_STR(st.reason, "QUERY_NOT_TENANT_BOUND");
	query_set_free(set);
	st = describe(&set, "postgres", PROBE("$org", "SELECT id FROM scope WHERE org_id = $1"));
	CHECK_STR(st.reason, "SCHEMA_VERSION");
	query_set_free(set);
	end();
}

static struct status error_of(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	struct status st = pgerr_status(result, arena);
	PQclear(result);
	return st;
}

TEST(errors_of_postgresql_have_their_codes)
{
	const char *database = begin();
	PGconn *conn = PQconnectdb(pg_conninfo(database));
	struct status st = error_of(conn, "SELECT 1 / 0");
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	st = error_of(conn, "SELECT * FROM nowhere");
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	st = error_of(conn, "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '40P01'; END $$");
	CHECK_INT(st.code, STATUS_CODE_ABORTED);
	CHECK_STR(st.reason, "DEADLOCK");
	st = error_of(conn, "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '23505', "
			    "CONSTRAINT = 'app_user_email_key'; END $$");
	CHECK_INT(st.code, STATUS_CODE_ALREADY_EXISTS);
	CHECK_STR(st.reason, "EMAIL_TAKEN");
	CHECK_STR(st.details->violations[0].field, "email");
	st = error_of(conn, "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '23505', "
			    "CONSTRAINT = 'idempotency_pkey'; END $$");
	CHECK_INT(st.code, STATUS_CODE_ABORTED);
	CHECK_STR(st.reason, "IDEMPOTENCY_RACE");
	st = error_of(conn, "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '53999'; END $$");
	CHECK_INT(st.code, STATUS_CODE_RESOURCE_EXHAUSTED);
	st = error_of(conn, "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '42501'; END $$");
	CHECK_INT(st.code, STATUS_CODE_PERMISSION_DENIED);
	CHECK(strstr(st.message, "secret") == NULL);
	PQfinish(conn);
	end();
}

TAP_MAIN
