#include "common/arena.h"
#include "common/grpc.h"
#include "common/pb.h"
#include "google/rpc/status.pb-c.h"
#include "tests/unit/tap.h"

TEST(a_prefix_is_read_and_written)
{
	uint8_t prefix[GRPC_PREFIX];
	uint32_t len = 7;
	struct status st;

	grpc_prefix_write(prefix, 0x010203);
	CHECK(memcmp(prefix, "\0\0\1\2\3", GRPC_PREFIX) == 0);
	grpc_prefix_write(prefix, GRPC_MESSAGE_MAX);
	st = grpc_prefix_parse(&len, prefix);
	CHECK(status_ok(&st));
	CHECK_INT(len, GRPC_MESSAGE_MAX);
	grpc_prefix_write(prefix, GRPC_REPLY_MAX);
	st = grpc_reply_prefix_parse(&len, prefix);
	CHECK(status_ok(&st));
	CHECK_INT(len, GRPC_REPLY_MAX);
	grpc_prefix_write(prefix, GRPC_REPLY_MAX + 1);
	st = grpc_reply_prefix_parse(&len, prefix);
	CHECK_INT(st.code, STATUS_CODE_RESOURCE_EXHAUSTED);
	CHECK_INT(len, GRPC_REPLY_MAX);
}

TEST(a_bad_prefix_is_refused_and_writes_nothing)
{
	static const struct {
		uint8_t prefix[GRPC_PREFIX];
		enum status_code code;
	} bad[] = {
		{ { 1, 0, 0, 0, 1 }, STATUS_CODE_INVALID_ARGUMENT },
		{ { 2, 0, 0, 0, 1 }, STATUS_CODE_INVALID_ARGUMENT },
		{ { 255, 0, 0, 0, 1 }, STATUS_CODE_INVALID_ARGUMENT },
		{ { 0, 0, 0x10, 0, 1 }, STATUS_CODE_RESOURCE_EXHAUSTED },
		{ { 0, 255, 255, 255, 255 }, STATUS_CODE_RESOURCE_EXHAUSTED },
	};
	uint32_t len = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct status st = grpc_prefix_parse(&len, bad[i].prefix);

		CHECK_INT(st.code, bad[i].code);
		CHECK(st.reason != NULL && st.message != NULL);
	}
	CHECK_INT(len, 7);
}

TEST(timeouts_are_read)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1H", INT64_C(3600000000) },
		{ "2M", 120000000 },
		{ "10S", 10000000 },
		{ "1500m", 1500000 },
		{ "7u", 7 },
		{ "1999n", 1 },
		{ "0n", 0 },
		{ "00000001S", 1000000 },
		{ "99999999H", INT64_C(359999996400000000) },
	};
	static const char *const bad[] = { "",    "S",   "1",          "1x", "-1S",  "+1S", " 1S",
					   "1 S", "1S ", "123456789S", "1s", "0x1S", "1.5S" };
	int64_t us = -7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!grpc_timeout_parse(&us, bad[i], strlen(bad[i])));
	CHECK_INT(us, -7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK(grpc_timeout_parse(&us, good[i].text, strlen(good[i].text)));
		CHECK_INT(us, good[i].us);
	}
}

TEST(timeouts_are_written_short_and_never_longer)
{
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = {
		{ 0, "1n" },
		{ -5, "1n" },
		{ 1, "1u" },
		{ 1500, "1500u" },
		{ 250000, "250m" },
		{ 10000000, "10S" },
		{ 60000000, "1M" },
		{ INT64_C(7200000000), "2H" },
		{ 99999999, "99999999u" },
		{ 123456789, "123456m" },
		{ INT64_MAX, "99999999H" },
	};
	char text[10];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		grpc_timeout_format(text, cases[i].us);
		CHECK_STR(text, cases[i].text);
	}
	for (int64_t us = 1; us < INT64_C(4000000000000000000); us = us * 3 + 1) {
		int64_t back = 0;

		grpc_timeout_format(text, us);
		CHECK(grpc_timeout_parse(&back, text, strlen(text)));
		CHECK(back <= us && (back >= us - us / 1000 || us > INT64_C(359999996400000000)));
	}
}

TEST(messages_are_percent_encoded)
{
	char text[64], back[64];

	CHECK_INT(grpc_percent_encode(text, sizeof(text), "100% caf\xc3\xa9\n~"), 20);
	CHECK_STR(text, "100%25 caf%C3%A9%0A~");
	CHECK_INT(grpc_percent_decode(back, sizeof(back), text, strlen(text)), 12);
	CHECK_STR(back, "100% caf\xc3\xa9\n~");
}

TEST(encoded_messages_are_cut_between_escapes)
{
	char text[8];

	CHECK_INT(grpc_percent_encode(text, 6, "abcdefgh"), 5);
	CHECK_STR(text, "abcde");
	CHECK_INT(grpc_percent_encode(text, 6, "abc%d"), 3);
	CHECK_STR(text, "abc");
	CHECK_INT(grpc_percent_encode(text, 1, "abc"), 0);
	CHECK_STR(text, "");
	CHECK_INT(grpc_percent_encode(text, 0, "abc"), 0);
	CHECK_INT(grpc_percent_decode(text, 4, "%41%42%43%44", 12), 3);
	CHECK_STR(text, "ABC");
}

