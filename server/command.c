/* The arguments that are no settings, and --help; see settings.h. */
#include <string.h>

#include "common/arena.h"
#include "server/settings.h"

enum { NAME_MAX_LEN = 40, NEAR_MAX = 4 };

struct option {
	const char *name;
	const char *value; /* what it takes, or NULL */
	enum mode mode;    /* that it chooses; MODE_RUN: none */
	size_t offset;     /* of its value in struct command */
	const char *help;
};

#define AT(member) offsetof(struct command, member)

static const struct option options[] = {
	{ "config", "FILE", MODE_RUN, AT(config), "read settings from a file; arguments go first" },
	{ "embedded", "DIR", MODE_EMBEDDED, AT(folder),
	  "serve with a PostgreSQL of its own in DIR, made on first use" },
	{ "check", NULL, MODE_CHECK, 0,
	  "bind every method to the database, print the table of methods and exit: 0 when all "
	  "fits" },
	{ "migrate", NULL, MODE_MIGRATE, 0, "bring the database up to this version and exit" },
	{ "bootstrap", NULL, MODE_BOOTSTRAP, 0,
	  "make an organisation and the account of its first administrator, and exit" },
	{ "organisation", "CODE", MODE_RUN, AT(organisation),
	  "of --bootstrap and --embedded: code of the organisation, by default example" },
	{ "title", "TEXT", MODE_RUN, AT(title), "of --bootstrap and --embedded: its title" },
	{ "admin-email", "EMAIL", MODE_RUN, AT(admin_email),
	  "of --bootstrap and --embedded: the administrator, by default admin@example.org" },
	{ "invitation-file", "FILE", MODE_RUN, AT(invitation_file),
	  "of --bootstrap: new file for the one-use invitation of the administrator" },
	{ "print-config", NULL, MODE_EXAMPLE, 0, "print a configuration file with all defaults" },
	{ "print-config-docs", NULL, MODE_DOCS, 0, "print the settings as a Markdown table" },
	{ "print-workflow", NULL, MODE_WORKFLOW, 0,
	  "print the states of plans, acceptances, requests and policies as Markdown tables" },
	{ "help", NULL, MODE_HELP, 0, "print this text" },
	{ "version", NULL, MODE_VERSION, 0, "print the version" },
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

static struct status invalid(const char *message)
{
	return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_ARGUMENTS",
			   message ? message : "out of memory");
}

/* Insertions, deletions and exchanges that make one name the other. */
static size_t distance(const char *from, size_t from_len, const char *to)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t to_len = strlen(to);

	if (to_len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= to_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= from_len; i++) {
		size_t before = row[0];

		row[0] = i;
		for (size_t j = 1; j <= to_len; j++) {
			size_t best = before + (from[i - 1] != to[j - 1]);

			before = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[to_len];
}

static void consider(const char **best, size_t *least, const char *given, size_t len,
		     const char *name)
{
	size_t d = distance(given, len, name);

	if (d < *least) {
		*least = d;
		*best = name;
	}
}

static struct status unknown(const char *given, size_t len, struct arena *arena)
{
	const char *best = NULL;
	size_t least = NEAR_MAX;

	for (size_t i = 0; i < OPTIONS; i++)
		consider(&best, &least, given, len, options[i].name);
	for (size_t i = 0; i < settings_table.n; i++)
		consider(&best, &least, given, len, settings_table.rows[i].name);
	if (best)
		return invalid(arena_printf(arena, "there is no --%.*s, did you mean --%s?",
					    (int)len, given, best));
	return invalid(arena_printf(arena, "there is no --%.*s, see --help", (int)len, given));
}

static const struct option *option_find(const char *name, size_t len)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

/* Takes one option, with its value from behind "=" or the next argument. */
static struct status take(struct command *command, const struct option *option, const char *value,
			  int *i, int argc, char *const *argv, struct arena *arena)
{
	const char **field = (const char **)(void *)((char *)command + option->offset);

	if (option->mode != MODE_RUN) {
		if (command->mode != MODE_RUN)
			return invalid("more than one thing to do, see --help");
		command->mode = option->mode;
	}
	if (!option->value) {
		if (value)
			return invalid(arena_printf(arena, "--%s takes no value", option->name));
		return STATUS_OK;
	}
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value || !value[0])
		return invalid(arena_printf(arena, "--%s needs %s", option->name, option->value));
	if (*field)
		return invalid(arena_printf(arena, "--%s is given twice", option->name));
	*field = value;
	return STATUS_OK;
}

