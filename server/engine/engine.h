/* Runs calls: auth, load, (work), decide, commit, reply. One engine a worker,
 * single-threaded. */
#ifndef ISMS_ENGINE_ENGINE_H
#define ISMS_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "server/engine/rpc.h"

struct db;
struct engine;
struct engine_call;
struct event_base;
struct query_set;

/* A request as it came off the wire; borrowed for the time of
 * engine_call_start, which copies what it keeps. */
struct engine_request {
	uint64_t id;               /* number of the call, for the log */
	const char *path;          /* "/isms.v1.RiskService/GetRisk" */
	const char *authorization; /* value of the metadata, or NULL */
	const char *peer;          /* address of the client */
	int64_t deadline_us;       /* monotonic clock; 0 for none */
	const uint8_t *message;    /* one protobuf message */
	size_t len;
};

/* The reply, exactly once and never after engine_call_cancel: either st is OK
 * and message holds the reply, or message is NULL. Both borrowed for the time of
 * the function, which must not call back into the engine. */
typedef void (*engine_reply_fn)(void *arg, const struct status *st, const uint8_t *message,
				size_t len);

/* Binds every row of every service against the described queries; a mismatch
 * returns NULL and logs one line a fault. Waits for the database once (a secret
 * is loaded through db). base and db NULL: only checks, for --check. */
struct engine *engine_new(struct event_base *base, struct db *db, struct query_set *queries,
			  const struct rpc_service *const *services, size_t n_services);
/* What decisions are told of the settings; until then there are no limits. */
void engine_set_limits(struct engine *engine, const struct facts_limits *limits);
/* Calls in flight are dropped without reply. Free the db first: what it still
 * holds belongs to calls. */
void engine_free(struct engine *engine);

/* Whether a path names a method that is served (else the answer is UNIMPLEMENTED). */
bool engine_knows(const struct engine *engine, const char *path);

/* Starts a call; the reply function may run before this returns, and then NULL
 * is returned. */
struct engine_call *engine_call_start(struct engine *engine, const struct engine_request *request,
				      engine_reply_fn reply, void *arg);
/* The client is gone; what was sent to the database is not cancelled. */
void engine_call_cancel(struct engine_call *call);

/* Starts a method of RPC_AUTH_SYSTEM for an organisation; request is copied. The
 * reply, which may run before this returns, has no message. */
void engine_system_start(struct engine *engine, const char *path, const char *org_id,
			 const ProtobufCMessage *request, engine_reply_fn reply, void *arg);

/* What is due (statement clock_due), borrowed for the time of the function, or a
 * status why nobody knows. */
struct engine_due {
	const struct Isms__Store__V1__ClockDue *const *rows;
	size_t n;
};
typedef void (*engine_due_fn)(void *arg, const struct status *st, const struct engine_due *due);
/* Asks for what is due but for some objects, and in passing has old keys of idempotency
 * deleted. The function runs once, never from within; until then, not to be asked
 * again. skip_ids, of uuids, at most ENGINE_SKIP_MAX, is borrowed for the time of this. */
enum { ENGINE_SKIP_MAX = 1024 };
void engine_due(struct engine *engine, char *const *skip_ids, size_t n_skip_ids, engine_due_fn fn,
		void *arg);

/* Whether the database answers; for health. */
bool engine_serving(const struct engine *engine);
/* End of the loop turn: sends to the database what was asked of it, by calls or
 * else through the same db. */
void engine_flush(struct engine *engine);
/* Calls in flight, with those whose client is gone. */
size_t engine_in_flight(const struct engine *engine);

#endif
