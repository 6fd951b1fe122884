/* What ends when a risk changes under the decisions about it, and what the
 * register makes of requests. */
#include "server/domain/material_change.h"

#include "server/domain/acceptance.h"
#include "server/domain/risk.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

static void dossier_sets(struct world *world, const char *plans, const char *acceptances,
			 const char *requests)
{
	world_set(world, plans, &isms__v1__treatment_plan__descriptor);
	world_set(world, acceptances, &isms__v1__acceptance__descriptor);
	world_set(world, requests, &isms__v1__approval_request__descriptor);
}

/* An accepted risk whose renewal waits for a decision. */
static void fill(struct world *world, int64_t days)
{
	world_init(world);
	world->risk->state = RISK(MONITORED);
	dossier_sets(world, "dossier_plans_of_risk", "dossier_acceptances_of_risk",
		     "dossier_requests_of_risk");
	world_add(world, "dossier_plans_of_risk",
		  &world_plan(world, "old-plan", OPTION(ACCEPT), PLAN(APPROVED))->base);
	world_add(world, "dossier_plans_of_risk",
		  &world_plan(world, "new-plan", OPTION(ACCEPT), PLAN(SUBMITTED))->base);
	world_add(world, "dossier_acceptances_of_risk",
		  &world_acceptance(world, "old", "old-plan", ACCEPTANCE(ACTIVE), days)->base);
	world_add(world, "dossier_acceptances_of_risk",
		  &world_acceptance(world, "new", "new-plan", ACCEPTANCE(SUBMITTED), 30)->base);
	world_add(world, "dossier_requests_of_risk",
		  &world_request(world, "request", SUBJECT(ACCEPTANCE), "new")->base);
}

static void change(struct world *world)
{
	struct dossier dossier;
	struct status st = dossier_load(&dossier, &world->plan, &world->facts, world->risk, "risk");
	CHECK(status_ok(&st));
	CHECK(material_change_apply(&dossier, "the world turned"));
	dossier_settle(&dossier, DOSSIER_CONTENT);
}

static void check_ended(const struct world *world, Isms__V1__AcceptanceState ended)
{
	for (size_t i = 0; i < 2; i++) {
		const Isms__V1__Acceptance *row =
			WORLD_WROTE(world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, i);
		bool old = strcmp(row->meta->id, "old") == 0;
		CHECK_INT(row->state, old ? ended : ACCEPTANCE(DRAFT));
		CHECK_INT(row->ended_at != NULL, old);
		if (ended == ACCEPTANCE(INVALIDATED) && old)
			CHECK_STR(row->end_reason, "the world turned");
	}
	for (size_t i = 0; i < 2; i++) {
		const Isms__V1__TreatmentPlan *row =
			WORLD_WROTE(world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, i);
		CHECK_INT(row->state,
			  strcmp(row->meta->id, "old-plan") == 0 ? PLAN(CANCELLED) : PLAN(DRAFT));
	}
	const Isms__V1__ApprovalRequest *request =
		WORLD_WROTE(world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
	CHECK_INT(request->state, APPROVAL(STALE));
	CHECK_STR(request->close_reason, "the world turned");
	const Isms__V1__Risk *risk = WORLD_WROTE(world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(ANALYSED));
	CHECK_INT(risk->disposition, DISPOSITION(UNTREATED));
	CHECK(risk->accepted_until == NULL);
}

TEST(a_material_change_ends_what_is_open_and_in_force)
{
	struct world world;
	fill(&world, 30);
	change(&world);
	check_ended(&world, ACCEPTANCE(INVALIDATED));
	world_done(&world);
}

TEST(an_acceptance_that_has_run_out_is_recorded_as_expired)
{
	struct world world;
	fill(&world, -1);
	change(&world);
	check_ended(&world, ACCEPTANCE(EXPIRED));
	world_done(&world);
}

TEST(a_treatment_that_runs_keeps_the_risk_in_treatment)
{
	struct world world;
	fill(&world, 30);
	world_add(&world, "dossier_plans_of_risk",
		  &world_plan(&world, "running", OPTION(MITIGATE), PLAN(APPROVED))->base);
	change(&world);
	const Isms__V1__Risk *risk = WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0);
	CHECK_INT(risk->state, RISK(IN_TREATMENT));
	CHECK_INT(risk->disposition, DISPOSITION(MITIGATED));
	CHECK(world_wrote(&world, KIND_TREATMENT_PLAN, 2) == NULL);
	world_done(&world);
}

TEST(a_lapsed_transfer_treats_nothing)
{
	struct world world;
	world_init(&world);
	dossier_sets(&world, "dossier_plans_of_risk", "dossier_acceptances_of_risk",
		     "dossier_requests_of_risk");
	Isms__V1__TreatmentPlan *transfer =
		world_plan(&world, "transfer", OPTION(TRANSFER), PLAN(APPROVED));
	world_add(&world, "dossier_plans_of_risk", &transfer->base);
	struct dossier dossier;
	int64_t until;
	transfer->lapses_at = world_time(&world, 1);
	struct status st = dossier_load(&dossier, &world.plan, &world.facts, world.risk, "risk");
	CHECK(status_ok(&st));
	CHECK_INT(dossier_disposition(&dossier, &until), DISPOSITION(TRANSFERRED));
	transfer->lapses_at = world_time(&world, 0);
	CHECK_INT(dossier_disposition(&dossier, &until), DISPOSITION(UNTREATED));
	CHECK_INT(dossier_state(&dossier), RISK(ANALYSED));
	CHECK(!material_change_apply(&dossier, "nothing is open"));
	world_done(&world);
}

