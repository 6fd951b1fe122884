/* The first half of a call: who is calling, what is true, what is decided. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pb.h"
#include "common/pb_value.h"
#include "isms/v1/common.pb-c.h"

enum { TOUCH_AFTER_US = 60 * 1000000 };

static struct status unauthenticated(void)
{
	return status_make(STATUS_CODE_UNAUTHENTICATED, "TOKEN_INVALID",
			   "a valid access token is needed");
}

struct status call_not_found(void)
{
	return status_make(STATUS_CODE_NOT_FOUND, "NOT_FOUND", "there is no such object");
}

struct status call_permission_missing(const struct engine_call *call)
{
	struct status st = status_make(STATUS_CODE_PERMISSION_DENIED, "PERMISSION_MISSING",
				       "the caller does not have the permission for this");
	status_add_pair(&st, call->arena, "permission", call->method->rpc->permission);
	return st;
}

/* --- the caller ------------------------------------------------------------- */

static void touch_done(struct db_batch *batch, const struct status *st)
{
	(void)st; /* the next use tries again */
	arena_free(batch->arena);
}

/* Marks the session as used, once a minute, outside of the call. */
static void touch_session(struct engine_call *call)
{
	const Isms__Store__V1__Principal *principal = call->principal;
	if (pb_time_us(principal->now) - pb_time_us(principal->last_seen_at) < TOUCH_AFTER_US)
		return;
	struct arena *arena = arena_new(1 << 16);
	if (arena == NULL)
		abort();
	struct db_batch *batch = arena_new_of(arena, struct db_batch);
	struct db_item *item = arena_new_of(arena, struct db_item);
	struct query_args args = { .org = arena_strdup(arena, principal->org_id),
				   .actor = arena_strdup(arena, principal->user_id),
				   .session = arena_strdup(arena, principal->session_id) };
	const struct binding *touch = &call->engine->registry->engine.session_touch;
	item->query = touch->query;
	struct status st = parammap_write(touch->params, &principal->base, &args, arena,
					  item->values, item->lengths);
	assert(status_ok(&st));
	*batch = (struct db_batch){
		.items = item, .n = 1, .class = QUERY_COMMIT, .arena = arena, .done = touch_done
	};
	db_submit(call->engine->db, batch);
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
		return unauthenticated();
	}
	call->principal = (const Isms__Store__V1__Principal *)(const void *)row;
	principals_put(call->engine->principals, call->token_sha256, call->principal,
		       engine_now_us());
	return STATUS_OK;
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
		call_fail(call, unauthenticated());
		return;
	}
	int64_t age_us = 0;
	call->principal = principals_get(&age_us, call->engine->principals, call->token_sha256,
					 engine_now_us(), call->arena);
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

/* --- facts ----------------------------------------------------------------- */

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

static bool holds(const Isms__Store__V1__Access *access, const char *permission)
{
	for (size_t i = 0; i < access->n_permissions; i++)
		if (strcmp(access->permissions[i], permission) == 0)
			return true;
	return false;
}

static struct status check_access(struct engine_call *call, const struct db_item *item)
{
	const struct rpc *rpc = call->method->rpc;
	struct status st = STATUS_OK;
	const ProtobufCMessage *row = row_first(&st, &call->method->access, item, call->arena);
	if (!status_ok(&st))
		return st;
	const Isms__Store__V1__Access *access = (const void *)row;
	if (access == NULL || !holds(access, rpc->visible))
		return call_not_found();
	call->facts.access = access;
	if (rpc->decide_checks_permission || rpc->permission == NULL ||
	    facts_may(&call->facts, rpc->permission))
		return STATUS_OK;
	st = call_permission_missing(call);
	status_add_pair(&st, call->arena, "scope", access->scope_id);
	return st;
}

