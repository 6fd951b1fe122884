/* How a call ends on the wire: a status as the fields that carry it. */
#ifndef ISMS_NET_ANSWER_H
#define ISMS_NET_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "server/net/codec.h"

struct arena;

/* grpc-status, grpc-message and details; with trailers_only behind :status and
 * content-type. Texts are in the arena or static. */
size_t answer_fields(struct codec_field out[CODEC_FIELDS_MAX], const struct status *st,
		     bool trailers_only, struct arena *arena);

/* DEADLINE_EXCEEDED before anything was done. */
struct status answer_deadline(void);

#endif
