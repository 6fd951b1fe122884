/* The public calls and the turn of a client, see isms.h. A turn reads, reaps dead
 * connections, expires calls, connects if somebody waits, submits, sends; only
 * then are the calls that ended handed out, so a done function may start, cancel
 * and make calls and even free the client. */
#include "client/sdk/client.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client/sdk/call.h"
#include "client/sdk/clock.h"
#include "client/sdk/conn.h"
#include "client/sdk/reply.h"
#include "client/sdk/session.h"
#include "client/sdk/stream.h"
#include "client/sdk/wire.h"
#include "common/arena.h"
#include "common/mono.h"
#include "common/tls.h"

enum { CONTEXT_ARENA_MAX = 64 << 10 };

/* --- life ----------------------------------------------------------------- */

struct isms_client *isms_client_new(const struct isms_client_options *options)
{
	struct isms_client *client = calloc(1, sizeof(*client));
	if (client == NULL) {
		return NULL;
	}
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (client->epoll < 0 || !config_init(&client->config, options)) {
		isms_client_free(client);
		return NULL;
	}
	return client;
}

void isms_client_free(struct isms_client *client)
{
	if (client == NULL) {
		return;
	}
	if (client->depth > 0) {
		client->doomed = true;
		return;
	}
	while (client->calls != NULL) {
		struct call *call = client->calls;
		client->calls = call->next;
		if (call->orphan != NULL) {
			call->orphan(call->arg);
		}
		call_free(call);
	}
	wire_free(client->conn);
	wire_free(client->drain);
	SSL_CTX_free(client->context);
	if (client->epoll >= 0) {
		close(client->epoll);
	}
	config_done(&client->config);
	free(client);
}

void client_enter(struct isms_client *client)
{
	client->depth++;
}

void client_leave(struct isms_client *client)
{
	if (--client->depth == 0 && client->doomed) {
		isms_client_free(client);
	}
}

int isms_client_set_token(struct isms_client *client, const char *token)
{
	return config_set_token(&client->config, token) ? 0 : -1;
}

/* --- the turn ------------------------------------------------------------- */

static bool is_waiting(const struct call *call, int64_t now_us)
{
	/* A watch goes on where its taker is. */
	bool held = call->stream != NULL && stream_waits(call->stream);
	return !call->ended && call->conn == NULL && call->not_before_us <= now_us && !held;
}

static bool any_waiting(const struct isms_client *client, int64_t now_us)
{
	for (const struct call *call = client->calls; call != NULL; call = call->next) {
		if (is_waiting(call, now_us)) {
			return true;
		}
	}
	return false;
}

/* Ends the wait of all that wait for a connection, or lets them try again. */
static void fail_waiting(struct isms_client *client, const struct status *st, bool final,
			 int64_t now_us)
{
	for (struct call *call = client->calls; call != NULL; call = call->next) {
		if (is_waiting(call, now_us)) {
			call_fail(call, st, CALL_NOT_SEEN, final, now_us);
		}
	}
}

/* Takes a dead conn away, with what was on it. */
static void reap(struct isms_client *client, struct conn **conn, int64_t now_us)
{
	struct conn *dead = *conn;
	if (dead == NULL || dead->state != CONN_DEAD) {
		return;
	}
	struct status st = conn_status(dead);
	if (dead->was_open) {
		client->connect_failures = 0;
	} else {
		/* The next handshake reads the CA file anew, and does not rely on what
		 * OpenSSL made while memory was short. */
		SSL_CTX_free(client->context);
		client->context = NULL;
		client->connect_us = now_us + clock_backoff_us(client->connect_failures++);
		fail_waiting(client, &st, dead->final, now_us);
	}
	for (struct call *call = client->calls; call != NULL; call = call->next) {
		if (call->conn == dead) {
			call_fail(call, &st, call_uploaded(call) ? CALL_MAYBE_SEEN : CALL_NOT_SEEN,
				  dead->final, now_us);
		}
	}
	wire_free(dead);
	*conn = NULL;
}

/* A conn that takes no new calls makes room for one that does. */
static void set_aside(struct isms_client *client)
{
	if (client->conn != NULL && client->conn->draining && client->drain == NULL) {
		client->drain = client->conn;
		client->conn = NULL;
	}
}

/* When the stream of a watch has been silent for too long. */
static int64_t quiet_at(const struct call *call)
{
	const struct stream *stream = call->stream;
	bool counts = stream != NULL && call->conn != NULL && stream->quiet_us > 0 &&
		      !stream_waits(stream);
	return counts ? stream->heard_us + stream->quiet_us : INT64_MAX;
}

