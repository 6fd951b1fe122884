/* A private PostgreSQL cluster in a folder: made on first use, reached by a unix
 * socket that only its user can open, run as our child. One at a time a folder. */
#ifndef ISMS_SERVER_CLUSTER_H
#define ISMS_SERVER_CLUSTER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/status.h"

struct arena;

struct cluster {
	const char *programs; /* folder of initdb and postgres */
	const char *data;     /* the cluster */
	const char *log;      /* output of the programs */
	const char *sockets;  /* folder of the socket, mode 0700 */
	unsigned connections; /* max_connections */
	pid_t pid;            /* running server, or 0 */
};

/* Folder of PostgreSQL's programs: given, or else Debian's of version 15, or what
 * pg_config says. */
STATUS_MUST_CHECK struct status cluster_programs(const char **out, const char *given,
						 struct arena *arena);

/* Sets up a cluster in folder (an absolute path, which exists and is ours): db/,
 * run/ and log/ in it; makes the cluster when there is none, and stops a server
 * that an earlier program left behind. Strings in the arena. */
STATUS_MUST_CHECK struct status cluster_open(struct cluster *out, const char *folder,
					     const char *programs, unsigned connections,
					     struct arena *arena);
/* Starts the server; does not wait for it. */
STATUS_MUST_CHECK struct status cluster_start(struct cluster *cluster, struct arena *arena);
/* Waits until the server takes connections. */
STATUS_MUST_CHECK struct status cluster_wait_ready(struct cluster *cluster, struct arena *arena);
/* Stops a running server: open transactions are rolled back. */
void cluster_stop(struct cluster *cluster);
/* Removes what lies outside of the folder. */
void cluster_close(struct cluster *cluster);

/* Connection string for a role and database. NULL when out of memory. */
const char *cluster_conninfo(const struct cluster *cluster, const char *role, const char *database,
			     struct arena *arena);

#endif
