/* Fields of any message; see field.h. */
#include "client/cli/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/text.h"
#include "client/cli/when.h"
#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"

enum { NAME_MAX_LEN = 63 };

/* The first name of *path, which moves on behind its dot, or to NULL at the
 * end. */
static const ProtobufCFieldDescriptor *step(const ProtobufCMessageDescriptor *type,
					    const char **path)
{
	char name[NAME_MAX_LEN + 1];
	size_t len = strcspn(*path, ".");
	if (len == 0 || len > NAME_MAX_LEN)
		return NULL;
	memcpy(name, *path, len);
	name[len] = 0;
	*path = (*path)[len] ? *path + len + 1 : NULL;
	return pb_field(type, name);
}

const ProtobufCFieldDescriptor *field_of_path(const ProtobufCMessageDescriptor *type,
					      const char *path)
{
	for (;;) {
		const ProtobufCFieldDescriptor *field = step(type, &path);
		if (!field || !path)
			return field;
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			return NULL;
		type = field->descriptor;
	}
}

ProtobufCMessage *field_reach(struct app *app, ProtobufCMessage *message, const char *path,
			      const ProtobufCFieldDescriptor **out_field)
{
	for (;;) {
		const ProtobufCFieldDescriptor *field = step(message->descriptor, &path);
		if (!path) {
			*out_field = field;
			return message;
		}
		ProtobufCMessage **sub = pb_member(message, field);
		if (!*sub && !(*sub = pb_new(field->descriptor, app->arena)))
			app_no_memory();
		message = *sub;
	}
}

const ProtobufCMessage *field_sub(const ProtobufCMessage *message, const char *path)
{
	if (!*path)
		return message;
	while (path) {
		const ProtobufCFieldDescriptor *field = step(message->descriptor, &path);
		if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE ||
		    field->label == PROTOBUF_C_LABEL_REPEATED)
			return NULL;
		message = *(ProtobufCMessage *const *)pb_member(message, field);
		if (!message)
			return NULL;
	}
	return message;
}

size_t field_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 4;
	}
}

size_t field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *(const size_t *)(const void *)pb_quantifier(message, field);
}

const void *field_item(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       size_t i)
{
	const char *items = *(char *const *)pb_member(message, field);
	return items + i * field_size(field->type);
}

void *field_slot(struct app *app, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	void *member = pb_member(message, field);
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			*pb_quantifier(message, field) = field->id;
		return member;
	}
	size_t *count = (size_t *)(void *)pb_quantifier(message, field);
	size_t size = field_size(field->type);
	char *items = app_alloc(app, size * (*count + 1));
	if (*count)
		memcpy(items, *(char **)member, size * *count);
	*(char **)member = items;
	return items + size * (*count)++;
}

const char *field_enum_names(struct app *app, const ProtobufCEnumDescriptor *type)
{
	const char *out = "";
	for (unsigned i = 0; i < type->n_values; i++) {
		if (type->values[i].value == 0)
			continue;
		const char *name = pb_enum_short(type, type->values[i].value);
		char *lower = app_strdup(app, name ? name : type->values[i].name);
		for (char *p = lower; *p; p++)
			*p = *p == '_' ? '-' : (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
		out = app_printf(app, "%s%s%s", out, *out ? ", " : "", lower);
	}
	return out;
}

static const char *set_enum(struct app *app, void *slot, const ProtobufCEnumDescriptor *type,
			    const char *text)
{
	char *name = app_strdup(app, text);
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	int32_t value;
	if (*name && !pb_enum_value(&value, type, name, strlen(name)))
		return app_printf(app, "one of: %s", field_enum_names(app, type));
	*(int32_t *)slot = *name ? value : 0;
	return NULL;
}

static const char *set_integer(void *slot, ProtobufCType type, const char *text)
{
	bool is_unsigned = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32 ||
			   type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
	bool wide = field_size(type) == 8;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return "a whole number";
	if (is_unsigned && value < 0)
		return "a number that is not negative";
	if (!wide && (value < INT32_MIN || value > (is_unsigned ? UINT32_MAX : INT32_MAX)))
		return "a smaller number";
	if (wide)
		*(int64_t *)slot = value;
	else
		*(uint32_t *)slot = (uint32_t)value;
	return NULL;
}

static const char *set_bool(void *slot, const char *text)
{
	static const char *const names[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(text, names[i]) == 0) {
			*(protobuf_c_boolean *)slot = i % 2;
			return NULL;
		}
	return "true or false";
}

static const char *set_time(struct app *app, void *slot, const char *text)
{
	int64_t us;
	if (!*text) {
		*(void **)slot = NULL;
		return NULL;
	}
	if (!when_parse(&us, text, when_now()))
		return "a date (2026-11-30), a time (2026-11-30T12:00:00Z) or a span (+90d)";
	*(void **)slot = pb_time_new(app->arena, us);
	if (!*(void **)slot)
		app_no_memory();
	return NULL;
}

static const char *set_bytes(struct app *app, void *slot, const char *text)
{
	ProtobufCBinaryData *bytes = slot;
	size_t len = strlen(text) / 2;
	uint8_t *data = app_alloc(app, len);
	if (!hex_decode(data, len, text))
		return "hex digits";
	*bytes = (ProtobufCBinaryData){ .len = len, .data = data };
	return NULL;
}

/* Writes a value to a slot of the field's type. */
static const char *set_slot(struct app *app, void *slot, const ProtobufCFieldDescriptor *field,
			    const char *text)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)slot = app_strdup(app, text);
		return NULL;
	case PROTOBUF_C_TYPE_ENUM:
		return set_enum(app, slot, field->descriptor, text);
	case PROTOBUF_C_TYPE_BOOL:
		return set_bool(slot, text);
	case PROTOBUF_C_TYPE_BYTES:
		return set_bytes(app, slot, text);
	case PROTOBUF_C_TYPE_MESSAGE:
		if (field->descriptor == &google__protobuf__timestamp__descriptor)
			return set_time(app, slot, text);
		return "fields of its own";
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return "a field that this program can set";
	default:
		return set_integer(slot, field->type, text);
	}
}

const char *field_set_text(struct app *app, ProtobufCMessage *message,
			   const ProtobufCFieldDescriptor *field, const char *text)
{
	/* Into a copy first: a list must not grow by a value that is refused. */
	union {
		uint64_t number;
		void *pointer;
		ProtobufCBinaryData bytes;
	} value = { 0 };
	const char *expected = set_slot(app, &value, field, text);
	if (!expected)
		memcpy(field_slot(app, message, field), &value, field_size(field->type));
	return expected;
}

const char *field_nearest(const ProtobufCMessageDescriptor *type, const char *name)
{
	const char *best = NULL;
	unsigned least = 99;
	for (unsigned i = 0; i < type->n_fields; i++) {
		unsigned distance = text_distance(name, type->fields[i].name);
		if (distance < least && text_near(name, type->fields[i].name)) {
			least = distance;
			best = type->fields[i].name;
		}
	}
	return best;
}
