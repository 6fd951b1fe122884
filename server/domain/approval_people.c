/* All steps are resolved at once: what cannot be decided is refused, and a step is
 * never skipped. */
#include "server/domain/approval_people.h"

#include <string.h>

#include "server/domain/approval_policy.h"
#include "server/domain/authority.h"
#include "server/domain/eligibility.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

/* People who may be asked, each once, with the steps that ask them. */
struct people {
	const char **persons;
	uint8_t *steps;
	size_t n;
};

static void ask(struct people *people, const char *person, size_t step)
{
	size_t i = 0;
	while (i < people->n && strcmp(people->persons[i], person) != 0)
		i++;
	if (i == people->n)
		people->persons[people->n++] = person;
	people->steps[i] |= (uint8_t)(1u << step);
}

static bool is_assigned(const struct approval_people *out, int32_t step_no, const char *user_id)
{
	for (size_t i = 0; i < out->n_assignees; i++)
		if (out->assignees[i]->step_no == step_no &&
		    strcmp(out->assignees[i]->user_id, user_id) == 0)
			return true;
	return false;
}

static void assign(struct approval_people *out, const struct approval_question *question,
		   const Isms__V1__PolicyStep *step, const Isms__Store__V1__Candidate *candidate,
		   struct arena *arena)
{
	Isms__Store__V1__Assignee *row =
		must_new_of(arena, Isms__Store__V1__Assignee, isms__store__v1__assignee);
	row->request_id = question->request_id;
	row->step_no = step->step_no;
	row->user_id = candidate->user_id;
	row->person_id = candidate->person_id;
	row->display_name = candidate->display_name;
	row->via = must(arena_strdup(arena, policy_step_via(step)));
	row->state = ASSIGNEE(PENDING);
	out->assignees[out->n_assignees++] = row;
}

static struct status too_many(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_APPROVERS",
			   "the policy asks more people than one request may");
}

static bool may_be_asked(const struct approval_question *question, const Isms__V1__PolicyStep *step,
			 const Isms__Store__V1__Candidate *candidate)
{
	const struct eligibility_request request = {
		.requester = question->requester,
		.contributors = (const char *const *)question->contributors,
		.n_contributors = question->n_contributors,
		.critical = question->level == LEVEL(CRITICAL),
	};
	const struct authority_request terms = {
		.requester = question->requester,
		.contributors = (const char *const *)question->contributors,
		.n_contributors = question->n_contributors,
		.submitted_us = question->now_us,
		.level = question->level,
	};
	const struct authority_grants grants = { question->candidates, question->n_candidates };
	const struct eligibility_voter voter = {
		.service = candidate->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
		.person = candidate->person_id,
	};
	return eligibility_of_person(&request, &voter) == ELIGIBLE &&
	       authority_of(&terms, &grants, candidate->user_id, step, false) == AUTHORITY_HELD;
}

/* Assigns everybody who is asked, has the authority and may vote. */
static struct status resolve(struct approval_people *out, struct people *people,
			     const struct approval_question *question, struct arena *arena)
{
	for (size_t k = 0; k < question->steps->n_steps; k++) {
		const Isms__V1__PolicyStep *step = question->steps->steps[k];
		for (size_t i = 0; i < question->n_candidates; i++) {
			const Isms__Store__V1__Candidate *candidate = question->candidates[i];
			/* most do not, and cost no more */
			if (!authority_answers(candidate, step, false) ||
			    is_assigned(out, step->step_no, candidate->user_id) ||
			    !may_be_asked(question, step, candidate))
				continue;
			if (out->n_assignees == APPROVAL_ASSIGNEES_MAX)
				return too_many();
			assign(out, question, step, candidate, arena);
			ask(people, candidate->person_id, k);
		}
	}
	return STATUS_OK;
}

static struct status check(const struct approval_question *question, const struct people *people,
			   struct arena *arena)
{
	const Isms__V1__PolicySteps *steps = question->steps;
	struct eligibility_plan plan = {
		.n_steps = steps->n_steps,
		.people = people->steps,
		.n_people = people->n,
		.critical = question->level == LEVEL(CRITICAL),
	};
	for (size_t k = 0; k < steps->n_steps; k++) {
		size_t asked = 0;
		for (size_t i = 0; i < people->n; i++)
			asked += (people->steps[i] & (1u << k)) != 0;
		plan.needed[k] = (unsigned)policy_step_needs(steps->steps[k], asked);
		plan.distinct[k] = steps->steps[k]->distinct_from_prior;
	}
	unsigned step_no = eligibility_shortage(&plan);
	if (step_no == 0)
		return STATUS_OK;
	struct status st = status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_ELIGIBLE_APPROVER",
				       "not enough people may decide on a step of the policy");
	status_add_pair(&st, arena, "step", must(arena_printf(arena, "%u", step_no)));
	status_add_pair(&st, arena, "via", policy_step_via(steps->steps[step_no - 1]));
	return st;
}

struct status approval_people_find(struct approval_people *out,
				   const struct approval_question *question, struct arena *arena)
{
	out->n_assignees = 0;
	out->assignees =
		must(arena_array(arena, Isms__Store__V1__Assignee *, APPROVAL_ASSIGNEES_MAX));
	if (question->n_candidates >= APPROVAL_CANDIDATES_MAX)
		return too_many();
	struct people people = {
		.persons = must(arena_array(arena, const char *, APPROVAL_ASSIGNEES_MAX)),
		.steps = must(arena_array(arena, uint8_t, APPROVAL_ASSIGNEES_MAX)),
	};
	struct status st = resolve(out, &people, question, arena);
	if (status_ok(&st))
		st = check(question, &people, arena);
	return st;
}
