/* What a call sends to the database: bound statements, collected into one batch,
 * with the special parameters that the call knows; and the rows that come back. */
#include "server/engine/call.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/pb.h"
#include "server/domain/email.h"

void batch_begin(struct engine_call *call, size_t max, enum query_class class, db_done_fn done)
{
	assert(max <= DB_BATCH_MAX && !call->waiting);
	call->batch_max = max;
	call->batch = (struct db_batch){
		.items = arena_array(call->arena, struct db_item, max),
		.class = class,
		.arena = call->arena,
		.done = done,
		.arg = call,
	};
	if (call->batch.items == NULL)
		abort();
}

struct status batch_add(struct engine_call *call, const struct binding *binding,
			const ProtobufCMessage *message, const struct query_args *args)
{
	assert(binding->query != NULL && call->batch.n < call->batch_max);
	struct db_item *item = &call->batch.items[call->batch.n++];
	item->query = binding->query;
	return parammap_write(binding->params, message, args, call->arena, item->values,
			      item->lengths);
}

void batch_send(struct engine_call *call)
{
	call->waiting = true;
	db_submit(call->engine->db, &call->batch);
}

static const uint8_t *secret_digest(const struct engine_call *call)
{
	const char *secret = pb_string(call->request, "invitation");
	if (*secret == '\0')
		return NULL;
	uint8_t *digest = arena_alloc(call->arena, DIGEST_BYTES);
	if (digest == NULL || !digest_sha256_of(digest, secret, strlen(secret)))
		abort();
	return digest;
}

struct query_args batch_args(const struct engine_call *call)
{
	struct query_args args = { .permission = call->method->rpc->permission,
				   .decisions = call->engine->limits.decisions_per_hour };
	if (call->principal != NULL) {
		args.org = call->principal->org_id;
		args.actor = call->principal->user_id;
		args.session = call->principal->session_id;
	}
	if (call->org_id != NULL)
		args.org = call->org_id;
	if (call->has_token)
		args.token_sha256 = call->token_sha256;
	const ProtobufCMessage *mutation = pb_sub(call->request, "mutation");
	if (mutation != NULL)
		args.request_id = pb_string(mutation, "request_id");
	if (call->method->rpc->mode == RPC_LIST) {
		args.page_after = call->page_key;
		args.page_limit = page_size(call->request) + 1;
	}
	if (call->method->rpc->auth == RPC_AUTH_NONE) {
		args.secret_sha256 = secret_digest(call);
		args.email = email_canonical(pb_string(call->request, "email"), call->arena);
	}
	return args;
}

/* --- what comes back -------------------------------------------------------- */

struct status call_too_large(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "CALL_TOO_LARGE",
			   "the call needs more memory than one call may take");
}

const ProtobufCMessage *row_first(struct status *st, const struct binding *binding,
				  const struct db_item *item, struct arena *arena)
{
	ProtobufCMessage *row = NULL;
	if (rowmap_count(item->result) > 0)
		*st = rowmap_read(&row, binding->rows, item->result, 0, arena);
	return row;
}

struct status rows_read(struct fact_set *set, const struct binding *binding,
			const struct db_item *item, struct arena *arena)
{
	int n = rowmap_count(item->result);
	set->name = binding->query->name;
	set->type = binding->row;
	set->rows = arena_array(arena, ProtobufCMessage *, (size_t)n + 1);
	if (set->rows == NULL)
		return call_too_large();
	for (int i = 0; i < n; i++) {
		struct status st =
			rowmap_read(&set->rows[i], binding->rows, item->result, i, arena);
		if (!status_ok(&st))
			return st;
		set->n++;
	}
	return STATUS_OK;
}

bool call_has_room(const struct engine_call *call)
{
	return arena_used(call->arena) - call->mark.total <= CALL_LOADED_MAX;
}
