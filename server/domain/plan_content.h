/* The content of a treatment plan: what may stand in it, what a plan that is
 * submitted needs, and what the plan's row repeats of it so that it can be found
 * and referred to. */
#ifndef ISMS_DOMAIN_PLAN_CONTENT_H
#define ISMS_DOMAIN_PLAN_CONTENT_H

#include <stdbool.h>

#include "common/status.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/facts.h"

struct arena;

/* INVALID_ARGUMENT for a part that belongs to another option, a time, an amount or a
 * currency that is none, or a target outside the method's scales. The target's level is computed (a
 * copy is made); a target with neither likelihood nor impact is dropped. method may be NULL while
 * there is no target. */
STATUS_MUST_CHECK struct status plan_content_check(Isms__V1__PlanFields *content,
						   Isms__V1__TreatmentOption option,
						   const Isms__V1__RiskMethod *method,
						   struct arena *arena);

/* Fills ai_system_id, avoid_action, counts_from, lapses_at, due_at, control_ids and
 * assignee_ids from the content. */
void plan_content_index(Isms__V1__TreatmentPlan *plan, struct arena *arena);

/* FAILED_PRECONDITION, PLAN_INCOMPLETE with the fields that miss or do not do. Loads
 * plan_system (the AI system of an AVOID plan, if the caller may see it),
 * plan_system_below (the same, if it is in the risk's scope or below) and plan_assignees
 * (those who may be asked to do something). */
STATUS_MUST_CHECK struct status plan_content_complete(const struct facts *facts,
						      const Isms__V1__TreatmentPlan *plan,
						      const Isms__V1__Risk *risk);

/* Whether the time of a plan, by the fields that its row repeats, has come and has not
 * passed; whatever its state. */
bool plan_content_counts(const Isms__V1__TreatmentPlan *plan, int64_t now_us);
/* Whether an AVOID plan, by those fields, keeps its system from being deployed. */
bool plan_content_forbids_deployment(const Isms__V1__TreatmentPlan *plan, int64_t now_us);

#endif
