/* The socket that all workers accept from. */
#ifndef ISMS_SERVER_LISTENER_H
#define ISMS_SERVER_LISTENER_H

#include "common/status.h"

struct arena;

/* Binds "host:port" and listens. *address is what it is bound to, in the same form
 * with the port that port 0 became. The descriptor is yours. */
STATUS_MUST_CHECK struct status listener_open(int *fd, const char **address, const char *listen,
					      int backlog, struct arena *arena);

#endif
