/* Zero hours is never. A step without its own hour of escalation escalates when it
 * is overdue. */
#include "server/domain/approval_step.h"

#include <assert.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

static const int64_t HOUR_US = INT64_C(3600) * 1000000;

static Google__Protobuf__Timestamp *after(int64_t now_us, int32_t hours, struct arena *arena)
{
	return hours <= 0 ? NULL : must(pb_time_new(arena, now_us + hours * HOUR_US));
}

static const Isms__V1__PolicyStep *step_of(const Isms__V1__ApprovalRequest *request)
{
	int32_t open = request->current_step;
	return open < 1 || (size_t)open > request->steps->n_steps ? NULL
								  : request->steps->steps[open - 1];
}

void approval_step_open(Isms__V1__ApprovalRequest *request, int32_t step_no, int64_t now_us,
			struct arena *arena)
{
	request->current_step = step_no;
	request->step_due_at = request->escalates_at = NULL;
	request->escalates_to = must(arena_strdup(arena, ""));
	request->escalated = request->allows_delegate = request->distinct_from_prior = false;
	const Isms__V1__PolicyStep *step = step_of(request);
	if (step == NULL)
		return;
	request->step_opened_at = must(pb_time_new(arena, now_us));
	request->step_due_at = after(now_us, step->due_hours, arena);
	request->allows_delegate = step->allow_delegate;
	request->distinct_from_prior = step->distinct_from_prior;
	if (step->escalate_to_role[0] == '\0')
		return;
	int32_t hours = step->escalate_after_hours;
	request->escalates_to = step->escalate_to_role;
	request->escalates_at = after(now_us, hours > 0 ? hours : step->due_hours, arena);
}

void approval_step_close(Isms__V1__ApprovalRequest *request, Isms__V1__ApprovalState state,
			 const char *reason, int64_t now_us, struct arena *arena)
{
	assert(state_leads(STATE_OF_REQUEST, (int)request->state, (int)state));
	approval_step_open(request, 0, now_us, arena);
	request->state = state;
	request->closed_at = must(pb_time_new(arena, now_us));
	request->close_reason = must(arena_strdup(arena, reason));
}

void approval_step_escalate(Isms__V1__ApprovalRequest *request, bool anybody, int64_t now_us,
			    struct arena *arena)
{
	const Isms__V1__PolicyStep *step = step_of(request);
	request->escalated = true;
	request->escalates_at = NULL;
	request->escalates_to = must(arena_strdup(arena, ""));
	if (anybody && step != NULL && step->due_hours > 0)
		request->step_due_at = after(now_us, step->due_hours, arena);
}

bool approval_step_overdue(const Isms__V1__ApprovalRequest *request, int64_t now_us)
{
	return request->step_due_at != NULL && pb_time_us(request->step_due_at) <= now_us;
}

bool approval_step_can_escalate(const Isms__V1__ApprovalRequest *request)
{
	return !request->escalated && request->escalates_to[0] != '\0';
}

bool approval_step_escalates(const Isms__V1__ApprovalRequest *request, int64_t now_us)
{
	if (!approval_step_can_escalate(request))
		return false;
	return approval_step_overdue(request, now_us) ||
	       (request->escalates_at != NULL && pb_time_us(request->escalates_at) <= now_us);
}
