/* Looks names up in the order that rowmap.h promises. */
#include "server/db/slot.h"

#include <string.h>

#include "common/pb.h"

static bool singular_message(const ProtobufCFieldDescriptor *field)
{
	return field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       field->label != PROTOBUF_C_LABEL_REPEATED;
}

static bool find_in(struct slot *out, const ProtobufCMessageDescriptor *type, const char *sub,
		    const char *name)
{
	const ProtobufCFieldDescriptor *parent = pb_field(type, sub);
	if (!singular_message(parent))
		return false;
	const ProtobufCFieldDescriptor *field = pb_field(parent->descriptor, name);
	if (field == NULL)
		return false;
	*out = (struct slot){ .parent = parent, .field = field };
	return true;
}

/* "current_level" is current.level. */
static bool find_below(struct slot *out, const ProtobufCMessageDescriptor *type, const char *name)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *parent = &type->fields[i];
		size_t len = strlen(parent->name);
		if (!singular_message(parent) || strncmp(parent->name, name, len) != 0 ||
		    name[len] != '_')
			continue;
		const ProtobufCFieldDescriptor *field =
			pb_field(parent->descriptor, name + len + 1);
		if (field == NULL)
			continue;
		*out = (struct slot){ .parent = parent, .field = field, .group = true };
		return true;
	}
	return false;
}

bool slot_find(struct slot *out, const ProtobufCMessageDescriptor *type, const char *name)
{
	const ProtobufCFieldDescriptor *field = pb_field(type, name);
	if (field != NULL) {
		*out = (struct slot){ .field = field };
		return true;
	}
	return find_in(out, type, "meta", name) || find_in(out, type, "mutation", name) ||
	       find_below(out, type, name) || find_in(out, type, "fields", name);
}
