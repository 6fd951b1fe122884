/* The lifecycle is a table of moves. What must hold of a system is checked after
 * the fields were taken, the same way for new and for changed ones. */
#include "server/domain/ai_system.h"

#include <string.h>

#include "isms/v1/treatment.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/plan_content.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"
#include "server/domain/user.h"

#define STAGE(name) ISMS__V1__AI_SYSTEM_STAGE__AI_SYSTEM_STAGE_##name
#define TO(name)    (1u << STAGE(name))

/* Stages that each stage may be left for. */
static const unsigned moves[] = {
	[STAGE(PROPOSED)] = TO(BUILDING) | TO(EVALUATING) | TO(NOT_DEPLOYED),
	[STAGE(BUILDING)] = TO(EVALUATING) | TO(NOT_DEPLOYED),
	[STAGE(EVALUATING)] = TO(BUILDING) | TO(APPROVED) | TO(NOT_DEPLOYED),
	[STAGE(APPROVED)] = TO(BUILDING) | TO(EVALUATING) | TO(DEPLOYED) | TO(NOT_DEPLOYED),
	[STAGE(DEPLOYED)] = TO(SUSPENDED) | TO(RETIRED),
	[STAGE(SUSPENDED)] = TO(EVALUATING) | TO(DEPLOYED) | TO(RETIRED),
	[STAGE(RETIRED)] = 0,
	[STAGE(NOT_DEPLOYED)] = TO(PROPOSED),
};

bool ai_system_may_move(Isms__V1__AiSystemStage from, Isms__V1__AiSystemStage to)
{
	if (from == to)
		return true;
	if ((size_t)from >= sizeof(moves) / sizeof(moves[0]) || (size_t)to >= 32)
		return false;
	return (moves[from] & 1u << to) != 0;
}

static bool handles_information(const Isms__V1__AiSystem *system)
{
	return system->processes || system->stores || system->transmits;
}

/* What must hold of a system whoever changed it; sets in_scope. */
static struct status check(const struct facts *facts, Isms__V1__AiSystem *system,
			   const char *owner_before)
{
	if (text_blank(system->name))
		return status_invalid(facts->arena, "fields.name", "is required");
	if (system->sourcing == ISMS__V1__AI_SYSTEM_SOURCING__AI_SYSTEM_SOURCING_UNSPECIFIED)
		return status_invalid(facts->arena, "fields.sourcing", "is required");
	if (system->sourcing == ISMS__V1__AI_SYSTEM_SOURCING__AI_SYSTEM_SOURCING_THIRD_PARTY_API &&
	    text_blank(system->vendor_service))
		return status_invalid(facts->arena, "fields.vendor_service",
				      "is required for THIRD_PARTY_API");
	system->in_scope = text_blank(system->out_reason);
	if (system->in_scope)
		system->out_reason = (char *)"";
	if (!system->in_scope && handles_information(system))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "SCOPE_REQUEST_NEEDED",
				   "a system that processes, stores or transmits information of "
				   "the scope is inside it");
	if (strcmp(system->owner_id, owner_before) == 0)
		return STATUS_OK;
	return user_check_owner(facts, system->owner_id);
}

struct status ai_system_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateAiSystemRequest *request = (const void *)facts->request;
	const Isms__Store__V1__NextRef *ref = fact_row(
		facts, "ai_system_ref", Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	if (request->fields->stage != STAGE(UNSPECIFIED))
		return status_invalid(facts->arena, "fields.stage",
				      "must be unset: it is PROPOSED");
	Isms__V1__AiSystem *system =
		must_new_of(plan->arena, Isms__V1__AiSystem, isms__v1__ai_system);
	pb_copy_same(&system->base, &request->fields->base);
	system->scope_id = request->scope_id;
	system->stage = STAGE(PROPOSED);
	struct status st = check(facts, system, "");
	if (!status_ok(&st))
		return st;
	system->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	system->meta->ref = ref->ref;
	plan_insert(plan, KIND_AI_SYSTEM, &system->base);
	Isms__V1__CreateAiSystemResponse *reply = must_new_of(
		plan->arena, Isms__V1__CreateAiSystemResponse, isms__v1__create_ai_system_response);
	reply->ai_system = system;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static bool is_avoided(const struct facts *facts)
{
	size_t n;
	const Isms__V1__TreatmentPlan *const *plans = fact_rows(
		facts, "ai_system_avoid", Isms__V1__TreatmentPlan, isms__v1__treatment_plan, &n);
	for (size_t i = 0; i < n; i++)
		if (plan_content_forbids_deployment(plans[i], facts->now_us))
			return true;
	return false;
}

static struct status move(const struct facts *facts, const Isms__V1__AiSystem *before,
			  Isms__V1__AiSystem *after)
{
	if (after->stage == before->stage)
		return STATUS_OK;
	if (after->stage == STAGE(UNSPECIFIED))
		return status_invalid(facts->arena, "fields.stage", "is required");
	if (after->stage == STAGE(DEPLOYED) && is_avoided(facts))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "AVOID_IN_FORCE",
				   "an approved plan says not to deploy the system");
	if (!ai_system_may_move(before->stage, after->stage))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the system cannot go to this stage from where it is");
	if (after->stage == STAGE(RETIRED))
		after->meta->archived_at = must(pb_time_new(facts->arena, facts->now_us));
	return STATUS_OK;
}

/* What became of the system, in words, if decisions on its risks were made for
 * another one; NULL when they stand. */
static const char *changed(const Isms__V1__AiSystem *before, const Isms__V1__AiSystem *after,
			   struct arena *arena)
{
	const ProtobufCEnumDescriptor *stages = &isms__v1__ai_system_stage__descriptor;
	if (after->in_scope != before->in_scope)
		return after->in_scope ? "the AI system came into the scope"
				       : "the AI system left the scope";
	if (strcmp(after->vendor_service, before->vendor_service) != 0)
		return "the AI system uses another vendor's service";
	if (after->stage == before->stage)
		return NULL;
	return must(arena_printf(arena, "the AI system went from %s to %s",
				 pb_enum_short(stages, (int32_t)before->stage),
				 pb_enum_short(stages, (int32_t)after->stage)));
}

struct status ai_system_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateAiSystemRequest *request = (const void *)facts->request;
	const Isms__V1__AiSystem *system =
		fact_row(facts, "ai_system_for_write", Isms__V1__AiSystem, isms__v1__ai_system);
	if (system == NULL)
		return refusal_not_found();
	if (system->stage == STAGE(RETIRED))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the system is retired");
	Isms__V1__AiSystem *after = plan_copy_of(plan, Isms__V1__AiSystem, system);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			      request->update_mask->n_paths, facts->arena);
	if (status_ok(&st))
		st = check(facts, after, system->owner_id);
	if (status_ok(&st))
		st = move(facts, system, after);
	if (!status_ok(&st))
		return st;
	plan_update(plan, KIND_AI_SYSTEM, &system->base, &after->base);
	const char *what = changed(system, after, plan->arena);
	if (what != NULL)
		st = material_change_of("system", facts, plan, what);
	if (!status_ok(&st))
		return st;
	Isms__V1__UpdateAiSystemResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdateAiSystemResponse, isms__v1__update_ai_system_response);
	reply->ai_system = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
