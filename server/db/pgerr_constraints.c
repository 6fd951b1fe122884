/* Constraints that the calls of clients can run into, one row each, sorted by
 * name. The decisions refuse most of this before; these rows speak where two
 * calls raced. */
#include "server/db/pgerr.h"

#define EXISTS       STATUS_CODE_ALREADY_EXISTS
#define INVALID      STATUS_CODE_INVALID_ARGUMENT
#define PRECONDITION STATUS_CODE_FAILED_PRECONDITION

const struct pgerr_constraint pgerr_constraints[] = {
	{ "ai_system_name_key", EXISTS, "NAME_TAKEN", "fields.name",
	  "an ai system of this scope has this name" },
	{ "app_user_email_key", EXISTS, "EMAIL_TAKEN", "email",
	  "another account has this e-mail address" },
	{ "approval_policy_successor_key", PRECONDITION, "POLICY_REPLACED", NULL,
	  "another policy has replaced that one" },
	{ "approval_request_open_key", PRECONDITION, "REQUEST_OPEN", NULL,
	  "an approval request on this is open" },
	{ "approval_vote_authority_key", EXISTS, "ALREADY_VOTED", NULL,
	  "this person's vote was cast in this step" },
	{ "approval_vote_ordinal_key", STATUS_CODE_ABORTED, "SERIALIZATION_FAILURE", NULL,
	  "the person has voted at the same time" },
	{ "approval_vote_person_key", EXISTS, "ALREADY_VOTED", NULL,
	  "this person has voted in this step" },
	{ "asset_name_key", EXISTS, "NAME_TAKEN", "fields.name",
	  "an asset of this scope has this name" },
	{ "control_code_key", EXISTS, "CODE_TAKEN", "code", "another control has this code" },
	{ "idempotency_pkey", STATUS_CODE_ABORTED, "IDEMPOTENCY_RACE", NULL,
	  "the same request is being answered" },
	{ "organisation_code_key", EXISTS, "CODE_TAKEN", "code",
	  "another organisation has this code" },
	{ "risk_acceptance_in_force_excl", PRECONDITION, "ACCEPTANCE_IN_FORCE", NULL,
	  "another acceptance of this risk is in force" },
	{ "risk_acceptance_plan_key", EXISTS, "ACCEPTANCE_EXISTS", "plan_id",
	  "the plan has an acceptance" },
	{ "risk_method_active_key", PRECONDITION, "METHOD_ACTIVE", NULL,
	  "another risk method is active" },
	{ "risk_method_no_key", EXISTS, "NUMBER_TAKEN", NULL,
	  "another risk method has this number" },
	{ "scope_closure_depth_check", PRECONDITION, "SCOPE_TOO_DEEP", NULL,
	  "a scope has at most 31 scopes above it" },
	{ "scope_name_key", EXISTS, "NAME_TAKEN", "fields.name",
	  "a scope beside this one has this name" },
	{ "scope_root_key", PRECONDITION, "ROOT_EXISTS", NULL,
	  "the organisation has a root scope" },
	{ "threat_code_key", EXISTS, "CODE_TAKEN", "code", "another threat has this code" },
	{ "treatment_plan_ai_system_fkey", INVALID, "INVALID_FIELD", "fields.avoid.ai_system_id",
	  "names something that does not exist" },
	{ "treatment_plan_assignee_user_fkey", INVALID, "INVALID_FIELD",
	  "fields.actions.assignee_id", "names something that does not exist" },
	{ "treatment_plan_control_control_fkey", INVALID, "INVALID_FIELD",
	  "fields.actions.control_id", "names something that does not exist" },
	{ "treatment_plan_in_force_excl", PRECONDITION, "PLAN_IN_FORCE", NULL,
	  "another plan of this kind is in force for this risk" },
	{ "treatment_plan_open_key", PRECONDITION, "PLAN_OPEN", NULL,
	  "another plan of this kind is open for this risk" },
	{ "vulnerability_code_key", EXISTS, "CODE_TAKEN", "code",
	  "another vulnerability has this code" },
};

const size_t pgerr_constraints_count = sizeof(pgerr_constraints) / sizeof(pgerr_constraints[0]);
