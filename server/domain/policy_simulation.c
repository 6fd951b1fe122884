/* Seats come ordered by request and grants by scope: where they are cut, the last one
 * may be incomplete, and what needs it is not looked at. */
#include "server/domain/policy_simulation.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/store/v1/insight.pb-c.h"
#include "isms/v1/policy.pb-c.h"
#include "server/domain/approval_people.h"
#include "server/domain/approval_policy.h"
#include "server/domain/authority.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/policy.h"
#include "server/domain/states.h"

enum { PEOPLE_MAX = 1000 };

/* Who may decide at a scope. */
struct place {
	const char *scope_id;
	Isms__Store__V1__Candidate **rows;
	size_t n;
};

struct simulation {
	const struct facts *facts;
	struct arena *arena;
	const Isms__V1__ApprovalPolicy *draft;
	const Isms__Store__V1__SimulatedSeat *const *seats;
	size_t n_seats;
	const Isms__Store__V1__SimulatedGrant *const *grants;
	size_t n_grants;
	struct place *places;
	size_t n_places;
	Isms__V1__SimulatePolicyResponse *reply;
};

/* --- people ------------------------------------------------------------------- */

/* The grants at a scope as candidates; made once for each scope. */
static struct place *place_of(struct simulation *simulation, const char *scope_id)
{
	struct place *place = NULL;
	for (size_t i = 0; i < simulation->n_places && place == NULL; i++)
		if (strcmp(simulation->places[i].scope_id, scope_id) == 0)
			place = &simulation->places[i];
	if (place != NULL)
		return place;
	place = &simulation->places[simulation->n_places++];
	place->scope_id = scope_id;
	size_t n = 0;
	for (size_t i = 0; i < simulation->n_grants; i++)
		n += strcmp(simulation->grants[i]->scope_id, scope_id) == 0;
	place->rows = must(arena_array(simulation->arena, Isms__Store__V1__Candidate *, n + 1));
	for (size_t i = 0; i < simulation->n_grants; i++) {
		if (strcmp(simulation->grants[i]->scope_id, scope_id) != 0)
			continue;
		Isms__Store__V1__Candidate *row = must_new_of(
			simulation->arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
		pb_copy_same(&row->base, &simulation->grants[i]->base);
		place->rows[place->n++] = row;
	}
	return place;
}

/* With those as owners whom a request names, if any. */
static struct approval_question question_at(struct simulation *simulation, const char *scope_id,
					    const Isms__Store__V1__SimulatedRequest *request)
{
	struct place *place = place_of(simulation, scope_id);
	for (size_t i = 0; i < place->n; i++) {
		Isms__Store__V1__Candidate *row = place->rows[i];
		row->owner = request != NULL && strcmp(row->user_id, request->owner_id) == 0;
		row->asset_owner =
			request != NULL && fields_has(request->asset_owner_ids,
						      request->n_asset_owner_ids, row->user_id);
	}
	return (struct approval_question){
		.now_us = simulation->facts->now_us,
		.candidates = (const Isms__Store__V1__Candidate *const *)place->rows,
		.n_candidates = place->n,
	};
}

static Isms__V1__SimulatedPerson *person_of(struct simulation *simulation, char *user_id,
					    char *display_name)
{
	Isms__V1__SimulatePolicyResponse *reply = simulation->reply;
	for (size_t i = 0; i < reply->n_people; i++)
		if (strcmp(reply->people[i]->user_id, user_id) == 0)
			return reply->people[i];
	if (reply->n_people == PEOPLE_MAX) {
		reply->cut = true;
		return NULL;
	}
	Isms__V1__SimulatedPerson *person = must_new_of(
		simulation->arena, Isms__V1__SimulatedPerson, isms__v1__simulated_person);
	person->user_id = user_id;
	person->display_name = display_name;
	reply->people[reply->n_people++] = person;
	return person;
}

static void count_people(struct simulation *simulation, const Isms__V1__SimulatedEffect *effect,
			 const struct approval_people *people)
{
	for (size_t i = 0; i < people->n_assignees; i++) {
		const Isms__Store__V1__Assignee *row = people->assignees[i];
		bool first = fields_has(effect->added, effect->n_added, row->user_id);
		for (size_t j = 0; j < i && first; j++)
			first = strcmp(people->assignees[j]->user_id, row->user_id) != 0;
		Isms__V1__SimulatedPerson *person =
			first ? person_of(simulation, row->user_id, row->display_name) : NULL;
		if (person != NULL)
			person->added++;
	}
	for (size_t i = 0; i < simulation->n_seats; i++) {
		const Isms__Store__V1__SimulatedSeat *seat = simulation->seats[i];
		if (strcmp(seat->request_id, effect->request_id) != 0 ||
		    !fields_has(effect->removed, effect->n_removed, seat->user_id))
			continue;
		Isms__V1__SimulatedPerson *person =
			person_of(simulation, seat->user_id, seat->display_name);
		if (person != NULL)
			person->removed++;
	}
}

/* --- one request ---------------------------------------------------------------- */

static void tell_problem(char **reason, int32_t *step, const struct status *st, struct arena *arena)
{
	*reason = must(arena_strdup(arena, st->reason));
	for (size_t i = 0; st->details != NULL && i < st->details->n_pairs; i++)
		if (strcmp(st->details->pairs[i].key, "step") == 0)
			*step = (int32_t)strtol(st->details->pairs[i].value, NULL, 10);
}

static void compare_people(const struct simulation *simulation, Isms__V1__SimulatedEffect *effect,
			   const struct approval_people *people)
{
	char **now = NULL, **then = NULL;
	size_t n_now = 0, n_then = 0;
	for (size_t i = 0; i < simulation->n_seats; i++)
		if (strcmp(simulation->seats[i]->request_id, effect->request_id) == 0)
			fields_add(&now, &n_now, simulation->seats[i]->user_id, simulation->arena);
	for (size_t i = 0; i < people->n_assignees; i++)
		fields_add(&then, &n_then, people->assignees[i]->user_id, simulation->arena);
	for (size_t i = 0; i < n_then; i++)
		if (!fields_has(now, n_now, then[i]))
			fields_add(&effect->added, &effect->n_added, then[i], simulation->arena);
	for (size_t i = 0; i < n_now; i++)
		if (!fields_has(then, n_then, now[i]))
			fields_add(&effect->removed, &effect->n_removed, now[i], simulation->arena);
}

static bool same_steps(const Isms__V1__PolicySteps *a, const Isms__V1__PolicySteps *b,
		       struct arena *arena)
{
	size_t n, m;
	const uint8_t *left = must(pb_pack(&n, &a->base, arena));
	const uint8_t *right = must(pb_pack(&m, &b->base, arena));
	return n == m && memcmp(left, right, n) == 0;
}

static struct status ask(struct approval_people *out, struct simulation *simulation,
			 const Isms__Store__V1__SimulatedRequest *row,
			 const Isms__V1__PolicySteps *steps)
{
	*out = (struct approval_people){ 0 };
	if (steps == NULL || !policy_steps_valid(steps))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_POLICY",
				   "no policy would cover it");
	struct approval_question question = question_at(simulation, row->scope_id, row);
	question.request_id = row->id;
	question.steps = steps;
	question.level = row->level;
	question.requester = row->requested_by_person;
	question.contributors = row->contributor_persons;
	question.n_contributors = row->n_contributor_persons;
	return approval_people_find(out, &question, simulation->arena);
}

