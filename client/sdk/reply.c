/* Replies, see reply.h and isms.h. All strings given out are in the reply's arena
 * or static, never NULL where the header does not say so. */
#include "client/sdk/reply.h"

#include <string.h>

#include "common/arena.h"
#include "common/grpc.h"
#include "common/pb.h"
#include "common/scan.h"

struct isms_reply {
	struct arena *arena; /* holds this struct, too */
	struct status st;
	bool final;
	const ProtobufCMessage *message;
	const char *request_id;
};

static struct isms_reply *reply_new(const char *request_id)
{
	struct arena *arena = arena_new(REPLY_ARENA_MAX);
	if (arena == NULL) {
		return NULL;
	}
	struct isms_reply *reply = arena_new_of(arena, struct isms_reply);
	char *copy = reply != NULL ? arena_strdup(arena, request_id) : NULL;
	if (copy == NULL) {
		arena_free(arena);
		return NULL;
	}
	reply->arena = arena;
	reply->request_id = copy;
	return reply;
}

struct isms_reply *reply_failed(const struct status *st, bool final, const char *request_id)
{
	struct isms_reply *reply = reply_new(request_id);
	if (reply == NULL) {
		return NULL;
	}
	reply->st = status_copy(st, reply->arena);
	reply->final = final;
	return reply;
}

struct isms_reply *reply_trailers(enum status_code code, const char *message,
				  const uint8_t *details, size_t len, const char *request_id)
{
	struct isms_reply *reply = reply_new(request_id);
	if (reply == NULL) {
		return NULL;
	}
	reply->st = grpc_status_decode(code, message, details, len, reply->arena);
	return reply;
}

struct isms_reply *reply_message(const ProtobufCMessageDescriptor *type, const uint8_t *data,
				 size_t len, const char *request_id)
{
	/* Servers may be newer: unknown fields pass. Lists of many small rows unpack
	 * to many times their bytes. */
	static const struct scan_limits limits = {
		.depth = 16,
		.fields = REPLY_FIELDS_MAX,
		.heap = REPLY_HEAP_MAX,
		.heap_factor = 128,
	};
	struct isms_reply *reply = reply_new(request_id);
	if (reply == NULL) {
		return NULL;
	}
	struct status scanned = scan_message(type, data, len, &limits, reply->arena);
	if (!status_ok(&scanned)) {
		reply->st = status_make(STATUS_CODE_INTERNAL, "BAD_REPLY",
					"the server's reply is not a message of the expected type");
		return reply;
	}
	reply->message = pb_unpack(type, data, len, reply->arena);
	if (reply->message == NULL) {
		reply->st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
					"out of memory while reading the reply");
	}
	return reply;
}

struct status reply_status(const struct isms_reply *reply)
{
	return reply != NULL ? reply->st
			     : status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
					   "out of memory");
}

enum isms_code isms_reply_code(const struct isms_reply *reply)
{
	return (enum isms_code)reply_status(reply).code;
}

const struct ProtobufCMessage *isms_reply_message(const struct isms_reply *reply)
{
	return reply != NULL && status_ok(&reply->st) ? reply->message : NULL;
}

const char *isms_reply_reason(const struct isms_reply *reply)
{
	const char *reason = reply_status(reply).reason;
	return reason != NULL ? reason : "";
}

const char *isms_reply_text(const struct isms_reply *reply)
{
	const char *text = reply_status(reply).message;
	return text != NULL ? text : "";
}

static const struct status_details *reply_details(const struct isms_reply *reply)
{
	static const struct status_details none = { .n_pairs = 0 };
	return reply != NULL && reply->st.details != NULL ? reply->st.details : &none;
}

size_t isms_reply_violations(const struct isms_reply *reply)
{
	return reply_details(reply)->n_violations;
}

const char *isms_reply_violation_field(const struct isms_reply *reply, size_t i)
{
	const struct status_details *details = reply_details(reply);
	return i < details->n_violations ? details->violations[i].field : "";
}

const char *isms_reply_violation_text(const struct isms_reply *reply, size_t i)
{
	const struct status_details *details = reply_details(reply);
	return i < details->n_violations ? details->violations[i].description : "";
}

size_t isms_reply_facts(const struct isms_reply *reply)
{
	return reply_details(reply)->n_pairs;
}

const char *isms_reply_fact_key(const struct isms_reply *reply, size_t i)
{
	const struct status_details *details = reply_details(reply);
	return i < details->n_pairs ? details->pairs[i].key : "";
}

const char *isms_reply_fact_value(const struct isms_reply *reply, size_t i)
{
	const struct status_details *details = reply_details(reply);
	return i < details->n_pairs ? details->pairs[i].value : "";
}

const char *isms_reply_fact(const struct isms_reply *reply, const char *key)
{
	const struct status_details *details = reply_details(reply);
	for (size_t i = 0; key != NULL && i < details->n_pairs; i++) {
		if (strcmp(details->pairs[i].key, key) == 0) {
			return details->pairs[i].value;
		}
	}
	return NULL;
}

int isms_reply_retriable(const struct isms_reply *reply)
{
	return status_retriable(reply_status(reply).code) && (reply == NULL || !reply->final);
}

int64_t isms_reply_retry_after_ms(const struct isms_reply *reply)
{
	int64_t us = reply_details(reply)->retry_after_us;
	return us / 1000 + (us % 1000 > 0);
}

const char *isms_reply_request_id(const struct isms_reply *reply)
{
	return reply != NULL ? reply->request_id : "";
}

void isms_reply_free(struct isms_reply *reply)
{
	if (reply != NULL) {
		arena_free(reply->arena);
	}
}
