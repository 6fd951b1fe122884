/* Commands: acceptances, approval requests, the inbox, and who may do what. */
#include "client/cli/bundle.h"
#include "client/cli/can.h"
#include "client/cli/diff.h"
#include "client/cli/table.h"
#include "client/cli/watch.h"

#define ACCEPT_WORD WORD("ACCEPTANCE", "id", "acceptance", "ref or id")

#define ACCEPT_FLAGS                                                                               \
	FLAG("--business-reason", "TEXT", "fields.business_reason", "what is gained by it"),       \
		FLAG("--conditions", "TEXT", "fields.conditions", "what must hold meanwhile"),     \
		MANY("--control", "CODE", "fields.compensating_control_ids",                       \
		     "control that makes up for the missing treatment")

#define ACCEPT_VOTE VOTE_WORD("ref or id of the acceptance or of its approval request")
#define ANY_VOTE    VOTE_WORD("ref or id of the request, or ref of its subject")

#define REQUEST_COLUMNS                                                                            \
	"REF=meta.ref STATE=state SUBJECT=subject_ref LEVEL=level STEP=current_step "              \
	"BY=requested_by SINCE=meta.created_at CLOSED=closed_at RISK=risk_id"

#define CAN_COLUMNS                                                                                \
	"ALLOWED=allowed REASON=reason MISSING=missing_permission SCOPE=scope_id "                 \
	"KIND=object_kind REF=object_ref WHO_CAN=who_can.display_name"
#define CAN_PARAMS                                                                                 \
	{ .name = "PERMISSION",                                                                    \
	  .help = "such as risk.write or decision.cast",                                           \
	  .flags = PARAM_REQUIRED },                                                               \
		{ .name = "OBJECT",                                                                \
		  .help = "ref, id or name of a scope; decision.cast on a plan is on its request", \
		  .flags = PARAM_REQUIRED },                                                       \
		FLAG("--user", "USER", "user_id", "whether this account may")

