/* Commands: treatment plans and decisions on them. */
#include "client/cli/table.h"

#define PLAN_WORD WORD("PLAN", "id", "plan", "ref or id")

#define PLAN_FLAGS                                                                                 \
	FLAG("--rationale", "TEXT", "fields.rationale", "why this option"),                        \
		FLAG("--target", "LxI", "fields.target",                                           \
		     "likelihood and impact aimed at, such as 2x3"),                               \
		FLAG("--due", "DATE", "fields.due_at", "when it is to be done"),                   \
		FLAG("--cost", "AMOUNT", "fields.cost", "what it costs, such as 1500.00"),         \
		FLAG("--cost-currency", "CODE", "fields.cost_currency", "of the cost: EUR"),       \
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
		FLAG("--covers-from", "DATE", "fields.transfer.valid_from",                        \
		     "transfer: when its cover begins; with the approval without it"),             \
		FLAG("--lapses", "DATE", "fields.transfer.valid_until",                            \
		     "transfer: when it lapses"),                                                  \
		FLAG("--retained", "TEXT", "fields.transfer.retained_duty",                        \
		     "transfer: what stays with us"),                                              \
		FLAG("--coverage", "AMOUNT", "fields.transfer.coverage_amount",                    \
		     "transfer: what it covers at most, such as 1500000.00"),                      \
		FLAG("--deductible", "AMOUNT", "fields.transfer.deductible",                       \
		     "transfer: what we bear of each loss"),                                       \
		FLAG("--currency", "CODE", "fields.transfer.currency",                             \
		     "transfer: of coverage and deductible: EUR"),                                 \
		FLAG("--cover-evidence", "TITLE", "fields.transfer.evidence.title",                \
		     "transfer: what shows it"),                                                   \
		FLAG("--cover-evidence-uri", "URI", "fields.transfer.evidence.uri",                \
		     "transfer: where that is kept"),                                              \
		FLAG("--cover-evidence-sha256", "HEX", "fields.transfer.evidence.sha256",          \
		     "transfer: SHA-256 of that"),                                                 \
		FLAG("--avoid-system", "SYSTEM", "fields.avoid.ai_system_id",                      \
		     "avoid: system not used"),                                                    \
		FLAG("--avoid-action", "WHAT", "fields.avoid.action",                              \
		     "avoid: not-deploy, decommission or disable-feature"),                        \
		FLAG("--avoid-from", "DATE", "fields.avoid.effective_at",                          \
		     "avoid: from when on; with the approval without it"),                         \
		FLAG("--avoid-evidence", "TITLE", "fields.avoid.evidence.title",                   \
		     "avoid: what shows it"),                                                      \
		FLAG("--avoid-evidence-uri", "URI", "fields.avoid.evidence.uri",                   \
		     "avoid: where that is kept"),                                                 \
		FLAG("--avoid-evidence-sha256", "HEX", "fields.avoid.evidence.sha256",             \
		     "avoid: SHA-256 of that")

#define PLAN_VOTE VOTE_WORD("ref or id of the plan or of its approval request")

