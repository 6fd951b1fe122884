/* The table of converters, and those of single values; lists are in
 * convert_list.c. */
#include "server/db/convert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/uuid.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "server/db/convert_list.h"

/* From 1970 to 2000, where PostgreSQL's clock starts. */
static const int64_t PG_EPOCH_US = INT64_C(946684800000000);

static void *member(void *message, const struct convert *convert)
{
	return (char *)message + convert->field->offset;
}

static const void *member_const(const void *message, const struct convert *convert)
{
	return (const char *)message + convert->field->offset;
}

static uint64_t get_be(const char *data, int len)
{
	uint64_t value = 0;
	for (int i = 0; i < len; i++)
		value = value << 8 | (uint8_t)data[i];
	return value;
}

static void put16(char *out, uint16_t value)
{
	out[0] = (char)(value >> 8);
	out[1] = (char)value;
}

void convert_put32(char *out, uint32_t value)
{
	put16(out, (uint16_t)(value >> 16));
	put16(out + 2, (uint16_t)value);
}

void convert_put64(char *out, uint64_t value)
{
	convert_put32(out, (uint32_t)(value >> 32));
	convert_put32(out + 4, (uint32_t)value);
}

/* --- bool ------------------------------------------------------------------ */

static enum convert_result read_bool(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena)
{
	(void)arena;
	if (len != 1)
		return CONVERT_BAD;
	*(protobuf_c_boolean *)member(message, convert) = data[0] != 0;
	return CONVERT_OK;
}

static enum convert_result write_bool(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)arena;
	scratch[0] = *(const protobuf_c_boolean *)member_const(message, convert) != 0;
	*out = (struct convert_value){ scratch, 1 };
	return CONVERT_OK;
}

/* --- integers and enums by number ------------------------------------------ */

static bool get_int(int64_t *out, const char *data, int len)
{
	switch (len) {
	case 2:
		*out = (int16_t)get_be(data, 2);
		return true;
	case 4:
		*out = (int32_t)get_be(data, 4);
		return true;
	case 8:
		*out = (int64_t)get_be(data, 8);
		return true;
	default:
		return false;
	}
}

static enum convert_result read_int(void *message, const struct convert *convert, const char *data,
				    int len, struct arena *arena)
{
	(void)arena;
	int64_t value;
	if (!get_int(&value, data, len))
		return CONVERT_BAD;
	switch (convert->field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		*(int64_t *)member(message, convert) = value;
		return CONVERT_OK;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)member(message, convert) = (uint64_t)value;
		return value >= 0 ? CONVERT_OK : CONVERT_BAD;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)member(message, convert) = (uint32_t)value;
		return value >= 0 && value <= UINT32_MAX ? CONVERT_OK : CONVERT_BAD;
	default:
		*(int32_t *)member(message, convert) = (int32_t)value;
		return value >= INT32_MIN && value <= INT32_MAX ? CONVERT_OK : CONVERT_BAD;
	}
}

enum convert_result convert_write_int(struct convert_value *out, uint32_t oid, int64_t value,
				      char *scratch)
{
	switch (oid) {
	case OID_INT2:
		put16(scratch, (uint16_t)value);
		*out = (struct convert_value){ scratch, 2 };
		return value >= INT16_MIN && value <= INT16_MAX ? CONVERT_OK : CONVERT_BAD;
	case OID_INT4:
		convert_put32(scratch, (uint32_t)value);
		*out = (struct convert_value){ scratch, 4 };
		return value >= INT32_MIN && value <= INT32_MAX ? CONVERT_OK : CONVERT_BAD;
	default:
		convert_put64(scratch, (uint64_t)value);
		*out = (struct convert_value){ scratch, 8 };
		return CONVERT_OK;
	}
}

static enum convert_result write_int(struct convert_value *out, const struct convert *convert,
				     const void *message, char *scratch, struct arena *arena)
{
	(void)arena;
	const void *at = member_const(message, convert);
	int64_t value;
	switch (convert->field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		value = *(const int64_t *)at;
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		if (*(const uint64_t *)at > INT64_MAX)
			return CONVERT_BAD;
		value = (int64_t) * (const uint64_t *)at;
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		value = *(const uint32_t *)at;
		break;
	default:
		value = *(const int32_t *)at;
	}
	return convert_write_int(out, convert->oid, value, scratch);
}

static enum convert_result write_rank(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)arena;
	int32_t value = *(const int32_t *)member_const(message, convert);
	if (value == 0)
		return CONVERT_OK;
	if (protobuf_c_enum_descriptor_get_value(convert->field->descriptor, value) == NULL)
		return CONVERT_BAD;
	return convert_write_int(out, convert->oid, value, scratch);
}

/* --- enums by name --------------------------------------------------------- */

