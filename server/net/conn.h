/* One client connection: socket, TLS and codec, and the bytes between them. It
 * reads only while its output is not blocked, writes only at the end of a loop
 * turn, and is freed only there: conn_kill moves it to the dying ones. */
#ifndef ISMS_NET_CONN_H
#define ISMS_NET_CONN_H

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "server/net/call.h"

struct codec;
struct sockaddr;
struct tls_stream;
struct worker;

/* Whose connections are counted together: an IPv4 address, or the 64 bits of an IPv6
 * address that a site is given. */
enum { CONN_SITE = 9 };

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_CLOSING,   /* no more is read; ends when the output is sent */
	CONN_LINGERING, /* all is sent; what still comes is dropped until the peer closes */
	CONN_DYING,     /* to be freed at the end of the turn */
};

struct conn {
	TAILQ_ENTRY(conn) link; /* worker's open or dying ones */
	TAILQ_ENTRY(conn) dirty_link;
	TAILQ_ENTRY(conn) again_link;
	struct worker *worker;
	enum conn_state state;
	int fd;
	bool dirty;   /* on the list of those to flush */
	bool again;   /* on the list of those to read in the next turn */
	bool paused;  /* not reading, since the output is blocked */
	bool writing; /* waits for the socket to become writable */
	struct tls_stream *tls;
	struct codec *codec; /* NULL in the handshake */
	struct event readable;
	struct event writable;
	struct buf out;
	int64_t deadline_us; /* of handshake, greeting or closing; 0 for none */
	int64_t busy_us;     /* latest sweep that found a call, or when it was accepted */
	int64_t stalled_us;  /* since when the peer has taken nothing; 0: it takes */
	struct call_list calls;
	size_t n_calls;
	size_t n_waiting;   /* calls whose message is not complete */
	size_t n_want_room; /* calls to be told when their output was taken */
	size_t body_bytes;  /* announced by the messages being received */
	size_t queued;      /* of the worker's sum of waiting output */
	char peer[INET6_ADDRSTRLEN + 8];
	uint8_t site[CONN_SITE]; /* see conn_site */
};

TAILQ_HEAD(conn_list, conn);

/* Takes fd. NULL, with fd closed, when out of memory or when the address has as many
 * connections as it may. Joins the worker's open ones. */
struct conn *conn_new(struct worker *worker, int fd, const struct sockaddr *address);
/* For the worker, at the end of a turn. */
void conn_free(struct conn *conn);

/* Has something to send at the end of the turn. */
void conn_mark(struct conn *conn);
/* Reads on where an earlier turn stopped. */
void conn_read(struct conn *conn);
/* Sends what there is, at the end of a turn. */
void conn_flush(struct conn *conn);
/* Drops the calls and joins the dying ones. */
void conn_kill(struct conn *conn);
/* Ends what has lasted too long. */
void conn_sweep(struct conn *conn, int64_t now_us);

/* Shutting down: first the notice, later the end of new calls. */
void conn_notice_shutdown(struct conn *conn);
void conn_shutdown(struct conn *conn);

#endif
