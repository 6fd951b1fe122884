/* One client connection, see conn.h. Reading stops for a turn after READS_MAX
 * records so that one client cannot keep the others waiting; what TLS has already
 * taken from the socket is then read in the next turn, since the socket will not
 * tell. Output is bounded by OUT_MAX; while the peer does not take it nothing is
 * read, hence nothing more becomes due. */
#include "server/net/conn.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/tls.h"
#include "server/net/codec.h"
#include "server/net/worker.h"

enum {
	READS_MAX = 8,  /* a turn */
	WRITES_MAX = 4, /* fills of the output a turn */
	OUT_MAX = 256 * 1024,
	OUT_CAP = OUT_MAX + 32 * 1024, /* and the frame that reaches OUT_MAX */
	GREETING_US = 10 * 1000000,
	CLOSING_US = 5 * 1000000,
	STALL_US = 60 * 1000000,
	KEEPALIVE_S = 60,
	USER_TIMEOUT_MS = 30 * 1000, /* for what was sent to be acknowledged */
	TELL_US = 60 * 1000000,      /* between two lines about refused addresses */
	CROWDED_HANDSHAKE_US = 250 * 1000,
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

static void write_peer(struct conn *conn, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(conn->peer, sizeof(conn->peer), "[%s]:%u", text, ntohs(in6->sin6_port));
	} else if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(conn->peer, sizeof(conn->peer), "%s:%u", text, ntohs(in->sin_port));
	}
}

