/* A transfer lowers the current score of its risk for as long as its cover lasts. What
 * the score was before is kept with the plan, and comes back when the cover ends. */
#ifndef ISMS_DOMAIN_PLAN_COVER_H
#define ISMS_DOMAIN_PLAN_COVER_H

#include <stdbool.h>

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/dossier.h"

/* Keeps with a verified plan what its target is about to replace: the current score of
 * the risk as loaded, last scored so; or, where a plan that it superseded has lowered
 * that, what was before it. A target above the current level lowers nothing. */
void plan_cover_begin(const struct dossier *dossier, Isms__V1__TreatmentPlan *verified,
		      const Isms__Store__V1__RiskScore *last);

/* What an older plan has lowered is for the newer one to give back. */
void plan_cover_take_over(Isms__V1__TreatmentPlan *newer, const Isms__V1__TreatmentPlan *older);

/* After the plan has ended: where the current score still is what it was lowered to, the
 * one before comes back with a row of its own, by those who scored it; a level that so
 * rises is a material change. true when the score changed. */
bool plan_cover_end(struct dossier *dossier, const Isms__V1__TreatmentPlan *ended);

#endif
