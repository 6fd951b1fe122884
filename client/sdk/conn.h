/* One connection: addresses tried in turn, TLS, HTTP/2. It does what can be done
 * without waiting and dies once; a client makes another one then. Whoever holds
 * it reaps it: nothing is freed from inside. */
#ifndef ISMS_SDK_CONN_H
#define ISMS_SDK_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "common/status.h"

struct call;
struct config;
struct nghttp2_session;
struct ssl_ctx_st;
struct tls_stream;

enum {
	CONN_ADDRESSES_MAX = 8,
	CONN_TEXT_MAX = 320,
	CONN_OUT_MAX = 512 * 1024,   /* bytes waiting to be sent */
	CONN_OUT_ENOUGH = 64 * 1024, /* no more are made while so many wait */
	CONN_FALLBACK_US = 500000,   /* then the next address has its turn */
	CONN_ATTEMPT_US = 10000000,  /* connect and handshake */
	CONN_UNHEARD_MS = 20000,     /* bytes sent and not acknowledged by TCP */
};

enum conn_state {
	CONN_CONNECTING,
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_DEAD,
};

struct conn {
	const struct config *config;
	struct ssl_ctx_st *context;
	struct call *const *calls; /* those on this conn name it */
	int epoll;
	enum conn_state state;
	bool was_open;
	bool draining; /* takes no new calls */
	bool dirty;    /* the session may have something to send */
	bool more;     /* there is something left to read */
	int64_t now_us;
	int64_t until_us; /* of this attempt, before it is open */
	int64_t heard_us; /* when something came last */
	struct sockaddr_storage addresses[CONN_ADDRESSES_MAX];
	socklen_t address_lens[CONN_ADDRESSES_MAX];
	unsigned n_addresses;
	unsigned address; /* the one being tried */
	bool patient;     /* second round: no fallback after a short time */
	bool timed_out;   /* some address had no time in the first round */
	int fd;
	uint32_t events; /* registered with epoll; 0: not registered */
	struct tls_stream *tls;
	struct nghttp2_session *session;
	struct buf out;

	/* Why it is dead. */
	enum status_code code;
	const char *reason;
	char text[CONN_TEXT_MAX];
	bool final; /* another try would fail the same */
};

bool conn_usable(const struct conn *conn);
bool conn_idle(const struct conn *conn);
/* Why it is dead; borrowed from it. */
struct status conn_status(const struct conn *conn);
/* Marks it dead; the first reason stays. */
void conn_die(struct conn *conn, enum status_code code, const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void conn_die_of_memory(struct conn *conn);

#endif
