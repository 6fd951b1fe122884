/* See watch.h. A stream is a struct watcher in the arena of its call. What moves it
 * on is always settle: after the ring grew, after its rights were looked at, when
 * its client took something, when its own read came back. */
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
#include "server/watch/viewer.h"

enum {
	TICK_US = 250 * 1000,
	POLL_BUSY_US = 50 * 1000,
	POLL_US = 100 * 1000,
	POLL_IDLE_US = 250 * 1000,
	POLL_FAILED_US = 500 * 1000,
	IDLE_AFTER_US = 10 * 1000000,
	RETRY_US = 1000 * 1000,
};

enum watcher_state {
	WATCHER_STARTING, /* the engine looks at it */
	WATCHER_OPEN,
	WATCHER_ENDED,
};

struct watcher {
	TAILQ_ENTRY(watcher) link;
	TAILQ_ENTRY(watcher) behind_link;
	struct watch *watch;
	struct call *call;
	enum watcher_state state;
	struct engine_call *starting;
	Isms__V1__WatchRequest *request;
	char user_id[UUID_TEXT];
	struct filter filter;
	struct viewer *viewer;
	struct cursor at;   /* everything up to here was sent or left out */
	bool behind;        /* on the list of those that wait for a read of their own */
	struct ask *missed; /* such a read */
	int64_t sent_us;    /* the latest message */
	uint64_t sent;      /* bytes, with those that wait */
	uint64_t taken;     /* of these, as last seen */
	int64_t taken_us;   /* when that changed, or nothing waited */
};

TAILQ_HEAD(watcher_list, watcher);

struct watch {
	struct event_base *base;
	struct engine *engine;
	struct asks asks;
	struct statement follow, missed, sessions;
	struct viewers viewers;
	struct route route;
	struct watcher_list watchers, behind;
	size_t n_watchers, n_missed;
	struct ask *following;
	int64_t followed_us; /* latest answer; 0: never */
	int64_t busy_us;     /* latest with rows */
	struct event *poll, *tick;
	struct ring ring;
};

static void settle(struct watcher *watcher, int64_t now_us);
static void start_missed(struct watch *watch);

static void arm(struct event *timer, int64_t wait_us)
{
	struct timeval tv = { .tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000 };
	if (event_add(timer, &tv) != 0)
		abort();
}

/* --- the end of a stream -------------------------------------------------- */

/* The call may be gone or answered already. */
static void detach(struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	assert(watcher->state == WATCHER_OPEN);
	watcher->state = WATCHER_ENDED;
	TAILQ_REMOVE(&watch->watchers, watcher, link);
	watch->n_watchers--;
	if (watcher->behind)
		TAILQ_REMOVE(&watch->behind, watcher, behind_link);
	if (watcher->missed != NULL) {
		ask_forget(watcher->missed);
		watch->n_missed--;
	}
	viewer_put(watcher->viewer);
	if (watch->n_watchers == 0) {
		event_del(watch->poll);
		event_del(watch->tick);
	}
}

static void end(struct watcher *watcher, struct status st)
{
	struct call *call = watcher->call;
	if (watcher->state == WATCHER_OPEN)
		detach(watcher);
	watcher->state = WATCHER_ENDED;
	if (st.code == STATUS_CODE_RESOURCE_EXHAUSTED || st.code == STATUS_CODE_UNAVAILABLE)
		status_set_retry(&st, call->arena, RETRY_US);
	log_write(LOG_LEVEL_INFO, "watch_ended", "call=%llu code=%s reason=%s user=%s",
		  (unsigned long long)call->id, status_code_name(st.code), st.reason,
		  watcher->user_id);
	call_finish(call, &st);
}

static void on_cancel(struct call *call)
{
	struct watcher *watcher = call->data;
	if (watcher->state == WATCHER_OPEN)
		detach(watcher);
	else if (watcher->starting != NULL)
		engine_call_cancel(watcher->starting);
	watcher->state = WATCHER_ENDED;
}

