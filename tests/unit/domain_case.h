/* A decision to be tried: the facts that it is made from and the plan that it
 * fills, without anything around them.
 *
 *   struct domain_case c;
 *   case_begin(&c);
 *   c.facts.request = &request.base;
 *   case_row(&c, "asset_for_write", &asset->base);
 *   case_none(&c, "owner_for_write", &isms__store__v1__account__descriptor);
 *   struct status st = asset_update(&c.facts, &c.plan);
 *   case_end(&c); */
#ifndef ISMS_TESTS_DOMAIN_CASE_H
#define ISMS_TESTS_DOMAIN_CASE_H

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/common.pb-c.h"
#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "tests/unit/tap.h"

enum { CASE_ROWS_MAX = 128 };

#define CASE_NOW_US     INT64_C(1700000000000000)
#define CASE_HOUR_US    INT64_C(3600000000)
#define CASE_ACTOR      "00000000-0000-7000-8000-0000000000aa"
#define CASE_PERSON     "00000000-0000-7000-8000-0000000000bb"
#define CASE_ORG        "00000000-0000-7000-8000-0000000000cc"
#define CASE_SCOPE      "00000000-0000-7000-8000-0000000000dd"
#define CASE_ID(suffix) "00000000-0000-7000-8000-0000000000" suffix

static const struct facts_limits CASE_LIMITS = { .decisions_per_hour = 0 };

struct domain_case {
	struct arena *arena;
	struct facts facts;
	struct plan plan;
	Isms__Store__V1__Principal principal;
	char *persons[1];
};

/* Not random, but never the same twice. */
static inline void case_entropy(void *out, size_t len)
{
	static unsigned char next;
	memset(out, 0, len);
	((unsigned char *)out)[0] = ++next;
	((unsigned char *)out)[len - 1] = next;
}

static inline void case_begin(struct domain_case *c)
{
	memset(c, 0, sizeof(*c));
	c->arena = arena_new(4 << 20);
	assert(c->arena != NULL);
	isms__store__v1__principal__init(&c->principal);
	c->persons[0] = (char *)CASE_PERSON;
	c->principal.org_id = (char *)CASE_ORG;
	c->principal.user_id = (char *)CASE_ACTOR;
	c->principal.person_id = (char *)CASE_PERSON;
	c->principal.person_ids = c->persons;
	c->principal.n_person_ids = 1;
	c->principal.kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	c->principal.display_name = (char *)"Alex Owner";
	c->facts.principal = &c->principal;
	c->facts.now_us = CASE_NOW_US;
	c->facts.limits = &CASE_LIMITS;
	c->facts.arena = c->arena;
	c->plan.arena = c->arena;
	c->plan.now_us = CASE_NOW_US;
	c->plan.actor_id = CASE_ACTOR;
	c->plan.entropy = case_entropy;
}

static inline void case_end(struct domain_case *c)
{
	arena_free(c->arena);
}

static inline struct fact_set *case_set(struct domain_case *c, const char *name,
					const ProtobufCMessageDescriptor *type)
{
	for (size_t i = 0; i < c->facts.n_sets; i++)
		if (strcmp(c->facts.sets[i].name, name) == 0)
			return &c->facts.sets[i];
	assert(c->facts.n_sets < FACTS_SETS_MAX);
	struct fact_set *set = &c->facts.sets[c->facts.n_sets++];
	set->name = name;
	set->type = type;
	set->rows = arena_array(c->arena, ProtobufCMessage *, CASE_ROWS_MAX);
	return set;
}

/* A set that the load found nothing for. */
static inline void case_none(struct domain_case *c, const char *name,
			     const ProtobufCMessageDescriptor *type)
{
	(void)case_set(c, name, type);
}

static inline void case_row(struct domain_case *c, const char *name, ProtobufCMessage *row)
{
	struct fact_set *set = case_set(c, name, row->descriptor);
	assert(set->n < CASE_ROWS_MAX);
	set->rows[set->n++] = row;
}

/* A loaded row's Meta. */
static inline Isms__V1__Meta *case_meta(struct domain_case *c, const char *id, int64_t version)
{
	Isms__V1__Meta *meta = must_new_of(c->arena, Isms__V1__Meta, isms__v1__meta);
	meta->id = (char *)id;
	meta->version = version;
	return meta;
}

static inline Isms__Store__V1__Account *case_account(struct domain_case *c, const char *id,
						     const char *person_id)
{
	Isms__Store__V1__Account *account =
		must_new_of(c->arena, Isms__Store__V1__Account, isms__store__v1__account);
	account->meta = case_meta(c, id, 3);
	account->org_id = (char *)CASE_ORG;
	account->email = (char *)"sam.analyst@example.org";
	account->display_name = (char *)"Sam Analyst";
	account->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	account->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	account->person_id = (char *)person_id;
	return account;
}

/* The row of a kind that the plan writes; NULL when there is none. */
static inline const struct plan_row *case_planned(const struct domain_case *c, enum kind_id kind)
{
	for (size_t i = 0; i < c->plan.n_rows; i++)
		if (c->plan.rows[i].kind == kind)
			return &c->plan.rows[i];
	return NULL;
}

/* First field that a status complains about, or "". */
static inline const char *case_field(const struct status *st)
{
	if (st->details == NULL || st->details->n_violations == 0)
		return "";
	return st->details->violations[0].field;
}

static inline const char *case_reason(const struct status *st)
{
	return st->reason == NULL ? "" : st->reason;
}

#endif
