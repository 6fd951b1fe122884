/* See mono.h. In a file of its own, so that a test can stand in for the time. */
#include "common/mono.h"

#include <time.h>

int64_t mono_us(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
