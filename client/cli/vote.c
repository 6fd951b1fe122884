/* Decisions; see vote.h. */
#include "client/cli/vote.h"

#include <isms/isms.h>
#include <string.h>
#include <strings.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/base64.h"
#include "client/cli/command.h"
#include "client/cli/decision.h"
#include "client/cli/diff.h"
#include "client/cli/fault.h"
#include "client/cli/print.h"
#include "client/cli/request.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/pb.h"

static const char *object_of(const struct command *command)
{
	if (strcmp(command->noun, "treat") == 0)
		return "plan";
	if (strcmp(command->noun, "policy") == 0)
		return "policy";
	return strcmp(command->noun, "accept") == 0 ? "acceptance" : "approval";
}

/* The digest that a script was shown before. */
static int check_pin(struct app *app, const struct args *args, const struct decision *decision)
{
	uint8_t pin[DECISION_DIGEST];
	const char *text = args_text(args, "--digest");
	if (!text)
		return CLI_DONE;
	if (!hex_decode(pin, sizeof pin, text))
		return app_error(CLI_USAGE,
				 "--digest is 64 hex digits, as approval show prints them");
	if (memcmp(pin, decision->digest, sizeof pin) == 0)
		return CLI_DONE;
	app_error(CLI_CONFLICT, "what is asked now is not what --digest stands for");
	app_why("digest now: %s", hex_encode(app, decision->digest, DECISION_DIGEST));
	app_next("isms approval show %s", decision->request->meta->ref);
	return CLI_CONFLICT;
}

static int check_open(const struct decision *decision, struct app *app)
{
	const Isms__V1__ApprovalRequest *request = decision->request;
	if (request->state == ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_PENDING)
		return CLI_DONE;
	app_error(CLI_CONFLICT, "%s is closed: %s", request->meta->ref,
		  value_at(app, &request->base, "state", true));
	app_next("isms approval show %s", request->meta->ref);
	return CLI_CONFLICT;
}

static int confirm(struct app *app, const struct args *args, const struct decision *decision,
		   const char *verb)
{
	if (args_text(args, "--digest") || app->options.dry_run)
		return CLI_DONE;
	/* The terminal must show it before it is confirmed, whatever -o says. */
	if (app->format == FORMAT_TABLE)
		decision_print(app, decision);
	const Isms__V1__DecisionSnapshot *snapshot = decision->snapshot;
	const char *question =
		!decision->risk ? app_printf(app, "%s %s (policy)?", verb, snapshot->subject_ref)
				: app_printf(app, "%s %s %s for risk %s v%lld at level %s?", verb,
					     snapshot->subject_ref,
					     snapshot->valid_until ? "(acceptance)" : "(plan)",
					     snapshot->risk_ref, (long long)snapshot->risk_version,
					     value_level((int)snapshot->level));
	return app_confirm(app, question, "--digest HEX (of what was shown) or --yes");
}

