/* One RPC in flight, from the first field of its head to the end of its stream.
 * Checks what gRPC asks of a request, takes messages out of the bytes and hands
 * them to the route of its path; the route answers with call_send and
 * call_finish. Until a unary call of the engine is started its deadline is kept
 * here, then by the engine, which alone knows whether a commit was sent. For
 * streams it is kept here to the end. */
#ifndef ISMS_NET_CALL_H
#define ISMS_NET_CALL_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/grpc.h"
#include "common/status.h"
#include "server/net/codec.h"
#include "server/net/head.h"

struct call;
struct conn;
struct engine_call;
struct worker;

/* How the calls of a path are served. All functions but message may be NULL. */
struct route {
	const char *path;
	bool streaming; /* answers with more than one message, or takes more */
	bool many;      /* the client sends any number of messages, handed on at once */
	/* One message, borrowed for the time of the function. Unless many: the
	 * only one, after the client has ended. */
	void (*message)(struct call *call, const uint8_t *data, size_t len);
	/* many: the client has ended. */
	void (*end)(struct call *call);
	/* The call ends without call_finish by the route (client gone, deadline,
	 * shutdown): after this the route may not use it. */
	void (*cancel)(struct call *call);
	/* Once after call_want_room: what waits has gone below CALL_ROOM. */
	void (*room)(struct call *call);
	void *arg; /* the route's own */
};

enum { CALL_ROOM = 32 * 1024 };

enum call_state {
	CALL_HEAD,     /* fields come in */
	CALL_BODY,     /* bytes come in */
	CALL_RUNNING,  /* the route has it */
	CALL_ANSWERED, /* what is left to do is sending */
	CALL_GONE,     /* the stream has ended; waits to be reaped */
};

struct call {
	TAILQ_ENTRY(call) link; /* of its connection, or of the worker's gone or spare ones */
	enum call_state state;
	struct worker *worker;
	struct conn *conn;
	struct codec_stream *stream; /* NULL once gone */
	const struct route *route;
	void *data;          /* the route's, in the arena */
	struct arena *arena; /* reset to fresh when the call is reaped */
	struct arena_mark fresh;
	uint64_t id;
	int64_t deadline_us; /* monotonic; 0 for none */
	int64_t answered_us;
	struct event timer;
	bool timed;
	bool wants_room;
	struct head head;
	/* message being received */
	uint8_t prefix[GRPC_PREFIX];
	size_t prefix_len;
	uint32_t need;
	unsigned n_messages; /* complete ones */
	struct buf body;
	/* of engine calls */
	struct engine_call *engine_call;
};

TAILQ_HEAD(call_list, call);

/* What the codec tells about streams; its arg is the struct conn. */
extern const struct codec_handler call_handler;

/* Unary methods of the engine. */
extern const struct route call_engine_route;

/* Adds a message to the answer; marks the connection. When the client takes too
 * slowly (CODEC_QUEUE_MAX) the call ends with RESOURCE_EXHAUSTED, through cancel,
 * and false is returned. */
bool call_send(struct call *call, const uint8_t *message, size_t len);
/* Bytes of the answer that wait to be taken by the client. */
size_t call_queued(const struct call *call);
/* Has the route told, once, when there is room. */
void call_want_room(struct call *call);
/* Ends the call; the route may not use it any more. */
void call_finish(struct call *call, const struct status *st);

/* For conn: arms the timer of a call whose message is not yet complete. */
void call_wait(struct call *call);
/* For conn: the connection is gone. */
void call_drop(struct call *call);
/* For conn, once in a while: gives up an answer that finds no taker. */
void call_sweep(struct call *call, int64_t now_us);
/* For conn, when it has sent something. */
void call_offer_room(struct call *call);
/* For worker, at the end of a turn: makes a call that is gone a spare one. */
void call_recycle(struct call *call);
/* For worker: a spare call's memory. */
void call_free(struct call *call);
/* For worker: ends a streaming call, since the server shuts down. */
void call_shutdown(struct call *call);

#endif
