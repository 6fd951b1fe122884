/* Somebody who is not asked is told the reason for it, when a rule is the reason. A
 * delegate is told what is wrong with the delegation, which is no secret to them. */
#include "server/domain/voter.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/seeded.h"
#include "server/domain/delegation.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

static const int64_t HOUR_US = INT64_C(3600) * 1000000;

static struct delegation_use use_of(const struct ballot *ballot)
{
	const Isms__Store__V1__Principal *principal = ballot->facts->principal;
	return (struct delegation_use){
		.to_user_id = principal->user_id,
		.to_person = principal->person_id,
		.level = ballot->request->level,
		.submitted_us = ballot->terms.submitted_us,
		.now_us = ballot->facts->now_us,
		.step_allows = ballot->step != NULL && ballot->step->allow_delegate,
	};
}

/* The delegation from a user to the caller: one that fits, else the newest. */
static const Isms__Store__V1__HeldDelegation *from(const struct ballot *ballot, const char *user_id)
{
	const struct delegation_use use = use_of(ballot);
	const Isms__Store__V1__HeldDelegation *found = NULL;
	for (size_t i = 0; i < ballot->n_delegations; i++) {
		const Isms__Store__V1__HeldDelegation *row = ballot->delegations[i];
		if (strcmp(row->from_user_id, user_id) != 0 ||
		    strcmp(row->to_user_id, use.to_user_id) != 0)
			continue;
		if (delegation_fault(row, &use) == DELEGATION_FITS)
			return row;
		if (found == NULL || strcmp(row->meta->id, found->meta->id) > 0)
			found = row;
	}
	return found;
}

void voter_find(struct voter *out, const struct ballot *ballot,
		const Isms__V1__CastVoteRequest *vote)
{
	const char *me = ballot->facts->principal->user_id;
	*out = (struct voter){ .is_delegate = vote->on_behalf_of[0] != '\0' &&
					      strcmp(vote->on_behalf_of, me) != 0 };
	if (out->is_delegate)
		out->by = from(ballot, vote->on_behalf_of);
	out->seat = ballot_seat_of(ballot, out->is_delegate ? vote->on_behalf_of : me);
}

/* --- answers ------------------------------------------------------------------ */

static struct status denied(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_PERMISSION_DENIED, reason, message);
}

static struct status precondition(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, reason, message);
}

static struct status already_voted(void)
{
	return status_make(STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED",
			   "this person has taken part in this step");
}

static struct status bad_delegation(const struct ballot *ballot, const char *why,
				    const char *message)
{
	struct status st = denied("SOD_DELEGATE", message);
	status_add_pair(&st, ballot->facts->arena, "why", why);
	return st;
}

static struct status delegator_not_asked(const struct ballot *ballot)
{
	return bad_delegation(ballot, "NOT_ASSIGNEE", "the delegator is not asked on this step");
}

static struct status refusal(enum eligibility rule)
{
	static const char *const messages[] = {
		[ELIGIBILITY_SERVICE] = "a service account never votes",
		[ELIGIBILITY_REQUESTER] = "the person who asked for it may not decide on it",
		[ELIGIBILITY_CONTRIBUTOR] = "who wrote or scored it may not decide on it",
		[ELIGIBILITY_DISTINCT] = "the step wants people who have not taken part before",
		[ELIGIBILITY_QUORUM_HUMANS] = "a critical risk needs three people who approve",
	};
	if (rule == ELIGIBLE)
		return STATUS_OK;
	return rule == ELIGIBILITY_VOTED ? already_voted()
					 : denied(eligibility_reason(rule), messages[rule]);
}

/* --- the separation of duties -------------------------------------------------- */

static struct status check_duties(const struct voter *voter, const struct ballot *ballot,
				  const Isms__V1__CastVoteRequest *vote)
{
	const Isms__Store__V1__Principal *principal = ballot->facts->principal;
	const struct delegation_use use = use_of(ballot);
	enum delegation_fault fault = delegation_fault(voter->by, &use);
	const struct eligibility_voter who = {
		.service = principal->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
		.person = SEEDED(count_by_account) ? principal->user_id : principal->person_id,
		.delegate = voter->is_delegate,
		.delegated = voter->is_delegate && fault == DELEGATION_FITS,
		.delegator = voter->by == NULL ? "" : voter->by->from_person,
	};
	const struct eligibility_ballot cast = {
		.step = (unsigned)ballot->step->step_no - 1,
		.distinct = ballot->step->distinct_from_prior,
		.finishes = vote->decision == DECISION(APPROVE) &&
			    (size_t)ballot->step->step_no == ballot->request->steps->n_steps &&
			    ballot_missing(ballot, ballot->step) <= 1,
	};
	enum eligibility rule = eligibility_of_vote(&ballot->rules, &who, &cast);
	if (rule == ELIGIBILITY_DELEGATE && voter->by == NULL && voter->seat == NULL)
		return delegator_not_asked(ballot);
	if (rule == ELIGIBILITY_DELEGATE)
		return bad_delegation(ballot, delegation_why(fault), delegation_message(fault));
	return refusal(rule);
}

/* --- authority ----------------------------------------------------------------- */

static struct status check_own_authority(const struct voter *voter, const struct ballot *ballot)
{
	const struct facts *facts = ballot->facts;
	const char *me = facts->principal->user_id;
	bool escalated = voter->seat != NULL && voter->seat->row->escalated;
	enum authority held =
		authority_of(&ballot->terms, &ballot->grants, me, ballot->step, escalated);
	struct authority_request without_s6 = ballot->terms;
	without_s6.submitted_us = INT64_MAX; /* every grant was given a day before */
	if (held != AUTHORITY_HELD && authority_of(&without_s6, &ballot->grants, me, ballot->step,
						   escalated) == AUTHORITY_HELD)
		return denied(
			"SOD_FRESH_GRANT",
			"a right that was given since, or by somebody involved, does not count");
	if (held == AUTHORITY_NONE) {
		struct status st = refusal_permission_missing("decision.cast", facts->arena);
		status_add_pair(&st, facts->arena, "scope", ballot->request->scope_id);
		return st;
	}
	if (held == AUTHORITY_LEVEL)
		return denied("AUTHORITY_LEVEL", "the level is above what the caller may accept");
	return STATUS_OK;
}

