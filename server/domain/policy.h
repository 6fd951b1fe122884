/* Drafting approval policies and asking for the decision on them. What the decision
 * does is in policy_change. */
#ifndef ISMS_DOMAIN_POLICY_H
#define ISMS_DOMAIN_POLICY_H

#include "common/status.h"
#include "isms/v1/policy.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* What a new row would say. */
struct policy_proposal {
	char *scope_id;
	Isms__V1__SubjectKind subject_kind;
	char *replaces_id;
	bool repeals;
	const Isms__V1__PolicyFields *fields;
};

/* The draft that a proposal makes, without a Meta; reads the sets policy_to_replace,
 * policy_roles and policy_root. INVALID_ARGUMENT names the fields. */
STATUS_MUST_CHECK struct status policy_propose(Isms__V1__ApprovalPolicy **out,
					       const struct facts *facts,
					       const struct policy_proposal *proposal);

STATUS_MUST_CHECK struct status policy_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_submit(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status policy_withdraw(const struct facts *facts, struct plan *plan);

#endif