/* Adds what would be different for a request that the policy makes a difference to. */
static void look_at(struct simulation *simulation, const Isms__Store__V1__SimulatedRequest *row)
{
	Isms__V1__SimulatePolicyResponse *reply = simulation->reply;
	Isms__V1__PolicySteps *steps = row->by_draft ? simulation->draft->steps : row->steps_then;
	Isms__V1__SimulatedEffect *effect = must_new_of(
		simulation->arena, Isms__V1__SimulatedEffect, isms__v1__simulated_effect);
	struct approval_people people;
	struct status st = ask(&people, simulation, row, steps);
	effect->request_id = row->id;
	effect->request_ref = row->ref;
	effect->subject_ref = row->subject_ref;
	effect->level = row->level;
	effect->steps_now = row->steps;
	effect->steps_then = steps;
	effect->policy_then = row->policy_then;
	compare_people(simulation, effect, &people);
	if (!status_ok(&st))
		tell_problem(&effect->problem, &effect->problem_step, &st, simulation->arena);
	else if (effect->n_added + effect->n_removed == 0 &&
		 same_steps(row->steps, steps, simulation->arena))
		return;
	count_people(simulation, effect, &people);
	if (row->readable)
		reply->effects[reply->n_effects++] = effect;
	else
		reply->hidden++;
}

