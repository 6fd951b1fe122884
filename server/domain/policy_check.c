/* Every field is looked at, so that one answer names all that is wrong. */
#include "server/domain/policy_check.h"

#include <string.h>

#include "common/arena.h"
#include "server/domain/approval_policy.h"
#include "server/domain/eligibility.h"
#include "server/domain/must.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

struct checking {
	const Isms__V1__ApprovalPolicy *policy;
	const char *under;
	const char *const *roles;
	size_t n_roles;
	struct arena *arena;
	struct status st;
};

static void wrong(struct checking *checking, const char *field, const char *why)
{
	const char *path = must(arena_printf(checking->arena, "%s.%s", checking->under, field));
	if (status_ok(&checking->st))
		checking->st = status_invalid(checking->arena, path, why);
	else
		status_add_violation(&checking->st, checking->arena, path, why);
}

static void wrong_step(struct checking *checking, size_t at, const char *field, const char *why)
{
	wrong(checking, must(arena_printf(checking->arena, "steps.steps[%zu].%s", at, field)), why);
}

static bool decides(const struct checking *checking, const char *role)
{
	for (size_t i = 0; i < checking->n_roles; i++)
		if (strcmp(checking->roles[i], role) == 0)
			return true;
	return false;
}

static void check_mode(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	if (step->step_no != (int32_t)at + 1)
		wrong_step(checking, at, "step_no", "must number the steps 1, 2 and so on");
	if (step->mode != STEP(ANY) && step->mode != STEP(ALL) && step->mode != STEP(QUORUM))
		wrong_step(checking, at, "mode", "is required");
	else if (step->mode == STEP(QUORUM) && step->quorum < 1)
		wrong_step(checking, at, "quorum", "must be at least 1");
	else if (step->mode != STEP(QUORUM) && step->quorum != 0)
		wrong_step(checking, at, "quorum", "belongs to QUORUM");
}

static bool asked_before(const struct checking *checking, size_t at)
{
	Isms__V1__PolicyStep *const *steps = checking->policy->steps->steps;
	for (size_t i = 0; i < at; i++)
		if (steps[i]->selector == steps[at]->selector)
			return true;
	return false;
}

/* The owner of the risk, or of the scope. */
static void check_one_owner(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	if (step->mode == STEP(QUORUM) && step->quorum > 1)
		wrong_step(checking, at, "quorum", "there is one owner");
	if (step->distinct_from_prior && asked_before(checking, at))
		wrong_step(checking, at, "distinct_from_prior", "the same owner is asked before");
}

static void check_users(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	size_t n = step->n_user_ids;
	if (n < 1 || n > POLICY_USERS_MAX)
		wrong_step(checking, at, "user_ids", "must name one to sixteen users");
	for (size_t i = 1; i < n; i++)
		if (text_in(step->user_ids[i], step->user_ids, i)) {
			wrong_step(checking, at, "user_ids", "must name each once");
			break;
		}
	if (step->mode == STEP(QUORUM) && (size_t)step->quorum > n)
		wrong_step(checking, at, "quorum", "is more than the users who are named");
}

/* What belongs to other selectors. */
static void check_others(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	bool of_risk =
		step->selector == SELECTOR(RISK_OWNER) || step->selector == SELECTOR(ASSET_OWNER);
	if (of_risk && checking->policy->subject_kind == SUBJECT(POLICY_CHANGE))
		wrong_step(checking, at, "selector", "a change of policies is about no risk");
	if (step->selector != SELECTOR(ROLE) && step->role_code[0] != '\0')
		wrong_step(checking, at, "role_code", "belongs to ROLE");
	if (step->selector != SELECTOR(USERS) && step->n_user_ids > 0)
		wrong_step(checking, at, "user_ids", "belongs to USERS");
}

static void check_selector(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	if (step->selector == SELECTOR(UNSPECIFIED)) {
		wrong_step(checking, at, "selector", "is required");
		return;
	}
	check_others(checking, at);
	switch (step->selector) {
	case SELECTOR(RISK_OWNER):
	case SELECTOR(SCOPE_OWNER):
		check_one_owner(checking, at);
		break;
	case SELECTOR(USERS):
		check_users(checking, at);
		break;
	case SELECTOR(ROLE):
		if (!decides(checking, step->role_code))
			wrong_step(checking, at, "role_code", "must be a role that decides");
		break;
	default: /* the owners of assets are as many as there are */
		break;
	}
}

