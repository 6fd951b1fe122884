/* The rules are straight code in the documented order. Whether there are enough
 * people is a search over what is still missing on each step: persons come one
 * after the other, each takes any steps it may; a state is reached or it is
 * not, so the work is bounded by states, not by ways to get there. */
#include "server/domain/eligibility.h"

#include <string.h>

enum { PERSONS_COUNTED = ELIGIBILITY_CRITICAL_PERSONS + 1 };

static bool is_contributor(const struct eligibility_request *request, const char *person)
{
	for (size_t i = 0; i < request->n_contributors; i++)
		if (strcmp(request->contributors[i], person) == 0)
			return true;
	return false;
}

/* S1, S2. */
static enum eligibility of_involved(const struct eligibility_request *request, const char *person)
{
	if (strcmp(request->requester, person) == 0)
		return ELIGIBILITY_REQUESTER;
	return is_contributor(request, person) ? ELIGIBILITY_CONTRIBUTOR : ELIGIBLE;
}

enum eligibility eligibility_of_person(const struct eligibility_request *request,
				       const struct eligibility_voter *voter)
{
	if (voter->service || voter->person[0] == '\0')
		return ELIGIBILITY_SERVICE;
	if (!voter->delegate)
		return of_involved(request, voter->person);
	if (!voter->delegated || voter->delegator == NULL || voter->delegator[0] == '\0' ||
	    strcmp(voter->person, voter->delegator) == 0)
		return ELIGIBILITY_DELEGATE;
	enum eligibility own = of_involved(request, voter->person);
	return own != ELIGIBLE ? own : of_involved(request, voter->delegator);
}

static bool took_part(const struct eligibility_request *request, const char *person, unsigned from,
		      unsigned to)
{
	for (size_t i = 0; i < request->n_votes; i++) {
		const struct eligibility_vote *vote = &request->votes[i];
		if (vote->step >= from && vote->step <= to &&
		    (strcmp(vote->person, person) == 0 || strcmp(vote->delegator, person) == 0))
			return true;
	}
	return false;
}

/* Whether voter or delegator did. */
static bool is_spent(const struct eligibility_request *request,
		     const struct eligibility_voter *voter, unsigned from, unsigned to)
{
	return took_part(request, voter->person, from, to) ||
	       (voter->delegate && took_part(request, voter->delegator, from, to));
}

/* Persons who approved, the new one included. */
static size_t approvers(const struct eligibility_request *request, const char *person)
{
	size_t n = 1;
	for (size_t i = 0; i < request->n_votes; i++) {
		const struct eligibility_vote *vote = &request->votes[i];
		bool seen = !vote->approve || strcmp(vote->person, person) == 0;
		for (size_t j = 0; j < i && !seen; j++)
			seen = request->votes[j].approve &&
			       strcmp(request->votes[j].person, vote->person) == 0;
		n += !seen;
	}
	return n;
}

enum eligibility eligibility_of_vote(const struct eligibility_request *request,
				     const struct eligibility_voter *voter,
				     const struct eligibility_ballot *ballot)
{
	enum eligibility ever = eligibility_of_person(request, voter);
	if (ever != ELIGIBLE)
		return ever;
	if (is_spent(request, voter, ballot->step, ballot->step))
		return ELIGIBILITY_VOTED;
	if (ballot->distinct && ballot->step > 0 && is_spent(request, voter, 0, ballot->step - 1))
		return ELIGIBILITY_DISTINCT;
	if (ballot->finishes && request->critical &&
	    approvers(request, voter->person) < ELIGIBILITY_CRITICAL_PERSONS)
		return ELIGIBILITY_QUORUM_HUMANS;
	return ELIGIBLE;
}

/* A state numbers what is missing on each step, and how many persons took part
 * (up to three): mixed radix, steps first. */
struct search {
	size_t n_steps, n_states;
	unsigned radix[ELIGIBILITY_STEPS_MAX];
	bool reached[2][ELIGIBILITY_STATES_MAX];
};

