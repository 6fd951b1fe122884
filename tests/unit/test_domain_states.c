/* Every state with every action: what is allowed is listed here a second time,
 * by state; everything else must be refused. */
#include "server/domain/states.h"

#include "tests/unit/tap.h"

enum {
	PLAN_STATES = PLAN(SUPERSEDED) + 1,
	ACCEPTANCE_STATES = ACCEPTANCE(SUPERSEDED) + 1,
	REQUEST_STATES = APPROVAL(STALE) + 1,
	POLICY_STATES = POLICY(RETIRED) + 1,
};

static int plan_expected(int state, int action)
{
	static const int after[PLAN_STATES][STATE_ACTIONS] = {
		[0] = { [STATE_CREATE] = PLAN(DRAFT) },
		[PLAN(DRAFT)] = { [STATE_EDIT] = PLAN(DRAFT), [STATE_SUBMIT] = PLAN(SUBMITTED) },
		[PLAN(CHANGES_REQUESTED)] = { [STATE_EDIT] = PLAN(DRAFT) },
		[PLAN(SUBMITTED)] = { [STATE_WITHDRAW] = PLAN(WITHDRAWN),
				      [STATE_APPROVE] = PLAN(APPROVED),
				      [STATE_REJECT] = PLAN(REJECTED),
				      [STATE_REQUEST_CHANGES] = PLAN(CHANGES_REQUESTED),
				      [STATE_RETURN] = PLAN(DRAFT) },
		[PLAN(APPROVED)] = { [STATE_START] = PLAN(IN_PROGRESS),
				     [STATE_PROGRESS] = PLAN(IN_PROGRESS),
				     [STATE_CANCEL] = PLAN(CANCELLED),
				     [STATE_LAPSE] = PLAN(INEFFECTIVE),
				     [STATE_SUPERSEDE] = PLAN(SUPERSEDED) },
		[PLAN(IN_PROGRESS)] = { [STATE_PROGRESS] = PLAN(IN_PROGRESS),
					[STATE_IMPLEMENT] = PLAN(IMPLEMENTED),
					[STATE_CANCEL] = PLAN(CANCELLED),
					[STATE_LAPSE] = PLAN(INEFFECTIVE),
					[STATE_SUPERSEDE] = PLAN(SUPERSEDED) },
		[PLAN(IMPLEMENTED)] = { [STATE_VERIFY] = PLAN(VERIFIED),
					[STATE_FAIL] = PLAN(INEFFECTIVE),
					[STATE_LAPSE] = PLAN(INEFFECTIVE),
					[STATE_SUPERSEDE] = PLAN(SUPERSEDED) },
		[PLAN(VERIFIED)] = { [STATE_LAPSE] = PLAN(INEFFECTIVE),
				     [STATE_SUPERSEDE] = PLAN(SUPERSEDED) },
	};
	return after[state][action];
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
		[STATE_RENEW] = ACCEPTANCE(ACTIVE),
		[STATE_WARN] = ACCEPTANCE(ACTIVE),
		[STATE_ASK_REVIEW] = ACCEPTANCE(ACTIVE),
		[STATE_KEEP] = ACCEPTANCE(ACTIVE),
		[STATE_END] = ACCEPTANCE(REVOKED),
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
	if (state == 0 && action == STATE_CREATE)
		return ACCEPTANCE(DRAFT);
	/* what has ended may be asked for anew, by another row */
	if ((state == ACCEPTANCE(REVOKED) || state == ACCEPTANCE(EXPIRED) ||
	     state == ACCEPTANCE(INVALIDATED)) &&
	    action == STATE_RENEW)
		return state;
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

TEST(a_request_moves_only_as_the_rules_say)
{
	static const int pending[STATE_ACTIONS] = {
		[STATE_CAST] = APPROVAL(PENDING),
		[STATE_ESCALATE] = APPROVAL(PENDING),
		[STATE_APPROVE] = APPROVAL(APPROVED),
		[STATE_REJECT] = APPROVAL(REJECTED),
		[STATE_REQUEST_CHANGES] = APPROVAL(CHANGES_REQUESTED),
		[STATE_WITHDRAW] = APPROVAL(WITHDRAWN),
		[STATE_EXPIRE] = APPROVAL(EXPIRED),
		[STATE_STALE] = APPROVAL(STALE),
	};
	for (int state = 0; state < REQUEST_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++) {
			int expected = state == APPROVAL(PENDING) ? pending[action] : 0;
			if (state == 0 && action == STATE_SUBMIT)
				expected = APPROVAL(PENDING);
			CHECK_INT(state_request_after((Isms__V1__ApprovalState)state,
						      (enum state_action)action),
				  expected);
		}
}

TEST(a_policy_moves_only_as_the_rules_say)
{
	static const int after[POLICY_STATES][STATE_ACTIONS] = {
		[0] = { [STATE_CREATE] = POLICY(DRAFT) },
		[POLICY(DRAFT)] = { [STATE_EDIT] = POLICY(DRAFT),
				    [STATE_SUBMIT] = POLICY(SUBMITTED) },
		[POLICY(CHANGES_REQUESTED)] = { [STATE_EDIT] = POLICY(DRAFT) },
		[POLICY(SUBMITTED)] = { [STATE_WITHDRAW] = POLICY(WITHDRAWN),
					[STATE_APPROVE] = POLICY(ACTIVE),
					[STATE_REPEAL] = POLICY(RETIRED),
					[STATE_REJECT] = POLICY(REJECTED),
					[STATE_REQUEST_CHANGES] = POLICY(CHANGES_REQUESTED),
					[STATE_RETURN] = POLICY(DRAFT) },
		[POLICY(ACTIVE)] = { [STATE_SUPERSEDE] = POLICY(RETIRED) },
	};
	for (int state = 0; state < POLICY_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++)
			CHECK_INT(state_policy_after((Isms__V1__PolicyState)state,
						     (enum state_action)action),
				  after[state][action]);
}

TEST(a_move_is_listed_once_and_all_names_are_there)
{
	for (int id = 0; id < STATE_MACHINES; id++) {
		const struct state_machine *machine = state_machine((enum state_machine_id)id);
		for (size_t i = 0; i < machine->n_rows; i++)
			for (size_t k = i + 1; k < machine->n_rows; k++)
				CHECK(machine->rows[i].from != machine->rows[k].from ||
				      machine->rows[i].action != machine->rows[k].action);
	}
	for (int action = 0; action < STATE_ACTIONS; action++)
		CHECK(state_action_name((enum state_action)action) != NULL);
}

TEST(nothing_returns_to_active)
{
	for (int state = 0; state < ACCEPTANCE_STATES; state++)
		for (int action = 0; action < STATE_ACTIONS; action++)
			if (state_acceptance_after((Isms__V1__AcceptanceState)state,
						   (enum state_action)action) == ACCEPTANCE(ACTIVE))
				CHECK(state == ACCEPTANCE(ACTIVE) ||
				      (state == ACCEPTANCE(SUBMITTED) && action == STATE_APPROVE));
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
