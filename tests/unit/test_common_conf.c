#include <stdlib.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/conf.h"
#include "tests/unit/tap.h"

struct settings {
	const char *listen;
	const char *config;
	int64_t workers;
	bool embedded;
	bool strict;
	int64_t drain;
	int64_t body;
	int64_t offset;
};

static const struct conf_row rows[] = {
	{ CONF_AT(struct settings, listen), .name = "listen", .type = CONF_STRING,
	  .fallback = "127.0.0.1:7443", .min = 1, .max = 64, .help = "address and port" },
	{ CONF_AT(struct settings, config), .name = "config", .type = CONF_STRING,
	  .help = "file of settings" },
	{ CONF_AT(struct settings, workers), .name = "workers", .type = CONF_INT, .fallback = "2",
	  .unit = "processes", .min = 0, .max = 64, .help = "worker processes; 0 | in front" },
	{ CONF_AT(struct settings, embedded), .name = "embedded", .type = CONF_BOOL,
	  .help = "keep a database of its own" },
	{ CONF_AT(struct settings, strict), .name = "strict", .type = CONF_BOOL, .fallback = "yes",
	  .help = "refuse what is not known" },
	{ CONF_AT(struct settings, drain), .name = "drain", .type = CONF_DURATION,
	  .fallback = "10s", .unit = "s", .min = CONF_SECOND, .max = 300 * CONF_SECOND,
	  .help = "time for running calls to end" },
	{ CONF_AT(struct settings, body), .name = "max-request-body-size", .type = CONF_SIZE,
	  .fallback = "1MiB", .unit = "KiB", .min = CONF_KIB, .max = 64 * CONF_MIB,
	  .help = "largest message" },
	{ CONF_AT(struct settings, offset), .name = "offset", .type = CONF_INT,
	  .help = "a number without bounds" },
};

static const struct conf_table table = CONF_TABLE(rows);

static struct settings s;
static struct arena *arena;

static void begin(void)
{
	struct status st;

	arena = arena_new(1 << 20);
	memset(&s, 0xa5, sizeof(s));
	st = conf_defaults(&s, &table, arena);
	CHECK(status_ok(&st));
}

/* Message of a status, "" when all is well. */
static const char *message(struct status st)
{
	if (status_ok(&st))
		return "";
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.reason, "INVALID_SETTING");
	return st.message;
}

static const char *parse(const char *text)
{
	return message(conf_parse(&s, &table, "isms.conf", text, strlen(text), arena));
}

static const char *set(const char *name, const char *value)
{
	return message(conf_set(&s, &table, name, value, arena));
}

TEST(defaults_fill_all_members)
{
	begin();
	CHECK_STR(s.listen, "127.0.0.1:7443");
	CHECK_STR(s.config, "");
	CHECK_INT(s.workers, 2);
	CHECK(!s.embedded && s.strict);
	CHECK_INT(s.drain, 10000000);
	CHECK_INT(s.body, 1048576);
	CHECK_INT(s.offset, 0);
	arena_free(arena);
}

static const char *check_row(struct conf_row row)
{
	struct conf_row two[2] = { rows[0], row };
	struct conf_table wrong = { two, 2 };

	return message(conf_defaults(&s, &wrong, arena));
}

TEST(a_wrong_table_is_refused)
{
	begin();
	CHECK_STR(check_row(rows[0]), "table of settings: listen is there twice");
	CHECK_STR(check_row((struct conf_row){ .name = "Bad", .help = "h" }),
		  "table of settings: Bad is not a name");
	CHECK_STR(check_row((struct conf_row){
			  .name = "t", .type = CONF_DURATION, .help = "h", .unit = "KiB" }),
		  "table of settings: t has no known unit");
	CHECK_STR(check_row((struct conf_row){
			  .name = "n", .type = CONF_INT, .help = "h", .min = 2, .max = 1 }),
		  "table of settings: n lacks help or has its bounds swapped");
	CHECK_STR(check_row((struct conf_row){ CONF_AT(struct settings, workers), .name = "n",
					       .type = CONF_INT, .help = "h", .min = 1, .max = 5,
					       .fallback = "6" }),
		  "default: n must be a number, from 1 to 5");
	arena_free(arena);
}

