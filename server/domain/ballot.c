/* Everything is loaded once and counted from there. Nobody makes all of many all of
 * few: who was asked first stays in the number that must approve, whatever became of
 * them; who is asked by an escalation adds nothing to it, but may fill a place. */
#include "server/domain/ballot.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/seeded.h"
#include "server/domain/approval_people.h"
#include "server/domain/approval_policy.h"
#include "server/domain/approval_step.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

struct source {
	const struct facts *facts;
	const char *of;
};

static const char *set_of(const struct source *source, const char *what)
{
	return must(arena_printf(source->facts->arena, "%s_%s", source->of, what));
}

static bool is_active(const struct source *source, const char *user_id)
{
	size_t n;
	const Isms__Store__V1__Account *const *rows =
		fact_rows(source->facts, set_of(source, "voters"), Isms__Store__V1__Account,
			  isms__store__v1__account, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i]->meta->id, user_id) == 0)
			return rows[i]->state == ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	return false;
}

static bool is_revoked(const struct ballot *ballot, const char *delegation_id)
{
	for (size_t i = 0; i < ballot->n_delegations; i++)
		if (strcmp(ballot->delegations[i]->meta->id, delegation_id) == 0)
			return ballot->delegations[i]->revoked_at != NULL;
	return true;
}

static const Isms__V1__PolicyStep *step_at(const struct ballot *ballot, int32_t step_no)
{
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	return step_no < 1 || (size_t)step_no > steps->n_steps ? NULL : steps->steps[step_no - 1];
}

static bool is_entitled(const struct ballot *ballot, const Isms__Store__V1__Assignee *row)
{
	const Isms__V1__PolicyStep *step = step_at(ballot, row->step_no);
	return step != NULL && authority_of(&ballot->terms, &ballot->grants, row->user_id, step,
					    row->escalated) == AUTHORITY_HELD;
}

static void load_seats(struct ballot *out, const struct source *source)
{
	size_t n;
	const Isms__Store__V1__Assignee *const *rows =
		fact_rows(source->facts, set_of(source, "assignees"), Isms__Store__V1__Assignee,
			  isms__store__v1__assignee, &n);
	out->seats = must(
		arena_array(source->facts->arena, struct ballot_seat, n + APPROVAL_ASSIGNEES_MAX));
	for (size_t i = 0; i < n; i++)
		out->seats[out->n_seats++] =
			(struct ballot_seat){ .row = rows[i],
					      .state = rows[i]->state,
					      .entitled = is_entitled(out, rows[i]) };
}

/* The account by whose authority a vote was cast. */
static const char *authority_behind(const Isms__Store__V1__Vote *vote)
{
	return vote->on_behalf_of[0] != '\0' ? vote->on_behalf_of : vote->voter_id;
}

static const struct ballot_seat *seat_behind(const struct ballot *ballot,
					     const Isms__Store__V1__Vote *vote)
{
	for (size_t i = 0; i < ballot->n_seats; i++)
		if (ballot->seats[i].row->step_no == vote->step_no &&
		    strcmp(ballot->seats[i].row->user_id, authority_behind(vote)) == 0)
			return &ballot->seats[i];
	return NULL;
}

/* What made the voter one must hold until the request is resolved, and what was found
 * void once stays so. */
static bool is_void(const struct ballot *ballot, const struct source *source,
		    const Isms__Store__V1__Vote *vote)
{
	const struct ballot_seat *seat = seat_behind(ballot, vote);
	if (seat == NULL || seat->row->state == ASSIGNEE(VOID) || !seat->entitled)
		return true;
	return !is_active(source, vote->voter_id) ||
	       (vote->on_behalf_of[0] != '\0' && is_revoked(ballot, vote->delegation_id));
}

static void load_entries(struct ballot *out, const struct source *source)
{
	size_t n;
	const Isms__Store__V1__Vote *const *rows =
		fact_rows(source->facts, set_of(source, "votes"), Isms__Store__V1__Vote,
			  isms__store__v1__vote, &n);
	out->entries = must(arena_array(source->facts->arena, struct ballot_entry, n + 1));
	for (size_t i = 0; i < n; i++)
		out->entries[out->n_entries++] =
			(struct ballot_entry){ .row = rows[i],
					       .is_void = !SEEDED(void_votes_counted) &&
							  is_void(out, source, rows[i]) };
}

