/* What becomes of a score that held only while a transfer covered the risk. */
#include "isms/store/v1/clock.pb-c.h"
#include "server/domain/plan_end.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

/* A VERIFIED transfer that has lowered a HIGH risk to LOW and runs out today; what was
 * left of the risk is accepted, and another plan waits for a decision. */
static Isms__V1__TreatmentPlan *begin(struct world *world)
{
	world_init(world);
	world->facts.principal = NULL;
	Isms__V1__TreatmentPlan *plan = world_plan(world, "plan", OPTION(TRANSFER), PLAN(VERIFIED));
	plan->lapses_at = world_time(world, 0);
	plan->content->target = world_score(world, 1, 1, LEVEL(LOW));
	plan->lowered = must_new_of(world->arena, Isms__V1__LoweredScore, isms__v1__lowered_score);
	plan->lowered->before = world_score(world, 4, 4, LEVEL(HIGH));
	plan->lowered->after = world_score(world, 1, 1, LEVEL(LOW));
	plan->lowered->scored_by = world_text(world, "scorer");
	plan->lowered->n_scored_by_persons = 1;
	plan->lowered->scored_by_persons = must(arena_array(world->arena, char *, 1));
	plan->lowered->scored_by_persons[0] = world_text(world, "p-scorer");
	world->risk->state = RISK(MONITORED);
	world->risk->current = world_score(world, 1, 1, LEVEL(LOW));
	world_set(world, "dossier_risk_of_plan", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_plan", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_plan", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_plan", &isms__v1__approval_request__descriptor);
	world_add(world, "dossier_risk_of_plan", &world->risk->base);
	world_add(world, "dossier_plans_of_plan", &plan->base);
	world_add(world, "dossier_plans_of_plan",
		  &world_plan(world, "behind", OPTION(ACCEPT), PLAN(APPROVED))->base);
	world_add(world, "dossier_plans_of_plan",
		  &world_plan(world, "waiting", OPTION(MITIGATE), PLAN(SUBMITTED))->base);
	world_add(world, "dossier_acceptances_of_plan",
		  &world_acceptance(world, "accepted", "behind", ACCEPTANCE(ACTIVE), 9)->base);
	world_add(world, "dossier_requests_of_plan",
		  &world_request(world, "request", SUBJECT(TREATMENT_PLAN), "waiting")->base);
	return plan;
}

static struct status lapse(struct world *world)
{
	Isms__Store__V1__ClockTick *tick =
		must_new_of(world->arena, Isms__Store__V1__ClockTick, isms__store__v1__clock_tick);
	tick->id = world_text(world, "plan");
	world->facts.request = &tick->base;
	return plan_end_lapse(&world->facts, &world->plan);
}

TEST(the_score_without_the_cover_comes_back_and_voids_what_was_decided)
{
	struct world world;
	begin(&world);
	struct status st = lapse(&world);
	CHECK(status_ok(&st));
	const Isms__V1__Risk *risk = WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->current->level, LEVEL(HIGH));
	CHECK_INT(risk->current->likelihood, 4);
	CHECK_INT(risk->state, RISK(ANALYSED));
	const Isms__Store__V1__RiskScore *row =
		WORLD_WROTE(&world, Isms__Store__V1__RiskScore, KIND_RISK_SCORE, 0);
	CHECK_INT(row->kind, SCORE(CURRENT));
	CHECK_INT(row->score->level, LEVEL(HIGH));
	CHECK_STR(row->scored_by, "scorer");
	CHECK_STR(row->scored_by_persons[0], "p-scorer");
	CHECK_STR(row->method_id, "method");
	CHECK_STR(row->rationale, "the cover of REF-plan has ended");
	const Isms__V1__Acceptance *accepted =
		WORLD_WROTE(&world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0);
	CHECK_INT(accepted->state, ACCEPTANCE(INVALIDATED));
	CHECK_STR(accepted->end_reason, "the current level rose from LOW to HIGH");
	CHECK_INT(WORLD_WROTE(&world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0)->state,
		  APPROVAL(STALE));
	world_done(&world);
}

TEST(a_score_that_was_changed_meanwhile_stays)
{
	struct world world;
	begin(&world);
	world.risk->current = world_score(&world, 2, 1, LEVEL(LOW));
	struct status st = lapse(&world);
	CHECK(status_ok(&st));
	CHECK(world_wrote(&world, KIND_RISK_SCORE, 0) == NULL);
	CHECK(world_wrote(&world, KIND_RISK_ACCEPTANCE, 0) == NULL);
	world_done(&world);
}

TEST(the_same_level_comes_back_without_a_material_change)
{
	struct world world;
	begin(&world)->lowered->before = world_score(&world, 2, 2, LEVEL(LOW));
	struct status st = lapse(&world);
	CHECK(status_ok(&st));
	CHECK_INT(WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0)->current->likelihood, 2);
	CHECK(world_wrote(&world, KIND_RISK_SCORE, 0) != NULL);
	CHECK(world_wrote(&world, KIND_RISK_ACCEPTANCE, 0) == NULL);
	/* what waits is found stale at its next vote: the content has changed */
	CHECK(world_wrote(&world, KIND_APPROVAL_REQUEST, 0) == NULL);
	world_done(&world);
}

TEST(a_renewal_that_is_given_up_gives_back_what_the_older_lowered)
{
	struct world world;
	Isms__V1__TreatmentPlan *plan = begin(&world);
	plan->state = PLAN(APPROVED);
	plan->lapses_at = world_time(&world, 9);
	world_caller(&world, "owner", "plan.cancel", "RISK_OWNER");
	Isms__V1__CancelPlanRequest *request = must_new_of(world.arena, Isms__V1__CancelPlanRequest,
							   isms__v1__cancel_plan_request);
	request->id = world_text(&world, "plan");
	request->reason = world_text(&world, "too dear");
	world.facts.request = &request->base;
	struct status st = plan_end_cancel(&world.facts, &world.plan);
	CHECK(status_ok(&st));
	CHECK_INT(WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0)->current->level, LEVEL(HIGH));
	world_done(&world);
}

TAP_MAIN