static void end_silence(struct call *call, int64_t now_us)
{
	struct status st = status_make(STATUS_CODE_UNAVAILABLE, "NOTHING_HEARD",
				       "the server has been silent for too long");
	session_cancel(call->conn, call);
	call->conn->draining = true;
	call_fail(call, &st, CALL_MAYBE_SEEN, false, now_us);
}

static void expire(struct isms_client *client, int64_t now_us)
{
	for (struct call *call = client->calls; call != NULL; call = call->next) {
		struct conn *conn = call->conn;
		if (!call->ended && now_us >= quiet_at(call)) {
			end_silence(call, now_us);
		}
		if (call->ended || now_us < call->deadline_us) {
			continue;
		}
		if (conn != NULL) {
			session_cancel(conn, call);
			/* Nothing was heard all the time: the next call had better not
			 * rely on it. */
			conn->draining = conn->draining || conn->heard_us < call->sent_us;
		}
		call_expire(call, now_us);
	}
}

/* false, with all that wait failed, when there is no TLS. */
static bool have_context(struct isms_client *client, int64_t now_us)
{
	if (client->context != NULL) {
		return true;
	}
	struct arena *arena = arena_new(CONTEXT_ARENA_MAX);
	struct status st =
		arena == NULL ? reply_status(NULL)
			      : tls_client_context(&client->context, client->config.ca_file, arena);
	if (!status_ok(&st)) {
		fail_waiting(client, &st, true, now_us);
	} else if (!client->config.verify) {
		SSL_CTX_set_verify(client->context, SSL_VERIFY_NONE, NULL);
	}
	arena_free(arena);
	return client->context != NULL;
}

static void connect_if_needed(struct isms_client *client, int64_t now_us)
{
	if (client->conn != NULL || now_us < client->connect_us || !any_waiting(client, now_us) ||
	    !have_context(client, now_us)) {
		return;
	}
	client->conn =
		wire_new(&client->config, client->context, client->epoll, &client->calls, now_us);
	if (client->conn == NULL) {
		struct status st = reply_status(NULL);
		fail_waiting(client, &st, true, now_us);
	}
	reap(client, &client->conn, now_us);
}

static void submit_waiting(struct isms_client *client, int64_t now_us)
{
	for (struct call *call = client->calls; call != NULL; call = call->next) {
		if (client->conn == NULL || !conn_usable(client->conn)) {
			return;
		}
		if (is_waiting(call, now_us)) {
			session_submit(client->conn, call);
		}
	}
}

static void turn(struct isms_client *client, int64_t now_us)
{
	struct conn **conns[] = { &client->drain, &client->conn };
	for (size_t i = 0; i < 2; i++) {
		if (*conns[i] != NULL) {
			wire_process(*conns[i], now_us);
		}
		reap(client, conns[i], now_us);
	}
	expire(client, now_us);
	set_aside(client);
	connect_if_needed(client, now_us);
	submit_waiting(client, now_us);
	for (size_t i = 0; i < 2; i++) {
		if (*conns[i] != NULL) {
			wire_flush(*conns[i]);
		}
		reap(client, conns[i], now_us);
	}
}

/* Takes the oldest call that has ended off the list; NULL when there is none. */
static struct call *take_ended(struct isms_client *client)
{
	for (struct call **at = &client->calls; *at != NULL; at = &(*at)->next) {
		struct call *call = *at;
		if (call->ended) {
			*at = call->next;
			client->n_calls--;
			return call;
		}
	}
	return NULL;
}

void isms_client_process(struct isms_client *client)
{
	client_enter(client);
	turn(client, mono_us());
	for (struct call *call = NULL; !client->doomed && (call = take_ended(client)) != NULL;) {
		isms_done_fn done = call->done;
		void *arg = call->arg;
		struct isms_reply *reply = call->reply;
		call->reply = NULL;
		call_free(call);
		done(arg, reply);
	}
	client_leave(client);
}

/* --- waiting -------------------------------------------------------------- */

int isms_client_fd(const struct isms_client *client)
{
	return client->epoll;
}

