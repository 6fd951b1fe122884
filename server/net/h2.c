/* The codec on libnghttp2. Nothing is sent from inside callbacks: they queue, and
 * codec_produce drains. Window credit is given for every byte as it is handed
 * on, since messages are bounded above. What the library does not bound is
 * counted here: resets that we send and empty DATA frames; beyond the limits the
 * connection ends with ENHANCE_YOUR_CALM. Field texts go to the library uncopied,
 * which the borrowing rule of codec_finish allows. */
#include "server/net/codec.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/buf.h"

enum {
	SETTINGS_MAX = 16,
	CONTINUATIONS_MAX = 4,
	OUTBOUND_ACKS_MAX = 100,
	CONNECTION_WINDOW = 1 << 20,
	EMPTY_DATA_MAX = 50, /* a stream */
	/* Resets by the client. Every cancelled call and every expired deadline of a
	 * gRPC client is one, so that a busy gateway sends hundreds a second; what
	 * they cost us is bounded by the calls in flight, not by this. */
	CLIENT_RESETS_BURST = 1000,
	CLIENT_RESETS_PER_S = 100,
	/* Resets by us: an honest client causes none. */
	SERVER_RESETS_BURST = 100,
	SERVER_RESETS_PER_S = 10,
};

TAILQ_HEAD(codec_streams, codec_stream);

struct codec_stream {
	TAILQ_ENTRY(codec_stream) link;
	struct codec *codec;
	void *user;
	int32_t id;
	unsigned empty_data;
	bool malformed;   /* its head, or it was reset */
	bool client_done; /* END_STREAM has come */
	bool answering;   /* head of the answer queued */
	bool finishing;   /* codec_finish was called */
	bool deferred;    /* the library waits for codec_send */
	struct buf out;
	struct codec_field trailers[CODEC_FIELDS_MAX];
	size_t n_trailers;
};

struct codec {
	nghttp2_session *session;
	const struct codec_handler *handler;
	void *arg;
	struct codec_streams streams;
	size_t queued;
	bool greeted;
	bool broken;
	int64_t now_us;
	int64_t resets_us;   /* time of the last reset by us */
	int64_t resets_debt; /* resets by us not yet forgiven, in millionths */
};

static void calm_down(struct codec *codec)
{
	nghttp2_session_terminate_session(codec->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* --- callbacks ------------------------------------------------------------ */

static bool is_request(const nghttp2_frame *frame)
{
	return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct codec *codec = arg;
	if (!is_request(frame)) {
		return 0;
	}
	struct codec_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	stream->codec = codec;
	stream->id = frame->hd.stream_id;
	buf_init(&stream->out, CODEC_QUEUE_MAX);
	stream->user = codec->handler->open(codec->arg, stream);
	if (stream->user == NULL) {
		free(stream);
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	TAILQ_INSERT_TAIL(&codec->streams, stream, link);
	nghttp2_session_set_stream_user_data(session, stream->id, stream);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	(void)flags;
	const struct codec *codec = arg;
	struct codec_stream *stream =
		nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream != NULL && is_request(frame)) {
		codec->handler->field(stream->user, (const char *)name, name_len,
				      (const char *)value, value_len);
	}
	return 0;
}

/* Left alone the library would only drop the field. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
			     const uint8_t *name, size_t name_len, const uint8_t *value,
			     size_t value_len, uint8_t flags, void *arg)
{
	(void)name, (void)name_len, (void)value, (void)value_len, (void)flags, (void)arg;
	struct codec_stream *stream =
		nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream != NULL) {
		stream->malformed = true;
	}
	return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
			 size_t len, void *arg)
{
	(void)flags;
	const struct codec *codec = arg;
	struct codec_stream *stream = nghttp2_session_get_stream_user_data(session, id);
	if (stream != NULL && !stream->malformed) {
		codec->handler->data(stream->user, data, len);
	}
	return nghttp2_session_consume(session, id, len) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void stream_frame(struct codec_stream *stream, const nghttp2_frame *frame)
{
	const struct codec_handler *handler = stream->codec->handler;
	bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	if (frame->hd.type == NGHTTP2_DATA && frame->hd.length == 0 && !end &&
	    ++stream->empty_data > EMPTY_DATA_MAX) {
		calm_down(stream->codec);
		return;
	}
	stream->client_done = end;
	if (stream->malformed) {
		codec_reset(stream, false);
		return;
	}
	if (is_request(frame)) {
		handler->head(stream->user);
	}
	if (end && !stream->malformed) {
		handler->end(stream->user);
	}
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct codec *codec = arg;
	if (frame->hd.type == NGHTTP2_SETTINGS) {
		codec->greeted = true;
	}
	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) {
		return 0;
	}
	struct codec_stream *stream =
		nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream != NULL) {
		stream_frame(stream, frame);
	}
	return 0;
}

/* A reset by us that the client has provoked. */
static void count_reset(struct codec *codec)
{
	int64_t forgiven = (codec->now_us - codec->resets_us) * SERVER_RESETS_PER_S;
	codec->resets_us = codec->now_us;
	codec->resets_debt = codec->resets_debt > forgiven ? codec->resets_debt - forgiven : 0;
	codec->resets_debt += 1000000;
	if (codec->resets_debt > (int64_t)SERVER_RESETS_BURST * 1000000) {
		calm_down(codec);
	}
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct codec *codec = arg;
	if (frame->hd.type == NGHTTP2_RST_STREAM &&
	    frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
	    frame->rst_stream.error_code != NGHTTP2_CANCEL) {
		count_reset(codec);
		return 0;
	}
	if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
		return 0;
	}
	const struct codec_stream *stream =
		nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream != NULL && !stream->client_done) {
		return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id,
						 NGHTTP2_NO_ERROR);
	}
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	(void)error;
	struct codec *codec = arg;
	struct codec_stream *stream = nghttp2_session_get_stream_user_data(session, id);
	if (stream == NULL) {
		return 0;
	}
	nghttp2_session_set_stream_user_data(session, id, NULL);
	TAILQ_REMOVE(&codec->streams, stream, link);
	codec->handler->closed(stream->user);
	codec->queued -= buf_len(&stream->out);
	buf_done(&stream->out);
	free(stream);
	return 0;
}

