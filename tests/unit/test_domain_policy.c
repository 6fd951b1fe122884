/* Approval policies: what a text may say, how few people it lets decide, what a decision
 * makes of it. */
#include "isms/v1/policy.pb-c.h"
#include "server/domain/approval_policy.h"
#include "server/domain/eligibility.h"
#include "server/domain/policy.h"
#include "server/domain/policy_change.h"
#include "server/domain/policy_check.h"
#include "server/domain/states.h"
#include "tests/unit/domain_case.h"

static const char *const ROLES[] = { "CISO", "RISK_COMMITTEE", "TOP_MANAGEMENT" };

struct step {
	int mode, quorum;
	const char *role; /* NULL: the owner of the risk */
	bool distinct;
};

static Isms__V1__PolicySteps *steps_new(struct domain_case *c, const struct step *rows, size_t n)
{
	Isms__V1__PolicySteps *steps =
		must_new_of(c->arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
	steps->steps = must(arena_array(c->arena, Isms__V1__PolicyStep *, n + 1));
	for (size_t i = 0; i < n; i++) {
		Isms__V1__PolicyStep *step =
			must_new_of(c->arena, Isms__V1__PolicyStep, isms__v1__policy_step);
		step->step_no = (int32_t)i + 1;
		step->mode = (Isms__V1__StepMode)rows[i].mode;
		step->quorum = rows[i].quorum;
		step->selector = rows[i].role == NULL ? SELECTOR(RISK_OWNER) : SELECTOR(ROLE);
		if (rows[i].role != NULL)
			step->role_code = (char *)rows[i].role;
		step->distinct_from_prior = rows[i].distinct;
		steps->steps[steps->n_steps++] = step;
	}
	return steps;
}

static Isms__V1__ApprovalPolicy *policy_new(struct domain_case *c, const char *id,
					    Isms__V1__PolicyState state, int64_t version)
{
	static const struct step three[] = { { STEP(QUORUM), 3, "RISK_COMMITTEE", false } };
	Isms__V1__ApprovalPolicy *policy =
		must_new_of(c->arena, Isms__V1__ApprovalPolicy, isms__v1__approval_policy);
	policy->meta = case_meta(c, id, version);
	policy->subject_kind = SUBJECT(ACCEPTANCE);
	policy->scope_id = (char *)CASE_SCOPE;
	policy->min_level = LEVEL(LOW);
	policy->max_level = LEVEL(CRITICAL);
	policy->title = (char *)"a policy";
	policy->steps = steps_new(c, three, 1);
	policy->state = state;
	policy->no = 4;
	return policy;
}

static struct status check(struct domain_case *c, const Isms__V1__ApprovalPolicy *policy)
{
	return policy_check(policy, "policy", ROLES, 3, c->arena);
}

static void complains(struct domain_case *c, const Isms__V1__ApprovalPolicy *policy,
		      const char *field)
{
	struct status st = check(c, policy);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(case_field(&st), field);
	CHECK_INT(st.details->n_violations, 1);
}

TEST(a_sound_text_is_taken)
{
	struct domain_case c;
	case_begin(&c);
	struct status st = check(&c, policy_new(&c, "a", POLICY(DRAFT), 1));
	CHECK(status_ok(&st));
	case_end(&c);
}

TEST(every_field_of_a_step_is_looked_at)
{
	struct domain_case c;
	case_begin(&c);
	Isms__V1__ApprovalPolicy *policy = policy_new(&c, "a", POLICY(DRAFT), 1);
	Isms__V1__PolicyStep *step = policy->steps->steps[0];
	const Isms__V1__PolicyStep sound = *step;
	static const char *const fields[] = {
		"policy.steps.steps[0].step_no",
		"policy.steps.steps[0].quorum",
		"policy.steps.steps[0].role_code",
		"policy.steps.steps[0].selector",
		"policy.steps.steps[0].escalate_to_role",
		"policy.steps.steps[0].escalate_to_role",
		"policy.steps.steps[0].escalate_after_hours",
		"policy.steps.steps[0].due_hours",
	};
	for (int i = 0; i < 8; i++) {
		policy->max_level = LEVEL(HIGH);
		*step = sound;
		if (i == 0)
			step->step_no = 0;
		if (i == 1)
			step->quorum = 0;
		if (i == 2)
			step->role_code = (char *)"AUDITOR";
		if (i == 3)
			step->selector = SELECTOR(UNSPECIFIED);
		if (i == 4) {
			step->escalate_to_role = (char *)"AUDITOR";
			step->due_hours = 1;
		}
		if (i == 5)
			step->escalate_to_role = (char *)"CISO";
		if (i == 6)
			step->escalate_after_hours = 1;
		if (i == 7)
			step->due_hours = -1;
		complains(&c, policy, fields[i]);
	}
	case_end(&c);
}

TEST(a_selector_says_what_else_a_step_may_hold)
{
	char *two[] = { CASE_ID("11"), CASE_ID("12") }, *twice[] = { CASE_ID("11"), CASE_ID("11") };
	const struct {
		int selector, quorum;
		char *role, **users;
		size_t n_users;
		int kind;
		const char *field; /* NULL: it is sound */
	} rows[] = {
		{ SELECTOR(USERS), 2, "", two, 2, SUBJECT(ACCEPTANCE), NULL },
		{ SELECTOR(USERS), 2, "", two, 2, SUBJECT(POLICY_CHANGE), NULL },
		{ SELECTOR(USERS), 3, "", two, 2, SUBJECT(ACCEPTANCE), "quorum" },
		{ SELECTOR(USERS), 2, "", twice, 2, SUBJECT(ACCEPTANCE), "user_ids" },
		{ SELECTOR(USERS), 2, "CISO", two, 2, SUBJECT(ACCEPTANCE), "role_code" },
		{ SELECTOR(ROLE), 2, "CISO", two, 1, SUBJECT(ACCEPTANCE), "user_ids" },
		{ SELECTOR(ASSET_OWNER), 2, "", NULL, 0, SUBJECT(ACCEPTANCE), NULL },
		{ SELECTOR(ASSET_OWNER), 2, "", NULL, 0, SUBJECT(POLICY_CHANGE), "selector" },
		{ SELECTOR(ASSET_OWNER), 2, "", two, 1, SUBJECT(ACCEPTANCE), "user_ids" },
		{ SELECTOR(SCOPE_OWNER), 1, "", NULL, 0, SUBJECT(ACCEPTANCE), NULL },
		{ SELECTOR(SCOPE_OWNER), 2, "", NULL, 0, SUBJECT(ACCEPTANCE), "quorum" },
		{ SELECTOR(SCOPE_OWNER), 1, "CISO", NULL, 0, SUBJECT(ACCEPTANCE), "role_code" },
	};
	struct domain_case c;
	case_begin(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Isms__V1__ApprovalPolicy *policy = policy_new(&c, "a", POLICY(DRAFT), 1);
		Isms__V1__PolicyStep *step = policy->steps->steps[0];
		policy->subject_kind = (Isms__V1__SubjectKind)rows[i].kind;
		if (rows[i].kind == SUBJECT(ACCEPTANCE))
			policy->max_level = LEVEL(HIGH);
		step->selector = (Isms__V1__StepSelector)rows[i].selector;
		step->quorum = rows[i].quorum;
		step->role_code = rows[i].role;
		step->user_ids = rows[i].users;
		step->n_user_ids = rows[i].n_users;
		struct status st = check(&c, policy);
		if (rows[i].field == NULL)
			CHECK(status_ok(&st));
		else
			complains(&c, policy,
				  must(arena_printf(c.arena, "policy.steps.steps[0].%s",
						    rows[i].field)));
	}
	case_end(&c);
}

TEST(nobody_and_too_many_are_not_named)
{
	struct domain_case c;
	case_begin(&c);
	char *ids[17];
	for (size_t i = 0; i < 17; i++)
		ids[i] = must(arena_printf(c.arena, "u%zu", i));
	for (size_t n = 0; n <= 17; n += 17) {
		Isms__V1__ApprovalPolicy *policy = policy_new(&c, "a", POLICY(DRAFT), 1);
		Isms__V1__PolicyStep *step = policy->steps->steps[0];
		policy->max_level = LEVEL(HIGH);
		step->selector = SELECTOR(USERS);
		step->mode = STEP(ANY);
		step->quorum = 0;
		step->role_code = (char *)"";
		step->user_ids = ids;
		step->n_user_ids = n;
		CHECK(!policy_steps_valid(policy->steps));
		complains(&c, policy, "policy.steps.steps[0].user_ids");
	}
	case_end(&c);
}

TEST(more_than_eight_steps_and_none_are_refused)
{
	struct domain_case c;
	case_begin(&c);
	struct step rows[9];
	for (size_t i = 0; i < 9; i++)
		rows[i] = (struct step){ STEP(ANY), 0, "CISO", i > 0 };
	Isms__V1__ApprovalPolicy *policy = policy_new(&c, "a", POLICY(DRAFT), 1);
	policy->steps = steps_new(&c, rows, 8);
	struct status st = check(&c, policy);
	CHECK(status_ok(&st));
	policy->steps = steps_new(&c, rows, 9);
	complains(&c, policy, "policy.steps.steps");
	policy->steps = steps_new(&c, rows, 0);
	complains(&c, policy, "policy.steps.steps");
	policy->repeals = true;
	st = check(&c, policy);
	CHECK(status_ok(&st));
	policy->steps = steps_new(&c, rows, 1);
	complains(&c, policy, "policy.steps");
	case_end(&c);
}

/* The fewest persons by trying all ways: on each step so many of six vote, on a step
 * that wants other people none who voted before. */
static size_t fewest(const struct step *rows, size_t n, unsigned voted)
{
	if (n == 0)
		return (size_t)__builtin_popcount(voted);
	size_t best = SIZE_MAX;
	unsigned needs = rows->mode == STEP(QUORUM) ? (unsigned)rows->quorum : 1;
	for (unsigned who = 0; who < 64; who++) {
		if ((unsigned)__builtin_popcount(who) != needs || (rows->distinct && (who & voted)))
			continue;
		size_t found = fewest(rows + 1, n - 1, voted | who);
		best = found < best ? found : best;
	}
	return best;
}

TEST(how_few_decide_is_what_trying_all_ways_finds)
{
	struct domain_case c;
	case_begin(&c);
	for (unsigned seed = 0; seed < 6 * 6 * 6; seed++) {
		struct step rows[3];
		unsigned rest = seed;
		for (size_t i = 0; i < 3; i++, rest /= 6) {
			unsigned needs = rest % 3;
			rows[i] = (struct step){ needs == 0 ? STEP(ANY) : STEP(QUORUM), (int)needs,
						 "CISO", rest % 6 >= 3 };
		}
		size_t want = fewest(rows, 3, 0);
		if (want <= 6)
			CHECK_INT(policy_fewest_persons(steps_new(&c, rows, 3)), want);
	}
	case_end(&c);
}

TEST(what_is_critical_takes_three_and_a_change_of_policies_two)
{
	struct domain_case c;
	case_begin(&c);
	static const struct step two[] = { { STEP(ANY), 0, "CISO", false },
					   { STEP(ANY), 0, "TOP_MANAGEMENT", true } };
	Isms__V1__ApprovalPolicy *policy = policy_new(&c, "a", POLICY(DRAFT), 1);
	policy->steps = steps_new(&c, two, 2);
	complains(&c, policy, "policy.steps");
	policy->max_level = LEVEL(HIGH);
	struct status st = check(&c, policy);
	CHECK(status_ok(&st));
	policy->subject_kind = SUBJECT(POLICY_CHANGE);
	policy->max_level = LEVEL(CRITICAL);
	st = check(&c, policy);
	CHECK(status_ok(&st));
	policy->steps->steps[1]->distinct_from_prior = false;
	complains(&c, policy, "policy.steps");
	case_end(&c);
}

/* --- what a decision makes of it ---------------------------------------------------- */

struct decided {
	struct domain_case c;
	Isms__V1__ApprovalPolicy *draft, *old;
	Isms__V1__ApprovalRequest request;
	struct policy_change change;
};

static void decided_begin(struct decided *d)
{
	case_begin(&d->c);
	d->draft = policy_new(&d->c, CASE_ID("01"), POLICY(SUBMITTED), 3);
	d->old = policy_new(&d->c, CASE_ID("02"), POLICY(ACTIVE), 5);
	d->draft->replaces_id = d->old->meta->id;
	d->draft->replaces_version = 5;
	isms__v1__approval_request__init(&d->request);
	d->request.subject_id = d->draft->meta->id;
	d->request.subject_version = 3;
	case_row(&d->c, "vote_policies", &d->draft->base);
	case_row(&d->c, "vote_policies", &d->old->base);
}

static bool found(struct decided *d)
{
	return policy_change_find(&d->change, &d->c.facts, "vote_policies", &d->request);
}

static Isms__V1__PolicyState written(const struct decided *d, const char *id)
{
	for (size_t i = 0; i < d->c.plan.n_rows; i++) {
		const Isms__V1__ApprovalPolicy *row = (const void *)d->c.plan.rows[i].after;
		if (strcmp(row->meta->id, id) == 0)
			return row->state;
	}
	return POLICY(UNSPECIFIED);
}

TEST(each_end_of_the_request_has_its_state)
{
	static const struct {
		Isms__V1__ApprovalState end;
		Isms__V1__PolicyState draft, old;
		bool repeals;
	} rows[] = {
		{ APPROVAL(APPROVED), POLICY(ACTIVE), POLICY(RETIRED), false },
		{ APPROVAL(APPROVED), POLICY(RETIRED), POLICY(RETIRED), true },
		{ APPROVAL(REJECTED), POLICY(REJECTED), POLICY(UNSPECIFIED), false },
		{ APPROVAL(CHANGES_REQUESTED), POLICY(CHANGES_REQUESTED), POLICY(UNSPECIFIED),
		  false },
		{ APPROVAL(WITHDRAWN), POLICY(WITHDRAWN), POLICY(UNSPECIFIED), false },
		{ APPROVAL(EXPIRED), POLICY(DRAFT), POLICY(UNSPECIFIED), false },
		{ APPROVAL(STALE), POLICY(DRAFT), POLICY(UNSPECIFIED), true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decided d;
		decided_begin(&d);
		d.draft->repeals = rows[i].repeals;
		CHECK(found(&d));
		policy_change_outcome(&d.change, &d.c.plan, rows[i].end);
		CHECK_INT(written(&d, CASE_ID("01")), rows[i].draft);
		CHECK_INT(written(&d, CASE_ID("02")), rows[i].old);
		CHECK_INT(d.change.changed->meta->version, 4);
		case_end(&d.c);
	}
}

TEST(what_has_moved_is_stale_and_goes_back)
{
	for (int i = 0; i < 5; i++) {
		struct decided d;
		decided_begin(&d);
		if (i == 0)
			d.old->meta->version = 6;
		if (i == 1)
			d.old->state = POLICY(RETIRED);
		if (i == 2)
			d.c.facts.sets[0].n = 1; /* it is not there */
		if (i == 3)
			d.draft->meta->version = 4;
		if (i == 4)
			d.draft->state = POLICY(DRAFT);
		CHECK(!found(&d));
		policy_change_outcome(&d.change, &d.c.plan, APPROVAL(STALE));
		CHECK_INT(written(&d, CASE_ID("01")), i < 4 ? POLICY(DRAFT) : POLICY(UNSPECIFIED));
		CHECK_INT(written(&d, CASE_ID("02")), POLICY(UNSPECIFIED));
		case_end(&d.c);
	}
}

TEST(a_policy_that_replaces_none_needs_none)
{
	struct decided d;
	decided_begin(&d);
	d.draft->replaces_id = (char *)"";
	d.draft->replaces_version = 0;
	CHECK(found(&d) && d.change.replaced == NULL);
	policy_change_outcome(&d.change, &d.c.plan, APPROVAL(APPROVED));
	CHECK_INT(written(&d, CASE_ID("01")), POLICY(ACTIVE));
	CHECK_INT(d.c.plan.n_rows, 1);
	case_end(&d.c);
}

/* --- drafting -------------------------------------------------------------------------- */

struct drafting {
	struct domain_case c;
	Isms__V1__ApprovalPolicy *old;
	Isms__V1__PolicyFields fields;
	struct policy_proposal proposal;
};

static void found_row(struct domain_case *c, const char *set, const char *id)
{
	Isms__Store__V1__Found *row =
		must_new_of(c->arena, Isms__Store__V1__Found, isms__store__v1__found);
	row->id = (char *)id;
	case_row(c, set, &row->base);
}

static void drafting_begin(struct drafting *d)
{
	case_begin(&d->c);
	d->old = policy_new(&d->c, CASE_ID("02"), POLICY(ACTIVE), 5);
	d->old->min_level = LEVEL(HIGH);
	d->old->max_level = LEVEL(HIGH);
	isms__v1__policy_fields__init(&d->fields);
	d->fields.title = (char *)"another text";
	d->fields.steps = d->old->steps;
	d->proposal = (struct policy_proposal){
		.scope_id = (char *)CASE_SCOPE,
		.subject_kind = SUBJECT(ACCEPTANCE),
		.replaces_id = d->old->meta->id,
		.fields = &d->fields,
	};
	case_row(&d->c, "policy_to_replace", &d->old->base);
	found_row(&d->c, "policy_roles", "RISK_COMMITTEE");
	found_row(&d->c, "policy_root", CASE_SCOPE);
}

TEST(a_replacement_takes_over_what_it_leaves_open)
{
	struct drafting d;
	drafting_begin(&d);
	Isms__V1__ApprovalPolicy *draft = NULL;
	struct status st = policy_propose(&draft, &d.c.facts, &d.proposal);
	CHECK(status_ok(&st));
	CHECK_INT(draft->no, 5);
	CHECK_INT(draft->min_level, LEVEL(HIGH));
	CHECK_INT(draft->max_level, LEVEL(HIGH));
	CHECK_INT(draft->state, POLICY(DRAFT));
	CHECK_STR(draft->author_id, CASE_ACTOR);
	CHECK_INT(draft->n_contributor_ids, 1);
	case_end(&d.c);
}

TEST(what_is_replaced_must_fit)
{
	static const char *const fields[] = { "replaces_id", "scope_id", "subject_kind", "repeals",
					      "fields.title" };
	for (int i = 0; i < 5; i++) {
		struct drafting d;
		drafting_begin(&d);
		if (i == 0)
			d.old->state = POLICY(RETIRED);
		if (i == 1)
			d.proposal.scope_id = (char *)CASE_ID("77");
		if (i == 2)
			d.proposal.subject_kind = SUBJECT(TREATMENT_PLAN);
		if (i == 3) {
			d.proposal.subject_kind = d.old->subject_kind = SUBJECT(POLICY_CHANGE);
			d.proposal.repeals = true;
		}
		if (i == 4)
			d.fields.title = (char *)"  ";
		Isms__V1__ApprovalPolicy *draft = NULL;
		struct status st = policy_propose(&draft, &d.c.facts, &d.proposal);
		CHECK_STR(case_field(&st), fields[i]);
		CHECK(draft == NULL);
		case_end(&d.c);
	}
}

/* --- submitting ------------------------------------------------------------------------ */

static void member(struct domain_case *c, const char *person)
{
	Isms__Store__V1__Candidate *row =
		must_new_of(c->arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
	row->user_id = row->person_id = (char *)person;
	row->role_code = (char *)"RISK_COMMITTEE";
	row->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	row->may_decide = true;
	row->granted_at = must(pb_time_new(c->arena, c->facts.now_us - 1));
	row->granted_by_persons = c->persons; /* lately, by whoever asks */
	row->n_granted_by_persons = 1;
	case_row(c, "candidates_for_policy", &row->base);
}

TEST(a_change_of_policies_leaves_enough_people_besides_whoever_asks)
{
	static const char *const others[] = { "p-1", "p-2", "p-3" };
	char *named[] = { "p-1", "p-2", "p-4" };
	for (size_t n = 2; n <= 4; n++) {
		struct domain_case c;
		case_begin(&c);
		Isms__V1__SubmitPolicyRequest request;
		isms__v1__submit_policy_request__init(&request);
		c.facts.request = &request.base;
		Isms__V1__ApprovalPolicy *draft = policy_new(&c, CASE_ID("01"), POLICY(DRAFT), 1);
		draft->subject_kind = SUBJECT(POLICY_CHANGE);
		case_row(&c, "policy_for_write", &draft->base);
		case_none(&c, "policy_replaced", &isms__v1__approval_policy__descriptor);
		case_none(&c, "policy_for_policy", &isms__v1__approval_policy__descriptor);
		found_row(&c, "policy_roles", "RISK_COMMITTEE");
		member(&c, CASE_PERSON);
		for (size_t i = 0; i < n && i < 3; i++)
			member(&c, others[i]);
		if (n == 4) { /* who is named must be there as well */
			Isms__V1__PolicyStep *step = draft->steps->steps[0];
			step->selector = SELECTOR(USERS);
			step->role_code = (char *)"";
			step->user_ids = named;
			step->n_user_ids = 3;
		}
		struct status st = policy_submit(&c.facts, &c.plan);
		CHECK_STR(st.reason, n == 2   ? "POLICY_UNUSABLE"
				     : n == 3 ? "NO_POLICY"
					      : "INVALID_FIELD");
		CHECK_STR(case_field(&st), n == 4 ? "policy.steps.steps[0].user_ids" : "");
		case_end(&c);
	}
}

TAP_MAIN
