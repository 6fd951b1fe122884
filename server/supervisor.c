/* Keeps the worker processes running, see supervisor.h.
 *
 * Signals are blocked and taken one by one with sigtimedwait, so nothing runs at a
 * bad time. A child's state says what is waited for; only turn() moves it.
 *
 * A reload starts the workers of the next settings beside those that serve, at the
 * same socket, and has the latter drain only when all of the former are ready: so
 * nobody is turned away, and what is wrong with the settings, or a database that is
 * away, costs nothing. */
#include "server/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
	READY_US = 60000000,   /* for the workers of a reload to get ready */
	READY_LOOK_US = 20000, /* between two looks whether they are */
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
	bool next;  /* of the generation that a reload tries */
	pid_t pid;
	int64_t started;
	int64_t backoff;
	int64_t due;
};

struct keeper {
	struct supervisor *plan;
	struct child workers[SUPERVISOR_SLOTS];
	struct child helper;
	atomic_bool *ready; /* a slot each, shared with the workers */
	bool reload_asked;
	bool reloading;    /* workers of the next generation are getting ready */
	const char *fault; /* why they will not; NULL: they may */
	int64_t ready_by;
	bool stopping;
	int64_t stop_asked;
	int64_t now;
};

_Noreturn static void be_worker(struct keeper *keeper, const struct child *child, pid_t parent)
{
	unsigned slot = (unsigned)(child - keeper->workers);
	struct supervisor_place place = { .slot = slot,
					  .first = child->first,
					  .next = child->next,
					  .ready = &keeper->ready[slot] };

	process_child(parent, SIGTERM);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	process_take_signals();
	exit(keeper->plan->worker(keeper->plan->arg, &place));
}

static void child_start(struct keeper *keeper, struct child *child)
{
	bool helper = child == &keeper->helper;
	pid_t parent = getpid();

	if (!helper)
		atomic_store(&keeper->ready[child - keeper->workers], false);
	child->pid = helper ? keeper->plan->helper_start(keeper->plan->arg) : fork();
	if (child->pid == 0)
		be_worker(keeper, child, parent);
	child->started = keeper->now;
	if (child->pid > 0) {
		child->state = RUNNING;
		return;
	}
	log_write(LOG_LEVEL_ERROR, "process_start_failed", "what=%s",
		  helper ? "database" : "worker");
	if (child->next)
		keeper->fault = "a worker cannot be started";
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

static void log_end(const struct keeper *keeper, const struct child *child, int end, int again_ms)
{
	log_write(LOG_LEVEL_ERROR, "process_ended", "what=%s pid=%d how=%s code=%d again_ms=%d",
		  child == &keeper->helper ? "database" : "worker", (int)child->pid,
		  WIFSIGNALED(end) ? "signal" : "status",
		  WIFSIGNALED(end) ? WTERMSIG(end) : WEXITSTATUS(end), again_ms);
}

static void child_ended(struct keeper *keeper, struct child *child, int end)
{
	if (child->state == DRAINING) {
		/* what was killed for taking too long has been told of */
		if (end != 0 && !(WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL))
			log_end(keeper, child, end, -1);
		child->state = EMPTY;
		return;
	}
	if (keeper->now - child->started >= STABLE_US || child->backoff == 0)
		child->backoff = BACKOFF_MIN_US;
	log_end(keeper, child, end, child->next ? -1 : (int)(child->backoff / 1000));
	if (child->next) {
		child->state = EMPTY;
		keeper->fault = "a worker has ended before it was ready";
		return;
	}
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
static void start_workers(struct keeper *keeper, unsigned workers, bool next)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SUPERVISOR_SLOTS && n < workers; i++) {
		struct child *child = &keeper->workers[i];

		if (child->state != EMPTY)
			continue;
		*child = (struct child){
			.state = WAITING, .first = n == 0, .next = next, .due = keeper->now
		};
		n++;
	}
	assert(n == workers);
}

static void drain_workers(struct keeper *keeper, bool next)
{
	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		if (keeper->workers[i].next == next)
			child_drain(keeper, &keeper->workers[i]);
}

static bool any_drains(const struct keeper *keeper)
{
	bool found = false;

	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		found = found || keeper->workers[i].state == DRAINING;
	return found;
}

/* --- reloading -------------------------------------------------------------------- */

