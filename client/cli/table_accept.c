/* Commands: acceptances, approval requests, the inbox and policies. */
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
		      FLAG("--state", "STATE", "state", "only in this state"), AS_OF },
	  .examples = { "isms accept list --state active", "isms accept list --risk RSK-42" } },
	{ .noun = "accept",
	  .verb = "show",
	  .summary = "one acceptance",
	  .method = "AcceptanceService/GetAcceptance",
	  .row = "acceptance",
	  .columns = "REF=meta.ref STATE=state IN_FORCE=effective LEVEL=level RISK=risk_id "
		     "UNTIL=valid_until RATIONALE=rationale",
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
	VOTES("accept", "an acceptance", ACCEPT_VOTE, "ACC-3"),

	{ .noun = "inbox",
	  .summary = "what waits for your decision",
	  .method = "ApprovalService/Inbox",
	  .shape = COMMAND_LIST,
	  .row = "items",
	  .id = "request_id",
	  .columns = "REQUEST=request_ref SUBJECT=subject_ref LEVEL=level STEP=step_no AS=via "
		     "FOR=on_behalf_of_name ESCALATED=escalated FROM=requested_by_name "
		     "SINCE=requested_at UNTIL=due_at RISK=title",
	  .run = watch_inbox,
	  .params = { SWITCH("--watch", NULL, "go on and tell what comes and goes, until Ctrl-C") },
	  .examples = { "isms inbox", "isms inbox --watch -o json" } },
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
	VOTES("approval", "what is asked", ANY_VOTE, "TRP-7"),
	{ 0 },
};
