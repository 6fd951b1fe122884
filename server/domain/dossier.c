/* Changes go to copies; the originals stay what the commit proves. */
#include "server/domain/dossier.h"

#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/approval_step.h"
#include "server/domain/must.h"
#include "server/domain/plan_content.h"
#include "server/domain/score.h"
#include "server/domain/states.h"

static const char *set_name(const struct facts *facts, const char *what, const char *of)
{
	return must(arena_printf(facts->arena, "dossier_%s_of_%s", what, of));
}

static void load_plans(struct dossier *out, const struct facts *facts, const char *of)
{
	size_t n;
	const Isms__V1__TreatmentPlan *const *rows =
		fact_rows(facts, set_name(facts, "plans", of), Isms__V1__TreatmentPlan,
			  isms__v1__treatment_plan, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i]->risk_id, out->was->meta->id) != 0)
			continue;
		assert(out->n_plans < DOSSIER_PLANS_MAX);
		out->plans[out->n_plans++].was = rows[i];
	}
}

static void load_acceptances(struct dossier *out, const struct facts *facts, const char *of)
{
	size_t n;
	const Isms__V1__Acceptance *const *rows =
		fact_rows(facts, set_name(facts, "acceptances", of), Isms__V1__Acceptance,
			  isms__v1__acceptance, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i]->risk_id, out->was->meta->id) != 0)
			continue;
		assert(out->n_acceptances < DOSSIER_ACCEPTANCES_MAX);
		out->acceptances[out->n_acceptances++].was = rows[i];
	}
}

static void load_requests(struct dossier *out, const struct facts *facts, const char *of)
{
	size_t n;
	const Isms__V1__ApprovalRequest *const *rows =
		fact_rows(facts, set_name(facts, "requests", of), Isms__V1__ApprovalRequest,
			  isms__v1__approval_request, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i]->risk_id, out->was->meta->id) != 0)
			continue;
		assert(out->n_requests < DOSSIER_REQUESTS_MAX);
		out->requests[out->n_requests++].was = rows[i];
	}
}

/* Whether every acceptance has its plan, and every open request its subject. A row
 * that was not loaded is not proven by the commit either. */
static bool is_whole(struct dossier *dossier)
{
	for (size_t i = 0; i < dossier->n_acceptances; i++)
		if (dossier_find_plan(dossier, dossier->acceptances[i].was->plan_id) == NULL)
			return false;
	for (size_t i = 0; i < dossier->n_requests; i++) {
		const Isms__V1__ApprovalRequest *request = dossier->requests[i].was;
		bool there = request->subject_kind == SUBJECT(ACCEPTANCE)
				     ? dossier_find_acceptance(dossier, request->subject_id) != NULL
				     : dossier_find_plan(dossier, request->subject_id) != NULL;
		if (!there)
			return false;
	}
	return true;
}

struct status dossier_load(struct dossier *out, struct plan *plan, const struct facts *facts,
			   const Isms__V1__Risk *risk, const char *of)
{
	memset(out, 0, sizeof(*out));
	out->plan = plan;
	out->by = facts->principal;
	out->was = risk;
	load_plans(out, facts, of);
	load_acceptances(out, facts, of);
	load_requests(out, facts, of);
	if (is_whole(out))
		return STATUS_OK;
	return status_make(STATUS_CODE_ABORTED, "SERIALIZATION_FAILURE",
			   "something that the decision is made from is changing");
}

struct dossier_plan *dossier_find_plan(struct dossier *dossier, const char *id)
{
	for (size_t i = 0; i < dossier->n_plans; i++)
		if (strcmp(dossier->plans[i].was->meta->id, id) == 0)
			return &dossier->plans[i];
	return NULL;
}

struct dossier_acceptance *dossier_find_acceptance(struct dossier *dossier, const char *id)
{
	for (size_t i = 0; i < dossier->n_acceptances; i++)
		if (strcmp(dossier->acceptances[i].was->meta->id, id) == 0)
			return &dossier->acceptances[i];
	return NULL;
}

struct dossier_request *dossier_find_request(struct dossier *dossier, const char *id)
{
	for (size_t i = 0; i < dossier->n_requests; i++)
		if (strcmp(dossier->requests[i].was->meta->id, id) == 0)
			return &dossier->requests[i];
	return NULL;
}

const Isms__V1__Risk *dossier_risk(const struct dossier *dossier)
{
	return dossier->changed != NULL ? dossier->changed : dossier->was;
}

const Isms__V1__TreatmentPlan *dossier_plan_now(const struct dossier_plan *place)
{
	return place->changed != NULL ? place->changed : place->was;
}

const Isms__V1__Acceptance *dossier_acceptance_now(const struct dossier_acceptance *place)
{
	return place->changed != NULL ? place->changed : place->was;
}

const Isms__V1__ApprovalRequest *dossier_request_now(const struct dossier_request *place)
{
	return place->changed != NULL ? place->changed : place->was;
}

