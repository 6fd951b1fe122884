/* A vote is written with everything that it causes, or not at all. What time has done
 * to the step is done first, as the clock would have: nothing waits for that. */
#include "server/domain/vote.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval_step.h"
#include "server/domain/ballot.h"
#include "server/domain/matter.h"
#include "server/domain/must.h"
#include "server/domain/session.h"
#include "server/domain/states.h"
#include "server/domain/text.h"
#include "server/domain/voter.h"

struct casting {
	const Isms__V1__CastVoteRequest *vote;
	struct ballot ballot;
	struct voter voter;
	struct matter matter;
	bool escalated; /* by this call */
	size_t asked;   /* people, by that */
	size_t remaining;
};

/* The request ends by what the vote found, not by what it said: that is kept, and
 * the caller is told. */
static struct status give_up(struct casting *casting, const struct closing *closing)
{
	struct plan *plan = casting->matter.plan;
	matter_close(&casting->matter, closing);
	matter_settle(&casting->matter);
	ballot_drop(&casting->ballot);
	(void)ballot_void(&casting->ballot, false);
	ballot_put(&casting->ballot, plan);
	plan->outcome =
		status_make(STATUS_CODE_FAILED_PRECONDITION, closing->reason, closing->message);
	return STATUS_OK;
}

static void escalate(struct casting *casting)
{
	casting->escalated = true;
	casting->asked = ballot_escalate(&casting->ballot);
}

/* How it stands, more people asked if need be and can be. */
static enum ballot_outlook outlook(struct casting *casting)
{
	enum ballot_outlook found = ballot_outlook(&casting->ballot);
	if (found != BALLOT_ESCALATES)
		return found;
	if (!casting->escalated)
		escalate(casting);
	return ballot_outlook(&casting->ballot) == BALLOT_OPEN ? BALLOT_OPEN : BALLOT_LOST;
}

static Isms__Store__V1__Vote *new_vote(struct casting *casting)
{
	struct plan *plan = casting->matter.plan;
	const Isms__Store__V1__Principal *principal = casting->ballot.facts->principal;
	const Isms__Store__V1__DecisionPace *pace = ballot_pace(&casting->ballot);
	Isms__Store__V1__Vote *row =
		must_new_of(plan->arena, Isms__Store__V1__Vote, isms__store__v1__vote);
	row->id = plan_new_id(plan);
	row->request_id = casting->ballot.request->meta->id;
	row->step_no = casting->ballot.step->step_no;
	row->voter_id = principal->user_id;
	row->voter_person = principal->person_id;
	row->voter_name = principal->display_name;
	row->decision = casting->vote->decision;
	row->comment = casting->vote->comment;
	row->snapshot_sha256 = casting->ballot.request->snapshot_sha256;
	row->session_id = principal->session_id;
	row->auth_method = session_auth_method(principal);
	row->credential_fp = casting->ballot.facts->credential.fingerprint;
	row->ip = casting->ballot.facts->credential.ip;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	row->ordinal = pace == NULL ? 1 : pace->votes + 1;
	if (casting->voter.by == NULL)
		return row;
	row->on_behalf_of = casting->voter.by->from_user_id;
	row->on_behalf_person = casting->voter.by->from_person;
	row->on_behalf_of_name = casting->voter.by->from_name;
	row->delegation_id = casting->voter.by->meta->id;
	return row;
}

/* A step may ask only people whom the steps before it have used up. Those it escalates
 * to are not loaded here: the clock asks them, at once. */
static void open_next(struct casting *casting, const Isms__V1__PolicyStep *next)
{
	struct ballot *ballot = &casting->ballot;
	struct plan *plan = casting->matter.plan;
	Isms__V1__ApprovalRequest *request = matter_request(&casting->matter);
	approval_step_open(request, next->step_no, plan->now_us, plan->arena);
	ballot->request = request;
	ballot->step = next;
	casting->remaining = ballot_missing(ballot, next);
	enum ballot_outlook found = ballot_outlook(ballot);
	if (found == BALLOT_ESCALATES)
		request->escalates_at = must(pb_time_new(plan->arena, plan->now_us));
	if (found != BALLOT_LOST)
		return;
	casting->remaining = 0;
	matter_close(&casting->matter, &matter_no_quorum);
}

static void end_ballot(struct casting *casting)
{
	casting->remaining = 0;
	ballot_drop(&casting->ballot);
	casting->escalated = false;
	(void)ballot_void(&casting->ballot, false);
}

static void end(struct casting *casting, Isms__V1__ApprovalState state, const char *reason)
{
	end_ballot(casting);
	matter_end(&casting->matter, state, reason);
}

/* One fewer who may approve: others are asked, or the quorum is out of reach. */
static void lose_unless_open(struct casting *casting)
{
	if (outlook(casting) == BALLOT_OPEN)
		return;
	end_ballot(casting);
	matter_close(&casting->matter, &matter_no_quorum);
}

