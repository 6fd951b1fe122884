/* The frozen bytes are read, never packed again. */
#include "server/domain/snapshot_diff.h"

#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

/* Of the snapshot: shown as the messages that they hold, or no matter of content. */
static const char *const not_compared[] = {
	"org_id",  "subject_id", "subject_ref", "subject_version", "risk_version",
	"subject", "risk",       "method",      "policy_id",       "policy_no",
};
/* Of the subject: what its own life and the request put there, or repeat of its
 * content. */
static const char *const not_content[] = {
	"subject.approval_request_id", "subject.plan_id",      "subject.previous_id",
	"subject.contributor_ids",     "subject.state",        "subject.replaces_version",
	"subject.replaces_id",         "subject.requested_by", "subject.author_id",
	"subject.avoid_action",        "subject.counts_from",  "subject.due_at",
};

struct telling {
	struct snapshot_diff *out;
	const char *under; /* "" or "risk." and so on */
	struct arena *arena;
};

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static void tell(void *arg, const char *field, const char *before, const char *after)
{
	struct telling *telling = arg;
	char *name = must(arena_printf(telling->arena, "%s%s", telling->under, field));
	if (is_one_of(name, not_compared, sizeof(not_compared) / sizeof(not_compared[0])) ||
	    is_one_of(name, not_content, sizeof(not_content) / sizeof(not_content[0])))
		return;
	if (telling->out->n == SNAPSHOT_CHANGES_MAX) {
		telling->out->cut = true;
		return;
	}
	Isms__V1__FieldChange *change =
		must_new_of(telling->arena, Isms__V1__FieldChange, isms__v1__field_change);
	change->field = name;
	change->before = must(arena_strdup(telling->arena, before));
	change->after = must(arena_strdup(telling->arena, after));
	telling->out->changes[telling->out->n++] = change;
}

static const ProtobufCMessageDescriptor *subject_type(Isms__V1__SubjectKind kind)
{
	switch (kind) {
	case SUBJECT(TREATMENT_PLAN):
		return &isms__v1__treatment_plan__descriptor;
	case SUBJECT(ACCEPTANCE):
		return &isms__v1__acceptance__descriptor;
	case SUBJECT(POLICY_CHANGE):
		return &isms__v1__approval_policy__descriptor;
	default:
		return NULL;
	}
}

static bool diff_part(struct telling *telling, const char *under,
		      const ProtobufCMessageDescriptor *type, const ProtobufCBinaryData *before,
		      const ProtobufCBinaryData *after)
{
	const ProtobufCMessage *was = pb_unpack(type, before->data, before->len, telling->arena);
	const ProtobufCMessage *is = pb_unpack(type, after->data, after->len, telling->arena);
	if (was == NULL || is == NULL)
		return false;
	telling->under = under;
	pb_diff(was, is, telling->arena, tell, telling);
	return true;
}

bool snapshot_diff(struct snapshot_diff *out, const Isms__V1__DecisionSnapshot *before,
		   const Isms__V1__DecisionSnapshot *after, struct arena *arena)
{
	*out = (struct snapshot_diff){
		.changes = must(arena_array(arena, Isms__V1__FieldChange *, SNAPSHOT_CHANGES_MAX)),
	};
	struct telling telling = { .out = out, .under = "", .arena = arena };
	const ProtobufCMessageDescriptor *type = subject_type(after->subject_kind);
	if (type == NULL || before->subject_kind != after->subject_kind)
		return false;
	if (!diff_part(&telling, "subject.", type, &before->subject, &after->subject) ||
	    !diff_part(&telling, "risk.", &isms__v1__risk__descriptor, &before->risk,
		       &after->risk) ||
	    !diff_part(&telling, "method.", &isms__v1__risk_method__descriptor, &before->method,
		       &after->method))
		return false;
	telling.under = "";
	pb_diff(&before->base, &after->base, arena, tell, &telling);
	return true;
}
