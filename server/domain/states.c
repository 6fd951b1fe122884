/* Four tables: a row a move. What is not in them cannot happen. */
#include "server/domain/states.h"

#include <assert.h>

static const struct state_row plan_rows[] = {
	{ 0, STATE_CREATE, "CreatePlan", "plan.write", PLAN(DRAFT) },
	{ PLAN(DRAFT), STATE_EDIT, "UpdatePlan", "plan.write, or its author", PLAN(DRAFT) },
	{ PLAN(CHANGES_REQUESTED), STATE_EDIT, "UpdatePlan", "plan.write, or its author",
	  PLAN(DRAFT) },
	{ PLAN(DRAFT), STATE_SUBMIT, "SubmitPlan", "plan.submit", PLAN(SUBMITTED) },
	{ PLAN(SUBMITTED), STATE_WITHDRAW, "WithdrawPlan", "its requester", PLAN(WITHDRAWN) },
	{ PLAN(SUBMITTED), STATE_APPROVE, "vote", "decision.cast", PLAN(APPROVED) },
	{ PLAN(SUBMITTED), STATE_REJECT, "vote", "decision.cast", PLAN(REJECTED) },
	{ PLAN(SUBMITTED), STATE_REQUEST_CHANGES, "vote", "decision.cast",
	  PLAN(CHANGES_REQUESTED) },
	{ PLAN(SUBMITTED), STATE_RETURN, "vote, clock, change", "", PLAN(DRAFT) },
	{ PLAN(APPROVED), STATE_START, "StartPlan", "plan.write, or an assignee",
	  PLAN(IN_PROGRESS) },
	{ PLAN(APPROVED), STATE_PROGRESS, "UpdateAction", "plan.write, or the assignee",
	  PLAN(IN_PROGRESS) },
	{ PLAN(IN_PROGRESS), STATE_PROGRESS, "UpdateAction", "plan.write, or the assignee",
	  PLAN(IN_PROGRESS) },
	{ PLAN(IN_PROGRESS), STATE_IMPLEMENT, "ImplementPlan", "plan.write", PLAN(IMPLEMENTED) },
	{ PLAN(IMPLEMENTED), STATE_VERIFY, "VerifyPlan", "plan.verify", PLAN(VERIFIED) },
	{ PLAN(IMPLEMENTED), STATE_FAIL, "VerifyPlan", "plan.verify", PLAN(INEFFECTIVE) },
	{ PLAN(APPROVED), STATE_CANCEL, "CancelPlan", "plan.cancel", PLAN(CANCELLED) },
	{ PLAN(IN_PROGRESS), STATE_CANCEL, "CancelPlan", "plan.cancel", PLAN(CANCELLED) },
	{ PLAN(APPROVED), STATE_LAPSE, "clock", "", PLAN(INEFFECTIVE) },
	{ PLAN(IN_PROGRESS), STATE_LAPSE, "clock", "", PLAN(INEFFECTIVE) },
	{ PLAN(IMPLEMENTED), STATE_LAPSE, "clock", "", PLAN(INEFFECTIVE) },
	{ PLAN(VERIFIED), STATE_LAPSE, "clock", "", PLAN(INEFFECTIVE) },
	{ PLAN(APPROVED), STATE_SUPERSEDE, "vote", "decision.cast", PLAN(SUPERSEDED) },
	{ PLAN(IN_PROGRESS), STATE_SUPERSEDE, "vote", "decision.cast", PLAN(SUPERSEDED) },
	{ PLAN(IMPLEMENTED), STATE_SUPERSEDE, "vote", "decision.cast", PLAN(SUPERSEDED) },
	{ PLAN(VERIFIED), STATE_SUPERSEDE, "vote", "decision.cast", PLAN(SUPERSEDED) },
};

