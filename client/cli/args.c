/* Words and flags; see args.h. Global flags may stand anywhere, those of a
 * command behind its words. "--" ends the flags. */
#include "client/cli/args.h"

#include <string.h>

#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/options.h"
#include "client/cli/text.h"

struct parser {
	struct app *app;
	struct args *args;
	const struct command *command;
	int argc;
	char *const *argv;
	int at;
	bool only_words; /* behind "--" */
};

static const struct param *find_flag(const struct command *command, const char *name)
{
	for (const struct param *param = command->params; param->name; param++)
		if (param->name[0] == '-' && strcmp(param->name, name) == 0)
			return param;
	return NULL;
}

static int unknown_flag(struct parser *p, const char *name)
{
	const char *best = NULL;
	unsigned least = 99;
	if (p->command)
		for (const struct param *param = p->command->params; param->name; param++) {
			unsigned distance = text_distance(name, param->name);
			if (param->name[0] == '-' && distance < least &&
			    text_near(name, param->name)) {
				least = distance;
				best = param->name;
			}
		}
	for (size_t i = 0; i < options_table.n; i++) {
		const char *flag = app_printf(p->app, "--%s", options_table.rows[i].name);
		unsigned distance = text_distance(name, flag);
		if (distance < least && text_near(name, flag)) {
			least = distance;
			best = flag;
		}
	}
	app_error(CLI_USAGE, "there is no flag %s%s%s%s%s", name, p->command ? " of isms " : "",
		  p->command ? p->command->noun : "", p->command && p->command->verb ? " " : "",
		  p->command && p->command->verb ? p->command->verb : "");
	if (best)
		app_next("did you mean %s?", best);
	else
		app_next("isms %s%s%s --help", p->command ? p->command->noun : "",
			 p->command && p->command->verb ? " " : "",
			 p->command && p->command->verb ? p->command->verb : "");
	return CLI_USAGE;
}

static int add(struct parser *p, const struct param *param, const char *text)
{
	if (!(param->flags & PARAM_MANY) && args_text(p->args, param->name))
		return app_error(CLI_USAGE, "%s is given twice", param->name);
	if (p->args->n == ARGS_MAX)
		return app_error(CLI_USAGE, "more than %d arguments", ARGS_MAX);
	p->args->list[p->args->n++] = (struct arg){ param, text };
	return CLI_DONE;
}

/* A flag at argv[at], with its value behind "=" or in the next argument. */
static int take_flag(struct parser *p)
{
	const char *whole = p->argv[p->at++];
	const char *equals = whole[1] == '-' ? strchr(whole, '=') : NULL;
	size_t len = equals ? (size_t)(equals - whole) : strlen(whole);
	const char *name = app_strndup(p->app, whole, len);
	const char *value = equals ? equals + 1 : NULL;
	const struct conf_row *row = options_row(name);
	const struct param *param = p->command ? find_flag(p->command, name) : NULL;
	if (!row && !param)
		return unknown_flag(p, name);
	bool takes = param ? !(param->flags & PARAM_SWITCH) : row->type != CONF_BOOL;
	if (takes && !value) {
		if (p->at >= p->argc)
			return app_error(CLI_USAGE, "%s needs a value", name);
		value = p->argv[p->at++];
	}
	if (param)
		return add(p, param, value ? value : "true");
	return options_set(p->app, row, value);
}

static int unknown_command(const char *noun, const char *typed)
{
	const char *near = command_nearest(noun, typed);
	if (noun)
		app_error(CLI_USAGE, "isms %s has no command %s", noun, typed);
	else
		app_error(CLI_USAGE, "there is no command %s", typed);
	if (near)
		app_next("did you mean isms %s%s%s?", noun ? noun : "", noun ? " " : "", near);
	else
		app_next("isms %s%s--help", noun ? noun : "", noun ? " " : "");
	return CLI_USAGE;
}

static int take_positional(struct parser *p, const char *word)
{
	size_t given = 0, seen = 0;
	for (size_t i = 0; i < p->args->n; i++)
		given += p->args->list[i].param->name[0] != '-';
	for (const struct param *param = p->command->params; param->name; param++)
		if (param->name[0] != '-' && (seen++ == given || param->flags & PARAM_MANY))
			return add(p, param, word);
	app_error(CLI_USAGE, "%s is one word too many", word);
	app_next("isms %s%s%s --help", p->command->noun, p->command->verb ? " " : "",
		 p->command->verb ? p->command->verb : "");
	return CLI_USAGE;
}

static int take_word(struct parser *p)
{
	const char *word = p->argv[p->at++];
	if (p->command)
		return take_positional(p, word);
	if (!p->args->noun) {
		if (!command_is_noun(word))
			return unknown_command(NULL, word);
		p->args->noun = word;
		p->command = command_find(word, NULL);
		return CLI_DONE;
	}
	p->args->verb = word;
	p->command = command_find(p->args->noun, word);
	return p->command ? CLI_DONE : unknown_command(p->args->noun, word);
}

static int check_required(struct parser *p)
{
	int exit = CLI_DONE;
	for (const struct param *param = p->command->params; param->name; param++) {
		if (!(param->flags & PARAM_REQUIRED) || args_text(p->args, param->name))
			continue;
		if (!exit)
			app_error(CLI_USAGE, "isms %s%s%s needs more", p->command->noun,
				  p->command->verb ? " " : "",
				  p->command->verb ? p->command->verb : "");
		app_why("%s%s%s: %s", param->name, param->value ? " " : "",
			param->value ? param->value : "", param->help);
		exit = CLI_USAGE;
	}
	if (exit && p->command->examples[0])
		app_next("%s", p->command->examples[0]);
	return exit;
}

int args_parse(struct app *app, const struct command **out, struct args *args, int argc,
	       char *const *argv)
{
	struct parser p = { .app = app, .args = args, .argc = argc, .argv = argv, .at = 1 };
	*args = (struct args){ 0 };
	while (p.at < argc) {
		const char *word = argv[p.at];
		int exit;
		if (!p.only_words && strcmp(word, "--") == 0) {
			p.only_words = true;
			p.at++;
			continue;
		}
		if (!p.only_words && word[0] == '-' && word[1])
			exit = take_flag(&p);
		else
			exit = take_word(&p);
		if (exit)
			return exit;
	}
	*out = p.command;
	if (app->options.help || app->options.version || !args->noun)
		return CLI_DONE;
	if (!p.command) {
		app_error(CLI_USAGE, "isms %s needs a command", args->noun);
		app_next("isms %s --help", args->noun);
		return CLI_USAGE;
	}
	return check_required(&p);
}

const char *args_text(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->n; i++)
		if (strcmp(args->list[i].param->name, name) == 0)
			return args->list[i].text;
	return NULL;
}

bool args_switch(const struct args *args, const char *name)
{
	const char *text = args_text(args, name);
	return text && strcmp(text, "false") != 0 && strcmp(text, "no") != 0;
}
