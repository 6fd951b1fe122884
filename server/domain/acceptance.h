/* Acceptances of residual risk, each with the ACCEPT plan that follows it. */
#ifndef ISMS_DOMAIN_ACCEPTANCE_H
#define ISMS_DOMAIN_ACCEPTANCE_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status acceptance_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status acceptance_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status acceptance_submit(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status acceptance_withdraw(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status acceptance_revoke(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status acceptance_renew(const struct facts *facts, struct plan *plan);

#endif
