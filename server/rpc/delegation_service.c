/* isms.v1.DelegationService. Who votes proves the delegation by its version: a
 * revocation is not overtaken. */
#include "server/rpc/services.h"

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/delegation.pb-c.h"
#include "server/domain/delegation.h"
#include "server/rpc/dossier_loads.h"

static const struct rpc rpcs[] = {
	{ .method = "CreateDelegation",
	  .mode = RPC_WRITE,
	  .permission = "decision.cast",
	  .access = "scope_access_scope",
	  .visible = "scope.read",
	  .load = { LOAD("delegation_delegate", isms__store__v1__account),
		    LOAD("delegation_reach", isms__store__v1__held),
		    LOAD("delegation_roles", isms__v1__role),
		    LOAD("delegation_open", isms__store__v1__found),
		    LOAD("delegation_next_ref", isms__store__v1__next_ref) },
	  .decide = delegation_create },
	{ .method = "GetDelegation",
	  .mode = RPC_READ,
	  .permission = "approval.read",
	  .load = { { .query = "delegation_get",
		      .into = "delegation",
		      .past = "delegation_get_past" } } },
	{ .method = "ListDelegations",
	  .mode = RPC_LIST,
	  .permission = "approval.read",
	  .load = { { .query = "delegation_list",
		      .into = "delegations",
		      .past = "delegation_list_past" } } },
	{ .method = "ListDelegationVersions",
	  .mode = RPC_LIST,
	  .permission = "approval.read",
	  .empty_is_not_found = true,
	  .load = { { .query = "delegation_versions", .into = "versions" } } },
	{ .method = "RevokeDelegation",
	  .mode = RPC_WRITE,
	  .permission = "grant.write",
	  .access = "delegation_access",
	  .visible = "delegation.see",
	  .decide_checks_permission = true,
	  .target = "delegation_for_write",
	  .load = { LOAD("delegation_for_write", isms__v1__delegation) },
	  .decide = delegation_revoke },
};

const struct rpc_service delegation_service = {
	.descriptor = &isms__v1__delegation_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
