/* To keep an acceptance is a decision like the one that made it: it wants authority
 * for the level, and nobody who asked for it or wrote it. To end it wants less. */
#include "server/domain/acceptance_review.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/dossier.h"
#include "server/domain/eligibility.h"
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

/* S4, S1 and S2 of the request by which it was approved. */
static struct status check_duties(const struct facts *facts)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	const Isms__V1__ApprovalRequest *approved =
		fact_row(facts, "acceptance_approval", Isms__V1__ApprovalRequest,
			 isms__v1__approval_request);
	const struct eligibility_voter voter = {
		.service = principal->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
		.person = principal->person_id,
	};
	const struct eligibility_request request = {
		.requester = approved == NULL ? "" : approved->requested_by_person,
		.contributors = approved == NULL
					? NULL
					: (const char *const *)approved->contributor_persons,
		.n_contributors = approved == NULL ? 0 : approved->n_contributor_persons,
	};
	const char *reason = eligibility_reason(eligibility_of_person(&request, &voter));
	if (reason == NULL)
		return STATUS_OK;
	return status_make(STATUS_CODE_PERMISSION_DENIED, reason,
			   "who asked for an acceptance or wrote it does not keep it in force");
}

static struct status check_keep(const struct facts *facts, const Isms__V1__Risk *risk)
{
	struct status st = check_duties(facts);
	if (!status_ok(&st))
		return st;
	if ((int32_t)score_level_of(risk->current) > (int32_t)facts->access->max_accept_level)
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
