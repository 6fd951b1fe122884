/* The risk register: identify, describe, score. */
#ifndef ISMS_DOMAIN_RISK_H
#define ISMS_DOMAIN_RISK_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status risk_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status risk_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status risk_score(const struct facts *facts, struct plan *plan);

#endif
