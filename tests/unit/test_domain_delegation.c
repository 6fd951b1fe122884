/* Delegations: what fits a vote, what may be made, and who may end one. */
#include "server/domain/delegation.h"

#include "isms/v1/delegation.pb-c.h"
#include "tests/unit/domain_case.h"

enum { DAY = 24 };

static Google__Protobuf__Timestamp *hours(struct domain_case *c, int64_t n)
{
	return must(pb_time_new(c->arena, CASE_NOW_US + n * CASE_HOUR_US));
}

/* --- what fits ---------------------------------------------------------------------- */

static Isms__Store__V1__HeldDelegation *held(struct domain_case *c)
{
	Isms__Store__V1__HeldDelegation *row = must_new_of(
		c->arena, Isms__Store__V1__HeldDelegation, isms__store__v1__held_delegation);
	row->meta = case_meta(c, CASE_ID("01"), 1);
	row->meta->created_at = hours(c, -DAY);
	row->from_user_id = (char *)CASE_ID("02");
	row->from_person = (char *)CASE_ID("03");
	row->to_user_id = (char *)CASE_ACTOR;
	row->covers_scope = row->covers_kind = true;
	row->max_level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH;
	row->starts_at = hours(c, -1);
	row->ends_at = hours(c, 1);
	return row;
}

static const struct delegation_use use = {
	.to_user_id = CASE_ACTOR,
	.to_person = CASE_PERSON,
	.level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH,
	.submitted_us = CASE_NOW_US - CASE_HOUR_US,
	.now_us = CASE_NOW_US,
	.step_allows = true,
};

TEST(a_delegation_fits_when_nothing_is_wrong_with_it)
{
	struct domain_case c;
	case_begin(&c);
	CHECK_INT(delegation_fault(held(&c), &use), DELEGATION_FITS);
	CHECK_INT(delegation_fault(NULL, &use), DELEGATION_NOT_FOUND);
	for (int fault = DELEGATION_NOT_FOUND; fault < DELEGATION_FAULTS; fault++) {
		Isms__Store__V1__HeldDelegation *row = held(&c);
		struct delegation_use other = use;
		if (fault == DELEGATION_NOT_FOUND)
			row->to_user_id = (char *)CASE_ID("09");
		else if (fault == DELEGATION_SELF)
			row->from_person = (char *)CASE_PERSON;
		else if (fault == DELEGATION_REVOKED)
			row->revoked_at = hours(&c, 0);
		else if (fault == DELEGATION_NOT_STARTED)
			row->starts_at = must(pb_time_new(c.arena, CASE_NOW_US + 1));
		else if (fault == DELEGATION_ENDED)
			row->ends_at = hours(&c, 0);
		else if (fault == DELEGATION_SCOPE)
			row->covers_scope = false;
		else if (fault == DELEGATION_KIND)
			row->covers_kind = false;
		else if (fault == DELEGATION_LEVEL)
			other.level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_CRITICAL;
		else if (fault == DELEGATION_LATE)
			row->meta->created_at = hours(&c, -1);
		else
			other.step_allows = false;
		CHECK_INT(delegation_fault(row, &other), fault);
		CHECK(delegation_why((enum delegation_fault)fault)[0] != '\0');
	}
	case_end(&c);
}

/* --- making one ----------------------------------------------------------------------- */

struct desk {
	struct domain_case c;
	Isms__V1__CreateDelegationRequest *request;
	Isms__Store__V1__Account *delegate;
	Isms__Store__V1__Held *reach;
	Isms__Store__V1__Access *access;
};

