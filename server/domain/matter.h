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

/* Why a request ends by itself, whatever is said of it. */
struct closing {
	Isms__V1__ApprovalState state;
	const char *reason;  /* as in the refusal that a voter gets */
	const char *message; /* goes on from it */
};

/* FAILED_PRECONDITION, CLOSED when the request is not among the open ones of its risk;
 * ABORTED, SERIALIZATION_FAILURE when the rows do not fit together. */
STATUS_MUST_CHECK struct status matter_load(struct matter *out, const struct facts *facts,
					    struct plan *plan,
					    const Isms__V1__ApprovalRequest *request,
					    const struct matter_sets *sets);

/* Why the request is over: what it froze has changed (STALE), the end that is asked for
 * has passed (EXPIRED), or it is overdue (STEP_OVERDUE). NULL while it may be decided. */
const struct closing *matter_closing(const struct matter *matter, bool overdue);
/* What the ballot finds: too few may still decide. */
extern const struct closing matter_no_quorum;

/* The request to be changed; the same one when asked again. */
Isms__V1__ApprovalRequest *matter_request(struct matter *matter);
/* Ends the request, with what that does to the subject: APPROVED, REJECTED,
 * CHANGES_REQUESTED; EXPIRED and STALE make a draft again. */
void matter_end(struct matter *matter, Isms__V1__ApprovalState state, const char *reason);
/* The same for what ends by itself. */
void matter_close(struct matter *matter, const struct closing *closing);
/* Adds what has changed to the plan; last. */
void matter_settle(struct matter *matter);

#endif
