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

#endif
