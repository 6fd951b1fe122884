/* Byte buffers: one block that doubles up to its maximum. The bytes lie between
 * off and len; they move to the front only when the end is reached. */
#include "common/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_MIN = 512 };

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void buf_done(struct buf *buf)
{
	buf_clear(buf);
}

/* Makes the block at least need bytes. */
static bool grow_block(struct buf *buf, size_t need)
{
	size_t cap = buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;
	uint8_t *data;

	if (cap < BUF_MIN)
		cap = BUF_MIN;
	if (cap < need)
		cap = need;
	if (cap > buf->max)
		cap = buf->max;
	data = realloc(buf->data, cap);
	if (data == NULL)
		return false;
	buf->data = data;
	buf->cap = cap;
	return true;
}

uint8_t *buf_reserve(struct buf *buf, size_t len)
{
	size_t held = buf_len(buf);

	if (len == 0)
		len = 1;
	if (len > buf->max - held)
		return NULL;
	if (len > buf->cap - buf->len && buf->off > 0) {
		memmove(buf->data, buf->data + buf->off, held);
		buf->off = 0;
		buf->len = held;
	}
	if (len > buf->cap - buf->len && !grow_block(buf, held + len))
		return NULL;
	return buf->data + buf->len;
}

void buf_grow(struct buf *buf, size_t len)
{
	assert(len <= buf->cap - buf->len);
	buf->len += len;
}

bool buf_add(struct buf *buf, const void *data, size_t len)
{
	uint8_t *end;

	if (len == 0)
		return true;
	end = buf_reserve(buf, len);
	if (end == NULL)
		return false;
	memcpy(end, data, len);
	buf_grow(buf, len);
	return true;
}

void buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf_len(buf));
	buf->off += len;
	if (buf->off == buf->len)
		buf_clear(buf);
}

void buf_clear(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}
