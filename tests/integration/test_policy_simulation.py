"""Policies tried out before they are in force: what they would change, and for whom."""

import pytest

from api import Failure
from test_policies import STEP, active, approve, place, read, top  # noqa: F401
from world import policy_step


def simulate(world, by="officer", **fields):
    return world.apis[by].call("PolicyService/SimulatePolicy", **fields)


def test_trying_out_tells_what_would_change(world, place):
    asked = world.acceptance(world.risk(score=(3, 4)))
    low = world.acceptance(world.risk(score=(1, 1)))
    draft = world.policy(place, submit=False, min_level="RISK_LEVEL_HIGH")
    reply = simulate(world, policy_id=draft.meta.id)
    assert (reply.looked_at, reply.cut, reply.hidden) == (2, False, 0)
    [effect] = reply.effects
    assert effect.request_id == asked.request.meta.id != low.request.meta.id
    assert effect.steps_now == asked.request.steps and effect.steps_then == draft.steps
    assert not effect.problem and effect.policy_then == draft.meta.id
    committee = {world.id(f"committee_{i}") for i in (1, 2, 3)}
    assert committee | {world.id("ciso")} <= set(effect.added)
    assert {world.id("owner"), world.id("officer")} <= set(effect.removed)
    people = {p.user_id: (p.added, p.removed) for p in reply.people}
    assert people[world.id("ciso")] == (1, 0) and people[world.id("owner")] == (0, 1)
    assert [(level.level, level.problem) for level in reply.levels] == [(3, ""), (4, "")]
    # nothing was changed by it
    assert world.request(asked.request).meta.version == asked.request.meta.version
    assert read(world, draft).meta.version == draft.meta.version


def test_what_was_foretold_comes_true(world, place):
    """The same request, submitted again under the policy, asks whom the trial named."""
    asked = world.acceptance(world.risk(score=(3, 4)))
    made = world.policy(place)
    [effect] = simulate(world, policy_id=made.policy.meta.id).effects
    before = {a.user_id for a in world.owner.call(
        "ApprovalService/GetApprovalRequest", id=asked.request.meta.id).assignees}
    approve(world, made.request)
    world.vote("owner", asked.request, decision="REQUEST_CHANGES", comment="submit it again")
    acceptance = world.contributor.call("AcceptanceService/GetAcceptance",
                                        id=asked.acceptance.meta.id).acceptance
    world.contributor.call("AcceptanceService/UpdateAcceptance", id=acceptance.meta.id,
                           mutation={"expected_version": acceptance.meta.version},
                           fields={"conditions": "none"}, update_mask="conditions")
    again = world.contributor.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    after = {a.user_id for a in world.owner.call(
        "ApprovalService/GetApprovalRequest", id=again.request.meta.id).assignees}
    assert again.request.steps == effect.steps_then
    assert after - before == set(effect.added) and before - after == set(effect.removed)


def test_a_text_without_a_row_can_be_tried_out(world, place):
    asked = world.acceptance(world.risk(score=(3, 4)))
    text = {"title": "one person", "max_level": "RISK_LEVEL_HIGH",
            "steps": {"steps": [policy_step(1, "APPROVER")]}}
    reply = simulate(world, scope_id=place.meta.id, subject_kind="SUBJECT_KIND_ACCEPTANCE",
                     fields=text)
    [effect] = reply.effects
    assert effect.request_id == asked.request.meta.id and not effect.policy_then
    assert (effect.problem, effect.problem_step) == ("NO_ELIGIBLE_APPROVER", 1)
    assert [level.problem for level in reply.levels] == ["NO_ELIGIBLE_APPROVER"] * 3
    failure = world.officer.fails(
        "PolicyService/SimulatePolicy", scope_id=place.meta.id,
        subject_kind="SUBJECT_KIND_ACCEPTANCE",
        fields={**text, "steps": {"steps": [policy_step(1, quorum=4)]}})
    assert set(failure.fields) == {STEP % (0, "quorum")}, failure


def test_a_repeal_can_be_tried_out(world, place):
    old = active(world, place)
    asked = world.acceptance(world.risk(score=(3, 4)))
    reply = simulate(world, scope_id=place.meta.id, subject_kind="SUBJECT_KIND_ACCEPTANCE",
                     replaces_id=old.meta.id, repeals=True, fields={"title": "back to the root"})
    [effect] = reply.effects
    assert effect.request_id == asked.request.meta.id and not reply.levels
    assert [s.selector for s in effect.steps_then.steps] == [1, 2]
    assert world.id("owner") in effect.added and world.id("ciso") in effect.removed


def test_who_reads_no_requests_is_told_their_number(world, place):
    world.acceptance(world.risk(score=(3, 4)))
    draft = world.policy(place, submit=False)
    reply = simulate(world, by="admin", policy_id=draft.meta.id)
    assert not reply.effects and reply.hidden == 1


def test_only_what_is_not_decided_is_tried_out(world, place):
    policy = active(world, place)
    failure = world.officer.fails("PolicyService/SimulatePolicy", policy_id=policy.meta.id)
    assert failure.reason == "ILLEGAL_STATE"
    for fields, field in (({"scope_id": place.meta.id}, "fields"),
                          ({"scope_id": place.meta.id, "fields": {"title": "x"}},
                           "subject_kind")):
        failure = world.officer.fails("PolicyService/SimulatePolicy", **fields)
        assert set(failure.fields) == {field}, failure


def test_a_trial_says_when_it_did_not_look_at_all(world, place):
    """201 open requests: one more than is looked at."""
    asked = [world.acceptance(world.risk(score=(3, 4))).request for _ in range(201)]
    draft = world.policy(place, submit=False)
    reply = simulate(world, policy_id=draft.meta.id)
    assert (reply.looked_at, reply.cut) == (200, True)
    assert [e.request_id for e in reply.effects] == [r.meta.id for r in asked[:200]]


def test_who_may_not_read_policies_tries_none_out(world, place):
    draft = world.policy(place, submit=False)
    for name in ("contributor", "stranger"):
        with pytest.raises(Failure) as caught:
            simulate(world, by=name, policy_id=draft.meta.id)
        assert caught.value.code == "NOT_FOUND", name
