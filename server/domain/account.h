/* An account as it is stored and as others see it. */
#ifndef ISMS_DOMAIN_ACCOUNT_H
#define ISMS_DOMAIN_ACCOUNT_H

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/directory.pb-c.h"

struct plan;

/* What others may see of an account. LOCKED is not stored: it is ACTIVE with
 * locked_until in the future. */
Isms__V1__User *account_public(const Isms__Store__V1__Account *account, struct plan *plan);

#endif
