/* Starting programs and giving up root. */
#ifndef ISMS_SERVER_PROCESS_H
#define ISMS_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/status.h"

struct arena;

/* Starts argv[0] (a path) in a session of its own, standard input empty, output
 * added to the log file. The kernel sends it death_signal when this process
 * dies. */
STATUS_MUST_CHECK struct status process_start(pid_t *out, const char *const *argv,
					      const char *log_path, int death_signal,
					      struct arena *arena);
/* The same, and waits for its end: a failure names the program and the log. */
STATUS_MUST_CHECK struct status process_run(const char *const *argv, const char *log_path,
					    struct arena *arena);
/* Waits until a child, or with child false any process, has ended. false after
 * timeout_us. */
bool process_wait(pid_t pid, bool child, int64_t timeout_us);

/* Becomes a user with its groups for good. Only root can. */
STATUS_MUST_CHECK struct status process_become(const char *user, struct arena *arena);

/* In a forked child: signals do what they do at the start of a program, but those that
 * were blocked still are; and death_signal comes when the parent dies. Ends at once when
 * it is dead already. */
void process_child(pid_t parent, int death_signal);
/* Blocks no signal any more. */
void process_take_signals(void);

#endif
