/* What a decision wants to happen: rows to write and the reply. The engine
 * writes all of it in one transaction together with the audit event, the outbox
 * row and the idempotency row, or nothing. */
#ifndef ISMS_DOMAIN_PLAN_H
#define ISMS_DOMAIN_PLAN_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "common/uuid.h"
#include "server/domain/kind.h"

struct arena;

enum { PLAN_ROWS_MAX = 7168 };

enum plan_op {
	PLAN_INSERT, /* new versioned row */
	PLAN_UPDATE, /* versioned row that must still have before's version */
	PLAN_PUT,    /* child or append-only row */
};

struct plan_row {
	enum plan_op op;
	enum kind_id kind;
	const ProtobufCMessage *before; /* PLAN_UPDATE: as loaded */
	const ProtobufCMessage *after;
};

struct plan {
	struct arena *arena;
	int64_t now_us;
	const char *actor_id; /* user id, for created_by and updated_by */
	void (*entropy)(void *out, size_t len);

	struct plan_row *rows; /* in the arena, up to PLAN_ROWS_MAX */
	size_t n_rows, room;
	const ProtobufCMessage *reply;
	/* The object that the call is about, for the audit event and the outbox;
	 * the first row's unless set. */
	enum kind_id subject_kind;
	const char *subject_id;
	/* Organisation and actor for calls without a principal (login,
	 * activation); NULL otherwise. */
	const char *org_id;
	const char *org_actor_id;
	/* Everything that the method's statement "leftover" looks for ends in this plan;
	 * the commit proves it. */
	bool ends_all;
	/* Not OK: the rows are committed all the same, the call is answered with
	 * this and audited as refused (a failed login is counted). */
	struct status outcome;
};

/* A new UUIDv7, in the arena. */
char *plan_new_id(struct plan *plan);

/* A deep copy of a loaded message to be changed; the sub-message "meta" is its
 * own. Strings and lists are shared with the original until replaced. */
ProtobufCMessage *plan_copy(struct plan *plan, const ProtobufCMessage *message);
#define plan_copy_of(plan, Type, message) ((Type *)(void *)plan_copy((plan), &(message)->base))

/* Adds a row of a versioned kind. Makes row->meta with a new id unless it has
 * one, version 1, created and updated now by the actor; keeps meta->ref. */
void plan_insert(struct plan *plan, enum kind_id kind, ProtobufCMessage *row);
/* Adds a change. after is a plan_copy of before; gets version + 1, updated now
 * by the actor. A row may be updated once in a plan, whichever set it was loaded with. */
void plan_update(struct plan *plan, enum kind_id kind, const ProtobufCMessage *before,
		 ProtobufCMessage *after);
/* Adds a child or append-only row. */
void plan_put(struct plan *plan, enum kind_id kind, const ProtobufCMessage *row);

/* Sets the reply; message lives in the arena. */
void plan_reply(struct plan *plan, const ProtobufCMessage *message);

#endif
