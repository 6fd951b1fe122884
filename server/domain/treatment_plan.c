/* A plan is drafted by those who may write it, and everybody who wrote a part of
 * it is remembered: none of them may approve it. */
#include "server/domain/treatment_plan.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval.h"
#include "server/domain/dossier.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/plan_content.h"
#include "server/domain/refusal.h"
#include "server/domain/score.h"
#include "server/domain/states.h"

struct status treatment_plan_illegal(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
			   "this is not open in the plan's state");
}

struct status treatment_plan_check_option(const Isms__V1__TreatmentPlan *plan)
{
	if (plan->option != OPTION(ACCEPT))
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ACCEPT_PLAN",
			   "the plan follows its acceptance and changes with it");
}

static const Isms__V1__RiskMethod *method_of(const struct facts *facts)
{
	return fact_row(facts, "method_for_write", Isms__V1__RiskMethod, isms__v1__risk_method);
}

struct status treatment_plan_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreatePlanRequest *request = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "risk_to_treat", Isms__V1__Risk, isms__v1__risk);
	if (request->option == OPTION(ACCEPT))
		return status_invalid(plan->arena, "option", "an acceptance makes its own plan");
	if (risk->state == RISK(CLOSED))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the risk is closed");
	Isms__V1__TreatmentPlan *row =
		must_new_of(plan->arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
	row->content = plan_copy_of(plan, Isms__V1__PlanFields, request->fields);
	struct status st =
		plan_content_check(row->content, request->option, method_of(facts), plan->arena);
	if (!status_ok(&st))
		return st;
	row->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->ref = fact_row(facts, "treatment_plan_next_ref", Isms__Store__V1__NextRef,
				  isms__store__v1__next_ref)
				 ->ref;
	row->scope_id = risk->scope_id;
	row->risk_id = risk->meta->id;
	row->option = request->option;
	row->state = state_plan_after(PLAN(UNSPECIFIED), STATE_CREATE);
	row->author_id = facts->principal->user_id;
	fields_add(&row->contributor_ids, &row->n_contributor_ids, row->author_id, plan->arena);
	plan_content_index(row, plan->arena);
	plan_insert(plan, KIND_TREATMENT_PLAN, &row->base);

	Isms__V1__CreatePlanResponse *reply = must_new_of(plan->arena, Isms__V1__CreatePlanResponse,
							  isms__v1__create_plan_response);
	reply->plan = row;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status treatment_plan_check_may(const struct facts *facts, const char *permission)
{
	if (facts_may(facts, permission))
		return STATUS_OK;
	struct status st = refusal_permission_missing(permission, facts->arena);
	status_add_pair(&st, facts->arena, "scope", facts->access->scope_id);
	return st;
}

struct status treatment_plan_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdatePlanRequest *request = (const void *)facts->request;
	const Isms__V1__TreatmentPlan *before =
		fact_row(facts, "treatment_plan_for_write", Isms__V1__TreatmentPlan,
			 isms__v1__treatment_plan);
	struct status st = STATUS_OK;
	if (strcmp(before->author_id, facts->principal->user_id) != 0)
		st = treatment_plan_check_may(facts, "plan.write");
	if (status_ok(&st))
		st = treatment_plan_check_option(before);
	if (!status_ok(&st))
		return st;
	Isms__V1__PlanState state = state_plan_after(before->state, STATE_EDIT);
	if (state == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	Isms__V1__TreatmentPlan *after = plan_copy_of(plan, Isms__V1__TreatmentPlan, before);
	after->content = plan_copy_of(plan, Isms__V1__PlanFields, before->content);
	st = pb_apply_mask(&after->content->base, &request->fields->base,
			   request->update_mask->paths, request->update_mask->n_paths, plan->arena);
	if (status_ok(&st))
		st = plan_content_check(after->content, after->option, method_of(facts),
					plan->arena);
	if (!status_ok(&st))
		return st;
	after->state = state;
	fields_add(&after->contributor_ids, &after->n_contributor_ids, facts->principal->user_id,
		   plan->arena);
	plan_content_index(after, plan->arena);
	plan_update(plan, KIND_TREATMENT_PLAN, &before->base, &after->base);

	Isms__V1__UpdatePlanResponse *reply = must_new_of(plan->arena, Isms__V1__UpdatePlanResponse,
							  isms__v1__update_plan_response);
	reply->plan = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* Another plan of the same option that waits or was sent back. */
static bool other_open(const struct dossier *dossier, const Isms__V1__TreatmentPlan *plan)
{
	for (size_t i = 0; i < dossier->n_plans; i++) {
		const Isms__V1__TreatmentPlan *other = dossier->plans[i].was;
		bool open =
			other->state == PLAN(SUBMITTED) || other->state == PLAN(CHANGES_REQUESTED);
		if (other != plan && open && other->option == plan->option)
			return true;
	}
	return false;
}

/* What is approved supersedes what counts now, and so must not begin later. */
static bool leaves_a_gap(const struct dossier *dossier, const Isms__V1__TreatmentPlan *plan)
{
	int64_t now_us = dossier->plan->now_us;
	if (plan_content_counts(plan, now_us))
		return false;
	for (size_t i = 0; i < dossier->n_plans; i++) {
		const Isms__V1__TreatmentPlan *other = dossier->plans[i].was;
		if (other != plan && other->option == plan->option &&
		    state_plan_in_force(other->state) && plan_content_counts(other, now_us))
			return true;
	}
	return false;
}

static struct status check_submit(const struct facts *facts, const struct dossier *dossier,
				  const Isms__V1__TreatmentPlan *before)
{
	struct status st = treatment_plan_check_option(before);
	if (!status_ok(&st))
		return st;
	if (state_plan_after(before->state, STATE_SUBMIT) == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	if (dossier->was->state == RISK(CLOSED))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the risk is closed");
	if (score_level_of(dossier->was->current) == LEVEL(UNSPECIFIED) || method_of(facts) == NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "RISK_NOT_SCORED",
				   "the risk needs a current score first");
	if (other_open(dossier, before))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "PLAN_OPEN",
				   "another plan of this option is open on the risk");
	st = plan_content_complete(facts, before, dossier->was);
	if (status_ok(&st) && leaves_a_gap(dossier, before))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "COVER_GAP",
				   "a plan of this option counts already and would end by the "
				   "approval of this one, which begins later");
	return st;
}

/* The first thing that waits for a decision says so on the risk. */
static void submit(struct dossier *dossier, struct dossier_plan *place, char *request_id)
{
	Isms__V1__TreatmentPlan *after = dossier_change_plan(dossier, place);
	after->state = state_plan_after(after->state, STATE_SUBMIT);
	after->approval_request_id = request_id;
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
}

static struct status dossier_of_plan(struct dossier **out, const struct facts *facts,
				     struct plan *plan)
{
	*out = must(arena_new_of(plan->arena, struct dossier));
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_plan", Isms__V1__Risk, isms__v1__risk);
	return dossier_load(*out, plan, facts, risk, "plan");
}

struct status treatment_plan_open(struct dossier **out, struct dossier_plan **out_place,
				  const struct facts *facts, struct plan *plan, const char *id)
{
	struct dossier *dossier;
	struct status st = dossier_of_plan(&dossier, facts, plan);
	if (!status_ok(&st))
		return st;
	struct dossier_plan *place = must(dossier_find_plan(dossier, id));
	st = treatment_plan_check_option(place->was);
	if (!status_ok(&st))
		return st;
	plan->subject_kind = KIND_TREATMENT_PLAN;
	plan->subject_id = id;
	*out = dossier;
	*out_place = place;
	return STATUS_OK;
}

struct status treatment_plan_submit(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__SubmitPlanRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct status st = dossier_of_plan(&dossier, facts, plan);
	if (!status_ok(&st))
		return st;
	struct dossier_plan *place = must(dossier_find_plan(dossier, request->id));
	struct approval_opening opening;
	st = check_submit(facts, dossier, place->was);
	if (status_ok(&st))
		st = approval_prepare(&opening, facts, plan, "plan",
				      score_level_of(dossier->was->current));
	if (!status_ok(&st))
		return st;
	plan->subject_kind = KIND_TREATMENT_PLAN;
	plan->subject_id = request->id;
	submit(dossier, place, opening.id);
	const struct approval_subject subject = {
		.kind = SUBJECT(TREATMENT_PLAN),
		.meta = place->changed->meta,
		.message = &place->changed->base,
	};
	Isms__V1__SubmitPlanResponse *reply = must_new_of(plan->arena, Isms__V1__SubmitPlanResponse,
							  isms__v1__submit_plan_response);
	reply->plan = place->changed;
	reply->request = approval_open(&opening, facts, plan, dossier, &subject);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status treatment_plan_withdraw(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__WithdrawPlanRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct dossier_plan *place;
	struct status st = treatment_plan_open(&dossier, &place, facts, plan, request->id);
	if (!status_ok(&st))
		return st;
	Isms__V1__PlanState state = state_plan_after(place->was->state, STATE_WITHDRAW);
	if (state == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	st = approval_withdraw(dossier, facts, request->id);
	if (!status_ok(&st))
		return st;
	dossier_change_plan(dossier, place)->state = state;
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);

	Isms__V1__WithdrawPlanResponse *reply = must_new_of(
		plan->arena, Isms__V1__WithdrawPlanResponse, isms__v1__withdraw_plan_response);
	reply->plan = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
