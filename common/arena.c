/* Arenas: a chain of chunks, newest first, each filled from its start. The cap
 * counts the bytes handed out (rounded to the alignment), not the room that
 * chunks keep in reserve, so what fits a cap fits it always.
 * With ISMS_ARENA_MALLOC a chunk holds exactly one object; the rest is the
 * same. */
#include "common/arena.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALIGN = 16,
	CHUNK_MIN = 4096 - 64, /* with its head and that of malloc, one page */
	CHUNK_MAX = 65536 - 64,
};

struct chunk {
	struct chunk *older;
	size_t size;
	size_t used;
	_Alignas(ALIGN) uint8_t data[];
};

struct cleanup {
	struct cleanup *older;
	void (*fn)(void *arg);
	void *arg;
};

struct arena {
	struct chunk *chunk;
	struct cleanup *cleanup;
	size_t total;
	size_t cap;
	ProtobufCAllocator allocator;
};

static void *allocator_alloc(void *data, size_t size)
{
	return arena_alloc(data, size);
}

static void allocator_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

struct arena *arena_new(size_t cap)
{
	struct arena *arena = malloc(sizeof(*arena));

	if (arena == NULL)
		return NULL;
	*arena = (struct arena){
		.cap = cap,
		.allocator = { .alloc = allocator_alloc,
			       .free = allocator_free,
			       .allocator_data = arena },
	};
	return arena;
}

void arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena, (struct arena_mark){ 0 });
	free(arena);
}

/* Size of the chunk to add for an object: each chunk is twice the one before,
 * but an object larger than that gets its own. */
static size_t chunk_size(const struct arena *arena, size_t need, size_t size)
{
#ifdef ISMS_ARENA_MALLOC
	(void)arena;
	(void)need;
	return size;
#else
	size_t next = arena->chunk == NULL ? CHUNK_MIN : arena->chunk->size * 2;

	(void)size;
	if (next > CHUNK_MAX)
		next = CHUNK_MAX;
	return next > need ? next : need;
#endif
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunk;
	size_t need = size == 0 ? ALIGN : (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
	uint8_t *object;

	if (need < size || need > arena->cap - arena->total)
		return NULL;
	if (chunk == NULL || chunk->size - chunk->used < need) {
		size_t room = chunk_size(arena, need, size);

		if (room > SIZE_MAX - sizeof(*chunk))
			return NULL;
		chunk = malloc(sizeof(*chunk) + room);
		if (chunk == NULL)
			return NULL;
		chunk->older = arena->chunk;
		chunk->size = room;
		chunk->used = 0;
		arena->chunk = chunk;
	}
	object = chunk->data + chunk->used;
	chunk->used = chunk->size - chunk->used < need ? chunk->size : chunk->used + need;
	arena->total += need;
	memset(object, 0, size);
	return object;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_memdup(arena, text, strlen(text) + 1);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = arena_alloc(arena, n + 1);

	if (copy != NULL)
		memcpy(copy, text, n);
	return copy;
}

void *arena_memdup(struct arena *arena, const void *data, size_t len)
{
	void *copy = arena_alloc(arena, len);

	if (copy != NULL && len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (text == NULL)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

int arena_cleanup(struct arena *arena, void (*fn)(void *arg), void *arg)
{
	struct cleanup *cleanup = arena_new_of(arena, struct cleanup);

	if (cleanup == NULL) {
		fn(arg);
		return -1;
	}
	*cleanup = (struct cleanup){ .older = arena->cleanup, .fn = fn, .arg = arg };
	arena->cleanup = cleanup;
	return 0;
}

struct arena_mark arena_mark(struct arena *arena)
{
	return (struct arena_mark){
		.chunk = arena->chunk,
		.used = arena->chunk == NULL ? 0 : arena->chunk->used,
		.cleanup = arena->cleanup,
		.total = arena->total,
	};
}

void arena_reset(struct arena *arena, struct arena_mark mark)
{
	/* All cleanups first: they may look at objects that go with the chunks. */
	while (arena->cleanup != mark.cleanup) {
		struct cleanup *cleanup = arena->cleanup;

		assert(cleanup != NULL);
		arena->cleanup = cleanup->older;
		cleanup->fn(cleanup->arg);
	}
	while (arena->chunk != mark.chunk) {
		struct chunk *chunk = arena->chunk;

		assert(chunk != NULL);
		arena->chunk = chunk->older;
		free(chunk);
	}
	if (arena->chunk != NULL)
		arena->chunk->used = mark.used;
	arena->total = mark.total;
}

size_t arena_used(const struct arena *arena)
{
	return arena->total;
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
	return &arena->allocator;
}
