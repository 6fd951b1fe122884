/* What the clock records about an acceptance, and when it records nothing. */
#include "server/domain/acceptance_term.h"

#include "isms/store/v1/clock.pb-c.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

struct term {
	struct world world;
	Isms__Store__V1__ClockTick *tick;
	Isms__V1__Acceptance *acceptance;
};

/* An acceptance whose time ends so many days from now; nobody is calling. */
static void term_begin(struct term *term, Isms__V1__AcceptanceState state, int64_t days)
{
	struct world *world = &term->world;
	world_init(world);
	term->tick =
		must_new_of(world->arena, Isms__Store__V1__ClockTick, isms__store__v1__clock_tick);
	term->tick->id = world_text(world, "acceptance");
	world->facts.request = &term->tick->base;
	world->risk->state = RISK(MONITORED);
	term->acceptance = world_acceptance(world, "acceptance", "plan", state, days);
	world_set(world, "dossier_risk_of_acceptance", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_acceptance", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_acceptance", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_acceptance", &isms__v1__approval_request__descriptor);
	world_add(world, "dossier_risk_of_acceptance", &world->risk->base);
	world_add(world, "dossier_plans_of_acceptance",
		  &world_plan(world, "plan", OPTION(ACCEPT), state_of_accept_plan(state))->base);
	world_add(world, "dossier_acceptances_of_acceptance", &term->acceptance->base);
}

static void not_due(struct term *term)
{
	struct status st = acceptance_expire(&term->world.facts, &term->world.plan);
	CHECK_INT(st.code, STATUS_CODE_FAILED_PRECONDITION);
	CHECK_STR(st.reason, "NOT_DUE");
	CHECK_INT(term->world.plan.n_rows, 0);
	world_done(&term->world);
}

TEST(an_acceptance_that_has_run_out_is_expired_by_nobody)
{
	struct term term;
	term_begin(&term, ACCEPTANCE(ACTIVE), 0);
	struct status st = acceptance_expire(&term.world.facts, &term.world.plan);
	CHECK(status_ok(&st));
	const Isms__V1__Acceptance *row =
		WORLD_WROTE(&term.world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0);
	CHECK_INT(row->state, ACCEPTANCE(EXPIRED));
	CHECK(!row->effective);
	CHECK_INT(row->meta->version, 4);
	CHECK_STR(row->meta->updated_by, "");
	CHECK_STR(row->ended_by, "");
	CHECK_INT(pb_time_us(row->ended_at), WORLD_NOW_US);
	const Isms__V1__TreatmentPlan *plan =
		WORLD_WROTE(&term.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0);
	CHECK_INT(plan->state, PLAN(CANCELLED));
	const Isms__V1__Risk *risk = WORLD_WROTE(&term.world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(ANALYSED));
	CHECK_INT(risk->disposition, DISPOSITION(UNTREATED));
	CHECK(risk->accepted_until == NULL);
	CHECK_INT(term.world.plan.subject_kind, KIND_RISK_ACCEPTANCE);
	CHECK_STR(term.world.plan.subject_id, "acceptance");
	world_done(&term.world);
}

TEST(a_risk_that_is_treated_otherwise_stays_where_it_is)
{
	struct term term;
	term_begin(&term, ACCEPTANCE(ACTIVE), -1);
	term.world.risk->state = RISK(IN_TREATMENT);
	world_add(&term.world, "dossier_plans_of_acceptance",
		  &world_plan(&term.world, "other", OPTION(MITIGATE), PLAN(IN_PROGRESS))->base);
	struct status st = acceptance_expire(&term.world.facts, &term.world.plan);
	CHECK(status_ok(&st));
	CHECK(world_wrote(&term.world, KIND_RISK, 0) == NULL);
	CHECK(world_wrote(&term.world, KIND_RISK_ACCEPTANCE, 0) != NULL);
	world_done(&term.world);
}

TEST(a_request_that_waits_is_carried_over)
{
	struct term term;
	term_begin(&term, ACCEPTANCE(ACTIVE), -1);
	world_add(&term.world, "dossier_plans_of_acceptance",
		  &world_plan(&term.world, "next", OPTION(MITIGATE), PLAN(SUBMITTED))->base);
	world_add(&term.world, "dossier_requests_of_acceptance",
		  &world_request(&term.world, "request", SUBJECT(TREATMENT_PLAN), "next")->base);
	struct status st = acceptance_expire(&term.world.facts, &term.world.plan);
	CHECK(status_ok(&st));
	const Isms__V1__Risk *risk = WORLD_WROTE(&term.world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(TREATMENT_PENDING));
	const Isms__V1__ApprovalRequest *request =
		WORLD_WROTE(&term.world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
	CHECK_INT(request->risk_version, risk->meta->version);
	CHECK_INT(request->state, APPROVAL(PENDING));
	world_done(&term.world);
}

TEST(nothing_is_recorded_before_the_time_or_twice)
{
	static const Isms__V1__AcceptanceState over[] = {
		ACCEPTANCE(DRAFT),   ACCEPTANCE(SUBMITTED),   ACCEPTANCE(EXPIRED),
		ACCEPTANCE(REVOKED), ACCEPTANCE(INVALIDATED), ACCEPTANCE(SUPERSEDED),
	};
	struct term term;
	term_begin(&term, ACCEPTANCE(ACTIVE), 1);
	not_due(&term);
	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
		term_begin(&term, over[i], -1);
		not_due(&term);
	}
}

TEST(an_acceptance_that_is_not_there_is_not_due)
{
	struct term term;
	term_begin(&term, ACCEPTANCE(ACTIVE), -1);
	term.tick->id = world_text(&term.world, "another");
	not_due(&term);
	term_begin(&term, ACCEPTANCE(ACTIVE), -1);
	term.world.facts.sets[0].n = 0;
	not_due(&term);
}

TAP_MAIN
