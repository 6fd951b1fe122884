/* A permission is looked up by facts_may; a vote is tried by the functions that take it,
 * with a ballot on which the asked person stands for the caller. */
#include "server/domain/can_i.h"

#include <string.h>

#include "common/pb.h"
#include "isms/store/v1/insight.pb-c.h"
#include "server/domain/approval_step.h"
#include "server/domain/ballot.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/states.h"
#include "server/domain/text.h"
#include "server/domain/vote.h"
#include "server/domain/voter.h"

static const char VOTE[] = "decision.cast";

struct asking {
	const struct facts *facts;
	const Isms__V1__CanIRequest *request;
	const Isms__Store__V1__AskedObject *object;
	Isms__V1__CanIResponse *reply;
	struct ballot ballot;
	Isms__V1__CastVoteRequest vote;
	bool about_vote;
};

/* The facts with somebody in the place of the caller. */
static struct facts facts_as(const struct asking *asking, const Isms__Store__V1__AskedUser *user)
{
	struct arena *arena = asking->facts->arena;
	struct facts facts = *asking->facts;
	Isms__Store__V1__Principal *principal =
		must_new_of(arena, Isms__Store__V1__Principal, isms__store__v1__principal);
	Isms__Store__V1__Access *access =
		must_new_of(arena, Isms__Store__V1__Access, isms__store__v1__access);
	pb_copy_same(&principal->base, &user->base);
	principal->org_id = asking->facts->principal->org_id;
	pb_copy_same(&access->base, &user->base);
	access->scope_id = asking->object->scope_id;
	access->owner_id = asking->object->owner_id;
	facts.principal = principal;
	facts.access = access;
	return facts;
}

static struct status missing(const struct asking *asking, const char *permission)
{
	struct status st = status_make(STATUS_CODE_PERMISSION_DENIED, "PERMISSION_MISSING",
				       "the permission is not held there");
	asking->reply->missing_permission = must(arena_strdup(asking->facts->arena, permission));
	return st;
}

/* What CastVote would say to an approval, before it looks at the subject. */
static struct status try_vote(struct asking *asking, const struct facts *facts,
			      const char *on_behalf_of)
{
	struct ballot *ballot = &asking->ballot;
	struct voter voter;
	asking->vote.on_behalf_of = (char *)on_behalf_of;
	ballot->facts = facts;
	struct status st = voter_check_open(ballot, &asking->vote);
	if (!status_ok(&st))
		return st;
	voter_find(&voter, ballot, &asking->vote);
	return voter_check(&voter, ballot, &asking->vote);
}

/* In their own right, or else on behalf of somebody who is asked. */
static struct status try_votes(struct asking *asking, const struct facts *facts,
			       const char **out_on_behalf_of)
{
	const struct ballot *ballot = &asking->ballot;
	*out_on_behalf_of = "";
	if (!text_in(VOTE_SEES, facts->access->permissions, facts->access->n_permissions))
		return missing(asking, VOTE_SEES);
	struct status own = try_vote(asking, facts, "");
	for (size_t i = 0; i < ballot->n_delegations && !status_ok(&own); i++) {
		if (strcmp(ballot->delegations[i]->to_user_id, facts->principal->user_id) != 0)
			continue;
		const char *from = ballot->delegations[i]->from_user_id;
		struct status st = try_vote(asking, facts, from);
		if (!status_ok(&st))
			continue;
		*out_on_behalf_of = from;
		return st;
	}
	return own;
}

/* --- the one who is asked about ------------------------------------------------- */

static struct status check_user(struct asking *asking, const Isms__Store__V1__AskedUser *user)
{
	struct facts facts = facts_as(asking, user);
	const char *permission = asking->request->permission;
	const char *on_behalf_of;
	if (user->state != ISMS__V1__USER_STATE__USER_STATE_ACTIVE)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "ACCOUNT_INACTIVE",
				   "the account is not active");
	if (!asking->about_vote)
		return facts_may(&facts, permission) ? STATUS_OK : missing(asking, permission);
	struct status st = try_votes(asking, &facts, &on_behalf_of);
	if (!status_ok(&st) && strcmp(st.reason, "PERMISSION_MISSING") == 0 &&
	    asking->reply->missing_permission[0] == '\0')
		asking->reply->missing_permission = must(arena_strdup(facts.arena, VOTE));
	if (!status_ok(&st))
		return st;
	asking->reply->on_behalf_of = must(arena_strdup(facts.arena, on_behalf_of));
	return voter_check_pace(asking->ballot.facts, ballot_pace(&asking->ballot));
}

/* --- who could -------------------------------------------------------------------- */

