/* Trying out a policy before it is decided on: the open requests in its scope are
 * resolved once more, by the same functions as if they were submitted now. */
#ifndef ISMS_DOMAIN_POLICY_SIMULATION_H
#define ISMS_DOMAIN_POLICY_SIMULATION_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* What is loaded at most, see the statements simulation_…: one row more tells that there
 * is more. */
enum { SIMULATION_REQUESTS_MAX = 200, SIMULATION_SEATS_MAX = 4000, SIMULATION_GRANTS_MAX = 4000 };

STATUS_MUST_CHECK struct status policy_simulate(const struct facts *facts, struct plan *plan);

#endif
