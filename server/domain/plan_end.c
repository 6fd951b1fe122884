/* Whatever ends a plan, the risk is what the plans left make of it. */
#include "server/domain/plan_end.h"

#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/store/v1/clock.pb-c.h"
#include "server/domain/must.h"
#include "server/domain/plan_cover.h"
#include "server/domain/refusal.h"
#include "server/domain/score.h"
#include "server/domain/text.h"
#include "server/domain/treatment_plan.h"

/* What the newest plan in force aims at, or nothing; true when that is another target. */
static bool set_target(struct dossier *dossier)
{
	const Isms__V1__Score *before = dossier_risk(dossier)->target;
	const Isms__V1__TreatmentPlan *newest = NULL;
	for (size_t i = 0; i < dossier->n_plans; i++) {
		const Isms__V1__TreatmentPlan *plan = dossier_plan_now(&dossier->plans[i]);
		if (!state_plan_in_force(plan->state) ||
		    score_level_of(plan->content->target) == LEVEL(UNSPECIFIED))
			continue;
		if (newest == NULL || strcmp(plan->meta->id, newest->meta->id) > 0)
			newest = plan;
	}
	if (newest != NULL)
		dossier_change_risk(dossier)->target = newest->content->target;
	else if (score_level_of(dossier_risk(dossier)->target) != LEVEL(UNSPECIFIED))
		dossier_change_risk(dossier)->target =
			must_new_of(dossier->plan->arena, Isms__V1__Score, isms__v1__score);
	const Isms__V1__Score *after = dossier_risk(dossier)->target;
	if (before == NULL || after == NULL)
		return score_level_of(before) != score_level_of(after);
	return !score_same(before, after);
}

enum dossier_settle plan_end(struct dossier *dossier, struct dossier_plan *place,
			     enum state_action action, const char *reason)
{
	Isms__V1__TreatmentPlan *after = dossier_change_plan(dossier, place);
	after->state = state_plan_after(after->state, action);
	assert(after->state != PLAN(UNSPECIFIED));
	after->end_reason = must(arena_strdup(dossier->plan->arena, reason));
	bool retargeted = set_target(dossier);
	bool scored = plan_cover_end(dossier, after);
	dossier_derive_state(dossier);
	return scored || retargeted ? DOSSIER_CONTENT : DOSSIER_STATE_ONLY;
}

struct status plan_end_cancel(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CancelPlanRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct dossier_plan *place;
	struct status st = treatment_plan_open(&dossier, &place, facts, plan, request->id);
	if (!status_ok(&st))
		return st;
	if (state_plan_after(place->was->state, STATE_CANCEL) == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	if (text_blank(request->reason))
		return status_invalid(plan->arena, "reason", "is required");
	dossier_settle(dossier, plan_end(dossier, place, STATE_CANCEL, request->reason));

	Isms__V1__CancelPlanResponse *reply = must_new_of(plan->arena, Isms__V1__CancelPlanResponse,
							  isms__v1__cancel_plan_response);
	reply->plan = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static bool is_lapsed(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	return plan->option == OPTION(TRANSFER) && pb_time_us(plan->lapses_at) <= now_us &&
	       state_plan_after(plan->state, STATE_LAPSE) != PLAN(UNSPECIFIED);
}

struct status plan_end_lapse(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__ClockTick *tick = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_plan", Isms__V1__Risk, isms__v1__risk);
	if (risk == NULL)
		return refusal_not_due();
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(dossier, plan, facts, risk, "plan");
	if (!status_ok(&st))
		return st;
	struct dossier_plan *place = dossier_find_plan(dossier, tick->id);
	if (place == NULL || !is_lapsed(place->was, facts->now_us))
		return refusal_not_due();
	plan->subject_kind = KIND_TREATMENT_PLAN;
	plan->subject_id = tick->id;
	dossier_settle(dossier, plan_end(dossier, place, STATE_LAPSE, "the transfer has lapsed"));
	return STATUS_OK;
}