static void name(struct asking *asking, const Isms__Store__V1__AskedUser *user,
		 const char *on_behalf_of)
{
	struct arena *arena = asking->facts->arena;
	Isms__V1__CanIResponse *reply = asking->reply;
	if (reply->n_who_can == CAN_I_NAMES_MAX) {
		reply->more = true;
		return;
	}
	Isms__V1__CanIPerson *person =
		must_new_of(arena, Isms__V1__CanIPerson, isms__v1__can_iperson);
	person->user_id = user->user_id;
	person->display_name = user->display_name;
	if (asking->object->may_ask_for_others) {
		person->role_codes = user->role_codes;
		person->n_role_codes = user->n_role_codes;
	}
	person->on_behalf_of = must(arena_strdup(arena, on_behalf_of));
	reply->who_can[reply->n_who_can++] = person;
}

static void find_others(struct asking *asking)
{
	size_t n;
	const Isms__Store__V1__AskedUser *const *rows =
		fact_rows(asking->facts, asking->about_vote ? "can_i_people" : "can_i_holders",
			  Isms__Store__V1__AskedUser, isms__store__v1__asked_user, &n);
	asking->reply->who_can =
		must(arena_array(asking->facts->arena, Isms__V1__CanIPerson *, CAN_I_NAMES_MAX));
	char *missing_permission = asking->reply->missing_permission;
	for (size_t i = 0; i < n; i++) {
		struct facts facts = facts_as(asking, rows[i]);
		const char *on_behalf_of = "";
		struct status st = STATUS_OK;
		if (asking->about_vote)
			st = try_votes(asking, &facts, &on_behalf_of);
		if (status_ok(&st))
			name(asking, rows[i], on_behalf_of);
	}
	asking->reply->missing_permission = missing_permission;
}

/* --- the answer --------------------------------------------------------------------- */

/* As CastVote does before it looks at who votes. */
static struct status begin_vote(struct asking *asking)
{
	struct ballot *ballot = &asking->ballot;
	struct status st = ballot_load(ballot, asking->facts, "can_i");
	if (!status_ok(&st))
		return st;
	isms__v1__cast_vote_request__init(&asking->vote);
	asking->vote.step_no = ballot->request->current_step;
	asking->vote.decision = DECISION(APPROVE);
	asking->vote.snapshot_sha256 = ballot->request->snapshot_sha256;
	if (ballot->step != NULL && approval_step_escalates(ballot->request, asking->facts->now_us))
		(void)ballot_escalate(ballot);
	return STATUS_OK;
}

static struct status check_question(const struct asking *asking,
				    const Isms__Store__V1__AskedUser *user)
{
	const struct facts *facts = asking->facts;
	bool other = asking->request->user_id[0] != '\0' &&
		     strcmp(asking->request->user_id, facts->principal->user_id) != 0;
	if (asking->object == NULL)
		return refusal_not_found();
	if (!asking->object->known)
		return status_invalid(facts->arena, "permission", "is no permission of any role");
	if (other && !asking->object->may_ask_for_others)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "PERMISSION_MISSING",
				   "asking for somebody else needs user.read and role.read");
	if (user == NULL)
		return refusal_not_found();
	return STATUS_OK;
}

struct status can_i(const struct facts *facts, struct plan *plan)
{
	struct asking *asking = must(arena_new_of(plan->arena, struct asking));
	asking->facts = facts;
	asking->request = (const void *)facts->request;
	asking->object = fact_row(facts, "can_i_object", Isms__Store__V1__AskedObject,
				  isms__store__v1__asked_object);
	const Isms__Store__V1__AskedUser *user = fact_row(
		facts, "can_i_user", Isms__Store__V1__AskedUser, isms__store__v1__asked_user);
	struct status st = check_question(asking, user);
	if (!status_ok(&st))
		return st;
	asking->reply = must_new_of(plan->arena, Isms__V1__CanIResponse, isms__v1__can_iresponse);
	asking->reply->scope_id = asking->object->scope_id;
	asking->reply->object_kind = asking->object->kind;
	asking->reply->object_ref = asking->object->ref;
	asking->about_vote = strcmp(asking->request->permission, VOTE) == 0 &&
			     strcmp(asking->object->kind, "approval_request") == 0;
	if (asking->about_vote)
		st = begin_vote(asking);
	if (!status_ok(&st))
		return st;
	st = check_user(asking, user);
	asking->reply->allowed = status_ok(&st);
	if (!status_ok(&st)) {
		asking->reply->reason = must(arena_strdup(plan->arena, st.reason));
		asking->reply->explanation = must(arena_strdup(plan->arena, st.message));
	}
	if (asking->object->may_see_names)
		find_others(asking);
	plan_reply(plan, &asking->reply->base);
	return STATUS_OK;
}
