/* The review of an acceptance after a material change, where those who approved it
 * said that one is to be made. */
#ifndef ISMS_DOMAIN_ACCEPTANCE_REVIEW_H
#define ISMS_DOMAIN_ACCEPTANCE_REVIEW_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status acceptance_review(const struct facts *facts, struct plan *plan);

#endif
