/* Walks every row of the command tables: methods, paths and columns exist, help
 * prints, examples parse to the command that they are examples of. */
#include <isms/api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/help.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/resolve.h"
#include "common/arena.h"
#include "common/pb.h"
#include "tests/unit/tap.h"

enum { WORDS_MAX = 64, MEMORY = 64 * 1024 * 1024 };

static struct app *app_new(void)
{
	static struct app app;
	app = (struct app){ .arena = arena_new(MEMORY) };
	struct status st = conf_defaults(&app.options, &options_table, app.arena);
	CHECK(status_ok(&st));
	return &app;
}

static const char *name_of(const struct command *row)
{
	static char name[128];
	(void)snprintf(name, sizeof name, "%s %s", row->noun, row->verb ? row->verb : "");
	return name;
}

static bool check_row(const struct command *row, bool ok, const char *what)
{
	if (!ok)
		printf("# %s: %s\n", name_of(row), what);
	return CHECK(ok), ok;
}

static int each_method(void *arg, const struct command *row)
{
	(void)arg;
	check_row(row, row->method || row->run, "neither method nor hook");
	check_row(row, row->summary && row->examples[0] && row->examples[1], "two examples");
	if (!row->method)
		return 0;
	const struct isms_api_method *method = command_method(row->method);
	if (!check_row(row, method != NULL, "the method does not exist"))
		return 0;
	if (row->row && row->shape == COMMAND_LIST) {
		const ProtobufCFieldDescriptor *field = pb_field(method->response, row->row);
		check_row(row, field && field->label == PROTOBUF_C_LABEL_REPEATED, "rows");
	} else if (row->row) {
		check_row(row, field_of_path(method->response, row->row) != NULL, "row");
	}
	if (row->get)
		check_row(row, command_method(row->get) != NULL, "get");
	check_row(row, row->shape != COMMAND_EDIT || row->get != NULL, "edit has get");
	check_row(row, !row->get || row->shape == COMMAND_EDIT || row->shape == COMMAND_WRITE,
		  "only writes have get");
	return 0;
}

TEST(every_row_names_methods_and_fields_that_exist)
{
	(void)command_each(each_method, NULL);
}

static int each_param(void *arg, const struct command *row)
{
	(void)arg;
	const struct isms_api_method *method = row->method ? command_method(row->method) : NULL;
	for (const struct param *param = row->params; param->name; param++) {
		check_row(row, param->help && *param->help, param->name);
		check_row(row, !options_row(param->name), "hides a flag of every command");
		if (param->object)
			check_row(row, resolve_is_object(param->object), param->object);
		if (!param->path)
			continue;
		const ProtobufCFieldDescriptor *field = field_of_path(method->request, param->path);
		if (!check_row(row, field != NULL, param->path))
			continue;
		bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
		check_row(row, many == !!(param->flags & PARAM_MANY), "repeated");
		check_row(row,
			  (field->type == PROTOBUF_C_TYPE_BOOL) == !!(param->flags & PARAM_SWITCH),
			  "switch");
		size_t len = strlen(field->name);
		bool id = strcmp(field->name, "id") == 0 ||
			  (len > 3 && strcmp(field->name + len - 3, "_id") == 0);
		if (id && strcmp(field->name, "session_id") != 0)
			check_row(row, param->object || resolve_object(field->name),
				  "an id that takes no ref");
	}
	return 0;
}

TEST(every_parameter_has_a_field_of_its_kind)
{
	(void)command_each(each_param, NULL);
}

static int each_column(void *arg, const struct command *row)
{
	struct app *app = arg;
	struct column columns[COLUMNS_MAX];
	size_t n = 0;
	if (!row->method || !row->columns)
		return 0;
	const ProtobufCMessageDescriptor *type = command_method(row->method)->response;
	if (row->row)
		type = field_of_path(type, row->row)->descriptor;
	CHECK_INT(output_columns(app, type, row->columns, columns, &n), CLI_DONE);
	check_row(row, n > 0, "columns");
	for (size_t i = 0; i < n; i++)
		check_row(row, field_of_path(type, columns[i].path) != NULL, columns[i].path);
	check_row(row,
		  row->shape == COMMAND_PLAIN || row->shape == COMMAND_LIST || row->id ||
			  field_of_path(type, "meta.id"),
		  "-o id has nothing to print");
	return 0;
}

TEST(every_column_is_a_field_of_the_reply)
{
	struct app *app = app_new();
	(void)command_each(each_column, app);
	arena_free(app->arena);
}

