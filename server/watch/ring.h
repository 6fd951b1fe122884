/* The latest announcements, at most RING_MAX, in order and without a gap: all that
 * came after the cursor from, up to and with the cursor to. */
#ifndef ISMS_WATCH_RING_H
#define ISMS_WATCH_RING_H

#include <stddef.h>
#include <stdint.h>

#include "server/watch/cursor.h"

struct notice;

enum { RING_MAX = 4096 };

struct ring {
	struct cursor from, to;
	size_t first, n;
	struct notice *slots[RING_MAX];
};

/* Empties it; it goes on at a cursor. */
void ring_reset(struct ring *ring, struct cursor at);
/* Takes a notice, which comes after all that is there; the oldest may go. */
void ring_add(struct ring *ring, struct notice *notice);
/* Nothing more comes up to and with this cursor. */
void ring_advance(struct ring *ring, struct cursor to);
/* Index of the first notice after a cursor; n: there is none. The cursor is not
 * before from. */
size_t ring_after(const struct ring *ring, struct cursor at);
/* The i-th, of n. */
const struct notice *ring_at(const struct ring *ring, size_t i);

#endif
