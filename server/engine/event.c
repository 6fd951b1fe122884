/* The audit event and the announcements of a call, made from its plan: nobody has
 * to remember to record a change. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/pb.h"
#include "isms/v1/audit.pb-c.h"
#include "isms/v1/common.pb-c.h"

enum { EVENT_FIELDS_MAX = 200 };

struct field_list {
	struct arena *arena;
	Isms__V1__FieldChange *fields[EVENT_FIELDS_MAX];
	size_t n;
};

/* The rows of a plan that the event is about, the subject first. */
struct recorded {
	const struct plan_row **rows;
	size_t n;
};

/* Fields of stored rows whose values must not reach the log. */
static bool is_secret(const char *field)
{
	return strcmp(field, "password_hash") == 0 || strcmp(field, "token_sha256") == 0;
}

static void add_field(void *arg, const char *field, const char *before, const char *after)
{
	struct field_list *list = arg;
	if (list->n == EVENT_FIELDS_MAX || is_secret(field))
		return;
	Isms__V1__FieldChange *change = arena_new_of(list->arena, Isms__V1__FieldChange);
	isms__v1__field_change__init(change);
	change->field = arena_strdup(list->arena, field);
	change->before = arena_strdup(list->arena, before);
	change->after = arena_strdup(list->arena, after);
	list->fields[list->n++] = change;
}

static const Isms__V1__Meta *meta_of(const struct plan_row *row)
{
	return (const Isms__V1__Meta *)(const void *)pb_sub(row->after, "meta");
}

static Isms__V1__EntityChange *change_of(const struct plan_row *row, struct arena *arena)
{
	Isms__V1__EntityChange *change = arena_new_of(arena, Isms__V1__EntityChange);
	isms__v1__entity_change__init(change);
	change->entity_kind = (char *)kind_of(row->kind)->name;
	if (kind_of(row->kind)->versioned) {
		const Isms__V1__Meta *meta = meta_of(row);
		change->entity_id = meta->id;
		change->entity_ref = meta->ref;
		change->entity_version = meta->version;
	} else {
		change->entity_id = (char *)pb_string(row->after, "id");
	}
	struct field_list list = { .arena = arena };
	pb_diff(row->before, row->after, arena, add_field, &list);
	change->fields = arena_memdup(arena, list.fields, list.n * sizeof(*list.fields));
	change->n_fields = list.n;
	return change;
}

/* Versioned rows, and rows that are something of their own: a vote, a score. */
static bool is_recorded(const struct plan_row *row)
{
	return kind_of(row->kind)->versioned || pb_string(row->after, "id")[0] != '\0';
}

static bool is_subject(const struct plan *plan, const struct plan_row *row)
{
	const char *id =
		kind_of(row->kind)->versioned ? meta_of(row)->id : pb_string(row->after, "id");
	return plan->subject_id != NULL && strcmp(id, plan->subject_id) == 0;
}

static struct recorded recorded_of(const struct plan *plan, struct arena *arena)
{
	struct recorded list = { .rows = arena_array(arena, const struct plan_row *,
						     plan->n_rows + 1) };
	for (size_t i = 0; i < plan->n_rows; i++) {
		const struct plan_row *row = &plan->rows[i];
		if (!is_recorded(row))
			continue;
		size_t at = list.n++;
		if (is_subject(plan, row)) {
			memmove(list.rows + 1, list.rows, at * sizeof(*list.rows));
			at = 0;
		}
		list.rows[at] = row;
	}
	return list;
}

static void add_changes(const struct recorded *list, Isms__V1__AuditEvent *event,
			struct arena *arena)
{
	event->changes = arena_array(arena, Isms__V1__EntityChange *, list->n + 1);
	for (size_t i = 0; i < list->n; i++)
		event->changes[event->n_changes++] = change_of(list->rows[i], arena);
}

/* What a refused call was about: the row that it would have changed, or only the
 * id in its request. */
static void set_subject_of_request(const struct engine_call *call, Isms__V1__AuditEvent *event)
{
	const char *target = call->method->rpc->target;
	for (size_t i = 0; target != NULL && i < call->facts.n_sets; i++) {
		const struct fact_set *set = &call->facts.sets[i];
		if (strcmp(set->name, target) != 0 || set->n == 0)
			continue;
		const Isms__V1__Meta *meta = (const void *)pb_sub(set->rows[0], "meta");
		event->entity_kind = (char *)call->method->load[i].binding.query->kind;
		event->entity_id = meta->id;
		event->entity_ref = meta->ref;
		return;
	}
	const char *const names[] = { "id", "request_id", "risk_id", "scope_id", "user_id" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *id = pb_string(call->request, names[i]);
		if (*id == '\0')
			continue;
		event->entity_id = (char *)id;
		return;
	}
}

/* Somebody who has no token yet is known by the account that the call is about. */
static void set_actor_of_plan(const struct engine_call *call, Isms__V1__AuditEvent *event)
{
	const struct plan *plan = &call->plan;
	event->org_id = (char *)plan->org_id;
	if (call->org_id != NULL)
		event->actor_name = (char *)"system";
	if (plan->org_actor_id == NULL)
		return;
	event->actor_id = (char *)plan->org_actor_id;
	for (size_t i = 0; i < plan->n_rows; i++) {
		const struct plan_row *row = &plan->rows[i];
		if (row->kind != KIND_APP_USER || strcmp(meta_of(row)->id, plan->org_actor_id) != 0)
			continue;
		event->actor_name = (char *)pb_string(row->after, "display_name");
		event->actor_kind = (int32_t)pb_int(row->after, "kind");
	}
}

