/* CastVote over facts made by hand: every refusal, and when a step and a request
 * are finished. */
#include "server/domain/vote.h"

#include "tests/unit/poll.h"
#include "tests/unit/tap.h"

/* --- refusals, in the order of the checks ----------------------------------- */

TEST(a_refusal_needs_a_comment)
{
	for (int decision = DECISION(REJECT); decision <= DECISION(REQUEST_CHANGES); decision++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		poll.cast->decision = (Isms__V1__Decision)decision;
		poll.cast->comment = world_text(&poll.world, " \n");
		refused(&poll, STATUS_CODE_INVALID_ARGUMENT, "INVALID_FIELD");
		poll_done(&poll);
	}
}

TEST(a_closed_request_takes_no_vote)
{
	for (int state = APPROVAL(APPROVED); state <= APPROVAL(STALE); state++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		poll.request->state = (Isms__V1__ApprovalState)state;
		refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "CLOSED");
		poll.request->current_step = 0;
		refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "CLOSED");
		poll_done(&poll);
	}
}

TEST(only_the_open_step_takes_votes)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	ask(&poll, 2, "bob");
	poll.cast->step_no = 2;
	refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "STEP_NOT_OPEN");
	poll.request->current_step = 2;
	poll.cast->step_no = 1;
	refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "STEP_NOT_OPEN");
	poll_done(&poll);
}

TEST(who_is_not_asked_may_not_vote)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "carol");
	ask(&poll, 2, "bob");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	ask(&poll, 1, "bob")->state = ASSIGNEE(VOID);
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	poll_done(&poll);
}

TEST(who_is_not_asked_by_a_rule_is_told_the_rule)
{
	static const struct {
		const char *user, *reason;
	} rows[] = {
		{ "asker", "SOD_REQUESTER" },
		{ "author", "SOD_CONTRIBUTOR" },
		{ "scorer", "SOD_CONTRIBUTOR" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "carol");
		/* without the permission too: the rule is the better answer */
		world_caller(&poll.world, rows[i].user, "risk.read", "CONTRIBUTOR");
		refused(&poll, STATUS_CODE_PERMISSION_DENIED, rows[i].reason);
		poll_done(&poll);
	}
}

TEST(a_second_account_of_the_requester_is_refused)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob")->person_id = poll.request->requested_by_person;
	poll.world.me->person_id = poll.request->requested_by_person;
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_REQUESTER");
	poll_done(&poll);
}

TEST(a_service_account_never_votes)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	poll.world.me->kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
	poll.world.me->person_id = world_text(&poll.world, "");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_SERVICE");
	ask(&poll, 1, "bob");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_SERVICE");
	poll_done(&poll);
}

TEST(a_vote_keeps_how_the_voter_was_known)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	accepted(&poll);
	const Isms__Store__V1__Vote *vote =
		WORLD_WROTE(&poll.world, Isms__Store__V1__Vote, KIND_APPROVAL_VOTE, 0);
	CHECK_INT(vote->auth_method, ISMS__V1__AUTH_METHOD__AUTH_METHOD_PASSWORD);
	CHECK(vote->credential_fp.len == 4 && memcmp(vote->credential_fp.data, "\1\2\3\4", 4) == 0);
	CHECK_STR(vote->ip, "192.0.2.7");
	poll_done(&poll);
}

TEST(a_vote_needs_the_permission_and_the_level)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	granted(&poll, "bob")->max_accept_level = LEVEL(MEDIUM);
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL");
	granted(&poll, "bob")->may_decide = false;
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "PERMISSION_MISSING");
	poll_done(&poll);
}

