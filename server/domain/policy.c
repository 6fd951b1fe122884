/* A draft binds nobody, so it may be wrong about the future: that what it replaces is
 * still in force is looked at when it is submitted and when it is decided. */
#include "server/domain/policy.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/policy.pb-c.h"
#include "server/domain/approval.h"
#include "server/domain/approval_people.h"
#include "server/domain/approval_step.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/policy_change.h"
#include "server/domain/policy_check.h"
#include "server/domain/states.h"

static struct status precondition(const char *reason, const char *message)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, reason, message);
}

static struct status check_text(const struct facts *facts, const Isms__V1__ApprovalPolicy *policy,
				const char *under)
{
	size_t n;
	const Isms__Store__V1__Found *const *rows = fact_rows(
		facts, "policy_roles", Isms__Store__V1__Found, isms__store__v1__found, &n);
	const char **roles = must(arena_array(facts->arena, const char *, n + 1));
	for (size_t i = 0; i < n; i++)
		roles[i] = rows[i]->id;
	return policy_check(policy, under, roles, n, facts->arena);
}

/* What the text leaves open: taken from the policy that is replaced, or the widest. */
static void settle_text(Isms__V1__ApprovalPolicy *policy, const Isms__V1__ApprovalPolicy *replaced,
			struct arena *arena)
{
	if (policy->min_level == LEVEL(UNSPECIFIED))
		policy->min_level = replaced != NULL ? replaced->min_level : LEVEL(LOW);
	if (policy->max_level == LEVEL(UNSPECIFIED))
		policy->max_level = replaced != NULL ? replaced->max_level : LEVEL(CRITICAL);
	if (policy->steps == NULL)
		policy->steps = must_new_of(arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
}

static bool at_root(const struct facts *facts, const char *scope_id)
{
	const Isms__Store__V1__Found *root =
		fact_row(facts, "policy_root", Isms__Store__V1__Found, isms__store__v1__found);
	return strcmp(root->id, scope_id) == 0;
}

static struct status check_replaced(const struct facts *facts,
				    const struct policy_proposal *proposal,
				    const Isms__V1__ApprovalPolicy *replaced)
{
	if (proposal->replaces_id[0] == '\0')
		return proposal->repeals ? status_invalid(facts->arena, "replaces_id",
							  "is required by a repeal")
					 : STATUS_OK;
	if (replaced == NULL || replaced->state != POLICY(ACTIVE))
		return status_invalid(facts->arena, "replaces_id", "must be a policy in force");
	if (strcmp(replaced->scope_id, proposal->scope_id) != 0)
		return status_invalid(facts->arena, "scope_id",
				      "must be the scope of the policy that is replaced");
	if (replaced->subject_kind != proposal->subject_kind)
		return status_invalid(facts->arena, "subject_kind",
				      "must be the kind of the policy that is replaced");
	if (proposal->repeals && replaced->subject_kind == SUBJECT(POLICY_CHANGE) &&
	    at_root(facts, replaced->scope_id))
		return status_invalid(facts->arena, "repeals",
				      "the root keeps a policy for changes of policies");
	return STATUS_OK;
}

struct status policy_propose(Isms__V1__ApprovalPolicy **out, const struct facts *facts,
			     const struct policy_proposal *proposal)
{
	const Isms__V1__ApprovalPolicy *replaced = fact_row(
		facts, "policy_to_replace", Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	struct status st = check_replaced(facts, proposal, replaced);
	if (!status_ok(&st))
		return st;
	Isms__V1__ApprovalPolicy *row =
		must_new_of(facts->arena, Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	pb_copy_same(&row->base, &proposal->fields->base);
	row->subject_kind = proposal->subject_kind;
	row->scope_id = proposal->scope_id;
	row->replaces_id = proposal->replaces_id;
	row->repeals = proposal->repeals;
	row->no = replaced != NULL ? replaced->no + 1 : 1;
	row->state = POLICY(DRAFT);
	row->author_id = facts->principal->user_id;
	fields_add(&row->contributor_ids, &row->n_contributor_ids, row->author_id, facts->arena);
	settle_text(row, replaced, facts->arena);
	st = check_text(facts, row, "fields");
	if (status_ok(&st))
		*out = row;
	return st;
}

struct status policy_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreatePolicyRequest *request = (const void *)facts->request;
	const struct policy_proposal proposal = {
		.scope_id = request->scope_id,
		.subject_kind = request->subject_kind,
		.replaces_id = request->replaces_id,
		.repeals = request->repeals,
		.fields = request->fields,
	};
	Isms__V1__ApprovalPolicy *row;
	struct status st = policy_propose(&row, facts, &proposal);
	if (!status_ok(&st))
		return st;
	row->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->ref = fact_row(facts, "approval_policy_next_ref", Isms__Store__V1__NextRef,
				  isms__store__v1__next_ref)
				 ->ref;
	plan_insert(plan, KIND_APPROVAL_POLICY, &row->base);
	Isms__V1__CreatePolicyResponse *reply = must_new_of(
		plan->arena, Isms__V1__CreatePolicyResponse, isms__v1__create_policy_response);
	reply->policy = row;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static const Isms__V1__ApprovalPolicy *policy_named(const struct facts *facts)
{
	return fact_row(facts, "policy_for_write", Isms__V1__ApprovalPolicy,
			isms__v1__approval_policy);
}

static const Isms__V1__ApprovalPolicy *policy_replaced(const struct facts *facts)
{
	return fact_row(facts, "policy_replaced", Isms__V1__ApprovalPolicy,
			isms__v1__approval_policy);
}

struct status policy_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdatePolicyRequest *request = (const void *)facts->request;
	const Isms__V1__ApprovalPolicy *before = policy_named(facts);
	Isms__V1__PolicyState state = state_policy_after(before->state, STATE_EDIT);
	if (state == POLICY(UNSPECIFIED))
		return precondition("ILLEGAL_STATE", "the policy cannot be changed in this state");
	Isms__V1__ApprovalPolicy *after = plan_copy_of(plan, Isms__V1__ApprovalPolicy, before);
	struct status st =
		pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			      request->update_mask->n_paths, plan->arena);
	if (!status_ok(&st))
		return st;
	settle_text(after, policy_replaced(facts), plan->arena);
	st = check_text(facts, after, "fields");
	if (!status_ok(&st))
		return st;
	after->state = state;
	fields_add(&after->contributor_ids, &after->n_contributor_ids, facts->principal->user_id,
		   plan->arena);
	plan_update(plan, KIND_APPROVAL_POLICY, &before->base, &after->base);
	Isms__V1__UpdatePolicyResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdatePolicyResponse, isms__v1__update_policy_response);
	reply->policy = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* Nobody may be locked out of changing policies: under the new text enough people
 * must be there, besides whoever asks. What is granted lately counts by then. */
static struct status check_usable(const struct facts *facts, const Isms__V1__ApprovalPolicy *policy)
{
	if (policy->subject_kind != SUBJECT(POLICY_CHANGE) || policy->repeals)
		return STATUS_OK;
	struct approval_question question = {
		.request_id = policy->meta->id,
		.steps = policy->steps,
		.requester = facts->principal->person_id,
		.now_us = INT64_MAX,
	};
	question.candidates = fact_rows(facts, "candidates_for_policy", Isms__Store__V1__Candidate,
					isms__store__v1__candidate, &question.n_candidates);
	struct approval_people people;
	struct status st = approval_people_find(&people, &question, facts->arena);
	if (status_ok(&st))
		return st;
	return precondition("POLICY_UNUSABLE",
			    "too few people could decide on changes of policies under it");
}

static bool may_decide(const struct facts *facts, const char *user_id)
{
	size_t n;
	const Isms__Store__V1__Candidate *const *rows =
		fact_rows(facts, "candidates_for_policy", Isms__Store__V1__Candidate,
			  isms__store__v1__candidate, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i]->may_decide && rows[i]->kind == ISMS__V1__USER_KIND__USER_KIND_HUMAN &&
		    strcmp(rows[i]->user_id, user_id) == 0)
			return true;
	return false;
}

