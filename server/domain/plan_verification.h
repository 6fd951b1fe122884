/* Whether an implemented plan works, said by somebody who had no part in it. */
#ifndef ISMS_DOMAIN_PLAN_VERIFICATION_H
#define ISMS_DOMAIN_PLAN_VERIFICATION_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status plan_verification_verify(const struct facts *facts,
							 struct plan *plan);

#endif
