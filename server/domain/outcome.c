/* Each decision is one move of the subject by the table of states; what else
 * ends or begins by it is done here and nowhere else. */
#include "server/domain/outcome.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/acceptance_term.h"
#include "server/domain/must.h"
#include "server/domain/plan_cover.h"
#include "server/domain/score.h"
#include "server/domain/states.h"

bool outcome_subject_find(struct outcome_subject *out, struct dossier *dossier,
			  const Isms__V1__ApprovalRequest *request)
{
	*out = (struct outcome_subject){ 0 };
	if (dossier->was->meta->version != request->risk_version)
		return false;
	if (request->subject_kind == SUBJECT(ACCEPTANCE)) {
		struct dossier_acceptance *place =
			dossier_find_acceptance(dossier, request->subject_id);
		if (place == NULL || place->was->state != ACCEPTANCE(SUBMITTED) ||
		    place->was->meta->version != request->subject_version)
			return false;
		out->acceptance = place;
		return true;
	}
	struct dossier_plan *place = dossier_find_plan(dossier, request->subject_id);
	if (place == NULL || place->was->state != PLAN(SUBMITTED) ||
	    place->was->meta->version != request->subject_version)
		return false;
	out->plan = place;
	return true;
}

/* The one in force until now ends, as superseded or, overdue, as expired. */
static void end_older(struct dossier *dossier, const struct dossier_acceptance *newer)
{
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		struct dossier_acceptance *place = &dossier->acceptances[i];
		if (place == newer || place->was->state != ACCEPTANCE(ACTIVE))
			continue;
		if (!place->was->effective) {
			dossier_end_overdue(dossier, place);
			continue;
		}
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(ACCEPTANCE(ACTIVE), STATE_SUPERSEDE),
				       "",
				       must(arena_printf(dossier->plan->arena, "superseded by %s",
							 newer->was->meta->ref)));
	}
}

static void approve_acceptance(struct dossier *dossier, struct dossier_acceptance *place)
{
	end_older(dossier, place);
	Isms__V1__Acceptance *after = dossier_change_acceptance(dossier, place);
	const struct dossier_request *request =
		dossier_find_request(dossier, place->was->approval_request_id);
	after->valid_from = must(pb_time_new(dossier->plan->arena, dossier->plan->now_us));
	after->review_days = request == NULL ? 0 : request->was->steps->review_days;
	after->warned_days = acceptance_term_warned(after->valid_until, dossier->plan->now_us);
	dossier_set_acceptance(dossier, place,
			       state_acceptance_after(ACCEPTANCE(SUBMITTED), STATE_APPROVE));
}

static void supersede_plans(struct dossier *dossier, struct dossier_plan *newer)
{
	for (size_t i = 0; i < dossier->n_plans; i++) {
		struct dossier_plan *place = &dossier->plans[i];
		Isms__V1__PlanState state = state_plan_after(place->was->state, STATE_SUPERSEDE);
		if (place == newer || place->was->option != newer->was->option ||
		    state == PLAN(UNSPECIFIED))
			continue;
		Isms__V1__TreatmentPlan *older = dossier_change_plan(dossier, place);
		older->state = state;
		older->end_reason = must(arena_printf(dossier->plan->arena, "superseded by %s",
						      newer->was->meta->ref));
		dossier_change_plan(dossier, newer)->supersedes_id = older->meta->id;
		plan_cover_take_over(newer->changed, older);
	}
}

/* The target is scored by those who wrote the plan; the approval makes it so. */
static void put_target(struct dossier *dossier, const Isms__V1__TreatmentPlan *approved,
		       const struct facts *facts)
{
	struct plan *plan = dossier->plan;
	Isms__V1__Risk *risk = dossier_change_risk(dossier);
	Isms__Store__V1__RiskScore *row =
		must_new_of(plan->arena, Isms__Store__V1__RiskScore, isms__store__v1__risk_score);
	risk->target = approved->content->target;
	row->id = plan_new_id(plan);
	row->risk_id = risk->meta->id;
	row->kind = (int32_t)SCORE(TARGET);
	row->score = approved->content->target;
	row->method_id = risk->method_id;
	row->rationale = approved->content->rationale;
	row->scored_by = facts->principal->user_id;
	row->scored_by_persons = facts->principal->person_ids;
	row->n_scored_by_persons = facts->principal->n_person_ids;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	plan_put(plan, KIND_RISK_SCORE, &row->base);
}

static void approve_plan(struct dossier *dossier, struct dossier_plan *place,
			 const struct facts *facts)
{
	supersede_plans(dossier, place);
	Isms__V1__TreatmentPlan *plan = dossier_change_plan(dossier, place);
	plan->state = state_plan_after(PLAN(SUBMITTED), STATE_APPROVE);
	if (score_level_of(plan->content->target) != LEVEL(UNSPECIFIED))
		put_target(dossier, plan, facts);
}

void outcome_approve(struct dossier *dossier, const struct outcome_subject *subject,
		     const struct facts *facts)
{
	if (subject->acceptance != NULL)
		approve_acceptance(dossier, subject->acceptance);
	else
		approve_plan(dossier, subject->plan, facts);
}

static void move(struct dossier *dossier, const struct outcome_subject *subject,
		 enum state_action action)
{
	if (subject->acceptance != NULL)
		dossier_set_acceptance(dossier, subject->acceptance,
				       state_acceptance_after(ACCEPTANCE(SUBMITTED), action));
	else
		dossier_change_plan(dossier, subject->plan)->state =
			state_plan_after(PLAN(SUBMITTED), action);
}

void outcome_reject(struct dossier *dossier, const struct outcome_subject *subject)
{
	move(dossier, subject, STATE_REJECT);
}

void outcome_request_changes(struct dossier *dossier, const struct outcome_subject *subject)
{
	move(dossier, subject, STATE_REQUEST_CHANGES);
}

void outcome_return(struct dossier *dossier, const Isms__V1__ApprovalRequest *request)
{
	struct outcome_subject subject = { 0 };
	if (request->subject_kind == SUBJECT(ACCEPTANCE)) {
		subject.acceptance = dossier_find_acceptance(dossier, request->subject_id);
		if (subject.acceptance != NULL &&
		    subject.acceptance->was->state == ACCEPTANCE(SUBMITTED))
			move(dossier, &subject, STATE_RETURN);
		return;
	}
	subject.plan = dossier_find_plan(dossier, request->subject_id);
	if (subject.plan != NULL && subject.plan->was->state == PLAN(SUBMITTED))
		move(dossier, &subject, STATE_RETURN);
}