static void desk_begin(struct desk *desk)
{
	struct domain_case *c = &desk->c;
	case_begin(c);
	desk->request = must_new_of(c->arena, Isms__V1__CreateDelegationRequest,
				    isms__v1__create_delegation_request);
	desk->request->to_user_id = (char *)CASE_ID("02");
	desk->request->scope_id = (char *)CASE_SCOPE;
	desk->request->ends_at = hours(c, 30 * DAY);
	desk->request->reason = (char *)"a holiday";
	desk->delegate = case_account(c, CASE_ID("02"), CASE_ID("03"));
	desk->reach = must_new_of(c->arena, Isms__Store__V1__Held, isms__store__v1__held);
	desk->reach->held = true;
	desk->access = must_new_of(c->arena, Isms__Store__V1__Access, isms__store__v1__access);
	desk->access->max_accept_level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH;
	Isms__Store__V1__NextRef *ref =
		must_new_of(c->arena, Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	ref->ref = (char *)"DEL-000001";
	c->facts.request = &desk->request->base;
	c->facts.access = desk->access;
	case_row(c, "delegation_delegate", &desk->delegate->base);
	case_row(c, "delegation_reach", &desk->reach->base);
	case_row(c, "delegation_next_ref", &ref->base);
	case_none(c, "delegation_roles", &isms__v1__role__descriptor);
	case_none(c, "delegation_open", &isms__store__v1__found__descriptor);
}

static const Isms__V1__Delegation *made(struct desk *desk)
{
	struct status st = delegation_create(&desk->c.facts, &desk->c.plan);
	CHECK(status_ok(&st));
	const struct plan_row *row = case_planned(&desk->c, KIND_DELEGATION);
	CHECK(row != NULL && row->op == PLAN_INSERT);
	return (const Isms__V1__Delegation *)(const void *)row->after;
}

static void refused(struct desk *desk, enum status_code code, const char *what)
{
	struct status st = delegation_create(&desk->c.facts, &desk->c.plan);
	CHECK_INT(st.code, code);
	CHECK_STR(code == STATUS_CODE_INVALID_ARGUMENT ? case_field(&st) : case_reason(&st), what);
	CHECK_INT(desk->c.plan.n_rows, 0);
}

TEST(a_delegation_is_as_wide_as_its_giver_by_default)
{
	struct desk desk;
	desk_begin(&desk);
	const Isms__V1__Delegation *row = made(&desk);
	CHECK_STR(row->from_user_id, CASE_ACTOR);
	CHECK_INT(row->n_subject_kinds, 3);
	CHECK_INT(row->max_level, ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH);
	CHECK_INT(pb_time_us(row->starts_at), CASE_NOW_US);
	CHECK_INT(row->state, ISMS__V1__DELEGATION_STATE__DELEGATION_STATE_ACTIVE);
	case_end(&desk.c);
}

TEST(who_administers_decides_for_nobody)
{
	static char *permissions[] = { (char *)"audit.read", (char *)"grant.write" };
	Isms__V1__Role role = ISMS__V1__ROLE__INIT;
	role.permissions = permissions;
	for (role.n_permissions = 1; role.n_permissions <= 2; role.n_permissions++) {
		struct desk desk;
		desk_begin(&desk);
		case_row(&desk.c, "delegation_roles", &role.base);
		if (role.n_permissions == 1)
			CHECK(made(&desk) != NULL);
		else
			refused(&desk, STATUS_CODE_FAILED_PRECONDITION, "SOD_ROLES");
		case_end(&desk.c);
	}
}

TEST(kinds_are_named_once)
{
	static Isms__V1__SubjectKind kinds[] = {
		ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_ACCEPTANCE,
		ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_ACCEPTANCE,
	};
	struct desk desk;
	desk_begin(&desk);
	desk.request->subject_kinds = kinds;
	desk.request->n_subject_kinds = 2;
	CHECK_INT(made(&desk)->n_subject_kinds, 1);
	case_end(&desk.c);
}

TEST(nobody_gives_what_they_do_not_have)
{
	struct desk desk;
	desk_begin(&desk);
	desk.request->max_level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_CRITICAL;
	refused(&desk, STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL");
	case_end(&desk.c);
}

TEST(a_term_is_at_most_thirty_days_and_not_over)
{
	struct desk desk;
	desk_begin(&desk);
	desk.request->ends_at =
		must(pb_time_new(desk.c.arena, CASE_NOW_US + (int64_t)30 * DAY * CASE_HOUR_US + 1));
	refused(&desk, STATUS_CODE_INVALID_ARGUMENT, "ends_at");
	desk.request->ends_at = hours(&desk.c, 0);
	refused(&desk, STATUS_CODE_INVALID_ARGUMENT, "ends_at");
	desk.request->ends_at = hours(&desk.c, 40 * DAY);
	desk.request->starts_at = hours(&desk.c, -1);
	refused(&desk, STATUS_CODE_INVALID_ARGUMENT, "starts_at");
	desk.request->starts_at = hours(&desk.c, 20 * DAY);
	CHECK_INT(made(&desk)->state, ISMS__V1__DELEGATION_STATE__DELEGATION_STATE_PLANNED);
	case_end(&desk.c);
}

TEST(a_delegate_is_another_human_being_who_may_read)
{
	struct desk desk;
	desk_begin(&desk);
	desk.delegate->kind = ISMS__V1__USER_KIND__USER_KIND_SERVICE;
	refused(&desk, STATUS_CODE_INVALID_ARGUMENT, "to_user_id");
	desk.delegate->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	desk.delegate->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	refused(&desk, STATUS_CODE_INVALID_ARGUMENT, "to_user_id");
	desk.delegate->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	desk.delegate->person_id = (char *)CASE_PERSON;
	refused(&desk, STATUS_CODE_FAILED_PRECONDITION, "SAME_PERSON");
	desk.delegate->person_id = (char *)CASE_ID("03");
	desk.reach->held = false;
	refused(&desk, STATUS_CODE_FAILED_PRECONDITION, "CANNOT_READ");
	case_end(&desk.c);
}

TEST(the_number_that_is_open_is_bounded)
{
	struct desk desk;
	desk_begin(&desk);
	for (int i = 0; i < DELEGATION_OPEN_MAX; i++)
		case_row(&desk.c, "delegation_open",
			 &must_new_of(desk.c.arena, Isms__Store__V1__Found, isms__store__v1__found)
				  ->base);
	refused(&desk, STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_DELEGATIONS");
	case_end(&desk.c);
}

/* --- ending one ------------------------------------------------------------------------ */

TEST(both_and_who_gives_roles_may_end_it)
{
	static const struct {
		const char *from, *to, *permission;
		bool may;
	} rows[] = {
		{ CASE_ACTOR, CASE_ID("02"), "approval.read", true },
		{ CASE_ID("02"), CASE_ACTOR, "approval.read", true },
		{ CASE_ID("02"), CASE_ID("04"), "grant.write", true },
		{ CASE_ID("02"), CASE_ID("04"), "approval.read", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct domain_case c;
		case_begin(&c);
		Isms__V1__RevokeDelegationRequest *request =
			must_new_of(c.arena, Isms__V1__RevokeDelegationRequest,
				    isms__v1__revoke_delegation_request);
		Isms__V1__Delegation *row =
			must_new_of(c.arena, Isms__V1__Delegation, isms__v1__delegation);
		Isms__Store__V1__Access *access =
			must_new_of(c.arena, Isms__Store__V1__Access, isms__store__v1__access);
		char *permissions[] = { (char *)rows[i].permission };
		access->permissions = permissions;
		access->n_permissions = 1;
		request->reason = (char *)"back again";
		row->meta = case_meta(&c, CASE_ID("01"), 1);
		row->from_user_id = (char *)rows[i].from;
		row->to_user_id = (char *)rows[i].to;
		row->ends_at = hours(&c, 1);
		c.facts.request = &request->base;
		c.facts.access = access;
		case_row(&c, "delegation_for_write", &row->base);
		struct status st = delegation_revoke(&c.facts, &c.plan);
		CHECK_INT(st.code, rows[i].may ? STATUS_CODE_OK : STATUS_CODE_PERMISSION_DENIED);
		CHECK_INT(c.plan.n_rows, rows[i].may);
		c.plan.n_rows = 0;
		row->ends_at = hours(&c, 0);
		st = delegation_revoke(&c.facts, &c.plan);
		CHECK_STR(case_reason(&st), rows[i].may ? "ILLEGAL_STATE" : "PERMISSION_MISSING");
		case_end(&c);
	}
}

TAP_MAIN
