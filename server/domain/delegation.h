/* Delegations: somebody who may decide lets another person vote for a while.
 *
 * A delegation fits a vote when it is from the one who was asked to the one who votes,
 * two different persons; the step lets delegates vote; it was made before the request
 * was submitted; it is in force at this moment; it covers the scope, the kind and the
 * level. It gives nothing that its giver does not have: the seat, the authority and the
 * level are the delegator's own, at the vote and at the resolution, so no delegation
 * can be passed on. */
#ifndef ISMS_DOMAIN_DELEGATION_H
#define ISMS_DOMAIN_DELEGATION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "isms/store/v1/decision.pb-c.h"
#include "isms/v1/common.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* What a vote by delegation is for. */
struct delegation_use {
	const char *to_user_id;
	const char *to_person;
	Isms__V1__RiskLevel level;
	int64_t submitted_us;
	int64_t now_us;
	bool step_allows;
};

enum delegation_fault {
	DELEGATION_FITS = 0,
	DELEGATION_NOT_FOUND,
	DELEGATION_SELF,
	DELEGATION_REVOKED,
	DELEGATION_NOT_STARTED,
	DELEGATION_ENDED,
	DELEGATION_SCOPE,
	DELEGATION_KIND,
	DELEGATION_LEVEL,
	DELEGATION_LATE,
	DELEGATION_STEP,
	DELEGATION_FAULTS,
};

/* The first thing that is wrong; NULL is DELEGATION_NOT_FOUND. */
enum delegation_fault delegation_fault(const Isms__Store__V1__HeldDelegation *delegation,
				       const struct delegation_use *use);
/* "NOT_FOUND", …, and a sentence. */
const char *delegation_why(enum delegation_fault fault);
const char *delegation_message(enum delegation_fault fault);

enum { DELEGATION_OPEN_MAX = 32 };

/* Methods of DelegationService. */
STATUS_MUST_CHECK struct status delegation_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status delegation_revoke(const struct facts *facts, struct plan *plan);

#endif
