/* One call, from its request to its reply, over as many tries as it takes. It is
 * waiting (no conn), on a stream of a conn, or ended (its reply is there).
 * A request is packed once, so each try sends the same bytes and the same key. */
#ifndef ISMS_SDK_CALL_H
#define ISMS_SDK_CALL_H

#include <isms/isms.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/sdk/options.h"
#include "common/buf.h"
#include "common/status.h"

struct arena;
struct conn;
struct stream;

enum {
	CALL_METHOD_MAX = 256,
	CALL_MESSAGE_MAX = 4096,      /* grpc-message, still encoded */
	CALL_DETAILS_MAX = 64 * 1024, /* grpc-status-details-bin, still encoded */
};

/* How far a try came. */
enum call_reach {
	CALL_NOT_SEEN,   /* the server has surely not worked on it */
	CALL_MAYBE_SEEN, /* nobody here can know */
	CALL_ANSWERED,
};

struct call {
	struct call *next;
	int64_t id;
	isms_done_fn done;
	void *arg;
	void (*orphan)(void *arg); /* of a watch: the client is about to go; may be NULL */
	struct arena *arena;       /* method, frame and request_id */
	const char *method;
	const char *request_id; /* "" for calls without one */
	uint8_t *frame;         /* prefix and packed request */
	size_t frame_len;
	const ProtobufCMessageDescriptor *response;
	struct stream *stream; /* of a watch: takes its messages; NULL: one reply */
	bool read;             /* changes nothing, may be repeated */
	bool keyed;            /* has a request_id, may be repeated */
	bool maybe_seen;
	int tries;
	int retries;
	int64_t deadline_us;
	int64_t not_before_us; /* while waiting */

	/* This try. */
	struct conn *conn; /* NULL while waiting or ended */
	int32_t stream_id;
	int64_t sent_us;
	size_t frame_off; /* bytes handed to the session */
	int http_status;
	int grpc_status; /* -1 before it comes */
	char message[CALL_MESSAGE_MAX];
	size_t message_len;
	struct buf details;
	struct buf data;  /* prefix and packed reply */
	size_t data_want; /* length of these, once the prefix is there */

	bool ended;
	struct isms_reply *reply; /* NULL when ended: out of memory */
};

/* Packs the request. A request that cannot be sent gives a call that has ended.
 * NULL when out of memory. Yours. */
struct call *call_new(const char *method, const ProtobufCMessage *request,
		      const ProtobufCMessageDescriptor *response, const struct config *config,
		      const struct isms_call_options *options, int64_t now_us);
/* Accepts NULL. */
void call_free(struct call *call);

/* Puts a waiting call on a stream. */
void call_sent(struct call *call, struct conn *conn, int32_t stream_id, int64_t now_us);
/* Whether the whole request was handed to the session. */
bool call_uploaded(const struct call *call);

/* A header or trailer of the reply. */
void call_header(struct call *call, const char *name, size_t name_len, const char *value,
		 size_t value_len);
/* Bytes of the reply. *out_st is set, and false returned, when they cannot be the
 * reply; then the stream is to be reset and the call failed with it. */
bool call_data(struct status *out_st, struct call *call, const uint8_t *data, size_t len);
/* The server has said all there is. */
void call_end(struct call *call, int64_t now_us);
/* The stream ended without that; error is a code of HTTP/2. */
void call_reset(struct call *call, uint32_t error, int64_t now_us);
/* A try failed on our side: waits for another one, or ends. final: another one
 * would fail the same. */
void call_fail(struct call *call, const struct status *st, enum call_reach reach, bool final,
	       int64_t now_us);
/* The deadline has passed. */
void call_expire(struct call *call, int64_t now_us);

#endif