const struct command table_accept[] = {
	{ .noun = "accept",
	  .verb = "list",
	  .summary = "acceptances that you may see",
	  .method = "AcceptanceService/ListAcceptances",
	  .shape = COMMAND_LIST,
	  .row = "acceptances",
	  .columns = "REF=meta.ref STATE=state IN_FORCE=effective LEVEL=level RISK=risk_id "
		     "UNTIL=valid_until RATIONALE=rationale",
	  .params = { FLAG("--risk", "RISK", "risk_id", "only of this risk"),
		      FLAG("--state", "STATE", "state", "only in this state"),
		      SWITCH("--in-force", "effective_only", "only what is in force"), AS_OF },
	  .examples = { "isms accept list --in-force", "isms accept list --risk RSK-42" } },
	{ .noun = "accept",
	  .verb = "show",
	  .summary = "one acceptance",
	  .method = "AcceptanceService/GetAcceptance",
	  .row = "acceptance",
	  .columns = "REF=meta.ref VERSION=meta.version STATE=state IN_FORCE=effective LEVEL=level "
		     "RISK=risk_id UNTIL=valid_until REVIEW_UNTIL=review_due_at "
		     "CHANGED=review_reason RATIONALE=rationale",
	  .params = { ACCEPT_WORD, AS_OF },
	  .examples = { "isms accept show ACC-3", "isms accept show ACC-3 --as-of -30d" } },
	{ .noun = "accept",
	  .summary = "versions of an acceptance, with what each changed",
	  HISTORY("ACCEPTANCE", "acceptance", "AcceptanceService/ListAcceptanceVersions",
		  "STATE=state IN_FORCE=effective UNTIL=valid_until", "accept history ACC-3") },
	{ .noun = "accept",
	  .verb = "create",
	  .summary = "draft an acceptance of a risk",
	  .method = "AcceptanceService/CreateAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .params = { WORD("RISK", "risk_id", "risk", "ref or id"),
		      NEED("--until", "DATE", "fields.valid_until", "until when"),
		      NEED("--rationale", "TEXT", "fields.rationale",
			   "why the risk is borne, at least 40 characters"),
		      ACCEPT_FLAGS },
	  .examples = { "isms accept create RSK-42 --until +60d --rationale 'no second provider "
			"before the contract ends; the manual way was tested'",
			"isms accept create RSK-42 --until 2030-01-31 --rationale @why.txt "
			"--control "
			"C-AI-20" },
	  .next = "isms accept submit {ref}" },
	{ .noun = "accept",
	  .verb = "edit",
	  .summary = "change an acceptance that is a draft",
	  .method = "AcceptanceService/UpdateAcceptance",
	  .shape = COMMAND_EDIT,
	  .row = "acceptance",
	  .get = "AcceptanceService/GetAcceptance",
	  .params = { ACCEPT_WORD, FLAG("--until", "DATE", "fields.valid_until", "until when"),
		      FLAG("--rationale", "TEXT", "fields.rationale",
			   "why the risk is borne, at least 40 characters"),
		      ACCEPT_FLAGS },
	  .examples = { "isms accept edit ACC-3 --until +30d",
			"isms accept edit ACC-3 --conditions 'rehearsal every month'" },
	  .next = "isms accept submit {ref}" },
	{ .noun = "accept",
	  .verb = "submit",
	  .summary = "ask for a decision on an acceptance",
	  .method = "AcceptanceService/SubmitAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .params = { ACCEPT_WORD },
	  .examples = { "isms accept submit ACC-3", "isms accept submit ACC-3 --dry-run" },
	  .next = "isms approval show {ref} | isms accept withdraw {ref}" },
	{ .noun = "accept",
	  .verb = "withdraw",
	  .summary = "take a submitted acceptance back",
	  .method = "AcceptanceService/WithdrawAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .params = { ACCEPT_WORD },
	  .examples = { "isms accept withdraw ACC-3", "isms accept withdraw ACC-3 -o json" } },
	{ .noun = "accept",
	  .verb = "revoke",
	  .summary = "end an acceptance that is in force",
	  .method = "AcceptanceService/RevokeAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .params = { ACCEPT_WORD, NEED("--reason", "TEXT", "reason", "why") },
	  .examples = { "isms accept revoke ACC-3 --reason 'a second provider was found'",
			"isms accept revoke ACC-3 --reason @why.txt" } },
	{ .noun = "accept",
	  .verb = "renew",
	  .summary = "draft the successor of an acceptance",
	  .method = "AcceptanceService/RenewAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .get = "AcceptanceService/GetAcceptance",
	  .params = { ACCEPT_WORD, NEED("--until", "DATE", "valid_until", "until when") },
	  .examples = { "isms accept renew ACC-3 --until +60d",
			"isms accept renew ACC-3 --until 2030-06-30 -o id" },
	  .next = "isms accept submit {ref}" },
	{ .noun = "accept",
	  .verb = "review",
	  .summary = "answer a review of the version that you have seen",
	  .method = "AcceptanceService/ReviewAcceptance",
	  .shape = COMMAND_WRITE,
	  .row = "acceptance",
	  .params = { ACCEPT_WORD, NEED("--outcome", "WHAT", "outcome", "keep or end"),
		      NEED("--comment", "TEXT", "comment", "why") },
	  .examples = { "isms accept review ACC-3 --expected-version 7 --outcome keep --comment "
			"'the new model changes nothing here'",
			"isms accept review ACC-3 --expected-version 7 --outcome end --comment "
			"@why.txt" } },
	VOTES("accept", "an acceptance", ACCEPT_VOTE, "ACC-3"),

	{ .noun = "inbox",
	  .summary = "what waits for your decision: votes and reviews",
	  .method = "ApprovalService/Inbox",
	  .shape = COMMAND_LIST,
	  .row = "items",
	  .id = "request_id",
	  .columns = "KIND=kind REQUEST=request_ref SUBJECT=subject_ref LEVEL=level STEP=step_no "
		     "AS=via "
		     "FOR=on_behalf_of_name ESCALATED=escalated FROM=requested_by_name "
		     "SINCE=requested_at UNTIL=due_at RISK=title",
	  .run = watch_inbox,
	  .params = { SWITCH("--watch", NULL,
			     "go on and tell what comes and goes, until Ctrl-C or the "
			     "session's end 12 hours after the login; it counts as "
			     "use of the session"),
		      MANY("--subject", "KIND", "subject_kinds",
			   "only treatment-plan, acceptance or policy-change"),
		      FLAG("--before", "TIME", "due_before",
			   "only what waits no longer than that") },
	  .examples = { "isms inbox --before +2d", "isms inbox --watch -o json" } },
	{ .noun = "approval",
	  .verb = "list",
	  .summary = "requests that you may see: yours, those you were asked, those of your scopes",
	  .method = "ApprovalService/ListApprovalRequests",
	  .shape = COMMAND_LIST,
	  .row = "requests",
	  .columns = REQUEST_COLUMNS,
	  .params = { FLAG("--state", "STATE", "state", "only in this state, such as pending"),
		      FLAG("--for", "KIND", "subject_kind",
			   "only on treatment-plan, acceptance or policy-change"),
		      FLAG("--scope", "SCOPE", "scope_id", "only of this scope"),
		      FLAG("--risk", "RISK", "risk_id", "only on this risk"),
		      FLAG("--by", "USER", "requested_by", "only those that this user submitted"),
		      AS_OF },
	  .examples = { "isms approval list --state pending",
			"isms approval list --by me --risk RSK-42 -o csv" } },
	{ .noun = "approval",
	  .verb = "show",
	  .summary = "a request: what is decided, by whom",
	  .method = "ApprovalService/GetApprovalRequest",
	  .run = vote_show,
	  .id = "request.meta.id",
	  .columns = "REF=request.meta.ref STATE=request.state SUBJECT=request.subject_ref "
		     "LEVEL=request.level STEP=request.current_step DIGEST=request.snapshot_sha256",
	  .params = { ANY_VOTE,
		      SWITCH("--diff", NULL, "also what is new since your last decision on it"),
		      AS_OF },
	  .examples = { "isms approval show APR-9 --diff",
			"isms approval show ACC-3 -o csv --fields digest" } },
	{ .noun = "approval",
	  .summary = "versions of a request, with what each changed",
	  HISTORY("REQUEST", "approval", "ApprovalService/ListApprovalRequestVersions",
		  "STATE=state STEP=current_step CLOSED=closed_at", "approval history APR-9") },
	{ .noun = "approval",
	  .verb = "diff",
	  .summary = "what is new since your last decision on it",
	  .method = "ApprovalService/ChangesSinceMyDecision",
	  .run = diff_run,
	  .id = "earlier_request_id",
	  .columns = "EARLIER=earlier_request_ref DECISION=earlier_decision WHEN=decided_at "
		     "CHANGED=changes.field",
	  .params = { ANY_VOTE },
	  .examples = { "isms approval diff APR-9", "isms approval diff ACC-3 -o json" } },
	{ .noun = "approval",
	  .verb = "export",
	  .summary = "all that proves a decision, as one file",
	  .method = "ApprovalService/GetDecisionBundle",
	  .run = bundle_export,
	  .params = { ANY_VOTE,
		      NEED("--file", "FILE", NULL, "file to write; - is standard output") },
	  .examples = { "isms approval export APR-9 --file APR-9.json",
			"isms approval export ACC-3 --file -" } },
	{ .noun = "approval",
	  .verb = "verify",
	  .summary = "check such a file, without the server",
	  .run = bundle_verify,
	  .params = { { .name = "FILE",
			.help = "file that export wrote; - is standard input",
			.flags = PARAM_REQUIRED } },
	  .examples = { "isms approval verify APR-9.json", "isms approval verify -" } },
	VOTES("approval", "what is asked", ANY_VOTE, "TRP-7"),
	{ .noun = "can-i",
	  .summary = "whether you may do something, and why not",
	  .method = "ApprovalService/CanI",
	  .run = can_run,
	  .id = "object_ref",
	  .columns = CAN_COLUMNS,
	  .params = { CAN_PARAMS },
	  .examples = { "isms can-i decision.cast ACC-3",
			"isms can-i risk.write RSK-42 -o json" } },
	{ .noun = "why-not",
	  .summary = "the missing permission or the rule, and who could",
	  .method = "ApprovalService/CanI",
	  .run = can_why_not,
	  .id = "object_ref",
	  .columns = CAN_COLUMNS,
	  .params = { CAN_PARAMS },
	  .examples = { "isms why-not decision.cast APR-9",
			"isms why-not risk.write Support --user alex.owner@example.org" } },
	{ 0 },
};
