#include "isms/v1/auth.pb-c.h"
#include "server/domain/account.h"
#include "server/domain/invitation.h"
#include "server/domain/user.h"
#include "tests/unit/domain_case.h"

#define HUMAN   ISMS__V1__USER_KIND__USER_KIND_HUMAN
#define SERVICE ISMS__V1__USER_KIND__USER_KIND_SERVICE

struct create_case {
	struct domain_case c;
	Isms__V1__CreateUserRequest request;
	char *owners[3];
};

static void begin(struct create_case *t, Isms__V1__UserKind kind)
{
	case_begin(&t->c);
	isms__v1__create_user_request__init(&t->request);
	t->request.email = (char *)" Kim.Owner@Example.org";
	t->request.display_name = (char *)"Kim Owner";
	t->request.kind = kind;
	t->request.owner_person_ids = t->owners;
	t->c.facts.request = &t->request.base;
	case_none(&t->c, "person_for_user", &isms__store__v1__person__descriptor);
	case_none(&t->c, "persons_for_user", &isms__store__v1__person__descriptor);
}

static void person(struct create_case *t, const char *set, const char *id)
{
	Isms__Store__V1__Person *row =
		must_new_of(t->c.arena, Isms__Store__V1__Person, isms__store__v1__person);
	row->meta = case_meta(&t->c, id, 1);
	case_row(&t->c, set, &row->base);
}

static const Isms__Store__V1__Account *made(const struct create_case *t)
{
	const struct plan_row *row = case_planned(&t->c, KIND_APP_USER);
	return row == NULL ? NULL : (const void *)row->after;
}

TEST(a_new_human_is_a_person_an_account_and_an_invitation)
{
	struct create_case t;
	begin(&t, HUMAN);
	struct status st = user_create(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(t.c.plan.n_rows, 3);
	CHECK_INT(t.c.plan.rows[0].kind, KIND_PERSON);
	CHECK_INT(t.c.plan.subject_kind, KIND_APP_USER);
	const Isms__V1__CreateUserResponse *reply = (const void *)t.c.plan.reply;
	if (CHECK(made(&t) != NULL && reply != NULL)) {
		const Isms__Store__V1__Person *p = (const void *)t.c.plan.rows[0].after;
		CHECK_STR(made(&t)->person_id, p->meta->id);
		CHECK_STR(made(&t)->email, "kim.owner@example.org");
		CHECK_STR(t.c.plan.subject_id, made(&t)->meta->id);
		CHECK_INT(made(&t)->state, ISMS__V1__USER_STATE__USER_STATE_INVITED);
		CHECK(strncmp(reply->invitation, "ismsB_", 6) == 0);
		CHECK_STR(reply->user->person_id, p->meta->id);
	}
	const struct plan_row *row = case_planned(&t.c, KIND_INVITATION);
	if (CHECK(row != NULL)) {
		const Isms__Store__V1__Invitation *invitation = (const void *)row->after;
		CHECK_STR(invitation->user_id, made(&t)->meta->id);
		CHECK_INT(pb_time_us(invitation->expires_at), CASE_NOW_US + 72 * CASE_HOUR_US);
	}
	case_end(&t.c);
}

TEST(a_further_account_is_of_the_same_person)
{
	struct create_case t;
	begin(&t, HUMAN);
	t.request.person_id = (char *)CASE_ID("31");
	struct status st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "person_id");
	person(&t, "person_for_user", CASE_ID("31"));
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st) && case_planned(&t.c, KIND_PERSON) == NULL);
	CHECK_STR(made(&t)->person_id, CASE_ID("31"));
	case_end(&t.c);
}

