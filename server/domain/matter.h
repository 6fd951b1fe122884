/* What a request is about, for whoever decides on it: a plan or an acceptance in the
 * dossier of a risk, or a change of policies. The request is changed here, and what its
 * end does to the subject is done here, whatever the subject is. */
#ifndef ISMS_DOMAIN_MATTER_H
#define ISMS_DOMAIN_MATTER_H

#include <stdbool.h>

#include "common/status.h"
#include "isms/v1/approval.pb-c.h"
#include "server/domain/dossier.h"
#include "server/domain/facts.h"
#include "server/domain/outcome.h"
#include "server/domain/plan.h"
#include "server/domain/policy_change.h"

/* Where the rows of a matter are: names of the sets of a load. */
struct matter_sets {
	const char *risk;     /* one row, or none */
	const char *of;       /* dossier_plans_of_<of>, … */
	const char *policies; /* the policy that is decided on, and the one it replaces */
};

struct matter {
	struct plan *plan;
	const struct facts *facts;
	const Isms__V1__ApprovalRequest *was;
	Isms__V1__ApprovalRequest *changed; /* of a change of policies */
	struct dossier *dossier;            /* NULL for a change of policies */
	struct dossier_request *place;
	struct outcome_subject subject;
	struct policy_change policies;
	bool current;
};

/* FAILED_PRECONDITION, CLOSED when the request is not among the open ones of its risk;
 * ABORTED, SERIALIZATION_FAILURE when the rows do not fit together. */
STATUS_MUST_CHECK struct status matter_load(struct matter *out, const struct facts *facts,
					    struct plan *plan,
					    const Isms__V1__ApprovalRequest *request,
					    const struct matter_sets *sets);

/* Whether the subject and all else that the request froze is still as it was. */
bool matter_is_current(const struct matter *matter);
/* Whether the end that is asked for has passed. */
bool matter_has_run_out(const struct matter *matter);

/* The request to be changed; the same one when asked again. */
Isms__V1__ApprovalRequest *matter_request(struct matter *matter);
/* Ends the request, with what that does to the subject: APPROVED, REJECTED,
 * CHANGES_REQUESTED; EXPIRED and STALE make a draft again. */
void matter_end(struct matter *matter, Isms__V1__ApprovalState state, const char *reason);
/* Adds what has changed to the plan; last. */
void matter_settle(struct matter *matter);

#endif
