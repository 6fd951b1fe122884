/* One row of the log of announcements, made ready once for all who watch: the
 * message as it is sent, and beside it what decides who gets it. */
#ifndef ISMS_WATCH_NOTICE_H
#define ISMS_WATCH_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/uuid.h"
#include "server/domain/kind.h"
#include "server/watch/cursor.h"

struct Isms__Store__V1__WatchRow;

enum { NOTICE_SCOPES_MAX = 32, NOTICE_KINDS_MAX = 64 };

struct notice {
	struct cursor at;
	uint8_t org[UUID_BYTES];
	enum kind_id kind; /* KIND_NONE: one that this program does not know */
	const char *topic;
	uint64_t topic_number;               /* notice_topic_number of it */
	const uint8_t (*scopes)[UUID_BYTES]; /* the object's scope and all above it */
	size_t n_scopes;                     /* 0: it belongs to none */
	const uint8_t *message;              /* WatchResponse, packed */
	size_t len;
};

/* Yours, one piece of memory. */
struct notice *notice_new(const struct Isms__Store__V1__WatchRow *row);
void notice_free(struct notice *notice);
bool notice_in_scope(const struct notice *notice, const uint8_t scope[UUID_BYTES]);

/* A topic as a number: equal topics have equal ones, others hardly ever. */
uint64_t notice_topic_number(const char *topic);

/* A kind as a bit of a set. */
static inline uint64_t notice_kind_bit(enum kind_id kind)
{
	_Static_assert((int)KIND_COUNT <= (int)NOTICE_KINDS_MAX, "kinds do not fit into a set");
	return UINT64_C(1) << (unsigned)kind;
}

#endif