/* --- session -------------------------------------------------------------- */

static nghttp2_option *session_options(void)
{
	nghttp2_option *option = NULL;
	if (nghttp2_option_new(&option) != 0) {
		return NULL;
	}
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_settings(option, SETTINGS_MAX);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
	nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(option, CLIENT_RESETS_BURST,
						   CLIENT_RESETS_PER_S);
	return option;
}

static bool session_new(struct codec *codec)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = session_options();
	if (option == NULL || nghttp2_session_callbacks_new(&callbacks) != 0) {
		nghttp2_option_del(option);
		return false;
	}
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	int rv = nghttp2_session_server_new2(&codec->session, callbacks, codec, option);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return rv == 0;
}

struct codec *codec_new(const struct codec_handler *handler, void *arg, unsigned streams_max)
{
	struct codec *codec = calloc(1, sizeof(*codec));
	if (codec == NULL) {
		return NULL;
	}
	TAILQ_INIT(&codec->streams);
	codec->handler = handler;
	codec->arg = arg;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, CODEC_HEADER_LIST_MAX },
	};
	if (!session_new(codec) ||
	    nghttp2_submit_settings(codec->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])) != 0 ||
	    nghttp2_session_set_local_window_size(codec->session, NGHTTP2_FLAG_NONE, 0,
						  CONNECTION_WINDOW) != 0) {
		codec_free(codec);
		return NULL;
	}
	return codec;
}

void codec_free(struct codec *codec)
{
	if (codec == NULL) {
		return;
	}
	nghttp2_session_del(codec->session);
	struct codec_stream *stream;
	while ((stream = TAILQ_FIRST(&codec->streams)) != NULL) {
		TAILQ_REMOVE(&codec->streams, stream, link);
		buf_done(&stream->out);
		free(stream);
	}
	free(codec);
}

bool codec_receive(struct codec *codec, int64_t now_us, const uint8_t *data, size_t len)
{
	codec->now_us = now_us;
	if (!codec->broken && nghttp2_session_mem_recv(codec->session, data, len) < 0) {
		codec->broken = true;
	}
	return !codec->broken && nghttp2_session_want_read(codec->session);
}

