/* Values behind field descriptors. */
#ifndef ISMS_PB_VALUE_H
#define ISMS_PB_VALUE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* Address of a field in a message, and of its quantifier (count of a repeated
 * field, case of a oneof; NULL when it has none). */
void *pb_member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
unsigned *pb_quantifier(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Bytes that one value of a type takes in a message or list. */
size_t pb_value_size(ProtobufCType type);
/* Whether a value is that of an unset field: zero, empty, absent. */
bool pb_value_is_default(ProtobufCType type, const void *value);
/* Elements of a repeated field. */
size_t pb_value_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Address of an element of a repeated field. */
const void *pb_value_element(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			     size_t i);
/* Whether a singular field holds a value: its member of the oneof is chosen, its
 * has-flag set, its sub-message there. Others always do. */
bool pb_value_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

#endif
