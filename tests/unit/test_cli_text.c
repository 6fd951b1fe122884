/* Text for terminals and files, times, hex and base64. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/text.h"
#include "client/cli/when.h"
#include "common/arena.h"
#include "tests/unit/tap.h"

static void check_escape(const char *text, enum text_mode mode, const char *want)
{
	char *got = text_escape(text, mode);
	CHECK_STR(got, want);
	free(got);
}

TEST(what_a_terminal_obeys_is_shown)
{
	check_escape("plain ü", TEXT_LINE, "plain ü");
	check_escape("a\033[2Jb", TEXT_LINE, "a\\x1b[2Jb");
	check_escape("a\nb\tc", TEXT_LINE, "a\\nb\\tc");
	check_escape("a\nb\tc\r", TEXT_BLOCK, "a\nb\tc\\x0d");
	check_escape("\xe2\x80\xae"
		     "cod.exe",
		     TEXT_LINE, "\\u{202e}cod.exe");
	check_escape("\xc2\x9b"
		     "31m",
		     TEXT_LINE, "\\u{9b}31m");
	check_escape("\xff\xfe", TEXT_LINE, "\\xff\\xfe");
	check_escape("\xed\xa0\x80", TEXT_LINE, "\\xed\\xa0\\x80");
	check_escape("\xc0\x80", TEXT_LINE, "\\xc0\\x80");
	check_escape("\xe2\x80", TEXT_LINE, "\\xe2\\x80");
}

TEST(lines_of_a_text_stand_below_each_other)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);
	text_print_lines(out, "one\n\ttwo\xff\n", 4);
	(void)fclose(out);
	CHECK_STR(got, "one\n    \\ttwo\\xff\n    \n");
	free(got);
}

static void check_csv(const char *text, const char *want)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);
	text_csv(out, text);
	(void)fclose(out);
	CHECK_STR(got, want);
	free(got);
}

TEST(a_cell_is_never_a_formula)
{
	check_csv("plain", "plain");
	check_csv("=1+1", "\"'=1+1\"");
	check_csv("+1", "\"'+1\"");
	check_csv("-1", "\"'-1\"");
	check_csv("@sum", "\"'@sum\"");
	check_csv("\tx", "\"'\tx\"");
	check_csv("\rx", "\"'\rx\"");
	check_csv("a,b", "\"a,b\"");
	check_csv("say \"x\"", "\"say \"\"x\"\"\"");
	check_csv("a\nb", "\"a\nb\"");
	check_csv("a=b", "a=b");
	check_csv("", "");
}

static void check_when(const char *text, int64_t want)
{
	int64_t us = -1;
	bool ok = when_parse(&us, text, INT64_C(1000000));
	if (!CHECK(ok == (want >= 0)))
		printf("# %s\n", text);
	if (ok)
		CHECK_INT(us, want);
}

TEST(times_are_dates_moments_or_spans)
{
	check_when("1970-01-01", INT64_C(86399000000));
	check_when("2024-02-29T00:00:00Z", INT64_C(1709164800000000));
	check_when("2024-02-29T02:00:00.5+02:00", INT64_C(1709164800500000));
	check_when("2024-02-28T22:30:00-01:30", INT64_C(1709164800000000));
	check_when("+1d", INT64_C(86401000000));
	check_when("+2w", INT64_C(1209601000000));
	check_when("2023-02-29", -1);
	check_when("2024-13-01", -1);
	check_when("2024-1-1", -1);
	check_when("2024-01-01T25:00:00Z", -1);
	check_when("2024-01-01T00:00:00", -1);
	check_when("2024-01-01T00:00:00Zx", -1);
	check_when("2024-01-01T00:00:00.Z", -1);
	check_when("+1y", -1);
	check_when("+-1d", -1);
	check_when("+99999999d", -1);
	check_when("soon", -1);
	check_when("", -1);
}

TEST(bytes_survive_base64_and_hex)
{
	struct app app = { .arena = arena_new(1 << 20) };
	uint8_t data[40], back[40], *out;
	size_t len;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof data; n++) {
		CHECK(base64_decode(&app, &out, &len, base64_encode(&app, data, n)));
		CHECK(len == n && memcmp(out, data, n) == 0);
		CHECK(hex_decode(back, n, hex_encode(&app, data, n)));
		CHECK(memcmp(back, data, n) == 0);
	}
	CHECK_STR(base64_encode(&app, (const uint8_t *)"foob", 4), "Zm9vYg==");
	CHECK(!base64_decode(&app, &out, &len, "a"));
	CHECK(!base64_decode(&app, &out, &len, "ab c"));
	CHECK(!hex_decode(back, 2, "12g4"));
	CHECK(!hex_decode(back, 2, "123"));
	arena_free(app.arena);
}

TEST(near_names_are_found_and_far_ones_are_not)
{
	CHECK_INT(text_distance("risk", "rsk"), 1);
	CHECK_INT(text_distance("", "abc"), 3);
	CHECK(text_near("titel", "title"));
	CHECK(text_near("--min", "--min-level"));
	CHECK(!text_near("x", "risk"));
	CHECK(!text_near("approve", "list"));
}

TAP_MAIN
