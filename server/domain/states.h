/* The states of plans, acceptances, risks and requests: short names for the
 * generated constants, and which action is open in which state. */
#ifndef ISMS_DOMAIN_STATES_H
#define ISMS_DOMAIN_STATES_H

#include <stdbool.h>

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
#define DECISION(name)    ISMS__V1__DECISION__DECISION_##name
#define STEP(name)        ISMS__V1__STEP_MODE__STEP_MODE_##name
#define SELECTOR(name)    ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_##name
#define SUBJECT(name)     ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_##name

/* What a person, or a decision, may do with a plan or an acceptance. */
enum state_action {
	STATE_EDIT,            /* DRAFT and CHANGES_REQUESTED; makes a DRAFT */
	STATE_SUBMIT,          /* DRAFT */
	STATE_WITHDRAW,        /* SUBMITTED */
	STATE_APPROVE,         /* SUBMITTED: APPROVED, or ACTIVE */
	STATE_REJECT,          /* SUBMITTED */
	STATE_REQUEST_CHANGES, /* SUBMITTED */
	STATE_RETURN,          /* SUBMITTED, when its request went stale: DRAFT */
	STATE_REVOKE,          /* ACTIVE acceptance */
	STATE_EXPIRE,          /* ACTIVE acceptance that has run out */
	STATE_INVALIDATE,      /* ACTIVE acceptance, by a material change */
	STATE_SUPERSEDE,       /* ACTIVE acceptance, or plan in force, by a newer one */
	STATE_ACTIONS,
};

/* The state after an action, UNSPECIFIED when the action is not open. */
Isms__V1__PlanState state_plan_after(Isms__V1__PlanState state, enum state_action action);
Isms__V1__AcceptanceState state_acceptance_after(Isms__V1__AcceptanceState state,
						 enum state_action action);

/* The state of the ACCEPT plan behind an acceptance. */
Isms__V1__PlanState state_of_accept_plan(Isms__V1__AcceptanceState state);

/* APPROVED, IN_PROGRESS, IMPLEMENTED or VERIFIED. */
bool state_plan_in_force(Isms__V1__PlanState state);

#endif