/* --- all of it -------------------------------------------------------------------- */

/* A list that was cut may lack rows of its last key. */
static bool is_whole(size_t n, size_t max, const char *last, const char *key)
{
	return n <= max || strcmp(last, key) != 0;
}

static bool is_loaded(const struct simulation *simulation,
		      const Isms__Store__V1__SimulatedRequest *row)
{
	size_t n = simulation->n_seats, m = simulation->n_grants;
	if (n > SIMULATION_SEATS_MAX && strcmp(row->id, simulation->seats[n - 1]->request_id) >= 0)
		return false;
	return m <= SIMULATION_GRANTS_MAX ||
	       strcmp(row->scope_id, simulation->grants[m - 1]->scope_id) < 0;
}

static void look_at_all(struct simulation *simulation)
{
	size_t n;
	const Isms__Store__V1__SimulatedRequest *const *rows = fact_rows(
		simulation->facts, "simulation_requests", Isms__Store__V1__SimulatedRequest,
		isms__store__v1__simulated_request, &n);
	Isms__V1__SimulatePolicyResponse *reply = simulation->reply;
	const char *replaced = simulation->draft->replaces_id;
	reply->effects = must(arena_array(simulation->arena, Isms__V1__SimulatedEffect *, n + 1));
	for (size_t i = 0; i < n; i++) {
		bool concerned = rows[i]->by_draft || (replaced[0] != '\0' &&
						       strcmp(rows[i]->policy_now, replaced) == 0);
		if (i == SIMULATION_REQUESTS_MAX || !is_loaded(simulation, rows[i])) {
			reply->cut = true;
			continue;
		}
		reply->looked_at++;
		if (concerned)
			look_at(simulation, rows[i]);
	}
}

/* The owner of some risk, or of its assets, who may decide on it: who that would be is
 * not known. */