/* Whom a text names must be able to decide where it is to hold. */
static struct status check_named(const struct facts *facts, const Isms__V1__ApprovalPolicy *policy)
{
	for (size_t k = 0; k < policy->steps->n_steps; k++) {
		const Isms__V1__PolicyStep *step = policy->steps->steps[k];
		for (size_t i = 0; i < step->n_user_ids; i++)
			if (!may_decide(facts, step->user_ids[i]))
				return status_invalid(
					facts->arena,
					must(arena_printf(facts->arena,
							  "policy.steps.steps[%zu].user_ids", k)),
					"must be people who may decide in the scope");
	}
	return STATUS_OK;
}

static struct status check_submit(const struct facts *facts, const Isms__V1__ApprovalPolicy *before,
				  const Isms__V1__ApprovalPolicy *replaced)
{
	if (state_policy_after(before->state, STATE_SUBMIT) == POLICY(UNSPECIFIED))
		return precondition("ILLEGAL_STATE", "only a draft can be submitted");
	if (before->replaces_id[0] != '\0' &&
	    (replaced == NULL || replaced->state != POLICY(ACTIVE)))
		return precondition("STALE", "what it replaces is not in force any more");
	struct status st = check_text(facts, before, "policy");
	if (status_ok(&st))
		st = check_named(facts, before);
	return status_ok(&st) ? check_usable(facts, before) : st;
}

