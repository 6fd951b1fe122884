#include "isms/v1/auth.pb-c.h"
#include "server/domain/session.h"
#include "tests/unit/domain_case.h"

struct login_case {
	struct domain_case c;
	Isms__V1__LoginRequest request;
	Isms__Store__V1__Account *account;
};

static void begin(struct login_case *t, bool with_account)
{
	case_begin(&t->c);
	isms__v1__login_request__init(&t->request);
	t->c.facts.request = &t->request.base;
	t->c.facts.principal = NULL;
	t->c.plan.actor_id = NULL;
	Isms__Store__V1__Organisation *organisation = must_new_of(
		t->c.arena, Isms__Store__V1__Organisation, isms__store__v1__organisation);
	organisation->meta = case_meta(&t->c, CASE_ORG, 1);
	case_row(&t->c, "organisation_for_login", &organisation->base);
	case_none(&t->c, "account_by_email", &isms__store__v1__account__descriptor);
	t->account = case_account(&t->c, CASE_ID("01"), CASE_ID("02"));
	if (with_account)
		case_row(&t->c, "account_by_email", &t->account->base);
}

static const Isms__Store__V1__Account *account_after(const struct login_case *t)
{
	const struct plan_row *row = case_planned(&t->c, KIND_APP_USER);
	return row == NULL ? NULL : (const void *)row->after;
}

TEST(people_sign_in_and_services_have_tokens)
{
	Isms__Store__V1__Principal principal = ISMS__STORE__V1__PRINCIPAL__INIT;
	principal.kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	CHECK_INT(session_auth_method(&principal), ISMS__V1__AUTH_METHOD__AUTH_METHOD_PASSWORD);
	principal.kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
	CHECK_INT(session_auth_method(&principal), ISMS__V1__AUTH_METHOD__AUTH_METHOD_TOKEN);
}

TEST(a_good_login_opens_a_session)
{
	struct login_case t;
	begin(&t, true);
	t.account->failed_logins = 4;
	t.c.facts.work.password_ok = true;
	struct status st = session_login(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st) && status_ok(&t.c.plan.outcome));
	CHECK_STR(t.c.plan.org_id, CASE_ORG);
	CHECK_STR(t.c.plan.org_actor_id, CASE_ID("01"));
	const struct plan_row *row = case_planned(&t.c, KIND_SESSION);
	const Isms__V1__LoginResponse *reply = (const void *)t.c.plan.reply;
	if (CHECK(row != NULL && reply != NULL)) {
		const Isms__Store__V1__SessionRow *session = (const void *)row->after;
		CHECK_STR(session->user_id, CASE_ID("01"));
		CHECK_STR(session->meta->created_by, CASE_ID("01"));
		CHECK_INT(pb_time_us(session->expires_at), CASE_NOW_US + 12 * CASE_HOUR_US);
		CHECK_INT(session->token_sha256.len, 32);
		CHECK(strncmp(reply->access_token, "ismsA_", 6) == 0);
		CHECK_INT(strlen(reply->access_token), 55);
		CHECK_STR(reply->user->email, "sam.analyst@example.org");
		CHECK_INT(reply->user->meta->version, 4);
	}
	CHECK_INT(account_after(&t)->failed_logins, 0);
	CHECK_INT(pb_time_us(account_after(&t)->last_login_at), CASE_NOW_US);
	case_end(&t.c);
}

TEST(each_failure_is_counted_and_the_fifth_locks)
{
	for (int before = 0; before < 120; before++) {
		struct login_case t;
		begin(&t, true);
		t.account->failed_logins = before;
		struct status st = session_login(&t.c.facts, &t.c.plan);
		CHECK(status_ok(&st));
		CHECK_STR(case_reason(&t.c.plan.outcome), "LOGIN_FAILED");
		CHECK(t.c.plan.reply == NULL);
		const Isms__Store__V1__Account *after = account_after(&t);
		CHECK_INT(after->failed_logins, before + 1);
		int64_t locked = pb_time_us(after->locked_until) - CASE_NOW_US;
		if (before + 1 >= LOGIN_FAILURES_TOTAL)
			CHECK(locked > 24 * 365 * 100 * CASE_HOUR_US);
		else if ((before + 1) % 5 == 0)
			CHECK_INT(locked, CASE_HOUR_US / 4);
		else
			CHECK(after->locked_until == NULL);
		case_end(&t.c);
	}
}

