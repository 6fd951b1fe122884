/* Values behind field descriptors: what the layout of libprotobuf-c 1.4 says of
 * sizes and of presence. */
#include "common/pb_value.h"

#include <stdint.h>
#include <string.h>

/* The descriptor's offsets lead out of a const message into memory that the
 * caller may own; const is his to keep. */
static uint8_t *at_offset(const ProtobufCMessage *message, unsigned offset)
{
	return (uint8_t *)(uintptr_t)message + offset;
}

void *pb_member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return at_offset(message, field->offset);
}

unsigned *pb_quantifier(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->quantifier_offset == 0)
		return NULL;
	return (void *)at_offset(message, field->quantifier_offset);
}

size_t pb_value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	}
	return 0;
}

bool pb_value_is_default(ProtobufCType type, const void *value)
{
	static const uint8_t zeros[sizeof(uint64_t)];

	switch (type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *text = *(char *const *)value;

		return text == NULL || text[0] == '\0';
	}
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len == 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(ProtobufCMessage *const *)value == NULL;
	default:
		return memcmp(value, zeros, pb_value_size(type)) == 0;
	}
}

size_t pb_value_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	size_t count;

	memcpy(&count, (const uint8_t *)message + field->quantifier_offset, sizeof(count));
	return count;
}

const void *pb_value_element(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			     size_t i)
{
	const uint8_t *list = *(uint8_t *const *)pb_member(message, field);

	return list + i * pb_value_size(field->type);
}

bool pb_value_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const uint8_t *base = (const uint8_t *)message;
	uint32_t quantifier;

	memcpy(&quantifier, base + field->quantifier_offset, sizeof(quantifier));
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return quantifier == field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(ProtobufCMessage *const *)pb_member(message, field) != NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
		return quantifier != 0;
	return true;
}
