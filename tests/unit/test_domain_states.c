/* Every state with every action: what is allowed is listed here a second time,
 * by state; everything else must be refused. */
#include "server/domain/states.h"

#include "tests/unit/tap.h"

enum { PLAN_STATES = PLAN(SUPERSEDED) + 1, ACCEPTANCE_STATES = ACCEPTANCE(SUPERSEDED) + 1 };

static int plan_expected(int state, int action)
{
	if (state == PLAN(DRAFT))
		return action == STATE_EDIT     ? PLAN(DRAFT)
		       : action == STATE_SUBMIT ? PLAN(SUBMITTED)
						: PLAN(UNSPECIFIED);
	if (state == PLAN(CHANGES_REQUESTED))
		return action == STATE_EDIT ? PLAN(DRAFT) : PLAN(UNSPECIFIED);
	if (state == PLAN(SUBMITTED)) {
		static const int after[STATE_ACTIONS] = {
			[STATE_WITHDRAW] = PLAN(WITHDRAWN),
			[STATE_APPROVE] = PLAN(APPROVED),
			[STATE_REJECT] = PLAN(REJECTED),
			[STATE_REQUEST_CHANGES] = PLAN(CHANGES_REQUESTED),
			[STATE_RETURN] = PLAN(DRAFT),
		};
		return after[action];
	}
	if (state == PLAN(APPROVED) || state == PLAN(IN_PROGRESS) || state == PLAN(IMPLEMENTED))
		return action == STATE_SUPERSEDE ? PLAN(SUPERSEDED) : PLAN(UNSPECIFIED);
	return PLAN(UNSPECIFIED);
}

static int acceptance_expected(int state, int action)
{
	static const int submitted[STATE_ACTIONS] = {
		[STATE_WITHDRAW] = ACCEPTANCE(WITHDRAWN),
		[STATE_APPROVE] = ACCEPTANCE(ACTIVE),
		[STATE_REJECT] = ACCEPTANCE(REJECTED),
		[STATE_REQUEST_CHANGES] = ACCEPTANCE(CHANGES_REQUESTED),
		[STATE_RETURN] = ACCEPTANCE(DRAFT),
	};
	static const int active[STATE_ACTIONS] = {
		[STATE_REVOKE] = ACCEPTANCE(REVOKED),
		[STATE_EXPIRE] = ACCEPTANCE(EXPIRED),
		[STATE_INVALIDATE] = ACCEPTANCE(INVALIDATED),
		[STATE_SUPERSEDE] = ACCEPTANCE(SUPERSEDED),
	};
	static const int draft[STATE_ACTIONS] = {
		[STATE_EDIT] = ACCEPTANCE(DRAFT),
		[STATE_SUBMIT] = ACCEPTANCE(SUBMITTED),
	};
	if (state == ACCEPTANCE(DRAFT))
		return draft[action];
	if (state == ACCEPTANCE(SUBMITTED))
		return submitted[action];
	if (state == ACCEPTANCE(ACTIVE))
		return active[action];
	if (state == ACCEPTANCE(CHANGES_REQUESTED) && action == STATE_EDIT)
		return ACCEPTANCE(DRAFT);
	return ACCEPTANCE(UNSPECIFIED);
}

TEST(a_plan_moves_only_as_the_rules_say)
{
	for (int state = 0; state < PLAN_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++)
			CHECK_INT(state_plan_after((Isms__V1__PlanState)state,
						   (enum state_action)action),
				  plan_expected(state, action));
}

TEST(an_acceptance_moves_only_as_the_rules_say)
{
	for (int state = 0; state < ACCEPTANCE_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++)
			CHECK_INT(state_acceptance_after((Isms__V1__AcceptanceState)state,
							 (enum state_action)action),
				  acceptance_expected(state, action));
}

TEST(nothing_returns_to_active)
{
	for (int state = 0; state < ACCEPTANCE_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++)
			if (state_acceptance_after((Isms__V1__AcceptanceState)state,
						   (enum state_action)action) == ACCEPTANCE(ACTIVE))
				CHECK(state == ACCEPTANCE(SUBMITTED) && action == STATE_APPROVE);
}

TEST(an_accept_plan_mirrors_its_acceptance)
{
	/* whatever both may do alike gives states that mirror each other */
	for (int action = STATE_EDIT; action <= STATE_RETURN; action++)
		for (int state = 1; state < ACCEPTANCE_STATES; state++) {
			Isms__V1__AcceptanceState after = state_acceptance_after(
				(Isms__V1__AcceptanceState)state, (enum state_action)action);
			if (after == ACCEPTANCE(UNSPECIFIED))
				continue;
			CHECK_INT(state_of_accept_plan(after),
				  state_plan_after(
					  state_of_accept_plan((Isms__V1__AcceptanceState)state),
					  (enum state_action)action));
		}
	for (int state = 1; state < ACCEPTANCE_STATES; state++) {
		Isms__V1__PlanState plan = state_of_accept_plan((Isms__V1__AcceptanceState)state);
		CHECK(plan != PLAN(UNSPECIFIED));
		CHECK_INT(state_plan_in_force(plan), state == ACCEPTANCE(ACTIVE));
	}
}

TAP_MAIN
