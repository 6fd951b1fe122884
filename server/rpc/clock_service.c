/* isms.store.v1.ClockService: what the server does by itself. */
#include "server/rpc/services.h"

#include "isms/store/v1/clock.pb-c.h"
#include "isms/store/v1/decision.pb-c.h"
#include "server/domain/acceptance_term.h"
#include "server/domain/approval_advance.h"
#include "server/domain/plan_end.h"
#include "server/rpc/dossier_loads.h"

#define DOSSIER_OF_ACCEPTANCE                                                                      \
	LOAD("dossier_risk_of_acceptance", isms__v1__risk), DOSSIER_LOADS("acceptance")

static const struct rpc rpcs[] = {
	{ .method = "ExpireAcceptance",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_SYSTEM,
	  .load = { DOSSIER_OF_ACCEPTANCE },
	  .decide = acceptance_expire },
	{ .method = "WarnAcceptance",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_SYSTEM,
	  .load = { LOAD("acceptance_for_write", isms__v1__acceptance) },
	  .decide = acceptance_warn },
	{ .method = "WarnReview",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_SYSTEM,
	  .load = { LOAD("acceptance_for_write", isms__v1__acceptance) },
	  .decide = acceptance_warn_review },
	{ .method = "LapseTransfer",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_SYSTEM,
	  .load = { LOAD("dossier_risk_of_plan", isms__v1__risk), DOSSIER_LOADS("plan") },
	  .decide = plan_end_lapse },
	{ .method = "AdvanceRequest",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_SYSTEM,
	  .load = { LOAD("dossier_risk_of_open", isms__v1__risk), DOSSIER_LOADS("open"),
		    LOAD("advance_request", isms__v1__approval_request),
		    LOAD("advance_assignees", isms__store__v1__assignee),
		    LOAD("advance_voters", isms__store__v1__account),
		    LOAD("advance_votes", isms__store__v1__vote),
		    LOAD("advance_grants", isms__store__v1__candidate),
		    LOAD("advance_delegations", isms__store__v1__held_delegation),
		    LOAD("advance_policies", isms__v1__approval_policy) },
	  .decide = approval_advance },
};

const struct rpc_service clock_service = {
	.descriptor = &isms__store__v1__clock_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
