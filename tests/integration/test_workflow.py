"""The workflow is what WORKFLOW.md shows, no less and no more: things in every state,
and every action on them by every role (and by owner, author and assignee), tried
through the API without being done, against the table that the document holds."""

import collections
import concurrent.futures
import re
import subprocess
import time

import pytest

from api import SCHEMA, Failure, b64
from server import BUILD
from test_acceptance_terms import by_threat, read as read_acceptance, reviewing
from test_authorization import ALL
from test_treatment import (EVIDENCE, approve as approve_plan, draft as draft_plan, implement,
                            move, read as read_plan, transfer, verify)
from transitions import DOCUMENT, TABLES
from world import second_world, soon, unique

REFUSALS = {"FAILED_PRECONDITION", "PERMISSION_DENIED", "NOT_FOUND"}


def test_the_document_is_what_the_server_prints():
    printed = subprocess.run([BUILD / "ismsd", "--print-workflow"], stdout=subprocess.PIPE,
                             check=True, text=True).stdout
    assert DOCUMENT.read_text() == printed


def test_every_method_that_the_document_names_is_there():
    methods = {m.split("/")[1] for m in SCHEMA.methods}
    for rows in TABLES.values():
        for row in rows:
            for by in row.by.split(", "):
                assert by in methods | {"vote", "clock", "change"}, row


def test_every_state_is_reached_and_left_as_the_document_says():
    enums = {"Treatment plan": "PlanState", "Acceptance": "AcceptanceState",
             "Approval request": "ApprovalState", "Approval policy": "PolicyState"}
    assert set(enums) < set(TABLES) | {"Plan behind an acceptance"}
    for title, enum in enums.items():
        values = SCHEMA.pool.FindEnumTypeByName("isms.v1." + enum).values
        names = {v.name.split("STATE_", 1)[1] for v in values} - {"UNSPECIFIED"}
        assert {r.to for r in TABLES[title]} == names, title
        assert {r.start for r in TABLES[title]} <= names | {"-"}


# --- people ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def world(server):
    """An organisation of its own: its policies are tried too."""
    world = second_world(server, "workflow")
    for name in ("top", "top_too"):
        world.add(name, "TOP_MANAGEMENT", "CRITICAL")
    unit = world.unit.meta.id
    for role in sorted(ALL):
        if role == "SERVICE":
            world.add_service("only_service", role, "auditor", scope=unit)
        else:
            world.add("only_" + role.lower(), role, "CRITICAL", scope=unit)
    return world


OTHERS = {"owner": "RISK_OWNER", "contributor": "CONTRIBUTOR", "auditor": "AUDITOR",
          "officer": "ISMS_MANAGER"}
# who is what to the things below
RELATIONS = {"its author": {"contributor"}, "its requester": {"contributor", "officer"},
             "an assignee": {"auditor"}, "the assignee": {"auditor"}}


@pytest.fixture(scope="module")
def people(world):
    """Account -> its permissions."""
    roles = {r.code: set(r.permissions) for r in
             world.admin.call("DirectoryService/ListRoles").roles}
    assert set(roles) == ALL
    return {**{"only_" + role.lower(): roles[role] for role in roles},
            **{name: roles[role] for name, role in OTHERS.items()}}


def is_allowed(name, permissions, words):
    """Whatever stands behind a semicolon narrows that down."""
    for word in re.split(r", or |, ", words.split(";")[0]):
        if word in RELATIONS:
            if name in RELATIONS[word]:
                return True
        elif word in permissions or (name == "owner" and word + ".own" in permissions):
            return True
    return False


# --- things in every state ---------------------------------------------------------

def new_plan(world):
    risk = world.risk(score=(3, 4))
    return draft_plan(world, risk, "MITIGATE", target={"likelihood": 1, "impact": 1}, actions=[
        {"control_id": world.control().meta.id, "assignee_id": world.id("auditor"),
         "description": "put it in place", "due_at": soon(30)}])


def submitted_plan(world):
    plan = new_plan(world)
    return plan, world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id).request


