/* What people decide on, as bytes: packed once, stored, sent and hashed as they
 * are. */
#ifndef ISMS_DOMAIN_SNAPSHOT_H
#define ISMS_DOMAIN_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "isms/v1/approval.pb-c.h"

struct arena;

struct snapshot {
	uint8_t *bytes;
	size_t len;
	uint8_t *sha256; /* DIGEST_BYTES of "isms/decision/v1", a zero and the bytes */
};

/* Packs and digests; both results in the arena. */
void snapshot_make(struct snapshot *out, const Isms__V1__DecisionSnapshot *message,
		   struct arena *arena);

#endif
