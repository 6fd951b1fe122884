"""Every change of state that the audit log of this server tells of, by all the tests
before this one too, is a row of WORKFLOW.md: made by whom it names, from there to there."""

import pytest

from api import SCHEMA
from transitions import FOLLOWS, TABLES, TITLES, Moves

EVENT = SCHEMA.message("isms.v1.AuditEvent")


def events(server):
    with server.database() as db:
        for (event,) in db.execute("SELECT event FROM audit_event ORDER BY tx, seq").fetchall():
            yield EVENT.FromString(event)


def test_the_log_tells_of_nothing_that_the_document_does_not_show(server, world):
    risk = world.risk()
    world.score(risk, 2, 3)
    world.acceptance(risk)
    moves = Moves()
    for event in events(server):
        moves.take(event.rpc, [(c.entity_kind, c.entity_id, {
            f.field: (f.before, f.after) for f in c.fields}) for c in event.changes])
    assert not moves.wrong
    assert {("Approval request", "-", "PENDING"), ("Acceptance", "-", "DRAFT"),
            ("Acceptance", "DRAFT", "SUBMITTED"),
            ("Plan behind an acceptance", "DRAFT", "SUBMITTED")} <= set(moves.seen)


def wrong(rpc, *changes):
    moves = Moves()
    moves.accepting.add("behind")
    moves.take(rpc, [(kind, entity, {"state": (before, after)})
                     for kind, entity, before, after in changes])
    return len(moves.wrong)


@pytest.mark.parametrize("kind", sorted(TITLES))
def test_each_row_of_the_document_is_taken_from_whom_it_names(kind):
    for row in TABLES[TITLES[kind]]:
        for by in row.by.split(", "):
            rpc = {"vote": "ApprovalService/CastVote", "clock": "ClockService/Any",
                   "change": "RiskService/UpdateRisk"}.get(by, "AnyService/" + by)
            start = "" if row.start == "-" else row.start
            assert not wrong(rpc, (kind, "x", start, row.to)), row


@pytest.mark.parametrize("rpc, kind, before, after", [
    ("AcceptanceService/UpdateAcceptance", "risk_acceptance", "SUBMITTED", "ACTIVE"),
    ("ApprovalService/CastVote", "risk_acceptance", "DRAFT", "ACTIVE"),
    ("ApprovalService/CastVote", "risk_acceptance", "", "ACTIVE"),
    ("ClockService/Expire", "approval_request", "PENDING", "APPROVED"),
    ("RiskService/UpdateRisk", "approval_request", "APPROVED", "STALE"),
    ("ApprovalService/CastVote", "treatment_plan", "APPROVED", "VERIFIED"),
    ("PolicyService/UpdatePolicy", "approval_policy", "DRAFT", "ACTIVE")])
def test_a_change_of_state_that_it_does_not_show_is_found(rpc, kind, before, after):
    assert wrong(rpc, (kind, "x", before, after)) == 1


def test_a_plan_to_accept_follows_its_acceptance_and_has_no_moves_of_its_own():
    for after, behind in FOLLOWS.items():
        start = next(r.start for r in TABLES["Acceptance"] if r.to == after)
        rpc = "X/" + next(r.by for r in TABLES["Acceptance"] if (r.start, r.to) == (start, after))
        rpc = {"X/vote": "ApprovalService/CastVote"}.get(rpc.split(",")[0], rpc.split(",")[0])
        rpc = "ClockService/X" if rpc == "X/clock" else rpc
        leads = ("risk_acceptance", "a", "" if start == "-" else start, after)
        assert not wrong(rpc, leads, ("treatment_plan", "behind", "ANY", behind)), (rpc, leads)
        assert wrong(rpc, leads, ("treatment_plan", "behind", "ANY", "VERIFIED")) == 1
    assert wrong("TreatmentService/StartPlan", (
        "treatment_plan", "behind", "APPROVED", "IN_PROGRESS")) == 1
