/* What a decision on a change of the approval policies does: the policy comes into
 * force and the one that it replaces retires, in the same plan; or the change is
 * refused, sent back, or a draft again. Requests that are open keep their steps. */
#ifndef ISMS_DOMAIN_POLICY_CHANGE_H
#define ISMS_DOMAIN_POLICY_CHANGE_H

#include <stdbool.h>

#include "isms/v1/approval.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

struct policy_change {
	const Isms__V1__ApprovalPolicy *draft;    /* what is decided on; NULL: not there */
	const Isms__V1__ApprovalPolicy *replaced; /* NULL: it replaces none */
	Isms__V1__ApprovalPolicy *changed;        /* draft after the outcome */
};

/* Reads the set (the policy of the request and the one that it replaces). false: what
 * was frozen has moved, the policy itself or the one that it replaces; the request is
 * STALE, and out serves to return the draft. */
bool policy_change_find(struct policy_change *out, const struct facts *facts, const char *set,
			const Isms__V1__ApprovalRequest *request);

/* Adds to the plan what the end of the request makes of the policies: APPROVED,
 * REJECTED, CHANGES_REQUESTED, WITHDRAWN; EXPIRED and STALE make a draft again. A
 * policy that is not SUBMITTED any more stays as it is. */
void policy_change_outcome(struct policy_change *change, struct plan *plan,
			   Isms__V1__ApprovalState end);

#endif
