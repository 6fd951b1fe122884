/* The table of kinds. A row's place is its id; the ids are in lock order. */
#include "server/domain/kind.h"

#include <assert.h>
#include <string.h>

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/asset.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/delegation.pb-c.h"
#include "isms/v1/directory.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "isms/v1/treatment.pb-c.h"

#define VERSIONED(kind_id, kind_name, type, permission, is_anywhere)                               \
	[kind_id] = { .id = kind_id,                                                               \
		      .name = kind_name,                                                           \
		      .row = &type##__descriptor,                                                  \
		      .versioned = true,                                                           \
		      .read = permission,                                                          \
		      .anywhere = is_anywhere }
/* Belongs to a scope, is one, or belongs to the organisation alone. */
#define IN_SCOPE(kind_id, kind_name, type, permission)                                             \
	VERSIONED(kind_id, kind_name, type, permission, false)
#define ANYWHERE(kind_id, kind_name, type, permission)                                             \
	VERSIONED(kind_id, kind_name, type, permission, true)
#define CHILD(kind_id, kind_name, type)                                                            \
	[kind_id] = { .id = kind_id, .name = kind_name, .row = &type##__descriptor }

static const struct kind kinds[KIND_COUNT] = {
	ANYWHERE(KIND_ORGANISATION, "organisation", isms__store__v1__organisation, "scope.read"),
	ANYWHERE(KIND_PERSON, "person", isms__store__v1__person, "user.read"),
	ANYWHERE(KIND_APP_USER, "app_user", isms__store__v1__account, "user.read"),
	ANYWHERE(KIND_SESSION, "session", isms__store__v1__session_row, "session.revoke"),
	ANYWHERE(KIND_INVITATION, "invitation", isms__store__v1__invitation, "user.write"),
	ANYWHERE(KIND_ROLE_GRANT, "role_grant", isms__v1__role_grant, "role.read"),
	IN_SCOPE(KIND_SCOPE, "scope", isms__v1__scope, "scope.read"),
	IN_SCOPE(KIND_AI_SYSTEM, "ai_system", isms__v1__ai_system, "system.read"),
	IN_SCOPE(KIND_ASSET, "asset", isms__v1__asset, "asset.read"),
	ANYWHERE(KIND_CONTROL, "control", isms__v1__control, "catalog.read"),
	ANYWHERE(KIND_RISK_METHOD, "risk_method", isms__v1__risk_method, "catalog.read"),
	IN_SCOPE(KIND_RISK, "risk", isms__v1__risk, "risk.read"),
	IN_SCOPE(KIND_TREATMENT_PLAN, "treatment_plan", isms__v1__treatment_plan, "plan.read"),
	IN_SCOPE(KIND_RISK_ACCEPTANCE, "risk_acceptance", isms__v1__acceptance, "acceptance.read"),
	IN_SCOPE(KIND_APPROVAL_POLICY, "approval_policy", isms__v1__approval_policy, "policy.read"),
	IN_SCOPE(KIND_APPROVAL_REQUEST, "approval_request", isms__v1__approval_request,
		 "approval.read"),
	IN_SCOPE(KIND_DELEGATION, "delegation", isms__v1__delegation, "approval.read"),
	CHILD(KIND_APPROVAL_ASSIGNEE, "approval_assignee", isms__store__v1__assignee),
	CHILD(KIND_APPROVAL_SNAPSHOT, "approval_snapshot", isms__store__v1__snapshot),
	CHILD(KIND_APPROVAL_VOTE, "approval_vote", isms__store__v1__vote),
	CHILD(KIND_RISK_SCORE, "risk_score", isms__store__v1__risk_score),
	CHILD(KIND_ACCEPTANCE_REVIEW, "acceptance_review", isms__store__v1__acceptance_review),
};

const struct kind *kind_of(enum kind_id id)
{
	assert(id > KIND_NONE && id < KIND_COUNT);
	assert(kinds[id].id == id);
	return &kinds[id];
}

const struct kind *kind_by_name(const char *name)
{
	for (int id = KIND_NONE + 1; id < KIND_COUNT; id++)
		if (strcmp(kinds[id].name, name) == 0)
			return &kinds[id];
	return NULL;
}
