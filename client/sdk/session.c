/* HTTP/2 of a conn, see session.h. A stream belongs to a call as long as the call
 * names it; frames of streams that no call names are ignored. The library bounds
 * header blocks (64 KiB) and answers floods; messages are bounded in call.c. */
#include "client/sdk/session.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "client/sdk/call.h"
#include "client/sdk/conn.h"
#include "client/sdk/options.h"
#include "client/sdk/stream.h"
#include "common/grpc.h"

enum {
	CONNECTION_WINDOW = 4 << 20,
	HEADERS_MAX = 64 << 10,
	BEARER_MAX = OPTIONS_TEXT_MAX + 8,
};

static struct call *call_of(const struct conn *conn, int32_t stream_id)
{
	for (struct call *call = *conn->calls; call != NULL; call = call->next) {
		if (call->conn == conn && call->stream_id == stream_id) {
			return call;
		}
	}
	return NULL;
}

/* --- callbacks ------------------------------------------------------------ */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	(void)session;
	(void)flags;
	struct call *call = call_of(arg, frame->hd.stream_id);
	if (call != NULL) {
		call_header(call, (const char *)name, name_len, (const char *)value, value_len);
	}
	return 0;
}

/* Resets the stream of a call that is about to leave it. */
static int reset_stream(nghttp2_session *session, int32_t stream_id)
{
	int rc = nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_CANCEL);
	return rc == NGHTTP2_ERR_NOMEM ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
			 const uint8_t *data, size_t len, void *arg)
{
	(void)flags;
	struct conn *conn = arg;
	struct call *call = call_of(conn, stream_id);
	struct status st;
	bool kept = call != NULL && call->stream != NULL;
	int rc = kept ? nghttp2_session_consume_connection(session, len)
		      : nghttp2_session_consume(session, stream_id, len);
	if (rc == NGHTTP2_ERR_NOMEM) {
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (kept) {
		call->stream->heard_us = conn->now_us;
	}
	if (call == NULL || call_data(&st, call, data, len)) {
		return 0;
	}
	call_fail(call, &st, CALL_ANSWERED, true, conn->now_us);
	return reset_stream(session, stream_id);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct conn *conn = arg;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		conn->draining = true;
		return 0;
	}
	if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
		return 0;
	}
	struct call *call = call_of(conn, frame->hd.stream_id);
	if (call == NULL) {
		return 0;
	}
	bool uploaded = call_uploaded(call);
	call_end(call, conn->now_us);
	/* The server has answered early and will not take the rest. */
	return uploaded ? 0 : reset_stream(session, frame->hd.stream_id);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *arg)
{
	(void)session;
	struct conn *conn = arg;
	struct call *call = call_of(conn, stream_id);
	if (call != NULL) {
		call_reset(call, error, conn->now_us);
	}
	return 0;
}

/* A request that was queued when the server said goodbye. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error,
			     void *arg)
{
	(void)session;
	(void)error;
	struct conn *conn = arg;
	struct call *call =
		frame->hd.type == NGHTTP2_HEADERS ? call_of(conn, frame->hd.stream_id) : NULL;
	if (call != NULL) {
		call_reset(call, NGHTTP2_REFUSED_STREAM, conn->now_us);
	}
	return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t cap,
			    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	(void)session;
	(void)source;
	struct call *call = call_of(arg, stream_id);
	if (call == NULL) {
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	size_t left = call->frame_len - call->frame_off;
	size_t len = left < cap ? left : cap;
	memcpy(out, call->frame + call->frame_off, len);
	call->frame_off += len;
	if (call_uploaded(call)) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (ssize_t)len;
}

/* --- the session ---------------------------------------------------------- */

static int new_session(struct conn *conn, nghttp2_session_callbacks *callbacks,
		       nghttp2_option *option)
{
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_no_auto_window_update(option, 1);
	return nghttp2_session_client_new2(&conn->session, callbacks, conn, option);
}

bool session_open(struct conn *conn)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MAX },
	};
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	bool made = nghttp2_session_callbacks_new(&callbacks) == 0 &&
		    nghttp2_option_new(&option) == 0 && new_session(conn, callbacks, option) == 0 &&
		    nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings,
					    sizeof(settings) / sizeof(settings[0])) == 0 &&
		    nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0,
							  CONNECTION_WINDOW) == 0;
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	conn->dirty = made;
	return made;
}

