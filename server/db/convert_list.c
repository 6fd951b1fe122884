/* The binary format of an array: number of dimensions, whether it has NULLs, type
 * of the elements, then per dimension length and lower bound, then each element
 * as length and bytes. An empty array has no dimension. A NULL element is a
 * mistake of the statement. */
#include "server/db/convert_list.h"

#include <limits.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/uuid.h"

enum { HEAD = 12, DIMENSION = 8 };

static int32_t get32(const char *data)
{
	const uint8_t *bytes = (const uint8_t *)data;
	return (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			 (uint32_t)bytes[2] << 8 | bytes[3]);
}

static void set_list(void *message, const struct convert *convert, char **list, size_t n)
{
	*(char ***)(void *)((char *)message + convert->field->offset) = list;
	*(size_t *)(void *)((char *)message + convert->field->quantifier_offset) = n;
}

static size_t get_list(const void *message, const struct convert *convert, char *const **list)
{
	*list = *(char *const *const *)(const void *)((const char *)message +
						      convert->field->offset);
	return *(const size_t *)(const void *)((const char *)message +
					       convert->field->quantifier_offset);
}

typedef char *(*element_fn)(const char *data, size_t len, struct arena *arena);

static char *uuid_element(const char *data, size_t len, struct arena *arena)
{
	char *text = len == UUID_BYTES ? arena_alloc(arena, UUID_TEXT) : NULL;
	if (text != NULL)
		uuid_format((const uint8_t *)data, text);
	return text;
}

static char *text_element(const char *data, size_t len, struct arena *arena)
{
	return arena_strndup(arena, data, len);
}

