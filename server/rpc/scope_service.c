/* isms.v1.ScopeService. */
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/ai_system.h"
#include "server/domain/scope.h"
#include "server/rpc/dossier_loads.h"
#include "server/rpc/services.h"

static const struct rpc rpcs[] = {
	{ .method = "CreateScope",
	  .mode = RPC_WRITE,
	  .permission = "scope.write",
	  .access = "scope_access_parent",
	  .visible = "scope.read",
	  .load = { LOAD("scope_parent", isms__v1__scope),
		    LOAD("owner_for_write", isms__store__v1__account) },
	  .decide = scope_create },
	{ .method = "GetScope",
	  .mode = RPC_READ,
	  .permission = "scope.read",
	  .load = { { .query = "scope_get", .into = "scope" } } },
	{ .method = "ListScopes",
	  .mode = RPC_LIST,
	  .permission = "scope.read",
	  .load = { { .query = "scope_list", .into = "scopes" } } },
	{ .method = "UpdateScope",
	  .mode = RPC_WRITE,
	  .permission = "scope.write",
	  .access = "scope_access",
	  .visible = "scope.read",
	  .target = "scope_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("scope_for_write", isms__v1__scope),
		    LOAD("owner_for_write", isms__store__v1__account) },
	  .decide = scope_update },
	{ .method = "CreateAiSystem",
	  .mode = RPC_WRITE,
	  .permission = "system.write",
	  .access = "scope_access_scope",
	  .visible = "scope.read",
	  .load = { LOAD("ai_system_ref", isms__store__v1__next_ref),
		    LOAD("owner_for_write", isms__store__v1__account) },
	  .decide = ai_system_create },
	{ .method = "GetAiSystem",
	  .mode = RPC_READ,
	  .permission = "system.read",
	  .load = { { .query = "ai_system_get", .into = "ai_system" } } },
	{ .method = "ListAiSystems",
	  .mode = RPC_LIST,
	  .permission = "system.read",
	  .load = { { .query = "ai_system_list", .into = "ai_systems" } } },
	{ .method = "UpdateAiSystem",
	  .mode = RPC_WRITE,
	  .permission = "system.write",
	  .access = "ai_system_access",
	  .visible = "system.read",
	  .target = "ai_system_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("ai_system_for_write", isms__v1__ai_system),
		    LOAD("owner_for_write", isms__store__v1__account),
		    LOAD("ai_system_avoid", isms__v1__treatment_plan), LOADS_OF_SYSTEM },
	  .decide = ai_system_update },
};

const struct rpc_service scope_service = {
	.descriptor = &isms__v1__scope_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
