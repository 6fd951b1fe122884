/* The replies of a watch's call: bytes as they came, whole messages first, that wait
 * to be taken; the request, made anew with the newest cursor for each try; and how
 * long it has been failing. What waits is bounded by the window of HTTP/2, which is
 * given back only as messages are taken. */
#ifndef ISMS_SDK_STREAM_H
#define ISMS_SDK_STREAM_H

#include <isms/isms.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/grpc.h"
#include "common/status.h"

enum {
	STREAM_WINDOW = GRPC_REPLY_MAX + (64 << 10), /* of HTTP/2, also of other calls */
	/* The window grows again once half of it was taken: a message that needed more
	 * than the other half could never come whole. */
	STREAM_MESSAGE_MAX = 1 << 20,
	STREAM_CURSOR_MAX = 256,
	STREAM_RETRY_MAX_MS = 60000,
};

struct stream {
	struct buf queue; /* prefixes and messages */
	size_t whole;     /* bytes of queue that are whole messages */
	int64_t heard_us; /* when something came last, or was taken */
	int64_t quiet_us; /* longest silence of a try; 0: without limit */
	int64_t give_up_us;
	int64_t failing_us;  /* when the first of the failures came */
	int failures;        /* since the last message */
	uint32_t cursor_tag; /* of the request's field; 0: there is none */
	char cursor[STREAM_CURSOR_MAX + 1];
	size_t base_len; /* of the request without its cursor */
};

/* Room that the cursor takes in a request, at most. */
size_t stream_cursor_room(void);
/* Puts the cursor after the request of base_len bytes that begins behind the prefix of
 * frame; length of it all. */
size_t stream_frame(const struct stream *stream, uint8_t *frame);

/* Bytes of the server. *out_st is set, and false returned, when they cannot be
 * messages. */
bool stream_add(struct status *out_st, struct stream *stream, const uint8_t *data, size_t len);
/* The try is over: what is not whole is forgotten. */
void stream_cut(struct stream *stream);
static inline bool stream_waits(const struct stream *stream)
{
	return stream->whole > 0;
}
/* The oldest message that waits; there is one. */
const uint8_t *stream_peek(size_t *out_len, const struct stream *stream);
/* Forgets it; how many bytes of the window that gives back. */
size_t stream_take(struct stream *stream, int64_t now_us);

/* Whether to try again after this end of a try, and how long from now. */
bool stream_retry(int64_t *out_delay_us, struct stream *stream, const struct isms_reply *reply,
		  int64_t now_us);

#endif
