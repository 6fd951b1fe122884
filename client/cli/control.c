/* Controls of the catalogue: their version is read from the list, since no method reads
 * one alone. */
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/print.h"
#include "client/cli/request.h"
#include "client/cli/rpc.h"
#include "common/pb.h"
#include "isms/v1/catalog.pb-c.h"

enum { PAGES_MAX = 50 };

/* Sets expected_version to that of the control with this id. */
static int read_version(struct app *app, Isms__V1__UpdateControlRequest *request)
{
	static const char method[] = "CatalogService/ListControls";
	const char *token = "";
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		const ProtobufCMessage *reply;
		Isms__V1__ListControlsRequest *asked = (void *)rpc_request(app, method);
		asked->page_size = 1000;
		asked->page_token = app_strdup(app, token);
		int exit = rpc_call_name(app, method, &asked->base, &reply, RPC_SAY);
		if (exit)
			return exit;
		const Isms__V1__ListControlsResponse *rows = (const void *)reply;
		for (size_t i = 0; i < rows->n_controls; i++)
			if (rows->controls[i]->meta &&
			    strcmp(rows->controls[i]->meta->id, request->id) == 0) {
				app->options.expected_version = rows->controls[i]->meta->version;
				return CLI_DONE;
			}
		token = rows->next_page_token;
		if (!*token)
			break;
	}
	return CLI_DONE; /* the server says what is wrong with the id */
}

int control_update(struct app *app, const struct command *command, const struct args *args)
{
	ProtobufCMessage *request;
	const ProtobufCMessage *reply;
	int exit = request_build(app, command, args, command_method(command->method), &request);
	if (!exit && app->options.expected_version == 0)
		exit = read_version(app, (void *)request);
	if (!exit)
		exit = rpc_call_name(app, command->method, request, &reply, RPC_SAY);
	return exit ? exit : print_reply(app, command, reply);
}
