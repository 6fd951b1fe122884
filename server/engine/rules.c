/* Rules of fields. At start-up the FieldRules option of each field is looked up
 * in the embedded descriptor set (protobuf-c keeps it as an unknown field of
 * FieldOptions) and put beside protobuf-c's own descriptor of the field; a check
 * is then a walk over the message with no lookups by name. */
#include "server/engine/rules.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/embed.h"
#include "common/pb.h"
#include "common/pb_value.h"
#include "common/scan.h"
#include "common/uuid.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/v1/rules.pb-c.h"

enum {
	RULES_OPTION = 51000,
	RULES_TYPES_MAX = 512,
	RULES_DEPTH_MAX = 8,
	RULES_TEXT_DEFAULT = 200,
	RULES_BYTES_DEFAULT = 65536,
	RULES_ITEMS_MAX = 1000,
	RULES_PATH_MAX = 200,
	RULES_ARENA = 16 << 20,
};

struct type_rules {
	const ProtobufCMessageDescriptor *type;
	const Isms__V1__FieldRules **fields; /* as many as type has, each may be NULL */
	bool has_secret;
};

struct rules {
	struct arena *arena;
	const Google__Protobuf__FileDescriptorSet *files;
	struct type_rules types[RULES_TYPES_MAX];
	size_t n;
};

struct check {
	const struct rules *rules;
	struct arena *arena;
	struct status st;
	char path[RULES_PATH_MAX];
};

