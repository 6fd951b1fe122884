/* Looks through the wire bytes of a message before protobuf-c unpacks them:
 * bounds depth, fields and memory, refuses what unpack would merge, overflow on
 * or silently cut. One pass, no allocation but for the error. Every message that
 * passes can be unpacked safely with libprotobuf-c 1.4.1. */
#ifndef ISMS_SCAN_H
#define ISMS_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct arena;

struct scan_limits {
	unsigned depth;       /* nested messages; 16 */
	unsigned fields;      /* in all; 10,000 */
	size_t heap;          /* predicted bytes of the unpacked message; 8 MiB */
	unsigned heap_factor; /* and at most so many times the wire; 8, above a floor of 64 KiB */
	bool refuse_unknown;  /* unknown fields are an error (writes) */
};

extern const struct scan_limits scan_limits_default;

/* INVALID_ARGUMENT with reason MALFORMED_PROTO (bad varint, wire type, length,
 * group, field number 0, wrong wire type for the field), MESSAGE_TOO_COMPLEX
 * (depth, fields, heap), DUPLICATE_FIELD (a singular field twice), UNKNOWN_FIELD,
 * INVALID_TEXT (UTF-8, NUL; C0 but TAB LF CR, C1, bidirectional controls, zero
 * width characters); the violation names the field's path. */
STATUS_MUST_CHECK struct status scan_message(const ProtobufCMessageDescriptor *type,
					     const uint8_t *data, size_t len,
					     const struct scan_limits *limits, struct arena *arena);

/* Whether text is UTF-8 without the characters above. multiline allows LF, CR
 * and TAB. *chars (may be NULL) gets the number of code points. */
bool scan_text(const char *text, size_t len, bool multiline, size_t *chars);

#endif
