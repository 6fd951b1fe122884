/* Short names of enum values: the zero value "<PREFIX>UNSPECIFIED" says what the
 * prefix is; an enum without such a value has full names only. */
#include <string.h>

#include "common/pb.h"

static size_t prefix_len(const ProtobufCEnumDescriptor *type)
{
	static const char zero_name[] = "UNSPECIFIED";
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
	size_t len = zero == NULL ? 0 : strlen(zero->name);
	size_t tail = sizeof(zero_name) - 1;

	if (len < tail || strcmp(zero->name + len - tail, zero_name) != 0)
		return 0;
	return len - tail;
}

/* name without the prefix, if it has it. */
static const char *shorten(const ProtobufCEnumDescriptor *type, const char *name, size_t prefix)
{
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);

	if (prefix == 0 || strncmp(name, zero->name, prefix) != 0)
		return name;
	return name + prefix;
}

const char *pb_enum_short(const ProtobufCEnumDescriptor *type, int32_t value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

	return found == NULL ? NULL : shorten(type, found->name, prefix_len(type));
}

bool pb_enum_value(int32_t *out, const ProtobufCEnumDescriptor *type, const char *name, size_t len)
{
	size_t prefix = prefix_len(type);

	for (unsigned i = 0; i < type->n_value_names; i++) {
		const char *full = type->values_by_name[i].name;
		const char *brief = shorten(type, full, prefix);

		if ((strlen(full) == len && memcmp(full, name, len) == 0) ||
		    (strlen(brief) == len && memcmp(brief, name, len) == 0)) {
			*out = type->values[type->values_by_name[i].index].value;
			return true;
		}
	}
	return false;
}
