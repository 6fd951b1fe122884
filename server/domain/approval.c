/* Who may decide is resolved when the request is opened, for all steps at once:
 * what cannot be decided is refused then, and a step is never skipped. */
#include "server/domain/approval.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/approval_policy.h"
#include "server/domain/approval_step.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/score.h"
#include "server/domain/snapshot.h"
#include "server/domain/states.h"

/* The person who asks: the owner of a service account answers for it; its other
 * owners are contributors. */
static char *requester_person(const Isms__Store__V1__Principal *principal)
{
	if (principal->person_id[0] != '\0')
		return principal->person_id;
	return principal->n_person_ids > 0 ? principal->person_ids[0] : principal->person_id;
}

static void take_contributors(struct approval_opening *out, const struct facts *facts,
			      const char *of)
{
	struct arena *arena = facts->arena;
	const Isms__Store__V1__Principal *principal = facts->principal;
	const char *set = must(arena_printf(arena, "contributors_of_%s", of));
	size_t n;
	const Isms__Store__V1__Found *const *rows =
		fact_rows(facts, set, Isms__Store__V1__Found, isms__store__v1__found, &n);
	for (size_t i = 0; i < n; i++)
		fields_add(&out->contributors, &out->n_contributors, rows[i]->id, arena);
	for (size_t i = 0; principal->person_id[0] == '\0' && i < principal->n_person_ids; i++)
		fields_add(&out->contributors, &out->n_contributors, principal->person_ids[i],
			   arena);
}

struct status approval_prepare(struct approval_opening *out, const struct facts *facts,
			       struct plan *plan, const char *of, Isms__V1__RiskLevel level)
{
	const char *set = must(arena_printf(plan->arena, "policy_for_%s", of));
	memset(out, 0, sizeof(*out));
	out->policy = fact_row(facts, set, Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	if (out->policy == NULL || !policy_steps_valid(out->policy->steps))
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_POLICY",
				   "no usable approval policy covers this scope and level");
	out->id = plan_new_id(plan);
	take_contributors(out, facts, of);
	struct approval_question question = {
		.request_id = out->id,
		.steps = out->policy->steps,
		.level = level,
		.requester = requester_person(facts->principal),
		.contributors = out->contributors,
		.n_contributors = out->n_contributors,
		.now_us = plan->now_us,
	};
	set = must(arena_printf(plan->arena, "candidates_for_%s", of));
	question.candidates = fact_rows(facts, set, Isms__Store__V1__Candidate,
					isms__store__v1__candidate, &question.n_candidates);
	return approval_people_find(&out->people, &question, plan->arena);
}

static ProtobufCBinaryData packed(const ProtobufCMessage *message, struct arena *arena)
{
	ProtobufCBinaryData out;
	out.data = must(pb_pack(&out.len, message, arena));
	return out;
}

static Isms__V1__ApprovalRequest *new_request(const struct approval_opening *opening,
					      const struct facts *facts, struct plan *plan,
					      const Isms__V1__Risk *risk,
					      const struct approval_subject *subject)
{
	struct arena *arena = plan->arena;
	Isms__V1__ApprovalRequest *request =
		must_new_of(arena, Isms__V1__ApprovalRequest, isms__v1__approval_request);
	request->meta = must_new_of(arena, Isms__V1__Meta, isms__v1__meta);
	request->meta->id = opening->id;
	request->meta->ref = fact_row(facts, "approval_next_ref", Isms__Store__V1__NextRef,
				      isms__store__v1__next_ref)
				     ->ref;
	request->scope_id = risk != NULL ? risk->scope_id : subject->scope_id;
	request->subject_kind = subject->kind;
	request->subject_id = subject->meta->id;
	request->subject_ref = subject->meta->ref;
	request->subject_version = subject->meta->version;
	if (risk != NULL) {
		request->risk_id = risk->meta->id;
		request->risk_version = risk->meta->version;
		request->level = score_level_of(risk->current);
	}
	request->state = APPROVAL(PENDING);
	request->requested_by = facts->principal->user_id;
	request->requested_by_person = requester_person(facts->principal);
	request->contributor_persons = opening->contributors;
	request->n_contributor_persons = opening->n_contributors;
	request->policy_id = opening->policy->meta->id;
	request->policy_no = opening->policy->no;
	request->steps = opening->policy->steps;
	approval_step_open(request, 1, plan->now_us, arena);
	return request;
}

