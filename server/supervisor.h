/* Keeps N worker processes running: forks them, starts them again with back-off,
 * replaces them on SIGHUP, drains them on SIGTERM or SIGINT. A helper process (the
 * embedded database) may be kept beside them: it is started again like a worker
 * and stopped after the last of them. When the supervisor dies, its workers get
 * SIGTERM from the kernel. */
#ifndef ISMS_SERVER_SUPERVISOR_H
#define ISMS_SERVER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Workers at once, with those of the previous settings that still drain. */
enum { SUPERVISOR_WORKERS_MAX = 64, SUPERVISOR_SLOTS = 2 * SUPERVISOR_WORKERS_MAX };

/* Signals to stop closer than this are one: a hand may signal a whole group and
 * each of its processes. */
enum { SUPERVISOR_AGAIN_US = 1000000 };

struct supervisor {
	unsigned workers;         /* 1 .. SUPERVISOR_WORKERS_MAX */
	int64_t drain_timeout_us; /* a worker that drains longer is killed */
	/* Runs in a new process, which ends with the returned status; slot is its
	 * own among those alive, below SUPERVISOR_SLOTS; one of those with the same
	 * settings is the first. SIGTERM asks it to drain and return 0. */
	int (*worker)(void *arg, unsigned slot, bool first);
	/* SIGHUP, once no worker of the one before drains any more: takes new settings
	 * and may change workers and drain_timeout_us. true: replace all workers;
	 * false: nothing changed, said in the log. */
	bool (*reload)(void *arg, struct supervisor *supervisor);
	/* Once, when it begins to stop: no worker will be started any more. */
	void (*stopping)(void *arg);
	/* SIGUSR1: says how it goes. */
	void (*report)(void *arg);
	/* Starts the helper again; -1 on failure. NULL when there is none. */
	pid_t (*helper_start)(void *arg);
	pid_t helper;      /* running helper, or 0 */
	int helper_signal; /* asks the helper to stop */
	void *arg;
};

/* Until SIGTERM or SIGINT and the end of all children: the exit status. */
int supervisor_run(struct supervisor *supervisor);

#endif
