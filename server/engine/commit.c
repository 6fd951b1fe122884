/* Writes a plan as one batch, which libpq's pipeline makes one transaction:
 * first the idempotency row, at which a repeat of the call waits for its original
 * before it can run into that one's rows; versioned rows in canonical order (those
 * that the plan changes, then proof that those it was only made from have not
 * moved), new rows, and last the audit event and the announcement. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/pb.h"
#include "common/seeded.h"
#include "isms/v1/common.pb-c.h"
#include "server/engine/seeded_key.h"

/* The caller, the session, the key, what is left over, the event, the announcements. */
enum { COMMIT_OTHERS = 16 };

/* A versioned row that the batch touches: an update, or a guard. */
struct touch {
	enum kind_id kind;
	const char *id;
	int64_t version;
	const struct plan_row *update; /* NULL: guard */
};

struct touches {
	struct touch *list;
	size_t n, max;
};

static int compare_touches(const void *a, const void *b)
{
	const struct touch *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	int order = strcmp(left->id, right->id);
	if (order != 0)
		return order;
	/* an update proves the version itself, so it stands for the guard */
	return (left->update == NULL) - (right->update == NULL);
}

static const Isms__V1__Meta *row_meta(const ProtobufCMessage *row)
{
	return (const Isms__V1__Meta *)(const void *)pb_sub(row, "meta");
}

static void touch(struct touches *touches, struct touch item)
{
	assert(touches->n < touches->max);
	touches->list[touches->n++] = item;
}

/* Versioned rows that were loaded. */
static size_t loaded(const struct engine_call *call)
{
	size_t n = 0;
	for (size_t i = 0; i < call->method->n_load; i++)
		if (call->method->load[i].binding.kind != KIND_NONE)
			n += call->facts.sets[i].n;
	return n;
}

static void touch_loaded(const struct engine_call *call, struct touches *touches)
{
	for (size_t i = 0; i < call->method->n_load; i++) {
		enum kind_id kind = call->method->load[i].binding.kind;
		const struct fact_set *set = &call->facts.sets[i];
		for (size_t j = 0; kind != KIND_NONE && j < set->n; j++) {
			const Isms__V1__Meta *meta = row_meta(set->rows[j]);
			touch(touches, (struct touch){ .kind = kind,
						       .id = meta->id,
						       .version = meta->version });
		}
	}
}

static void collect(const struct engine_call *call, struct touches *touches)
{
	const struct plan *plan = &call->plan;
	for (size_t i = 0; i < plan->n_rows; i++)
		if (plan->rows[i].op == PLAN_UPDATE)
			touch(touches,
			      (struct touch){ .kind = plan->rows[i].kind,
					      .id = row_meta(plan->rows[i].before)->id,
					      .version = row_meta(plan->rows[i].before)->version,
					      .update = &plan->rows[i] });
	touch_loaded(call, touches);
	if (call->principal != NULL)
		touch(touches, (struct touch){ .kind = KIND_APP_USER,
					       .id = call->principal->user_id,
					       .version = call->principal->user_version });
	qsort(touches->list, touches->n, sizeof(touches->list[0]), compare_touches);
}

static bool same_row(const struct touch *a, const struct touch *b)
{
	return a->kind == b->kind && strcmp(a->id, b->id) == 0;
}

/* Whether the plan changes a row twice, loaded with two sets. */
static bool is_doubled(const struct touches *touches)
{
	for (size_t i = 1; i < touches->n; i++)
		if (same_row(&touches->list[i - 1], &touches->list[i]) &&
		    touches->list[i].update != NULL)
			return true;
	return false;
}

/* Each statement of a load sees its own moment: a row that two of them saw in
 * different versions has moved while it was read. */
static bool is_torn(const struct touches *touches)
{
	for (size_t i = 1; i < touches->n; i++)
		if (same_row(&touches->list[i - 1], &touches->list[i]) &&
		    touches->list[i - 1].version != touches->list[i].version)
			return true;
	return false;
}

