/* The scan of wire bytes that goes before unpacking. It reads stricter than
 * libprotobuf-c does, so whatever passes is read the same way there, and it adds
 * up what protobuf_c_message_unpack will allocate: messages, lists, texts,
 * unknown fields and the notes it takes of each member on its first pass, all
 * rounded as an arena rounds. Recursion ends at limits.depth. */
#include "common/scan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb_value.h"
#include "common/scan_wire.h"

enum {
	HEAP_FLOOR = 64 << 10,
	ALIGN = 16,
	/* libprotobuf-c: 32 bytes of notes per member; 16 members on the stack,
	 * then blocks of 32, 64, … members; a bitmap of its own above 128 fields. */
	NOTE_SIZE = 32,
	NOTES_ON_STACK = 16,
	BITMAP_ON_STACK = 128,
	TYPE_FIELDS_MAX = 512,
	DEPTH_MAX = 64,
	PATH_MAX_BYTES = 256,
};

const struct scan_limits scan_limits_default = {
	.depth = 16,
	.fields = 10000,
	.heap = 8 << 20,
	.heap_factor = 8,
	.refuse_unknown = false,
};

enum fault {
	FAULT_MALFORMED,
	FAULT_DEPTH,
	FAULT_FIELDS,
	FAULT_HEAP,
	FAULT_DUPLICATE,
	FAULT_UNKNOWN,
	FAULT_TEXT,
};

static const struct {
	const char *reason, *message, *description;
} faults[] = {
	[FAULT_MALFORMED] = { "MALFORMED_PROTO", "the message is malformed", "is malformed" },
	[FAULT_DEPTH] = { "MESSAGE_TOO_COMPLEX", "the message is nested too deeply",
			  "is nested too deeply" },
	[FAULT_FIELDS] = { "MESSAGE_TOO_COMPLEX", "the message has too many fields",
			   "is one field too many" },
	[FAULT_HEAP] = { "MESSAGE_TOO_COMPLEX", "the message would take too much memory",
			 "would take too much memory" },
	[FAULT_DUPLICATE] = { "DUPLICATE_FIELD", "a field is given twice", "is given twice" },
	[FAULT_UNKNOWN] = { "UNKNOWN_FIELD", "a field is not known", "is not known" },
	[FAULT_TEXT] = { "INVALID_TEXT", "a text holds characters that are not allowed",
			 "must be UTF-8 without control, direction changing or invisible "
			 "characters" },
};

struct scan {
	const struct scan_limits *limits;
	size_t heap, heap_max;
	unsigned fields;
	struct arena *arena;
	struct status st;
};

/* A message being read; field and number are those of its current member. */
struct level {
	const struct level *parent;
	const ProtobufCMessageDescriptor *type;
	const uint8_t *data, *at, *end;
	const uint8_t *start; /* of the current member */
	const ProtobufCFieldDescriptor *field;
	uint32_t number;
	unsigned depth;
	size_t notes, notes_room;
	size_t unknown;
	uint64_t seen[TYPE_FIELDS_MAX / 64];
};

/* How many members of the current field come before the current one. All of
 * them have been read well before. */
static size_t element_index(const struct level *level)
{
	const uint8_t *at = level->data;
	struct wire_member member;
	size_t i = 0;

	while (at < level->start && wire_read(&member, &at, level->end))
		i += member.number == level->number;
	return i;
}

/* Puts text before the bytes at *at, as far as there is room. */
static void path_prepend(char *path, size_t *at, const char *text)
{
	size_t len = strlen(text);

	if (len > *at)
		return;
	*at -= len;
	memcpy(path + *at, text, len);
}

