/* Above EXACT_US, 128 steps an octave. */
#include "tests/bench/histogram.h"

#include <stddef.h>

enum { EXACT_US = 1024, BUCKETS = 4096 };

static uint32_t histogram[BUCKETS];
static uint64_t added;

static size_t bucket_of(int64_t us)
{
	if (us < EXACT_US)
		return us < 0 ? 0 : (size_t)us;
	int octave = 63 - __builtin_clzll((uint64_t)us);
	size_t bucket =
		EXACT_US + (size_t)(octave - 10) * 128 + (size_t)((us >> (octave - 7)) & 127);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_us(size_t bucket)
{
	if (bucket < EXACT_US)
		return (double)bucket + 0.5;
	size_t octave = (bucket - EXACT_US) / 128;
	return ((double)(128 + (bucket - EXACT_US) % 128) + 0.5) * (double)(UINT64_C(8) << octave);
}

void histogram_add(int64_t us)
{
	histogram[bucket_of(us)]++;
	added++;
}

double histogram_percentile(double share)
{
	uint64_t seen = 0, wanted = (uint64_t)((double)added * share);
	for (size_t i = 0; i < BUCKETS; i++) {
		seen += histogram[i];
		if (seen > wanted)
			return bucket_us(i);
	}
	return 0;
}
