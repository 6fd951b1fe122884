/* Keeps the worker processes running, see supervisor.h.
 *
 * Signals are blocked and taken one by one with sigtimedwait, so nothing runs at a
 * bad time. A child's state says what is waited for; only turn() moves it. */
#include "server/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"
#include "server/process.h"

enum {
	BACKOFF_MIN_US = 100000,
	BACKOFF_MAX_US = 5000000,
	STABLE_US = 10000000,      /* alive for so long: the back-off starts again */
	KILL_GRACE_US = 2000000,   /* beyond the drain timeout, before SIGKILL */
	HELPER_STOP_US = 30000000, /* for the helper to stop before SIGQUIT */
	WAIT_MAX_US = 60000000,
};

enum state {
	EMPTY,
	RUNNING,
	WAITING,  /* to be started at `due` */
	DRAINING, /* asked to end; killed at `due` */
};

struct child {
	enum state state;
	bool first; /* of its generation */
	pid_t pid;
	int64_t started;
	int64_t backoff;
	int64_t due;
};

struct keeper {
	struct supervisor *plan;
	struct child workers[SUPERVISOR_SLOTS];
	struct child helper;
	bool reload_asked;
	bool stopping;
	int64_t stop_asked;
	int64_t now;
};

static void child_start(struct keeper *keeper, struct child *child)
{
	bool helper = child == &keeper->helper;
	pid_t parent = getpid();

	child->pid = helper ? keeper->plan->helper_start(keeper->plan->arg) : fork();
	if (child->pid == 0) {
		unsigned slot = (unsigned)(child - keeper->workers);

		process_child(parent, SIGTERM);
		(void)signal(SIGPIPE, SIG_IGN);
		exit(keeper->plan->worker(keeper->plan->arg, slot, child->first));
	}
	child->started = keeper->now;
	if (child->pid > 0) {
		child->state = RUNNING;
		return;
	}
	log_write(LOG_LEVEL_ERROR, "process_start_failed", "what=%s",
		  helper ? "database" : "worker");
	child->state = WAITING;
	child->due = keeper->now + BACKOFF_MAX_US;
}

static void child_drain(struct keeper *keeper, struct child *child)
{
	int64_t timeout = keeper->plan->drain_timeout_us + KILL_GRACE_US;

	if (child == &keeper->helper)
		timeout = HELPER_STOP_US;
	if (child->state == RUNNING) {
		(void)kill(child->pid,
			   child == &keeper->helper ? keeper->plan->helper_signal : SIGTERM);
		child->state = DRAINING;
		child->due = keeper->now + timeout;
	} else if (child->state == WAITING) {
		child->state = EMPTY;
	}
}

static void child_kill(struct keeper *keeper, struct child *child)
{
	bool helper = child == &keeper->helper;

	log_write(LOG_LEVEL_WARNING, "process_killed", "what=%s pid=%d",
		  helper ? "database" : "worker", (int)child->pid);
	/* SIGQUIT lets PostgreSQL end its own children. */
	(void)kill(child->pid, helper ? SIGQUIT : SIGKILL);
	child->due = keeper->now + HELPER_STOP_US;
}

static void child_ended(struct keeper *keeper, struct child *child, int end)
{
	if (child->state == DRAINING) {
		child->state = EMPTY;
		return;
	}
	if (keeper->now - child->started >= STABLE_US || child->backoff == 0)
		child->backoff = BACKOFF_MIN_US;
	log_write(LOG_LEVEL_ERROR, "process_ended", "what=%s pid=%d how=%s code=%d again_ms=%d",
		  child == &keeper->helper ? "database" : "worker", (int)child->pid,
		  WIFSIGNALED(end) ? "signal" : "status",
		  WIFSIGNALED(end) ? WTERMSIG(end) : WEXITSTATUS(end),
		  (int)(child->backoff / 1000));
	child->state = WAITING;
	child->due = keeper->now + child->backoff;
	child->backoff = child->backoff * 2 < BACKOFF_MAX_US ? child->backoff * 2 : BACKOFF_MAX_US;
}

/* Every child with the helper last: i up to and with SUPERVISOR_SLOTS. */
static struct child *child_at(struct keeper *keeper, unsigned i)
{
	return i < SUPERVISOR_SLOTS ? &keeper->workers[i] : &keeper->helper;
}

