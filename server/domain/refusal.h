/* The refusals that more than one noun gives, so that each is worded once. */
#ifndef ISMS_DOMAIN_REFUSAL_H
#define ISMS_DOMAIN_REFUSAL_H

#include "common/status.h"

struct arena;

/* NOT_FOUND: the object is not there, or the caller may not know that it is. */
STATUS_MUST_CHECK struct status refusal_not_found(void);

/* PERMISSION_DENIED, PERMISSION_MISSING, with the permission among the details. */
STATUS_MUST_CHECK struct status refusal_permission_missing(const char *permission,
							   struct arena *arena);

/* FAILED_PRECONDITION, NO_METHOD: the organisation has no risk method that can be used. */
STATUS_MUST_CHECK struct status refusal_no_method(void);

/* FAILED_PRECONDITION, NOT_DUE, of the decisions of isms.store.v1.ClockService: the
 * time has not come, or another server has done it. Nothing is recorded. Those
 * decisions have no caller (facts->principal is NULL, plan->actor_id too), set no
 * reply, and are asked for more often than there is something to do. */
STATUS_MUST_CHECK struct status refusal_not_due(void);

#endif
