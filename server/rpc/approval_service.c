/* isms.v1.ApprovalService. The request is loaded before its assignees and votes:
 * a vote that comes in between moves the request's version, and the commit sees
 * it. Who may read a request is more than a permission, so the statements ask it. */
#include "server/rpc/services.h"

#include "isms/store/v1/decision.pb-c.h"
#include "isms/store/v1/insight.pb-c.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/asset.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "server/domain/can_i.h"
#include "server/domain/insight.h"
#include "server/domain/vote.h"
#include "server/rpc/dossier_loads.h"

static const struct rpc rpcs[] = {
	{ .method = "GetApprovalRequest",
	  .mode = RPC_READ,
	  .load = { { .query = "approval_request_get",
		      .into = "request",
		      .past = "approval_request_get_past" },
		    { .query = "approval_snapshot_get",
		      .into = ".",
		      .past = "approval_snapshot_get_past" },
		    { .query = "approval_assignees_get",
		      .into = "assignees",
		      .past = "approval_assignees_get_past" },
		    { .query = "approval_votes_get",
		      .into = "votes",
		      .past = "approval_votes_get_past" } } },
	{ .method = "ListApprovalRequests",
	  .mode = RPC_LIST,
	  .load = { { .query = "approval_request_list",
		      .into = "requests",
		      .past = "approval_request_list_past" } } },
	{ .method = "ListApprovalRequestVersions",
	  .mode = RPC_LIST,
	  .empty_is_not_found = true,
	  .load = { { .query = "approval_request_versions", .into = "versions" } } },
	{ .method = "Inbox",
	  .mode = RPC_LIST,
	  .load = { { .query = "approval_inbox", .into = "items" } } },
	{ .method = "CastVote",
	  .mode = RPC_WRITE,
	  .permission = "decision.cast",
	  .access = "access_approval_request",
	  .visible = VOTE_SEES,
	  .decide_checks_permission = true,
	  .target = "vote_request",
	  .load = { LOAD("dossier_risk_of_request", isms__v1__risk), DOSSIER_LOADS("request"),
		    LOAD("vote_request", isms__v1__approval_request),
		    LOAD("vote_assignees", isms__store__v1__assignee),
		    LOAD("vote_voters", isms__store__v1__account),
		    LOAD("vote_votes", isms__store__v1__vote),
		    LOAD("vote_persons", isms__store__v1__person),
		    LOAD("vote_scope", isms__v1__scope), LOAD("vote_assets", isms__v1__asset),
		    LOAD("vote_grants", isms__store__v1__candidate),
		    LOAD("vote_delegations", isms__store__v1__held_delegation),
		    LOAD("vote_pace", isms__store__v1__decision_pace),
		    LOAD("vote_policies", isms__v1__approval_policy) },
	  .decide = vote_cast },
	{ .method = "CanI",
	  .mode = RPC_READ,
	  .load = { LOAD("can_i_object", isms__store__v1__asked_object),
		    LOAD("can_i_user", isms__store__v1__asked_user),
		    LOAD("can_i_holders", isms__store__v1__asked_user),
		    LOAD("can_i_people", isms__store__v1__asked_user),
		    LOAD("can_i_request", isms__v1__approval_request),
		    LOAD("can_i_assignees", isms__store__v1__assignee),
		    LOAD("can_i_voters", isms__store__v1__account),
		    LOAD("can_i_votes", isms__store__v1__vote),
		    LOAD("can_i_grants", isms__store__v1__candidate),
		    LOAD("can_i_delegations", isms__store__v1__held_delegation),
		    LOAD("can_i_pace", isms__store__v1__decision_pace) },
	  .decide = can_i },
	{ .method = "ChangesSinceMyDecision",
	  .mode = RPC_READ,
	  .load = { LOAD("changes_asked", isms__store__v1__asked_decision),
		    LOAD("changes_earlier", isms__store__v1__earlier_decision) },
	  .decide = insight_changes },
	{ .method = "GetDecisionBundle",
	  .mode = RPC_READ,
	  .permission = "audit.read",
	  .load = { { .query = "bundle_request", .into = "request" },
		    { .query = "bundle_snapshot", .into = "." },
		    { .query = "bundle_policy", .into = "policy" },
		    { .query = "bundle_assignees", .into = "assignees" },
		    { .query = "bundle_votes", .into = "votes" },
		    { .query = "bundle_delegations", .into = "delegations" },
		    { .query = "bundle_events", .into = "events" } } },
};

const struct rpc_service approval_service = {
	.descriptor = &isms__v1__approval_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
