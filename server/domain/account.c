/* See account.h. */
#include "server/domain/account.h"

#include "server/domain/must.h"
#include "server/domain/plan.h"

Isms__V1__User *account_public(const Isms__Store__V1__Account *account, struct plan *plan)
{
	Isms__V1__User *user = must_new_of(plan->arena, Isms__V1__User, isms__v1__user);
	pb_copy_same(&user->base, &account->base);
	bool locked = user->state == ISMS__V1__USER_STATE__USER_STATE_ACTIVE &&
		      pb_time_us(account->locked_until) > plan->now_us;
	if (locked)
		user->state = ISMS__V1__USER_STATE__USER_STATE_LOCKED;
	else
		user->locked_until = NULL;
	return user;
}
