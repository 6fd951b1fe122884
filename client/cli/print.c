/* Printing what came of a command; see print.h. */
#include "client/cli/print.h"

#include <inttypes.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/json.h"
#include "client/cli/output.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/pb.h"

/* What people call the object: its ref, or the name that it has instead. */
static const char *name_of(struct app *app, const ProtobufCMessage *object)
{
	static const char *const paths[] = {
		"meta.ref", "email", "code", "name", "role_code", "id"
	};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const char *text = value_at(app, object, paths[i], true);
		if (*text)
			return text;
	}
	return value_at(app, object, "meta.id", true);
}

void print_next(struct app *app, const char *template, const ProtobufCMessage *object)
{
	static const char hole[] = "{ref}";
	const char *at = template ? strstr(template, hole) : NULL;
	if (!template || !app->tty_out)
		return;
	if (at)
		app_next("%.*s%s%s", (int)(at - template), template, name_of(app, object),
			 at + sizeof hole - 1);
	else
		app_next("%s", template);
}

void print_written(struct app *app, const ProtobufCMessage *object)
{
	const ProtobufCMessage *meta = pb_sub(object, "meta");
	const char *state = value_at(app, object, "state", true);
	if (!*state)
		state = value_at(app, object, "stage", true);
	if (app->options.dry_run)
		(void)fputs("dry run, nothing was changed: ", stdout);
	const char *name = name_of(app, object);
	text_print(stdout, *name ? name : "done", TEXT_LINE);
	if (meta)
		(void)printf(" v%" PRId64, pb_int(meta, "version"));
	if (*state)
		(void)printf(" %s", state);
	if (meta) {
		(void)fputs("  id ", stdout);
		text_print(stdout, pb_string(meta, "id"), TEXT_LINE);
	}
	(void)fputc('\n', stdout);
}

void print_json(struct app *app, const ProtobufCMessage *message)
{
	json_t *json = json_from_message(app, message);
	json_print(stdout, json);
	json_decref(json);
}

/* A reply that is one object: shown in full, or what was written. */
static int print_object(struct app *app, const struct command *command,
			const ProtobufCMessage *reply)
{
	struct column columns[COLUMNS_MAX];
	size_t n;
	const ProtobufCMessage *object = command->row ? field_sub(reply, command->row) : reply;
	if (!object)
		return app_error(CLI_INTERNAL, "the server's reply is empty");
	if (app->format == FORMAT_ID) {
		const char *id = command->id ? command->id : "meta.id";
		text_print(stdout, value_at(app, object, id, true), TEXT_LINE);
		(void)fputc('\n', stdout);
		return CLI_DONE;
	}
	if (app->format == FORMAT_CSV || *app->options.fields) {
		int exit = output_columns(app, object->descriptor, command->columns, columns, &n);
		if (!exit && app->format == FORMAT_JSON)
			output_json_rows(app, columns, n, true, &object, 1);
		else if (!exit)
			output_rows(app, columns, n, &object, 1);
		return exit;
	}
	if (app->format == FORMAT_JSON)
		print_json(app, reply);
	else if (command->print)
		return command->print(app, command, reply);
	else if (command->shape == COMMAND_PLAIN)
		output_object(app, object, 0);
	else
		print_written(app, object);
	return CLI_DONE;
}

int print_reply(struct app *app, const struct command *command, const ProtobufCMessage *reply)
{
	int exit = print_object(app, command, reply);
	const ProtobufCMessage *object = command->row ? field_sub(reply, command->row) : reply;
	if (!exit && app->format == FORMAT_TABLE && object && !app->options.dry_run)
		print_next(app, command->next, object);
	return exit;
}
