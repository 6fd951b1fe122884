/* Secrets; see secret.h. */
#include "client/cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "client/cli/app.h"

enum { SECRET_FILE_MAX = 4096 };

/* A line from the terminal; signals wait so that echo always comes back. */
static int ask(struct app *app, const char *prompt, const char **out)
{
	struct termios old, quiet;
	sigset_t block, before;
	char line[SECRET_FILE_MAX];
	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return app_error(CLI_USAGE, "cannot ask on this terminal");
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTSTP);
	(void)sigaddset(&block, SIGINT);
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &block, &before);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	(void)fprintf(stderr, "%s: ", prompt);
	char *got = fgets(line, sizeof line, stdin);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)fputc('\n', stderr);
	size_t len = got ? strcspn(line, "\r\n") : 0;
	bool stopped = got && memchr(line, 3, len); /* control-C, as no signal was made */
	if (!got || stopped)
		return app_error(CLI_NO, "given up");
	*out = app_strndup(app, line, len);
	explicit_bzero(line, sizeof line);
	return CLI_DONE;
}

int secret_read(struct app *app, const char *path, const char *prompt, const char *flag,
		const char **out)
{
	char *data;
	size_t len;
	int exit;
	if (path) {
		exit = app_read(app, &data, &len, path, SECRET_FILE_MAX);
		if (exit)
			return exit;
		data[strcspn(data, "\r\n")] = 0;
		*out = data;
	} else if (app->can_ask) {
		exit = ask(app, prompt, out);
		if (exit)
			return exit;
	} else {
		app_error(CLI_USAGE, "the %s is needed and there is nobody to ask", prompt);
		app_next("give %s FILE, or %s - for standard input", flag, flag);
		return CLI_USAGE;
	}
	return **out ? CLI_DONE : app_error(CLI_USAGE, "the %s is empty", prompt);
}

static int make_folders(struct app *app, const char *path)
{
	char *copy = app_strdup(app, path);
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return app_error(CLI_USAGE, "cannot make %s: %s", copy, strerror(errno));
		*p = '/';
	}
	return CLI_DONE;
}

int secret_write(struct app *app, const char *path, const char *text)
{
	const char *draft = app_printf(app, "%s.%ld", path, (long)getpid());
	int exit = make_folders(app, path);
	if (exit)
		return exit;
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return app_error(CLI_USAGE, "cannot write %s: %s", draft, strerror(errno));
	size_t len = strlen(text);
	bool ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (!ok || rename(draft, path) != 0) {
		int why = errno;
		(void)unlink(draft);
		return app_error(CLI_USAGE, "cannot write %s: %s", path, strerror(why));
	}
	return CLI_DONE;
}
