/* A refused login is an outcome, not a bare status: the failure is counted and
 * audited in a transaction of its own. Every refusal has the same words, and
 * none ends before the password was verified (against nobody's, if need be).
 * While an account is locked nothing is counted, so that the lock ends. */
#include "server/domain/session.h"

#include <string.h>

#include "isms/v1/auth.pb-c.h"
#include "server/domain/account.h"
#include "server/domain/facts.h"
#include "server/domain/must.h"
#include "server/domain/plan.h"
#include "server/domain/refusal.h"
#include "server/domain/token.h"

static const int64_t second_us = 1000000;
/* A lock that only an administrator takes off: the last day of the calendar. */
static const int64_t never_us = INT64_C(253402214400) * 1000000;

Isms__V1__AuthMethod session_auth_method(const Isms__Store__V1__Principal *principal)
{
	return principal->kind == ISMS__V1__USER_KIND__USER_KIND_SERVICE
		       ? ISMS__V1__AUTH_METHOD__AUTH_METHOD_TOKEN
		       : ISMS__V1__AUTH_METHOD__AUTH_METHOD_PASSWORD;
}

static struct status login_failed(void)
{
	return status_make(STATUS_CODE_UNAUTHENTICATED, "LOGIN_FAILED",
			   "the e-mail or the password is wrong, or the account cannot log in");
}

static Isms__Store__V1__SessionRow *open_session(char **out_token, struct plan *plan,
						 const char *user_id, const char *name,
						 enum token_kind kind, int64_t expires_us)
{
	Isms__Store__V1__SessionRow *session =
		must_new_of(plan->arena, Isms__Store__V1__SessionRow, isms__store__v1__session_row);
	*out_token = token_new(&session->token_sha256, plan, kind);
	session->user_id = must(arena_strdup(plan->arena, user_id));
	session->name = must(arena_strdup(plan->arena, name));
	session->issued_at = must(pb_time_new(plan->arena, plan->now_us));
	session->last_seen_at = session->issued_at;
	session->expires_at = must(pb_time_new(plan->arena, expires_us));
	plan_insert(plan, KIND_SESSION, &session->base);
	return session;
}

static void count_failure(const Isms__Store__V1__Account *account, struct plan *plan)
{
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	after->failed_logins++;
	if (after->failed_logins >= LOGIN_FAILURES_TOTAL)
		after->locked_until = must(pb_time_new(plan->arena, never_us));
	else if (after->failed_logins % LOGIN_FAILURES_MAX == 0)
		after->locked_until = must(pb_time_new(
			plan->arena, plan->now_us + LOGIN_LOCK_MINUTES * 60 * second_us));
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
}

static void succeed(const Isms__Store__V1__Account *account, struct plan *plan)
{
	Isms__Store__V1__Account *after = plan_copy_of(plan, Isms__Store__V1__Account, account);
	after->failed_logins = 0;
	after->locked_until = NULL;
	after->last_login_at = must(pb_time_new(plan->arena, plan->now_us));
	char *token;
	const Isms__Store__V1__SessionRow *session =
		open_session(&token, plan, account->meta->id, "login", TOKEN_ACCESS,
			     plan->now_us + SESSION_HOURS * 3600 * second_us);
	plan_update(plan, KIND_APP_USER, &account->base, &after->base);
	Isms__V1__LoginResponse *reply =
		must_new_of(plan->arena, Isms__V1__LoginResponse, isms__v1__login_response);
	reply->access_token = token;
	reply->expires_at = session->expires_at;
	reply->user = account_public(after, plan);
	plan_reply(plan, &reply->base);
}

struct status session_login(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__Account *account = fact_row(
		facts, "account_by_email", Isms__Store__V1__Account, isms__store__v1__account);
	const Isms__Store__V1__Organisation *organisation =
		fact_row(facts, "organisation_for_login", Isms__Store__V1__Organisation,
			 isms__store__v1__organisation);
	if (organisation == NULL)
		return login_failed();
	plan->org_id = organisation->meta->id;
	if (account == NULL) {
		plan->outcome = login_failed();
		return STATUS_OK;
	}
	plan->org_actor_id = account->meta->id;
	if (account->state != ISMS__V1__USER_STATE__USER_STATE_ACTIVE ||
	    pb_time_us(account->locked_until) > plan->now_us) {
		plan->outcome = login_failed();
	} else if (!facts->work.password_ok) {
		count_failure(account, plan);
		plan->outcome = login_failed();
	} else {
		succeed(account, plan);
	}
	return STATUS_OK;
}

static void revoke(const Isms__Store__V1__SessionRow *session, struct plan *plan)
{
	Isms__Store__V1__SessionRow *after =
		plan_copy_of(plan, Isms__Store__V1__SessionRow, session);
	after->revoked_at = must(pb_time_new(plan->arena, plan->now_us));
	plan_update(plan, KIND_SESSION, &session->base, &after->base);
}

struct status session_logout(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__SessionRow *session =
		fact_row(facts, "session_current", Isms__Store__V1__SessionRow,
			 isms__store__v1__session_row);
	if (session == NULL)
		return refusal_not_found();
	revoke(session, plan);
	plan_reply(plan,
		   &must_new_of(plan->arena, Isms__V1__LogoutResponse, isms__v1__logout_response)
			    ->base);
	return STATUS_OK;
}

struct status session_revoke(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__SessionRow *session =
		fact_row(facts, "session_for_revoke", Isms__Store__V1__SessionRow,
			 isms__store__v1__session_row);
	if (session == NULL)
		return refusal_not_found();
	if (session->revoked_at != NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the session was revoked before");
	revoke(session, plan);
	plan_reply(plan, &must_new_of(plan->arena, Isms__V1__RevokeSessionResponse,
				      isms__v1__revoke_session_response)
				  ->base);
	return STATUS_OK;
}

struct status session_issue(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__IssueTokenRequest *request = (const void *)facts->request;
	const Isms__Store__V1__Account *account =
		fact_row(facts, "user_named", Isms__Store__V1__Account, isms__store__v1__account);
	if (account == NULL)
		return refusal_not_found();
	if (account->kind != ISMS__V1__USER_KIND__USER_KIND_SERVICE)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NOT_SERVICE",
				   "only a service account gets tokens");
	if (account->state != ISMS__V1__USER_STATE__USER_STATE_ACTIVE)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "the account is not active");
	char *token;
	const Isms__Store__V1__SessionRow *session =
		open_session(&token, plan, account->meta->id, request->name, TOKEN_SERVICE,
			     plan->now_us + (int64_t)request->valid_days * 24 * 3600 * second_us);
	Isms__V1__IssueTokenResponse *reply = must_new_of(plan->arena, Isms__V1__IssueTokenResponse,
							  isms__v1__issue_token_response);
	reply->session = must_new_of(plan->arena, Isms__V1__IssueTokenResponse__Session,
				     isms__v1__issue_token_response__session);
	reply->session->id = session->meta->id;
	reply->session->expires_at = session->expires_at;
	reply->token = token;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
