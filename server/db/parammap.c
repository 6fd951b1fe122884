/* Fields and the special values of a call to parameters. What an absent
 * sub-message would hold is NULL. */
#include "server/db/rowmap.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "server/db/convert.h"
#include "server/db/slot.h"

enum { SHA256_BYTES = 32 };

struct param {
	enum query_special special;
	uint32_t oid;
	const ProtobufCFieldDescriptor *parent; /* sub-message, or NULL */
	bool oneof;
	struct convert convert; /* of a field */
};

struct parammap {
	const struct query *query;
	size_t n_params;
	struct param params[];
};

static bool special_suits(enum query_special special, uint32_t oid)
{
	switch (special) {
	case QUERY_PERMISSION:
	case QUERY_EMAIL:
	case QUERY_KIND:
		return oid == OID_TEXT || oid == OID_VARCHAR;
	case QUERY_TOKEN_SHA256:
	case QUERY_SECRET_SHA256:
		return oid == OID_BYTEA;
	case QUERY_PAGE_LIMIT:
	case QUERY_DECISIONS:
	case QUERY_VERSION:
		return oid == OID_INT8 || oid == OID_INT4;
	default:
		return oid == OID_UUID;
	}
}

/* NULL, or what does not fit. */
static const char *bind_param(struct param *out, const struct query *query, size_t i,
			      const ProtobufCMessageDescriptor *type)
{
	uint32_t oid = query->param_oids[i];
	struct slot slot;
	*out = (struct param){ .special = query->params[i].special, .oid = oid };
	if (out->special != QUERY_FIELD)
		return special_suits(out->special, oid) ? NULL : "the special has another type";
	if (type == NULL || !slot_find(&slot, type, query->params[i].name))
		return "there is no such field";
	out->parent = slot.parent;
	out->oneof = (slot.field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	if (convert_init(&out->convert, oid, slot.field) == CONVERT_OK)
		return NULL;
	convert_done(&out->convert);
	return "no converter between these types";
}

struct parammap *parammap_new(const struct query *query, const ProtobufCMessageDescriptor *type,
			      struct arena *arena, const char **why)
{
	struct parammap *map = calloc(1, sizeof(*map) + query->n_params * sizeof(struct param));
	if (map == NULL) {
		*why = "out of memory";
		return NULL;
	}
	map->query = query;
	for (size_t i = 0; i < query->n_params; i++) {
		const char *what = bind_param(&map->params[i], query, i, type);
		map->n_params++;
		if (what == NULL)
			continue;
		*why = arena_printf(arena, "query %s, parameter %s of %s: %s", query->name,
				    query->params[i].name, type == NULL ? "no message" : type->name,
				    what);
		if (*why == NULL)
			*why = "a parameter does not fit its field";
		parammap_free(map);
		return NULL;
	}
	return map;
}

void parammap_free(struct parammap *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->n_params; i++)
		convert_done(&map->params[i].convert);
	free(map);
}

static enum convert_result write_text(struct convert_value *out, const char *text)
{
	if (text != NULL)
		*out = (struct convert_value){ text, (int)strlen(text) };
	return CONVERT_OK;
}

static enum convert_result write_digest(struct convert_value *out, const uint8_t *digest)
{
	if (digest != NULL)
		*out = (struct convert_value){ (const char *)digest, SHA256_BYTES };
	return CONVERT_OK;
}

static enum convert_result write_special(struct convert_value *out, const struct param *param,
					 const struct query_args *args, char *scratch)
{
	switch (param->special) {
	case QUERY_ORG:
		return convert_write_uuid(out, args->org, scratch);
	case QUERY_ACTOR:
		return convert_write_uuid(out, args->actor, scratch);
	case QUERY_SESSION:
		return convert_write_uuid(out, args->session, scratch);
	case QUERY_REQUEST_ID:
		return convert_write_uuid(out, args->request_id, scratch);
	case QUERY_PAGE_AFTER:
		return convert_write_uuid(out, args->page_after, scratch);
	case QUERY_ID:
		return convert_write_uuid(out, args->id, scratch);
	case QUERY_PERMISSION:
		return write_text(out, args->permission);
	case QUERY_EMAIL:
		return write_text(out, args->email);
	case QUERY_KIND:
		return write_text(out, args->kind);
	case QUERY_TOKEN_SHA256:
		return write_digest(out, args->token_sha256);
	case QUERY_SECRET_SHA256:
		return write_digest(out, args->secret_sha256);
	case QUERY_PAGE_LIMIT:
		return convert_write_int(out, param->oid, args->page_limit, scratch);
	case QUERY_DECISIONS:
		return convert_write_int(out, param->oid, args->decisions, scratch);
	case QUERY_VERSION:
		return convert_write_int(out, param->oid, args->version, scratch);
	default:
		return CONVERT_BAD;
	}
}

static enum convert_result write_field(struct convert_value *out, const struct param *param,
				       const ProtobufCMessage *message, char *scratch,
				       struct arena *arena)
{
	const void *owner = message;
	if (owner != NULL && param->parent != NULL)
		owner = *(void *const *)(const void *)((const char *)owner + param->parent->offset);
	if (owner == NULL)
		return CONVERT_OK;
	const struct convert *convert = &param->convert;
	const char *oneof = (const char *)owner + convert->field->quantifier_offset;
	if (param->oneof && *(const uint32_t *)(const void *)oneof != convert->field->id)
		return CONVERT_OK;
	return convert->write(out, convert, owner, scratch, arena);
}

static struct status refuse(const struct parammap *map, size_t i, enum convert_result result,
			    struct arena *arena)
{
	if (result == CONVERT_MEMORY)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "CALL_TOO_LARGE",
				   "the call needs more memory than it may have");
	const struct param *param = &map->params[i];
	const char *name = map->query->params[i].name;
	if (param->special != QUERY_FIELD)
		return status_invalid(arena, name + 1, "must be a uuid");
	const char *path = param->convert.field->name;
	if (param->parent != NULL)
		path = arena_printf(arena, "%s.%s", param->parent->name, path);
	return status_invalid(arena, path == NULL ? name : path,
			      "must be a value that can be stored");
}

struct status parammap_write(const struct parammap *map, const ProtobufCMessage *message,
			     const struct query_args *args, struct arena *arena,
			     const char **values, int *lengths)
{
	char *scratch = arena_alloc(arena, map->n_params * CONVERT_SCRATCH);
	if (scratch == NULL)
		return refuse(map, 0, CONVERT_MEMORY, arena);
	for (size_t i = 0; i < map->n_params; i++, scratch += CONVERT_SCRATCH) {
		const struct param *param = &map->params[i];
		struct convert_value value = { NULL, 0 };
		enum convert_result result =
			param->special == QUERY_FIELD
				? write_field(&value, param, message, scratch, arena)
				: write_special(&value, param, args, scratch);
		if (result != CONVERT_OK)
			return refuse(map, i, result, arena);
		values[i] = value.data;
		lengths[i] = value.len;
	}
	return STATUS_OK;
}