def plans(world):
    made = {"DRAFT": new_plan(world), "SUBMITTED": submitted_plan(world)[0]}
    for state, decision in (("CHANGES_REQUESTED", "REQUEST_CHANGES"), ("REJECTED", "REJECT")):
        made[state], request = submitted_plan(world)
        world.vote("owner", request, decision=decision, comment="not so")
    made["WITHDRAWN"], _ = submitted_plan(world)
    world.contributor.call("TreatmentService/WithdrawPlan", id=made["WITHDRAWN"].meta.id)
    for state in ("APPROVED", "IN_PROGRESS", "IMPLEMENTED", "VERIFIED", "INEFFECTIVE",
                  "CANCELLED"):
        made[state] = approve_plan(world, new_plan(world))
    for state in ("IN_PROGRESS", "IMPLEMENTED", "VERIFIED", "INEFFECTIVE"):
        move(world, "auditor", made[state], 1, "DONE")
    for state in ("IMPLEMENTED", "VERIFIED", "INEFFECTIVE"):
        implement(world, made[state])
    verify(world, made["VERIFIED"])
    verify(world, made["INEFFECTIVE"], verdict="INEFFECTIVE", comment="no")
    world.owner.call("TreatmentService/CancelPlan", id=made["CANCELLED"].meta.id, reason="no")
    risk, made["SUPERSEDED"] = transfer(world)
    approve_plan(world, draft_plan(world, risk, "TRANSFER", transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "another insurer",
        "valid_until": soon(60), "retained_duty": "to report each loss"}))
    return {s: read_plan(world, p) for s, p in made.items()}


def asked(world, days=20, score=(1, 2)):
    return world.acceptance(world.risk(score=score), days=days)


def in_force(world, **args):
    made = asked(world, **args)
    world.vote("owner", made.request)
    return made


def sleep_over(made):
    """Until the end that was asked for has passed."""
    time.sleep(max(0, made.acceptance.valid_until.ToNanoseconds() / 1e9 - time.time() + 0.2))


def replaced(world, made, late=False):
    """What is in force, or was, gives way to a newer one."""
    new = world.contributor.call("AcceptanceService/RenewAcceptance", id=made.acceptance.meta.id,
                                 valid_until=soon(9)).acceptance
    request = world.contributor.call("AcceptanceService/SubmitAcceptance", id=new.meta.id).request
    if late:
        sleep_over(made)
    world.vote("owner", request)


def acceptances(server, world):
    made = {"SUBMITTED": asked(world)}
    made["EXPIRED"] = in_force(world, days=8 / 86400)
    for state, decision in (("CHANGES_REQUESTED", "REQUEST_CHANGES"), ("REJECTED", "REJECT")):
        made[state] = asked(world)
        world.vote("owner", made[state].request, decision=decision, comment="not so")
    made["WITHDRAWN"] = asked(world)
    world.contributor.call("AcceptanceService/WithdrawAcceptance",
                           id=made["WITHDRAWN"].acceptance.meta.id)
    for state in ("ACTIVE", "REVOKED", "INVALIDATED", "SUPERSEDED"):
        made[state] = in_force(world)
    world.owner.call("AcceptanceService/RevokeAcceptance", reason="no",
                     id=made["REVOKED"].acceptance.meta.id)
    touch(world, made["INVALIDATED"])
    replaced(world, made["SUPERSEDED"])
    with reviewing(server):
        made["ACTIVE, review due"] = in_force(world)
    touch(world, made["ACTIVE, review due"])
    out = {s: m.acceptance for s, m in made.items()}
    out["DRAFT"] = world.acceptance(world.risk(score=(1, 2)), submit=False)
    replaced(world, made["EXPIRED"], late=True)
    return {s: read_acceptance(world, a) for s, a in out.items()}


def touch(world, made):
    risk = world.owner.call("RiskService/GetRisk", id=made.acceptance.risk_id).risk
    by_threat(world)[1](risk)


