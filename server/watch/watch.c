/* See watch.h: the room, the reader of the log, and when its streams are moved on. */
#include "server/watch/watch.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/pb.h"
#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/db/rowmap.h"
#include "server/engine/engine.h"
#include "server/engine/principals.h"
#include "server/net/call.h"
#include "server/net/conn.h"
#include "server/watch/ask.h"
#include "server/watch/cursor.h"
#include "server/watch/filter.h"
#include "server/watch/notice.h"
#include "server/watch/ring.h"
#include "server/watch/stream.h"
#include "server/watch/viewer.h"

enum {
	TICK_US = 250 * 1000,
	POLL_BUSY_US = 50 * 1000,
	POLL_US = 100 * 1000,
	POLL_IDLE_US = 250 * 1000,
	POLL_FAILED_US = 500 * 1000,
	IDLE_AFTER_US = 10 * 1000000,
};

static void arm(struct event *timer, int64_t wait_us)
{
	struct timeval tv = { .tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000 };
	if (event_add(timer, &tv) != 0)
		abort();
}

static void settle_all(struct watch *watch, int64_t now_us)
{
	struct watcher *watcher;
	struct watcher *next;
	for (watcher = TAILQ_FIRST(&watch->watchers); watcher != NULL; watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		watcher_settle(watcher, now_us);
	}
	watch_start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

static void on_room(struct call *call)
{
	struct watcher *watcher = call->data;
	struct watch *watch = watcher->watch;
	int64_t now_us = mono_us();
	watcher_settle(watcher, now_us);
	watch_start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

/* --- following ------------------------------------------------------------ */

static int64_t next_poll(const struct watch *watch, const struct status *st, size_t n,
			 int64_t now_us)
{
	if (!status_ok(st))
		return POLL_FAILED_US;
	if (n == WATCH_FOLLOW_MAX)
		return 0;
	if (watch->busy_us == now_us)
		return POLL_BUSY_US;
	return now_us - watch->busy_us < IDLE_AFTER_US ? POLL_US : POLL_IDLE_US;
}

/* What is told of whoever holds the horizon. */
static void on_holder(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n)
{
	struct watch *watch = arg;
	(void)st; /* told of without */
	const Isms__Store__V1__WatchHolder *holder = n > 0 ? (const void *)rows[0] : NULL;
	progress_held(&watch->progress, holder != NULL ? holder->holder : "");
}

static void look_at_horizon(struct watch *watch, const Isms__Store__V1__WatchRow *row,
			    int64_t now_us)
{
	Isms__Store__V1__WatchFrom from = ISMS__STORE__V1__WATCH_FROM__INIT;
	struct query_args args = { 0 };
	if (!progress_horizon(&watch->progress, row->horizon, row->ahead, now_us))
		return;
	from.tx = row->horizon;
	(void)ask_start(&watch->asks, &watch->holder, &from.base, &args, on_holder, watch);
}

/* After a crash or with another server in its place the database may have lost what it
 * had never made durable, or what had not reached that server: then what was told ends
 * somewhere behind the ring, and what comes next would pass for told already. */
static bool set_back(struct watch *watch, const Isms__Store__V1__WatchRow *row)
{
	struct watcher *watcher;
	if (row->horizon >= watch->ring.to.tx)
		return false;
	log_write(LOG_LEVEL_WARNING, "watch_set_back", "from_tx=%lld to_tx=%lld streams=%zu",
		  (long long)watch->ring.to.tx, (long long)row->horizon, watch->n_watchers);
	while ((watcher = TAILQ_FIRST(&watch->watchers)) != NULL)
		watcher_end(watcher,
			    status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_SET_BACK",
					"the database has been set back, resume with the last "
					"cursor"));
	ring_reset(&watch->ring, (struct cursor){ row->horizon, 0 });
	watch->followed_us = 0;
	return true;
}

static void on_followed(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n)
{
	struct watch *watch = arg;
	int64_t now_us = mono_us();
	watch->following = NULL;
	progress_followed(&watch->progress, st);
	if (status_ok(st) && set_back(watch, (const void *)rows[0]))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		const Isms__Store__V1__WatchRow *row = (const void *)rows[i];
		if (row->tx == 0)
			continue;
		ring_add(&watch->ring, notice_new(row));
		watch->busy_us = now_us;
	}
	if (status_ok(st) && n > 0) {
		const Isms__Store__V1__WatchRow *row = (const void *)rows[0];
		watch->more = n == WATCH_FOLLOW_MAX;
		if (!watch->more)
			ring_advance(&watch->ring, (struct cursor){ row->horizon, 0 });
		watch->followed_us = now_us;
		look_at_horizon(watch, row, now_us);
	}
	if (watch->n_watchers == 0)
		return;
	settle_all(watch, now_us);
	if (watch->n_watchers > 0)
		arm(watch->poll, next_poll(watch, st, n, now_us));
}

