/* Streams against a database that takes its time. Stands in for the calls, the engine
 * and ask.c: reads are answered when a test says so, and its clock is the test's. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/mono.h"
#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/engine/engine.h"
#include "server/net/call.h"
#include "server/net/conn.h"
#include "server/watch/ask.h"
#include "server/watch/cursor.h"
#include "server/watch/viewer.h"
#include "server/watch/watch.h"
#include "tests/unit/tap.h"

#define ORG     "11111111-1111-7111-8111-111111111111"
#define USER    "22222222-2222-7222-8222-222222222222"
#define SESSION "33333333-3333-7333-8333-333333333333"
#define OLD     "w100000000000000010000000000000000"

enum { HORIZON = 100000, LAST_TX = 90000, MISSED_TX = 7 };

struct ask {
	const char *name; /* NULL: answered */
	ask_fn fn;        /* NULL: forgotten */
	void (*gone)(void *arg);
	void *arg;
};

static struct {
	int64_t now_us;
	engine_reply_fn started;
	void *starting;
	struct ask asks[64];
	size_t n_asks;
	size_t n_sent, n_caught_up;
	char cursor[64]; /* of the latest message */
	bool finished;
	const char *reason;
} world;

/* --- what it stands in for ------------------------------------------------ */

bool statement_init(struct statement *out, struct query_set *queries, const char *name,
		    const ProtobufCMessageDescriptor *params, const ProtobufCMessageDescriptor *row)
{
	(void)queries;
	(void)params;
	(void)row;
	*out = (struct statement){ .query = (const void *)name };
	return true;
}

void statement_done(struct statement *statement)
{
	(void)statement;
}

void asks_init(struct asks *asks, struct db *db)
{
	asks->db = db;
}

void asks_done(struct asks *asks)
{
	(void)asks;
}

struct ask *ask_start(struct asks *asks, const struct statement *statement,
		      const ProtobufCMessage *message, const struct query_args *args, ask_fn fn,
		      void *arg)
{
	(void)asks;
	(void)message;
	(void)args;
	size_t at = 0;
	while (at < world.n_asks && world.asks[at].name != NULL)
		at++;
	if (at >= sizeof(world.asks) / sizeof(world.asks[0]))
		abort();
	if (at == world.n_asks)
		world.n_asks++;
	struct ask *ask = &world.asks[at];
	*ask = (struct ask){ .name = (const void *)statement->query, .fn = fn, .arg = arg };
	return ask;
}

void ask_forget(struct ask *ask, void (*gone)(void *arg), void *arg)
{
	ask->fn = NULL;
	ask->gone = gone;
	ask->arg = arg;
}

int64_t ask_sent_us(const struct ask *ask)
{
	(void)ask;
	return world.now_us;
}

int64_t mono_us(void)
{
	return world.now_us;
}

struct engine_call *engine_call_start(struct engine *engine, const struct engine_request *request,
				      engine_reply_fn reply, void *arg)
{
	(void)engine;
	(void)request;
	world.started = reply;
	world.starting = arg;
	return (struct engine_call *)(void *)&world;
}

void engine_call_cancel(struct engine_call *call)
{
	(void)call;
}

bool call_send(struct call *call, const uint8_t *message, size_t len)
{
	(void)call;
	Isms__V1__WatchResponse *response = isms__v1__watch_response__unpack(NULL, len, message);
	if (response == NULL)
		abort();
	world.n_sent += response->event != NULL;
	world.n_caught_up += response->caught_up != 0;
	snprintf(world.cursor, sizeof(world.cursor), "%s", response->cursor);
	isms__v1__watch_response__free_unpacked(response, NULL);
	return true;
}

size_t call_queued(const struct call *call)
{
	(void)call;
	return 0;
}

void call_want_room(struct call *call)
{
	(void)call;
}

void call_finish(struct call *call, const struct status *st)
{
	(void)call;
	world.finished = true;
	world.reason = st->reason;
}

/* --- a stream ------------------------------------------------------------- */

static size_t waiting(const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < world.n_asks; i++)
		n += world.asks[i].name != NULL && strcmp(world.asks[i].name, name) == 0;
	return n;
}

