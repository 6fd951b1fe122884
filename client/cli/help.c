/* Help, from the tables; see help.h. */
#include "client/cli/help.h"

#include <isms/isms.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/options.h"
#include "client/cli/text.h"

struct topic {
	const char *name;
	const char *text;
};

static const struct topic topics[] = {
	{ "exit-codes", "0   done\n"
			"1   the answer is no, or a question was not confirmed\n"
			"2   usage, or input that is missing or wrong\n"
			"3   not found\n"
			"4   sign-in needed or expired\n"
			"5   not allowed; the rule is named\n"
			"6   conflict: changed since it was read, or its state forbids it\n"
			"7   server or network unreachable; safe to retry\n"
			"8   partly done\n"
			"10  internal error of the program or the server\n" },
	{ "environment",
	  "ISMS_CONFIG      settings file (client.conf): address, ca, organisation, email\n"
	  "ISMS_CONTEXT     whose token and settings to use; \"default\" without it\n"
	  "ISMS_TOKEN       access token, instead of the one that login keeps\n"
	  "XDG_CONFIG_HOME  folder of isms/CONTEXT.conf and isms/token-CONTEXT;\n"
	  "                 ~/.config without it\n"
	  "NO_COLOR         no colour when it is set and not empty; nor with TERM=dumb\n" },
	{ "formats",
	  "table  for people: ids as refs, e-mails and codes, times in UTC to the minute; a level\n"
	  "       has always word and symbol (. Low, o Medium, O High, # Critical)\n"
	  "json   a list gives a list of objects, anything else the reply of the method: proto3\n"
	  "       JSON with lowerCamelCase names, enums by full name, times in RFC 3339,\n"
	  "       64-bit numbers as text, bytes in base64\n"
	  "csv    RFC 4180 with headings; ids, RFC 3339 times; a cell that a spreadsheet would "
	  "take\n"
	  "       for a formula begins with an apostrophe\n"
	  "id     one id a line, for xargs\n"
	  "\n"
	  "--fields picks columns by heading or by field path (owner_id, current.level).\n"
	  "\n"
	  "Where a command takes an id it also takes a ref (RSK-000042 or RSK-42), the e-mail of "
	  "a\n"
	  "user (or me), the code of a catalogue entry, the name of a scope, system or asset.\n"
	  "Dates: 2030-11-30 (the end of that day, UTC), 2030-11-30T12:00:00Z, +90d, +2w, -12h.\n"
	  "A text that begins with @ is the name of a file (@- is standard input); @@ is a plain "
	  "@.\n" },
	{ "concepts",
	  "A risk is scored by the method in force (isms method show) and treated: a plan\n"
	  "mitigates, transfers or avoids it, an acceptance bears it for a time.\n"
	  "\n"
	  "Submitting freezes content, risk, method and policy into a snapshot with a digest. The\n"
	  "people whom the policy names decide step by step (isms inbox). A vote carries the "
	  "digest\n"
	  "of what was shown; this program computes it itself and refuses when it differs.\n"
	  "\n"
	  "Nobody decides on what they asked for, wrote or scored, and service accounts never do.\n"
	  "A change that matters makes an open request STALE and an acceptance INVALIDATED.\n"
	  "\n"
	  "Every object has a version. An edit names the version it was made from; when somebody\n"
	  "else was faster it is refused and the answer says who changed what.\n" },
};

static void usage(const struct command *command)
{
	(void)printf("isms %s%s%s", command->noun, command->verb ? " " : "",
		     command->verb ? command->verb : "");
	for (const struct param *param = command->params; param->name; param++) {
		bool needed = param->flags & PARAM_REQUIRED;
		if (param->name[0] == '-' && !needed)
			continue;
		(void)printf(" %s%s%s%s%s", needed ? "" : "[", param->name, param->value ? " " : "",
			     param->value ? param->value : "", needed ? "" : "]");
	}
	(void)puts(" [flags]");
}

void help_command(const struct command *command)
{
	(void)printf("%s\n\nusage: ", command->summary);
	usage(command);
	if (command->params[0].name)
		(void)fputc('\n', stdout);
	for (const struct param *param = command->params; param->name; param++) {
		char left[64];
		(void)snprintf(left, sizeof left, "%s%s%s", param->name, param->value ? " " : "",
			       param->value ? param->value : "");
		(void)printf("  %-26s %s%s%s\n", left, param->help,
			     param->flags & PARAM_REQUIRED ? " (needed)" : "",
			     param->flags & PARAM_MANY ? " (may be repeated)" : "");
	}
	(void)puts("\nexamples:");
	for (int i = 0; i < COMMAND_EXAMPLES_MAX && command->examples[i]; i++)
		(void)printf("  %s\n", command->examples[i]);
	(void)puts("\nflags of every command: isms --help");
}

static int print_row(void *arg, const struct command *row)
{
	char left[64];
	if (arg && strcmp(row->noun, arg) != 0)
		return 0;
	(void)snprintf(left, sizeof left, "%s%s%s", row->noun, row->verb ? " " : "",
		       row->verb ? row->verb : "");
	(void)printf("  %-24s %s\n", left, row->summary);
	return 0;
}

void help_noun(const char *noun)
{
	(void)printf("usage: isms %s COMMAND\n\n", noun);
	(void)command_each(print_row, (void *)(uintptr_t)noun);
	(void)printf("\nisms %s COMMAND --help says more\n", noun);
}

void help_print(void)
{
	(void)puts("isms: the command line of ismsd\n\nusage: isms NOUN VERB [words] [flags]\n");
	(void)command_each(print_row, NULL);
	(void)puts("\nflags of every command:");
	options_print(stdout);
	(void)fputs("\nisms NOUN VERB --help has examples; isms help ", stdout);
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		(void)printf("%s%s", i ? "|" : "", topics[i].name);
	(void)fputc('\n', stdout);
}

int help_run(struct app *app, const struct command *command, const struct args *args)
{
	const char *topic = args_text(args, "TOPIC"), *verb = args_text(args, "COMMAND");
	(void)app;
	(void)command;
	if (!topic) {
		help_print();
		return CLI_DONE;
	}
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		if (strcmp(topics[i].name, topic) == 0) {
			(void)fputs(topics[i].text, stdout);
			return CLI_DONE;
		}
	const struct command *found = command_find(topic, verb);
	if (found) {
		help_command(found);
	} else if (command_is_noun(topic) && !verb) {
		help_noun(topic);
	} else {
		const char *near = command_nearest(verb && command_is_noun(topic) ? topic : NULL,
						   verb && command_is_noun(topic) ? verb : topic);
		app_error(CLI_USAGE, "there is no help on %s%s%s", topic, verb ? " " : "",
			  verb ? verb : "");
		if (near)
			app_next("did you mean %s?", near);
		else
			app_next("isms --help");
		return CLI_USAGE;
	}
	return CLI_DONE;
}

int help_version(struct app *app, const struct command *command, const struct args *args)
{
	(void)app;
	(void)command;
	(void)args;
	(void)printf("isms %s (libisms %s)\n", ISMS_VERSION, isms_version());
	return CLI_DONE;
}
