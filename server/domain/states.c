/* Two tables: a row a transition. What is not in them cannot happen. */
#include "server/domain/states.h"

#include <stddef.h>

static const struct {
	Isms__V1__PlanState from;
	enum state_action action;
	Isms__V1__PlanState to;
} plan_rows[] = {
	{ PLAN(DRAFT), STATE_EDIT, PLAN(DRAFT) },
	{ PLAN(CHANGES_REQUESTED), STATE_EDIT, PLAN(DRAFT) },
	{ PLAN(DRAFT), STATE_SUBMIT, PLAN(SUBMITTED) },
	{ PLAN(SUBMITTED), STATE_WITHDRAW, PLAN(WITHDRAWN) },
	{ PLAN(SUBMITTED), STATE_APPROVE, PLAN(APPROVED) },
	{ PLAN(SUBMITTED), STATE_REJECT, PLAN(REJECTED) },
	{ PLAN(SUBMITTED), STATE_REQUEST_CHANGES, PLAN(CHANGES_REQUESTED) },
	{ PLAN(SUBMITTED), STATE_RETURN, PLAN(DRAFT) },
	{ PLAN(APPROVED), STATE_SUPERSEDE, PLAN(SUPERSEDED) },
	{ PLAN(IN_PROGRESS), STATE_SUPERSEDE, PLAN(SUPERSEDED) },
	{ PLAN(IMPLEMENTED), STATE_SUPERSEDE, PLAN(SUPERSEDED) },
};

static const struct {
	Isms__V1__AcceptanceState from;
	enum state_action action;
	Isms__V1__AcceptanceState to;
} acceptance_rows[] = {
	{ ACCEPTANCE(DRAFT), STATE_EDIT, ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(CHANGES_REQUESTED), STATE_EDIT, ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(DRAFT), STATE_SUBMIT, ACCEPTANCE(SUBMITTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_WITHDRAW, ACCEPTANCE(WITHDRAWN) },
	{ ACCEPTANCE(SUBMITTED), STATE_APPROVE, ACCEPTANCE(ACTIVE) },
	{ ACCEPTANCE(SUBMITTED), STATE_REJECT, ACCEPTANCE(REJECTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_REQUEST_CHANGES, ACCEPTANCE(CHANGES_REQUESTED) },
	{ ACCEPTANCE(SUBMITTED), STATE_RETURN, ACCEPTANCE(DRAFT) },
	{ ACCEPTANCE(ACTIVE), STATE_REVOKE, ACCEPTANCE(REVOKED) },
	{ ACCEPTANCE(ACTIVE), STATE_EXPIRE, ACCEPTANCE(EXPIRED) },
	{ ACCEPTANCE(ACTIVE), STATE_INVALIDATE, ACCEPTANCE(INVALIDATED) },
	{ ACCEPTANCE(ACTIVE), STATE_SUPERSEDE, ACCEPTANCE(SUPERSEDED) },
};

Isms__V1__PlanState state_plan_after(Isms__V1__PlanState state, enum state_action action)
{
	for (size_t i = 0; i < sizeof(plan_rows) / sizeof(plan_rows[0]); i++)
		if (plan_rows[i].from == state && plan_rows[i].action == action)
			return plan_rows[i].to;
	return PLAN(UNSPECIFIED);
}

Isms__V1__AcceptanceState state_acceptance_after(Isms__V1__AcceptanceState state,
						 enum state_action action)
{
	for (size_t i = 0; i < sizeof(acceptance_rows) / sizeof(acceptance_rows[0]); i++)
		if (acceptance_rows[i].from == state && acceptance_rows[i].action == action)
			return acceptance_rows[i].to;
	return ACCEPTANCE(UNSPECIFIED);
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
