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

/* Adds a call to those in flight and numbers it; takes it. false when there are too many. */
bool client_add(struct isms_client *client, struct call *call);
/* Around each public function that runs turns: a client that is freed meanwhile goes
 * with the last leave. */
void client_enter(struct isms_client *client);
void client_leave(struct isms_client *client);
/* Waits until the client has something to do, at most max_ms (-1: without limit). -1
 * when that is not possible, 0 when a signal was handled. */
int client_wait(const struct isms_client *client, int max_ms);

#endif
