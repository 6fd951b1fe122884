/* One call in the engine, and the steps that it goes through; private to the
 * room. A call is always in exactly one list of waiting: a batch at the
 * database, a job at the helper, or a timer; what ends the waiting goes on with
 * the next step. */
#ifndef ISMS_ENGINE_CALL_H
#define ISMS_ENGINE_CALL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "server/db/db.h"
#include "server/engine/engine.h"
#include "server/engine/page.h"
#include "server/engine/principals.h"
#include "server/engine/registry.h"
#include "server/engine/rules.h"
#include "server/engine/work.h"

enum {
	/* what a load may take; as much again for plans that are written back; and 24 MiB
	 * for the statements and the event of the largest change (material_change.h) */
	CALL_ARENA_MAX = 64 << 20,
	CALL_LOADED_MAX = 16 << 20, /* of it, for the rows of a load */
	CALL_ATTEMPTS_MAX = 5,
	CALL_RETRY_JITTER_US = 2000,
	CALL_IN_FLIGHT_MAX = 8192,
};

struct engine {
	struct event_base *base;
	struct db *db;
	struct registry *registry;
	struct rules *rules;
	struct principals *principals;
	struct work *work;
	uint8_t secret[PAGE_SECRET]; /* of the database, for page tokens */
	struct facts_limits limits;
	struct engine_call *calls; /* in flight */
	size_t n_calls;
	TAILQ_HEAD(errand_list, errand) errands; /* under way */
	struct errand *due, *purge;              /* of these, or NULL */
	uint64_t jitter;                         /* state of the generator for retries */
};

enum call_state {
	CALL_AUTH,     /* the caller is looked up */
	CALL_LOAD,     /* the facts are read */
	CALL_WORK,     /* the helper hashes a password */
	CALL_COMMIT,   /* the plan is written */
	CALL_CONFLICT, /* what changed is looked up for a conflict's details */
	CALL_RETRY,    /* waits a little before it loads again */
};

struct engine_call {
	struct engine *engine;
	struct engine_call *prev, *next; /* in engine->calls */
	const struct method *method;
	struct arena *arena;
	struct arena_mark mark; /* after the request was unpacked */
	enum call_state state;
	unsigned attempts;
	bool gone;    /* answered or cancelled: nothing may be sent any more */
	bool waiting; /* a batch, a job or a retry timer will come back */

	uint64_t id;
	const char *peer;
	const char *org_id; /* of a call of the server itself, else NULL */
	bool has_token;
	uint8_t token_sha256[TOKEN_SHA256];
	const ProtobufCMessage *request;
	uint8_t body_sha256[32];
	int64_t deadline_us;
	struct event *timer; /* deadline */
	struct event *retry; /* jitter before a new attempt */

	engine_reply_fn reply;
	void *arg;

	const Isms__Store__V1__Principal *principal; /* newest that was loaded */
	const Isms__Store__V1__Principal *identity;  /* as first found; outlives a retry */
	const char *page_key;                        /* $page_after */
	bool past;                                   /* a read of things as they were */
	struct facts facts;
	struct plan plan;
	struct db_batch batch;
	size_t batch_max;
	struct work_job job;
	bool worked;                         /* job holds a result, also for a later attempt */
	const ProtobufCMessage *empty_reply; /* while the permission for it is looked up */
	struct status conflict;              /* while its details are looked up */
	struct status refused;               /* the answer when the commit only audits a refusal */
	const uint8_t *reply_bytes;
	size_t reply_len;
};

/* --- engine.c: how a call ends --- */
void call_answer(struct engine_call *call, const struct status *st, const uint8_t *message,
		 size_t len);
static inline void call_fail(struct engine_call *call, struct status st)
{
	call_answer(call, &st, NULL, 0);
}
/* Starts over at the load after a lost race, or gives up with ABORTED. */
void call_again(struct engine_call *call);
/* Empties the plan before a decision. */
void plan_begin(struct engine_call *call);

/* --- auth.c --- */
/* Finds out who is calling, then loads. */
void call_auth(struct engine_call *call);
/* Takes the caller's row of a load and marks the session as used. UNAUTHENTICATED
 * when there is none. */
STATUS_MUST_CHECK struct status call_take_caller(struct engine_call *call,
						 const struct db_item *item);

/* --- load.c --- */
void call_load(struct engine_call *call);

/* --- conflict.c --- */
/* Holds mutation.expected_version, if there is one, against the version that was
 * loaded. false: the call has gone on to tell of a conflict. */
bool call_check_version(struct engine_call *call);

/* --- decide.c --- */
/* The plan is made from the facts; goes on to the commit or the answer. */
void call_decide(struct engine_call *call);
/* Whether the caller only asks what would be: nothing is written, not even that it
 * was refused. */
bool call_is_dry(const struct engine_call *call);

/* --- read.c --- */
/* The load of a read without decide, and its answer. */
void call_read(struct engine_call *call);
/* Answers with a message, if it is not too large. */
void call_answer_read(struct engine_call *call, const ProtobufCMessage *reply);

/* --- password.c --- */
/* Has the helper hash or verify the request's password, then decides. */
void call_work(struct engine_call *call);

/* --- commit.c --- */
/* Writes the plan; or, when st is a refusal worth recording, only its audit
 * event. */
void call_commit(struct engine_call *call);
void call_refuse(struct engine_call *call, struct status st);

/* --- batch.c: for all that goes to the database --- */
/* A batch of up to max statements for the call. */
void batch_begin(struct engine_call *call, size_t max, enum query_class class, db_done_fn done);
/* Adds a bound statement; a parameter that does not fit is a status. */
STATUS_MUST_CHECK struct status batch_add(struct engine_call *call, const struct binding *binding,
					  const ProtobufCMessage *message,
					  const struct query_args *args);
void batch_send(struct engine_call *call);
/* Special parameters of the call as far as they are known. */
struct query_args batch_args(const struct engine_call *call);
/* The first row of a result, or NULL; *st stays OK unless it does not fit. */
const ProtobufCMessage *row_first(struct status *st, const struct binding *binding,
				  const struct db_item *item, struct arena *arena);
/* All rows of a result. */
STATUS_MUST_CHECK struct status rows_read(struct fact_set *set, const struct binding *binding,
					  const struct db_item *item, struct arena *arena);
/* Whether the rows left what comes after them its share of the arena: nothing of
 * that expects to run out of memory. */
bool call_has_room(const struct engine_call *call);
STATUS_MUST_CHECK struct status call_too_large(void);

/* --- errand.c --- */
/* Has the session of a caller marked as used. */
void errand_touch(struct engine *engine, const Isms__Store__V1__Principal *principal);
/* All that are under way; the database must have forgotten them. */
void errands_free(struct engine *engine);

/* --- event.c --- */
/* The audit event of a plan, or of a refusal (plan rows are then left out). */
struct event_rows {
	Isms__Store__V1__AuditRow *audit;
	Isms__Store__V1__OutboxRows *outbox; /* NULL: nothing has changed */
};
struct event_rows event_of(const struct engine_call *call, const struct status *refused);

#endif
