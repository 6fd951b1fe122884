/* One round at a time: what is due is read whole, then done in order by up to
 * CLOCK_CALLS_MAX calls at once. A round that was full is followed by another one at
 * once, which leaves out what could not be done: so that it does not hide the rest. When
 * all was seen, or nobody can do anything just now, it waits and begins with all again. */
#include "server/clock.h"

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/uuid.h"
#include "isms/store/v1/clock.pb-c.h"
#include "server/engine/engine.h"

/* ROUND_FULL: rows of one kind of work that the statement clock_due gives at most. */
enum { ROUND_MAX = 1024, ROUND_ARENA = 1 << 20, ROUND_FULL = 64, PATH_MAX_LEN = 96 };
enum { FIRST_US = 1000000, AGAIN_US = 100000 };

struct item {
	const char *path, *org_id, *id;
};

struct clock_call {
	struct clock *clock;
	const struct item *item; /* NULL: free */
};

struct clock {
	struct event_base *base;
	struct engine *engine;
	struct event *timer;
	int64_t interval_us;
	bool stopped, asking, failing;
	bool starting;       /* calls, which may be refused from within */
	bool overloaded;     /* a call was refused for now; ends the rounds in a row */
	struct arena *arena; /* of the round, NULL between rounds */
	struct item *items;
	size_t n, next, done, failed;
	/* What could not be done in the rounds in a row. */
	char skip[ENGINE_SKIP_MAX][UUID_TEXT];
	size_t n_skip;
	struct clock_call calls[CLOCK_CALLS_MAX];
};

static void wait_for(struct clock *clock, int64_t us)
{
	struct timeval wait = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	if (!clock->stopped && event_add(clock->timer, &wait) != 0)
		abort();
}

/* --- the round ------------------------------------------------------------------ */

static bool is_busy(const struct clock *clock)
{
	for (size_t i = 0; i < CLOCK_CALLS_MAX; i++)
		if (clock->calls[i].item)
			return true;
	return false;
}

static struct clock_call *free_call(struct clock *clock)
{
	for (size_t i = 0; i < CLOCK_CALLS_MAX; i++)
		if (!clock->calls[i].item)
			return &clock->calls[i];
	return NULL;
}

/* Whether there was as much of one work as is told of at once. */
static bool is_full(const struct clock *clock)
{
	for (size_t i = 0, same = 0; i < clock->n; i++) {
		same = i > 0 && strcmp(clock->items[i].path, clock->items[i - 1].path) == 0
			       ? same + 1
			       : 1;
		if (same >= ROUND_FULL)
			return true;
	}
	return false;
}

static void end_round(struct clock *clock)
{
	bool again = is_full(clock) && !clock->overloaded && clock->done + clock->failed > 0 &&
		     clock->n_skip < ENGINE_SKIP_MAX;

	if (clock->n > 0)
		log_write(LOG_LEVEL_DEBUG, "clock", "due=%zu done=%zu failed=%zu", clock->n,
			  clock->done, clock->failed);
	arena_free(clock->arena);
	clock->arena = NULL;
	clock->n = clock->next = clock->done = clock->failed = 0;
	clock->overloaded = false;
	if (!again)
		clock->n_skip = 0;
	wait_for(clock, again ? AGAIN_US : clock->interval_us);
}

/* NOT_DUE: another server was quicker. The first failure of a round is told of. */
static void count(struct clock *clock, const struct item *item, const struct status *st)
{
	if (status_ok(st)) {
		clock->done++;
		return;
	}
	if (st->reason && strcmp(st->reason, "NOT_DUE") == 0)
		return;
	if (clock->failed++ == 0)
		log_write(LOG_LEVEL_WARNING, "clock_failed",
			  "path=%s org=%s id=%s code=%s reason=%s message=%s due=%zu", item->path,
			  item->org_id, item->id, status_code_name(st->code), st->reason,
			  st->message, clock->n);
	if (st->code == STATUS_CODE_UNAVAILABLE || st->code == STATUS_CODE_RESOURCE_EXHAUSTED)
		clock->overloaded = true;
	else if (clock->n_skip < ENGINE_SKIP_MAX)
		(void)snprintf(clock->skip[clock->n_skip++], UUID_TEXT, "%s", item->id);
}

