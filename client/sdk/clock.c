/* Chance, see clock.h; idempotency keys are made of it and of the time. */
#include "client/sdk/clock.h"

#include <errno.h>
#include <isms/isms.h>
#include <sys/random.h>
#include <time.h>

#include "common/uuid.h"

static int64_t wall_us(void)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* len <= 256, which the system gives whole or not at all. */
static bool fill_random(void *out, size_t len)
{
	ssize_t n;
	do {
		n = getrandom(out, len, 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

int64_t clock_backoff_us(int n)
{
	int64_t us = BACKOFF_FIRST_US;
	for (int i = 0; i < n && us < BACKOFF_MAX_US; i++) {
		us *= 2;
	}
	us = us < BACKOFF_MAX_US ? us : BACKOFF_MAX_US;
	uint16_t chance = 0;
	if (!fill_random(&chance, sizeof(chance))) {
		return us;
	}
	return us - us / 4 * chance / UINT16_MAX;
}

int isms_request_id(char out[37])
{
	uint8_t entropy[10];
	if (!fill_random(entropy, sizeof(entropy))) {
		return -1;
	}
	uuid_v7(wall_us(), entropy, out);
	return 0;
}
