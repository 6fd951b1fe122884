/* Rows to messages, see notice.h. */
#include "server/watch/notice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"

static Isms__V1__Event event_of(const Isms__Store__V1__WatchRow *row)
{
	Isms__V1__Event event = ISMS__V1__EVENT__INIT;
	event.id = row->id;
	event.at = row->at;
	event.topic = row->topic;
	event.entity_kind = row->entity_kind;
	event.entity_id = row->entity_id;
	event.entity_ref = row->entity_ref;
	event.entity_version = row->entity_version;
	event.scope_id = row->scope_id;
	event.actor_id = row->actor_id;
	event.actor_name = row->actor_name;
	event.audit_event_id = row->audit_event_id;
	return event;
}

struct notice *notice_new(const struct Isms__Store__V1__WatchRow *row)
{
	char cursor[CURSOR_TEXT];
	struct cursor at = { row->tx, row->seq };
	Isms__V1__Event event = event_of(row);
	Isms__V1__WatchResponse response = ISMS__V1__WATCH_RESPONSE__INIT;
	const struct kind *kind = kind_by_name(row->entity_kind);
	size_t n_scopes =
		row->n_scope_ids < NOTICE_SCOPES_MAX ? row->n_scope_ids : NOTICE_SCOPES_MAX;
	cursor_format(cursor, at);
	response.cursor = cursor;
	response.event = &event;
	size_t len = isms__v1__watch_response__get_packed_size(&response);
	size_t topic_size = strlen(row->topic) + 1;
	struct notice *notice =
		calloc(1, sizeof(*notice) + n_scopes * UUID_BYTES + topic_size + len);
	if (notice == NULL)
		abort();
	uint8_t(*scopes)[UUID_BYTES] = (void *)(notice + 1);
	char *topic = (char *)(scopes + n_scopes);
	uint8_t *message = (uint8_t *)topic + topic_size;
	for (size_t i = 0; i < n_scopes; i++)
		if (!uuid_parse(row->scope_ids[i], scopes[i]))
			abort(); /* comes from a column of ids */
	memcpy(topic, row->topic, topic_size);
	isms__v1__watch_response__pack(&response, message);
	*notice = (struct notice){ .at = at,
				   .kind = kind != NULL ? kind->id : KIND_NONE,
				   .topic = topic,
				   .topic_number = notice_topic_number(topic),
				   .scopes = (const uint8_t(*)[UUID_BYTES])scopes,
				   .n_scopes = n_scopes,
				   .message = message,
				   .len = len };
	if (!uuid_parse(row->org_id, notice->org))
		abort();
	return notice;
}

uint64_t notice_topic_number(const char *topic)
{
	/* FNV-1a */
	uint64_t number = UINT64_C(14695981039346656037);
	for (; *topic != '\0'; topic++)
		number = (number ^ (uint8_t)*topic) * UINT64_C(1099511628211);
	return number;
}

void notice_free(struct notice *notice)
{
	free(notice);
}

bool notice_in_scope(const struct notice *notice, const uint8_t scope[UUID_BYTES])
{
	for (size_t i = 0; i < notice->n_scopes; i++)
		if (memcmp(notice->scopes[i], scope, UUID_BYTES) == 0)
			return true;
	return false;
}
