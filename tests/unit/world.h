/* A small organisation for decisions: facts made by hand, and what a plan holds
 * afterwards. Persons are called p-<user>; the clock stands still. */
#ifndef ISMS_TESTS_WORLD_H
#define ISMS_TESTS_WORLD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/states.h"

enum { WORLD_ROWS_MAX = 64 };

static const int64_t WORLD_NOW_US = INT64_C(1800000000000000);
static const int64_t WORLD_DAY_US = INT64_C(86400000000);

struct world_rows {
	ProtobufCMessage *rows[WORLD_ROWS_MAX];
	size_t n;
};

struct world {
	struct arena *arena;
	struct facts facts;
	struct plan plan;
	Isms__Store__V1__Principal *me;
	Isms__Store__V1__Access *access;
	Isms__V1__Risk *risk;
	struct world_rows sets[FACTS_SETS_MAX];
};

static const struct facts_limits WORLD_LIMITS = { .decisions_per_hour = 0 };

static inline void world_entropy(void *out, size_t len)
{
	static uint8_t next;
	memset(out, ++next, len);
}

static inline char *world_text(struct world *world, const char *text)
{
	return must(arena_strdup(world->arena, text));
}

static inline Google__Protobuf__Timestamp *world_time(struct world *world, int64_t days)
{
	return must(pb_time_new(world->arena, WORLD_NOW_US + days * WORLD_DAY_US));
}

static inline Isms__V1__Meta *world_meta(struct world *world, const char *id, int64_t version)
{
	Isms__V1__Meta *meta = must_new_of(world->arena, Isms__V1__Meta, isms__v1__meta);
	meta->id = world_text(world, id);
	meta->ref = must(arena_printf(world->arena, "REF-%s", id));
	meta->version = version;
	return meta;
}

/* An empty set of this name; rows are added with world_add. */
static inline size_t world_set(struct world *world, const char *name,
			       const ProtobufCMessageDescriptor *type)
{
	size_t at = world->facts.n_sets++;
	world->facts.sets[at] =
		(struct fact_set){ .name = name, .type = type, .rows = world->sets[at].rows };
	return at;
}

static inline void world_add(struct world *world, const char *set, ProtobufCMessage *row)
{
	for (size_t i = 0; i < world->facts.n_sets; i++)
		if (strcmp(world->facts.sets[i].name, set) == 0) {
			world->sets[i].rows[world->sets[i].n++] = row;
			world->facts.sets[i].n = world->sets[i].n;
			return;
		}
	abort();
}

static inline Isms__Store__V1__NextRef *world_ref(struct world *world, const char *ref)
{
	Isms__Store__V1__NextRef *row =
		must_new_of(world->arena, Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	row->ref = world_text(world, ref);
	return row;
}

/* The caller: a human with these permissions, up to CRITICAL. */
static inline void world_caller(struct world *world, const char *user, const char *permission,
				const char *role)
{
	world->me =
		must_new_of(world->arena, Isms__Store__V1__Principal, isms__store__v1__principal);
	world->me->org_id = world_text(world, "org");
	world->me->user_id = world_text(world, user);
	world->me->person_id = must(arena_printf(world->arena, "p-%s", user));
	world->me->person_ids = must(arena_array(world->arena, char *, 1));
	world->me->person_ids[0] = world->me->person_id;
	world->me->n_person_ids = 1;
	world->me->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	world->me->display_name = world_text(world, user);
	world->me->session_id = world_text(world, "session");
	world->access = must_new_of(world->arena, Isms__Store__V1__Access, isms__store__v1__access);
	world->access->scope_id = world_text(world, "scope");
	world->access->owner_id = world_text(world, "owner");
	world->access->permissions = must(arena_array(world->arena, char *, 1));
	world->access->permissions[0] = world_text(world, permission);
	world->access->n_permissions = 1;
	world->access->role_codes = must(arena_array(world->arena, char *, 1));
	world->access->role_codes[0] = world_text(world, role);
	world->access->n_role_codes = 1;
	world->access->max_accept_level = LEVEL(CRITICAL);
	world->facts.principal = world->me;
	world->facts.access = world->access;
	world->plan.actor_id = world->me->user_id;
}

static inline Isms__V1__Score *world_score(struct world *world, int32_t likelihood, int32_t impact,
					   Isms__V1__RiskLevel level)
{
	Isms__V1__Score *score = must_new_of(world->arena, Isms__V1__Score, isms__v1__score);
	score->likelihood = likelihood;
	score->impact = impact;
	score->level = level;
	return score;
}

static inline void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->arena = must(arena_new(32 << 20));
	world->facts.arena = world->arena;
	world->facts.now_us = WORLD_NOW_US;
	world->facts.limits = &WORLD_LIMITS;
	world->facts.credential.fingerprint = (ProtobufCBinaryData){ 4, (uint8_t *)"\1\2\3\4" };
	world->facts.credential.ip = world_text(world, "192.0.2.7");
	world->plan.arena = world->arena;
	world->plan.now_us = WORLD_NOW_US;
	world->plan.entropy = world_entropy;
	world->risk = must_new_of(world->arena, Isms__V1__Risk, isms__v1__risk);
	world->risk->meta = world_meta(world, "risk", 7);
	world->risk->scope_id = world_text(world, "scope");
	world->risk->owner_id = world_text(world, "owner");
	world->risk->title = world_text(world, "a risk");
	world->risk->state = RISK(TREATMENT_PENDING);
	world->risk->method_id = world_text(world, "method");
	world->risk->current = world_score(world, 4, 4, LEVEL(HIGH));
	world->risk->inherent = world_score(world, 0, 0, LEVEL(UNSPECIFIED));
	world->risk->target = world_score(world, 0, 0, LEVEL(UNSPECIFIED));
}

