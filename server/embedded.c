/* ismsd --embedded DIR, see embedded.h.
 *
 * The lock file is locked for as long as the first process lives, so a dead server
 * never stands in the way. Each step of the set-up can be broken off and is taken up
 * or done again by the next start. */
#include "server/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/bootstrap.h"
#include "server/certificate.h"
#include "server/cluster.h"
#include "server/db/admin.h"
#include "server/db/migrate.h"
#include "server/file.h"
#include "server/process.h"
#include "server/settings.h"

enum {
	PID_TEXT_MAX = 32,
	SPARE_CONNECTIONS = 20, /* for people and migrations */
	RESTART_ARENA = 1 << 16,
	GENERATIONS = 2, /* workers of the old and new settings during a reload */
};

struct embedded {
	const struct command *command;
	const char *folder;
	const char *server; /* connection strings */
	const char *owner;
	const char *tls_cert;
	const char *tls_key;
	struct cluster cluster;
	int lock;
};

static struct status no_memory(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");
}

static const char *path_in(const struct embedded *embedded, const char *name, struct arena *arena)
{
	return arena_printf(arena, "%s/%s", embedded->folder, name);
}

/* Makes the folder, and refuses one that holds something else. */
static struct status find_folder(struct embedded *embedded, struct arena *arena)
{
	const char *given = embedded->command->folder;
	const char *lock;
	char *whole;

	if (mkdir(given, 0755) != 0 && errno != EEXIST)
		return file_fault(arena, "make the folder", given, errno);
	whole = realpath(given, NULL);
	if (!whole)
		return file_fault(arena, "find", given, errno);
	embedded->folder = arena_strdup(arena, whole);
	free(whole);
	lock = embedded->folder ? path_in(embedded, "lock", arena) : NULL;
	if (!lock)
		return no_memory();
	if (!file_exists(lock) && !file_folder_empty(embedded->folder))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NOT_OURS",
				   arena_printf(arena,
						"%s is not an empty folder and was not made by "
						"ismsd --embedded",
						embedded->folder));
	return STATUS_OK;
}

/* PostgreSQL refuses to run as root, and nothing here needs to. */
static struct status leave_root(const struct embedded *embedded, const char *user,
				struct arena *arena)
{
	const struct passwd *entry;
	struct status st;

	if (geteuid() == 0) {
		if (!user[0])
			user = getpwnam("postgres") ? "postgres" : "nobody";
		entry = getpwnam(user);
		if (entry && chown(embedded->folder, entry->pw_uid, entry->pw_gid) != 0)
			return file_fault(arena, "give away", embedded->folder, errno);
		st = process_become(user, arena);
		if (!status_ok(&st))
			return st;
	}
	if (access(embedded->folder, R_OK | W_OK | X_OK) != 0)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "FILE",
				   arena_printf(arena,
						"%s cannot be used by the user %s: %s (every "
						"folder above must let that user pass)",
						embedded->folder,
						user[0] ? user : "that runs ismsd",
						strerror(errno)));
	return STATUS_OK;
}

static struct status take_lock(struct embedded *embedded, struct arena *arena)
{
	const char *path = path_in(embedded, "lock", arena);
	char *holder = NULL;
	const char *pid;
	struct status st;

	if (!path)
		return no_memory();
	embedded->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (embedded->lock < 0)
		return file_fault(arena, "open", path, errno);
	if (flock(embedded->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return file_fault(arena, "lock", path, errno);
		st = file_read(&holder, path, PID_TEXT_MAX, arena);
		if (!status_ok(&st))
			return st;
		holder[strcspn(holder, "\n")] = '\0';
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "IN_USE",
				   arena_printf(arena, "%s is in use by the server with pid %s",
						embedded->folder, holder));
	}
	pid = arena_printf(arena, "%d\n", (int)getpid());
	if (!pid)
		return no_memory();
	if (ftruncate(embedded->lock, 0) != 0 ||
	    pwrite(embedded->lock, pid, strlen(pid), 0) != (ssize_t)strlen(pid))
		return file_fault(arena, "write", path, errno);
	return STATUS_OK;
}