/* The steps that one person may vote on together: on all but the earliest it
 * has voted before, so none of those may want other people. */
static bool may_combine(const struct eligibility_plan *plan, unsigned steps)
{
	bool first = true;
	for (size_t k = 0; k < plan->n_steps; k++) {
		if ((steps & (1u << k)) == 0)
			continue;
		if (!first && plan->distinct[k])
			return false;
		first = false;
	}
	return true;
}

/* The state after one person voted on these steps, or the state itself when a
 * step needs nobody any more. */
static size_t state_after(const struct search *search, size_t state, unsigned steps)
{
	size_t rest = state, next = 0, weight = 1;
	for (size_t k = 0; k < search->n_steps; k++) {
		size_t missing = rest % search->radix[k];
		rest /= search->radix[k];
		bool votes = (steps & (1u << k)) != 0;
		if (votes && missing == 0)
			return state;
		next += weight * (votes ? missing - 1 : missing);
		weight *= search->radix[k];
	}
	size_t persons = rest < ELIGIBILITY_CRITICAL_PERSONS ? rest + 1 : rest;
	return next + weight * persons;
}

static void add_person(struct search *search, const struct eligibility_plan *plan, uint8_t person)
{
	unsigned own = person & ((1u << search->n_steps) - 1);
	memcpy(search->reached[1], search->reached[0], sizeof(search->reached[1]));
	for (unsigned steps = own; steps != 0; steps = (steps - 1) & own) {
		if (!may_combine(plan, steps))
			continue;
		for (size_t state = 0; state < search->n_states; state++)
			if (search->reached[0][state])
				search->reached[1][state_after(search, state, steps)] = true;
	}
	memcpy(search->reached[0], search->reached[1], sizeof(search->reached[0]));
}

/* Whether the first n steps can be passed; persons: how many must take part. */
static bool can_pass(const struct eligibility_plan *plan, size_t n_steps, size_t persons)
{
	static const size_t radix_max = ELIGIBILITY_STATES_MAX;
	struct search search = { .n_steps = n_steps, .n_states = PERSONS_COUNTED };
	size_t start = 0, weight = 1;
	for (size_t k = 0; k < n_steps; k++) {
		search.radix[k] = plan->needed[k] + 1;
		if (plan->needed[k] == 0 || search.radix[k] > radix_max / search.n_states)
			return false;
		search.n_states *= search.radix[k];
		start += weight * plan->needed[k];
		weight *= search.radix[k];
	}
	search.reached[0][start] = true;
	for (size_t i = 0; i < plan->n_people; i++)
		add_person(&search, plan, plan->people[i]);
	for (size_t n = persons; n < PERSONS_COUNTED; n++)
		if (search.reached[0][n * weight])
			return true;
	return false;
}

unsigned eligibility_shortage(const struct eligibility_plan *plan)
{
	if (plan->n_steps == 0 || plan->n_steps > ELIGIBILITY_STEPS_MAX)
		return 1;
	for (size_t n = 1; n <= plan->n_steps; n++) {
		bool all = n == plan->n_steps;
		size_t persons = all && plan->critical ? ELIGIBILITY_CRITICAL_PERSONS : 0;
		if (!can_pass(plan, n, persons))
			return (unsigned)n;
	}
	return 0;
}

const char *eligibility_reason(enum eligibility rule)
{
	switch (rule) {
	case ELIGIBLE:
		return NULL;
	case ELIGIBILITY_SERVICE:
		return "SOD_SERVICE";
	case ELIGIBILITY_DELEGATE:
		return "SOD_DELEGATE";
	case ELIGIBILITY_REQUESTER:
		return "SOD_REQUESTER";
	case ELIGIBILITY_CONTRIBUTOR:
		return "SOD_CONTRIBUTOR";
	case ELIGIBILITY_VOTED:
		return "ALREADY_VOTED";
	case ELIGIBILITY_DISTINCT:
		return "SOD_DISTINCT";
	case ELIGIBILITY_QUORUM_HUMANS:
		return "SOD_QUORUM_HUMANS";
	}
	return NULL;
}
