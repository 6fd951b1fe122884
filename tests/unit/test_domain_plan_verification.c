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

TAP_MAIN