/* --- sending -------------------------------------------------------------- */

/* false: it has ended. */
static bool deliver(struct watcher *watcher, const uint8_t *message, size_t len, int64_t now_us)
{
	if (!call_send(watcher->call, message, len))
		return false;
	watcher->sent += GRPC_PREFIX + len;
	watcher->sent_us = now_us;
	return true;
}

static bool send_cursor(struct watcher *watcher, int64_t now_us)
{
	char text[CURSOR_TEXT];
	uint8_t message[CURSOR_TEXT + 16];
	Isms__V1__WatchResponse response = ISMS__V1__WATCH_RESPONSE__INIT;
	cursor_format(text, watcher->at);
	response.cursor = text;
	size_t len = isms__v1__watch_response__pack(&response, message);
	return deliver(watcher, message, len, now_us);
}

/* Offers the notice that comes next. false: not now, or no more at all. */
static bool offer(struct watcher *watcher, const struct notice *notice, int64_t now_us)
{
	if (cursor_compare(notice->at, watcher->at) <= 0)
		return true;
	if (filter_passes(&watcher->filter, notice)) {
		if (!viewer_fresh(watcher->viewer, now_us))
			return false;
		if (viewer_may(watcher->viewer, notice)) {
			if (call_queued(watcher->call) >= WATCH_QUEUE_MAX) {
				call_want_room(watcher->call);
				return false;
			}
			if (!deliver(watcher, notice->message, notice->len, now_us))
				return false;
		}
	}
	watcher->at = notice->at;
	return true;
}

static void from_ring(struct watcher *watcher, int64_t now_us)
{
	const struct ring *ring = &watcher->watch->ring;
	for (size_t i = ring_after(ring, watcher->at); i < ring->n; i++)
		if (!offer(watcher, ring_at(ring, i), now_us))
			return;
	watcher->at = cursor_later(watcher->at, ring->to);
}

/* --- those behind the ring ------------------------------------------------ */

