/* The inside of the watch room. A stream is a struct watcher in the arena of its call.
 * What moves it on is always watcher_settle: after the ring grew, after its rights were
 * looked at, when its client took something, when its own read came back. */
#ifndef ISMS_WATCH_STREAM_H
#define ISMS_WATCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/uuid.h"
#include "server/net/call.h"
#include "server/watch/ask.h"
#include "server/watch/cursor.h"
#include "server/watch/filter.h"
#include "server/watch/progress.h"
#include "server/watch/ring.h"
#include "server/watch/viewer.h"

struct Isms__V1__WatchRequest;
struct engine;
struct engine_call;
struct event;
struct event_base;

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
	struct Isms__V1__WatchRequest *request;
	char user_id[UUID_TEXT];
	struct filter filter;
	struct viewer *viewer;
	struct cursor at;  /* everything up to here was sent or left out */
	struct cursor row; /* the latest row of that: what is given out as cursor */
	int64_t begun_us;
	int64_t begun_tx;   /* the horizon then */
	bool caught_up;     /* told so once */
	bool behind;        /* on the list of those that wait for a read of their own */
	struct ask *missed; /* such a read */
	int64_t failing_us; /* since when such reads fail; 0: they do not */
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
	struct statement follow, missed, sessions, holder;
	struct viewers viewers;
	struct route route;
	struct watcher_list watchers, behind;
	size_t n_watchers, n_missed;
	struct ask *following;
	int64_t followed_us; /* latest answer; 0: never */
	int64_t busy_us;     /* latest with rows */
	bool more;           /* it was full: there is more below the horizon */
	struct progress progress;
	struct event *poll, *tick;
	struct ring ring;
};

/* Moves a stream on as far as it goes now. It may end. */
void watcher_settle(struct watcher *watcher, int64_t now_us);
/* A message without event. false: the stream has ended. */
bool watcher_tell(struct watcher *watcher, int64_t now_us);
/* The client is told why. */
void watcher_end(struct watcher *watcher, struct status st);
/* The client has gone. */
void watcher_cancel(struct call *call);

/* Starts reads for those that are behind, as many as there may be at once. */
void watch_start_missed(struct watch *watch);

#endif