/* While workers of a reload before this one drain it waits: there is room for two
 * generations, and none is to be cut short. */
static void reload(struct keeper *keeper)
{
	struct supervisor *plan = keeper->plan;
	unsigned workers = 0;

	if (!keeper->reload_asked || keeper->reloading || keeper->stopping || any_drains(keeper))
		return;
	keeper->reload_asked = false;
	if (!plan->reload(plan->arg, &workers))
		return;
	assert(workers > 0 && workers <= SUPERVISOR_WORKERS_MAX);
	keeper->reloading = true;
	keeper->fault = NULL;
	keeper->ready_by = keeper->now + READY_US;
	start_workers(keeper, workers, true);
}

static bool next_ready(const struct keeper *keeper)
{
	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		if (keeper->workers[i].state != EMPTY && keeper->workers[i].next &&
		    !atomic_load(&keeper->ready[i]))
			return false;
	return true;
}

/* One generation drains; the other is from now on the only one. */
static void end_reload(struct keeper *keeper)
{
	bool taken = !keeper->fault;

	drain_workers(keeper, !taken);
	for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
		keeper->workers[i].next = false;
	keeper->reloading = false;
	keeper->plan->reloaded(keeper->plan->arg, keeper->plan, keeper->fault);
}

static void go_on_reloading(struct keeper *keeper)
{
	if (!keeper->reloading)
		return;
	if (!keeper->fault && keeper->stopping)
		keeper->fault = "the server stops";
	if (!keeper->fault && keeper->now >= keeper->ready_by)
		keeper->fault = "the workers were not ready in time";
	if (keeper->fault || next_ready(keeper))
		end_reload(keeper);
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
	go_on_reloading(keeper);
	drain_workers(keeper, false);
}

static int take_signal(const sigset_t *signals, int64_t timeout_us)
{
	struct timespec timeout = { .tv_sec = timeout_us / 1000000,
				    .tv_nsec = timeout_us % 1000000 * 1000 };
	int sig = sigtimedwait(signals, NULL, &timeout);

	return sig > 0 ? sig : 0;
}

static void block_signals(sigset_t *signals)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGCHLD);
	(void)sigaddset(signals, SIGHUP);
	(void)sigaddset(signals, SIGINT);
	(void)sigaddset(signals, SIGTERM);
	(void)sigaddset(signals, SIGUSR1);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, signals, NULL);
}

static struct keeper *keeper_new(struct supervisor *plan)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	assert(keeper && plan->workers > 0 && plan->workers <= SUPERVISOR_WORKERS_MAX);
	keeper->plan = plan;
	keeper->now = mono_us();
	keeper->ready = mmap(NULL, SUPERVISOR_SLOTS * sizeof(*keeper->ready),
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper->ready == MAP_FAILED)
		abort();
	if (plan->helper > 0)
		keeper->helper = (struct child){ .state = RUNNING,
						 .pid = plan->helper,
						 .started = keeper->now };
	return keeper;
}

static void keeper_free(struct keeper *keeper)
{
	(void)munmap(keeper->ready, SUPERVISOR_SLOTS * sizeof(*keeper->ready));
	free(keeper);
}

static void take(struct keeper *keeper, int sig)
{
	if (sig == SIGHUP)
		keeper->reload_asked = true;
	else if (sig == SIGINT || sig == SIGTERM)
		stop(keeper);
	else if (sig == SIGUSR1)
		keeper->plan->report(keeper->plan->arg);
}

int supervisor_run(struct supervisor *supervisor)
{
	struct keeper *keeper = keeper_new(supervisor);
	sigset_t signals;

	block_signals(&signals);
	start_workers(keeper, supervisor->workers, false);
	for (;;) {
		int64_t timeout;
		int sig;

		keeper->now = mono_us();
		reap(keeper);
		go_on_reloading(keeper);
		reload(keeper);
		if (keeper->stopping && workers_left(keeper) == 0) {
			child_drain(keeper, &keeper->helper);
			if (keeper->helper.state == EMPTY)
				break;
		}
		timeout = turn(keeper);
		if (keeper->reloading && timeout > READY_LOOK_US)
			timeout = READY_LOOK_US;
		sig = take_signal(&signals, timeout);
		keeper->now = mono_us();
		take(keeper, sig);
	}
	keeper_free(keeper);
	return EXIT_SUCCESS;
}
