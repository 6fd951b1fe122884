/* The access token of a context; see token.h. */
#include "client/cli/token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "common/conf.h"

/* The token file: a settings file of two lines. */
struct token {
	const char *address;
	const char *value;
};

static const struct conf_row token_rows[] = {
	{ CONF_AT(struct token, address), .name = "address", .type = CONF_STRING,
	  .help = "server that gave the token" },
	{ CONF_AT(struct token, value), .name = "token", .type = CONF_STRING,
	  .help = "the access token" },
};
static const struct conf_table token_table = CONF_TABLE(token_rows);

static int need_sign_in(struct app *app, const char *why)
{
	app_error(CLI_SIGN_IN, "not signed in");
	app_why("%s", why);
	app_next("isms login%s%s", strcmp(app->options.context, "default") ? " --context " : "",
		 strcmp(app->options.context, "default") ? app->options.context : "");
	return CLI_SIGN_IN;
}

bool token_valid(const char *token)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	return *token && !token[strspn(token, letters)];
}

int token_read(struct app *app, const char **out)
{
	const char *given = getenv("ISMS_TOKEN");
	struct token token;
	struct stat info;
	if (given && *given) {
		*out = given;
		return CLI_DONE;
	}
	if (stat(app->token_file, &info) != 0)
		return need_sign_in(
			app, app_printf(app, "context %s has no token", app->options.context));
	if (info.st_mode & 077 || info.st_uid != geteuid()) {
		app_error(CLI_SIGN_IN, "%s may be read by others, so it is not used",
			  app->token_file);
		app_next("isms logout, then isms login; or chmod 600 and own it");
		return CLI_SIGN_IN;
	}
	struct status st = conf_defaults(&token, &token_table, app->arena);
	if (status_ok(&st))
		st = conf_file(&token, &token_table, app->token_file, app->arena);
	if (!status_ok(&st))
		return app_error(CLI_SIGN_IN, "%s", st.message);
	if (strcmp(token.address, app->target.address) != 0)
		return need_sign_in(
			app, app_printf(app, "the token of context %s is for %s, not %s",
					app->options.context, token.address, app->target.address));
	*out = token.value;
	return CLI_DONE;
}
