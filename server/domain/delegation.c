/* The rules first, what people do with delegations after. */
#include "server/domain/delegation.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/delegation.pb-c.h"
#include "server/domain/grant.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/text.h"

#define STATE(name) ISMS__V1__DELEGATION_STATE__DELEGATION_STATE_##name
#define KIND(name)  ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_##name

enum { TERM_DAYS_MAX = 30, KINDS = 3 };
static const int64_t DAY_US = INT64_C(86400) * 1000000;

enum delegation_fault delegation_fault(const Isms__Store__V1__HeldDelegation *delegation,
				       const struct delegation_use *use)
{
	if (delegation == NULL || strcmp(delegation->to_user_id, use->to_user_id) != 0)
		return DELEGATION_NOT_FOUND;
	if (strcmp(delegation->from_person, use->to_person) == 0 ||
	    strcmp(delegation->from_user_id, use->to_user_id) == 0)
		return DELEGATION_SELF;
	if (delegation->revoked_at != NULL)
		return DELEGATION_REVOKED;
	if (pb_time_us(delegation->starts_at) > use->now_us)
		return DELEGATION_NOT_STARTED;
	if (pb_time_us(delegation->ends_at) <= use->now_us)
		return DELEGATION_ENDED;
	if (!delegation->covers_scope)
		return DELEGATION_SCOPE;
	if (!delegation->covers_kind)
		return DELEGATION_KIND;
	if (delegation->max_level < use->level)
		return DELEGATION_LEVEL;
	if (pb_time_us(delegation->meta->created_at) >= use->submitted_us)
		return DELEGATION_LATE;
	return use->step_allows ? DELEGATION_FITS : DELEGATION_STEP;
}

static const struct {
	const char *why, *message;
} faults[DELEGATION_FAULTS] = {
	[DELEGATION_FITS] = { "", "" },
	[DELEGATION_NOT_FOUND] = { "DELEGATION_NOT_FOUND",
				   "there is no delegation from this user to the caller" },
	[DELEGATION_SELF] = { "DELEGATION_SELF", "delegate and delegator are one person" },
	[DELEGATION_REVOKED] = { "DELEGATION_REVOKED", "the delegation was revoked" },
	[DELEGATION_NOT_STARTED] = { "DELEGATION_NOT_STARTED", "the delegation begins later" },
	[DELEGATION_ENDED] = { "DELEGATION_ENDED", "the delegation has ended" },
	[DELEGATION_SCOPE] = { "DELEGATION_SCOPE", "the delegation is for another scope" },
	[DELEGATION_KIND] = { "DELEGATION_KIND", "the delegation is for other subjects" },
	[DELEGATION_LEVEL] = { "DELEGATION_LEVEL", "the level is above that of the delegation" },
	[DELEGATION_LATE] = { "DELEGATION_LATE",
			      "the delegation was made after the request was submitted" },
	[DELEGATION_STEP] = { "DELEGATION_STEP", "this step does not let delegates vote" },
};

const char *delegation_why(enum delegation_fault fault)
{
	return faults[fault].why;
}

const char *delegation_message(enum delegation_fault fault)
{
	return faults[fault].message;
}

/* --- making one ---------------------------------------------------------------- */

static struct status precondition(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, reason, message);
}

static struct status check_delegate(const struct facts *facts,
				    const Isms__Store__V1__Account *delegate)
{
	const Isms__Store__V1__Principal *caller = facts->principal;
	const Isms__Store__V1__Held *reach =
		fact_row(facts, "delegation_reach", Isms__Store__V1__Held, isms__store__v1__held);
	if (delegate == NULL || delegate->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN ||
	    delegate->state != ISMS__V1__USER_STATE__USER_STATE_ACTIVE)
		return status_invalid(facts->arena, "to_user_id",
				      "must be an active account of a human being");
	if (strcmp(delegate->meta->id, caller->user_id) == 0 ||
	    text_in(delegate->person_id, caller->person_ids, caller->n_person_ids))
		return precondition("SAME_PERSON", "nobody lets themselves vote for themselves");
	if (reach == NULL || !reach->held)
		return precondition("CANNOT_READ",
				    "the delegate may not read risks and approvals there");
	size_t n;
	const Isms__V1__Role *const *roles =
		fact_rows(facts, "delegation_roles", Isms__V1__Role, isms__v1__role, &n);
	for (size_t i = 0; i < n; i++)
		if (grant_role_administers(roles[i]))
			return precondition("SOD_ROLES", "nobody both decides and administers "
							 "accounts or grants");
	return STATUS_OK;
}

static struct status check_term(const Isms__V1__CreateDelegationRequest *request, int64_t starts_us,
				const struct facts *facts)
{
	int64_t ends_us = pb_time_us(request->ends_at);
	if (starts_us < facts->now_us)
		return status_invalid(facts->arena, "starts_at", "must not be in the past");
	if (ends_us <= starts_us)
		return status_invalid(facts->arena, "ends_at", "must be later than it begins");
	if (ends_us - starts_us > TERM_DAYS_MAX * DAY_US)
		return status_invalid(facts->arena, "ends_at",
				      "must be within 30 days of the beginning");
	return STATUS_OK;
}

