/* An acceptance is bounded: by the level's longest time, by its own end, by what
 * makes it void. No state returns to ACTIVE. */
#include "server/domain/acceptance.h"

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval.h"
#include "server/domain/control.h"
#include "server/domain/dossier.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

static const int64_t day_us = INT64_C(24) * 60 * 60 * 1000000;

static struct status illegal_state(const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE", message);
}

static struct status not_scored(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "RISK_NOT_SCORED",
			   "the risk needs a current score first");
}

static struct status check_fields(const struct facts *facts, const Isms__V1__Acceptance *before,
				  Isms__V1__Acceptance *after)
{
	if (text_blank(after->rationale))
		return status_invalid(facts->arena, "fields.rationale", "is required");
	if (after->valid_until == NULL || !pb_time_valid(after->valid_until))
		return status_invalid(facts->arena, "fields.valid_until", "must be a time");
	fields_unique(&after->compensating_control_ids, &after->n_compensating_control_ids,
		      facts->arena);
	return fields_found(facts, "acceptance_controls", "fields.compensating_control_ids",
			    before->compensating_control_ids, before->n_compensating_control_ids,
			    after->compensating_control_ids, after->n_compensating_control_ids);
}

/* The part of the plan that comes from the acceptance. */
static void mirror(Isms__V1__TreatmentPlan *plan, const Isms__V1__Acceptance *acceptance,
		   struct arena *arena)
{
	plan->content = must_new_of(arena, Isms__V1__PlanFields, isms__v1__plan_fields);
	plan->content->rationale = acceptance->rationale;
	plan->content->due_at = acceptance->valid_until;
	plan->contributor_ids = acceptance->contributor_ids;
	plan->n_contributor_ids = acceptance->n_contributor_ids;
	plan->state = state_of_accept_plan(acceptance->state);
}

static void subject_is(struct plan *plan, const char *id)
{
	plan->subject_kind = KIND_RISK_ACCEPTANCE;
	plan->subject_id = id;
}

static Isms__V1__TreatmentPlan *new_plan(const struct facts *facts, struct plan *plan,
					 const Isms__V1__Acceptance *acceptance)
{
	Isms__V1__TreatmentPlan *row =
		must_new_of(plan->arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
	row->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->ref = fact_row(facts, "treatment_plan_next_ref", Isms__Store__V1__NextRef,
				  isms__store__v1__next_ref)
				 ->ref;
	row->scope_id = acceptance->scope_id;
	row->risk_id = acceptance->risk_id;
	row->option = OPTION(ACCEPT);
	row->author_id = acceptance->author_id;
	mirror(row, acceptance, plan->arena);
	return row;
}

/* A draft of the caller, with the plan behind it. */
static void insert(const struct facts *facts, struct plan *plan, const Isms__V1__Risk *risk,
		   Isms__V1__Acceptance *row)
{
	row->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->id = plan_new_id(plan);
	row->meta->ref = fact_row(facts, "risk_acceptance_next_ref", Isms__Store__V1__NextRef,
				  isms__store__v1__next_ref)
				 ->ref;
	row->scope_id = risk->scope_id;
	row->risk_id = risk->meta->id;
	row->state = state_acceptance_after(ACCEPTANCE(UNSPECIFIED), STATE_CREATE);
	row->author_id = facts->principal->user_id;
	fields_add(&row->contributor_ids, &row->n_contributor_ids, row->author_id, plan->arena);
	subject_is(plan, row->meta->id);
	Isms__V1__TreatmentPlan *behind = new_plan(facts, plan, row);
	plan_insert(plan, KIND_TREATMENT_PLAN, &behind->base);
	row->plan_id = behind->meta->id;
	plan_insert(plan, KIND_RISK_ACCEPTANCE, &row->base);
}

static struct status check_risk(const Isms__V1__Risk *risk)
{
	if (risk->state == RISK(CLOSED))
		return illegal_state("the risk is closed");
	return score_level_of(risk->current) == LEVEL(UNSPECIFIED) ? not_scored() : STATUS_OK;
}

struct status acceptance_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateAcceptanceRequest *request = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "risk_to_treat", Isms__V1__Risk, isms__v1__risk);
	struct status st = check_risk(risk);
	if (!status_ok(&st))
		return st;
	const Isms__V1__Acceptance *nothing =
		must_new_of(plan->arena, Isms__V1__Acceptance, isms__v1__acceptance);
	Isms__V1__Acceptance *row =
		must_new_of(plan->arena, Isms__V1__Acceptance, isms__v1__acceptance);
	pb_copy_same(&row->base, &request->fields->base);
	st = check_fields(facts, nothing, row);
	if (!status_ok(&st))
		return st;
	insert(facts, plan, risk, row);

	Isms__V1__CreateAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__CreateAcceptanceResponse,
			    isms__v1__create_acceptance_response);
	reply->acceptance = row;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* The texts and controls of the one before; who wrote those is a contributor still. */
