/* A private PostgreSQL cluster, see cluster.h.
 *
 * The folder: db/ the cluster, run/ its socket, log/postgres.log. A cluster is made
 * under the name db.new and renamed when it is whole. Where the folder's path does
 * not fit into a socket address, the socket lies in a short folder in /tmp whose name
 * is kept in the file socket_folder. */
#include "server/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/mono.h"
#include "server/file.h"
#include "server/process.h"

enum {
	PORT = 5432, /* only names the socket */
	LOG_MAX = 10 << 20,
	PID_FILE_MAX = 4096,
	READY_US = 120000000, /* recovery after a crash may take its time */
	STOP_US = 30000000,
	POLL_US = 20000,
};

static const char debian_programs[] = "/usr/lib/postgresql/15/bin";

/* Roles that the cluster's own user may take through the socket. */
static const char *const roles[] = { "postgres", "isms_owner", "isms_server" };

static struct status no_memory(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");
}

static bool has_postgres(const char *programs, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/postgres", programs);
	const char *initdb = arena_printf(arena, "%s/initdb", programs);

	return path && initdb && access(path, X_OK) == 0 && access(initdb, X_OK) == 0;
}

struct status cluster_programs(const char **out, const char *given, struct arena *arena)
{
	char line[512] = "";
	FILE *answer;

	if (given && given[0]) {
		if (!has_postgres(given, arena))
			return file_fault(arena, "find postgres and initdb in", given, ENOENT);
		*out = given;
		return STATUS_OK;
	}
	if (has_postgres(debian_programs, arena)) {
		*out = debian_programs;
		return STATUS_OK;
	}
	answer = popen("pg_config --bindir 2>/dev/null", "re");
	if (answer) {
		if (!fgets(line, sizeof(line), answer))
			line[0] = '\0';
		(void)pclose(answer);
		line[strcspn(line, "\n")] = '\0';
	}
	if (!line[0] || !has_postgres(line, arena))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_POSTGRESQL",
				   "cannot find PostgreSQL: install postgresql-15 or set "
				   "postgres_bin");
	*out = arena_strdup(arena, line);
	return *out ? STATUS_OK : no_memory();
}

/* --- the socket's folder ------------------------------------------------------ */

/* Whether a folder can stand in a socket address and, without quotes, in
 * PostgreSQL's lists of folders and connection strings. */
static bool socket_folder_fits(const char *folder)
{
	struct sockaddr_un address;
	char name[32];

	(void)snprintf(name, sizeof(name), "/.s.PGSQL.%d.lock", PORT);
	return strlen(folder) + strlen(name) < sizeof(address.sun_path) &&
	       strspn(folder, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789/._-+") == strlen(folder);
}

static bool is_private_folder(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
	       (about.st_mode & 077) == 0;
}

static struct status short_folder(const char **out, const char *folder, struct arena *arena)
{
	const char *note = arena_printf(arena, "%s/socket_folder", folder);
	char *path = arena_strdup(arena, "/tmp/ismsd-XXXXXX");
	char *kept = NULL;
	struct status st;

	if (!note || !path)
		return no_memory();
	if (file_exists(note)) {
		st = file_read(&kept, note, sizeof(struct sockaddr_un), arena);
		if (!status_ok(&st))
			return st;
		if (strncmp(kept, "/tmp/ismsd-", strlen("/tmp/ismsd-")) == 0 &&
		    !strchr(kept + strlen("/tmp/"), '/') && is_private_folder(kept)) {
			*out = kept;
			return STATUS_OK;
		}
	}
	if (!mkdtemp(path))
		return file_fault(arena, "make the folder", path, errno);
	st = file_write(note, path, strlen(path), 0600, arena);
	if (status_ok(&st))
		*out = path;
	return st;
}

static struct status socket_folder(const char **out, const char *folder, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/run", folder);
	struct status st;

	if (!path)
		return no_memory();
	if (!socket_folder_fits(path))
		return short_folder(out, folder, arena);
	st = file_folder(path, 0700, arena);
	if (status_ok(&st))
		*out = path;
	return st;
}

void cluster_close(struct cluster *cluster)
{
	if (cluster->sockets &&
	    strncmp(cluster->sockets, "/tmp/ismsd-", strlen("/tmp/ismsd-")) == 0)
		(void)rmdir(cluster->sockets);
}

/* --- making it ------------------------------------------------------------------ */

static struct status make(const struct cluster *cluster, struct arena *arena)
{
	const char *passing = arena_printf(arena, "%s.new", cluster->data);
	const char *program = arena_printf(arena, "%s/initdb", cluster->programs);
	const char *const argv[] = { program,
				     "-D",
				     passing,
				     "-U",
				     "postgres",
				     "-E",
				     "UTF8",
				     "--locale=C",
				     "--data-checksums",
				     "--auth-local=peer",
				     "--auth-host=reject",
				     "--no-instructions",
				     NULL };
	struct status st;

	if (!passing || !program)
		return no_memory();
	st = file_remove_tree(passing, arena);
	if (status_ok(&st))
		st = process_run(argv, cluster->log, arena);
	if (status_ok(&st) && rename(passing, cluster->data) != 0)
		st = file_fault(arena, "rename to", cluster->data, errno);
	return st;
}

/* Who may connect as whom, written at each start: the user who runs the server,
 * and root, who can be anybody anyhow. */
static struct status write_access(const struct cluster *cluster, struct arena *arena)
{
	const char *hba = "local all all peer map=ismsd\n";
	const char *hba_path = arena_printf(arena, "%s/pg_hba.conf", cluster->data);
	const char *map_path = arena_printf(arena, "%s/pg_ident.conf", cluster->data);
	const struct passwd *user = getpwuid(geteuid());
	const char *map = "";
	struct status st;

	if (!user)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "USER",
				   "the user that runs the server has no name");
	for (size_t i = 0; map && i < sizeof(roles) / sizeof(roles[0]); i++)
		map = arena_printf(arena, "%sismsd \"%s\" %s\nismsd root %s\n", map, user->pw_name,
				   roles[i], roles[i]);
	if (!hba_path || !map_path || !map)
		return no_memory();
	st = file_write(hba_path, hba, strlen(hba), 0600, arena);
	if (status_ok(&st))
		st = file_write(map_path, map, strlen(map), 0600, arena);
	return st;
}

