/* The slow step of the few methods that need one. Its result depends only on the
 * password and the hash it is held against, so an attempt after a lost race uses
 * it again. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/pb.h"
#include "server/engine/call.h"

static void go_on(struct engine_call *call)
{
	const struct work_job *job = &call->job;
	if (!job->verify && !job->ok) {
		call_fail(call, status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "HASHING_FAILED",
					    "there is no memory to hash the password"));
		return;
	}
	call->facts.work.password_ok = job->ok;
	memcpy(call->facts.work.password_hash, job->hash, sizeof(job->hash));
	call_decide(call);
}

static void on_worked(struct work_job *job)
{
	struct engine_call *call = job->arg;
	call->waiting = false;
	call->worked = true;
	go_on(call);
}

/* The hash to verify against; nobody's for an account that is not there. */
static const char *stored_hash(const struct engine_call *call)
{
	const char *hash = "";
	for (size_t i = 0; i < call->facts.n_sets; i++)
		if (strcmp(call->facts.sets[i].name, call->method->rpc->work_set) == 0 &&
		    call->facts.sets[i].n > 0)
			hash = pb_string(call->facts.sets[i].rows[0], "password_hash");
	return *hash != '\0' ? hash : work_nobody(call->engine->work);
}

void call_work(struct engine_call *call)
{
	struct work_job *job = &call->job;
	bool verify = call->method->rpc->work == RPC_WORK_PASSWORD_VERIFY;
	const char *hash = verify ? stored_hash(call) : "";
	if (call->worked && (!verify || strcmp(job->hash, hash) == 0)) {
		go_on(call);
		return;
	}
	*job = (struct work_job){ .verify = verify, .done = on_worked, .arg = call };
	snprintf(job->password, sizeof(job->password), "%s", pb_string(call->request, "password"));
	snprintf(job->hash, sizeof(job->hash), "%s", hash);
	call->state = CALL_WORK;
	call->waiting = true;
	if (work_submit(call->engine->work, job))
		return;
	call->waiting = false;
	sodium_memzero(job->password, sizeof(job->password));
	struct status st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "LOGIN_QUEUE_FULL",
				       "too many passwords are being checked");
	status_set_retry(&st, call->arena, 1000000);
	call_fail(call, st);
}
