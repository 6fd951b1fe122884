/* In the order in which a vote looks at it. */
#include "server/domain/approval_advance.h"

#include "common/arena.h"
#include "server/domain/approval_step.h"
#include "server/domain/ballot.h"
#include "server/domain/matter.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/states.h"

struct advance {
	struct ballot ballot;
	struct matter matter;
	bool escalated;
	size_t asked; /* people, by that */
};

static void escalate(struct advance *advance)
{
	advance->escalated = true;
	advance->asked = ballot_escalate(&advance->ballot);
}

/* Why the request is over; NULL when it is not. */
static const struct closing *over(struct advance *advance, int64_t now_us)
{
	const Isms__V1__ApprovalRequest *request = advance->ballot.request;
	const struct closing *closing = matter_closing(&advance->matter, false);
	if (closing != NULL)
		return closing;
	if (approval_step_escalates(request, now_us))
		escalate(advance);
	if (approval_step_overdue(request, now_us) && advance->asked == 0)
		return matter_closing(&advance->matter, true);
	enum ballot_outlook outlook = ballot_outlook(&advance->ballot);
	if (outlook == BALLOT_ESCALATES && !advance->escalated) {
		escalate(advance);
		outlook = ballot_outlook(&advance->ballot);
	}
	return outlook == BALLOT_OPEN ? NULL : &matter_no_quorum;
}

struct status approval_advance(const struct facts *facts, struct plan *plan)
{
	static const struct matter_sets sets = { "dossier_risk_of_open", "open",
						 "advance_policies" };
	struct advance *advance = must(arena_new_of(plan->arena, struct advance));
	*advance = (struct advance){ 0 };
	const Isms__V1__ApprovalRequest *request = fact_row(
		facts, "advance_request", Isms__V1__ApprovalRequest, isms__v1__approval_request);
	if (request == NULL || request->state != APPROVAL(PENDING))
		return refusal_not_due();
	struct status st = ballot_load(&advance->ballot, facts, "advance");
	if (status_ok(&st))
		st = matter_load(&advance->matter, facts, plan, request, &sets);
	if (!status_ok(&st))
		return st;
	plan->subject_kind = KIND_APPROVAL_REQUEST;
	plan->subject_id = request->meta->id;
	bool changed = ballot_void(&advance->ballot, true);
	const struct closing *closing = over(advance, plan->now_us);
	if (closing == NULL && !changed && !advance->escalated)
		return refusal_not_due();
	Isms__V1__ApprovalRequest *after = matter_request(&advance->matter);
	if (closing != NULL) {
		ballot_drop(&advance->ballot);
		matter_close(&advance->matter, closing);
	} else if (advance->escalated) {
		approval_step_escalate(after, advance->asked > 0, plan->now_us, plan->arena);
	}
	matter_settle(&advance->matter);
	ballot_put(&advance->ballot, plan);
	return STATUS_OK;
}