/* --- a server left behind --------------------------------------------------------- */

/* Reads the pid and, in line 8, the state; 0 when there is no such file. */
static pid_t read_pid_file(char state[16], const struct cluster *cluster, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/postmaster.pid", cluster->data);
	struct arena_mark mark = arena_mark(arena);
	char *text = NULL;
	char *line;
	struct status st;
	long pid = 0;

	state[0] = '\0';
	if (!path || !file_exists(path))
		return 0;
	st = file_read(&text, path, PID_FILE_MAX, arena);
	if (status_ok(&st)) {
		pid = strtol(text, NULL, 10);
		line = text;
		for (int i = 1; line && i < 8; i++) {
			line = strchr(line, '\n');
			line = line ? line + 1 : NULL;
		}
		if (line)
			(void)snprintf(state, 16, "%.*s", (int)strcspn(line, " \n"), line);
	}
	arena_reset(arena, mark);
	return (pid_t)pid;
}

/* Whether a process is a PostgreSQL server of this very cluster: it works in its
 * data folder. */
static bool serves_here(pid_t pid, const struct cluster *cluster)
{
	char path[64];
	char name[32] = "";
	struct stat theirs;
	struct stat ours;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	if (stat(path, &theirs) != 0 || stat(cluster->data, &ours) != 0 ||
	    theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		(void)fclose(file);
	}
	return strcmp(name, "postgres\n") == 0;
}

/* Whether any process of PostgreSQL works in the folder: the server, or one of its
 * children that has not noticed its death yet. */
static bool anybody_serves_here(const struct cluster *cluster)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	if (!processes)
		return true;
	while (!found && (entry = readdir(processes))) {
		char *end = NULL;
		long pid = strtol(entry->d_name, &end, 10);

		found = pid > 1 && *end == '\0' && serves_here((pid_t)pid, cluster);
	}
	(void)closedir(processes);
	return found;
}

static bool wait_for_nobody(const struct cluster *cluster)
{
	int64_t until = mono_us() + STOP_US;

	while (anybody_serves_here(cluster)) {
		if (mono_us() >= until)
			return false;
		(void)usleep(POLL_US);
	}
	return true;
}

static struct status remove_stale(const char *path, struct arena *arena)
{
	if (!path)
		return no_memory();
	if (unlink(path) != 0 && errno != ENOENT)
		return file_fault(arena, "remove", path, errno);
	return STATUS_OK;
}

static struct status stop_orphan(const struct cluster *cluster, struct arena *arena)
{
	char state[16];
	pid_t pid = read_pid_file(state, cluster, arena);
	struct status st;