/* Bob is what a step asks for; by a role that decides, but RISK_OWNER on his risks only. */
TEST(other_owners_and_who_is_named_vote_by_a_role_that_decides)
{
	static const int selectors[] = { SELECTOR(SCOPE_OWNER), SELECTOR(ASSET_OWNER),
					 SELECTOR(USERS) };
	for (size_t i = 0; i < 3; i++)
		for (int turn = 0; turn < 5; turn++) {
			struct poll poll;
			char *named[] = { turn == 0 ? "carol" : "bob" };
			poll_plan(&poll);
			Isms__V1__PolicyStep *row = step(&poll, STEP(ANY), 0, false);
			row->selector = (Isms__V1__StepSelector)selectors[i];
			row->role_code = (char *)"";
			row->user_ids = named;
			row->n_user_ids = 1;
			ask(&poll, 1, "bob");
			Isms__Store__V1__Candidate *grant = granted(&poll, "bob");
			grant->scope_owner = grant->asset_owner = turn > 0;
			if (turn == 2 || turn == 3)
				grant->role_code = world_text(&poll.world, "RISK_OWNER");
			grant->owner = turn == 3;
			if (turn == 4)
				grant->max_accept_level = LEVEL(LOW);
			if (turn == 1 || turn == 3)
				CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
			else
				refused(&poll, STATUS_CODE_PERMISSION_DENIED,
					turn == 4 ? "AUTHORITY_LEVEL" : "NOT_ASSIGNEE");
			poll_done(&poll);
		}
}

/* Bob owns the risk, and is a manager without a limit. */
TEST(the_level_is_that_of_the_grant_by_which_one_is_asked)
{
	for (int level = LEVEL(LOW); level <= LEVEL(CRITICAL); level++) {
		struct poll poll;
		poll_plan(&poll);
		world_step(&poll.world, poll.request->steps, STEP(ANY), 0, NULL, false);
		ask(&poll, 1, "bob");
		granted(&poll, "bob")->owner = true;
		Isms__Store__V1__Candidate *own = must_new_of(
			poll.world.arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
		pb_copy_same(&own->base, &granted(&poll, "bob")->base);
		own->role_code = world_text(&poll.world, "RISK_OWNER");
		own->max_accept_level = (Isms__V1__RiskLevel)level;
		world_add(&poll.world, "vote_grants", &own->base);
		if (level < (int)poll.request->level)
			refused(&poll, STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL");
		else
			CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
		poll_done(&poll);
	}
}

TEST(the_role_that_was_asked_must_still_be_held)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	granted(&poll, "bob")->role_code = world_text(&poll.world, "APPROVER");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	poll_done(&poll);
}

TEST(the_owner_who_was_asked_must_still_own_the_risk)
{
	struct poll poll;
	poll_plan(&poll);
	world_step(&poll.world, poll.request->steps, STEP(ANY), 0, NULL, false);
	ask(&poll, 1, "bob");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	granted(&poll, "bob")->role_code = world_text(&poll.world, "RISK_OWNER");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	granted(&poll, "bob")->owner = true;
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	poll_done(&poll);
}

TEST(a_person_votes_once_on_a_step)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(QUORUM), 2, false);
	ask(&poll, 1, "bob")->state = ASSIGNEE(VOTED);
	ask(&poll, 1, "carol");
	voted(&poll, 1, "bob");
	refused(&poll, STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED");
	/* by another account, which is still asked */
	world_caller(&poll.world, "bob2", "decision.cast", "ISMS_MANAGER");
	poll.world.me->person_id = world_text(&poll.world, "p-bob");
	ask(&poll, 1, "bob2")->person_id = poll.world.me->person_id;
	refused(&poll, STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED");
	poll_done(&poll);
}

TEST(a_step_that_wants_other_people_refuses_earlier_voters)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(ANY), 0, true);
	poll.request->current_step = poll.cast->step_no = 2;
	ask(&poll, 1, "bob")->state = ASSIGNEE(VOTED);
	ask(&poll, 2, "bob");
	voted(&poll, 1, "bob");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_DISTINCT");
	poll.request->steps->steps[1]->distinct_from_prior = false;
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	poll_done(&poll);
}

TEST(a_critical_request_is_not_finished_by_two_people)
{
	struct poll poll;
	poll_plan(&poll);
	poll.request->level = LEVEL(CRITICAL);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(QUORUM), 2, false);
	poll.request->current_step = poll.cast->step_no = 2;
	ask(&poll, 2, "bob");
	ask(&poll, 2, "carol");
	voted(&poll, 1, "carol");
	voted(&poll, 2, "carol");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_QUORUM_HUMANS");
	/* who says no needs no company */
	poll.cast->decision = DECISION(REJECT);
	poll.cast->comment = world_text(&poll.world, "no");
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(REJECTED));
	poll_done(&poll);
}