static const Google__Protobuf__DescriptorProto *
find_nested(const Google__Protobuf__DescriptorProto *message, const char *name)
{
	size_t len = strlen(message->name);
	if (strncmp(message->name, name, len) != 0)
		return NULL;
	if (name[len] == '\0')
		return message;
	if (name[len] != '.')
		return NULL;
	for (size_t i = 0; i < message->n_nested_type; i++) {
		const Google__Protobuf__DescriptorProto *found =
			find_nested(message->nested_type[i], name + len + 1);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static const Google__Protobuf__DescriptorProto *
find_message(const Google__Protobuf__FileDescriptorSet *files, const char *full_name)
{
	for (size_t i = 0; i < files->n_file; i++) {
		const Google__Protobuf__FileDescriptorProto *file = files->file[i];
		size_t len = strlen(file->package);
		if (strncmp(file->package, full_name, len) != 0 || full_name[len] != '.')
			continue;
		for (size_t j = 0; j < file->n_message_type; j++) {
			const Google__Protobuf__DescriptorProto *found =
				find_nested(file->message_type[j], full_name + len + 1);
			if (found != NULL)
				return found;
		}
	}
	return NULL;
}

/* The option's wire value still has its length in front. */
static const Isms__V1__FieldRules *option_of(const Google__Protobuf__FieldDescriptorProto *field,
					     struct arena *arena)
{
	if (field->options == NULL)
		return NULL;
	const ProtobufCMessage *options = &field->options->base;
	for (unsigned i = 0; i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *unknown = &options->unknown_fields[i];
		if (unknown->tag != RULES_OPTION || unknown->len == 0)
			continue;
		size_t skip = 0;
		while (skip < unknown->len && (unknown->data[skip] & 0x80))
			skip++;
		skip++;
		return (const Isms__V1__FieldRules *)(void *)pb_unpack(
			&isms__v1__field_rules__descriptor, unknown->data + skip,
			unknown->len - skip, arena);
	}
	return NULL;
}

static const struct type_rules *find_type(const struct rules *rules,
					  const ProtobufCMessageDescriptor *type)
{
	size_t low = 0, high = rules->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (rules->types[middle].type == type)
			return &rules->types[middle];
		if ((uintptr_t)rules->types[middle].type < (uintptr_t)type)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool known(const struct rules *rules, const ProtobufCMessageDescriptor *type)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->types[i].type == type)
			return true;
	return false;
}

static bool fill_type(struct rules *rules, struct type_rules *entry,
		      const ProtobufCMessageDescriptor *type)
{
	const Google__Protobuf__DescriptorProto *message = find_message(rules->files, type->name);
	if (message == NULL)
		return false;
	entry->type = type;
	entry->fields =
		arena_array(rules->arena, const Isms__V1__FieldRules *, (size_t)type->n_fields + 1);
	for (size_t i = 0; i < message->n_field; i++) {
		const ProtobufCFieldDescriptor *field = pb_field(type, message->field[i]->name);
		if (field == NULL)
			return false;
		size_t index = (size_t)(field - type->fields);
		entry->fields[index] = option_of(message->field[i], rules->arena);
		if (entry->fields[index] != NULL && entry->fields[index]->secret)
			entry->has_secret = true;
	}
	return true;
}

static const char *add_type(struct rules *rules, const ProtobufCMessageDescriptor *type,
			    unsigned depth)
{
	if (depth > RULES_DEPTH_MAX)
		return "a request type is recursive or nested too deeply";
	if (!known(rules, type)) {
		if (rules->n == RULES_TYPES_MAX)
			return "too many request types";
		if (!fill_type(rules, &rules->types[rules->n], type))
			return "a request type is missing in the embedded descriptors";
		rules->n++;
	}
	for (unsigned i = 0; i < type->n_fields; i++) {
		if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		const char *why = add_type(
			rules, (const ProtobufCMessageDescriptor *)type->fields[i].descriptor,
			depth + 1);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static int compare_types(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t)((const struct type_rules *)a)->type;
	uintptr_t right = (uintptr_t)((const struct type_rules *)b)->type;
	return left < right ? -1 : left > right;
}

struct rules *rules_new(const ProtobufCMessageDescriptor *const *types, size_t n_types,
			const char **why)
{
	struct arena *arena = arena_new(RULES_ARENA);
	assert(arena != NULL && embedded_descriptors_count == 1);
	struct rules *rules = arena_new_of(arena, struct rules);
	assert(rules != NULL);
	rules->arena = arena;
	rules->files = (const Google__Protobuf__FileDescriptorSet *)(void *)pb_unpack(
		&google__protobuf__file_descriptor_set__descriptor, embedded_descriptors[0].data,
		(size_t)(embedded_descriptors[0].end - embedded_descriptors[0].data), arena);
	*why = rules->files == NULL ? "the embedded descriptors cannot be read" : NULL;
	for (size_t i = 0; i < n_types && *why == NULL; i++)
		*why = add_type(rules, types[i], 0);
	if (*why != NULL) {
		arena_free(arena);
		return NULL;
	}
	qsort(rules->types, rules->n, sizeof(rules->types[0]), compare_types);
	return rules;
}

void rules_free(struct rules *rules)
{
	if (rules != NULL)
		arena_free(rules->arena);
}

/* --- checking --------------------------------------------------------------- */

static void violate(struct check *check, const char *description)
{
	if (status_ok(&check->st))
		check->st = status_invalid(check->arena, check->path, description);
	else
		status_add_violation(&check->st, check->arena, check->path, description);
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

static void check_text(struct check *check, const Isms__V1__FieldRules *rule, const char *text)
{
	size_t chars = 0;
	uint8_t uuid[UUID_BYTES];
	bool required = rule != NULL && rule->required;
	if (required && is_blank(text)) {
		violate(check, "is required");
		return;
	}
	if (!scan_text(text, strlen(text), rule != NULL && rule->multiline, &chars)) {
		violate(check, "must be text without control or direction characters");
		return;
	}
	size_t max = rule != NULL && rule->max_len > 0 ? rule->max_len : RULES_TEXT_DEFAULT;
	if (chars > max)
		violate(check, arena_printf(check->arena, "must have at most %zu characters", max));
	else if (rule != NULL && rule->min_len > 0 && *text != '\0' && chars < rule->min_len)
		violate(check, arena_printf(check->arena, "must have at least %u characters",
					    rule->min_len));
	else if (rule != NULL && rule->uuid && *text != '\0' && !uuid_parse(text, uuid))
		violate(check, "must be a uuid in canonical form");
}

static void check_bytes(struct check *check, const Isms__V1__FieldRules *rule,
			const ProtobufCBinaryData *data)
{
	size_t max = rule != NULL && rule->max_len > 0 ? rule->max_len : RULES_BYTES_DEFAULT;
	if (rule != NULL && rule->required && data->len == 0)
		violate(check, "is required");
	else if (rule != NULL && rule->exact_len > 0 && data->len != 0 &&
		 data->len != rule->exact_len)
		violate(check,
			arena_printf(check->arena, "must have exactly %u bytes", rule->exact_len));
	else if (data->len > max)
		violate(check, arena_printf(check->arena, "must have at most %zu bytes", max));
}

static void check_number(struct check *check, const Isms__V1__FieldRules *rule, int64_t value)
{
	if (rule == NULL)
		return;
	if (rule->has_range && (value < rule->min || value > rule->max))
		violate(check, arena_printf(check->arena, "must be from %lld to %lld",
					    (long long)rule->min, (long long)rule->max));
}

static void check_enum(struct check *check, const Isms__V1__FieldRules *rule,
		       const ProtobufCEnumDescriptor *type, int32_t value)
{
	if (protobuf_c_enum_descriptor_get_value(type, value) == NULL)
		violate(check, "must be a declared value");
	else if (rule != NULL && rule->required && value == 0)
		violate(check, "is required");
}

static void check_message(struct check *check, const ProtobufCMessage *message, size_t path_len);

static void check_value(struct check *check, const ProtobufCFieldDescriptor *field,
			const Isms__V1__FieldRules *rule, const void *member, size_t path_len)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *text = *(const char *const *)member;
		check_text(check, rule, text == NULL ? "" : text);
		break;
	}
	case PROTOBUF_C_TYPE_BYTES:
		check_bytes(check, rule, (const ProtobufCBinaryData *)member);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		check_enum(check, rule, (const ProtobufCEnumDescriptor *)field->descriptor,
			   *(const int32_t *)member);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		check_number(check, rule, *(const int32_t *)member);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		check_number(check, rule, *(const int64_t *)member);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		check_number(check, rule, *(const uint32_t *)member);
		break;
	case PROTOBUF_C_TYPE_MESSAGE: {
		const ProtobufCMessage *sub = *(const ProtobufCMessage *const *)member;
		if (sub != NULL)
			check_message(check, sub, path_len);
		else if (rule != NULL && rule->required)
			violate(check, "is required");
		break;
	}
	default:
		break;
	}
}

