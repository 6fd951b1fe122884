/* Opening approval requests and taking them back. A Submit method first prepares: the
 * policy, the people and whether they are enough; then changes its subject and
 * settles the dossier; then opens the request on the rows as they will be
 * stored. */
#ifndef ISMS_DOMAIN_APPROVAL_H
#define ISMS_DOMAIN_APPROVAL_H

#include "common/status.h"
#include "isms/v1/approval.pb-c.h"
#include "server/domain/approval_people.h"
#include "server/domain/dossier.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

struct approval_opening {
	char *id; /* of the request, for the subject to refer to */
	const Isms__V1__ApprovalPolicy *policy;
	char **contributors; /* persons */
	size_t n_contributors;
	struct approval_people people;
};

/* Reads the sets policy_for_<of>, candidates_for_<of> and contributors_of_<of>.
 * FAILED_PRECONDITION: NO_POLICY, NO_ELIGIBLE_APPROVER (the step is in the
 * details), TOO_MANY_APPROVERS. */
STATUS_MUST_CHECK struct status approval_prepare(struct approval_opening *out,
						 const struct facts *facts, struct plan *plan,
						 const char *of, Isms__V1__RiskLevel level);

/* The subject as it is frozen. */
struct approval_subject {
	Isms__V1__SubjectKind kind;
	char *scope_id; /* of a subject without a risk */
	const Isms__V1__Meta *meta;
	const ProtobufCMessage *message;
	const Google__Protobuf__Timestamp *valid_until; /* of an acceptance */
};

/* Adds request, snapshot and assignees to the plan. After the dossier is settled;
 * NULL for a subject without a risk. The request is for the reply. */
Isms__V1__ApprovalRequest *approval_open(const struct approval_opening *opening,
					 const struct facts *facts, struct plan *plan,
					 const struct dossier *dossier,
					 const struct approval_subject *subject);

/* PERMISSION_DENIED, NOT_REQUESTER for anybody but the person who submitted. */
STATUS_MUST_CHECK struct status approval_may_withdraw(const struct facts *facts,
						      const Isms__V1__ApprovalRequest *request);

/* Closes the open request on a subject as WITHDRAWN. FAILED_PRECONDITION,
 * ILLEGAL_STATE without one; PERMISSION_DENIED, NOT_REQUESTER for anybody but the
 * person who submitted. */
STATUS_MUST_CHECK struct status
approval_withdraw(struct dossier *dossier, const struct facts *facts, const char *subject_id);

#endif
