/* A plan in force that ends before it has done what it was for: given up, found
 * not to work, or a transfer that has run out. */
#ifndef ISMS_DOMAIN_PLAN_END_H
#define ISMS_DOMAIN_PLAN_END_H

#include "common/status.h"
#include "server/domain/dossier.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"
#include "server/domain/states.h"

STATUS_MUST_CHECK struct status plan_end_cancel(const struct facts *facts, struct plan *plan);
/* ClockService/LapseTransfer: INEFFECTIVE, once the transfer has run out. */
STATUS_MUST_CHECK struct status plan_end_lapse(const struct facts *facts, struct plan *plan);

/* Moves the plan by the action, which must be open, and the risk with it: it aims at
 * what the plans left aim at, is treated by them alone, and is covered no more. Returns
 * how the dossier is to be settled: another target or score is other content than what
 * open requests froze. */
enum dossier_settle plan_end(struct dossier *dossier, struct dossier_plan *place,
			     enum state_action action, const char *reason);

#endif
