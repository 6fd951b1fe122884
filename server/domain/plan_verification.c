/* Persons are compared, never accounts. The score that follows counts as that of
 * those who wrote the plan: they chose the values, the verifier only whether they
 * hold, and may so still decide about what is left of the risk. */
#include "server/domain/plan_verification.h"

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/fields.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"
#include "server/domain/plan_content.h"
#include "server/domain/plan_cover.h"
#include "server/domain/plan_end.h"
#include "server/domain/plan_progress.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"
#include "server/domain/treatment_plan.h"

static bool has_part(const struct facts *facts, const Isms__V1__TreatmentPlan *plan,
		     const char *person)
{
	size_t n;
	const Isms__Store__V1__Found *const *people =
		fact_rows(facts, "plan_people", Isms__Store__V1__Found, isms__store__v1__found, &n);
	const Isms__V1__PlanProgress *progress = plan->progress;
	for (size_t i = 0; i < n; i++)
		if (fields_has(&people[i]->id, 1, person))
			return true;
	if (progress != NULL && fields_has(progress->implemented_by_persons,
					   progress->n_implemented_by_persons, person))
		return true;
	for (size_t i = 0; progress != NULL && i < progress->n_actions; i++) {
		const Isms__V1__ActionProgress *action = progress->actions[i];
		if (fields_has(action->done_by_persons, action->n_done_by_persons, person))
			return true;
	}
	return false;
}

static struct status check_verifier(const struct facts *facts, const Isms__V1__TreatmentPlan *plan)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	for (size_t i = 0; i < principal->n_person_ids; i++)
		if (has_part(facts, plan, principal->person_ids[i]))
			return status_make(STATUS_CODE_PERMISSION_DENIED, "SOD_VERIFIER",
					   "who wrote a plan or carried it out does not verify it");
	return STATUS_OK;
}

static struct status check(const struct facts *facts, const Isms__V1__TreatmentPlan *plan)
{
	const Isms__V1__VerifyPlanRequest *request = (const void *)facts->request;
	struct status st = check_verifier(facts, plan);
	if (!status_ok(&st))
		return st;
	if (state_plan_after(plan->state, STATE_VERIFY) == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	if (request->verdict == ISMS__V1__PLAN_VERDICT__PLAN_VERDICT_INEFFECTIVE &&
	    text_blank(request->comment))
		return status_invalid(facts->arena, "comment", "is required for INEFFECTIVE");
	st = plan_progress_check_lapse(plan, facts->now_us);
	if (status_ok(&st) && !plan_content_counts(plan, facts->now_us))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NOT_IN_EFFECT",
				   "what the plan is about begins later");
	return st;
}

static Isms__V1__PlanVerification *verification(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__VerifyPlanRequest *request = (const void *)facts->request;
	Isms__V1__PlanVerification *out =
		must_new_of(plan->arena, Isms__V1__PlanVerification, isms__v1__plan_verification);
	out->verifier_id = facts->principal->user_id;
	out->verifier_name = facts->principal->display_name;
	out->at = must(pb_time_new(plan->arena, plan->now_us));
	out->effective = request->verdict == ISMS__V1__PLAN_VERDICT__PLAN_VERDICT_EFFECTIVE;
	out->evidence = request->evidence;
	out->comment = request->comment;
	return out;
}

static void put_score(const struct facts *facts, struct plan *plan, const Isms__V1__Risk *risk,
		      const Isms__V1__TreatmentPlan *verified)
{
	Isms__Store__V1__RiskScore *row =
		must_new_of(plan->arena, Isms__Store__V1__RiskScore, isms__store__v1__risk_score);
	size_t n;
	const Isms__Store__V1__Found *const *writers = fact_rows(
		facts, "plan_writers", Isms__Store__V1__Found, isms__store__v1__found, &n);
	row->id = plan_new_id(plan);
	row->risk_id = risk->meta->id;
	row->kind = (int32_t)SCORE(CURRENT);
	row->score = risk->current;
	row->method_id = risk->method_id;
	row->rationale = must(arena_printf(plan->arena, "%s was verified", verified->meta->ref));
	row->scored_by = facts->principal->user_id;
	for (size_t i = 0; i < n; i++)
		fields_add(&row->scored_by_persons, &row->n_scored_by_persons, writers[i]->id,
			   plan->arena);
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	plan_put(plan, KIND_RISK_SCORE, &row->base);
}

/* The target is reached. Where somebody has scored the risk lower meanwhile, that
 * raises the level, with all that follows. */
static void take_target(struct dossier *dossier, Isms__V1__TreatmentPlan *verified,
			const struct facts *facts)
{
	if (verified->option == OPTION(TRANSFER))
		plan_cover_begin(dossier, verified,
				 fact_row(facts, "plan_current_score", Isms__Store__V1__RiskScore,
					  isms__store__v1__risk_score));
	Isms__V1__RiskLevel before = score_level_of(dossier->was->current);
	Isms__V1__Risk *risk = dossier_change_risk(dossier);
	risk->current = verified->content->target;
	if (risk->current->level > before)
		material_change_rise(dossier, before, risk->current->level);
}

static void apply(struct dossier *dossier, struct dossier_plan *place, const struct facts *facts,
		  struct plan *plan)
{
	Isms__V1__TreatmentPlan *after = dossier_change_plan(dossier, place);
	after->verification = verification(facts, plan);
	if (!after->verification->effective) {
		dossier_settle(dossier,
			       plan_end(dossier, place, STATE_FAIL, after->verification->comment));
		return;
	}
	after->state = state_plan_after(after->state, STATE_VERIFY);
	bool scored = score_level_of(after->content->target) != LEVEL(UNSPECIFIED);
	if (scored)
		take_target(dossier, after, facts);
	dossier_derive_state(dossier);
	dossier_settle(dossier, scored ? DOSSIER_CONTENT : DOSSIER_STATE_ONLY);
	if (scored)
		put_score(facts, plan, dossier_risk(dossier), after);
}

struct status plan_verification_verify(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__VerifyPlanRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct dossier_plan *place;
	struct status st = treatment_plan_open(&dossier, &place, facts, plan, request->id);
	if (status_ok(&st))
		st = check(facts, place->was);
	if (!status_ok(&st))
		return st;
	apply(dossier, place, facts, plan);

	Isms__V1__VerifyPlanResponse *reply = must_new_of(plan->arena, Isms__V1__VerifyPlanResponse,
							  isms__v1__verify_plan_response);
	reply->plan = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
