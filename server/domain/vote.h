/* Casting a vote: the whole law of a decision in one order of checks. */
#ifndef ISMS_DOMAIN_VOTE_H
#define ISMS_DOMAIN_VOTE_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* What one must be able to read in the scope of a request to vote on it. */
#define VOTE_SEES "risk.read"

STATUS_MUST_CHECK struct status vote_cast(const struct facts *facts, struct plan *plan);

#endif
