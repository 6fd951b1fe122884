/* The first organisation, its administrator and the invitation by which the
 * administrator sets a password. */
#ifndef ISMS_SERVER_BOOTSTRAP_H
#define ISMS_SERVER_BOOTSTRAP_H

#include "common/status.h"

struct arena;
struct command;

/* Makes the organisation of the command as the owner of the tables. The one-use
 * invitation is written to a new file of mode 0600 and nowhere else; it is not
 * left behind on failure. */
STATUS_MUST_CHECK struct status bootstrap_run(const struct command *command, const char *owner,
					      const char *invitation_file, struct arena *arena);

#endif
