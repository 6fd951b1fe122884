"""A decision as one file, checked without the server; and what is different from the
last decision."""

import hashlib

import pytest

from api import SCHEMA, b64, decision_digest
from world import policy_step, soon, unique

SNAPSHOT = SCHEMA.message("isms.v1.DecisionSnapshot")
EVENT = SCHEMA.message("isms.v1.AuditEvent")
BUNDLE = SCHEMA.message("isms.v1.DecisionBundle")


def export(world, request, by="auditor"):
    return world.apis[by].call("ApprovalService/GetDecisionBundle", id=request.meta.id)


def verify(data):
    """What an outsider checks on the bytes alone."""
    bundle = BUNDLE.FromString(data)
    request, snapshot = bundle.request, SNAPSHOT.FromString(bundle.snapshot)
    digest = hashlib.sha256(b"isms/decision/v1\0" + bundle.snapshot).digest()
    assert digest == request.snapshot_sha256
    assert all(vote.snapshot_sha256 == digest for vote in bundle.votes)
    assert (snapshot.subject_id, snapshot.subject_version) == (
        request.subject_id, request.subject_version)
    assert (bundle.policy.meta.id, bundle.policy.no) == (snapshot.policy_id, snapshot.policy_no)
    assert bundle.policy.steps == snapshot.steps == request.steps
    asked = {(a.step_no, a.user_id) for a in bundle.assignees}
    assert {(v.step_no, v.on_behalf_of or v.voter_id) for v in bundle.votes} <= asked
    events = [EVENT.FromString(e.event) for e in bundle.events]
    assert [e.id for e in bundle.events] == [e.id for e in events]
    versions = [c.entity_version for e in events for c in e.changes
                if (c.entity_kind, c.entity_id) == ("approval_request", request.meta.id)]
    assert versions == list(range(1, request.meta.version + 1))
    return bundle, snapshot, events


@pytest.fixture(scope="module")
def decided(world):
    """An acceptance that the owner and the officer approved."""
    asked = world.acceptance(world.risk(score=(3, 4)))
    world.vote("owner", asked.request)
    world.vote("officer", asked.request, comment="seen")
    return asked


def test_a_bundle_verifies_offline(world, decided):
    bundle, snapshot, events = verify(export(world, decided.request).SerializeToString())
    assert bundle.request.state == 2 and len(bundle.votes) == 2
    assert [e.rpc.split("/")[-1] for e in events] == ["SubmitAcceptance", "CastVote", "CastVote"]
    assert events[-1].comment == "seen"
    subject = SCHEMA.message("isms.v1.Acceptance").FromString(snapshot.subject)
    assert subject.meta.id == decided.acceptance.meta.id


def test_a_bundle_is_the_same_whoever_reads_it_and_when(world, decided):
    before = export(world, decided.request).SerializeToString()
    world.vote_fails("owner", decided.request, step=1, digest=decided.request.snapshot_sha256)
    world.officer.call("AcceptanceService/RevokeAcceptance", id=decided.acceptance.meta.id,
                       reason="the provider was replaced")
    assert export(world, decided.request, by="officer").SerializeToString() == before


def test_events_are_the_bytes_that_are_stored(world, server, decided):
    bundle = export(world, decided.request)
    with server.database() as db:
        for event in bundle.events:
            stored = db.execute("SELECT event FROM audit_event WHERE id = %s",
                                (event.id,)).fetchone()[0]
            assert bytes(stored) == event.event


def test_a_bundle_of_an_open_request_can_be_read(world):
    asked = world.acceptance(world.risk(score=(3, 4)))
    bundle, _, events = verify(export(world, asked.request).SerializeToString())
    assert not bundle.votes and len(events) == 1


def test_who_decides_reads_no_audit_events(world, decided):
    for name in ("owner", "ciso", "contributor", "stranger"):
        failure = world.apis[name].fails("ApprovalService/GetDecisionBundle",
                                         id=decided.request.meta.id)
        assert failure.code == "NOT_FOUND", name