static bool fail(struct scan *scan, const struct level *level, enum fault fault)
{
	char path[PATH_MAX_BYTES], part[32];
	size_t at = sizeof(path) - 1;

	path[at] = '\0';
	for (; level != NULL; level = level->parent) {
		if (level->number == 0)
			continue;
		if (path[at] != '\0')
			path_prepend(path, &at, ".");
		if (level->field == NULL) {
			snprintf(part, sizeof(part), "%u", level->number);
			path_prepend(path, &at, part);
			continue;
		}
		if (level->field->label == PROTOBUF_C_LABEL_REPEATED) {
			snprintf(part, sizeof(part), "[%zu]", element_index(level));
			path_prepend(path, &at, part);
		}
		path_prepend(path, &at, level->field->name);
	}
	scan->st = status_make(STATUS_CODE_INVALID_ARGUMENT, faults[fault].reason,
			       faults[fault].message);
	if (path[at] != '\0')
		status_add_violation(&scan->st, scan->arena, path + at, faults[fault].description);
	return false;
}

/* Counts an allocation of size bytes. */
static bool charge(struct scan *scan, const struct level *level, size_t size)
{
	size_t need = (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);

	if (need > scan->heap_max - scan->heap)
		return fail(scan, level, FAULT_HEAP);
	scan->heap += need;
	return true;
}

/* Counts n more elements of size bytes in a list that began with one charge. */
static bool charge_elements(struct scan *scan, const struct level *level, size_t n, size_t size)
{
	if (n > (scan->heap_max - scan->heap) / size)
		return fail(scan, level, FAULT_HEAP);
	scan->heap += n * size;
	return true;
}

static bool count_fields(struct scan *scan, const struct level *level, size_t n)
{
	if (n > scan->limits->fields - scan->fields)
		return fail(scan, level, FAULT_FIELDS);
	scan->fields += (unsigned)n;
	return true;
}

static bool charge_message(struct scan *scan, const struct level *level,
			   const ProtobufCMessageDescriptor *type)
{
	size_t bitmap = type->n_fields > BITMAP_ON_STACK ? (type->n_fields + 7) / 8 : 0;

	return charge(scan, level, type->sizeof_message) && charge(scan, level, bitmap);
}

/* The note that unpack takes of each member. */
static bool charge_note(struct scan *scan, struct level *level)
{
	if (level->notes == level->notes_room) {
		size_t block = level->notes == 0 ? NOTES_ON_STACK : level->notes + NOTES_ON_STACK;

		level->notes_room += block;
		if (level->notes > 0 && !charge(scan, level, block * NOTE_SIZE))
			return false;
	}
	level->notes++;
	return true;
}

static bool packable(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
	       type != PROTOBUF_C_TYPE_MESSAGE;
}

/* Marks a bit of the level; whether it was set before. */
static bool mark_seen(struct level *level, size_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit % 64);
	bool seen = level->seen[bit / 64] & mask;

	level->seen[bit / 64] |= mask;
	return seen;
}

/* The bit of a singular field: its own, or for all members of a oneof that of
 * the first. */
static size_t seen_bit(const struct level *level)
{
	const ProtobufCFieldDescriptor *fields = level->type->fields, *field = level->field;

	if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return (size_t)(field - fields);
	for (unsigned i = 0;; i++) {
		if (fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
		    fields[i].quantifier_offset == field->quantifier_offset)
			return i;
	}
}

/* n more elements of a list; its first ones pay for rounding up the list. */
static bool check_list(struct scan *scan, struct level *level, size_t n)
{
	size_t bit = (size_t)(level->field - level->type->fields);

	if (n > 0 && !mark_seen(level, bit) && !charge(scan, level, ALIGN))
		return false;
	return charge_elements(scan, level, n, pb_value_size(level->field->type));
}

static bool check_packed(struct scan *scan, struct level *level, const struct wire_member *member)
{
	ProtobufCType type = level->field->type;
	size_t n;

	if (!wire_count_packed(&n, type, member->data, member->len))
		return fail(scan, level, FAULT_MALFORMED);
	return count_fields(scan, level, n) && check_list(scan, level, n);
}

static bool check_level(struct scan *scan, struct level *level);

