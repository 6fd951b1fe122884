/* Where a name of SQL lives in a message: a field of it, or of one of its
 * sub-messages (see rowmap.h). */
#ifndef ISMS_DB_SLOT_H
#define ISMS_DB_SLOT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct slot {
	const ProtobufCFieldDescriptor *parent; /* sub-message, or NULL: the message itself */
	const ProtobufCFieldDescriptor *field;
	bool group; /* found as <field>_<field>: absent when all of its columns are NULL */
};

bool slot_find(struct slot *out, const ProtobufCMessageDescriptor *type, const char *name);

#endif