static enum convert_result read_list(void *message, const struct convert *convert, const char *data,
				     int len, struct arena *arena, element_fn element)
{
	if (len < HEAD)
		return CONVERT_BAD;
	int32_t dimensions = get32(data);
	if (dimensions == 0)
		return CONVERT_OK;
	if (dimensions != 1 || len < HEAD + DIMENSION)
		return CONVERT_BAD;
	int32_t n = get32(data + HEAD);
	if (n < 0 || n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	char **list = arena_array(arena, char *, (size_t)n);
	if (list == NULL)
		return CONVERT_MEMORY;
	int at = HEAD + DIMENSION;
	for (int32_t i = 0; i < n; i++) {
		int32_t size = len - at >= 4 ? get32(data + at) : -1;
		at += 4;
		if (size < 0 || size > len - at)
			return CONVERT_BAD;
		list[i] = element(data + at, (size_t)size, arena);
		if (list[i] == NULL)
			return CONVERT_MEMORY;
		at += size;
	}
	set_list(message, convert, list, (size_t)n);
	return CONVERT_OK;
}

enum convert_result convert_read_uuids(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena)
{
	return read_list(message, convert, data, len, arena, uuid_element);
}

enum convert_result convert_read_texts(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena)
{
	return read_list(message, convert, data, len, arena, text_element);
}

static void put_head(char *out, size_t n, uint32_t oid)
{
	convert_put32(out, n == 0 ? 0 : 1);
	convert_put32(out + 4, 0);
	convert_put32(out + 8, oid);
	if (n == 0)
		return;
	convert_put32(out + HEAD, (uint32_t)n);
	convert_put32(out + HEAD + 4, 1);
}

/* Room for n elements of size bytes in all, with the head written. */
static char *new_list(struct convert_value *out, size_t n, size_t size, uint32_t oid,
		      struct arena *arena)
{
	size_t len = (n == 0 ? (size_t)HEAD : HEAD + DIMENSION) + 4 * n + size;
	char *data = len > INT_MAX ? NULL : arena_alloc(arena, len);
	if (data == NULL)
		return NULL;
	put_head(data, n, oid);
	*out = (struct convert_value){ data, (int)len };
	return data + (len < HEAD + DIMENSION ? HEAD : HEAD + DIMENSION);
}

enum convert_result convert_write_uuids(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	char *const *list;
	size_t n = get_list(message, convert, &list);
	if (n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	char *at = new_list(out, n, n * UUID_BYTES, OID_UUID, arena);
	if (at == NULL)
		return CONVERT_MEMORY;
	for (size_t i = 0; i < n; i++) {
		convert_put32(at, UUID_BYTES);
		if (!uuid_parse(list[i], (uint8_t *)at + 4))
			return CONVERT_BAD;
		at += 4 + UUID_BYTES;
	}
	return CONVERT_OK;
}

enum convert_result convert_write_texts(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	char *const *list;
	size_t n = get_list(message, convert, &list), size = 0;
	if (n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	for (size_t i = 0; i < n; i++)
		size += strlen(list[i]);
	uint32_t oid = convert->oid == OID_VARCHAR_ARRAY ? OID_VARCHAR : OID_TEXT;
	char *at = new_list(out, n, size, oid, arena);
	if (at == NULL)
		return CONVERT_MEMORY;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);
		convert_put32(at, (uint32_t)len);
		memcpy(at + 4, list[i], len);
		at += 4 + len;
	}
	return CONVERT_OK;
}

static uint64_t get64(const char *data)
{
	return (uint64_t)(uint32_t)get32(data) << 32 | (uint32_t)get32(data + 4);
}

enum convert_result convert_read_longs(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena)
{
	const int size = 4 + (int)sizeof(int64_t);
	if (len < HEAD || get32(data) > 1)
		return CONVERT_BAD;
	if (get32(data) == 0)
		return CONVERT_OK;
	int32_t n = len < HEAD + DIMENSION ? -1 : get32(data + HEAD);
	if (n < 0 || n > CONVERT_ELEMENTS_MAX || len != HEAD + DIMENSION + n * size)
		return CONVERT_BAD;
	int64_t *list = arena_array(arena, int64_t, (size_t)n);
	if (list == NULL)
		return CONVERT_MEMORY;
	for (int32_t i = 0; i < n; i++) {
		const char *at = data + HEAD + DIMENSION + i * size;
		if (get32(at) != (int32_t)sizeof(int64_t))
			return CONVERT_BAD;
		list[i] = (int64_t)get64(at + 4);
	}
	*(int64_t **)(void *)((char *)message + convert->field->offset) = list;
	*(size_t *)(void *)((char *)message + convert->field->quantifier_offset) = (size_t)n;
	return CONVERT_OK;
}

enum convert_result convert_write_longs(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	const int64_t *list =
		*(int64_t *const *)(const void *)((const char *)message + convert->field->offset);
	size_t n = *(const size_t *)(const void *)((const char *)message +
						   convert->field->quantifier_offset);
	if (n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	char *at = new_list(out, n, n * sizeof(int64_t), OID_INT8, arena);
	if (at == NULL)
		return CONVERT_MEMORY;
	for (size_t i = 0; i < n; i++) {
		convert_put32(at, sizeof(int64_t));
		convert_put64(at + 4, (uint64_t)list[i]);
		at += 4 + sizeof(int64_t);
	}
	return CONVERT_OK;
}

enum convert_result convert_read_enums(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena)
{
	if (len < HEAD || get32(data) > 1)
		return CONVERT_BAD;
	if (get32(data) == 0)
		return CONVERT_OK;
	int32_t n = len < HEAD + DIMENSION ? -1 : get32(data + HEAD);
	if (n < 0 || n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	int32_t *list = arena_array(arena, int32_t, (size_t)n);
	if (list == NULL)
		return CONVERT_MEMORY;
	int at = HEAD + DIMENSION;
	for (int32_t i = 0; i < n; i++) {
		int32_t size = len - at >= 4 ? get32(data + at) : -1;
		at += 4;
		if (size < 0 || size > len - at ||
		    !pb_enum_value(&list[i], convert->field->descriptor, data + at, (size_t)size))
			return CONVERT_BAD;
		at += size;
	}
	*(int32_t **)(void *)((char *)message + convert->field->offset) = list;
	*(size_t *)(void *)((char *)message + convert->field->quantifier_offset) = (size_t)n;
	return CONVERT_OK;
}

enum convert_result convert_write_enums(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena)
{
	(void)scratch;
	const int32_t *list =
		*(int32_t *const *)(const void *)((const char *)message + convert->field->offset);
	size_t n = *(const size_t *)(const void *)((const char *)message +
						   convert->field->quantifier_offset);
	size_t size = 0;
	if (n > CONVERT_ELEMENTS_MAX)
		return CONVERT_BAD;
	for (size_t i = 0; i < n; i++) {
		const char *name = pb_enum_short(convert->field->descriptor, list[i]);
		if (name == NULL)
			return CONVERT_BAD;
		size += strlen(name);
	}
	char *at = new_list(out, n, size, OID_TEXT, arena);
	if (at == NULL)
		return CONVERT_MEMORY;
	for (size_t i = 0; i < n; i++) {
		const char *name = pb_enum_short(convert->field->descriptor, list[i]);
		size_t len = strlen(name);
		convert_put32(at, (uint32_t)len);
		memcpy(at + 4, name, len);
		at += 4 + len;
	}
	return CONVERT_OK;
}
