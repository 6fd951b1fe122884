/* One RPC in flight, see call.h. set_state is the only place where a call changes
 * its state, and keeps the books that hang on it. A call that ends stays on the
 * worker's list of gone ones to the end of the turn, since a callback of it may be
 * running. Bytes announced by messages not yet complete are budgeted per
 * connection and worker, so that what is taken in is bounded without holding back
 * flow-control credit (which could make half-received calls wait for each other). */
#include "server/net/call.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/engine/engine.h"
#include "server/net/answer.h"
#include "server/net/conn.h"
#include "server/net/worker.h"

enum {
	ARENA_MAX = 4 << 20,
	CONNECTION_BODY_MAX = 16 << 20,
	CONNECTION_QUEUE_MAX = 8 << 20, /* answers waiting, to take calls or add to them */
	QUEUE_SHARE = 64 << 10,         /* likewise, while those of all are too much */
	RECEIVE_US = 30 * 1000000,      /* for the one message of a call to come in */
	TAKE_US = 60 * 1000000,         /* for an answer to be taken by the client */
	LOG_PATH_MAX = 200,
	RETRY_BUSY_US = 100 * 1000,
	RETRY_SHUTDOWN_US = 1000 * 1000,
};

/* --- state ---------------------------------------------------------------- */

static void release_body(struct call *call)
{
	call->conn->body_bytes -= call->need;
	call->worker->body_bytes -= call->need;
	call->need = 0;
}

static void disarm(struct call *call)
{
	if (call->timed) {
		call->timed = false;
		evtimer_del(&call->timer);
	}
}

static void arm(struct call *call, int64_t at_us)
{
	int64_t left = at_us - worker_now(call->worker);
	left = left > 0 ? left : 0;
	struct timeval tv = { .tv_sec = left / 1000000, .tv_usec = left % 1000000 };
	call->timed = true;
	evtimer_add(&call->timer, &tv);
}

static void set_state(struct call *call, enum call_state state)
{
	assert(state > call->state);
	bool waited = call->state <= CALL_BODY;
	bool unanswered = call->state < CALL_ANSWERED;
	call->state = state;
	if (waited && state > CALL_BODY) {
		call->conn->n_waiting--;
		disarm(call);
	}
	if (unanswered && state >= CALL_ANSWERED) {
		call->worker->counters->in_flight--;
		call->answered_us = worker_now(call->worker);
		call->conn->n_want_room -= call->wants_room;
		call->wants_room = false;
		release_body(call);
		buf_done(&call->body);
		disarm(call);
	}
	if (state == CALL_GONE) {
		TAILQ_REMOVE(&call->conn->calls, call, link);
		call->conn->n_calls--;
		call->stream = NULL;
		TAILQ_INSERT_TAIL(&call->worker->gone, call, link);
	}
}

size_t call_queued(const struct call *call)
{
	return codec_stream_queued(call->stream);
}

static void set_wants_room(struct call *call, bool wants)
{
	call->conn->n_want_room += (size_t)wants - (size_t)call->wants_room;
	call->wants_room = wants;
}

void call_want_room(struct call *call)
{
	set_wants_room(call, true);
	conn_mark(call->conn); /* there may be room already */
}

void call_offer_room(struct call *call)
{
	if (call->wants_room && call_queued(call) < CALL_ROOM) {
		set_wants_room(call, false);
		call->route->room(call);
	}
}

static void stop_route(struct call *call)
{
	if (call->state == CALL_RUNNING && call->route->cancel != NULL) {
		call->route->cancel(call);
	}
}

/* One line for a call that the route does not account for. */
static void log_refused(const struct call *call, const char *code, const char *reason)
{
	log_write(LOG_LEVEL_INFO, "call_refused", "call=%llu path=%.*s code=%s reason=%s peer=%s",
		  (unsigned long long)call->id, LOG_PATH_MAX,
		  call->head.path != NULL ? call->head.path : "", code, reason, call->conn->peer);
}

/* Ends a call for a reason that is not the route's. */
static void fail(struct call *call, struct status st)
{
	log_refused(call, status_code_name(st.code), st.reason);
	stop_route(call);
	call_finish(call, &st);
}

static void fail_retry(struct call *call, struct status st, int64_t retry_us)
{
	status_set_retry(&st, call->arena, retry_us);
	fail(call, st);
}

