/* Fields of any message by path and by descriptor: setting them from text, growing
 * lists, reaching them by dotted names. */
#ifndef ISMS_CLI_FIELD_H
#define ISMS_CLI_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct app;

/* The field that a dotted path names, or NULL; messages on the way are looked up
 * in types only. */
const ProtobufCFieldDescriptor *field_of_path(const ProtobufCMessageDescriptor *type,
					      const char *path);
/* The message that holds the last name of path; made on the way where absent.
 * *out_field is its field. The path must exist. */
ProtobufCMessage *field_reach(struct app *app, ProtobufCMessage *message, const char *path,
			      const ProtobufCFieldDescriptor **out_field);
/* The sub-message at path, or NULL where one is absent. "" is message. */
const ProtobufCMessage *field_sub(const ProtobufCMessage *message, const char *path);
/* Address to write the value to: of the field, or of a new element of a list. */
void *field_slot(struct app *app, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
size_t field_size(ProtobufCType type);
/* Elements of a repeated field. */
size_t field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
const void *field_item(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       size_t i);
/* Sets a singular field or appends to a list, from text: enums by short or full
 * name, times as in when.h, bytes in hex, bool true or false. NULL, or what was
 * expected instead. Messages other than Timestamp are refused. */
const char *field_set_text(struct app *app, ProtobufCMessage *message,
			   const ProtobufCFieldDescriptor *field, const char *text);
/* "critical, high, low, medium": short names of an enum, for messages. */
const char *field_enum_names(struct app *app, const ProtobufCEnumDescriptor *type);
/* Nearest of the names of type to name, or NULL. */
const char *field_nearest(const ProtobufCMessageDescriptor *type, const char *name);

#endif
