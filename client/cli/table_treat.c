/* Commands: treatment plans and decisions on them. */
#include "client/cli/table.h"
#include "client/cli/vote.h"

#define PLAN_WORD WORD("PLAN", "id", "plan", "ref or id")

#define PLAN_FLAGS                                                                                 \
	FLAG("--rationale", "TEXT", "fields.rationale", "why this option"),                        \
		FLAG("--target", "LxI", "fields.target",                                           \
		     "likelihood and impact aimed at, such as 2x3"),                               \
		FLAG("--due", "DATE", "fields.due_at", "when it is to be done"),                   \
		{ .name = "--action",                                                              \
		  .value = "PARTS",                                                                \
		  .path = "fields.actions",                                                        \
		  .element = "control_id assignee_id description due_at",                          \
		  .flags = PARAM_MANY,                                                             \
		  .help = "mitigate: 'control=C-AI-20; assignee=USER; due=DATE; "                  \
			  "description=TEXT'" },                                                   \
		FLAG("--mechanism", "HOW", "fields.transfer.mechanism",                            \
		     "transfer: insurance or outsourcing"),                                        \
		FLAG("--counterparty", "TEXT", "fields.transfer.counterparty",                     \
		     "transfer: who takes it over"),                                               \
		FLAG("--contract", "TEXT", "fields.transfer.contract_ref",                         \
		     "transfer: contract or policy number"),                                       \
		FLAG("--lapses", "DATE", "fields.transfer.valid_until",                            \
		     "transfer: when it lapses"),                                                  \
		FLAG("--retained", "TEXT", "fields.transfer.retained_duty",                        \
		     "transfer: what stays with us"),                                              \
		FLAG("--avoid-system", "SYSTEM", "fields.avoid.ai_system_id",                      \
		     "avoid: system not used"),                                                    \
		FLAG("--avoid-action", "WHAT", "fields.avoid.action",                              \
		     "avoid: not-deploy, decommission or disable-feature")

#define VOTE_PARAMS                                                                                \
	{ .name = "ID",                                                                            \
	  .help = "ref or id of the plan or of its approval request",                              \
	  .flags = PARAM_REQUIRED },                                                               \
		FLAG("--digest", "HEX", NULL, "decide only on what has this digest; asks nothing")

#define COMMENT        FLAG("--comment", "TEXT", NULL, "why")
#define COMMENT_NEEDED NEED("--comment", "TEXT", NULL, "why")

#define VOTE_COLUMNS                                                                               \
	"REF=request.meta.ref STATE=request.state SUBJECT=request.subject_ref "                    \
	"STEP=request.current_step REMAINING=remaining"

const struct command table_treat[] = {
	{ .noun = "treat",
	  .verb = "list",
	  .summary = "treatment plans that you may see",
	  .method = "TreatmentService/ListPlans",
	  .shape = COMMAND_LIST,
	  .row = "plans",
	  .columns = "REF=meta.ref OPTION=option STATE=state RISK=risk_id AUTHOR=author_id "
		     "DUE=content.due_at RATIONALE=content.rationale",
	  .params = { FLAG("--risk", "RISK", "risk_id", "only of this risk"),
		      FLAG("--state", "STATE", "state", "only in this state") },
	  .examples = { "isms treat list --state submitted", "isms treat list --risk RSK-42" } },
	{ .noun = "treat",
	  .verb = "show",
	  .summary = "one treatment plan",
	  .method = "TreatmentService/GetPlan",
	  .row = "plan",
	  .columns = "REF=meta.ref OPTION=option STATE=state RISK=risk_id AUTHOR=author_id "
		     "DUE=content.due_at RATIONALE=content.rationale",
	  .params = { PLAN_WORD },
	  .examples = { "isms treat show TRP-7", "isms treat show TRP-7 -o json" } },
	{ .noun = "treat",
	  .verb = "create",
	  .summary = "draft a treatment plan for a risk",
	  .method = "TreatmentService/CreatePlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { WORD("RISK", "risk_id", "risk", "ref or id"),
		      NEED("--option", "HOW", "option", "mitigate, transfer or avoid"),
		      PLAN_FLAGS },
	  .examples = { "isms treat create RSK-42 --option mitigate --target 2x3 --due +90d "
			"--rationale 'filters cost less than the loss' --action 'control=C-AI-20; "
			"assignee=me; due=+60d; description=filter hidden text'",
			"isms treat create RSK-42 --option transfer --mechanism insurance "
			"--counterparty 'Example Insurance' --lapses 2030-12-31 --retained 'tell "
			"the "
			"insurer within 3 days'" },
	  .next = "isms treat submit {ref}" },
	{ .noun = "treat",
	  .verb = "edit",
	  .summary = "change a plan that is a draft",
	  .method = "TreatmentService/UpdatePlan",
	  .shape = COMMAND_EDIT,
	  .row = "plan",
	  .get = "TreatmentService/GetPlan",
	  .current = "plan.content",
	  .params = { PLAN_WORD, PLAN_FLAGS },
	  .examples = { "isms treat edit TRP-7 --due 2030-06-30",
			"isms treat edit TRP-7 --target 2x2 --rationale @why.txt" },
	  .next = "isms treat submit {ref}" },
	{ .noun = "treat",
	  .verb = "submit",
	  .summary = "ask for a decision on a plan",
	  .method = "TreatmentService/SubmitPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD },
	  .examples = { "isms treat submit TRP-7", "isms treat submit TRP-7 --dry-run" },
	  .next = "isms approval show {ref} | isms treat withdraw {ref}" },
	{ .noun = "treat",
	  .verb = "withdraw",
	  .summary = "take a submitted plan back",
	  .method = "TreatmentService/WithdrawPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD },
	  .examples = { "isms treat withdraw TRP-7", "isms treat withdraw TRP-7 -o json" } },
	{ .noun = "treat",
	  .verb = "approve",
	  .summary = "approve a submitted plan",
	  .method = "ApprovalService/CastVote",
	  .shape = COMMAND_WRITE,
	  .columns = VOTE_COLUMNS,
	  .id = "request.meta.id",
	  .run = vote_approve,
	  .params = { VOTE_PARAMS, COMMENT },
	  .examples = { "isms treat approve TRP-7",
			"isms treat approve APR-9 --comment 'as discussed' --yes" } },
	{ .noun = "treat",
	  .verb = "reject",
	  .summary = "reject a submitted plan for good",
	  .method = "ApprovalService/CastVote",
	  .shape = COMMAND_WRITE,
	  .columns = VOTE_COLUMNS,
	  .id = "request.meta.id",
	  .run = vote_reject,
	  .params = { VOTE_PARAMS, COMMENT_NEEDED },
	  .examples = { "isms treat reject TRP-7 --comment 'too late'",
			"isms treat reject TRP-7 --comment @why.txt --yes" } },
	{ .noun = "treat",
	  .verb = "request-changes",
	  .summary = "send a plan back to its author",
	  .method = "ApprovalService/CastVote",
	  .shape = COMMAND_WRITE,
	  .columns = VOTE_COLUMNS,
	  .id = "request.meta.id",
	  .run = vote_request_changes,
	  .params = { VOTE_PARAMS, COMMENT_NEEDED },
	  .examples = { "isms treat request-changes TRP-7 --comment 'name a second control'",
			"isms treat request-changes TRP-7 --comment @why.txt --yes" } },
	{ 0 },
};
