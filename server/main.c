/* ismsd: takes the command line apart and does the one thing that it asks for.
 * Exit status: 0 done, 1 failed, 2 the command line is wrong. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/bootstrap.h"
#include "server/check.h"
#include "server/db/migrate.h"
#include "server/db/query.h"
#include "server/domain/workflow.h"
#include "server/embedded.h"
#include "server/process.h"
#include "server/serve.h"
#include "server/settings.h"

enum {
	EXIT_USAGE = 2,
	MAIN_ARENA = 16 << 20, /* the description of all statements passes through it */
};

static int fail(const struct status *st)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "ismsd: %s\n", st->message);
	return EXIT_FAILURE;
}

static struct status needs(const char *value, const char *message)
{
	if (value[0])
		return STATUS_OK;
	return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_SETTING", message);
}

static struct status check(const struct settings *settings, struct arena *arena)
{
	struct query_set *queries = NULL;
	struct status st = needs(settings->database, "--check needs the setting database");

	if (status_ok(&st))
		st = check_queries(&queries);
	if (!status_ok(&st))
		return st;
	st = check_bind(queries, settings, arena);
	if (status_ok(&st))
		check_print(stdout);
	query_set_free(queries);
	return st;
}

static struct status migrate(const struct settings *settings, struct arena *arena)
{
	struct status st =
		needs(settings->database_owner, "--migrate needs the setting database-owner");

	return status_ok(&st) ? migrate_run(settings->database_owner, arena) : st;
}

static struct status bootstrap(const struct command *command, const struct settings *settings,
			       struct arena *arena)
{
	struct status st =
		needs(settings->database_owner, "--bootstrap needs the setting database-owner");

	if (status_ok(&st))
		st = bootstrap_run(command, settings->database_owner, command->invitation_file,
				   arena);
	if (status_ok(&st))
		(void)printf("organisation %s is made; the invitation of %s is in %s\n",
			     command->organisation, command->admin_email, command->invitation_file);
	return st;
}

static struct status run(int *exit_status, const struct command *command,
			 const struct settings *settings, struct arena *arena)
{
	struct status st = STATUS_OK;

	if (geteuid() == 0 && settings->user[0])
		st = process_become(settings->user, arena);
	else if (geteuid() == 0)
		log_write(LOG_LEVEL_WARNING, "running_as_root", "setting=user");
	if (status_ok(&st))
		st = serve_run(exit_status, command, settings, NULL, arena);
	return st;
}

static struct status run_embedded(int *exit_status, const struct command *command,
				  struct settings *settings, struct arena *arena)
{
	struct embedded *embedded = NULL;
	struct status st = embedded_open(&embedded, settings, command, arena);

	if (status_ok(&st))
		st = serve_run(exit_status, command, settings, embedded, arena);
	embedded_close(embedded);
	return st;
}

static int act(struct command *command, struct arena *arena)
{
	struct settings settings;
	int exit_status = EXIT_SUCCESS;
	struct status st = settings_load(&settings, command, arena);

	if (!status_ok(&st)) {
		(void)fail(&st);
		return EXIT_USAGE;
	}
	log_set_level(settings.level);
	switch (command->mode) {
	case MODE_CHECK:
		st = check(&settings, arena);
		break;
	case MODE_MIGRATE:
		st = migrate(&settings, arena);
		break;
	case MODE_BOOTSTRAP:
		st = bootstrap(command, &settings, arena);
		break;
	case MODE_EMBEDDED:
		st = run_embedded(&exit_status, command, &settings, arena);
		break;
	default:
		st = run(&exit_status, command, &settings, arena);
		break;
	}
	return status_ok(&st) ? exit_status : fail(&st);
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new(MAIN_ARENA);
	struct command command;
	struct status st;
	int exit_status = EXIT_SUCCESS;

	if (!arena)
		return EXIT_FAILURE;
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_who("main");
	st = command_parse(&command, argc, argv, arena);
	if (!status_ok(&st)) {
		(void)fail(&st);
		arena_free(arena);
		return EXIT_USAGE;
	}
	switch (command.mode) {
	case MODE_HELP:
		command_print_help(stdout);
		break;
	case MODE_VERSION:
		(void)printf("ismsd %s\n", ISMS_VERSION);
		break;
	case MODE_DOCS:
		conf_print_documentation(stdout, &settings_table);
		break;
	case MODE_WORKFLOW:
		workflow_print(stdout);
		break;
	case MODE_EXAMPLE:
		settings_print_example(stdout);
		break;
	default:
		exit_status = act(&command, arena);
		break;
	}
	arena_free(arena);
	return exit_status;
}
