/* Submitting: what is complete, who is asked, and what is frozen. */
#include "server/domain/approval.h"

#include "common/digest.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/acceptance.h"
#include "server/domain/treatment_plan.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

struct desk {
	struct world world;
	Isms__V1__TreatmentPlan *plan;
	Isms__V1__Acceptance *acceptance;
	Isms__V1__ApprovalPolicy *policy;
};

static Isms__V1__RiskMethod *method_new(struct world *world)
{
	static const int32_t days[] = { 365, 180, 90, 30 };
	Isms__V1__RiskMethod *method =
		must_new_of(world->arena, Isms__V1__RiskMethod, isms__v1__risk_method);
	Isms__V1__RiskCriteria *criteria =
		must_new_of(world->arena, Isms__V1__RiskCriteria, isms__v1__risk_criteria);
	method->meta = world_meta(world, "method", 1);
	method->active = true;
	method->criteria = criteria;
	criteria->n_likelihood = criteria->n_impact = 3;
	criteria->likelihood = must(arena_array(world->arena, Isms__V1__ScaleStep *, 3));
	criteria->impact = must(arena_array(world->arena, Isms__V1__ScaleStep *, 3));
	for (int i = 0; i < 3; i++)
		criteria->likelihood[i] = criteria->impact[i] =
			must_new_of(world->arena, Isms__V1__ScaleStep, isms__v1__scale_step);
	criteria->n_matrix = 9;
	criteria->matrix = must(arena_array(world->arena, Isms__V1__RiskLevel, 9));
	for (int i = 0; i < 9; i++)
		criteria->matrix[i] = (Isms__V1__RiskLevel)(1 + i / 3 + i % 3 / 2);
	criteria->n_levels = 4;
	criteria->levels = must(arena_array(world->arena, Isms__V1__LevelRule *, 4));
	for (int i = 0; i < 4; i++) {
		criteria->levels[i] =
			must_new_of(world->arena, Isms__V1__LevelRule, isms__v1__level_rule);
		criteria->levels[i]->level = (Isms__V1__RiskLevel)(i + 1);
		criteria->levels[i]->max_accept_days = days[i];
	}
	return method;
}

static void candidate(struct desk *desk, const char *user, const char *role,
		      Isms__V1__RiskLevel level)
{
	Isms__Store__V1__Candidate *row = must_new_of(desk->world.arena, Isms__Store__V1__Candidate,
						      isms__store__v1__candidate);
	row->user_id = world_text(&desk->world, user);
	row->person_id = must(arena_printf(desk->world.arena, "p-%s", user));
	row->display_name = row->user_id;
	row->role_code = world_text(&desk->world, role[0] == '\0' ? "RISK_OWNER" : role);
	row->owner = strcmp(user, "owner") == 0;
	row->may_decide = true;
	row->granted_at = world_time(&desk->world, -100);
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->max_accept_level = level;
	world_add(&desk->world,
		  desk->acceptance == NULL ? "candidates_for_plan" : "candidates_for_acceptance",
		  &row->base);
}

static void contributor(struct desk *desk, const char *person)
{
	Isms__Store__V1__Found *row =
		must_new_of(desk->world.arena, Isms__Store__V1__Found, isms__store__v1__found);
	row->id = world_text(&desk->world, person);
	world_add(&desk->world,
		  desk->acceptance == NULL ? "contributors_of_plan" : "contributors_of_acceptance",
		  &row->base);
}

static const char *name(struct desk *desk, const char *format, const char *of)
{
	return must(arena_printf(desk->world.arena, format[0] == 'd' ? "dossier_%s_of_%s" : "%s%s",
				 format + 1, of));
}

