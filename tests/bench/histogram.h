/* Latencies: exact to the microsecond below EXACT_US, then within 1 %. */
#ifndef ISMS_BENCH_HISTOGRAM_H
#define ISMS_BENCH_HISTOGRAM_H

#include <stdint.h>

void histogram_add(int64_t us);
/* Microseconds that this share (0 to 1) of what was added did not exceed. */
double histogram_percentile(double share);

#endif
