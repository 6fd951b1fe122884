/* The end of an acceptance's time, as the clock records it. */
#ifndef ISMS_DOMAIN_ACCEPTANCE_TERM_H
#define ISMS_DOMAIN_ACCEPTANCE_TERM_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* ClockService/ExpireAcceptance: EXPIRED, once its time is over. */
STATUS_MUST_CHECK struct status acceptance_expire(const struct facts *facts, struct plan *plan);

#endif
