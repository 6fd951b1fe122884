/* The two kinds of subject meet here and nowhere else. */
#include "server/domain/matter.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval_step.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

static bool is_policy_change(const struct matter *matter)
{
	return matter->was->subject_kind == SUBJECT(POLICY_CHANGE);
}

static struct status closed(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "CLOSED", "the request is closed");
}

struct status matter_load(struct matter *out, const struct facts *facts, struct plan *plan,
			  const Isms__V1__ApprovalRequest *request, const struct matter_sets *sets)
{
	*out = (struct matter){ .plan = plan, .facts = facts, .was = request };
	if (is_policy_change(out)) {
		out->current = policy_change_find(&out->policies, facts, sets->policies, request);
		return STATUS_OK;
	}
	const Isms__V1__Risk *risk = fact_row(facts, sets->risk, Isms__V1__Risk, isms__v1__risk);
	if (risk == NULL)
		return closed();
	out->dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(out->dossier, plan, facts, risk, sets->of);
	if (!status_ok(&st))
		return st;
	out->place = dossier_find_request(out->dossier, request->meta->id);
	if (out->place == NULL) /* closed between two statements of the load */
		return closed();
	out->current = outcome_subject_find(&out->subject, out->dossier, request);
	return STATUS_OK;
}

/* Whether the end that is asked for has passed. */
static bool has_run_out(const struct matter *matter)
{
	const struct dossier_acceptance *acceptance = matter->subject.acceptance;
	const struct dossier_plan *plan = matter->subject.plan;
	if (acceptance != NULL)
		return pb_time_us(acceptance->was->valid_until) <= matter->facts->now_us;
	return plan != NULL && plan->was->option == OPTION(TRANSFER) &&
	       pb_time_us(plan->was->lapses_at) <= matter->facts->now_us;
}

const struct closing matter_no_quorum = { APPROVAL(EXPIRED), "NO_QUORUM",
					  "too few of the people who were asked may still decide" };

const struct closing *matter_closing(const struct matter *matter, bool overdue)
{
	static const struct closing stale = { APPROVAL(STALE), "STALE",
					      "what was submitted has changed since" };
	static const struct closing run_out = { APPROVAL(EXPIRED), "EXPIRED",
						"the end that was asked for has passed" };
	static const struct closing late = { APPROVAL(EXPIRED), "STEP_OVERDUE",
					     "the step was not decided in time" };
	if (!matter->current)
		return &stale;
	if (has_run_out(matter))
		return &run_out;
	return overdue ? &late : NULL;
}

Isms__V1__ApprovalRequest *matter_request(struct matter *matter)
{
	if (matter->dossier != NULL)
		return dossier_change_request(matter->dossier, matter->place);
	if (matter->changed == NULL)
		matter->changed =
			plan_copy_of(matter->plan, Isms__V1__ApprovalRequest, matter->was);
	return matter->changed;
}

static void end_about_risk(struct matter *matter, Isms__V1__ApprovalState state)
{
	switch (state) {
	case APPROVAL(APPROVED):
		outcome_approve(matter->dossier, &matter->subject, matter->facts);
		break;
	case APPROVAL(REJECTED):
		outcome_reject(matter->dossier, &matter->subject);
		break;
	case APPROVAL(CHANGES_REQUESTED):
		outcome_request_changes(matter->dossier, &matter->subject);
		break;
	default:
		outcome_return(matter->dossier, matter->was);
		break;
	}
	dossier_derive_state(matter->dossier);
}

void matter_end(struct matter *matter, Isms__V1__ApprovalState state, const char *reason)
{
	approval_step_close(matter_request(matter), state, reason, matter->plan->now_us,
			    matter->plan->arena);
	if (matter->dossier != NULL)
		end_about_risk(matter, state);
	else
		policy_change_outcome(&matter->policies, matter->plan, state);
}

void matter_close(struct matter *matter, const struct closing *closing)
{
	matter_end(matter, closing->state,
		   must(arena_printf(matter->plan->arena, "%s: %s", closing->reason,
				     closing->message)));
}

void matter_settle(struct matter *matter)
{
	if (matter->dossier != NULL)
		dossier_settle(matter->dossier, DOSSIER_STATE_ONLY);
	else if (matter->changed != NULL)
		plan_update(matter->plan, KIND_APPROVAL_REQUEST, &matter->was->base,
			    &matter->changed->base);
}
