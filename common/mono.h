/* The clock that never jumps. */
#ifndef ISMS_MONO_H
#define ISMS_MONO_H

#include <stdint.h>

/* Microseconds of the monotonic clock: for deadlines, timers and ages, the same for
 * all processes of this machine until it is started again. */
int64_t mono_us(void);

#endif
