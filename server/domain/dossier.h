/* The dossier of a risk: the risk with everything on it that is open or in
 * force. Whoever decides something about a risk changes rows of its dossier and
 * settles it once: that derives the risk's state, keeps the acceptance's plan in
 * step, carries the open requests over changes that the workflow itself makes,
 * and adds the changed rows to the plan, each once. */
#ifndef ISMS_DOMAIN_DOSSIER_H
#define ISMS_DOMAIN_DOSSIER_H

#include <stdbool.h>
#include <stddef.h>

#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

enum { DOSSIER_PLANS_MAX = 33, DOSSIER_ACCEPTANCES_MAX = 9, DOSSIER_REQUESTS_MAX = 9 };

/* Each row as loaded, and as changed (NULL while it is not). */
struct dossier_plan {
	const Isms__V1__TreatmentPlan *was;
	Isms__V1__TreatmentPlan *changed;
};
struct dossier_acceptance {
	const Isms__V1__Acceptance *was;
	Isms__V1__Acceptance *changed;
};
struct dossier_request {
	const Isms__V1__ApprovalRequest *was;
	Isms__V1__ApprovalRequest *changed;
};

struct dossier {
	struct plan *plan;
	const Isms__Store__V1__Principal *by; /* who changes it; NULL: the system */
	const Isms__V1__Risk *was;
	Isms__V1__Risk *changed;
	struct dossier_plan plans[DOSSIER_PLANS_MAX];
	size_t n_plans;
	struct dossier_acceptance acceptances[DOSSIER_ACCEPTANCES_MAX];
	size_t n_acceptances;
	struct dossier_request requests[DOSSIER_REQUESTS_MAX];
	size_t n_requests;
};

/* Reads the sets dossier_plans_of_<of>, dossier_acceptances_of_<of> and
 * dossier_requests_of_<of>, as far as they are about this risk. Each set was read at
 * a moment of its own: when what belongs together is not all there, something came
 * in between, and the call starts over (ABORTED, SERIALIZATION_FAILURE). */
STATUS_MUST_CHECK struct status dossier_load(struct dossier *out, struct plan *plan,
					     const struct facts *facts, const Isms__V1__Risk *risk,
					     const char *of);

/* The place of a row, or NULL. */
struct dossier_plan *dossier_find_plan(struct dossier *dossier, const char *id);
struct dossier_acceptance *dossier_find_acceptance(struct dossier *dossier, const char *id);
struct dossier_request *dossier_find_request(struct dossier *dossier, const char *id);

/* The row as it is now. */
const Isms__V1__Risk *dossier_risk(const struct dossier *dossier);
const Isms__V1__TreatmentPlan *dossier_plan_now(const struct dossier_plan *place);
const Isms__V1__Acceptance *dossier_acceptance_now(const struct dossier_acceptance *place);
const Isms__V1__ApprovalRequest *dossier_request_now(const struct dossier_request *place);

/* The row to be changed; the same one when asked again. */
Isms__V1__Risk *dossier_change_risk(struct dossier *dossier);
Isms__V1__TreatmentPlan *dossier_change_plan(struct dossier *dossier, struct dossier_plan *place);
Isms__V1__Acceptance *dossier_change_acceptance(struct dossier *dossier,
						struct dossier_acceptance *place);
Isms__V1__ApprovalRequest *dossier_change_request(struct dossier *dossier,
						  struct dossier_request *place);

/* Puts an acceptance into a state, and its plan into the one that mirrors it. */
void dossier_set_acceptance(struct dossier *dossier, struct dossier_acceptance *place,
			    Isms__V1__AcceptanceState state);
/* Ends an acceptance in force: state, time, who and why. by is "" for the
 * system. */
void dossier_end_acceptance(struct dossier *dossier, struct dossier_acceptance *place,
			    Isms__V1__AcceptanceState state, const char *by, const char *reason);
/* Ends an ACTIVE acceptance that is not effective any more: EXPIRED, or INVALIDATED
 * when it is the review that was not made in time. */
void dossier_end_overdue(struct dossier *dossier, struct dossier_acceptance *place);
/* Closes an open request. */
void dossier_close_request(struct dossier *dossier, struct dossier_request *place,
			   Isms__V1__ApprovalState state, const char *reason);

/* The state that the risk has by what is on it, whatever came first: in treatment,
 * monitored (accepted, or the treatment is done), waiting for a decision, or analysed.
 * IDENTIFIED and CLOSED stay. What this decision has rejected leaves the risk waiting:
 * for another proposal. */
Isms__V1__RiskState dossier_state(const struct dossier *dossier);
/* Puts the risk into that state. */
void dossier_derive_state(struct dossier *dossier);
/* How the risk is treated now, and until when it is accepted (0: it is not). */
Isms__V1__Disposition dossier_disposition(const struct dossier *dossier,
					  int64_t *out_accepted_until_us);

/* Whether the level is above tolerance with nothing that answers for it, see
 * Risk.uncovered. */
bool dossier_uncovered(const struct dossier *dossier);

/* How the content of the risk fares in this plan: CONTENT when what a decision
 * looks at has changed (open requests then notice at their next vote), STATE
 * when only the workflow moved it. */
enum dossier_settle { DOSSIER_STATE_ONLY, DOSSIER_CONTENT };

/* Adds all changed rows to the plan. Afterwards their versions are those that
 * will be stored, and nothing may be changed any more. */
void dossier_settle(struct dossier *dossier, enum dossier_settle what);

#endif