static void desk_sets(struct desk *desk, const char *of)
{
	struct world *world = &desk->world;
	world_set(world, name(desk, "drisk", of), &isms__v1__risk__descriptor);
	world_set(world, name(desk, "dplans", of), &isms__v1__treatment_plan__descriptor);
	world_set(world, name(desk, "dacceptances", of), &isms__v1__acceptance__descriptor);
	world_set(world, name(desk, "drequests", of), &isms__v1__approval_request__descriptor);
	world_set(world, "method_for_write", &isms__v1__risk_method__descriptor);
	world_set(world, name(desk, " policy_for_", of), &isms__v1__approval_policy__descriptor);
	world_set(world, name(desk, " candidates_for_", of),
		  &isms__store__v1__candidate__descriptor);
	world_set(world, name(desk, " contributors_of_", of), &isms__store__v1__found__descriptor);
	world_set(world, "approval_next_ref", &isms__store__v1__next_ref__descriptor);
	world_set(world, "controls_of_acceptance", &isms__v1__control__descriptor);
	world_set(world, "plan_system", &isms__store__v1__found__descriptor);
	world_set(world, "plan_system_below", &isms__store__v1__found__descriptor);
	world_set(world, "plan_assignees", &isms__store__v1__found__descriptor);
	world_add(world, name(desk, "drisk", of), &world->risk->base);
	world_add(world, name(desk, "dplans", of), &desk->plan->base);
	world_add(world, "method_for_write", &method_new(world)->base);
	world_add(world, "approval_next_ref", &world_ref(world, "APR-000001")->base);
	desk->policy =
		must_new_of(world->arena, Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	desk->policy->meta = world_meta(world, "policy", 1);
	desk->policy->no = 1;
	desk->policy->steps =
		must_new_of(world->arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
	desk->policy->steps->steps = must(arena_array(world->arena, Isms__V1__PolicyStep *, 9));
	world_add(world, name(desk, " policy_for_", of), &desk->policy->base);
}

/* A whole mitigation on a HIGH risk, ready to be submitted by the asker; no
 * policy step and nobody to ask yet. */
static void desk_plan(struct desk *desk)
{
	memset(desk, 0, sizeof(*desk));
	struct world *world = &desk->world;
	world_init(world);
	world->risk->state = RISK(ANALYSED);
	desk->plan = world_plan(world, "plan", OPTION(MITIGATE), PLAN(DRAFT));
	Isms__V1__PlanFields *content = desk->plan->content;
	content->target = world_score(world, 1, 1, LEVEL(LOW));
	content->actions = must(arena_array(world->arena, Isms__V1__TreatmentAction *, 1));
	content->actions[0] =
		must_new_of(world->arena, Isms__V1__TreatmentAction, isms__v1__treatment_action);
	content->n_actions = 1;
	desk_sets(desk, "plan");
	world_caller(world, "asker", "plan.submit", "CONTRIBUTOR");
	Isms__V1__SubmitPlanRequest *request = must_new_of(
		world->arena, Isms__V1__SubmitPlanRequest, isms__v1__submit_plan_request);
	request->id = desk->plan->meta->id;
	world->facts.request = &request->base;
}

static void desk_acceptance(struct desk *desk, int64_t days)
{
	memset(desk, 0, sizeof(*desk));
	struct world *world = &desk->world;
	world_init(world);
	world->risk->state = RISK(ANALYSED);
	desk->plan = world_plan(world, "plan", OPTION(ACCEPT), PLAN(DRAFT));
	desk->acceptance = world_acceptance(world, "acceptance", "plan", ACCEPTANCE(DRAFT), days);
	desk_sets(desk, "acceptance");
	world_add(world, "dossier_acceptances_of_acceptance", &desk->acceptance->base);
	world_caller(world, "asker", "acceptance.submit", "CONTRIBUTOR");
	Isms__V1__SubmitAcceptanceRequest *request =
		must_new_of(world->arena, Isms__V1__SubmitAcceptanceRequest,
			    isms__v1__submit_acceptance_request);
	request->id = desk->acceptance->meta->id;
	world->facts.request = &request->base;
	world_step(world, desk->policy->steps, STEP(ANY), 0, NULL, false);
	candidate(desk, "owner", "", LEVEL(CRITICAL));
}

static struct status submit(struct desk *desk)
{
	return desk->acceptance == NULL
		       ? treatment_plan_submit(&desk->world.facts, &desk->world.plan)
		       : acceptance_submit(&desk->world.facts, &desk->world.plan);
}

static struct status refused(struct desk *desk, const char *reason)
{
	struct status st = submit(desk);
	CHECK_INT(st.code, STATUS_CODE_FAILED_PRECONDITION);
	CHECK_STR(st.reason, reason);
	CHECK_INT(desk->world.plan.n_rows, 0);
	return st;
}

static void no_approver_on(struct desk *desk, const char *step)
{
	struct status st = refused(desk, "NO_ELIGIBLE_APPROVER");
	CHECK_STR(st.details->pairs[0].key, "step");
	CHECK_STR(st.details->pairs[0].value, step);
}

static size_t count_assignees(const struct world *world)
{
	size_t n = 0;
	while (world_wrote(world, KIND_APPROVAL_ASSIGNEE, n) != NULL)
		n++;
	return n;
}

TEST(a_submitted_plan_is_frozen_as_it_will_be_stored)
{
	struct desk desk;
	desk_plan(&desk);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, NULL, false);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, "ISMS_MANAGER", true);
	candidate(&desk, "owner", "", LEVEL(CRITICAL));
	candidate(&desk, "owner", "RISK_OWNER", LEVEL(CRITICAL));
	candidate(&desk, "bob", "ISMS_MANAGER", LEVEL(HIGH));
	contributor(&desk, "p-author");
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	const Isms__V1__ApprovalRequest *request =
		WORLD_WROTE(&desk.world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0);
	const Isms__Store__V1__Snapshot *row =
		WORLD_WROTE(&desk.world, Isms__Store__V1__Snapshot, KIND_APPROVAL_SNAPSHOT, 0);
	const Isms__V1__Risk *risk = WORLD_WROTE(&desk.world, Isms__V1__Risk, KIND_RISK, 0);
	const Isms__V1__TreatmentPlan *plan =
		WORLD_WROTE(&desk.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0);
	CHECK_INT(risk->state, RISK(TREATMENT_PENDING));
	CHECK_INT(plan->state, PLAN(SUBMITTED));
	CHECK_STR(plan->approval_request_id, request->meta->id);
	CHECK_INT(request->subject_version, plan->meta->version);
	CHECK_INT(request->risk_version, risk->meta->version);
	CHECK_INT(count_assignees(&desk.world), 2);

	static const char domain[] = "isms/decision/v1";
	const struct digest_piece pieces[] = { { domain, sizeof(domain) },
					       { row->snapshot.data, row->snapshot.len } };
	uint8_t digest[DIGEST_BYTES];
	CHECK(digest_sha256(digest, pieces, 2));
	CHECK(memcmp(digest, request->snapshot_sha256.data, DIGEST_BYTES) == 0);
	const Isms__V1__DecisionSnapshot *snapshot =
		(const void *)pb_unpack(&isms__v1__decision_snapshot__descriptor,
					row->snapshot.data, row->snapshot.len, desk.world.arena);
	CHECK_INT(snapshot->subject_version, 4);
	CHECK_INT(snapshot->risk_version, 8);
	CHECK_STR(snapshot->requested_by_person, "p-asker");
	CHECK_INT(snapshot->n_contributor_persons, 1);
	const Isms__V1__TreatmentPlan *frozen = (const void *)pb_unpack(
		&isms__v1__treatment_plan__descriptor, snapshot->subject.data,
		snapshot->subject.len, desk.world.arena);
	CHECK_INT(frozen->meta->version, 4);
	CHECK_INT(frozen->state, PLAN(SUBMITTED));
	world_done(&desk.world);
}