static void on_conflict(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	const struct binding *binding = &call->engine->registry->engine.conflict_changes;
	struct fact_set set = { 0 };
	call->waiting = false;
	struct status st = *result;
	if (status_ok(&st))
		st = rows_read(&set, binding, &batch->items[0], call->arena);
	char fields[CALL_CHANGED_FIELDS_MAX] = "";
	size_t len = 0;
	for (size_t i = 0; status_ok(&st) && i < set.n; i++) {
		const Isms__Store__V1__ChangeSince *change = (const void *)set.rows[i];
		status_add_pair(&call->conflict, call->arena, "changed_by", change->actor_name);
		for (size_t j = 0; j < change->n_fields && len < sizeof(fields); j++)
			len += (size_t)snprintf(fields + len, sizeof(fields) - len, "%s%s",
						len > 0 ? "," : "", change->fields[j]);
	}
	if (len > 0)
		status_add_pair(&call->conflict, call->arena, "changed_fields", fields);
	call_fail(call, call->conflict);
}

/* ABORTED, CONFLICT; who changed what is looked up for the details. */
static void conflict(struct engine_call *call, const Isms__V1__Meta *meta, int64_t expected,
		     const char *kind)
{
	call->conflict = status_make(STATUS_CODE_ABORTED, "CONFLICT",
				     "the object has changed since the version given");
	status_add_pair(&call->conflict, call->arena, "current_version",
			arena_printf(call->arena, "%lld", (long long)meta->version));
	status_add_pair(&call->conflict, call->arena, "changed_by_id", meta->updated_by);
	call->state = CALL_CONFLICT;
	struct query_args args = batch_args(call);
	args.id = meta->id;
	args.version = expected;
	args.kind = kind;
	batch_begin(call, 1, QUERY_POINT, on_conflict);
	struct status st =
		batch_add(call, &call->engine->registry->engine.conflict_changes, NULL, &args);
	assert(status_ok(&st));
	batch_send(call);
}

/* false: the call has gone on to tell of a conflict. */
static bool check_version(struct engine_call *call)
{
	const struct rpc *rpc = call->method->rpc;
	const ProtobufCMessage *mutation = pb_sub(call->request, "mutation");
	if (rpc->target == NULL || mutation == NULL)
		return true;
	int64_t expected = pb_int(mutation, "expected_version");
	if (expected == 0)
		return true;
	for (size_t i = 0; i < call->facts.n_sets; i++) {
		const struct fact_set *set = &call->facts.sets[i];
		if (strcmp(set->name, rpc->target) != 0 || set->n == 0)
			continue;
		const Isms__V1__Meta *meta = (const void *)pb_sub(set->rows[0], "meta");
		if (meta->version == expected)
			return true;
		conflict(call, meta, expected, call->method->load[i].binding.query->kind);
		return false;
	}
	return true;
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
		st = take_principal(call, item++);
		if (!status_ok(&st))
			return st;
		touch_session(call);
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
	if (!check_version(call))
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

bool call_is_dry(const struct engine_call *call)
{
	const ProtobufCMessage *mutation = pb_sub(call->request, "mutation");
	return mutation != NULL && ((const Isms__V1__Mutation *)(const void *)mutation)->dry_run;
}

void call_decide(struct engine_call *call)
{
	if (call->gone) {
		call_fail(call, STATUS_OK);
		return;
	}
	struct status st = call->method->rpc->decide(&call->facts, &call->plan);
	if (!status_ok(&st)) {
		call_refuse(call, st);
		return;
	}
	if (call->method->rpc->mode == RPC_READ) {
		/* what a read decides changes nothing */
		assert(call->plan.n_rows == 0 && status_ok(&call->plan.outcome));
		assert(call->plan.reply != NULL);
		call_answer_read(call, call->plan.reply);
		return;
	}
	if (!call_is_dry(call)) {
		call_commit(call);
		return;
	}
	if (!status_ok(&call->plan.outcome)) {
		call_fail(call, call->plan.outcome);
		return;
	}
	size_t len;
	const uint8_t *bytes = pb_pack(
		&len, rules_without_secrets(call->engine->rules, call->plan.reply, call->arena),
		call->arena);
	if (bytes == NULL)
		abort();
	call_answer(call, &st, bytes, len);
}
