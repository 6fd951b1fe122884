/* A unit test program: tests register themselves, run in the order of the file
 * and report in TAP. One test is one function; a failed check is reported with
 * its place and the test goes on, so that one run shows all that is wrong.
 *
 *   TEST(an_empty_name_is_refused)
 *   {
 *           CHECK(!name_valid(""));
 *           CHECK_INT(name_len("ab"), 2);
 *           CHECK_STR(name_upper("ab"), "AB");
 *   }
 *   TAP_MAIN
 *
 * The program takes the names of the tests to run; without any it runs all. */
#ifndef ISMS_TESTS_TAP_H
#define ISMS_TESTS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*run)(void);
	struct tap_test *next;
};

static struct tap_test *tap_tests;
static struct tap_test **tap_tail = &tap_tests;
static unsigned tap_failures; /* failed checks of the running test */

static inline void tap_register(struct tap_test *test)
{
	*tap_tail = test;
	tap_tail = &test->next;
}

#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void tap_register_##test_name(void)                    \
	{                                                                                          \
		static struct tap_test test = { #test_name, test_name, NULL };                     \
		tap_register(&test);                                                               \
	}                                                                                          \
	static void test_name(void)

static inline bool tap_check(bool ok, const char *file, int line, const char *text)
{
	if (!ok) {
		tap_failures++;
		printf("# %s:%d: failed: %s\n", file, line, text);
	}
	return ok;
}

static inline bool tap_check_int(long long got, long long want, const char *file, int line,
				 const char *text)
{
	if (got != want) {
		tap_failures++;
		printf("# %s:%d: %s is %lld, not %lld\n", file, line, text, got, want);
	}
	return got == want;
}

static inline bool tap_check_str(const char *got, const char *want, const char *file, int line,
				 const char *text)
{
	bool ok = got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;

	if (!ok) {
		tap_failures++;
		printf("# %s:%d: %s is \"%s\", not \"%s\"\n", file, line, text,
		       got == NULL ? "(null)" : got, want == NULL ? "(null)" : want);
	}
	return ok;
}

/* Each is an expression: whether it held. The wanted value is the second. */
#define CHECK(expr) tap_check((expr), __FILE__, __LINE__, #expr)
#define CHECK_INT(got, want)                                                                       \
	tap_check_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) tap_check_str((got), (want), __FILE__, __LINE__, #got)

static inline bool tap_wanted(const struct tap_test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], test->name) == 0)
			return true;
	}
	return argc < 2;
}

static inline int tap_main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct tap_test *test = tap_tests; test != NULL; test = test->next) {
		if (!tap_wanted(test, argc, argv))
			continue;
		tap_failures = 0;
		test->run();
		failed += tap_failures > 0;
		printf("%sok %u - %s\n", tap_failures > 0 ? "not " : "", ++n, test->name);
	}
	printf("1..%u\n", n);
	return failed > 0 || n == 0;
}

#define TAP_MAIN                                                                                   \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return tap_main(argc, argv);                                                       \
	}

#endif
