/* What a new password must be. No rules of composition: length, and not one
 * that everybody tries first. */
#ifndef ISMS_DOMAIN_PASSWORD_POLICY_H
#define ISMS_DOMAIN_PASSWORD_POLICY_H

enum { PASSWORD_MIN = 15, PASSWORD_MAX = 128 };

/* NULL when the password is good; otherwise what was expected of it. email is the
 * account's canonical one. */
const char *password_policy_fault(const char *password, const char *email);

#endif
