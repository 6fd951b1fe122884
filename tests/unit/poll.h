/* A request that is open, with people who are asked on it. */
#ifndef ISMS_TESTS_POLL_H
#define ISMS_TESTS_POLL_H

#include "isms/store/v1/decision.pb-c.h"
#include "server/domain/vote.h"
#include "tests/unit/tap.h"
#include "tests/unit/world.h"

struct poll {
	struct world world;
	Isms__V1__ApprovalRequest *request;
	Isms__V1__CastVoteRequest *cast;
	Isms__V1__TreatmentPlan *plan;
	Isms__V1__Acceptance *acceptance;
};

static inline void poll_sets(struct poll *poll)
{
	struct world *world = &poll->world;
	world_set(world, "vote_request", &isms__v1__approval_request__descriptor);
	world_set(world, "vote_assignees", &isms__store__v1__assignee__descriptor);
	world_set(world, "vote_votes", &isms__store__v1__vote__descriptor);
	world_set(world, "vote_voters", &isms__store__v1__account__descriptor);
	world_set(world, "vote_grants", &isms__store__v1__candidate__descriptor);
	world_set(world, "vote_delegations", &isms__store__v1__held_delegation__descriptor);
	world_set(world, "vote_pace", &isms__store__v1__decision_pace__descriptor);
	world_set(world, "vote_policies", &isms__v1__approval_policy__descriptor);
	world_set(world, "dossier_risk_of_request", &isms__v1__risk__descriptor);
	world_set(world, "dossier_plans_of_request", &isms__v1__treatment_plan__descriptor);
	world_set(world, "dossier_acceptances_of_request", &isms__v1__acceptance__descriptor);
	world_set(world, "dossier_requests_of_request", &isms__v1__approval_request__descriptor);
	world_add(world, "vote_request", &poll->request->base);
	world_add(world, "dossier_requests_of_request", &poll->request->base);
	world_add(world, "dossier_risk_of_request", &world->risk->base);
	world_add(world, "dossier_plans_of_request", &poll->plan->base);
	if (poll->acceptance != NULL)
		world_add(world, "dossier_acceptances_of_request", &poll->acceptance->base);
}

/* The grant of a role that decides, up to CRITICAL, long ago; made when it is not there. */
static inline Isms__Store__V1__Candidate *granted(struct poll *poll, const char *user)
{
	for (size_t i = 0; i < poll->world.facts.n_sets; i++) {
		const struct fact_set *set = &poll->world.facts.sets[i];
		for (size_t j = 0; strcmp(set->name, "vote_grants") == 0 && j < set->n; j++) {
			Isms__Store__V1__Candidate *row = (void *)set->rows[j];
			if (strcmp(row->user_id, user) == 0)
				return row;
		}
	}
	Isms__Store__V1__Candidate *row = must_new_of(poll->world.arena, Isms__Store__V1__Candidate,
						      isms__store__v1__candidate);
	row->user_id = world_text(&poll->world, user);
	row->person_id = must(arena_printf(poll->world.arena, "p-%s", user));
	row->display_name = row->user_id;
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->role_code = world_text(&poll->world, "ISMS_MANAGER");
	row->may_decide = true;
	row->max_accept_level = LEVEL(CRITICAL);
	row->granted_at = world_time(&poll->world, -100);
	world_add(&poll->world, "vote_grants", &row->base);
	return row;
}

static inline void poll_cast(struct poll *poll)
{
	poll->cast = must_new_of(poll->world.arena, Isms__V1__CastVoteRequest,
				 isms__v1__cast_vote_request);
	poll->cast->request_id = poll->request->meta->id;
	poll->cast->step_no = 1;
	poll->cast->decision = DECISION(APPROVE);
	poll->cast->snapshot_sha256 = poll->request->snapshot_sha256;
	poll->world.facts.request = &poll->cast->base;
	poll->request->meta->created_at = world_time(&poll->world, -1);
	world_caller(&poll->world, "bob", "decision.cast", "ISMS_MANAGER");
	(void)granted(poll, "bob");
}

