/* The wire of a conn, see wire.h. Addresses are tried one after another: each has a
 * short time while others wait, and a long one in a second round, so that one
 * that does not answer neither hides the next nor is given up too early. A
 * descriptor is registered with the client's epoll for what is waited for now,
 * level-triggered. */
#include "client/sdk/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client/sdk/conn.h"
#include "client/sdk/options.h"
#include "client/sdk/session.h"
#include "common/tls.h"

enum {
	READ_SIZE = 16 * 1024,
	READS_MAX = 64, /* in one turn */
};

/* --- waiting -------------------------------------------------------------- */

static void watch(struct conn *conn, uint32_t events)
{
	if (conn->events == events || conn->state == CONN_DEAD) {
		return;
	}
	struct epoll_event event = { .events = events };
	int op = conn->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	if (epoll_ctl(conn->epoll, op, conn->fd, &event) != 0) {
		conn_die_of_memory(conn);
		return;
	}
	conn->events = events;
}

static void close_socket(struct conn *conn)
{
	tls_stream_free(conn->tls);
	conn->tls = NULL;
	if (conn->fd < 0) {
		return;
	}
	if (conn->events != 0) {
		epoll_ctl(conn->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
		conn->events = 0;
	}
	close(conn->fd);
	conn->fd = -1;
}

/* --- connecting ----------------------------------------------------------- */

static int lookup(struct addrinfo **out, const struct config *config, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags,
	};
	return getaddrinfo(config->host, config->port, &hints, out);
}

static void resolve(struct conn *conn)
{
	struct addrinfo *found = NULL;
	int rc = lookup(&found, conn->config, AI_NUMERICHOST);
	if (rc == EAI_NONAME) {
		rc = lookup(&found, conn->config, AI_ADDRCONFIG);
	}
	if (rc == EAI_MEMORY) {
		conn_die_of_memory(conn);
		return;
	}
	for (struct addrinfo *at = rc == 0 ? found : NULL;
	     at != NULL && conn->n_addresses < CONN_ADDRESSES_MAX; at = at->ai_next) {
		if (at->ai_addrlen <= sizeof(conn->addresses[0])) {
			memcpy(&conn->addresses[conn->n_addresses], at->ai_addr, at->ai_addrlen);
			conn->address_lens[conn->n_addresses++] = at->ai_addrlen;
		}
	}
	if (rc == 0) {
		freeaddrinfo(found);
	}
	if (conn->n_addresses == 0) {
		conn_die(conn, STATUS_CODE_UNAVAILABLE, "RESOLVE_FAILED",
			 "cannot resolve %.200s: %s", conn->config->host,
			 gai_strerror(rc != 0 ? rc : EAI_NONAME));
	}
}

static void set_options(int fd)
{
	static const int one = 1;
	static const int idle_s = CONN_UNHEARD_MS / 1000;
	static const int probe_s = 5;
	static const unsigned unheard_ms = CONN_UNHEARD_MS;
	/* Each only makes things better. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_s, sizeof(probe_s));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms, sizeof(unheard_ms));
}

/* Begins to connect to the current address; 0 or an errno. */
static int start_connect(struct conn *conn)
{
	const struct sockaddr_storage *address = &conn->addresses[conn->address];
	conn->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0) {
		return errno;
	}
	set_options(conn->fd);
	if (connect(conn->fd, (const struct sockaddr *)address,
		    conn->address_lens[conn->address]) != 0 &&
	    errno != EINPROGRESS && errno != EINTR) {
		return errno;
	}
	bool hurry = !conn->patient && conn->n_addresses > 1;
	conn->state = CONN_CONNECTING;
	conn->until_us = conn->now_us + (hurry ? CONN_FALLBACK_US : CONN_ATTEMPT_US);
	watch(conn, EPOLLOUT);
	return 0;
}

/* The current address has failed with error; goes to the next one that starts. */
static void next_address(struct conn *conn, int error)
{
	while (error != 0 && conn->state != CONN_DEAD) {
		close_socket(conn);
		conn->timed_out = conn->timed_out || (error == ETIMEDOUT && !conn->patient);
		conn->address++;
		if (conn->address == conn->n_addresses && conn->timed_out && !conn->patient) {
			conn->patient = true;
			conn->address = 0;
		}
		if (conn->address == conn->n_addresses) {
			conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECT_FAILED",
				 "cannot connect to %.200s: %s", conn->config->address,
				 strerrordesc_np(error));
			return;
		}
		error = start_connect(conn);
	}
}

static void fail_handshake(struct conn *conn, enum tls_result result)
{
	if (result == TLS_CLOSED) {
		conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECT_FAILED",
			 "cannot connect to %.200s: %s in the tls handshake", conn->config->address,
			 tls_stream_error(conn->tls));
		return;
	}
	conn_die(conn, STATUS_CODE_UNAVAILABLE, "TLS_FAILED", "tls with %.200s: %s",
		 conn->config->address, tls_stream_error(conn->tls));
	conn->final = true;
}

