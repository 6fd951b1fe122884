/* A private PostgreSQL cluster for a test program: made in a new folder by an
 * unprivileged user, reached by a unix socket only, stopped and removed at exit.
 * One a program. */
#ifndef ISMS_TESTS_PG_H
#define ISMS_TESTS_PG_H

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PG_BIN "/usr/lib/postgresql/15/bin/"

static struct {
	char folder[64];
	char data[96];
	pid_t pid;
	pid_t owner; /* the process whose exit ends it */
} pg;

static void pg_die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

/* In a child: PostgreSQL refuses root. */
static void pg_drop_root(void)
{
	struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
	if (getuid() != 0)
		return;
	if (user == NULL || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 ||
	    setuid(user->pw_uid) != 0)
		_exit(126);
}

static pid_t pg_spawn(const char *const *argv)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	pg_drop_root();
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* a change of user resets it */
	if (chdir(pg.folder) != 0)
		_exit(126);
	int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static void pg_run(const char *const *argv)
{
	int status = 0;
	pid_t pid = pg_spawn(argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		pg_die(argv[0]);
}

static __attribute__((unused)) const char *pg_conninfo(const char *database)
{
	static char text[256];
	snprintf(text, sizeof(text),
		 "host=%s user=postgres dbname=%s options='-c client_min_messages=warning'",
		 pg.folder, database);
	return text;
}

static void pg_wait_ready(void)
{
	for (int i = 0; i < 300; i++) {
		if (PQping(pg_conninfo("postgres")) == PQPING_OK)
			return;
		usleep(100000);
	}
	pg_die("the cluster does not start");
}

static void pg_server_start(void)
{
	const char *const server[] = { PG_BIN "postgres",
				       "-D",
				       pg.data,
				       "-k",
				       pg.folder,
				       "-c",
				       "listen_addresses=",
				       "-c",
				       "shared_buffers=16MB",
				       "-c",
				       "max_connections=60",
				       NULL };
	pg.pid = pg_spawn(server);
	if (pg.pid < 0)
		pg_die("fork");
	pg_wait_ready();
}

/* SIGINT: fast; SIGQUIT: at once, as a crash. */
static void pg_server_stop(int signal)
{
	if (pg.pid <= 0)
		return;
	kill(pg.pid, signal);
	waitpid(pg.pid, NULL, 0);
	pg.pid = 0;
}

static void pg_stop(void)
{
	if (pg.owner != getpid())
		return;
	pg_server_stop(SIGINT);
	const char *const remove[] = { "/bin/rm", "-rf", pg.data, NULL };
	pg_run(remove);
	const char *const rest[] = { "/bin/rm", "-rf", pg.folder, NULL };
	pid_t pid = fork();
	if (pid == 0) {
		execv(rest[0], (char *const *)rest);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* Makes and starts the cluster unless it runs. */
static __attribute__((unused)) void pg_start(void)
{
	if (pg.pid > 0)
		return;
	snprintf(pg.folder, sizeof(pg.folder), "/tmp/isms-test-XXXXXX");
	if (mkdtemp(pg.folder) == NULL)
		pg_die("mkdtemp");
	struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
	if (user != NULL && chown(pg.folder, user->pw_uid, user->pw_gid) != 0)
		pg_die("chown");
	snprintf(pg.data, sizeof(pg.data), "%s/data", pg.folder);
	pg.owner = getpid();
	atexit(pg_stop);
	const char *const initdb[] = {
		PG_BIN "initdb", "-D", pg.data, "-U",       "postgres", "-A", "trust",
		"--no-sync",     "-E", "UTF8",  "--locale", "C",        NULL
	};
	pg_run(initdb);
	pg_server_start();
}

/* Runs SQL on a connection of its own as the superuser; the first value, in a
 * static buffer. */
static __attribute__((unused)) const char *pg_sql(const char *database, const char *sql)
{
	static char value[1024];
	PGconn *conn = PQconnectdb(pg_conninfo(database));
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		printf("# %s", PQerrorMessage(conn));
		pg_die("a statement of the test failed");
	}
	snprintf(value, sizeof(value), "%s",
		 PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	PQfinish(conn);
	return value;
}

#endif
