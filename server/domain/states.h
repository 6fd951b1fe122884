/* The states of plans, acceptances, requests and policies: short names for the
 * generated constants, and which action is open in which state, by what and for
 * whom. WORKFLOW.md is printed from the same tables. */
#ifndef ISMS_DOMAIN_STATES_H
#define ISMS_DOMAIN_STATES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/common.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"

#define RISK(name)        ISMS__V1__RISK_STATE__RISK_STATE_##name
#define LEVEL(name)       ISMS__V1__RISK_LEVEL__RISK_LEVEL_##name
#define DISPOSITION(name) ISMS__V1__DISPOSITION__DISPOSITION_##name
#define SCORE(name)       ISMS__V1__SCORE_KIND__SCORE_KIND_##name
#define OPTION(name)      ISMS__V1__TREATMENT_OPTION__TREATMENT_OPTION_##name
#define PLAN(name)        ISMS__V1__PLAN_STATE__PLAN_STATE_##name
#define ACCEPTANCE(name)  ISMS__V1__ACCEPTANCE_STATE__ACCEPTANCE_STATE_##name
#define APPROVAL(name)    ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_##name
#define ASSIGNEE(name)    ISMS__V1__ASSIGNEE_STATE__ASSIGNEE_STATE_##name
#define POLICY(name)      ISMS__V1__POLICY_STATE__POLICY_STATE_##name
#define DECISION(name)    ISMS__V1__DECISION__DECISION_##name
#define STEP(name)        ISMS__V1__STEP_MODE__STEP_MODE_##name
#define SELECTOR(name)    ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_##name
#define SUBJECT(name)     ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_##name

/* What people, decisions, other changes or the time do to a thing that has states. */
enum state_action {
	STATE_CREATE,          /* out of nothing */
	STATE_EDIT,            /* DRAFT and CHANGES_REQUESTED; makes a DRAFT */
	STATE_SUBMIT,          /* a draft; of a request: it is opened */
	STATE_WITHDRAW,        /* what is submitted, by whoever submitted it */
	STATE_APPROVE,         /* the last vote that was needed */
	STATE_REJECT,          /* a vote */
	STATE_REQUEST_CHANGES, /* a vote */
	STATE_RETURN,          /* a draft again, when its request ends undecided */
	STATE_CAST,            /* a vote after which the request goes on */
	STATE_ESCALATE,        /* others are asked too, since a step waits too long */
	STATE_STALE,           /* a request: what it froze has changed */
	STATE_START,           /* a plan in force */
	STATE_PROGRESS,        /* one of its actions moves */
	STATE_IMPLEMENT,
	STATE_VERIFY,     /* it works */
	STATE_FAIL,       /* it does not */
	STATE_CANCEL,     /* a plan that is not implemented */
	STATE_LAPSE,      /* a transfer that has run out */
	STATE_RENEW,      /* asks for a successor; the acceptance stays what it is */
	STATE_WARN,       /* its end is near */
	STATE_ASK_REVIEW, /* a material change that is to be reviewed */
	STATE_KEEP,       /* a review that leaves it in force */
	STATE_END,        /* a review that ends it */
	STATE_REVOKE,     /* an acceptance in force */
	STATE_EXPIRE,     /* time is over */
	STATE_INVALIDATE, /* by a material change, or a review that was not made */
	STATE_SUPERSEDE,  /* by a newer one */
	STATE_REPEAL,     /* a policy that only ended another one, on its approval */
	STATE_ACTIONS,
};

/* One move. from is UNSPECIFIED where something is made. */
struct state_row {
	int from;
	enum state_action action;
	/* Method of the service that does it; or what does it in passing: "vote",
	 * "clock", "change" (a material change), several of them with commas. */
	const char *by;
	const char *permission; /* of the caller, in words where it is more than one */
	int to;
};

enum state_machine_id {
	STATE_OF_PLAN,
	STATE_OF_ACCEPTANCE,
	STATE_OF_REQUEST,
	STATE_OF_POLICY,
	STATE_MACHINES,
};

struct state_machine {
	const char *title;
	const ProtobufCEnumDescriptor *states;
	const struct state_row *rows;
	size_t n_rows;
};

const struct state_machine *state_machine(enum state_machine_id id);
/* "edit", "submit", … */
const char *state_action_name(enum state_action action);

/* Whether any action leads from one state to the other. */
bool state_leads(enum state_machine_id id, int from, int to);

/* The state after an action, UNSPECIFIED when the action is not open. */
Isms__V1__PlanState state_plan_after(Isms__V1__PlanState state, enum state_action action);
Isms__V1__AcceptanceState state_acceptance_after(Isms__V1__AcceptanceState state,
						 enum state_action action);
Isms__V1__ApprovalState state_request_after(Isms__V1__ApprovalState state,
					    enum state_action action);
Isms__V1__PolicyState state_policy_after(Isms__V1__PolicyState state, enum state_action action);

/* The state of the ACCEPT plan behind an acceptance. */
Isms__V1__PlanState state_of_accept_plan(Isms__V1__AcceptanceState state);

/* APPROVED, IN_PROGRESS, IMPLEMENTED or VERIFIED. */
bool state_plan_in_force(Isms__V1__PlanState state);

#endif
