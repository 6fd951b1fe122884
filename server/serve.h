/* Serving: from settings to workers that accept, and reloading. */
#ifndef ISMS_SERVER_SERVE_H
#define ISMS_SERVER_SERVE_H

#include "common/status.h"

struct arena;
struct command;
struct embedded;
struct settings;

/* Serves until a signal asks to stop. *exit_status is that of the program once it
 * has served; a status other than OK says why it never did. embedded is NULL
 * without a database of its own. */
STATUS_MUST_CHECK struct status serve_run(int *exit_status, const struct command *command,
					  const struct settings *settings,
					  struct embedded *embedded, struct arena *arena);

#endif
