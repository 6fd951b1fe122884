/* Status to fields, see answer.h. Clients refuse heads above 8 KiB, so details are
 * cut to fit: a status that arrives with fewer violations beats one that does not
 * arrive. */
#include "server/net/answer.h"

#include <string.h>

#include "common/arena.h"
#include "common/grpc.h"

enum {
	MESSAGE_MAX = 1024,
	DETAILS_MAX = 4608, /* bytes before base64 */
};

static const char *code_text(enum status_code code)
{
	static const char *const text[] = { "0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
					    "9", "10", "11", "12", "13", "14", "15", "16" };
	size_t i = (size_t)code;
	return i < sizeof(text) / sizeof(text[0]) ? text[i] : "2";
}

static const char *message_text(const struct status *st, struct arena *arena)
{
	char *out = st->message != NULL ? arena_alloc(arena, MESSAGE_MAX) : NULL;
	if (out == NULL) {
		return "";
	}
	out[grpc_percent_encode(out, MESSAGE_MAX, st->message)] = '\0';
	return out;
}

static const char *base64_text(const uint8_t *data, size_t len, struct arena *arena)
{
	char *out = arena_alloc(arena, len * 4 / 3 + 5);
	if (out != NULL) {
		out[grpc_base64_encode(out, data, len)] = '\0';
	}
	return out;
}

static const char *details_text(const struct status *st, struct arena *arena)
{
	size_t len = 0;
	const uint8_t *data = grpc_status_encode(&len, st, arena);
	if (data == NULL || len <= DETAILS_MAX) {
		return data != NULL ? base64_text(data, len, arena) : NULL;
	}
	struct status less = *st;
	struct status_details *details =
		st->details != NULL ? arena_memdup(arena, st->details, sizeof(*details)) : NULL;
	less.details = details;
	while (details != NULL && len > DETAILS_MAX) {
		if (details->n_violations > 0) {
			details->n_violations /= 2;
		} else if (details->n_pairs > 0) {
			details->n_pairs /= 2;
		} else {
			return NULL;
		}
		data = grpc_status_encode(&len, &less, arena);
		if (data == NULL) {
			return NULL;
		}
	}
	return len <= DETAILS_MAX ? base64_text(data, len, arena) : NULL;
}

size_t answer_fields(struct codec_field out[CODEC_FIELDS_MAX], const struct status *st,
		     bool trailers_only, struct arena *arena)
{
	size_t n = 0;
	if (trailers_only) {
		out[n++] = (struct codec_field){ ":status", "200" };
		out[n++] = (struct codec_field){ "content-type", "application/grpc" };
		if (st->code == STATUS_CODE_UNIMPLEMENTED) {
			out[n++] = (struct codec_field){ "grpc-accept-encoding", "identity" };
		}
	}
	out[n++] = (struct codec_field){ "grpc-status", code_text(st->code) };
	if (status_ok(st)) {
		return n;
	}
	out[n++] = (struct codec_field){ "grpc-message", message_text(st, arena) };
	const char *details = st->reason != NULL ? details_text(st, arena) : NULL;
	if (details != NULL) {
		out[n++] = (struct codec_field){ "grpc-status-details-bin", details };
	}
	return n;
}

struct status answer_deadline(void)
{
	return status_make(STATUS_CODE_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			   "the deadline passed before the call was done");
}