static struct status not_asked(void)
{
	return denied("NOT_ASSIGNEE", "the caller is not asked on this step");
}

/* The caller may be meant as a delegate: that is not guessed. */
static struct status not_asked_but(const struct ballot *ballot)
{
	const struct delegation_use use = use_of(ballot);
	struct status st = not_asked();
	for (size_t i = 0; i < ballot->n_delegations; i++) {
		const Isms__Store__V1__HeldDelegation *row = ballot->delegations[i];
		const struct ballot_seat *seat = ballot_seat_of(ballot, row->from_user_id);
		if (delegation_fault(row, &use) != DELEGATION_FITS || seat == NULL ||
		    seat->state != ASSIGNEE(PENDING))
			continue;
		st = denied("NOT_ASSIGNEE", "a delegate names in on_behalf_of who was asked");
		status_add_pair(&st, ballot->facts->arena, "on_behalf_of", row->from_user_id);
		break;
	}
	return st;
}

static struct status check_own_right(const struct voter *voter, const struct ballot *ballot,
				     const Isms__V1__CastVoteRequest *vote)
{
	const struct ballot_seat *seat = voter->seat;
	if (seat != NULL && (seat->state == ASSIGNEE(VOTED) || seat->state == ASSIGNEE(RECUSED)))
		return already_voted();
	bool asked = seat != NULL && seat->state == ASSIGNEE(PENDING);
	struct status st = asked ? STATUS_OK : check_duties(voter, ballot, vote);
	if (status_ok(&st) && !asked && seat == NULL) {
		struct status hint = not_asked_but(ballot);
		if (hint.details != NULL)
			return hint;
	}
	if (status_ok(&st))
		st = check_own_authority(voter, ballot);
	if (status_ok(&st) && (!asked || !seat->entitled))
		st = not_asked();
	return status_ok(&st) ? check_duties(voter, ballot, vote) : st;
}

static size_t delegated(const struct ballot *ballot)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_entries; i++)
		n += ballot->entries[i].row->on_behalf_of[0] != '\0';
	return n;
}

static struct status check_delegate(const struct voter *voter, const struct ballot *ballot,
				    const Isms__V1__CastVoteRequest *vote)
{
	const struct ballot_seat *seat = voter->seat;
	const Isms__Store__V1__Access *access = ballot->facts->access;
	struct status st = check_duties(voter, ballot, vote);
	if (!status_ok(&st))
		return st;
	if (vote->decision == DECISION(RECUSE))
		return bad_delegation(ballot, "RECUSAL",
				      "nobody steps back on behalf of somebody else");
	if (!text_in("approval.read", access->permissions, access->n_permissions))
		return bad_delegation(ballot, "CANNOT_READ",
				      "a delegate must be able to read the request");
	if (text_in("grant.write", access->permissions, access->n_permissions) ||
	    text_in("user.write", access->permissions, access->n_permissions))
		return bad_delegation(ballot, "ROLES",
				      "nobody both decides and administers accounts or grants");
	if (seat == NULL || seat->state == ASSIGNEE(VOID))
		return delegator_not_asked(ballot);
	if (seat->state != ASSIGNEE(PENDING))
		return already_voted();
	if (delegated(ballot) >= BALLOT_DELEGATED_MAX)
		return precondition("TOO_MANY_DELEGATES",
				    "the request has as many votes of delegates as it may");
	if (!seat->entitled)
		return bad_delegation(ballot, "AUTHORITY",
				      "the delegator may not decide on this any more");
	return STATUS_OK;
}

struct status voter_check_open(const struct ballot *ballot, const Isms__V1__CastVoteRequest *vote)
{
	if (ballot->request->state != APPROVAL(PENDING) || ballot->step == NULL)
		return precondition("CLOSED", "the request is closed");
	if (vote->step_no != ballot->request->current_step)
		return precondition("STEP_NOT_OPEN", "another step is open");
	return STATUS_OK;
}

struct status voter_check(const struct voter *voter, const struct ballot *ballot,
			  const Isms__V1__CastVoteRequest *vote)
{
	struct status st = voter->is_delegate ? check_delegate(voter, ballot, vote)
					      : check_own_right(voter, ballot, vote);
	if (!status_ok(&st))
		return st;
	if (SEEDED(skip_digest))
		return STATUS_OK;
	const ProtobufCBinaryData *frozen = &ballot->request->snapshot_sha256;
	if (vote->snapshot_sha256.len != frozen->len ||
	    memcmp(vote->snapshot_sha256.data, frozen->data, frozen->len) != 0)
		return precondition("CONTENT_CHANGED",
				    "the digest is not that of what the request froze");
	return STATUS_OK;
}

struct status voter_check_pace(const struct facts *facts, const Isms__Store__V1__DecisionPace *pace)
{
	if (facts->limits->decisions_per_hour <= 0 || pace == NULL || pace->window_began_at == NULL)
		return STATUS_OK;
	int64_t wait_us = pb_time_us(pace->window_began_at) + HOUR_US - facts->now_us;
	if (wait_us <= 0)
		return STATUS_OK;
	struct status st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "DECISION_RATE",
				       "this person has decided as often as one may in an hour");
	status_set_retry(&st, facts->arena, wait_us);
	return st;
}
