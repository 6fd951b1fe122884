/* Treatment plans: drafting, submitting and taking back. ACCEPT plans belong to
 * their acceptance and are refused here. */
#ifndef ISMS_DOMAIN_TREATMENT_PLAN_H
#define ISMS_DOMAIN_TREATMENT_PLAN_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status treatment_plan_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_submit(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_withdraw(const struct facts *facts,
							struct plan *plan);

#endif
