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

STATUS_MUST_CHECK struct status control_update(const struct facts *facts, struct plan *plan);

#endif
