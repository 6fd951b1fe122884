/* One call, see call.h. What may be repeated is decided in one place, may_repeat:
 * a call that the server has surely not seen always may; one that it may have
 * seen only if that does no harm, since it reads or carries an idempotency key. */
#include "client/sdk/call.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "client/sdk/clock.h"
#include "client/sdk/reply.h"
#include "client/sdk/stream.h"
#include "common/arena.h"
#include "common/grpc.h"
#include "common/pb.h"

enum { CALL_ARENA_MAX = GRPC_MESSAGE_MAX + (256 << 10) };

static const struct status out_of_memory = {
	.code = STATUS_CODE_RESOURCE_EXHAUSTED,
	.reason = "OUT_OF_MEMORY",
	.message = "out of memory",
};

/* Names of methods that change nothing begin so. A name that is missing here only
 * costs a repeat after a lost connection. */
static const char *const read_verbs[] = { "Check", "Find", "Get", "Inbox", "List", "WhoAmI" };

static void set_ended(struct call *call, struct isms_reply *reply)
{
	call->conn = NULL;
	call->ended = true;
	call->reply = reply;
}

static void end_failed(struct call *call, enum status_code code, const char *reason,
		       const char *message)
{
	struct status st = status_make(code, reason, message);
	set_ended(call, reply_failed(&st, true, call->request_id));
}

/* --- the request ---------------------------------------------------------- */

/* "/package.Service/Method"; where Method begins, or NULL. */
static const char *method_name(const char *method)
{
	if (method == NULL || method[0] != '/' ||
	    strnlen(method, CALL_METHOD_MAX) == CALL_METHOD_MAX) {
		return NULL;
	}
	for (const char *c = method; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~') {
			return NULL;
		}
	}
	const char *slash = strchr(method + 1, '/');
	return slash != NULL && slash > method + 1 && slash[1] != '\0' &&
			       strchr(slash + 1, '/') == NULL
		       ? slash + 1
		       : NULL;
}

static bool is_read(const char *name)
{
	for (size_t i = 0; i < sizeof(read_verbs) / sizeof(read_verbs[0]); i++) {
		if (strncmp(name, read_verbs[i], strlen(read_verbs[i])) == 0) {
			return true;
		}
	}
	return false;
}

