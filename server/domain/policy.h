/* Drafting approval policies and asking for the decision on them. What the decision
 * does is in policy_change. */
#ifndef ISMS_DOMAIN_POLICY_H
#define ISMS_DOMAIN_POLICY_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status policy_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_submit(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_withdraw(const struct facts *facts, struct plan *plan);

#endif
