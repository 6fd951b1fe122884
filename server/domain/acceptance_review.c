/* To keep an acceptance is a decision like the one that made it: one person who could
 * have made that alone, with the authority for the level, and nobody who asked for it,
 * wrote it, or changed what is looked at. What took more people is renewed by them. To
 * end it wants less. */
#include "server/domain/acceptance_review.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval_policy.h"
#include "server/domain/authority.h"
#include "server/domain/dossier.h"
#include "server/domain/eligibility.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"
#include "server/domain/voter.h"

#define REVIEW(name) ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_##name

static struct status check_state(const struct facts *facts, const Isms__V1__Acceptance *row)
{
	if (row->state == ACCEPTANCE(ACTIVE) && row->review_due_at != NULL &&
	    pb_time_us(row->review_due_at) > facts->now_us &&
	    pb_time_us(row->valid_until) > facts->now_us)
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
			   "no review of the acceptance is due");
}

static const Isms__V1__ApprovalRequest *approved_by(const struct facts *facts)
{
	return fact_row(facts, "acceptance_approval", Isms__V1__ApprovalRequest,
			isms__v1__approval_request);
}

/* Whether one person had decided it: a step that asks a role may ask several. */
static bool one_decided(const Isms__V1__ApprovalRequest *approved)
{
	if (approved == NULL || approved->steps == NULL || approved->steps->n_steps != 1)
		return false;
	const Isms__V1__PolicyStep *step = approved->steps->steps[0];
	return policy_step_needs(step, step->selector == SELECTOR(RISK_OWNER) ? 1 : 2) == 1;
}

static struct status check_weight(const struct facts *facts, const Isms__V1__Acceptance *row,
				  const Isms__V1__Risk *risk)
{
	if (one_decided(approved_by(facts)) && row->level != LEVEL(CRITICAL) &&
	    score_level_of(risk->current) != LEVEL(CRITICAL))
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "RENEWAL_NEEDED",
			   "more than one person has to decide that: renew the acceptance instead");
}

/* Those of the request by which it was approved, who has scored the risk since, and who
 * made the changes. */
static void find_involved(struct authority_request *out, const struct facts *facts,
			  const Isms__V1__Acceptance *row, const Isms__V1__Risk *risk)
{
	const Isms__V1__ApprovalRequest *approved = approved_by(facts);
	size_t n, n_contributors = 0;
	char **contributors = NULL;
	const Isms__Store__V1__Found *const *rows =
		fact_rows(facts, "contributors_of_acceptance", Isms__Store__V1__Found,
			  isms__store__v1__found, &n);
	for (size_t i = 0; i < n; i++)
		fields_add(&contributors, &n_contributors, rows[i]->id, facts->arena);
	for (size_t i = 0; i < row->n_review_by_persons; i++)
		fields_add(&contributors, &n_contributors, row->review_by_persons[i], facts->arena);
	for (size_t i = 0; i < approved->n_contributor_persons; i++)
		fields_add(&contributors, &n_contributors, approved->contributor_persons[i],
			   facts->arena);
	*out = (struct authority_request){
		.requester = approved->requested_by_person,
		.contributors = (const char *const *)contributors,
		.n_contributors = n_contributors,
		.submitted_us = facts->now_us,
		.level = score_level_of(risk->current),
	};
}

/* S4, S1 and S2. */
static struct status check_duties(const struct facts *facts, const struct authority_request *terms)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	const struct eligibility_voter voter = {
		.service = principal->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
		.person = principal->person_id,
	};
	const struct eligibility_request request = {
		.requester = terms->requester,
		.contributors = terms->contributors,
		.n_contributors = terms->n_contributors,
	};
	const char *reason = eligibility_reason(eligibility_of_person(&request, &voter));
	if (reason == NULL)
		return STATUS_OK;
	return status_make(
		STATUS_CODE_PERMISSION_DENIED, reason,
		"who asked for an acceptance, wrote it or made the change does not keep it");
}

/* What the caller holds of a place that may be asked; the most is left in *held. */
static void look(enum authority *held, const struct facts *facts,
		 const struct authority_request *terms, const Isms__V1__PolicyStep *step)
{
	struct authority_grants grants;
	grants.rows = fact_rows(facts, "candidates_for_acceptance", Isms__Store__V1__Candidate,
				isms__store__v1__candidate, &grants.n);
	enum authority found = authority_of(terms, &grants, facts->principal->user_id, step, false);
	bool more = found == AUTHORITY_HELD || found == AUTHORITY_LEVEL || *held == AUTHORITY_NONE;
	if (*held != AUTHORITY_HELD && more)
		*held = found;
}