static const ProtobufCFieldDescriptor *plain_field(const ProtobufCMessageDescriptor *type,
						   const char *name, ProtobufCType kind)
{
	const ProtobufCFieldDescriptor *field = pb_field(type, name);
	return field != NULL && field->type == kind && field->label != PROTOBUF_C_LABEL_REPEATED &&
			       (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0
		       ? field
		       : NULL;
}

/* The key for a request that has none: the caller's or a fresh one. */
static char *make_key(const struct call *call, const char *wanted)
{
	char fresh[37] = "";
	if (wanted == NULL || *wanted == '\0') {
		if (isms_request_id(fresh) != 0) {
			return NULL;
		}
		wanted = fresh;
	}
	return arena_strdup(call->arena, wanted);
}

/* The request with its idempotency key: itself, or a copy (of no more than is
 * changed) in the call's arena. NULL when out of memory. */
static const ProtobufCMessage *with_key(struct call *call, const ProtobufCMessage *request,
					const char *wanted)
{
	const ProtobufCMessageDescriptor *type = request->descriptor;
	const ProtobufCFieldDescriptor *field =
		plain_field(type, "mutation", PROTOBUF_C_TYPE_MESSAGE);
	const ProtobufCFieldDescriptor *key =
		field != NULL ? plain_field(field->descriptor, "request_id", PROTOBUF_C_TYPE_STRING)
			      : NULL;
	if (key == NULL) {
		return request;
	}
	call->keyed = true;
	ProtobufCMessage *mutation = pb_sub(request, "mutation");
	const char *given = mutation != NULL ? pb_string(mutation, "request_id") : "";
	if (*given != '\0') {
		call->request_id = arena_strdup(call->arena, given);
		return call->request_id != NULL ? request : NULL;
	}
	const ProtobufCMessageDescriptor *mutation_type = field->descriptor;
	mutation = mutation != NULL
			   ? arena_memdup(call->arena, mutation, mutation_type->sizeof_message)
			   : pb_new(mutation_type, call->arena);
	ProtobufCMessage *copy = arena_memdup(call->arena, request, type->sizeof_message);
	char *text = make_key(call, wanted);
	if (mutation == NULL || copy == NULL || text == NULL) {
		return NULL;
	}
	*(char **)pb_member(mutation, key) = text;
	*(ProtobufCMessage **)pb_member(copy, field) = mutation;
	call->request_id = text;
	return copy;
}

/* false when out of memory; a request that is too large ends the call. */
static bool pack(struct call *call, const ProtobufCMessage *request, const char *wanted_key)
{
	const ProtobufCMessage *message = with_key(call, request, wanted_key);
	if (message == NULL) {
		call->request_id = "";
		return false;
	}
	size_t len = protobuf_c_message_get_packed_size(message);
	if (len > GRPC_MESSAGE_MAX) {
		end_failed(call, STATUS_CODE_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
			   "the request is larger than 1 MiB");
		return true;
	}
	uint8_t *frame = arena_alloc(call->arena, GRPC_PREFIX + len);
	if (frame == NULL) {
		return false;
	}
	grpc_prefix_write(frame, (uint32_t)len);
	protobuf_c_message_pack(message, frame + GRPC_PREFIX);
	call->frame = frame;
	call->frame_len = GRPC_PREFIX + len;
	return true;
}

struct call *call_new(const char *method, const ProtobufCMessage *request,
		      const ProtobufCMessageDescriptor *response, const struct config *config,
		      const struct isms_call_options *options, int64_t now_us)
{
	struct call *call = calloc(1, sizeof(*call));
	if (call == NULL) {
		return NULL;
	}
	buf_init(&call->details, CALL_DETAILS_MAX);
	buf_init(&call->data, GRPC_PREFIX + GRPC_REPLY_MAX);
	call->request_id = "";
	call->response = response;
	call->not_before_us = now_us;
	call->arena = arena_new(CALL_ARENA_MAX);
	const char *name = method_name(method);
	struct call_config wanted;
	if (call->arena == NULL) {
		call_free(call);
		return NULL;
	}
	if (name == NULL || request == NULL || response == NULL) {
		end_failed(call, STATUS_CODE_INVALID_ARGUMENT, "BAD_CALL",
			   "the method, the request or the reply's type is missing");
		return call;
	}
	if (!call_config_init(&wanted, config, options)) {
		end_failed(call, STATUS_CODE_INVALID_ARGUMENT, "BAD_OPTIONS",
			   "the options of the call are not valid");
		return call;
	}
	call->read = is_read(name);
	call->retries = wanted.retries;
	call->deadline_us = now_us + wanted.timeout_us;
	call->method = arena_strdup(call->arena, method);
	if (call->method == NULL || !pack(call, request, wanted.request_id)) {
		call_free(call);
		return NULL;
	}
	call->read = call->read && !call->keyed;
	return call;
}

void call_free(struct call *call)
{
	if (call == NULL) {
		return;
	}
	/* Requests carry passwords. */
	if (call->frame != NULL) {
		explicit_bzero(call->frame, call->frame_len);
	}
	arena_free(call->arena);
	buf_done(&call->details);
	buf_done(&call->data);
	isms_reply_free(call->reply);
	free(call);
}

/* --- a try ---------------------------------------------------------------- */

void call_sent(struct call *call, struct conn *conn, int32_t stream_id, int64_t now_us)
{
	call->conn = conn;
	call->stream_id = stream_id;
	call->sent_us = now_us;
	if (call->stream != NULL) {
		call->stream->heard_us = now_us;
		call->frame_len = stream_frame(call->stream, call->frame);
	}
	call->frame_off = 0;
	call->http_status = 0;
	call->grpc_status = -1;
	call->message_len = 0;
	call->data_want = 0;
	buf_clear(&call->details);
	buf_clear(&call->data);
}

bool call_uploaded(const struct call *call)
{
	return call->frame_off == call->frame_len;
}

static bool name_is(const char *name, size_t len, const char *other)
{
	return len == strlen(other) && memcmp(name, other, len) == 0;
}

/* A number of up to three digits, or -1. */
static int small_number(const char *text, size_t len)
{
	int n = 0;
	if (len == 0 || len > 3) {
		return -1;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return -1;
		}
		n = n * 10 + (text[i] - '0');
	}
	return n;
}

