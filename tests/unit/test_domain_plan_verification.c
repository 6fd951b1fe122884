/* Whether a plan works is said by somebody who had no part in it. */
#include "server/domain/plan_verification.h"

#include "tests/unit/tap.h"
#include "tests/unit/world.h"

static char **persons(struct world *world, const char *name)
{
	char **list = must(arena_array(world->arena, char *, 1));
	list[0] = world_text(world, name);
	return list;
}

/* An IMPLEMENTED plan by "p-author" on a HIGH risk, with one action that "p-doer" has
 * done; "p-maker" said that it is implemented. */
static Isms__V1__TreatmentPlan *begin(struct world *world, const char *caller,
				      Isms__V1__TreatmentOption option)
{
	world_init(world);
	world_caller(world, caller, "plan.verify", "APPROVER");
	world->risk->state = RISK(MONITORED);
	Isms__V1__TreatmentPlan *plan = world_plan(world, "plan", option, PLAN(IMPLEMENTED));
	plan->content->target = world_score(world, 1, 1, LEVEL(LOW));
	plan->progress = must_new_of(world->arena, Isms__V1__PlanProgress, isms__v1__plan_progress);
	plan->progress->n_implemented_by_persons = 1;
	plan->progress->implemented_by_persons = persons(world, "p-maker");
	plan->progress->n_actions = 1;
	plan->progress->actions = must(arena_array(world->arena, Isms__V1__ActionProgress *, 1));
	plan->progress->actions[0] =
		must_new_of(world->arena, Isms__V1__ActionProgress, isms__v1__action_progress);
	plan->progress->actions[0]->n_done_by_persons = 1;
	plan->progress->actions[0]->done_by_persons = persons(world, "p-doer");
	world_set(world, "dossier_risk_of_plan", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_plan", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_plan", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_plan", &isms__v1__approval_request__descriptor);
	world_set(world, "plan_people", &isms__store__v1__found__descriptor);
	world_set(world, "plan_writers", &isms__store__v1__found__descriptor);
	world_add(world, "dossier_risk_of_plan", &world->risk->base);
	world_add(world, "dossier_plans_of_plan", &plan->base);
	Isms__Store__V1__Found *author =
		must_new_of(world->arena, Isms__Store__V1__Found, isms__store__v1__found);
	author->id = world_text(world, "p-author");
	world_set(world, "plan_current_score", &isms__store__v1__risk_score__descriptor);
	Isms__Store__V1__RiskScore *last =
		must_new_of(world->arena, Isms__Store__V1__RiskScore, isms__store__v1__risk_score);
	last->scored_by = world_text(world, "scorer");
	last->n_scored_by_persons = 1;
	last->scored_by_persons = persons(world, "p-scorer");
	world_add(world, "plan_current_score", &last->base);
	world_add(world, "plan_people", &author->base);
	world_add(world, "plan_writers", &author->base);
	return plan;
}

static struct status verify(struct world *world, Isms__V1__PlanVerdict verdict)
{
	Isms__V1__VerifyPlanRequest *request = must_new_of(
		world->arena, Isms__V1__VerifyPlanRequest, isms__v1__verify_plan_request);
	request->id = world_text(world, "plan");
	request->verdict = verdict;
	request->comment = world_text(world, "seen");
	world->facts.request = &request->base;
	return plan_verification_verify(&world->facts, &world->plan);
}

TEST(whoever_had_a_part_does_not_verify)
{
	static const char *const callers[] = { "author", "doer", "maker", "other" };
	for (int verdict = 1; verdict <= 2; verdict++)
		for (size_t i = 0; i < 4; i++) {
			struct world world;
			begin(&world, callers[i], OPTION(MITIGATE));
			struct status st = verify(&world, (Isms__V1__PlanVerdict)verdict);
			CHECK_INT(status_ok(&st), i == 3);
			if (i < 3) {
				CHECK_STR(st.reason, "SOD_VERIFIER");
				CHECK_INT(world.plan.n_rows, 0);
			}
			world_done(&world);
		}
}

TEST(one_person_of_several_behind_an_account_is_enough)
{
	struct world world;
	begin(&world, "other", OPTION(AVOID));
	world.me->n_person_ids = 2;
	world.me->person_ids = must(arena_array(world.arena, char *, 2));
	world.me->person_ids[0] = world_text(&world, "p-other");
	world.me->person_ids[1] = world_text(&world, "p-maker");
	struct status st = verify(&world, ISMS__V1__PLAN_VERDICT__PLAN_VERDICT_EFFECTIVE);
	CHECK_STR(st.reason, "SOD_VERIFIER");
	world_done(&world);
}

/* What a TRANSFER or another plan keeps of the score that it replaced. */
static const Isms__V1__LoweredScore *lowered_by(struct world *world)
{
	struct status st = verify(world, ISMS__V1__PLAN_VERDICT__PLAN_VERDICT_EFFECTIVE);
	CHECK(status_ok(&st));
	CHECK_INT(WORLD_WROTE(world, Isms__V1__Risk, KIND_RISK, 0)->current->level,
		  WORLD_WROTE(world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)
			  ->content->target->level);
	return WORLD_WROTE(world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)->lowered;
}

TEST(a_transfer_keeps_the_score_that_it_lowers)
{
	for (int option = OPTION(MITIGATE); option <= OPTION(AVOID); option++) {
		if (option == OPTION(ACCEPT))
			continue;
		struct world world;
		Isms__V1__TreatmentPlan *plan =
			begin(&world, "other", (Isms__V1__TreatmentOption)option);
		plan->lapses_at = world_time(&world, 1);
		const Isms__V1__LoweredScore *lowered = lowered_by(&world);
		CHECK_INT(lowered != NULL, option == OPTION(TRANSFER));
		if (lowered != NULL) {
			CHECK_INT(lowered->before->level, LEVEL(HIGH));
			CHECK_INT(lowered->after->level, LEVEL(LOW));
			CHECK_STR(lowered->scored_by, "scorer");
			CHECK_STR(lowered->scored_by_persons[0], "p-scorer");
		}
		world_done(&world);
	}
}

TEST(what_begins_later_is_not_found_to_work_yet)
{
	for (int days = -1; days <= 1; days++) {
		struct world world;
		Isms__V1__TreatmentPlan *plan = begin(&world, "other", OPTION(TRANSFER));
		plan->counts_from = world_time(&world, days);
		plan->lapses_at = world_time(&world, 9);
		struct status st = verify(&world, ISMS__V1__PLAN_VERDICT__PLAN_VERDICT_EFFECTIVE);
		CHECK_INT(status_ok(&st), days <= 0);
		if (days > 0)
			CHECK_STR(st.reason, "NOT_IN_EFFECT");
		world_done(&world);
	}
}

TEST(a_renewed_transfer_keeps_what_was_before_the_first)
{
	for (int scored_since = 0; scored_since < 2; scored_since++) {
		struct world world;
		Isms__V1__TreatmentPlan *plan = begin(&world, "other", OPTION(TRANSFER));
		plan->lapses_at = world_time(&world, 1);
		plan->lowered =
			must_new_of(world.arena, Isms__V1__LoweredScore, isms__v1__lowered_score);
		plan->lowered->before = world_score(&world, 5, 5, LEVEL(CRITICAL));
		plan->lowered->after = world_score(&world, 2, 2, LEVEL(MEDIUM));
		plan->lowered->scored_by = world_text(&world, "first");
		world.risk->current = scored_since ? world_score(&world, 4, 4, LEVEL(HIGH))
						   : world_score(&world, 2, 2, LEVEL(MEDIUM));
		const Isms__V1__LoweredScore *lowered = lowered_by(&world);
		CHECK_INT(lowered->before->level, scored_since ? LEVEL(HIGH) : LEVEL(CRITICAL));
		CHECK_STR(lowered->scored_by, scored_since ? "scorer" : "first");
		CHECK_INT(lowered->after->level, LEVEL(LOW));
		world_done(&world);
	}
}

TEST(a_transfer_that_aims_above_the_level_lowers_nothing)
{
	struct world world;
	Isms__V1__TreatmentPlan *plan = begin(&world, "other", OPTION(TRANSFER));
	plan->lapses_at = world_time(&world, 1);
	plan->content->target = world_score(&world, 5, 5, LEVEL(CRITICAL));
	CHECK(lowered_by(&world) == NULL);
	world_done(&world);
}

TAP_MAIN
