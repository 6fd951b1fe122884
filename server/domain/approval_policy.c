/* Steps are read as they were frozen; what is not understood is not worked
 * with. */
#include "server/domain/approval_policy.h"

#include <string.h>

#include "common/pb.h"
#include "server/domain/eligibility.h"
#include "server/domain/states.h"

static bool step_valid(const Isms__V1__PolicyStep *step, size_t number)
{
	if (step->step_no < 1 || (size_t)step->step_no != number)
		return false;
	if (step->mode != STEP(ANY) && step->mode != STEP(ALL) && step->mode != STEP(QUORUM))
		return false;
	if (step->mode == STEP(QUORUM) && step->quorum < 1)
		return false;
	switch (step->selector) {
	case SELECTOR(RISK_OWNER):
	case SELECTOR(SCOPE_OWNER):
	case SELECTOR(ASSET_OWNER):
		return true;
	case SELECTOR(ROLE):
		return step->role_code[0] != '\0';
	case SELECTOR(USERS):
		return step->n_user_ids > 0 && step->n_user_ids <= POLICY_USERS_MAX;
	default:
		return false;
	}
}

bool policy_steps_valid(const Isms__V1__PolicySteps *steps)
{
	if (steps == NULL || steps->n_steps < 1 || steps->n_steps > ELIGIBILITY_STEPS_MAX)
		return false;
	for (size_t i = 0; i < steps->n_steps; i++)
		if (!step_valid(steps->steps[i], i + 1))
			return false;
	return true;
}

const char *policy_step_via(const Isms__V1__PolicyStep *step)
{
	const char *selector =
		pb_enum_short(&isms__v1__step_selector__descriptor, (int)step->selector);
	return step->selector == SELECTOR(ROLE) || selector == NULL ? step->role_code : selector;
}

size_t policy_step_needs(const Isms__V1__PolicyStep *step, size_t n_persons)
{
	switch (step->mode) {
	case STEP(ALL):
		return n_persons > 0 ? n_persons : 1;
	case STEP(QUORUM):
		return (size_t)step->quorum;
	default:
		return 1;
	}
}
