/* What an approval policy asks for, read from its frozen steps. */
#ifndef ISMS_DOMAIN_APPROVAL_POLICY_H
#define ISMS_DOMAIN_APPROVAL_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/approval.pb-c.h"

/* Accounts that a step names, at most. */
enum { POLICY_USERS_MAX = 16 };

/* Whether steps can be worked with: 1 to ELIGIBILITY_STEPS_MAX of them, numbered
 * from 1, each with a mode, a quorum of at least one for QUORUM, and a selector,
 * with a role for ROLE and accounts for USERS. */
bool policy_steps_valid(const Isms__V1__PolicySteps *steps);

/* Why somebody is asked on a step: RISK_OWNER, SCOPE_OWNER, ASSET_OWNER, USERS or the
 * role's code. Borrowed. */
const char *policy_step_via(const Isms__V1__PolicyStep *step);

/* Approvals that a step needs when so many persons are asked on it. */
size_t policy_step_needs(const Isms__V1__PolicyStep *step, size_t n_persons);

#endif