static void go_on_handshake(struct conn *conn)
{
	enum tls_result result = tls_handshake(conn->tls);
	switch (result) {
	case TLS_WANT_READ:
		watch(conn, EPOLLIN);
		return;
	case TLS_WANT_WRITE:
		watch(conn, EPOLLOUT);
		return;
	case TLS_DONE:
		conn->state = CONN_OPEN;
		conn->heard_us = conn->now_us;
		if (!session_open(conn)) {
			conn_die_of_memory(conn);
		}
		return;
	default:
		fail_handshake(conn, result);
		return;
	}
}

static void go_on_connecting(struct conn *conn)
{
	struct pollfd waiting = { .fd = conn->fd, .events = POLLOUT };
	if (poll(&waiting, 1, 0) <= 0) {
		return;
	}
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
		error = errno;
	}
	if (error != 0) {
		next_address(conn, error);
		return;
	}
	conn->tls = tls_stream_new(conn->context, conn->fd, conn->config->server_name);
	if (conn->tls == NULL) {
		conn_die_of_memory(conn);
		return;
	}
	conn->state = CONN_HANDSHAKE;
	conn->until_us = conn->now_us + CONN_ATTEMPT_US;
}

struct conn *wire_new(const struct config *config, struct ssl_ctx_st *context, int epoll,
		      struct call *const *calls, int64_t now_us)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (conn == NULL) {
		return NULL;
	}
	conn->config = config;
	conn->context = context;
	conn->epoll = epoll;
	conn->calls = calls;
	conn->now_us = now_us;
	conn->fd = -1;
	buf_init(&conn->out, CONN_OUT_MAX);
	resolve(conn);
	if (conn->state != CONN_DEAD) {
		next_address(conn, start_connect(conn));
	}
	return conn;
}

void wire_free(struct conn *conn)
{
	if (conn == NULL) {
		return;
	}
	nghttp2_session_del(conn->session);
	close_socket(conn);
	buf_done(&conn->out);
	free(conn);
}

/* --- reading and writing -------------------------------------------------- */

static void lose(struct conn *conn)
{
	conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECTION_LOST",
		 "the connection to %.200s was lost: %s", conn->config->address,
		 tls_stream_error(conn->tls));
}

static void read_all(struct conn *conn)
{
	uint8_t data[READ_SIZE];
	conn->more = false;
	for (unsigned i = 0; i < READS_MAX && conn->state == CONN_OPEN; i++) {
		size_t len = 0;
		enum tls_result result = tls_read(&len, conn->tls, data, sizeof(data));
		if (result == TLS_CLOSED || result == TLS_FAILED) {
			lose(conn);
			return;
		}
		if (result != TLS_DONE) {
			return;
		}
		conn->heard_us = conn->now_us;
		session_feed(conn, data, len);
	}
	conn->more = true;
}

void wire_flush(struct conn *conn)
{
	uint32_t events = EPOLLIN;
	while (conn->state == CONN_OPEN) {
		session_pull(conn);
		if (conn->state != CONN_OPEN || buf_len(&conn->out) == 0) {
			break;
		}
		enum tls_result result = tls_write(conn->tls, &conn->out);
		if (result == TLS_CLOSED || result == TLS_FAILED) {
			/* What the server has said before it closed counts. */
			read_all(conn);
			lose(conn);
			return;
		}
		if (result != TLS_DONE) {
			events |= EPOLLOUT;
			break;
		}
	}
	if (conn->state == CONN_OPEN && buf_len(&conn->out) == 0 && session_over(conn)) {
		conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECTION_LOST",
			 conn->draining ? "%.200s closed the connection"
					: "%.200s broke the protocol",
			 conn->config->address);
	}
	if (conn->state == CONN_OPEN) {
		conn->dirty = false;
		watch(conn, events);
	}
}

void wire_process(struct conn *conn, int64_t now_us)
{
	conn->now_us = now_us;
	if (conn->state == CONN_CONNECTING) {
		go_on_connecting(conn);
	}
	if (conn->state == CONN_HANDSHAKE) {
		go_on_handshake(conn);
	}
	if ((conn->state == CONN_CONNECTING || conn->state == CONN_HANDSHAKE) &&
	    now_us >= conn->until_us) {
		next_address(conn, ETIMEDOUT);
	}
	if (conn->state == CONN_OPEN) {
		read_all(conn);
	}
	if (conn->state == CONN_OPEN && conn->draining && conn_idle(conn)) {
		conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECTION_LOST",
			 "the server closed the connection");
	}
}