TEST(a_vote_on_another_text_is_refused)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	uint8_t other[32] = { 0 };
	poll.cast->snapshot_sha256.data = other;
	refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "CONTENT_CHANGED");
	poll.cast->snapshot_sha256.len = 31;
	refused(&poll, STATUS_CODE_FAILED_PRECONDITION, "CONTENT_CHANGED");
	poll_done(&poll);
}

/* --- what is committed although the vote is refused ------------------------- */

static void given_up(struct poll *poll, Isms__V1__ApprovalState state, const char *reason)
{
	struct status st = vote_cast(&poll->world.facts, &poll->world.plan);
	CHECK(status_ok(&st));
	CHECK_INT(poll->world.plan.outcome.code, STATUS_CODE_FAILED_PRECONDITION);
	CHECK_STR(poll->world.plan.outcome.reason, reason);
	const Isms__V1__ApprovalRequest *request =
		WORLD_WROTE(&poll->world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
	CHECK_INT(request->state, state);
	CHECK_INT(request->current_step, 0);
	CHECK(world_wrote(&poll->world, KIND_APPROVAL_VOTE, 0) == NULL);
	CHECK_INT(WORLD_WROTE(&poll->world, Isms__V1__Risk, KIND_RISK, 0)->state, RISK(ANALYSED));
	const Isms__V1__TreatmentPlan *plan =
		WORLD_WROTE(&poll->world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0);
	CHECK(plan != NULL && plan->state == PLAN(DRAFT));
}

TEST(a_moved_risk_makes_the_request_stale)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	poll.request->risk_version = 6;
	given_up(&poll, APPROVAL(STALE), "STALE");
	poll_done(&poll);
}

TEST(a_moved_subject_makes_the_request_stale)
{
	struct poll poll;
	poll_acceptance(&poll, 30);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	poll.request->subject_version = 2;
	given_up(&poll, APPROVAL(STALE), "STALE");
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0)->state,
		  ACCEPTANCE(DRAFT));
	poll_done(&poll);
}

TEST(an_acceptance_whose_end_has_passed_is_not_approved)
{
	struct poll poll;
	poll_acceptance(&poll, 0);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	given_up(&poll, APPROVAL(EXPIRED), "EXPIRED");
	poll_done(&poll);
}

TEST(a_transfer_that_has_lapsed_is_not_approved)
{
	struct poll poll;
	for (int64_t days = 0; days < 2; days++) {
		poll_plan(&poll);
		poll.plan->option = OPTION(TRANSFER);
		poll.plan->lapses_at = world_time(&poll.world, days);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		if (days == 0)
			given_up(&poll, APPROVAL(EXPIRED), "EXPIRED");
		else
			CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
		poll_done(&poll);
	}
}

/* --- counting --------------------------------------------------------------- */

TEST(any_is_done_by_the_first_approval)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	ask(&poll, 1, "carol");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(APPROVED));
	CHECK_INT(reply->remaining, 0);
	CHECK_INT(reply->request->current_step, 0);
	CHECK(reply->request->closed_at != NULL);
	CHECK_STR(reply->vote->voter_person, "p-bob");
	CHECK_INT(reply->vote->snapshot_sha256.len, 32);
	poll_done(&poll);
}

TEST(a_step_that_is_passed_opens_the_next)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(QUORUM), 3, true);
	ask(&poll, 1, "bob");
	ask(&poll, 2, "carol");
	ask(&poll, 2, "dora");
	ask(&poll, 2, "emil");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK_INT(reply->request->current_step, 2);
	CHECK_INT(reply->request->meta->version, 3);
	CHECK_INT(reply->remaining, 3);
	CHECK(world_wrote(&poll.world, KIND_TREATMENT_PLAN, 0) == NULL);
	CHECK(world_wrote(&poll.world, KIND_RISK, 0) == NULL);
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__Store__V1__Assignee, KIND_APPROVAL_ASSIGNEE, 0)
			  ->state,
		  ASSIGNEE(VOTED));
	poll_done(&poll);
}

