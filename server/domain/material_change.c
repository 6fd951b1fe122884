/* One risk at a time: whatever is open or in force on it ends here. */
#include "server/domain/material_change.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/score.h"
#include "server/domain/states.h"

static void return_subject(struct dossier *dossier, const Isms__V1__ApprovalRequest *request)
{
	struct dossier_plan *plan = dossier_find_plan(dossier, request->subject_id);
	if (plan != NULL && dossier_plan_now(plan)->state == PLAN(SUBMITTED))
		dossier_change_plan(dossier, plan)->state =
			state_plan_after(PLAN(SUBMITTED), STATE_RETURN);
	struct dossier_acceptance *acceptance =
		dossier_find_acceptance(dossier, request->subject_id);
	if (acceptance != NULL &&
	    dossier_acceptance_now(acceptance)->state == ACCEPTANCE(SUBMITTED))
		dossier_set_acceptance(dossier, acceptance,
				       state_acceptance_after(ACCEPTANCE(SUBMITTED), STATE_RETURN));
}

static const int64_t day_us = INT64_C(24) * 60 * 60 * 1000000;
enum { REVIEW_REASON_MAX = 2000 };

static void add_person(Isms__V1__Acceptance *acceptance, char *person, struct arena *arena)
{
	fields_add(&acceptance->review_by_persons, &acceptance->n_review_by_persons, person, arena);
}

/* Who makes the change does not say that it changes nothing. */
static void note_persons(const struct dossier *dossier, Isms__V1__Acceptance *acceptance)
{
	const Isms__Store__V1__Principal *by = dossier->by;
	if (by == NULL)
		return;
	if (by->person_id[0] != '\0')
		add_person(acceptance, by->person_id, dossier->plan->arena);
	for (size_t i = 0; by->person_id[0] == '\0' && i < by->n_person_ids; i++)
		add_person(acceptance, by->person_ids[i], dossier->plan->arena);
}

/* The first change sets the time; those that follow are reviewed with it. */
static void ask_review(struct dossier *dossier, struct dossier_acceptance *place, const char *what)
{
	struct arena *arena = dossier->plan->arena;
	Isms__V1__Acceptance *after = dossier_change_acceptance(dossier, place);
	int64_t due_us = dossier->plan->now_us + after->review_days * day_us;
	int64_t until_us = pb_time_us(after->valid_until);
	dossier_set_acceptance(dossier, place,
			       state_acceptance_after(after->state, STATE_ASK_REVIEW));
	note_persons(dossier, after);
	if (after->review_due_at == NULL) {
		after->review_due_at =
			must(pb_time_new(arena, due_us < until_us ? due_us : until_us));
		after->review_reason = must(arena_strdup(arena, what));
	} else if (strlen(after->review_reason) + strlen(what) < REVIEW_REASON_MAX) {
		after->review_reason =
			must(arena_printf(arena, "%s; %s", after->review_reason, what));
	}
}

static void end_in_force(struct dossier *dossier, struct dossier_acceptance *place,
			 const char *what, bool reviewable)
{
	if (!place->was->effective)
		dossier_end_overdue(dossier, place);
	else if (reviewable && place->was->review_days > 0)
		ask_review(dossier, place, what);
	else
		dossier_end_acceptance(dossier, place,
				       state_acceptance_after(ACCEPTANCE(ACTIVE), STATE_INVALIDATE),
				       "", what);
}

static bool close_requests(struct dossier *dossier, const char *what)
{
	bool any = false;
	for (size_t i = 0; i < dossier->n_requests; i++) {
		struct dossier_request *place = &dossier->requests[i];
		if (dossier_request_now(place)->state != APPROVAL(PENDING))
			continue;
		dossier_close_request(dossier, place, APPROVAL(STALE), what);
		return_subject(dossier, place->was);
		any = true;
	}
	return any;
}

bool material_change_close(struct dossier *dossier, const char *what)
{
	bool any = close_requests(dossier, what);
	if (any)
		dossier_derive_state(dossier);
	return any;
}

static bool apply(struct dossier *dossier, const char *what, bool reviewable)
{
	bool any = close_requests(dossier, what);
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		if (dossier_acceptance_now(&dossier->acceptances[i])->state != ACCEPTANCE(ACTIVE))
			continue;
		end_in_force(dossier, &dossier->acceptances[i], what, reviewable);
		any = true;
	}
	if (any)
		dossier_derive_state(dossier);
	return any;
}

bool material_change_apply(struct dossier *dossier, const char *what)
{
	return apply(dossier, what, true);
}

bool material_change_rise(struct dossier *dossier, Isms__V1__RiskLevel from, Isms__V1__RiskLevel to)
{
	const char *what =
		must(arena_printf(dossier->plan->arena, "the current level rose from %s to %s",
				  score_level_name(from), score_level_name(to)));
	return apply(dossier, what, false);
}

static size_t loaded(const struct facts *facts, const char *what, const char *of,
		     const ProtobufCMessageDescriptor *type)
{
	size_t n;
	facts_rows(facts, must(arena_printf(facts->arena, "dossier_%s_of_%s", what, of)), type, &n);
	return n;
}

