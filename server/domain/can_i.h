/* Who may do something to an object, why not, and who could. Nothing is decided here a
 * second time: the answer is what the decisions themselves would say, asked of the same
 * facts with somebody else in the place of the caller. */
#ifndef ISMS_DOMAIN_CAN_I_H
#define ISMS_DOMAIN_CAN_I_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

enum { CAN_I_NAMES_MAX = 50 };

STATUS_MUST_CHECK struct status can_i(const struct facts *facts, struct plan *plan);

#endif
