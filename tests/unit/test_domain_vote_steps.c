/* CastVote where a step does not go the straight way: people step back, others are
 * asked, time runs out, a delegate votes; and edits that race with votes. */
#include "server/domain/ballot.h"
#include "server/domain/vote.h"

#include "tests/unit/poll.h"
#include "tests/unit/tap.h"

static const int64_t HOURS = INT64_C(3600) * 1000000;

static Google__Protobuf__Timestamp *hours(struct poll *poll, int64_t n)
{
	return must(pb_time_new(poll->world.arena, WORLD_NOW_US + n * HOURS));
}

static Isms__V1__PolicyStep *escalating(struct poll *poll, Isms__V1__StepMode mode, int32_t quorum)
{
	Isms__V1__PolicyStep *row = step(poll, mode, quorum, false);
	row->due_hours = 10;
	row->escalate_to_role = world_text(&poll->world, "CISO");
	poll->request->escalates_to = row->escalate_to_role;
	return row;
}

static void recuse(struct poll *poll)
{
	poll->cast->decision = DECISION(RECUSE);
	poll->cast->comment = world_text(&poll->world, "it is my own project");
}

static const Isms__Store__V1__Assignee *seat(const struct poll *poll, size_t n)
{
	return WORLD_WROTE(&poll->world, Isms__Store__V1__Assignee, KIND_APPROVAL_ASSIGNEE, n);
}

static void ended(struct poll *poll, Isms__V1__ApprovalState state, const char *reason)
{
	struct status st = vote_cast(&poll->world.facts, &poll->world.plan);
	CHECK(status_ok(&st));
	CHECK_STR(poll->world.plan.outcome.reason, reason);
	const Isms__V1__ApprovalRequest *request =
		WORLD_WROTE(&poll->world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
	CHECK_INT(request->state, state);
	CHECK(request->step_due_at == NULL && request->escalates_at == NULL);
	CHECK(strncmp(request->close_reason, reason, strlen(reason)) == 0);
	CHECK(world_wrote(&poll->world, KIND_APPROVAL_VOTE, 0) == NULL);
}

/* --- stepping back ---------------------------------------------------------------- */

TEST(who_steps_back_is_kept_and_not_counted)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	ask(&poll, 1, "carol");
	recuse(&poll);
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK_INT(reply->remaining, 1);
	CHECK_INT(seat(&poll, 0)->state, ASSIGNEE(RECUSED));
	CHECK_INT(reply->vote->decision, DECISION(RECUSE));
	poll_done(&poll);
}

TEST(a_recusal_of_the_past_neither_counts_nor_blocks_others)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "carol")->state = ASSIGNEE(RECUSED);
	voted(&poll, 1, "carol")->decision = DECISION(RECUSE);
	ask(&poll, 1, "bob");
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	poll_done(&poll);
}

TEST(who_stepped_back_takes_part_no_more)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob")->state = ASSIGNEE(RECUSED);
	voted(&poll, 1, "bob")->decision = DECISION(RECUSE);
	ask(&poll, 1, "carol");
	refused(&poll, STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED");
	poll_done(&poll);
}

TEST(the_last_who_steps_back_ends_it)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	recuse(&poll);
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(EXPIRED));
	CHECK(strncmp(reply->request->close_reason, "NO_QUORUM:", 10) == 0);
	CHECK(world_wrote(&poll.world, KIND_APPROVAL_VOTE, 0) != NULL);
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)->state,
		  PLAN(DRAFT));
	poll_done(&poll);
}