TEST(durations_and_sizes_have_units)
{
	begin();
	CHECK_STR(set("drain", "1500ms"), "");
	CHECK_INT(s.drain, 1500000);
	CHECK_STR(set("drain", "2 m"), "");
	CHECK_INT(s.drain, 120000000);
	CHECK_STR(set("drain", "30"), "");
	CHECK_INT(s.drain, 30000000);
	CHECK_STR(set("max-request-body-size", "64"), "");
	CHECK_INT(s.body, 65536);
	CHECK_STR(set("max-request-body-size", "2MiB"), "");
	CHECK_INT(s.body, 2097152);
	arena_free(arena);
}

TEST(wrong_values_are_refused_and_change_nothing)
{
	static const char *const wrong[] = { "",
					     "s",
					     "-1s",
					     "1.5s",
					     "0",
					     "301s",
					     "6m",
					     "1 d",
					     "1KiB",
					     "10ss",
					     "ten",
					     "1s ",
					     "+5s",
					     "9223372036854775807s",
					     "99999999999999999999" };

	begin();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_STR(set("drain", wrong[i]), "setting: drain must be a duration such as "
						  "500ms, 30s or 5m, from 1s to 5m");
	CHECK_INT(s.drain, 10000000);
	CHECK_STR(set("workers", "65"), "setting: workers must be a number, from 0 to 64");
	CHECK_STR(set("workers", "2s"), "setting: workers must be a number, from 0 to 64");
	CHECK_STR(set("embedded", "maybe"), "setting: embedded must be true or false");
	CHECK_STR(set("listen", ""), "setting: listen must be a text, from 1 to 64 bytes");
	CHECK_STR(set("colour", "red"), "setting: colour is not known");
	CHECK_STR(set("offset", "-9223372036854775808"), "");
	CHECK_INT(s.offset, INT64_MIN);
	CHECK_STR(set("offset", "9223372036854775808"), "setting: offset must be a number");
	arena_free(arena);
}

TEST(a_file_is_read_line_by_line)
{
	begin();
	CHECK_STR(parse("# settings\n"
			"\n"
			"  listen =  0.0.0.0:1 # not a comment \t\r\n"
			"workers=4\n"
			"\tembedded = on\n"
			"   # indented\n"
			"strict = off\n"
			"config ="),
		  "");
	CHECK_STR(s.listen, "0.0.0.0:1 # not a comment");
	CHECK_INT(s.workers, 4);
	CHECK(s.embedded && !s.strict);
	CHECK_STR(s.config, "");
	CHECK_STR(parse(""), "");
	arena_free(arena);
}

TEST(errors_name_file_and_line)
{
	begin();
	CHECK_STR(parse("workers = 1\n\nlisten\n"), "isms.conf:3: expected name = value");
	CHECK_STR(parse("workers = 1\ncolour = red"), "isms.conf:2: colour is not a setting");
	CHECK_STR(parse("= 1"), "isms.conf:1: is not a setting");
	CHECK_STR(parse("work ers = 1"), "isms.conf:1: work ers is not a setting");
	CHECK_STR(parse("workers = 1\nworkers = 2"), "isms.conf:2: workers is given twice");
	CHECK_STR(parse("\n\nworkers = 100"),
		  "isms.conf:3: workers must be a number, from 0 to 64");
	CHECK_STR(parse("a\x1b[31m = 1"), "isms.conf:1: a?[31m is not a setting");
	CHECK_STR(message(conf_parse(&s, &table, "f", "listen = a\0b", 12, arena)),
		  "f:1: listen must be a text, from 1 to 64 bytes");
	arena_free(arena);
}

static int arguments(const char **what, char *const *argv)
{
	int next = 1, argc = 0;

	while (argv[argc] != NULL)
		argc++;
	*what = message(conf_arguments(&next, &s, &table, argc, argv, arena));
	return next;
}

#define ARGV(...) ((char *const[]){ (char[]){ "ismsd" }, __VA_ARGS__, NULL })

