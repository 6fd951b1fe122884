/* Starting programs and giving up root, see process.h. */
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/mono.h"
#include "server/file.h"

enum {
	EXIT_EXEC = 127, /* as the shell says that a program cannot be run */
	POLL_US = 10000,
};

void process_child(pid_t parent, int death_signal)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	(void)prctl(PR_SET_PDEATHSIG, death_signal);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &standard, NULL);
}

void process_take_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void execute(const char *const *argv, int in, int log)
{
	union {
		const char *const *given;
		char *const *wanted;
	} arguments = { .given = argv };

	(void)setsid();
	if (dup2(in, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		_exit(EXIT_EXEC);
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execv(argv[0], arguments.wanted);
	_exit(EXIT_EXEC);
}

struct status process_start(pid_t *out, const char *const *argv, const char *log_path,
			    int death_signal, struct arena *arena)
{
	struct status st = STATUS_OK;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t parent = getpid();
	pid_t pid;

	if (in < 0 || log < 0) {
		st = file_fault(arena, "open", in < 0 ? "/dev/null" : log_path, errno);
		goto out;
	}
	if (access(argv[0], X_OK) != 0) {
		st = file_fault(arena, "run", argv[0], errno);
		goto out;
	}
	pid = fork();
	if (pid < 0) {
		st = file_fault(arena, "start", argv[0], errno);
		goto out;
	}
	if (pid == 0) {
		process_child(parent, death_signal);
		process_take_signals();
		execute(argv, in, log);
	}
	*out = pid;
out:
	if (in >= 0)
		(void)close(in);
	if (log >= 0)
		(void)close(log);
	return st;
}

struct status process_run(const char *const *argv, const char *log_path, struct arena *arena)
{
	pid_t pid = -1;
	int end = 0;
	struct status st = process_start(&pid, argv, log_path, SIGTERM, arena);
	const char *text;

	if (!status_ok(&st))
		return st;
	while (waitpid(pid, &end, 0) < 0)
		if (errno != EINTR)
			return file_fault(arena, "wait for", argv[0], errno);
	if (WIFEXITED(end) && WEXITSTATUS(end) == 0)
		return STATUS_OK;
	text = arena_printf(arena, "%s failed (%s %d), its output is in %s", argv[0],
			    WIFEXITED(end) ? "status" : "signal",
			    WIFEXITED(end) ? WEXITSTATUS(end) : WTERMSIG(end), log_path);
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "PROGRAM_FAILED",
			   text ? text : argv[0]);
}

/* One that has ended but that its parent has not asked about counts as ended. */
static bool is_zombie(pid_t pid)
{
	char path[64];
	char line[512] = "";
	const char *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	(void)fclose(file);
	/* "PID (NAME) STATE …", where NAME may hold anything. */
	state = strrchr(line, ')');
	return state && state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X');
}

static bool ended(pid_t pid, bool child)
{
	if (child)
		return waitpid(pid, NULL, WNOHANG) != 0;
	return (kill(pid, 0) != 0 && errno == ESRCH) || is_zombie(pid);
}

bool process_wait(pid_t pid, bool child, int64_t timeout_us)
{
	int64_t until = mono_us() + timeout_us;

	while (!ended(pid, child)) {
		if (mono_us() >= until)
			return false;
		(void)usleep(POLL_US);
	}
	return true;
}

struct status process_become(const char *user, struct arena *arena)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "USER",
				   arena_printf(arena, "there is no user %s", user));
	if (initgroups(user, entry->pw_gid) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return file_fault(arena, "become the user", user, errno);
	/* As if that user had started us; nothing secret was read before. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	(void)setenv("HOME", entry->pw_dir, 1);
	(void)setenv("USER", user, 1);
	return STATUS_OK;
}