void call_finish(struct call *call, const struct status *st)
{
	assert(call->state < CALL_ANSWERED);
	struct codec_field fields[CODEC_FIELDS_MAX];
	bool trailers_only = !codec_stream_answering(call->stream);
	size_t n = answer_fields(fields, st, trailers_only, call->arena);
	set_state(call, CALL_ANSWERED);
	codec_finish(call->stream, fields, n);
	conn_mark(call->conn);
}

/* Whether more waits for a client than may, or than its share when all have too much:
 * answers add up without new calls being asked for. */
static bool is_full(const struct call *call)
{
	size_t queued = codec_queued(call->conn->codec);
	return queued > CONNECTION_QUEUE_MAX ||
	       (queued > QUEUE_SHARE && call->worker->queued > WORKER_QUEUE_MAX);
}

/* A stream whose client takes what it sends goes on beside others that wait. */
static bool is_slow_reader(const struct call *call)
{
	return is_full(call) && (!call->route->streaming || codec_stream_queued(call->stream) > 0);
}

bool call_send(struct call *call, const uint8_t *message, size_t len)
{
	assert(call->state == CALL_RUNNING);
	uint8_t prefix[GRPC_PREFIX];
	bool fits = codec_stream_queued(call->stream) + sizeof(prefix) + len <= CODEC_QUEUE_MAX;
	if (len > GRPC_REPLY_MAX || (!fits && !call->route->streaming)) {
		fail(call, status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE",
				       "the reply is too large, ask for a smaller page"));
		return false;
	}
	if (!fits || is_slow_reader(call)) {
		fail(call, status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "READER_TOO_SLOW",
				       "the client does not take what it asked for"));
		return false;
	}
	grpc_prefix_write(prefix, (uint32_t)len);
	if (!codec_send(call->stream, prefix, sizeof(prefix)) ||
	    !codec_send(call->stream, message, len)) {
		abort(); /* out of memory with half a message queued */
	}
	conn_mark(call->conn);
	return true;
}

/* --- calls of the engine -------------------------------------------------- */

static void engine_replied(void *arg, const struct status *st, const uint8_t *message, size_t len)
{
	struct call *call = arg;
	call->engine_call = NULL;
	if (!status_ok(st) || call_send(call, message, len)) {
		call_finish(call, st);
	}
}

static void engine_message(struct call *call, const uint8_t *data, size_t len)
{
	struct engine_request request = {
		.id = call->id,
		.path = call->head.path,
		.authorization = call->head.authorization,
		.peer = call->conn->peer,
		.deadline_us = call->deadline_us,
		.message = data,
		.len = len,
	};
	call->engine_call = engine_call_start(call->worker->engine, &request, engine_replied, call);
}

static void engine_cancel(struct call *call)
{
	if (call->engine_call != NULL) {
		engine_call_cancel(call->engine_call);
		call->engine_call = NULL;
	}
}

const struct route call_engine_route = {
	.message = engine_message,
	.cancel = engine_cancel,
};

/* --- head ----------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct call *call = arg;
	call->timed = false;
	if (call->state == CALL_HEAD) {
		conn_kill(call->conn); /* a head that never ends */
		return;
	}
	/* The clock of the loop may be a little ahead. */
	bool expired =
		call->deadline_us != 0 && call->deadline_us <= worker_now(call->worker) + 10 * 1000;
	fail(call, expired ? answer_deadline()
			   : status_make(STATUS_CODE_DEADLINE_EXCEEDED, "REQUEST_TOO_SLOW",
					 "the request did not come in completely"));
}

static struct call *call_new(struct worker *worker)
{
	struct call *call = TAILQ_FIRST(&worker->spare);
	if (call != NULL) {
		TAILQ_REMOVE(&worker->spare, call, link);
		worker->n_spare--;
		return call;
	}
	call = calloc(1, sizeof(*call));
	if (call == NULL) {
		return NULL;
	}
	call->worker = worker;
	call->arena = arena_new(ARENA_MAX);
	/* An object before the mark makes the first chunk stay. */
	if (call->arena == NULL || arena_alloc(call->arena, 1) == NULL) {
		arena_free(call->arena);
		free(call);
		return NULL;
	}
	call->fresh = arena_mark(call->arena);
	buf_init(&call->body, GRPC_MESSAGE_MAX);
	evtimer_assign(&call->timer, worker->base, on_timer, call);
	return call;
}

