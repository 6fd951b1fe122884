/* A scope is placed in the tree when it is made and never moves. */
#include "server/domain/scope.h"

#include <string.h>

#include "isms/v1/scope.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"
#include "server/domain/user.h"

static struct status check(const struct facts *facts, const Isms__V1__Scope *scope,
			   const char *owner_before)
{
	if (text_blank(scope->name))
		return status_invalid(facts->arena, "fields.name", "is required");
	if (!text_blank(scope->exclusions) && text_blank(scope->exclusion_reason))
		return status_invalid(facts->arena, "fields.exclusion_reason",
				      "is required when something is left out");
	if (strcmp(scope->owner_id, owner_before) == 0)
		return STATUS_OK;
	return user_check_owner(facts, scope->owner_id);
}

struct status scope_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateScopeRequest *request = (const void *)facts->request;
	const Isms__V1__Scope *parent =
		fact_row(facts, "scope_parent", Isms__V1__Scope, isms__v1__scope);
	if (request->kind == ISMS__V1__SCOPE_KIND__SCOPE_KIND_ORGANISATION)
		return status_invalid(facts->arena, "kind",
				      "must be UNIT, SYSTEM_GROUP or SITE: there is one root");
	if (parent == NULL)
		return status_invalid(facts->arena, "parent_id", "must be a scope");
	if (parent->state == ISMS__V1__SCOPE_STATE__SCOPE_STATE_RETIRED)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the scope above is retired");
	Isms__V1__Scope *scope = must_new_of(plan->arena, Isms__V1__Scope, isms__v1__scope);
	pb_copy_same(&scope->base, &request->fields->base);
	scope->parent_id = request->parent_id;
	scope->kind = request->kind;
	scope->state = ISMS__V1__SCOPE_STATE__SCOPE_STATE_DRAFT;
	struct status st = check(facts, scope, "");
	if (!status_ok(&st))
		return st;
	plan_insert(plan, KIND_SCOPE, &scope->base);
	Isms__V1__CreateScopeResponse *reply = must_new_of(
		plan->arena, Isms__V1__CreateScopeResponse, isms__v1__create_scope_response);
	reply->scope = scope;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status scope_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateScopeRequest *request = (const void *)facts->request;
	const Isms__V1__Scope *scope =
		fact_row(facts, "scope_for_write", Isms__V1__Scope, isms__v1__scope);
	if (scope == NULL)
		return refusal_not_found();
	if (scope->state == ISMS__V1__SCOPE_STATE__SCOPE_STATE_RETIRED)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the scope is retired");
	Isms__V1__Scope *after = plan_copy_of(plan, Isms__V1__Scope, scope);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			      request->update_mask->n_paths, facts->arena);
	if (status_ok(&st))
		st = check(facts, after, scope->owner_id);
	if (!status_ok(&st))
		return st;
	plan_update(plan, KIND_SCOPE, &scope->base, &after->base);
	Isms__V1__UpdateScopeResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdateScopeResponse, isms__v1__update_scope_response);
	reply->scope = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
