#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/ai_system.h"
#include "tests/unit/domain_case.h"

#define STAGE(name)    ISMS__V1__AI_SYSTEM_STAGE__AI_SYSTEM_STAGE_##name
#define SOURCING(name) ISMS__V1__AI_SYSTEM_SOURCING__AI_SYSTEM_SOURCING_##name

struct system_case {
	struct domain_case c;
	Isms__V1__CreateAiSystemRequest create;
	Isms__V1__UpdateAiSystemRequest update;
	Isms__V1__AiSystemFields fields;
	Google__Protobuf__FieldMask mask;
	char *paths[4];
	Isms__V1__AiSystem *system;
};

static void begin(struct system_case *t)
{
	case_begin(&t->c);
	isms__v1__create_ai_system_request__init(&t->create);
	isms__v1__update_ai_system_request__init(&t->update);
	isms__v1__ai_system_fields__init(&t->fields);
	google__protobuf__field_mask__init(&t->mask);
	t->fields.name = (char *)"Support assistant";
	t->fields.sourcing = SOURCING(IN_HOUSE);
	t->create.scope_id = (char *)CASE_SCOPE;
	t->create.fields = &t->fields;
	t->update.fields = &t->fields;
	t->update.update_mask = &t->mask;
	t->mask.paths = t->paths;
	t->c.facts.request = &t->create.base;
	Isms__Store__V1__NextRef *ref =
		must_new_of(t->c.arena, Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	ref->ref = (char *)"AIS-000007";
	case_row(&t->c, "ai_system_ref", &ref->base);
	case_none(&t->c, "owner_for_write", &isms__store__v1__account__descriptor);
	case_none(&t->c, "ai_system_avoid", &isms__v1__treatment_plan__descriptor);
	case_none(&t->c, "dossier_risk_of_system", &isms__v1__risk__descriptor);
	case_none(&t->c, "dossier_plans_of_system", &isms__v1__treatment_plan__descriptor);
	case_none(&t->c, "dossier_acceptances_of_system", &isms__v1__acceptance__descriptor);
	case_none(&t->c, "dossier_requests_of_system", &isms__v1__approval_request__descriptor);
	t->system = must_new_of(t->c.arena, Isms__V1__AiSystem, isms__v1__ai_system);
	t->system->meta = case_meta(&t->c, CASE_ID("01"), 4);
	t->system->name = (char *)"Support assistant";
	t->system->sourcing = SOURCING(IN_HOUSE);
	t->system->in_scope = true;
	t->system->stage = STAGE(APPROVED);
}

static struct status update(struct system_case *t, const char *path)
{
	case_row(&t->c, "ai_system_for_write", &t->system->base);
	t->paths[0] = (char *)path;
	t->mask.n_paths = 1;
	t->c.facts.request = &t->update.base;
	return ai_system_update(&t->c.facts, &t->c.plan);
}

TEST(stages_move_as_the_lifecycle_says)
{
	/* from, to: rows and columns in the order of the stages */
	static const char *const want[] = {
		/*  P B E A D S R N */
		"11100001", /* PROPOSED */
		"01100001", /* BUILDING */
		"01110001", /* EVALUATING */
		"01111001", /* APPROVED */
		"00001110", /* DEPLOYED */
		"00101110", /* SUSPENDED */
		"00000010", /* RETIRED */
		"10000001", /* NOT_DEPLOYED */
	};
	for (int from = 1; from <= 8; from++)
		for (int to = 1; to <= 8; to++)
			CHECK_INT(ai_system_may_move((Isms__V1__AiSystemStage)from,
						     (Isms__V1__AiSystemStage)to),
				  want[from - 1][to - 1] == '1');
	CHECK(!ai_system_may_move(STAGE(PROPOSED), STAGE(UNSPECIFIED)));
	CHECK(!ai_system_may_move((Isms__V1__AiSystemStage)9, STAGE(PROPOSED)));
}

TEST(a_new_system_is_proposed_and_in_scope)
{
	struct system_case t;
	begin(&t);
	t.fields.processes = true;
	struct status st = ai_system_create(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	const struct plan_row *row = case_planned(&t.c, KIND_AI_SYSTEM);
	if (CHECK(row != NULL && row->op == PLAN_INSERT)) {
		const Isms__V1__AiSystem *made = (const void *)row->after;
		CHECK_INT(made->stage, STAGE(PROPOSED));
		CHECK(made->in_scope && made->processes);
		CHECK_STR(made->meta->ref, "AIS-000007");
		CHECK_STR(made->meta->created_by, CASE_ACTOR);
		CHECK_INT(made->meta->version, 1);
		CHECK_STR(made->scope_id, CASE_SCOPE);
	}
	case_end(&t.c);
}

static const char *create_fault(void (*change)(Isms__V1__AiSystemFields *fields))
{
	static char fault[64];
	struct system_case t;
	begin(&t);
	change(&t.fields);
	struct status st = ai_system_create(&t.c.facts, &t.c.plan);
	snprintf(fault, sizeof(fault), "%s %s", case_reason(&st), case_field(&st));
	CHECK(status_ok(&st) || t.c.plan.reply == NULL);
	case_end(&t.c);
	return fault;
}

static void blank_name(Isms__V1__AiSystemFields *fields)
{
	fields->name = (char *)" \t";
}
static void no_sourcing(Isms__V1__AiSystemFields *fields)
{
	fields->sourcing = SOURCING(UNSPECIFIED);
}
static void no_vendor(Isms__V1__AiSystemFields *fields)
{
	fields->sourcing = SOURCING(THIRD_PARTY_API);
}
static void with_stage(Isms__V1__AiSystemFields *fields)
{
	fields->stage = STAGE(DEPLOYED);
}
static void out_but_transmits(Isms__V1__AiSystemFields *fields)
{
	fields->out_reason = (char *)"a demo";
	fields->transmits = true;
}
static void unknown_owner(Isms__V1__AiSystemFields *fields)
{
	fields->owner_id = (char *)CASE_ID("99");
}

TEST(what_a_new_system_needs)
{
	CHECK_STR(create_fault(blank_name), "INVALID_FIELD fields.name");
	CHECK_STR(create_fault(no_sourcing), "INVALID_FIELD fields.sourcing");
	CHECK_STR(create_fault(no_vendor), "INVALID_FIELD fields.vendor_service");
	CHECK_STR(create_fault(with_stage), "INVALID_FIELD fields.stage");
	CHECK_STR(create_fault(out_but_transmits), "SCOPE_REQUEST_NEEDED ");
	CHECK_STR(create_fault(unknown_owner), "INVALID_FIELD fields.owner_id");
}

TEST(out_of_scope_is_for_what_handles_nothing)
{
	for (int flags = 0; flags < 8; flags++) {
		struct system_case t;
		begin(&t);
		t.fields.out_reason = (char *)"an exercise without data";
		t.fields.processes = (flags & 1) != 0;
		t.fields.stores = (flags & 2) != 0;
		t.fields.transmits = (flags & 4) != 0;
		struct status st = ai_system_create(&t.c.facts, &t.c.plan);
		CHECK_STR(case_reason(&st), flags == 0 ? "" : "SCOPE_REQUEST_NEEDED");
		case_end(&t.c);
	}
}

TEST(a_plan_in_force_forbids_to_deploy)
{
	for (int state = 1; state <= 12; state++) {
		struct system_case t;
		begin(&t);
		Isms__V1__TreatmentPlan *avoid =
			must_new_of(t.c.arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
		avoid->state = (Isms__V1__PlanState)state;
		case_row(&t.c, "ai_system_avoid", &avoid->base);
		t.fields.stage = STAGE(DEPLOYED);
		struct status st = update(&t, "stage");
		bool in_force = state >= ISMS__V1__PLAN_STATE__PLAN_STATE_APPROVED &&
				state <= ISMS__V1__PLAN_STATE__PLAN_STATE_VERIFIED;
		CHECK_STR(case_reason(&st), in_force ? "AVOID_IN_FORCE" : "");
		case_end(&t.c);
	}
}

TEST(a_plan_about_a_feature_does_not)
{
	for (int action = 1; action <= 3; action++) {
		struct system_case t;
		begin(&t);
		Isms__V1__TreatmentPlan *avoid =
			must_new_of(t.c.arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
		avoid->state = ISMS__V1__PLAN_STATE__PLAN_STATE_VERIFIED;
		avoid->avoid_action = (Isms__V1__AvoidAction)action;
		case_row(&t.c, "ai_system_avoid", &avoid->base);
		t.fields.stage = STAGE(DEPLOYED);
		struct status st = update(&t, "stage");
		bool feature = action == ISMS__V1__AVOID_ACTION__AVOID_ACTION_DISABLE_FEATURE;
		CHECK_STR(case_reason(&st), feature ? "" : "AVOID_IN_FORCE");
		case_end(&t.c);
	}
}

TEST(a_plan_that_begins_later_does_not_yet)
{
	for (int hours = -1; hours <= 1; hours++) {
		struct system_case t;
		begin(&t);
		Isms__V1__TreatmentPlan *avoid =
			must_new_of(t.c.arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
		avoid->state = ISMS__V1__PLAN_STATE__PLAN_STATE_APPROVED;
		avoid->counts_from =
			must(pb_time_new(t.c.arena, CASE_NOW_US + hours * CASE_HOUR_US));
		case_row(&t.c, "ai_system_avoid", &avoid->base);
		t.fields.stage = STAGE(DEPLOYED);
		struct status st = update(&t, "stage");
		CHECK_STR(case_reason(&st), hours <= 0 ? "AVOID_IN_FORCE" : "");
		case_end(&t.c);
	}
}

TEST(an_update_takes_only_what_the_mask_names)
{
	struct system_case t;
	begin(&t);
	t.fields.name = (char *)"Other";
	t.fields.purpose = (char *)"answers";
	struct status st = update(&t, "purpose");
	CHECK(status_ok(&st));
	const struct plan_row *row = case_planned(&t.c, KIND_AI_SYSTEM);
	if (CHECK(row != NULL && row->op == PLAN_UPDATE)) {
		const Isms__V1__AiSystem *after = (const void *)row->after;
		CHECK_STR(after->name, "Support assistant");
		CHECK_STR(after->purpose, "answers");
		CHECK_INT(after->meta->version, 5);
		CHECK_INT(t.system->meta->version, 4);
		CHECK_STR(t.system->purpose, "");
	}
	case_end(&t.c);
	begin(&t);
	t.system->stage = STAGE(RETIRED);
	st = update(&t, "purpose");
	CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
	case_end(&t.c);
	begin(&t);
	st = update(&t, "no_such_field");
	CHECK_STR(case_field(&st), "update_mask");
	case_end(&t.c);
}

/* --- material changes --------------------------------------------------------- */

/* An accepted risk of the system. */
static void accept_risk(struct system_case *t)
{
	Isms__V1__Risk *risk = must_new_of(t->c.arena, Isms__V1__Risk, isms__v1__risk);
	risk->meta = case_meta(&t->c, CASE_ID("21"), 2);
	risk->state = ISMS__V1__RISK_STATE__RISK_STATE_MONITORED;
	Isms__V1__TreatmentPlan *plan =
		must_new_of(t->c.arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
	plan->meta = case_meta(&t->c, CASE_ID("22"), 2);
	plan->risk_id = risk->meta->id;
	plan->option = ISMS__V1__TREATMENT_OPTION__TREATMENT_OPTION_ACCEPT;
	plan->state = ISMS__V1__PLAN_STATE__PLAN_STATE_APPROVED;
	Isms__V1__Acceptance *acceptance =
		must_new_of(t->c.arena, Isms__V1__Acceptance, isms__v1__acceptance);
	acceptance->meta = case_meta(&t->c, CASE_ID("23"), 2);
	acceptance->risk_id = risk->meta->id;
	acceptance->plan_id = plan->meta->id;
	acceptance->state = ISMS__V1__ACCEPTANCE_STATE__ACCEPTANCE_STATE_ACTIVE;
	acceptance->effective = true;
	acceptance->valid_until = must(pb_time_new(t->c.arena, CASE_NOW_US + CASE_HOUR_US));
	case_row(&t->c, "dossier_risk_of_system", &risk->base);
	case_row(&t->c, "dossier_plans_of_system", &plan->base);
	case_row(&t->c, "dossier_acceptances_of_system", &acceptance->base);
}

static void check_invalidated(struct system_case *t, const char *path, const char *why)
{
	accept_risk(t);
	struct status st = update(t, path);
	CHECK(status_ok(&st));
	const struct plan_row *row = case_planned(&t->c, KIND_RISK_ACCEPTANCE);
	CHECK_INT(row != NULL, why != NULL);
	if (row != NULL && why != NULL) {
		const Isms__V1__Acceptance *ended = (const void *)row->after;
		CHECK_INT(ended->state, ISMS__V1__ACCEPTANCE_STATE__ACCEPTANCE_STATE_INVALIDATED);
		CHECK_STR(ended->end_reason, why);
	}
	CHECK_INT(t->c.plan.subject_kind, KIND_AI_SYSTEM);
	case_end(&t->c);
}

TEST(another_stage_or_scope_voids_what_was_accepted)
{
	struct system_case t;
	begin(&t);
	t.fields.stage = STAGE(DEPLOYED);
	check_invalidated(&t, "stage", "the AI system went from APPROVED to DEPLOYED");
	begin(&t);
	t.fields.out_reason = (char *)"handles nothing of ours";
	check_invalidated(&t, "out_reason", "the AI system left the scope");
	begin(&t);
	t.system->in_scope = false;
	t.system->out_reason = (char *)"handled nothing of ours";
	check_invalidated(&t, "out_reason", "the AI system came into the scope");
	begin(&t);
	t.fields.stage = t.system->stage;
	check_invalidated(&t, "stage", NULL);
	begin(&t);
	t.fields.purpose = (char *)"answers";
	check_invalidated(&t, "purpose", NULL);
}

TAP_MAIN
