/* Working with any message through its protobuf-c descriptor. All results live
 * in the arena. No recursion deeper than the message types are. */
#ifndef ISMS_PB_H
#define ISMS_PB_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pb_value.h"
#include "common/status.h"

struct arena;

/* An empty message of a type. NULL when out of memory. */
ProtobufCMessage *pb_new(const ProtobufCMessageDescriptor *type, struct arena *arena);
/* Unpacks into the arena; NULL when malformed or over the arena's cap. Scan
 * hostile bytes first. */
ProtobufCMessage *pb_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t len,
			    struct arena *arena);
/* Packs; NULL when out of memory. */
uint8_t *pb_pack(size_t *out_len, const ProtobufCMessage *message, struct arena *arena);

/* Field by name, or NULL. */
const ProtobufCFieldDescriptor *pb_field(const ProtobufCMessageDescriptor *type, const char *name);
/* The sub-message of this name, or NULL when absent or when there is no such
 * field. */
ProtobufCMessage *pb_sub(const ProtobufCMessage *message, const char *name);
/* Value of a singular string field, "" when there is none. */
const char *pb_string(const ProtobufCMessage *message, const char *name);
/* Value of a singular integer or enum field, 0 when there is none. */
int64_t pb_int(const ProtobufCMessage *message, const char *name);

/* Whether a field holds its proto3 default (is absent on the wire). */
bool pb_is_default(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* "MITIGATE" for TREATMENT_OPTION_MITIGATE: the value's name without the prefix
 * that it shares with the enum's zero value (…UNSPECIFIED). NULL for a number
 * without a name. Borrowed. */
const char *pb_enum_short(const ProtobufCEnumDescriptor *type, int32_t value);
/* The number for a short or full name; false when there is none. */
bool pb_enum_value(int32_t *out, const ProtobufCEnumDescriptor *type, const char *name, size_t len);

/* Shallow copy: strings and lists are shared, the sub-message "meta" is copied. */
ProtobufCMessage *pb_copy(const ProtobufCMessage *message, struct arena *arena);
/* Deep copy by packing and unpacking. */
ProtobufCMessage *pb_clone(const ProtobufCMessage *message, struct arena *arena);
/* Copies (shallow) each field of src that dst has too, by name and type. */
void pb_copy_same(ProtobufCMessage *dst, const ProtobufCMessage *src);
/* Copies (shallow) each field that src has a value for; both are of one type. */
void pb_merge(ProtobufCMessage *dst, const ProtobufCMessage *src);

/* Copies the fields that the paths name from src to dst, both by name; dst may be
 * another type with fields of the same name and type. INVALID_ARGUMENT for an
 * empty mask or a path that is not a field of src, naming "update_mask". */
STATUS_MUST_CHECK struct status pb_apply_mask(ProtobufCMessage *dst, const ProtobufCMessage *src,
					      char *const *paths, size_t n_paths,
					      struct arena *arena);

/* Called for each field that differs; before and after are texts of at most
 * 1,024 bytes ("" when not set): numbers, enum short names, RFC 3339 times,
 * elements joined by ", ", hex for bytes. Sub-messages of messages present on
 * either side are followed with dotted names; "meta" is left out. before NULL:
 * everything that is set in after. */
typedef void (*pb_diff_fn)(void *arg, const char *field, const char *before, const char *after);
void pb_diff(const ProtobufCMessage *before, const ProtobufCMessage *after, struct arena *arena,
	     pb_diff_fn fn, void *arg);

/* google.protobuf.Timestamp, as microseconds since 1970 UTC. A NULL timestamp is
 * 0. */
struct Google__Protobuf__Timestamp;
int64_t pb_time_us(const struct Google__Protobuf__Timestamp *timestamp);
struct Google__Protobuf__Timestamp *pb_time_new(struct arena *arena, int64_t unix_us);
/* Whether it is a time between the years 1 and 9999 with 0 <= nanos < 1e9. */
bool pb_time_valid(const struct Google__Protobuf__Timestamp *timestamp);
/* "2026-11-30T12:00:00.000000Z" without trailing zeros; out holds 32 bytes. */
void pb_time_format(char out[32], int64_t unix_us);

#endif
