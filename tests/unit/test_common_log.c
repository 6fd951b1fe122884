#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/tap.h"

static char line[LOG_LINE_MAX + 1];
static size_t line_len;

__attribute__((format(printf, 1, 2))) static const char *format(const char *text, ...)
{
	va_list args;
	const char *rest;

	va_start(args, text);
	line_len = log_format(line, 0, LOG_LEVEL_INFO, "test", text, args);
	va_end(args);
	CHECK_INT(strlen(line), line_len);
	CHECK(line_len <= LOG_LINE_MAX);
	CHECK(strchr(line, '\n') == line + line_len - 1);
	line[line_len - 1] = '\0';
	rest = strstr(line, " pid=");
	rest = rest == NULL ? NULL : strchr(rest + 1, ' ');
	return rest == NULL ? "" : rest + 1;
}

TEST(a_line_names_time_level_event_and_process)
{
	char want[128];

	log_set_who("worker.2");
	format("%s", "");
	snprintf(want, sizeof(want),
		 "time=1970-01-01T00:00:00Z level=info event=test who=worker.2 pid=%d \"\"",
		 (int)getpid());
	CHECK_STR(line, want);
	CHECK_STR(format("key=%d", 1), "key=1");
	log_set_who("a name with a\nbreak that is far too long to be kept");
	format("k=%d", 1);
	CHECK(strstr(line, " who=\"a name with a\\nbreak that is far\" ") != NULL);
	log_set_who("main");
}

TEST(numbers_of_all_widths_are_written)
{
	CHECK_STR(format("a=%d b=%u c=%lld d=%llu e=%zu f=%zd", -1, 4000000000u, -5000000000ll,
			 18446744073709551615ull, (size_t)7, (ssize_t)-7),
		  "a=-1 b=4000000000 c=-5000000000 d=18446744073709551615 e=7 f=-7");
	CHECK_STR(format("a=%ld b=%lu c=%jd d=%x e=%lx", -2l, 3ul, (intmax_t)4, 0xbeefu, 255ul),
		  "a=-2 b=3 c=4 d=beef e=ff");
	CHECK_STR(format("a=%.3f b=%f c=%g", 1.23456, 0.5, 0.25), "a=1.235 b=0.500000 c=0.25");
}

TEST(plain_values_stand_bare_and_others_in_quotes)
{
	static const char *volatile nothing;

	CHECK_STR(format("peer=%s", "[::1]:7443"), "peer=[::1]:7443");
	CHECK_STR(format("a=%s b=%s", "x y", "k=v"), "a=\"x y\" b=\"k=v\"");
	CHECK_STR(format("a=%s b=%s", "", nothing), "a=\"\" b=\"\"");
	CHECK_STR(format("a=%.*s b=%.2s c=%d", 3, "abcdef", "xyz", 1), "a=abc b=xy c=1");
}

TEST(no_value_can_end_the_line_or_the_quotes)
{
	CHECK_STR(format("a=%s", "x\nlevel=error event=forged\r\t"),
		  "a=\"x\\nlevel=error event=forged\\r\\t\"");
	CHECK_STR(format("a=%s", "\" b=\"1\\"), "a=\"\\\" b=\\\"1\\\\\"");
	CHECK_STR(format("a=%s", "\x01\x1b[31m\x7f\xc3\xa9\xe2\x80\xae"),
		  "a=\"\\x01\\x1b[31m\\x7f\\xc3\\xa9\\xe2\\x80\\xae\"");
}

TEST(every_byte_comes_out_as_printable_ascii)
{
	for (int c = 1; c < 256; c++) {
		char text[4] = { 'a', (char)c, 'b', '\0' };
		const char *rest = format("v=%s", text);
		bool clean = true;

		for (const char *at = rest; *at != '\0'; at++)
			clean = clean && *at >= 0x20 && *at < 0x7f;
		CHECK(clean);
	}
}

TEST(a_long_line_is_cut_and_says_so)
{
	static char text[20000];
	const char *end = "\" truncated=true";

	memset(text, 'x', sizeof(text) - 1);
	format("a=%s b=%d", text, 1);
	CHECK(line_len <= LOG_LINE_MAX && line_len > LOG_LINE_MAX - 4);
	CHECK_STR(line + line_len - 1 - strlen(end + 1), end + 1);
	CHECK(strstr(line, "b=1") == NULL);
	/* Quoted: whole escapes, closed quotes, whatever the place of the cut. */
	for (size_t lead = 0; lead < 8; lead++) {
		memset(text, '\n', sizeof(text) - 1);
		memset(text, 'y', lead);
		format("a=%s b=%s", text, text);
		CHECK(line_len <= LOG_LINE_MAX && line_len > LOG_LINE_MAX - 8);
		CHECK_STR(line + line_len - 1 - strlen(end), end);
		CHECK(line[line_len - 1 - strlen(end) - 1] == 'n');
	}
	/* A value that ends just at the maximum, and its neighbours. */
	for (size_t len = 8050; len < 8192; len++) {
		memset(text, 'z', len);
		text[len] = '\0';
		format("a=%s", text);
		text[0] = ' ';
		format("a=%s", text);
		format("a=%s b=%s c=%d", text, text, 1);
	}
}

TEST(lines_below_the_level_are_not_written)
{
	enum log_level level = LOG_LEVEL_ERROR;
	char bytes[1024];
	int ends[2];
	ssize_t n;

	CHECK(pipe(ends) == 0);
	log_set_fd(ends[1]);
	CHECK(log_level_parse(&level, "warning"));
	CHECK(!log_level_parse(&level, "loud"));
	CHECK_INT(level, LOG_LEVEL_WARNING);
	log_set_level(level);
	CHECK(!log_enabled(LOG_LEVEL_INFO));
	log_write(LOG_LEVEL_DEBUG, "no", "k=%d", 1);
	log_write(LOG_LEVEL_INFO, "no", "k=%d", 2);
	log_write(LOG_LEVEL_ERROR, "yes", "k=%d", 3);
	close(ends[1]);
	n = read(ends[0], bytes, sizeof(bytes) - 1);
	CHECK(n > 0);
	bytes[n > 0 ? n : 0] = '\0';
	CHECK(strstr(bytes, " level=error event=yes ") != NULL);
	CHECK(strstr(bytes, " k=3\n") != NULL);
	CHECK(strstr(bytes, "event=no") == NULL);
	close(ends[0]);
	log_set_fd(2);
}

TAP_MAIN