short isms_client_events(const struct isms_client *client)
{
	(void)client;
	return POLLIN;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When a call needs a turn next. */
static int64_t call_due(const struct isms_client *client, const struct call *call)
{
	if (call->ended) {
		return 0;
	}
	if (call->conn != NULL) {
		return earlier(call->deadline_us, quiet_at(call));
	}
	if (call->stream != NULL && stream_waits(call->stream)) {
		return INT64_MAX;
	}
	int64_t start_us = call->not_before_us;
	if (client->conn == NULL) {
		start_us = start_us > client->connect_us ? start_us : client->connect_us;
	} else if (!conn_usable(client->conn)) {
		/* The conn says when it is ready; one that is to be set aside is due. */
		bool aside = client->conn->draining && client->drain == NULL;
		start_us = aside ? start_us : call->deadline_us;
	}
	return earlier(start_us, call->deadline_us);
}

static int64_t conn_due(const struct conn *conn)
{
	if (conn == NULL) {
		return INT64_MAX;
	}
	switch (conn->state) {
	case CONN_CONNECTING:
	case CONN_HANDSHAKE:
		return conn->until_us;
	case CONN_OPEN:
		return conn->dirty || conn->more || (conn->draining && conn_idle(conn)) ? 0
											: INT64_MAX;
	case CONN_DEAD:
		break;
	}
	return 0;
}

int isms_client_timeout(const struct isms_client *client)
{
	int64_t due_us = earlier(conn_due(client->conn), conn_due(client->drain));
	for (const struct call *call = client->calls; call != NULL; call = call->next) {
		due_us = earlier(due_us, call_due(client, call));
	}
	if (due_us == INT64_MAX) {
		return -1;
	}
	int64_t now_us = mono_us();
	if (due_us <= now_us) {
		return 0;
	}
	int64_t ms = (due_us - now_us + 999) / 1000;
	return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

int client_wait(const struct isms_client *client, int max_ms)
{
	struct pollfd waiting = { .fd = client->epoll, .events = POLLIN };
	int ms = isms_client_timeout(client);
	ms = ms < 0 || (max_ms >= 0 && max_ms < ms) ? max_ms : ms;
	return poll(&waiting, 1, ms) >= 0 ? 1 : errno == EINTR ? 0 : -1;
}

/* --- calls ---------------------------------------------------------------- */

bool client_add(struct isms_client *client, struct call *call)
{
	if (client->n_calls >= CLIENT_CALLS_MAX || client->doomed) {
		return false;
	}
	call->id = ++client->next_id;
	struct call **end = &client->calls;
	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = call;
	client->n_calls++;
	return true;
}

int64_t isms_call_start(struct isms_client *client, const char *method,
			const struct ProtobufCMessage *request,
			const struct ProtobufCMessageDescriptor *response,
			const struct isms_call_options *options, isms_done_fn done, void *arg)
{
	if (client->n_calls >= CLIENT_CALLS_MAX) {
		return -1;
	}
	struct call *call =
		call_new(method, request, response, &client->config, options, mono_us());
	if (call == NULL || !client_add(client, call)) {
		call_free(call);
		return -1;
	}
	call->done = done;
	call->arg = arg;
	return call->id;
}

void isms_call_cancel(struct isms_client *client, int64_t id)
{
	for (struct call **at = &client->calls; *at != NULL; at = &(*at)->next) {
		struct call *call = *at;
		if (call->id == id) {
			if (call->conn != NULL) {
				session_cancel(call->conn, call);
			}
			*at = call->next;
			client->n_calls--;
			call_free(call);
			return;
		}
	}
}

/* A blocking call's reply on its way. */
struct arrival {
	bool here;
	struct isms_reply *reply;
};

static void arrive(void *arg, struct isms_reply *reply)
{
	struct arrival *arrival = arg;
	arrival->here = true;
	arrival->reply = reply;
}

static struct isms_reply *refuse(enum status_code code, const char *reason, const char *message)
{
	struct status st = status_make(code, reason, message);
	return reply_failed(&st, false, "");
}

struct isms_reply *isms_call(struct isms_client *client, const char *method,
			     const struct ProtobufCMessage *request,
			     const struct ProtobufCMessageDescriptor *response,
			     const struct isms_call_options *options)
{
	struct arrival arrival = { .here = false };
	if (client->n_calls >= CLIENT_CALLS_MAX) {
		return refuse(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_CALLS",
			      "64 calls of this client are in flight");
	}
	int64_t id = isms_call_start(client, method, request, response, options, arrive, &arrival);
	if (id < 0) {
		return refuse(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");
	}
	client_enter(client);
	isms_client_process(client);
	while (!arrival.here && !client->doomed && client_wait(client, -1) >= 0) {
		isms_client_process(client);
	}
	if (!arrival.here) {
		isms_call_cancel(client, id);
		arrival.reply = refuse(STATUS_CODE_CANCELLED, "CANCELLED", "the call was given up");
	}
	client_leave(client);
	return arrival.reply;
}

/* --- the library ---------------------------------------------------------- */

const char *isms_code_name(enum isms_code code)
{
	return status_code_name((enum status_code)code);
}

const char *isms_version(void)
{
	return ISMS_VERSION;
}
