/* The caller as a voter: in their own right, or on behalf of somebody who was asked and
 * gave them a delegation. What the rules say to that, in one order. */
#ifndef ISMS_DOMAIN_VOTER_H
#define ISMS_DOMAIN_VOTER_H

#include <stdbool.h>

#include "common/status.h"
#include "isms/v1/approval.pb-c.h"
#include "server/domain/ballot.h"

struct voter {
	struct ballot_seat *seat;                  /* whose vote it is; NULL: nobody's */
	const Isms__Store__V1__HeldDelegation *by; /* NULL: in their own right */
	bool is_delegate;                          /* on behalf of somebody was asked for */
};

/* Who would vote. Nothing is checked yet. */
void voter_find(struct voter *out, const struct ballot *ballot,
		const Isms__V1__CastVoteRequest *vote);

/* Everything that does not depend on the state of the subject: CLOSED and STEP_NOT_OPEN
 * first, by voter_check_open; then the caller's seat, the separation of duties, the
 * authority, CONTENT_CHANGED. */
STATUS_MUST_CHECK struct status voter_check_open(const struct ballot *ballot,
						 const Isms__V1__CastVoteRequest *vote);
STATUS_MUST_CHECK struct status voter_check(const struct voter *voter, const struct ballot *ballot,
					    const Isms__V1__CastVoteRequest *vote);

/* RESOURCE_EXHAUSTED, DECISION_RATE when the person has cast as many votes within an
 * hour, and kept as many acceptances, as one may. pace may be NULL: nothing counted.
 * Reads the time and the limit of the facts. */
STATUS_MUST_CHECK struct status voter_check_pace(const struct facts *facts,
						 const Isms__Store__V1__DecisionPace *pace);

#endif
