/* To keep an acceptance is a decision like the one that made it: it wants authority
 * for the level, and nobody who asked for it or wrote it. To end it wants less. */
#include "server/domain/acceptance_review.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/authority.h"
#include "server/domain/dossier.h"
#include "server/domain/eligibility.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

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

/* Those of the request by which it was approved, and who has scored the risk since. */
static void find_involved(struct authority_request *out, const struct facts *facts,
			  const Isms__V1__Risk *risk)
{
	const Isms__V1__ApprovalRequest *approved =
		fact_row(facts, "acceptance_approval", Isms__V1__ApprovalRequest,
			 isms__v1__approval_request);
	size_t n, n_contributors = 0;
	char **contributors = NULL;
	const Isms__Store__V1__Found *const *rows =
		fact_rows(facts, "contributors_of_acceptance", Isms__Store__V1__Found,
			  isms__store__v1__found, &n);
	for (size_t i = 0; i < n; i++)
		fields_add(&contributors, &n_contributors, rows[i]->id, facts->arena);
	for (size_t i = 0; approved != NULL && i < approved->n_contributor_persons; i++)
		fields_add(&contributors, &n_contributors, approved->contributor_persons[i],
			   facts->arena);
	*out = (struct authority_request){
		.requester = approved == NULL ? "" : approved->requested_by_person,
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
	return status_make(STATUS_CODE_PERMISSION_DENIED, reason,
			   "who asked for an acceptance or wrote it does not keep it in force");
}

static struct status check_keep(const struct facts *facts, const Isms__V1__Risk *risk)
{
	struct authority_request terms;
	struct authority_grants grants;
	find_involved(&terms, facts, risk);
	struct status st = check_duties(facts, &terms);
	if (!status_ok(&st))
		return st;
	grants.rows = fact_rows(facts, "candidates_for_acceptance", Isms__Store__V1__Candidate,
				isms__store__v1__candidate, &grants.n);
	enum authority held = authority_of(&terms, &grants, facts->principal->user_id, "");
	if (held == AUTHORITY_NONE || held == AUTHORITY_LEVEL)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL",
				   "the level is above what the caller may accept");
	return STATUS_OK;
}

static void keep(struct dossier *dossier, struct dossier_acceptance *place)
{
	Isms__V1__Acceptance *after = dossier_change_acceptance(dossier, place);
	after->review_due_at = NULL;
	after->review_reason = (char *)"";
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
		st = check_keep(facts, risk);
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

	Isms__V1__ReviewAcceptanceResponse *reply =
		must_new_of(plan->arena, Isms__V1__ReviewAcceptanceResponse,
			    isms__v1__review_acceptance_response);
	reply->acceptance = place->changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
