/* AI systems. One that processes, stores or transmits information of the scope
 * is in scope, those reached at a provider's API included. */
#ifndef ISMS_DOMAIN_AI_SYSTEM_H
#define ISMS_DOMAIN_AI_SYSTEM_H

#include <stdbool.h>

#include "common/status.h"
#include "isms/v1/scope.pb-c.h"

struct facts;
struct plan;

/* Whether a system may go from one stage to another. */
bool ai_system_may_move(Isms__V1__AiSystemStage from, Isms__V1__AiSystemStage to);

/* CreateAiSystem: loads ai_system_ref, owner_for_write. */
STATUS_MUST_CHECK struct status ai_system_create(const struct facts *facts, struct plan *plan);
/* UpdateAiSystem: loads ai_system_for_write, owner_for_write, ai_system_avoid. A plan in
 * force that says not to use the system, and not only a feature of it, keeps it from
 * being deployed. */
STATUS_MUST_CHECK struct status ai_system_update(const struct facts *facts, struct plan *plan);

#endif