/* The risk and the method by which it was scored. */
static void freeze_risk(Isms__V1__DecisionSnapshot *message, const Isms__V1__Risk *risk,
			const struct facts *facts, struct arena *arena)
{
	const Isms__V1__RiskMethod *method =
		fact_row(facts, "method_for_write", Isms__V1__RiskMethod, isms__v1__risk_method);
	message->risk_id = risk->meta->id;
	message->risk_ref = risk->meta->ref;
	message->risk_version = risk->meta->version;
	message->risk = packed(&risk->base, arena);
	message->method = packed(&method->base, arena);
}

static void freeze(struct snapshot *out, const Isms__V1__ApprovalRequest *request,
		   const struct facts *facts, const Isms__V1__Risk *risk,
		   const struct approval_subject *subject, struct arena *arena)
{
	Isms__V1__DecisionSnapshot *message =
		must_new_of(arena, Isms__V1__DecisionSnapshot, isms__v1__decision_snapshot);
	message->org_id = facts->principal->org_id;
	message->subject_kind = request->subject_kind;
	message->subject_id = request->subject_id;
	message->subject_ref = request->subject_ref;
	message->subject_version = request->subject_version;
	message->subject = packed(subject->message, arena);
	if (risk != NULL)
		freeze_risk(message, risk, facts, arena);
	message->policy_id = request->policy_id;
	message->policy_no = request->policy_no;
	message->steps = request->steps;
	message->level = request->level;
	message->requested_by_person = request->requested_by_person;
	message->contributor_persons = request->contributor_persons;
	message->n_contributor_persons = request->n_contributor_persons;
	message->valid_until = (Google__Protobuf__Timestamp *)subject->valid_until;
	snapshot_make(out, message, arena);
}

Isms__V1__ApprovalRequest *approval_open(const struct approval_opening *opening,
					 const struct facts *facts, struct plan *plan,
					 const struct dossier *dossier,
					 const struct approval_subject *subject)
{
	const Isms__V1__Risk *risk = dossier != NULL ? dossier_risk(dossier) : NULL;
	Isms__V1__ApprovalRequest *request = new_request(opening, facts, plan, risk, subject);
	struct snapshot snapshot;
	freeze(&snapshot, request, facts, risk, subject, plan->arena);
	request->snapshot_sha256 = (ProtobufCBinaryData){ DIGEST_BYTES, snapshot.sha256 };
	plan_insert(plan, KIND_APPROVAL_REQUEST, &request->base);

	Isms__Store__V1__Snapshot *row =
		must_new_of(plan->arena, Isms__Store__V1__Snapshot, isms__store__v1__snapshot);
	row->request_id = opening->id;
	row->snapshot = (ProtobufCBinaryData){ snapshot.len, snapshot.bytes };
	plan_put(plan, KIND_APPROVAL_SNAPSHOT, &row->base);
	for (size_t i = 0; i < opening->people.n_assignees; i++)
		plan_put(plan, KIND_APPROVAL_ASSIGNEE, &opening->people.assignees[i]->base);
	return request;
}

struct status approval_may_withdraw(const struct facts *facts,
				    const Isms__V1__ApprovalRequest *request)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	bool same_person = principal->person_id[0] != '\0' &&
			   strcmp(principal->person_id, request->requested_by_person) == 0;
	if (strcmp(request->requested_by, principal->user_id) == 0 || same_person)
		return STATUS_OK;
	return status_make(STATUS_CODE_PERMISSION_DENIED, "NOT_REQUESTER",
			   "only the one who submitted it may take it back");
}

struct status approval_withdraw(struct dossier *dossier, const struct facts *facts,
				const char *subject_id)
{
	struct dossier_request *place = NULL;
	for (size_t i = 0; i < dossier->n_requests && place == NULL; i++)
		if (strcmp(dossier->requests[i].was->subject_id, subject_id) == 0)
			place = &dossier->requests[i];
	if (place == NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE",
				   "nothing is submitted that could be taken back");
	struct status st = approval_may_withdraw(facts, place->was);
	if (status_ok(&st))
		dossier_close_request(dossier, place, APPROVAL(WITHDRAWN),
				      "withdrawn by its requester");
	return st;
}
