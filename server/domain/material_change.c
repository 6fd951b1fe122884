/* One risk at a time: whatever is open or in force on it ends here. */
#include "server/domain/material_change.h"

#include <string.h>

#include "server/domain/must.h"
#include "server/domain/states.h"

static void return_subject(struct dossier *dossier, const Isms__V1__ApprovalRequest *request)
{
	struct dossier_plan *plan = dossier_find_plan(dossier, request->subject_id);
	if (plan != NULL && dossier_plan_now(plan)->state == PLAN(SUBMITTED))
		dossier_change_plan(dossier, plan)->state =
			state_plan_after(PLAN(SUBMITTED), STATE_RETURN);
	struct dossier_acceptance *acceptance =
		dossier_find_acceptance(dossier, request->subject_id);
	if (acceptance != NULL &&
	    dossier_acceptance_now(acceptance)->state == ACCEPTANCE(SUBMITTED))
		dossier_set_acceptance(dossier, acceptance,
				       state_acceptance_after(ACCEPTANCE(SUBMITTED), STATE_RETURN));
}

static void end_in_force(struct dossier *dossier, struct dossier_acceptance *place,
			 const char *what)
{
	if (place->was->effective)
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(ACCEPTANCE(ACTIVE), STATE_INVALIDATE),
				       "", what);
	else
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(ACCEPTANCE(ACTIVE), STATE_EXPIRE), "",
				       "the acceptance has run out");
}

static bool close_requests(struct dossier *dossier, const char *what)
{
	bool any = false;
	for (size_t i = 0; i < dossier->n_requests; i++) {
		struct dossier_request *place = &dossier->requests[i];
		if (dossier_request_now(place)->state != APPROVAL(PENDING))
			continue;
		dossier_close_request(dossier, place, APPROVAL(STALE), what);
		return_subject(dossier, place->was);
		any = true;
	}
	return any;
}

static void settle_state(struct dossier *dossier)
{
	Isms__V1__RiskState state = dossier_state(dossier);
	if (state != dossier_risk(dossier)->state)
		dossier_change_risk(dossier)->state = state;
}

bool material_change_close(struct dossier *dossier, const char *what)
{
	bool any = close_requests(dossier, what);
	if (any)
		settle_state(dossier);
	return any;
}

bool material_change_apply(struct dossier *dossier, const char *what)
{
	bool any = close_requests(dossier, what);
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		if (dossier_acceptance_now(&dossier->acceptances[i])->state != ACCEPTANCE(ACTIVE))
			continue;
		end_in_force(dossier, &dossier->acceptances[i], what);
		any = true;
	}
	if (any)
		settle_state(dossier);
	return any;
}

static size_t loaded(const struct facts *facts, const char *what, const char *of,
		     const ProtobufCMessageDescriptor *type)
{
	size_t n;
	facts_rows(facts, must(arena_printf(facts->arena, "dossier_%s_of_%s", what, of)), type, &n);
	return n;
}

static bool too_many(const struct facts *facts, const char *of)
{
	return loaded(facts, "risk", of, &isms__v1__risk__descriptor) > MATERIAL_RISKS_MAX ||
	       loaded(facts, "plans", of, &isms__v1__treatment_plan__descriptor) >
		       MATERIAL_PLANS_MAX ||
	       loaded(facts, "acceptances", of, &isms__v1__acceptance__descriptor) >
		       MATERIAL_ACCEPTANCES_MAX ||
	       loaded(facts, "requests", of, &isms__v1__approval_request__descriptor) >
		       MATERIAL_REQUESTS_MAX;
}

struct status material_change_of(const char *of, const struct facts *facts, struct plan *plan,
				 const char *what)
{
	size_t n;
	const char *set = must(arena_printf(facts->arena, "dossier_risk_of_%s", of));
	const Isms__V1__Risk *const *risks =
		fact_rows(facts, set, Isms__V1__Risk, isms__v1__risk, &n);
	if (too_many(facts, of))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_AFFECTED",
				   "the change would undo more decisions than one call may");
	for (size_t i = 0; i < n; i++) {
		struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
		struct status st = dossier_load(dossier, plan, facts, risks[i], of);
		if (!status_ok(&st))
			return st;
		material_change_apply(dossier, what);
		dossier_settle(dossier, DOSSIER_CONTENT);
	}
	return STATUS_OK;
}