static struct status fill(struct command *command)
{
	if (command->mode == MODE_BOOTSTRAP &&
	    (!command->organisation || !command->admin_email || !command->invitation_file))
		return invalid(
			"--bootstrap needs --organisation, --admin-email and --invitation-file");
	if (!command->organisation)
		command->organisation = "example";
	if (!command->admin_email)
		command->admin_email = "admin@example.org";
	if (!command->title)
		command->title = command->organisation;
	return STATUS_OK;
}

struct status command_parse(struct command *out, int argc, char *const *argv, struct arena *arena)
{
	struct command command = { .argc = 1 };

	command.argv = arena_array(arena, char *, (size_t)argc + 1);
	if (!command.argv)
		return invalid(NULL);
	command.argv[0] = argv[0];
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + 2;
		size_t len = strcspn(name, "=");
		const struct option *option;
		struct status st;

		if (strncmp(argv[i], "--", 2) != 0 || !name[0])
			return invalid(
				arena_printf(arena, "cannot use \"%.40s\", see --help", argv[i]));
		option = option_find(name, len);
		if (option) {
			st = take(&command, option, name[len] ? name + len + 1 : NULL, &i, argc,
				  argv, arena);
			if (!status_ok(&st))
				return st;
			continue;
		}
		const char *text = arena_strndup(arena, name, len);
		const struct conf_row *row = text ? conf_find(&settings_table, text) : NULL;

		if (!row)
			return unknown(name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN, arena);
		command.argv[command.argc++] = argv[i];
		if (!name[len] && row->type != CONF_BOOL && i + 1 < argc)
			command.argv[command.argc++] = argv[++i];
	}
	struct status st = fill(&command);

	if (status_ok(&st))
		*out = command;
	return st;
}

void command_print_help(FILE *out)
{
	(void)fprintf(out,
		      "ismsd: the server of an information security management system\n"
		      "\n"
		      "  ismsd --embedded DIR               try it; all it needs is made in DIR\n"
		      "  ismsd --config FILE                serve\n"
		      "  ismsd --config FILE --check        see whether it could\n"
		      "  ismsd --config FILE --migrate      bring the database up to date\n"
		      "\n"
		      "What to do\n");
	for (size_t i = 0; i < OPTIONS; i++)
		(void)fprintf(out, "  --%s%s%s\n        %s\n", options[i].name,
			      options[i].value ? " " : "", options[i].value ? options[i].value : "",
			      options[i].help);
	(void)fprintf(out,
		      "\n"
		      "The folder of --embedded\n"
		      "  client.conf     address, CA, organisation and administrator, for isms\n"
		      "  invitation      one-use invitation of the administrator\n"
		      "  tls/            ca.crt, server.crt and server.key; made anew in time\n"
		      "  db/             the database\n"
		      "  run/            its socket; in /tmp, noted in socket_folder, when the\n"
		      "                  path is too long\n"
		      "  log/            output of PostgreSQL\n"
		      "  lock            locked by the server while it runs, holds its pid\n"
		      "\n"
		      "Signals\n"
		      "  TERM, INT       take no new calls, let running ones end, exit 0;\n"
		      "                  a second one does not wait\n"
		      "  HUP             read the settings, certificate and key again; new\n"
		      "                  workers take over, the old ones drain. What is wrong is\n"
		      "                  logged and changes nothing; listen needs a restart\n"
		      "  USR1            log how many connections and calls there were\n"
		      "\n"
		      "Settings, as arguments or in the file\n");
	conf_print_help(out, &settings_table);
}
