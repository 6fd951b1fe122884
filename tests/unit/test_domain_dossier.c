/* What follows from the plans and acceptances on a risk, at this moment. */
#include "server/domain/dossier.h"

#include "tests/unit/tap.h"
#include "tests/unit/world.h"

enum { PLAN_STATES = PLAN(SUPERSEDED) + 1 };

/* A CRITICAL risk that is tolerated up to HIGH, with one plan due in three days. */
static Isms__V1__TreatmentPlan *begin(struct world *world, int option, int state)
{
	world_init(world);
	world->risk->current = world_score(world, 5, 5, LEVEL(CRITICAL));
	world->risk->tolerance = LEVEL(HIGH);
	world_set(world, "dossier_plans_of_risk", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_risk", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_risk", &isms__v1__approval_request__descriptor);
	Isms__V1__TreatmentPlan *plan = world_plan(world, "plan", (Isms__V1__TreatmentOption)option,
						   (Isms__V1__PlanState)state);
	plan->due_at = world_time(world, 3);
	world_add(world, "dossier_plans_of_risk", &plan->base);
	return plan;
}

static struct dossier *load(struct world *world)
{
	struct dossier *dossier = must(arena_new_of(world->arena, struct dossier));
	struct status st = dossier_load(dossier, &world->plan, &world->facts, world->risk, "risk");
	CHECK(status_ok(&st));
	return dossier;
}

TEST(a_plan_on_schedule_answers_for_the_level)
{
	for (int option = OPTION(MITIGATE); option <= OPTION(AVOID); option++)
		for (int state = 1; state < PLAN_STATES; state++) {
			struct world world;
			Isms__V1__TreatmentPlan *plan = begin(&world, option, state);
			if (option == OPTION(TRANSFER))
				plan->lapses_at = world_time(&world, 9);
			bool runs = state == PLAN(APPROVED) || state == PLAN(IN_PROGRESS) ||
				    state == PLAN(IMPLEMENTED);
			CHECK_INT(dossier_uncovered(load(&world)),
				  !runs || option == OPTION(ACCEPT));
			world_done(&world);
		}
}

TEST(a_plan_without_a_date_or_past_it_does_not)
{
	for (int days = -1; days <= 1; days++) {
		struct world world;
		begin(&world, OPTION(AVOID), PLAN(APPROVED))->due_at = world_time(&world, days);
		CHECK_INT(dossier_uncovered(load(&world)), days <= 0);
		world_done(&world);
		Isms__V1__TreatmentPlan *plan = begin(&world, OPTION(TRANSFER), PLAN(APPROVED));
		plan->lapses_at = world_time(&world, days);
		CHECK_INT(dossier_uncovered(load(&world)), days <= 0);
		world_done(&world);
	}
	struct world world;
	begin(&world, OPTION(MITIGATE), PLAN(APPROVED))->due_at = NULL;
	CHECK(dossier_uncovered(load(&world)));
	world_done(&world);
}

TEST(only_a_level_above_tolerance_is_uncovered)
{
	for (int level = LEVEL(UNSPECIFIED); level <= LEVEL(CRITICAL); level++)
		for (int tolerance = LEVEL(UNSPECIFIED); tolerance <= LEVEL(CRITICAL);
		     tolerance++) {
			struct world world;
			begin(&world, OPTION(MITIGATE), PLAN(DRAFT));
			world.risk->current = world_score(&world, 1, 1, (Isms__V1__RiskLevel)level);
			world.risk->tolerance = (Isms__V1__RiskLevel)tolerance;
			CHECK_INT(dossier_uncovered(load(&world)),
				  tolerance != LEVEL(UNSPECIFIED) && level > tolerance);
			world_done(&world);
		}
}

TEST(an_acceptance_answers_while_it_is_in_force)
{
	for (int days = -1; days <= 1; days++) {
		struct world world;
		begin(&world, OPTION(ACCEPT), PLAN(APPROVED));
		world_add(&world, "dossier_acceptances_of_risk",
			  &world_acceptance(&world, "a", "plan", ACCEPTANCE(ACTIVE), days)->base);
		CHECK_INT(dossier_uncovered(load(&world)), days <= 0);
		world_done(&world);
	}
}

TEST(a_plan_that_begins_later_is_carried_out_and_does_not_count)
{
	for (int option = OPTION(TRANSFER); option <= OPTION(AVOID); option++)
		for (int state = PLAN(APPROVED); state <= PLAN(IMPLEMENTED); state++)
			for (int days = -1; days <= 1; days++) {
				if (option == OPTION(ACCEPT))
					continue;
				struct world world;
				int64_t until_us;
				Isms__V1__TreatmentPlan *plan = begin(&world, option, state);
				plan->counts_from = world_time(&world, days);
				plan->lapses_at = world_time(&world, 9);
				struct dossier *dossier = load(&world);
				bool over = state == PLAN(IMPLEMENTED);
				CHECK_INT(dossier_disposition(dossier, &until_us) ==
						  DISPOSITION(UNTREATED),
					  days > 0);
				CHECK_INT(dossier_state(dossier),
					  over && days <= 0 ? RISK(MONITORED) : RISK(IN_TREATMENT));
				world_done(&world);
			}
}

TAP_MAIN