TEST(dispositions_come_in_their_order)
{
	static const struct {
		Isms__V1__TreatmentOption options[3];
		bool accepted;
		Isms__V1__Disposition want;
	} rows[] = {
		{ { OPTION(MITIGATE), OPTION(TRANSFER), OPTION(AVOID) },
		  true,
		  DISPOSITION(AVOIDED) },
		{ { OPTION(MITIGATE), OPTION(TRANSFER) }, true, DISPOSITION(ACCEPTED) },
		{ { OPTION(MITIGATE), OPTION(TRANSFER) }, false, DISPOSITION(TRANSFERRED) },
		{ { OPTION(MITIGATE) }, false, DISPOSITION(MITIGATED) },
		{ { OPTION(ACCEPT) }, false, DISPOSITION(UNTREATED) },
		{ { OPTION(UNSPECIFIED) }, true, DISPOSITION(ACCEPTED) },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		world_init(&world);
		dossier_sets(&world, "dossier_plans_of_risk", "dossier_acceptances_of_risk",
			     "dossier_requests_of_risk");
		for (size_t j = 0; j < 3 && rows[i].options[j] != 0; j++) {
			Isms__V1__TreatmentPlan *plan =
				world_plan(&world, "plan", rows[i].options[j], PLAN(IMPLEMENTED));
			plan->lapses_at = world_time(&world, 9);
			world_add(&world, "dossier_plans_of_risk", &plan->base);
		}
		if (rows[i].accepted) {
			world_add(&world, "dossier_plans_of_risk",
				  &world_plan(&world, "p", OPTION(ACCEPT), PLAN(APPROVED))->base);
			world_add(&world, "dossier_acceptances_of_risk",
				  &world_acceptance(&world, "a", "p", ACCEPTANCE(ACTIVE), 9)->base);
		}
		struct dossier dossier;
		int64_t until;
		struct status st =
			dossier_load(&dossier, &world.plan, &world.facts, world.risk, "risk");
		CHECK(status_ok(&st));
		CHECK_INT(dossier_disposition(&dossier, &until), rows[i].want);
		CHECK_INT(until, rows[i].accepted ? WORLD_NOW_US + 9 * WORLD_DAY_US : 0);
		world_done(&world);
	}
}

/* --- sets that were read at different moments ------------------------------- */

static void torn(struct world *world)
{
	struct dossier dossier;
	struct status st = dossier_load(&dossier, &world->plan, &world->facts, world->risk, "risk");
	CHECK_INT(st.code, STATUS_CODE_ABORTED);
	CHECK_STR(st.reason, "SERIALIZATION_FAILURE");
	CHECK_INT(world->plan.n_rows, 0);
	world_done(world);
}

static void nothing_yet(struct world *world)
{
	world_init(world);
	dossier_sets(world, "dossier_plans_of_risk", "dossier_acceptances_of_risk",
		     "dossier_requests_of_risk");
}

TEST(what_was_submitted_between_two_statements_is_read_again)
{
	struct world world;
	/* the plans were read when this acceptance was a draft */
	nothing_yet(&world);
	world_add(&world, "dossier_acceptances_of_risk",
		  &world_acceptance(&world, "new", "plan", ACCEPTANCE(SUBMITTED), 30)->base);
	torn(&world);
	/* the plans, or the acceptances, before the request */
	nothing_yet(&world);
	world_add(&world, "dossier_requests_of_risk",
		  &world_request(&world, "request", SUBJECT(TREATMENT_PLAN), "plan")->base);
	torn(&world);
	nothing_yet(&world);
	world_add(&world, "dossier_plans_of_risk",
		  &world_plan(&world, "plan", OPTION(ACCEPT), PLAN(SUBMITTED))->base);
	world_add(&world, "dossier_requests_of_risk",
		  &world_request(&world, "request", SUBJECT(ACCEPTANCE), "new")->base);
	torn(&world);
}

/* --- an asset with several risks -------------------------------------------- */