TEST(a_plan_without_its_parts_is_not_submitted)
{
	struct desk desk;
	desk_plan(&desk);
	desk.plan->content->n_actions = 0;
	desk.plan->content->target = world_score(&desk.world, 3, 3, LEVEL(HIGH));
	desk.plan->content->rationale = world_text(&desk.world, " ");
	struct status st = refused(&desk, "PLAN_INCOMPLETE");
	CHECK_INT(st.details->n_violations, 3);
	desk.plan->option = OPTION(TRANSFER);
	CHECK_INT(refused(&desk, "PLAN_INCOMPLETE").details->n_violations, 2);
	desk.plan->option = OPTION(AVOID);
	CHECK_INT(refused(&desk, "PLAN_INCOMPLETE").details->n_violations, 2);
	world_done(&desk.world);
}

TEST(a_transfer_must_not_have_lapsed)
{
	struct desk desk;
	desk_plan(&desk);
	desk.plan->option = OPTION(TRANSFER);
	desk.plan->content->transfer = must_new_of(desk.world.arena, Isms__V1__TreatmentTransfer,
						   isms__v1__treatment_transfer);
	desk.plan->content->transfer->valid_until = world_time(&desk.world, 0);
	CHECK_STR(refused(&desk, "PLAN_INCOMPLETE").details->violations[0].field,
		  "content.transfer.valid_until");
	world_done(&desk.world);
}