static Isms__V1__Acceptance *successor(const Isms__V1__RenewAcceptanceRequest *request,
				       const Isms__V1__Acceptance *previous, struct arena *arena)
{
	Isms__V1__Acceptance *row = must_new_of(arena, Isms__V1__Acceptance, isms__v1__acceptance);
	row->rationale = previous->rationale;
	row->business_reason = previous->business_reason;
	row->conditions = previous->conditions;
	row->compensating_control_ids = previous->compensating_control_ids;
	row->n_compensating_control_ids = previous->n_compensating_control_ids;
	row->contributor_ids = previous->contributor_ids;
	row->n_contributor_ids = previous->n_contributor_ids;
	row->previous_id = previous->meta->id;
	row->valid_until = request->valid_until;
	return row;
}

struct status acceptance_renew(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__RenewAcceptanceRequest *request = (const void *)facts->request;
	const Isms__V1__Acceptance *previous =
		fact_row(facts, "acceptance_for_write", Isms__V1__Acceptance, isms__v1__acceptance);
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_acceptance", Isms__V1__Risk, isms__v1__risk);
	if (state_acceptance_after(previous->state, STATE_RENEW) == ACCEPTANCE(UNSPECIFIED))
		return illegal_state("only what is, or was, in force can be renewed");
	if (!pb_time_valid(request->valid_until))
		return status_invalid(plan->arena, "valid_until", "must be a time");
	struct status st = check_risk(risk);
	if (!status_ok(&st))
		return st;
	Isms__V1__Acceptance *row = successor(request, previous, plan->arena);
	insert(facts, plan, risk, row);

	Isms__V1__RenewAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__RenewAcceptanceResponse,
			    isms__v1__renew_acceptance_response);
	reply->acceptance = row;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status acceptance_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateAcceptanceRequest *request = (const void *)facts->request;
	const Isms__V1__Acceptance *before =
		fact_row(facts, "acceptance_for_write", Isms__V1__Acceptance, isms__v1__acceptance);
	const Isms__V1__TreatmentPlan *behind =
		fact_row(facts, "acceptance_plan_for_write", Isms__V1__TreatmentPlan,
			 isms__v1__treatment_plan);
	Isms__V1__AcceptanceState state = state_acceptance_after(before->state, STATE_EDIT);
	if (state == ACCEPTANCE(UNSPECIFIED))
		return illegal_state("the terms cannot be changed in this state");
	Isms__V1__Acceptance *after = plan_copy_of(plan, Isms__V1__Acceptance, before);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			      request->update_mask->n_paths, plan->arena);
	if (status_ok(&st))
		st = check_fields(facts, before, after);
	if (!status_ok(&st))
		return st;
	after->state = state;
	fields_add(&after->contributor_ids, &after->n_contributor_ids, facts->principal->user_id,
		   plan->arena);
	plan_update(plan, KIND_RISK_ACCEPTANCE, &before->base, &after->base);
	Isms__V1__TreatmentPlan *followed = plan_copy_of(plan, Isms__V1__TreatmentPlan, behind);
	mirror(followed, after, plan->arena);
	plan_update(plan, KIND_TREATMENT_PLAN, &behind->base, &followed->base);

	Isms__V1__UpdateAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__UpdateAcceptanceResponse,
			    isms__v1__update_acceptance_response);
	reply->acceptance = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static struct status dossier_of_acceptance(struct dossier **out, const struct facts *facts,
					   struct plan *plan)
{
	*out = must(arena_new_of(plan->arena, struct dossier));
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_acceptance", Isms__V1__Risk, isms__v1__risk);
	return dossier_load(*out, plan, facts, risk, "acceptance");
}

static struct status check_duration(const struct facts *facts, const Isms__V1__Acceptance *row,
				    Isms__V1__RiskLevel level)
{
	const Isms__V1__RiskMethod *method =
		fact_row(facts, "method_for_write", Isms__V1__RiskMethod, isms__v1__risk_method);
	if (method == NULL || !score_criteria_valid(method->criteria))
		return refusal_no_method();
	const Isms__V1__LevelRule *rule = score_rule(method->criteria, level);
	int64_t until_us = pb_time_us(row->valid_until);
	if (until_us > facts->now_us && until_us - facts->now_us <= rule->max_accept_days * day_us)
		return STATUS_OK;
	struct status st =
		status_make(STATUS_CODE_FAILED_PRECONDITION, "DURATION_CAP",
			    "the end must lie ahead and within the level's longest time");
	status_add_pair(&st, facts->arena, "max_days",
			must(arena_printf(facts->arena, "%d", (int)rule->max_accept_days)));
	status_add_violation(&st, facts->arena, "valid_until",
			     "must lie ahead and within the level's longest time");
	return st;
}