static void follow(struct watch *watch)
{
	Isms__Store__V1__WatchFrom from = ISMS__STORE__V1__WATCH_FROM__INIT;
	struct query_args args = { 0 };
	if (watch->following != NULL)
		return;
	from.tx = watch->ring.to.tx;
	from.seq = watch->ring.to.seq;
	from.limit = WATCH_FOLLOW_MAX;
	watch->following =
		ask_start(&watch->asks, &watch->follow, &from.base, &args, on_followed, watch);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	follow(arg);
}

/* --- looking after them --------------------------------------------------- */

/* Whether the log is read for it: by the reader of all, or by its own while behind. */
static bool is_followed(const struct watcher *watcher, int64_t now_us)
{
	int64_t followed_us = watcher->watch->followed_us;
	if (followed_us < watcher->begun_us)
		followed_us = watcher->begun_us;
	return now_us - followed_us <= WATCH_SILENCE_US &&
	       (watcher->failing_us == 0 || now_us - watcher->failing_us <= WATCH_SILENCE_US);
}

static struct status verdict(const struct watcher *watcher, int64_t now_us)
{
	const struct viewer *viewer = watcher->viewer;
	if (viewer->state == VIEWER_ENDED)
		return principals_refusal();
	static_assert(VIEWER_GRANTS_MAX == 512, "as the refusal says");
	if (viewer->state == VIEWER_TOO_MANY)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_GRANTS",
				   "the account has more than 512 grants in force, too many to "
				   "watch by: revoke some");
	if (now_us - viewer->asked_us > WATCH_SILENCE_US)
		return status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
				   "the database does not answer");
	if (!is_followed(watcher, now_us))
		return status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
				   "the database does not tell of changes");
	if (now_us - watcher->taken_us > WATCH_SLOW_US)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "WATCH_TOO_SLOW",
				   "the client does not take what waits for it, resume with the "
				   "last cursor");
	return STATUS_OK;
}

static void look_after(struct watcher *watcher, int64_t now_us)
{
	size_t waiting = call_queued(watcher->call);
	uint64_t taken = watcher->sent - waiting;
	if (waiting == 0 || taken != watcher->taken)
		watcher->taken_us = now_us;
	watcher->taken = taken;
	struct status st = verdict(watcher, now_us);
	if (!status_ok(&st)) {
		watcher_end(watcher, st);
		return;
	}
	watcher_settle(watcher, now_us);
	if (watcher->state == WATCHER_OPEN && now_us - watcher->sent_us >= WATCH_PROGRESS_US &&
	    waiting == 0 && now_us - watcher->viewer->asked_us < 2 * VIEWER_LOOK_US)
		watcher_tell(watcher, now_us);
}

static void look_after_all(struct watch *watch)
{
	struct watcher *watcher;
	struct watcher *next;
	int64_t now_us = mono_us();
	for (watcher = TAILQ_FIRST(&watch->watchers); watcher != NULL; watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		look_after(watcher, now_us);
	}
	watch_start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look_after_all(arg);
}

static void on_viewers(void *arg)
{
	look_after_all(arg);
}

/* --- the beginning of a stream -------------------------------------------- */

static struct status check_room(const struct watch *watch, const char *user_id)
{
	const struct watcher *watcher;
	size_t own = 0;
	TAILQ_FOREACH(watcher, &watch->watchers, link)
	{
		own += strcmp(watcher->user_id, user_id) == 0;
	}
	if (watch->n_watchers < WATCH_STREAMS_MAX && own < WATCH_ACCOUNT_MAX)
		return STATUS_OK;
	static_assert(WATCH_STREAMS_MAX == 1024 && WATCH_ACCOUNT_MAX == 32, "as the refusal says");
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_WATCHES",
			   own < WATCH_ACCOUNT_MAX ? "1,024 streams are open in this worker process"
						   : "32 streams of the account are open here");
}

/* Where it starts, and that it may. */
static struct status prepare(struct watcher *watcher, const Isms__Store__V1__WatchStart *start)
{
	const char *cursor = watcher->request->cursor;
	struct arena *arena = watcher->call->arena;
	struct status st = filter_init(&watcher->filter, start->org_id, watcher->request, arena);
	if (!status_ok(&st))
		return st;
	watcher->at = (struct cursor){ start->horizon, 0 };
	/* Only a row is durable for certain: the horizon counts transactions of which a
	 * crash would leave nothing. */
	watcher->row = (struct cursor){ start->last_tx, start->last_seq };
	if (*cursor != '\0') {
		if (!cursor_parse(&watcher->at, cursor))
			return status_invalid(arena, "cursor",
					      "is not a cursor of an earlier stream");
		watcher->row = watcher->at;
	}
	if (watcher->at.tx > start->ahead)
		return status_make(STATUS_CODE_OUT_OF_RANGE, "CURSOR_AHEAD",
				   "the cursor is ahead of the database");
	return check_room(watcher->watch, start->user_id);
}

/* The ring begins a little in the past, for the others that resume here, too. */
static void start_following(struct watch *watch, int64_t horizon, int64_t now_us)
{
	struct timeval tick = { .tv_usec = TICK_US };
	struct cursor back = { horizon > WATCH_BACK_TX ? horizon - WATCH_BACK_TX : 0, 0 };
	if (watch->following == NULL &&
	    (watch->followed_us == 0 || now_us - watch->followed_us > WATCH_KEPT_US))
		ring_reset(&watch->ring, back);
	watch->progress.since_us = now_us;
	if (event_add(watch->tick, &tick) != 0)
		abort();
	follow(watch);
}