/* A set with something in it. */
static void found(struct world *world, const char *set)
{
	Isms__Store__V1__Found *row =
		must_new_of(world->arena, Isms__Store__V1__Found, isms__store__v1__found);
	row->id = world_text(world, "system");
	world_add(world, set, &row->base);
}

TEST(a_system_is_avoided_only_where_the_risk_is)
{
	for (int seen = 0; seen < 2; seen++)
		for (int own = 0; own < 2; own++)
			for (int below = 0; below < 2; below++) {
				struct desk desk;
				desk_plan(&desk);
				struct world *world = &desk.world;
				desk.plan->option = OPTION(AVOID);
				desk.plan->content->avoid =
					must_new_of(world->arena, Isms__V1__TreatmentAvoid,
						    isms__v1__treatment_avoid);
				desk.plan->content->avoid->ai_system_id =
					world_text(world, "system");
				world->risk->ai_system_id =
					world_text(world, own ? "system" : "other");
				if (seen)
					found(world, "plan_system");
				if (below)
					found(world, "plan_system_below");
				struct status st = submit(&desk);
				bool incomplete = st.reason != NULL &&
						  strcmp(st.reason, "PLAN_INCOMPLETE") == 0;
				CHECK_INT(incomplete, !(seen && (own || below)));
				if (incomplete)
					CHECK_STR(st.details->violations[0].field,
						  "content.avoid.ai_system_id");
				world_done(world);
			}
}

TEST(who_is_to_do_something_can_be_asked_to)
{
	for (int there = 0; there < 2; there++) {
		struct desk desk;
		desk_plan(&desk);
		desk.plan->n_assignee_ids = 1;
		desk.plan->assignee_ids = must(arena_array(desk.world.arena, char *, 1));
		desk.plan->assignee_ids[0] = world_text(&desk.world, "system");
		if (there)
			found(&desk.world, "plan_assignees");
		struct status st = submit(&desk);
		CHECK_INT(st.reason != NULL && strcmp(st.reason, "PLAN_INCOMPLETE") == 0, !there);
		if (!there)
			CHECK_STR(st.details->violations[0].field, "content.actions.assignee_id");
		world_done(&desk.world);
	}
}

TEST(an_amount_has_a_currency)
{
	struct desk desk;
	desk_plan(&desk);
	desk.plan->option = OPTION(TRANSFER);
	Isms__V1__TreatmentTransfer *transfer = must_new_of(
		desk.world.arena, Isms__V1__TreatmentTransfer, isms__v1__treatment_transfer);
	desk.plan->content->transfer = transfer;
	desk.plan->content->cost = world_text(&desk.world, "0.50");
	transfer->valid_until = world_time(&desk.world, 1);
	transfer->deductible = world_text(&desk.world, "100");
	struct status st = refused(&desk, "PLAN_INCOMPLETE");
	CHECK_INT(st.details->n_violations, 2);
	CHECK_STR(st.details->violations[0].field, "content.cost_currency");
	CHECK_STR(st.details->violations[1].field, "content.transfer.currency");
	world_done(&desk.world);
}

