/* Who may, why not: the parts that need no server. What a vote would say is compared with
 * votes over the API. */
#include "server/domain/can_i.h"

#include "isms/store/v1/decision.pb-c.h"
#include "isms/store/v1/insight.pb-c.h"
#include "server/domain/states.h"
#include "tests/unit/domain_case.h"

#define OBJECT CASE_ID("01")
#define OTHER  CASE_ID("02")

struct question {
	struct domain_case c;
	struct facts_limits limits;
	Isms__V1__CanIRequest request;
	Isms__Store__V1__AskedObject *object;
	Isms__Store__V1__AskedUser *user;
};

static char **texts(struct domain_case *c, const char *text)
{
	char **list = must(arena_array(c->arena, char *, 1));
	list[0] = (char *)text;
	return list;
}

static Isms__Store__V1__AskedUser *somebody(struct question *q, const char *set, const char *id,
					    const char *permission)
{
	Isms__Store__V1__AskedUser *user =
		must_new_of(q->c.arena, Isms__Store__V1__AskedUser, isms__store__v1__asked_user);
	user->user_id = (char *)id;
	user->person_id = must(arena_printf(q->c.arena, "p-%s", id));
	user->display_name = (char *)id;
	user->kind = ISMS__V1__USER_KIND__USER_KIND_HUMAN;
	user->state = ISMS__V1__USER_STATE__USER_STATE_ACTIVE;
	user->permissions = texts(&q->c, permission);
	user->n_permissions = 1;
	user->role_codes = texts(&q->c, "CISO");
	user->n_role_codes = 1;
	case_row(&q->c, set, &user->base);
	return user;
}

static void question_begin(struct question *q, const char *kind, const char *permission)
{
	memset(q, 0, sizeof(*q));
	case_begin(&q->c);
	q->c.facts.limits = &q->limits;
	isms__v1__can_irequest__init(&q->request);
	q->request.permission = (char *)permission;
	q->request.object_id = (char *)OBJECT;
	q->c.facts.request = &q->request.base;
	q->object = must_new_of(q->c.arena, Isms__Store__V1__AskedObject,
				isms__store__v1__asked_object);
	q->object->kind = (char *)kind;
	q->object->scope_id = (char *)CASE_SCOPE;
	q->object->owner_id = (char *)OTHER;
	q->object->known = true;
	q->object->may_see_names = true;
	case_row(&q->c, "can_i_object", &q->object->base);
	case_none(&q->c, "can_i_holders", &isms__store__v1__asked_user__descriptor);
	case_none(&q->c, "can_i_people", &isms__store__v1__asked_user__descriptor);
}

static const Isms__V1__CanIResponse *answer(struct question *q)
{
	struct status st = can_i(&q->c.facts, &q->c.plan);
	CHECK(status_ok(&st));
	CHECK_INT(q->c.plan.n_rows, 0);
	return (const void *)q->c.plan.reply;
}

static void refused(struct question *q, const char *reason)
{
	struct status st = can_i(&q->c.facts, &q->c.plan);
	CHECK_STR(case_reason(&st), reason);
	CHECK(q->c.plan.reply == NULL);
}

TEST(a_permission_is_held_or_missing)
{
	struct question q;
	question_begin(&q, "risk", "risk.write");
	q.user = somebody(&q, "can_i_user", CASE_ACTOR, "risk.write");
	CHECK(answer(&q)->allowed);
	q.user->permissions[0] = (char *)"risk.write.own";
	const Isms__V1__CanIResponse *reply = answer(&q);
	CHECK(!reply->allowed);
	CHECK_STR(reply->reason, "PERMISSION_MISSING");
	CHECK_STR(reply->missing_permission, "risk.write");
	q.object->owner_id = (char *)CASE_ACTOR;
	CHECK(answer(&q)->allowed);
	q.user->state = ISMS__V1__USER_STATE__USER_STATE_DEACTIVATED;
	CHECK_STR(answer(&q)->reason, "ACCOUNT_INACTIVE");
	case_end(&q.c);
}

TEST(who_may_not_ask_is_told_nothing)
{
	struct question q;
	question_begin(&q, "risk", "risk.write");
	q.user = somebody(&q, "can_i_user", OTHER, "risk.write");
	q.request.user_id = (char *)OTHER;
	refused(&q, "PERMISSION_MISSING");
	q.object->may_ask_for_others = true;
	CHECK(answer(&q)->allowed);
	q.c.plan.reply = NULL;
	q.object->known = false;
	refused(&q, "INVALID_FIELD");
	case_end(&q.c);
	question_begin(&q, "risk", "risk.write");
	case_none(&q.c, "can_i_user", &isms__store__v1__asked_user__descriptor);
	refused(&q, "NOT_FOUND");
	q.c.facts.sets[0].n = 0; /* the object is not to be seen */
	refused(&q, "NOT_FOUND");
	case_end(&q.c);
}

TEST(names_are_cut_and_need_the_right_to_read_them)
{
	struct question q;
	question_begin(&q, "risk", "risk.write");
	somebody(&q, "can_i_user", CASE_ACTOR, "risk.write");
	for (int i = 0; i <= CAN_I_NAMES_MAX; i++)
		somebody(&q, "can_i_holders", must(arena_printf(q.c.arena, "u-%d", i)),
			 "risk.write");
	const Isms__V1__CanIResponse *reply = answer(&q);
	CHECK_INT(reply->n_who_can, CAN_I_NAMES_MAX);
	CHECK(reply->more);
	CHECK_INT(reply->who_can[0]->n_role_codes, 0);
	q.object->may_ask_for_others = true;
	CHECK_INT(answer(&q)->who_can[0]->n_role_codes, 1);
	q.object->may_see_names = false;
	CHECK_INT(answer(&q)->n_who_can, 0);
	case_end(&q.c);
}

