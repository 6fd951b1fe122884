/* Whether the log of announcements is read and its horizon moves: what does not go on is
 * told in the log, once when that begins and once when it is over. */
#ifndef ISMS_WATCH_PROGRESS_H
#define ISMS_WATCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* A horizon that stands for so long below what has begun is told of. */
enum { PROGRESS_STANDS_US = 10 * 1000000 };

/* All zero at the beginning. */
struct progress {
	bool follow_fails, missed_fails;
	int64_t horizon;  /* as last seen */
	int64_t since_us; /* when it came there, or nothing was above it */
	bool held;        /* told of */
};

/* How a read of all streams, or of one that is behind, has ended. */
void progress_followed(struct progress *progress, const struct status *st);
void progress_missed(struct progress *progress, const struct status *st);

/* The horizon and what has begun at most, as a read has seen them. true, once: it has
 * stood still for PROGRESS_STANDS_US; who holds it is to be asked for and told of. */
bool progress_horizon(struct progress *progress, int64_t horizon, int64_t ahead, int64_t now_us);
/* holder: empty when nobody knows. */
void progress_held(const struct progress *progress, const char *holder);

#endif
