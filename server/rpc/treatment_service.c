/* isms.v1.TreatmentService. Roots are loaded before what belongs to them, so that
 * a change in between is seen by the commit. */
#include "server/rpc/services.h"

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/treatment_plan.h"
#include "server/rpc/dossier_loads.h"

static const struct rpc rpcs[] = {
	{ .method = "CreatePlan",
	  .mode = RPC_WRITE,
	  .permission = "plan.write",
	  .access = "access_risk_of",
	  .visible = "risk.read",
	  .load = { LOAD("risk_to_treat", isms__v1__risk),
		    LOAD("method_for_write", isms__v1__risk_method),
		    LOAD("treatment_plan_next_ref", isms__store__v1__next_ref) },
	  .decide = treatment_plan_create },
	{ .method = "GetPlan",
	  .mode = RPC_READ,
	  .permission = "plan.read",
	  .load = { { .query = "treatment_plan_get", .into = "plan" } } },
	{ .method = "ListPlans",
	  .mode = RPC_LIST,
	  .permission = "plan.read",
	  .load = { { .query = "treatment_plan_list", .into = "plans" } } },
	{ .method = "ListPlanVersions",
	  .mode = RPC_LIST,
	  .permission = "plan.read",
	  .empty_is_not_found = true,
	  .load = { { .query = "treatment_plan_versions", .into = "versions" } } },
	{ .method = "UpdatePlan",
	  .mode = RPC_WRITE,
	  .permission = "plan.write",
	  .access = "access_plan",
	  .visible = "plan.read",
	  .decide_checks_permission = true,
	  .target = "treatment_plan_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("treatment_plan_for_write", isms__v1__treatment_plan),
		    LOAD("method_for_write", isms__v1__risk_method) },
	  .decide = treatment_plan_update },
	{ .method = "SubmitPlan",
	  .mode = RPC_WRITE,
	  .permission = "plan.submit",
	  .access = "access_plan",
	  .visible = "plan.read",
	  .target = "dossier_plans_of_plan",
	  .load = { LOAD("dossier_risk_of_plan", isms__v1__risk), DOSSIER_LOADS("plan"),
		    LOAD("method_for_write", isms__v1__risk_method),
		    LOAD("policy_for_plan", isms__v1__approval_policy),
		    LOAD("candidates_for_plan", isms__store__v1__candidate),
		    LOAD("contributors_of_plan", isms__store__v1__found),
		    LOAD("plan_system", isms__store__v1__found),
		    LOAD("approval_next_ref", isms__store__v1__next_ref) },
	  .decide = treatment_plan_submit },
	{ .method = "WithdrawPlan",
	  .mode = RPC_WRITE,
	  .access = "access_plan",
	  .visible = "plan.read",
	  .target = "dossier_plans_of_plan",
	  .load = { LOAD("dossier_risk_of_plan", isms__v1__risk), DOSSIER_LOADS("plan") },
	  .decide = treatment_plan_withdraw },
};

const struct rpc_service treatment_service = {
	.descriptor = &isms__v1__treatment_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
