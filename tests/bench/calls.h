/* The calls that the load generator makes, from a file with one a line: token ("-"
 * for none), blank, the message in hexadecimal. */
#ifndef ISMS_BENCH_CALLS_H
#define ISMS_BENCH_CALLS_H

#include <stddef.h>
#include <stdint.h>

enum { CALLS_MAX = 1 << 20, MESSAGE_MAX = 8192, TOKEN_MAX = 120 };

struct call {
	char token[TOKEN_MAX + 1];
	uint8_t *message;
	size_t len;
};

extern struct call *calls;
extern size_t n_calls;

/* Ends the program when the file cannot be used, or has no calls. */
void calls_read(const char *path);

/* Ends the program: says what failed, with errno and OpenSSL's errors. */
_Noreturn void die(const char *what);
/* Zeroed; ends the program when there is none. */
void *must_calloc(size_t n, size_t size);

#endif
