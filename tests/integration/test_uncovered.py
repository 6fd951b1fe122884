"""Risks above what the method tolerates that nothing answers for."""

import datetime

import pytest

import history
from history import MICROSECOND, REGISTERS, Past, moment, text
from story import KINDS, edit
from test_treatment import EVIDENCE, draft, implement, move, verify
from world import soon

CRITICAL, HIGH = (5, 5), (3, 4)
DECIDERS = ("owner", "ciso", "committee_1", "committee_2")


def read(world, risk):
    got = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    listed, token = [], ""
    while True:
        page = world.owner.call("RiskService/ListRisks", uncovered_only=True, page_size=50,
                                page_token=token)
        assert all(r.uncovered for r in page.risks)
        listed += [r.meta.id for r in page.risks]
        token = page.next_page_token
        if not token:
            break
    assert (risk.meta.id in listed) == got.uncovered
    return got


def decide(world, request, deciders=DECIDERS):
    for name in deciders:
        last = world.vote(name, request)
    return last


def planned(world, risk, option="MITIGATE", **fields):
    """A plan in force on a CRITICAL risk."""
    if option == "MITIGATE":
        fields = {"target": {"likelihood": 1, "impact": 1}, "actions": [
            {"control_id": world.control().meta.id, "assignee_id": world.id("colleague"),
             "description": "put it in place", "due_at": soon(30)}], **fields}
    plan = draft(world, risk, option, **fields)
    decide(world, world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id).request)
    return world.owner.call("TreatmentService/GetPlan", id=plan.meta.id).plan


def test_only_above_tolerance(server, world):
    """HIGH by the starter criteria; the column that is asked repeats them."""
    method = world.auditor.call("CatalogService/GetActiveMethod").method
    with server.database() as db:
        rows = db.execute("SELECT tolerance FROM risk_method WHERE id = %s",
                          (method.meta.id,)).fetchall()
    assert rows == [(method.criteria.tolerance,)] == [(3,)]
    risk = world.risk(score=None)
    assert not read(world, risk).uncovered and not read(world, risk).tolerance
    assert not world.score(risk, *HIGH).uncovered
    assert not read(world, risk).uncovered and read(world, risk).tolerance == 3
    assert world.score(risk, *CRITICAL).uncovered
    assert read(world, risk).uncovered


def test_an_acceptance_in_force_answers_for_it(server, world):
    risk = world.risk(score=CRITICAL)
    made = world.acceptance(risk)
    assert read(world, risk).uncovered  # nobody has decided yet
    decide(world, made.request)
    assert not read(world, risk).uncovered
    with server.database() as db:  # it ends by time alone
        db.execute("UPDATE risk_acceptance SET valid_from = now() - interval '1 day',"
                   " valid_until = now() - interval '1 second', version = version + 1"
                   " WHERE id = %s", (made.acceptance.meta.id,))
    assert read(world, risk).uncovered


def test_so_does_a_plan_on_schedule_until_it_is_verified(world):
    risk = world.risk(score=CRITICAL)
    plan = planned(world, risk)
    assert plan.due_at == plan.content.actions[0].due_at  # as nothing else is said
    assert not read(world, risk).uncovered
    plan = move(world, "colleague", plan, 1, "DONE")
    assert not read(world, risk).uncovered
    implement(world, plan)
    assert not read(world, risk).uncovered
    verify(world, plan, by="officer", verdict="INEFFECTIVE", comment="it lets it through")
    assert read(world, risk).uncovered


def test_a_verified_plan_answers_by_the_level_alone(world):
    risk = world.risk(score=CRITICAL)
    plan = planned(world, risk, "TRANSFER", due_at=soon(20), transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
        "valid_until": soon(90), "retained_duty": "to report each loss"})
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    plan = implement(world, plan, evidence=EVIDENCE)
    assert not read(world, risk).uncovered
    verify(world, plan, by="officer")  # without a target
    assert read(world, risk).uncovered
    world.score(risk, *HIGH)
    assert not read(world, risk).uncovered


@pytest.mark.parametrize("late", ["due_at", "lapses_at"])
def test_a_plan_that_is_late_does_not(server, world, late):
    risk = world.risk(score=CRITICAL)
    plan = planned(world, risk, "TRANSFER", due_at=soon(20), transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
        "valid_until": soon(90), "retained_duty": "to report each loss"})
    assert not read(world, risk).uncovered
    with server.database() as db:  # it is late by time alone
        db.execute(f"UPDATE treatment_plan SET {late} = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (plan.meta.id,))
    assert read(world, risk).uncovered


def test_a_plan_without_a_date_is_on_no_schedule(world):
    risk = world.risk(score=CRITICAL)
    plan = planned(world, risk, "TRANSFER", transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
        "valid_until": soon(90), "retained_duty": "to report each loss"})
    assert not plan.HasField("due_at") and read(world, risk).uncovered


# --- as of a past time ---------------------------------------------------------


def was_uncovered(world, ids, days):
    """So many days ago, as shown and as listed."""
    now = datetime.datetime.now(datetime.timezone.utc)
    out = []
    for d in days:
        at = text(now - datetime.timedelta(days=d))
        risk = world.auditor.call("RiskService/GetRisk", id=ids["risk"][0], as_of=at).risk
        listed = REGISTERS["risk"].all(world.auditor, as_of=at, uncovered_only=True)
        assert (risk in listed) == risk.uncovered
        out.append(risk.uncovered)
    return out


def test_a_plan_answered_for_the_level_until_it_was_due(world, server):
    risk = world.risk(score=(5, 5))
    made = world.plan(risk, submit=False)
    made = edit(world, "contributor", "TreatmentService", "Plan", "plan", made, due_at=soon(20))
    request = world.contributor.call("TreatmentService/SubmitPlan", id=made.meta.id).request
    decide(world, request)
    ids = {kind: [] for kind in KINDS} | {"risk": [risk.meta.id],
                                          "treatment_plan": [made.meta.id]}
    history.backdate(server, 40, ids)
    past = Past(world.auditor, ids)
    assert was_uncovered(world, ids, (39, 21, 19, 1)) == [False, False, True, True]
    due = moment(REGISTERS["treatment_plan"].read(world.auditor, made.meta.id).due_at)
    for at, over in ((due - MICROSECOND, False), (due, True)):
        then = REGISTERS["risk"].read(world.auditor, risk.meta.id, as_of=text(at))
        assert then.uncovered == over and then == past.row("risk", risk.meta.id, at)


def test_an_acceptance_answered_for_the_level_until_its_end(world, server):
    risk = world.risk(score=(5, 5))
    made = world.acceptance(risk, days=20)
    decide(world, made.request)
    ids = {kind: [] for kind in KINDS} | {
        "risk": [risk.meta.id], "risk_acceptance": [made.acceptance.meta.id],
        "treatment_plan": [made.acceptance.plan_id]}
    history.backdate(server, 40, ids)
    assert was_uncovered(world, ids, (39, 21, 19, 1)) == [False, False, True, True]