static void check_list(struct check *check, const ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field, const Isms__V1__FieldRules *rule,
		       size_t path_len)
{
	size_t n = pb_value_count(message, field);
	size_t max = rule != NULL && rule->max_items > 0 ? rule->max_items : RULES_ITEMS_MAX;
	if (n > max) {
		violate(check, arena_printf(check->arena, "must have at most %zu elements", max));
		return;
	}
	if (n == 0) {
		if (rule != NULL && rule->required)
			violate(check, "is required");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int added = snprintf(check->path + path_len, sizeof(check->path) - path_len,
				     "[%zu]", i);
		size_t len = path_len + (size_t)(added > 0 ? added : 0);
		if (len >= sizeof(check->path))
			len = sizeof(check->path) - 1;
		check_value(check, field, rule, pb_value_element(message, field, i), len);
	}
	check->path[path_len] = '\0';
}

static void check_field(struct check *check, const ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field, const Isms__V1__FieldRules *rule,
			size_t path_len)
{
	bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		check_list(check, message, field, rule, path_len);
	else if (!in_oneof || *pb_quantifier(message, field) == field->id)
		check_value(check, field, rule, pb_member(message, field), path_len);
}

static void check_message(struct check *check, const ProtobufCMessage *message, size_t path_len)
{
	if (message->descriptor == &google__protobuf__timestamp__descriptor) {
		if (!pb_time_valid((const Google__Protobuf__Timestamp *)(const void *)message))
			violate(check, "must be a time between the years 1 and 9999");
		return;
	}
	const struct type_rules *type = find_type(check->rules, message->descriptor);
	assert(type != NULL);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		int added = snprintf(check->path + path_len, sizeof(check->path) - path_len, "%s%s",
				     path_len > 0 ? "." : "", field->name);
		size_t len = path_len + (size_t)(added > 0 ? added : 0);
		if (len >= sizeof(check->path))
			len = sizeof(check->path) - 1;
		check_field(check, message, field, type->fields[i], len);
		check->path[path_len] = '\0';
	}
}

struct status rules_check(const struct rules *rules, const ProtobufCMessage *message,
			  struct arena *arena)
{
	struct check check = { .rules = rules, .arena = arena, .st = STATUS_OK };
	check_message(&check, message, 0);
	return check.st;
}

const ProtobufCMessage *rules_without_secrets(const struct rules *rules,
					      const ProtobufCMessage *message, struct arena *arena)
{
	const struct type_rules *type = find_type(rules, message->descriptor);
	if (type == NULL || !type->has_secret)
		return message;
	ProtobufCMessage *copy = pb_copy(message, arena);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (type->fields[i] == NULL || !type->fields[i]->secret)
			continue;
		assert(field->type == PROTOBUF_C_TYPE_STRING);
		*(const char **)pb_member(copy, field) = "";
	}
	return copy;
}
