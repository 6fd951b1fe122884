/* Checks in this order: is the request open and the step too; is the caller asked;
 * has the caller the authority; the separation of duties; did the caller see what
 * the request froze. Somebody who is not asked is told the reason for it, when a
 * rule is the reason. */
#include "server/domain/ballot.h"

#include <string.h>

#include "common/arena.h"
#include "common/digest.h"
#include "server/domain/approval_policy.h"
#include "server/domain/eligibility.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

void ballot_load(struct ballot *out, const struct facts *facts)
{
	memset(out, 0, sizeof(*out));
	out->facts = facts;
	out->vote = (const void *)facts->request;
	out->request = fact_row(facts, "vote_request", Isms__V1__ApprovalRequest,
				isms__v1__approval_request);
	out->assignees = fact_rows(facts, "vote_assignees", Isms__Store__V1__Assignee,
				   isms__store__v1__assignee, &out->n_assignees);
	out->votes = fact_rows(facts, "vote_votes", Isms__Store__V1__Vote, isms__store__v1__vote,
			       &out->n_votes);
	int32_t open = out->request->current_step;
	if (open > 0 && (size_t)open <= out->request->steps->n_steps)
		out->step = out->request->steps->steps[open - 1];
	for (size_t i = 0; i < out->n_assignees; i++)
		if (out->assignees[i]->step_no == open &&
		    strcmp(out->assignees[i]->user_id, facts->principal->user_id) == 0)
			out->me = out->assignees[i];
}

/* Persons who were asked on a step. Whose account ended since is one of them: nobody
 * makes all of many all of few. */
static size_t asked(const struct ballot *ballot, int32_t step_no)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_assignees; i++) {
		const Isms__Store__V1__Assignee *row = ballot->assignees[i];
		bool counts = row->step_no == step_no;
		for (size_t j = 0; j < i && counts; j++)
			counts = ballot->assignees[j]->step_no != step_no ||
				 strcmp(ballot->assignees[j]->person_id, row->person_id) != 0;
		n += counts;
	}
	return n;
}

size_t ballot_missing(const struct ballot *ballot, const Isms__V1__PolicyStep *step)
{
	size_t needed = policy_step_needs(step, asked(ballot, step->step_no));
	for (size_t i = 0; i < ballot->n_votes && needed > 0; i++)
		if (ballot->votes[i]->step_no == step->step_no && !ballot->votes[i]->lapsed &&
		    ballot->votes[i]->decision == DECISION(APPROVE))
			needed--;
	return needed;
}

/* Whether the person has voted on the step, or before it where that counts. */
static bool is_spent(const struct ballot *ballot, const char *person,
		     const Isms__V1__PolicyStep *step)
{
	for (size_t i = 0; i < ballot->n_votes; i++) {
		const Isms__Store__V1__Vote *vote = ballot->votes[i];
		bool counts = vote->step_no == step->step_no ||
			      (step->distinct_from_prior && vote->step_no < step->step_no);
		if (counts && strcmp(vote->voter_person, person) == 0)
			return true;
	}
	return false;
}

/* Persons who may still vote on a step. */
static size_t left(const struct ballot *ballot, const Isms__V1__PolicyStep *step)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_assignees; i++) {
		const Isms__Store__V1__Assignee *row = ballot->assignees[i];
		bool counts = row->step_no == step->step_no && row->state == ASSIGNEE(PENDING) &&
			      !is_spent(ballot, row->person_id, step);
		for (size_t j = 0; j < i && counts; j++)
			counts = ballot->assignees[j]->step_no != step->step_no ||
				 ballot->assignees[j]->state != ASSIGNEE(PENDING) ||
				 strcmp(ballot->assignees[j]->person_id, row->person_id) != 0;
		n += counts;
	}
	return n;
}

bool ballot_can_finish(const struct ballot *ballot)
{
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	for (size_t k = 0; k < steps->n_steps; k++) {
		const Isms__V1__PolicyStep *step = steps->steps[k];
		bool passed = step->step_no < ballot->step->step_no;
		if (ballot_missing(ballot, step) > (passed ? 0 : left(ballot, step)))
			return false;
	}
	return true;
}

static struct status denied(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_PERMISSION_DENIED, reason, message);
}

static struct status already_voted(void)
{
	return status_make(STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED",
			   "this person has voted on this step");
}

static struct status refusal(enum eligibility rule)
{
	static const char *const messages[] = {
		[ELIGIBILITY_SERVICE] = "a service account never votes",
		[ELIGIBILITY_DELEGATE] = "nobody votes on behalf of somebody else",
		[ELIGIBILITY_REQUESTER] = "the person who asked for it may not decide on it",
		[ELIGIBILITY_CONTRIBUTOR] = "who wrote or scored it may not decide on it",
		[ELIGIBILITY_DISTINCT] = "the step wants people who have not voted before",
		[ELIGIBILITY_QUORUM_HUMANS] = "a critical risk needs three people who approve",
	};
	if (rule == ELIGIBLE)
		return STATUS_OK;
	if (rule == ELIGIBILITY_VOTED)
		return already_voted();
	return denied(eligibility_reason(rule), messages[rule]);
}