static inline void world_done(struct world *world)
{
	arena_free(world->arena);
}

/* The n-th row that the plan writes of a kind, or NULL. */
static inline const ProtobufCMessage *world_wrote(const struct world *world, enum kind_id kind,
						  size_t n)
{
	for (size_t i = 0; i < world->plan.n_rows; i++)
		if (world->plan.rows[i].kind == kind && n-- == 0)
			return world->plan.rows[i].after;
	return NULL;
}

#define WORLD_WROTE(world, Type, kind, n)                                                          \
	((const Type *)(const void *)world_wrote((world), (kind), (n)))

static inline Isms__V1__TreatmentPlan *world_plan(struct world *world, const char *id,
						  Isms__V1__TreatmentOption option,
						  Isms__V1__PlanState state)
{
	Isms__V1__TreatmentPlan *plan =
		must_new_of(world->arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
	plan->meta = world_meta(world, id, 3);
	plan->scope_id = world->risk->scope_id;
	plan->risk_id = world->risk->meta->id;
	plan->option = option;
	plan->state = state;
	plan->author_id = world_text(world, "author");
	plan->content = must_new_of(world->arena, Isms__V1__PlanFields, isms__v1__plan_fields);
	plan->content->rationale = world_text(world, "it is worth it");
	return plan;
}

static inline Isms__V1__Acceptance *world_acceptance(struct world *world, const char *id,
						     const char *plan_id,
						     Isms__V1__AcceptanceState state, int64_t days)
{
	Isms__V1__Acceptance *row =
		must_new_of(world->arena, Isms__V1__Acceptance, isms__v1__acceptance);
	row->meta = world_meta(world, id, 3);
	row->scope_id = world->risk->scope_id;
	row->risk_id = world->risk->meta->id;
	row->plan_id = world_text(world, plan_id);
	row->state = state;
	row->effective = state == ACCEPTANCE(ACTIVE) && days > 0;
	row->level = LEVEL(HIGH);
	row->valid_until = world_time(world, days);
	row->author_id = world_text(world, "author");
	return row;
}

static inline Isms__V1__ApprovalRequest *
world_request(struct world *world, const char *id, Isms__V1__SubjectKind kind, const char *subject)
{
	Isms__V1__ApprovalRequest *row =
		must_new_of(world->arena, Isms__V1__ApprovalRequest, isms__v1__approval_request);
	row->meta = world_meta(world, id, 2);
	row->scope_id = world->risk->scope_id;
	row->subject_kind = kind;
	row->subject_id = world_text(world, subject);
	row->subject_version = 3;
	row->risk_id = world->risk->meta->id;
	row->risk_version = world->risk->meta->version;
	row->level = world->risk->current->level;
	row->state = APPROVAL(PENDING);
	row->current_step = 1;
	row->requested_by = world_text(world, "asker");
	row->requested_by_person = world_text(world, "p-asker");
	row->contributor_persons = must(arena_array(world->arena, char *, 2));
	row->contributor_persons[0] = world_text(world, "p-author");
	row->contributor_persons[1] = world_text(world, "p-scorer");
	row->n_contributor_persons = 2;
	row->snapshot_sha256.data = must(arena_alloc(world->arena, 32));
	row->snapshot_sha256.len = 32;
	memset(row->snapshot_sha256.data, 0xab, 32);
	row->steps = must_new_of(world->arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
	row->steps->steps = must(arena_array(world->arena, Isms__V1__PolicyStep *, 8));
	return row;
}

/* A step of steps; role NULL: the owner of the risk. */
static inline Isms__V1__PolicyStep *world_step(struct world *world, Isms__V1__PolicySteps *steps,
					       Isms__V1__StepMode mode, int32_t quorum,
					       const char *role, bool distinct)
{
	Isms__V1__PolicyStep *step =
		must_new_of(world->arena, Isms__V1__PolicyStep, isms__v1__policy_step);
	step->step_no = (int32_t)steps->n_steps + 1;
	step->mode = mode;
	step->quorum = quorum;
	step->selector = role == NULL ? SELECTOR(RISK_OWNER) : SELECTOR(ROLE);
	step->role_code = world_text(world, role == NULL ? "" : role);
	step->distinct_from_prior = distinct;
	steps->steps[steps->n_steps++] = step;
	return step;
}

#endif
