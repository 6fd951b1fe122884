/* Plans that are carried out: every action in every state, and what is asked of it. */
#include "server/domain/plan_progress.h"

#include "isms/v1/scope.pb-c.h"
#include "server/domain/plan_end.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

#define ACTION(name) ISMS__V1__ACTION_STATE__ACTION_STATE_##name

enum { PLAN_STATES = PLAN(SUPERSEDED) + 1, ACTION_STATES = ACTION(DROPPED) + 1, ACTIONS = 2 };

/* A MITIGATE plan with two actions of "worker", on a HIGH risk. */
static Isms__V1__TreatmentPlan *begin(struct world *world, Isms__V1__PlanState state)
{
	world_init(world);
	world_caller(world, "worker", "plan.read", "CONTRIBUTOR");
	Isms__V1__TreatmentPlan *plan = world_plan(world, "plan", OPTION(MITIGATE), state);
	Isms__V1__PlanFields *content = plan->content;
	content->target = world_score(world, 1, 1, LEVEL(LOW));
	content->n_actions = ACTIONS;
	content->actions = must(arena_array(world->arena, Isms__V1__TreatmentAction *, ACTIONS));
	for (size_t i = 0; i < ACTIONS; i++) {
		content->actions[i] = must_new_of(world->arena, Isms__V1__TreatmentAction,
						  isms__v1__treatment_action);
		content->actions[i]->assignee_id = world_text(world, "worker");
		content->actions[i]->due_at = world_time(world, 10);
	}
	world_set(world, "treatment_plan_for_write", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_risk_of_plan", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_plan", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_plan", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_plan", &isms__v1__approval_request__descriptor);
	world_set(world, "plan_system_for_write", &isms__v1__ai_system__descriptor);
	world_add(world, "treatment_plan_for_write", &plan->base);
	world_add(world, "dossier_risk_of_plan", &world->risk->base);
	world_add(world, "dossier_plans_of_plan", &plan->base);
	return plan;
}

static Isms__V1__UpdateActionRequest *ask(struct world *world, int32_t no,
					  Isms__V1__ActionState state)
{
	Isms__V1__UpdateActionRequest *request = must_new_of(
		world->arena, Isms__V1__UpdateActionRequest, isms__v1__update_action_request);
	request->id = world_text(world, "plan");
	request->action_no = no;
	request->state = state;
	world->facts.request = &request->base;
	return request;
}

static const Isms__V1__TreatmentPlan *written(const struct world *world)
{
	return WORLD_WROTE(world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0);
}

TEST(an_action_moves_only_while_its_plan_runs)
{
	for (int state = 1; state < PLAN_STATES; state++)
		for (int to = 1; to < ACTION_STATES; to++) {
			struct world world;
			begin(&world, (Isms__V1__PlanState)state);
			ask(&world, 2, (Isms__V1__ActionState)to)->note =
				world_text(&world, "so it is");
			struct status st = plan_progress_update_action(&world.facts, &world.plan);
			bool runs = state == PLAN(APPROVED) || state == PLAN(IN_PROGRESS);
			CHECK_INT(status_ok(&st), runs);
			if (runs) {
				const Isms__V1__TreatmentPlan *row = written(&world);
				CHECK_INT(row->state, PLAN(IN_PROGRESS));
				CHECK_INT(row->progress->n_actions, ACTIONS);
				CHECK_INT(row->progress->actions[1]->state, to);
				CHECK_INT(row->progress->actions[0]->state,
					  ISMS__V1__ACTION_STATE__ACTION_STATE_TODO);
				CHECK_INT(row->progress->actions[1]->done_at != NULL,
					  to == ACTION(DONE));
			} else {
				CHECK_STR(st.reason, "ILLEGAL_STATE");
				CHECK_INT(world.plan.n_rows, 0);
			}
			world_done(&world);
		}
}

TEST(what_is_put_off_or_stops_says_why)
{
	for (int days = 9; days <= 11; days++)
		for (int to = 1; to < ACTION_STATES; to++)
			for (int said = 0; said < 4; said++) {
				struct world world;
				begin(&world, PLAN(APPROVED));
				Isms__V1__UpdateActionRequest *request =
					ask(&world, 1, (Isms__V1__ActionState)to);
				request->due_at = world_time(&world, days);
				request->slip_reason = world_text(&world, said & 1 ? "ill" : " ");
				request->note = world_text(&world, said & 2 ? "no time" : "");
				bool stops = to == ACTION(BLOCKED) || to == ACTION(DROPPED);
				bool may = (days <= 10 || said & 1) && (!stops || said & 2);
				struct status st =
					plan_progress_update_action(&world.facts, &world.plan);
				CHECK_INT(status_ok(&st), may);
				if (may)
					CHECK_INT(written(&world)->progress->actions[0]->slips,
						  days > 10);
				else
					CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
				world_done(&world);
			}
}

