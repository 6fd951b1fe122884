/* The completion script, written from the tables. */
#include <stdio.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/options.h"

enum { NOUNS_MAX = 64 };

struct nouns {
	const char *list[NOUNS_MAX];
	size_t n;
};

static int collect(void *arg, const struct command *row)
{
	struct nouns *nouns = arg;
	for (size_t i = 0; i < nouns->n; i++)
		if (strcmp(nouns->list[i], row->noun) == 0)
			return 0;
	if (nouns->n == NOUNS_MAX)
		return 1;
	nouns->list[nouns->n++] = row->noun;
	return 0;
}

static int print_verb(void *arg, const struct command *row)
{
	if (row->verb && strcmp(row->noun, arg) == 0)
		(void)printf(" %s", row->verb);
	return 0;
}

static int print_flags(void *arg, const struct command *row)
{
	(void)arg;
	(void)printf("\t\"%s%s%s\") flags+=\"", row->noun, row->verb ? " " : "",
		     row->verb ? row->verb : "");
	for (const struct param *param = row->params; param->name; param++)
		if (param->name[0] == '-')
			(void)printf(" %s", param->name);
	(void)puts("\" ;;");
	return 0;
}

int completion_run(struct app *app, const struct command *command, const struct args *args)
{
	struct nouns nouns = { 0 };
	const char *shell = args_text(args, "SHELL");
	(void)app;
	(void)command;
	if (strcmp(shell, "bash") != 0) {
		app_error(CLI_USAGE, "there is no completion for %s", shell);
		app_next("isms completion bash");
		return CLI_USAGE;
	}
	(void)command_each(collect, &nouns);
	(void)fputs("_isms()\n{\n"
		    "\tlocal current=${COMP_WORDS[COMP_CWORD]} words=() word flags verbs\n"
		    "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
		    "\t\t[[ $word == -* ]] || words+=(\"$word\")\n"
		    "\tdone\n"
		    "\tif ((${#words[@]} == 0)) && [[ $current != -* ]]; then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W \"",
		    stdout);
	for (size_t i = 0; i < nouns.n; i++)
		(void)printf("%s%s", i ? " " : "", nouns.list[i]);
	(void)fputs("\" -- \"$current\")\n\t\treturn\n\tfi\n\tcase ${words[0]} in\n", stdout);
	for (size_t i = 0; i < nouns.n; i++) {
		(void)printf("\t%s) verbs=\"", nouns.list[i]);
		(void)command_each(print_verb, (void *)(uintptr_t)nouns.list[i]);
		(void)puts("\" ;;");
	}
	(void)fputs("\tesac\n"
		    "\tif ((${#words[@]} == 1)) && [[ $verbs && $current != -* ]]; then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$current\")\n"
		    "\t\treturn\n\tfi\n\tflags=\"",
		    stdout);
	for (size_t i = 0; i < options_table.n; i++)
		(void)printf(" --%s", options_table.rows[i].name);
	(void)fputs("\"\n\tword=${words[0]}\n\t[[ $verbs ]] && word+=\" ${words[1]}\"\n\tcase "
		    "$word in\n",
		    stdout);
	(void)command_each(print_flags, NULL);
	(void)fputs("\tesac\n"
		    "\tif [[ $current == -* ]]; then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\")\n"
		    "\telse\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
		    "\tfi\n}\ncomplete -o filenames -F _isms isms\n",
		    stdout);
	return CLI_DONE;
}
