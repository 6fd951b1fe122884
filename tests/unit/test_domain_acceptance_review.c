/* Warnings, and reviews after a material change: who keeps what, until when. */
#include "server/domain/acceptance_review.h"

#include "isms/store/v1/decision.pb-c.h"
#include "server/domain/acceptance_term.h"
#include "server/domain/material_change.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

enum { ACCEPTANCE_STATES = ACCEPTANCE(SUPERSEDED) + 1 };

/* A role that decides, up to HIGH, long ago. */
static Isms__Store__V1__Candidate *grant(struct world *world, const char *user)
{
	Isms__Store__V1__Candidate *row =
		must_new_of(world->arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
	row->user_id = world_text(world, user);
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->role_code = world_text(world, "APPROVER");
	row->may_decide = true;
	row->max_accept_level = LEVEL(HIGH);
	row->granted_at = world_time(world, -100);
	row->granted_by_persons = must(arena_array(world->arena, char *, 1));
	row->granted_by_persons[0] = world_text(world, "p-writer");
	row->n_granted_by_persons = 1;
	world_add(world, "candidates_for_acceptance", &row->base);
	return row;
}

/* The request by which it was approved. */
static Isms__V1__ApprovalRequest *approval(const struct world *world)
{
	return (void *)world->sets[1].rows[0];
}

/* A HIGH risk, accepted for some days by one approver, reviewed within 14. */
static Isms__V1__Acceptance *begin(struct world *world, Isms__V1__AcceptanceState state,
				   int64_t days)
{
	world_init(world);
	world_caller(world, "reviewer", "decision.cast", "APPROVER");
	world->risk->state = RISK(MONITORED);
	Isms__V1__Acceptance *acceptance =
		world_acceptance(world, "acceptance", "plan", state, days);
	acceptance->review_days = 14;
	acceptance->approval_request_id = world_text(world, "approved");
	Isms__V1__ApprovalRequest *approved =
		world_request(world, "approved", SUBJECT(ACCEPTANCE), "acceptance");
	approved->requested_by_person = world_text(world, "p-requester");
	approved->contributor_persons = must(arena_array(world->arena, char *, 1));
	approved->contributor_persons[0] = world_text(world, "p-writer");
	approved->n_contributor_persons = 1;
	(void)world_step(world, approved->steps, STEP(ANY), 0, "APPROVER", false);
	world_set(world, "acceptance_for_write", &isms__v1__acceptance__descriptor);
	world_set(world, "acceptance_approval", &isms__v1__approval_request__descriptor);
	world_set(world, "candidates_for_acceptance", &isms__store__v1__candidate__descriptor);
	world_set(world, "contributors_of_acceptance", &isms__store__v1__found__descriptor);
	(void)grant(world, "reviewer");
	world_set(world, "dossier_risk_of_acceptance", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_acceptance", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_acceptance", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_acceptance", &isms__v1__approval_request__descriptor);
	world_set(world, "vote_pace", &isms__store__v1__decision_pace__descriptor);
	world_set(world, "review_person", &isms__store__v1__person__descriptor);
	Isms__Store__V1__Person *person =
		must_new_of(world->arena, Isms__Store__V1__Person, isms__store__v1__person);
	person->meta = world_meta(world, "p-reviewer", 1);
	world_add(world, "review_person", &person->base);
	world_add(world, "acceptance_for_write", &acceptance->base);
	world_add(world, "acceptance_approval", &approved->base);
	world_add(world, "dossier_risk_of_acceptance", &world->risk->base);
	world_add(world, "dossier_plans_of_acceptance",
		  &world_plan(world, "plan", OPTION(ACCEPT), state_of_accept_plan(state))->base);
	world_add(world, "dossier_acceptances_of_acceptance", &acceptance->base);
	return acceptance;
}

static const Isms__V1__Acceptance *written(const struct world *world)
{
	return WORLD_WROTE(world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0);
}

static struct status review(struct world *world, Isms__V1__ReviewOutcome outcome)
{
	Isms__V1__ReviewAcceptanceRequest *request =
		must_new_of(world->arena, Isms__V1__ReviewAcceptanceRequest,
			    isms__v1__review_acceptance_request);
	request->id = world_text(world, "acceptance");
	request->outcome = outcome;
	request->comment = world_text(world, "looked at it");
	world->facts.request = &request->base;
	return acceptance_review(&world->facts, &world->plan);
}

TEST(each_warning_is_due_once)
{
	static const int32_t given[] = { 0, 30, 7, 1 };
	for (int64_t days = 0; days <= 31; days++)
		for (size_t i = 0; i < 4; i++) {
			struct world world;
			Isms__V1__Acceptance *row = begin(&world, ACCEPTANCE(ACTIVE), days);
			int32_t near = days <= 1 ? 1 : days <= 7 ? 7 : days <= 30 ? 30 : 0;
			row->warned_days = given[i];
			CHECK_INT(acceptance_term_warned(row->valid_until, WORLD_NOW_US), near);
			bool due = days > 0 && near != 0 && (given[i] == 0 || given[i] > near);
			struct status st = acceptance_warn(&world.facts, &world.plan);
			CHECK_INT(status_ok(&st), due);
			if (due)
				CHECK_INT(written(&world)->warned_days, near);
			world_done(&world);
		}
}

TEST(only_what_is_in_force_and_due_is_reviewed)
{
	for (int state = 1; state < ACCEPTANCE_STATES; state++)
		for (int64_t due = -1; due <= 2; due++) {
			struct world world;
			Isms__V1__Acceptance *row =
				begin(&world, (Isms__V1__AcceptanceState)state, 30);
			/* 2: no review is due */
			row->review_due_at = due == 2 ? NULL : world_time(&world, due);
			struct status st =
				review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
			bool may = state == ACCEPTANCE(ACTIVE) && due == 1;
			CHECK_INT(status_ok(&st), may);
			if (!may)
				CHECK_STR(st.reason, "ILLEGAL_STATE");
			else
				CHECK(written(&world)->effective &&
				      written(&world)->review_due_at == NULL);
			world_done(&world);
		}
}

TEST(who_asked_wrote_or_lacks_the_level_ends_it_at_most)
{
	static const struct {
		const char *user;
		int level;
		const char *reason;
	} cases[] = {
		{ "reviewer", LEVEL(HIGH), NULL },
		{ "reviewer", LEVEL(MEDIUM), "AUTHORITY_LEVEL" },
		{ "requester", LEVEL(CRITICAL), "SOD_REQUESTER" },
		{ "writer", LEVEL(CRITICAL), "SOD_CONTRIBUTOR" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int end = 0; end < 2; end++) {
			struct world world;
			begin(&world, ACCEPTANCE(ACTIVE), 30)->review_due_at =
				world_time(&world, 3);
			world_caller(&world, cases[i].user, "decision.cast", "APPROVER");
			Isms__Store__V1__Candidate *held = (void *)world.sets[2].rows[0];
			held->user_id = world_text(&world, cases[i].user);
			held->max_accept_level = (Isms__V1__RiskLevel)cases[i].level;
			struct status st =
				review(&world, end ? ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_END
						   : ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
			if (!end && cases[i].reason != NULL)
				CHECK_STR(st.reason, cases[i].reason);
			else
				CHECK_INT(written(&world)->state,
					  end ? ACCEPTANCE(REVOKED) : ACCEPTANCE(ACTIVE));
			world_done(&world);
		}
}

/* Whether the reviewer may keep it by a right given so many hours ago by a person. */
static void fresh(int64_t hours, const char *by, const char *reason)
{
	struct world world;
	begin(&world, ACCEPTANCE(ACTIVE), 30)->review_due_at = world_time(&world, 3);
	Isms__Store__V1__Candidate *held = (void *)world.sets[2].rows[0];
	held->granted_by_persons[0] = world_text(&world, by);
	held->granted_at = must(pb_time_new(world.arena, WORLD_NOW_US - hours * WORLD_DAY_US / 24));
	struct status st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK_STR(status_ok(&st) ? "" : st.reason, reason);
	world_done(&world);
}

TEST(a_right_that_somebody_involved_has_just_given_keeps_nothing)
{
	fresh(23, "p-writer", "AUTHORITY_LEVEL");
	fresh(23, "p-requester", "AUTHORITY_LEVEL");
	fresh(24, "p-writer", "");
	fresh(1, "p-admin", "");
}

TEST(who_has_scored_the_risk_since_does_not_keep_it)
{
	struct world world;
	begin(&world, ACCEPTANCE(ACTIVE), 30)->review_due_at = world_time(&world, 3);
	Isms__Store__V1__Found *scorer =
		must_new_of(world.arena, Isms__Store__V1__Found, isms__store__v1__found);
	scorer->id = world_text(&world, "p-reviewer");
	world_add(&world, "contributors_of_acceptance", &scorer->base);
	struct status st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK_STR(st.reason, "SOD_CONTRIBUTOR");
	world_done(&world);
}

TEST(who_made_the_change_does_not_keep_it)
{
	struct world world;
	Isms__V1__Acceptance *row = begin(&world, ACCEPTANCE(ACTIVE), 30);
	row->review_due_at = world_time(&world, 3);
	row->review_by_persons = must(arena_array(world.arena, char *, 1));
	row->review_by_persons[0] = world_text(&world, "p-reviewer");
	row->n_review_by_persons = 1;
	struct status st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK_STR(st.reason, "SOD_CONTRIBUTOR");
	world_done(&world);
}

/* Keeps what was approved by these steps, with this role or as the owner (NULL). */
static void weigh(const char *role, Isms__V1__StepMode mode, int32_t quorum, const char *second,
		  Isms__V1__RiskLevel level, const char *reason)
{
	struct world world;
	Isms__V1__Acceptance *row = begin(&world, ACCEPTANCE(ACTIVE), 30);
	row->review_due_at = world_time(&world, 3);
	row->level = level;
	Isms__Store__V1__Candidate *held = (void *)world.sets[2].rows[0];
	held->owner = role == NULL;
	held->role_code = world_text(&world, role == NULL ? "RISK_OWNER" : role);
	held->max_accept_level = LEVEL(CRITICAL);
	approval(&world)->steps->n_steps = 0;
	(void)world_step(&world, approval(&world)->steps, mode, quorum, "APPROVER", false);
	if (second != NULL)
		(void)world_step(&world, approval(&world)->steps, STEP(ANY), 0, second, false);
	struct status st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK_STR(status_ok(&st) ? "" : st.reason, reason);
	world_done(&world);
}

TEST(what_took_more_than_one_is_renewed_and_the_rest_kept_by_those_who_could_approve)
{
	weigh("APPROVER", STEP(ANY), 0, NULL, LEVEL(HIGH), "");
	weigh(NULL, STEP(ANY), 0, NULL, LEVEL(HIGH), "");
	weigh("RISK_OWNER", STEP(ANY), 0, NULL, LEVEL(HIGH), "NOT_ASSIGNEE");
	weigh("ISMS_MANAGER", STEP(ANY), 0, NULL, LEVEL(HIGH), "NOT_ASSIGNEE");
	weigh("APPROVER", STEP(QUORUM), 1, NULL, LEVEL(HIGH), "");
	weigh("APPROVER", STEP(QUORUM), 2, NULL, LEVEL(HIGH), "RENEWAL_NEEDED");
	weigh("APPROVER", STEP(ALL), 0, NULL, LEVEL(HIGH), "RENEWAL_NEEDED");
	weigh("APPROVER", STEP(ANY), 0, "ISMS_MANAGER", LEVEL(HIGH), "RENEWAL_NEEDED");
	weigh("APPROVER", STEP(ANY), 0, NULL, LEVEL(CRITICAL), "RENEWAL_NEEDED");
}

TEST(what_is_kept_is_written_down_as_a_decision_of_the_person)
{
	static const struct facts_limits limits = { .decisions_per_hour = 35 };
	struct world world;
	Isms__V1__Acceptance *row = begin(&world, ACCEPTANCE(ACTIVE), 30);
	row->review_due_at = world_time(&world, 3);
	row->review_reason = world_text(&world, "the world turned");
	Isms__Store__V1__DecisionPace *pace = must_new_of(
		world.arena, Isms__Store__V1__DecisionPace, isms__store__v1__decision_pace);
	pace->window_began_at = must(pb_time_new(world.arena, WORLD_NOW_US - WORLD_DAY_US / 48));
	world_add(&world, "vote_pace", &pace->base);
	world.facts.limits = &limits;
	struct status st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK_STR(st.reason, "DECISION_RATE");
	CHECK_INT(world.plan.n_rows, 0);
	pace->window_began_at = world_time(&world, -1);
	st = review(&world, ISMS__V1__REVIEW_OUTCOME__REVIEW_OUTCOME_KEEP);
	CHECK(status_ok(&st));
	CHECK_INT(WORLD_WROTE(&world, Isms__Store__V1__Person, KIND_PERSON, 0)->meta->version, 2);
	const Isms__Store__V1__AcceptanceReview *kept =
		WORLD_WROTE(&world, Isms__Store__V1__AcceptanceReview, KIND_ACCEPTANCE_REVIEW, 0);
	CHECK_STR(kept->reviewer_person, "p-reviewer");
	CHECK_STR(kept->reason, "the world turned");
	CHECK_STR(kept->comment, "looked at it");
	world_done(&world);
}

TEST(one_warning_is_given_before_a_review_lapses)
{
	for (int64_t due = -1; due <= 5; due++)
		for (int warned = 0; warned < 2; warned++) {
			struct world world;
			Isms__V1__Acceptance *row = begin(&world, ACCEPTANCE(ACTIVE), 30);
			row->review_due_at = due == 5 ? NULL : world_time(&world, due);
			row->review_warned = warned != 0;
			struct status st = acceptance_warn_review(&world.facts, &world.plan);
			CHECK_INT(status_ok(&st), due > 0 && due <= 3 && !warned);
			if (status_ok(&st))
				CHECK(written(&world)->review_warned);
			world_done(&world);
		}
}

/* What becomes of an acceptance that ends in so many days, by a change. */
static void change(int64_t days, int32_t review_days, bool rises, int64_t expected_due)
{
	struct world world;
	begin(&world, ACCEPTANCE(ACTIVE), days)->review_days = review_days;
	struct dossier dossier;
	struct status st =
		dossier_load(&dossier, &world.plan, &world.facts, world.risk, "acceptance");
	CHECK(status_ok(&st));
	if (rises)
		CHECK(material_change_rise(&dossier, LEVEL(MEDIUM), LEVEL(HIGH)));
	else
		CHECK(material_change_apply(&dossier, "the world turned"));
	dossier_settle(&dossier, DOSSIER_CONTENT);
	const Isms__V1__Acceptance *row = written(&world);
	CHECK_INT(row->effective, expected_due > 0);
	CHECK_INT(row->state, expected_due > 0 ? ACCEPTANCE(ACTIVE) : ACCEPTANCE(INVALIDATED));
	if (expected_due > 0) {
		CHECK_INT(pb_time_us(row->review_due_at),
			  WORLD_NOW_US + expected_due * WORLD_DAY_US);
		CHECK_STR(row->review_reason, "the world turned");
		CHECK_INT(row->n_review_by_persons, 1);
		CHECK_STR(row->review_by_persons[0], "p-reviewer");
	}
	world_done(&world);
}

TEST(a_change_is_reviewed_in_time_unless_the_level_rose)
{
	for (int64_t days = 1; days <= 40; days += 13)
		for (int32_t within = 0; within <= 28; within += 14) {
			change(days, within, true, 0);
			change(days, within, false, within < days ? within : days);
		}
}

TAP_MAIN