/* Words as a shell splits them: blanks, quotes; up to " > ". */
static int split(char *text, char **words)
{
	int n = 0;
	char *out = text, *p = text;
	while (*p && n < WORDS_MAX - 1) {
		while (*p == ' ')
			p++;
		if (!*p || strncmp(p, "> ", 2) == 0)
			break;
		words[n++] = out;
		for (char quote = 0; *p && (quote || *p != ' '); p++) {
			if (!quote && (*p == '\'' || *p == '"'))
				quote = *p;
			else if (quote && *p == quote)
				quote = 0;
			else
				*out++ = *p;
		}
		p += *p == ' ';
		*out++ = 0;
	}
	words[n] = NULL;
	return n;
}

static int each_example(void *arg, const struct command *row)
{
	(void)arg;
	for (int i = 0; i < COMMAND_EXAMPLES_MAX; i++) {
		static struct args args;
		struct app *app = app_new();
		char *words[WORDS_MAX];
		char *copy = strdup(row->examples[i]);
		int n = split(copy, words);
		const struct command *found = NULL;
		CHECK_STR(words[0], "isms");
		int exit = args_parse(app, &found, &args, n, words);
		if (!check_row(row, exit == CLI_DONE, row->examples[i]))
			break;
		check_row(row, found == row || app->options.version, "example of another command");
		if (!app->options.version)
			CHECK(found == row);
		free(copy);
		arena_free(app->arena);
	}
	return 0;
}

TEST(every_example_parses_to_its_command)
{
	(void)command_each(each_example, NULL);
}

static int each_help(void *arg, const struct command *row)
{
	char *text = NULL;
	size_t len = 0;
	FILE *real = stdout;
	(void)arg;
	stdout = open_memstream(&text, &len);
	help_command(row);
	(void)fclose(stdout);
	stdout = real;
	check_row(row, strstr(text, row->summary) && strstr(text, row->examples[1]), "help");
	for (const struct param *param = row->params; param->name; param++)
		check_row(row, strstr(text, param->name) != NULL, param->name);
	free(text);
	return 0;
}

TEST(help_of_every_command_prints_its_parameters_and_examples)
{
	(void)command_each(each_help, NULL);
}

static int parse(struct app *app, const struct command **found, const char *text)
{
	static struct args args;
	char *words[WORDS_MAX];
	char *copy = app_strdup(app, text);
	return args_parse(app, found, &args, split(copy, words), words);
}

TEST(a_mistyped_word_or_flag_is_usage)
{
	static const char *const wrong[] = {
		"isms rsk list",
		"isms risk lst",
		"isms risk",
		"isms risk show",
		"isms risk show A B",
		"isms risk list --min-levl high",
		"isms risk list --state",
		"isms risk show RSK-1 --title x",
		"isms risk list --scope a --scope b",
		"isms risk list --timeout soon",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct app *app = app_new();
		const struct command *found = NULL;
		if (!CHECK_INT(parse(app, &found, wrong[i]), CLI_USAGE))
			printf("# %s\n", wrong[i]);
		arena_free(app->arena);
	}
	CHECK_STR(command_nearest(NULL, "rsk"), "risk");
	CHECK_STR(command_nearest("risk", "lst"), "list");
	CHECK(!command_nearest("risk", "qqqqqqqq"));
}

TEST(global_flags_may_stand_anywhere)
{
	static const char *const right[] = {
		"isms -o json risk list --limit 3",
		"isms risk -o json list --limit=3",
		"isms risk list --limit 3 --output json",
	};
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		struct app *app = app_new();
		const struct command *found = NULL;
		CHECK_INT(parse(app, &found, right[i]), CLI_DONE);
		CHECK(found && strcmp(found->verb, "list") == 0);
		CHECK_STR(app->options.output, "json");
		CHECK_INT(app->options.limit, 3);
		arena_free(app->arena);
	}
}

TEST(refs_are_compared_by_kind_and_number)
{
	CHECK(resolve_same_ref("RSK-000042", "rsk-42"));
	CHECK(!resolve_same_ref("RSK-000042", "RSK-43"));
	CHECK(!resolve_same_ref("RSK-42", "TRP-42"));
	CHECK(resolve_same_ref("C-AI-20", "c-ai-20"));
	CHECK(!resolve_same_ref("C-AI-20", "C-AI-02"));
	CHECK(resolve_is_ref("risk", "RSK-1"));
	CHECK(!resolve_is_ref("risk", "RSK-"));
	CHECK(!resolve_is_ref("risk", "RSK-1x"));
}

TAP_MAIN
