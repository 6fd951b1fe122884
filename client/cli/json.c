/* Messages as JSON; see json.h. */
#include "client/cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/field.h"
#include "client/cli/text.h"
#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static json_t *owned(json_t *json)
{
	if (!json)
		app_no_memory();
	return json;
}

static void add(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object, name, owned(value)) != 0)
		app_no_memory();
}

char *json_name(struct app *app, const char *field)
{
	char *out = app_alloc(app, strlen(field) + 1);
	size_t n = 0;
	for (const char *p = field; *p; p++) {
		bool joint = p[0] == '_' && p[1] >= 'a' && p[1] <= 'z';
		if (joint)
			p++;
		out[n++] = (char)(joint ? *p - 'a' + 'A' : *p);
	}
	return out;
}

static json_t *from_mask(struct app *app, const ProtobufCMessage *message)
{
	const Google__Protobuf__FieldMask *mask = (const void *)message;
	const char *text = "";
	for (size_t i = 0; i < mask->n_paths; i++)
		text = app_printf(app, "%s%s%s", text, i ? "," : "",
				  json_name(app, mask->paths[i]));
	return json_string(text);
}

static json_t *from_wide(uint64_t value, bool is_signed)
{
	char text[24];
	if (is_signed)
		(void)snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
	else
		(void)snprintf(text, sizeof text, "%" PRIu64, value);
	return json_string(text);
}

static json_t *from_double(double value)
{
	if (isnan(value))
		return json_string("NaN");
	if (isinf(value))
		return json_string(value > 0 ? "Infinity" : "-Infinity");
	return json_real(value);
}

static json_t *from_text(const char *text)
{
	json_t *out = json_string(text ? text : "");
	return out ? out : json_string("(not UTF-8)");
}

static json_t *from_bytes(struct app *app, const ProtobufCBinaryData *bytes)
{
	return json_string(base64_encode(app, bytes->data, bytes->len));
}

static json_t *from_value(struct app *app, const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)value);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return from_wide(*(const uint64_t *)value, true);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return from_wide(*(const uint64_t *)value, false);
	case PROTOBUF_C_TYPE_FLOAT:
		return from_double((double)*(const float *)value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return from_double(*(const double *)value);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)value);
	case PROTOBUF_C_TYPE_ENUM: {
		int32_t number = *(const int32_t *)value;
		const ProtobufCEnumValue *row =
			protobuf_c_enum_descriptor_get_value(field->descriptor, number);
		return row ? json_string(row->name) : json_integer(number);
	}
	case PROTOBUF_C_TYPE_STRING:
		return from_text(*(char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		return from_bytes(app, value);
	case PROTOBUF_C_TYPE_MESSAGE:
		return json_from_message(app, *(ProtobufCMessage *const *)value);
	}
	return json_null();
}

static json_t *from_list(struct app *app, const ProtobufCMessage *message,
			 const ProtobufCFieldDescriptor *field)
{
	json_t *list = owned(json_array());
	for (size_t i = 0; i < field_count(message, field); i++) {
		json_t *item = owned(from_value(app, field, field_item(message, field, i)));
		if (json_array_append_new(list, item) != 0)
			app_no_memory();
	}
	return list;
}

json_t *json_from_message(struct app *app, const ProtobufCMessage *message)
{
	if (message->descriptor == &google__protobuf__timestamp__descriptor) {
		char text[32];
		pb_time_format(text, pb_time_us((const void *)message));
		return owned(json_string(text));
	}
	if (message->descriptor == &google__protobuf__field_mask__descriptor)
		return owned(from_mask(app, message));
	json_t *out = owned(json_object());
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *name = json_name(app, field->name);
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			add(out, name, from_list(app, message, field));
			continue;
		}
		bool presence = field->type == PROTOBUF_C_TYPE_MESSAGE ||
				(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
		if (presence && pb_is_default(message, field))
			continue;
		add(out, name, from_value(app, field, pb_member(message, field)));
	}
	return out;
}

static void print(FILE *out, const json_t *json, size_t flags)
{
	char *text = json_dumps(json, flags | JSON_ENCODE_ANY);
	if (!text)
		app_no_memory();
	for (const char *p = text; *p;) {
		const char *start = p;
		long point = text_next(&p);
		if (point > 0xffff && text_unsafe(point))
			(void)fprintf(out, "\\u%04lx\\u%04lx",
				      (unsigned long)(0xd800 + ((point - 0x10000) >> 10)),
				      (unsigned long)(0xdc00 + ((point - 0x10000) & 0x3ff)));
		else if (point >= 0x20 && text_unsafe(point))
			(void)fprintf(out, "\\u%04lx", (unsigned long)point);
		else
			(void)fwrite(start, 1, (size_t)(p - start), out);
	}
	(void)fputc('\n', out);
	free(text);
}

void json_print(FILE *out, const json_t *json)
{
	print(out, json, JSON_INDENT(2));
}

void json_print_line(FILE *out, const json_t *json)
{
	print(out, json, JSON_COMPACT);
}
