/* Watches, see isms.h. The call of a watch sits among those of its client and ends only
 * for good; between its tries it waits like any other, but not before all messages
 * were taken: so the cursor of the last one taken is that of the last one received. */
#include <isms/isms.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

#include "client/sdk/call.h"
#include "client/sdk/client.h"
#include "client/sdk/reply.h"
#include "client/sdk/session.h"
#include "client/sdk/stream.h"
#include "common/arena.h"
#include "common/mono.h"
#include "common/pb.h"

struct isms_watch {
	struct isms_client *client; /* NULL after it was freed */
	struct call *call;          /* NULL when it has ended */
	const ProtobufCMessageDescriptor *response;
	struct stream stream;
	struct isms_reply *end; /* why it has ended, until that is told */
	bool told;
};

static void watch_ended(void *arg, struct isms_reply *reply)
{
	struct isms_watch *watch = arg;
	watch->call = NULL;
	watch->end = reply;
}

static void watch_orphan(void *arg)
{
	struct isms_watch *watch = arg;
	watch->call = NULL;
	watch->client = NULL;
	watch->told = true;
}

/* --- opening -------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *cursor_field(const ProtobufCMessageDescriptor *type)
{
	const ProtobufCFieldDescriptor *field = pb_field(type, "cursor");
	return field != NULL && field->type == PROTOBUF_C_TYPE_STRING &&
			       field->label != PROTOBUF_C_LABEL_REPEATED
		       ? field
		       : NULL;
}

/* false when the options are not usable. */
static bool read_options(struct stream *stream, const struct isms_watch_options *options)
{
	struct isms_watch_options given = ISMS_WATCH_OPTIONS_INIT;
	if (options != NULL) {
		if (options->size < sizeof(options->size)) {
			return false;
		}
		memcpy(&given, options,
		       options->size < sizeof(given) ? options->size : sizeof(given));
	}
	if (given.quiet_ms < 0 || given.quiet_ms > INT32_MAX || given.give_up_ms < 0 ||
	    given.give_up_ms > INT32_MAX) {
		return false;
	}
	stream->quiet_us = given.quiet_ms * 1000;
	stream->give_up_us = given.give_up_ms * 1000;
	return true;
}

/* The request without its cursor, which goes into the stream: itself or a shallow copy
 * in the arena. NULL when out of memory or when the cursor is too long. */
static const ProtobufCMessage *without_cursor(struct stream *stream,
					      const ProtobufCMessage *request, struct arena *arena)
{
	const ProtobufCFieldDescriptor *field = cursor_field(request->descriptor);
	if (field == NULL) {
		return request;
	}
	const char *cursor = pb_string(request, "cursor");
	size_t len = strnlen(cursor, STREAM_CURSOR_MAX + 1);
	ProtobufCMessage *copy = arena_memdup(arena, request, request->descriptor->sizeof_message);
	if (copy == NULL || len > STREAM_CURSOR_MAX) {
		return NULL;
	}
	memcpy(stream->cursor, cursor, len + 1);
	stream->cursor_tag = field->id;
	*(const char **)pb_member(copy, field) = protobuf_c_empty_string;
	return copy;
}

/* Turns a call that was made of the request without cursor into one of the watch. */
static bool adopt(struct isms_watch *watch, struct call *call)
{
	if (!call->ended) {
		uint8_t *frame = arena_alloc(call->arena, call->frame_len + stream_cursor_room());
		if (frame == NULL) {
			return false;
		}
		memcpy(frame, call->frame, call->frame_len);
		watch->stream.base_len = call->frame_len - GRPC_PREFIX;
		explicit_bzero(call->frame, call->frame_len);
		call->frame = frame;
	}
	call->stream = &watch->stream;
	call->deadline_us = INT64_MAX;
	call->done = watch_ended;
	call->orphan = watch_orphan;
	call->arg = watch;
	watch->call = call;
	return true;
}

static struct call *make_call(struct isms_watch *watch, const char *method,
			      const ProtobufCMessage *request)
{
	struct call *call = NULL;
	struct arena *arena = arena_new(STREAM_MESSAGE_MAX);
	const ProtobufCMessage *base = request;
	if (arena != NULL && request != NULL) {
		base = without_cursor(&watch->stream, request, arena);
	}
	if (arena != NULL && (base != NULL || request == NULL)) {
		call = call_new(method, base, watch->response, &watch->client->config, NULL,
				mono_us());
	}
	arena_free(arena);
	if (call != NULL && !adopt(watch, call)) {
		call_free(call);
		return NULL;
	}
	return call;
}

