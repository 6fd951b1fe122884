/* Reads without a law of their own: statements fill the reply, whole or a page of
 * it, as things are or as they were at a moment that has been. */
#include "server/engine/call.h"

#include <assert.h>
#include <string.h>

#include "common/pb.h"
#include "common/pb_value.h"
#include "server/domain/refusal.h"

static struct status reply_too_large(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE",
			   "the reply is too large, ask for a smaller page");
}

/* NULL: as things are. */
static const Google__Protobuf__Timestamp *as_of(const struct engine_call *call)
{
	return (const void *)pb_sub(call->request, "as_of");
}

static struct status fill_one(ProtobufCMessage *reply, const struct method_load *load,
			      const struct fact_set *set)
{
	if (load->into->label == PROTOBUF_C_LABEL_REPEATED) {
		*(ProtobufCMessage ***)pb_member(reply, load->into) = set->rows;
		*(size_t *)pb_quantifier(reply, load->into) = set->n;
		return STATUS_OK;
	}
	if (set->n == 0)
		return refusal_not_found();
	*(ProtobufCMessage **)pb_member(reply, load->into) = set->rows[0];
	return STATUS_OK;
}

/* Key of a row of a list: the column page_key, or the id of its meta. */
static const char *row_key(struct engine_call *call, const struct db_item *item, int row,
			   const ProtobufCMessage *message)
{
	const char *key = rowmap_page_key(item->result, row, call->arena);
	if (key != NULL)
		return key;
	const ProtobufCMessage *meta = pb_sub(message, "meta");
	assert(meta != NULL);
	return pb_string(meta, "id");
}

/* One row more than the page was asked for: it tells that there is a next one. */
static struct status cut_page(struct engine_call *call, struct fact_set *set,
			      ProtobufCMessage *reply)
{
	size_t size = (size_t)page_size(call->request);
	if (set->n <= size)
		return STATUS_OK;
	if (!call_has_room(call))
		return reply_too_large();
	set->n = size;
	const char *key = row_key(call, &call->batch.items[0], (int)size - 1, set->rows[size - 1]);
	const ProtobufCFieldDescriptor *next = pb_field(reply->descriptor, "next_page_token");
	*(const char **)pb_member(reply, next) =
		page_token(key, call->request, call->engine->secret, call->principal->org_id,
			   call->method->path, call->arena);
	return STATUS_OK;
}

/* The statement of a load for the moment that the request asks for. */
static const struct binding *statement(const struct engine_call *call, size_t i)
{
	const struct method_load *load = &call->method->load[i];
	return call->past ? &load->past : &load->binding;
}

/* Whether the moment that the request asks for has been, by the database's clock. */
static struct status check_past(struct engine_call *call)
{
	const struct binding *clock = &call->engine->registry->engine.clock;
	struct status st = STATUS_OK;
	const ProtobufCMessage *row =
		row_first(&st, clock, &call->batch.items[call->method->n_load], call->arena);
	if (!status_ok(&st))
		return st;
	const Isms__Store__V1__Principal *now = (const void *)row;
	if (pb_time_us(as_of(call)) > pb_time_us(now->now))
		return status_invalid(call->arena, "as_of", "must not lie ahead");
	return STATUS_OK;
}

static struct status build_reply(ProtobufCMessage **out, struct engine_call *call)
{
	const struct method *method = call->method;
	ProtobufCMessage *reply = pb_new(method->response, call->arena);
	if (call->past) {
		struct status st = check_past(call);
		if (!status_ok(&st))
			return st;
	}
	for (size_t i = 0; i < method->n_load; i++) {
		struct fact_set set = { 0 };
		struct status st =
			rows_read(&set, statement(call, i), &call->batch.items[i], call->arena);
		if (status_ok(&st) && method->rpc->mode == RPC_LIST)
			st = cut_page(call, &set, reply);
		if (status_ok(&st) && method->load[i].into != NULL)
			st = fill_one(reply, &method->load[i], &set);
		else if (status_ok(&st) && set.n == 0)
			st = refusal_not_found();
		else if (status_ok(&st))
			pb_merge(reply, set.rows[0]);
		if (!status_ok(&st))
			return st;
	}
	*out = reply;
	return STATUS_OK;
}