def requests(world):
    made = {"PENDING": asked(world), "PENDING, more to come": asked(world, score=(3, 4)),
            "APPROVED": in_force(world), "EXPIRED": asked(world, days=5 / 86400)}
    for state, decision in (("CHANGES_REQUESTED", "REQUEST_CHANGES"), ("REJECTED", "REJECT")):
        made[state] = asked(world)
        world.vote("owner", made[state].request, decision=decision, comment="not so")
    made["WITHDRAWN"] = asked(world)
    world.contributor.call("AcceptanceService/WithdrawAcceptance",
                           id=made["WITHDRAWN"].acceptance.meta.id)
    made["STALE"] = asked(world)
    touch(world, made["STALE"])
    sleep_over(made["EXPIRED"])
    assert world.vote_fails("owner", made["EXPIRED"].request).reason == "EXPIRED"
    return {s: world.request(m.request) for s, m in made.items()}


def policies(world):
    def place():
        return world.scope(unique("place"), parent=world.unit.meta.id)

    def decide(request):
        world.vote("ciso", request)
        world.vote("top", request)
    made = {"DRAFT": world.policy(place(), submit=False)}
    for state in ("SUBMITTED", "CHANGES_REQUESTED", "REJECTED", "WITHDRAWN", "ACTIVE", "RETIRED"):
        answer = world.policy(place())
        made[state] = answer.policy
        if state in ("CHANGES_REQUESTED", "REJECTED"):
            decision = "REJECT" if state == "REJECTED" else "REQUEST_CHANGES"
            world.vote("ciso", answer.request, decision=decision, comment="not so")
        elif state in ("ACTIVE", "RETIRED"):
            decide(answer.request)
    world.officer.call("PolicyService/WithdrawPolicy", id=made["WITHDRAWN"].meta.id)
    repeal = world.officer.call(
        "PolicyService/CreatePolicy", scope_id=made["RETIRED"].scope_id,
        subject_kind="SUBJECT_KIND_ACCEPTANCE", replaces_id=made["RETIRED"].meta.id, repeals=True,
        fields={"title": "no longer"}).policy
    decide(world.officer.call("PolicyService/SubmitPolicy", id=repeal.meta.id).request)
    return {s: world.officer.call("PolicyService/GetPolicy", id=p.meta.id).policy
            for s, p in made.items()}


# --- actions -----------------------------------------------------------------------

def vote(decision):
    def fields(thing):
        return {"request_id": thing.meta.id, "step_no": thing.current_step or 1,
                "decision": f"DECISION_{decision}", "comment": "as I see it",
                "snapshot_sha256": b64(thing.snapshot_sha256)}
    return fields


def plain(**fields):
    return lambda thing: {"id": thing.meta.id, **fields}


# title -> [(actions of the table, method, fields, field of the reply)]
ACTIONS = {
    "Treatment plan": [
        (["edit"], "TreatmentService/UpdatePlan",
         plain(fields={"rationale": "better said"}, update_mask="rationale"), "plan"),
        (["submit"], "TreatmentService/SubmitPlan", plain(), "plan"),
        (["withdraw"], "TreatmentService/WithdrawPlan", plain(), "plan"),
        (["start"], "TreatmentService/StartPlan", plain(), "plan"),
        (["progress"], "TreatmentService/UpdateAction",
         plain(action_no=1, state="ACTION_STATE_DOING"), "plan"),
        (["implement"], "TreatmentService/ImplementPlan", plain(evidence=EVIDENCE), "plan"),
        (["verify"], "TreatmentService/VerifyPlan",
         plain(verdict="PLAN_VERDICT_EFFECTIVE", evidence=EVIDENCE), "plan"),
        (["fail"], "TreatmentService/VerifyPlan",
         plain(verdict="PLAN_VERDICT_INEFFECTIVE", evidence=EVIDENCE, comment="no"), "plan"),
        (["cancel"], "TreatmentService/CancelPlan", plain(reason="no"), "plan")],
    "Acceptance": [
        (["edit"], "AcceptanceService/UpdateAcceptance",
         plain(fields={"conditions": "none"}, update_mask="conditions"), "acceptance"),
        (["submit"], "AcceptanceService/SubmitAcceptance", plain(), "acceptance"),
        (["withdraw"], "AcceptanceService/WithdrawAcceptance", plain(), "acceptance"),
        (["renew"], "AcceptanceService/RenewAcceptance", plain(valid_until=soon(9)), None),
        (["keep"], "AcceptanceService/ReviewAcceptance",
         plain(outcome="REVIEW_OUTCOME_KEEP", comment="still so"), "acceptance"),
        (["end"], "AcceptanceService/ReviewAcceptance",
         plain(outcome="REVIEW_OUTCOME_END", comment="no more"), "acceptance"),
        (["revoke"], "AcceptanceService/RevokeAcceptance", plain(reason="no"), "acceptance")],
    "Approval request": [
        (["approve", "cast"], "ApprovalService/CastVote", vote("APPROVE"), "request"),
        (["reject"], "ApprovalService/CastVote", vote("REJECT"), "request"),
        (["request changes"], "ApprovalService/CastVote", vote("REQUEST_CHANGES"), "request"),
        (["withdraw"], "AcceptanceService/WithdrawAcceptance",
         lambda thing: {"id": thing.subject_id}, None)],
    "Approval policy": [
        (["edit"], "PolicyService/UpdatePolicy",
         plain(fields={"title": "better said"}, update_mask="title"), "policy"),
        (["submit"], "PolicyService/SubmitPolicy", plain(), "policy"),
        (["withdraw"], "PolicyService/WithdrawPolicy", plain(), "policy")],
}
ENUMS = {"Treatment plan": "PlanState", "Acceptance": "AcceptanceState",
         "Approval request": "ApprovalState", "Approval policy": "PolicyState"}