TEST(or_others_are_asked_once)
{
	struct poll poll;
	poll_plan(&poll);
	escalating(&poll, STEP(ANY), 0);
	ask(&poll, 1, "bob");
	granted(&poll, "carol")->role_code = world_text(&poll.world, "CISO");
	granted(&poll, "author")->role_code = world_text(&poll.world, "CISO");
	granted(&poll, "small")->role_code = world_text(&poll.world, "CISO");
	granted(&poll, "small")->max_accept_level = LEVEL(LOW);
	granted(&poll, "late")->role_code = world_text(&poll.world, "CISO");
	granted(&poll, "late")->granted_at = hours(&poll, -23);
	recuse(&poll);
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK(reply->request->escalated && reply->request->escalates_to[0] == '\0');
	CHECK_INT(pb_time_us(reply->request->step_due_at), WORLD_NOW_US + 10 * HOURS);
	CHECK_STR(seat(&poll, 1)->user_id, "carol");
	CHECK_STR(seat(&poll, 1)->via, "CISO");
	CHECK(seat(&poll, 1)->escalated);
	CHECK(seat(&poll, 2) == NULL); /* nor who wrote it, lacks the level, is late */
	poll_done(&poll);
}

/* Bob, who is asked on both steps, passes the first; the second wants others. */
static const Isms__V1__ApprovalRequest *use_up(struct poll *poll, const char *escalate_to)
{
	poll_plan(poll);
	step(poll, STEP(ANY), 0, false);
	Isms__V1__PolicyStep *second = step(poll, STEP(ANY), 0, true);
	second->escalate_to_role = world_text(&poll->world, escalate_to);
	second->due_hours = escalate_to[0] == '\0' ? 0 : 10;
	ask(poll, 1, "bob");
	ask(poll, 1, "carol");
	ask(poll, 2, "bob");
	return accepted(poll)->request;
}

TEST(a_step_whose_people_are_used_up_does_not_wait_for_them)
{
	struct poll poll;
	const Isms__V1__ApprovalRequest *request = use_up(&poll, "");
	CHECK_INT(request->state, APPROVAL(EXPIRED));
	CHECK(strncmp(request->close_reason, "NO_QUORUM:", 10) == 0);
	CHECK(world_wrote(&poll.world, KIND_APPROVAL_VOTE, 0) != NULL);
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)->state,
		  PLAN(DRAFT));
	poll_done(&poll);
}

TEST(or_asks_others_at_once)
{
	struct poll poll;
	const Isms__V1__ApprovalRequest *request = use_up(&poll, "CISO");
	CHECK_INT(request->state, APPROVAL(PENDING));
	CHECK_INT(request->current_step, 2);
	CHECK(!request->escalated);
	CHECK_INT(pb_time_us(request->escalates_at), WORLD_NOW_US);
	poll_done(&poll);
}

TEST(who_was_asked_in_vain_brings_no_third_human)
{
	struct poll poll;
	poll_plan(&poll);
	poll.request->level = LEVEL(CRITICAL);
	step(&poll, STEP(ANY), 0, false);
	escalating(&poll, STEP(QUORUM), 2);
	poll.request->escalated = true;
	poll.request->escalates_to = world_text(&poll.world, "");
	poll.request->current_step = poll.cast->step_no = 2;
	ask(&poll, 1, "carol")->state = ASSIGNEE(VOTED);
	ask(&poll, 2, "carol");
	ask(&poll, 2, "bob");
	voted(&poll, 1, "carol");
	ended(&poll, APPROVAL(EXPIRED), "NO_QUORUM");
	poll_done(&poll);
}

/* --- time ------------------------------------------------------------------------- */

TEST(an_overdue_step_ends_the_request_whatever_the_vote_says)
{
	for (int decision = DECISION(APPROVE); decision <= DECISION(RECUSE); decision++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		poll.cast->decision = (Isms__V1__Decision)decision;
		poll.cast->comment = world_text(&poll.world, "why");
		poll.request->step_due_at = hours(&poll, 0);
		ended(&poll, APPROVAL(EXPIRED), "STEP_OVERDUE");
		poll_done(&poll);
	}
}

TEST(a_step_in_time_is_in_time)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	poll.request->step_due_at = hours(&poll, 1);
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	poll_done(&poll);
}

