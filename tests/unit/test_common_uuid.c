#include "common/uuid.h"
#include "tests/unit/tap.h"

TEST(canonical_text_is_read_and_written)
{
	static const char text[] = "0190a5e2-7c3d-7abc-9def-0123456789ab";
	uint8_t bytes[UUID_BYTES];
	char back[UUID_TEXT];

	CHECK(uuid_parse(text, bytes));
	CHECK_INT(bytes[0], 0x01);
	CHECK_INT(bytes[15], 0xab);
	uuid_format(bytes, back);
	CHECK_STR(back, text);
}

TEST(other_forms_are_refused_and_write_nothing)
{
	static const char *const wrong[] = {
		"",
		"0190a5e2-7c3d-7abc-9def-0123456789a",
		"0190a5e2-7c3d-7abc-9def-0123456789abc",
		"0190A5E2-7C3D-7ABC-9DEF-0123456789AB",
		"0190a5e27c3d7abc9def0123456789ab",
		"{0190a5e2-7c3d-7abc-9def-0123456789ab}",
		"0190a5e2_7c3d-7abc-9def-0123456789ab",
		"0190a5e2-7c3d-7abc-9def-0123456789ag",
		"0190a5e2-7c3d-7abc-9def0-123456789ab",
		" 190a5e2-7c3d-7abc-9def-0123456789ab",
	};
	uint8_t bytes[UUID_BYTES] = { 0x5a };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(!uuid_parse(wrong[i], bytes));
	CHECK(!uuid_parse(NULL, bytes));
	CHECK_INT(bytes[0], 0x5a);
	CHECK_INT(bytes[1], 0);
}

TEST(version_seven_holds_time_version_variant_and_entropy)
{
	static const uint8_t ones[10] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	static const uint8_t zeros[10] = { 0 };
	char text[UUID_TEXT];

	uuid_v7(INT64_C(0x0190a5e27c3d) * 1000 + 999, ones, text);
	CHECK_STR(text, "0190a5e2-7c3d-7fff-bfff-ffffffffffff");
	uuid_v7(INT64_C(0x0190a5e27c3d) * 1000, zeros, text);
	CHECK_STR(text, "0190a5e2-7c3d-7000-8000-000000000000");
	uuid_v7(0, zeros, text);
	CHECK_STR(text, "00000000-0000-7000-8000-000000000000");
}

TEST(a_later_one_sorts_behind)
{
	static const uint8_t ones[10] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	static const uint8_t zeros[10] = { 0 };
	char early[UUID_TEXT], late[UUID_TEXT];

	uuid_v7(INT64_C(1790000000000000), ones, early);
	uuid_v7(INT64_C(1790000000001000), zeros, late);
	CHECK(strcmp(early, late) < 0);
}

TAP_MAIN