static struct status add_touch(struct engine_call *call, const struct touch *item,
			       const struct query_args *args)
{
	const struct kind_statements *statements = &call->engine->registry->kinds[item->kind];
	if (item->update != NULL)
		return batch_add(call, &statements->update, item->update->after, args);
	if (SEEDED(drop_guard) || (SEEDED(guard_without_person) && item->kind <= KIND_APP_USER))
		return STATUS_OK;
	struct query_args guard = *args;
	guard.id = item->id;
	guard.version = item->version;
	return batch_add(call, &statements->guard, NULL, &guard);
}

/* The caller's session must still hold, unless the plan itself ends it. */
static bool ends_session(const struct plan *plan, const char *session_id)
{
	for (size_t i = 0; i < plan->n_rows; i++)
		if (plan->rows[i].kind == KIND_SESSION && plan->rows[i].op == PLAN_UPDATE &&
		    strcmp(row_meta(plan->rows[i].before)->id, session_id) == 0)
			return true;
	return false;
}

static struct status add_versioned(struct engine_call *call, const struct query_args *args)
{
	struct touches touches = { .max = call->plan.n_rows + loaded(call) + 1 };
	touches.list = arena_array(call->arena, struct touch, touches.max);
	if (touches.list == NULL)
		abort();
	collect(call, &touches);
	assert(!is_doubled(&touches));
	if (is_torn(&touches))
		return status_make(STATUS_CODE_ABORTED, "SERIALIZATION_FAILURE",
				   "something that the decision was made from has changed");
	bool session_due =
		call->principal != NULL && !ends_session(&call->plan, call->principal->session_id);
	for (size_t i = 0; i < touches.n; i++) {
		if (i > 0 && same_row(&touches.list[i - 1], &touches.list[i]))
			continue;
		if (session_due && touches.list[i].kind >= KIND_SESSION) {
			session_due = false;
			struct status st = batch_add(
				call, &call->engine->registry->engine.session_guard, NULL, args);
			if (!status_ok(&st))
				return st;
		}
		struct status st = add_touch(call, &touches.list[i], args);
		if (!status_ok(&st))
			return st;
	}
	if (!session_due)
		return STATUS_OK;
	return batch_add(call, &call->engine->registry->engine.session_guard, NULL, args);
}

/* What the plan would have ended too, had it been there when the facts were read. */
static struct status add_leftover(struct engine_call *call, const struct query_args *args)
{
	if (!call->plan.ends_all)
		return STATUS_OK;
	return batch_add(call, &call->method->leftover, call->request, args);
}

static struct status add_new(struct engine_call *call, const struct query_args *args)
{
	for (size_t i = 0; i < call->plan.n_rows; i++) {
		const struct plan_row *row = &call->plan.rows[i];
		const struct kind_statements *kind = &call->engine->registry->kinds[row->kind];
		if (row->op == PLAN_UPDATE)
			continue;
		struct status st =
			batch_add(call, row->op == PLAN_INSERT ? &kind->insert : &kind->put,
				  row->after, args);
		if (!status_ok(&st))
			return st;
	}
	return STATUS_OK;
}

/* A refusal is not kept: the same request may be granted later. */
static struct status add_key(struct engine_call *call, const struct query_args *args)
{
	Isms__Store__V1__Idempotency key;
	isms__store__v1__idempotency__init(&key);
	key.rpc = call->method->path;
	key.body_sha256 = (ProtobufCBinaryData){ 32, call->body_sha256 };
	const ProtobufCMessage *kept =
		rules_without_secrets(call->engine->rules, call->plan.reply, call->arena);
	key.response.data = pb_pack(&key.response.len, kept, call->arena);
	if (key.response.data == NULL)
		abort();
	return batch_add(call, &call->engine->registry->engine.idempotency_put, &key.base, args);
}

static struct status add_records(struct engine_call *call, const struct query_args *args,
				 const struct status *refused)
{
	const struct engine_statements *engine = &call->engine->registry->engine;
	struct event_rows rows = event_of(call, refused);
	struct status st = batch_add(call, &engine->audit_put, &rows.audit->base, args);
	if (status_ok(&st) && rows.outbox != NULL)
		st = batch_add(call, &engine->outbox_put, &rows.outbox->base, args);
	return st;
}

