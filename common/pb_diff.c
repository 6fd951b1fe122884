/* What differs between two messages, as texts for people. Values are compared,
 * not their texts, so that a change behind the end of a cut text is seen. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/pb_value.h"
#include "google/protobuf/timestamp.pb-c.h"

enum { TEXT_MAX = 1024 };

/* A text that is cut at TEXT_MAX, ending with "..." then. */
struct text {
	char bytes[TEXT_MAX + 1];
	size_t len;
	bool cut;
};

struct diff {
	struct arena *arena;
	pb_diff_fn fn;
	void *arg;
	struct text text;
};

static bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);
static void text_add_message(struct text *text, const ProtobufCMessage *message);

static void text_add(struct text *text, const char *bytes, size_t len)
{
	size_t room = TEXT_MAX - text->len;

	if (text->cut)
		return;
	memcpy(text->bytes + text->len, bytes, len < room ? len : room);
	text->len += len < room ? len : room;
	if (len > room) {
		text->cut = true;
		text->len = TEXT_MAX - 3;
		/* Not inside a character of UTF-8. */
		while (text->len > 0 && ((uint8_t)text->bytes[text->len] & 0xc0) == 0x80)
			text->len--;
		memcpy(text->bytes + text->len, "...", 3);
		text->len += 3;
	}
	text->bytes[text->len] = '\0';
}

static void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

static void text_add_hex(struct text *text, const ProtobufCBinaryData *bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes->len && !text->cut; i++) {
		char pair[2] = { digits[bytes->data[i] >> 4], digits[bytes->data[i] & 15] };

		text_add(text, pair, sizeof(pair));
	}
}

static void text_add_enum(struct text *text, const ProtobufCEnumDescriptor *type, int32_t value)
{
	const char *name = pb_enum_short(type, value);
	char number[16];

	snprintf(number, sizeof(number), "%" PRId32, value);
	text_add_string(text, name == NULL ? number : name);
}