void call_answer_read(struct engine_call *call, const ProtobufCMessage *reply)
{
	size_t len;
	uint8_t *bytes = pb_pack(&len, reply, call->arena);
	if (bytes == NULL)
		call_fail(call, reply_too_large());
	else
		call_answer(call, &(struct status){ 0 }, bytes, len);
}

static void on_held(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	const struct binding *binding = &call->engine->registry->engine.permission_held;
	call->waiting = false;
	struct status st = *result;
	const ProtobufCMessage *row = NULL;
	if (status_ok(&st))
		row = row_first(&st, binding, &batch->items[0], call->arena);
	if (status_ok(&st) && !((const Isms__Store__V1__Held *)(const void *)row)->held)
		st = refusal_permission_missing(call->method->rpc->permission, call->arena);
	if (!status_ok(&st))
		call_fail(call, st);
	else
		call_answer_read(call, call->empty_reply);
}

/* A list without rows may be one that the caller holds no permission for: that is
 * said, not shown as nothing. */
static void check_held(struct engine_call *call, const ProtobufCMessage *reply)
{
	struct query_args args = batch_args(call);
	call->empty_reply = reply;
	batch_begin(call, 1, QUERY_POINT, on_held);
	struct status st =
		batch_add(call, &call->engine->registry->engine.permission_held, NULL, &args);
	assert(status_ok(&st));
	batch_send(call);
}

static bool is_empty_list(const struct engine_call *call, const ProtobufCMessage *reply)
{
	const struct method *method = call->method;
	const ProtobufCFieldDescriptor *into = method->n_load > 0 ? method->load[0].into : NULL;
	return into != NULL && into->label == PROTOBUF_C_LABEL_REPEATED &&
	       pb_value_count(reply, into) == 0;
}

static void on_read(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	call->waiting = false;
	struct status st = *result;
	ProtobufCMessage *reply = NULL;
	if (status_ok(&st) && !call->gone)
		st = build_reply(&reply, call);
	if (!status_ok(&st) || call->gone)
		call_fail(call, st);
	else if (is_empty_list(call, reply) && call->method->rpc->empty_is_not_found)
		call_fail(call, refusal_not_found());
	else if (is_empty_list(call, reply) && call->method->rpc->permission != NULL)
		check_held(call, reply);
	else
		call_answer_read(call, reply);
}

/* The page that a list goes on at, and the moment that is asked for. */
static struct status prepare(struct engine_call *call)
{
	const struct method *method = call->method;
	call->past = method->past_class != QUERY_CLASSES && as_of(call) != NULL;
	if (call->past && !pb_time_valid(as_of(call)))
		return status_invalid(call->arena, "as_of", "must be a time");
	if (method->rpc->mode != RPC_LIST)
		return STATUS_OK;
	return page_after(&call->page_key, call->request, call->engine->secret,
			  call->principal->org_id, method->path, call->arena);
}

void call_read(struct engine_call *call)
{
	const struct method *method = call->method;
	struct status st = prepare(call);
	if (status_ok(&st)) {
		struct query_args args = batch_args(call);
		batch_begin(call, method->n_load + 1,
			    call->past ? method->past_class : method->class, on_read);
		for (size_t i = 0; i < method->n_load && status_ok(&st); i++)
			st = batch_add(call, statement(call, i), call->request, &args);
		if (call->past && status_ok(&st))
			st = batch_add(call, &call->engine->registry->engine.clock, NULL, &args);
	}
	if (status_ok(&st))
		batch_send(call);
	else
		call_fail(call, st);
}
