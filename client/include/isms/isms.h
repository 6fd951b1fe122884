/* libisms: the C SDK of ismsd.
 *
 * A client is a connection that makes gRPC calls over TLS, with one reply or with a
 * stream of them (watches), and reconnects by itself. Blocking calls are a loop over
 * the non-blocking core: start a call, wait for the descriptor as isms_client_events
 * says, run isms_client_process.
 *
 * Threads: a client and what it gave out belong to one thread at a time; different
 * clients are independent. There are no hidden threads, no globals, no signals
 * handled, no output, no abort: running out of memory is an error like any other.
 * Ownership is said in fixed words: yours (free it), borrowed until X, copied.
 * Times are in milliseconds. */
#ifndef ISMS_ISMS_H
#define ISMS_ISMS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ISMS_EXPORT __attribute__((visibility("default")))
#else
#define ISMS_EXPORT
#endif

/* Codes of gRPC, by number, and of this library below zero. */
enum isms_code {
	ISMS_OK = 0,
	ISMS_CANCELLED = 1,
	ISMS_UNKNOWN = 2,
	ISMS_INVALID_ARGUMENT = 3,
	ISMS_DEADLINE_EXCEEDED = 4,
	ISMS_NOT_FOUND = 5,
	ISMS_ALREADY_EXISTS = 6,
	ISMS_PERMISSION_DENIED = 7,
	ISMS_RESOURCE_EXHAUSTED = 8,
	ISMS_FAILED_PRECONDITION = 9,
	ISMS_ABORTED = 10,
	ISMS_OUT_OF_RANGE = 11,
	ISMS_UNIMPLEMENTED = 12,
	ISMS_INTERNAL = 13,
	ISMS_UNAVAILABLE = 14,
	ISMS_DATA_LOSS = 15,
	ISMS_UNAUTHENTICATED = 16
};

struct isms_client;
struct isms_reply;
struct isms_watch;
/* A protobuf-c message and its descriptor, by address: the library holds no
 * layout of its own, see isms/api.h (generated) for the typed functions. */
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;
struct ProtobufCMethodDescriptor;

/* How to reach a server. Zero it with ISMS_CLIENT_OPTIONS_INIT, then set. All
 * strings are copied. */
struct isms_client_options {
	size_t size;             /* sizeof of this struct, for later fields */
	const char *address;     /* "host:port" or "[v6]:port" */
	const char *ca_file;     /* PEM file of the CA; NULL: the system's */
	const char *server_name; /* name to verify; NULL: the host of address */
	const char *token;       /* access token; NULL: none yet */
	int64_t timeout_ms;      /* default deadline of a call; 0: 10,000 */
	int insecure_no_verify;  /* 1: do not verify the certificate; for tests only */
};
#define ISMS_CLIENT_OPTIONS_INIT                                                                   \
	{                                                                                          \
		sizeof(struct isms_client_options), 0, 0, 0, 0, 0, 0                               \
	}

/* What one call may set; NULL takes the client's defaults. */
struct isms_call_options {
	size_t size;        /* sizeof of this struct */
	int64_t timeout_ms; /* deadline, from connect to reply; 0: the client's */
	/* Idempotency key for Mutation.request_id where the request leaves it
	 * empty; NULL: one is made for each call. Repeats of a call after a lost
	 * connection use the same key. */
	const char *request_id;
	int max_retries; /* further tries of retriable failures; default 3; -1: none */
};
#define ISMS_CALL_OPTIONS_INIT                                                                     \
	{                                                                                          \
		sizeof(struct isms_call_options), 0, 0, 0                                          \
	}

/* A client; does not connect yet. NULL when out of memory or when the options are
 * not usable: an address that is missing or malformed, a token that cannot go into
 * a header. Yours. */
ISMS_EXPORT struct isms_client *isms_client_new(const struct isms_client_options *options);
/* Ends calls in flight without a reply; accepts NULL. From within a done function
 * it takes effect when the library returns. */
ISMS_EXPORT void isms_client_free(struct isms_client *client);
/* Replaces the access token; NULL for none. Copied. 0, or -1 when out of memory or
 * when it cannot be a token; then the old one stays. */
ISMS_EXPORT int isms_client_set_token(struct isms_client *client, const char *token);