def test_a_bundle_holds_the_delegations_as_they_were(world):
    """What becomes of the delegation, of names and of the policy afterwards is not in it."""
    for name, role in (("away", "RISK_OWNER"), ("substitute", "APPROVER")):
        if name not in world.apis:
            world.add(name, role, "CRITICAL", scope=world.unit.meta.id)
    made = world.delegate("away", "substitute", world.unit)
    asked = world.acceptance(world.risk(owner="away", score=(1, 1)))
    world.substitute.call(
        "ApprovalService/CastVote", request_id=asked.request.meta.id, step_no=1,
        decision="DECISION_APPROVE", on_behalf_of=world.id("away"),
        snapshot_sha256=b64(asked.request.snapshot_sha256))
    data = export(world, asked.request).SerializeToString()
    bundle, _, _ = verify(data)
    [vote], [used] = bundle.votes, bundle.delegations
    assert vote.delegation_id == used.meta.id == made.meta.id
    assert (used.from_user_id, used.to_user_id) == (world.id("away"), world.id("substitute"))
    assert (used.from_name, used.to_name) == ("away", "substitute") and used.state == 2, used
    world.away.call("DelegationService/RevokeDelegation", id=made.meta.id, reason="back again")
    for name in ("away", "substitute"):
        user = world.admin.call("DirectoryService/GetUser", id=world.id(name)).user
        world.admin.call("DirectoryService/UpdateUser", id=user.meta.id,
                         mutation={"expected_version": user.meta.version},
                         fields={"display_name": "renamed"}, update_mask="displayName")
    assert export(world, asked.request).SerializeToString() == data


# --- what changed since --------------------------------------------------------


def changes(world, request, by="owner"):
    reply = world.apis[by].call("ApprovalService/ChangesSinceMyDecision",
                                request_id=request.meta.id)
    return reply, {c.field: (c.before, c.after) for c in reply.changes}


def test_nothing_is_told_of_what_is_new(world):
    asked = world.acceptance(world.risk(score=(3, 4)))
    reply, fields = changes(world, asked.request)
    assert not reply.earlier_request_id and not fields and not reply.cut


def test_what_changed_on_the_same_subject(world):
    risk = world.risk(score=(3, 4))
    asked = world.acceptance(risk)
    world.vote("owner", asked.request, decision="REQUEST_CHANGES", comment="shorter, please")
    acceptance = world.contributor.call("AcceptanceService/GetAcceptance",
                                        id=asked.acceptance.meta.id).acceptance
    world.contributor.call(
        "AcceptanceService/UpdateAcceptance", id=acceptance.meta.id,
        mutation={"expected_version": acceptance.meta.version},
        fields={"conditions": "a report each week", "valid_until": soon(5)},
        update_mask="conditions,validUntil")
    world.score(risk, 4, 4)
    again = world.contributor.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    reply, fields = changes(world, again.request)
    assert reply.earlier_request_id == asked.request.meta.id
    assert reply.earlier_request_ref == asked.request.meta.ref
    assert reply.earlier_decision == 3
    assert fields["subject.conditions"] == ("", "a report each week")
    assert fields["risk.current.likelihood"] == ("3", "4")
    assert set(fields) == {"subject.conditions", "subject.valid_until", "valid_until",
                           "risk.current.likelihood"}, fields
    # who did not decide then has nothing to compare with
    assert not changes(world, again.request, by="officer")[0].earlier_request_id


def test_another_account_of_the_same_person_has_decided_too(world):
    if "owner_again" not in world.apis:
        world.add("owner_again", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id,
                  person=world.users["owner"].person_id)
    asked = world.acceptance(world.risk(score=(3, 4)))
    world.vote("owner", asked.request, decision="REQUEST_CHANGES", comment="why so long")
    acceptance = world.contributor.call("AcceptanceService/GetAcceptance",
                                        id=asked.acceptance.meta.id).acceptance
    world.contributor.call("AcceptanceService/UpdateAcceptance", id=acceptance.meta.id,
                           mutation={"expected_version": acceptance.meta.version},
                           fields={"business_reason": "it pays"}, update_mask="businessReason")
    again = world.contributor.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    reply, fields = changes(world, again.request, by="owner_again")
    assert reply.earlier_request_id == asked.request.meta.id
    assert fields["subject.business_reason"] == ("", "it pays")


def test_a_renewal_is_compared_with_what_it_renews(world):
    risk = world.risk(score=(1, 1))
    first = world.acceptance(risk, days=20)
    world.vote("owner", first.request)
    draft = world.contributor.call(
        "AcceptanceService/RenewAcceptance", id=first.acceptance.meta.id,
        valid_until=soon(40)).acceptance
    again = world.contributor.call("AcceptanceService/SubmitAcceptance", id=draft.meta.id)
    reply, fields = changes(world, again.request)
    assert reply.earlier_request_id == first.request.meta.id and reply.earlier_decision == 1
    assert fields["valid_until"] == fields["subject.valid_until"]
    # the acceptance that is in force has moved the risk; the rest is as it was
    assert set(fields) <= {"valid_until", "subject.valid_until", "risk.state",
                           "risk.disposition", "risk.accepted_until"}, fields


