#include "server/domain/grant.h"
#include "server/domain/user.h"
#include "tests/unit/domain_case.h"

struct grant_case {
	struct domain_case c;
	Isms__V1__GrantRoleRequest request;
	Isms__V1__Role *role;
	char *permissions[2];
	char *owners[2];
	Isms__Store__V1__Account *account;
};

static void begin(struct grant_case *t)
{
	case_begin(&t->c);
	isms__v1__grant_role_request__init(&t->request);
	t->request.user_id = (char *)CASE_ID("01");
	t->request.role_code = (char *)"CONTRIBUTOR";
	t->request.scope_id = (char *)CASE_SCOPE;
	t->request.max_accept_level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_MEDIUM;
	t->c.facts.request = &t->request.base;
	t->role = must_new_of(t->c.arena, Isms__V1__Role, isms__v1__role);
	t->permissions[0] = (char *)"risk.read";
	t->permissions[1] = (char *)"risk.write";
	t->role->permissions = t->permissions;
	t->role->n_permissions = 2;
	t->account = case_account(&t->c, CASE_ID("01"), CASE_ID("02"));
	case_row(&t->c, "role_by_code", &t->role->base);
	case_row(&t->c, "user_named", &t->account->base);
	case_none(&t->c, "grant_person", &isms__store__v1__person__descriptor);
	case_none(&t->c, "grant_roles", &isms__v1__role__descriptor);
	case_none(&t->c, "grant_delegations", &isms__store__v1__found__descriptor);
}