static void reap(struct keeper *keeper)
{
	int end;
	pid_t pid;

	while ((pid = waitpid(-1, &end, WNOHANG)) > 0) {
		for (unsigned i = 0; i <= SUPERVISOR_SLOTS; i++) {
			struct child *child = child_at(keeper, i);

			if ((child->state == RUNNING || child->state == DRAINING) &&
			    child->pid == pid)
				child_ended(keeper, child, end);
		}
	}
}

/* Starts, kills and counts what is due; the microseconds until the next time. */
static int64_t turn(struct keeper *keeper)
{
	int64_t next = keeper->now + WAIT_MAX_US;

	for (unsigned i = 0; i <= SUPERVISOR_SLOTS; i++) {
		struct child *child = child_at(keeper, i);

		if (child->state == EMPTY || child->state == RUNNING)
			continue;
		if (child->due <= keeper->now) {
			if (child->state == WAITING)
				child_start(keeper, child);
			else
				child_kill(keeper, child);
		}
		if (child->state != RUNNING && child->due < next)
			next = child->due;
	}
	return next - keeper->now;
}

static unsigned workers_left(const struct keeper *keeper)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		n += keeper->workers[i].state != EMPTY;
	return n;
}

/* Fills empty slots until so many workers were started. */
static void start_workers(struct keeper *keeper)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SUPERVISOR_SLOTS && n < keeper->plan->workers; i++) {
		struct child *child = &keeper->workers[i];

		if (child->state != EMPTY)
			continue;
		*child = (struct child){ .state = WAITING, .first = n == 0, .due = keeper->now };
		n++;
	}
}

static void drain_workers(struct keeper *keeper)
{
	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		child_drain(keeper, &keeper->workers[i]);
}

static bool any_drains(const struct keeper *keeper)
{
	bool found = false;

	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		found = found || keeper->workers[i].state == DRAINING;
	return found;
}

/* Replaces the workers by ones with new settings. The new ones listen at the same
 * socket, so nobody is turned away. While those of a reload before this one drain it
 * waits: there is room for two generations, and none is to be cut short. */
static void reload(struct keeper *keeper)
{
	struct supervisor *plan = keeper->plan;

	if (!keeper->reload_asked || keeper->stopping || any_drains(keeper))
		return;
	keeper->reload_asked = false;
	if (!plan->reload(plan->arg, plan))
		return;
	drain_workers(keeper);
	start_workers(keeper);
}

static void stop(struct keeper *keeper)
{
	if (keeper->stopping) {
		/* Asked again: without waiting for calls in flight. */
		if (keeper->now < keeper->stop_asked + SUPERVISOR_AGAIN_US)
			return;
		for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
			if (keeper->workers[i].state == DRAINING)
				child_kill(keeper, &keeper->workers[i]);
		return;
	}
	keeper->stopping = true;
	keeper->stop_asked = keeper->now;
	keeper->plan->stopping(keeper->plan->arg);
	drain_workers(keeper);
}

static int take_signal(const sigset_t *signals, int64_t timeout_us)
{
	struct timespec timeout = { .tv_sec = timeout_us / 1000000,
				    .tv_nsec = timeout_us % 1000000 * 1000 };
	int sig = sigtimedwait(signals, NULL, &timeout);

	return sig > 0 ? sig : 0;
}

int supervisor_run(struct supervisor *supervisor)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	sigset_t signals;

	assert(keeper && supervisor->workers > 0 && supervisor->workers <= SUPERVISOR_WORKERS_MAX);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGUSR1);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	keeper->plan = supervisor;
	keeper->now = mono_us();
	if (supervisor->helper > 0)
		keeper->helper = (struct child){ .state = RUNNING,
						 .pid = supervisor->helper,
						 .started = keeper->now };
	start_workers(keeper);
	for (;;) {
		int64_t timeout;
		int sig;

		keeper->now = mono_us();
		reap(keeper);
		reload(keeper);
		if (keeper->stopping && workers_left(keeper) == 0) {
			child_drain(keeper, &keeper->helper);
			if (keeper->helper.state == EMPTY)
				break;
		}
		timeout = turn(keeper);
		sig = take_signal(&signals, timeout);
		keeper->now = mono_us();
		if (sig == SIGHUP)
			keeper->reload_asked = true;
		else if (sig == SIGINT || sig == SIGTERM)
			stop(keeper);
		else if (sig == SIGUSR1)
			supervisor->report(supervisor->arg);
	}
	free(keeper);
	return EXIT_SUCCESS;
}
