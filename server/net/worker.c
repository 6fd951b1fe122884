/* The event loop of one process, see worker.h. Accepting stops at the limits, so
 * that other workers on the same socket get the connection, and one connection is
 * accepted a wake-up for the same reason. When the process is out of descriptors
 * one held in reserve is given up to accept and close: a level-triggered listener
 * would else keep the loop spinning. */
#include "server/net/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"
#include "server/engine/engine.h"
#include "server/net/reflection.h"

enum {
	TICK_US = 250 * 1000,
	TICKS_PER_LOOK = 4, /* for health */
	/* Calls that a client sent before it saw the notice are served for so long,
	 * to the tick; those that come later, until the last GOAWAY, are refused. */
	DRAIN_SERVE_US = 100 * 1000,
	DRAIN_SHUT_US = 500 * 1000,
};

const struct worker_settings worker_settings_default = {
	.listen_fd = -1,
	.connections_max = 4096,
	.handshakes_max = 256,
	.streams_max = 100,
	.calls_max = 10000,
	.handshake_us = 5 * 1000000,
	.drain_us = 10 * 1000000,
	.reflection = true,
};

int64_t worker_now(struct worker *worker)
{
	if (worker->now_us == 0) {
		worker->now_us = mono_us();
	}
	return worker->now_us;
}

/* --- accepting ------------------------------------------------------------ */

static bool has_room(const struct worker *worker)
{
	return !worker->draining && worker->n_conns < worker->settings.connections_max &&
	       worker->n_handshakes < worker->settings.handshakes_max;
}

void worker_accept_more(struct worker *worker)
{
	if (!worker->accepting && has_room(worker)) {
		worker->accepting = true;
		event_add(&worker->acceptable, NULL);
	}
}

static void stop_accepting(struct worker *worker)
{
	if (worker->accepting) {
		worker->accepting = false;
		event_del(&worker->acceptable);
	}
}

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void refuse_one(struct worker *worker)
{
	close(worker->reserve_fd);
	int fd = accept4(worker->settings.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		worker->counters->refused++;
	}
	worker->reserve_fd = open_reserve();
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct worker *worker = arg;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(address);
	int client = accept4(fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0) {
		/* Anything else: somebody was quicker, or the client has gone. */
		if (errno == EMFILE || errno == ENFILE) {
			refuse_one(worker);
		}
		return;
	}
	worker->counters->accepted++;
	conn_new(worker, client, (const struct sockaddr *)&address);
	if (!has_room(worker)) {
		stop_accepting(worker);
	}
}

/* --- turns ---------------------------------------------------------------- */

static void end_drain(struct worker *worker)
{
	int64_t since = worker_now(worker) - worker->drain_start_us;
	bool idle = TAILQ_EMPTY(&worker->conns) && engine_in_flight(worker->engine) == 0;
	if (idle || since >= worker->settings.drain_us) {
		worker->stopped = true;
	}
}

static void go_on_draining(struct worker *worker)
{
	struct conn *conn;
	struct conn *next;
	int64_t since = worker_now(worker) - worker->drain_start_us;
	worker->refusing = since >= DRAIN_SERVE_US;
	if (since >= DRAIN_SHUT_US && !worker->shut) {
		worker->shut = true;
		for (conn = TAILQ_FIRST(&worker->conns); conn != NULL; conn = next) {
			next = TAILQ_NEXT(conn, link);
			conn_shutdown(conn);
		}
	}
}

/* When too much waits for clients, the one for whom most does has to go: everybody else
 * would have to be refused on its account. */
static void drop_fullest(struct worker *worker)
{
	struct conn *fullest = TAILQ_FIRST(&worker->conns);
	struct conn *conn;
	if (worker->queued <= WORKER_QUEUE_MAX) {
		return;
	}
	TAILQ_FOREACH(conn, &worker->conns, link)
	{
		if (conn->queued > fullest->queued) {
			fullest = conn;
		}
	}
	log_write(LOG_LEVEL_WARNING, "connection_dropped",
		  "reason=READER_TOO_SLOW peer=%s bytes=%zu", fullest->peer, fullest->queued);
	worker->counters->refused++;
	conn_kill(fullest);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct worker *worker = arg;
	struct conn *conn;
	struct conn *next;
	drop_fullest(worker);
	worker->crowded = worker->n_handshakes >= worker->settings.handshakes_max;
	for (conn = TAILQ_FIRST(&worker->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, link);
		conn_sweep(conn, worker_now(worker));
	}
	if (++worker->ticks % TICKS_PER_LOOK == 0) {
		health_tick(worker);
	}
	if (worker->draining) {
		go_on_draining(worker);
	}
}

/* Connections that stopped reading in the turn before; one that stops again has
 * its turn in the next. */
static void read_again(struct worker *worker)
{
	const struct conn *last = TAILQ_LAST(&worker->again, conn_list);
	struct conn *conn = NULL;
	while (conn != last) {
		conn = TAILQ_FIRST(&worker->again);
		TAILQ_REMOVE(&worker->again, conn, again_link);
		conn->again = false;
		conn_read(conn);
	}
}

