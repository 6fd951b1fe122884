/* Requests from words and flags; see request.h. */
#include "client/cli/request.h"

#include <inttypes.h>
#include <isms/api.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/resolve.h"
#include "client/cli/rpc.h"
#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/common.pb-c.h"

enum { TEXT_FILE_MAX = 256 * 1024 };

static int refuse(const struct param *param, const char *text, const char *expected)
{
	app_error(CLI_USAGE, "%s %s is not understood", param->name, text);
	app_why("expected %s", expected);
	return CLI_USAGE;
}

/* "3x4": likelihood and impact. */
static int set_score(const struct param *param, Isms__V1__Score *score, const char *text)
{
	char *end;
	long likelihood = strtol(text, &end, 10);
	if (end == text || (*end != 'x' && *end != ','))
		return refuse(param, text, "likelihood and impact, such as 2x3");
	const char *second = end + 1;
	long impact = strtol(second, &end, 10);
	if (end == second || *end || likelihood < 1 || likelihood > 7 || impact < 1 || impact > 7)
		return refuse(param, text, "likelihood and impact of 1 to 7, such as 2x3");
	score->likelihood = (int32_t)likelihood;
	score->impact = (int32_t)impact;
	return CLI_DONE;
}

/* A text that begins with @ is the name of a file; @@ is a plain @. */
static int text_of(struct app *app, const char *text, const char **out)
{
	char *data;
	size_t len;
	if (text[0] != '@' || text[1] == '@') {
		*out = text[0] == '@' ? text + 1 : text;
		return CLI_DONE;
	}
	int exit = app_read(app, &data, &len, text + 1, TEXT_FILE_MAX);
	if (exit)
		return exit;
	while (len > 0 && data[len - 1] == '\n')
		data[--len] = 0;
	*out = data;
	return CLI_DONE;
}

/* Ids separated by commas go into a list one by one. */
static int set_ids(struct app *app, ProtobufCMessage *message,
		   const ProtobufCFieldDescriptor *field, const char *object, const char *text)
{
	bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
	while (*text || !many) {
		size_t len = many ? strcspn(text, ",") : strlen(text);
		const char *id;
		int exit = resolve_id(app, object, app_strndup(app, text, len), &id);
		if (exit)
			return exit;
		if (*id || !many)
			*(char **)field_slot(app, message, field) = app_strdup(app, id);
		text += len + (text[len] == ',');
		if (!many)
			break;
	}
	return CLI_DONE;
}

/* Role codes may be typed as risk-owner. */
static const char *role_code(struct app *app, const char *text)
{
	char *out = app_strdup(app, text);
	for (char *p = out; *p; p++)
		*p = *p == '-' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	return out;
}

static int set_leaf(struct app *app, ProtobufCMessage *message,
		    const ProtobufCFieldDescriptor *field, const struct param *param,
		    const char *text)
{
	const char *object = param->object ? param->object : resolve_object(field->name);
	if (field->type == PROTOBUF_C_TYPE_STRING && object)
		return set_ids(app, message, field, object, text);
	if (strcmp(field->name, "role_code") == 0 || strcmp(field->name, "escalate_to_role") == 0)
		text = role_code(app, text);
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		int exit = text_of(app, text, &text);
		if (exit)
			return exit;
	}
	if (field->label == PROTOBUF_C_LABEL_REPEATED && !*text)
		return CLI_DONE;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
	    field->descriptor == &isms__v1__score__descriptor) {
		Isms__V1__Score **score = field_slot(app, message, field);
		*score = (void *)pb_new(field->descriptor, app->arena);
		if (!*score)
			app_no_memory();
		return set_score(param, *score, text);
	}
	const char *expected = field_set_text(app, message, field, text);
	return expected ? refuse(param, text, expected) : CLI_DONE;
}

/* Field of an element for a key: "control" names control_id, "due" due_at, "users"
 * user_ids. */