struct status policy_submit(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ApprovalPolicy *before = policy_named(facts);
	const Isms__V1__ApprovalPolicy *replaced = policy_replaced(facts);
	struct approval_opening opening;
	struct status st = check_submit(facts, before, replaced);
	if (status_ok(&st))
		st = approval_prepare(&opening, facts, plan, "policy", LEVEL(UNSPECIFIED));
	if (!status_ok(&st))
		return st;
	Isms__V1__ApprovalPolicy *after = plan_copy_of(plan, Isms__V1__ApprovalPolicy, before);
	after->state = state_policy_after(before->state, STATE_SUBMIT);
	after->approval_request_id = opening.id;
	after->replaces_version = replaced != NULL ? replaced->meta->version : 0;
	plan_update(plan, KIND_APPROVAL_POLICY, &before->base, &after->base);
	const struct approval_subject subject = {
		.kind = SUBJECT(POLICY_CHANGE),
		.scope_id = after->scope_id,
		.meta = after->meta,
		.message = &after->base,
	};
	Isms__V1__SubmitPolicyResponse *reply = must_new_of(
		plan->arena, Isms__V1__SubmitPolicyResponse, isms__v1__submit_policy_response);
	reply->policy = after;
	reply->request = approval_open(&opening, facts, plan, NULL, &subject);
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

struct status policy_withdraw(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ApprovalPolicy *before = policy_named(facts);
	const Isms__V1__ApprovalRequest *request = fact_row(
		facts, "policy_request", Isms__V1__ApprovalRequest, isms__v1__approval_request);
	if (request == NULL ||
	    state_policy_after(before->state, STATE_WITHDRAW) == POLICY(UNSPECIFIED))
		return precondition("ILLEGAL_STATE", "only what is submitted can be taken back");
	struct status st = approval_may_withdraw(facts, request);
	if (!status_ok(&st))
		return st;
	struct policy_change change = { .draft = before };
	policy_change_outcome(&change, plan, APPROVAL(WITHDRAWN));
	Isms__V1__ApprovalRequest *closed = plan_copy_of(plan, Isms__V1__ApprovalRequest, request);
	approval_step_close(closed, APPROVAL(WITHDRAWN), "withdrawn by its requester", plan->now_us,
			    plan->arena);
	plan_update(plan, KIND_APPROVAL_REQUEST, &request->base, &closed->base);
	Isms__V1__WithdrawPolicyResponse *reply = must_new_of(
		plan->arena, Isms__V1__WithdrawPolicyResponse, isms__v1__withdraw_policy_response);
	reply->policy = change.changed;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