/* Makes a call and waits for its end; reconnects, and repeats the call where that
 * is safe: the server has not seen it, or it reads, or it carries an idempotency
 * key (a field "mutation" with a "request_id"). UNAVAILABLE is repeated, ABORTED
 * and RESOURCE_EXHAUSTED only when the server says when.
 * method is "/package.Service/Method"; request is packed through its own
 * descriptor, the reply is unpacked as response. Never NULL but when out of memory.
 * Yours (isms_reply_free). */
ISMS_EXPORT struct isms_reply *isms_call(struct isms_client *client, const char *method,
					 const struct ProtobufCMessage *request,
					 const struct ProtobufCMessageDescriptor *response,
					 const struct isms_call_options *options);

/* Non-blocking: done is run once from isms_client_process with a reply that is
 * yours; it may use the client freely. The request is packed at once and not kept.
 * Resolving a host name is the one thing that still blocks. Returns a number > 0 for
 * isms_call_cancel, or -1 when out of memory or when 64 calls are in flight. */
typedef void (*isms_done_fn)(void *arg, struct isms_reply *reply);
ISMS_EXPORT int64_t isms_call_start(struct isms_client *client, const char *method,
				    const struct ProtobufCMessage *request,
				    const struct ProtobufCMessageDescriptor *response,
				    const struct isms_call_options *options, isms_done_fn done,
				    void *arg);
/* Ends a call; done is not run. */
ISMS_EXPORT void isms_call_cancel(struct isms_client *client, int64_t call);
/* Descriptor to wait for; -1 while there is none (then wait for the timeout). It
 * may change with each isms_client_process. */
ISMS_EXPORT int isms_client_fd(const struct isms_client *client);
/* poll() events to wait for. */
ISMS_EXPORT short isms_client_events(const struct isms_client *client);
/* Longest wait in milliseconds; -1 without limit. */
ISMS_EXPORT int isms_client_timeout(const struct isms_client *client);
/* Does what can be done without waiting. */
ISMS_EXPORT void isms_client_process(struct isms_client *client);

/* What came of a call. Accepts NULL (out of memory): code ISMS_RESOURCE_EXHAUSTED. */
ISMS_EXPORT enum isms_code isms_reply_code(const struct isms_reply *reply);
/* The message, or NULL unless the code is ISMS_OK. Borrowed until isms_reply_free. */
ISMS_EXPORT const struct ProtobufCMessage *isms_reply_message(const struct isms_reply *reply);
/* Stable upper-case word; "" when there is none. Borrowed, as all below. */
ISMS_EXPORT const char *isms_reply_reason(const struct isms_reply *reply);
/* One sentence for people. */
ISMS_EXPORT const char *isms_reply_text(const struct isms_reply *reply);
/* Fields of the request that were wrong: path and what was expected. */
ISMS_EXPORT size_t isms_reply_violations(const struct isms_reply *reply);
ISMS_EXPORT const char *isms_reply_violation_field(const struct isms_reply *reply, size_t i);
ISMS_EXPORT const char *isms_reply_violation_text(const struct isms_reply *reply, size_t i);
/* Further facts, such as current_version; value by key is NULL when absent. */
ISMS_EXPORT size_t isms_reply_facts(const struct isms_reply *reply);
ISMS_EXPORT const char *isms_reply_fact_key(const struct isms_reply *reply, size_t i);
ISMS_EXPORT const char *isms_reply_fact_value(const struct isms_reply *reply, size_t i);
ISMS_EXPORT const char *isms_reply_fact(const struct isms_reply *reply, const char *key);
/* Idempotency key that the call went out with, to settle an unknown outcome
 * (reason OUTCOME_UNKNOWN) by calling again; "" for calls without one. */
ISMS_EXPORT const char *isms_reply_request_id(const struct isms_reply *reply);
/* Whether the same call may succeed when it is made again. */
ISMS_EXPORT int isms_reply_retriable(const struct isms_reply *reply);
/* When the server asks to try again; 0 when it does not say. */
ISMS_EXPORT int64_t isms_reply_retry_after_ms(const struct isms_reply *reply);
ISMS_EXPORT void isms_reply_free(struct isms_reply *reply);

