/* The table of settings, see settings.h. */
#include "server/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/supervisor.h"

#define ROW(member) CONF_AT(struct settings, member)

enum { PORT_MAX = 65535 };

static const struct conf_row rows[] = {
	{ ROW(listen), .name = "listen", .type = CONF_STRING, .fallback = "127.0.0.1:8443",
	  .min = 1, .max = 260,
	  .help = "address and port to listen at, [ADDRESS]:PORT for IPv6; port 0 takes a free one "
		  "and says which" },
	{ ROW(backlog), .name = "backlog", .type = CONF_INT, .fallback = "512",
	  .unit = "connections", .min = 1, .max = 65535,
	  .help = "connections that may wait to be accepted" },
	{ ROW(workers), .name = "workers", .type = CONF_INT, .fallback = "-1", .unit = "processes",
	  .min = -1, .max = SUPERVISOR_WORKERS_MAX,
	  .help = "worker processes; -1: one a processor; 0: serve in the first process itself, "
		  "for "
		  "debugging" },
	{ ROW(user), .name = "user", .type = CONF_STRING, .max = 64,
	  .help = "user to become when started as root; with --embedded postgres, or else nobody" },
	{ ROW(pid_file), .name = "pid-file", .type = CONF_STRING, .max = 1024,
	  .help = "file that holds the process id while the server runs" },
	{ ROW(log_level), .name = "log-level", .type = CONF_STRING, .fallback = "info", .max = 8,
	  .help = "least severe messages to log: error, warning, info or debug" },
	{ ROW(tls_cert), .name = "tls-cert", .type = CONF_STRING, .max = 1024,
	  .help = "PEM file of the server's certificate and its chain" },
	{ ROW(tls_key), .name = "tls-key", .type = CONF_STRING, .max = 1024,
	  .help = "PEM file of the certificate's private key" },
	{ ROW(tls12), .name = "tls12", .type = CONF_BOOL, .fallback = "false",
	  .help = "take TLS 1.2 (ECDHE, AEAD) besides 1.3" },
	{ ROW(database), .name = "database", .type = CONF_STRING, .max = 2048,
	  .help = "libpq connection string of the server's role, which owns nothing; of several "
		  "hosts the next is tried after 5 s, or at once when one refuses" },
	{ ROW(database_owner), .name = "database-owner", .type = CONF_STRING, .max = 2048,
	  .help = "libpq connection string of the owner of the tables, for --migrate and "
		  "--bootstrap only" },
	{ ROW(wait_for_database), .name = "wait-for-database", .type = CONF_DURATION,
	  .fallback = "0s", .unit = "s", .min = 0, .max = 3600 * CONF_SECOND,
	  .help = "how long to try again at start while the database cannot be reached" },
	{ ROW(point_connections), .name = "point-connections", .type = CONF_INT, .fallback = "2",
	  .unit = "connections", .min = 1, .max = 64,
	  .help = "database connections of a worker for reads of single objects and for what "
		  "writes load" },
	{ ROW(list_connections), .name = "list-connections", .type = CONF_INT, .fallback = "1",
	  .unit = "connections", .min = 1, .max = 64,
	  .help = "database connections of a worker for lists" },
	{ ROW(commit_connections), .name = "commit-connections", .type = CONF_INT, .fallback = "4",
	  .unit = "connections", .min = 1, .max = 64,
	  .help = "database connections of a worker for commits" },
	{ ROW(point_timeout), .name = "point-timeout", .type = CONF_DURATION, .fallback = "2s",
	  .unit = "ms", .min = 10000, .max = 600 * CONF_SECOND,
	  .help = "statement timeout of reads of single objects" },
	{ ROW(list_timeout), .name = "list-timeout", .type = CONF_DURATION, .fallback = "5s",
	  .unit = "ms", .min = 10000, .max = 600 * CONF_SECOND,
	  .help = "statement timeout of lists" },
	{ ROW(commit_timeout), .name = "commit-timeout", .type = CONF_DURATION, .fallback = "5s",
	  .unit = "ms", .min = 10000, .max = 600 * CONF_SECOND,
	  .help = "statement timeout of commits" },
	{ ROW(database_queue), .name = "database-queue", .type = CONF_INT, .fallback = "256",
	  .unit = "batches", .min = 1, .max = 65536,
	  .help = "batches of a worker that may wait for a connection, for each of the three "
		  "kinds; "
		  "beyond, calls are UNAVAILABLE" },
	{ ROW(max_connections), .name = "max-connections", .type = CONF_INT, .fallback = "2048",
	  .unit = "connections", .min = 1, .max = 65536,
	  .help = "client connections that a worker keeps; beyond, it stops to accept" },
	{ ROW(max_connections_per_address), .name = "max-connections-per-address", .type = CONF_INT,
	  .fallback = "512", .unit = "connections", .min = 0, .max = 65536,
	  .help = "of these, of one IPv4 address or IPv6 network of 64 bits; beyond, they are "
		  "closed at once; 0: any number. Behind a proxy, all come from one address" },
	{ ROW(idle_timeout), .name = "idle-timeout", .type = CONF_DURATION, .fallback = "15m",
	  .unit = "s", .min = 0, .max = 86400 * CONF_SECOND,
	  .help = "how long a client connection may be without any call before it is closed in "
		  "order, so that the client connects again when it has one; 0: for ever" },
	{ ROW(max_streams), .name = "max-streams", .type = CONF_INT, .fallback = "64",
	  .unit = "calls", .min = 1, .max = 1024, .help = "calls at once on one connection" },
	{ ROW(drain_timeout), .name = "drain-timeout", .type = CONF_DURATION, .fallback = "10s",
	  .unit = "s", .min = 0, .max = 600 * CONF_SECOND,
	  .help = "how long calls may take to end after SIGTERM or a reload" },
	{ ROW(decisions_per_hour), .name = "decisions-per-hour", .type = CONF_INT, .fallback = "35",
	  .unit = "decisions", .min = 0, .max = 1000000,
	  .help = "decisions that one person may make within an hour; 0: as many as they like" },
	{ ROW(clock_interval), .name = "clock-interval", .type = CONF_DURATION, .fallback = "60s",
	  .unit = "s", .min = 0, .max = 3600 * CONF_SECOND,
	  .help = "how often to look for what is due by its time, to record it and to tell of it; "
		  "0: never, some other server does" },
	{ ROW(reflection), .name = "reflection", .type = CONF_BOOL, .fallback = "false",
	  .help = "serve grpc.reflection, by which tools explore the API; --embedded turns it on" },
	{ ROW(postgres_bin), .name = "postgres-bin", .type = CONF_STRING, .max = 1024,
	  .help = "folder of PostgreSQL's programs, for --embedded; else "
		  "/usr/lib/postgresql/15/bin, then what pg_config says" },
};

