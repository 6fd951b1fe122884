/* Members of protobuf's wire format. */
#include "common/scan_wire.h"

enum { VARINT_MAX = 10, SHORT_MAX = 5 };

static bool read_varint(uint64_t *out, const uint8_t **at, const uint8_t *end, size_t max)
{
	size_t left = (size_t)(end - *at);
	uint64_t value = 0;

	for (size_t i = 0; i < max && i < left; i++) {
		uint8_t byte = (*at)[i];

		/* The tenth byte has room for one bit. */
		if (i == VARINT_MAX - 1 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*at += i + 1;
			*out = value;
			return true;
		}
	}
	return false;
}

/* Content of a member whose tag has been read. */
static bool read_content(struct wire_member *member, const uint8_t **at, const uint8_t *end)
{
	uint64_t len;

	switch (member->wire) {
	case WIRE_VARINT:
		return read_varint(&member->value, at, end, VARINT_MAX);
	case WIRE_64BIT:
		len = 8;
		break;
	case WIRE_32BIT:
		len = 4;
		break;
	case WIRE_LENGTH:
		if (!read_varint(&len, at, end, SHORT_MAX))
			return false;
		break;
	default: /* groups, and what is not defined */
		return false;
	}
	if (len > (size_t)(end - *at) || len > INT32_MAX)
		return false;
	member->data = *at;
	member->len = (size_t)len;
	*at += len;
	return true;
}

bool wire_read(struct wire_member *out, const uint8_t **at, const uint8_t *end)
{
	struct wire_member member = { 0 };
	const uint8_t *cursor = *at, *content;
	uint64_t tag;

	if (!read_varint(&tag, &cursor, end, SHORT_MAX) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	member.number = (uint32_t)(tag >> 3);
	member.wire = (enum wire_type)(tag & 7);
	content = cursor;
	if (!read_content(&member, &cursor, end))
		return false;
	member.raw_len = (size_t)(cursor - content);
	*at = cursor;
	*out = member;
	return true;
}

enum wire_type wire_expected(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LENGTH;
	default:
		return WIRE_VARINT;
	}
}

bool wire_value_fits(ProtobufCType type, uint64_t value)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		return (int64_t)value >= INT32_MIN && (int64_t)value <= INT32_MAX;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_SINT32:
		return value <= UINT32_MAX;
	case PROTOBUF_C_TYPE_BOOL:
		return value <= 1;
	default:
		return true;
	}
}

bool wire_count_packed(size_t *out, ProtobufCType type, const uint8_t *data, size_t len)
{
	const uint8_t *at = data, *end = data + len;
	size_t width = 0, n = 0;

	if (wire_expected(type) == WIRE_32BIT)
		width = 4;
	else if (wire_expected(type) == WIRE_64BIT)
		width = 8;
	if (width > 0) {
		*out = len / width;
		return len % width == 0;
	}
	while (at < end) {
		uint64_t value;
		const uint8_t *start = at;

		if (!read_varint(&value, &at, end, VARINT_MAX) || !wire_value_fits(type, value))
			return false;
		/* libprotobuf-c takes each byte of a packed list for one bool. */
		if (type == PROTOBUF_C_TYPE_BOOL && at - start > 1)
			return false;
		n++;
	}
	*out = n;
	return true;
}
