#include "common/scan.h"
#include "tests/unit/tap.h"

static bool text_ok(const char *text, bool multiline)
{
	return scan_text(text, strlen(text), multiline, NULL);
}

TEST(characters_are_counted)
{
	size_t chars = 0;

	CHECK(scan_text("", 0, false, &chars));
	CHECK_INT(chars, 0);
	CHECK(scan_text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92 and some more", 28, false,
			&chars));
	CHECK_INT(chars, 22);
}

TEST(utf8_must_be_well_formed)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf5",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xfe",
		"\xff",
		"\xe2\x82",
		"\xf4\x90\x80\x80",
		"\xc3",
		"\xe2(\xa1",
		"\xf0\x9f\x94",
		"abcdefgh\xc3",
	};
	static const char *const good[] = { "\xc2\xa0",         "\xdf\xbf",        "\xe0\xa0\x80",
					    "\xed\x9f\xbf",     "\xee\x80\x80",    "\xef\xbf\xbd",
					    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbd" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!text_ok(bad[i], true));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(text_ok(good[i], false));
}

TEST(controls_and_invisible_characters_are_refused)
{
	static const char *const bad[] = {
		"\xc2\x80",     "\xc2\x85",     "\xc2\x9f",     /* C1 */
		"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", /* marks */
		"\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", /* embeddings, overrides, */
		"\xe2\x81\xa9",                                 /* isolates */
		"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", /* zero width */
		"\xe2\x81\xa0", "\xef\xbb\xbf", "\xe1\xa0\x8e", "\xf3\xa0\x81\x81",
	};
	char text[10] = "abcdefghi";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!text_ok(bad[i], true));
	/* Every ASCII character at every place of the words that are taken at once. */
	for (int c = 1; c < 128; c++) {
		bool line = c == '\t' || c == '\n' || c == '\r';
		bool plain = c >= 0x20 && c != 0x7f;

		for (size_t i = 0; i < 9; i++) {
			memcpy(text, "abcdefghi", 10);
			text[i] = (char)c;
			CHECK_INT(text_ok(text, false), plain);
			CHECK_INT(text_ok(text, true), plain || line);
		}
	}
	CHECK(!scan_text("ab\0cdefghijk", 12, true, NULL));
}

TAP_MAIN