def test_a_renewal_is_compared_with_what_was_decided_renewals_ago(world):
    """One manager decides on the first, another on the second; the third is new to the
    former since the first."""
    place = world.scope(unique("place"), parent=world.unit.meta.id)
    if "second_manager" not in world.apis:
        world.add("second_manager", "ISMS_MANAGER", "CRITICAL", scope=place.meta.id)
    risk = world.risk(place, score=(3, 4))
    asked = first = world.acceptance(risk, days=20)
    acceptance = first.acceptance
    for days, manager in ((25, "officer"), (30, "second_manager")):
        world.vote("owner", asked.request)
        world.vote(manager, asked.request)
        acceptance = world.contributor.call(
            "AcceptanceService/RenewAcceptance", id=acceptance.meta.id,
            valid_until=soon(days)).acceptance
        asked, before = world.contributor.call("AcceptanceService/SubmitAcceptance",
                                               id=acceptance.meta.id), asked
    assert changes(world, asked.request, "second_manager")[0].earlier_request_id == \
        before.request.meta.id
    reply, fields = changes(world, asked.request, "officer")
    assert reply.earlier_request_id == first.request.meta.id and "valid_until" in fields


def test_a_superseding_plan_is_compared_with_the_one_before(world):
    """Of the same option for the same risk; another option is another matter."""
    risk = world.risk(score=(3, 4))
    first = world.plan(risk)
    world.vote("owner", first.request)
    world.vote("officer", first.request)
    second = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id, option="TREATMENT_OPTION_MITIGATE",
        fields={"rationale": "a better control is known", "due_at": soon(90),
                "target": {"likelihood": 1, "impact": 1},
                "actions": [{"control_id": world.control().meta.id,
                             "assignee_id": world.id("contributor"),
                             "description": "put it in place", "due_at": soon(60)}]}).plan
    asked = world.contributor.call("TreatmentService/SubmitPlan", id=second.meta.id)
    reply, fields = changes(world, asked.request)
    assert reply.earlier_request_id == first.request.meta.id and reply.earlier_decision == 1
    assert fields["subject.content.rationale"] == ("the control is known to work",
                                                   "a better control is known")
    transfer = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id, option="TREATMENT_OPTION_TRANSFER",
        fields={"rationale": "somebody else pays", "transfer": {
            "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "insurer",
            "valid_until": soon(300), "retained_duty": "tell customers"}}).plan
    other = world.contributor.call("TreatmentService/SubmitPlan", id=transfer.meta.id)
    assert not changes(world, other.request)[0].earlier_request_id


def test_a_bundle_says_how_voters_were_known(world, server, decided):
    """By which session, from where; nothing of it is shown with the request, and it is the
    digest of a digest."""
    votes = export(world, decided.request).votes
    tokens = [hashlib.sha256(world.apis[name].token.encode()).digest()
              for name in ("owner", "officer")]
    assert [v.credential_fp for v in votes] == [hashlib.sha256(t).digest() for t in tokens]
    assert {(v.auth_method, v.ip) for v in votes} == {(1, "127.0.0.1")}
    shown = world.owner.call("ApprovalService/GetApprovalRequest", id=decided.request.meta.id)
    assert {(v.auth_method, v.ip, v.credential_fp) for v in shown.votes} == {(0, "", b"")}


def test_another_text_of_a_policy_is_compared_with_the_old_one(world):
    if "bundle_top" not in world.apis:
        world.add("bundle_top", "TOP_MANAGEMENT", "CRITICAL")
    place = world.scope(unique("place"))
    first = world.policy(place, max_level="RISK_LEVEL_HIGH", title="a text")
    world.vote("ciso", first.request)
    world.vote("bundle_top", first.request)
    second = world.policy(place, replaces=first.policy.meta.id, title="another text",
                          steps=[policy_step(1, "RISK_COMMITTEE", quorum=3)])
    reply, fields = changes(world, second.request, by="ciso")
    assert reply.earlier_request_id == first.request.meta.id
    assert fields["subject.title"] == ("a text", "another text")
    assert "role_code: CISO" in fields["subject.steps.steps"][0]
    assert "quorum: 3" in fields["subject.steps.steps"][1]
    assert set(fields) == {"subject.title", "subject.no", "subject.steps.steps"}, fields


def test_a_stranger_compares_nothing(world, decided):
    failure = world.stranger.fails("ApprovalService/ChangesSinceMyDecision",
                                   request_id=decided.request.meta.id)
    assert failure.code == "NOT_FOUND"


def test_digests_are_those_that_voters_saw(world, decided):
    read = world.owner.call("ApprovalService/GetApprovalRequest", id=decided.request.meta.id)
    bundle = export(world, decided.request)
    assert bundle.snapshot == read.snapshot
    assert b64(decision_digest(bundle.snapshot)) == b64(read.request.snapshot_sha256)