/* Answers the read of that name, if there is one; row NULL: with a failure. */
static void answer(const char *name, ProtobufCMessage *row)
{
	struct status st = { 0 };
	if (row == NULL)
		st = status_make(STATUS_CODE_DEADLINE_EXCEEDED, "STATEMENT_TIMEOUT", "too slow");
	for (size_t i = 0; i < world.n_asks; i++) {
		struct ask ask = world.asks[i];
		if (ask.name == NULL || strcmp(ask.name, name) != 0)
			continue;
		world.asks[i].name = NULL;
		if (ask.fn != NULL)
			ask.fn(ask.arg, &st, &row, row != NULL);
		else if (ask.gone != NULL)
			ask.gone(ask.arg);
		return;
	}
}

static void answer_follow(int64_t horizon)
{
	Isms__Store__V1__WatchRow row = ISMS__STORE__V1__WATCH_ROW__INIT;
	row.horizon = row.ahead = horizon;
	answer("watch_follow", &row.base);
}

static void answer_sessions(void)
{
	Isms__Store__V1__WatchGrant grant = ISMS__STORE__V1__WATCH_GRANT__INIT;
	char *permissions[] = { (char *)"risk.read" };
	grant.session_id = (char *)SESSION;
	grant.scope_id = (char *)ORG;
	grant.permissions = permissions;
	grant.n_permissions = 1;
	answer("watch_sessions", &grant.base);
}

static void answer_missed(void)
{
	Isms__Store__V1__WatchRow row = ISMS__STORE__V1__WATCH_ROW__INIT;
	char *scopes[] = { (char *)ORG };
	row.horizon = HORIZON;
	row.tx = MISSED_TX;
	row.seq = 1;
	row.org_id = (char *)ORG;
	row.topic = (char *)"RiskService/UpdateRisk";
	row.entity_kind = (char *)"risk";
	row.scope_id = (char *)ORG;
	row.scope_ids = scopes;
	row.n_scope_ids = 1;
	answer("watch_missed", &row.base);
}

static void begin(struct call *call, const char *cursor)
{
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	Isms__Store__V1__WatchStart start = ISMS__STORE__V1__WATCH_START__INIT;
	struct status st = { 0 };
	uint8_t bytes[256];
	request.cursor = (char *)cursor;
	call->route->message(call, bytes, isms__v1__watch_request__pack(&request, bytes));
	start.org_id = (char *)ORG;
	start.user_id = (char *)USER;
	start.session_id = (char *)SESSION;
	start.horizon = start.ahead = HORIZON;
	start.last_tx = LAST_TX;
	start.last_seq = 2;
	world.started(world.starting, &st, bytes,
		      isms__store__v1__watch_start__pack(&start, bytes));
}

/* Lets a time go by in which only the rights are told at once. */
static void pass(struct event_base *base, int64_t us)
{
	for (int64_t end = world.now_us + us; world.now_us < end;) {
		world.now_us += 250 * 1000;
		event_base_loop(base, EVLOOP_ONCE);
		answer_sessions();
	}
}

struct bench {
	struct event_base *base;
	struct watch *watch;
	struct conn conn;
	struct call calls[8];
	size_t n;
};

static struct call *bench_begin(struct bench *bench, const char *cursor)
{
	struct call *call = &bench->calls[bench->n++];
	*call = (struct call){ .conn = &bench->conn,
			       .route = watch_route(bench->watch),
			       .arena = arena_new(1 << 20) };
	begin(call, cursor);
	answer_sessions();
	return call;
}

static void bench_init(struct bench *bench)
{
	memset(&world, 0, sizeof(world));
	world.now_us = 1000000;
	*bench = (struct bench){ .base = event_base_new() };
	bench->watch = watch_new(bench->base, NULL, NULL, NULL);
}

static void bench_done(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++)
		bench->calls[i].route->cancel(&bench->calls[i]);
	watch_free(bench->watch);
	for (size_t i = 0; i < bench->n; i++)
		arena_free(bench->calls[i].arena);
	event_base_free(bench->base);
}