bool codec_produce(struct codec *codec, struct buf *out, size_t limit)
{
	while (buf_len(out) < limit) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(codec->session, &data);
		if (n == 0) {
			break;
		}
		if (n < 0 || !buf_add(out, data, (size_t)n)) {
			return false;
		}
	}
	return true;
}

bool codec_wants_write(const struct codec *codec)
{
	return nghttp2_session_want_write(codec->session) != 0;
}

bool codec_done(const struct codec *codec)
{
	return !codec_wants_write(codec) &&
	       (codec->broken || !nghttp2_session_want_read(codec->session));
}

bool codec_greeted(const struct codec *codec)
{
	return codec->greeted;
}

size_t codec_queued(const struct codec *codec)
{
	return codec->queued;
}

void codec_notice_shutdown(struct codec *codec)
{
	nghttp2_submit_shutdown_notice(codec->session);
}

void codec_shutdown(struct codec *codec)
{
	nghttp2_submit_goaway(codec->session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(codec->session),
			      NGHTTP2_NO_ERROR, NULL, 0);
}

/* --- streams -------------------------------------------------------------- */

static size_t fields_fill(nghttp2_nv out[CODEC_FIELDS_MAX], const struct codec_field *fields,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = (nghttp2_nv){
			.name = (uint8_t *)(uintptr_t)fields[i].name,
			.namelen = strlen(fields[i].name),
			.value = (uint8_t *)(uintptr_t)fields[i].value,
			.valuelen = strlen(fields[i].value),
			.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
		};
	}
	return n;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *data, size_t cap,
			 uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct codec *codec = arg;
	struct codec_stream *stream = source->ptr;
	size_t len = buf_len(&stream->out);
	if (len == 0 && !stream->finishing) {
		stream->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	len = len < cap ? len : cap;
	if (len > 0) {
		memcpy(data, buf_bytes(&stream->out), len);
		buf_consume(&stream->out, len);
		codec->queued -= len;
	}
	if (buf_len(&stream->out) == 0 && stream->finishing) {
		nghttp2_nv fields[CODEC_FIELDS_MAX];
		size_t n = fields_fill(fields, stream->trailers, stream->n_trailers);
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (nghttp2_submit_trailer(session, id, fields, n) != 0) {
			return NGHTTP2_ERR_CALLBACK_FAILURE;
		}
	}
	return (ssize_t)len;
}

static void stream_resume(struct codec_stream *stream)
{
	if (stream->deferred) {
		stream->deferred = false;
		nghttp2_session_resume_data(stream->codec->session, stream->id);
	}
}

bool codec_send(struct codec_stream *stream, const void *data, size_t len)
{
	static const struct codec_field head[] = {
		{ ":status", "200" },
		{ "content-type", "application/grpc" },
	};
	if (!buf_add(&stream->out, data, len)) {
		return false;
	}
	stream->codec->queued += len;
	if (stream->answering) {
		stream_resume(stream);
		return true;
	}
	nghttp2_nv fields[CODEC_FIELDS_MAX];
	size_t n = fields_fill(fields, head, sizeof(head) / sizeof(head[0]));
	nghttp2_data_provider provider = { .source.ptr = stream, .read_callback = read_body };
	stream->answering = true;
	return nghttp2_submit_response(stream->codec->session, stream->id, fields, n, &provider) ==
	       0;
}

void codec_finish(struct codec_stream *stream, const struct codec_field *fields, size_t n)
{
	stream->finishing = true;
	if (stream->answering) {
		memcpy(stream->trailers, fields, n * sizeof(*fields));
		stream->n_trailers = n;
		stream_resume(stream);
		return;
	}
	nghttp2_nv all[CODEC_FIELDS_MAX];
	stream->answering = true;
	nghttp2_submit_response(stream->codec->session, stream->id, all,
				fields_fill(all, fields, n), NULL);
}

void codec_reset(struct codec_stream *stream, bool cancel)
{
	stream->malformed = true;
	nghttp2_submit_rst_stream(stream->codec->session, NGHTTP2_FLAG_NONE, stream->id,
				  cancel ? NGHTTP2_CANCEL : NGHTTP2_PROTOCOL_ERROR);
}

bool codec_stream_answering(const struct codec_stream *stream)
{
	return stream->answering;
}

size_t codec_stream_queued(const struct codec_stream *stream)
{
	return buf_len(&stream->out);
}
