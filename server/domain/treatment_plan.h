/* Treatment plans: drafting, submitting and taking back. ACCEPT plans belong to
 * their acceptance and are refused here. */
#ifndef ISMS_DOMAIN_TREATMENT_PLAN_H
#define ISMS_DOMAIN_TREATMENT_PLAN_H

#include "common/status.h"
#include "server/domain/dossier.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status treatment_plan_create(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_submit(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status treatment_plan_withdraw(const struct facts *facts,
							struct plan *plan);

/* What the other decisions about plans have in common. */

/* FAILED_PRECONDITION: ILLEGAL_STATE; ACCEPT_PLAN for a plan that follows its
 * acceptance. */
STATUS_MUST_CHECK struct status treatment_plan_illegal(void);
STATUS_MUST_CHECK struct status treatment_plan_check_option(const Isms__V1__TreatmentPlan *plan);
/* PERMISSION_DENIED, PERMISSION_MISSING unless the caller has the permission. */
STATUS_MUST_CHECK struct status treatment_plan_check_may(const struct facts *facts,
							 const char *permission);
/* The dossier by the loads of "plan", and the plan in it, which becomes the subject
 * of the call; ACCEPT_PLAN. */
STATUS_MUST_CHECK struct status treatment_plan_open(struct dossier **out,
						    struct dossier_plan **out_place,
						    const struct facts *facts, struct plan *plan,
						    const char *id);

#endif