static const ProtobufCFieldDescriptor *key_field(const ProtobufCMessageDescriptor *type,
						 const char *key, size_t len)
{
	static const char *const tails[] = { "", "_id", "_at", "_code", "_no" };
	char name[64];
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		(void)snprintf(name, sizeof name, "%.*s%s", (int)len, key, tails[i]);
		const ProtobufCFieldDescriptor *field = pb_field(type, name);
		if (field)
			return field;
	}
	if (len == 0 || key[len - 1] != 's')
		return NULL;
	(void)snprintf(name, sizeof name, "%.*s_ids", (int)len - 1, key);
	return pb_field(type, name);
}

/* The field that "key=" at text names, and where its value begins. */
static const ProtobufCFieldDescriptor *key_at(const ProtobufCMessageDescriptor *type,
					      const char *text, const char **value)
{
	text += strspn(text, " \t");
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
	if (len == 0 || len > 40 || text[len] != '=')
		return NULL;
	*value = text + len + 1;
	return key_field(type, text, len);
}

static const char *keys_of(struct app *app, const ProtobufCMessageDescriptor *type)
{
	const char *out = "";
	for (unsigned i = 0; i < type->n_fields; i++) {
		const char *name = type->fields[i].name;
		size_t len = strlen(name);
		if (len > 3 && (!strcmp(name + len - 3, "_id") || !strcmp(name + len - 3, "_at")))
			len -= 3;
		bool ids = len > 4 && !strcmp(name + len - 4, "_ids");
		out = app_printf(app, "%s%s%.*s%s=…", out, i ? "; " : "",
				 (int)(ids ? len - 4 : len), name, ids ? "s" : "");
	}
	return out;
}

/* Steps have the number of their place, unless they say another. */
static void number_step(ProtobufCMessage *element, size_t place)
{
	const ProtobufCFieldDescriptor *field = pb_field(element->descriptor, "step_no");
	int32_t *no = field ? pb_member(element, field) : NULL;
	if (no && *no == 0)
		*no = (int32_t)place;
}

/* "control=C-AI-20; due=2026-12-01; description=…": a new element of a list. A
 * semicolon that no key follows belongs to the value. */
static int set_element(struct app *app, ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field, const struct param *param,
		       const char *text)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;
	ProtobufCMessage *element = pb_new(type, app->arena);
	const char *value;
	if (!element)
		app_no_memory();
	if (!*text)
		return CLI_DONE;
	while (*text) {
		const ProtobufCFieldDescriptor *key = key_at(type, text, &value);
		if (!key)
			return refuse(param, text, keys_of(app, type));
		const char *end = value;
		const char *ignored;
		while (*end && !(*end == ';' && (!end[1] || key_at(type, end + 1, &ignored))))
			end++;
		size_t len = (size_t)(end - value);
		while (len > 0 && value[len - 1] == ' ')
			len--;
		struct param sub = { .name = param->name };
		int exit = set_leaf(app, element, key, &sub, app_strndup(app, value, len));
		if (exit)
			return exit;
		text = end + (*end == ';');
		text += strspn(text, " \t");
	}
	number_step(element, field_count(message, field) + 1);
	*(ProtobufCMessage **)field_slot(app, message, field) = element;
	return CLI_DONE;
}

int request_set(struct app *app, ProtobufCMessage *request, const struct param *param,
		const char *text)
{
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage *message = field_reach(app, request, param->path, &field);
	if (param->element)
		return set_element(app, message, field, param, text);
	return set_leaf(app, message, field, param, text);
}

/* Puts the name behind "fields." into the mask, once. A message that is changed
 * in part starts from its current value. */
