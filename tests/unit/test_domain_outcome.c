/* What a decision writes: the subject, what it replaces, the risk, and the other
 * requests on it. */
#include "server/domain/outcome.h"

#include "tests/unit/poll.h"
#include "tests/unit/tap.h"

TEST(an_approved_plan_moves_the_risk_and_ends_the_older_plan)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	Isms__V1__TreatmentPlan *older =
		world_plan(&poll.world, "older", OPTION(MITIGATE), PLAN(IN_PROGRESS));
	Isms__V1__TreatmentPlan *other =
		world_plan(&poll.world, "other", OPTION(AVOID), PLAN(APPROVED));
	older->lowered =
		must_new_of(poll.world.arena, Isms__V1__LoweredScore, isms__v1__lowered_score);
	world_add(&poll.world, "dossier_plans_of_request", &older->base);
	world_add(&poll.world, "dossier_plans_of_request", &other->base);
	accepted(&poll);
	const Isms__V1__Risk *risk = WORLD_WROTE(&poll.world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(IN_TREATMENT));
	CHECK_INT(risk->disposition, DISPOSITION(AVOIDED));
	CHECK_INT(risk->target->level, LEVEL(LOW));
	CHECK_INT(risk->meta->version, 8);
	for (size_t i = 0; i < 2; i++) {
		const Isms__V1__TreatmentPlan *plan =
			WORLD_WROTE(&poll.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, i);
		bool newer = strcmp(plan->meta->id, "plan") == 0;
		CHECK_INT(plan->state, newer ? PLAN(APPROVED) : PLAN(SUPERSEDED));
		CHECK(plan->lowered == older->lowered); /* for the newer to give back */
		CHECK_STR(plan->supersedes_id, newer ? "older" : "");
		CHECK_STR(plan->end_reason, newer ? "" : "superseded by REF-plan");
	}
	CHECK(world_wrote(&poll.world, KIND_TREATMENT_PLAN, 2) == NULL);
	const Isms__Store__V1__RiskScore *score =
		WORLD_WROTE(&poll.world, Isms__Store__V1__RiskScore, KIND_RISK_SCORE, 0);
	CHECK_INT(score->kind, SCORE(TARGET));
	poll_done(&poll);
}

static void approve_beside(int64_t older_days, Isms__V1__AcceptanceState ended)
{
	struct poll poll;
	poll_acceptance(&poll, 30);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	Isms__V1__Acceptance *older = world_acceptance(&poll.world, "older", "older-plan",
						       ACCEPTANCE(ACTIVE), older_days);
	Isms__V1__TreatmentPlan *behind =
		world_plan(&poll.world, "older-plan", OPTION(ACCEPT), PLAN(APPROVED));
	world_add(&poll.world, "dossier_acceptances_of_request", &older->base);
	world_add(&poll.world, "dossier_plans_of_request", &behind->base);
	accepted(&poll);
	size_t active = 0;
	for (size_t i = 0; i < 2; i++) {
		const Isms__V1__Acceptance *row =
			WORLD_WROTE(&poll.world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, i);
		active += row->state == ACCEPTANCE(ACTIVE);
		if (strcmp(row->meta->id, "older") == 0) {
			CHECK_INT(row->state, ended);
			CHECK(row->ended_at != NULL && row->end_reason[0] != '\0');
			continue;
		}
		CHECK_INT(row->state, ACCEPTANCE(ACTIVE));
		CHECK_INT(pb_time_us(row->valid_from), WORLD_NOW_US);
		CHECK(row->effective);
	}
	CHECK_INT(active, 1);
	const Isms__V1__Risk *risk = WORLD_WROTE(&poll.world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(MONITORED));
	CHECK_INT(risk->disposition, DISPOSITION(ACCEPTED));
	CHECK_INT(pb_time_us(risk->accepted_until), WORLD_NOW_US + 30 * WORLD_DAY_US);
	poll_done(&poll);
}

TEST(an_approved_acceptance_supersedes_the_older_one)
{
	approve_beside(5, ACCEPTANCE(SUPERSEDED));
}

TEST(an_older_acceptance_that_has_run_out_is_expired)
{
	approve_beside(-5, ACCEPTANCE(EXPIRED));
}

