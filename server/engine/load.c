/* What is true, by one batch: the caller, whether the call is a repeat, what may be
 * seen, and the rows that a decision is made from. */
#include "server/engine/call.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/pb.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"

static struct status check_idempotency(bool *out_replay, struct engine_call *call,
				       const struct db_item *item)
{
	struct status st = STATUS_OK;
	const ProtobufCMessage *row =
		row_first(&st, &call->engine->registry->engine.idempotency_get, item, call->arena);
	*out_replay = false;
	if (!status_ok(&st) || row == NULL)
		return st;
	const Isms__Store__V1__Idempotency *seen = (const void *)row;
	if (strcmp(seen->rpc, call->method->path) != 0 || seen->body_sha256.len != 32 ||
	    memcmp(seen->body_sha256.data, call->body_sha256, 32) != 0)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "IDEMPOTENCY_MISMATCH",
				   "this request_id was used for another request");
	call->reply_bytes = seen->response.data;
	call->reply_len = seen->response.len;
	*out_replay = true;
	return st;
}

static struct status check_access(struct engine_call *call, const struct db_item *item)
{
	const struct rpc *rpc = call->method->rpc;
	struct status st = STATUS_OK;
	const ProtobufCMessage *row = row_first(&st, &call->method->access, item, call->arena);
	if (!status_ok(&st))
		return st;
	const Isms__Store__V1__Access *access = (const void *)row;
	if (access == NULL || !text_in(rpc->visible, access->permissions, access->n_permissions))
		return refusal_not_found();
	call->facts.access = access;
	if (rpc->decide_checks_permission || rpc->permission == NULL ||
	    facts_may(&call->facts, rpc->permission))
		return STATUS_OK;
	st = refusal_permission_missing(rpc->permission, call->arena);
	status_add_pair(&st, call->arena, "scope", access->scope_id);
	return st;
}

/* "192.0.2.1:4711" or "[2001:db8::1]:4711" without brackets and port. */
static char *ip_of(const char *peer, struct arena *arena)
{
	const char *colon = strrchr(peer, ':');
	size_t len = colon == NULL ? strlen(peer) : (size_t)(colon - peer);
	bool bracketed = len >= 2 && peer[0] == '[' && peer[len - 1] == ']';
	return bracketed ? arena_strndup(arena, peer + 1, len - 2)
			 : arena_strndup(arena, peer, len);
}

/* What is kept of a decision: nothing of it helps to sign in. */
static void take_credential(struct engine_call *call)
{
	uint8_t *fingerprint = arena_alloc(call->arena, DIGEST_BYTES);
	char *ip = ip_of(call->peer, call->arena);
	if (fingerprint == NULL || ip == NULL ||
	    !digest_sha256_of(fingerprint, call->token_sha256, sizeof(call->token_sha256)))
		abort();
	call->facts.credential =
		(struct fact_credential){ .fingerprint = { DIGEST_BYTES, fingerprint }, .ip = ip };
}

/* Takes the rows of a load apart. *out_done: the call has its answer, or
 * goes on elsewhere. */
static struct status take_facts(bool *out_done, struct engine_call *call)
{
	const struct db_item *item = call->batch.items;
	const struct method *method = call->method;
	struct status st = STATUS_OK;
	*out_done = false;
	call->facts.request = call->request;
	call->facts.arena = call->arena;
	call->facts.limits = &call->engine->limits;
	if (method->rpc->auth == RPC_AUTH_TOKEN) {
		st = call_take_caller(call, item++);
		if (!status_ok(&st))
			return st;
		take_credential(call);
		call->facts.principal = call->principal;
		call->facts.now_us = pb_time_us(call->principal->now);
		if (method->rpc->mode == RPC_WRITE)
			st = check_idempotency(out_done, call, item++);
		if (!status_ok(&st) || *out_done)
			return st;
	} else {
		const ProtobufCMessage *clock =
			row_first(&st, &call->engine->registry->engine.clock, item++, call->arena);
		if (!status_ok(&st))
			return st;
		call->facts.now_us =
			pb_time_us(((const Isms__Store__V1__Principal *)(const void *)clock)->now);
	}
	const struct db_item *access = method->access.query != NULL ? item++ : NULL;
	for (size_t i = 0; i < method->n_load && status_ok(&st); i++)
		st = rows_read(&call->facts.sets[call->facts.n_sets++], &method->load[i].binding,
			       item++, call->arena);
	if (status_ok(&st) && access != NULL)
		st = check_access(call, access);
	if (status_ok(&st) && !call_has_room(call))
		st = call_too_large();
	return st;
}

static void on_loaded(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	call->waiting = false;
	struct status st = *result;
	bool done = false;
	if (call->gone) {
		call_fail(call, st);
		return;
	}
	if (status_ok(&st)) {
		st = take_facts(&done, call);
		plan_begin(call);
		if (!status_ok(&st)) {
			call_refuse(call, st);
			return;
		}
	}
	if (!status_ok(&st) || done) {
		call_answer(call, &st, call->reply_bytes, call->reply_len);
		return;
	}
	if (!call_check_version(call))
		return;
	if (call->method->rpc->work != RPC_WORK_NONE)
		call_work(call);
	else
		call_decide(call);
}

static void load_facts(struct engine_call *call)
{
	const struct method *method = call->method;
	const struct engine_statements *engine = &call->engine->registry->engine;
	struct query_args args = batch_args(call);
	memset(&call->facts, 0, sizeof(call->facts));
	batch_begin(call, method->n_load + 3, method->class, on_loaded);
	struct status st;
	if (method->rpc->auth == RPC_AUTH_TOKEN) {
		st = batch_add(call, &engine->principal, NULL, &args);
		if (status_ok(&st) && method->rpc->mode == RPC_WRITE)
			st = batch_add(call, &engine->idempotency_get, NULL, &args);
	} else {
		st = batch_add(call, &engine->clock, NULL, &args);
	}
	if (status_ok(&st) && method->access.query != NULL)
		st = batch_add(call, &method->access, call->request, &args);
	for (size_t i = 0; i < method->n_load && status_ok(&st); i++)
		st = batch_add(call, &method->load[i].binding, call->request, &args);
	if (!status_ok(&st)) {
		call_fail(call, st);
		return;
	}
	batch_send(call);
}

void call_load(struct engine_call *call)
{
	call->state = CALL_LOAD;
	if (call->method->rpc->decide != NULL)
		load_facts(call);
	else
		call_read(call);
}
