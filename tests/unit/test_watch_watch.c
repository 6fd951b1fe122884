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
#include "server/watch/viewer.h"
#include "server/watch/watch.h"
#include "tests/unit/tap.h"

#define ORG     "11111111-1111-7111-8111-111111111111"
#define USER    "22222222-2222-7222-8222-222222222222"
#define SESSION "33333333-3333-7333-8333-333333333333"
#define OLD     "w100000000000000010000000000000000"

enum { HORIZON = 100000, MISSED_TX = 7 };

struct ask {
	const char *name; /* NULL: answered */
	ask_fn fn;
	void *arg;
};

static struct {
	int64_t now_us;
	engine_reply_fn started;
	void *starting;
	struct ask asks[64];
	size_t n_asks;
	size_t n_sent;
	bool finished;
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
	struct ask *ask = &world.asks[world.n_asks++];
	if (world.n_asks > sizeof(world.asks) / sizeof(world.asks[0]))
		abort();
	*ask = (struct ask){ .name = (const void *)statement->query, .fn = fn, .arg = arg };
	return ask;
}

void ask_forget(struct ask *ask)
{
	ask->name = NULL;
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
	(void)st;
	world.finished = true;
}

/* --- a stream ------------------------------------------------------------- */

static bool is_waiting(const char *name)
{
	for (size_t i = 0; i < world.n_asks; i++)
		if (world.asks[i].name != NULL && strcmp(world.asks[i].name, name) == 0)
			return true;
	return false;
}

/* Answers the read of that name, if there is one. */
static void answer(const char *name, ProtobufCMessage *row)
{
	struct status st = { 0 };
	for (size_t i = 0; i < world.n_asks; i++) {
		struct ask ask = world.asks[i];
		if (ask.name == NULL || strcmp(ask.name, name) != 0)
			continue;
		world.asks[i].name = NULL;
		ask.fn(ask.arg, &st, &row, 1);
		return;
	}
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

static void begin(struct call *call)
{
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	Isms__Store__V1__WatchStart start = ISMS__STORE__V1__WATCH_START__INIT;
	struct status st = { 0 };
	uint8_t bytes[256];
	request.cursor = (char *)OLD;
	call->route->message(call, bytes, isms__v1__watch_request__pack(&request, bytes));
	start.org_id = (char *)ORG;
	start.user_id = (char *)USER;
	start.session_id = (char *)SESSION;
	start.horizon = start.ahead = HORIZON;
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

TEST(what_was_missed_arrives_also_from_a_slow_database)
{
	struct event_base *base = event_base_new();
	struct watch *watch = watch_new(base, NULL, NULL, NULL);
	struct conn conn = { 0 };
	struct call call = { .conn = &conn, .route = watch_route(watch) };
	call.arena = arena_new(1 << 20);
	world.now_us = 1000000;
	begin(&call);
	answer_sessions();
	for (int i = 0; i < 3 && world.n_sent == 0; i++) {
		CHECK(is_waiting("watch_missed"));
		pass(base, 2 * VIEWER_FRESH_US);
		answer_missed();
		answer_sessions();
	}
	CHECK_INT((int)world.n_sent, 1);
	CHECK(!world.finished);
	call.route->cancel(&call);
	watch_free(watch);
	arena_free(call.arena);
	event_base_free(base);
}

TAP_MAIN
