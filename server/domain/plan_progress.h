/* A plan that is carried out: started, its actions moved, said to be done. What was
 * approved stays as it is; how it goes is kept beside it. */
#ifndef ISMS_DOMAIN_PLAN_PROGRESS_H
#define ISMS_DOMAIN_PLAN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status plan_progress_start(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status plan_progress_update_action(const struct facts *facts,
							    struct plan *plan);
STATUS_MUST_CHECK struct status plan_progress_implement(const struct facts *facts,
							struct plan *plan);

/* FAILED_PRECONDITION, TRANSFER_LAPSED for a transfer that has run out. */
STATUS_MUST_CHECK struct status plan_progress_check_lapse(const Isms__V1__TreatmentPlan *plan,
							  int64_t now_us);

#endif