static void begin(struct watcher *watcher, const Isms__Store__V1__WatchStart *start)
{
	struct watch *watch = watcher->watch;
	int64_t now_us = mono_us();
	memcpy(watcher->user_id, start->user_id, UUID_TEXT);
	struct status st = prepare(watcher, start);
	if (!status_ok(&st)) {
		watcher_end(watcher, st);
		return;
	}
	watcher->state = WATCHER_OPEN;
	watcher->viewer = viewer_get(&watch->viewers, start->org_id, start->session_id, now_us);
	watcher->taken_us = watcher->begun_us = now_us;
	watcher->begun_tx = start->horizon;
	TAILQ_INSERT_TAIL(&watch->watchers, watcher, link);
	if (watch->n_watchers++ == 0)
		start_following(watch, start->horizon, now_us);
	if (watcher_tell(watcher, now_us))
		watcher_settle(watcher, now_us);
	watch_start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

static void on_started(void *arg, const struct status *st, const uint8_t *message, size_t len)
{
	struct watcher *watcher = arg;
	watcher->starting = NULL;
	if (!status_ok(st)) {
		watcher->state = WATCHER_ENDED;
		call_finish(watcher->call, st);
		return;
	}
	const ProtobufCMessage *start = pb_unpack(&isms__store__v1__watch_start__descriptor,
						  message, len, watcher->call->arena);
	if (start == NULL)
		abort();
	begin(watcher, (const Isms__Store__V1__WatchStart *)(const void *)start);
}

static void on_message(struct call *call, const uint8_t *data, size_t len)
{
	struct watcher *watcher = arena_new_of(call->arena, struct watcher);
	if (watcher == NULL)
		abort();
	watcher->watch = call->route->arg;
	watcher->call = call;
	call->data = watcher;
	struct engine_request request = {
		.id = call->id,
		.path = call->route->path,
		.authorization = call->head.authorization,
		.peer = call->conn->peer,
		.deadline_us = call->deadline_us,
		.message = data,
		.len = len,
	};
	watcher->starting =
		engine_call_start(watcher->watch->engine, &request, on_started, watcher);
	if (watcher->state != WATCHER_STARTING)
		return;
	/* Only now it is known to be well-formed. */
	watcher->request = (Isms__V1__WatchRequest *)(void *)pb_unpack(
		&isms__v1__watch_request__descriptor, data, len, call->arena);
	if (watcher->request == NULL)
		abort();
}

/* --- the room ------------------------------------------------------------- */

static bool bind_statements(struct watch *watch, struct query_set *queries)
{
	const ProtobufCMessageDescriptor *from = &isms__store__v1__watch_from__descriptor;
	const ProtobufCMessageDescriptor *row = &isms__store__v1__watch_row__descriptor;
	bool follow_ok = statement_init(&watch->follow, queries, "watch_follow", from, row);
	bool missed_ok = statement_init(&watch->missed, queries, "watch_missed", from, row);
	bool holder_ok = statement_init(&watch->holder, queries, "watch_holder", from,
					&isms__store__v1__watch_holder__descriptor);
	return statement_init(&watch->sessions, queries, "watch_sessions",
			      &isms__store__v1__watch_sessions__descriptor,
			      &isms__store__v1__watch_grant__descriptor) &&
	       follow_ok && missed_ok && holder_ok;
}

struct watch *watch_new(struct event_base *base, struct engine *engine, struct db *db,
			struct query_set *queries)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		abort();
	watch->base = base;
	watch->engine = engine;
	TAILQ_INIT(&watch->watchers);
	TAILQ_INIT(&watch->behind);
	asks_init(&watch->asks, db);
	viewers_init(&watch->viewers, &watch->asks, &watch->sessions, on_viewers, watch);
	watch->route = (struct route){ .path = "/isms.v1.WatchService/Watch",
				       .streaming = true,
				       .message = on_message,
				       .cancel = watcher_cancel,
				       .room = on_room,
				       .arg = watch };
	if (!bind_statements(watch, queries)) {
		watch_free(watch);
		return NULL;
	}
	if (base != NULL) {
		watch->poll = evtimer_new(base, on_poll, watch);
		watch->tick = event_new(base, -1, EV_PERSIST, on_tick, watch);
		if (watch->poll == NULL || watch->tick == NULL)
			abort();
	}
	return watch;
}

void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	assert(watch->n_watchers == 0);
	viewers_done(&watch->viewers);
	asks_done(&watch->asks);
	ring_reset(&watch->ring, watch->ring.to);
	if (watch->poll != NULL)
		event_free(watch->poll);
	if (watch->tick != NULL)
		event_free(watch->tick);
	statement_done(&watch->follow);
	statement_done(&watch->missed);
	statement_done(&watch->sessions);
	statement_done(&watch->holder);
	free(watch);
}

const struct route *watch_route(const struct watch *watch)
{
	return &watch->route;
}