static void on_missed(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n)
{
	struct watcher *watcher = arg;
	struct watch *watch = watcher->watch;
	int64_t now_us = mono_us();
	bool all = true;
	watcher->missed = NULL;
	watch->n_missed--;
	for (size_t i = 0; i < n && all; i++) {
		const Isms__Store__V1__WatchRow *row = (const void *)rows[i];
		if (row->tx == 0)
			continue;
		struct notice *notice = notice_new(row);
		all = offer(watcher, notice, now_us);
		notice_free(notice);
	}
	if (watcher->state == WATCHER_OPEN && status_ok(st)) {
		if (all && n < WATCH_MISSED_MAX) {
			const Isms__Store__V1__WatchRow *row = (const void *)rows[0];
			watcher->at = cursor_later(watcher->at, (struct cursor){ row->horizon, 0 });
		}
		settle(watcher, now_us);
	}
	/* after a failure the tick settles it */
	start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

static void start_missed(struct watch *watch)
{
	struct watcher *watcher;
	while (watch->n_missed < WATCH_MISSED_READS_MAX &&
	       (watcher = TAILQ_FIRST(&watch->behind)) != NULL) {
		TAILQ_REMOVE(&watch->behind, watcher, behind_link);
		watcher->behind = false;
		Isms__Store__V1__WatchFrom from = ISMS__STORE__V1__WATCH_FROM__INIT;
		from.tx = watcher->at.tx;
		from.seq = watcher->at.seq;
		from.limit = WATCH_MISSED_MAX;
		struct query_args args = { .org = watcher->viewer->org_id };
		watch->n_missed++;
		watcher->missed = ask_start(&watch->asks, &watch->missed, &from.base, &args,
					    on_missed, watcher);
	}
}

/* Moves a stream on as far as it goes now. It may end. */
static void settle(struct watcher *watcher, int64_t now_us)
{
	struct watch *watch = watcher->watch;
	if (watcher->state != WATCHER_OPEN)
		return;
	if (watcher->behind || watcher->missed != NULL) {
		/* However long the read takes, its rows are to find rights that count. */
		(void)viewer_fresh(watcher->viewer, now_us);
		return;
	}
	if (cursor_compare(watcher->at, watch->ring.from) >= 0) {
		from_ring(watcher, now_us);
	} else if (call_queued(watcher->call) >= WATCH_QUEUE_MAX) {
		call_want_room(watcher->call);
	} else if (viewer_fresh(watcher->viewer, now_us)) {
		watcher->behind = true;
		TAILQ_INSERT_TAIL(&watch->behind, watcher, behind_link);
	}
}

static void settle_all(struct watch *watch, int64_t now_us)
{
	struct watcher *watcher;
	struct watcher *next;
	for (watcher = TAILQ_FIRST(&watch->watchers); watcher != NULL; watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		settle(watcher, now_us);
	}
	start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

static void on_room(struct call *call)
{
	struct watcher *watcher = call->data;
	struct watch *watch = watcher->watch;
	int64_t now_us = mono_us();
	settle(watcher, now_us);
	start_missed(watch);
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

static void on_followed(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n)
{
	struct watch *watch = arg;
	int64_t now_us = mono_us();
	watch->following = NULL;
	for (size_t i = 0; i < n; i++) {
		const Isms__Store__V1__WatchRow *row = (const void *)rows[i];
		if (row->tx == 0)
			continue;
		ring_add(&watch->ring, notice_new(row));
		watch->busy_us = now_us;
	}
	if (status_ok(st)) {
		const Isms__Store__V1__WatchRow *row = (const void *)rows[0];
		if (n < WATCH_FOLLOW_MAX)
			ring_advance(&watch->ring, (struct cursor){ row->horizon, 0 });
		watch->followed_us = now_us;
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

static struct status verdict(const struct watcher *watcher, int64_t now_us)
{
	const struct viewer *viewer = watcher->viewer;
	if (viewer->state == VIEWER_ENDED)
		return principals_refusal();
	if (viewer->state == VIEWER_TOO_MANY)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_GRANTS",
				   "the account has too many grants to watch");
	if (now_us - viewer->asked_us > WATCH_SILENCE_US)
		return status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
				   "the database does not answer");
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
		end(watcher, st);
		return;
	}
	settle(watcher, now_us);
	if (watcher->state == WATCHER_OPEN && now_us - watcher->sent_us >= WATCH_PROGRESS_US &&
	    waiting == 0 && now_us - watcher->viewer->asked_us < 2 * VIEWER_LOOK_US)
		send_cursor(watcher, now_us);
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
	start_missed(watch);
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
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_WATCHES",
			   "too many streams are open");
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
	if (*cursor != '\0' && !cursor_parse(&watcher->at, cursor))
		return status_invalid(arena, "cursor", "is not a cursor of an earlier stream");
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
		end(watcher, st);
		return;
	}
	watcher->state = WATCHER_OPEN;
	watcher->viewer = viewer_get(&watch->viewers, start->org_id, start->session_id, now_us);
	watcher->taken_us = now_us;
	TAILQ_INSERT_TAIL(&watch->watchers, watcher, link);
	if (watch->n_watchers++ == 0)
		start_following(watch, start->horizon, now_us);
	if (send_cursor(watcher, now_us))
		settle(watcher, now_us);
	start_missed(watch);
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
	return statement_init(&watch->sessions, queries, "watch_sessions",
			      &isms__store__v1__watch_sessions__descriptor,
			      &isms__store__v1__watch_grant__descriptor) &&
	       follow_ok && missed_ok;
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
				       .cancel = on_cancel,
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
	free(watch);
}

const struct route *watch_route(const struct watch *watch)
{
	return &watch->route;
}
