/* Flags of every command and where the server is; see options.h.
 *
 * The settings file is --config, else ISMS_CONFIG, else CONTEXT.conf in
 * $XDG_CONFIG_HOME/isms (or ~/.config/isms). The context is --context, else
 * ISMS_CONTEXT, else "default". */
#include "client/cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "common/arena.h"

static const struct conf_row rows[] = {
	{ CONF_AT(struct options, config), .name = "config", .type = CONF_STRING, .unit = "FILE",
	  .help = "settings of the connection (client.conf); else ISMS_CONFIG" },
	{ CONF_AT(struct options, context), .name = "context", .type = CONF_STRING, .unit = "NAME",
	  .min = 0, .max = 63, .help = "whose token and settings to use; else ISMS_CONTEXT" },
	{ CONF_AT(struct options, server), .name = "server", .type = CONF_STRING,
	  .unit = "HOST:PORT", .help = "server to call instead of the configured one" },
	{ CONF_AT(struct options, ca), .name = "ca", .type = CONF_STRING, .unit = "FILE",
	  .help = "certificate of the CA that the server's is checked with" },
	{ CONF_AT(struct options, output), .name = "output", .type = CONF_STRING, .unit = "FORMAT",
	  .fallback = "table", .help = "table, json, csv or id (short: -o)" },
	{ CONF_AT(struct options, fields), .name = "fields", .type = CONF_STRING, .unit = "A,B",
	  .help = "columns to print, by heading or field path" },
	{ CONF_AT(struct options, limit), .name = "limit", .type = CONF_INT, .unit = "N", .min = 0,
	  .max = 1000000, .help = "most rows of a list; 0, the default, is all" },
	{ CONF_AT(struct options, color), .name = "color", .type = CONF_STRING, .unit = "WHEN",
	  .fallback = "auto", .help = "auto, always or never" },
	{ CONF_AT(struct options, timeout), .name = "timeout", .type = CONF_DURATION, .unit = "s",
	  .min = 0, .max = 3600 * CONF_SECOND, .help = "longest wait for one call (10, 500ms)" },
	{ CONF_AT(struct options, request_id), .name = "request-id", .type = CONF_STRING,
	  .unit = "UUID", .help = "idempotency key of the write; repeat it to try again safely" },
	{ CONF_AT(struct options, expected_version), .name = "expected-version", .type = CONF_INT,
	  .unit = "N", .min = 0, .max = INT64_MAX,
	  .help = "refuse when the object has another version" },
	{ CONF_AT(struct options, dry_run), .name = "dry-run", .type = CONF_BOOL,
	  .help = "decide as usual, change nothing" },
	{ CONF_AT(struct options, no_input), .name = "no-input", .type = CONF_BOOL,
	  .help = "never ask, never read standard input" },
	{ CONF_AT(struct options, yes), .name = "yes", .type = CONF_BOOL,
	  .help = "confirm without being asked (short: -y)" },
	{ CONF_AT(struct options, verbose), .name = "verbose", .type = CONF_BOOL,
	  .help = "name the calls that are made, on stderr (short: -v)" },
	{ CONF_AT(struct options, help), .name = "help", .type = CONF_BOOL,
	  .help = "help on the command (short: -h)" },
	{ CONF_AT(struct options, version), .name = "version", .type = CONF_BOOL,
	  .help = "version of this program" },
};
const struct conf_table options_table = CONF_TABLE(rows);

static const struct conf_row target_rows[] = {
	{ CONF_AT(struct target, address), .name = "address", .type = CONF_STRING,
	  .help = "host:port of the server" },
	{ CONF_AT(struct target, ca), .name = "ca", .type = CONF_STRING,
	  .help = "certificate of the CA" },
	{ CONF_AT(struct target, organisation), .name = "organisation", .type = CONF_STRING,
	  .help = "organisation to sign in to" },
	{ CONF_AT(struct target, email), .name = "email", .type = CONF_STRING,
	  .help = "account to sign in as" },
};
static const struct conf_table target_table = CONF_TABLE(target_rows);

const struct conf_row *options_row(const char *flag)
{
	static const struct {
		const char *flag;
		const char *name;
	} short_flags[] = {
		{ "-o", "output" },
		{ "-h", "help" },
		{ "-y", "yes" },
		{ "-v", "verbose" },
	};
	for (size_t i = 0; i < sizeof short_flags / sizeof short_flags[0]; i++)
		if (strcmp(flag, short_flags[i].flag) == 0)
			return conf_find(&options_table, short_flags[i].name);
	return strncmp(flag, "--", 2) == 0 ? conf_find(&options_table, flag + 2) : NULL;
}

