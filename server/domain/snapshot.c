/* The bytes are made once; nothing is ever packed again to be compared. */
#include "server/domain/snapshot.h"

#include <stdlib.h>

#include "server/domain/must.h"

static const char domain[] = "isms/decision/v1"; /* its end is part of it */

static void digest(uint8_t out[DIGEST_BYTES], const uint8_t *bytes, size_t len)
{
	const struct digest_piece pieces[] = { { domain, sizeof(domain) }, { bytes, len } };
	if (!digest_sha256(out, pieces, 2))
		abort();
}

void snapshot_make(struct snapshot *out, const Isms__V1__DecisionSnapshot *message,
		   struct arena *arena)
{
	out->bytes = must(pb_pack(&out->len, &message->base, arena));
	out->sha256 = must(arena_alloc(arena, DIGEST_BYTES));
	digest(out->sha256, out->bytes, out->len);
}