static void *on_open(void *arg, struct codec_stream *stream)
{
	struct conn *conn = arg;
	struct worker *worker = conn->worker;
	struct call *call = call_new(worker);
	if (call == NULL) {
		return NULL;
	}
	call->conn = conn;
	call->stream = stream;
	call->id = (uint64_t)worker->settings.number << 48 | ++worker->last_call;
	TAILQ_INSERT_TAIL(&conn->calls, call, link);
	conn->n_calls++;
	conn->n_waiting++;
	worker->counters->calls++;
	worker->counters->in_flight++;
	return call;
}

static void on_field(void *user, const char *name, size_t name_len, const char *value,
		     size_t value_len)
{
	struct call *call = user;
	if (!head_add(&call->head, call->arena, name, name_len, value, value_len)) {
		abort(); /* out of memory: at most 8 KiB are kept */
	}
}

static void finish_http(struct call *call, int http_error)
{
	static const struct codec_field not_allowed[] = { { ":status", "405" },
							  { "allow", "POST" } };
	static const struct codec_field not_grpc[] = { { ":status", "415" } };
	log_refused(call, http_error == 405 ? "405" : "415", "NOT_GRPC");
	set_state(call, CALL_ANSWERED);
	if (http_error == 405) {
		codec_finish(call->stream, not_allowed, 2);
	} else {
		codec_finish(call->stream, not_grpc, 1);
	}
	conn_mark(call->conn);
}

/* Whether there is room for one more call; else it is answered. */
static bool admit(struct call *call)
{
	struct worker *worker = call->worker;
	if (worker->refusing) {
		fail_retry(call,
			   status_make(STATUS_CODE_UNAVAILABLE, "SHUTTING_DOWN",
				       "the server is shutting down"),
			   RETRY_SHUTDOWN_US);
		return false;
	}
	if (call->conn->n_calls > worker->settings.connection_calls_max || is_full(call) ||
	    (call->route == &call_engine_route &&
	     engine_in_flight(worker->engine) >= worker->settings.calls_max)) {
		worker->counters->refused++;
		fail_retry(call,
			   status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_CALLS",
				       "too many calls are in flight"),
			   RETRY_BUSY_US);
		return false;
	}
	return true;
}

static void on_head(void *user)
{
	struct call *call = user;
	const struct head *head = &call->head;
	if (head->malformed) {
		log_refused(call, "PROTOCOL_ERROR", "METADATA_MALFORMED");
		codec_reset(call->stream, false);
		conn_mark(call->conn);
		return;
	}
	int http_error = head_http_error(head);
	if (http_error != 0) {
		finish_http(call, http_error);
		return;
	}
	int64_t timeout_us = -1;
	struct status st = head_check(&timeout_us, head);
	call->route = head->too_large ? NULL : worker_route(call->worker, head->path);
	if (call->route == NULL && !head->too_large) {
		st = status_make(STATUS_CODE_UNIMPLEMENTED, "METHOD_UNKNOWN",
				 "there is no such method");
	} else if (timeout_us == 0) {
		st = answer_deadline();
	}
	if (!status_ok(&st)) {
		fail(call, st);
		return;
	}
	if (timeout_us > 0) {
		call->deadline_us = worker_now(call->worker) + timeout_us;
	}
	if (!admit(call)) {
		return;
	}
	disarm(call); /* a head in pieces: now the deadline is known */
	set_state(call, call->route->many ? CALL_RUNNING : CALL_BODY);
	if (call->route->many && call->deadline_us != 0) {
		arm(call, call->deadline_us);
	}
}

void call_wait(struct call *call)
{
	if (call->state > CALL_BODY || call->timed) {
		return;
	}
	int64_t at = worker_now(call->worker) + RECEIVE_US;
	arm(call, call->deadline_us != 0 && call->deadline_us < at ? call->deadline_us : at);
}

/* --- body ----------------------------------------------------------------- */

static bool receives(const struct call *call)
{
	return call->state == CALL_BODY || (call->state == CALL_RUNNING && call->route->many);
}

/* A complete prefix: how long its message is, and whether it may come. */
static void take_prefix(struct call *call)
{
	uint32_t need = 0;
	if (!call->route->many && call->n_messages > 0) {
		fail(call, status_make(STATUS_CODE_UNIMPLEMENTED, "TOO_MANY_MESSAGES",
				       "the method takes one message"));
		return;
	}
	struct status st = grpc_prefix_parse(&need, call->prefix);
	if (!status_ok(&st)) {
		fail(call, st);
		return;
	}
	if (call->conn->body_bytes + need > CONNECTION_BODY_MAX ||
	    call->worker->body_bytes + need > WORKER_BODY_MAX) {
		call->worker->counters->refused++;
		fail_retry(call,
			   status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_BYTES",
				       "too many large requests at once"),
			   RETRY_BUSY_US);
		return;
	}
	call->need = need;
	call->conn->body_bytes += need;
	call->worker->body_bytes += need;
}

