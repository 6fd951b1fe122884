/* One stream, see stream.h: its end, what is sent to it, and how it catches up. */
#include "server/watch/stream.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>

#include "common/grpc.h"
#include "common/log.h"
#include "common/mono.h"
#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/db/rowmap.h"
#include "server/engine/engine.h"
#include "server/watch/notice.h"
#include "server/watch/watch.h"

enum { RETRY_US = 1000 * 1000, FRESH_US = 2000 * 1000 };

/* --- the end of a stream -------------------------------------------------- */

/* A read of a stream that has ended still takes its place among those at once. */
static void on_missed_gone(void *arg)
{
	struct watch *watch = arg;
	watch->n_missed--;
	watch_start_missed(watch);
}

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
	if (watcher->missed != NULL)
		ask_forget(watcher->missed, on_missed_gone, watch);
	viewer_put(watcher->viewer);
	if (watch->n_watchers == 0) {
		event_del(watch->poll);
		event_del(watch->tick);
	}
}

void watcher_end(struct watcher *watcher, struct status st)
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

void watcher_cancel(struct call *call)
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

/* Whether it stands at the horizon, and that is one of after its beginning. */
static bool is_caught_up(const struct watcher *watcher, int64_t now_us)
{
	const struct watch *watch = watcher->watch;
	return !watcher->behind && watcher->missed == NULL && !watch->more &&
	       cursor_compare(watcher->at, watch->ring.to) >= 0 &&
	       watch->ring.to.tx >= watcher->begun_tx && now_us - watch->followed_us < FRESH_US;
}

bool watcher_tell(struct watcher *watcher, int64_t now_us)
{
	char text[CURSOR_TEXT];
	uint8_t message[CURSOR_TEXT + 16];
	Isms__V1__WatchResponse response = ISMS__V1__WATCH_RESPONSE__INIT;
	cursor_format(text, watcher->row);
	response.cursor = text;
	response.caught_up = watcher->caught_up && is_caught_up(watcher, now_us);
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
	watcher->at = watcher->row = notice->at;
	return true;
}

static void from_ring(struct watcher *watcher, int64_t now_us)
{
	const struct ring *ring = &watcher->watch->ring;
	for (size_t i = ring_after(ring, watcher->at); i < ring->n; i++)
		if (!offer(watcher, ring_at(ring, i), now_us))
			return;
	watcher->at = cursor_later(watcher->at, ring->to);
	if (!watcher->caught_up && is_caught_up(watcher, now_us)) {
		watcher->caught_up = true;
		watcher_tell(watcher, now_us);
	}
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
	progress_missed(&watch->progress, st);
	if (status_ok(st))
		watcher->failing_us = 0;
	else if (watcher->failing_us == 0)
		watcher->failing_us = now_us;
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
		watcher_settle(watcher, now_us);
	}
	/* after a failure the tick settles it */
	watch_start_missed(watch);
	viewers_look(&watch->viewers, now_us);
}

void watch_start_missed(struct watch *watch)
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
void watcher_settle(struct watcher *watcher, int64_t now_us)
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
