/* Members of protobuf's wire format, for the scanner. Stricter than the format:
 * a tag or a length takes at most five bytes and a varint that does not fit its
 * type is refused, since libprotobuf-c would cut it. */
#ifndef ISMS_SCAN_WIRE_H
#define ISMS_SCAN_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_64BIT = 1,
	WIRE_LENGTH = 2,
	WIRE_32BIT = 5,
};

struct wire_member {
	uint32_t number; /* of the field; never 0 */
	enum wire_type wire;
	uint64_t value;      /* of a varint */
	const uint8_t *data; /* content of the others */
	size_t len;
	size_t raw_len; /* bytes behind the tag */
};

/* Reads the member at *at and moves *at behind it. false when it is malformed or
 * does not end before end; nothing is written then. */
bool wire_read(struct wire_member *out, const uint8_t **at, const uint8_t *end);
/* How a type travels when it is not packed. */
enum wire_type wire_expected(ProtobufCType type);
/* Whether a varint is a value of the type; an enum need not have a name for it. */
bool wire_value_fits(ProtobufCType type, uint64_t value);
/* Number of the values in a packed list; false when it is malformed. */
bool wire_count_packed(size_t *out, ProtobufCType type, const uint8_t *data, size_t len);

#endif