TEST(a_grant_bumps_the_account)
{
	struct grant_case t;
	begin(&t);
	struct status st = grant_role(&t.c.facts, &t.c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(t.c.plan.subject_kind, KIND_ROLE_GRANT);
	const struct plan_row *row = case_planned(&t.c, KIND_APP_USER);
	if (CHECK(row != NULL && row->op == PLAN_UPDATE))
		CHECK_INT(
			((const Isms__Store__V1__Account *)(const void *)row->after)->meta->version,
			4);
	const Isms__V1__RoleGrant *grant = (const void *)case_planned(&t.c, KIND_ROLE_GRANT)->after;
	CHECK_STR(grant->user_id, CASE_ID("01"));
	CHECK_STR(grant->scope_id, CASE_SCOPE);
	CHECK_INT(pb_time_us(grant->valid_from), CASE_NOW_US);
	CHECK_INT(grant->max_accept_level, ISMS__V1__RISK_LEVEL__RISK_LEVEL_MEDIUM);
	case_end(&t.c);
}

/* Every way in which an account may share a person with the caller. */
TEST(nobody_grants_to_themselves)
{
	for (int shared = 0; shared < 5; shared++) {
		struct grant_case t;
		begin(&t);
		const char *want = "SELF_GRANT";
		switch (shared) {
		case 0: /* the same account */
			t.account->meta = case_meta(&t.c, CASE_ACTOR, 1);
			break;
		case 1: /* another account of the same person */
			t.account->person_id = (char *)CASE_PERSON;
			break;
		case 2: /* a service that the caller answers for */
			t.account->kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
			t.account->person_id = (char *)"";
			t.owners[0] = (char *)CASE_ID("09");
			t.owners[1] = (char *)CASE_PERSON;
			t.account->owner_person_ids = t.owners;
			t.account->n_owner_person_ids = 2;
			break;
		case 3: /* a service of somebody else */
			t.account->kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
			t.account->person_id = (char *)"";
			t.owners[0] = (char *)CASE_ID("09");
			t.account->owner_person_ids = t.owners;
			t.account->n_owner_person_ids = 1;
			want = "";
			break;
		default:
			want = "";
		}
		struct status st = grant_role(&t.c.facts, &t.c.plan);
		CHECK_STR(case_reason(&st), want);
		CHECK_INT(t.c.plan.n_rows, *want == '\0' ? 2 : 0);
		case_end(&t.c);
	}
}

TEST(a_service_gets_no_role_that_decides)
{
	static const struct {
		const char *permission;
		bool may;
	} want[] = {
		{ "decision.cast", false },     { "grant.write", false },
		{ "user.write", false },        { "token.write", false },
		{ "session.revoke", false },    { "policy.write", false },
		{ "acceptance.revoke", false }, { "acceptance.revoke.own", false },
		{ "risk.write", true },         { "asset.write.own", true },
		{ "acceptance.submit", true },  { "audit.read", true },
	};
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		for (int kind = 1; kind <= 2; kind++) {
			struct grant_case t;
			begin(&t);
			t.permissions[1] = (char *)want[i].permission;
			t.account->kind = (Isms__V1__UserKind)kind;
			struct status st = grant_role(&t.c.facts, &t.c.plan);
			CHECK_INT(grant_role_for_service(t.role), want[i].may);
			CHECK_STR(case_reason(&st), kind == 1 || want[i].may ? "" : "SERVICE_ROLE");
			case_end(&t.c);
		}
}

static Isms__V1__Role *role_with(struct grant_case *t, const char *permission)
{
	Isms__V1__Role *role = must_new_of(t->c.arena, Isms__V1__Role, isms__v1__role);
	role->permissions = must(arena_array(t->c.arena, char *, 2));
	role->permissions[0] = (char *)"risk.read";
	role->permissions[1] = (char *)permission;
	role->n_permissions = 2;
	return role;
}

/* Each role beside each, given in either order, after one that clashes with nothing. */
TEST(nobody_both_decides_and_administers)
{
	static const struct {
		const char *permission;
		bool decides, administers;
	} roles[] = {
		{ "decision.cast", true, false },   { "grant.write", false, true },
		{ "user.write", false, true },      { "policy.write", false, false },
		{ "token.write", false, false },    { "acceptance.revoke", false, false },
		{ "session.revoke", false, false }, { "risk.write", false, false },
	};
	enum { ROLES = sizeof(roles) / sizeof(roles[0]) };
	for (size_t held = 0; held < ROLES; held++)
		for (size_t given = 0; given < ROLES; given++) {
			struct grant_case t;
			begin(&t);
			case_row(&t.c, "grant_roles", &role_with(&t, "audit.read")->base);
			case_row(&t.c, "grant_roles", &role_with(&t, roles[held].permission)->base);
			t.permissions[1] = (char *)roles[given].permission;
			bool clash = (roles[held].decides && roles[given].administers) ||
				     (roles[held].administers && roles[given].decides);
			struct status st = grant_role(&t.c.facts, &t.c.plan);
			CHECK_STR(case_reason(&st), clash ? "SOD_ROLES" : "");
			CHECK_INT(t.c.plan.n_rows, clash ? 0 : 2);
			case_end(&t.c);
		}
}

TEST(for_whom_somebody_lets_vote_administers_nothing)
{
	static const char *const permissions[] = { "grant.write", "user.write", "decision.cast" };
	for (size_t i = 0; i < 3; i++) {
		struct grant_case t;
		begin(&t);
		Isms__Store__V1__Found *delegation =
			must_new_of(t.c.arena, Isms__Store__V1__Found, isms__store__v1__found);
		case_row(&t.c, "grant_delegations", &delegation->base);
		t.permissions[1] = (char *)permissions[i];
		struct status st = grant_role(&t.c.facts, &t.c.plan);
		CHECK_STR(case_reason(&st), i < 2 ? "SOD_ROLES" : "");
		case_end(&t.c);
	}
}

TEST(what_could_clash_writes_the_person)
{
	static const char *const permissions[] = { "decision.cast", "grant.write", "user.write",
						   "risk.write" };
	for (size_t i = 0; i < 4; i++) {
		struct grant_case t;
		begin(&t);
		Isms__Store__V1__Person *person =
			must_new_of(t.c.arena, Isms__Store__V1__Person, isms__store__v1__person);
		person->meta = case_meta(&t.c, CASE_ID("02"), 7);
		case_row(&t.c, "grant_person", &person->base);
		t.permissions[1] = (char *)permissions[i];
		struct status st = grant_role(&t.c.facts, &t.c.plan);
		CHECK(status_ok(&st));
		CHECK_INT(case_planned(&t.c, KIND_PERSON) != NULL, i < 3);
		case_end(&t.c);
	}
}

TEST(what_a_grant_needs)
{
	struct grant_case t;
	begin(&t);
	t.request.valid_until = pb_time_new(t.c.arena, CASE_NOW_US);
	struct status st = grant_role(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "valid_until");
	t.request.valid_until = pb_time_new(t.c.arena, CASE_NOW_US + 1);
	t.account->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	st = grant_role(&t.c.facts, &t.c.plan);
	CHECK_STR(case_reason(&st), "ILLEGAL_STATE");
	t.c.facts.sets[0].n = 0;
	st = grant_role(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "role_code");
	t.c.facts.sets[1].n = 0;
	st = grant_role(&t.c.facts, &t.c.plan);
	CHECK_STR(case_field(&st), "user_id");
	CHECK_INT(t.c.plan.n_rows, 0);
	case_end(&t.c);
}

TEST(a_grant_is_revoked_once_and_bumps_its_holder)
{
	for (int revoked = 0; revoked < 2; revoked++) {
		struct domain_case c;
		case_begin(&c);
		Isms__V1__RoleGrant *grant =
			must_new_of(c.arena, Isms__V1__RoleGrant, isms__v1__role_grant);
		grant->meta = case_meta(&c, CASE_ID("61"), 1);
		if (revoked)
			grant->revoked_at = pb_time_new(c.arena, 1);
		case_row(&c, "grant_for_write", &grant->base);
		case_row(&c, "grant_holder", &case_account(&c, CASE_ID("01"), CASE_ID("02"))->base);
		struct status st = grant_revoke(&c.facts, &c.plan);
		CHECK_STR(case_reason(&st), revoked ? "ILLEGAL_STATE" : "");
		CHECK_INT(c.plan.n_rows, revoked ? 0 : 2);
		CHECK_INT(case_planned(&c, KIND_APP_USER) != NULL, !revoked);
		case_end(&c);
	}
}

TAP_MAIN