static struct status check_create(const struct facts *facts, int64_t starts_us)
{
	const Isms__V1__CreateDelegationRequest *request = (const void *)facts->request;
	struct status st = check_term(request, starts_us, facts);
	if (status_ok(&st))
		st = check_delegate(facts,
				    fact_row(facts, "delegation_delegate", Isms__Store__V1__Account,
					     isms__store__v1__account));
	if (!status_ok(&st))
		return st;
	for (size_t i = 0; i < request->n_subject_kinds; i++)
		if (request->subject_kinds[i] == KIND(UNSPECIFIED))
			return status_invalid(facts->arena, "subject_kinds",
					      "must be kinds of subject");
	size_t n;
	(void)fact_rows(facts, "delegation_open", Isms__Store__V1__Found, isms__store__v1__found,
			&n);
	if (n >= DELEGATION_OPEN_MAX)
		return precondition("TOO_MANY_DELEGATIONS",
				    "the caller has as many as one may have at a time");
	if (request->max_level > facts->access->max_accept_level)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "AUTHORITY_LEVEL",
				   "the level is above what the caller may accept");
	return STATUS_OK;
}

/* Each once; none: all there are. */
static void take_kinds(Isms__V1__Delegation *out, const Isms__V1__CreateDelegationRequest *request,
		       struct arena *arena)
{
	static const Isms__V1__SubjectKind all[KINDS] = { KIND(TREATMENT_PLAN), KIND(ACCEPTANCE),
							  KIND(POLICY_CHANGE) };
	out->subject_kinds = must(arena_array(arena, Isms__V1__SubjectKind, KINDS));
	for (size_t k = 0; k < KINDS; k++) {
		bool wanted = request->n_subject_kinds == 0;
		for (size_t i = 0; i < request->n_subject_kinds; i++)
			wanted |= request->subject_kinds[i] == all[k];
		if (wanted)
			out->subject_kinds[out->n_subject_kinds++] = all[k];
	}
}

struct status delegation_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateDelegationRequest *request = (const void *)facts->request;
	int64_t starts_us =
		request->starts_at == NULL ? facts->now_us : pb_time_us(request->starts_at);
	struct status st = check_create(facts, starts_us);
	if (!status_ok(&st))
		return st;
	const Isms__Store__V1__Account *delegate = fact_row(
		facts, "delegation_delegate", Isms__Store__V1__Account, isms__store__v1__account);
	Isms__V1__Delegation *row =
		must_new_of(plan->arena, Isms__V1__Delegation, isms__v1__delegation);
	row->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->ref = fact_row(facts, "delegation_next_ref", Isms__Store__V1__NextRef,
				  isms__store__v1__next_ref)
				 ->ref;
	row->from_user_id = facts->principal->user_id;
	row->from_name = facts->principal->display_name;
	row->to_user_id = delegate->meta->id;
	row->to_name = delegate->display_name;
	row->scope_id = request->scope_id;
	take_kinds(row, request, plan->arena);
	row->max_level =
		request->max_level != 0 ? request->max_level : facts->access->max_accept_level;
	row->starts_at = must(pb_time_new(plan->arena, starts_us));
	row->ends_at = request->ends_at;
	row->reason = request->reason;
	row->state = starts_us > facts->now_us ? STATE(PLANNED) : STATE(ACTIVE);
	plan_insert(plan, KIND_DELEGATION, &row->base);
	Isms__V1__CreateDelegationResponse *reply =
		must_new_of(plan->arena, Isms__V1__CreateDelegationResponse,
			    isms__v1__create_delegation_response);
	reply->delegation = row;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* --- ending one ---------------------------------------------------------------- */

static bool may_revoke(const struct facts *facts, const Isms__V1__Delegation *delegation)
{
	const char *me = facts->principal->user_id;
	return strcmp(delegation->from_user_id, me) == 0 ||
	       strcmp(delegation->to_user_id, me) == 0 || facts_may(facts, "grant.write");
}

struct status delegation_revoke(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__RevokeDelegationRequest *request = (const void *)facts->request;
	const Isms__V1__Delegation *before =
		fact_row(facts, "delegation_for_write", Isms__V1__Delegation, isms__v1__delegation);
	if (before == NULL)
		return refusal_not_found();
	if (!may_revoke(facts, before)) {
		struct status st = refusal_permission_missing("grant.write", facts->arena);
		status_add_pair(&st, facts->arena, "scope", before->scope_id);
		return st;
	}
	if (before->revoked_at != NULL || pb_time_us(before->ends_at) <= facts->now_us)
		return precondition("ILLEGAL_STATE", "the delegation is over");
	Isms__V1__Delegation *after = plan_copy_of(plan, Isms__V1__Delegation, before);
	after->revoked_at = must(pb_time_new(plan->arena, plan->now_us));
	after->revoke_reason = request->reason;
	after->state = STATE(REVOKED);
	plan_update(plan, KIND_DELEGATION, &before->base, &after->base);
	Isms__V1__RevokeDelegationResponse *reply =
		must_new_of(plan->arena, Isms__V1__RevokeDelegationResponse,
			    isms__v1__revoke_delegation_response);
	reply->delegation = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
