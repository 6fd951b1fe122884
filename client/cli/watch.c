/* Streams of the server, printed as they come; see watch.h. The library opens a lost
 * stream again by itself; here is only what people see of it. Each message has an arena
 * of its own, so that a watch may run for months. The stream is no use of the session,
 * but who runs a watch does use it: every now and then it says so. */
#include "client/cli/watch.h"

#include <isms/api.h>
#include <signal.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/fault.h"
#include "client/cli/json.h"
#include "client/cli/request.h"
#include "client/cli/resolve.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/mono.h"
#include "common/pb.h"

enum {
	ROUND_MEMORY = 256 << 20,
	TURN_MS = 1000,
	/* The server gives signs of life every few seconds. */
	QUIET_MS = 60000,
	IN_USE_MS = 30000, /* between two calls that keep the session from going idle */
	CURSOR_MAX = 256,  /* bytes, as many as libisms takes */
};

static volatile sig_atomic_t stopped;

static void stop(int signal_no)
{
	stopped = signal_no;
}

static void listen_to_signals(void)
{
	/* Without SA_RESTART: a wait ends at once. */
	const struct sigaction action = { .sa_handler = stop };
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

/* Runs fn with an arena of its own. */
static enum watch_go round_of(struct app *app, const ProtobufCMessage *message, watch_fn fn,
			      void *arg, int *out_exit)
{
	struct arena *kept = app->arena;
	struct cache *cache = app->cache;
	app->arena = arena_new(ROUND_MEMORY);
	if (!app->arena)
		app_no_memory();
	app->cache = NULL;
	enum watch_go go = fn(arg, app, message, out_exit);
	arena_free(app->arena);
	app->arena = kept;
	app->cache = cache;
	/* Whoever reads a pipe sees each line at once, and may have gone. */
	return fflush(stdout) != 0 && go == WATCH_GO ? WATCH_ENOUGH : go;
}

static int end_of(struct app *app, const struct isms_api_method *method, struct isms_reply *reply)
{
	int exit =
		reply ? fault_print(app, method, reply) : app_error(CLI_INTERNAL, "out of memory");
	isms_reply_free(reply);
	return exit;
}

/* Cursor of the last message that was printed: what was not is to come again. */
struct printed {
	char cursor[CURSOR_MAX + 1];
};

static void keep_cursor(struct printed *printed, const struct isms_watch *watch)
{
	const char *cursor = isms_watch_cursor(watch);
	if (strlen(cursor) <= CURSOR_MAX)
		memcpy(printed->cursor, cursor, strlen(cursor) + 1);
}

static void tell_cursor(const char *cursor)
{
	if (*cursor) {
		(void)fputs("cursor: ", stderr);
		text_print(stderr, cursor, TEXT_LINE);
		(void)fputc('\n', stderr);
	}
}

static int64_t now_ms(void)
{
	return mono_us() / 1000;
}

static const char who_am_i[] = "AuthService/WhoAmI";

/* What goes wrong with it, the stream tells. */
static enum watch_go use_session(void *arg, struct app *app, const ProtobufCMessage *message,
				 int *out_exit)
{
	const ProtobufCMessage *me;
	(void)arg;
	(void)message;
	(void)out_exit;
	(void)rpc_call_name(app, who_am_i, rpc_request(app, who_am_i), &me, RPC_QUIET);
	return WATCH_GO;
}

int watch_run(struct app *app, const struct isms_api_method *method, ProtobufCMessage *request,
	      watch_fn fn, void *arg)
{
	struct isms_watch_options options = ISMS_WATCH_OPTIONS_INIT;
	enum watch_go go = WATCH_GO;
	const ProtobufCMessage *me;
	/* A watch waits for a server that is away; who begins one is told at once. */
	int exit = rpc_call_name(app, who_am_i, rpc_request(app, who_am_i), &me, RPC_SAY);
	if (exit)
		return exit;
	options.quiet_ms = QUIET_MS;
	options.give_up_ms = app->options.timeout / 1000;
	listen_to_signals();
	struct isms_watch *watch =
		isms_watch_open(app->client, method->path, request, method->response, &options);
	if (!watch)
		return app_error(CLI_USAGE,
				 "what is to be watched is too long, or memory is short");
	struct printed printed = { "" };
	keep_cursor(&printed, watch);
	int64_t used_ms = now_ms();
	while (go == WATCH_GO && !stopped) {
		struct isms_reply *reply = NULL;
		int rc = isms_watch_next(watch, TURN_MS, &reply);
		if (rc < 0) {
			go = WATCH_FAILED;
			exit = end_of(app, method, reply);
			break;
		}
		if (rc > 0 || !stopped)
			go = round_of(app, isms_reply_message(reply), fn, arg, &exit);
		if (go != WATCH_FAILED && !ferror(stdout))
			keep_cursor(&printed, watch);
		isms_reply_free(reply);
		if (go == WATCH_GO && !stopped && now_ms() - used_ms >= IN_USE_MS) {
			go = round_of(app, NULL, use_session, NULL, &exit);
			used_ms = now_ms();
		}
	}
	tell_cursor(printed.cursor);
	isms_watch_close(watch);
	return go == WATCH_FAILED ? exit : CLI_DONE;
}

/* --- events --------------------------------------------------------------- */

struct events {
	bool forever;
	int64_t left; /* events until the limit; < 0: without one */
};

static void print_event(struct app *app, const Isms__V1__WatchResponse *message)
{
	const Isms__V1__Event *event = message->event;
	if (app->format == FORMAT_JSON) {
		json_t *json = json_from_message(app, &message->base);
		json_print_line(stdout, json);
		json_decref(json);
		return;
	}
	if (app->format == FORMAT_ID) {
		text_print(stdout, event->entity_id, TEXT_LINE);
		(void)fputc('\n', stdout);
		return;
	}
	const char *topic = strrchr(event->topic, '/');
	text_print(stdout,
		   app_printf(app, "%s  %-20s  %-20s  %s %s v%lld",
			      value_at(app, &event->base, "at", false),
			      *event->actor_name ? event->actor_name : "system",
			      topic ? topic + 1 : event->topic, event->entity_kind,
			      *event->entity_ref ? event->entity_ref : event->entity_id,
			      (long long)event->entity_version),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
}

static enum watch_go one_event(void *arg, struct app *app, const ProtobufCMessage *message,
			       int *out_exit)
{
	struct events *events = arg;
	const Isms__V1__WatchResponse *got = (const void *)message;
	(void)out_exit;
	if (!message)
		return WATCH_GO;
	if (!got->event)
		return got->caught_up && !events->forever ? WATCH_ENOUGH : WATCH_GO;
	print_event(app, got);
	events->left -= events->left > 0;
	return events->left == 0 ? WATCH_ENOUGH : WATCH_GO;
}

int watch_events(struct app *app, const struct command *command, const struct args *args)
{
	const struct isms_api_method *method = command_method(command->method);
	struct events events = { .forever = args_switch(args, "--watch"),
				 .left = app->options.limit ? app->options.limit : -1 };
	ProtobufCMessage *request;
	if (!events.forever && !args_text(args, "--cursor")) {
		app_error(CLI_USAGE, "isms events needs --watch or --cursor");
		app_why("--watch tells of changes as they happen, --cursor of those since then");
		app_next("%s", command->examples[0]);
		return CLI_USAGE;
	}
	if (app->format == FORMAT_CSV)
		return app_error(CLI_USAGE, "events are printed as table, json or id");
	int exit = request_build(app, command, args, method, &request);
	return exit ? exit : watch_run(app, method, request, one_event, &events);
}

/* --- inbox ---------------------------------------------------------------- */

enum {
	INBOX_MAX = 1000,
	KEY_SIZE = 128,
	LOOK_MS = 1000,     /* between two looks, however many events there are */
	REFRESH_MS = 10000, /* between two looks without an event */
};

/* What was in the inbox at the last look. */
struct inbox {
	Isms__V1__InboxRequest *request;
	char (*keys)[KEY_SIZE];
	size_t n;
	bool cut;          /* there was more than a page of it */
	bool wanted;       /* there was an event since the last look */
	int64_t looked_ms; /* 0: not yet */
};

static void key_of(char out[KEY_SIZE], const Isms__V1__InboxItem *item)
{
	(void)snprintf(out, KEY_SIZE, "%s %d %s", item->request_id, item->step_no,
		       item->on_behalf_of);
}

static bool has_key(char (*keys)[KEY_SIZE], size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void print_json_change(struct app *app, const char *change, const char *id,
			      const Isms__V1__InboxItem *item)
{
	json_t *json = json_pack("{s:s, s:s}", "change", change, "requestId", id);
	if (!json)
		app_no_memory();
	if (item && json_object_set_new(json, "item", json_from_message(app, &item->base)) != 0)
		app_no_memory();
	json_print_line(stdout, json);
	json_decref(json);
}

static void print_item(struct app *app, const Isms__V1__InboxItem *item)
{
	if (app->format == FORMAT_JSON) {
		print_json_change(app, "NEW", item->request_id, item);
		return;
	}
	const ProtobufCMessage *row = &item->base;
	const char *step = item->kind == ISMS__V1__INBOX_KIND__INBOX_KIND_REVIEW
				   ? "review"
				   : app_printf(app, "step %d", item->step_no);
	text_print(stdout,
		   app_printf(app, "+ %s  %s  %s  %s as %s%s%s  from %s  until %s  %s",
			      item->request_ref, item->subject_ref,
			      value_at(app, row, "level", false), step, item->via,
			      *item->on_behalf_of ? " for " : "", item->on_behalf_of_name,
			      item->requested_by_name, value_at(app, row, "due_at", false),
			      item->title),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
}

static void print_gone(struct app *app, const char *key)
{
	const char *id = app_strndup(app, key, strcspn(key, " "));
	if (app->format == FORMAT_JSON) {
		print_json_change(app, "GONE", id, NULL);
		return;
	}
	const char *label = resolve_label(app, "approval", id);
	(void)printf("- %s is decided, or asks you no more\n", label);
}

/* Reads the inbox and prints what is new and what has gone. */
static int look(struct app *app, struct inbox *inbox)
{
	static const char method[] = "ApprovalService/Inbox";
	static char before[INBOX_MAX][KEY_SIZE];
	const ProtobufCMessage *reply;
	int exit = rpc_call_name(app, method, &inbox->request->base, &reply, RPC_QUIET);
	if (exit == CLI_UNREACHABLE)
		return CLI_DONE; /* the next look tells */
	if (exit)
		return fault_print(app, app->failed_method, app->failed);
	const Isms__V1__InboxResponse *items = (const void *)reply;
	size_t n_before = inbox->n;
	memcpy(before, inbox->keys, n_before * KEY_SIZE);
	inbox->n = items->n_items < INBOX_MAX ? items->n_items : INBOX_MAX;
	for (size_t i = 0; i < inbox->n; i++) {
		key_of(inbox->keys[i], items->items[i]);
		if (!has_key(before, n_before, inbox->keys[i]))
			print_item(app, items->items[i]);
	}
	bool was_cut = inbox->cut;
	inbox->cut = *items->next_page_token != '\0';
	if (inbox->cut && !was_cut)
		(void)fprintf(stderr,
			      "more than %d wait: the oldest are not shown, nor what goes\n",
			      INBOX_MAX);
	/* Of a page that is full the oldest fall off, though they still wait. */
	for (size_t i = 0; i < n_before && !inbox->cut; i++)
		if (!has_key(inbox->keys, inbox->n, before[i]))
			print_gone(app, before[i]);
	return CLI_DONE;
}

static enum watch_go inbox_round(void *arg, struct app *app, const ProtobufCMessage *message,
				 int *out_exit)
{
	struct inbox *inbox = arg;
	const Isms__V1__WatchResponse *got = (const void *)message;
	int64_t since_ms = now_ms() - inbox->looked_ms;
	inbox->wanted = inbox->wanted || (got && got->event);
	/* Not every request that one is asked to decide on is announced, so the inbox is
	 * also looked at from time to time. */
	if (inbox->looked_ms && since_ms < (inbox->wanted ? LOOK_MS : REFRESH_MS))
		return WATCH_GO;
	inbox->looked_ms = now_ms();
	inbox->wanted = false;
	*out_exit = look(app, inbox);
	return *out_exit ? WATCH_FAILED : WATCH_GO;
}

int watch_inbox(struct app *app, const struct command *command, const struct args *args)
{
	static const char watched[] = "WatchService/Watch";
	static char keys[INBOX_MAX][KEY_SIZE];
	struct inbox inbox = { .keys = keys };
	if (!args_switch(args, "--watch")) {
		struct command plain = *command;
		plain.run = NULL;
		return command_run(app, &plain, args);
	}
	if (app->format != FORMAT_TABLE && app->format != FORMAT_JSON)
		return app_error(CLI_USAGE, "a watched inbox is printed as table or json");
	ProtobufCMessage *asked;
	int exit = request_build(app, command, args, command_method(command->method), &asked);
	if (exit)
		return exit;
	inbox.request = (void *)asked;
	inbox.request->page_size = INBOX_MAX;
	Isms__V1__WatchRequest *request = (void *)rpc_request(app, watched);
	char *kinds[] = { app_strdup(app, "approval_request"), app_strdup(app, "delegation"),
			  app_strdup(app, "risk_acceptance") };
	request->n_kinds = sizeof kinds / sizeof kinds[0];
	request->kinds = kinds;
	return watch_run(app, command_method(watched), &request->base, inbox_round, &inbox);
}
