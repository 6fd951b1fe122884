/* The server's own clock: asks the database every now and then what is due and has
 * it recorded, a few calls at a time. Nothing depends on it for being right, several
 * servers may run one, and it waits while the database is away. The time is the
 * database's; this process only counts how long it waits. */
#ifndef ISMS_SERVER_CLOCK_H
#define ISMS_SERVER_CLOCK_H

#include <stdint.h>

struct clock;
struct engine;
struct event_base;

enum { CLOCK_CALLS_MAX = 4 };

/* Every interval_us; must be more than 0. NULL when out of memory. Yours. */
struct clock *clock_new(struct event_base *base, struct engine *engine, int64_t interval_us);
/* Starts nothing any more; NULL does nothing. */
void clock_stop(struct clock *clock);
/* Once the loop does not run any more. */
void clock_free(struct clock *clock);

#endif