const struct conf_table settings_table = CONF_TABLE(rows);

static struct status invalid(const char *message)
{
	return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_SETTING", message);
}

struct status settings_address(const char **host, uint16_t *port, const char *listen,
			       struct arena *arena)
{
	const char *colon = strrchr(listen, ':');
	const char *start = listen;
	size_t len = colon ? (size_t)(colon - listen) : 0;
	char *end = NULL;
	unsigned long number;
	char *copy;

	if (len > 2 && listen[0] == '[' && colon[-1] == ']') {
		start++;
		len -= 2;
	} else if (len == 0 || memchr(listen, ':', len)) {
		return invalid("setting listen: expected HOST:PORT or [ADDRESS]:PORT");
	}
	number = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || number > PORT_MAX)
		return invalid("setting listen: expected a port from 0 to 65535 after the colon");
	copy = arena_strndup(arena, start, len);
	if (!copy)
		return invalid("out of memory");
	*host = copy;
	*port = (uint16_t)number;
	return STATUS_OK;
}

static struct status check(struct settings *settings, struct arena *arena)
{
	enum log_level level;
	const char *host = NULL;
	uint16_t port = 0;

	if (!log_level_parse(&level, settings->log_level))
		return invalid("setting log-level: expected error, warning, info or debug");
	settings->level = level;
	if (settings->workers < 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);

		settings->workers = processors < 1 ? 1 : processors;
		if (settings->workers > SUPERVISOR_WORKERS_MAX)
			settings->workers = SUPERVISOR_WORKERS_MAX;
	}
	return settings_address(&host, &port, settings->listen, arena);
}

struct status settings_load(struct settings *out, const struct command *command,
			    struct arena *arena)
{
	struct settings settings = { 0 };
	int next = 1;
	struct status st = conf_defaults(&settings, &settings_table, arena);

	if (!status_ok(&st))
		return st;
	if (command->mode == MODE_EMBEDDED)
		settings.reflection = true;
	if (command->config)
		st = conf_file(&settings, &settings_table, command->config, arena);
	if (status_ok(&st))
		st = conf_arguments(&next, &settings, &settings_table, command->argc, command->argv,
				    arena);
	if (status_ok(&st))
		st = check(&settings, arena);
	if (status_ok(&st))
		*out = settings;
	return st;
}

void settings_print_example(FILE *out)
{
	(void)fprintf(
		out, "# Settings of ismsd, each with its default; ismsd --config FILE reads them.\n"
		     "# One a line, name = value. ismsd --help says what is allowed.\n");
	for (size_t i = 0; i < settings_table.n; i++) {
		const struct conf_row *row = &settings_table.rows[i];

		(void)fprintf(out, "\n# %s\n#%s =%s%s\n", row->help, row->name,
			      row->fallback ? " " : "", row->fallback ? row->fallback : "");
	}
}