/* A statement of the superuser that is only run when another finds nothing. */
static struct status make_unless(const char *conninfo, const char *found, const char *make,
				 struct arena *arena)
{
	const char *there = NULL;
	struct status st = admin_run(&there, conninfo, found, NULL, 0, arena);

	if (status_ok(&st) && !there)
		st = admin_run(&there, conninfo, make, NULL, 0, arena);
	return st;
}

static struct status prepare_database(struct embedded *embedded, struct arena *arena)
{
	const char *super = cluster_conninfo(&embedded->cluster, "postgres", "postgres", arena);
	struct status st;

	embedded->owner = cluster_conninfo(&embedded->cluster, "isms_owner", "isms", arena);
	embedded->server = cluster_conninfo(&embedded->cluster, "isms_server", "isms", arena);
	if (!super || !embedded->owner || !embedded->server)
		return no_memory();
	/* The owner makes the server's role: see sql/roles.sql. */
	st = make_unless(super, "SELECT rolname FROM pg_roles WHERE rolname = 'isms_owner'",
			 "CREATE ROLE isms_owner LOGIN CREATEROLE", arena);
	if (status_ok(&st))
		st = make_unless(super, "SELECT datname FROM pg_database WHERE datname = 'isms'",
				 "CREATE DATABASE isms OWNER isms_owner", arena);
	if (status_ok(&st))
		st = migrate_run(embedded->owner, arena);
	return st;
}

static struct status first_organisation(const struct embedded *embedded, struct arena *arena)
{
	const char *path = path_in(embedded, "invitation", arena);
	const char *there = NULL;
	struct status st = admin_run(&there, embedded->owner,
				     "SELECT code FROM isms.organisation LIMIT 1", NULL, 0, arena);

	if (!status_ok(&st) || there)
		return st;
	if (!path)
		return no_memory();
	/* Of a start that did not come to its end. */
	(void)unlink(path);
	return bootstrap_run(embedded->command, embedded->owner, path, arena);
}

static struct status certificates(struct embedded *embedded, const struct settings *settings,
				  struct arena *arena)
{
	const char *folder = path_in(embedded, "tls", arena);
	const char *host = NULL;
	uint16_t port = 0;
	struct status st;

	embedded->tls_cert = path_in(embedded, "tls/server.crt", arena);
	embedded->tls_key = path_in(embedded, "tls/server.key", arena);
	if (!folder || !embedded->tls_cert || !embedded->tls_key)
		return no_memory();
	st = settings_address(&host, &port, settings->listen, arena);
	if (status_ok(&st))
		st = file_folder(folder, 0755, arena);
	if (status_ok(&st))
		st = certificate_ensure(folder, host, arena);
	return st;
}

static struct status start_database(struct embedded *embedded, const struct settings *settings,
				    struct arena *arena)
{
	int64_t workers = settings->workers > 0 ? settings->workers : 1;
	int64_t connections = workers * GENERATIONS *
				      (settings->point_connections + settings->list_connections +
				       settings->commit_connections) +
			      SPARE_CONNECTIONS;
	const char *programs = NULL;
	struct status st = cluster_programs(&programs, settings->postgres_bin, arena);

	if (status_ok(&st))
		st = cluster_open(&embedded->cluster, embedded->folder, programs,
				  (unsigned)connections, arena);
	if (status_ok(&st))
		st = cluster_start(&embedded->cluster, arena);
	if (status_ok(&st))
		st = cluster_wait_ready(&embedded->cluster, arena);
	return st;
}

void embedded_settings(const struct embedded *embedded, struct settings *settings)
{
	settings->database = embedded->server;
	settings->database_owner = embedded->owner;
	settings->tls_cert = embedded->tls_cert;
	settings->tls_key = embedded->tls_key;
}

static struct status open_all(struct embedded *embedded, struct settings *settings,
			      struct arena *arena)
{
	const char *conf;
	struct status st = find_folder(embedded, arena);