/* Another ACCEPT plan that waits or was sent back. */
static bool other_open(const struct dossier *dossier, const struct dossier_acceptance *place)
{
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		Isms__V1__AcceptanceState state = dossier->acceptances[i].was->state;
		if (&dossier->acceptances[i] != place &&
		    (state == ACCEPTANCE(SUBMITTED) || state == ACCEPTANCE(CHANGES_REQUESTED)))
			return true;
	}
	return false;
}

/* What makes up for the missing treatment must work. */
static struct status check_controls(const struct facts *facts)
{
	size_t n;
	const Isms__V1__Control *const *controls = fact_rows(
		facts, "controls_of_acceptance", Isms__V1__Control, isms__v1__control, &n);
	for (size_t i = 0; i < n; i++)
		if (!control_works(controls[i]->state))
			return status_make(STATUS_CODE_FAILED_PRECONDITION, "CONTROL_FAILED",
					   "a compensating control does not work, or not yet");
	return STATUS_OK;
}

static struct status check_submit(const struct facts *facts, const struct dossier *dossier,
				  const struct dossier_acceptance *place)
{
	Isms__V1__RiskLevel level = score_level_of(dossier->was->current);
	if (state_acceptance_after(place->was->state, STATE_SUBMIT) == ACCEPTANCE(UNSPECIFIED))
		return illegal_state("only a draft can be submitted");
	if (dossier->was->state == RISK(CLOSED))
		return illegal_state("the risk is closed");
	if (level == LEVEL(UNSPECIFIED))
		return not_scored();
	if (other_open(dossier, place))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "PLAN_OPEN",
				   "another acceptance of this risk is open");
	struct status st = check_controls(facts);
	return status_ok(&st) ? check_duration(facts, place->was, level) : st;
}

static void submit(struct dossier *dossier, struct dossier_acceptance *place,
		   const struct facts *facts, char *request_id)
{
	Isms__V1__Acceptance *after = dossier_change_acceptance(dossier, place);
	after->requested_by = facts->principal->user_id;
	after->level = score_level_of(dossier->was->current);
	after->approval_request_id = request_id;
	dossier_set_acceptance(dossier, place, state_acceptance_after(after->state, STATE_SUBMIT));
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
}

struct status acceptance_submit(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__SubmitAcceptanceRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct status st = dossier_of_acceptance(&dossier, facts, plan);
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = must(dossier_find_acceptance(dossier, request->id));
	struct approval_opening opening;
	st = check_submit(facts, dossier, place);
	if (status_ok(&st))
		st = approval_prepare(&opening, facts, plan, "acceptance",
				      score_level_of(dossier->was->current));
	if (!status_ok(&st))
		return st;
	subject_is(plan, request->id);
	submit(dossier, place, facts, opening.id);
	const struct approval_subject subject = {
		.kind = SUBJECT(ACCEPTANCE),
		.meta = place->changed->meta,
		.message = &place->changed->base,
		.valid_until = place->changed->valid_until,
	};
	Isms__V1__SubmitAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__SubmitAcceptanceResponse,
			    isms__v1__submit_acceptance_response);
	reply->acceptance = place->changed;
	reply->request = approval_open(&opening, facts, plan, dossier, &subject);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status acceptance_withdraw(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__WithdrawAcceptanceRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct status st = dossier_of_acceptance(&dossier, facts, plan);
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = must(dossier_find_acceptance(dossier, request->id));
	Isms__V1__AcceptanceState state = state_acceptance_after(place->was->state, STATE_WITHDRAW);
	if (state == ACCEPTANCE(UNSPECIFIED))
		return illegal_state("only what is submitted can be taken back");
	st = approval_withdraw(dossier, facts, request->id);
	if (!status_ok(&st))
		return st;
	subject_is(plan, request->id);
	dossier_set_acceptance(dossier, place, state);
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);

	Isms__V1__WithdrawAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__WithdrawAcceptanceResponse,
			    isms__v1__withdraw_acceptance_response);
	reply->acceptance = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status acceptance_revoke(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__RevokeAcceptanceRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct status st = dossier_of_acceptance(&dossier, facts, plan);
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = must(dossier_find_acceptance(dossier, request->id));
	Isms__V1__AcceptanceState state = state_acceptance_after(place->was->state, STATE_REVOKE);
	if (text_blank(request->reason))
		return status_invalid(plan->arena, "reason", "is required");
	if (state == ACCEPTANCE(UNSPECIFIED) || !place->was->effective)
		return illegal_state("the acceptance is not in force");
	subject_is(plan, request->id);
	dossier_end_acceptance(dossier, place, state, facts->principal->user_id, request->reason);
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);

	Isms__V1__RevokeAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__RevokeAcceptanceResponse,
			    isms__v1__revoke_acceptance_response);
	reply->acceptance = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
