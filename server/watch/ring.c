/* See ring.h. */
#include "server/watch/ring.h"

#include <assert.h>

#include "server/watch/notice.h"

void ring_reset(struct ring *ring, struct cursor at)
{
	while (ring->n > 0) {
		notice_free(ring->slots[ring->first]);
		ring->first = (ring->first + 1) % RING_MAX;
		ring->n--;
	}
	ring->from = ring->to = at;
}

void ring_add(struct ring *ring, struct notice *notice)
{
	assert(cursor_compare(notice->at, ring->to) > 0);
	if (ring->n == RING_MAX) {
		ring->from = ring->slots[ring->first]->at;
		notice_free(ring->slots[ring->first]);
		ring->first = (ring->first + 1) % RING_MAX;
		ring->n--;
	}
	ring->slots[(ring->first + ring->n++) % RING_MAX] = notice;
	ring->to = notice->at;
}

void ring_advance(struct ring *ring, struct cursor to)
{
	ring->to = cursor_later(ring->to, to);
}

const struct notice *ring_at(const struct ring *ring, size_t i)
{
	assert(i < ring->n);
	return ring->slots[(ring->first + i) % RING_MAX];
}

size_t ring_after(const struct ring *ring, struct cursor at)
{
	assert(cursor_compare(at, ring->from) >= 0);
	size_t low = 0, high = ring->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (cursor_compare(ring_at(ring, middle)->at, at) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