TEST(a_service_account_has_owners_and_no_password)
{
	struct create_case t;
	begin(&t, SERVICE);
	struct status st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "owner_person_ids");
	t.owners[0] = (char *)CASE_ID("31");
	t.owners[1] = (char *)CASE_ID("32");
	t.request.n_owner_person_ids = 2;
	person(&t, "persons_for_user", CASE_ID("31"));
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "owner_person_ids");
	person(&t, "persons_for_user", CASE_ID("32"));
	t.owners[2] = (char *)CASE_ID("31");
	t.request.n_owner_person_ids = 3;
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "owner_person_ids");
	t.request.n_owner_person_ids = 2;
	t.request.person_id = (char *)CASE_ID("31");
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "person_id");
	CHECK_INT(t.c.plan.n_rows, 0);
	t.request.person_id = (char *)"";
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(t.c.plan.n_rows, 1);
	CHECK_INT(made(&t)->state, ISMS__V1__USER_STATE__USER_STATE_ACTIVE);
	CHECK_INT(made(&t)->n_owner_person_ids, 2);
	CHECK_STR(((const Isms__V1__CreateUserResponse *)(const void *)t.c.plan.reply)->invitation,
		  "");
	case_end(&t.c);
	begin(&t, HUMAN);
	t.owners[0] = (char *)CASE_ID("31");
	t.request.n_owner_person_ids = 1;
	st = user_create(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "owner_person_ids");
	case_end(&t.c);
}

TEST(locked_is_derived)
{
	struct domain_case c;
	case_begin(&c);
	Isms__Store__V1__Account *account = case_account(&c, CASE_ID("01"), CASE_ID("02"));
	account->locked_until = pb_time_new(c.arena, CASE_NOW_US + 1);
	CHECK_INT(account_public(account, &c.plan)->state, ISMS__V1__USER_STATE__USER_STATE_LOCKED);
	CHECK(account_public(account, &c.plan)->locked_until != NULL);
	account->locked_until = pb_time_new(c.arena, CASE_NOW_US);
	CHECK_INT(account_public(account, &c.plan)->state, ISMS__V1__USER_STATE__USER_STATE_ACTIVE);
	CHECK(account_public(account, &c.plan)->locked_until == NULL);
	account->locked_until = pb_time_new(c.arena, CASE_NOW_US + 1);
	account->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	CHECK_INT(account_public(account, &c.plan)->state,
		  ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED);
	case_end(&c);
}

