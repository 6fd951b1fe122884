/* A page token says where a list goes on and proves that this server gave it out
 * for this list. */
#include "server/engine/page.h"

#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/digest.h"
#include "common/grpc.h"
#include "common/pb.h"
#include "common/uuid.h"

/* A token is the 16 bytes of the key and 16 bytes of the MAC, in base64. */
enum {
	PAGE_MAC = 16,
	PAGE_TOKEN = UUID_BYTES + PAGE_MAC,
	PAGE_TOKEN_TEXT = PAGE_TOKEN * 4 / 3 + 4
};

int32_t page_size(const ProtobufCMessage *request)
{
	int64_t size = pb_int(request, "page_size");
	if (size <= 0)
		return PAGE_SIZE_DEFAULT;
	return (int32_t)(size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : size);
}

/* The filter is the request without its page fields. */
static void page_mac(uint8_t out[PAGE_MAC], const uint8_t key[UUID_BYTES],
		     const ProtobufCMessage *request, const uint8_t secret[PAGE_SECRET],
		     const char *org_id, const char *path, struct arena *arena)
{
	ProtobufCMessage *filter = pb_copy(request, arena);
	assert(filter != NULL);
	*(int32_t *)pb_member(filter, pb_field(filter->descriptor, "page_size")) = 0;
	*(const char **)pb_member(filter, pb_field(filter->descriptor, "page_token")) = "";
	size_t len;
	uint8_t *packed = pb_pack(&len, filter, arena);
	assert(packed != NULL);
	struct digest_piece pieces[] = {
		{ key, UUID_BYTES },
		{ org_id, strlen(org_id) + 1 },
		{ path, strlen(path) + 1 },
		{ packed, len },
	};
	uint8_t mac[DIGEST_BYTES];
	bool ok = digest_hmac_sha256(mac, secret, PAGE_SECRET, pieces, 4);
	assert(ok);
	(void)ok;
	memcpy(out, mac, PAGE_MAC);
}

struct status page_after(const char **out, const ProtobufCMessage *request,
			 const uint8_t secret[PAGE_SECRET], const char *org_id, const char *path,
			 struct arena *arena)
{
	const char *token = pb_string(request, "page_token");
	if (*token == '\0') {
		*out = NULL;
		return STATUS_OK;
	}
	uint8_t bytes[PAGE_TOKEN_TEXT], mac[PAGE_MAC];
	size_t len = strlen(token);
	if (len > PAGE_TOKEN_TEXT || grpc_base64_decode(bytes, token, len) != PAGE_TOKEN)
		return status_invalid(arena, "page_token", "must be a token of this list");
	page_mac(mac, bytes, request, secret, org_id, path, arena);
	if (!digest_equal(mac, bytes + UUID_BYTES, PAGE_MAC))
		return status_invalid(arena, "page_token", "must be a token of this list");
	char *key = arena_alloc(arena, UUID_TEXT);
	assert(key != NULL);
	uuid_format(bytes, key);
	*out = key;
	return STATUS_OK;
}

const char *page_token(const char *key, const ProtobufCMessage *request,
		       const uint8_t secret[PAGE_SECRET], const char *org_id, const char *path,
		       struct arena *arena)
{
	uint8_t bytes[PAGE_TOKEN];
	bool ok = uuid_parse(key, bytes);
	assert(ok);
	(void)ok;
	page_mac(bytes + UUID_BYTES, bytes, request, secret, org_id, path, arena);
	char *token = arena_alloc(arena, PAGE_TOKEN_TEXT + 1);
	assert(token != NULL);
	grpc_base64_encode(token, bytes, PAGE_TOKEN);
	return token;
}
