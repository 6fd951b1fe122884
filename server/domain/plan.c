/* Fills plans. The part that all governed rows share, their Meta, is set here
 * and nowhere else; it is reached through the descriptor's field "meta". The
 * server may abort when memory is out, so every result is there. */
#include "server/domain/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/common.pb-c.h"

static void *must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

/* Who makes the change: the caller, or the account that a call without a token
 * turned out to be about. */
static char *actor_of(const struct plan *plan)
{
	const char *actor = plan->actor_id;
	if (actor == NULL || actor[0] == '\0')
		actor = plan->org_actor_id;
	if (actor == NULL)
		actor = "";
	return must(arena_strdup(plan->arena, actor));
}

static Isms__V1__Meta **meta_slot(const ProtobufCMessage *row)
{
	const ProtobufCFieldDescriptor *field = pb_field(row->descriptor, "meta");
	assert(field != NULL && field->descriptor == &isms__v1__meta__descriptor);
	return pb_member(row, field);
}

char *plan_new_id(struct plan *plan)
{
	uint8_t entropy[10];
	char text[UUID_TEXT];
	plan->entropy(entropy, sizeof(entropy));
	uuid_v7(plan->now_us, entropy, text);
	return must(arena_strdup(plan->arena, text));
}

ProtobufCMessage *plan_copy(struct plan *plan, const ProtobufCMessage *message)
{
	return must(pb_copy(message, plan->arena));
}

static void grow(struct plan *plan)
{
	size_t room = plan->room == 0 ? 16 : 2 * plan->room;
	struct plan_row *rows = must(arena_array(plan->arena, struct plan_row, room));
	for (size_t i = 0; i < plan->n_rows; i++)
		rows[i] = plan->rows[i];
	plan->rows = rows;
	plan->room = room;
}

static void add(struct plan *plan, enum plan_op op, enum kind_id kind,
		const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	assert(plan->n_rows < PLAN_ROWS_MAX);
	if (plan->n_rows == plan->room)
		grow(plan);
	assert(after->descriptor == kind_of(kind)->row);
	assert(kind_of(kind)->versioned == (op != PLAN_PUT));
	plan->rows[plan->n_rows++] =
		(struct plan_row){ .op = op, .kind = kind, .before = before, .after = after };
}

/* The subject is the first versioned row unless decide names another. */
static void default_subject(struct plan *plan, enum kind_id kind, const char *id)
{
	if (plan->subject_kind != KIND_NONE)
		return;
	plan->subject_kind = kind;
	plan->subject_id = id;
}

void plan_insert(struct plan *plan, enum kind_id kind, ProtobufCMessage *row)
{
	Isms__V1__Meta **slot = meta_slot(row);
	Isms__V1__Meta *meta = must(arena_new_of(plan->arena, Isms__V1__Meta));
	isms__v1__meta__init(meta);
	if (*slot != NULL) {
		meta->id = (*slot)->id;
		meta->ref = (*slot)->ref;
	}
	if (meta->id == NULL || meta->id[0] == '\0')
		meta->id = plan_new_id(plan);
	meta->version = 1;
	meta->created_at = must(pb_time_new(plan->arena, plan->now_us));
	meta->updated_at = must(pb_time_new(plan->arena, plan->now_us));
	meta->created_by = actor_of(plan);
	meta->updated_by = meta->created_by;
	*slot = meta;
	add(plan, PLAN_INSERT, kind, NULL, row);
	default_subject(plan, kind, meta->id);
}

void plan_update(struct plan *plan, enum kind_id kind, const ProtobufCMessage *before,
		 ProtobufCMessage *after)
{
	const Isms__V1__Meta *was = *meta_slot(before);
	Isms__V1__Meta *meta = *meta_slot(after);
	assert(was != NULL && meta != NULL && was != meta && strcmp(was->id, meta->id) == 0);
	for (size_t i = 0; i < plan->n_rows; i++)
		assert(plan->rows[i].before != before);
	meta->version = was->version + 1;
	meta->updated_at = must(pb_time_new(plan->arena, plan->now_us));
	meta->updated_by = actor_of(plan);
	add(plan, PLAN_UPDATE, kind, before, after);
	default_subject(plan, kind, meta->id);
}

void plan_put(struct plan *plan, enum kind_id kind, const ProtobufCMessage *row)
{
	add(plan, PLAN_PUT, kind, NULL, row);
}

void plan_reply(struct plan *plan, const ProtobufCMessage *message)
{
	plan->reply = message;
}