PASSING = {"vote", "clock", "change"}


def state_name(title, number):
    names = SCHEMA.pool.FindEnumTypeByName("isms.v1." + ENUMS[title]).values_by_number
    return names[number].name.split("STATE_", 1)[1]


def attempt(api, method, fields, thing, field, title):
    """OK and the state that it would have, or the code of the refusal."""
    mutation = {"dry_run": True}
    if method.split("/")[1].startswith(("Update", "Review")):
        mutation["expected_version"] = thing.meta.version
    try:
        reply = api.call(method, mutation=mutation, **fields(thing))
    except Failure as failure:
        return failure.code, failure.reason
    return "OK", state_name(title, getattr(reply, field).state) if field else None


def check(title, label, thing, people, outcomes):
    """What was tried on one thing, against the rows of its state."""
    start = state_name(title, thing.state)
    assert start == label.split(",")[0]
    rows = {r.action: r for r in TABLES[title] if r.start == start}
    reached = set()
    for (names, method, name), (code, what) in outcomes.items():
        where = (title, label, method, names, name, code, what)
        open_rows = [rows[n] for n in names if n in rows]
        if not open_rows:
            assert code in REFUSALS, where
        elif code == "OK":
            assert any(is_allowed(name, people[name], r.permission) for r in open_rows), where
            hit = [r for r in open_rows if what is None or r.to == what]
            assert hit, where
            reached |= {r.action for r in hit}
        else:
            assert code in REFUSALS, where
    return {(start, action) for action in reached}


@pytest.mark.parametrize("title", sorted(ACTIONS))
def test_nothing_is_reachable_but_what_the_document_shows(server, world, people, title):
    things = {"Treatment plan": lambda: plans(world), "Approval request": lambda: requests(world),
              "Acceptance": lambda: acceptances(server, world),
              "Approval policy": lambda: policies(world)}[title]()
    assert {label.split(",")[0] for label in things} == {r.to for r in TABLES[title]}
    jobs = [(label, tuple(names), method, fields, field, name)
            for label in things for names, method, fields, field in ACTIONS[title]
            for name in people]

    def run(job):
        label, names, method, fields, field, name = job
        return label, (names, method, name), attempt(world.apis[name], method, fields,
                                                     things[label], field, title)
    by_thing = collections.defaultdict(dict)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for label, key, outcome in pool.map(run, jobs):
            by_thing[label][key] = outcome
    reached = set()
    for label, thing in things.items():
        reached |= check(title, label, thing, people, by_thing[label])
    # and all of it is reachable, but for what the clock, a vote or a change does in passing
    by_hand = {a for names, *_ in ACTIONS[title] for a in names}
    shown = {(r.start, r.action) for r in TABLES[title] if r.start != "-"
             and not set(r.by.split(", ")) <= PASSING and r.action in by_hand}
    assert reached == shown, shown - reached