static void on_reply(void *arg, const struct status *st, const uint8_t *message, size_t len)
{
	struct clock_call *own = arg;
	const struct item *item = own->item;

	(void)message;
	(void)len;
	own->item = NULL;
	count(own->clock, item, st);
	/* From the loop: a reply must not call back into the engine. */
	if (!own->clock->stopped && !own->clock->starting)
		event_active(own->clock->timer, EV_TIMEOUT, 0);
}

static void start(struct clock *clock, struct clock_call *own)
{
	Isms__Store__V1__ClockTick tick;

	own->item = &clock->items[clock->next++];
	isms__store__v1__clock_tick__init(&tick);
	tick.id = (char *)own->item->id;
	engine_system_start(clock->engine, own->item->path, own->item->org_id, &tick.base, on_reply,
			    own);
}

static void go_on(struct clock *clock)
{
	struct clock_call *own;

	clock->starting = true;
	while (clock->next < clock->n && !clock->overloaded && (own = free_call(clock)))
		start(clock, own);
	clock->starting = false;
	if ((clock->next == clock->n || clock->overloaded) && !is_busy(clock))
		end_round(clock);
}

/* --- its beginning --------------------------------------------------------------- */

static char *must_dup(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	if (!copy)
		abort();
	return copy;
}

/* The rows belong to the engine. */
static void take_round(struct clock *clock, const struct engine_due *due)
{
	clock->arena = arena_new(ROUND_ARENA);
	clock->n = due->n < ROUND_MAX ? due->n : ROUND_MAX;
	clock->items = clock->arena ? arena_array(clock->arena, struct item, clock->n + 1) : NULL;
	if (!clock->items)
		abort();
	for (size_t i = 0; i < clock->n; i++) {
		const Isms__Store__V1__ClockDue *row = due->rows[i];
		char path[PATH_MAX_LEN];

		(void)snprintf(path, sizeof(path), "/isms.store.v1.ClockService/%s", row->work);
		clock->items[i] = (struct item){
			.path = must_dup(clock->arena, path),
			.org_id = must_dup(clock->arena, row->org_id),
			.id = must_dup(clock->arena, row->id),
		};
	}
}

/* Once when it begins and once when it is over. */
static void tell(struct clock *clock, const struct status *st)
{
	bool failing = !status_ok(st);

	if (failing && !clock->failing)
		log_write(LOG_LEVEL_WARNING, "clock_waits", "reason=%s message=%s", st->reason,
			  st->message);
	else if (!failing && clock->failing)
		log_write(LOG_LEVEL_INFO, "clock_goes", "interval_s=%lld",
			  (long long)clock->interval_us / 1000000);
	clock->failing = failing;
}

static void on_due(void *arg, const struct status *st, const struct engine_due *due)
{
	struct clock *clock = arg;

	clock->asking = false;
	if (clock->stopped)
		return;
	tell(clock, st);
	if (status_ok(st))
		take_round(clock, due);
	if (clock->n > 0)
		event_active(clock->timer, EV_TIMEOUT, 0);
	else
		end_round(clock);
}

static void ask(struct clock *clock)
{
	char *skip[ENGINE_SKIP_MAX];

	for (size_t i = 0; i < clock->n_skip; i++)
		skip[i] = clock->skip[i];
	clock->asking = true;
	engine_due(clock->engine, skip, clock->n_skip, on_due, clock);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct clock *clock = arg;

	(void)fd;
	(void)what;
	if (clock->stopped)
		return;
	if (clock->n > 0) {
		go_on(clock);
	} else if (!clock->asking) {
		ask(clock);
	}
}

struct clock *clock_new(struct event_base *base, struct engine *engine, int64_t interval_us)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	assert(interval_us > 0);
	if (!clock)
		return NULL;
	clock->base = base;
	clock->engine = engine;
	clock->interval_us = interval_us;
	for (size_t i = 0; i < CLOCK_CALLS_MAX; i++)
		clock->calls[i].clock = clock;
	clock->timer = evtimer_new(base, on_timer, clock);
	if (!clock->timer) {
		free(clock);
		return NULL;
	}
	wait_for(clock, interval_us < FIRST_US ? interval_us : FIRST_US);
	return clock;
}

void clock_stop(struct clock *clock)
{
	if (!clock || clock->stopped)
		return;
	clock->stopped = true;
	(void)event_del(clock->timer);
}

void clock_free(struct clock *clock)
{
	if (!clock)
		return;
	clock_stop(clock);
	event_free(clock->timer);
	arena_free(clock->arena);
	free(clock);
}