/* --- watches: calls whose server sends messages as things happen ---
 *
 *	struct isms_watch *watch = isms_watch_watch(client, &request, NULL);
 *	struct isms_reply *reply = NULL;
 *	while (watch != NULL && isms_watch_next(watch, -1, &reply) > 0) {
 *		deal with isms_watch_watch_reply(reply), then keep isms_watch_cursor(watch)
 *		isms_reply_free(reply);
 *	}
 *
 * A watch outlives its streams: when one is lost, ends, or is ended by the server
 * (UNAVAILABLE, WATCH_TOO_SLOW, …) another one is opened, sooner at first and then
 * with longer pauses, at the cursor of the last message that was given out. So no
 * message comes twice and none is left out, as far as the server keeps its cursors'
 * promise. Those that tell that nothing more is to come for now (field caught_up of
 * Watch) say so of the stream that they come from: who wants only what has happened so
 * far closes the watch at the first of them. Signs of life say nothing of the kind: a
 * stream that is behind sends them, too. Cursors are the string fields "cursor" of the request and
 *of the messages; a method without them begins anew with each stream. A watch ends for good with
 *what another try would not mend: UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, NOT_FOUND,
 *OUT_OF_RANGE, UNIMPLEMENTED, a certificate that does not verify, a message that is none, no
 *memory. Threads: a watch belongs to the thread of its client. Memory: at most 4 MiB of messages
 *wait; beyond that the server has to, and it may end the stream. A message holds at most 1 MiB. A
 *watch counts as one of the 64 calls in flight. */
struct isms_watch_options {
	size_t size; /* sizeof of this struct */
	/* A stream on which nothing came for so long counts as lost; for methods that
	 * send signs of life. 0: without limit. */
	int64_t quiet_ms;
	/* The watch ends with the last failure when it has failed for so long without
	 * one message. 0: it tries without limit. */
	int64_t give_up_ms;
};
#define ISMS_WATCH_OPTIONS_INIT                                                                    \
	{                                                                                          \
		sizeof(struct isms_watch_options), 0, 0                                            \
	}

/* Starts a watch; does not wait, what is wrong with it isms_watch_next tells. The
 * request is packed at once and not kept; its cursor is where the watch begins.
 * options NULL: the defaults. NULL when out of memory, when 64 calls are in flight or
 * when the options are not usable. Yours (isms_watch_close). */
ISMS_EXPORT struct isms_watch *isms_watch_open(struct isms_client *client, const char *method,
					       const struct ProtobufCMessage *request,
					       const struct ProtobufCMessageDescriptor *response,
					       const struct isms_watch_options *options);
/* The next message, in the order of the server. Waits for it up to timeout_ms; -1:
 * without limit; 0: not at all, for programs that wait for the client's descriptor.
 *  1: *reply is the message. Yours.
 *  0: none came in that time, or a signal was handled; *reply is NULL.
 * -1: the watch has ended and *reply tells why (afterwards CANCELLED, WATCH_ENDED); or
 *     memory ran out, then *reply is OUT_OF_MEMORY or NULL. Nothing is lost by that:
 *     the call may be made again, as may a watch at isms_watch_cursor. Yours. */
ISMS_EXPORT int isms_watch_next(struct isms_watch *watch, int64_t timeout_ms,
				struct isms_reply **reply);
/* Where to go on after the message that was given out last; before the first one the
 * cursor of the request; "" when there is none. Borrowed until the next
 * isms_watch_next. */
ISMS_EXPORT const char *isms_watch_cursor(const struct isms_watch *watch);
/* Ends the watch; accepts NULL. Also what is left to do after isms_client_free has
 * ended it. Not from a done function that isms_watch_next of the same watch runs. */
ISMS_EXPORT void isms_watch_close(struct isms_watch *watch);

/* "NOT_FOUND" for ISMS_NOT_FOUND. Borrowed, static. */
ISMS_EXPORT const char *isms_code_name(enum isms_code code);
/* Version of the library, such as "0.1.0". */
ISMS_EXPORT const char *isms_version(void);
/* A fresh idempotency key, canonical UUIDv7; out holds 37 bytes. 0 or -1. */
ISMS_EXPORT int isms_request_id(char out[37]);

#ifdef __cplusplus
}
#endif

#endif
