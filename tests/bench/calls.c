/* Lines of calls; a torn one ends the program. */
#include "tests/bench/calls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call *calls;
size_t n_calls;

void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	if (errno != 0)
		perror("load");
	ERR_print_errors_fp(stderr);
	exit(1);
}

void *must_calloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);
	if (memory == NULL)
		die("out of memory");
	return memory;
}

static int hex_digit(char c)
{
	const char *at = c == '\0' ? NULL : strchr("0123456789abcdef", c);
	return at == NULL ? -1 : (int)(at - "0123456789abcdef");
}

static void read_call(struct call *call, const char *line)
{
	const char *blank = strchr(line, ' ');
	size_t token = blank == NULL ? 0 : (size_t)(blank - line);
	if (blank == NULL || token > TOKEN_MAX)
		die("a line of the calls has no token");
	if (strncmp(line, "- ", 2) != 0)
		memcpy(call->token, line, token);
	const char *hex = blank + 1;
	size_t digits = strcspn(hex, "\n");
	if (digits % 2 != 0 || digits / 2 > MESSAGE_MAX)
		die("a message of the calls is too long or torn");
	call->len = digits / 2;
	call->message = must_calloc(call->len + 1, 1);
	for (size_t i = 0; i < call->len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			die("a message of the calls is not hexadecimal");
		call->message[i] = (uint8_t)(high << 4 | low);
	}
}

void calls_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	if (file == NULL)
		die("cannot open the calls");
	calls = must_calloc(CALLS_MAX, sizeof(*calls));
	while (n_calls < CALLS_MAX && getline(&line, &size, file) > 0)
		read_call(&calls[n_calls++], line);
	free(line);
	fclose(file);
	if (n_calls == 0)
		die("there are no calls");
}