/* Votes of the first n of five people on one step, then bob's: is it finished? */
static void count_case(Isms__V1__StepMode mode, int32_t quorum, unsigned n, bool finished,
		       int32_t remaining)
{
	static const char *const people[] = { "u1", "u2", "u3", "u4" };
	struct poll poll;
	poll_plan(&poll);
	step(&poll, mode, quorum, false);
	for (unsigned i = 0; i < 4; i++) {
		Isms__Store__V1__Assignee *row = ask(&poll, 1, people[i]);
		if (i >= n)
			continue;
		row->state = ASSIGNEE(VOTED);
		voted(&poll, 1, people[i]);
	}
	ask(&poll, 1, "bob");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, finished ? APPROVAL(APPROVED) : APPROVAL(PENDING));
	CHECK_INT(reply->remaining, remaining);
	poll_done(&poll);
}

TEST(all_is_done_by_the_last_of_all)
{
	for (unsigned n = 0; n <= 4; n++)
		count_case(STEP(ALL), 0, n, n == 4, 4 - (int32_t)n);
}

TEST(a_quorum_is_done_when_it_is_full)
{
	for (int32_t quorum = 1; quorum <= 5; quorum++)
		for (int32_t n = 0; n < quorum; n++)
			count_case(STEP(QUORUM), quorum, (unsigned)n, n + 1 == quorum,
				   quorum - n - 1);
}

TEST(all_counts_persons)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ALL), 0, false);
	ask(&poll, 1, "bob");
	ask(&poll, 1, "bob2")->person_id = world_text(&poll.world, "p-bob");
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	poll_done(&poll);
}

/* --- people who can decide no more ------------------------------------------ */

TEST(all_stays_all_when_an_account_ends)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ALL), 0, false);
	ask(&poll, 1, "bob");
	ask(&poll, 1, "gone")->state = ASSIGNEE(VOID);
	given_up(&poll, APPROVAL(EXPIRED), "NO_QUORUM");
	poll_done(&poll);
}

TEST(a_quorum_that_nobody_is_left_for_closes_the_request)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(QUORUM), 2, true);
	ask(&poll, 1, "bob");
	ask(&poll, 2, "carol");
	ask(&poll, 2, "carol2")->person_id = world_text(&poll.world, "p-carol");
	ask(&poll, 2, "gone")->state = ASSIGNEE(VOID);
	given_up(&poll, APPROVAL(EXPIRED), "NO_QUORUM");
	/* who says no needs no quorum */
	poll.world.plan.n_rows = 0;
	poll.world.plan.outcome = STATUS_OK;
	poll.cast->decision = DECISION(REJECT);
	poll.cast->comment = world_text(&poll.world, "no");
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(REJECTED));
	poll_done(&poll);
}

TEST(a_vote_without_authority_counts_no_more)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(QUORUM), 2, false);
	ask(&poll, 1, "carol")->state = ASSIGNEE(VOTED);
	voted(&poll, 1, "carol");
	granted(&poll, "carol")->may_decide = false;
	ask(&poll, 1, "bob");
	ask(&poll, 1, "dora");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK_INT(reply->remaining, 1);
	poll_done(&poll);
}

TEST(a_passed_step_without_its_approvals_closes_the_request)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	step(&poll, STEP(ANY), 0, true);
	poll.request->current_step = poll.cast->step_no = 2;
	ask(&poll, 1, "carol")->state = ASSIGNEE(VOTED);
	voted(&poll, 1, "carol");
	granted(&poll, "carol")->may_decide = false;
	ask(&poll, 2, "bob");
	given_up(&poll, APPROVAL(EXPIRED), "NO_QUORUM");
	poll_done(&poll);
}

TEST(a_lapsed_vote_is_no_third_human)
{
	struct poll poll;
	poll_plan(&poll);
	poll.request->level = LEVEL(CRITICAL);
	step(&poll, STEP(QUORUM), 2, false);
	ask(&poll, 1, "carol")->state = ASSIGNEE(VOTED);
	ask(&poll, 1, "dora")->state = ASSIGNEE(VOTED);
	ask(&poll, 1, "bob");
	voted(&poll, 1, "carol");
	granted(&poll, "carol")->may_decide = false;
	voted(&poll, 1, "dora");
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_QUORUM_HUMANS");
	poll_done(&poll);
}

TAP_MAIN
