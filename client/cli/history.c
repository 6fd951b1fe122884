/* The versions of an object, each with what it changed: computed here, from whole
 * versions, so it needs no trust in anybody's summary. */
#include <inttypes.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/diff.h"
#include "client/cli/hooks.h"
#include "client/cli/json.h"
#include "client/cli/output.h"
#include "client/cli/request.h"
#include "client/cli/rpc.h"
#include "client/cli/run.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/pb.h"

/* Prints, or collects, the changes of one version. */
struct changes {
	struct app *app;
	json_t *list; /* for JSON */
	size_t n;
};

static void print_change(void *arg, const char *field, const char *before, const char *after)
{
	struct changes *changes = arg;
	struct app *app = changes->app;
	changes->n++;
	if (changes->list) {
		json_t *row = json_pack("{s:s, s:s, s:s}", "field", field, "before", before,
					"after", after);
		if (!row || json_array_append_new(changes->list, row) != 0)
			app_no_memory();
		return;
	}
	diff_line(app, field, before, after);
}

static void print_version(struct app *app, const ProtobufCMessage *version,
			  const ProtobufCMessage *before, json_t *rows)
{
	const ProtobufCMessage *meta = pb_sub(version, "meta");
	struct changes changes = { .app = app };
	if (rows) {
		json_t *row = json_from_message(app, version);
		changes.list = json_array();
		if (!changes.list || json_array_append_new(rows, row) != 0 ||
		    json_object_set_new(row, "changes", changes.list) != 0)
			app_no_memory();
	} else {
		text_print(stdout,
			   app_printf(app, "v%" PRId64 "  %s  %s", pb_int(meta, "version"),
				      value_at(app, meta, "updated_at", false),
				      value_at(app, meta, "updated_by", false)),
			   TEXT_LINE);
		(void)fputc('\n', stdout);
	}
	pb_diff(before, version, app->arena, print_change, &changes);
	if (!rows && changes.n == 0)
		(void)puts("    no field that is kept with it");
}

/* The request for the versions; approval requests are found by any of their names. */
static int build(struct app *app, const struct command *command, const struct args *args,
		 const struct isms_api_method *method, ProtobufCMessage **out)
{
	const char *id;
	if (strcmp(command->noun, "approval") != 0)
		return request_build(app, command, args, method, out);
	int exit = decision_find(app, "approval", args_text(args, "REQUEST"), &id);
	if (exit)
		return exit;
	*out = rpc_request(app, command->method);
	*(char **)pb_member(*out, pb_field((*out)->descriptor, "id")) = app_strdup(app, id);
	return CLI_DONE;
}

int history_run(struct app *app, const struct command *command, const struct args *args)
{
	const struct isms_api_method *method = command_method(command->method);
	struct rows rows = { 0 };
	ProtobufCMessage *request;
	if (app->format == FORMAT_CSV || app->format == FORMAT_ID || *app->options.fields) {
		struct command plain = *command;
		plain.run = NULL;
		return command_run(app, &plain, args);
	}
	int exit = build(app, command, args, method, &request);
	if (!exit)
		exit = run_read_rows(app, command, method, request, &rows);
	if (exit)
		return exit;
	json_t *list = app->format == FORMAT_JSON ? json_array() : NULL;
	for (size_t i = 0; i < rows.n; i++) {
		/* What the last of a limited list has changed is not known. */
		bool cut = i + 1 == rows.n && app->options.limit > 0;
		print_version(app, rows.list[i],
			      cut              ? rows.list[i]
			      : i + 1 < rows.n ? rows.list[i + 1]
					       : NULL,
			      list);
	}
	if (list) {
		json_print(stdout, list);
		json_decref(list);
	}
	return CLI_DONE;
}