TEST(only_a_draft_on_a_scored_open_risk_is_submitted)
{
	for (int state = PLAN(SUBMITTED); state <= PLAN(SUPERSEDED); state++) {
		struct desk desk;
		desk_plan(&desk);
		desk.plan->state = (Isms__V1__PlanState)state;
		refused(&desk, "ILLEGAL_STATE");
		world_done(&desk.world);
	}
	struct desk desk;
	desk_plan(&desk);
	desk.plan->option = OPTION(ACCEPT);
	refused(&desk, "ACCEPT_PLAN");
	desk.plan->option = OPTION(MITIGATE);
	desk.world.risk->current->level = LEVEL(UNSPECIFIED);
	refused(&desk, "RISK_NOT_SCORED");
	desk.world.risk->state = RISK(CLOSED);
	refused(&desk, "ILLEGAL_STATE");
	world_done(&desk.world);
}

TEST(one_plan_of_an_option_is_open_at_a_time)
{
	for (int state = PLAN(SUBMITTED); state <= PLAN(CHANGES_REQUESTED); state++) {
		struct desk desk;
		desk_plan(&desk);
		Isms__V1__TreatmentPlan *other = world_plan(&desk.world, "other", OPTION(MITIGATE),
							    (Isms__V1__PlanState)state);
		world_add(&desk.world, "dossier_plans_of_plan", &other->base);
		refused(&desk, "PLAN_OPEN");
		other->option = OPTION(TRANSFER);
		refused(&desk, "NO_POLICY");
		world_done(&desk.world);
	}
}

TEST(a_policy_must_be_there_and_whole)
{
	struct desk desk;
	desk_plan(&desk);
	candidate(&desk, "owner", "", LEVEL(CRITICAL));
	refused(&desk, "NO_POLICY"); /* no step */
	Isms__V1__PolicyStep *step =
		world_step(&desk.world, desk.policy->steps, STEP(QUORUM), 0, NULL, false);
	refused(&desk, "NO_POLICY"); /* a quorum of nobody */
	step->mode = STEP(ANY);
	step->step_no = 2;
	refused(&desk, "NO_POLICY"); /* not numbered from 1 */
	step->step_no = 1;
	step->selector = SELECTOR(ROLE);
	refused(&desk, "NO_POLICY"); /* no role */
	step->selector = SELECTOR(RISK_OWNER);
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	world_done(&desk.world);
}

TEST(who_asks_wrote_or_lacks_the_level_is_not_asked)
{
	struct desk desk;
	desk_plan(&desk);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, "ISMS_MANAGER", false);
	no_approver_on(&desk, "1");
	candidate(&desk, "asker", "ISMS_MANAGER", LEVEL(CRITICAL));
	candidate(&desk, "author", "ISMS_MANAGER", LEVEL(CRITICAL));
	candidate(&desk, "small", "ISMS_MANAGER", LEVEL(MEDIUM));
	candidate(&desk, "elsewhere", "CISO", LEVEL(CRITICAL));
	contributor(&desk, "p-author");
	no_approver_on(&desk, "1");
	candidate(&desk, "bob", "ISMS_MANAGER", LEVEL(HIGH));
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	CHECK_INT(count_assignees(&desk.world), 1);
	CHECK_STR(WORLD_WROTE(&desk.world, Isms__Store__V1__Assignee, KIND_APPROVAL_ASSIGNEE, 0)
			  ->user_id,
		  "bob");
	world_done(&desk.world);
}

TEST(two_accounts_of_one_person_are_no_quorum)
{
	struct desk desk;
	desk_plan(&desk);
	world_step(&desk.world, desk.policy->steps, STEP(QUORUM), 2, "ISMS_MANAGER", false);
	candidate(&desk, "bob", "ISMS_MANAGER", LEVEL(HIGH));
	candidate(&desk, "bob", "CISO", LEVEL(HIGH));
	no_approver_on(&desk, "1");
	candidate(&desk, "carol", "ISMS_MANAGER", LEVEL(HIGH));
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	world_done(&desk.world);
}

TEST(steps_that_want_other_people_need_them)
{
	struct desk desk;
	desk_plan(&desk);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, NULL, false);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, "ISMS_MANAGER", true);
	candidate(&desk, "owner", "", LEVEL(CRITICAL));
	candidate(&desk, "owner", "ISMS_MANAGER", LEVEL(CRITICAL));
	no_approver_on(&desk, "2");
	world_done(&desk.world);
}