static void session_fault(struct conn *conn, ssize_t rc)
{
	if (rc == NGHTTP2_ERR_NOMEM || rc == NGHTTP2_ERR_CALLBACK_FAILURE) {
		conn_die(conn, STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");
	} else {
		conn_die(conn, STATUS_CODE_UNAVAILABLE, "CONNECTION_LOST",
			 "the server broke the protocol: %s", nghttp2_strerror((int)rc));
	}
}

void session_feed(struct conn *conn, const uint8_t *data, size_t len)
{
	ssize_t n = nghttp2_session_mem_recv(conn->session, data, len);
	if (n < 0) {
		session_fault(conn, n);
		return;
	}
	conn->dirty = true;
}

void session_pull(struct conn *conn)
{
	while (buf_len(&conn->out) < CONN_OUT_ENOUGH) {
		const uint8_t *data = NULL;
		ssize_t n = nghttp2_session_mem_send(conn->session, &data);
		if (n < 0) {
			session_fault(conn, n);
			return;
		}
		if (n == 0) {
			return;
		}
		/* What the session gave is sent as far as it knows. */
		if (!buf_add(&conn->out, data, (size_t)n)) {
			session_fault(conn, NGHTTP2_ERR_NOMEM);
			return;
		}
	}
}

bool session_over(const struct conn *conn)
{
	return nghttp2_session_want_read(conn->session) == 0 &&
	       nghttp2_session_want_write(conn->session) == 0;
}

/* --- calls ---------------------------------------------------------------- */

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.value = (uint8_t *)(uintptr_t)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
		.flags = NGHTTP2_NV_FLAG_NONE,
	};
}

static int32_t submit(struct conn *conn, const struct call *call)
{
	char timeout[10];
	char bearer[BEARER_MAX];
	nghttp2_nv fields[10] = {
		field(":method", "POST"),
		field(":scheme", "https"),
		field(":authority", conn->config->address),
		field(":path", call->method),
		field("te", "trailers"),
		field("content-type", "application/grpc"),
		field("user-agent", "libisms/" ISMS_VERSION),
	};
	size_t n = 7;
	if (call->stream == NULL) {
		grpc_timeout_format(timeout, call->deadline_us - conn->now_us);
		fields[n++] = field("grpc-timeout", timeout);
	}
	const char *token = conn->config->token;
	if (token != NULL && *token != '\0') {
		static const char scheme[] = "Bearer ";
		size_t len = strlen(token); /* < OPTIONS_TEXT_MAX */
		memcpy(bearer, scheme, sizeof(scheme) - 1);
		memcpy(bearer + sizeof(scheme) - 1, token, len + 1);
		fields[n++] = field("authorization", bearer);
	}
	const nghttp2_data_provider body = { .read_callback = read_request };
	int32_t id = nghttp2_submit_request(conn->session, NULL, fields, n, &body, NULL);
	explicit_bzero(bearer, sizeof(bearer));
	return id;
}

void session_submit(struct conn *conn, struct call *call)
{
	int32_t id = submit(conn, call);
	if (id > 0) {
		call_sent(call, conn, id, conn->now_us);
		conn->dirty = true;
		return;
	}
	if (id == NGHTTP2_ERR_NOMEM) {
		struct status st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
					       "out of memory");
		call_fail(call, &st, CALL_NOT_SEEN, true, conn->now_us);
		return;
	}
	/* Stream ids have run out: the call waits for the next conn. */
	conn->draining = true;
}

void session_taken(struct conn *conn, const struct call *call, size_t len)
{
	if (nghttp2_session_consume_stream(conn->session, call->stream_id, len) ==
	    NGHTTP2_ERR_NOMEM) {
		session_fault(conn, NGHTTP2_ERR_NOMEM);
	}
	conn->dirty = true;
}

void session_cancel(struct conn *conn, const struct call *call)
{
	if (conn->session != NULL && reset_stream(conn->session, call->stream_id) != 0) {
		session_fault(conn, NGHTTP2_ERR_NOMEM);
	}
	conn->dirty = true;
}