/* A request on a mitigation; steps and people are added by the test. The caller
 * is bob, a manager. */
static inline void poll_plan(struct poll *poll)
{
	memset(poll, 0, sizeof(*poll));
	world_init(&poll->world);
	poll->plan = world_plan(&poll->world, "plan", OPTION(MITIGATE), PLAN(SUBMITTED));
	poll->plan->content->target = world_score(&poll->world, 2, 2, LEVEL(LOW));
	poll->request = world_request(&poll->world, "request", SUBJECT(TREATMENT_PLAN), "plan");
	poll_sets(poll);
	poll_cast(poll);
}

/* The same on an acceptance that holds for so many days. */
static inline void poll_acceptance(struct poll *poll, int64_t days)
{
	memset(poll, 0, sizeof(*poll));
	world_init(&poll->world);
	poll->plan = world_plan(&poll->world, "plan", OPTION(ACCEPT), PLAN(SUBMITTED));
	poll->acceptance =
		world_acceptance(&poll->world, "acceptance", "plan", ACCEPTANCE(SUBMITTED), days);
	poll->request = world_request(&poll->world, "request", SUBJECT(ACCEPTANCE), "acceptance");
	poll_sets(poll);
	poll_cast(poll);
}

static inline void poll_done(struct poll *poll)
{
	world_done(&poll->world);
}

static inline Isms__Store__V1__Assignee *ask(struct poll *poll, int32_t step_no, const char *user)
{
	Isms__Store__V1__Assignee *row = must_new_of(poll->world.arena, Isms__Store__V1__Assignee,
						     isms__store__v1__assignee);
	row->request_id = poll->request->meta->id;
	row->step_no = step_no;
	row->user_id = world_text(&poll->world, user);
	row->person_id = must(arena_printf(poll->world.arena, "p-%s", user));
	row->display_name = row->user_id;
	row->via = world_text(&poll->world, "ISMS_MANAGER");
	row->state = ASSIGNEE(PENDING);
	world_add(&poll->world, "vote_assignees", &row->base);
	(void)granted(poll, user);
	return row;
}

static inline Isms__Store__V1__Vote *voted(struct poll *poll, int32_t step_no, const char *user)
{
	Isms__Store__V1__Vote *row =
		must_new_of(poll->world.arena, Isms__Store__V1__Vote, isms__store__v1__vote);
	row->request_id = poll->request->meta->id;
	row->step_no = step_no;
	row->voter_id = world_text(&poll->world, user);
	row->voter_person = must(arena_printf(poll->world.arena, "p-%s", user));
	row->decision = DECISION(APPROVE);
	world_add(&poll->world, "vote_votes", &row->base);
	Isms__Store__V1__Account *account =
		must_new_of(poll->world.arena, Isms__Store__V1__Account, isms__store__v1__account);
	account->meta = world_meta(&poll->world, user, 1);
	account->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	world_add(&poll->world, "vote_voters", &account->base);
	return row;
}

static inline Isms__V1__PolicyStep *step(struct poll *poll, Isms__V1__StepMode mode, int32_t quorum,
					 bool distinct)
{
	return world_step(&poll->world, poll->request->steps, mode, quorum, "ISMS_MANAGER",
			  distinct);
}

/* Nothing is written, and this is the answer. */
static inline void refused(struct poll *poll, enum status_code code, const char *reason)
{
	struct status st = vote_cast(&poll->world.facts, &poll->world.plan);
	CHECK_INT(st.code, code);
	CHECK_STR(st.reason, reason);
	CHECK_INT(poll->world.plan.n_rows, 0);
	CHECK(poll->world.plan.reply == NULL);
}

static inline const Isms__V1__CastVoteResponse *accepted(struct poll *poll)
{
	struct status st = vote_cast(&poll->world.facts, &poll->world.plan);
	CHECK(status_ok(&st));
	CHECK(status_ok(&poll->world.plan.outcome));
	CHECK_INT(poll->world.plan.subject_kind, KIND_APPROVAL_REQUEST);
	return (const Isms__V1__CastVoteResponse *)(const void *)poll->world.plan.reply;
}

#endif
