/* Trying out a policy: which requests are concerned, who is asked then, and what is said
 * of lists that were cut. */
#include "isms/store/v1/insight.pb-c.h"
#include "isms/v1/policy.pb-c.h"
#include "server/domain/policy_simulation.h"
#include "server/domain/states.h"
#include "tests/unit/domain_case.h"

#define DRAFT CASE_ID("01")
#define OLD   CASE_ID("02")
#define NEAR  CASE_ID("a1")
#define FAR   CASE_ID("a2")

struct trial {
	struct domain_case c;
	Isms__V1__SimulatePolicyRequest request;
	Isms__V1__ApprovalPolicy *draft;
};

static Isms__V1__PolicySteps *one_step(struct domain_case *c, const char *role)
{
	Isms__V1__PolicySteps *steps =
		must_new_of(c->arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
	Isms__V1__PolicyStep *step =
		must_new_of(c->arena, Isms__V1__PolicyStep, isms__v1__policy_step);
	steps->steps = must(arena_array(c->arena, Isms__V1__PolicyStep *, 1));
	steps->steps[steps->n_steps++] = step;
	step->step_no = 1;
	step->mode = STEP(ANY);
	step->selector = SELECTOR(ROLE);
	step->role_code = (char *)role;
	return steps;
}

/* A set with room for many rows. */
static void large_set(struct trial *t, const char *name, const ProtobufCMessageDescriptor *type)
{
	struct fact_set *set = case_set(&t->c, name, type);
	set->rows = must(arena_array(t->c.arena, ProtobufCMessage *, 4100));
}

static void add(struct trial *t, const char *name, ProtobufCMessage *row)
{
	struct fact_set *set = case_set(&t->c, name, row->descriptor);
	set->rows[set->n++] = row;
}

static void trial_begin(struct trial *t)
{
	memset(t, 0, sizeof(*t));
	case_begin(&t->c);
	arena_free(t->c.arena);
	t->c.arena = t->c.facts.arena = t->c.plan.arena = arena_new(32 << 20);
	isms__v1__simulate_policy_request__init(&t->request);
	t->request.policy_id = (char *)DRAFT;
	t->c.facts.request = &t->request.base;
	t->draft = must_new_of(t->c.arena, Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	t->draft->meta = case_meta(&t->c, DRAFT, 1);
	t->draft->subject_kind = SUBJECT(ACCEPTANCE);
	t->draft->scope_id = (char *)CASE_SCOPE;
	t->draft->state = POLICY(DRAFT);
	t->draft->min_level = t->draft->max_level = LEVEL(HIGH);
	t->draft->steps = one_step(&t->c, "CISO");
	add(t, "simulated_policy", &t->draft->base);
	large_set(t, "simulation_requests", &isms__store__v1__simulated_request__descriptor);
	large_set(t, "simulation_seats", &isms__store__v1__simulated_seat__descriptor);
	large_set(t, "simulation_grants", &isms__store__v1__simulated_grant__descriptor);
}

static Isms__Store__V1__SimulatedRequest *request(struct trial *t, const char *id,
						  const char *scope, bool by_draft)
{
	Isms__Store__V1__SimulatedRequest *row = must_new_of(
		t->c.arena, Isms__Store__V1__SimulatedRequest, isms__store__v1__simulated_request);
	row->id = (char *)id;
	row->scope_id = (char *)scope;
	row->level = LEVEL(HIGH);
	row->requested_by_person = (char *)"p-asker";
	row->steps = one_step(&t->c, "ISMS_MANAGER");
	row->policy_now = (char *)OLD;
	row->policy_then = (char *)(by_draft ? DRAFT : OLD);
	row->by_draft = by_draft;
	row->readable = true;
	add(t, "simulation_requests", &row->base);
	return row;
}

static void seat(struct trial *t, const char *request_id, const char *user)
{
	Isms__Store__V1__SimulatedSeat *row = must_new_of(
		t->c.arena, Isms__Store__V1__SimulatedSeat, isms__store__v1__simulated_seat);
	row->request_id = (char *)request_id;
	row->user_id = row->display_name = (char *)user;
	add(t, "simulation_seats", &row->base);
}

static void grant(struct trial *t, const char *scope, const char *user, const char *role)
{
	Isms__Store__V1__SimulatedGrant *row = must_new_of(
		t->c.arena, Isms__Store__V1__SimulatedGrant, isms__store__v1__simulated_grant);
	row->scope_id = (char *)scope;
	row->user_id = row->display_name = (char *)user;
	row->person_id = must(arena_printf(t->c.arena, "p-%s", user));
	row->role_code = (char *)role;
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->max_accept_level = LEVEL(CRITICAL);
	row->may_decide = true;
	row->granted_at = must(pb_time_new(t->c.arena, CASE_NOW_US - 100 * CASE_HOUR_US));
	add(t, "simulation_grants", &row->base);
}

static const Isms__V1__SimulatePolicyResponse *tried(struct trial *t)
{
	struct status st = policy_simulate(&t->c.facts, &t->c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(t->c.plan.n_rows, 0);
	return (const void *)t->c.plan.reply;
}

TEST(who_comes_and_who_goes_is_named)
{
	struct trial t;
	trial_begin(&t);
	request(&t, CASE_ID("11"), CASE_SCOPE, true);
	request(&t, CASE_ID("12"), CASE_SCOPE, false); /* decided by another policy */
	seat(&t, CASE_ID("11"), "manager");
	seat(&t, CASE_ID("11"), "both");
	grant(&t, CASE_SCOPE, "both", "CISO");
	grant(&t, CASE_SCOPE, "ciso", "CISO");
	grant(&t, CASE_SCOPE, "asker", "CISO");
	const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
	CHECK_INT(reply->looked_at, 2);
	CHECK_INT(reply->n_effects, 1);
	const Isms__V1__SimulatedEffect *effect = reply->effects[0];
	CHECK_INT(effect->n_added, 1);
	CHECK_STR(effect->added[0], "ciso");
	CHECK_INT(effect->n_removed, 1);
	CHECK_STR(effect->removed[0], "manager");
	CHECK_STR(effect->problem, "");
	CHECK_INT(reply->n_people, 2);
	CHECK_INT(reply->n_levels, 1);
	CHECK_STR(reply->levels[0]->problem, "");
	case_end(&t.c);
}

TEST(nobody_left_and_no_policy_are_problems)
{
	struct trial t;
	trial_begin(&t);
	t.draft->replaces_id = (char *)OLD;
	request(&t, CASE_ID("11"), CASE_SCOPE, true);
	request(&t, CASE_ID("12"), CASE_SCOPE, false)->policy_then = (char *)"";
	grant(&t, CASE_SCOPE, "asker", "CISO");
	const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
	CHECK_INT(reply->n_effects, 2);
	CHECK_STR(reply->effects[0]->problem, "NO_ELIGIBLE_APPROVER");
	CHECK_INT(reply->effects[0]->problem_step, 1);
	CHECK_STR(reply->effects[1]->problem, "NO_POLICY");
	CHECK(reply->effects[1]->steps_then == NULL);
	case_end(&t.c);
}

TEST(owners_of_scope_and_assets_and_who_is_named_are_found)
{
	static const int selectors[] = { SELECTOR(SCOPE_OWNER), SELECTOR(ASSET_OWNER),
					 SELECTOR(USERS) };
	char *assets[] = { "asset" }, *named[] = { "named" };
	for (size_t i = 0; i < 3; i++) {
		struct trial t;
		trial_begin(&t);
		Isms__V1__PolicyStep *step = t.draft->steps->steps[0];
		step->selector = (Isms__V1__StepSelector)selectors[i];
		step->role_code = (char *)"";
		step->user_ids = named;
		step->n_user_ids = 1;
		Isms__Store__V1__SimulatedRequest *row =
			request(&t, CASE_ID("11"), CASE_SCOPE, true);
		row->asset_owner_ids = assets;
		row->n_asset_owner_ids = 1;
		seat(&t, CASE_ID("11"), "manager");
		grant(&t, CASE_SCOPE, "asset", "CISO");
		grant(&t, CASE_SCOPE, "named", "CISO");
		grant(&t, CASE_SCOPE, "scope", "CISO");
		((Isms__Store__V1__SimulatedGrant *)(void *)case_set(
			 &t.c, "simulation_grants", &isms__store__v1__simulated_grant__descriptor)
			 ->rows[2])
			->scope_owner = true;
		const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
		CHECK_INT(reply->n_effects, 1);
		CHECK_INT(reply->effects[0]->n_added, 1);
		CHECK_STR(reply->effects[0]->added[0], i == 0   ? "scope"
						       : i == 1 ? "asset"
								: "named");
		CHECK_STR(reply->levels[0]->problem, "");
		case_end(&t.c);
	}
}

TEST(what_stays_as_it_is_is_no_effect)
{
	struct trial t;
	trial_begin(&t);
	request(&t, CASE_ID("11"), CASE_SCOPE, true)->steps = t.draft->steps;
	seat(&t, CASE_ID("11"), "ciso");
	grant(&t, CASE_SCOPE, "ciso", "CISO");
	const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
	CHECK_INT(reply->looked_at, 1);
	CHECK_INT(reply->n_effects, 0);
	case_end(&t.c);
}

TEST(what_may_not_be_read_is_only_counted)
{
	struct trial t;
	trial_begin(&t);
	request(&t, CASE_ID("11"), CASE_SCOPE, true)->readable = false;
	grant(&t, CASE_SCOPE, "ciso", "CISO");
	const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
	CHECK_INT(reply->n_effects, 0);
	CHECK_INT(reply->hidden, 1);
	case_end(&t.c);
}

TEST(requests_beyond_the_most_are_not_looked_at)
{
	struct trial t;
	trial_begin(&t);
	for (int i = 0; i <= SIMULATION_REQUESTS_MAX; i++)
		request(&t, must(arena_printf(t.c.arena, "r-%03d", i)), CASE_SCOPE, true);
	grant(&t, CASE_SCOPE, "ciso", "CISO");
	const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
	CHECK_INT(reply->looked_at, SIMULATION_REQUESTS_MAX);
	CHECK_INT(reply->n_effects, SIMULATION_REQUESTS_MAX);
	CHECK(reply->cut);
	case_end(&t.c);
}

/* Of the scope, or the request, at which a list was cut nothing is said. */
TEST(what_was_cut_is_not_guessed)
{
	for (int cut = 0; cut < 3; cut++) {
		struct trial t;
		trial_begin(&t);
		t.draft->scope_id = (char *)NEAR;
		request(&t, CASE_ID("11"), NEAR, true);
		request(&t, CASE_ID("12"), FAR, true);
		grant(&t, NEAR, "ciso", "CISO");
		for (int i = 0; cut == 1 && i < SIMULATION_GRANTS_MAX; i++)
			grant(&t, FAR, must(arena_printf(t.c.arena, "u-%d", i)), "AUDITOR");
		seat(&t, CASE_ID("11"), "manager");
		for (int i = 0; cut == 2 && i < SIMULATION_SEATS_MAX; i++)
			seat(&t, CASE_ID("12"), must(arena_printf(t.c.arena, "u-%d", i)));
		const Isms__V1__SimulatePolicyResponse *reply = tried(&t);
		CHECK_INT(reply->looked_at, cut == 0 ? 2 : 1);
		CHECK_INT(reply->n_effects, cut == 0 ? 2 : 1);
		CHECK_INT(reply->cut, cut != 0);
		CHECK_STR(reply->effects[0]->request_id, CASE_ID("11"));
		case_end(&t.c);
	}
}

TEST(only_what_is_not_decided_is_tried)
{
	for (int state = POLICY(DRAFT); state <= POLICY(RETIRED); state++) {
		struct trial t;
		trial_begin(&t);
		t.draft->state = (Isms__V1__PolicyState)state;
		struct status st = policy_simulate(&t.c.facts, &t.c.plan);
		bool open = state == POLICY(DRAFT) || state == POLICY(SUBMITTED) ||
			    state == POLICY(CHANGES_REQUESTED);
		CHECK_STR(case_reason(&st), open ? "" : "ILLEGAL_STATE");
		case_end(&t.c);
	}
}

TAP_MAIN
