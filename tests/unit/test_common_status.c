#include "common/arena.h"
#include "common/status.h"
#include "tests/unit/tap.h"

TEST(an_invalid_field_is_named)
{
	struct arena *arena = arena_new(1 << 20);
	char field[] = "fields.title";
	struct status st = status_invalid(arena, field, "at most 200 characters");

	field[0] = 'X';
	CHECK(!status_ok(&st));
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.reason, "INVALID_FIELD");
	CHECK_INT(st.details->n_violations, 1);
	CHECK_STR(st.details->violations[0].field, "fields.title");
	CHECK_STR(st.details->violations[0].description, "at most 200 characters");
	arena_free(arena);
}

TEST(details_beyond_the_maximum_are_dropped)
{
	struct arena *arena = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_ABORTED, "CONFLICT", "the object has moved on");

	for (int i = 0; i < 100; i++) {
		status_add_violation(&st, arena, "field", "what");
		status_add_pair(&st, arena, "key", "value");
	}
	CHECK_INT(st.details->n_violations, STATUS_VIOLATIONS_MAX);
	CHECK_INT(st.details->n_pairs, STATUS_PAIRS_MAX);
	arena_free(arena);
}

TEST(a_copy_outlives_the_original)
{
	struct arena *first = arena_new(1 << 20), *second = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_UNAVAILABLE, arena_strdup(first, "BUSY"),
				       arena_strdup(first, "try again"));
	struct status copy;

	status_add_violation(&st, first, "a", "b");
	status_add_pair(&st, first, "version", "7");
	status_set_retry(&st, first, 250000);
	copy = status_copy(&st, second);
	arena_free(first);
	CHECK_INT(copy.code, STATUS_CODE_UNAVAILABLE);
	CHECK_STR(copy.reason, "BUSY");
	CHECK_STR(copy.message, "try again");
	CHECK_STR(copy.details->violations[0].field, "a");
	CHECK_STR(copy.details->pairs[0].key, "version");
	CHECK_STR(copy.details->pairs[0].value, "7");
	CHECK_INT(copy.details->retry_after_us, 250000);
	arena_free(second);
}

TEST(without_memory_code_and_reason_survive)
{
	struct arena *arena = arena_new(0);
	struct status st = status_invalid(arena, "title", "is required");
	struct status copy = status_copy(&st, arena);

	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.reason, "INVALID_FIELD");
	CHECK(st.details == NULL);
	CHECK_INT(copy.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(copy.reason, "");
	arena_free(arena);
}

TEST(codes_have_names_and_some_are_worth_a_retry)
{
	unsigned retriable = 0;

	CHECK_STR(status_code_name(STATUS_CODE_OK), "OK");
	CHECK_STR(status_code_name(STATUS_CODE_UNAUTHENTICATED), "UNAUTHENTICATED");
	CHECK_STR(status_code_name((enum status_code)17), "UNKNOWN");
	CHECK_STR(status_code_name((enum status_code) - 1), "UNKNOWN");
	for (int code = 0; code <= 16; code++)
		retriable += status_retriable((enum status_code)code);
	CHECK_INT(retriable, 3);
	CHECK(status_retriable(STATUS_CODE_UNAVAILABLE));
	CHECK(status_retriable(STATUS_CODE_ABORTED));
	CHECK(status_retriable(STATUS_CODE_RESOURCE_EXHAUSTED));
}

TAP_MAIN
