/* The tree of scopes: what is inside the management system. */
#ifndef ISMS_DOMAIN_SCOPE_H
#define ISMS_DOMAIN_SCOPE_H

#include "common/status.h"

struct facts;
struct plan;

/* CreateScope: loads scope_parent, owner_for_write. */
STATUS_MUST_CHECK struct status scope_create(const struct facts *facts, struct plan *plan);
/* UpdateScope: loads scope_for_write, owner_for_write. */
STATUS_MUST_CHECK struct status scope_update(const struct facts *facts, struct plan *plan);

#endif