TEST(whoever_would_be_asked_by_now_may_vote)
{
	struct poll poll;
	poll_plan(&poll);
	escalating(&poll, STEP(ANY), 0);
	ask(&poll, 1, "carol");
	granted(&poll, "bob")->role_code = world_text(&poll.world, "CISO");
	poll.request->escalates_at = hours(&poll, 1);
	refused(&poll, STATUS_CODE_PERMISSION_DENIED, "NOT_ASSIGNEE");
	poll.request->escalates_at = hours(&poll, 0);
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	CHECK_STR(seat(&poll, 0)->user_id, "bob");
	CHECK_INT(seat(&poll, 0)->state, ASSIGNEE(VOTED));
	CHECK(seat(&poll, 1) == NULL);
	poll_done(&poll);
}

TEST(an_escalation_does_not_change_how_many_must_approve)
{
	struct poll poll;
	poll_plan(&poll);
	escalating(&poll, STEP(ALL), 0);
	ask(&poll, 1, "bob");
	ask(&poll, 1, "dora");
	granted(&poll, "carol")->role_code = world_text(&poll.world, "CISO");
	poll.request->escalates_at = hours(&poll, -1);
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->remaining, 1);
	CHECK(reply->request->escalated);
	poll_done(&poll);
}

TEST(an_escalation_that_finds_nobody_saves_no_overdue_step)
{
	struct poll poll;
	poll_plan(&poll);
	escalating(&poll, STEP(ANY), 0);
	ask(&poll, 1, "bob");
	poll.request->step_due_at = hours(&poll, -1);
	ended(&poll, APPROVAL(EXPIRED), "STEP_OVERDUE");
	poll_done(&poll);
}

/* So many grants of somebody whom an escalation may ask, or who is asked. */
static void crowd(struct poll *poll, bool late)
{
	struct fact_set *set = NULL;
	for (size_t i = 0; i < poll->world.facts.n_sets; i++)
		if (strcmp(poll->world.facts.sets[i].name, "vote_grants") == 0)
			set = &poll->world.facts.sets[i];
	ProtobufCMessage **rows =
		must(arena_array(poll->world.arena, ProtobufCMessage *, BALLOT_GRANTS_MAX + 1));
	Isms__Store__V1__Candidate *more = must_new_of(
		poll->world.arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
	pb_copy_same(&more->base, &granted(poll, "bob")->base);
	more->user_id = more->person_id = world_text(&poll->world, "zed");
	more->late = late;
	for (size_t i = 0; i <= BALLOT_GRANTS_MAX; i++)
		rows[i] = i < set->n ? set->rows[i] : &more->base;
	set->rows = rows;
	set->n = BALLOT_GRANTS_MAX + 1;
}

TEST(the_rights_of_those_who_are_asked_are_never_cut)
{
	for (int late = 0; late < 2; late++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		crowd(&poll, late);
		if (late)
			CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
		else
			refused(&poll, STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_GRANTS");
		poll_done(&poll);
	}
}

/* --- rejections that may be outvoted ---------------------------------------------------- */

/* Two of bob, carol and dora; so many of whom have rejected before bob does. */
static void reject(struct poll *poll, int before)
{
	static const char *const others[] = { "carol", "dora" };
	poll_plan(poll);
	escalating(poll, STEP(QUORUM), 2);
	poll->request->steps->reject_may_be_outvoted = true;
	poll->request->escalates_to = world_text(&poll->world, "");
	ask(poll, 1, "bob");
	for (int i = 0; i < 2; i++) {
		Isms__Store__V1__Assignee *row = ask(poll, 1, others[i]);
		if (i >= before)
			continue;
		row->state = ASSIGNEE(VOTED);
		voted(poll, 1, others[i])->decision = DECISION(REJECT);
	}
	poll->cast->decision = DECISION(REJECT);
	poll->cast->comment = world_text(&poll->world, "not in this form");
}

TEST(a_rejection_that_may_be_outvoted_leaves_it_open)
{
	struct poll poll;
	reject(&poll, 0);
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK_INT(reply->remaining, 2);
	CHECK_INT(seat(&poll, 0)->state, ASSIGNEE(VOTED));
	CHECK(world_wrote(&poll.world, KIND_TREATMENT_PLAN, 0) == NULL);
	poll_done(&poll);
}

TEST(the_rejection_after_which_too_few_are_left_ends_it)
{
	for (int outvoted = 0; outvoted < 2; outvoted++) {
		struct poll poll;
		reject(&poll, outvoted);
		poll.request->steps->reject_may_be_outvoted = outvoted; /* else a veto */
		const Isms__V1__CastVoteResponse *reply = accepted(&poll);
		CHECK_INT(reply->request->state, APPROVAL(REJECTED));
		CHECK_STR(reply->request->close_reason, "rejected");
		CHECK_INT(reply->remaining, 0);
		CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)
				  ->state,
			  PLAN(REJECTED));
		poll_done(&poll);
	}
}

