#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/asset.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/asset.h"
#include "server/domain/asset_category.h"
#include "tests/unit/domain_case.h"

#define STATE(name) ISMS__V1__ASSET_STATE__ASSET_STATE_##name
#define CLASS(name) ISMS__V1__CLASSIFICATION__CLASSIFICATION_##name
#define OWNER       CASE_ID("01")

struct asset_case {
	struct domain_case c;
	Isms__V1__CreateAssetRequest create;
	Isms__V1__UpdateAssetRequest update;
	Isms__V1__AssetFields fields;
	Google__Protobuf__FieldMask mask;
	char *paths[2];
	Isms__V1__Asset *asset;
};

static void begin(struct asset_case *t, Isms__V1__AssetCategory category)
{
	case_begin(&t->c);
	isms__v1__create_asset_request__init(&t->create);
	isms__v1__update_asset_request__init(&t->update);
	isms__v1__asset_fields__init(&t->fields);
	google__protobuf__field_mask__init(&t->mask);
	t->fields.name = (char *)"Ranking model";
	t->fields.use_case = (char *)"ranks support tickets";
	t->create.category = category;
	t->create.scope_id = (char *)CASE_SCOPE;
	t->create.fields = t->update.fields = &t->fields;
	t->update.update_mask = &t->mask;
	t->mask.paths = t->paths;
	t->c.facts.request = &t->create.base;
	Isms__Store__V1__NextRef *ref =
		must_new_of(t->c.arena, Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	ref->ref = (char *)"AST-000001";
	case_row(&t->c, "asset_ref", &ref->base);
	case_none(&t->c, "asset_ai_system", &isms__v1__ai_system__descriptor);
	case_row(&t->c, "owner_for_write", &case_account(&t->c, OWNER, CASE_ID("02"))->base);
	case_none(&t->c, "dossier_risk_of_asset", &isms__v1__risk__descriptor);
	case_none(&t->c, "dossier_plans_of_asset", &isms__v1__treatment_plan__descriptor);
	case_none(&t->c, "dossier_acceptances_of_asset", &isms__v1__acceptance__descriptor);
	case_none(&t->c, "dossier_requests_of_asset", &isms__v1__approval_request__descriptor);
	t->asset = must_new_of(t->c.arena, Isms__V1__Asset, isms__v1__asset);
	t->asset->meta = case_meta(&t->c, CASE_ID("71"), 2);
	t->asset->name = (char *)"Ranking model";
	t->asset->category = category;
	t->asset->use_case = (char *)"ranks support tickets";
	t->asset->owner_id = (char *)OWNER;
	t->asset->classification = CLASS(CONFIDENTIAL);
	t->asset->class_source = ISMS__V1__CLASS_SOURCE__CLASS_SOURCE_DEFAULT;
	t->asset->state = STATE(ACTIVE);
	case_row(&t->c, "asset_for_write", &t->asset->base);
}

static const Isms__V1__Asset *planned(const struct asset_case *t)
{
	const struct plan_row *row = case_planned(&t->c, KIND_ASSET);
	return row == NULL ? NULL : (const void *)row->after;
}

/* Each category, each class asked for, with and without an owner. */
TEST(a_new_asset_has_the_class_and_state_of_the_rules)
{
	for (int category = 1; category <= 8; category++)
		for (int asked = 0; asked <= 4; asked++)
			for (int owned = 0; owned < 2; owned++) {
				struct asset_case t;
				begin(&t, (Isms__V1__AssetCategory)category);
				t.fields.classification = (Isms__V1__Classification)asked;
				t.fields.owner_id = (char *)(owned ? OWNER : "");
				const struct asset_category *rule =
					asset_category_of((Isms__V1__AssetCategory)category);
				struct status st = asset_create(&t.c.facts, &t.c.plan);
				if (asked == 0 && rule->by_use) {
					CHECK_STR(case_field(&st), "fields.classification");
				} else if (asked != 0 && asked < (int)rule->floor) {
					CHECK_STR(case_reason(&st), "DECLASSIFICATION_NEEDED");
				} else if (CHECK(status_ok(&st))) {
					int class = asked != 0 ? asked : (int)rule->standard;
					CHECK_INT(planned(&t)->classification, class);
					CHECK_INT(planned(&t)->class_source, class == 0   ? 0
									     : asked == 0 ? 1
											  : 2);
					CHECK_INT(planned(&t)->state, owned && class != 0
									      ? STATE(ACTIVE)
									      : STATE(DRAFT));
					CHECK_STR(planned(&t)->meta->ref, "AST-000001");
				}
				CHECK_INT(t.c.plan.n_rows, status_ok(&st));
				case_end(&t.c);
			}
}

static const char *create_fault(const char *name, const char *subtype, const char *system,
				const char *owner, const char *use_case)
{
	static char fault[64];
	struct asset_case t;
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_AI_OUTPUT);
	t.fields.classification = CLASS(PUBLIC);
	t.fields.name = (char *)name;
	t.fields.subtype = (char *)subtype;
	t.fields.ai_system_id = (char *)system;
	t.fields.owner_id = (char *)owner;
	t.fields.use_case = (char *)use_case;
	struct status st = asset_create(&t.c.facts, &t.c.plan);
	snprintf(fault, sizeof(fault), "%s", case_field(&st));
	case_end(&t.c);
	return fault;
}

