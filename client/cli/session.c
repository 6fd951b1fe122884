/* Signing in and out; see session.h. */
#include "client/cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/print.h"
#include "client/cli/rpc.h"
#include "client/cli/secret.h"
#include "client/cli/text.h"
#include "client/cli/token.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/auth.pb-c.h"

static char *text_field(struct app *app, ProtobufCMessage *message, const char *name,
			const char *text)
{
	return *(char **)pb_member(message, pb_field(message->descriptor, name)) =
		       app_strdup(app, text);
}

/* The e-mail of the flag, the settings or the terminal. */
static int email_of(struct app *app, const struct args *args, const char **out)
{
	char line[300];
	const char *text = args_text(args, "--email");
	if (!text)
		text = app->target.email;
	if (!*text && app->can_ask) {
		(void)fputs("e-mail: ", stderr);
		if (fgets(line, sizeof line, stdin))
			text = app_strndup(app, line, strcspn(line, "\r\n"));
	}
	if (!*text) {
		app_error(CLI_USAGE, "the e-mail is needed");
		app_next("give --email E, or email in client.conf");
		return CLI_USAGE;
	}
	*out = text;
	return CLI_DONE;
}

static int save_token(struct app *app, const char *token)
{
	if (!token_valid(token))
		return app_error(CLI_INTERNAL, "what the server gave as the token is none");
	return secret_write(
		app, app->token_file,
		app_printf(app, "address = %s\ntoken = %s\n", app->target.address, token));
}

static int say_signed_in(struct app *app, const ProtobufCMessage *reply)
{
	(void)fputs("signed in as ", stdout);
	text_print(stdout, value_at(app, reply, "user.email", true), TEXT_LINE);
	(void)printf(" until %s UTC\n", value_at(app, reply, "expires_at", false));
	if (app->options.verbose)
		(void)fprintf(stderr, "token in %s\n", app->token_file);
	print_next(app, "isms inbox", reply);
	return CLI_DONE;
}

/* Keeps a token that was given out, after the server has taken it. */
static int login_token(struct app *app, const char *path)
{
	static const char method[] = "AuthService/WhoAmI";
	const ProtobufCMessage *reply;
	const char *token;
	int exit = secret_read(app, path, "token", "--token-file", &token);
	if (!exit && setenv("ISMS_TOKEN", token, 1) != 0)
		app_no_memory();
	if (!exit)
		exit = rpc_call_name(app, method, rpc_request(app, method), &reply, RPC_SAY);
	if (!exit)
		exit = save_token(app, token);
	return exit ? exit : say_signed_in(app, reply);
}

int session_login(struct app *app, const struct command *command, const struct args *args)
{
	static const char method[] = "AuthService/Login";
	const char *email, *password, *organisation = args_text(args, "--organisation");
	const ProtobufCMessage *reply;
	ProtobufCMessage *request = rpc_request(app, method);
	(void)command;
	if (app->options.dry_run)
		return app_error(CLI_USAGE, "login has no dry run");
	if (args_text(args, "--token-file"))
		return login_token(app, args_text(args, "--token-file"));
	int exit = email_of(app, args, &email);
	if (!exit)
		exit = secret_read(app, args_text(args, "--password-file"), "password",
				   "--password-file", &password);
	if (exit)
		return exit;
	(void)text_field(app, request, "email", email);
	(void)text_field(app, request, "organisation",
			 organisation ? organisation : app->target.organisation);
	char *sent = text_field(app, request, "password", password);
	exit = rpc_call_name(app, method, request, &reply, RPC_SAY);
	explicit_bzero(sent, strlen(sent));
	if (!exit)
		exit = save_token(app, pb_string(reply, "access_token"));
	return exit ? exit : say_signed_in(app, reply);
}

int session_logout(struct app *app, const struct command *command, const struct args *args)
{
	static const char method[] = "AuthService/Logout";
	const ProtobufCMessage *reply;
	(void)command;
	(void)args;
	int exit = rpc_call_name(app, method, rpc_request(app, method), &reply, RPC_SAY);
	if (app->options.dry_run)
		return exit;
	/* A token that the server no longer takes is of no use either. */
	if ((!exit || exit == CLI_SIGN_IN) && unlink(app->token_file) != 0 && errno != ENOENT)
		return app_error(CLI_INTERNAL, "cannot remove %s: %s", app->token_file,
				 strerror(errno));
	if (!exit)
		(void)puts("signed out");
	return exit;
}

int session_activate(struct app *app, const struct command *command, const struct args *args)
{
	static const char method[] = "AuthService/Activate";
	const char *invitation, *password, *again;
	const char *file = args_text(args, "--password-file");
	const ProtobufCMessage *reply;
	ProtobufCMessage *request = rpc_request(app, method);
	(void)command;
	int exit = secret_read(app, args_text(args, "--invitation-file"), "invitation",
			       "--invitation-file", &invitation);
	if (!exit)
		exit = secret_read(app, file, "new password", "--password-file", &password);
	if (!exit && !file) {
		exit = secret_read(app, file, "new password again", "--password-file", &again);
		if (!exit && strcmp(password, again) != 0)
			exit = app_error(CLI_USAGE, "the two passwords differ");
	}
	if (exit)
		return exit;
	(void)text_field(app, request, "invitation", invitation);
	char *sent = text_field(app, request, "password", password);
	exit = rpc_call_name(app, method, request, &reply, RPC_SAY);
	explicit_bzero(sent, strlen(sent));
	if (exit)
		return exit;
	print_written(app, pb_sub(reply, "user"));
	print_next(app, "isms login --email {ref}", pb_sub(reply, "user"));
	return CLI_DONE;
}
