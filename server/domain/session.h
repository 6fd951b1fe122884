/* Sessions: a login's, or the one that a service account's token opens. */
#ifndef ISMS_DOMAIN_SESSION_H
#define ISMS_DOMAIN_SESSION_H

#include "common/status.h"
#include "isms/store/v1/store.pb-c.h"

struct facts;
struct plan;

enum {
	LOGIN_FAILURES_MAX = 5,     /* so many in a row lock the account */
	LOGIN_FAILURES_TOTAL = 100, /* so many in all lock it until it is unlocked */
	LOGIN_LOCK_MINUTES = 15,
	SESSION_HOURS = 12,
};

/* How the caller was known to be the one: people sign in, services have tokens. */
Isms__V1__AuthMethod session_auth_method(const Isms__Store__V1__Principal *principal);

/* Login: loads account_by_email, organisation_for_login; the helper has verified
 * the password. */
STATUS_MUST_CHECK struct status session_login(const struct facts *facts, struct plan *plan);
/* Logout: loads session_current. */
STATUS_MUST_CHECK struct status session_logout(const struct facts *facts, struct plan *plan);
/* RevokeSession: loads session_for_revoke. */
STATUS_MUST_CHECK struct status session_revoke(const struct facts *facts, struct plan *plan);
/* IssueToken: loads user_named. */
STATUS_MUST_CHECK struct status session_issue(const struct facts *facts, struct plan *plan);

#endif
