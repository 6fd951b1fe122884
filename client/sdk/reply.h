/* What came of a call; one arena that holds the reply itself and all it gives
 * out. */
#ifndef ISMS_SDK_REPLY_H
#define ISMS_SDK_REPLY_H

#include <isms/isms.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum {
	REPLY_ARENA_MAX = 64 << 20,
	REPLY_HEAP_MAX = 32 << 20, /* of the unpacked message */
	REPLY_FIELDS_MAX = 500000,
};

/* A reply that is not OK. *st is copied; final: the same call would fail again,
 * whatever the code says. NULL when out of memory. Yours. */
struct isms_reply *reply_failed(const struct status *st, bool final, const char *request_id);

/* A failed call as its trailers tell: a code, a message and the packed details.
 * NULL when out of memory. Yours. */
struct isms_reply *reply_trailers(enum status_code code, const char *message,
				  const uint8_t *details, size_t len, const char *request_id);

/* A call that went well; bytes that are not a message of this type make it
 * INTERNAL, BAD_REPLY. NULL when out of memory. Yours. */
struct isms_reply *reply_message(const ProtobufCMessageDescriptor *type, const uint8_t *data,
				 size_t len, const char *request_id);

/* Status of a reply; NULL counts as out of memory. */
struct status reply_status(const struct isms_reply *reply);

#endif
