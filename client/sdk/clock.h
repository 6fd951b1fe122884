/* How long to wait before another try. */
#ifndef ISMS_SDK_CLOCK_H
#define ISMS_SDK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_FIRST_US = 100000,
	BACKOFF_MAX_US = 2000000,
};

/* How long to wait before try n + 1 (n from 0): doubles up to BACKOFF_MAX_US, less
 * up to a quarter so that clients do not come back all at once. */
int64_t clock_backoff_us(int n);

#endif
