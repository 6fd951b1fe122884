/* isms.v1.PolicyService. */
#include "server/rpc/services.h"

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/policy.pb-c.h"
#include "server/domain/policy.h"
#include "server/rpc/dossier_loads.h"

static const struct rpc rpcs[] = {
	{ .method = "ListPolicies",
	  .mode = RPC_LIST,
	  .permission = "policy.read",
	  .load = { { .query = "approval_policy_list", .into = "policies" } } },
	{ .method = "GetPolicy",
	  .mode = RPC_READ,
	  .permission = "policy.read",
	  .load = { { .query = "approval_policy_get", .into = "policy" } } },
	{ .method = "CreatePolicy",
	  .mode = RPC_WRITE,
	  .permission = "policy.write",
	  .access = "access_policy_scope",
	  .visible = "scope.read",
	  .load = { LOAD("policy_to_replace", isms__v1__approval_policy),
		    LOAD("policy_roles", isms__store__v1__found),
		    LOAD("policy_root", isms__store__v1__found),
		    LOAD("approval_policy_next_ref", isms__store__v1__next_ref) },
	  .decide = policy_create },
	{ .method = "UpdatePolicy",
	  .mode = RPC_WRITE,
	  .permission = "policy.write",
	  .access = "access_policy",
	  .visible = "policy.read",
	  .target = "policy_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("policy_for_write", isms__v1__approval_policy),
		    LOAD("policy_replaced", isms__v1__approval_policy),
		    LOAD("policy_roles", isms__store__v1__found) },
	  .decide = policy_update },
	{ .method = "SubmitPolicy",
	  .mode = RPC_WRITE,
	  .permission = "policy.write",
	  .access = "access_policy",
	  .visible = "policy.read",
	  .target = "policy_for_write",
	  .load = { LOAD("policy_for_write", isms__v1__approval_policy),
		    LOAD("policy_replaced", isms__v1__approval_policy),
		    LOAD("policy_roles", isms__store__v1__found),
		    LOAD("policy_for_policy", isms__v1__approval_policy),
		    LOAD("candidates_for_policy", isms__store__v1__candidate),
		    LOAD("contributors_of_policy", isms__store__v1__found),
		    LOAD("approval_next_ref", isms__store__v1__next_ref) },
	  .decide = policy_submit },
	{ .method = "WithdrawPolicy",
	  .mode = RPC_WRITE,
	  .access = "access_policy",
	  .visible = "policy.read",
	  .target = "policy_for_write",
	  .load = { LOAD("policy_for_write", isms__v1__approval_policy),
		    LOAD("policy_request", isms__v1__approval_request) },
	  .decide = policy_withdraw },
};

const struct rpc_service policy_service = {
	.descriptor = &isms__v1__policy_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
