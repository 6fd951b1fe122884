/* A db over a private cluster with a few tables and statements, and calls that
 * wait for their batch. Statements take their parameters as text. */
#ifndef ISMS_TESTS_DB_FIXTURE_H
#define ISMS_TESTS_DB_FIXTURE_H

#include <event2/event.h>

#include "common/arena.h"
#include "common/embed.h"
#include "common/mono.h"
#include "pg.h"
#include "server/db/db.h"
#include "tap.h"

enum { CALL_ITEMS = 4, CALL_BYTES = 100000 };

struct call {
	struct db_batch batch;
	struct db_item items[CALL_ITEMS];
	struct arena *arena;
	struct status st; /* details are gone with the arena */
	bool done;
	unsigned times; /* how often done ran */
	char value[64]; /* of the first item */
};

static struct event_base *base;
static struct query_set *queries;
static struct db *db;
static bool submitting;

static const char schema_sql[] =
	"DROP SCHEMA IF EXISTS isms CASCADE; CREATE SCHEMA isms; SET search_path TO isms;"
	"CREATE TABLE item (body text CONSTRAINT item_pkey PRIMARY KEY);"
	"CREATE TABLE child (body text REFERENCES item DEFERRABLE INITIALLY DEFERRED);"
	"CREATE TABLE shape (a int); INSERT INTO shape VALUES (1);"
	"CREATE FUNCTION must_one(n bigint) RETURNS bigint LANGUAGE plpgsql AS $$"
	" BEGIN IF n <> 1 THEN RAISE EXCEPTION 'moved' USING ERRCODE = '40001'; END IF;"
	" RETURN n; END $$;";

#define POINT(name, params, sql)                                                                   \
	"-- name: " name "\n-- class: point\n-- params: " params "\n" sql ";\n"

static const char queries_sql[] = POINT("echo", "a", "SELECT $1::text")
	POINT("divide", "a", "SELECT (6 / $1::text::int)::text")
		POINT("nap", "a", "SELECT 'x'::text FROM pg_sleep($1::text::float8)") POINT(
			"die", "", "SELECT pg_terminate_backend(pg_backend_pid())::text")
			POINT("put", "a", "INSERT INTO item VALUES ($1::text)") POINT(
				"put_child", "a", "INSERT INTO child VALUES ($1::text)")
				POINT("must", "a", "SELECT must_one($1::text::bigint)::text")
					POINT("shape", "", "SELECT * FROM shape")
						POINT("work_mem", "",
						      "SELECT current_setting('search_path')");

static inline void call_done(struct db_batch *batch, const struct status *st)
{
	struct call *call = batch->arg;
	CHECK(!submitting);
	call->times++;
	call->done = true;
	call->st = *st;
	for (size_t i = 0; i < batch->n; i++)
		if ((batch->items[i].result != NULL) != status_ok(st))
			tap_check(false, __FILE__, __LINE__, "results come with OK only");
	const PGresult *result = batch->items[0].result;
	if (result != NULL && PQntuples(result) > 0 && PQgetlength(result, 0, 0) < 64)
		memcpy(call->value, PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0));
}

static inline void call_add(struct call *call, const char *query, const char *value)
{
	struct db_item *item = &call->items[call->batch.n++];
	item->query = query_find(queries, query);
	if (item->query == NULL)
		pg_die(query);
	item->values[0] = value;
	item->lengths[0] = value == NULL ? 0 : (int)strlen(value);
}

static inline void call_submit(struct call *call, enum query_class class)
{
	call->arena = arena_new(CALL_BYTES);
	call->batch.items = call->items;
	call->batch.class = class;
	call->batch.arena = call->arena;
	call->batch.done = call_done;
	call->batch.arg = call;
	submitting = true;
	db_submit(db, &call->batch);
	submitting = false;
}

static inline void call_free(struct call *call)
{
	arena_free(call->arena);
	*call = (struct call){ 0 };
}

static inline void turn(void)
{
	struct timeval tick = { 0, 20000 };
	event_base_loopexit(base, &tick);
	event_base_loop(base, EVLOOP_ONCE);
	db_flush(db);
}

static inline bool turn_until(const bool *flag, int64_t timeout_us)
{
	int64_t until = mono_us() + timeout_us;
	while (!*flag && mono_us() < until)
		turn();
	return *flag;
}

static inline bool call_wait(struct call *call)
{
	return CHECK(turn_until(&call->done, 15000000));
}

/* One statement from start to end; the status in call->st. */
static inline void call_one(struct call *call, enum query_class class, const char *query,
			    const char *value)
{
	*call = (struct call){ 0 };
	call_add(call, query, value);
	call_submit(call, class);
	call_wait(call);
}

static inline bool wait_ready(bool wanted)
{
	int64_t until = mono_us() + 20000000;
	while (db_ready(db) != wanted && mono_us() < until)
		turn();
	return CHECK(db_ready(db) == wanted);
}

static inline struct db_settings fixture_settings(void)
{
	return (struct db_settings){
		.conninfo = pg_conninfo("postgres"),
		.connections = { 2, 1, 3 },
		.statement_timeout_us = { 2000000, 2000000, 3000000 },
		.queue_max = 5000,
	};
}

static inline void fixture_begin(void)
{
	const char *why = NULL;
	struct embedded_file file = { "test.sql", (const uint8_t *)queries_sql,
				      (const uint8_t *)queries_sql + strlen(queries_sql) };
	pg_start();
	pg_sql("postgres", schema_sql);
	base = event_base_new();
	queries = query_set_new_from(&file, 1, NULL, &why);
	if (queries == NULL)
		pg_die(why);
	struct db_settings settings = fixture_settings();
	db = db_new(base, queries, &settings);
	wait_ready(true);
}

static inline void fixture_end(void)
{
	db_free(db);
	query_set_free(queries);
	event_base_free(base);
	db = NULL;
}

#endif