/* n accepted risks of an asset; the statements know no common order. */
static void fill_asset(struct world *world, size_t n)
{
	world_init(world);
	world_set(world, "dossier_risk_of_asset", &isms__v1__risk__descriptor);
	dossier_sets(world, "dossier_plans_of_asset", "dossier_acceptances_of_asset",
		     "dossier_requests_of_asset");
	for (size_t i = 0; i < 3; i++) {
		struct fact_set *set = &world->facts.sets[i];
		set->n = n;
		set->rows = must(arena_array(world->arena, ProtobufCMessage *, n));
	}
	for (size_t i = 0; i < n; i++) {
		Isms__V1__Risk *risk = (void *)must(pb_copy(&world->risk->base, world->arena));
		char *plan_id = must(arena_printf(world->arena, "plan-%04zu", i));
		char *id = must(arena_printf(world->arena, "acceptance-%04zu", i));
		risk->meta = world_meta(world, must(arena_printf(world->arena, "r-%04zu", i)), 4);
		Isms__V1__TreatmentPlan *plan =
			world_plan(world, plan_id, OPTION(ACCEPT), PLAN(APPROVED));
		Isms__V1__Acceptance *acceptance =
			world_acceptance(world, id, plan_id, ACCEPTANCE(ACTIVE), 9);
		plan->risk_id = acceptance->risk_id = risk->meta->id;
		world->facts.sets[0].rows[i] = &risk->base;
		world->facts.sets[1].rows[n - 1 - i] = &plan->base;
		world->facts.sets[2].rows[(i + n / 2) % n] = &acceptance->base;
	}
}

static void changes_all(size_t n)
{
	struct world world;
	fill_asset(&world, n);
	struct status st = material_change_of("asset", &world.facts, &world.plan, "reclassified");
	CHECK(status_ok(&st));
	CHECK_INT(world.plan.n_rows, 3 * n);
	CHECK(world.plan.ends_all);
	for (size_t i = 0; i < world.plan.n_rows; i += 3) {
		const struct plan_row *rows = &world.plan.rows[i];
		const Isms__V1__Risk *risk = (const void *)rows[0].after;
		const Isms__V1__TreatmentPlan *plan = (const void *)rows[1].after;
		const Isms__V1__Acceptance *acceptance = (const void *)rows[2].after;
		CHECK_INT(risk->state, RISK(ANALYSED));
		CHECK_STR(plan->risk_id, risk->meta->id);
		CHECK_STR(acceptance->risk_id, risk->meta->id);
		CHECK_INT(acceptance->state, ACCEPTANCE(INVALIDATED));
	}
	world_done(&world);
}

TEST(an_asset_changes_each_of_its_risks_by_itself)
{
	changes_all(2);
}

TEST(as_many_risks_change_as_one_commit_can_write)
{
	changes_all(MATERIAL_RISKS_MAX);
}

TEST(more_than_that_are_refused_with_what_to_do)
{
	struct world world;
	fill_asset(&world, MATERIAL_RISKS_MAX + 1);
	struct status st = material_change_of("asset", &world.facts, &world.plan, "reclassified");
	CHECK_STR(st.reason, "TOO_MANY_AFFECTED");
	CHECK(strstr(st.message, "more than 1000 risks") != NULL);
	CHECK(strstr(st.message, "revoke or withdraw some") != NULL);
	CHECK_INT(world.plan.n_rows, 0);
	world_done(&world);
}

/* --- revoking --------------------------------------------------------------- */

static void revoke_in(Isms__V1__AcceptanceState state, int64_t days, bool ok)
{
	struct world world;
	world_init(&world);
	world.risk->state = RISK(MONITORED);
	world_set(&world, "dossier_risk_of_acceptance", &isms__v1__risk__descriptor);
	dossier_sets(&world, "dossier_plans_of_acceptance", "dossier_acceptances_of_acceptance",
		     "dossier_requests_of_acceptance");
	world_add(&world, "dossier_risk_of_acceptance", &world.risk->base);
	world_add(&world, "dossier_plans_of_acceptance",
		  &world_plan(&world, "plan", OPTION(ACCEPT), state_of_accept_plan(state))->base);
	world_add(&world, "dossier_acceptances_of_acceptance",
		  &world_acceptance(&world, "acceptance", "plan", state, days)->base);
	world_caller(&world, "owner", "acceptance.revoke.own", "RISK_OWNER");
	Isms__V1__RevokeAcceptanceRequest *request =
		must_new_of(world.arena, Isms__V1__RevokeAcceptanceRequest,
			    isms__v1__revoke_acceptance_request);
	request->id = world_text(&world, "acceptance");
	request->reason = world_text(&world, "no longer bearable");
	world.facts.request = &request->base;
	struct status st = acceptance_revoke(&world.facts, &world.plan);
	CHECK_INT(status_ok(&st), ok);
	if (!ok) {
		CHECK_STR(st.reason, "ILLEGAL_STATE");
		CHECK_INT(world.plan.n_rows, 0);
	} else {
		const Isms__V1__Acceptance *row =
			WORLD_WROTE(&world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0);
		CHECK_INT(row->state, ACCEPTANCE(REVOKED));
		CHECK_STR(row->ended_by, "owner");
		CHECK(!row->effective);
		CHECK_INT(WORLD_WROTE(&world, Isms__V1__Risk, KIND_RISK, 0)->state, RISK(ANALYSED));
	}
	world_done(&world);
}

TEST(only_an_acceptance_in_force_is_revoked)
{
	for (int state = ACCEPTANCE(DRAFT); state <= ACCEPTANCE(SUPERSEDED); state++) {
		revoke_in((Isms__V1__AcceptanceState)state, 9, state == ACCEPTANCE(ACTIVE));
		revoke_in((Isms__V1__AcceptanceState)state, -1, false);
	}
}

TAP_MAIN
