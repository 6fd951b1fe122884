/* Memory that lives exactly as long as one call. Chunks grow up to a hard cap;
 * nothing is freed one by one; a cleanup list owns what is not memory (a
 * PGresult). Built with ISMS_ARENA_MALLOC every object is its own malloc so that
 * a sanitizer sees overruns. An arena belongs to one thread at a time. */
#ifndef ISMS_ARENA_H
#define ISMS_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct ProtobufCAllocator;

/* Where to come back to; see arena_reset. */
struct arena_mark {
	void *chunk;
	size_t used;
	void *cleanup;
	size_t total;
};

/* An arena of at most cap bytes; NULL when the system is out of memory. Yours. */
struct arena *arena_new(size_t cap);
/* Runs the cleanups, newest first, and frees all; accepts NULL. */
void arena_free(struct arena *arena);

/* size bytes, aligned for any type, zeroed; NULL beyond the cap or out of
 * memory. Borrowed until the arena is reset or freed. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
void *arena_memdup(struct arena *arena, const void *data, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Runs fn(arg) when the arena is reset below this point or freed. 0, or -1 when
 * out of memory: then fn was run at once. */
int arena_cleanup(struct arena *arena, void (*fn)(void *arg), void *arg);

/* Marks nest; resetting to one runs the cleanups added since. */
struct arena_mark arena_mark(struct arena *arena);
void arena_reset(struct arena *arena, struct arena_mark mark);

/* Bytes handed out so far. */
size_t arena_used(const struct arena *arena);

/* Allocator for protobuf-c that allocates here and never frees. Borrowed. */
struct ProtobufCAllocator *arena_allocator(struct arena *arena);

#define arena_new_of(arena, type)   ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (n)))

#endif