/* Likewise. */
static void flush_dirty(struct worker *worker)
{
	const struct conn *last = TAILQ_LAST(&worker->dirty, conn_list);
	struct conn *conn = NULL;
	while (conn != last) {
		conn = TAILQ_FIRST(&worker->dirty);
		TAILQ_REMOVE(&worker->dirty, conn, dirty_link);
		conn->dirty = false;
		conn_flush(conn);
	}
}

static void reap(struct worker *worker)
{
	struct conn *conn;
	struct call *call;
	while ((call = TAILQ_FIRST(&worker->gone)) != NULL) {
		call_recycle(call);
	}
	while ((conn = TAILQ_FIRST(&worker->dying)) != NULL) {
		TAILQ_REMOVE(&worker->dying, conn, link);
		conn_free(conn);
		worker_accept_more(worker);
	}
}

static void end_turn(struct worker *worker)
{
	engine_flush(worker->engine);
	flush_dirty(worker);
	reap(worker);
	if (worker->draining) {
		end_drain(worker);
	}
}

void worker_run(struct worker *worker)
{
	while (!worker->stopped) {
		bool pending = !TAILQ_EMPTY(&worker->again) || !TAILQ_EMPTY(&worker->dirty);
		worker->now_us = 0;
		event_base_loop(worker->base, EVLOOP_ONCE | (pending ? EVLOOP_NONBLOCK : 0));
		read_again(worker);
		end_turn(worker);
	}
}

/* --- life ----------------------------------------------------------------- */

static void init_lists(struct worker *worker)
{
	TAILQ_INIT(&worker->conns);
	TAILQ_INIT(&worker->dying);
	TAILQ_INIT(&worker->dirty);
	TAILQ_INIT(&worker->again);
	TAILQ_INIT(&worker->gone);
	TAILQ_INIT(&worker->spare);
	health_init(&worker->health);
}

struct worker *worker_new(struct event_base *base, struct engine *engine,
			  const struct worker_settings *settings)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL) {
		return NULL;
	}
	init_lists(worker);
	worker->base = base;
	worker->engine = engine;
	worker->settings = *settings;
	if (settings->connection_calls_max == 0) {
		worker->settings.connection_calls_max = settings->streams_max;
	}
	worker->counters = settings->counters != NULL ? settings->counters : &worker->own_counters;
	worker->reserve_fd = open_reserve();
	SSL_CTX_up_ref(settings->tls);
	event_assign(&worker->acceptable, base, settings->listen_fd, EV_READ | EV_PERSIST,
		     on_acceptable, worker);
	event_assign(&worker->tick, base, -1, EV_PERSIST, on_tick, worker);
	const struct timeval tick = { .tv_usec = TICK_US };
	event_add(&worker->tick, &tick);
	worker_accept_more(worker);
	return worker;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL) {
		return;
	}
	stop_accepting(worker);
	event_del(&worker->tick);
	while (!TAILQ_EMPTY(&worker->conns)) {
		conn_kill(TAILQ_FIRST(&worker->conns));
	}
	worker->draining = true; /* accept no more */
	end_turn(worker);
	struct call *call;
	while ((call = TAILQ_FIRST(&worker->spare)) != NULL) {
		TAILQ_REMOVE(&worker->spare, call, link);
		call_free(call);
	}
	if (worker->settings.listen_fd >= 0) {
		close(worker->settings.listen_fd);
	}
	close(worker->reserve_fd);
	SSL_CTX_free(worker->settings.tls);
	free(worker);
}

void worker_set_tls(struct worker *worker, struct ssl_ctx_st *tls)
{
	SSL_CTX_up_ref(tls);
	SSL_CTX_free(worker->settings.tls);
	worker->settings.tls = tls;
}

void worker_drain(struct worker *worker)
{
	struct conn *conn;
	if (worker->draining) {
		return;
	}
	stop_accepting(worker);
	close(worker->settings.listen_fd);
	worker->settings.listen_fd = -1;
	worker->draining = true;
	worker->drain_start_us = worker_now(worker);
	TAILQ_FOREACH(conn, &worker->conns, link)
	{
		conn_notice_shutdown(conn);
	}
}

void worker_stop(struct worker *worker)
{
	worker->stopped = true;
}

const struct route *worker_route(const struct worker *worker, const char *path)
{
	const struct route *route = health_route(path);
	if (route == NULL && worker->settings.reflection) {
		route = reflection_route(path);
	}
	for (size_t i = 0; route == NULL && i < worker->settings.n_routes; i++) {
		if (strcmp(worker->settings.routes[i].path, path) == 0) {
			route = &worker->settings.routes[i];
		}
	}
	if (route == NULL && engine_knows(worker->engine, path)) {
		route = &call_engine_route;
	}
	return route;
}
