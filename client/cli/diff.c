/* Changed fields as people read them; see diff.h. */
#include "client/cli/diff.h"

#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/print.h"
#include "client/cli/resolve.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"

static const char *shown(struct app *app, const char *field, const char *text)
{
	const char *name = strrchr(field, '.');
	const char *object = resolve_object(name ? name + 1 : field);
	if (!*text)
		return "-";
	return object ? resolve_label(app, object, text) : value_time(app, text);
}

void diff_line(struct app *app, const char *field, const char *before, const char *after)
{
	const char *new = shown(app, field, after);
	const char *text = *before ? app_printf(app, "    %-24s  %s -> %s", field,
						shown(app, field, before), new)
				   : app_printf(app, "    %-24s  %s", field, new);
	text_print(stdout, text, TEXT_LINE);
	(void)fputc('\n', stdout);
}

static int read_changes(struct app *app, const char *id, const ProtobufCMessage **out)
{
	static const char method[] = "ApprovalService/ChangesSinceMyDecision";
	Isms__V1__ChangesSinceMyDecisionRequest *request = (void *)rpc_request(app, method);
	request->request_id = app_strdup(app, id);
	return rpc_call_name(app, method, &request->base, out, RPC_SAY);
}

static void print_changes(struct app *app, const Isms__V1__ChangesSinceMyDecisionResponse *reply)
{
	if (!*reply->earlier_request_id) {
		(void)puts("You have not decided on this before: all of it is new.");
		return;
	}
	text_print(stdout,
		   app_printf(app, "%s since your %s in %s (%s):",
			      reply->n_changes ? "Changed" : "Nothing has changed",
			      value_at(app, &reply->base, "earlier_decision", true),
			      reply->earlier_request_ref,
			      value_at(app, &reply->base, "decided_at", false)),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
	for (size_t i = 0; i < reply->n_changes; i++) {
		const Isms__V1__FieldChange *change = reply->changes[i];
		diff_line(app, change->field, change->before, change->after);
	}
	if (reply->cut)
		(void)puts("    and more than is listed here");
}

int diff_since_decision(struct app *app, const Isms__V1__ApprovalRequest *request)
{
	const ProtobufCMessage *reply;
	int exit = read_changes(app, request->meta->id, &reply);
	if (!exit)
		print_changes(app, (const void *)reply);
	return exit;
}

int diff_run(struct app *app, const struct command *command, const struct args *args)
{
	const ProtobufCMessage *reply;
	const char *id;
	int exit = decision_find(app, "approval", args_text(args, "ID"), &id);
	if (!exit)
		exit = read_changes(app, id, &reply);
	if (exit)
		return exit;
	if (app->format != FORMAT_TABLE)
		return print_reply(app, command, reply);
	print_changes(app, (const void *)reply);
	return CLI_DONE;
}
