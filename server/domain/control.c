/* What counts on a control ends, or is reviewed, in the transaction in which the
 * control fails. */
#include "server/domain/control.h"

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"

#define CONTROL(name) ISMS__V1__CONTROL_STATE__CONTROL_STATE_##name

bool control_has_failed(Isms__V1__ControlState state)
{
	return state == CONTROL(DEGRADED) || state == CONTROL(RETIRED);
}

bool control_works(Isms__V1__ControlState state)
{
	return state == CONTROL(IMPLEMENTED) || state == CONTROL(OPERATING);
}

struct status control_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateControlRequest *request = (const void *)facts->request;
	const Isms__V1__Control *before =
		fact_row(facts, "control_for_write", Isms__V1__Control, isms__v1__control);
	if (before->state == CONTROL(RETIRED))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the control is retired");
	if (request->state == CONTROL(PLANNED) && before->state != CONTROL(PLANNED))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the control is in place: it degrades or is retired");
	Isms__V1__Control *after = plan_copy_of(plan, Isms__V1__Control, before);
	after->state = request->state;
	if (after->state == CONTROL(RETIRED))
		after->meta->archived_at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_CONTROL, &before->base, &after->base);
	if (control_has_failed(after->state) && after->state != before->state) {
		const char *what = must(arena_printf(
			plan->arena, "the compensating control %s went from %s to %s", after->code,
			pb_enum_short(&isms__v1__control_state__descriptor, (int32_t)before->state),
			pb_enum_short(&isms__v1__control_state__descriptor,
				      (int32_t)after->state)));
		struct status st = material_change_of_control(facts, plan, before->meta->id, what);
		if (!status_ok(&st))
			return st;
	}
	Isms__V1__UpdateControlResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdateControlResponse, isms__v1__update_control_response);
	reply->control = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
