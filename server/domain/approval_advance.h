/* What time, and the rights of people, have done to an open request: it escalates, who
 * was asked and may not decide any more is asked no more, and a request that nobody can
 * finish ends. A vote does the same by itself; this is for requests on which nobody
 * votes. */
#ifndef ISMS_DOMAIN_APPROVAL_ADVANCE_H
#define ISMS_DOMAIN_APPROVAL_ADVANCE_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* A method of the clock, about the request it names. */
STATUS_MUST_CHECK struct status approval_advance(const struct facts *facts, struct plan *plan);

#endif