TEST(what_was_missed_arrives_also_from_a_slow_database)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, OLD);
	for (int i = 0; i < 3 && world.n_sent == 0; i++) {
		CHECK(waiting("watch_missed") == 1);
		pass(bench.base, 2 * VIEWER_FRESH_US);
		answer_missed();
		answer_sessions();
	}
	CHECK_INT((int)world.n_sent, 1);
	CHECK(!world.finished);
	bench_done(&bench);
}

TEST(a_read_of_a_stream_that_has_gone_still_takes_its_place)
{
	struct bench bench;
	bench_init(&bench);
	for (int i = 0; i < WATCH_MISSED_READS_MAX; i++)
		bench_begin(&bench, OLD);
	CHECK_INT((int)waiting("watch_missed"), WATCH_MISSED_READS_MAX);
	for (size_t i = 0; i < WATCH_MISSED_READS_MAX; i++)
		bench.calls[i].route->cancel(&bench.calls[i]);
	bench_begin(&bench, OLD);
	CHECK_INT((int)waiting("watch_missed"), WATCH_MISSED_READS_MAX);
	answer_missed(); /* one comes back */
	CHECK_INT((int)waiting("watch_missed"), WATCH_MISSED_READS_MAX);
	CHECK_INT((int)world.n_sent, 0);
	bench_done(&bench);
}

TEST(a_stream_is_caught_up_when_all_from_before_it_is_told)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, OLD);
	answer_follow(HORIZON + 5);
	pass(bench.base, 2 * WATCH_PROGRESS_US); /* signs of life */
	CHECK(waiting("watch_missed") == 1);
	CHECK_INT((int)world.n_caught_up, 0);
	answer_missed();
	answer_follow(HORIZON + 6);
	CHECK_INT((int)world.n_caught_up, 1);
	CHECK_INT((int)world.n_sent, 1);
	bench_done(&bench);
}

TEST(a_read_from_before_the_stream_does_not_count_as_caught_up)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, "");
	answer_follow(HORIZON - 1);
	CHECK_INT((int)world.n_caught_up, 0);
	pass(bench.base, 500 * 1000);
	answer_follow(HORIZON);
	CHECK_INT((int)world.n_caught_up, 1);
	bench_done(&bench);
}

TEST(only_rows_are_given_out_as_cursors)
{
	struct bench bench;
	char text[CURSOR_TEXT];
	bench_init(&bench);
	bench_begin(&bench, "");
	cursor_format(text, (struct cursor){ LAST_TX, 2 });
	CHECK_STR(world.cursor, text);
	answer_follow(HORIZON + 50); /* of which nothing may be left after a crash */
	pass(bench.base, 2 * WATCH_PROGRESS_US);
	CHECK_STR(world.cursor, text);
	bench_done(&bench);
}

TEST(streams_end_when_the_database_was_set_back)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, "");
	answer_follow(HORIZON + 50);
	pass(bench.base, 500 * 1000);
	CHECK(!world.finished);
	answer_follow(HORIZON + 10);
	CHECK(world.finished);
	CHECK_STR(world.reason, "DATABASE_SET_BACK");
	bench_done(&bench);
}

/* A second for the room, less for whoever waits. */
static void pass_a_second(struct event_base *base)
{
	world.now_us += 700 * 1000;
	pass(base, 300 * 1000);
}

TEST(streams_end_when_only_the_log_cannot_be_read)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, "");
	answer_follow(HORIZON);
	for (int i = 0; i < 31 && !world.finished; i++) {
		pass_a_second(bench.base);
		answer("watch_follow", NULL);
	}
	CHECK(world.finished);
	CHECK_STR(world.reason, "DATABASE_UNAVAILABLE");
	bench_done(&bench);
}

TEST(streams_end_when_only_what_was_missed_cannot_be_read)
{
	struct bench bench;
	bench_init(&bench);
	bench_begin(&bench, OLD);
	for (int i = 0; i < 33 && !world.finished; i++) {
		answer("watch_missed", NULL);
		answer_follow(HORIZON + i);
		pass_a_second(bench.base);
	}
	CHECK(world.finished);
	CHECK_STR(world.reason, "DATABASE_UNAVAILABLE");
	bench_done(&bench);
}

TAP_MAIN
