/* The words and flags of one run, matched to the parameters of its command. */
#ifndef ISMS_CLI_ARGS_H
#define ISMS_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct command;
struct param;

enum { ARGS_MAX = 256 };

struct arg {
	const struct param *param;
	const char *text;
};

struct args {
	const char *noun; /* as typed; NULL when there was no word */
	const char *verb; /* as typed; NULL when the noun takes none */
	struct arg list[ARGS_MAX];
	size_t n;
};

/* Finds the command and its arguments; *out is NULL when only global flags were
 * given, or for a noun alone with --help. Missing arguments are an error but
 * with --help. Prints errors. */
int args_parse(struct app *app, const struct command **out, struct args *args, int argc,
	       char *const *argv);
/* First text of a parameter; NULL when it was not given. */
const char *args_text(const struct args *args, const char *name);
/* Whether a switch was given and not with false. */
bool args_switch(const struct args *args, const char *name);

#endif