static bool too_many(const struct facts *facts, const char *of)
{
	return loaded(facts, "risk", of, &isms__v1__risk__descriptor) > MATERIAL_RISKS_MAX ||
	       loaded(facts, "plans", of, &isms__v1__treatment_plan__descriptor) >
		       MATERIAL_PLANS_MAX ||
	       loaded(facts, "acceptances", of, &isms__v1__acceptance__descriptor) >
		       MATERIAL_ACCEPTANCES_MAX ||
	       loaded(facts, "requests", of, &isms__v1__approval_request__descriptor) >
		       MATERIAL_REQUESTS_MAX;
}

static struct status refuse_many(struct arena *arena)
{
	return status_make(
		STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_AFFECTED",
		must(arena_printf(arena,
				  "decisions on more than %d risks (or %d plans, %d acceptances or "
				  "%d requests of theirs) rest on this: revoke or withdraw some of "
				  "them, then repeat the change",
				  MATERIAL_RISKS_MAX, MATERIAL_PLANS_MAX, MATERIAL_ACCEPTANCES_MAX,
				  MATERIAL_REQUESTS_MAX)));
}

/* --- each risk's part of what was loaded ------------------------------------ */

enum { PARTS = 3 };

/* The facts, with the sets that dossiers are made from in the order of their risks. */
struct parts {
	struct facts facts;
	size_t at[PARTS]; /* in facts.sets */
};

static int compare_risks(const void *a, const void *b)
{
	const ProtobufCMessage *const *left = a, *const *right = b;
	return strcmp(pb_string(*left, "risk_id"), pb_string(*right, "risk_id"));
}

static struct parts sort_parts(const struct facts *facts, const char *of)
{
	static const char *const what[PARTS] = { "plans", "acceptances", "requests" };
	struct parts parts = { .facts = *facts };
	for (size_t i = 0; i < PARTS; i++) {
		const char *name =
			must(arena_printf(facts->arena, "dossier_%s_of_%s", what[i], of));
		while (strcmp(facts->sets[parts.at[i]].name, name) != 0)
			parts.at[i]++;
		struct fact_set *set = &parts.facts.sets[parts.at[i]];
		ProtobufCMessage **rows =
			must(arena_array(facts->arena, ProtobufCMessage *, set->n + 1));
		for (size_t j = 0; j < set->n; j++)
			rows[j] = set->rows[j];
		qsort(rows, set->n, sizeof(*rows), compare_risks);
		set->rows = rows;
	}
	return parts;
}

static void narrow(struct fact_set *set, const char *risk_id)
{
	size_t low = 0, high = set->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(pb_string(set->rows[middle], "risk_id"), risk_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (high < set->n && strcmp(pb_string(set->rows[high], "risk_id"), risk_id) == 0)
		high++;
	set->rows += low;
	set->n = high - low;
}

static struct facts part_of(const struct parts *parts, const char *risk_id)
{
	struct facts facts = parts->facts;
	for (size_t i = 0; i < PARTS; i++)
		narrow(&facts.sets[parts->at[i]], risk_id);
	return facts;
}

/* Whether an acceptance in force counts on the control. */
static bool counts_on(const struct dossier *dossier, const char *control_id)
{
	for (size_t i = 0; i < dossier->n_acceptances; i++) {
		const Isms__V1__Acceptance *acceptance = dossier->acceptances[i].was;
		if (acceptance->state == ACCEPTANCE(ACTIVE) &&
		    fields_has(acceptance->compensating_control_ids,
			       acceptance->n_compensating_control_ids, control_id))
			return true;
	}
	return false;
}

static struct status change_all(const char *of, const struct facts *facts, struct plan *plan,
				const char *control_id, const char *what)
{
	size_t n;
	const char *set = must(arena_printf(facts->arena, "dossier_risk_of_%s", of));
	const Isms__V1__Risk *const *risks =
		fact_rows(facts, set, Isms__V1__Risk, isms__v1__risk, &n);
	if (too_many(facts, of))
		return refuse_many(facts->arena);
	plan->ends_all = true;
	const struct parts parts = sort_parts(facts, of);
	for (size_t i = 0; i < n; i++) {
		const struct facts part = part_of(&parts, risks[i]->meta->id);
		struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
		struct status st = dossier_load(dossier, plan, &part, risks[i], of);
		if (!status_ok(&st))
			return st;
		if (control_id == NULL || counts_on(dossier, control_id))
			material_change_apply(dossier, what);
		else
			material_change_close(dossier, what);
		dossier_settle(dossier, DOSSIER_CONTENT);
	}
	return STATUS_OK;
}

struct status material_change_of(const char *of, const struct facts *facts, struct plan *plan,
				 const char *what)
{
	return change_all(of, facts, plan, NULL, what);
}

struct status material_change_of_control(const struct facts *facts, struct plan *plan,
					 const char *control_id, const char *what)
{
	return change_all("control", facts, plan, control_id, what);
}
