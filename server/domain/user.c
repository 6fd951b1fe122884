/* What may be done with an account: made, renamed, unlocked, ended. */
#include "server/domain/user.h"

#include <string.h>

#include "server/domain/account.h"
#include "server/domain/email.h"
#include "server/domain/facts.h"
#include "server/domain/invitation.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"

static struct status illegal_state(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
			   "the account is deactivated");
}

static const Isms__Store__V1__Account *account_of(const struct facts *facts)
{
	return fact_row(facts, "user_for_write", Isms__Store__V1__Account,
			isms__store__v1__account);
}

void user_bump(const Isms__Store__V1__Account *account, struct plan *plan)
{
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
}

struct status user_check_owner(const struct facts *facts, const char *owner_id)
{
	if (*owner_id == '\0')
		return STATUS_OK;
	const Isms__Store__V1__Account *owner = fact_row(
		facts, "owner_for_write", Isms__Store__V1__Account, isms__store__v1__account);
	if (owner == NULL || strcmp(owner->meta->id, owner_id) != 0 ||
	    owner->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN ||
	    owner->state == ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED)
		return status_invalid(facts->arena, "fields.owner_id",
				      "must be the account of a person in the organisation");
	return STATUS_OK;
}

/* --- CreateUser --------------------------------------------------------------- */

static struct status check_human(const struct facts *facts)
{
	const Isms__V1__CreateUserRequest *request = (const void *)facts->request;
	if (request->n_owner_person_ids > 0)
		return status_invalid(facts->arena, "owner_person_ids", "must be empty for HUMAN");
	if (*request->person_id != '\0' &&
	    fact_row(facts, "person_for_user", Isms__Store__V1__Person, isms__store__v1__person) ==
		    NULL)
		return status_invalid(facts->arena, "person_id", "must be a person");
	return STATUS_OK;
}

static bool is_person(const struct facts *facts, const char *id)
{
	size_t n;
	const Isms__Store__V1__Person *const *persons = fact_rows(
		facts, "persons_for_user", Isms__Store__V1__Person, isms__store__v1__person, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(persons[i]->meta->id, id) == 0)
			return true;
	return false;
}

static struct status check_service(const struct facts *facts)
{
	const Isms__V1__CreateUserRequest *request = (const void *)facts->request;
	if (*request->person_id != '\0')
		return status_invalid(facts->arena, "person_id", "must be empty for SERVICE");
	if (request->n_owner_person_ids == 0)
		return status_invalid(facts->arena, "owner_person_ids",
				      "must name at least one person for SERVICE");
	for (size_t i = 0; i < request->n_owner_person_ids; i++) {
		if (!is_person(facts, request->owner_person_ids[i]))
			return status_invalid(facts->arena, "owner_person_ids", "must be persons");
		if (text_in(request->owner_person_ids[i], request->owner_person_ids, i))
			return status_invalid(facts->arena, "owner_person_ids",
					      "must not name a person twice");
	}
	return STATUS_OK;
}

static char *person_of(const Isms__V1__CreateUserRequest *request, struct plan *plan)
{
	if (*request->person_id != '\0')
		return request->person_id;
	Isms__Store__V1__Person *person =
		must_new_of(plan->arena, Isms__Store__V1__Person, isms__store__v1__person);
	plan_insert(plan, KIND_PERSON, &person->base);
	return person->meta->id;
}

struct status user_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateUserRequest *request = (const void *)facts->request;
	bool human = request->kind == ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	char *email = email_canonical(request->email, facts->arena);
	if (!email_valid(email))
		return status_invalid(facts->arena, "email", "must be an e-mail address");
	struct status st = human ? check_human(facts) : check_service(facts);
	if (!status_ok(&st))
		return st;
	Isms__Store__V1__Account *account =
		must_new_of(plan->arena, Isms__Store__V1__Account, isms__store__v1__account);
	account->email = email;
	account->display_name = request->display_name;
	account->kind = request->kind;
	if (human) {
		account->state = ISMS__V1__USER_STATE__USER_STATE_INVITED;
		account->person_id = person_of(request, plan);
	} else {
		account->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
		account->n_owner_person_ids = request->n_owner_person_ids;
		account->owner_person_ids = request->owner_person_ids;
	}
	plan_insert(plan, KIND_APP_USER, &account->base);
	plan->subject_kind = KIND_APP_USER;
	plan->subject_id = account->meta->id;
	Isms__V1__CreateUserResponse *reply = must_new_of(plan->arena, Isms__V1__CreateUserResponse,
							  isms__v1__create_user_response);
	reply->user = account_public(account, plan);
	if (human)
		reply->invitation = invitation_make(plan, account->meta->id);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* --- changes ------------------------------------------------------------------ */

struct status user_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateUserRequest *request = (const void *)facts->request;
	const Isms__Store__V1__Account *account = account_of(facts);
	if (account == NULL)
		return refusal_not_found();
	if (account->state == ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED)
		return illegal_state();
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			      request->update_mask->n_paths, facts->arena);
	if (!status_ok(&st))
		return st;
	if (text_blank(after->display_name))
		return status_invalid(facts->arena, "fields.display_name", "is required");
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
	Isms__V1__UpdateUserResponse *reply = must_new_of(plan->arena, Isms__V1__UpdateUserResponse,
							  isms__v1__update_user_response);
	reply->user = account_public(after, plan);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static void revoke_sessions(const struct facts *facts, struct plan *plan)
{
	size_t n;
	const Isms__Store__V1__SessionRow *const *sessions =
		fact_rows(facts, "user_sessions", Isms__Store__V1__SessionRow,
			  isms__store__v1__session_row, &n);
	for (size_t i = 0; i < n; i++) {
		Isms__Store__V1__SessionRow *after =
			plan_copy_of(plan, Isms__Store__V1__SessionRow, sessions[i]);
		after->revoked_at = must(pb_time_new(plan->arena, plan->now_us));
		plan_update(plan, KIND_SESSION, &sessions[i]->base, &after->base);
	}
}

struct status user_deactivate(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__Account *account = account_of(facts);
	if (account == NULL)
		return refusal_not_found();
	if (strcmp(account->meta->id, facts->principal->user_id) == 0)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "SELF_DEACTIVATION",
				   "nobody deactivates the own account");
	if (account->state == ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED)
		return illegal_state();
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	after->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	after->locked_until = NULL;
	after->meta->archived_at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
	revoke_sessions(facts, plan);
	Isms__V1__DeactivateUserResponse *reply = must_new_of(
		plan->arena, Isms__V1__DeactivateUserResponse, isms__v1__deactivate_user_response);
	reply->user = account_public(after, plan);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status user_unlock(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__Account *account = account_of(facts);
	if (account == NULL)
		return refusal_not_found();
	if (account->state == ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED)
		return illegal_state();
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	after->failed_logins = 0;
	after->locked_until = NULL;
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
	Isms__V1__UnlockUserResponse *reply = must_new_of(plan->arena, Isms__V1__UnlockUserResponse,
							  isms__v1__unlock_user_response);
	reply->user = account_public(after, plan);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