/* --- votes ---------------------------------------------------------------------------- */

static void asks(struct question *q, Isms__V1__ApprovalState state)
{
	Isms__V1__ApprovalRequest *request =
		must_new_of(q->c.arena, Isms__V1__ApprovalRequest, isms__v1__approval_request);
	Isms__V1__PolicyStep *step =
		must_new_of(q->c.arena, Isms__V1__PolicyStep, isms__v1__policy_step);
	request->meta = case_meta(&q->c, OBJECT, 1);
	request->meta->created_at = must(pb_time_new(q->c.arena, CASE_NOW_US - CASE_HOUR_US));
	request->level = LEVEL(HIGH);
	request->state = state;
	request->current_step = state == APPROVAL(PENDING) ? 1 : 0;
	request->requested_by_person = (char *)"p-asker";
	request->snapshot_sha256 = (ProtobufCBinaryData){ 32, must(arena_alloc(q->c.arena, 32)) };
	request->steps = must_new_of(q->c.arena, Isms__V1__PolicySteps, isms__v1__policy_steps);
	request->steps->steps = must(arena_array(q->c.arena, Isms__V1__PolicyStep *, 1));
	request->steps->steps[request->steps->n_steps++] = step;
	step->step_no = 1;
	step->mode = STEP(ANY);
	step->selector = SELECTOR(ROLE);
	step->role_code = (char *)"CISO";
	case_row(&q->c, "can_i_request", &request->base);
	case_none(&q->c, "can_i_assignees", &isms__store__v1__assignee__descriptor);
	case_none(&q->c, "can_i_voters", &isms__store__v1__account__descriptor);
	case_none(&q->c, "can_i_votes", &isms__store__v1__vote__descriptor);
	case_none(&q->c, "can_i_grants", &isms__store__v1__candidate__descriptor);
	case_none(&q->c, "can_i_delegations", &isms__store__v1__held_delegation__descriptor);
	case_none(&q->c, "can_i_pace", &isms__store__v1__decision_pace__descriptor);
}

static void seat(struct question *q, const Isms__Store__V1__AskedUser *user)
{
	Isms__Store__V1__Assignee *row =
		must_new_of(q->c.arena, Isms__Store__V1__Assignee, isms__store__v1__assignee);
	Isms__Store__V1__Candidate *grant =
		must_new_of(q->c.arena, Isms__Store__V1__Candidate, isms__store__v1__candidate);
	pb_copy_same(&row->base, &user->base);
	pb_copy_same(&grant->base, &user->base);
	row->step_no = 1;
	row->state = ASSIGNEE(PENDING);
	row->via = (char *)"CISO";
	grant->role_code = (char *)"CISO";
	grant->may_decide = true;
	grant->max_accept_level = LEVEL(CRITICAL);
	grant->granted_at = must(pb_time_new(q->c.arena, CASE_NOW_US - 100 * CASE_HOUR_US));
	case_row(&q->c, "can_i_assignees", &row->base);
	case_row(&q->c, "can_i_grants", &grant->base);
}

TEST(who_is_asked_may_vote_unless_too_fast)
{
	struct question q;
	question_begin(&q, "approval_request", "decision.cast");
	asks(&q, APPROVAL(PENDING));
	q.user = somebody(&q, "can_i_user", CASE_ACTOR, "risk.read");
	somebody(&q, "can_i_people", CASE_ACTOR, "risk.read");
	somebody(&q, "can_i_people", OTHER, "risk.read");
	CHECK_STR(answer(&q)->reason, "PERMISSION_MISSING");
	CHECK_STR(answer(&q)->missing_permission, "decision.cast");
	seat(&q, q.user);
	const Isms__V1__CanIResponse *reply = answer(&q);
	CHECK(reply->allowed);
	CHECK_INT(reply->n_who_can, 1);
	CHECK_STR(reply->who_can[0]->user_id, CASE_ACTOR);

	Isms__Store__V1__DecisionPace *pace = must_new_of(q.c.arena, Isms__Store__V1__DecisionPace,
							  isms__store__v1__decision_pace);
	pace->votes = 9;
	pace->window_began_at = must(pb_time_new(q.c.arena, CASE_NOW_US - CASE_HOUR_US / 2));
	q.limits.decisions_per_hour = 5;
	case_row(&q.c, "can_i_pace", &pace->base);
	CHECK_STR(answer(&q)->reason, "DECISION_RATE");

	q.limits.decisions_per_hour = 0;
	q.user->permissions[0] = (char *)"scope.read";
	CHECK_STR(answer(&q)->missing_permission, "risk.read");
	case_end(&q.c);
}

TEST(a_closed_request_is_closed_for_all)
{
	struct question q;
	question_begin(&q, "approval_request", "decision.cast");
	asks(&q, APPROVAL(APPROVED));
	q.user = somebody(&q, "can_i_user", CASE_ACTOR, "risk.read");
	somebody(&q, "can_i_people", CASE_ACTOR, "risk.read");
	seat(&q, q.user);
	const Isms__V1__CanIResponse *reply = answer(&q);
	CHECK_STR(reply->reason, "CLOSED");
	CHECK_INT(reply->n_who_can, 0);
	case_end(&q.c);
}

TAP_MAIN
