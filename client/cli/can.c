/* Who may do what; see can.h. */
#include "client/cli/can.h"

#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/decision.h"
#include "client/cli/fault.h"
#include "client/cli/print.h"
#include "client/cli/request.h"
#include "client/cli/resolve.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/uuid.h"

/* Id of what a word means: decisions are cast on requests, also when their subject is
 * named; a word without a ref's form is the name of a scope. */
static int object_of(struct app *app, const char *permission, const char *word, const char **out)
{
	static const char *const subjects[] = { "plan", "acceptance", "policy" };
	uint8_t bytes[UUID_BYTES];
	bool vote = strcmp(permission, "decision.cast") == 0;
	if (uuid_parse(word, bytes)) {
		*out = word;
		return CLI_DONE;
	}
	if (resolve_is_ref("approval", word))
		return decision_find(app, "approval", word, out);
	for (size_t i = 0; vote && i < sizeof subjects / sizeof subjects[0]; i++)
		if (resolve_is_ref(subjects[i], word))
			return decision_find(app, subjects[i], word, out);
	return resolve_id(app, resolve_has_form(word) ? "any" : "scope", word, out);
}

static int ask(struct app *app, const struct args *args, const ProtobufCMessage **out)
{
	static const char method[] = "ApprovalService/CanI";
	const char *user = args_text(args, "--user");
	const char *id;
	Isms__V1__CanIRequest *request = (void *)rpc_request(app, method);
	request->permission = app_strdup(app, args_text(args, "PERMISSION"));
	int exit = object_of(app, request->permission, args_text(args, "OBJECT"), &id);
	if (exit)
		return exit;
	request->object_id = app_strdup(app, id);
	struct param param = { .name = "--user", .path = "user_id" };
	if (user)
		exit = request_set(app, &request->base, &param, user);
	return exit ? exit : rpc_call_name(app, method, &request->base, out, RPC_SAY);
}

static void say(const char *text)
{
	text_print(stdout, text, TEXT_LINE);
	(void)fputc('\n', stdout);
}

static void print_people(struct app *app, const Isms__V1__CanIResponse *reply)
{
	for (size_t i = 0; i < reply->n_who_can; i++) {
		const Isms__V1__CanIPerson *person = reply->who_can[i];
		const char *behalf =
			*person->on_behalf_of
				? app_printf(app, " on behalf of %s",
					     value_at(app, &person->base, "on_behalf_of", false))
				: "";
		say(app_printf(app, "%s%s (%s)%s", i ? "             " : "who could    ",
			       person->display_name,
			       value_at(app, &person->base, "role_codes", false), behalf));
	}
	if (reply->more)
		say("             and more");
}

static void print_why(struct app *app, const Isms__V1__CanIResponse *reply)
{
	const char *rule = fault_why(reply->reason);
	say(app_printf(app, "about        %s %s", reply->object_kind,
		       *reply->object_ref ? reply->object_ref : "-"));
	say(app_printf(app, "in scope     %s", value_at(app, &reply->base, "scope_id", false)));
	if (*reply->missing_permission)
		say(app_printf(app, "missing      %s", reply->missing_permission));
	if (rule && !reply->allowed)
		say(app_printf(app, "rule         %s", rule));
	print_people(app, reply);
}

static int run(struct app *app, const struct command *command, const struct args *args, bool whole)
{
	const ProtobufCMessage *message;
	int exit = ask(app, args, &message);
	if (exit)
		return exit;
	const Isms__V1__CanIResponse *reply = (const void *)message;
	if (app->format != FORMAT_TABLE) {
		exit = print_reply(app, command, message);
		return exit ? exit : reply->allowed ? CLI_DONE : CLI_NO;
	}
	if (reply->allowed)
		say(*reply->on_behalf_of ? app_printf(app, "yes, on behalf of %s",
						      value_at(app, message, "on_behalf_of", false))
					 : "yes");
	else
		say(app_printf(app, "no: %s (%s)", reply->explanation, reply->reason));
	if (whole)
		print_why(app, reply);
	return reply->allowed ? CLI_DONE : CLI_NO;
}

int can_run(struct app *app, const struct command *command, const struct args *args)
{
	return run(app, command, args, false);
}

int can_why_not(struct app *app, const struct command *command, const struct args *args)
{
	return run(app, command, args, true);
}
