/* Who may decide is resolved when the request is opened, for all steps at once:
 * what cannot be decided is refused then, and a step is never skipped. */
#include "server/domain/approval.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/approval_policy.h"
#include "server/domain/eligibility.h"
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

/* People who may be asked, each once, with the steps that ask them. */
struct people {
	const char **persons;
	uint8_t *steps;
	size_t n;
};

static void ask(struct people *people, const char *person, size_t step)
{
	size_t i = 0;
	while (i < people->n && strcmp(people->persons[i], person) != 0)
		i++;
	if (i == people->n)
		people->persons[people->n++] = person;
	people->steps[i] |= (uint8_t)(1u << step);
}

static bool is_assigned(const struct approval_opening *out, int32_t step_no, const char *user_id)
{
	for (size_t i = 0; i < out->n_assignees; i++)
		if (out->assignees[i]->step_no == step_no &&
		    strcmp(out->assignees[i]->user_id, user_id) == 0)
			return true;
	return false;
}

static void assign(struct approval_opening *out, const Isms__V1__PolicyStep *step,
		   const Isms__Store__V1__Candidate *candidate, struct arena *arena)
{
	Isms__Store__V1__Assignee *row =
		must_new_of(arena, Isms__Store__V1__Assignee, isms__store__v1__assignee);
	row->request_id = out->id;
	row->step_no = step->step_no;
	row->user_id = candidate->user_id;
	row->person_id = candidate->person_id;
	row->display_name = candidate->display_name;
	row->via = must(arena_strdup(arena, policy_step_via(step)));
	row->state = ASSIGNEE(PENDING);
	out->assignees[out->n_assignees++] = row;
}

static struct status too_many(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "TOO_MANY_APPROVERS",
			   "the policy asks more people than one request may");
}

/* Assigns everybody who is asked, has the authority and may vote. */
static struct status resolve(struct approval_opening *out, struct people *people,
			     const struct facts *facts, const char *of, Isms__V1__RiskLevel level)
{
	const struct eligibility_request request = {
		.requester = requester_person(facts->principal),
		.contributors = (const char *const *)out->contributors,
		.n_contributors = out->n_contributors,
		.critical = level == LEVEL(CRITICAL),
	};
	const char *set = must(arena_printf(facts->arena, "candidates_for_%s", of));
	size_t n;
	const Isms__Store__V1__Candidate *const *rows =
		fact_rows(facts, set, Isms__Store__V1__Candidate, isms__store__v1__candidate, &n);
	if (n >= APPROVAL_CANDIDATES_MAX)
		return too_many();
	for (size_t k = 0; k < out->policy->steps->n_steps; k++) {
		const Isms__V1__PolicyStep *step = out->policy->steps->steps[k];
		for (size_t i = 0; i < n; i++) {
			const struct eligibility_voter voter = {
				.service = rows[i]->kind != ISMS__V1__USER_KIND__USER_KIND_HUMAN,
				.person = rows[i]->person_id,
			};
			if (!policy_step_asks(step, rows[i]) || rows[i]->max_accept_level < level ||
			    eligibility_of_person(&request, &voter) != ELIGIBLE ||
			    is_assigned(out, step->step_no, rows[i]->user_id))
				continue;
			if (out->n_assignees == APPROVAL_ASSIGNEES_MAX)
				return too_many();
			assign(out, step, rows[i], facts->arena);
			ask(people, rows[i]->person_id, k);
		}
	}
	return STATUS_OK;
}

static struct status check_people(const struct approval_opening *out, const struct people *people,
				  Isms__V1__RiskLevel level, struct arena *arena)
{
	const Isms__V1__PolicySteps *steps = out->policy->steps;
	struct eligibility_plan plan = {
		.n_steps = steps->n_steps,
		.people = people->steps,
		.n_people = people->n,
		.critical = level == LEVEL(CRITICAL),
	};
	for (size_t k = 0; k < steps->n_steps; k++) {
		size_t asked = 0;
		for (size_t i = 0; i < people->n; i++)
			asked += (people->steps[i] & (1u << k)) != 0;
		plan.needed[k] = (unsigned)policy_step_needs(steps->steps[k], asked);
		plan.distinct[k] = steps->steps[k]->distinct_from_prior;
	}
	unsigned step_no = eligibility_shortage(&plan);
	if (step_no == 0)
		return STATUS_OK;
	struct status st = status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_ELIGIBLE_APPROVER",
				       "not enough people may decide on a step of the policy");
	status_add_pair(&st, arena, "step", must(arena_printf(arena, "%u", step_no)));
	status_add_pair(&st, arena, "via", policy_step_via(steps->steps[step_no - 1]));
	return st;
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
	out->assignees =
		must(arena_array(plan->arena, Isms__Store__V1__Assignee *, APPROVAL_ASSIGNEES_MAX));
	take_contributors(out, facts, of);
	struct people people = {
		.persons = must(arena_array(plan->arena, const char *, APPROVAL_ASSIGNEES_MAX)),
		.steps = must(arena_array(plan->arena, uint8_t, APPROVAL_ASSIGNEES_MAX)),
	};
	struct status st = resolve(out, &people, facts, of, level);
	if (status_ok(&st))
		st = check_people(out, &people, level, plan->arena);
	return st;
}