TEST(bad_escapes_are_left_as_they_are)
{
	char text[32];

	CHECK_INT(grpc_percent_decode(text, sizeof(text), "%zz%4%", 6), 6);
	CHECK_STR(text, "%zz%4%");
	CHECK_INT(grpc_percent_decode(text, sizeof(text), "%e2%82%AC", 9), 3);
	CHECK_STR(text, "\xe2\x82\xac");
}

TEST(base64_goes_both_ways_at_all_lengths)
{
	uint8_t data[70], back[70 * 3 / 4 + 70];
	char text[70 * 4 / 3 + 4];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 151 + 250);
	for (size_t len = 0; len <= sizeof(data); len++) {
		size_t n = grpc_base64_encode(text, data, len);

		CHECK_INT(strlen(text), n);
		CHECK_INT(n, (len * 4 + 2) / 3);
		CHECK_INT(grpc_base64_decode(back, text, n), len);
		CHECK(memcmp(back, data, len) == 0);
	}
}

TEST(base64_takes_padding_and_refuses_the_rest)
{
	static const char *const bad[] = { "A",    "AAAAA", "A===", "AA=A", "AA==AA==",
					   "A-_A", "AA A",  "====", "=",    "AA\n" };
	uint8_t out[16];

	CHECK_INT(grpc_base64_decode(out, "Zm8=", 4), 2);
	CHECK(memcmp(out, "fo", 2) == 0);
	CHECK_INT(grpc_base64_decode(out, "Zg==", 4), 1);
	CHECK_INT(grpc_base64_decode(out, "", 0), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(grpc_base64_decode(out, bad[i], strlen(bad[i])), -1);
}

TEST(a_status_keeps_its_details_on_the_way)
{
	struct arena *arena = arena_new(1 << 20), *other = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_ABORTED, "CONFLICT", "the object has moved on");
	struct status back;
	size_t len = 0;
	uint8_t *bytes;

	status_add_violation(&st, arena, "fields.title", "at most 200 characters");
	status_add_violation(&st, arena, "fields.cause", "must be given");
	status_add_pair(&st, arena, "current_version", "7");
	status_set_retry(&st, arena, 1250000);
	bytes = grpc_status_encode(&len, &st, arena);
	CHECK(bytes != NULL);
	back = grpc_status_decode(STATUS_CODE_ABORTED, "from the trailers", bytes, len, other);
	arena_free(arena);
	CHECK_INT(back.code, STATUS_CODE_ABORTED);
	CHECK_STR(back.reason, "CONFLICT");
	CHECK_STR(back.message, "from the trailers");
	CHECK_INT(back.details->n_violations, 2);
	CHECK_STR(back.details->violations[1].field, "fields.cause");
	CHECK_STR(back.details->violations[1].description, "must be given");
	CHECK_INT(back.details->n_pairs, 1);
	CHECK_STR(back.details->pairs[0].key, "current_version");
	CHECK_STR(back.details->pairs[0].value, "7");
	CHECK_INT(back.details->retry_after_us, 1250000);
	arena_free(other);
}

TEST(the_packed_status_is_that_of_google_rpc)
{
	struct arena *arena = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_NOT_FOUND, "NOT_FOUND", "no such risk");
	size_t len = 0;
	uint8_t *bytes = grpc_status_encode(&len, &st, arena);
	Google__Rpc__Status *status =
		(void *)pb_unpack(&google__rpc__status__descriptor, bytes, len, arena);

	CHECK_INT(status->code, 5);
	CHECK_STR(status->message, "no such risk");
	CHECK_INT(status->n_details, 1);
	CHECK_STR(status->details[0]->type_url, "type.googleapis.com/google.rpc.ErrorInfo");
	arena_free(arena);
}

TEST(malformed_details_are_left_out)
{
	struct arena *arena = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_INTERNAL, "BUG", "m");
	size_t len = 0;
	uint8_t *bytes = grpc_status_encode(&len, &st, arena);
	struct status back;

	for (size_t cut = 0; cut < len; cut++) {
		back = grpc_status_decode(STATUS_CODE_INTERNAL, NULL, bytes, cut, arena);
		CHECK_STR(back.reason, "INTERNAL");
	}
	CHECK_STR(back.message, "");
	back = grpc_status_decode(STATUS_CODE_INTERNAL, "m", bytes, len, arena);
	CHECK_STR(back.reason, "BUG");
	/* An Any of a known type with bytes that are not one. */
	bytes[len - 2] = 0xff;
	back = grpc_status_decode(STATUS_CODE_INTERNAL, "m", bytes, len, arena);
	CHECK_STR(back.reason, "INTERNAL");
	arena_free(arena);
}

TEST(without_memory_a_status_is_not_packed)
{
	struct arena *arena = arena_new(1 << 20);
	struct status st = status_make(STATUS_CODE_INTERNAL, "BUG", "m");
	size_t len = 0;

	for (size_t cap = 0; cap < 150; cap += 10) {
		struct arena *small = arena_new(cap);

		CHECK(grpc_status_encode(&len, &st, small) == NULL);
		arena_free(small);
	}
	CHECK(grpc_status_encode(&len, &st, arena) != NULL);
	arena_free(arena);
}

TAP_MAIN