static const struct state_row acceptance_rows[] = {
	{ 0, STATE_CREATE, "CreateAcceptance, RenewAcceptance", "acceptance.write",
	  ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(DRAFT), STATE_EDIT, "UpdateAcceptance", "acceptance.write",
	  ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(CHANGES_REQUESTED), STATE_EDIT, "UpdateAcceptance", "acceptance.write",
	  ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(DRAFT), STATE_SUBMIT, "SubmitAcceptance", "acceptance.submit",
	  ACCEPTANCE(SUBMITTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_WITHDRAW, "WithdrawAcceptance", "its requester",
	  ACCEPTANCE(WITHDRAWN) },
	{ ACCEPTANCE(SUBMITTED), STATE_APPROVE, "vote", "decision.cast", ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(SUBMITTED), STATE_REJECT, "vote", "decision.cast", ACCEPTANCE(REJECTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_REQUEST_CHANGES, "vote", "decision.cast",
	  ACCEPTANCE(CHANGES_REQUESTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_RETURN, "vote, clock, change", "", ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(ACTIVE), STATE_RENEW, "RenewAcceptance", "acceptance.write",
	  ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(REVOKED), STATE_RENEW, "RenewAcceptance", "acceptance.write",
	  ACCEPTANCE(REVOKED) },
	{ ACCEPTANCE(EXPIRED), STATE_RENEW, "RenewAcceptance", "acceptance.write",
	  ACCEPTANCE(EXPIRED) },
	{ ACCEPTANCE(INVALIDATED), STATE_RENEW, "RenewAcceptance", "acceptance.write",
	  ACCEPTANCE(INVALIDATED) },
	{ ACCEPTANCE(ACTIVE), STATE_WARN, "clock", "", ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(ACTIVE), STATE_ASK_REVIEW, "change", "", ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(ACTIVE), STATE_KEEP, "ReviewAcceptance",
	  "decision.cast; who could have approved it alone", ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(ACTIVE), STATE_END, "ReviewAcceptance", "decision.cast", ACCEPTANCE(REVOKED) },
	{ ACCEPTANCE(ACTIVE), STATE_REVOKE, "RevokeAcceptance", "acceptance.revoke",
	  ACCEPTANCE(REVOKED) },
	{ ACCEPTANCE(ACTIVE), STATE_EXPIRE, "clock, vote, change", "", ACCEPTANCE(EXPIRED) },
	{ ACCEPTANCE(ACTIVE), STATE_INVALIDATE, "clock, vote, change", "",
	  ACCEPTANCE(INVALIDATED) },
	{ ACCEPTANCE(ACTIVE), STATE_SUPERSEDE, "vote", "decision.cast", ACCEPTANCE(SUPERSEDED) },
};

static const struct state_row request_rows[] = {
	{ 0, STATE_SUBMIT, "SubmitPlan, SubmitAcceptance, SubmitPolicy",
	  "plan.submit, acceptance.submit, policy.write", APPROVAL(PENDING) },
	{ APPROVAL(PENDING), STATE_CAST, "CastVote", "decision.cast", APPROVAL(PENDING) },
	{ APPROVAL(PENDING), STATE_APPROVE, "CastVote", "decision.cast", APPROVAL(APPROVED) },
	{ APPROVAL(PENDING), STATE_REJECT, "CastVote", "decision.cast", APPROVAL(REJECTED) },
	{ APPROVAL(PENDING), STATE_REQUEST_CHANGES, "CastVote", "decision.cast",
	  APPROVAL(CHANGES_REQUESTED) },
	{ APPROVAL(PENDING), STATE_WITHDRAW, "WithdrawPlan, WithdrawAcceptance, WithdrawPolicy",
	  "its requester", APPROVAL(WITHDRAWN) },
	{ APPROVAL(PENDING), STATE_ESCALATE, "CastVote, clock", "decision.cast",
	  APPROVAL(PENDING) },
	{ APPROVAL(PENDING), STATE_EXPIRE, "CastVote, clock", "decision.cast", APPROVAL(EXPIRED) },
	{ APPROVAL(PENDING), STATE_STALE, "CastVote, clock, change", "decision.cast",
	  APPROVAL(STALE) },
};

static const struct state_row policy_rows[] = {
	{ 0, STATE_CREATE, "CreatePolicy", "policy.write", POLICY(DRAFT) },
	{ POLICY(DRAFT), STATE_EDIT, "UpdatePolicy", "policy.write", POLICY(DRAFT) },
	{ POLICY(CHANGES_REQUESTED), STATE_EDIT, "UpdatePolicy", "policy.write", POLICY(DRAFT) },
	{ POLICY(DRAFT), STATE_SUBMIT, "SubmitPolicy", "policy.write", POLICY(SUBMITTED) },
	{ POLICY(SUBMITTED), STATE_WITHDRAW, "WithdrawPolicy", "its requester", POLICY(WITHDRAWN) },
	{ POLICY(SUBMITTED), STATE_APPROVE, "vote", "decision.cast", POLICY(ACTIVE) },
	{ POLICY(SUBMITTED), STATE_REPEAL, "vote", "decision.cast", POLICY(RETIRED) },
	{ POLICY(SUBMITTED), STATE_REJECT, "vote", "decision.cast", POLICY(REJECTED) },
	{ POLICY(SUBMITTED), STATE_REQUEST_CHANGES, "vote", "decision.cast",
	  POLICY(CHANGES_REQUESTED) },
	{ POLICY(SUBMITTED), STATE_RETURN, "vote, clock", "", POLICY(DRAFT) },
	{ POLICY(ACTIVE), STATE_SUPERSEDE, "vote", "decision.cast", POLICY(RETIRED) },
};

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static const struct state_machine machines[STATE_MACHINES] = {
	[STATE_OF_PLAN] = { "Treatment plan", &isms__v1__plan_state__descriptor, ROWS(plan_rows) },
	[STATE_OF_ACCEPTANCE] = { "Acceptance", &isms__v1__acceptance_state__descriptor,
				  ROWS(acceptance_rows) },
	[STATE_OF_REQUEST] = { "Approval request", &isms__v1__approval_state__descriptor,
			       ROWS(request_rows) },
	[STATE_OF_POLICY] = { "Approval policy", &isms__v1__policy_state__descriptor,
			      ROWS(policy_rows) },
};

static const char *const action_names[STATE_ACTIONS] = {
	[STATE_CREATE] = "create",
	[STATE_EDIT] = "edit",
	[STATE_SUBMIT] = "submit",
	[STATE_WITHDRAW] = "withdraw",
	[STATE_APPROVE] = "approve",
	[STATE_REJECT] = "reject",
	[STATE_REQUEST_CHANGES] = "request changes",
	[STATE_RETURN] = "return",
	[STATE_CAST] = "cast",
	[STATE_ESCALATE] = "escalate",
	[STATE_STALE] = "stale",
	[STATE_START] = "start",
	[STATE_PROGRESS] = "progress",
	[STATE_IMPLEMENT] = "implement",
	[STATE_VERIFY] = "verify",
	[STATE_FAIL] = "fail",
	[STATE_CANCEL] = "cancel",
	[STATE_LAPSE] = "lapse",
	[STATE_RENEW] = "renew",
	[STATE_WARN] = "warn",
	[STATE_ASK_REVIEW] = "ask review",
	[STATE_KEEP] = "keep",
	[STATE_END] = "end",
	[STATE_REVOKE] = "revoke",
	[STATE_EXPIRE] = "expire",
	[STATE_INVALIDATE] = "invalidate",
	[STATE_SUPERSEDE] = "supersede",
	[STATE_REPEAL] = "repeal",
};

const struct state_machine *state_machine(enum state_machine_id id)
{
	assert(id < STATE_MACHINES);
	return &machines[id];
}

const char *state_action_name(enum state_action action)
{
	assert(action < STATE_ACTIONS);
	return action_names[action];
}

static int after(enum state_machine_id id, int state, enum state_action action)
{
	const struct state_machine *machine = &machines[id];
	for (size_t i = 0; i < machine->n_rows; i++)
		if (machine->rows[i].from == state && machine->rows[i].action == action)
			return machine->rows[i].to;
	return 0;
}

bool state_leads(enum state_machine_id id, int from, int to)
{
	const struct state_machine *machine = state_machine(id);
	for (size_t i = 0; i < machine->n_rows; i++)
		if (machine->rows[i].from == from && machine->rows[i].to == to)
			return true;
	return false;
}

Isms__V1__PlanState state_plan_after(Isms__V1__PlanState state, enum state_action action)
{
	return (Isms__V1__PlanState)after(STATE_OF_PLAN, (int)state, action);
}

Isms__V1__AcceptanceState state_acceptance_after(Isms__V1__AcceptanceState state,
						 enum state_action action)
{
	return (Isms__V1__AcceptanceState)after(STATE_OF_ACCEPTANCE, (int)state, action);
}

Isms__V1__ApprovalState state_request_after(Isms__V1__ApprovalState state, enum state_action action)
{
	return (Isms__V1__ApprovalState)after(STATE_OF_REQUEST, (int)state, action);
}

Isms__V1__PolicyState state_policy_after(Isms__V1__PolicyState state, enum state_action action)
{
	return (Isms__V1__PolicyState)after(STATE_OF_POLICY, (int)state, action);
}

Isms__V1__PlanState state_of_accept_plan(Isms__V1__AcceptanceState state)
{
	switch (state) {
	case ACCEPTANCE(DRAFT):
		return PLAN(DRAFT);
	case ACCEPTANCE(SUBMITTED):
		return PLAN(SUBMITTED);
	case ACCEPTANCE(CHANGES_REQUESTED):
		return PLAN(CHANGES_REQUESTED);
	case ACCEPTANCE(ACTIVE):
		return PLAN(APPROVED);
	case ACCEPTANCE(REJECTED):
		return PLAN(REJECTED);
	case ACCEPTANCE(WITHDRAWN):
		return PLAN(WITHDRAWN);
	case ACCEPTANCE(REVOKED):
	case ACCEPTANCE(EXPIRED):
	case ACCEPTANCE(INVALIDATED):
		return PLAN(CANCELLED);
	case ACCEPTANCE(SUPERSEDED):
		return PLAN(SUPERSEDED);
	default:
		return PLAN(UNSPECIFIED);
	}
}

bool state_plan_in_force(Isms__V1__PlanState state)
{
	return state == PLAN(APPROVED) || state == PLAN(IN_PROGRESS) ||
	       state == PLAN(IMPLEMENTED) || state == PLAN(VERIFIED);
}
