/* A client: its calls and at most two connections, one for new calls and one
 * whose server has said goodbye and that only finishes what it has. */
#ifndef ISMS_SDK_CLIENT_H
#define ISMS_SDK_CLIENT_H

#include <isms/isms.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/sdk/options.h"

struct call;
struct conn;
struct ssl_ctx_st;

enum { CLIENT_CALLS_MAX = 64 };

struct isms_client {
	struct config config;
	struct ssl_ctx_st *context; /* made with the first connection */
	int epoll;                  /* what the host waits for; holds the conns' sockets */
	struct conn *conn;          /* for new calls; may be NULL */
	struct conn *drain;         /* finishes its calls; may be NULL */
	struct call *calls;         /* oldest first, <= CLIENT_CALLS_MAX */
	unsigned n_calls;
	int64_t next_id;
	int64_t connect_us; /* not before */
	int connect_failures;
	unsigned depth; /* of public functions on the stack */
	bool doomed;    /* freed while depth > 0 */
};

#endif
