/* isms: the command line of ismsd. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/help.h"
#include "client/cli/hooks.h"
#include "client/cli/options.h"
#include "client/cli/resolve.h"
#include "common/arena.h"

enum { MEMORY_MAX = 1024 * 1024 * 1024 };

static int print_help(const struct command *command, const struct args *args)
{
	if (command)
		help_command(command);
	else if (args->noun)
		help_noun(args->noun);
	else
		help_print();
	return CLI_DONE;
}

static int run(struct app *app, int argc, char **argv)
{
	static struct args args;
	const struct command *command = NULL;
	struct status st = conf_defaults(&app->options, &options_table, app->arena);
	if (!status_ok(&st))
		return app_error(CLI_INTERNAL, "%s", st.message);
	int exit = args_parse(app, &command, &args, argc, argv);
	if (exit)
		return exit;
	if (app->options.version)
		return help_version(app, NULL, NULL);
	if (app->options.help)
		return print_help(command, &args);
	if (!command) {
		help_print();
		return CLI_USAGE;
	}
	exit = options_apply(app);
	return exit ? exit : command_run(app, command, &args);
}

int main(int argc, char **argv)
{
	struct app app = { .arena = arena_new(MEMORY_MAX), .label = resolve_label };
	if (!app.arena)
		app_no_memory();
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)signal(SIGPIPE, SIG_IGN);
	int exit = run(&app, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fputs("error: the output could not be written\n", stderr);
		exit = exit ? exit : CLI_INTERNAL;
	}
	arena_free(app.arena);
	return exit;
}
