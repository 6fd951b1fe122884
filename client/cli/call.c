/* isms call: any method of the API, from its descriptors. */
#include <isms/api.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/hooks.h"
#include "client/cli/json.h"
#include "client/cli/print.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/watch.h"
#include "common/arena.h"
#include "common/pb.h"

enum { JSON_MAX = 2 * 1024 * 1024, DEPTH_MAX = 8 };

static int list_methods(void)
{
	for (size_t i = 0; i < isms_api_methods_count; i++) {
		const struct isms_api_method *row = &isms_api_methods[i];
		(void)printf("%s/%s\n", row->service, row->name);
	}
	return CLI_DONE;
}

static const char *type_name(struct app *app, const ProtobufCFieldDescriptor *field)
{
	static const char *const names[] = {
		[PROTOBUF_C_TYPE_INT32] = "number",
		[PROTOBUF_C_TYPE_SINT32] = "number",
		[PROTOBUF_C_TYPE_SFIXED32] = "number",
		[PROTOBUF_C_TYPE_INT64] = "number as text",
		[PROTOBUF_C_TYPE_UINT32] = "number",
		[PROTOBUF_C_TYPE_UINT64] = "number as text",
		[PROTOBUF_C_TYPE_BOOL] = "true or false",
		[PROTOBUF_C_TYPE_STRING] = "text",
		[PROTOBUF_C_TYPE_BYTES] = "base64",
		[PROTOBUF_C_TYPE_DOUBLE] = "number",
	};
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return field_enum_names(app, field->descriptor);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	size_t n = sizeof names / sizeof names[0];
	return field->type < n && names[field->type] ? names[field->type] : "number";
}

static void describe(struct app *app, const ProtobufCMessageDescriptor *type, unsigned depth)
{
	for (unsigned i = 0; i < type->n_fields && depth < DEPTH_MAX; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		(void)printf("%*s%s: %s%s\n", (int)(2 * depth), "", json_name(app, field->name),
			     field->label == PROTOBUF_C_LABEL_REPEATED ? "list of " : "",
			     type_name(app, field));
		if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    strncmp(((const ProtobufCMessageDescriptor *)field->descriptor)->name,
			    "google.", 7) != 0)
			describe(app, field->descriptor, depth + 1);
	}
}

static int unknown_method(const char *name)
{
	const char *best = NULL;
	const char *service = "";
	unsigned least = 99;
	const char *slash = strrchr(name, '/');
	const char *typed = slash ? slash + 1 : name;
	for (size_t i = 0; i < isms_api_methods_count; i++) {
		unsigned distance = text_distance(typed, isms_api_methods[i].name);
		if (distance < least && text_near(typed, isms_api_methods[i].name)) {
			least = distance;
			best = isms_api_methods[i].name;
			service = isms_api_methods[i].service;
		}
	}
	app_error(CLI_USAGE, "the API has no method %s", name);
	if (best)
		app_next("did you mean %s/%s?", service, best);
	else
		app_next("isms call lists all methods");
	return CLI_USAGE;
}

static int read_json(struct app *app, const char *text, ProtobufCMessage *request)
{
	char *data;
	size_t len;
	if (!text)
		return CLI_DONE;
	if (text[strspn(text, " \t\n")] == '{')
		return json_parse(app, request, text, strlen(text));
	int exit = app_read(app, &data, &len, text, JSON_MAX);
	return exit ? exit : json_parse(app, request, data, len);
}

/* A message of a stream, on one line. */
static enum watch_go print_message(void *arg, struct app *app, const ProtobufCMessage *message,
				   int *out_exit)
{
	int64_t *left = arg;
	(void)out_exit;
	if (!message)
		return WATCH_GO;
	json_t *json = json_from_message(app, message);
	json_print_line(stdout, json);
	json_decref(json);
	*left -= *left > 0;
	return *left == 0 ? WATCH_ENOUGH : WATCH_GO;
}

static int call_stream(struct app *app, const struct isms_api_method *method,
		       ProtobufCMessage *request)
{
	int64_t left = app->options.limit ? app->options.limit : -1;
	return watch_run(app, method, request, print_message, &left);
}

int call_run(struct app *app, const struct command *command, const struct args *args)
{
	const char *name = args_text(args, "METHOD");
	const ProtobufCMessage *reply;
	(void)command;
	if (!name)
		return list_methods();
	const struct isms_api_method *method = command_method(name);
	if (!method)
		return unknown_method(name);
	if (args_switch(args, "--describe")) {
		(void)printf("%s/%s\n%s\n\nrequest\n", method->service, method->name, method->text);
		describe(app, method->request, 1);
		(void)puts("reply");
		describe(app, method->response, 1);
		return CLI_DONE;
	}
	ProtobufCMessage *request = pb_new(method->request, app->arena);
	if (!request)
		app_no_memory();
	int exit = read_json(app, args_text(args, "--json"), request);
	if (!exit && method->streams)
		return call_stream(app, method, request);
	if (!exit)
		exit = rpc_call(app, method, request, &reply, RPC_SAY);
	if (!exit)
		print_json(app, reply);
	return exit;
}
