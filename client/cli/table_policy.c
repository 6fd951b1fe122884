/* Commands: delegations; approval policies and how they change. */
#include "client/cli/table.h"

#define POLICY_WORD WORD("POLICY", "id", "policy", "ref or id")
#define POLICY_VOTE VOTE_WORD("ref or id of the policy or of its approval request")

#define POLICY_FLAGS                                                                               \
	FLAG("--min-level", "LEVEL", "fields.min_level", "for risks from this level"),             \
		FLAG("--max-level", "LEVEL", "fields.max_level", "for risks up to this level"),    \
		FLAG("--priority", "N", "fields.priority",                                         \
		     "higher wins in the same scope, 0 to 1000"),                                  \
		{ .name = "--step",                                                                \
		  .value = "PARTS",                                                                \
		  .path = "fields.steps.steps",                                                    \
		  .element =                                                                       \
			  "step_no mode quorum selector role_code user_ids distinct_from_prior "   \
			  "allow_delegate due_hours escalate_after_hours escalate_to_role",        \
		  .flags = PARAM_MANY,                                                             \
		  .help = "'mode=any; selector=role; role=CISO; distinct_from_prior=true; "        \
			  "due_hours=72', in order; other selectors: risk-owner, scope-owner, "    \
			  "asset-owner, and users with 'users=a@x,b@y'" },                         \
		SWITCH("--reject-may-be-outvoted", "fields.steps.reject_may_be_outvoted",          \
		       "a rejection is no veto: it ends a request when too few are left"),         \
		FLAG("--review-days", "N", "fields.steps.review_days",                             \
		     "days to review an acceptance after a material change; 0: it ends")

#define DELEGATION_WORD WORD("DELEGATION", "id", "delegation", "ref or id")
#define DELEGATION_COLUMNS                                                                         \
	"REF=meta.ref STATE=state FROM=from_name TO=to_name SCOPE=scope_id UP_TO=max_level "       \
	"SINCE=starts_at UNTIL=ends_at REASON=reason"