static bool lost_race(const struct status *st)
{
	if (st->reason == NULL)
		return false;
	return strcmp(st->reason, "SERIALIZATION_FAILURE") == 0 ||
	       strcmp(st->reason, "DEADLOCK") == 0 || strcmp(st->reason, "IDEMPOTENCY_RACE") == 0;
}

static void on_committed(struct db_batch *batch, const struct status *st)
{
	struct engine_call *call = batch->arg;
	call->waiting = false;
	if (!status_ok(st)) {
		if (lost_race(st) && !call->gone)
			call_again(call);
		else if (status_ok(&call->refused) && !call->gone)
			call_refuse(call, *st); /* a constraint may be what refuses */
		else
			call_answer(call, st, NULL, 0);
		return;
	}
	if (SEEDED(idempotency_outside_transaction) && call->principal != NULL &&
	    status_ok(&call->refused))
		seeded_key_apart(call);
	if (call->principal != NULL && ends_session(&call->plan, call->principal->session_id))
		principals_forget(call->engine->principals, call->token_sha256);
	if (!status_ok(&call->refused))
		call_answer(call, &call->refused, NULL, 0);
	else
		call_answer(call, &(struct status){ 0 }, call->reply_bytes, call->reply_len);
}

/* Statements that the commit of the plan may take at most. */
static size_t room(const struct engine_call *call)
{
	size_t n = call->plan.n_rows + loaded(call) + COMMIT_OTHERS;
	return n < DB_BATCH_MAX ? n : DB_BATCH_MAX;
}

static void commit(struct engine_call *call, const struct status *refused)
{
	struct query_args args = batch_args(call);
	if (call->principal == NULL) {
		args.org = call->plan.org_id;
		args.actor = call->plan.org_actor_id;
	}
	call->state = CALL_COMMIT;
	call->refused = refused == NULL ? STATUS_OK : *refused;
	batch_begin(call, room(call), QUERY_COMMIT, on_committed);
	struct status st = STATUS_OK;
	bool audit_only = refused != NULL && call->plan.n_rows == 0;
	if (refused == NULL && call->principal != NULL && !SEEDED(idempotency_outside_transaction))
		st = add_key(call, &args);
	if (status_ok(&st) && !audit_only)
		st = add_versioned(call, &args);
	if (status_ok(&st) && !audit_only)
		st = add_leftover(call, &args);
	if (status_ok(&st))
		st = add_new(call, &args);
	if (status_ok(&st))
		st = add_records(call, &args, refused);
	if (status_ok(&st) && SEEDED(ack_before_commit) && refused == NULL) {
		call->waiting = true;
		call_answer(call, &st, call->reply_bytes, call->reply_len);
	}
	if (status_ok(&st))
		batch_send(call);
	else if (lost_race(&st))
		call_again(call);
	else
		call_fail(call, st);
}

void call_commit(struct engine_call *call)
{
	bool refused = !status_ok(&call->plan.outcome);
	if (refused) {
		struct status outcome = call->plan.outcome;
		commit(call, &outcome);
		return;
	}
	if (call->org_id == NULL) {
		assert(call->plan.reply != NULL);
		call->reply_bytes = pb_pack(&call->reply_len, call->plan.reply, call->arena);
		if (call->reply_bytes == NULL)
			abort();
	}
	commit(call, NULL);
}

void call_refuse(struct engine_call *call, struct status st)
{
	if (lost_race(&st)) { /* decide saw that its facts do not fit together */
		call_again(call);
		return;
	}
	bool worth = st.code == STATUS_CODE_PERMISSION_DENIED ||
		     st.code == STATUS_CODE_FAILED_PRECONDITION ||
		     st.code == STATUS_CODE_ALREADY_EXISTS;
	if (!worth || call->principal == NULL || call->method->rpc->mode != RPC_WRITE ||
	    call_is_dry(call)) {
		call_fail(call, st);
		return;
	}
	call->plan.n_rows = 0;
	call->plan.subject_id = NULL;
	commit(call, &st);
}
