/* What differs between two decisions: named by field, without what only tells one request
 * from another. */
#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "server/domain/snapshot_diff.h"
#include "server/domain/states.h"
#include "tests/unit/domain_case.h"

static ProtobufCBinaryData packed(struct domain_case *c, const ProtobufCMessage *message)
{
	ProtobufCBinaryData out;
	out.data = must(pb_pack(&out.len, message, c->arena));
	return out;
}

struct decision {
	Isms__V1__Acceptance acceptance;
	Isms__V1__Risk risk;
	Isms__V1__Score score;
	Isms__V1__DecisionSnapshot snapshot;
};

static void decision_begin(struct decision *d)
{
	isms__v1__acceptance__init(&d->acceptance);
	isms__v1__risk__init(&d->risk);
	isms__v1__score__init(&d->score);
	isms__v1__decision_snapshot__init(&d->snapshot);
	d->score.likelihood = 3;
	d->risk.current = &d->score;
	d->acceptance.rationale = (char *)"because";
	d->snapshot.subject_kind = SUBJECT(ACCEPTANCE);
	d->snapshot.level = LEVEL(HIGH);
}

static const Isms__V1__DecisionSnapshot *freeze(struct domain_case *c, struct decision *d)
{
	d->snapshot.subject = packed(c, &d->acceptance.base);
	d->snapshot.risk = packed(c, &d->risk.base);
	return &d->snapshot;
}

TEST(what_is_the_same_is_not_named)
{
	struct domain_case c;
	struct decision a, b;
	struct snapshot_diff diff;
	case_begin(&c);
	decision_begin(&a);
	decision_begin(&b);
	/* another request on another version */
	b.acceptance.approval_request_id = (char *)CASE_ID("09");
	b.acceptance.plan_id = (char *)CASE_ID("08");
	b.acceptance.meta = case_meta(&c, CASE_ID("07"), 9);
	b.snapshot.subject_id = (char *)CASE_ID("07");
	b.snapshot.subject_version = 9;
	b.snapshot.risk_version = 4;
	b.snapshot.policy_no = 2;
	CHECK(snapshot_diff(&diff, freeze(&c, &a), freeze(&c, &b), c.arena));
	CHECK_INT(diff.n, 0);
	CHECK(!diff.cut);
	case_end(&c);
}

TEST(each_part_is_named_by_its_field)
{
	struct domain_case c;
	struct decision a, b;
	struct snapshot_diff diff;
	case_begin(&c);
	decision_begin(&a);
	decision_begin(&b);
	b.acceptance.rationale = (char *)"since";
	b.score.likelihood = 4;
	b.snapshot.level = LEVEL(CRITICAL);
	CHECK(snapshot_diff(&diff, freeze(&c, &a), freeze(&c, &b), c.arena));
	CHECK_INT(diff.n, 3);
	CHECK_STR(diff.changes[0]->field, "subject.rationale");
	CHECK_STR(diff.changes[0]->before, "because");
	CHECK_STR(diff.changes[0]->after, "since");
	CHECK_STR(diff.changes[1]->field, "risk.current.likelihood");
	CHECK_STR(diff.changes[1]->before, "3");
	CHECK_STR(diff.changes[2]->field, "level");
	CHECK_STR(diff.changes[2]->after, "CRITICAL");
	case_end(&c);
}

TEST(the_data_of_an_option_is_named_once)
{
	struct domain_case c;
	struct decision a, b;
	struct snapshot_diff diff;
	case_begin(&c);
	decision_begin(&a);
	decision_begin(&b);
	Isms__V1__TreatmentPlan *plans[2];
	for (size_t i = 0; i < 2; i++) {
		plans[i] = must_new_of(c.arena, Isms__V1__TreatmentPlan, isms__v1__treatment_plan);
		plans[i]->content =
			must_new_of(c.arena, Isms__V1__PlanFields, isms__v1__plan_fields);
		plans[i]->content->transfer = must_new_of(c.arena, Isms__V1__TreatmentTransfer,
							  isms__v1__treatment_transfer);
	}
	plans[1]->content->cost = (char *)"12.50";
	plans[1]->content->transfer->deductible = (char *)"1000";
	plans[1]->content->transfer->valid_from = must(pb_time_new(c.arena, CASE_NOW_US));
	plans[1]->counts_from = plans[1]->content->transfer->valid_from;
	freeze(&c, &a);
	freeze(&c, &b);
	a.snapshot.subject_kind = b.snapshot.subject_kind = SUBJECT(TREATMENT_PLAN);
	a.snapshot.subject = packed(&c, &plans[0]->base);
	b.snapshot.subject = packed(&c, &plans[1]->base);
	CHECK(snapshot_diff(&diff, &a.snapshot, &b.snapshot, c.arena));
	CHECK_INT(diff.n, 3);
	CHECK_STR(diff.changes[0]->field, "subject.content.transfer.deductible");
	CHECK_STR(diff.changes[1]->field, "subject.content.transfer.valid_from");
	CHECK_STR(diff.changes[2]->field, "subject.content.cost");
	CHECK_STR(diff.changes[2]->after, "12.50");
	case_end(&c);
}

TEST(what_cannot_be_read_or_compared_is_said)
{
	static uint8_t broken[] = { 0xff };
	struct domain_case c;
	struct decision a, b;
	struct snapshot_diff diff;
	case_begin(&c);
	decision_begin(&a);
	decision_begin(&b);
	freeze(&c, &a);
	freeze(&c, &b);
	b.snapshot.risk = (ProtobufCBinaryData){ 1, broken };
	CHECK(!snapshot_diff(&diff, &a.snapshot, &b.snapshot, c.arena));
	freeze(&c, &b);
	b.snapshot.subject_kind = SUBJECT(POLICY_CHANGE);
	CHECK(!snapshot_diff(&diff, &a.snapshot, &b.snapshot, c.arena));
	a.snapshot.subject_kind = b.snapshot.subject_kind = SUBJECT(UNSPECIFIED);
	CHECK(!snapshot_diff(&diff, &a.snapshot, &b.snapshot, c.arena));
	case_end(&c);
}

TAP_MAIN