static enum convert_result read_name(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena)
{
	(void)arena;
	size_t low = 0, high = convert->n_names;
	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct convert_name *name = &convert->names[mid];
		size_t both = name->len < (size_t)len ? name->len : (size_t)len;
		int order = memcmp(name->text, data, both);
		if (order == 0)
			order = (name->len > (size_t)len) - (name->len < (size_t)len);
		if (order == 0) {
			*(int32_t *)member(message, convert) = name->value;
			return CONVERT_OK;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return CONVERT_BAD;
}

static enum convert_result write_name(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	(void)arena;
	int32_t value = *(const int32_t *)member_const(message, convert);
	if (value == 0)
		return CONVERT_OK;
	for (size_t i = 0; i < convert->n_names; i++) {
		if (convert->names[i].value != value)
			continue;
		*out = (struct convert_value){ convert->names[i].text, (int)convert->names[i].len };
		return CONVERT_OK;
	}
	return CONVERT_BAD;
}

static int compare_names(const void *a, const void *b)
{
	const struct convert_name *left = a, *right = b;
	return strcmp(left->text, right->text);
}

static enum convert_result collect_names(struct convert *out)
{
	const ProtobufCEnumDescriptor *type = out->field->descriptor;
	out->names = calloc(type->n_values, sizeof(*out->names));
	if (out->names == NULL)
		return CONVERT_MEMORY;
	for (unsigned i = 0; i < type->n_values; i++) {
		const char *text = pb_enum_short(type, type->values[i].value);
		if (text == NULL)
			return CONVERT_BAD;
		out->names[out->n_names++] =
			(struct convert_name){ text, strlen(text), type->values[i].value };
	}
	qsort(out->names, out->n_names, sizeof(*out->names), compare_names);
	return CONVERT_OK;
}

/* --- text, bytes, uuid ----------------------------------------------------- */

static enum convert_result read_text(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena)
{
	(void)len;
	(void)arena;
	/* the result outlives the message and nobody writes through it */
	*(const char **)member(message, convert) = data;
	return CONVERT_OK;
}

static enum convert_result write_text(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	(void)arena;
	const char *text = *(const char *const *)member_const(message, convert);
	if (text == NULL)
		text = "";
	size_t len = strlen(text);
	*out = (struct convert_value){ text, (int)len };
	return len <= INT_MAX ? CONVERT_OK : CONVERT_BAD;
}

static enum convert_result read_bytes(void *message, const struct convert *convert,
				      const char *data, int len, struct arena *arena)
{
	(void)arena;
	ProtobufCBinaryData *bytes = member(message, convert);
	bytes->len = (size_t)len;
	memcpy(&bytes->data, &data, sizeof(data));
	return CONVERT_OK;
}

static enum convert_result write_bytes(struct convert_value *out, const struct convert *convert,
				       const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	(void)arena;
	const ProtobufCBinaryData *bytes = member_const(message, convert);
	*out = (struct convert_value){ bytes->len == 0 ? "" : (const char *)bytes->data,
				       (int)bytes->len };
	return bytes->len <= INT_MAX ? CONVERT_OK : CONVERT_BAD;
}

static enum convert_result read_uuid(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena)
{
	if (len != UUID_BYTES)
		return CONVERT_BAD;
	char *text = arena_alloc(arena, UUID_TEXT);
	if (text == NULL)
		return CONVERT_MEMORY;
	uuid_format((const uint8_t *)data, text);
	*(char **)member(message, convert) = text;
	return CONVERT_OK;
}

enum convert_result convert_write_uuid(struct convert_value *out, const char *text, char *scratch)
{
	if (text == NULL || *text == '\0')
		return CONVERT_OK;
	if (!uuid_parse(text, (uint8_t *)scratch))
		return CONVERT_BAD;
	*out = (struct convert_value){ scratch, UUID_BYTES };
	return CONVERT_OK;
}

static enum convert_result write_uuid(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)arena;
	return convert_write_uuid(out, *(const char *const *)member_const(message, convert),
				  scratch);
}

/* --- times and whole messages ---------------------------------------------- */

static enum convert_result read_time(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena)
{
	if (len != 8)
		return CONVERT_BAD;
	int64_t value = (int64_t)get_be(data, 8);
	/* infinity, or a year that Timestamp does not have */
	if (value > INT64_MAX - PG_EPOCH_US || value == INT64_MIN)
		return CONVERT_BAD;
	Google__Protobuf__Timestamp *time = pb_time_new(arena, value + PG_EPOCH_US);
	if (time == NULL)
		return CONVERT_MEMORY;
	*(Google__Protobuf__Timestamp **)member(message, convert) = time;
	return pb_time_valid(time) ? CONVERT_OK : CONVERT_BAD;
}

