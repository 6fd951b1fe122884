/* TLS 1.3 with ALPN "h2" over a non-blocking socket; both sides. Plain SSL_read
 * and SSL_write on the descriptor, no callbacks. Server and SDK share this. */
#ifndef ISMS_TLS_H
#define ISMS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct arena;
struct buf;
struct ssl_ctx_st;
struct tls_stream;

enum tls_result {
	TLS_DONE,       /* did what was asked */
	TLS_WANT_READ,  /* again when the socket is readable */
	TLS_WANT_WRITE, /* again when the socket is writable */
	TLS_CLOSED,     /* orderly or cut; nothing more to read */
	TLS_FAILED,     /* protocol error; see tls_stream_error */
};

/* Server context: certificate chain and key in PEM files; TLS 1.3 only unless
 * tls12 (then 1.2 ECDHE-AEAD too), no renegotiation, compression or early data.
 * FAILED_PRECONDITION names the file. The result is an SSL_CTX, yours (SSL_CTX_free). */
STATUS_MUST_CHECK struct status tls_server_context(struct ssl_ctx_st **out, const char *cert_file,
						   const char *key_file, bool tls12,
						   struct arena *arena);
/* Client context that trusts the CAs of a PEM file (NULL: the system's). */
STATUS_MUST_CHECK struct status tls_client_context(struct ssl_ctx_st **out, const char *ca_file,
						   struct arena *arena);

/* A stream over fd, which stays the caller's. server_name NULL: server side;
 * else client side that verifies this name (a DNS name or an address). NULL when
 * out of memory. Yours. */
struct tls_stream *tls_stream_new(struct ssl_ctx_st *context, int fd, const char *server_name);
/* Sends close_notify if it can at once. Accepts NULL. */
void tls_stream_free(struct tls_stream *stream);

/* Goes on with the handshake. TLS_DONE once ALPN has chosen h2; TLS_FAILED
 * without it. */
enum tls_result tls_handshake(struct tls_stream *stream);
/* Reads up to cap bytes, *out_len of them on TLS_DONE. Call until it does not
 * return TLS_DONE: the socket does not tell what is already decrypted. */
enum tls_result tls_read(size_t *out_len, struct tls_stream *stream, uint8_t *data, size_t cap);
/* Writes from the front of buf and consumes it. */
enum tls_result tls_write(struct tls_stream *stream, struct buf *buf);

/* One line about the last failure, without a full stop; borrowed. */
const char *tls_stream_error(const struct tls_stream *stream);

#endif