static void set_actor(const struct engine_call *call, Isms__V1__AuditEvent *event)
{
	const Isms__Store__V1__Principal *principal = call->principal;
	if (principal == NULL) {
		set_actor_of_plan(call, event);
		return;
	}
	event->org_id = principal->org_id;
	event->actor_id = principal->user_id;
	event->actor_name = principal->display_name;
	event->actor_kind = (int32_t)principal->kind;
	event->session_id = principal->session_id;
}

static Isms__V1__AuditEvent *make_event(const struct engine_call *call, const struct recorded *list,
					const struct status *refused)
{
	struct arena *arena = call->arena;
	Isms__V1__AuditEvent *event = arena_new_of(arena, Isms__V1__AuditEvent);
	isms__v1__audit_event__init(event);
	event->id = plan_new_id((struct plan *)&call->plan);
	event->at = pb_time_new(arena, call->facts.now_us);
	set_actor(call, event);
	event->peer = (char *)call->peer;
	event->rpc = call->method->path;
	const ProtobufCMessage *mutation = pb_sub(call->request, "mutation");
	if (mutation != NULL)
		event->request_id = (char *)pb_string(mutation, "request_id");
	event->outcome = refused == NULL ? ISMS__V1__AUDIT_OUTCOME__AUDIT_OUTCOME_DONE
					 : ISMS__V1__AUDIT_OUTCOME__AUDIT_OUTCOME_REFUSED;
	if (refused != NULL && refused->reason != NULL)
		event->reason = (char *)refused->reason;
	event->comment = (char *)pb_string(call->request, "reason");
	if (*event->comment == '\0')
		event->comment = (char *)pb_string(call->request, "comment");
	add_changes(list, event, arena);
	if (event->n_changes > 0) {
		event->entity_kind = event->changes[0]->entity_kind;
		event->entity_id = event->changes[0]->entity_id;
		event->entity_ref = event->changes[0]->entity_ref;
	} else {
		set_subject_of_request(call, event);
	}
	return event;
}

static void name_fields(Isms__Store__V1__AuditRow *row, const Isms__V1__EntityChange *change,
			struct arena *arena)
{
	row->entity_version = change->entity_version;
	row->changed_fields = arena_array(arena, char *, change->n_fields + 1);
	for (size_t i = 0; i < change->n_fields; i++)
		row->changed_fields[row->n_changed_fields++] = change->fields[i]->field;
}

/* What comes with other things (a session with a login, an invitation with an
 * account) is not announced beside them. */
static bool is_announced(const struct plan_row *row)
{
	return kind_of(row->kind)->versioned && row->kind != KIND_SESSION &&
	       row->kind != KIND_INVITATION;
}

static const char *scope_of(const struct plan_row *row)
{
	return row->kind == KIND_SCOPE ? meta_of(row)->id : pb_string(row->after, "scope_id");
}

static void announce_row(Isms__Store__V1__OutboxRows *rows, const struct plan_row *row,
			 const Isms__V1__EntityChange *change)
{
	rows->entity_kinds[rows->n_entity_kinds++] = change->entity_kind;
	rows->entity_ids[rows->n_entity_ids++] = change->entity_id;
	rows->entity_versions[rows->n_entity_versions++] = change->entity_version;
	rows->entity_refs[rows->n_entity_refs++] = change->entity_ref;
	rows->scope_ids[rows->n_scope_ids++] = (char *)scope_of(row);
}

/* An announcement for each versioned row that changed, the subject in any case and
 * first. */
static Isms__Store__V1__OutboxRows *announce(const struct recorded *list,
					     const Isms__V1__AuditEvent *event, struct arena *arena)
{
	size_t n = event->n_changes;
	if (n == 0)
		return NULL;
	Isms__Store__V1__OutboxRows *rows = arena_new_of(arena, Isms__Store__V1__OutboxRows);
	isms__store__v1__outbox_rows__init(rows);
	rows->topic = (char *)(strrchr(event->rpc, '.') + 1);
	rows->audit_event_id = event->id;
	rows->entity_kinds = arena_array(arena, char *, n);
	rows->entity_ids = arena_array(arena, char *, n);
	rows->entity_versions = arena_array(arena, int64_t, n);
	rows->scope_ids = arena_array(arena, char *, n);
	rows->entity_refs = arena_array(arena, char *, n);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || is_announced(list->rows[i]))
			announce_row(rows, list->rows[i], event->changes[i]);
	}
	return rows;
}

struct event_rows event_of(const struct engine_call *call, const struct status *refused)
{
	struct arena *arena = call->arena;
	const struct recorded list = recorded_of(&call->plan, arena);
	const Isms__V1__AuditEvent *event = make_event(call, &list, refused);
	Isms__Store__V1__AuditRow *audit = arena_new_of(arena, Isms__Store__V1__AuditRow);
	isms__store__v1__audit_row__init(audit);
	audit->id = event->id;
	audit->at = event->at;
	audit->actor_id = event->actor_id;
	audit->actor_name = event->actor_name;
	audit->entity_kind = event->entity_kind;
	audit->entity_id = event->entity_id;
	if (event->n_changes > 0)
		name_fields(audit, event->changes[0], arena);
	audit->event.data = pb_pack(&audit->event.len, &event->base, arena);
	if (audit->event.data == NULL)
		abort();
	return (struct event_rows){ audit, announce(&list, event, arena) };
}