static enum convert_result write_time(struct convert_value *out, const struct convert *convert,
				      const void *message, char *scratch, struct arena *arena)
{
	(void)arena;
	const Google__Protobuf__Timestamp *time =
		*(Google__Protobuf__Timestamp *const *)member_const(message, convert);
	if (time == NULL)
		return CONVERT_OK;
	if (!pb_time_valid(time))
		return CONVERT_BAD;
	convert_put64(scratch, (uint64_t)(pb_time_us(time) - PG_EPOCH_US));
	*out = (struct convert_value){ scratch, 8 };
	return CONVERT_OK;
}

static enum convert_result read_message(void *message, const struct convert *convert,
					const char *data, int len, struct arena *arena)
{
	ProtobufCMessage *sub =
		pb_unpack(convert->field->descriptor, (const uint8_t *)data, (size_t)len, arena);
	if (sub == NULL)
		return CONVERT_BAD;
	*(ProtobufCMessage **)member(message, convert) = sub;
	return CONVERT_OK;
}

static enum convert_result write_message(struct convert_value *out, const struct convert *convert,
					 const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	const ProtobufCMessage *sub = *(ProtobufCMessage *const *)member_const(message, convert);
	if (sub == NULL)
		return CONVERT_OK;
	size_t len;
	const uint8_t *data = pb_pack(&len, sub, arena);
	if (data == NULL)
		return CONVERT_MEMORY;
	*out = (struct convert_value){ len == 0 ? "" : (const char *)data, (int)len };
	return len <= INT_MAX ? CONVERT_OK : CONVERT_BAD;
}

/* --- the table ------------------------------------------------------------- */

static bool is_bool(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_BOOL;
}

static bool is_int(const ProtobufCFieldDescriptor *field)
{
	return field->type <= PROTOBUF_C_TYPE_FIXED64;
}

static bool is_enum(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_ENUM;
}

static bool is_long(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT64;
}

static bool is_string(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING;
}

static bool is_bytes(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_BYTES;
}

static bool is_time(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       field->descriptor == &google__protobuf__timestamp__descriptor;
}

static bool is_message(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE && !is_time(field);
}

static const struct converter {
	uint32_t oids[3];
	bool (*takes)(const ProtobufCFieldDescriptor *field);
	bool repeated;
	bool null_ok;
	bool names;
	convert_read_fn read;
	convert_write_fn write;
} converters[] = {
	{ { OID_BOOL }, is_bool, false, false, false, read_bool, write_bool },
	{ { OID_INT2, OID_INT4, OID_INT8 }, is_int, false, false, false, read_int, write_int },
	{ { OID_INT2, OID_INT4 }, is_enum, false, true, false, read_int, write_rank },
	{ { OID_TEXT, OID_VARCHAR }, is_enum, false, true, true, read_name, write_name },
	{ { OID_TEXT, OID_VARCHAR }, is_string, false, false, false, read_text, write_text },
	{ { OID_BYTEA }, is_bytes, false, false, false, read_bytes, write_bytes },
	{ { OID_UUID }, is_string, false, true, false, read_uuid, write_uuid },
	{ { OID_TIMESTAMPTZ }, is_time, false, true, false, read_time, write_time },
	{ { OID_BYTEA }, is_message, false, true, false, read_message, write_message },
	{ { OID_UUID_ARRAY },
	  is_string,
	  true,
	  true,
	  false,
	  convert_read_uuids,
	  convert_write_uuids },
	{ { OID_TEXT_ARRAY, OID_VARCHAR_ARRAY },
	  is_string,
	  true,
	  true,
	  false,
	  convert_read_texts,
	  convert_write_texts },
	{ { OID_TEXT_ARRAY }, is_enum, true, true, false, convert_read_enums, convert_write_enums },
	{ { OID_INT8_ARRAY }, is_long, true, true, false, convert_read_longs, convert_write_longs },
};

static bool suits(const struct converter *converter, uint32_t oid,
		  const ProtobufCFieldDescriptor *field)
{
	bool type = false;
	for (size_t i = 0; i < sizeof(converter->oids) / sizeof(converter->oids[0]); i++)
		type = type || converter->oids[i] == oid;
	return type && oid != 0 && converter->takes(field) &&
	       converter->repeated == (field->label == PROTOBUF_C_LABEL_REPEATED);
}

enum convert_result convert_init(struct convert *out, uint32_t oid,
				 const ProtobufCFieldDescriptor *field)
{
	for (size_t i = 0; i < sizeof(converters) / sizeof(converters[0]); i++) {
		const struct converter *converter = &converters[i];
		if (!suits(converter, oid, field))
			continue;
		*out = (struct convert){
			.read = converter->read,
			.write = converter->write,
			.field = field,
			.oid = oid,
			.null_ok =
				converter->null_ok || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF),
		};
		return converter->names ? collect_names(out) : CONVERT_OK;
	}
	return CONVERT_BAD;
}

void convert_done(struct convert *convert)
{
	free(convert->names);
	*convert = (struct convert){ 0 };
}
