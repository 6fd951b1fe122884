/* What can be set, in one table: parser, defaults, --help, configuration file and
 * documentation all come from it. Connections to the database are per worker:
 * workers x (point + list + commit connections) in all. */
#ifndef ISMS_SERVER_SETTINGS_H
#define ISMS_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/status.h"

struct arena;

struct settings {
	const char *listen;
	int64_t backlog;
	int64_t workers;
	const char *user;
	const char *pid_file;
	const char *log_level;
	enum log_level level; /* log_level, read */
	const char *tls_cert;
	const char *tls_key;
	bool tls12;
	const char *database;
	const char *database_owner;
	int64_t wait_for_database;
	int64_t point_connections;
	int64_t list_connections;
	int64_t commit_connections;
	int64_t point_timeout;
	int64_t list_timeout;
	int64_t commit_timeout;
	int64_t database_queue;
	int64_t max_connections;
	int64_t max_connections_per_address;
	int64_t idle_timeout;
	int64_t max_streams;
	int64_t drain_timeout;
	int64_t decisions_per_hour;
	int64_t clock_interval;
	bool reflection;
	const char *postgres_bin;
};

extern const struct conf_table settings_table;

/* Arguments that are no settings: what to do, and what only that needs. */
enum mode {
	MODE_RUN,
	MODE_CHECK,
	MODE_MIGRATE,
	MODE_BOOTSTRAP,
	MODE_EMBEDDED,
	MODE_HELP,
	MODE_VERSION,
	MODE_DOCS,
	MODE_WORKFLOW,
	MODE_EXAMPLE,
};

struct command {
	enum mode mode;
	const char *config;       /* file of settings, or NULL */
	const char *folder;       /* --embedded */
	const char *organisation; /* code of the organisation to make */
	const char *title;
	const char *admin_email;
	const char *invitation_file;
	int argc; /* the arguments that set settings; argv is the arena's */
	char **argv;
};

/* Sorts the arguments. INVALID_ARGUMENT for one that nobody knows, with the
 * nearest that is known. */
STATUS_MUST_CHECK struct status command_parse(struct command *out, int argc, char *const *argv,
					      struct arena *arena);
void command_print_help(FILE *out);

/* Defaults, then the command's file, then its arguments; checks what no single
 * row can. Reads the file anew each time. */
STATUS_MUST_CHECK struct status settings_load(struct settings *out, const struct command *command,
					      struct arena *arena);

/* Splits "host:port" or "[v6]:port"; *host is in the arena. */
STATUS_MUST_CHECK struct status settings_address(const char **host, uint16_t *port,
						 const char *listen, struct arena *arena);

/* Every setting with its help and default, commented out. */
void settings_print_example(FILE *out);

#endif