#define EVIDENCE_FLAGS                                                                             \
	FLAG("--evidence-uri", "URI", "evidence.uri", "where the proof is kept"),                  \
		FLAG("--evidence-sha256", "HEX", "evidence.sha256", "SHA-256 of the proof")

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
		      FLAG("--state", "STATE", "state", "only in this state"), AS_OF },
	  .examples = { "isms treat list --state submitted", "isms treat list --risk RSK-42" } },
	{ .noun = "treat",
	  .verb = "show",
	  .summary = "one treatment plan",
	  .method = "TreatmentService/GetPlan",
	  .row = "plan",
	  .columns = "REF=meta.ref OPTION=option STATE=state RISK=risk_id AUTHOR=author_id "
		     "DUE=content.due_at COST=content.cost CURRENCY=content.cost_currency "
		     "SUPERSEDES=supersedes_id RATIONALE=content.rationale",
	  .params = { PLAN_WORD, AS_OF },
	  .examples = { "isms treat show TRP-7", "isms treat show TRP-7 -o json" } },
	{ .noun = "treat",
	  .summary = "versions of a plan, with what each changed",
	  HISTORY("PLAN", "plan", "TreatmentService/ListPlanVersions",
		  "STATE=state DUE=content.due_at", "treat history TRP-7") },
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
			"--counterparty 'Example Insurance' --covers-from 2030-01-01T00:00:00Z "
			"--lapses 2030-12-31 --coverage 1500000.00 --deductible 25000 --currency "
			"EUR --retained 'tell the insurer within 3 days'" },
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
	VOTES("treat", "a treatment plan", PLAN_VOTE, "TRP-7"),
	{ .noun = "treat",
	  .verb = "start",
	  .summary = "begin with an approved plan",
	  .method = "TreatmentService/StartPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD },
	  .examples = { "isms treat start TRP-7", "isms treat start TRP-7 --dry-run" },
	  .next = "isms treat action {ref} 1 --state doing" },
	{ .noun = "treat",
	  .verb = "action",
	  .summary = "say how one action of a plan stands",
	  .method = "TreatmentService/UpdateAction",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .get = "TreatmentService/GetPlan",
	  .params = { PLAN_WORD,
		      { .name = "NO",
			.path = "action_no",
			.help = "place of the action in the plan: 1, 2, …",
			.flags = PARAM_REQUIRED },
		      NEED("--state", "STATE", "state", "todo, doing, done, blocked or dropped"),
		      FLAG("--due", "DATE", "due_at", "new date until when"),
		      FLAG("--slip-reason", "TEXT", "slip_reason", "why it is put off"),
		      FLAG("--note", "TEXT", "note",
			   "what there is to say; needed for blocked "
			   "and dropped"),
		      FLAG("--evidence", "TITLE", "evidence.title", "what shows that it was done"),
		      EVIDENCE_FLAGS },
	  .examples = { "isms treat action TRP-7 1 --state done --evidence 'test report' "
			"--evidence-uri https://docs.example.org/42",
			"isms treat action TRP-7 2 --state doing --due +30d --slip-reason 'the "
			"provider is late'" },
	  .next = "isms treat implement {ref}" },
	{ .noun = "treat",
	  .verb = "implement",
	  .summary = "say that all of a plan is done",
	  .method = "TreatmentService/ImplementPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD,
		      FLAG("--evidence", "TITLE", "evidence.title",
			   "what shows it; needed for transfer and avoid"),
		      EVIDENCE_FLAGS, FLAG("--note", "TEXT", "note", "what there is to say") },
	  .examples = { "isms treat implement TRP-7",
			"isms treat implement TRP-7 --evidence 'signed contract' --evidence-uri "
			"https://docs.example.org/43" },
	  .next = "isms treat verify {ref} --verdict effective --evidence TITLE" },
	{ .noun = "treat",
	  .verb = "verify",
	  .summary = "say whether a plan works, with evidence",
	  .method = "TreatmentService/VerifyPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD, NEED("--verdict", "WHAT", "verdict", "effective or ineffective"),
		      NEED("--evidence", "TITLE", "evidence.title", "what shows it"),
		      EVIDENCE_FLAGS,
		      FLAG("--comment", "TEXT", "comment",
			   "what there is to say; needed for ineffective") },
	  .examples = { "isms treat verify TRP-7 --verdict effective --evidence 'red team report'",
			"isms treat verify TRP-7 --verdict ineffective --evidence 'incident 12' "
			"--comment 'the filter misses images'" },
	  .next = "isms treat show {ref}" },
	{ .noun = "treat",
	  .verb = "cancel",
	  .summary = "give up an approved plan",
	  .method = "TreatmentService/CancelPlan",
	  .shape = COMMAND_WRITE,
	  .row = "plan",
	  .params = { PLAN_WORD, NEED("--reason", "TEXT", "reason", "why") },
	  .examples = { "isms treat cancel TRP-7 --reason 'the system is retired'",
			"isms treat cancel TRP-7 --reason @why.txt" } },
	{ 0 },
};