struct isms_watch *isms_watch_open(struct isms_client *client, const char *method,
				   const struct ProtobufCMessage *request,
				   const struct ProtobufCMessageDescriptor *response,
				   const struct isms_watch_options *options)
{
	struct isms_watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		return NULL;
	}
	buf_init(&watch->stream.queue, STREAM_WINDOW);
	watch->client = client;
	watch->response = response;
	struct call *call = NULL;
	if (read_options(&watch->stream, options)) {
		call = make_call(watch, method, request);
	}
	if (call == NULL || !client_add(client, call)) {
		call_free(call);
		free(watch);
		return NULL;
	}
	return watch;
}

void isms_watch_close(struct isms_watch *watch)
{
	if (watch == NULL) {
		return;
	}
	if (watch->call != NULL) {
		isms_call_cancel(watch->client, watch->call->id);
	}
	buf_done(&watch->stream.queue);
	isms_reply_free(watch->end);
	free(watch);
}

const char *isms_watch_cursor(const struct isms_watch *watch)
{
	return watch->stream.cursor;
}

/* --- messages ------------------------------------------------------------- */

/* Ends the watch over a message that is none. */
static void give_up(struct isms_watch *watch)
{
	if (watch->call != NULL) {
		isms_call_cancel(watch->client, watch->call->id);
	}
	watch->call = NULL;
	watch->told = true;
	watch->stream.whole = 0;
	buf_clear(&watch->stream.queue);
}

/* Takes over the message's cursor, if it has one; false for one that is too long. */
static bool keep_cursor(struct stream *stream, const ProtobufCMessage *message)
{
	if (stream->cursor_tag == 0 || cursor_field(message->descriptor) == NULL) {
		return true;
	}
	const char *cursor = pb_string(message, "cursor");
	size_t len = strnlen(cursor, STREAM_CURSOR_MAX + 1);
	if (len > STREAM_CURSOR_MAX) {
		return false;
	}
	if (len > 0) {
		memcpy(stream->cursor, cursor, len + 1);
	}
	return true;
}

/* Gives the oldest message out; there is one. */
static int take(struct isms_watch *watch, struct isms_reply **out)
{
	struct stream *stream = &watch->stream;
	size_t len = 0;
	const uint8_t *data = stream_peek(&len, stream);
	struct isms_reply *reply = reply_message(watch->response, data, len, "");
	*out = reply;
	if (isms_reply_code(reply) == ISMS_RESOURCE_EXHAUSTED) {
		return -1; /* out of memory: it stays where it is */
	}
	if (isms_reply_code(reply) != ISMS_OK) {
		give_up(watch);
		return -1;
	}
	if (!keep_cursor(stream, isms_reply_message(reply))) {
		struct status st = status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
					       "the server's cursor is too long");
		isms_reply_free(reply);
		*out = reply_failed(&st, true, "");
		give_up(watch);
		return -1;
	}
	size_t taken = stream_take(stream, mono_us());
	if (watch->call != NULL && watch->call->conn != NULL) {
		session_taken(watch->call->conn, watch->call, taken);
	}
	return 1;
}

static int tell_end(struct isms_watch *watch, struct isms_reply **out)
{
	if (!watch->told && watch->call == NULL) {
		*out = watch->end;
		watch->end = NULL;
		watch->told = true;
		return -1;
	}
	struct status st = status_make(STATUS_CODE_CANCELLED, "WATCH_ENDED", "the watch has ended");
	*out = reply_failed(&st, true, "");
	return -1;
}

/* Waits for a turn, not beyond end_us (-1: without limit); false when there is no more
 * waiting. */
static bool wait_turn(const struct isms_client *client, int64_t end_us)
{
	int64_t left_ms = -1;
	if (end_us >= 0) {
		int64_t left_us = end_us - mono_us();
		if (left_us <= 0) {
			return false;
		}
		left_ms = (left_us + 999) / 1000;
		left_ms = left_ms < INT32_MAX ? left_ms : INT32_MAX;
	}
	return client_wait(client, (int)left_ms) > 0;
}

int isms_watch_next(struct isms_watch *watch, int64_t timeout_ms, struct isms_reply **reply)
{
	struct isms_client *client = watch->client;
	int64_t end_us = -1;
	*reply = NULL;
	if (timeout_ms >= 0) {
		end_us = timeout_ms < INT32_MAX ? mono_us() + timeout_ms * 1000 : -1;
	}
	/* What waits needs no turn; neither does an end. */
	if (stream_waits(&watch->stream)) {
		return take(watch, reply);
	}
	if (watch->call == NULL) {
		return tell_end(watch, reply);
	}
	client_enter(client);
	isms_client_process(client);
	while (watch->call != NULL && !stream_waits(&watch->stream) && !client->doomed &&
	       wait_turn(client, end_us)) {
		isms_client_process(client);
	}
	int rc = 0;
	if (stream_waits(&watch->stream)) {
		rc = take(watch, reply);
	} else if (watch->call == NULL || client->doomed) {
		rc = tell_end(watch, reply);
	}
	client_leave(client);
	return rc;
}
