/* A seeded bug, see common/seeded.h: the idempotency row of a call is written after its
 * transaction, by one of its own. */
#ifndef ISMS_ENGINE_SEEDED_KEY_H
#define ISMS_ENGINE_SEEDED_KEY_H

#include "server/engine/call.h"

#ifdef ISMS_SEEDED_BUGS
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/pb.h"

static inline void seeded_key_done(struct db_batch *batch, const struct status *st)
{
	(void)st;
	arena_free(batch->arena);
}

static inline void seeded_key_apart(const struct engine_call *call)
{
	struct arena *arena = arena_new(1 << 22);
	struct query_args args = batch_args(call);
	Isms__Store__V1__Idempotency key;
	if (arena == NULL)
		abort();
	struct db_batch *batch = arena_new_of(arena, struct db_batch);
	struct db_item *item = arena_new_of(arena, struct db_item);
	isms__store__v1__idempotency__init(&key);
	key.rpc = call->method->path;
	key.body_sha256 = (ProtobufCBinaryData){ 32, arena_alloc(arena, 32) };
	key.response =
		(ProtobufCBinaryData){ call->reply_len, arena_alloc(arena, call->reply_len + 1) };
	memcpy(key.body_sha256.data, call->body_sha256, 32);
	memcpy(key.response.data, call->reply_bytes, call->reply_len);
	args.org = arena_strdup(arena, args.org);
	args.actor = arena_strdup(arena, args.actor);
	args.request_id = arena_strdup(arena, args.request_id);
	const struct binding *put = &call->engine->registry->engine.idempotency_put;
	item->query = put->query;
	struct status st =
		parammap_write(put->params, &key.base, &args, arena, item->values, item->lengths);
	assert(status_ok(&st));
	*batch = (struct db_batch){ .items = item,
				    .n = 1,
				    .class = QUERY_COMMIT,
				    .arena = arena,
				    .done = seeded_key_done };
	db_submit(call->engine->db, batch);
}
#else
static inline void seeded_key_apart(const struct engine_call *call)
{
	(void)call;
}
#endif

#endif