static void mask_add(struct app *app, ProtobufCMessage *request, const char *path,
		     const ProtobufCMessage *current)
{
	static const char head[] = "fields.";
	const ProtobufCFieldDescriptor *paths, *field;
	if (strncmp(path, head, sizeof head - 1) != 0)
		return;
	path += sizeof head - 1;
	char *name = app_strndup(app, path, strcspn(path, "."));
	ProtobufCMessage *mask = field_reach(app, request, "update_mask.paths", &paths);
	for (size_t i = 0; i < field_count(mask, paths); i++)
		if (strcmp(*(char *const *)field_item(mask, paths, i), name) == 0)
			return;
	*(char **)field_slot(app, mask, paths) = name;
	ProtobufCMessage *fields =
		field_reach(app, request, app_printf(app, "fields.%s", name), &field);
	const ProtobufCMessage *old = field->type == PROTOBUF_C_TYPE_MESSAGE &&
						      field->label != PROTOBUF_C_LABEL_REPEATED &&
						      path[strlen(name)]
					      ? pb_sub(current, name)
					      : NULL;
	if (old)
		*(ProtobufCMessage **)field_slot(app, fields, field) = pb_clone(old, app->arena);
}

/* A list that is given anew replaces the old one: its first element empties it. */
static void begin_list(struct app *app, ProtobufCMessage *request, const struct args *args,
		       size_t at)
{
	const struct param *param = args->list[at].param;
	const ProtobufCFieldDescriptor *field;
	for (size_t i = 0; i < at; i++)
		if (args->list[i].param == param)
			return;
	ProtobufCMessage *message = field_reach(app, request, param->path, &field);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		*(size_t *)(void *)pb_quantifier(message, field) = 0;
}

/* Reads the object for its version and its current values. */
static int read_current(struct app *app, const struct command *command, ProtobufCMessage *request,
			const ProtobufCMessage **out)
{
	const ProtobufCFieldDescriptor *field;
	const ProtobufCMessage *reply;
	int exit = rpc_get(app, command->get, pb_string(request, "id"), &reply, RPC_SAY);
	if (exit)
		return exit;
	const ProtobufCMessage *object = field_sub(reply, command->row);
	const ProtobufCMessage *meta = object ? pb_sub(object, "meta") : NULL;
	*out = field_sub(reply, command->current ? command->current : command->row);
	if (!meta)
		return app_error(CLI_INTERNAL, "the server's reply to %s is empty", command->get);
	if (!*out)
		*out = object;
	ProtobufCMessage *mutation = field_reach(app, request, "mutation.expected_version", &field);
	int64_t *version = pb_member(mutation, field);
	*version = app->options.expected_version ? app->options.expected_version
						 : pb_int(meta, "version");
	return CLI_DONE;
}

static bool is_field(const struct arg *arg)
{
	return arg->param->path && strncmp(arg->param->path, "fields.", 7) == 0;
}

int request_build(struct app *app, const struct command *command, const struct args *args,
		  const struct isms_api_method *method, ProtobufCMessage **out)
{
	ProtobufCMessage *request = pb_new(method->request, app->arena);
	const ProtobufCMessage *current = NULL;
	size_t changes = 0;
	int exit = CLI_DONE;
	if (!request)
		app_no_memory();
	/* What names the object first: an edit reads it before it is changed. */
	for (size_t i = 0; i < args->n && !exit; i++) {
		changes += is_field(&args->list[i]);
		if (args->list[i].param->path && !is_field(&args->list[i]))
			exit = request_set(app, request, args->list[i].param, args->list[i].text);
	}
	if (!exit && command->shape == COMMAND_EDIT && changes == 0) {
		app_error(CLI_USAGE, "nothing to change");
		app_next("give at least one flag; isms %s %s --help", command->noun, command->verb);
		return CLI_USAGE;
	}
	if (!exit && command->get)
		exit = read_current(app, command, request, &current);
	for (size_t i = 0; i < args->n && !exit; i++)
		if (is_field(&args->list[i])) {
			if (current) {
				mask_add(app, request, args->list[i].param->path, current);
				begin_list(app, request, args, i);
			}
			exit = request_set(app, request, args->list[i].param, args->list[i].text);
		}
	/* A create with no content at all still sends its fields. */
	const ProtobufCFieldDescriptor *fields = pb_field(method->request, "fields");
	if (!exit && command->shape == COMMAND_WRITE && fields && !pb_sub(request, "fields"))
		*(ProtobufCMessage **)field_slot(app, request, fields) =
			pb_new(fields->descriptor, app->arena);
	if (!exit)
		*out = request;
	return exit;
}