const struct command table_policy[] = {
	{ .noun = "delegation",
	  .verb = "create",
	  .summary = "let somebody else vote for you for a while",
	  .method = "DelegationService/CreateDelegation",
	  .shape = COMMAND_WRITE,
	  .row = "delegation",
	  .params = { WORD("USER", "to_user_id", "user", "who may vote: e-mail or id"),
		      NEED("--scope", "SCOPE", "scope_id", "where, and below"),
		      NEED("--until", "DATE", "ends_at", "until when, at most 30 days"),
		      NEED("--reason", "TEXT", "reason", "why, such as a holiday"),
		      FLAG("--from", "DATE", "starts_at", "from when; now without it"),
		      FLAG("--max-level", "LEVEL", "max_level",
			   "up to this level; as far as you may accept without it"),
		      MANY("--for", "KIND", "subject_kinds",
			   "only for treatment-plan, acceptance or policy-change") },
	  .examples = { "isms delegation create dana.manager@example.org --scope Support --until "
			"+14d --reason holiday",
			"isms delegation create dana.manager@example.org --scope Support --from "
			"2030-07-01T00:00:00Z --until 2030-07-14 --max-level medium --reason "
			"holiday" },
	  .next = "isms delegation revoke {ref} --reason TEXT ends it" },
	{ .noun = "delegation",
	  .verb = "list",
	  .summary = "delegations from you, to you and in your scopes",
	  .method = "DelegationService/ListDelegations",
	  .shape = COMMAND_LIST,
	  .row = "delegations",
	  .columns = DELEGATION_COLUMNS,
	  .params = { FLAG("--user", "USER", "user_id", "only from or to this user"),
		      SWITCH("--open", "open_only", "only those that are not over"), AS_OF },
	  .examples = { "isms delegation list --open", "isms delegation list --user me -o json" } },
	{ .noun = "delegation",
	  .verb = "show",
	  .summary = "one delegation",
	  .method = "DelegationService/GetDelegation",
	  .row = "delegation",
	  .columns = DELEGATION_COLUMNS,
	  .params = { DELEGATION_WORD, AS_OF },
	  .examples = { "isms delegation show DEL-1", "isms delegation show DEL-1 -o json" } },
	{ .noun = "delegation",
	  .summary = "versions of a delegation, with what each changed",
	  HISTORY("DELEGATION", "delegation", "DelegationService/ListDelegationVersions",
		  "STATE=state UNTIL=ends_at REVOKED=revoked_at", "delegation history DEL-1") },
	{ .noun = "delegation",
	  .verb = "revoke",
	  .summary = "end a delegation at once",
	  .method = "DelegationService/RevokeDelegation",
	  .shape = COMMAND_WRITE,
	  .row = "delegation",
	  .params = { DELEGATION_WORD, NEED("--reason", "TEXT", "reason", "why") },
	  .examples = { "isms delegation revoke DEL-1 --reason 'back from holiday'",
			"isms delegation revoke DEL-1 --reason @why.txt" } },

	{ .noun = "policy",
	  .verb = "list",
	  .summary = "approval policies, newest first",
	  .method = "PolicyService/ListPolicies",
	  .shape = COMMAND_LIST,
	  .row = "policies",
	  .columns = "REF=meta.ref NO=no STATE=state FOR=subject_kind SCOPE=scope_id "
		     "FROM=min_level TO=max_level PRIORITY=priority STEPS=steps TITLE=title",
	  .params = { FLAG("--state", "STATE", "state", "only in this state"),
		      FLAG("--for", "KIND", "subject_kind",
			   "only for treatment-plan, acceptance or policy-change"),
		      AS_OF },
	  .examples = { "isms policy list --state active", "isms policy list --for acceptance" } },
	{ .noun = "policy",
	  .verb = "show",
	  .summary = "one approval policy",
	  .method = "PolicyService/GetPolicy",
	  .row = "policy",
	  .columns = "REF=meta.ref NO=no STATE=state FOR=subject_kind SCOPE=scope_id "
		     "FROM=min_level TO=max_level PRIORITY=priority STEPS=steps TITLE=title",
	  .params = { POLICY_WORD, AS_OF },
	  .examples = { "isms policy show POL-1", "isms policy show POL-1 -o json" } },
	{ .noun = "policy",
	  .summary = "versions of a policy, with what each changed",
	  HISTORY("POLICY", "policy", "PolicyService/ListPolicyVersions",
		  "STATE=state FROM=min_level TO=max_level TITLE=title", "policy history POL-1") },
	{ .noun = "policy",
	  .verb = "create",
	  .summary = "draft a policy, a new text for one, or its repeal",
	  .method = "PolicyService/CreatePolicy",
	  .shape = COMMAND_WRITE,
	  .row = "policy",
	  .params = { NEED("--scope", "SCOPE", "scope_id", "where it will hold, and below"),
		      NEED("--for", "KIND", "subject_kind",
			   "treatment-plan, acceptance or policy-change"),
		      NEED("--title", "TEXT", "fields.title", "short name"),
		      FLAG("--replaces", "POLICY", "replaces_id", "policy whose place it takes"),
		      SWITCH("--repeals", "repeals", "only end the policy of --replaces"),
		      POLICY_FLAGS },
	  .examples = { "isms policy create --scope Support --for acceptance --title 'Committee "
			"decides' --min-level high --step 'mode=any; selector=risk-owner' --step "
			"'mode=quorum; quorum=2; selector=role; role=RISK_COMMITTEE; "
			"distinct_from_prior=true'",
			"isms policy create --scope Support --for acceptance --title 'As above' "
			"--replaces POL-7 --repeals" },
	  .next = "isms policy submit {ref}" },
	{ .noun = "policy",
	  .verb = "edit",
	  .summary = "change a policy that is a draft",
	  .method = "PolicyService/UpdatePolicy",
	  .shape = COMMAND_EDIT,
	  .row = "policy",
	  .get = "PolicyService/GetPolicy",
	  .params = { POLICY_WORD, FLAG("--title", "TEXT", "fields.title", "short name"),
		      POLICY_FLAGS },
	  .examples = { "isms policy edit POL-7 --priority 10",
			"isms policy edit POL-7 --step 'mode=any; selector=asset-owner' --step "
			"'mode=all; selector=users; users=dana.manager@example.org,"
			"alex.owner@example.org; distinct_from_prior=true' "
			"--reject-may-be-outvoted" },
	  .next = "isms policy submit {ref}" },
	{ .noun = "policy",
	  .verb = "simulate",
	  .summary = "what would be different if a policy were in force",
	  .method = "PolicyService/SimulatePolicy",
	  .columns = "LOOKED_AT=looked_at REQUESTS=effects.request_ref HIDDEN=hidden "
		     "PEOPLE=people.display_name PROBLEMS=levels.problem",
	  .id = "effects.request_id",
	  .print = simulate_print,
	  .params = { WORD("POLICY", "policy_id", "policy", "ref or id of one not decided yet") },
	  .examples = { "isms policy simulate POL-7", "isms policy simulate POL-7 -o json" } },
	{ .noun = "policy",
	  .verb = "submit",
	  .summary = "ask for a decision on a change of policies",
	  .method = "PolicyService/SubmitPolicy",
	  .shape = COMMAND_WRITE,
	  .row = "policy",
	  .params = { POLICY_WORD },
	  .examples = { "isms policy submit POL-7", "isms policy submit POL-7 --dry-run" },
	  .next = "isms approval show {ref} | isms policy withdraw {ref}" },
	{ .noun = "policy",
	  .verb = "withdraw",
	  .summary = "take a submitted change of policies back",
	  .method = "PolicyService/WithdrawPolicy",
	  .shape = COMMAND_WRITE,
	  .row = "policy",
	  .params = { POLICY_WORD },
	  .examples = { "isms policy withdraw POL-7", "isms policy withdraw POL-7 -o json" } },
	VOTES("policy", "a change of policies", POLICY_VOTE, "POL-7"),
	{ 0 },
};
