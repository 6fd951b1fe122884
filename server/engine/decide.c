/* The law is asked, and what it says is written, answered or, of a dry run, only
 * told. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>

#include "common/pb.h"
#include "isms/v1/common.pb-c.h"

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