static struct status check_authority(const struct facts *facts,
				     const struct authority_request *terms)
{
	const Isms__V1__PolicySteps *steps = approved_by(facts)->steps;
	enum authority held = AUTHORITY_NONE;
	Isms__V1__PolicyStep owner = ISMS__V1__POLICY_STEP__INIT;
	owner.selector = SELECTOR(RISK_OWNER);
	look(&held, facts, terms, &owner);
	for (size_t i = 0; i < steps->n_steps; i++)
		look(&held, facts, terms, steps->steps[i]);
	if (held == AUTHORITY_HELD)
		return STATUS_OK;
	if (held == AUTHORITY_ROLE)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE",
				   "the caller is not one of those who could approve it");
	return status_make(STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL",
			   "the level is above what the caller may accept");
}

static struct status check_keep(const struct facts *facts, const Isms__V1__Acceptance *row,
				const Isms__V1__Risk *risk)
{
	struct authority_request terms;
	struct status st = check_weight(facts, row, risk);
	if (!status_ok(&st))
		return st;
	find_involved(&terms, facts, row, risk);
	st = check_duties(facts, &terms);
	if (status_ok(&st))
		st = check_authority(facts, &terms);
	if (!status_ok(&st))
		return st;
	return voter_check_pace(facts, fact_row(facts, "vote_pace", Isms__Store__V1__DecisionPace,
						isms__store__v1__decision_pace));
}

/* The version of the person moves with it, as a vote would see. */
static void record(const struct facts *facts, struct plan *plan, const Isms__V1__Acceptance *kept,
		   const char *comment)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	const Isms__Store__V1__Person *person =
		fact_row(facts, "review_person", Isms__Store__V1__Person, isms__store__v1__person);
	Isms__Store__V1__AcceptanceReview *row = must_new_of(
		plan->arena, Isms__Store__V1__AcceptanceReview, isms__store__v1__acceptance_review);
	row->id = plan_new_id(plan);
	row->acceptance_id = kept->meta->id;
	row->reviewer_id = principal->user_id;
	row->reviewer_person = principal->person_id;
	row->reviewer_name = principal->display_name;
	row->reason = kept->review_reason;
	row->comment = (char *)comment;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_PERSON, &person->base,
		    &plan_copy_of(plan, Isms__Store__V1__Person, person)->base);
	plan_put(plan, KIND_ACCEPTANCE_REVIEW, &row->base);
}

static void keep(struct dossier *dossier, struct dossier_acceptance *place)
{
	Isms__V1__Acceptance *after = dossier_change_acceptance(dossier, place);
	after->review_due_at = NULL;
	after->review_reason = (char *)"";
	after->review_by_persons = NULL;
	after->n_review_by_persons = 0;
	after->review_warned = false;
	dossier_set_acceptance(dossier, place, state_acceptance_after(after->state, STATE_KEEP));
}

struct status acceptance_review(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ReviewAcceptanceRequest *request = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_acceptance", Isms__V1__Risk, isms__v1__risk);
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(dossier, plan, facts, risk, "acceptance");
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = must(dossier_find_acceptance(dossier, request->id));
	if (text_blank(request->comment))
		return status_invalid(plan->arena, "comment", "is required");
	st = check_state(facts, place->was);
	if (status_ok(&st) && request->outcome == REVIEW(KEEP))
		st = check_keep(facts, place->was, risk);
	if (!status_ok(&st))
		return st;
	plan->subject_kind = KIND_RISK_ACCEPTANCE;
	plan->subject_id = request->id;
	if (request->outcome == REVIEW(KEEP))
		keep(dossier, place);
	else
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(place->was->state, STATE_END),
				       facts->principal->user_id, request->comment);
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
	if (request->outcome == REVIEW(KEEP))
		record(facts, plan, place->was, request->comment);

	Isms__V1__ReviewAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__ReviewAcceptanceResponse,
			    isms__v1__review_acceptance_response);
	reply->acceptance = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
