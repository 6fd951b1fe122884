/* A byte buffer with a stated maximum; consumed at the front, filled at the
 * end. */
#ifndef ISMS_BUF_H
#define ISMS_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t off; /* first byte not consumed */
	size_t len; /* end of the bytes */
	size_t cap;
	size_t max;
};

/* No memory is taken until bytes are added. */
void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);

static inline size_t buf_len(const struct buf *buf)
{
	return buf->len - buf->off;
}
static inline const uint8_t *buf_bytes(const struct buf *buf)
{
	return buf->data + buf->off;
}

/* false, with nothing added, beyond max or out of memory. */
bool buf_add(struct buf *buf, const void *data, size_t len);
/* len writable bytes at the end, or NULL; commit with buf_grow. */
uint8_t *buf_reserve(struct buf *buf, size_t len);
void buf_grow(struct buf *buf, size_t len);
/* Forgets len bytes at the front; gives the memory back when empty. */
void buf_consume(struct buf *buf, size_t len);
void buf_clear(struct buf *buf);

#endif