TEST(a_deactivation_ends_the_sessions)
{
	struct domain_case c;
	case_begin(&c);
	Isms__Store__V1__Account *account = case_account(&c, CASE_ID("01"), CASE_ID("02"));
	case_row(&c, "user_for_write", &account->base);
	case_none(&c, "user_sessions", &isms__store__v1__session_row__descriptor);
	for (int i = 0; i < 3; i++) {
		Isms__Store__V1__SessionRow *session = must_new_of(
			c.arena, Isms__Store__V1__SessionRow, isms__store__v1__session_row);
		session->meta = case_meta(&c, arena_printf(c.arena, CASE_ID("4%d"), i), 1);
		case_row(&c, "user_sessions", &session->base);
	}
	struct status st = user_deactivate(&c.facts, &c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(c.plan.n_rows, 4);
	CHECK_STR(c.plan.subject_id, CASE_ID("01"));
	for (size_t i = 1; i < c.plan.n_rows; i++)
		CHECK(((const Isms__Store__V1__SessionRow *)(const void *)c.plan.rows[i].after)
			      ->revoked_at != NULL);
	const Isms__Store__V1__Account *after = (const void *)c.plan.rows[0].after;
	CHECK_INT(after->state, ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED);
	CHECK(after->meta->archived_at != NULL && account->meta->archived_at == NULL);
	case_end(&c);
}

TEST(nobody_deactivates_themselves_or_twice)
{
	struct domain_case c;
	case_begin(&c);
	case_row(&c, "user_for_write", &case_account(&c, CASE_ACTOR, CASE_PERSON)->base);
	case_none(&c, "user_sessions", &isms__store__v1__session_row__descriptor);
	struct status st = user_deactivate(&c.facts, &c.plan);
	CHECK_STR(case_reason(&st), "SELF_DEACTIVATION");
	case_end(&c);
	case_begin(&c);
	Isms__Store__V1__Account *account = case_account(&c, CASE_ID("01"), CASE_ID("02"));
	account->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	case_row(&c, "user_for_write", &account->base);
	case_none(&c, "user_sessions", &isms__store__v1__session_row__descriptor);
	st = user_deactivate(&c.facts, &c.plan);
	CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
	st = user_unlock(&c.facts, &c.plan);
	CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
	case_end(&c);
}

/* --- invitations -------------------------------------------------------------- */

struct activate_case {
	struct domain_case c;
	Isms__V1__ActivateRequest request;
	Isms__Store__V1__Invitation *invitation;
	Isms__Store__V1__Account *account;
};

static void begin_activate(struct activate_case *t)
{
	case_begin(&t->c);
	isms__v1__activate_request__init(&t->request);
	t->request.password = (char *)"seven lamps by the river";
	t->c.facts.request = &t->request.base;
	t->c.facts.principal = NULL;
	t->c.plan.actor_id = NULL;
	snprintf(t->c.facts.work.password_hash, sizeof(t->c.facts.work.password_hash),
		 "$argon2id$made-by-the-helper");
	t->invitation =
		must_new_of(t->c.arena, Isms__Store__V1__Invitation, isms__store__v1__invitation);
	t->invitation->meta = case_meta(&t->c, CASE_ID("51"), 1);
	t->invitation->org_id = (char *)CASE_ORG;
	t->invitation->expires_at = pb_time_new(t->c.arena, CASE_NOW_US + 1);
	t->account = case_account(&t->c, CASE_ID("01"), CASE_ID("02"));
	t->account->state = ISMS__V1__USER_STATE__USER_STATE_INVITED;
	case_row(&t->c, "invitation_by_secret", &t->invitation->base);
	case_row(&t->c, "invitation_account", &t->account->base);
}

TEST(an_invitation_activates_once)
{
	struct activate_case t;
	begin_activate(&t);
	struct status st = invitation_activate(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	CHECK_STR(t.c.plan.org_id, CASE_ORG);
	CHECK_STR(t.c.plan.org_actor_id, CASE_ID("01"));
	const Isms__Store__V1__Account *after =
		(const void *)case_planned(&t.c, KIND_APP_USER)->after;
	CHECK_INT(after->state, ISMS__V1__USER_STATE__USER_STATE_ACTIVE);
	CHECK_STR(after->password_hash, "$argon2id$made-by-the-helper");
	CHECK_STR(after->meta->updated_by, CASE_ID("01"));
	const Isms__Store__V1__Invitation *used =
		(const void *)case_planned(&t.c, KIND_INVITATION)->after;
	CHECK_INT(pb_time_us(used->used_at), CASE_NOW_US);
	case_end(&t.c);
}

TEST(what_makes_an_invitation_invalid)
{
	for (int fault = 0; fault < 5; fault++) {
		struct activate_case t;
		begin_activate(&t);
		if (fault == 0)
			t.c.facts.sets[0].n = 0;
		else if (fault == 1)
			t.invitation->used_at = pb_time_new(t.c.arena, 1);
		else if (fault == 2)
			t.invitation->expires_at = pb_time_new(t.c.arena, CASE_NOW_US);
		else if (fault == 3)
			t.account->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
		else
			t.account->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
		struct status st = invitation_activate(&t.c.facts, &t.c.plan);
		CHECK_STR(case_reason(&st), "INVITATION_INVALID");
		CHECK_INT(st.code, STATUS_CODE_UNAUTHENTICATED);
		CHECK_INT(t.c.plan.n_rows, 0);
		case_end(&t.c);
	}
	struct activate_case t;
	begin_activate(&t);
	t.request.password = (char *)"passwordpassword";
	struct status st = invitation_activate(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "password");
	case_end(&t.c);
}

TAP_MAIN
