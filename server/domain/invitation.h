/* One-use invitations: how a person gets the first password. */
#ifndef ISMS_DOMAIN_INVITATION_H
#define ISMS_DOMAIN_INVITATION_H

#include "common/status.h"

struct facts;
struct plan;

enum { INVITATION_HOURS = 72 };

/* Adds an invitation for an account to the plan; its text. */
char *invitation_make(struct plan *plan, const char *user_id);

/* Activate: loads invitation_by_secret, invitation_account; the helper has hashed
 * the password. */
STATUS_MUST_CHECK struct status invitation_activate(const struct facts *facts, struct plan *plan);

#endif