/* The last row is of somebody whose grants may not all be there: only who might be asked
 * by an escalation, and is then not asked, may be that one. */
static struct status load_grants(struct ballot *out, const struct source *source)
{
	size_t n;
	out->grants.rows = fact_rows(source->facts, set_of(source, "grants"),
				     Isms__Store__V1__Candidate, isms__store__v1__candidate, &n);
	out->grants.n = n <= BALLOT_GRANTS_MAX ? n : BALLOT_GRANTS_MAX;
	if (n <= BALLOT_GRANTS_MAX)
		return STATUS_OK;
	if (!out->grants.rows[BALLOT_GRANTS_MAX]->late)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_GRANTS",
				   "the people who are asked hold more grants than are looked at");
	return STATUS_OK;
}

/* The request as the separation of duties looks at it. */
static void load_rules(struct ballot *out)
{
	struct eligibility_vote *votes =
		must(arena_array(out->facts->arena, struct eligibility_vote, out->n_entries + 1));
	for (size_t i = 0; i < out->n_entries; i++) {
		const Isms__Store__V1__Vote *row = out->entries[i].row;
		votes[i] = (struct eligibility_vote){
			.step = (unsigned)row->step_no - 1,
			.person = row->voter_person,
			.delegator = row->on_behalf_person,
			.approve = row->decision == DECISION(APPROVE) && !out->entries[i].is_void,
		};
	}
	out->rules = (struct eligibility_request){
		.requester = out->terms.requester,
		.contributors = out->terms.contributors,
		.n_contributors = out->terms.n_contributors,
		.votes = votes,
		.n_votes = out->n_entries,
		.critical = out->request->level == LEVEL(CRITICAL),
	};
}

struct status ballot_load(struct ballot *out, const struct facts *facts, const char *of)
{
	const struct source source = { facts, of };
	memset(out, 0, sizeof(*out));
	out->facts = facts;
	out->of = of;
	out->request = fact_row(facts, set_of(&source, "request"), Isms__V1__ApprovalRequest,
				isms__v1__approval_request);
	out->step = step_at(out, out->request->current_step);
	out->terms = (struct authority_request){
		.requester = out->request->requested_by_person,
		.contributors = (const char *const *)out->request->contributor_persons,
		.n_contributors = out->request->n_contributor_persons,
		.submitted_us = pb_time_us(out->request->meta->created_at),
		.level = out->request->level,
	};
	struct status st = load_grants(out, &source);
	if (!status_ok(&st))
		return st;
	out->delegations =
		fact_rows(facts, set_of(&source, "delegations"), Isms__Store__V1__HeldDelegation,
			  isms__store__v1__held_delegation, &out->n_delegations);
	load_seats(out, &source);
	load_entries(out, &source);
	load_rules(out);
	return STATUS_OK;
}

const Isms__Store__V1__DecisionPace *ballot_pace(const struct ballot *ballot)
{
	const struct source source = { ballot->facts, ballot->of };
	return fact_row(ballot->facts, set_of(&source, "pace"), Isms__Store__V1__DecisionPace,
			isms__store__v1__decision_pace);
}

struct ballot_seat *ballot_seat_of(const struct ballot *ballot, const char *user_id)
{
	for (size_t i = 0; i < ballot->n_seats && ballot->step != NULL; i++)
		if (ballot->seats[i].row->step_no == ballot->step->step_no &&
		    strcmp(ballot->seats[i].row->user_id, user_id) == 0)
			return &ballot->seats[i];
	return NULL;
}

void ballot_add(struct ballot *ballot, const Isms__Store__V1__Vote *vote)
{
	ballot->entries[ballot->n_entries++] = (struct ballot_entry){ .row = vote };
}

/* --- counting ---------------------------------------------------------------- */