static void turned_down(Isms__V1__Decision decision, Isms__V1__ApprovalState state,
			Isms__V1__AcceptanceState after, Isms__V1__PlanState plan_after)
{
	struct poll poll;
	poll_acceptance(&poll, 30);
	step(&poll, STEP(QUORUM), 2, false);
	ask(&poll, 1, "bob");
	poll.cast->decision = decision;
	poll.cast->comment = world_text(&poll.world, "not like this");
	const Isms__V1__CastVoteResponse *reply = accepted(&poll);
	CHECK_INT(reply->request->state, state);
	CHECK_STR(reply->vote->comment, "not like this");
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0)->state,
		  after);
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)->state,
		  plan_after);
	const Isms__V1__Risk *risk = WORLD_WROTE(&poll.world, Isms__V1__Risk, KIND_RISK, 0);
	if (decision == DECISION(REJECT)) /* it waits for another proposal */
		CHECK(risk == NULL && poll.world.risk->state == RISK(TREATMENT_PENDING));
	else
		CHECK_INT(risk->state, RISK(ANALYSED));
	poll_done(&poll);
}

/* What is approved last beside something in force, and what the risk is then. */
static void beside(bool acceptance_last, Isms__V1__PlanState plan_state,
		   Isms__V1__RiskState expected)
{
	struct poll poll;
	if (acceptance_last)
		poll_acceptance(&poll, 30);
	else
		poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	if (acceptance_last) {
		world_add(&poll.world, "dossier_plans_of_request",
			  &world_plan(&poll.world, "other", OPTION(MITIGATE), plan_state)->base);
	} else {
		world_add(&poll.world, "dossier_plans_of_request",
			  &world_plan(&poll.world, "other", OPTION(ACCEPT), PLAN(APPROVED))->base);
		world_add(&poll.world, "dossier_acceptances_of_request",
			  &world_acceptance(&poll.world, "acceptance", "other", ACCEPTANCE(ACTIVE),
					    30)
				   ->base);
	}
	accepted(&poll);
	CHECK_INT(WORLD_WROTE(&poll.world, Isms__V1__Risk, KIND_RISK, 0)->state, expected);
	poll_done(&poll);
}

TEST(the_state_of_the_risk_does_not_depend_on_what_came_first)
{
	beside(true, PLAN(APPROVED), RISK(IN_TREATMENT));
	beside(true, PLAN(IN_PROGRESS), RISK(IN_TREATMENT));
	beside(true, PLAN(IMPLEMENTED), RISK(MONITORED));
	beside(false, PLAN(APPROVED), RISK(IN_TREATMENT));
}

TEST(one_rejection_ends_it)
{
	turned_down(DECISION(REJECT), APPROVAL(REJECTED), ACCEPTANCE(REJECTED), PLAN(REJECTED));
}

TEST(a_request_for_changes_sends_it_back)
{
	turned_down(DECISION(REQUEST_CHANGES), APPROVAL(CHANGES_REQUESTED),
		    ACCEPTANCE(CHANGES_REQUESTED), PLAN(CHANGES_REQUESTED));
}

TEST(another_request_on_the_risk_is_carried_over_the_change)
{
	struct poll poll;
	poll_plan(&poll);
	step(&poll, STEP(ANY), 0, false);
	ask(&poll, 1, "bob");
	Isms__V1__ApprovalRequest *fresh =
		world_request(&poll.world, "fresh", SUBJECT(TREATMENT_PLAN), "fresh-plan");
	Isms__V1__ApprovalRequest *stale =
		world_request(&poll.world, "stale", SUBJECT(TREATMENT_PLAN), "stale-plan");
	stale->risk_version = 5;
	world_add(&poll.world, "dossier_plans_of_request",
		  &world_plan(&poll.world, "fresh-plan", OPTION(TRANSFER), PLAN(SUBMITTED))->base);
	world_add(&poll.world, "dossier_plans_of_request",
		  &world_plan(&poll.world, "stale-plan", OPTION(AVOID), PLAN(SUBMITTED))->base);
	world_add(&poll.world, "dossier_requests_of_request", &fresh->base);
	world_add(&poll.world, "dossier_requests_of_request", &stale->base);
	accepted(&poll);
	size_t carried = 0;
	for (size_t i = 0;; i++) {
		const Isms__V1__ApprovalRequest *row = WORLD_WROTE(
			&poll.world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, i);
		if (row == NULL)
			break;
		CHECK(strcmp(row->meta->id, "stale") != 0);
		if (strcmp(row->meta->id, "fresh") != 0)
			continue;
		CHECK_INT(row->risk_version, 8);
		CHECK_INT(row->state, APPROVAL(PENDING));
		carried++;
	}
	CHECK_INT(carried, 1);
	poll_done(&poll);
}

TAP_MAIN
