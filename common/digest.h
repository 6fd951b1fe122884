/* SHA-256, HMAC-SHA-256 and comparing in constant time. */
#ifndef ISMS_DIGEST_H
#define ISMS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

/* Bytes that are digested one after the other. */
struct digest_piece {
	const void *data;
	size_t len;
};

/* false when the library fails (out of memory); out is not written then. */
bool digest_sha256(uint8_t out[DIGEST_BYTES], const struct digest_piece *pieces, size_t n);
bool digest_hmac_sha256(uint8_t out[DIGEST_BYTES], const void *key, size_t key_len,
			const struct digest_piece *pieces, size_t n);
/* Of one piece. */
bool digest_sha256_of(uint8_t out[DIGEST_BYTES], const void *data, size_t len);
/* Whether len bytes are the same; the time depends on len only. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
