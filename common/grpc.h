/* The thin layer of gRPC over HTTP/2 ("gRPC over HTTP2" protocol document):
 * message prefix, timeout, percent-encoding, status details. Bytes in, bytes
 * out; no I/O. */
#ifndef ISMS_GRPC_H
#define ISMS_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct arena;
struct buf;

enum {
	GRPC_PREFIX = 5,            /* flag byte and big-endian length */
	GRPC_MESSAGE_MAX = 1 << 20, /* bytes of one message to the server */
	GRPC_REPLY_MAX = 4 << 20,   /* of one from it: what stock clients take */
};

/* The 5-byte prefix: INVALID_ARGUMENT for a flag above 1 or a compressed
 * message, RESOURCE_EXHAUSTED above GRPC_MESSAGE_MAX. *out is not written on
 * failure. */
STATUS_MUST_CHECK struct status grpc_prefix_parse(uint32_t *out, const uint8_t prefix[GRPC_PREFIX]);
/* The same for a message of the server, up to GRPC_REPLY_MAX. */
STATUS_MUST_CHECK struct status grpc_reply_prefix_parse(uint32_t *out,
							const uint8_t prefix[GRPC_PREFIX]);
void grpc_prefix_write(uint8_t prefix[GRPC_PREFIX], uint32_t len);

/* grpc-timeout: 1 to 8 digits and one of H M S m u n. Microseconds, rounded
 * down. false when malformed. */
bool grpc_timeout_parse(int64_t *out_us, const char *text, size_t len);
/* Shortest form that does not exceed us; at least 1n. out holds 10 bytes. */
void grpc_timeout_format(char out[10], int64_t us);

/* grpc-message: bytes outside 0x20..0x7E and '%' as %XX. Cut at cap - 1. */
size_t grpc_percent_encode(char *out, size_t cap, const char *text);
size_t grpc_percent_decode(char *out, size_t cap, const char *text, size_t len);

/* Base64 without padding, as binary metadata travels; decoding takes padding
 * too. The decoder returns -1 on a foreign character. out of encode holds
 * len * 4 / 3 + 4 bytes, out of decode len * 3 / 4 + 3. */
size_t grpc_base64_encode(char *out, const uint8_t *data, size_t len);
ptrdiff_t grpc_base64_decode(uint8_t *out, const char *text, size_t len);

/* Packed google.rpc.Status with ErrorInfo (domain "isms.v1"), BadRequest and
 * RetryInfo as far as st has them. In the arena; NULL when out of memory. */
uint8_t *grpc_status_encode(size_t *out_len, const struct status *st, struct arena *arena);
/* Reads details into a status; malformed details are left out. code and message
 * are those of the trailers. Everything is copied into the arena. */
struct status grpc_status_decode(enum status_code code, const char *message, const uint8_t *details,
				 size_t len, struct arena *arena);

#endif
