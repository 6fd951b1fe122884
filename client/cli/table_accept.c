/* Commands: acceptances, approval requests, the inbox and policies. */
#include "client/cli/table.h"
#include "client/cli/vote.h"

#define ACCEPT_WORD WORD("ACCEPTANCE", "id", "acceptance", "ref or id")

#define ACCEPT_FLAGS                                                                               \
	FLAG("--business-reason", "TEXT", "fields.business_reason", "what is gained by it"),       \
		FLAG("--conditions", "TEXT", "fields.conditions", "what must hold meanwhile"),     \
		MANY("--control", "CODE", "fields.compensating_control_ids",                       \
		     "control that makes up for the missing treatment")

#define VOTE_WORD(text)                                                                            \
	{                                                                                          \
		.name = "ID", .help = (text), .flags = PARAM_REQUIRED                              \
	}
#define ACCEPT_VOTE    VOTE_WORD("ref or id of the acceptance or of its approval request")
#define ANY_VOTE       VOTE_WORD("ref or id of the request, or ref of its subject")
#define DIGEST         FLAG("--digest", "HEX", NULL, "decide only on what has this digest; asks nothing")
#define COMMENT        FLAG("--comment", "TEXT", NULL, "why")
#define COMMENT_NEEDED NEED("--comment", "TEXT", NULL, "why")

#define VOTE_ROW                                                                                   \
	.method = "ApprovalService/CastVote", .shape = COMMAND_WRITE, .id = "request.meta.id",     \
	.columns = "REF=request.meta.ref STATE=request.state SUBJECT=request.subject_ref "         \
		   "STEP=request.current_step REMAINING=remaining"

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
		      FLAG("--state", "STATE", "state", "only in this state") },
	  .examples = { "isms accept list --state active", "isms accept list --risk RSK-42" } },
	{ .noun = "accept",
	  .verb = "show",
	  .summary = "one acceptance",
	  .method = "AcceptanceService/GetAcceptance",
	  .row = "acceptance",
	  .columns = "REF=meta.ref STATE=state IN_FORCE=effective LEVEL=level RISK=risk_id "
		     "UNTIL=valid_until RATIONALE=rationale",
	  .params = { ACCEPT_WORD },
	  .examples = { "isms accept show ACC-3", "isms accept show ACC-3 -o json" } },
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
	  .verb = "approve",
	  .summary = "approve a submitted acceptance",
	  VOTE_ROW,
	  .run = vote_approve,
	  .params = { ACCEPT_VOTE, DIGEST, COMMENT },
	  .examples = { "isms accept approve ACC-3", "isms accept approve APR-9 --yes" } },
	{ .noun = "accept",
	  .verb = "reject",
	  .summary = "reject an acceptance for good",
	  VOTE_ROW,
	  .run = vote_reject,
	  .params = { ACCEPT_VOTE, DIGEST, COMMENT_NEEDED },
	  .examples = { "isms accept reject ACC-3 --comment 'not without a rehearsal'",
			"isms accept reject ACC-3 --comment @why.txt --yes" } },
	{ .noun = "accept",
	  .verb = "request-changes",
	  .summary = "send an acceptance back to its author",
	  VOTE_ROW,
	  .run = vote_request_changes,
	  .params = { ACCEPT_VOTE, DIGEST, COMMENT_NEEDED },
	  .examples = { "isms accept request-changes ACC-3 --comment 'shorter, please'",
			"isms accept request-changes ACC-3 --comment @why.txt --yes" } },

	{ .noun = "inbox",
	  .summary = "what waits for your decision",
	  .method = "ApprovalService/Inbox",
	  .shape = COMMAND_LIST,
	  .row = "items",
	  .id = "request_id",
	  .columns = "REQUEST=request_ref SUBJECT=subject_ref LEVEL=level STEP=step_no AS=via "
		     "FROM=requested_by_name SINCE=requested_at RISK=title",
	  .examples = { "isms inbox", "isms inbox -o json" } },
	{ .noun = "approval",
	  .verb = "show",
	  .summary = "a request: what is decided, by whom",
	  .method = "ApprovalService/GetApprovalRequest",
	  .run = vote_show,
	  .id = "request.meta.id",
	  .columns = "REF=request.meta.ref STATE=request.state SUBJECT=request.subject_ref "
		     "LEVEL=request.level STEP=request.current_step DIGEST=request.snapshot_sha256",
	  .params = { ANY_VOTE },
	  .examples = { "isms approval show APR-9",
			"isms approval show ACC-3 -o csv --fields digest" } },
	{ .noun = "approval",
	  .verb = "approve",
	  .summary = "approve what is asked",
	  VOTE_ROW,
	  .run = vote_approve,
	  .params = { ANY_VOTE, DIGEST, COMMENT },
	  .examples = { "isms approval approve APR-9", "isms approval approve ACC-3 --yes" } },
	{ .noun = "approval",
	  .verb = "reject",
	  .summary = "reject what is asked for good",
	  VOTE_ROW,
	  .run = vote_reject,
	  .params = { ANY_VOTE, DIGEST, COMMENT_NEEDED },
	  .examples = { "isms approval reject APR-9 --comment 'too long'",
			"isms approval reject TRP-7 --comment @why.txt --yes" } },
	{ .noun = "approval",
	  .verb = "request-changes",
	  .summary = "send it back to its author",
	  VOTE_ROW,
	  .run = vote_request_changes,
	  .params = { ANY_VOTE, DIGEST, COMMENT_NEEDED },
	  .examples = { "isms approval request-changes APR-9 --comment 'name the control'",
			"isms approval request-changes TRP-7 --comment @why.txt --yes" } },
	{ .noun = "policy",
	  .verb = "list",
	  .summary = "approval policies, newest first",
	  .method = "PolicyService/ListPolicies",
	  .shape = COMMAND_LIST,
	  .row = "policies",
	  .columns = "REF=meta.ref NO=no STATE=state FOR=subject_kind SCOPE=scope_id "
		     "FROM=min_level TO=max_level PRIORITY=priority STEPS=steps TITLE=title",
	  .examples = { "isms policy list", "isms policy list -o json" } },
	{ 0 },
};