TEST(others_are_asked_before_a_rejection_ends_it)
{
	struct poll poll;
	reject(&poll, 1);
	poll.request->escalates_to = poll.request->steps->steps[0]->escalate_to_role;
	granted(&poll, "eve")->role_code = world_text(&poll.world, "CISO");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, APPROVAL(PENDING));
	CHECK(reply->request->escalated);
	CHECK_STR(seat(&poll, 1)->user_id, "eve");
	poll_done(&poll);
}

TEST(a_rejection_of_the_past_is_no_approval_and_nobody_votes_twice)
{
	struct poll poll;
	reject(&poll, 1);
	poll.cast->decision = DECISION(APPROVE);
	CHECK_INT(accepted(&poll)->remaining, 1);
	poll_done(&poll);
	reject(&poll, 1);
	world_caller(&poll.world, "carol", "decision.cast", "ISMS_MANAGER");
	refused(&poll, STATUS_CODE_ALREADY_EXISTS, "ALREADY_VOTED");
	poll_done(&poll);
}

/* --- S6, pace ---------------------------------------------------------------------- */

TEST(what_was_granted_since_or_by_somebody_involved_does_not_count)
{
	static const struct {
		const char *by;
		int64_t at; /* hours; the request was submitted 24 hours ago */
		bool counts;
	} rows[] = {
		{ "p-asker", -47, false },  { "p-author", -47, false }, { "p-asker", -2, false },
		{ "p-scorer", -48, true },  { "p-asker", -48, true },   { "p-other", -25, true },
		{ "p-author", -100, true }, { "p-other", -24, true },   { "p-other", -23, false },
		{ "p-other", -2, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct poll poll;
		poll_plan(&poll);
		step(&poll, STEP(ANY), 0, false);
		ask(&poll, 1, "bob");
		Isms__Store__V1__Candidate *grant = granted(&poll, "bob");
		grant->granted_at = hours(&poll, rows[i].at);
		grant->granted_by_persons = must(arena_array(poll.world.arena, char *, 1));
		grant->granted_by_persons[0] = world_text(&poll.world, rows[i].by);
		grant->n_granted_by_persons = 1;
		if (rows[i].counts)
			CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
		else
			refused(&poll, STATUS_CODE_PERMISSION_DENIED, "SOD_FRESH_GRANT");
		poll_done(&poll);
	}
}

TEST(too_many_decisions_in_an_hour_are_refused)
{
	static const struct facts_limits limits = { .decisions_per_hour = 35 };
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	Isms__Store__V1__DecisionPace *pace = must_new_of(
		poll.world.arena, Isms__Store__V1__DecisionPace, isms__store__v1__decision_pace);
	pace->votes = 40;
	pace->window_began_at = must(pb_time_new(poll.world.arena, WORLD_NOW_US - HOURS + 7));
	world_add(&poll.world, "vote_pace", &pace->base);
	poll.world.facts.limits = &limits;
	struct status st = vote_cast(&poll.world.facts, &poll.world.plan);
	CHECK_INT(st.code, STATUS_CODE_RESOURCE_EXHAUSTED);
	CHECK_STR(st.reason, "DECISION_RATE");
	CHECK_INT(st.details->retry_after_us, 7);
	CHECK_INT(poll.world.plan.n_rows, 0);
	pace->window_began_at = hours(&poll, -1);
	CHECK_INT(accepted(&poll)->request->state, APPROVAL(APPROVED));
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__Store__V1__Vote, KIND_APPROVAL_VOTE, 0)->ordinal,
		  41);
	poll_done(&poll);
}

