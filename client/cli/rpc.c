/* Calls to the server; see rpc.h. */
#include "client/cli/rpc.h"

#include <inttypes.h>
#include <isms/api.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/fault.h"
#include "client/cli/field.h"
#include "client/cli/token.h"
#include "client/cli/when.h"
#include "common/arena.h"
#include "common/pb.h"

static void end_client(void *client)
{
	isms_client_free(client);
}

static int connect_client(struct app *app, bool anonymous)
{
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	const char *token = NULL;
	if (!*app->target.address) {
		app_error(CLI_USAGE, "no server is configured");
		app_next("give --config FILE (client.conf of the server) or --server HOST:PORT "
			 "--ca FILE");
		return CLI_USAGE;
	}
	int exit = anonymous ? CLI_DONE : token_read(app, &token);
	if (exit)
		return exit;
	if (token && !token_valid(token))
		return app_error(CLI_SIGN_IN, "what was given as the token is none");
	if (app->client) {
		if (isms_client_set_token(app->client, token) != 0)
			app_no_memory();
		return CLI_DONE;
	}
	options.address = app->target.address;
	options.ca_file = *app->target.ca ? app->target.ca : NULL;
	options.token = token;
	options.timeout_ms = app->options.timeout / 1000;
	app->client = isms_client_new(&options);
	if (!app->client)
		return app_error(CLI_USAGE, "%s is not an address of the form host:port",
				 app->target.address);
	if (arena_cleanup(app->arena, end_client, app->client) != 0)
		app_no_memory();
	return CLI_DONE;
}

/* Without a token are only the methods that give one. */
static bool is_anonymous(const struct isms_api_method *method)
{
	return strcmp(method->service, "AuthService") == 0 &&
	       (strcmp(method->name, "Login") == 0 || strcmp(method->name, "Activate") == 0);
}

/* Fills the mutation of a write. The request id of the flag belongs to the one
 * write of a run. */
static int prepare_write(struct app *app, ProtobufCMessage *request)
{
	const ProtobufCFieldDescriptor *field;
	if (!pb_field(request->descriptor, "mutation"))
		return CLI_DONE;
	ProtobufCMessage *mutation = field_reach(app, request, "mutation.request_id", &field);
	char **id = pb_member(mutation, field);
	if (!**id) {
		if (app->writes == 0 && *app->options.request_id)
			*id = app_strdup(app, app->options.request_id);
		else if (isms_request_id(app->request_id) == 0)
			*id = app_strdup(app, app->request_id);
		else
			return app_error(CLI_INTERNAL, "no random numbers for a request id");
	}
	(void)snprintf(app->request_id, sizeof app->request_id, "%s", *id);
	app->writes++;
	int64_t *version = pb_member(mutation, pb_field(mutation->descriptor, "expected_version"));
	if (*version == 0)
		*version = app->options.expected_version;
	protobuf_c_boolean *dry = pb_member(mutation, pb_field(mutation->descriptor, "dry_run"));
	*dry = *dry || app->options.dry_run;
	return CLI_DONE;
}

static void end_reply(void *reply)
{
	isms_reply_free(reply);
}

int rpc_call(struct app *app, const struct isms_api_method *method, ProtobufCMessage *request,
	     const ProtobufCMessage **out, enum rpc_quiet quiet)
{
	int exit = connect_client(app, is_anonymous(method));
	if (!exit)
		exit = prepare_write(app, request);
	if (exit)
		return exit;
	app->failed = NULL;
	int64_t start = when_now();
	struct isms_reply *reply =
		isms_call(app->client, method->path, request, method->response, NULL);
	if (!reply)
		app_no_memory();
	if (arena_cleanup(app->arena, end_reply, reply) != 0)
		app_no_memory();
	int code = (int)isms_reply_code(reply);
	if (app->options.verbose)
		(void)fprintf(stderr, "%s %s %" PRId64 " us\n", method->path,
			      isms_code_name((enum isms_code)code), when_now() - start);
	if (code != ISMS_OK) {
		app->failed = reply;
		app->failed_method = method;
		return quiet == RPC_SAY ? fault_print(app, method, reply)
					: fault_exit(code, isms_reply_reason(reply));
	}
	*out = isms_reply_message(reply);
	return CLI_DONE;
}

ProtobufCMessage *rpc_request(struct app *app, const char *method)
{
	ProtobufCMessage *request = pb_new(command_method(method)->request, app->arena);
	if (!request)
		app_no_memory();
	return request;
}

int rpc_call_name(struct app *app, const char *method, ProtobufCMessage *request,
		  const ProtobufCMessage **out, enum rpc_quiet quiet)
{
	return rpc_call(app, command_method(method), request, out, quiet);
}

int rpc_get(struct app *app, const char *method, const char *id, const ProtobufCMessage **out,
	    enum rpc_quiet quiet)
{
	ProtobufCMessage *request = rpc_request(app, method);
	const ProtobufCFieldDescriptor *field = pb_field(request->descriptor, "id");
	*(char **)field_slot(app, request, field) = app_strdup(app, id);
	return rpc_call_name(app, method, request, out, quiet);
}