/* Failures do not matter: the connection works all the same. */
static void set_options(int fd)
{
	int on = 1;
	int idle = KEEPALIVE_S;
	unsigned timeout = USER_TIMEOUT_MS;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static void write_site(uint8_t site[CONN_SITE], const struct sockaddr *address)
{
	memset(site, 0, CONN_SITE);
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		site[0] = 4;
		memcpy(site + 1, &in->sin_addr, sizeof(in->sin_addr));
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		site[0] = mapped ? 4 : 6;
		memcpy(site + 1, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
	}
}

/* Whether one more may come from there; else it is told of, now and then. */
static bool has_place(struct worker *worker, const struct sockaddr *address)
{
	uint8_t site[CONN_SITE];
	size_t n = 0;
	struct conn *conn;
	if (worker->settings.address_connections_max == 0) {
		return true;
	}
	write_site(site, address);
	TAILQ_FOREACH(conn, &worker->conns, link)
	{
		n += memcmp(conn->site, site, CONN_SITE) == 0;
	}
	if (n < worker->settings.address_connections_max) {
		return true;
	}
	worker->counters->refused++;
	if (worker->told_us == 0 || worker_now(worker) - worker->told_us >= TELL_US) {
		struct conn refused;
		write_peer(&refused, address);
		log_write(LOG_LEVEL_WARNING, "connection_refused",
			  "reason=ADDRESS_CONNECTIONS peer=%s connections=%zu", refused.peer, n);
		worker->told_us = worker_now(worker);
	}
	return false;
}

struct conn *conn_new(struct worker *worker, int fd, const struct sockaddr *address)
{
	if (!has_place(worker, address)) {
		close(fd);
		return NULL;
	}
	struct conn *conn = calloc(1, sizeof(*conn));
	struct tls_stream *tls = tls_stream_new(worker->settings.tls, fd, NULL);
	if (conn == NULL || tls == NULL) {
		tls_stream_free(tls);
		free(conn);
		close(fd);
		return NULL;
	}
	conn->worker = worker;
	conn->fd = fd;
	conn->tls = tls;
	conn->state = CONN_HANDSHAKE;
	conn->deadline_us = worker_now(worker) + worker->settings.handshake_us;
	TAILQ_INIT(&conn->calls);
	buf_init(&conn->out, OUT_CAP);
	conn->busy_us = worker_now(worker);
	write_peer(conn, address);
	write_site(conn->site, address);
	set_options(fd);
	event_assign(&conn->readable, worker->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->writable, worker->base, fd, EV_WRITE, on_writable, conn);
	event_add(&conn->readable, NULL);
	TAILQ_INSERT_TAIL(&worker->conns, conn, link);
	worker->n_conns++;
	worker->n_handshakes++;
	worker->counters->connections = worker->n_conns;
	return conn;
}

void conn_free(struct conn *conn)
{
	codec_free(conn->codec);
	tls_stream_free(conn->tls);
	close(conn->fd);
	buf_done(&conn->out);
	free(conn);
}

void conn_kill(struct conn *conn)
{
	struct worker *worker = conn->worker;
	struct call *call;
	if (conn->state == CONN_DYING) {
		return;
	}
	if (conn->state == CONN_HANDSHAKE) {
		worker->n_handshakes--;
		worker->counters->handshakes_failed++;
	}
	conn->state = CONN_DYING;
	while ((call = TAILQ_FIRST(&conn->calls)) != NULL) {
		call_drop(call);
	}
	event_del(&conn->readable);
	event_del(&conn->writable);
	if (conn->dirty) {
		TAILQ_REMOVE(&worker->dirty, conn, dirty_link);
	}
	if (conn->again) {
		TAILQ_REMOVE(&worker->again, conn, again_link);
	}
	worker->queued -= conn->queued;
	TAILQ_REMOVE(&worker->conns, conn, link);
	TAILQ_INSERT_TAIL(&worker->dying, conn, link);
	worker->n_conns--;
	worker->counters->connections = worker->n_conns;
}

void conn_mark(struct conn *conn)
{
	if (!conn->dirty && conn->state != CONN_DYING) {
		conn->dirty = true;
		TAILQ_INSERT_TAIL(&conn->worker->dirty, conn, dirty_link);
	}
}

static void read_again(struct conn *conn)
{
	if (!conn->again) {
		conn->again = true;
		TAILQ_INSERT_TAIL(&conn->worker->again, conn, again_link);
	}
}

/* --- reading -------------------------------------------------------------- */

static void start_closing(struct conn *conn)
{
	conn->state = CONN_CLOSING;
	conn->deadline_us = worker_now(conn->worker) + CLOSING_US;
	event_del(&conn->readable);
	conn_mark(conn);
}

static void wait_writable(struct conn *conn)
{
	if (!conn->writing) {
		conn->writing = true;
		conn->stalled_us = worker_now(conn->worker);
		event_add(&conn->writable, NULL);
	}
}

static void shake_hands(struct conn *conn)
{
	switch (tls_handshake(conn->tls)) {
	case TLS_DONE:
		break;
	case TLS_WANT_READ:
		return;
	case TLS_WANT_WRITE:
		wait_writable(conn);
		return;
	default:
		log_write(LOG_LEVEL_DEBUG, "handshake_failed", "peer=%s why=%s", conn->peer,
			  tls_stream_error(conn->tls));
		conn_kill(conn);
		return;
	}
	struct worker *worker = conn->worker;
	conn->codec = codec_new(&call_handler, conn, worker->settings.streams_max);
	if (conn->codec == NULL) {
		conn_kill(conn);
		return;
	}
	conn->state = CONN_OPEN;
	conn->deadline_us = worker_now(worker) + GREETING_US;
	worker->n_handshakes--;
	if (worker->draining) {
		codec_notice_shutdown(conn->codec);
	}
	if (worker->shut) {
		codec_shutdown(conn->codec);
	}
	worker_accept_more(worker);
	conn_mark(conn); /* SETTINGS go out at once: clients wait for them */
}

/* Timers for the calls that this read has left incomplete. */
static void wait_for_calls(struct conn *conn)
{
	struct call *call;
	if (conn->n_waiting > 0) {
		TAILQ_FOREACH(call, &conn->calls, link)
		{
			call_wait(call);
		}
	}
}

/* true: there may be more to read at once. */
static bool read_once(struct conn *conn)
{
	struct worker *worker = conn->worker;
	size_t len = 0;
	switch (tls_read(&len, conn->tls, worker->scratch, sizeof(worker->scratch))) {
	case TLS_DONE:
		break;
	case TLS_WANT_READ:
		return false;
	case TLS_WANT_WRITE:
		wait_writable(conn);
		return false;
	default:
		conn_kill(conn);
		return false;
	}
	bool open = codec_receive(conn->codec, worker_now(worker), worker->scratch, len);
	if (conn->state == CONN_DYING) {
		return false;
	}
	if (!open) {
		start_closing(conn);
		return false;
	}
	if (codec_wants_write(conn->codec)) {
		conn_mark(conn);
	}
	return true;
}

void conn_read(struct conn *conn)
{
	if (conn->state == CONN_HANDSHAKE) {
		shake_hands(conn);
	}
	unsigned n = 0;
	bool more = true;
	while (conn->state == CONN_OPEN && more && n++ < READS_MAX) {
		if (buf_len(&conn->out) >= OUT_MAX) {
			conn->paused = true;
			event_del(&conn->readable);
			break;
		}
		more = read_once(conn);
	}
	if (conn->state == CONN_OPEN) {
		wait_for_calls(conn);
		if (more && !conn->paused) {
			read_again(conn);
		}
	}
}

/* Nothing of it is looked at. */
static void drop_input(struct conn *conn)
{
	struct worker *worker = conn->worker;
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(conn->fd, worker->scratch, sizeof(worker->scratch), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			conn_kill(conn);
			return;
		}
		if (n < 0) {
			return;
		}
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct conn *conn = arg;
	if (conn->state == CONN_LINGERING) {
		drop_input(conn);
	} else {
		conn_read(conn);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct conn *conn = arg;
	conn->writing = false;
	if (conn->state == CONN_HANDSHAKE) {
		conn_read(conn);
	} else {
		conn_mark(conn);
	}
}

/* --- writing -------------------------------------------------------------- */

static void count_queued(struct conn *conn)
{
	size_t queued = codec_queued(conn->codec) + buf_len(&conn->out);
	conn->worker->queued += queued - conn->queued;
	conn->queued = queued;
}

static void resume_reading(struct conn *conn)
{
	if (conn->paused && buf_len(&conn->out) < OUT_MAX / 2 && conn->state == CONN_OPEN) {
		conn->paused = false;
		event_add(&conn->readable, NULL);
		read_again(conn);
	}
}

/* Fills the output and sends it. true: all that there was is sent. */
static bool write_out(struct conn *conn)
{
	for (unsigned i = 0; i < WRITES_MAX; i++) {
		if (!codec_produce(conn->codec, &conn->out, OUT_MAX)) {
			conn_kill(conn);
			return false;
		}
		if (buf_len(&conn->out) == 0) {
			return true;
		}
		if (conn->writing) {
			return false;
		}
		size_t before = buf_len(&conn->out);
		enum tls_result result = tls_write(conn->tls, &conn->out);
		if (buf_len(&conn->out) < before) {
			conn->stalled_us = 0;
		}
		if (result == TLS_WANT_WRITE || result == TLS_WANT_READ) {
			int64_t since = conn->stalled_us;
			wait_writable(conn);
			conn->stalled_us = since != 0 ? since : conn->stalled_us;
			return false;
		}
		if (result != TLS_DONE) {
			conn_kill(conn);
			return false;
		}
	}
	if (codec_wants_write(conn->codec)) {
		conn_mark(conn);
		return false;
	}
	return true;
}

/* To close with bytes unread would reset the connection, and the peer would lose
 * what was sent last: why it ends. What still comes is dropped until the peer
 * closes too. A worker that drains does not wait for that. */
static void linger(struct conn *conn)
{
	if (conn->worker->draining) {
		conn_kill(conn);
		return;
	}
	conn->state = CONN_LINGERING;
	conn->deadline_us = worker_now(conn->worker) + CLOSING_US;
	tls_stream_free(conn->tls);
	conn->tls = NULL;
	shutdown(conn->fd, SHUT_WR);
	event_add(&conn->readable, NULL);
}

static void offer_room(struct conn *conn)
{
	struct call *call;
	if (conn->n_want_room == 0) {
		return;
	}
	TAILQ_FOREACH(call, &conn->calls, link)
	{
		call_offer_room(call);
	}
}

void conn_flush(struct conn *conn)
{
	if (conn->codec == NULL || conn->state == CONN_LINGERING) {
		return;
	}
	bool sent = write_out(conn);
	if (conn->state == CONN_DYING) {
		return;
	}
	count_queued(conn);
	offer_room(conn);
	resume_reading(conn);
	if (sent && (conn->state == CONN_CLOSING || codec_done(conn->codec))) {
		linger(conn);
	}
}

/* --- ends ----------------------------------------------------------------- */

/* Who takes its time while others wait to be accepted has less of it. */
static bool hampers(const struct conn *conn, int64_t now_us)
{
	const struct worker_settings *settings = &conn->worker->settings;
	return conn->state == CONN_HANDSHAKE && conn->worker->crowded &&
	       now_us >= conn->deadline_us - settings->handshake_us + CROWDED_HANDSHAKE_US;
}

/* A client that has nothing to ask connects again when it has. */
static void send_away_idle(struct conn *conn, int64_t now_us)
{
	int64_t idle_us = conn->worker->settings.idle_us;
	if (conn->n_calls > 0) {
		conn->busy_us = now_us;
	} else if (idle_us > 0 && now_us - conn->busy_us >= idle_us) {
		conn->busy_us = now_us;
		conn_shutdown(conn);
	}
}

void conn_sweep(struct conn *conn, int64_t now_us)
{
	if (conn->state == CONN_OPEN && conn->deadline_us != 0 && codec_greeted(conn->codec)) {
		conn->deadline_us = 0;
	}
	if ((conn->deadline_us != 0 && now_us >= conn->deadline_us) ||
	    (conn->writing && now_us - conn->stalled_us > STALL_US) || hampers(conn, now_us)) {
		conn_kill(conn);
		return;
	}
	struct call *call;
	TAILQ_FOREACH(call, &conn->calls, link)
	{
		call_sweep(call, now_us);
	}
	send_away_idle(conn, now_us);
}

static void end_streams(struct conn *conn)
{
	struct call *call;
	TAILQ_FOREACH(call, &conn->calls, link)
	{
		call_shutdown(call);
	}
}

void conn_notice_shutdown(struct conn *conn)
{
	if (conn->state == CONN_OPEN) {
		codec_notice_shutdown(conn->codec);
		conn_mark(conn);
		end_streams(conn);
	}
}

void conn_shutdown(struct conn *conn)
{
	if (conn->state == CONN_OPEN) {
		end_streams(conn); /* that came after the notice */
		codec_shutdown(conn->codec);
		conn_mark(conn);
	}
}