TEST(a_locked_account_is_refused_and_not_counted)
{
	for (int ok = 0; ok < 2; ok++) {
		struct login_case t;
		begin(&t, true);
		t.account->locked_until = pb_time_new(t.c.arena, CASE_NOW_US + 1);
		t.c.facts.work.password_ok = ok == 1;
		struct status st = session_login(&t.c.facts, &t.c.plan);
		CHECK(status_ok(&st));
		CHECK_STR(case_reason(&t.c.plan.outcome), "LOGIN_FAILED");
		CHECK_INT(t.c.plan.n_rows, 0);
		case_end(&t.c);
	}
	struct login_case t;
	begin(&t, true);
	t.account->locked_until = pb_time_new(t.c.arena, CASE_NOW_US);
	t.c.facts.work.password_ok = true;
	struct status st = session_login(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st) && status_ok(&t.c.plan.outcome));
	CHECK(account_after(&t)->locked_until == NULL);
	case_end(&t.c);
}

TEST(all_refusals_say_the_same)
{
	struct login_case t;
	begin(&t, false);
	t.c.facts.work.password_ok = true; /* even then */
	struct status st = session_login(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	struct status nobody = t.c.plan.outcome;
	CHECK_STR(case_reason(&nobody), "LOGIN_FAILED");
	CHECK_STR(t.c.plan.org_id, CASE_ORG);
	CHECK(t.c.plan.org_actor_id == NULL);
	case_end(&t.c);
	begin(&t, true);
	t.account->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	t.c.facts.work.password_ok = true;
	st = session_login(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(t.c.plan.outcome.code, nobody.code);
	CHECK_STR(t.c.plan.outcome.reason, nobody.reason);
	CHECK_STR(t.c.plan.outcome.message, nobody.message);
	CHECK_INT(t.c.plan.n_rows, 0);
	case_end(&t.c);
	begin(&t, true);
	t.c.facts.sets[0].n = 0; /* no such organisation */
	st = session_login(&t.c.facts, &t.c.plan);
	CHECK_STR(case_reason(&st), "LOGIN_FAILED");
	CHECK_STR(st.message, nobody.message);
	case_end(&t.c);
}

TEST(a_session_is_revoked_once)
{
	struct domain_case c;
	case_begin(&c);
	Isms__Store__V1__SessionRow *session =
		must_new_of(c.arena, Isms__Store__V1__SessionRow, isms__store__v1__session_row);
	session->meta = case_meta(&c, CASE_ID("05"), 1);
	case_row(&c, "session_for_revoke", &session->base);
	struct status st = session_revoke(&c.facts, &c.plan);
	CHECK(status_ok(&st) && c.plan.reply != NULL);
	const struct plan_row *row = case_planned(&c, KIND_SESSION);
	CHECK(row != NULL && row->op == PLAN_UPDATE);
	CHECK_INT(pb_time_us(((const Isms__Store__V1__SessionRow *)(const void *)row->after)
				     ->revoked_at),
		  CASE_NOW_US);
	session->revoked_at = pb_time_new(c.arena, CASE_NOW_US - 1);
	memset(&c.plan.rows, 0, sizeof(c.plan.rows));
	c.plan.n_rows = 0;
	st = session_revoke(&c.facts, &c.plan);
	CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
	CHECK_INT(c.plan.n_rows, 0);
	case_end(&c);
}

TEST(only_an_active_service_account_gets_a_token)
{
	for (int kind = 1; kind <= 2; kind++)
		for (int state = 1; state <= 4; state++) {
			struct domain_case c;
			case_begin(&c);
			Isms__V1__IssueTokenRequest request;
			isms__v1__issue_token_request__init(&request);
			request.name = (char *)"scanner";
			request.valid_days = 30;
			c.facts.request = &request.base;
			Isms__Store__V1__Account *account = case_account(&c, CASE_ID("01"), "");
			account->kind = (Isms__V1__UserKind)kind;
			account->state = (Isms__V1__UserState)state;
			case_row(&c, "user_named", &account->base);
			struct status st = session_issue(&c.facts, &c.plan);
			const char *want = kind == 1    ? "NOT_SERVICE"
					   : state == 2 ? ""
							: "ILLEGAL_STATE";
			CHECK_STR(case_reason(&st), want);
			if (status_ok(&st)) {
				const Isms__V1__IssueTokenResponse *reply =
					(const void *)c.plan.reply;
				CHECK(strncmp(reply->token, "ismsS_", 6) == 0);
				CHECK_INT(pb_time_us(reply->session->expires_at),
					  CASE_NOW_US + 30 * 24 * CASE_HOUR_US);
			}
			case_end(&c);
		}
}

TAP_MAIN
