/* Answers for people about decisions: what has changed since the last one. They only
 * read. */
#ifndef ISMS_DOMAIN_INSIGHT_H
#define ISMS_DOMAIN_INSIGHT_H

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

STATUS_MUST_CHECK struct status insight_changes(const struct facts *facts, struct plan *plan);

#endif