/* What the separation of duties says to the caller. */
static struct status check_duties(const struct ballot *ballot)
{
	const Isms__Store__V1__Principal *principal = ballot->facts->principal;
	const Isms__V1__ApprovalRequest *request = ballot->request;
	struct eligibility_vote *votes = must(
		arena_array(ballot->facts->arena, struct eligibility_vote, ballot->n_votes + 1));
	for (size_t i = 0; i < ballot->n_votes; i++)
		votes[i] = (struct eligibility_vote){
			.step = (unsigned)ballot->votes[i]->step_no - 1,
			.person = ballot->votes[i]->voter_person,
			.approve = ballot->votes[i]->decision == DECISION(APPROVE) &&
				   !ballot->votes[i]->lapsed,
		};
	const struct eligibility_request rules = {
		.requester = request->requested_by_person,
		.contributors = (const char *const *)request->contributor_persons,
		.n_contributors = request->n_contributor_persons,
		.votes = votes,
		.n_votes = ballot->n_votes,
		.critical = request->level == LEVEL(CRITICAL),
	};
	const struct eligibility_voter voter = {
		.service = principal->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
		.delegate = ballot->vote->on_behalf_of[0] != '\0' &&
			    strcmp(ballot->vote->on_behalf_of, principal->user_id) != 0,
		.person = principal->person_id,
	};
	const struct eligibility_ballot cast = {
		.step = (unsigned)ballot->step->step_no - 1,
		.distinct = ballot->step->distinct_from_prior,
		.finishes = ballot->vote->decision == DECISION(APPROVE) &&
			    (size_t)ballot->step->step_no == request->steps->n_steps &&
			    ballot_missing(ballot, ballot->step) <= 1,
	};
	return refusal(eligibility_of_vote(&rules, &voter, &cast));
}

static bool holds_role(const Isms__Store__V1__Access *access, const char *role_code)
{
	for (size_t i = 0; i < access->n_role_codes; i++)
		if (strcmp(access->role_codes[i], role_code) == 0)
			return true;
	return false;
}

/* What made somebody an assignee must still hold. */
static bool still_asked(const struct ballot *ballot)
{
	const Isms__Store__V1__Access *access = ballot->facts->access;
	if (ballot->step->selector == SELECTOR(RISK_OWNER))
		return strcmp(access->owner_id, ballot->facts->principal->user_id) == 0;
	return holds_role(access, ballot->step->role_code);
}

static struct status check_authority(const struct ballot *ballot)
{
	const struct facts *facts = ballot->facts;
	if (!facts_may(facts, "decision.cast")) {
		struct status st = denied("PERMISSION_MISSING",
					  "the caller does not have the permission for this");
		status_add_pair(&st, facts->arena, "permission", "decision.cast");
		status_add_pair(&st, facts->arena, "scope", facts->access->scope_id);
		return st;
	}
	if (facts->access->max_accept_level < ballot->request->level)
		return denied("AUTHORITY_LEVEL", "the level is above what the caller may accept");
	return STATUS_OK;
}

static struct status not_asked(void)
{
	return denied("NOT_ASSIGNEE", "the caller is not asked on this step");
}

static struct status check_assignee(const struct ballot *ballot)
{
	if (ballot->me != NULL && ballot->me->state == ASSIGNEE(VOTED))
		return already_voted();
	if (ballot->me != NULL && ballot->me->state == ASSIGNEE(PENDING))
		return STATUS_OK;
	struct status st = check_duties(ballot);
	if (status_ok(&st))
		st = check_authority(ballot);
	return status_ok(&st) ? not_asked() : st;
}

static struct status precondition(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, reason, message);
}

struct status ballot_check(const struct ballot *ballot)
{
	const Isms__V1__ApprovalRequest *request = ballot->request;
	if (request->state != APPROVAL(PENDING) || ballot->step == NULL)
		return precondition("CLOSED", "the request is closed");
	if (ballot->vote->step_no != request->current_step)
		return precondition("STEP_NOT_OPEN", "another step is open");
	struct status st = check_assignee(ballot);
	if (status_ok(&st))
		st = check_authority(ballot);
	if (status_ok(&st) && !still_asked(ballot))
		st = not_asked();
	if (status_ok(&st))
		st = check_duties(ballot);
	if (!status_ok(&st))
		return st;
	if (ballot->vote->snapshot_sha256.len != request->snapshot_sha256.len ||
	    memcmp(ballot->vote->snapshot_sha256.data, request->snapshot_sha256.data,
		   request->snapshot_sha256.len) != 0)
		return precondition("CONTENT_CHANGED",
				    "the digest is not that of what the request froze");
	return STATUS_OK;
}
