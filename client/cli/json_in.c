/* JSON into messages; see json.h. Paths in errors are those of the text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/field.h"
#include "client/cli/json.h"
#include "client/cli/when.h"
#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static int message_in(struct app *app, ProtobufCMessage *out, const json_t *json, const char *path);

static int refuse(const char *path, const char *expected)
{
	app_error(CLI_USAGE, "the JSON does not fit the request");
	app_why("%s: expected %s", *path ? path : "(top)", expected);
	return CLI_USAGE;
}

/* The field's own name for a name in either case. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *type,
					    const char *name, char *snake, size_t size)
{
	size_t n = 0;
	for (const char *p = name; *p && n + 2 < size; p++) {
		bool upper = *p >= 'A' && *p <= 'Z';
		if (upper)
			snake[n++] = '_';
		snake[n++] = (char)(upper ? *p - 'A' + 'a' : *p);
	}
	snake[n] = 0;
	const ProtobufCFieldDescriptor *field = pb_field(type, name);
	return field ? field : pb_field(type, snake);
}

static int unknown(struct app *app, const ProtobufCMessageDescriptor *type, const char *snake,
		   const char *path)
{
	const char *near = field_nearest(type, snake);
	app_error(CLI_USAGE, "the JSON does not fit the request");
	if (near)
		app_why("%s: no such field; the nearest is %s", path, json_name(app, near));
	else
		app_why("%s: no such field of %s", path, type->short_name);
	return CLI_USAGE;
}

static int integer_in(void *slot, ProtobufCType type, const json_t *json, const char *path)
{
	bool is_unsigned = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32 ||
			   type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
	long long value = 0;
	char *end = NULL;
	if (json_is_integer(json)) {
		value = json_integer_value(json);
	} else if (json_is_string(json) && *json_string_value(json)) {
		value = strtoll(json_string_value(json), &end, 10);
		if (*end)
			return refuse(path, "a whole number");
	} else {
		return refuse(path, "a whole number");
	}
	if (is_unsigned && value < 0)
		return refuse(path, "a number that is not negative");
	if (field_size(type) == 8)
		*(int64_t *)slot = value;
	else if (value < INT32_MIN || value > (is_unsigned ? UINT32_MAX : INT32_MAX))
		return refuse(path, "a smaller number");
	else
		*(uint32_t *)slot = (uint32_t)value;
	return CLI_DONE;
}

static int enum_in(struct app *app, void *slot, const ProtobufCEnumDescriptor *type,
		   const json_t *json, const char *path)
{
	const char *name = json_string_value(json);
	if (json_is_integer(json)) {
		json_int_t number = json_integer_value(json);
		if (number < INT32_MIN || number > INT32_MAX)
			return refuse(path, "a smaller number");
		*(int32_t *)slot = (int32_t)number;
		return CLI_DONE;
	}
	if (name && pb_enum_value(slot, type, name, strlen(name)))
		return CLI_DONE;
	return refuse(path, app_printf(app, "one of: %s", field_enum_names(app, type)));
}

static int double_in(void *slot, bool is_double, const json_t *json, const char *path)
{
	const char *text = json_string_value(json);
	double value;
	if (json_is_number(json))
		value = json_number_value(json);
	else if (text && strcmp(text, "NaN") == 0)
		value = NAN;
	else if (text && strcmp(text + (*text == '-'), "Infinity") == 0)
		value = *text == '-' ? -INFINITY : INFINITY;
	else
		return refuse(path, "a number");
	if (is_double)
		*(double *)slot = value;
	else
		*(float *)slot = (float)value;
	return CLI_DONE;
}

static int bytes_in(struct app *app, void *slot, const json_t *json, const char *path)
{
	ProtobufCBinaryData *bytes = slot;
	if (!json_is_string(json) ||
	    !base64_decode(app, &bytes->data, &bytes->len, json_string_value(json)))
		return refuse(path, "base64 text");
	return CLI_DONE;
}

static int time_in(struct app *app, Google__Protobuf__Timestamp *out, const json_t *json,
		   const char *path)
{
	int64_t us;
	if (!json_is_string(json) || !when_parse_rfc3339(&us, json_string_value(json)))
		return refuse(path, "an RFC 3339 time such as \"2026-11-30T12:00:00Z\"");
	struct Google__Protobuf__Timestamp *made = pb_time_new(app->arena, us);
	if (!made)
		app_no_memory();
	out->seconds = made->seconds;
	out->nanos = made->nanos;
	return CLI_DONE;
}

static int mask_in(struct app *app, ProtobufCMessage *out, const json_t *json, const char *path)
{
	const ProtobufCFieldDescriptor *field = pb_field(out->descriptor, "paths");
	if (!json_is_string(json))
		return refuse(path, "field names separated by commas");
	for (const char *p = json_string_value(json); *p;) {
		size_t len = strcspn(p, ",");
		char *name = app_alloc(app, 2 * len + 1);
		size_t n = 0;
		for (size_t i = 0; i < len; i++) {
			bool upper = p[i] >= 'A' && p[i] <= 'Z';
			if (upper)
				name[n++] = '_';
			name[n++] = (char)(upper ? p[i] - 'A' + 'a' : p[i]);
		}
		*(char **)field_slot(app, out, field) = name;
		p += len + (p[len] == ',');
	}
	return CLI_DONE;
}

static int value_in(struct app *app, void *slot, const ProtobufCFieldDescriptor *field,
		    const json_t *json, const char *path)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!json_is_string(json))
			return refuse(path, "a text");
		*(char **)slot = app_strdup(app, json_string_value(json));
		return CLI_DONE;
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(json))
			return refuse(path, "true or false");
		*(protobuf_c_boolean *)slot = json_is_true(json);
		return CLI_DONE;
	case PROTOBUF_C_TYPE_ENUM:
		return enum_in(app, slot, field->descriptor, json, path);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_in(app, slot, json, path);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return double_in(slot, field->type == PROTOBUF_C_TYPE_DOUBLE, json, path);
	case PROTOBUF_C_TYPE_MESSAGE: {
		ProtobufCMessage *sub = pb_new(field->descriptor, app->arena);
		if (!sub)
			app_no_memory();
		*(ProtobufCMessage **)slot = sub;
		return message_in(app, sub, json, path);
	}
	default:
		return integer_in(slot, field->type, json, path);
	}
}

static int field_in(struct app *app, ProtobufCMessage *out, const ProtobufCFieldDescriptor *field,
		    const json_t *json, const char *path)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return value_in(app, field_slot(app, out, field), field, json, path);
	size_t i;
	json_t *item;
	if (!json_is_array(json))
		return refuse(path, "a list");
	json_array_foreach(json, i, item)
	{
		int exit = value_in(app, field_slot(app, out, field), field, item,
				    app_printf(app, "%s[%zu]", path, i));
		if (exit)
			return exit;
	}
	return CLI_DONE;
}

static int message_in(struct app *app, ProtobufCMessage *out, const json_t *json, const char *path)
{
	if (out->descriptor == &google__protobuf__timestamp__descriptor)
		return time_in(app, (void *)out, json, path);
	if (out->descriptor == &google__protobuf__field_mask__descriptor)
		return mask_in(app, out, json, path);
	if (!json_is_object(json))
		return refuse(path, "an object");
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		char snake[128];
		const char *sub = *path ? app_printf(app, "%s.%s", path, name) : name;
		const ProtobufCFieldDescriptor *field =
			find(out->descriptor, name, snake, sizeof snake);
		if (!field)
			return unknown(app, out->descriptor, snake, sub);
		if (json_is_null(value))
			continue;
		int exit = field_in(app, out, field, value, sub);
		if (exit)
			return exit;
	}
	return CLI_DONE;
}

int json_parse(struct app *app, ProtobufCMessage *out, const char *text, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		app_error(CLI_USAGE, "this is not JSON");
		app_why("line %d, column %d: %s", error.line, error.column, error.text);
		return CLI_USAGE;
	}
	int exit = message_in(app, out, json, "");
	json_decref(json);
	return exit;
}
