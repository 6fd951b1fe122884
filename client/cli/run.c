/* Runs a command the way its row says: build the request, call, print. */
#include <isms/api.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/output.h"
#include "client/cli/print.h"
#include "client/cli/request.h"
#include "client/cli/rpc.h"
#include "client/cli/run.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/pb.h"

enum { PAGE_ROWS = 1000 };

static void rows_add(struct app *app, struct rows *rows, const ProtobufCMessage *row)
{
	if (rows->n == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 256;
		const ProtobufCMessage **list = app_array(app, const ProtobufCMessage *, room);
		if (rows->n)
			memcpy(list, rows->list, sizeof(*list) * rows->n);
		rows->list = list;
		rows->room = room;
	}
	rows->list[rows->n++] = row;
}

int run_read_rows(struct app *app, const struct command *command,
		  const struct isms_api_method *method, ProtobufCMessage *request,
		  struct rows *rows)
{
	const ProtobufCFieldDescriptor *size = pb_field(method->request, "page_size");
	const ProtobufCFieldDescriptor *token = pb_field(method->request, "page_token");
	size_t limit = app->options.limit ? (size_t)app->options.limit : SIZE_MAX;
	for (;;) {
		const ProtobufCMessage *reply;
		size_t left = limit - rows->n;
		if (size)
			*(int32_t *)pb_member(request, size) =
				(int32_t)(left < PAGE_ROWS ? left : PAGE_ROWS);
		int exit = rpc_call(app, method, request, &reply, RPC_SAY);
		if (exit)
			return exit;
		const ProtobufCFieldDescriptor *field = pb_field(reply->descriptor, command->row);
		for (size_t i = 0; i < field_count(reply, field) && rows->n < limit; i++)
			rows_add(app, rows,
				 *(ProtobufCMessage *const *)field_item(reply, field, i));
		const char *next = token ? pb_string(reply, "next_page_token") : "";
		if (!*next)
			return CLI_DONE;
		if (rows->n >= limit) {
			rows->more = true;
			(void)fprintf(stderr, "the first %zu only; more with a larger --limit\n",
				      rows->n);
			return CLI_DONE;
		}
		*(char **)pb_member(request, token) = app_strdup(app, next);
	}
}

int run_list(struct app *app, const struct command *command, const struct isms_api_method *method,
	     ProtobufCMessage *request)
{
	struct column columns[COLUMNS_MAX];
	struct rows rows = { 0 };
	size_t n;
	const ProtobufCMessageDescriptor *type =
		pb_field(method->response, command->row)->descriptor;
	int exit = output_columns(app, type, command->columns, columns, &n);
	if (!exit)
		exit = run_read_rows(app, command, method, request, &rows);
	if (exit)
		return exit;
	if (app->format == FORMAT_JSON) {
		output_json_rows(app, columns, n, *app->options.fields, rows.list, rows.n);
	} else if (app->format == FORMAT_ID) {
		const char *id = command->id ? command->id : "meta.id";
		for (size_t i = 0; i < rows.n; i++) {
			text_print(stdout, value_at(app, rows.list[i], id, true), TEXT_LINE);
			(void)fputc('\n', stdout);
		}
	} else if (rows.n == 0 && app->format == FORMAT_TABLE) {
		(void)fputs("nothing to list\n", stderr);
	} else {
		output_rows(app, columns, n, rows.list, rows.n);
	}
	return CLI_DONE;
}

int command_run(struct app *app, const struct command *command, const struct args *args)
{
	ProtobufCMessage *request;
	const ProtobufCMessage *reply;
	if (command->run)
		return command->run(app, command, args);
	const struct isms_api_method *method = command_method(command->method);
	int exit = request_build(app, command, args, method, &request);
	if (exit)
		return exit;
	if (command->shape == COMMAND_LIST)
		return run_list(app, command, method, request);
	exit = rpc_call(app, method, request, &reply, RPC_SAY);
	return exit ? exit : print_reply(app, command, reply);
}