TEST(arguments_are_taken_in_both_forms)
{
	const char *what;

	begin();
	CHECK_INT(arguments(&what, ARGV("--workers", "3", "--listen=[::]:1", "--embedded",
					"--strict=no", "serve", "--workers", "9")),
		  6);
	CHECK_STR(what, "");
	CHECK_INT(s.workers, 3);
	CHECK_STR(s.listen, "[::]:1");
	CHECK(s.embedded && !s.strict);
	CHECK_INT(arguments(&what, ARGV("--workers=5", "--", "--workers=6")), 3);
	CHECK_INT(s.workers, 5);
	CHECK_INT(arguments(&what, ARGV("-x")), 1);
	CHECK_INT(arguments(&what, ARGV("--offset", "-5")), 3);
	CHECK_INT(s.offset, -5);
	CHECK_INT(arguments(&what, ARGV("--listen=a=b")), 2);
	CHECK_STR(s.listen, "a=b");
	arena_free(arena);
}

TEST(wrong_arguments_are_refused)
{
	const char *what;

	begin();
	CHECK_INT(arguments(&what, ARGV("--colour=red")), 1);
	CHECK_STR(what, "argument: --colour is not known");
	arguments(&what, ARGV("--work", "1"));
	CHECK_STR(what, "argument: --work is not known");
	arguments(&what, ARGV("--workers"));
	CHECK_STR(what, "argument: workers needs a value");
	arguments(&what, ARGV("--workers=x"));
	CHECK_STR(what, "argument: workers must be a number, from 0 to 64");
	arguments(&what, ARGV("--embedded=2"));
	CHECK_STR(what, "argument: embedded must be true or false");
	arena_free(arena);
}

TEST(arguments_prevail_over_the_file_and_the_file_over_defaults)
{
	char path[] = "/tmp/test_common_conf.XXXXXX";
	static const char text[] = "workers = 7\ndrain = 20s\n";
	int fd = mkstemp(path), next = 1;
	struct status st;

	begin();
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK_STR(message(conf_file(&s, &table, path, arena)), "");
	CHECK_INT(s.workers, 7);
	CHECK_STR(message(conf_arguments(&next, &s, &table, 3, ARGV("--workers=8", "go"), arena)),
		  "");
	CHECK_INT(next, 2);
	CHECK_INT(s.workers, 8);
	CHECK_INT(s.drain, 20000000);
	CHECK_INT(s.body, 1048576);
	close(fd);
	unlink(path);
	st = conf_file(&s, &table, path, arena);
	CHECK_INT(st.code, STATUS_CODE_NOT_FOUND);
	CHECK_STR(st.reason, "CONFIG_FILE");
	arena_free(arena);
}

TEST(a_file_that_is_too_long_is_refused)
{
	char path[] = "/tmp/test_common_conf.XXXXXX";
	int fd = mkstemp(path);
	static char text[CONF_FILE_MAX + 1];

	begin();
	memset(text, '\n', sizeof(text));
	CHECK(fd >= 0 && write(fd, text, CONF_FILE_MAX) == CONF_FILE_MAX);
	CHECK_STR(message(conf_file(&s, &table, path, arena)), "");
	CHECK(write(fd, text, 1) == 1);
	CHECK(strstr(message(conf_file(&s, &table, path, arena)), "is longer than 64 KiB") != NULL);
	close(fd);
	unlink(path);
	arena_free(arena);
}

/* What a printer prints for the table. */
static const char *printed(void (*print)(FILE *out, const struct conf_table *table))
{
	static char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");

	print(out, &table);
	fclose(out);
	return text;
}

TEST(help_and_documentation_are_read_off_the_table)
{
	const char *text = printed(conf_print_help);

	CHECK(strstr(text, "  --drain duration            time for running calls to end; 1s to 5m "
			   "(default 10s)\n") != NULL);
	CHECK(strstr(text, "  --embedded                  keep a database of its own\n") != NULL);
	CHECK(strstr(text, "  --max-request-body-size size\n                              largest "
			   "message; 1KiB to 64MiB (default 1MiB)\n") != NULL);
	text = printed(conf_print_documentation);
	CHECK(strstr(text, "| `workers` | number | `2` | 0 to 64 | processes | worker processes; 0 "
			   "\\| in front |\n") != NULL);
	CHECK(strstr(text, "| `config` | text |  |  |  | file of settings |\n") != NULL);
}

TAP_MAIN
