/* What a watcher asked to hear of. */
#ifndef ISMS_WATCH_FILTER_H
#define ISMS_WATCH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "common/uuid.h"

struct Isms__V1__WatchRequest;
struct arena;
struct notice;

enum { FILTER_TOPICS_MAX = 16 }; /* as WatchRequest says */

struct filter {
	uint8_t org[UUID_BYTES];
	uint64_t kinds; /* 0: all */
	char **topics;
	size_t n_topics; /* 0: all */
	uint64_t topic_numbers[FILTER_TOPICS_MAX];
	bool scoped;
	uint8_t scope[UUID_BYTES];
};

/* topics are borrowed from the request. INVALID_ARGUMENT for a kind that there is
 * not. */
STATUS_MUST_CHECK struct status filter_init(struct filter *out, const char *org_id,
					    const struct Isms__V1__WatchRequest *request,
					    struct arena *arena);
bool filter_passes(const struct filter *filter, const struct notice *notice);

#endif