TEST(a_critical_risk_needs_three_people)
{
	struct desk desk;
	desk_plan(&desk);
	desk.world.risk->current->level = LEVEL(CRITICAL);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, NULL, false);
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, "ISMS_MANAGER", true);
	candidate(&desk, "owner", "", LEVEL(CRITICAL));
	candidate(&desk, "bob", "ISMS_MANAGER", LEVEL(CRITICAL));
	candidate(&desk, "carol", "ISMS_MANAGER", LEVEL(CRITICAL));
	no_approver_on(&desk, "2");
	desk.policy->steps->steps[1]->mode = STEP(QUORUM);
	desk.policy->steps->steps[1]->quorum = 2;
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	world_done(&desk.world);
}

TEST(owners_of_a_service_account_that_asks_are_not_asked)
{
	struct desk desk;
	desk_plan(&desk);
	desk.world.me->kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
	desk.world.me->person_id = world_text(&desk.world, "");
	desk.world.me->person_ids = must(arena_array(desk.world.arena, char *, 2));
	desk.world.me->person_ids[0] = world_text(&desk.world, "p-owner");
	desk.world.me->person_ids[1] = world_text(&desk.world, "p-bob");
	desk.world.me->n_person_ids = 2;
	world_step(&desk.world, desk.policy->steps, STEP(ANY), 0, "ISMS_MANAGER", false);
	candidate(&desk, "owner", "ISMS_MANAGER", LEVEL(CRITICAL));
	candidate(&desk, "bob", "ISMS_MANAGER", LEVEL(CRITICAL));
	no_approver_on(&desk, "1");
	world_done(&desk.world);
}

TEST(an_acceptance_is_as_long_as_its_level_allows)
{
	static const struct {
		Isms__V1__RiskLevel level;
		int64_t days;
		bool ok;
	} rows[] = {
		{ LEVEL(LOW), 365, true },    { LEVEL(LOW), 366, false },
		{ LEVEL(MEDIUM), 180, true }, { LEVEL(MEDIUM), 181, false },
		{ LEVEL(HIGH), 90, true },    { LEVEL(HIGH), 91, false },
		{ LEVEL(HIGH), 0, false },    { LEVEL(HIGH), -1, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk desk;
		desk_acceptance(&desk, rows[i].days);
		desk.world.risk->current->level = rows[i].level;
		if (!rows[i].ok) {
			refused(&desk, "DURATION_CAP");
			world_done(&desk.world);
			continue;
		}
		struct status st = submit(&desk);
		CHECK(status_ok(&st));
		const Isms__V1__Acceptance *after =
			WORLD_WROTE(&desk.world, Isms__V1__Acceptance, KIND_RISK_ACCEPTANCE, 0);
		CHECK_INT(after->state, ACCEPTANCE(SUBMITTED));
		CHECK_INT(after->level, rows[i].level);
		CHECK_STR(after->requested_by, "asker");
		CHECK_INT(WORLD_WROTE(&desk.world, Isms__V1__TreatmentPlan, KIND_TREATMENT_PLAN, 0)
				  ->state,
			  PLAN(SUBMITTED));
		CHECK_INT(desk.world.plan.subject_kind, KIND_RISK_ACCEPTANCE);
		world_done(&desk.world);
	}
}

TEST(an_accepted_risk_stays_monitored_while_its_renewal_waits)
{
	struct desk desk;
	desk_acceptance(&desk, 30);
	desk.world.risk->state = RISK(MONITORED);
	world_add(&desk.world, "dossier_plans_of_acceptance",
		  &world_plan(&desk.world, "older-plan", OPTION(ACCEPT), PLAN(APPROVED))->base);
	world_add(
		&desk.world, "dossier_acceptances_of_acceptance",
		&world_acceptance(&desk.world, "older", "older-plan", ACCEPTANCE(ACTIVE), 5)->base);
	struct status st = submit(&desk);
	CHECK(status_ok(&st));
	CHECK(world_wrote(&desk.world, KIND_RISK, 0) == NULL);
	CHECK_INT(WORLD_WROTE(&desk.world, Isms__V1__ApprovalRequest, KIND_APPROVAL_REQUEST, 0)
			  ->risk_version,
		  7);
	world_done(&desk.world);
}

TAP_MAIN
