/* Accounts of people and of integrations. Accounts are deactivated, never
 * removed. */
#ifndef ISMS_DOMAIN_USER_H
#define ISMS_DOMAIN_USER_H

#include "common/status.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/directory.pb-c.h"

struct facts;
struct plan;

/* The same account with nothing changed but its version, added to the plan, so
 * that decisions which run on the account's old rights fail their guard. */
void user_bump(const Isms__Store__V1__Account *account, struct plan *plan);

/* INVALID_ARGUMENT for "fields.owner_id" unless it is empty or names an account
 * of a person that is not deactivated; loads owner_for_write. */
STATUS_MUST_CHECK struct status user_check_owner(const struct facts *facts, const char *owner_id);

/* CreateUser: loads person_for_user, persons_for_user. */
STATUS_MUST_CHECK struct status user_create(const struct facts *facts, struct plan *plan);
/* UpdateUser, DeactivateUser, UnlockUser: load user_for_write; DeactivateUser
 * user_sessions too. Approvals that wait for a deactivated account are VOID
 * wherever they are read. */
STATUS_MUST_CHECK struct status user_update(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status user_deactivate(const struct facts *facts, struct plan *plan);
STATUS_MUST_CHECK struct status user_unlock(const struct facts *facts, struct plan *plan);

#endif
