/* Who is calling: the session of an access token, from the cache or the database,
 * and again with every load of a decision. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mono.h"
#include "common/pb.h"

enum { TOUCH_AFTER_US = 60 * 1000000 };

/* Marks the session as used, once a minute, outside of the call. */
static void touch_session(struct engine_call *call)
{
	const Isms__Store__V1__Principal *principal = call->principal;
	if (pb_time_us(principal->now) - pb_time_us(principal->last_seen_at) >= TOUCH_AFTER_US)
		errand_touch(call->engine, principal);
}

static struct status take_principal(struct engine_call *call, const struct db_item *item)
{
	const struct binding *binding = &call->engine->registry->engine.principal;
	struct status st = STATUS_OK;
	const ProtobufCMessage *row = row_first(&st, binding, item, call->arena);
	if (!status_ok(&st))
		return st;
	if (row == NULL) {
		principals_forget(call->engine->principals, call->token_sha256);
		return principals_refusal();
	}
	call->principal = (const Isms__Store__V1__Principal *)(const void *)row;
	principals_put(call->engine->principals, call->token_sha256, call->principal, mono_us());
	return STATUS_OK;
}

struct status call_take_caller(struct engine_call *call, const struct db_item *item)
{
	struct status st = take_principal(call, item);
	if (status_ok(&st))
		touch_session(call);
	return st;
}

/* What was allocated until here stays when the load is done again. */
static void begin_load(struct engine_call *call)
{
	call->identity = call->principal;
	call->mark = arena_mark(call->arena);
	call_load(call);
}

static void on_principal(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	call->waiting = false;
	struct status st = *result;
	if (status_ok(&st))
		st = take_principal(call, &batch->items[0]);
	if (!status_ok(&st) || call->gone) {
		call_fail(call, st);
		return;
	}
	if (call->method->rpc->decide == NULL) /* a decision loads the caller once more */
		touch_session(call);
	begin_load(call);
}

void call_auth(struct engine_call *call)
{
	const struct rpc *rpc = call->method->rpc;
	if (rpc->auth != RPC_AUTH_TOKEN) {
		begin_load(call);
		return;
	}
	if (!call->has_token) {
		call_fail(call, principals_refusal());
		return;
	}
	int64_t age_us = 0;
	call->principal = principals_get(&age_us, call->engine->principals, call->token_sha256,
					 mono_us(), call->arena);
	if (call->principal != NULL && (rpc->decide != NULL || age_us < PRINCIPAL_FRESH_US)) {
		begin_load(call);
		return;
	}
	call->state = CALL_AUTH;
	batch_begin(call, 1, QUERY_POINT, on_principal);
	struct query_args args = { .token_sha256 = call->token_sha256 };
	struct status st = batch_add(call, &call->engine->registry->engine.principal, NULL, &args);
	assert(status_ok(&st));
	batch_send(call);
}
