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

/* before is what it came from, NULL for the first. What a version has changed is not
 * told when it is not known. */
static void print_version(struct app *app, const ProtobufCMessage *version,
			  const ProtobufCMessage *before, bool known, json_t *rows)
{
	const ProtobufCMessage *meta = pb_sub(version, "meta");
	struct changes changes = { .app = app };
	if (rows) {
		json_t *row = json_from_message(app, version);
		changes.list = known ? json_array() : NULL;
		if (json_array_append_new(rows, row) != 0 ||
		    (known && json_object_set_new(row, "changes", changes.list) != 0))
			app_no_memory();
	} else {
		text_print(stdout,
			   app_printf(app, "v%" PRId64 "  %s  %s", pb_int(meta, "version"),
				      value_at(app, meta, "updated_at", false),
				      value_at(app, meta, "updated_by", false)),
			   TEXT_LINE);
		(void)fputc('\n', stdout);
	}
	if (known)
		pb_diff(before, version, app->arena, print_change, &changes);
	if (!rows && !known)
		(void)puts("    what it changed is told with a larger --limit");
	else if (!rows && changes.n == 0)
		(void)puts("    no field that is kept with it");
}

/* Id of the risk method in force: it has no name of its own. */
static int find_method(struct app *app, const char **out)
{
	static const char active[] = "CatalogService/GetActiveMethod";
	const ProtobufCMessage *reply;
	int exit = rpc_call_name(app, active, rpc_request(app, active), &reply, RPC_SAY);
	if (!exit)
		*out = value_at(app, reply, "method.meta.id", true);
	return exit;
}

/* The request for the versions; approval requests are found by any of their names. */
static int build(struct app *app, const struct command *command, const struct args *args,
		 const struct isms_api_method *method, ProtobufCMessage **out)
{
	const char *id;
	bool request = strcmp(command->noun, "approval") == 0;
	if (!request && strcmp(command->noun, "method") != 0)
		return request_build(app, command, args, method, out);
	int exit = request ? decision_find(app, "approval", args_text(args, "REQUEST"), &id)
			   : find_method(app, &id);
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
	bool plain = app->format == FORMAT_CSV || app->format == FORMAT_ID || *app->options.fields;
	int exit = build(app, command, args, method, &request);
	if (!exit && plain)
		return run_list(app, command, method, request);
	if (!exit)
		exit = run_read_rows(app, command, method, request, &rows);
	if (exit)
		return exit;
	json_t *list = app->format == FORMAT_JSON ? json_array() : NULL;
	for (size_t i = 0; i < rows.n; i++) {
		bool last = i + 1 == rows.n;
		print_version(app, rows.list[i], last ? NULL : rows.list[i + 1],
			      !last || !rows.more, list);
	}
	if (list) {
		json_print(stdout, list);
		json_decref(list);
	}
	return CLI_DONE;
}
