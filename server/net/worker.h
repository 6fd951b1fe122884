/* The event loop of one process: accepts from an inherited socket, runs its
 * connections and ends every turn the same way: database first, then clients,
 * then what has died. Single-threaded; the time is read at most once a turn. */
#ifndef ISMS_NET_WORKER_H
#define ISMS_NET_WORKER_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "server/net/call.h"
#include "server/net/conn.h"
#include "server/net/health.h"

struct engine;
struct event_base;
struct ssl_ctx_st;

/* Written by one worker, read by anybody (a shared page). */
struct worker_counters {
	uint64_t accepted;
	uint64_t connections; /* open now */
	uint64_t handshakes_failed;
	uint64_t calls;     /* begun */
	uint64_t in_flight; /* begun and not answered */
	uint64_t refused;   /* connections and calls turned away for want of room */
};

struct worker_settings {
	int listen_fd;                  /* non-blocking and listening; taken, closed by the drain */
	struct ssl_ctx_st *tls;         /* a reference is taken */
	unsigned number;                /* of the worker: upper part of the ids of calls */
	size_t connections_max;         /* beyond, accepting stops */
	size_t handshakes_max;          /* likewise; then slow ones have to go */
	size_t address_connections_max; /* of one address; beyond, refused; 0: any */
	unsigned streams_max;           /* announced, a connection */
	size_t connection_calls_max;    /* in flight; beyond: RESOURCE_EXHAUSTED; 0: streams_max */
	size_t calls_max;               /* in flight in the engine */
	int64_t handshake_us;
	int64_t idle_us; /* a connection without calls goes after; 0: never */
	int64_t drain_us;
	bool reflection;
	const struct route *routes; /* before those of the engine; borrowed */
	size_t n_routes;
	struct worker_counters *counters; /* NULL: kept by the worker */
};

/* Everything but listen_fd and tls. */
extern const struct worker_settings worker_settings_default;

enum {
	WORKER_SCRATCH = 32 * 1024,
	WORKER_BODY_MAX = 64 << 20,  /* announced by messages being received */
	WORKER_QUEUE_MAX = 64 << 20, /* answers that wait for their clients */
	WORKER_SPARE_CALLS = 256,
};

/* Fields are for this room. */
struct worker {
	struct event_base *base;
	struct engine *engine;
	struct worker_settings settings;
	struct worker_counters own_counters;
	struct worker_counters *counters;
	int64_t now_us; /* 0: not read in this turn */
	int reserve_fd; /* given up to accept and refuse when descriptors run out */
	bool accepting;
	bool crowded; /* as many handshakes as may be, at the last tick */
	bool stopped;
	bool draining;
	bool refusing; /* new calls get UNAVAILABLE */
	bool shut;     /* the last GOAWAY was sent */
	int64_t drain_start_us;
	unsigned ticks;
	struct event acceptable;
	struct event tick;
	struct conn_list conns, dying, dirty, again;
	size_t n_conns, n_handshakes;
	struct call_list gone, spare;
	size_t n_spare;
	size_t body_bytes, queued;
	int64_t told_us; /* of a refused address; 0: never */
	uint64_t last_call;
	struct health health;
	uint8_t scratch[WORKER_SCRATCH];
};

/* Starts to accept once the loop runs. NULL when out of memory; listen_fd is then
 * still the caller's. base and engine stay the caller's and must outlive the
 * worker. */
struct worker *worker_new(struct event_base *base, struct engine *engine,
			  const struct worker_settings *settings);
/* Cuts what is still open. */
void worker_free(struct worker *worker);

/* Runs the loop until worker_stop or the end of a drain. */
void worker_run(struct worker *worker);
/* New connections use this context; a reference is taken. */
void worker_set_tls(struct worker *worker, struct ssl_ctx_st *tls);
/* Stops accepting and tells every client to go elsewhere. Calls that were on
 * their way are still served, later ones refused with UNAVAILABLE; when no call is
 * left or settings.drain_us has passed, the loop stops. Again: no effect. */
void worker_drain(struct worker *worker);
/* Stops the loop at the end of this turn. */
void worker_stop(struct worker *worker);

/* Monotonic time of this turn, microseconds. */
int64_t worker_now(struct worker *worker);
/* Whether a path is served, by whatever route. */
const struct route *worker_route(const struct worker *worker, const char *path);
/* Takes up accepting after a connection or handshake has ended. */
void worker_accept_more(struct worker *worker);

#endif
