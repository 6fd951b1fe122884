/* The class comes from the category unless it was asked for; the state follows
 * from owner and class, only the end of an asset is asked for. A class that rises
 * and another AI system are material changes for the risks of the asset. */
#include "server/domain/asset.h"

#include <assert.h>
#include <string.h>

#include "isms/v1/asset.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "server/domain/asset_category.h"
#include "server/domain/facts.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"
#include "server/domain/user.h"

#define STATE(name)  ISMS__V1__ASSET_STATE__ASSET_STATE_##name
#define CLASS(name)  ISMS__V1__CLASSIFICATION__CLASSIFICATION_##name
#define SOURCE(name) ISMS__V1__CLASS_SOURCE__CLASS_SOURCE_##name

static struct status illegal_state(const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE", message);
}

/* The named AI system and owner, as far as they are new. before is NULL for a new
 * asset. */
static struct status check_links(const struct facts *facts, const Isms__V1__Asset *before,
				 const Isms__V1__Asset *asset)
{
	const char *system_before = before == NULL ? "" : before->ai_system_id;
	if (*asset->ai_system_id != '\0' && strcmp(asset->ai_system_id, system_before) != 0 &&
	    fact_row(facts, "asset_ai_system", Isms__V1__AiSystem, isms__v1__ai_system) == NULL)
		return status_invalid(facts->arena, "fields.ai_system_id",
				      "must be an AI system that the caller may see");
	if (before != NULL && strcmp(asset->owner_id, before->owner_id) == 0)
		return STATUS_OK;
	return user_check_owner(facts, asset->owner_id);
}

/* Gives the asset its class: the one asked for, or the category's. */
static struct status classify(const struct facts *facts, Isms__V1__Asset *asset,
			      const struct asset_category *category, bool asked)
{
	if (category->by_use && text_blank(asset->use_case))
		return status_invalid(facts->arena, "fields.use_case", "is required for AI_OUTPUT");
	if (asset->classification == CLASS(UNSPECIFIED)) {
		if (category->by_use)
			return status_invalid(facts->arena, "fields.classification",
					      "is required for AI_OUTPUT");
		asset->classification = category->standard;
		asset->class_source = category->standard == CLASS(UNSPECIFIED) ? SOURCE(UNSPECIFIED)
									       : SOURCE(DEFAULT);
		return STATUS_OK;
	}
	if (!asked)
		return STATUS_OK;
	asset->class_source = SOURCE(OWNER);
	if (asset->classification < category->floor)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "DECLASSIFICATION_NEEDED",
				   "the classification is below the floor of the category");
	return STATUS_OK;
}

static struct status check(const struct facts *facts, const Isms__V1__Asset *before,
			   Isms__V1__Asset *asset, bool class_asked)
{
	const struct asset_category *category = asset_category_of(asset->category);
	assert(category != NULL);
	if (text_blank(asset->name))
		return status_invalid(facts->arena, "fields.name", "is required");
	if (!asset_category_has(category, asset->subtype))
		return status_invalid(facts->arena, "fields.subtype",
				      "must be a subtype of the category");
	struct status st = check_links(facts, before, asset);
	if (!status_ok(&st))
		return st;
	return classify(facts, asset, category, class_asked);
}

static bool is_complete(const Isms__V1__Asset *asset)
{
	return *asset->owner_id != '\0' && asset->classification != CLASS(UNSPECIFIED);
}

struct status asset_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateAssetRequest *request = (const void *)facts->request;
	const Isms__Store__V1__NextRef *ref =
		fact_row(facts, "asset_ref", Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	if (request->fields->state != STATE(UNSPECIFIED))
		return status_invalid(facts->arena, "fields.state", "must be unset in a new asset");
	Isms__V1__Asset *asset = must_new_of(plan->arena, Isms__V1__Asset, isms__v1__asset);
	pb_copy_same(&asset->base, &request->fields->base);
	asset->scope_id = request->scope_id;
	asset->category = request->category;
	struct status st = check(facts, NULL, asset, true);
	if (!status_ok(&st))
		return st;
	asset->state = is_complete(asset) ? STATE(ACTIVE) : STATE(DRAFT);
	asset->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	asset->meta->ref = ref->ref;
	plan_insert(plan, KIND_ASSET, &asset->base);
	Isms__V1__CreateAssetResponse *reply = must_new_of(
		plan->arena, Isms__V1__CreateAssetResponse, isms__v1__create_asset_response);
	reply->asset = asset;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* DRAFT becomes ACTIVE by being complete; a person only takes an asset out of
 * use. */
static struct status settle_state(const struct facts *facts, const Isms__V1__Asset *before,
				  Isms__V1__Asset *asset, bool asked)
{
	if (asked && asset->state != STATE(DEPRECATED) && asset->state != STATE(DISPOSED))
		return status_invalid(facts->arena, "fields.state",
				      "must be DEPRECATED or DISPOSED");
	if (asked && asset->state == STATE(DEPRECATED) && before->state == STATE(DRAFT))
		return illegal_state("a draft was never in use");
	if (asked && asset->state == STATE(DISPOSED))
		asset->meta->archived_at = must(pb_time_new(facts->arena, facts->now_us));
	if (before->state != STATE(DRAFT) && *asset->owner_id == '\0')
		return status_invalid(facts->arena, "fields.owner_id",
				      "is required unless the asset is a draft");
	if (before->state != STATE(DRAFT) && asset->classification == CLASS(UNSPECIFIED))
		return status_invalid(facts->arena, "fields.classification",
				      "is required unless the asset is a draft");
	if (asset->state == STATE(DRAFT) && is_complete(asset))
		asset->state = STATE(ACTIVE);
	return STATUS_OK;
}

/* What the risks of the asset have to know of, or NULL. */
static const char *changed(const Isms__V1__Asset *before, const Isms__V1__Asset *after)
{
	if (after->classification > before->classification)
		return "the classification of an asset rose";
	if (strcmp(after->ai_system_id, before->ai_system_id) != 0)
		return "an asset belongs to another AI system";
	return NULL;
}

struct status asset_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateAssetRequest *request = (const void *)facts->request;
	const Isms__V1__Asset *asset =
		fact_row(facts, "asset_for_write", Isms__V1__Asset, isms__v1__asset);
	if (asset == NULL)
		return refusal_not_found();
	if (asset->state == STATE(DISPOSED))
		return illegal_state("the asset is disposed of");
	char *const *paths = request->update_mask->paths;
	size_t n_paths = request->update_mask->n_paths;
	Isms__V1__Asset *after = plan_copy_of(plan, Isms__V1__Asset, asset);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, paths, n_paths, facts->arena);
	if (status_ok(&st))
		st = check(facts, asset, after, text_in("classification", paths, n_paths));
	if (status_ok(&st))
		st = settle_state(facts, asset, after, text_in("state", paths, n_paths));
	if (!status_ok(&st))
		return st;
	plan_update(plan, KIND_ASSET, &asset->base, &after->base);
	const char *what = changed(asset, after);
	if (what != NULL) {
		st = material_change_of("asset", facts, plan, what);
		if (!status_ok(&st))
			return st;
	}
	Isms__V1__UpdateAssetResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdateAssetResponse, isms__v1__update_asset_response);
	reply->asset = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
