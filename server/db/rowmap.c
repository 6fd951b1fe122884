/* Columns to fields. Everything is resolved when a map is made: reading a row is
 * a loop over its columns. A sub-message exists once one of its columns is not
 * NULL. */
#include "server/db/rowmap.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/uuid.h"
#include "server/db/convert.h"
#include "server/db/slot.h"

enum { PARENTS_MAX = 12, HERE = -1 };

struct column {
	struct convert convert;
	int index;  /* in the result */
	int parent; /* in parents, or HERE */
	bool oneof;
};

struct parent {
	const ProtobufCFieldDescriptor *field;
	bool group; /* may be absent: see struct slot */
};

struct rowmap {
	const struct query *query;
	const ProtobufCMessageDescriptor *type;
	struct parent parents[PARENTS_MAX];
	int n_parents;
	size_t n_columns;
	struct column columns[];
};

/* The row being read. */
struct reading {
	const struct rowmap *map;
	ProtobufCMessage *message;
	void *subs[PARENTS_MAX];
	const struct column *missing[PARENTS_MAX]; /* a NULL that only an absent group allows */
	struct arena *arena;
};

static const char *mismatch(const struct query *query, const char *column,
			    const ProtobufCMessageDescriptor *type, const char *field,
			    const char *what, struct arena *arena)
{
	const char *line = arena_printf(arena, "query %s, column %s, field %s.%s: %s", query->name,
					column, type->name, field, what);
	return line == NULL ? "a column does not fit its field" : line;
}

static int parent_index(struct rowmap *map, const struct slot *slot)
{
	for (int i = 0; i < map->n_parents; i++)
		if (map->parents[i].field == slot->parent)
			return i;
	if (map->n_parents == PARENTS_MAX)
		return PARENTS_MAX;
	map->parents[map->n_parents] = (struct parent){ slot->parent, slot->group };
	return map->n_parents++;
}

static bool used_twice(const struct rowmap *map, const struct column *column)
{
	for (size_t i = 0; i < map->n_columns; i++)
		if (map->columns[i].parent == column->parent &&
		    map->columns[i].convert.field == column->convert.field)
			return true;
	return false;
}

/* NULL, or what does not fit. */
static const char *bind_column(struct rowmap *map, int index, const char **field)
{
	const struct query_column *from = &map->query->columns[index];
	struct column *column = &map->columns[map->n_columns];
	struct slot slot;
	*field = from->name;
	if (strcmp(from->name, "page_key") == 0)
		return NULL;
	if (!slot_find(&slot, map->type, from->name))
		return "there is no such field";
	*field = slot.field->name;
	*column = (struct column){
		.index = index,
		.parent = slot.parent == NULL ? HERE : parent_index(map, &slot),
		.oneof = (slot.field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0,
	};
	if (column->parent == PARENTS_MAX)
		return "too many sub-messages";
	enum convert_result result = convert_init(&column->convert, from->oid, slot.field);
	bool twice = result == CONVERT_OK && used_twice(map, column);
	if (result == CONVERT_OK && !twice) {
		map->n_columns++;
		return NULL;
	}
	convert_done(&column->convert);
	return twice ? "two columns for one field" : "no converter between these types";
}

struct rowmap *rowmap_new(const struct query *query, const ProtobufCMessageDescriptor *type,
			  struct arena *arena, const char **why)
{
	struct rowmap *map = calloc(1, sizeof(*map) + query->n_columns * sizeof(struct column));
	if (map == NULL) {
		*why = "out of memory";
		return NULL;
	}
	map->query = query;
	map->type = type;
	for (size_t i = 0; i < query->n_columns; i++) {
		const char *field;
		const char *what = bind_column(map, (int)i, &field);
		if (what == NULL)
			continue;
		*why = mismatch(query, query->columns[i].name, type, field, what, arena);
		rowmap_free(map);
		return NULL;
	}
	return map;
}

void rowmap_free(struct rowmap *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->n_columns; i++)
		convert_done(&map->columns[i].convert);
	free(map);
}

static struct status wrong(const struct reading *reading, const struct column *column,
			   const char *what)
{
	const struct query *query = reading->map->query;
	const char *text = arena_printf(reading->arena, "query %s, column %s: %s", query->name,
					query->columns[column->index].name, what);
	return status_make(STATUS_CODE_INTERNAL, "ROW_MISMATCH",
			   text == NULL ? "a row does not fit its message" : text);
}

static struct status no_memory(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "CALL_TOO_LARGE",
			   "the call needs more memory than it may have");
}

static void *target(struct reading *reading, const struct column *column)
{
	if (column->parent == HERE)
		return reading->message;
	void *sub = reading->subs[column->parent];
	if (sub != NULL)
		return sub;
	const ProtobufCFieldDescriptor *field = reading->map->parents[column->parent].field;
	sub = pb_new(field->descriptor, reading->arena);
	reading->subs[column->parent] = sub;
	memcpy((char *)reading->message + field->offset, &sub, sizeof(sub));
	return sub;
}

static struct status read_null(struct reading *reading, const struct column *column)
{
	if (column->convert.null_ok)
		return STATUS_OK;
	if (column->parent == HERE || !reading->map->parents[column->parent].group)
		return wrong(reading, column, "is null");
	reading->missing[column->parent] = column;
	return STATUS_OK;
}

static struct status read_value(struct reading *reading, const struct column *column,
				const char *data, int len)
{
	void *message = target(reading, column);
	if (message == NULL)
		return no_memory();
	const struct convert *convert = &column->convert;
	switch (convert->read(message, convert, data, len, reading->arena)) {
	case CONVERT_OK:
		if (column->oneof)
			*(uint32_t *)(void *)((char *)message + convert->field->quantifier_offset) =
				convert->field->id;
		return STATUS_OK;
	case CONVERT_MEMORY:
		return no_memory();
	default:
		return wrong(reading, column, "the value does not fit the field");
	}
}

struct status rowmap_read(ProtobufCMessage **out, const struct rowmap *map, const PGresult *result,
			  int row, struct arena *arena)
{
	struct reading reading = { .map = map, .arena = arena };
	reading.message = pb_new(map->type, arena);
	if (reading.message == NULL)
		return no_memory();
	for (size_t i = 0; i < map->n_columns; i++) {
		const struct column *column = &map->columns[i];
		struct status st;
		if (PQgetisnull(result, row, column->index))
			st = read_null(&reading, column);
		else
			st = read_value(&reading, column, PQgetvalue(result, row, column->index),
					PQgetlength(result, row, column->index));
		if (!status_ok(&st))
			return st;
	}
	for (int i = 0; i < map->n_parents; i++)
		if (reading.missing[i] != NULL && reading.subs[i] != NULL)
			return wrong(&reading, reading.missing[i], "is null");
	*out = reading.message;
	return STATUS_OK;
}

int rowmap_count(const PGresult *result)
{
	return PQntuples(result);
}

const char *rowmap_page_key(const PGresult *result, int row, struct arena *arena)
{
	int column = PQfnumber(result, "page_key");
	if (column < 0)
		return NULL;
	assert(PQgetlength(result, row, column) == UUID_BYTES);
	char *key = arena_alloc(arena, UUID_TEXT);
	if (key == NULL)
		abort();
	uuid_format((const uint8_t *)PQgetvalue(result, row, column), key);
	return key;
}
