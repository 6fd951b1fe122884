/* The rounds of the server's clock. Stands in for the engine: what is due is what a test
 * says, and calls are answered from within. */
#include <stdio.h>
#include <unistd.h>

#include "server/clock.c"
#include "tests/unit/tap.h"

enum { DUE_MAX = 512 };

static struct {
	size_t n_due; /* with ids from 0 on, of which those below stuck cannot be done */
	size_t stuck;
	struct status failure;
	bool done[DUE_MAX];
	size_t n_asked, n_calls;
	engine_due_fn fn;
	void *arg;
	size_t n_rows;
	Isms__Store__V1__ClockDue rows[ROUND_FULL];
	char ids[ROUND_FULL][UUID_TEXT];
} world;

static void id_of(char out[UUID_TEXT], size_t i)
{
	snprintf(out, UUID_TEXT, "22222222-2222-7222-8222-%012u", (unsigned)(i % DUE_MAX));
}

void engine_due(struct engine *engine, char *const *skip_ids, size_t n_skip_ids, engine_due_fn fn,
		void *arg)
{
	(void)engine;
	world.n_asked++;
	world.fn = fn;
	world.arg = arg;
	world.n_rows = 0;
	for (size_t i = 0; i < world.n_due && world.n_rows < ROUND_FULL; i++) {
		char *id = world.ids[world.n_rows];
		bool skipped = world.done[i];
		id_of(id, i);
		for (size_t j = 0; j < n_skip_ids; j++)
			skipped = skipped || strcmp(skip_ids[j], id) == 0;
		if (skipped)
			continue;
		Isms__Store__V1__ClockDue *row = &world.rows[world.n_rows++];
		isms__store__v1__clock_due__init(row);
		row->org_id = (char *)"11111111-1111-7111-8111-111111111111";
		row->work = (char *)"ExpireAcceptance";
		row->id = id;
	}
}

void engine_system_start(struct engine *engine, const char *path, const char *org_id,
			 const ProtobufCMessage *request, engine_reply_fn reply, void *arg)
{
	const Isms__Store__V1__ClockTick *tick = (const void *)request;
	size_t i = strtoul(tick->id + 24, NULL, 10);
	struct status ok = { 0 };
	(void)engine;
	(void)path;
	(void)org_id;
	world.n_calls++;
	world.done[i] = i >= world.stuck;
	reply(arg, world.done[i] ? &ok : &world.failure, NULL, 0);
}

/* What the database answers, and the turns in which it is done, for so long. */
static void run(struct event_base *base, int64_t us)
{
	struct timeval limit = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
	struct timeval now, end;
	event_base_gettimeofday_cached(base, &now);
	evutil_timeradd(&now, &limit, &end);
	while (evutil_timercmp(&now, &end, <)) {
		struct engine_due due;
		const Isms__Store__V1__ClockDue *rows[ROUND_FULL];
		struct status ok = { 0 };
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		engine_due_fn fn = world.fn;
		world.fn = NULL;
		for (size_t i = 0; i < world.n_rows; i++)
			rows[i] = &world.rows[i];
		due = (struct engine_due){ (const void *)rows, world.n_rows };
		if (fn)
			fn(world.arg, &ok, &due);
		else
			usleep(1000);
		evutil_gettimeofday(&now, NULL);
	}
}

static void begin(size_t n_due, size_t stuck, struct status failure)
{
	memset(&world, 0, sizeof(world));
	world.n_due = n_due;
	world.stuck = stuck;
	world.failure = failure;
}

TEST(what_cannot_be_done_hides_nothing)
{
	struct event_base *base = event_base_new();
	size_t done = 0;
	begin(200, 100, status_make(STATUS_CODE_INTERNAL, "INTERNAL", "this one always fails"));
	struct clock *clock = clock_new(base, NULL, 500000);
	run(base, 1400000);
	for (size_t i = 0; i < world.n_due; i++)
		done += world.done[i];
	CHECK_INT((int)done, 100);
	/* What fails is tried again later, not at once. */
	CHECK(world.n_calls >= 200 && world.n_calls < 600);
	clock_free(clock);
	event_base_free(base);
}

TEST(refusals_do_not_make_it_spin)
{
	struct event_base *base = event_base_new();
	begin(64, 64,
	      status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", "too many calls"));
	struct clock *clock = clock_new(base, NULL, 300000);
	run(base, 1000000);
	CHECK(world.n_asked >= 1 && world.n_asked <= 4);
	CHECK_INT((int)world.n_calls, (int)world.n_asked);
	clock_free(clock);
	event_base_free(base);
}

TAP_MAIN
