/* The replies of a watch's call, see stream.h. No I/O. */
#include "client/sdk/stream.h"

#include <assert.h>
#include <string.h>

#include "client/sdk/clock.h"

enum {
	TAG_BYTES = 5,
	LEN_BYTES = 2, /* of a cursor */
	WIRE_LENGTH = 2,
};

/* --- the request ---------------------------------------------------------- */

size_t stream_cursor_room(void)
{
	return TAG_BYTES + LEN_BYTES + STREAM_CURSOR_MAX;
}

static size_t put_varint(uint8_t *out, uint32_t value)
{
	size_t n = 0;
	for (; value >= 0x80; value >>= 7) {
		out[n++] = (uint8_t)(value | 0x80);
	}
	out[n++] = (uint8_t)value;
	return n;
}

size_t stream_frame(const struct stream *stream, uint8_t *frame)
{
	size_t len = stream->base_len;
	size_t cursor_len = strlen(stream->cursor);
	uint8_t *end = frame + GRPC_PREFIX + len;
	if (stream->cursor_tag != 0 && cursor_len > 0) {
		size_t n = put_varint(end, stream->cursor_tag << 3 | WIRE_LENGTH);
		n += put_varint(end + n, (uint32_t)cursor_len);
		memcpy(end + n, stream->cursor, cursor_len);
		len += n + cursor_len;
	}
	grpc_prefix_write(frame, (uint32_t)len);
	return GRPC_PREFIX + len;
}

/* --- messages ------------------------------------------------------------- */

/* Length of the message that begins at off, with its prefix; 0 when the prefix is not
 * whole yet. false when it is none. */
static bool message_at(size_t *out, struct status *out_st, const struct stream *stream, size_t off)
{
	uint32_t len = 0;
	*out = 0;
	if (buf_len(&stream->queue) - off < GRPC_PREFIX) {
		return true;
	}
	struct status st = grpc_reply_prefix_parse(&len, buf_bytes(&stream->queue) + off);
	if (!status_ok(&st) && st.code != STATUS_CODE_RESOURCE_EXHAUSTED) {
		*out_st = status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
				      "the server's message is not framed as gRPC");
		return false;
	}
	if (!status_ok(&st) || len > STREAM_MESSAGE_MAX) {
		*out_st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
				      "a message of the server is larger than 1 MiB");
		return false;
	}
	*out = GRPC_PREFIX + (size_t)len;
	return true;
}

bool stream_add(struct status *out_st, struct stream *stream, const uint8_t *data, size_t len)
{
	if (!buf_add(&stream->queue, data, len)) {
		*out_st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				      "out of memory");
		return false;
	}
	size_t next = 0;
	while (message_at(&next, out_st, stream, stream->whole)) {
		if (next == 0 || next > buf_len(&stream->queue) - stream->whole) {
			return true;
		}
		stream->whole += next;
		stream->failures = 0;
	}
	return false;
}

void stream_cut(struct stream *stream)
{
	stream->queue.len = stream->queue.off + stream->whole;
	buf_consume(&stream->queue, 0);
}

const uint8_t *stream_peek(size_t *out_len, const struct stream *stream)
{
	struct status st;
	size_t len = 0;
	bool good = stream->whole > 0 && message_at(&len, &st, stream, 0);
	assert(good && len <= stream->whole);
	*out_len = len - GRPC_PREFIX;
	return buf_bytes(&stream->queue) + GRPC_PREFIX;
}

size_t stream_take(struct stream *stream, int64_t now_us)
{
	size_t len = 0;
	stream_peek(&len, stream);
	len += GRPC_PREFIX;
	buf_consume(&stream->queue, len);
	stream->whole -= len;
	stream->heard_us = now_us;
	return len;
}

/* --- trying again --------------------------------------------------------- */

/* Ends that another try may not have. */
static bool may_pass(const struct isms_reply *reply)
{
	enum isms_code code = isms_reply_code(reply);
	return code == ISMS_CANCELLED || code == ISMS_DEADLINE_EXCEEDED ||
	       (reply != NULL && isms_reply_retriable(reply));
}

bool stream_retry(int64_t *out_delay_us, struct stream *stream, const struct isms_reply *reply,
		  int64_t now_us)
{
	if (!may_pass(reply)) {
		return false;
	}
	if (stream->failures == 0) {
		stream->failing_us = now_us;
	}
	int64_t delay_us = clock_backoff_us(stream->failures);
	int64_t asked_ms = isms_reply_retry_after_ms(reply);
	asked_ms = asked_ms < STREAM_RETRY_MAX_MS ? asked_ms : STREAM_RETRY_MAX_MS;
	delay_us = asked_ms * 1000 > delay_us ? asked_ms * 1000 : delay_us;
	if (stream->give_up_us > 0 && now_us - stream->failing_us + delay_us > stream->give_up_us) {
		return false;
	}
	/* Beyond the longest delay it makes no difference. */
	stream->failures += stream->failures < 100;
	*out_delay_us = delay_us;
	return true;
}
