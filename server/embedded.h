/* ismsd --embedded DIR: a server that needs nothing but a folder. Makes and keeps
 * there its own PostgreSQL cluster, certificates, an organisation and its first
 * administrator; see --help for what lies where. One at a time a folder. */
#ifndef ISMS_SERVER_EMBEDDED_H
#define ISMS_SERVER_EMBEDDED_H

#include <sys/types.h>

#include "common/status.h"

struct arena;
struct command;
struct embedded;
struct settings;

/* Takes the folder (and, started as root, becomes the unprivileged user for good),
 * starts the database and brings it up to date. *settings gets the connection
 * string and the certificate. Strings in the arena. Yours. */
STATUS_MUST_CHECK struct status embedded_open(struct embedded **out, struct settings *settings,
					      const struct command *command, struct arena *arena);
/* Puts what the folder rules into settings that were read anew. */
void embedded_settings(const struct embedded *embedded, struct settings *settings);
/* Writes client.conf and says how to go on. */
STATUS_MUST_CHECK struct status embedded_announce(const struct embedded *embedded,
						  const char *address, struct arena *arena);
/* The database's process, 0 when it does not run; starting it again: -1 on failure. */
pid_t embedded_database(const struct embedded *embedded);
pid_t embedded_restart(struct embedded *embedded);
/* Its end was waited for by somebody else. */
void embedded_database_gone(struct embedded *embedded);
/* In a worker: lets go of the lock, which is the first process's. */
void embedded_forked(struct embedded *embedded);
/* Stops the database if it runs and lets go of the folder. Accepts NULL. */
void embedded_close(struct embedded *embedded);

#endif
