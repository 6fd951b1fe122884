/* Both write the account's row too: its version grows, so that a decision that
 * was made on the old rights fails its guard. */
#include "server/domain/grant.h"

#include <string.h>

#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"
#include "server/domain/user.h"

bool grant_role_for_service(const Isms__V1__Role *role)
{
	static const char *const human_only[] = {
		"decision.cast",  "grant.write",  "user.write",        "token.write",
		"session.revoke", "policy.write", "acceptance.revoke", "acceptance.revoke.own",
	};
	for (size_t i = 0; i < sizeof(human_only) / sizeof(human_only[0]); i++)
		if (text_in(human_only[i], role->permissions, role->n_permissions))
			return false;
	return true;
}

static bool decides(const Isms__V1__Role *role)
{
	return text_in("decision.cast", role->permissions, role->n_permissions);
}

bool grant_role_administers(const Isms__V1__Role *role)
{
	return text_in("grant.write", role->permissions, role->n_permissions) ||
	       text_in("user.write", role->permissions, role->n_permissions);
}

bool grant_roles_clash(const Isms__V1__Role *one, const Isms__V1__Role *other)
{
	return (decides(one) && grant_role_administers(other)) ||
	       (grant_role_administers(one) && decides(other));
}

/* With a role that the person of the account holds already, or with what somebody lets
 * the person decide. */
static bool clashes(const struct facts *facts, const Isms__V1__Role *role)
{
	size_t n;
	const Isms__V1__Role *const *held =
		fact_rows(facts, "grant_roles", Isms__V1__Role, isms__v1__role, &n);
	for (size_t i = 0; i < n; i++)
		if (grant_roles_clash(role, held[i]))
			return true;
	size_t n_delegations;
	(void)fact_rows(facts, "grant_delegations", Isms__Store__V1__Found, isms__store__v1__found,
			&n_delegations);
	return n_delegations > 0 && grant_role_administers(role);
}

/* Whether an account and the caller count as one person somewhere. */
static bool is_same_person(const Isms__Store__V1__Principal *caller,
			   const Isms__Store__V1__Account *account)
{
	if (strcmp(caller->user_id, account->meta->id) == 0)
		return true;
	if (*account->person_id != '\0' &&
	    text_in(account->person_id, caller->person_ids, caller->n_person_ids))
		return true;
	for (size_t i = 0; i < account->n_owner_person_ids; i++)
		if (text_in(account->owner_person_ids[i], caller->person_ids, caller->n_person_ids))
			return true;
	return false;
}

static struct status check_grant(const struct facts *facts, const Isms__Store__V1__Account *account,
				 const Isms__V1__Role *role)
{
	const Isms__V1__GrantRoleRequest *request = (const void *)facts->request;
	if (account == NULL)
		return status_invalid(facts->arena, "user_id",
				      "must be an account of the organisation");
	if (role == NULL)
		return status_invalid(facts->arena, "role_code", "must be the code of a role");
	if (request->valid_until != NULL && pb_time_us(request->valid_until) <= facts->now_us)
		return status_invalid(facts->arena, "valid_until", "must be in the future");
	if (account->state == ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the account is deactivated");
	if (is_same_person(facts->principal, account))
		return status_make(STATUS_CODE_PERMISSION_DENIED, "SELF_GRANT",
				   "nobody gives a role to themselves");
	if (account->kind == ISMS__V1__USER_KIND__USER_KIND_SERVICE &&
	    !grant_role_for_service(role))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "SERVICE_ROLE",
				   "a service account never gets a role that decides");
	if (clashes(facts, role))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "SOD_ROLES",
				   "nobody both decides and administers accounts or grants");
	return STATUS_OK;
}

/* Two grants that clash must not be given at once: both write the row of the person. */
static void bump_person(const struct facts *facts, const Isms__V1__Role *role, struct plan *plan)
{
	const Isms__Store__V1__Person *person =
		fact_row(facts, "grant_person", Isms__Store__V1__Person, isms__store__v1__person);
	if (person == NULL || !(decides(role) || grant_role_administers(role)))
		return;
	Isms__Store__V1__Person *after = plan_copy_of(plan, Isms__Store__V1__Person, person);
	plan_update(plan, KIND_PERSON, &person->base, &after->base);
}

struct status grant_role(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__GrantRoleRequest *request = (const void *)facts->request;
	const Isms__Store__V1__Account *account =
		fact_row(facts, "user_named", Isms__Store__V1__Account, isms__store__v1__account);
	const Isms__V1__Role *role =
		fact_row(facts, "role_by_code", Isms__V1__Role, isms__v1__role);
	struct status st = check_grant(facts, account, role);
	if (!status_ok(&st))
		return st;
	Isms__V1__RoleGrant *grant =
		must_new_of(plan->arena, Isms__V1__RoleGrant, isms__v1__role_grant);
	grant->user_id = request->user_id;
	grant->role_code = request->role_code;
	grant->scope_id = request->scope_id;
	grant->max_accept_level = request->max_accept_level;
	grant->valid_from = must(pb_time_new(plan->arena, plan->now_us));
	grant->valid_until = request->valid_until;
	plan_insert(plan, KIND_ROLE_GRANT, &grant->base);
	user_bump(account, plan);
	bump_person(facts, role, plan);
	Isms__V1__GrantRoleResponse *reply = must_new_of(plan->arena, Isms__V1__GrantRoleResponse,
							 isms__v1__grant_role_response);
	reply->grant = grant;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status grant_revoke(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__RoleGrant *grant =
		fact_row(facts, "grant_for_write", Isms__V1__RoleGrant, isms__v1__role_grant);
	const Isms__Store__V1__Account *holder =
		fact_row(facts, "grant_holder", Isms__Store__V1__Account, isms__store__v1__account);
	if (grant == NULL || holder == NULL)
		return refusal_not_found();
	if (grant->revoked_at != NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the grant was revoked before");
	Isms__V1__RoleGrant *after = plan_copy_of(plan, Isms__V1__RoleGrant, grant);
	after->revoked_at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_ROLE_GRANT, &grant->base, &after->base);
	user_bump(holder, plan);
	Isms__V1__RevokeGrantResponse *reply = must_new_of(
		plan->arena, Isms__V1__RevokeGrantResponse, isms__v1__revoke_grant_response);
	reply->grant = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
