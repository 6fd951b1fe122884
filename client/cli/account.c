/* Commands about accounts whose replies carry a secret, and whoami. */
#include <isms/api.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/hooks.h"
#include "client/cli/print.h"
#include "client/cli/request.h"
#include "client/cli/rpc.h"
#include "client/cli/secret.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/pb.h"
#include "isms/v1/auth.pb-c.h"

/* Makes the call and puts the secret of the reply into a file; without one it is
 * printed once. */
static int run(struct app *app, const struct command *command, const struct args *args,
	       const char *field, const char *flag)
{
	const struct isms_api_method *method = command_method(command->method);
	const char *path = args_text(args, flag);
	const ProtobufCMessage *reply;
	ProtobufCMessage *request;
	int exit = request_build(app, command, args, method, &request);
	if (!exit)
		exit = rpc_call(app, method, request, &reply, RPC_SAY);
	if (exit)
		return exit;
	char **secret = pb_member(reply, pb_field(reply->descriptor, field));
	bool has = **secret && !app->options.dry_run;
	if (has && path) {
		exit = secret_write(app, path, app_printf(app, "%s\n", *secret));
		if (exit) {
			app_next("repeat with --request-id %s to get it once more",
				 app->request_id);
			return exit;
		}
		*secret = app_strdup(app, "");
	}
	if (has && app->format == FORMAT_TABLE) {
		text_print(
			stdout,
			app_printf(app, "%s %s%s", field, path ? "in " : "", path ? path : *secret),
			TEXT_LINE);
		(void)fputc('\n', stdout);
	}
	return print_reply(app, command, reply);
}

int account_create(struct app *app, const struct command *command, const struct args *args)
{
	return run(app, command, args, "invitation", "--invitation-file");
}

int account_token(struct app *app, const struct command *command, const struct args *args)
{
	return run(app, command, args, "token", "--token-file");
}

int account_print_whoami(struct app *app, const struct command *command,
			 const ProtobufCMessage *message)
{
	const Isms__V1__WhoAmIResponse *reply = (const void *)message;
	(void)command;
	text_print(stdout,
		   app_printf(app, "%s (%s, %s), %s", value_at(app, message, "user.email", true),
			      value_at(app, message, "user.display_name", true),
			      value_at(app, message, "user.kind", true), reply->organisation),
		   TEXT_LINE);
	(void)printf("\n  id           ");
	text_print(stdout, value_at(app, message, "user.meta.id", true), TEXT_LINE);
	(void)printf("\n  session ends %s UTC\n", value_at(app, message, "expires_at", false));
	for (size_t i = 0; i < reply->n_grants; i++) {
		const ProtobufCMessage *grant = &reply->grants[i]->base;
		const char *level = value_at(app, grant, "max_accept_level", false);
		const char *until = value_at(app, grant, "valid_until", false);
		(void)fputs(i ? "               " : "  roles        ", stdout);
		text_print(stdout,
			   app_printf(app, "%s in %s", reply->grants[i]->role_code,
				      value_at(app, grant, "scope_id", false)),
			   TEXT_LINE);
		if (strcmp(level, "-") != 0)
			(void)printf(", accepts up to %s", level);
		if (strcmp(until, "-") != 0)
			(void)printf(", until %s UTC", until);
		(void)fputc('\n', stdout);
	}
	(void)fputs("  may          ", stdout);
	text_print(stdout, value_at(app, message, "permissions", false), TEXT_LINE);
	(void)fputc('\n', stdout);
	return CLI_DONE;
}
