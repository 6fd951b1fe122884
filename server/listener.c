/* The socket that all workers accept from, see listener.h. */
#include "server/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arena.h"
#include "server/file.h"
#include "server/settings.h"

static const char *name_of(int fd, struct arena *arena)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&bound, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return NULL;
	return arena_printf(arena, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* A listening socket, or -1 with errno set. */
static int try_address(const struct addrinfo *info, int backlog)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	int error;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, backlog) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

struct status listener_open(int *fd, const char **address, const char *listen, int backlog,
			    struct arena *arena)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	const char *host = NULL;
	uint16_t port = 0;
	char service[8];
	int bound = -1;
	int error;
	struct status st = settings_address(&host, &port, listen, arena);

	if (!status_ok(&st))
		return st;
	(void)snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &found);
	if (error != 0)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "LISTEN",
				   arena_printf(arena, "cannot listen at %s: %s", listen,
						gai_strerror(error)));
	errno = EADDRNOTAVAIL;
	for (const struct addrinfo *at = found; at && bound < 0; at = at->ai_next)
		bound = try_address(at, backlog);
	freeaddrinfo(found);
	if (bound < 0)
		return file_fault(arena, "listen at", listen, errno);
	*address = name_of(bound, arena);
	if (!*address) {
		(void)close(bound);
		return status_make(STATUS_CODE_INTERNAL, "LISTEN",
				   "cannot tell the address that was bound");
	}
	*fd = bound;
	return STATUS_OK;
}