int options_set(struct app *app, const struct conf_row *row, const char *value)
{
	const char *text = value ? value : "true";
	struct status st = conf_set(&app->options, &options_table, row->name, text, app->arena);
	static const char head[] = "setting: ";
	if (status_ok(&st))
		return CLI_DONE;
	bool has = strncmp(st.message, head, sizeof head - 1) == 0;
	return app_error(CLI_USAGE, "--%s", st.message + (has ? sizeof head - 1 : 0));
}

static int apply_format(struct app *app)
{
	static const char *const formats[] = { "table", "json", "csv", "id" };
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(app->options.output, formats[i]) == 0) {
			app->format = (enum app_format)i;
			return CLI_DONE;
		}
	app_error(CLI_USAGE, "there is no output format %s", app->options.output);
	app_next("use one of: table, json, csv, id");
	return CLI_USAGE;
}

static int apply_color(struct app *app)
{
	const char *when = app->options.color;
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	bool always = strcmp(when, "always") == 0;
	if (!always && strcmp(when, "never") != 0 && strcmp(when, "auto") != 0)
		return app_error(CLI_USAGE, "--color is auto, always or never, not %s", when);
	app->tty_out = isatty(STDOUT_FILENO);
	app->can_ask = !app->options.no_input && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	app->color_out = always || (strcmp(when, "auto") == 0 && app->tty_out && !(none && *none) &&
				    term && strcmp(term, "dumb") != 0);
	return CLI_DONE;
}

static const char *folder(struct app *app)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && *config == '/')
		return app_printf(app, "%s/isms", config);
	return app_printf(app, "%s/.config/isms", home && *home ? home : "");
}

static int apply_context(struct app *app)
{
	const char *context = app->options.context;
	const char *given = getenv("ISMS_CONTEXT");
	if (!*context)
		context = given && *given ? given : "default";
	for (const char *p = context; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-",
			    *p) ||
		    *context == '.')
			return app_error(CLI_USAGE,
					 "a context is letters, digits and ._@+-, not %s", context);
	app->options.context = context;
	app->token_file = app_printf(app, "%s/token-%s", folder(app), context);
	return CLI_DONE;
}

static int read_target(struct app *app)
{
	const char *path = app->options.config;
	const char *given = getenv("ISMS_CONFIG");
	struct status st = conf_defaults(&app->target, &target_table, app->arena);
	if (!status_ok(&st))
		return app_error(CLI_INTERNAL, "%s", st.message);
	if (!*path)
		path = given && *given ? given : "";
	if (!*path) {
		path = app_printf(app, "%s/%s.conf", folder(app), app->options.context);
		if (access(path, F_OK) != 0)
			return CLI_DONE;
	}
	st = conf_file(&app->target, &target_table, path, app->arena);
	if (!status_ok(&st))
		return app_error(CLI_USAGE, "%s", st.message);
	/* A CA next to the settings file moves with it. */
	const char *slash = strrchr(path, '/');
	if (*app->target.ca && *app->target.ca != '/' && slash)
		app->target.ca =
			app_printf(app, "%.*s/%s", (int)(slash - path), path, app->target.ca);
	return CLI_DONE;
}

int options_apply(struct app *app)
{
	int exit = apply_format(app);
	if (!exit)
		exit = apply_color(app);
	if (!exit)
		exit = apply_context(app);
	if (!exit)
		exit = read_target(app);
	if (exit)
		return exit;
	if (*app->options.server)
		app->target.address = app->options.server;
	if (*app->options.ca)
		app->target.ca = app->options.ca;
	return CLI_DONE;
}

void options_print(FILE *out)
{
	for (size_t i = 0; i < options_table.n; i++) {
		const struct conf_row *row = &rows[i];
		char flag[64];
		bool takes = row->type != CONF_BOOL;
		const char *value = row->type == CONF_DURATION ? "TIME" : row->unit;
		(void)snprintf(flag, sizeof flag, "--%s%s%s", row->name, takes ? " " : "",
			       takes ? value : "");
		(void)fprintf(out, "  %-22s %s\n", flag, row->help);
	}
}
