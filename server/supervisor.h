/* Keeps N worker processes running: forks them, starts them again with back-off,
 * replaces them on SIGHUP once those that follow are ready, drains them on SIGTERM or
 * SIGINT. A helper process (the
 * embedded database) may be kept beside them: it is started again like a worker
 * and stopped after the last of them. When the supervisor dies, its workers get
 * SIGTERM from the kernel. */
#ifndef ISMS_SERVER_SUPERVISOR_H
#define ISMS_SERVER_SUPERVISOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Workers at once: of two generations, one of which begins or drains. */
enum { SUPERVISOR_WORKERS_MAX = 64, SUPERVISOR_SLOTS = 2 * SUPERVISOR_WORKERS_MAX };

/* Signals to stop closer than this are one: a hand may signal a whole group and
 * each of its processes. */
enum { SUPERVISOR_AGAIN_US = 1000000 };

/* Where a worker stands among the others. */
struct supervisor_place {
	unsigned slot;      /* its own among those alive, below SUPERVISOR_SLOTS */
	bool first;         /* one of those with the same settings is */
	bool next;          /* runs with the settings that a reload tries */
	atomic_bool *ready; /* to be set once it serves */
};

struct supervisor {
	unsigned workers;         /* 1 .. SUPERVISOR_WORKERS_MAX */
	int64_t drain_timeout_us; /* a worker that drains longer is killed */
	/* Runs in a new process, which ends with the returned status. SIGTERM and SIGINT
	 * ask it to drain and return 0; until it takes them they end it. SIGHUP and
	 * SIGUSR1, which may be sent to a whole group, are ignored. */
	int (*worker)(void *arg, const struct supervisor_place *place);
	/* SIGHUP: reads the settings that are tried next and how many workers they want,
	 * 1 .. SUPERVISOR_WORKERS_MAX. false: nothing is tried, said in the log. Not
	 * called while a reload before it is under way or workers drain. */
	bool (*reload)(void *arg, unsigned *workers);
	/* How the reload ended: the workers of the next settings are all ready, and the
	 * function may change workers and drain_timeout_us; or why they are not, and those
	 * of the former ones stay. Nothing is tried any more until the next SIGHUP. */
	void (*reloaded)(void *arg, struct supervisor *supervisor, const char *why_not);
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