static void text_add_number(struct text *text, ProtobufCType type, const void *value)
{
	char number[32] = "";

	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		snprintf(number, sizeof(number), "%" PRId32, *(const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		snprintf(number, sizeof(number), "%" PRIu32, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		snprintf(number, sizeof(number), "%" PRId64, *(const int64_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		snprintf(number, sizeof(number), "%" PRIu64, *(const uint64_t *)value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		snprintf(number, sizeof(number), "%.9g", (double)*(const float *)value);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		snprintf(number, sizeof(number), "%.17g", *(const double *)value);
		break;
	default:
		break;
	}
	text_add_string(text, number);
}

/* One value; that of an unset field is the empty text, but for false. */
static void text_add_value(struct text *text, const ProtobufCFieldDescriptor *field,
			   const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (*(char *const *)value != NULL)
			text_add_string(text, *(char *const *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		text_add_hex(text, value);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		text_add_message(text, *(ProtobufCMessage *const *)value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		text_add_string(text, *(const protobuf_c_boolean *)value ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_ENUM:
		text_add_enum(text, field->descriptor, *(const int32_t *)value);
		break;
	default:
		text_add_number(text, field->type, value);
	}
}

static void text_add_field(struct text *text, const ProtobufCMessage *message,
			   const ProtobufCFieldDescriptor *field)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		text_add_value(text, field, pb_member(message, field));
		return;
	}
	for (size_t i = 0; i < pb_value_count(message, field) && !text->cut; i++) {
		if (i > 0)
			text_add_string(text, ", ");
		text_add_value(text, field, pb_value_element(message, field, i));
	}
}

/* A time, or an element of a list: {name: value, name: value} of what is set. */
static void text_add_message(struct text *text, const ProtobufCMessage *message)
{
	bool first = true;

	if (message == NULL)
		return;
	if (message->descriptor == &google__protobuf__timestamp__descriptor) {
		char time[32];

		pb_time_format(time, pb_time_us((const void *)message));
		text_add_string(text, time);
		return;
	}
	text_add_string(text, "{");
	for (unsigned i = 0; i < message->descriptor->n_fields && !text->cut; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (pb_is_default(message, field))
			continue;
		text_add_string(text, first ? "" : ", ");
		text_add_string(text, field->name);
		text_add_string(text, ": ");
		text_add_field(text, message, field);
		first = false;
	}
	text_add_string(text, "}");
}

static bool value_equal(ProtobufCType type, const void *a, const void *b)
{
	if (type == PROTOBUF_C_TYPE_MESSAGE)
		return message_equal(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b);
	if (pb_value_is_default(type, a) || pb_value_is_default(type, b))
		return pb_value_is_default(type, a) && pb_value_is_default(type, b);
	if (type == PROTOBUF_C_TYPE_STRING)
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	if (type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *left = a, *right = b;

		return left->len == right->len && memcmp(left->data, right->data, left->len) == 0;
	}
	return memcmp(a, b, pb_value_size(type)) == 0;
}

/* Either message may be NULL: then all its fields are unset. */
static bool field_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
			const ProtobufCFieldDescriptor *field)
{
	bool unset_a = a == NULL || pb_is_default(a, field);
	bool unset_b = b == NULL || pb_is_default(b, field);
	size_t count;

	if (unset_a || unset_b)
		return unset_a == unset_b;
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return value_equal(field->type, pb_member(a, field), pb_member(b, field));
	count = pb_value_count(a, field);
	if (count != pb_value_count(b, field))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!value_equal(field->type, pb_value_element(a, field, i),
				 pb_value_element(b, field, i)))
			return false;
	}
	return true;
}

static bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (unsigned i = 0; i < a->descriptor->n_fields; i++) {
		if (!field_equal(a, b, &a->descriptor->fields[i]))
			return false;
	}
	return true;
}

/* Text of a field, in the arena; "" when it is unset or memory is out: that a
 * field changed is said in any case. */
static const char *field_text(struct diff *diff, const ProtobufCMessage *message,
			      const ProtobufCFieldDescriptor *field)
{
	const char *copy;
	bool is_bool = field->type == PROTOBUF_C_TYPE_BOOL &&
		       field->label == PROTOBUF_C_LABEL_NONE &&
		       !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);

	if (message == NULL || (pb_is_default(message, field) && !is_bool))
		return "";
	diff->text.len = 0;
	diff->text.cut = false;
	diff->text.bytes[0] = '\0';
	text_add_field(&diff->text, message, field);
	copy = arena_strndup(diff->arena, diff->text.bytes, diff->text.len);
	return copy == NULL ? "" : copy;
}

static bool followed(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       field->label != PROTOBUF_C_LABEL_REPEATED &&
	       field->descriptor != &google__protobuf__timestamp__descriptor;
}

static void walk(struct diff *diff, const char *prefix, const ProtobufCMessageDescriptor *type,
		 const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const char *name = field->name;

		if (strcmp(name, "meta") == 0 || field_equal(before, after, field))
			continue;
		if (prefix[0] != '\0')
			name = arena_printf(diff->arena, "%s.%s", prefix, field->name);
		if (name == NULL)
			name = field->name;
		if (followed(field)) {
			walk(diff, name, field->descriptor,
			     before == NULL ? NULL : pb_sub(before, field->name),
			     after == NULL ? NULL : pb_sub(after, field->name));
			continue;
		}
		diff->fn(diff->arg, name, field_text(diff, before, field),
			 field_text(diff, after, field));
	}
}

void pb_diff(const ProtobufCMessage *before, const ProtobufCMessage *after, struct arena *arena,
	     pb_diff_fn fn, void *arg)
{
	struct diff diff = { .arena = arena, .fn = fn, .arg = arg };

	assert(before == NULL || before->descriptor == after->descriptor);
	walk(&diff, "", after->descriptor, before, after);
}
