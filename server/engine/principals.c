/* A hash table with one place per slot: the digest is uniform, a newcomer takes
 * the slot. Entries are kept packed so that they need no memory of their own
 * owner. */
#include "server/engine/principals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/digest.h"
#include "common/pb.h"

enum { TOKEN_MIN = 40, TOKEN_MAX = 128, ENTRY_MAX = 4096 };

struct entry {
	uint8_t token_sha256[TOKEN_SHA256];
	uint8_t *packed; /* NULL: empty */
	size_t len;
	int64_t loaded_us;
};

struct principals {
	struct entry entries[PRINCIPALS_MAX];
};

struct principals *principals_new(void)
{
	struct principals *principals = calloc(1, sizeof(*principals));
	if (principals == NULL)
		abort();
	return principals;
}

void principals_free(struct principals *principals)
{
	if (principals == NULL)
		return;
	for (size_t i = 0; i < PRINCIPALS_MAX; i++)
		free(principals->entries[i].packed);
	free(principals);
}

static size_t slot_of(const uint8_t token_sha256[TOKEN_SHA256])
{
	return ((size_t)token_sha256[0] << 8 | token_sha256[1]) % PRINCIPALS_MAX;
}

const Isms__Store__V1__Principal *principals_get(int64_t *out_age_us,
						 const struct principals *principals,
						 const uint8_t token_sha256[TOKEN_SHA256],
						 int64_t now_us, struct arena *arena)
{
	const struct entry *entry = &principals->entries[slot_of(token_sha256)];
	if (entry->packed == NULL || memcmp(entry->token_sha256, token_sha256, TOKEN_SHA256) != 0)
		return NULL;
	*out_age_us = now_us - entry->loaded_us;
	return (const Isms__Store__V1__Principal *)(void *)pb_unpack(
		&isms__store__v1__principal__descriptor, entry->packed, entry->len, arena);
}

void principals_put(struct principals *principals, const uint8_t token_sha256[TOKEN_SHA256],
		    const Isms__Store__V1__Principal *principal, int64_t now_us)
{
	struct entry *entry = &principals->entries[slot_of(token_sha256)];
	size_t len = isms__store__v1__principal__get_packed_size(principal);
	if (len > ENTRY_MAX)
		return;
	uint8_t *packed = realloc(entry->packed, len + 1);
	if (packed == NULL)
		abort();
	isms__store__v1__principal__pack(principal, packed);
	memcpy(entry->token_sha256, token_sha256, TOKEN_SHA256);
	entry->packed = packed;
	entry->len = len;
	entry->loaded_us = now_us;
}

void principals_forget(struct principals *principals, const uint8_t token_sha256[TOKEN_SHA256])
{
	struct entry *entry = &principals->entries[slot_of(token_sha256)];
	if (memcmp(entry->token_sha256, token_sha256, TOKEN_SHA256) != 0)
		return;
	free(entry->packed);
	entry->packed = NULL;
}

bool principals_token(uint8_t out[TOKEN_SHA256], const char *authorization)
{
	if (authorization == NULL || strncasecmp(authorization, "bearer ", 7) != 0)
		return false;
	const char *token = authorization + 7;
	size_t len = strlen(token);
	if (len < TOKEN_MIN || len > TOKEN_MAX || strncmp(token, "isms", 4) != 0)
		return false;
	return digest_sha256_of(out, token, len);
}

struct status principals_refusal(void)
{
	return status_make(STATUS_CODE_UNAUTHENTICATED, "TOKEN_INVALID",
			   "a valid access token is needed");
}