	if (status_ok(&st))
		st = leave_root(embedded, settings->user, arena);
	if (status_ok(&st))
		st = take_lock(embedded, arena);
	if (!status_ok(&st))
		return st;
	/* There while the server serves: nobody shall find the last start's port. */
	conf = path_in(embedded, "client.conf", arena);
	if (!conf)
		return no_memory();
	(void)unlink(conf);
	st = certificates(embedded, settings, arena);
	if (status_ok(&st))
		st = start_database(embedded, settings, arena);
	if (status_ok(&st))
		st = prepare_database(embedded, arena);
	if (status_ok(&st))
		st = first_organisation(embedded, arena);
	return st;
}

struct status embedded_open(struct embedded **out, struct settings *settings,
			    const struct command *command, struct arena *arena)
{
	struct embedded *embedded = calloc(1, sizeof(*embedded));
	struct status st;

	if (!embedded)
		return no_memory();
	embedded->command = command;
	embedded->lock = -1;
	st = open_all(embedded, settings, arena);
	if (!status_ok(&st)) {
		embedded_close(embedded);
		return st;
	}
	embedded_settings(embedded, settings);
	*out = embedded;
	return STATUS_OK;
}

/* An address that clients on this machine can use and the certificate names. */
static const char *reachable(const char *address, struct arena *arena)
{
	const char *port = strrchr(address, ':');

	if (strncmp(address, "0.0.0.0:", strlen("0.0.0.0:")) == 0)
		return arena_printf(arena, "127.0.0.1%s", port);
	if (strncmp(address, "[::]:", strlen("[::]:")) == 0)
		return arena_printf(arena, "[::1]%s", port);
	return address;
}

static struct status write_text(const struct embedded *embedded, const char *name, mode_t mode,
				const char *text, struct arena *arena)
{
	const char *path = path_in(embedded, name, arena);

	if (!path || !text)
		return no_memory();
	return file_write(path, text, strlen(text), mode, arena);
}

struct status embedded_announce(const struct embedded *embedded, const char *address,
				struct arena *arena)
{
	const struct command *command = embedded->command;
	const char *folder = embedded->folder;
	const char *text = arena_printf(arena,
					"# How to reach this server; written at each start.\n"
					"address = %s\nca = %s/tls/ca.crt\n"
					"organisation = %s\nemail = %s\n",
					reachable(address, arena), folder, command->organisation,
					command->admin_email);
	struct status st = write_text(embedded, "database_owner", 0600,
				      arena_printf(arena, "%s\n", embedded->owner), arena);

	if (status_ok(&st))
		st = write_text(embedded, "client.conf", 0644, text, arena);
	if (!status_ok(&st))
		return st;
	(void)printf("serving at %s with the database in %s/db\n"
		     "clients:        isms --config %s/client.conf\n"
		     "administrator:  %s of %s\n"
		     "first password: isms --config %s/client.conf activate "
		     "--invitation-file %s/invitation\n"
		     "database:       psql \"$(cat %s/database_owner)\"\n"
		     "stop:           Ctrl-C, or kill %d\n",
		     address, folder, folder, command->admin_email, command->organisation, folder,
		     folder, folder, (int)getpid());
	(void)fflush(stdout);
	return STATUS_OK;
}

pid_t embedded_database(const struct embedded *embedded)
{
	return embedded->cluster.pid;
}

pid_t embedded_restart(struct embedded *embedded)
{
	struct arena *arena = arena_new(RESTART_ARENA);
	struct status st = arena ? cluster_start(&embedded->cluster, arena) : no_memory();

	if (!status_ok(&st)) {
		log_write(LOG_LEVEL_ERROR, "database_start_failed", "message=%s", st.message);
		embedded->cluster.pid = 0;
	}
	arena_free(arena);
	return status_ok(&st) ? embedded->cluster.pid : -1;
}

void embedded_database_gone(struct embedded *embedded)
{
	embedded->cluster.pid = 0;
}

void embedded_forked(struct embedded *embedded)
{
	(void)close(embedded->lock);
	embedded->lock = -1;
}

void embedded_close(struct embedded *embedded)
{
	if (!embedded)
		return;
	cluster_stop(&embedded->cluster);
	cluster_close(&embedded->cluster);
	if (embedded->lock >= 0)
		(void)close(embedded->lock);
	free(embedded);
}
