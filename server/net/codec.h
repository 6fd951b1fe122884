/* HTTP/2 as the rest of the room sees it: bytes in, calls out of a handler,
 * answers in, bytes out. No sockets, no gRPC, no clock of its own. h2.c is the
 * only file that knows the library behind it; another one takes its place by
 * giving these functions. Handler functions run inside codec_receive and
 * codec_produce and may use every function of a stream, which only queue. */
#ifndef ISMS_NET_CODEC_H
#define ISMS_NET_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct codec;
struct codec_stream;

enum {
	CODEC_HEADER_LIST_MAX = 8192, /* announced; who collects the fields enforces it */
	CODEC_FIELDS_MAX = 6,         /* of one answer */
	CODEC_QUEUE_MAX = 5 << 20,    /* bytes waiting on one stream */
};

struct codec_field {
	const char *name;
	const char *value;
};

/* What the codec tells; user is what open returned. */
struct codec_handler {
	/* A request begins; NULL refuses the stream. */
	void *(*open)(void *arg, struct codec_stream *stream);
	/* One field of its head, not terminated, pseudo-headers too. */
	void (*field)(void *user, const char *name, size_t name_len, const char *value,
		      size_t value_len);
	/* The head is complete. */
	void (*head)(void *user);
	void (*data)(void *user, const uint8_t *data, size_t len);
	/* The client will send no more. */
	void (*end)(void *user);
	/* The stream is gone, answered or not; it may not be used any more. */
	void (*closed)(void *user);
};

/* Server side of one connection; its SETTINGS are queued at once. NULL when out
 * of memory. Yours; freeing it calls no handler. */
struct codec *codec_new(const struct codec_handler *handler, void *arg, unsigned streams_max);
void codec_free(struct codec *codec);

/* Takes bytes of the peer. false: the connection is to be closed once
 * codec_produce has nothing more. */
bool codec_receive(struct codec *codec, int64_t now_us, const uint8_t *data, size_t len);
/* Adds what is to be sent to out, until that holds limit bytes or more. false
 * when out of memory. */
bool codec_produce(struct codec *codec, struct buf *out, size_t limit);
/* Whether codec_produce would add something. */
bool codec_wants_write(const struct codec *codec);
/* Whether nothing is to be read or sent any more. */
bool codec_done(const struct codec *codec);
/* Whether the client's preface and first SETTINGS have come. */
bool codec_greeted(const struct codec *codec);
/* Bytes that wait on all streams. */
size_t codec_queued(const struct codec *codec);

/* Tells the client to open no more streams, still taking those on the way; the
 * second function ends that: later ones are known not to have been touched. */
void codec_notice_shutdown(struct codec *codec);
void codec_shutdown(struct codec *codec);

/* Queues bytes of the body, after the answer's head (status 200, application/grpc)
 * the first time. false beyond CODEC_QUEUE_MAX or out of memory. */
bool codec_send(struct codec_stream *stream, const void *data, size_t len);
/* Ends the answer. After codec_send the fields are trailers, else they are all
 * there is: then :status must be the first. At most CODEC_FIELDS_MAX, borrowed
 * until closed. If the client has not ended, it is told to stop sending. */
void codec_finish(struct codec_stream *stream, const struct codec_field *fields, size_t n);
/* Ends the stream without an answer: the request was malformed, or (cancel) the
 * answer finds no taker. */
void codec_reset(struct codec_stream *stream, bool cancel);
/* Whether the answer has begun, so that codec_finish sends trailers. */
bool codec_stream_answering(const struct codec_stream *stream);
/* Bytes that wait on this stream. */
size_t codec_stream_queued(const struct codec_stream *stream);

#endif