static Isms__Store__V1__Candidate *some_owner(struct arena *arena, bool of_assets)
{
	Isms__Store__V1__Candidate *row =
		must_new_of(arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
	row->user_id = must(arena_strdup(arena, of_assets ? "asset owner" : "owner"));
	row->person_id = row->user_id;
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->role_code =
		must(arena_strdup(arena, of_assets ? "ASSET_OWNER" : AUTHORITY_OWNER_ROLE));
	row->max_accept_level = LEVEL(CRITICAL);
	row->may_decide = true;
	row->owner = !of_assets;
	row->asset_owner = of_assets;
	return row;
}

static void try_level(struct simulation *simulation, Isms__V1__RiskLevel level)
{
	const Isms__V1__ApprovalPolicy *draft = simulation->draft;
	Isms__V1__SimulatedLevel *out =
		must_new_of(simulation->arena, Isms__V1__SimulatedLevel, isms__v1__simulated_level);
	struct approval_question question = question_at(simulation, draft->scope_id, NULL);
	const Isms__Store__V1__Candidate **rows = must(arena_array(
		simulation->arena, const Isms__Store__V1__Candidate *, question.n_candidates + 2));
	for (size_t i = 0; i < question.n_candidates; i++)
		rows[i] = question.candidates[i];
	rows[question.n_candidates++] = some_owner(simulation->arena, false);
	rows[question.n_candidates++] = some_owner(simulation->arena, true);
	question.candidates = rows;
	question.request_id = draft->scope_id;
	question.steps = draft->steps;
	question.level = level;
	question.requester = "";
	if (draft->subject_kind == SUBJECT(POLICY_CHANGE)) { /* as for its submission */
		question.requester = simulation->facts->principal->person_id;
		question.now_us = INT64_MAX;
	}
	struct approval_people people;
	struct status st = approval_people_find(&people, &question, simulation->arena);
	out->level = level;
	if (!status_ok(&st))
		tell_problem(&out->problem, &out->problem_step, &st, simulation->arena);
	simulation->reply->levels[simulation->reply->n_levels++] = out;
}

static void try_levels(struct simulation *simulation)
{
	const Isms__V1__ApprovalPolicy *draft = simulation->draft;
	Isms__V1__SimulatePolicyResponse *reply = simulation->reply;
	size_t m = simulation->n_grants;
	if (draft->repeals)
		return;
	if (!is_whole(m, SIMULATION_GRANTS_MAX, m > 0 ? simulation->grants[m - 1]->scope_id : "",
		      draft->scope_id)) {
		reply->cut = true;
		return;
	}
	reply->levels = must(arena_array(simulation->arena, Isms__V1__SimulatedLevel *, 4));
	if (draft->subject_kind == SUBJECT(POLICY_CHANGE)) {
		try_level(simulation, LEVEL(UNSPECIFIED));
		return;
	}
	for (int level = (int)draft->min_level; level <= (int)draft->max_level; level++)
		try_level(simulation, (Isms__V1__RiskLevel)level);
}

static struct status find_draft(const Isms__V1__ApprovalPolicy **out, const struct facts *facts)
{
	const Isms__V1__SimulatePolicyRequest *request = (const void *)facts->request;
	const Isms__V1__ApprovalPolicy *row = fact_row(
		facts, "simulated_policy", Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	if (request->policy_id[0] != '\0') {
		if (row->state != POLICY(DRAFT) && row->state != POLICY(CHANGES_REQUESTED) &&
		    row->state != POLICY(SUBMITTED))
			return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
					   "the policy is decided on");
		if (request->scope_id[0] != '\0' || request->fields != NULL)
			return status_invalid(facts->arena, "policy_id",
					      "stands alone, or is left out");
		*out = row;
		return STATUS_OK;
	}
	if (request->fields == NULL)
		return status_invalid(facts->arena, "fields", "is required without policy_id");
	if (request->subject_kind == SUBJECT(UNSPECIFIED))
		return status_invalid(facts->arena, "subject_kind",
				      "is required without policy_id");
	const struct policy_proposal proposal = {
		.scope_id = request->scope_id,
		.subject_kind = request->subject_kind,
		.replaces_id = request->replaces_id,
		.repeals = request->repeals,
		.fields = request->fields,
	};
	Isms__V1__ApprovalPolicy *draft;
	struct status st = policy_propose(&draft, facts, &proposal);
	if (status_ok(&st))
		*out = draft;
	return st;
}

struct status policy_simulate(const struct facts *facts, struct plan *plan)
{
	struct simulation simulation = { .facts = facts, .arena = plan->arena };
	struct status st = find_draft(&simulation.draft, facts);
	if (!status_ok(&st))
		return st;
	simulation.seats = fact_rows(facts, "simulation_seats", Isms__Store__V1__SimulatedSeat,
				     isms__store__v1__simulated_seat, &simulation.n_seats);
	simulation.grants = fact_rows(facts, "simulation_grants", Isms__Store__V1__SimulatedGrant,
				      isms__store__v1__simulated_grant, &simulation.n_grants);
	/* of the requests that are looked at, and of the policy */
	simulation.places =
		must(arena_array(plan->arena, struct place, SIMULATION_REQUESTS_MAX + 1));
	simulation.reply = must_new_of(plan->arena, Isms__V1__SimulatePolicyResponse,
				       isms__v1__simulate_policy_response);
	simulation.reply->people =
		must(arena_array(plan->arena, Isms__V1__SimulatedPerson *, PEOPLE_MAX));
	look_at_all(&simulation);
	try_levels(&simulation);
	plan_reply(plan, &simulation.reply->base);
	return STATUS_OK;
}
