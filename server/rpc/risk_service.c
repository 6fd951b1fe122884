/* isms.v1.RiskService. */
#include "server/rpc/services.h"

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/risk.h"
#include "server/rpc/dossier_loads.h"

#define RISK_REFERENCES                                                                            \
	LOAD("risk_fields_owner", isms__store__v1__found),                                         \
		LOAD("risk_fields_system", isms__store__v1__found),                                \
		LOAD("risk_fields_assets", isms__store__v1__found),                                \
		LOAD("risk_fields_threats", isms__store__v1__found),                               \
		LOAD("risk_fields_vulnerabilities", isms__store__v1__found)

static const struct rpc rpcs[] = {
	{ .method = "CreateRisk",
	  .mode = RPC_WRITE,
	  .permission = "risk.write",
	  .access = "access_risk_scope",
	  .visible = "scope.read",
	  .load = { LOAD("risk_next_ref", isms__store__v1__next_ref), RISK_REFERENCES },
	  .decide = risk_create },
	{ .method = "GetRisk",
	  .mode = RPC_READ,
	  .permission = "risk.read",
	  .load = { { .query = "risk_get", .into = "risk", .past = "risk_get_past" } } },
	{ .method = "ListRisks",
	  .mode = RPC_LIST,
	  .permission = "risk.read",
	  .load = { { .query = "risk_list", .into = "risks", .past = "risk_list_past" } } },
	{ .method = "ListRiskVersions",
	  .mode = RPC_LIST,
	  .permission = "risk.read",
	  .empty_is_not_found = true,
	  .load = { { .query = "risk_versions", .into = "versions" } } },
	{ .method = "UpdateRisk",
	  .mode = RPC_WRITE,
	  .permission = "risk.write",
	  .access = "access_risk",
	  .visible = "risk.read",
	  .target = "risk_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("risk_for_write", isms__v1__risk), DOSSIER_LOADS("risk"),
		    RISK_REFERENCES },
	  .decide = risk_update },
	{ .method = "ScoreRisk",
	  .mode = RPC_WRITE,
	  .permission = "risk.score",
	  .access = "access_risk",
	  .visible = "risk.read",
	  .target = "risk_for_write",
	  .load = { LOAD("risk_for_write", isms__v1__risk),
		    LOAD("method_for_write", isms__v1__risk_method), DOSSIER_LOADS("risk") },
	  .decide = risk_score },
};

const struct rpc_service risk_service = {
	.descriptor = &isms__v1__risk_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