TEST(what_a_new_asset_needs)
{
	CHECK_STR(create_fault("Output", "DECISION", "", OWNER, "decides"), "");
	CHECK_STR(create_fault("\n", "DECISION", "", OWNER, "decides"), "fields.name");
	CHECK_STR(create_fault("Output", "WEIGHTS", "", OWNER, "decides"), "fields.subtype");
	CHECK_STR(create_fault("Output", "", CASE_ID("88"), OWNER, "decides"),
		  "fields.ai_system_id");
	CHECK_STR(create_fault("Output", "", "", CASE_ID("88"), "decides"), "fields.owner_id");
	CHECK_STR(create_fault("Output", "", "", OWNER, " "), "fields.use_case");
}

static struct status update(struct asset_case *t, const char *path)
{
	t->paths[0] = (char *)path;
	t->mask.n_paths = 1;
	t->c.facts.request = &t->update.base;
	return asset_update(&t->c.facts, &t->c.plan);
}

/* From each state to each state that a request may name. */
TEST(states_move_as_the_rules_say)
{
	for (int from = STATE(DRAFT); from <= STATE(DISPOSED); from++)
		for (int to = 0; to <= STATE(DISPOSED); to++) {
			struct asset_case t;
			begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_MODEL);
			t.asset->state = (Isms__V1__AssetState)from;
			t.fields.state = (Isms__V1__AssetState)to;
			struct status st = update(&t, "state");
			if (from == STATE(DISPOSED) ||
			    (from == STATE(DRAFT) && to == STATE(DEPRECATED)))
				CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
			else if (to != STATE(DEPRECATED) && to != STATE(DISPOSED))
				CHECK_STR(case_field(&st), "fields.state");
			else if (CHECK(status_ok(&st)))
				CHECK(planned(&t)->state == (Isms__V1__AssetState)to &&
				      (planned(&t)->meta->archived_at != NULL) ==
					      (to == STATE(DISPOSED)));
			case_end(&t.c);
		}
}

TEST(an_active_asset_keeps_owner_and_class)
{
	struct asset_case t;
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_MODEL);
	struct status st = update(&t, "owner_id");
	CHECK_STR(case_field(&st), "fields.owner_id");
	case_end(&t.c);
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_GENERAL);
	st = update(&t, "classification");
	CHECK_STR(case_field(&st), "fields.classification");
	case_end(&t.c);
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_MODEL);
	t.fields.classification = CLASS(INTERNAL);
	st = update(&t, "classification");
	CHECK_STR(case_reason(&st), "DECLASSIFICATION_NEEDED");
	case_end(&t.c);
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_MODEL);
	t.fields.classification = CLASS(RESTRICTED);
	st = update(&t, "classification");
	CHECK(status_ok(&st));
	CHECK_INT(planned(&t)->class_source, ISMS__V1__CLASS_SOURCE__CLASS_SOURCE_OWNER);
	CHECK_INT(planned(&t)->meta->version, 3);
	case_end(&t.c);
}

TEST(a_draft_becomes_active_when_it_is_complete)
{
	struct asset_case t;
	begin(&t, ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_MODEL);
	t.asset->state = STATE(DRAFT);
	t.asset->owner_id = (char *)"";
	t.fields.owner_id = (char *)OWNER;
	struct status st = update(&t, "owner_id");
	CHECK(status_ok(&st));
	CHECK_INT(planned(&t)->state, STATE(ACTIVE));
	case_end(&t.c);
}

TAP_MAIN
