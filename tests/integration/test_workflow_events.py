"""Every change of state that the audit log of a server tells of is a row of WORKFLOW.md: made
by whom it names, from there to there. conftest.py looks once more when all tests are done."""

import pytest

from transitions import FOLLOWS, TABLES, TITLES, Moves, moves_of


def test_the_log_tells_of_nothing_that_the_document_does_not_show(server, world):
    risk = world.risk()
    world.score(risk, 2, 3)
    world.acceptance(risk)
    moves = moves_of(server)
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
