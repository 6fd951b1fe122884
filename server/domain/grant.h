/* Grants of roles. Nobody gives rights to themselves, no integration gets a role
 * that decides or that gives out rights, and no person has both kinds of role. */
#ifndef ISMS_DOMAIN_GRANT_H
#define ISMS_DOMAIN_GRANT_H

#include "common/status.h"
#include "isms/v1/directory.pb-c.h"

struct facts;
struct plan;

/* Whether a SERVICE account may hold a role. */
bool grant_role_for_service(const Isms__V1__Role *role);

/* Whether one person may not hold both roles: one decides (decision.cast), the other
 * writes accounts or grants (user.write, grant.write). */
/* Whether it writes accounts or grants. */
bool grant_role_administers(const Isms__V1__Role *role);
bool grant_roles_clash(const Isms__V1__Role *one, const Isms__V1__Role *other);

/* GrantRole: loads user_named, role_by_code, grant_person, grant_roles. */
STATUS_MUST_CHECK struct status grant_role(const struct facts *facts, struct plan *plan);
/* RevokeGrant: loads grant_for_write, grant_holder. */
STATUS_MUST_CHECK struct status grant_revoke(const struct facts *facts, struct plan *plan);

#endif
