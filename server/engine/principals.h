/* Callers known to this worker, by the digest of their access token. Reads may
 * use an entry for one second; whom a token belongs to never changes, so writes
 * take only that from here and load the caller's rights afresh. */
#ifndef ISMS_ENGINE_PRINCIPALS_H
#define ISMS_ENGINE_PRINCIPALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "isms/store/v1/store.pb-c.h"

enum { TOKEN_SHA256 = 32, PRINCIPALS_MAX = 4096, PRINCIPAL_FRESH_US = 1000000 };

struct arena;
struct principals;

/* At most PRINCIPALS_MAX entries; an older one makes room. */
struct principals *principals_new(void);
void principals_free(struct principals *principals);

/* The caller with this token, copied into the arena, or NULL when unknown.
 * *out_age_us is the time since it was loaded. */
const Isms__Store__V1__Principal *principals_get(int64_t *out_age_us,
						 const struct principals *principals,
						 const uint8_t token_sha256[TOKEN_SHA256],
						 int64_t now_us, struct arena *arena);
void principals_put(struct principals *principals, const uint8_t token_sha256[TOKEN_SHA256],
		    const Isms__Store__V1__Principal *principal, int64_t now_us);
void principals_forget(struct principals *principals, const uint8_t token_sha256[TOKEN_SHA256]);

/* Digest of the token in the value of "authorization"; false unless it is
 * "Bearer " and a token of plausible form. */
bool principals_token(uint8_t out[TOKEN_SHA256], const char *authorization);

/* UNAUTHENTICATED, TOKEN_INVALID: the token is nobody's, or no more. */
STATUS_MUST_CHECK struct status principals_refusal(void);

#endif