static ProtobufCBinaryData packed(const ProtobufCMessage *message, struct arena *arena)
{
	ProtobufCBinaryData out;
	out.data = must(pb_pack(&out.len, message, arena));
	return out;
}

static Isms__V1__ApprovalRequest *new_request(const struct approval_opening *opening,
					      const struct facts *facts,
					      const struct dossier *dossier,
					      const struct approval_subject *subject)
{
	struct arena *arena = dossier->plan->arena;
	const Isms__V1__Risk *risk = dossier_risk(dossier);
	Isms__V1__ApprovalRequest *request =
		must_new_of(arena, Isms__V1__ApprovalRequest, isms__v1__approval_request);
	request->meta = must_new_of(arena, Isms__V1__Meta, isms__v1__meta);
	request->meta->id = opening->id;
	request->meta->ref = fact_row(facts, "approval_next_ref", Isms__Store__V1__NextRef,
				      isms__store__v1__next_ref)
				     ->ref;
	request->scope_id = risk->scope_id;
	request->subject_kind = subject->kind;
	request->subject_id = subject->meta->id;
	request->subject_ref = subject->meta->ref;
	request->subject_version = subject->meta->version;
	request->risk_id = risk->meta->id;
	request->risk_version = risk->meta->version;
	request->level = score_level_of(risk->current);
	request->state = APPROVAL(PENDING);
	request->current_step = 1;
	request->requested_by = facts->principal->user_id;
	request->requested_by_person = requester_person(facts->principal);
	request->contributor_persons = opening->contributors;
	request->n_contributor_persons = opening->n_contributors;
	request->policy_id = opening->policy->meta->id;
	request->policy_no = opening->policy->no;
	request->steps = opening->policy->steps;
	request->step_opened_at = must(pb_time_new(arena, dossier->plan->now_us));
	return request;
}

static void freeze(struct snapshot *out, const Isms__V1__ApprovalRequest *request,
		   const struct facts *facts, const struct dossier *dossier,
		   const struct approval_subject *subject)
{
	struct arena *arena = dossier->plan->arena;
	const Isms__V1__Risk *risk = dossier_risk(dossier);
	const Isms__V1__RiskMethod *method =
		fact_row(facts, "method_for_write", Isms__V1__RiskMethod, isms__v1__risk_method);
	Isms__V1__DecisionSnapshot *message =
		must_new_of(arena, Isms__V1__DecisionSnapshot, isms__v1__decision_snapshot);
	message->org_id = facts->principal->org_id;
	message->subject_kind = request->subject_kind;
	message->subject_id = request->subject_id;
	message->subject_ref = request->subject_ref;
	message->subject_version = request->subject_version;
	message->risk_id = request->risk_id;
	message->risk_ref = risk->meta->ref;
	message->risk_version = request->risk_version;
	message->subject = packed(subject->message, arena);
	message->risk = packed(&risk->base, arena);
	message->method = packed(&method->base, arena);
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
	Isms__V1__ApprovalRequest *request = new_request(opening, facts, dossier, subject);
	struct snapshot snapshot;
	freeze(&snapshot, request, facts, dossier, subject);
	request->snapshot_sha256 = (ProtobufCBinaryData){ DIGEST_BYTES, snapshot.sha256 };
	plan_insert(plan, KIND_APPROVAL_REQUEST, &request->base);

	Isms__Store__V1__Snapshot *row =
		must_new_of(plan->arena, Isms__Store__V1__Snapshot, isms__store__v1__snapshot);
	row->request_id = opening->id;
	row->snapshot = (ProtobufCBinaryData){ snapshot.len, snapshot.bytes };
	plan_put(plan, KIND_APPROVAL_SNAPSHOT, &row->base);
	for (size_t i = 0; i < opening->n_assignees; i++)
		plan_put(plan, KIND_APPROVAL_ASSIGNEE, &opening->assignees[i]->base);
	return request;
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
	const Isms__Store__V1__Principal *principal = facts->principal;
	bool same_person = principal->person_id[0] != '\0' &&
			   strcmp(principal->person_id, place->was->requested_by_person) == 0;
	if (strcmp(place->was->requested_by, principal->user_id) != 0 && !same_person)
		return status_make(STATUS_CODE_PERMISSION_DENIED, "NOT_REQUESTER",
				   "only the one who submitted it may take it back");
	dossier_close_request(dossier, place, APPROVAL(WITHDRAWN), "withdrawn by its requester");
	return STATUS_OK;
}
