/* isms.v1.AcceptanceService. Roots are loaded before what belongs to them, so
 * that a change in between is seen by the commit. */
#include "server/rpc/services.h"

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/acceptance.h"
#include "server/rpc/dossier_loads.h"

#define DOSSIER_OF_ACCEPTANCE                                                                      \
	LOAD("dossier_risk_of_acceptance", isms__v1__risk), DOSSIER_LOADS("acceptance")

static const struct rpc rpcs[] = {
	{ .method = "CreateAcceptance",
	  .mode = RPC_WRITE,
	  .permission = "acceptance.write",
	  .access = "access_risk_of",
	  .visible = "risk.read",
	  .load = { LOAD("risk_to_treat", isms__v1__risk),
		    LOAD("acceptance_controls", isms__store__v1__found),
		    LOAD("treatment_plan_next_ref", isms__store__v1__next_ref),
		    LOAD("risk_acceptance_next_ref", isms__store__v1__next_ref) },
	  .decide = acceptance_create },
	{ .method = "GetAcceptance",
	  .mode = RPC_READ,
	  .permission = "acceptance.read",
	  .load = { { .query = "risk_acceptance_get",
		      .into = "acceptance",
		      .past = "risk_acceptance_get_past" } } },
	{ .method = "ListAcceptances",
	  .mode = RPC_LIST,
	  .permission = "acceptance.read",
	  .load = { { .query = "risk_acceptance_list",
		      .into = "acceptances",
		      .past = "risk_acceptance_list_past" } } },
	{ .method = "ListAcceptanceVersions",
	  .mode = RPC_LIST,
	  .permission = "acceptance.read",
	  .empty_is_not_found = true,
	  .load = { { .query = "risk_acceptance_versions", .into = "versions" } } },
	{ .method = "UpdateAcceptance",
	  .mode = RPC_WRITE,
	  .permission = "acceptance.write",
	  .access = "access_acceptance",
	  .visible = "acceptance.read",
	  .target = "acceptance_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("acceptance_for_write", isms__v1__acceptance),
		    LOAD("acceptance_plan_for_write", isms__v1__treatment_plan),
		    LOAD("acceptance_controls", isms__store__v1__found) },
	  .decide = acceptance_update },
	{ .method = "SubmitAcceptance",
	  .mode = RPC_WRITE,
	  .permission = "acceptance.submit",
	  .access = "access_acceptance",
	  .visible = "acceptance.read",
	  .target = "dossier_acceptances_of_acceptance",
	  .load = { DOSSIER_OF_ACCEPTANCE, LOAD("method_for_write", isms__v1__risk_method),
		    LOAD("policy_for_acceptance", isms__v1__approval_policy),
		    LOAD("candidates_for_acceptance", isms__store__v1__candidate),
		    LOAD("contributors_of_acceptance", isms__store__v1__found),
		    LOAD("approval_next_ref", isms__store__v1__next_ref) },
	  .decide = acceptance_submit },
	{ .method = "WithdrawAcceptance",
	  .mode = RPC_WRITE,
	  .access = "access_acceptance",
	  .visible = "acceptance.read",
	  .target = "dossier_acceptances_of_acceptance",
	  .load = { DOSSIER_OF_ACCEPTANCE },
	  .decide = acceptance_withdraw },
	{ .method = "RevokeAcceptance",
	  .mode = RPC_WRITE,
	  .permission = "acceptance.revoke",
	  .access = "access_acceptance",
	  .visible = "acceptance.read",
	  .target = "dossier_acceptances_of_acceptance",
	  .load = { DOSSIER_OF_ACCEPTANCE },
	  .decide = acceptance_revoke },
};

const struct rpc_service acceptance_service = {
	.descriptor = &isms__v1__acceptance_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
