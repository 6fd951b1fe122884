/* The end of an acceptance's time, as the clock records it, and warns of it. */
#ifndef ISMS_DOMAIN_ACCEPTANCE_TERM_H
#define ISMS_DOMAIN_ACCEPTANCE_TERM_H

#include <stdint.h>

#include "common/status.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* ClockService/ExpireAcceptance: EXPIRED, once its time is over. */
STATUS_MUST_CHECK struct status acceptance_expire(const struct facts *facts, struct plan *plan);

/* ClockService/WarnAcceptance: its end is 30, 7 or 1 days away, and nobody has been
 * warned of that yet. */
STATUS_MUST_CHECK struct status acceptance_warn(const struct facts *facts, struct plan *plan);

/* ClockService/WarnReview: a review of it is due within three days, and nobody has been
 * warned of that yet. */
STATUS_MUST_CHECK struct status acceptance_warn_review(const struct facts *facts,
						       struct plan *plan);

/* The warning that counts as given from the start: nobody needs one of an end that is
 * nearer than that already. 30, 7 or 1; 0: none. */
int32_t acceptance_term_warned(const Google__Protobuf__Timestamp *until, int64_t now_us);

#endif