/* Hands the message on. The route may end the call meanwhile, so that the bytes
 * are taken out of it first. */
static void deliver(struct call *call)
{
	static const uint8_t nothing[1];
	struct buf body = call->body;
	size_t len = buf_len(&body);
	buf_init(&call->body, GRPC_MESSAGE_MAX);
	release_body(call);
	call->route->message(call, len > 0 ? buf_bytes(&body) : nothing, len);
	buf_done(&body);
}

static void message_complete(struct call *call)
{
	call->n_messages++;
	call->prefix_len = 0;
	if (call->route->many) {
		deliver(call);
	}
}

static void on_data(void *user, const uint8_t *data, size_t len)
{
	struct call *call = user;
	while (len > 0 && receives(call)) {
		if (call->prefix_len < GRPC_PREFIX) {
			call->prefix[call->prefix_len++] = *data++;
			len--;
			if (call->prefix_len == GRPC_PREFIX) {
				take_prefix(call);
			}
		} else {
			size_t take = call->need - buf_len(&call->body);
			take = take < len ? take : len;
			if (!buf_add(&call->body, data, take)) {
				abort(); /* out of memory: the budget bounds it */
			}
			data += take;
			len -= take;
		}
		if (receives(call) && call->prefix_len == GRPC_PREFIX &&
		    buf_len(&call->body) == call->need) {
			message_complete(call);
		}
	}
}

static void on_end(void *user)
{
	struct call *call = user;
	if (!receives(call)) {
		return;
	}
	if (call->prefix_len > 0) {
		fail(call, status_make(STATUS_CODE_INVALID_ARGUMENT, "MESSAGE_INCOMPLETE",
				       "the request ends inside its message"));
		return;
	}
	if (call->route->many) {
		if (call->route->end != NULL) {
			call->route->end(call);
		}
		return;
	}
	if (call->n_messages == 0) {
		fail(call, status_make(STATUS_CODE_INVALID_ARGUMENT, "MESSAGE_MISSING",
				       "the request has no message"));
		return;
	}
	set_state(call, CALL_RUNNING);
	if (call->route->streaming && call->deadline_us != 0) {
		arm(call, call->deadline_us);
	}
	deliver(call);
}

/* --- end ------------------------------------------------------------------ */

static void on_closed(void *user)
{
	struct call *call = user;
	stop_route(call);
	set_state(call, CALL_GONE);
}

void call_drop(struct call *call)
{
	on_closed(call);
}

void call_shutdown(struct call *call)
{
	if (call->state == CALL_RUNNING && call->route->streaming) {
		fail_retry(call,
			   status_make(STATUS_CODE_UNAVAILABLE, "SHUTTING_DOWN",
				       "the server is shutting down"),
			   RETRY_SHUTDOWN_US);
	}
}

void call_sweep(struct call *call, int64_t now_us)
{
	if (call->state == CALL_ANSWERED && now_us - call->answered_us > TAKE_US) {
		call->answered_us = now_us;
		codec_reset(call->stream, true);
		conn_mark(call->conn);
	}
}

void call_recycle(struct call *call)
{
	struct worker *worker = call->worker;
	TAILQ_REMOVE(&worker->gone, call, link);
	if (worker->n_spare >= WORKER_SPARE_CALLS) {
		call_free(call);
		return;
	}
	arena_reset(call->arena, call->fresh);
	call->state = CALL_HEAD;
	call->conn = NULL;
	call->route = NULL;
	call->data = NULL;
	call->deadline_us = 0;
	call->answered_us = 0;
	call->head = (struct head){ 0 };
	call->prefix_len = 0;
	call->n_messages = 0;
	TAILQ_INSERT_HEAD(&worker->spare, call, link);
	worker->n_spare++;
}

void call_free(struct call *call)
{
	arena_free(call->arena);
	free(call);
}

const struct codec_handler call_handler = {
	.open = on_open,
	.field = on_field,
	.head = on_head,
	.data = on_data,
	.end = on_end,
	.closed = on_closed,
};
