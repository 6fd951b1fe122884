/* An unknown, a used and an ended invitation are refused with the same words. The
 * helper has hashed the password by then: what is refused costs the same. */
#include "server/domain/invitation.h"

#include "isms/v1/auth.pb-c.h"
#include "server/domain/account.h"
#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/password_policy.h"
#include "server/domain/plan.h"
#include "server/domain/token.h"

char *invitation_make(struct plan *plan, const char *user_id)
{
	Isms__Store__V1__Invitation *invitation =
		must_new_of(plan->arena, Isms__Store__V1__Invitation, isms__store__v1__invitation);
	char *text = token_new(&invitation->token_sha256, plan, TOKEN_INVITATION);
	invitation->user_id = must(arena_strdup(plan->arena, user_id));
	invitation->expires_at = must(
		pb_time_new(plan->arena, plan->now_us + INVITATION_HOURS * INT64_C(3600000000)));
	plan_insert(plan, KIND_INVITATION, &invitation->base);
	return text;
}

struct status invitation_activate(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ActivateRequest *request = (const void *)facts->request;
	const Isms__Store__V1__Invitation *invitation =
		fact_row(facts, "invitation_by_secret", Isms__Store__V1__Invitation,
			 isms__store__v1__invitation);
	const Isms__Store__V1__Account *account = fact_row(
		facts, "invitation_account", Isms__Store__V1__Account, isms__store__v1__account);
	if (invitation == NULL || account == NULL || invitation->used_at != NULL ||
	    pb_time_us(invitation->expires_at) <= plan->now_us ||
	    account->state != ISMS__V1__USER_STATE__USER_STATE_INVITED)
		return status_make(STATUS_CODE_UNAUTHENTICATED, "INVITATION_INVALID",
				   "the invitation is not valid, or no longer");
	const char *fault = password_policy_fault(request->password, account->email);
	if (fault != NULL)
		return status_invalid(facts->arena, "password", fault);
	plan->org_id = invitation->org_id;
	plan->org_actor_id = account->meta->id;
	Isms__Store__V1__Account *active = plan_copy_of(plan, Isms__Store__V1__Account, account);
	active->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	active->password_hash = must(arena_strdup(plan->arena, facts->work.password_hash));
	plan_update(plan, KIND_APP_USER, &account->base, &active->base);
	Isms__Store__V1__Invitation *used =
		plan_copy_of(plan, Isms__Store__V1__Invitation, invitation);
	used->used_at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_INVITATION, &invitation->base, &used->base);
	Isms__V1__ActivateResponse *reply =
		must_new_of(plan->arena, Isms__V1__ActivateResponse, isms__v1__activate_response);
	reply->user = account_public(active, plan);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