void call_header(struct call *call, const char *name, size_t name_len, const char *value,
		 size_t value_len)
{
	if (name_is(name, name_len, ":status")) {
		call->http_status = small_number(value, value_len);
	} else if (name_is(name, name_len, "grpc-status")) {
		int code = small_number(value, value_len);
		call->grpc_status = code >= 0 && code <= STATUS_CODE_UNAUTHENTICATED
					    ? code
					    : STATUS_CODE_UNKNOWN;
	} else if (name_is(name, name_len, "grpc-message")) {
		call->message_len = value_len < CALL_MESSAGE_MAX ? value_len : CALL_MESSAGE_MAX - 1;
		memcpy(call->message, value, call->message_len);
	} else if (name_is(name, name_len, "grpc-status-details-bin")) {
		/* Details that do not fit or find no memory are left out, never cut. */
		buf_clear(&call->details);
		buf_add(&call->details, value, value_len);
	}
}

/* Reads the prefix as soon as it is there. */
static bool take_prefix(struct status *out_st, struct call *call)
{
	uint32_t len = 0;
	struct status st = grpc_reply_prefix_parse(&len, buf_bytes(&call->data));
	if (!status_ok(&st)) {
		*out_st = st.code == STATUS_CODE_RESOURCE_EXHAUSTED
				  ? status_make(st.code, "MESSAGE_TOO_LARGE",
						"the server's reply is larger than 4 MiB")
				  : status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
						"the server's reply is not framed as gRPC");
		return false;
	}
	call->data_want = GRPC_PREFIX + (size_t)len;
	return true;
}

bool call_data(struct status *out_st, struct call *call, const uint8_t *data, size_t len)
{
	if (call->stream != NULL) {
		return stream_add(out_st, call->stream, data, len);
	}
	if (call->data_want == 0) {
		size_t missing = GRPC_PREFIX - buf_len(&call->data);
		size_t take = len < missing ? len : missing;
		if (!buf_add(&call->data, data, take)) {
			*out_st = out_of_memory;
			return false;
		}
		if (buf_len(&call->data) < GRPC_PREFIX) {
			return true;
		}
		if (!take_prefix(out_st, call)) {
			return false;
		}
		data += take;
		len -= take;
	}
	if (len > call->data_want - buf_len(&call->data)) {
		*out_st = status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
				      "the server sent more than one message");
		return false;
	}
	if (len > 0 && !buf_add(&call->data, data, len)) {
		*out_st = out_of_memory;
		return false;
	}
	return true;
}

/* --- the end of a try ----------------------------------------------------- */

static bool may_repeat(const struct call *call, const struct isms_reply *reply,
		       enum call_reach reach)
{
	enum isms_code code = isms_reply_code(reply);
	bool harmless = call->read || call->keyed;
	if (reply == NULL || call->tries >= call->retries || !isms_reply_retriable(reply)) {
		return false;
	}
	switch (reach) {
	case CALL_NOT_SEEN:
		return code == ISMS_UNAVAILABLE;
	case CALL_MAYBE_SEEN:
		return harmless && code == ISMS_UNAVAILABLE;
	case CALL_ANSWERED:
		return harmless &&
		       (code == ISMS_UNAVAILABLE || isms_reply_retry_after_ms(reply) > 0);
	}
	return false;
}

