/* The wire of a conn: connecting, TLS, bytes in and out of its session. */
#ifndef ISMS_SDK_WIRE_H
#define ISMS_SDK_WIRE_H

#include <stdint.h>

struct call;
struct config;
struct conn;
struct ssl_ctx_st;

/* A conn that has begun to connect, or is dead already. Resolving a name blocks.
 * The arguments are borrowed as long as it lives. NULL when out of memory. Yours. */
struct conn *wire_new(const struct config *config, struct ssl_ctx_st *context, int epoll,
		      struct call *const *calls, int64_t now_us);
/* Accepts NULL. */
void wire_free(struct conn *conn);

/* Goes on with connecting and reading. */
void wire_process(struct conn *conn, int64_t now_us);
/* Sends what there is. */
void wire_flush(struct conn *conn);

#endif