/* One approval more: the step may be passed, and with it the request. */
static void count_approval(struct casting *casting)
{
	struct ballot *ballot = &casting->ballot;
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	if (casting->remaining > 0) {
		/* who votes for somebody else is spent for a seat of their own */
		lose_unless_open(casting);
		return;
	}
	ballot_drop(ballot);
	casting->escalated = false;
	(void)ballot_void(ballot, false);
	if ((size_t)ballot->step->step_no == steps->n_steps) {
		matter_end(&casting->matter, APPROVAL(APPROVED), "approved");
		return;
	}
	open_next(casting, steps->steps[ballot->step->step_no]);
}

static void apply(struct casting *casting)
{
	/* the vote belongs to the request, whose version covers it */
	Isms__V1__ApprovalRequest *request = matter_request(&casting->matter);
	struct plan *plan = casting->matter.plan;
	casting->remaining = ballot_missing(&casting->ballot, casting->ballot.step);
	switch (casting->vote->decision) {
	case DECISION(REJECT):
		if (!request->steps->reject_may_be_outvoted || outlook(casting) != BALLOT_OPEN)
			end(casting, APPROVAL(REJECTED), "rejected");
		break;
	case DECISION(REQUEST_CHANGES):
		end(casting, APPROVAL(CHANGES_REQUESTED), "changes were requested");
		break;
	case DECISION(RECUSE):
		lose_unless_open(casting);
		break;
	default:
		count_approval(casting);
		break;
	}
	if (casting->escalated && request->state == APPROVAL(PENDING))
		approval_step_escalate(request, casting->asked > 0, plan->now_us, plan->arena);
}

static void cast(struct casting *casting)
{
	struct plan *plan = casting->matter.plan;
	Isms__Store__V1__Vote *row = new_vote(casting);
	ballot_add(&casting->ballot, row);
	casting->voter.seat->state =
		casting->vote->decision == DECISION(RECUSE) ? ASSIGNEE(RECUSED) : ASSIGNEE(VOTED);
	apply(casting);
	matter_settle(&casting->matter);
	ballot_put(&casting->ballot, plan);
	plan_put(plan, KIND_APPROVAL_VOTE, &row->base);

	Isms__V1__CastVoteResponse *reply =
		must_new_of(plan->arena, Isms__V1__CastVoteResponse, isms__v1__cast_vote_response);
	reply->vote = must_new_of(plan->arena, Isms__V1__ApprovalVote, isms__v1__approval_vote);
	pb_copy_same(&reply->vote->base, &row->base);
	reply->request = matter_request(&casting->matter);
	reply->remaining = (int32_t)casting->remaining;
	plan_reply(plan, &reply->base);
}

/* Who votes, and whether they may. */
static struct status check_voter(struct casting *casting)
{
	struct ballot *ballot = &casting->ballot;
	struct status st = voter_check_open(ballot, casting->vote);
	if (!status_ok(&st))
		return st;
	if (approval_step_escalates(ballot->request, ballot->facts->now_us))
		escalate(casting); /* whoever is asked by it may be the caller */
	voter_find(&casting->voter, ballot, casting->vote);
	st = voter_check(&casting->voter, ballot, casting->vote);
	return status_ok(&st) ? voter_check_pace(ballot->facts, ballot_pace(ballot)) : st;
}

/* Why the request ends by this call, whatever was said; NULL: it can still be decided. */
static const struct closing *found_closing(struct casting *casting)
{
	const struct ballot *ballot = &casting->ballot;
	bool overdue = approval_step_overdue(ballot->request, ballot->facts->now_us) &&
		       casting->asked == 0;
	const struct closing *closing = matter_closing(&casting->matter, overdue);
	if (closing == NULL && casting->vote->decision == DECISION(APPROVE) &&
	    outlook(casting) != BALLOT_OPEN)
		return &matter_no_quorum;
	return closing;
}

struct status vote_cast(const struct facts *facts, struct plan *plan)
{
	static const struct matter_sets sets = { "dossier_risk_of_request", "request",
						 "vote_policies" };
	struct casting *casting = must(arena_new_of(plan->arena, struct casting));
	memset(casting, 0, sizeof(*casting));
	casting->vote = (const void *)facts->request;
	struct status st = ballot_load(&casting->ballot, facts, "vote");
	if (!status_ok(&st))
		return st;
	if (casting->vote->decision != DECISION(APPROVE) && text_blank(casting->vote->comment))
		return status_invalid(plan->arena, "comment", "is required unless APPROVE");
	st = check_voter(casting);
	if (!status_ok(&st))
		return st;
	st = matter_load(&casting->matter, facts, plan, casting->ballot.request, &sets);
	if (!status_ok(&st))
		return st;
	plan->subject_kind = KIND_APPROVAL_REQUEST;
	plan->subject_id = casting->ballot.request->meta->id;
	const struct closing *closing = found_closing(casting);
	if (closing != NULL)
		return give_up(casting, closing);
	cast(casting);
	return STATUS_OK;
}