/* Takes the end of a watch's try. */
static void settle_stream(struct call *call, struct isms_reply *reply, int64_t now_us)
{
	int64_t delay_us = 0;
	stream_cut(call->stream);
	if (!stream_retry(&delay_us, call->stream, reply, now_us)) {
		set_ended(call, reply);
		return;
	}
	call->not_before_us = now_us + delay_us;
	isms_reply_free(reply);
}

/* Takes the reply of a try: the call waits for another one, or ends with it. */
static void settle(struct call *call, struct isms_reply *reply, enum call_reach reach,
		   int64_t now_us)
{
	call->conn = NULL;
	if (call->stream != NULL) {
		settle_stream(call, reply, now_us);
		return;
	}
	call->maybe_seen = call->maybe_seen || reach == CALL_MAYBE_SEEN;
	if (may_repeat(call, reply, reach)) {
		/* A connection that broke under a call is most often just old. */
		int64_t delay_us = reach != CALL_ANSWERED && call->tries == 0
					   ? 0
					   : clock_backoff_us(call->tries);
		int64_t asked_ms = isms_reply_retry_after_ms(reply);
		if (asked_ms < INT64_MAX / 4000 && asked_ms * 1000 > delay_us) {
			delay_us = asked_ms * 1000;
		}
		if (delay_us < call->deadline_us - now_us && asked_ms < INT64_MAX / 4000) {
			call->tries++;
			call->not_before_us = now_us + delay_us;
			isms_reply_free(reply);
			return;
		}
	}
	set_ended(call, reply);
}

/* An end that leaves open whether an earlier try or this one took effect says so. */
static void tell_unknown(struct call *call, enum status_code code, bool final)
{
	if (!call->ended || !call->maybe_seen || call->read) {
		return;
	}
	struct status unknown =
		status_make(code, "OUTCOME_UNKNOWN",
			    call->keyed ? "the reply was lost; calling again with the same request "
					  "id tells what became of the call"
					: "the reply was lost; the call may have taken effect");
	isms_reply_free(call->reply);
	call->reply = reply_failed(&unknown, final || !call->keyed, call->request_id);
}

/* Failures by which a server does not even look at the key of the request. */
static bool is_turned_away(enum isms_code code)
{
	return code == ISMS_UNAVAILABLE || code == ISMS_RESOURCE_EXHAUSTED ||
	       code == ISMS_CANCELLED || code == ISMS_DEADLINE_EXCEEDED ||
	       code == ISMS_UNAUTHENTICATED;
}

void call_fail(struct call *call, const struct status *st, enum call_reach reach, bool final,
	       int64_t now_us)
{
	settle(call, reply_failed(st, final, call->request_id), reach, now_us);
	if (reach != CALL_ANSWERED) {
		tell_unknown(call, st->code, final);
	}
}

void call_expire(struct call *call, int64_t now_us)
{
	bool sent = call->conn != NULL;
	struct status st = status_make(STATUS_CODE_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
				       sent ? "no reply came before the deadline"
					    : "no connection before the deadline");
	call_fail(call, &st, sent && call_uploaded(call) ? CALL_MAYBE_SEEN : CALL_NOT_SEEN, false,
		  now_us);
}

/* The reply of a server that has sent trailers with a failure. */
static struct isms_reply *trailers_reply(const struct call *call)
{
	struct arena *arena = arena_new(4 * CALL_DETAILS_MAX);
	if (arena == NULL) {
		return NULL;
	}
	struct isms_reply *reply = NULL;
	char *encoded = arena_strndup(arena, call->message, call->message_len);
	char *message = arena_alloc(arena, CALL_MESSAGE_MAX);
	uint8_t *details = arena_alloc(arena, CALL_DETAILS_MAX);
	if (encoded != NULL && message != NULL && details != NULL) {
		grpc_percent_decode(message, CALL_MESSAGE_MAX, encoded, call->message_len);
		ptrdiff_t len = buf_len(&call->details) > 0
					? grpc_base64_decode(
						  details, (const char *)buf_bytes(&call->details),
						  buf_len(&call->details))
					: 0;
		reply = reply_trailers((enum status_code)call->grpc_status, message, details,
				       len > 0 ? (size_t)len : 0, call->request_id);
	}
	arena_free(arena);
	return reply;
}

