/* Which moves a control can make, and when it makes up for something. */
#include "server/domain/control.h"

#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "tests/unit/domain_case.h"

#define CONTROL(name) ISMS__V1__CONTROL_STATE__CONTROL_STATE_##name

/* NULL: it is done. */
static const char *move(struct domain_case *c, Isms__V1__ControlState from,
			Isms__V1__ControlState to)
{
	Isms__V1__UpdateControlRequest *request = must_new_of(
		c->arena, Isms__V1__UpdateControlRequest, isms__v1__update_control_request);
	Isms__V1__Control *row = must_new_of(c->arena, Isms__V1__Control, isms__v1__control);
	row->meta = must_new_of(c->arena, Isms__V1__Meta, isms__v1__meta);
	row->meta->id = (char *)CASE_ID("01");
	row->state = from;
	request->state = to;
	c->facts.request = &request->base;
	case_row(c, "control_for_write", &row->base);
	case_none(c, "dossier_risk_of_control", &isms__v1__risk__descriptor);
	case_none(c, "dossier_plans_of_control", &isms__v1__treatment_plan__descriptor);
	case_none(c, "dossier_acceptances_of_control", &isms__v1__acceptance__descriptor);
	case_none(c, "dossier_requests_of_control", &isms__v1__approval_request__descriptor);
	struct status st = control_update(&c->facts, &c->plan);
	return status_ok(&st) ? NULL : st.reason;
}

TEST(what_was_put_in_place_does_not_become_a_plan_again)
{
	for (int from = CONTROL(PLANNED); from <= CONTROL(RETIRED); from++)
		for (int to = CONTROL(PLANNED); to <= CONTROL(RETIRED); to++) {
			struct domain_case c;
			case_begin(&c);
			const char *reason =
				move(&c, (Isms__V1__ControlState)from, (Isms__V1__ControlState)to);
			bool back = to == CONTROL(PLANNED) && from != CONTROL(PLANNED);
			bool refused = from == CONTROL(RETIRED) || back;
			CHECK_STR(reason == NULL ? "" : reason, refused ? "ILLEGAL_STATE" : "");
			case_end(&c);
		}
}

TEST(what_is_in_place_makes_up_for_a_treatment)
{
	for (int state = CONTROL(PLANNED); state <= CONTROL(RETIRED); state++)
		CHECK_INT(control_works((Isms__V1__ControlState)state),
			  state == CONTROL(IMPLEMENTED) || state == CONTROL(OPERATING));
}

TAP_MAIN
