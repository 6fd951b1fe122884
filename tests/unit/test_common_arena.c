#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "common/arena.h"
#include "tests/unit/tap.h"

static char order[16];

static void note(void *arg)
{
	size_t len = strlen(order);

	order[len] = *(const char *)arg;
	order[len + 1] = '\0';
}

TEST(memory_is_aligned_and_zeroed_also_after_a_reset)
{
	struct arena *arena = arena_new(1 << 20);
	struct arena_mark mark;

	for (int round = 0; round < 2; round++) {
		mark = arena_mark(arena);
		for (size_t size = 0; size < 300; size++) {
			uint8_t *p = arena_alloc(arena, size);
			bool zero = p != NULL && (uintptr_t)p % 16 == 0;

			for (size_t i = 0; zero && i < size; i++)
				zero = p[i] == 0;
			if (!CHECK(zero))
				break;
			memset(p, 0xa5, size);
		}
		arena_reset(arena, mark);
	}
	CHECK_INT(arena_used(arena), 0);
	arena_free(arena);
	arena_free(NULL);
}

TEST(nothing_is_given_beyond_the_cap)
{
	struct arena *arena = arena_new(100000);

	CHECK(arena_alloc(arena, 100001) == NULL);
	CHECK(arena_alloc(arena, SIZE_MAX) == NULL);
	CHECK(arena_alloc(arena, SIZE_MAX - 8) == NULL);
	CHECK_INT(arena_used(arena), 0);
	for (int i = 0; i < 100; i++)
		CHECK(arena_alloc(arena, 1000 - 8) != NULL);
	CHECK_INT(arena_used(arena), 99200);
	CHECK(arena_alloc(arena, 801) == NULL);
	CHECK(arena_alloc(arena, 800) != NULL);
	CHECK(arena_alloc(arena, 1) == NULL);
	CHECK(arena_strdup(arena, "x") == NULL);
	CHECK(arena_printf(arena, "%d", 1) == NULL);
	arena_free(arena);
}

TEST(a_cap_that_fits_the_sum_is_never_missed_for_lack_of_room_in_chunks)
{
	struct arena *arena = arena_new(1 << 20);

	/* Sizes that leave the ends of chunks unused. */
	for (size_t left = 1 << 20; left > 0;) {
		size_t size = left < 40000 ? left : 40000;

		if (!CHECK(arena_alloc(arena, size) != NULL))
			break;
		left -= size;
	}
	CHECK_INT(arena_used(arena), 1 << 20);
	arena_free(arena);
}

TEST(marks_nest_and_give_the_room_back)
{
	struct arena *arena = arena_new(1 << 20);
	char *kept = arena_strdup(arena, "kept");
	struct arena_mark outer = arena_mark(arena);
	struct arena_mark inner;
	size_t used = arena_used(arena);

	CHECK(arena_alloc(arena, 200000) != NULL);
	inner = arena_mark(arena);
	CHECK(arena_alloc(arena, 300000) != NULL);
	CHECK(arena_alloc(arena, 500000) != NULL);
	CHECK(arena_alloc(arena, 100000) == NULL);
	arena_reset(arena, inner);
	CHECK(arena_alloc(arena, 800000) != NULL);
	arena_reset(arena, outer);
	CHECK_INT(arena_used(arena), used);
	CHECK_STR(kept, "kept");
	arena_free(arena);
}

TEST(cleanups_run_newest_first_and_only_those_behind_the_mark)
{
	struct arena *arena = arena_new(1 << 20);
	struct arena_mark mark;

	order[0] = '\0';
	CHECK_INT(arena_cleanup(arena, note, (char[]){ "a" }), 0);
	CHECK_INT(arena_cleanup(arena, note, (char[]){ "b" }), 0);
	mark = arena_mark(arena);
	CHECK_INT(arena_cleanup(arena, note, (char[]){ "c" }), 0);
	CHECK_INT(arena_cleanup(arena, note, (char[]){ "d" }), 0);
	arena_reset(arena, mark);
	CHECK_STR(order, "dc");
	arena_free(arena);
	CHECK_STR(order, "dcba");
}

TEST(a_cleanup_without_memory_runs_at_once)
{
	struct arena *arena = arena_new(8);

	order[0] = '\0';
	CHECK_INT(arena_cleanup(arena, note, (char[]){ "x" }), -1);
	CHECK_STR(order, "x");
	arena_free(arena);
	CHECK_STR(order, "x");
}

/* A cleanup may still read what was allocated before it. */
static void read_number(void *arg)
{
	int *number = arg;

	order[0] = (char)('0' + *number);
	order[1] = '\0';
}

TEST(a_cleanup_sees_its_argument_in_the_arena)
{
	struct arena *arena = arena_new(1 << 20);
	int *number = arena_new_of(arena, int);

	*number = 7;
	CHECK_INT(arena_cleanup(arena, read_number, number), 0);
	arena_free(arena);
	CHECK_STR(order, "7");
}

TEST(texts_are_copied)
{
	struct arena *arena = arena_new(1 << 20);
	int *numbers = arena_array(arena, int, 10);

	CHECK_STR(arena_strdup(arena, ""), "");
	CHECK_STR(arena_strndup(arena, "abcdef", 3), "abc");
	CHECK_STR(arena_strndup(arena, "ab", 99), "ab");
	CHECK_STR(arena_printf(arena, "%s-%06d", "RSK", 42), "RSK-000042");
	CHECK(memcmp(arena_memdup(arena, "a\0b", 3), "a\0b", 3) == 0);
	CHECK(arena_memdup(arena, NULL, 0) != NULL);
	CHECK(numbers != NULL && numbers[9] == 0);
	arena_free(arena);
}

TEST(the_allocator_of_protobuf_c_allocates_here)
{
	struct arena *arena = arena_new(64);
	ProtobufCAllocator *allocator = arena_allocator(arena);
	void *p = allocator->alloc(allocator->allocator_data, 60);

	CHECK(p != NULL);
	CHECK_INT(arena_used(arena), 64);
	CHECK(allocator->alloc(allocator->allocator_data, 1) == NULL);
	allocator->free(allocator->allocator_data, p);
	CHECK_INT(arena_used(arena), 64);
	arena_free(arena);
}

TAP_MAIN
