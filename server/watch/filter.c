/* See filter.h. */
#include "server/watch/filter.h"

#include <string.h>

#include "isms/v1/watch.pb-c.h"
#include "server/domain/kind.h"
#include "server/watch/notice.h"

struct status filter_init(struct filter *out, const char *org_id,
			  const struct Isms__V1__WatchRequest *request, struct arena *arena)
{
	struct filter filter = { .topics = request->topics, .n_topics = request->n_topics };
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

static bool has_topic(const struct filter *filter, const char *topic)
{
	for (size_t i = 0; i < filter->n_topics; i++)
		if (strcmp(filter->topics[i], topic) == 0)
			return true;
	return filter->n_topics == 0;
}

bool filter_passes(const struct filter *filter, const struct notice *notice)
{
	return memcmp(filter->org, notice->org, UUID_BYTES) == 0 &&
	       (filter->kinds == 0 || (filter->kinds & notice_kind_bit(notice->kind)) != 0) &&
	       (!filter->scoped || notice_in_scope(notice, filter->scope)) &&
	       has_topic(filter, notice->topic);
}