/* Persons who were asked on a step before it escalated. */
static size_t asked(const struct ballot *ballot, int32_t step_no)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_seats; i++) {
		const Isms__Store__V1__Assignee *row = ballot->seats[i].row;
		bool counts = row->step_no == step_no && !row->escalated;
		for (size_t j = 0; j < i && counts; j++) {
			const Isms__Store__V1__Assignee *other = ballot->seats[j].row;
			counts = other->step_no != step_no || other->escalated ||
				 strcmp(other->person_id, row->person_id) != 0;
		}
		n += counts;
	}
	return n;
}

size_t ballot_missing(const struct ballot *ballot, const Isms__V1__PolicyStep *step)
{
	const Isms__V1__PolicyStep *by = SEEDED(stale_threshold) ? step_at(ballot, 1) : step;
	size_t needed = policy_step_needs(by, asked(ballot, step->step_no));
	for (size_t i = 0; i < ballot->n_entries && needed > 0; i++) {
		const struct ballot_entry *entry = &ballot->entries[i];
		if (entry->row->step_no == step->step_no && !entry->is_void &&
		    entry->row->decision == DECISION(APPROVE))
			needed--;
	}
	return needed;
}

bool ballot_is_spent(const struct ballot *ballot, const char *person,
		     const Isms__V1__PolicyStep *step)
{
	for (size_t i = 0; i < ballot->n_entries; i++) {
		const Isms__Store__V1__Vote *vote = ballot->entries[i].row;
		bool counts = vote->step_no == step->step_no ||
			      (step->distinct_from_prior && vote->step_no < step->step_no);
		if (counts && (strcmp(vote->voter_person, person) == 0 ||
			       strcmp(vote->on_behalf_person, person) == 0))
			return true;
	}
	return false;
}

static bool may_still_vote(const struct ballot *ballot, const struct ballot_seat *seat,
			   const Isms__V1__PolicyStep *step)
{
	return seat->row->step_no == step->step_no && seat->state == ASSIGNEE(PENDING) &&
	       seat->entitled && !ballot_is_spent(ballot, seat->row->person_id, step);
}

/* Persons who may still vote on a step. */
static size_t left(const struct ballot *ballot, const Isms__V1__PolicyStep *step)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_seats; i++) {
		const struct ballot_seat *seat = &ballot->seats[i];
		bool counts = may_still_vote(ballot, seat, step);
		for (size_t j = 0; j < i && counts; j++)
			counts = !may_still_vote(ballot, &ballot->seats[j], step) ||
				 strcmp(ballot->seats[j].row->person_id, seat->row->person_id) != 0;
		n += counts;
	}
	return n;
}

/* Adds a person to a list, once. */
static size_t note(const char **persons, size_t n, const char *person)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(persons[i], person) == 0)
			return n;
	persons[n] = person;
	return n + 1;
}

/* S7 ahead of time: persons who have approved, or may yet. Delegates may bring others. */
static bool has_humans(const struct ballot *ballot)
{
	if (ballot->request->level != LEVEL(CRITICAL))
		return true;
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	const char **persons = must(arena_array(ballot->facts->arena, const char *,
						ballot->n_entries + ballot->n_seats + 1));
	size_t n = 0;
	for (size_t i = 0; i < ballot->n_entries; i++)
		if (!ballot->entries[i].is_void &&
		    ballot->entries[i].row->decision == DECISION(APPROVE))
			n = note(persons, n, ballot->entries[i].row->voter_person);
	for (size_t k = (size_t)ballot->step->step_no - 1; k < steps->n_steps; k++) {
		bool escalates = steps->steps[k] == ballot->step
					 ? approval_step_can_escalate(ballot->request)
					 : steps->steps[k]->escalate_to_role[0] != '\0';
		if (steps->steps[k]->allow_delegate || escalates)
			return true;
		for (size_t i = 0; i < ballot->n_seats; i++)
			if (may_still_vote(ballot, &ballot->seats[i], steps->steps[k]))
				n = note(persons, n, ballot->seats[i].row->person_id);
	}
	return n >= ELIGIBILITY_CRITICAL_PERSONS;
}

