/* What the decisions of isms.store.v1.ClockService have in common. They have no
 * caller (facts->principal is NULL, plan->actor_id too), set no reply, and are asked
 * for more often than there is something to do. */
#ifndef ISMS_DOMAIN_CLOCK_H
#define ISMS_DOMAIN_CLOCK_H

#include "common/status.h"

/* FAILED_PRECONDITION, NOT_DUE: the time has not come, or another server has done
 * it. Nothing is recorded. */
STATUS_MUST_CHECK struct status clock_not_due(void);

#endif