static void check_times(struct checking *checking, size_t at)
{
	const Isms__V1__PolicyStep *step = checking->policy->steps->steps[at];
	if (step->due_hours < 0)
		wrong_step(checking, at, "due_hours", "must not be negative");
	if (step->escalate_to_role[0] == '\0') {
		if (step->escalate_after_hours != 0)
			wrong_step(checking, at, "escalate_after_hours", "needs escalate_to_role");
		return;
	}
	if (!decides(checking, step->escalate_to_role))
		wrong_step(checking, at, "escalate_to_role", "must be a role that decides");
	if (step->due_hours == 0 && step->escalate_after_hours == 0)
		wrong_step(checking, at, "escalate_to_role",
			   "needs due_hours or escalate_after_hours");
	if (step->escalate_after_hours < 0 ||
	    (step->due_hours > 0 && step->escalate_after_hours >= step->due_hours))
		wrong_step(checking, at, "escalate_after_hours", "must end before due_hours");
}

size_t policy_fewest_persons(const Isms__V1__PolicySteps *steps)
{
	size_t persons = 0;
	for (size_t i = 0; i < steps->n_steps; i++) {
		const Isms__V1__PolicyStep *step = steps->steps[i];
		size_t needs = step->mode == STEP(QUORUM) && step->quorum > 0
				       ? (size_t)step->quorum
				       : 1; /* ALL may be one */
		if (step->distinct_from_prior)
			persons += needs;
		else if (persons < needs)
			persons = needs;
	}
	return persons;
}

static void check_persons(struct checking *checking)
{
	const Isms__V1__ApprovalPolicy *policy = checking->policy;
	size_t persons = policy_fewest_persons(policy->steps);
	if (policy->subject_kind == SUBJECT(POLICY_CHANGE)) {
		if (persons < POLICY_CHANGE_PERSONS)
			wrong(checking, "steps", "a change of policies needs two different people");
	} else if (policy->max_level == LEVEL(CRITICAL) && persons < ELIGIBILITY_CRITICAL_PERSONS) {
		wrong(checking, "steps", "what is critical needs three different people");
	}
}

static void check_steps(struct checking *checking)
{
	const Isms__V1__ApprovalPolicy *policy = checking->policy;
	size_t n = policy->steps != NULL ? policy->steps->n_steps : 0;
	if (policy->repeals) {
		if (n > 0)
			wrong(checking, "steps", "a repeal has no steps");
		return;
	}
	if (n < 1 || n > ELIGIBILITY_STEPS_MAX) {
		wrong(checking, "steps.steps", "one to eight steps are needed");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		check_mode(checking, i);
		check_selector(checking, i);
		check_times(checking, i);
	}
	if (policy->steps->review_days != 0 && policy->subject_kind != SUBJECT(ACCEPTANCE))
		wrong(checking, "steps.review_days", "belongs to acceptances");
	check_persons(checking);
}

static void check_levels(struct checking *checking)
{
	const Isms__V1__ApprovalPolicy *policy = checking->policy;
	if (policy->max_level < policy->min_level)
		wrong(checking, "max_level", "must not be below min_level");
	if (policy->subject_kind != SUBJECT(POLICY_CHANGE))
		return;
	if (policy->min_level != LEVEL(LOW))
		wrong(checking, "min_level", "a change of policies has no level");
	if (policy->max_level != LEVEL(CRITICAL))
		wrong(checking, "max_level", "a change of policies has no level");
}

struct status policy_check(const Isms__V1__ApprovalPolicy *policy, const char *under,
			   const char *const *roles, size_t n_roles, struct arena *arena)
{
	struct checking checking = {
		.policy = policy,
		.under = under,
		.roles = roles,
		.n_roles = n_roles,
		.arena = arena,
		.st = STATUS_OK,
	};
	if (text_blank(policy->title))
		wrong(&checking, "title", "is required");
	check_levels(&checking);
	check_steps(&checking);
	return checking.st;
}
