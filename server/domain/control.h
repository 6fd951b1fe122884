/* Controls: whether they work, and what follows when they do not. */
#ifndef ISMS_DOMAIN_CONTROL_H
#define ISMS_DOMAIN_CONTROL_H

#include <stdbool.h>

#include "common/status.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* DEGRADED or RETIRED. */
bool control_has_failed(Isms__V1__ControlState state);
/* What is only PLANNED makes up for nothing, and neither does what has failed. */
bool control_works(Isms__V1__ControlState state);

/* FAILED_PRECONDITION, ILLEGAL_STATE: RETIRED is final, and what was put in place does
 * not become a plan again. */
STATUS_MUST_CHECK struct status control_update(const struct facts *facts, struct plan *plan);

#endif
