/* What becomes of a call that was pinned to a version which has passed: ABORTED, and
 * for the details it is looked up who changed what since. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/pb.h"
#include "common/pb_value.h"
#include "isms/v1/common.pb-c.h"

enum { CHANGED_FIELDS_MAX = 512 };

static void on_conflict(struct db_batch *batch, const struct status *result)
{
	struct engine_call *call = batch->arg;
	const struct binding *binding = &call->engine->registry->engine.conflict_changes;
	struct fact_set set = { 0 };
	call->waiting = false;
	struct status st = *result;
	if (status_ok(&st))
		st = rows_read(&set, binding, &batch->items[0], call->arena);
	char fields[CHANGED_FIELDS_MAX] = "";
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

bool call_check_version(struct engine_call *call)
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