Isms__V1__Risk *dossier_change_risk(struct dossier *dossier)
{
	if (dossier->changed == NULL)
		dossier->changed = plan_copy_of(dossier->plan, Isms__V1__Risk, dossier->was);
	return dossier->changed;
}

Isms__V1__TreatmentPlan *dossier_change_plan(struct dossier *dossier, struct dossier_plan *place)
{
	if (place->changed == NULL)
		place->changed = plan_copy_of(dossier->plan, Isms__V1__TreatmentPlan, place->was);
	return place->changed;
}

Isms__V1__Acceptance *dossier_change_acceptance(struct dossier *dossier,
						struct dossier_acceptance *place)
{
	if (place->changed == NULL)
		place->changed = plan_copy_of(dossier->plan, Isms__V1__Acceptance, place->was);
	return place->changed;
}

Isms__V1__ApprovalRequest *dossier_change_request(struct dossier *dossier,
						  struct dossier_request *place)
{
	if (place->changed == NULL)
		place->changed = plan_copy_of(dossier->plan, Isms__V1__ApprovalRequest, place->was);
	return place->changed;
}

static bool in_force(const Isms__V1__Acceptance *acceptance, int64_t now_us)
{
	return acceptance->state == ACCEPTANCE(ACTIVE) &&
	       pb_time_us(acceptance->valid_until) > now_us &&
	       (acceptance->review_due_at == NULL ||
		pb_time_us(acceptance->review_due_at) > now_us);
}

void dossier_set_acceptance(struct dossier *dossier, struct dossier_acceptance *place,
			    Isms__V1__AcceptanceState state)
{
	Isms__V1__Acceptance *acceptance = dossier_change_acceptance(dossier, place);
	acceptance->state = state;
	acceptance->effective = in_force(acceptance, dossier->plan->now_us);
	/* A risk that is accepted is another version of it, also where its state stays. */
	if (state == ACCEPTANCE(ACTIVE))
		(void)dossier_change_risk(dossier);
	struct dossier_plan *behind = dossier_find_plan(dossier, acceptance->plan_id);
	assert(behind != NULL);
	Isms__V1__TreatmentPlan *plan = dossier_change_plan(dossier, behind);
	plan->state = state_of_accept_plan(state);
	plan->approval_request_id = acceptance->approval_request_id;
}

void dossier_end_acceptance(struct dossier *dossier, struct dossier_acceptance *place,
			    Isms__V1__AcceptanceState state, const char *by, const char *reason)
{
	struct arena *arena = dossier->plan->arena;
	dossier_set_acceptance(dossier, place, state);
	place->changed->ended_at = must(pb_time_new(arena, dossier->plan->now_us));
	place->changed->ended_by = must(arena_strdup(arena, by));
	place->changed->end_reason = must(arena_strdup(arena, reason));
}

void dossier_end_overdue(struct dossier *dossier, struct dossier_acceptance *place)
{
	const Isms__V1__Acceptance *was = place->was;
	bool review = was->review_due_at != NULL &&
		      pb_time_us(was->review_due_at) <= dossier->plan->now_us &&
		      pb_time_us(was->review_due_at) < pb_time_us(was->valid_until);
	if (review)
		dossier_end_acceptance(
			dossier, place, state_acceptance_after(was->state, STATE_INVALIDATE), "",
			must(arena_printf(dossier->plan->arena, "it was not reviewed in time: %s",
					  was->review_reason)));
	else
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(was->state, STATE_EXPIRE), "",
				       "the acceptance has run out");
}

void dossier_close_request(struct dossier *dossier, struct dossier_request *place,
			   Isms__V1__ApprovalState state, const char *reason)
{
	approval_step_close(dossier_change_request(dossier, place), state, reason,
			    dossier->plan->now_us, dossier->plan->arena);
}

static bool accepted(const struct dossier *dossier, int64_t *out_until_us)
{
	*out_until_us = 0;
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		const Isms__V1__Acceptance *acceptance =
			dossier_acceptance_now(&dossier->acceptances[i]);
		if (!in_force(acceptance, dossier->plan->now_us))
			continue;
		*out_until_us = pb_time_us(acceptance->valid_until);
		return true;
	}
	return false;
}

/* Whether a plan with this option treats the risk now; ACCEPT plans do so only
 * through their acceptance. */
static bool treats(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	return state_plan_in_force(plan->state) && plan->option != OPTION(ACCEPT) &&
	       plan_content_counts(plan, now_us);
}

/* Whether it is still to do so. */
static bool will_treat(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	return state_plan_in_force(plan->state) && plan->counts_from != NULL &&
	       pb_time_us(plan->counts_from) > now_us;
}

