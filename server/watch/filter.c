/* See filter.h. */
#include "server/watch/filter.h"

#include <assert.h>
#include <string.h>

#include "isms/v1/watch.pb-c.h"
#include "server/domain/kind.h"
#include "server/watch/notice.h"

struct status filter_init(struct filter *out, const char *org_id,
			  const struct Isms__V1__WatchRequest *request, struct arena *arena)
{
	struct filter filter = { .topics = request->topics, .n_topics = request->n_topics };
	assert(request->n_topics <= FILTER_TOPICS_MAX); /* the rules say so */
	for (size_t i = 0; i < request->n_topics; i++)
		filter.topic_numbers[i] = notice_topic_number(request->topics[i]);
	if (!uuid_parse(org_id, filter.org))
		return status_make(STATUS_CODE_INTERNAL, "INTERNAL", "the organisation has no id");
	for (size_t i = 0; i < request->n_kinds; i++) {
		const struct kind *kind = kind_by_name(request->kinds[i]);
		if (kind == NULL || kind->read == NULL)
			return status_invalid(arena, "kinds", "there is no such kind of object");
		filter.kinds |= notice_kind_bit(kind->id);
	}
	filter.scoped = request->scope_id[0] != '\0';
	if (filter.scoped && !uuid_parse(request->scope_id, filter.scope))
		return status_invalid(arena, "scope_id", "must be a uuid");
	*out = filter;
	return STATUS_OK;
}

/* For each notice and stream: so by number first. */
static bool has_topic(const struct filter *filter, const struct notice *notice)
{
	for (size_t i = 0; i < filter->n_topics; i++)
		if (filter->topic_numbers[i] == notice->topic_number &&
		    strcmp(filter->topics[i], notice->topic) == 0)
			return true;
	return filter->n_topics == 0;
}

bool filter_passes(const struct filter *filter, const struct notice *notice)
{
	return memcmp(filter->org, notice->org, UUID_BYTES) == 0 &&
	       (filter->kinds == 0 || (filter->kinds & notice_kind_bit(notice->kind)) != 0) &&
	       (!filter->scoped || notice_in_scope(notice, filter->scope)) &&
	       has_topic(filter, notice);
}