/* What an answer without a status of gRPC means, by its status of HTTP (gRPC
 * "HTTP to gRPC Status Code Mapping"). */
static struct status http_failure(int http_status)
{
	enum status_code code = STATUS_CODE_UNKNOWN;
	switch (http_status) {
	case 400:
		code = STATUS_CODE_INTERNAL;
		break;
	case 401:
		code = STATUS_CODE_UNAUTHENTICATED;
		break;
	case 403:
		code = STATUS_CODE_PERMISSION_DENIED;
		break;
	case 404:
		code = STATUS_CODE_UNIMPLEMENTED;
		break;
	case 429:
	case 502:
	case 503:
	case 504:
		code = STATUS_CODE_UNAVAILABLE;
		break;
	default:
		break;
	}
	return status_make(code, "BAD_REPLY", "the server did not answer as gRPC");
}

void call_end(struct call *call, int64_t now_us)
{
	struct isms_reply *reply = NULL;
	if (call->grpc_status > 0) {
		reply = trailers_reply(call);
	} else if (call->stream != NULL && (call->grpc_status == 0 || call->http_status == 200)) {
		/* Something in between may have cut it short. */
		struct status st = status_make(STATUS_CODE_UNAVAILABLE, "STREAM_ENDED",
					       "the server has ended the stream");
		reply = reply_failed(&st, false, "");
	} else if (call->grpc_status < 0) {
		struct status st = http_failure(call->http_status);
		reply = reply_failed(&st, false, call->request_id);
	} else if (call->data_want == 0 || buf_len(&call->data) < call->data_want) {
		struct status st = status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
					       "the server's reply is incomplete");
		reply = reply_failed(&st, false, call->request_id);
	} else {
		reply = reply_message(call->response, buf_bytes(&call->data) + GRPC_PREFIX,
				      call->data_want - GRPC_PREFIX, call->request_id);
	}
	settle(call, reply, CALL_ANSWERED, now_us);
	if (call->ended && is_turned_away(isms_reply_code(call->reply))) {
		tell_unknown(call, (enum status_code)isms_reply_code(call->reply), false);
	}
	buf_clear(&call->data);
}

void call_reset(struct call *call, uint32_t error, int64_t now_us)
{
	if (call->grpc_status >= 0) {
		call_end(call, now_us);
		return;
	}
	struct status st =
		status_make(STATUS_CODE_INTERNAL, "STREAM_RESET", "the server broke the call off");
	if (error == NGHTTP2_REFUSED_STREAM) {
		st = status_make(STATUS_CODE_UNAVAILABLE, "REFUSED",
				 "the server did not take the call");
		call_fail(call, &st, CALL_NOT_SEEN, false, now_us);
		return;
	}
	if (call->stream != NULL) {
		/* A server that means it says so with a status. */
		st.code = STATUS_CODE_UNAVAILABLE;
	} else if (error == NGHTTP2_CANCEL) {
		st.code = STATUS_CODE_CANCELLED;
	} else if (error == NGHTTP2_ENHANCE_YOUR_CALM) {
		st.code = STATUS_CODE_RESOURCE_EXHAUSTED;
	} else if (error == NGHTTP2_INADEQUATE_SECURITY) {
		st.code = STATUS_CODE_PERMISSION_DENIED;
	}
	call_fail(call, &st, CALL_MAYBE_SEEN, false, now_us);
}