Isms__V1__RiskState dossier_state(const struct dossier *dossier)
{
	const Isms__V1__Risk *risk = dossier_risk(dossier);
	bool running = false, done = false, waiting = false;
	int64_t until_us;
	if (risk->state == RISK(IDENTIFIED) || risk->state == RISK(CLOSED))
		return risk->state;
	for (size_t i = 0; i < dossier->n_plans; i++) {
		const Isms__V1__TreatmentPlan *plan = dossier_plan_now(&dossier->plans[i]);
		bool over = plan->state == PLAN(IMPLEMENTED) || plan->state == PLAN(VERIFIED);
		running |= will_treat(plan, dossier->plan->now_us);
		running |= treats(plan, dossier->plan->now_us) && !over;
		done |= treats(plan, dossier->plan->now_us) && over;
		waiting |= plan->state == PLAN(SUBMITTED) || plan->state == PLAN(REJECTED);
	}
	if (running)
		return RISK(IN_TREATMENT);
	if (done || accepted(dossier, &until_us))
		return RISK(MONITORED);
	return waiting ? RISK(TREATMENT_PENDING) : RISK(ANALYSED);
}

void dossier_derive_state(struct dossier *dossier)
{
	Isms__V1__RiskState state = dossier_state(dossier);
	if (state != dossier_risk(dossier)->state)
		dossier_change_risk(dossier)->state = state;
}

Isms__V1__Disposition dossier_disposition(const struct dossier *dossier,
					  int64_t *out_accepted_until_us)
{
	bool by[OPTION(AVOID) + 1] = { false };
	bool is_accepted = accepted(dossier, out_accepted_until_us);
	for (size_t i = 0; i < dossier->n_plans; i++) {
		const Isms__V1__TreatmentPlan *plan = dossier_plan_now(&dossier->plans[i]);
		if (treats(plan, dossier->plan->now_us))
			by[plan->option] = true;
	}
	if (by[OPTION(AVOID)])
		return DISPOSITION(AVOIDED);
	if (is_accepted)
		return DISPOSITION(ACCEPTED);
	if (by[OPTION(TRANSFER)])
		return DISPOSITION(TRANSFERRED);
	return by[OPTION(MITIGATE)] ? DISPOSITION(MITIGATED) : DISPOSITION(UNTREATED);
}

/* A request was made for the risk as it was before the workflow moved its state;
 * what people decide on has not changed by that. */
static void carry_requests(struct dossier *dossier)
{
	for (size_t i = 0; i < dossier->n_requests; i++) {
		struct dossier_request *place = &dossier->requests[i];
		if (dossier_request_now(place)->state != APPROVAL(PENDING) ||
		    place->was->risk_version != dossier->was->meta->version)
			continue;
		dossier_change_request(dossier, place)->risk_version =
			dossier->changed->meta->version;
	}
}

/* Whether a plan is being carried out in time. */
static bool is_on_schedule(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	bool runs = plan->state == PLAN(APPROVED) || plan->state == PLAN(IN_PROGRESS) ||
		    plan->state == PLAN(IMPLEMENTED);
	bool lapsed = plan->lapses_at != NULL && pb_time_us(plan->lapses_at) <= now_us;
	return runs && plan->option != OPTION(ACCEPT) && !lapsed && plan->due_at != NULL &&
	       pb_time_us(plan->due_at) > now_us;
}

bool dossier_uncovered(const struct dossier *dossier)
{
	const Isms__V1__Risk *risk = dossier_risk(dossier);
	int64_t until_us;
	if (risk->tolerance == LEVEL(UNSPECIFIED) ||
	    score_level_of(risk->current) <= risk->tolerance || accepted(dossier, &until_us))
		return false;
	for (size_t i = 0; i < dossier->n_plans; i++)
		if (is_on_schedule(dossier_plan_now(&dossier->plans[i]), dossier->plan->now_us))
			return false;
	return true;
}

static void settle_risk(struct dossier *dossier, enum dossier_settle what)
{
	if (dossier->changed == NULL)
		return;
	int64_t until_us;
	dossier->changed->disposition = dossier_disposition(dossier, &until_us);
	dossier->changed->accepted_until =
		until_us == 0 ? NULL : must(pb_time_new(dossier->plan->arena, until_us));
	dossier->changed->uncovered = dossier_uncovered(dossier);
	plan_update(dossier->plan, KIND_RISK, &dossier->was->base, &dossier->changed->base);
	if (what == DOSSIER_STATE_ONLY)
		carry_requests(dossier);
}

void dossier_settle(struct dossier *dossier, enum dossier_settle what)
{
	struct plan *plan = dossier->plan;
	settle_risk(dossier, what);
	for (size_t i = 0; i < dossier->n_plans; i++)
		if (dossier->plans[i].changed != NULL)
			plan_update(plan, KIND_TREATMENT_PLAN, &dossier->plans[i].was->base,
				    &dossier->plans[i].changed->base);
	for (size_t i = 0; i < dossier->n_acceptances; i++)
		if (dossier->acceptances[i].changed != NULL)
			plan_update(plan, KIND_RISK_ACCEPTANCE, &dossier->acceptances[i].was->base,
				    &dossier->acceptances[i].changed->base);
	for (size_t i = 0; i < dossier->n_requests; i++)
		if (dossier->requests[i].changed != NULL)
			plan_update(plan, KIND_APPROVAL_REQUEST, &dossier->requests[i].was->base,
				    &dossier->requests[i].changed->base);
}
