/* The check sum (CRC-32 of all that stands before it) lets scanners for leaked
 * secrets tell a token from a random word; it protects nothing. */
#include "server/domain/token.h"

#include <stdint.h>
#include <string.h>

#include "common/arena.h"
#include "common/digest.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"

enum { TOKEN_RANDOM = 32, TOKEN_PREFIX = 6, TOKEN_TEXT = 64 };

/* URL-safe base64 without padding; returns the end. */
static char *put_base64(char *out, const uint8_t *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned n_bits = 0;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*out++ = digits[bits >> (n_bits - 6) & 63];
	}
	if (n_bits > 0)
		*out++ = digits[bits << (6 - n_bits) & 63];
	return out;
}

/* CRC-32 of IEEE 802.3, bit by bit: tokens are short and rare. */
static uint32_t crc32_of(const char *text, size_t len)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

char *token_new(ProtobufCBinaryData *out_sha256, struct plan *plan, enum token_kind kind)
{
	uint8_t random[TOKEN_RANDOM];
	plan->entropy(random, sizeof(random));
	char *text = must(arena_alloc(plan->arena, TOKEN_TEXT));
	memcpy(text, "isms?_", TOKEN_PREFIX);
	text[4] = (char)kind;
	char *end = put_base64(text + TOKEN_PREFIX, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	uint32_t crc = crc32_of(text, (size_t)(end - text));
	uint8_t sum[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
			   (uint8_t)crc };
	*put_base64(end, sum, sizeof(sum)) = '\0';
	out_sha256->len = DIGEST_BYTES;
	out_sha256->data = must(arena_alloc(plan->arena, DIGEST_BYTES));
	if (!digest_sha256_of(out_sha256->data, text, strlen(text)))
		abort();
	return text;
}
