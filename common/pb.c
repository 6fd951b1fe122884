/* Messages through their descriptors: make, pack, find and copy. Copies are
 * shallow unless said otherwise, since everything lives as long as the arena. */
#include "common/pb.h"

#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb_value.h"

ProtobufCMessage *pb_new(const ProtobufCMessageDescriptor *type, struct arena *arena)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);

	if (message != NULL)
		protobuf_c_message_init(type, message);
	return message;
}

ProtobufCMessage *pb_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t len,
			    struct arena *arena)
{
	return protobuf_c_message_unpack(type, arena_allocator(arena), len, data);
}

uint8_t *pb_pack(size_t *out_len, const ProtobufCMessage *message, struct arena *arena)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = arena_alloc(arena, len);

	if (bytes == NULL)
		return NULL;
	*out_len = protobuf_c_message_pack(message, bytes);
	assert(*out_len == len);
	return bytes;
}

const ProtobufCFieldDescriptor *pb_field(const ProtobufCMessageDescriptor *type, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(type, name);
}

/* The singular field of a name when it holds a value, else NULL. */
static const ProtobufCFieldDescriptor *singular(const ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field = pb_field(message->descriptor, name);

	if (field == NULL || field->label == PROTOBUF_C_LABEL_REPEATED ||
	    !pb_value_present(message, field))
		return NULL;
	return field;
}

ProtobufCMessage *pb_sub(const ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field = singular(message, name);

	if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return NULL;
	return *(ProtobufCMessage **)pb_member(message, field);
}

const char *pb_string(const ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field = singular(message, name);
	const char *text;

	if (field == NULL || field->type != PROTOBUF_C_TYPE_STRING)
		return "";
	text = *(char **)pb_member(message, field);
	return text == NULL ? "" : text;
}

int64_t pb_int(const ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field = singular(message, name);
	const void *member = field == NULL ? NULL : pb_member(message, field);

	if (field == NULL)
		return 0;
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		return *(const int32_t *)member;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)member;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return *(const int64_t *)member;
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member != 0;
	default:
		return 0;
	}
}

bool pb_is_default(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return pb_value_count(message, field) == 0;
	if (!pb_value_present(message, field))
		return true;
	/* A chosen member of a oneof is on the wire whatever it holds. */
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF || field->label != PROTOBUF_C_LABEL_NONE)
		return false;
	return pb_value_is_default(field->type, pb_member(message, field));
}

static ProtobufCMessage *copy_flat(const ProtobufCMessage *message, struct arena *arena)
{
	return arena_memdup(arena, message, message->descriptor->sizeof_message);
}

ProtobufCMessage *pb_copy(const ProtobufCMessage *message, struct arena *arena)
{
	ProtobufCMessage *copy = copy_flat(message, arena);
	ProtobufCMessage *meta = pb_sub(message, "meta");

	if (copy == NULL || meta == NULL)
		return copy;
	meta = copy_flat(meta, arena);
	if (meta == NULL)
		return NULL;
	*(ProtobufCMessage **)pb_member(copy, pb_field(copy->descriptor, "meta")) = meta;
	return copy;
}

ProtobufCMessage *pb_clone(const ProtobufCMessage *message, struct arena *arena)
{
	size_t len;
	uint8_t *bytes = pb_pack(&len, message, arena);

	return bytes == NULL ? NULL : pb_unpack(message->descriptor, bytes, len, arena);
}

/* Whether values of one field can be values of the other. */
static bool same_type(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
	return a->type == b->type && a->descriptor == b->descriptor &&
	       (a->label == PROTOBUF_C_LABEL_REPEATED) == (b->label == PROTOBUF_C_LABEL_REPEATED);
}

static void set_quantifier(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			   bool present)
{
	unsigned *quantifier = pb_quantifier(message, field);

	if (quantifier == NULL)
		return;
	if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		*quantifier = present;
	else if (present)
		*quantifier = field->id;
	else if (*quantifier == field->id)
		*quantifier = 0;
}

static void copy_field(ProtobufCMessage *dst, const ProtobufCFieldDescriptor *to,
		       const ProtobufCMessage *src, const ProtobufCFieldDescriptor *from)
{
	void *member = pb_member(dst, to);

	if (to->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t count = pb_value_count(src, from);

		memcpy(member, pb_member(src, from), sizeof(void *));
		memcpy(pb_quantifier(dst, to), &count, sizeof(count));
	} else if (pb_value_present(src, from)) {
		memcpy(member, pb_member(src, from), pb_value_size(to->type));
		set_quantifier(dst, to, true);
	} else if (pb_value_present(dst, to)) {
		memset(member, 0, pb_value_size(to->type));
		if (to->type == PROTOBUF_C_TYPE_STRING)
			memcpy(member, &(const void *){ to->default_value }, sizeof(void *));
		set_quantifier(dst, to, false);
	}
}

void pb_copy_same(ProtobufCMessage *dst, const ProtobufCMessage *src)
{
	for (unsigned i = 0; i < src->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *from = &src->descriptor->fields[i];
		const ProtobufCFieldDescriptor *to = pb_field(dst->descriptor, from->name);

		if (to != NULL && same_type(from, to))
			copy_field(dst, to, src, from);
	}
}

void pb_merge(ProtobufCMessage *dst, const ProtobufCMessage *src)
{
	for (unsigned i = 0; i < src->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &src->descriptor->fields[i];

		if (!pb_is_default(src, field))
			copy_field(dst, field, src, field);
	}
}

struct status pb_apply_mask(ProtobufCMessage *dst, const ProtobufCMessage *src, char *const *paths,
			    size_t n_paths, struct arena *arena)
{
	if (n_paths == 0)
		return status_invalid(arena, "update_mask", "must name a field to change");
	for (size_t i = 0; i < n_paths; i++) {
		const ProtobufCFieldDescriptor *from = pb_field(src->descriptor, paths[i]);
		const ProtobufCFieldDescriptor *to;

		if (from == NULL)
			return status_invalid(arena, "update_mask",
					      "names a field that does not exist");
		to = pb_field(dst->descriptor, from->name);
		if (to == NULL || !same_type(from, to))
			return status_make(STATUS_CODE_INTERNAL, "FIELD_MISMATCH",
					   "a field cannot be stored");
	}
	for (size_t i = 0; i < n_paths; i++) {
		const ProtobufCFieldDescriptor *from = pb_field(src->descriptor, paths[i]);

		copy_field(dst, pb_field(dst->descriptor, paths[i]), src, from);
	}
	return STATUS_OK;
}