enum ballot_outlook ballot_outlook(const struct ballot *ballot)
{
	const Isms__V1__PolicySteps *steps = ballot->request->steps;
	enum ballot_outlook outlook = BALLOT_OPEN;
	for (size_t k = 0; k < steps->n_steps; k++) {
		const Isms__V1__PolicyStep *step = steps->steps[k];
		bool passed = step->step_no < ballot->step->step_no;
		if (ballot_missing(ballot, step) <= (passed ? 0 : left(ballot, step)))
			continue;
		if (step == ballot->step && approval_step_can_escalate(ballot->request))
			outlook = BALLOT_ESCALATES;
		else if (step->step_no <= ballot->step->step_no ||
			 step->escalate_to_role[0] == '\0')
			return BALLOT_LOST;
	}
	return outlook == BALLOT_OPEN && !has_humans(ballot) ? BALLOT_LOST : outlook;
}

/* --- changing ---------------------------------------------------------------- */

static const Isms__Store__V1__Assignee *new_seat(const struct ballot *ballot,
						 const Isms__Store__V1__Candidate *holder)
{
	Isms__Store__V1__Assignee *row = must_new_of(
		ballot->facts->arena, Isms__Store__V1__Assignee, isms__store__v1__assignee);
	row->request_id = ballot->request->meta->id;
	row->step_no = ballot->step->step_no;
	row->user_id = holder->user_id;
	row->person_id = holder->person_id;
	row->display_name = holder->display_name;
	row->via = ballot->step->escalate_to_role;
	row->state = ASSIGNEE(PENDING);
	row->escalated = true;
	return row;
}

size_t ballot_escalate(struct ballot *ballot)
{
	size_t n = 0;
	for (size_t i = 0; i < ballot->grants.n && ballot->n_seats < APPROVAL_ASSIGNEES_MAX; i++) {
		const Isms__Store__V1__Candidate *holder = ballot->grants.rows[i];
		const struct eligibility_voter voter = {
			.service = holder->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
			.person = holder->person_id,
		};
		if (ballot_seat_of(ballot, holder->user_id) != NULL ||
		    authority_of(&ballot->terms, &ballot->grants, holder->user_id, ballot->step,
				 true) != AUTHORITY_HELD ||
		    eligibility_of_person(&ballot->rules, &voter) != ELIGIBLE ||
		    ballot_is_spent(ballot, holder->person_id, ballot->step))
			continue;
		ballot->seats[ballot->n_seats++] =
			(struct ballot_seat){ .row = new_seat(ballot, holder),
					      .state = ASSIGNEE(PENDING),
					      .added = true,
					      .entitled = true };
		n++;
	}
	return n;
}

void ballot_drop(struct ballot *ballot)
{
	for (size_t i = 0; i < ballot->n_seats; i++)
		ballot->seats[i].added = false;
}

static bool has_void_entry(const struct ballot *ballot, const struct ballot_seat *seat)
{
	for (size_t i = 0; i < ballot->n_entries; i++)
		if (ballot->entries[i].is_void &&
		    seat_behind(ballot, ballot->entries[i].row) == seat)
			return true;
	return false;
}

bool ballot_void(struct ballot *ballot, bool everybody)
{
	bool any = false;
	for (size_t i = 0; i < ballot->n_seats; i++) {
		struct ballot_seat *seat = &ballot->seats[i];
		bool gone =
			seat->state == ASSIGNEE(VOTED)
				? has_void_entry(ballot, seat)
				: everybody && seat->state == ASSIGNEE(PENDING) && !seat->entitled;
		if (gone)
			seat->state = ASSIGNEE(VOID);
		any |= gone;
	}
	return any;
}

void ballot_put(const struct ballot *ballot, struct plan *plan)
{
	for (size_t i = 0; i < ballot->n_seats; i++) {
		const struct ballot_seat *seat = &ballot->seats[i];
		if (!seat->added && seat->state == seat->row->state)
			continue;
		Isms__Store__V1__Assignee *row =
			plan_copy_of(plan, Isms__Store__V1__Assignee, seat->row);
		row->state = seat->state;
		plan_put(plan, KIND_APPROVAL_ASSIGNEE, &row->base);
	}
}
