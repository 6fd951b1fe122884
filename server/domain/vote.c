/* A vote is written with everything that it causes, or not at all. */
#include "server/domain/vote.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/ballot.h"
#include "server/domain/dossier.h"
#include "server/domain/must.h"
#include "server/domain/outcome.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

struct casting {
	struct ballot ballot;
	struct dossier *dossier;
	struct dossier_request *place;
	struct outcome_subject subject;
	size_t remaining;
};

/* The request ends by what the vote found, not by what it said: that is kept, and
 * the caller is told. */
static struct status give_up(struct casting *casting, Isms__V1__ApprovalState state,
			     const char *reason, const char *message)
{
	struct dossier *dossier = casting->dossier;
	dossier_close_request(dossier, casting->place, state, message);
	outcome_return(dossier, casting->place->was);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
	dossier->plan->outcome = status_make(STATUS_CODE_FAILED_PRECONDITION, reason, message);
	return STATUS_OK;
}

static void put_vote(struct casting *casting, Isms__V1__ApprovalVote *out, struct plan *plan)
{
	const struct ballot *ballot = &casting->ballot;
	const Isms__Store__V1__Principal *principal = ballot->facts->principal;
	Isms__Store__V1__Vote *row =
		must_new_of(plan->arena, Isms__Store__V1__Vote, isms__store__v1__vote);
	row->id = plan_new_id(plan);
	row->request_id = ballot->request->meta->id;
	row->step_no = ballot->step->step_no;
	row->voter_id = principal->user_id;
	row->voter_person = principal->person_id;
	row->voter_name = principal->display_name;
	row->decision = ballot->vote->decision;
	row->comment = ballot->vote->comment;
	row->snapshot_sha256 = ballot->request->snapshot_sha256;
	row->session_id = principal->session_id;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	pb_copy_same(&out->base, &row->base);

	Isms__Store__V1__Assignee *me = plan_copy_of(plan, Isms__Store__V1__Assignee, ballot->me);
	me->state = ASSIGNEE(VOTED);
	plan_put(plan, KIND_APPROVAL_ASSIGNEE, &me->base);
	plan_put(plan, KIND_APPROVAL_VOTE, &row->base);
}

/* One approval more: the step may be passed, and with it the request. */
static void count_approval(struct casting *casting)
{
	struct ballot *ballot = &casting->ballot;
	struct dossier *dossier = casting->dossier;
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	size_t missing = ballot_missing(ballot, ballot->step);
	casting->remaining = missing > 0 ? missing - 1 : 0;
	if (casting->remaining > 0)
		return;
	if ((size_t)ballot->step->step_no == steps->n_steps) {
		dossier_close_request(dossier, casting->place, APPROVAL(APPROVED), "approved");
		outcome_approve(dossier, &casting->subject, ballot->facts);
		return;
	}
	const Isms__V1__PolicyStep *next = steps->steps[ballot->step->step_no];
	dossier_change_request(dossier, casting->place)->current_step = next->step_no;
	casting->remaining = ballot_missing(ballot, next);
}

static void apply(struct casting *casting)
{
	struct dossier *dossier = casting->dossier;
	/* the vote belongs to the request, whose version covers it */
	dossier_change_request(dossier, casting->place);
	switch (casting->ballot.vote->decision) {
	case DECISION(REJECT):
		dossier_close_request(dossier, casting->place, APPROVAL(REJECTED), "rejected");
		outcome_reject(dossier, &casting->subject);
		break;
	case DECISION(REQUEST_CHANGES):
		dossier_close_request(dossier, casting->place, APPROVAL(CHANGES_REQUESTED),
				      "changes were requested");
		outcome_request_changes(dossier, &casting->subject);
		break;
	default:
		count_approval(casting);
		break;
	}
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
}

static bool run_out(const struct outcome_subject *subject, int64_t now_us)
{
	return subject->acceptance != NULL &&
	       pb_time_us(subject->acceptance->was->valid_until) <= now_us;
}

static void reply(struct casting *casting, Isms__V1__ApprovalVote *vote, struct plan *plan)
{
	Isms__V1__CastVoteResponse *message =
		must_new_of(plan->arena, Isms__V1__CastVoteResponse, isms__v1__cast_vote_response);
	message->request = casting->place->changed;
	message->vote = vote;
	message->remaining = (int32_t)casting->remaining;
	plan_reply(plan, &message->base);
}

struct status vote_cast(const struct facts *facts, struct plan *plan)
{
	struct casting *casting = must(arena_new_of(plan->arena, struct casting));
	ballot_load(&casting->ballot, facts);
	const struct ballot *ballot = &casting->ballot;
	if (ballot->vote->decision != DECISION(APPROVE) && text_blank(ballot->vote->comment))
		return status_invalid(plan->arena, "comment", "is required unless APPROVE");
	struct status st = ballot_check(ballot);
	if (!status_ok(&st))
		return st;
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_request", Isms__V1__Risk, isms__v1__risk);
	casting->dossier = must(arena_new_of(plan->arena, struct dossier));
	st = dossier_load(casting->dossier, plan, facts, risk, "request");
	if (!status_ok(&st))
		return st;
	casting->place = dossier_find_request(casting->dossier, ballot->request->meta->id);
	if (casting->place == NULL) /* closed between two statements of the load */
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "CLOSED",
				   "the request is closed");
	plan->subject_kind = KIND_APPROVAL_REQUEST;
	plan->subject_id = ballot->request->meta->id;
	if (!outcome_subject_find(&casting->subject, casting->dossier, ballot->request))
		return give_up(casting, APPROVAL(STALE), "STALE",
			       "what was submitted has changed since");
	if (run_out(&casting->subject, facts->now_us))
		return give_up(casting, APPROVAL(EXPIRED), "EXPIRED",
			       "the end that was asked for has passed");
	if (ballot->vote->decision == DECISION(APPROVE) && !ballot_can_finish(ballot))
		return give_up(casting, APPROVAL(EXPIRED), "NO_QUORUM",
			       "too few of the people who were asked may still decide");
	Isms__V1__ApprovalVote *vote =
		must_new_of(plan->arena, Isms__V1__ApprovalVote, isms__v1__approval_vote);
	apply(casting);
	put_vote(casting, vote, plan);
	reply(casting, vote, plan);
	return STATUS_OK;
}