/* --- edits and votes ------------------------------------------------------------------ */

enum { RACES = 10000, VOTERS = 3, EVENTS = 2 * VOTERS + 2 };

/* What is stored: versions, and what has become of it. */
struct stored {
	int64_t plan, risk, request;
	Isms__V1__ApprovalState state;
	int votes;
	bool voted[VOTERS];
};

static uint32_t dice(void)
{
	static uint32_t state = 2463534242u;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void read_poll(struct poll *poll, const struct stored *stored, int voter)
{
	static const char *const names[VOTERS] = { "bob", "carol", "dora" };
	poll_plan(poll);
	step(poll, STEP(QUORUM), 2, false);
	poll->request->meta->version = stored->request;
	poll->request->state = stored->state;
	poll->world.risk->meta->version = stored->risk;
	poll->plan->meta->version = stored->plan;
	for (int i = 0; i < VOTERS; i++) {
		Isms__Store__V1__Assignee *row = ask(poll, 1, names[i]);
		if (!stored->voted[i])
			continue;
		row->state = ASSIGNEE(VOTED);
		voted(poll, 1, names[i]);
	}
	world_caller(&poll->world, names[voter], "decision.cast", "ISMS_MANAGER");
}

/* A commit holds only if nothing that was read has moved. */
static bool commit_vote(struct stored *now, const struct stored *then, int voter)
{
	struct poll poll;
	read_poll(&poll, then, voter);
	struct status st = vote_cast(&poll.world.facts, &poll.world.plan);
	bool moved =
		now->plan != then->plan || now->risk != then->risk || now->request != then->request;
	if (status_ok(&st) && !moved) {
		const Isms__V1__ApprovalRequest *after = WORLD_WROTE(
			&poll.world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
		bool counted = world_wrote(&poll.world, KIND_APPROVAL_VOTE, 0) != NULL;
		now->request = after->meta->version;
		now->state = after->state;
		now->voted[voter] |= counted;
		now->votes += counted;
	}
	poll_done(&poll);
	return status_ok(&st) && !moved;
}

/* One edit of the risk or the plan, and three people who read and then vote, in any
 * order. The request froze risk 7 and plan 3. */
static bool race(unsigned *stale, unsigned *approved)
{
	struct stored now = { .plan = 3, .risk = 7, .request = 2, .state = APPROVAL(PENDING) };
	struct stored seen[VOTERS];
	bool has_read[VOTERS] = { false }, ok = true;
	for (int event = 0; event < 24 && now.state == APPROVAL(PENDING); event++) {
		unsigned what = dice() % EVENTS;
		if (what < VOTERS) {
			seen[what] = now;
			has_read[what] = true;
		} else if (what < 2 * VOTERS) {
			int voter = (int)what - VOTERS;
			int before = now.votes;
			bool edited = now.plan != 3 || now.risk != 7;
			if (has_read[voter] && !now.voted[voter])
				(void)commit_vote(&now, &seen[voter], voter);
			ok &= !(edited && now.votes != before);
			ok &= !(edited && now.state == APPROVAL(APPROVED));
		} else if (dice() % 4 == 0) {
			now.plan += what % 2;
			now.risk += 1 - what % 2;
		}
	}
	*stale += now.state == APPROVAL(STALE);
	*approved += now.state == APPROVAL(APPROVED);
	return ok && now.votes <= 2;
}

TEST(no_vote_on_what_was_edited_counts)
{
	unsigned stale = 0, approved = 0, wrong = 0;
	for (int i = 0; i < RACES; i++)
		wrong += !race(&stale, &approved);
	CHECK_INT(wrong, 0);
	CHECK(stale > 1000 && approved > 1000);
	printf("# %u stale, %u approved\n", stale, approved);
}

TAP_MAIN