static void print_outcome(struct app *app, const struct decision *decision,
			  const Isms__V1__CastVoteResponse *reply)
{
	const Isms__V1__ApprovalRequest *request = reply->request;
	const ProtobufCMessage *after;
	if (app->options.dry_run)
		(void)fputs("dry run, nothing was changed: ", stdout);
	text_print(stdout,
		   app_printf(app, "%s v%lld %s by %s%s%s, %s v%lld %s  id %s",
			      decision->snapshot->subject_ref,
			      (long long)decision->snapshot->subject_version,
			      value_at(app, &reply->base, "vote.decision", true),
			      value_at(app, &reply->base, "vote.voter_name", true),
			      reply->vote && *reply->vote->on_behalf_of_name ? " for " : "",
			      reply->vote ? reply->vote->on_behalf_of_name : "", request->meta->ref,
			      (long long)request->meta->version,
			      value_at(app, &request->base, "state", true), request->meta->id),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
	if (request->state != ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_PENDING ||
	    app->options.dry_run)
		return;
	if (rpc_get(app, "ApprovalService/GetApprovalRequest", request->meta->id, &after,
		    RPC_QUIET) != CLI_DONE)
		return;
	(void)printf("step %d needs %d more; waits for ", request->current_step, reply->remaining);
	text_print(stdout, decision_waiting(app, (const void *)after), TEXT_LINE);
	(void)fputc('\n', stdout);
}

/* A vote on what the caller may not read. It carries no digest, so the server can
 * only refuse it, and says by which rule; the attempt is on its record. */
static int refused(struct app *app, const char *id, int decision_no)
{
	static const char method[] = "ApprovalService/CastVote";
	enum { STEPS_MAX = 9 };
	static uint8_t none[DECISION_DIGEST];
	static char why[] = "without sight of the request";
	const ProtobufCMessage *reply;
	int exit = CLI_CONFLICT;
	for (int step = 1; step <= STEPS_MAX && exit == CLI_CONFLICT; step++) {
		Isms__V1__CastVoteRequest *request = (void *)rpc_request(app, method);
		request->request_id = app_strdup(app, id);
		request->step_no = step;
		request->decision = (Isms__V1__Decision)decision_no;
		request->comment = why;
		request->snapshot_sha256 =
			(ProtobufCBinaryData){ .len = sizeof none, .data = none };
		exit = rpc_call_name(app, method, &request->base, &reply, RPC_QUIET);
		if (strcmp(isms_reply_reason(app->failed), "STEP_NOT_OPEN") != 0)
			break;
	}
	return fault_print(app, app->failed_method, app->failed);
}

/* The one for whom the vote is cast: an id, an e-mail, or the name in the inbox. */
static int set_delegator(struct app *app, const struct args *args,
			 Isms__V1__CastVoteRequest *request)
{
	static const char inbox[] = "ApprovalService/Inbox";
	const char *name = args_text(args, "--on-behalf-of");
	const ProtobufCMessage *reply;
	if (!name)
		return CLI_DONE;
	Isms__V1__InboxRequest *asked = (void *)rpc_request(app, inbox);
	asked->page_size = 1000;
	int exit = rpc_call_name(app, inbox, &asked->base, &reply, RPC_SAY);
	if (exit)
		return exit;
	const Isms__V1__InboxResponse *items = (const void *)reply;
	for (size_t i = 0; i < items->n_items; i++) {
		const Isms__V1__InboxItem *item = items->items[i];
		if (strcmp(item->request_id, request->request_id) == 0 && *item->on_behalf_of &&
		    strcasecmp(item->on_behalf_of_name, name) == 0) {
			request->on_behalf_of = item->on_behalf_of;
			return CLI_DONE;
		}
	}
	struct param param = { .name = "--on-behalf-of", .path = "on_behalf_of", .object = "user" };
	return request_set(app, &request->base, &param, name);
}

static int cast(struct app *app, const struct command *command, const struct args *args,
		const char *verb, int decision_no)
{
	static const char method[] = "ApprovalService/CastVote";
	struct decision decision;
	const ProtobufCMessage *reply;
	const char *comment = args_text(args, "--comment");
	const char *id;
	int exit = decision_find(app, object_of(command), args_text(args, "ID"), &id);
	if (exit)
		return exit;
	exit = decision_read(app, id, NULL, RPC_QUIET, &decision);
	if (exit == CLI_NOT_FOUND)
		return refused(app, id, decision_no);
	if (exit && app->failed)
		return fault_print(app, app->failed_method, app->failed);
	if (!exit)
		exit = check_pin(app, args, &decision);
	if (!exit)
		exit = check_open(&decision, app);
	if (!exit)
		exit = confirm(app, args, &decision, verb);
	if (exit)
		return exit;
	Isms__V1__CastVoteRequest *request = (void *)rpc_request(app, method);
	request->request_id = decision.request->meta->id;
	request->step_no = decision.request->current_step;
	request->decision = (Isms__V1__Decision)decision_no;
	request->snapshot_sha256 =
		(ProtobufCBinaryData){ .len = DECISION_DIGEST, .data = decision.digest };
	struct param param = { .name = "--comment", .path = "comment" };
	if (comment)
		exit = request_set(app, &request->base, &param, comment);
	if (!exit)
		exit = set_delegator(app, args, request);
	if (!exit)
		exit = rpc_call_name(app, method, &request->base, &reply, RPC_SAY);
	if (exit)
		return exit;
	if (app->format != FORMAT_TABLE)
		return print_reply(app, command, reply);
	print_outcome(app, &decision, (const void *)reply);
	return CLI_DONE;
}

int vote_approve(struct app *app, const struct command *command, const struct args *args)
{
	return cast(app, command, args, "approve", ISMS__V1__DECISION__DECISION_APPROVE);
}

int vote_reject(struct app *app, const struct command *command, const struct args *args)
{
	return cast(app, command, args, "reject", ISMS__V1__DECISION__DECISION_REJECT);
}

int vote_request_changes(struct app *app, const struct command *command, const struct args *args)
{
	return cast(app, command, args, "request changes to",
		    ISMS__V1__DECISION__DECISION_REQUEST_CHANGES);
}

int vote_recuse(struct app *app, const struct command *command, const struct args *args)
{
	return cast(app, command, args, "step back from", ISMS__V1__DECISION__DECISION_RECUSE);
}

int vote_show(struct app *app, const struct command *command, const struct args *args)
{
	struct decision decision;
	ProtobufCMessage *asked;
	const char *id;
	int exit = decision_find(app, object_of(command), args_text(args, "ID"), &id);
	if (!exit)
		exit = request_build(app, command, args, command_method(command->method), &asked);
	if (exit)
		return exit;
	Google__Protobuf__Timestamp *as_of =
		((const Isms__V1__GetApprovalRequestRequest *)(const void *)asked)->as_of;
	exit = decision_read(app, id, as_of, RPC_SAY, &decision);
	if (exit)
		return exit;
	if (app->format != FORMAT_TABLE || *app->options.fields)
		return print_reply(app, command, &decision.reply->base);
	decision_print(app, &decision);
	if (args_switch(args, "--diff"))
		exit = diff_since_decision(app, decision.request);
	if (!exit && !as_of &&
	    decision.request->state == ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_PENDING)
		print_next(app,
			   app_printf(app, "isms approval approve %s --digest %s",
				      decision.request->meta->ref,
				      hex_encode(app, decision.digest, DECISION_DIGEST)),
			   &decision.request->base);
	return exit;
}