TEST(only_the_assignee_moves_an_action_without_a_right)
{
	static const char *const callers[] = { "worker", "other", "owner" };
	static const char *const rights[] = { "plan.read", "plan.write", "plan.write.own" };
	for (size_t caller = 0; caller < 3; caller++)
		for (size_t right = 0; right < 3; right++) {
			struct world world;
			begin(&world, PLAN(APPROVED));
			world_caller(&world, callers[caller], rights[right], "ROLE");
			ask(&world, 1, ACTION(DOING));
			bool may = caller == 0 || right == 1 || (caller == 2 && right == 2);
			struct status st = plan_progress_update_action(&world.facts, &world.plan);
			CHECK_INT(st.code, may ? STATUS_CODE_OK : STATUS_CODE_PERMISSION_DENIED);
			world_done(&world);
		}
}

/* Implements a plan whose two actions stand so. */
static struct status implement(struct world *world, int first, int second)
{
	Isms__V1__TreatmentPlan *plan = begin(world, PLAN(IN_PROGRESS));
	int states[ACTIONS] = { first, second };
	plan->progress = must_new_of(world->arena, Isms__V1__PlanProgress, isms__v1__plan_progress);
	plan->progress->n_actions = ACTIONS;
	plan->progress->actions =
		must(arena_array(world->arena, Isms__V1__ActionProgress *, ACTIONS));
	for (size_t i = 0; i < ACTIONS; i++) {
		plan->progress->actions[i] = must_new_of(world->arena, Isms__V1__ActionProgress,
							 isms__v1__action_progress);
		plan->progress->actions[i]->state = (Isms__V1__ActionState)states[i];
	}
	Isms__V1__ImplementPlanRequest *request = must_new_of(
		world->arena, Isms__V1__ImplementPlanRequest, isms__v1__implement_plan_request);
	request->id = world_text(world, "plan");
	world->facts.request = &request->base;
	return plan_progress_implement(&world->facts, &world->plan);
}

TEST(a_mitigation_is_done_when_nothing_is_left_and_something_was_done)
{
	for (int first = 1; first < ACTION_STATES; first++)
		for (int second = 1; second < ACTION_STATES; second++) {
			struct world world;
			struct status st = implement(&world, first, second);
			bool over = (first == ACTION(DONE) || first == ACTION(DROPPED)) &&
				    (second == ACTION(DONE) || second == ACTION(DROPPED));
			bool may = over && (first == ACTION(DONE) || second == ACTION(DONE));
			CHECK_INT(status_ok(&st), may);
			if (may) {
				CHECK_INT(written(&world)->state, PLAN(IMPLEMENTED));
				CHECK_INT(WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0)->state,
					  RISK(MONITORED));
			} else {
				CHECK_STR(st.reason, "ACTIONS_OPEN");
			}
			world_done(&world);
		}
}

TEST(a_plan_is_given_up_only_before_it_is_implemented)
{
	for (int state = 1; state < PLAN_STATES; state++) {
		struct world world;
		begin(&world, (Isms__V1__PlanState)state);
		world.risk->state = RISK(IN_TREATMENT);
		world.risk->target = world_score(&world, 1, 1, LEVEL(LOW));
		Isms__V1__CancelPlanRequest *request = must_new_of(
			world.arena, Isms__V1__CancelPlanRequest, isms__v1__cancel_plan_request);
		request->id = world_text(&world, "plan");
		request->reason = world_text(&world, "too dear");
		world.facts.request = &request->base;
		struct status st = plan_end_cancel(&world.facts, &world.plan);
		bool may = state == PLAN(APPROVED) || state == PLAN(IN_PROGRESS);
		CHECK_INT(status_ok(&st), may);
		if (may) {
			const Isms__V1__Risk *risk =
				WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0);
			CHECK_INT(written(&world)->state, PLAN(CANCELLED));
			CHECK_STR(written(&world)->end_reason, "too dear");
			CHECK_INT(risk->state, RISK(ANALYSED));
			CHECK_INT(risk->target->level, LEVEL(UNSPECIFIED));
			CHECK_INT(risk->disposition, DISPOSITION(UNTREATED));
		}
		world_done(&world);
	}
}

TAP_MAIN