static bool check_message(struct scan *scan, const struct level *parent,
			  const struct wire_member *member)
{
	struct level level = {
		.parent = parent,
		.type = parent->field->descriptor,
		.data = member->data,
		.at = member->data,
		.end = member->data + member->len,
		.depth = parent->depth + 1,
	};

	if (level.depth > scan->limits->depth)
		return fail(scan, parent, FAULT_DEPTH);
	return charge_message(scan, parent, level.type) && check_level(scan, &level);
}

/* One value that is not packed. */
static bool check_value(struct scan *scan, struct level *level, const struct wire_member *member)
{
	ProtobufCType type = level->field->type;

	if (member->wire != wire_expected(type))
		return fail(scan, level, FAULT_MALFORMED);
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!scan_text((const char *)member->data, member->len, true, NULL))
			return fail(scan, level, FAULT_TEXT);
		return charge(scan, level, member->len + 1);
	case PROTOBUF_C_TYPE_BYTES:
		return charge(scan, level, member->len);
	case PROTOBUF_C_TYPE_MESSAGE:
		return check_message(scan, level, member);
	default:
		if (member->wire == WIRE_VARINT && !wire_value_fits(type, member->value))
			return fail(scan, level, FAULT_MALFORMED);
		return true;
	}
}

static bool check_member(struct scan *scan, struct level *level, const struct wire_member *member)
{
	if (!count_fields(scan, level, 1) || !charge_note(scan, level))
		return false;
	if (level->field == NULL) {
		if (scan->limits->refuse_unknown)
			return fail(scan, level, FAULT_UNKNOWN);
		if (level->unknown++ == 0 && !charge(scan, level, ALIGN))
			return false;
		return charge_elements(scan, level, 1, sizeof(ProtobufCMessageUnknownField)) &&
		       charge(scan, level, member->raw_len);
	}
	if (level->field->label == PROTOBUF_C_LABEL_REPEATED) {
		if (member->wire == WIRE_LENGTH && packable(level->field->type))
			return check_packed(scan, level, member);
		return check_list(scan, level, 1) && check_value(scan, level, member);
	}
	if (mark_seen(level, seen_bit(level)))
		return fail(scan, level, FAULT_DUPLICATE);
	return check_value(scan, level, member);
}

/* Fields of proto2 that unpack insists on. */
static bool check_required(struct scan *scan, struct level *level)
{
	for (unsigned i = 0; i < level->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &level->type->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REQUIRED && !mark_seen(level, i)) {
			level->field = field;
			level->number = field->id;
			return fail(scan, level, FAULT_MALFORMED);
		}
	}
	return true;
}

static bool check_level(struct scan *scan, struct level *level)
{
	assert(level->type->n_fields <= TYPE_FIELDS_MAX);
	while (level->at < level->end) {
		struct wire_member member;

		level->start = level->at;
		level->field = NULL;
		level->number = 0;
		if (!wire_read(&member, &level->at, level->end))
			return fail(scan, level, FAULT_MALFORMED);
		level->number = member.number;
		level->field = protobuf_c_message_descriptor_get_field(level->type, member.number);
		if (!check_member(scan, level, &member))
			return false;
	}
	return check_required(scan, level);
}

struct status scan_message(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t len,
			   const struct scan_limits *limits, struct arena *arena)
{
	struct scan scan = { .limits = limits, .arena = arena };
	struct level level = {
		.type = type, .data = data, .at = data, .end = len > 0 ? data + len : data
	};
	size_t by_wire;

	assert(limits->depth <= DEPTH_MAX);
	if (__builtin_mul_overflow(len, limits->heap_factor, &by_wire))
		by_wire = SIZE_MAX;
	if (by_wire < HEAP_FLOOR)
		by_wire = HEAP_FLOOR;
	scan.heap_max = by_wire < limits->heap ? by_wire : limits->heap;
	if (!charge_message(&scan, &level, type) || !check_level(&scan, &level))
		return scan.st;
	return STATUS_OK;
}