	if (pid > 1 && serves_here(pid, cluster)) {
		(void)kill(pid, SIGINT);
		if (!process_wait(pid, false, STOP_US))
			(void)kill(pid, SIGQUIT);
	}
	if (!wait_for_nobody(cluster))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "DATABASE_LEFT_BEHIND",
				   arena_printf(arena,
						"a PostgreSQL server of an earlier start does not "
						"stop, its processes work in %s",
						cluster->data));
	/* What is left of a killed server. PostgreSQL would ask whether the pid in it
	 * exists, and a process that nobody waited for, or another one, says yes. */
	st = remove_stale(arena_printf(arena, "%s/postmaster.pid", cluster->data), arena);
	if (status_ok(&st))
		st = remove_stale(
			arena_printf(arena, "%s/.s.PGSQL.%d.lock", cluster->sockets, PORT), arena);
	return st;
}

struct status cluster_open(struct cluster *out, const char *folder, const char *programs,
			   unsigned connections, struct arena *arena)
{
	struct cluster cluster = { .programs = programs, .connections = connections };
	const char *logs = arena_printf(arena, "%s/log", folder);
	const char *old = arena_printf(arena, "%s/log/postgres.log.1", folder);
	struct stat about;
	struct status st;

	cluster.data = arena_printf(arena, "%s/db", folder);
	cluster.log = arena_printf(arena, "%s/log/postgres.log", folder);
	if (!logs || !old || !cluster.data || !cluster.log)
		return no_memory();
	st = file_folder(logs, 0700, arena);
	if (!status_ok(&st))
		return st;
	if (stat(cluster.log, &about) == 0 && about.st_size > LOG_MAX)
		(void)rename(cluster.log, old);
	st = socket_folder(&cluster.sockets, folder, arena);
	if (status_ok(&st) && !file_exists(cluster.data))
		st = make(&cluster, arena);
	else if (status_ok(&st))
		st = stop_orphan(&cluster, arena);
	if (status_ok(&st))
		st = write_access(&cluster, arena);
	if (status_ok(&st))
		*out = cluster;
	return st;
}

/* --- running it --------------------------------------------------------------------- */

struct status cluster_start(struct cluster *cluster, struct arena *arena)
{
	const char *program = arena_printf(arena, "%s/postgres", cluster->programs);
	const char *sockets = arena_printf(arena, "unix_socket_directories=%s", cluster->sockets);
	const char *connections = arena_printf(arena, "max_connections=%u", cluster->connections);
	const char *port = arena_printf(arena, "port=%d", PORT);
	const char *const argv[] = { program, "-D", cluster->data, "-c", "listen_addresses=", "-c",
				     sockets, "-c", "unix_socket_permissions=0700", "-c",
				     connections, "-c", port, "-c", "logging_collector=off", "-c",
				     /* the first rows change every plan: not after a minute */
				     "autovacuum_naptime=5s", "-c",
				     /* without the rows that a constraint refused */
				     "log_error_verbosity=terse", NULL };

	if (!program || !sockets || !connections || !port)
		return no_memory();
	return process_start(&cluster->pid, argv, cluster->log, SIGINT, arena);
}

struct status cluster_wait_ready(struct cluster *cluster, struct arena *arena)
{
	int64_t until = mono_us() + READY_US;

	for (;;) {
		char state[16];

		if (process_wait(cluster->pid, true, 0)) {
			cluster->pid = 0;
			return status_make(STATUS_CODE_FAILED_PRECONDITION, "DATABASE_ENDED",
					   arena_printf(arena,
							"PostgreSQL does not start, its output is "
							"in %s",
							cluster->log));
		}
		if (read_pid_file(state, cluster, arena) == cluster->pid &&
		    strcmp(state, "ready") == 0)
			return STATUS_OK;
		if (mono_us() >= until)
			return status_make(STATUS_CODE_FAILED_PRECONDITION, "DATABASE_SLOW",
					   arena_printf(arena,
							"PostgreSQL is not ready after %d seconds, "
							"its output is in %s",
							READY_US / 1000000, cluster->log));
		(void)usleep(POLL_US);
	}
}

void cluster_stop(struct cluster *cluster)
{
	if (cluster->pid <= 0)
		return;
	(void)kill(cluster->pid, SIGINT);
	if (!process_wait(cluster->pid, true, STOP_US)) {
		(void)kill(cluster->pid, SIGQUIT);
		(void)process_wait(cluster->pid, true, STOP_US);
	}
	cluster->pid = 0;
}

const char *cluster_conninfo(const struct cluster *cluster, const char *role, const char *database,
			     struct arena *arena)
{
	return arena_printf(arena, "host=%s port=%d user=%s dbname=%s", cluster->sockets, PORT,
			    role, database);
}
