"""Who may, why not, and who could: what is told beforehand is what happens."""

import pytest

from api import Failure, b64
from world import policy_step, unique


def can_i(world, permission, thing, by="officer", user=None):
    return world.apis[by].call(
        "ApprovalService/CanI", permission=permission, object_id=thing.meta.id,
        user_id=world.id(user) if user else "")


def names(reply):
    return {p.display_name for p in reply.who_can}


def try_vote(world, name, request, on_behalf_of=""):
    """What CastVote itself says, without doing it."""
    try:
        world.apis[name].call(
            "ApprovalService/CastVote", request_id=request.meta.id, decision="DECISION_APPROVE",
            step_no=request.current_step, snapshot_sha256=b64(request.snapshot_sha256),
            on_behalf_of=on_behalf_of, mutation={"dry_run": True})
        return ""
    except Failure as failure:
        return "PERMISSION_MISSING" if failure.code == "NOT_FOUND" else failure.reason


PEOPLE = ("officer", "contributor", "analyst", "owner", "colleague", "ciso", "committee_1",
          "committee_2", "committee_3", "auditor", "stranger", "admin", "pipeline", "second",
          "scorer", "small")


@pytest.fixture(scope="module", autouse=True)
def people(world):
    unit = world.unit.meta.id
    if "scorer" not in world.apis:
        world.add("second", "CISO", "CRITICAL", person=world.users["contributor"].person_id)
        world.add("scorer", "ISMS_MANAGER", "CRITICAL")
        world.grant("scorer", "RISK_ANALYST", scope=unit)
        world.add("small", "CISO", "LOW")


def asked(world, score=(5, 5)):
    risk = world.risk(score=None)
    risk = world.score(risk, *score, by="scorer")
    return world.acceptance(risk).request


@pytest.mark.parametrize("step", [1, 2, 3])
def test_can_i_is_what_the_vote_says(world, step):
    """Every account on every step of a critical request, asked by itself and by others."""
    request = asked(world)
    for name in ("owner", "ciso")[:step - 1]:
        world.vote(name, request)
    if step == 3:
        world.vote("committee_1", request)
    request = world.request(request)
    assert request.current_step == step
    told = {}
    for name in PEOPLE:
        reply = can_i(world, "decision.cast", request, user=name)
        told[name] = reply.reason
        assert reply.allowed == (reply.reason == "") == (reply.explanation == ""), name
        assert reply.reason == try_vote(world, name, request), name
        assert reply.allowed == (world.users[name].display_name in names(reply)), name
    expected = {1: {"owner"}, 2: {"ciso"}, 3: {"committee_2", "committee_3"}}[step]
    assert {name for name, reason in told.items() if not reason} == expected
    assert told["contributor"] == told["second"] == "SOD_REQUESTER"
    assert told["scorer"] == "SOD_CONTRIBUTOR" and told["pipeline"] == "SOD_SERVICE"
    assert told["colleague"] == told["stranger"] == "PERMISSION_MISSING"
    if step == 3:
        assert told["committee_1"] == "ALREADY_VOTED"


def test_a_closed_request_is_decided_by_nobody(world):
    request = asked(world, score=(1, 1))
    world.vote("owner", request)
    reply = can_i(world, "decision.cast", request, user="owner")
    assert reply.reason == "CLOSED" and not reply.who_can


def test_a_level_above_the_authority_is_told(world):
    request = asked(world)
    world.vote("owner", request)
    request = world.request(request)
    assert can_i(world, "decision.cast", request, user="small").reason == "AUTHORITY_LEVEL"


def test_policies_are_decided_by_the_same_rules(world):
    if "can_top" not in world.apis:
        world.add("can_top", "TOP_MANAGEMENT", "CRITICAL")
    request = world.policy(world.scope(unique("place"))).request
    for name in PEOPLE:
        reply = can_i(world, "decision.cast", request, user=name)
        assert reply.reason == try_vote(world, name, request), name
    assert can_i(world, "decision.cast", request, user="officer").reason == "SOD_REQUESTER"
    assert can_i(world, "decision.cast", request, user="ciso").allowed


def test_a_delegate_is_told_for_whom(world):
    if "stand_in" not in world.apis:
        world.add("stand_in", "APPROVER", "CRITICAL", scope=world.unit.meta.id)
    world.delegate("owner", "stand_in", world.unit)
    request = asked(world, score=(1, 1))
    reply = can_i(world, "decision.cast", request, user="stand_in")
    assert reply.allowed and reply.on_behalf_of == world.id("owner"), reply
    assert try_vote(world, "stand_in", request, on_behalf_of=world.id("owner")) == ""
    assert {(p.display_name, p.on_behalf_of) for p in reply.who_can} >= {
        ("owner", ""), ("stand_in", world.id("owner"))}


def test_who_is_asked_by_an_escalation_is_told_before_it(world, server):
    """The step waits too long: whoever votes next, or asks, finds it escalated."""
    if "can_top" not in world.apis:
        world.add("can_top", "TOP_MANAGEMENT", "CRITICAL")
    place = world.scope(unique("place"))
    for name, role in (("contributor", "CONTRIBUTOR"), ("owner", "RISK_OWNER")):
        world.grant(name, role, "CRITICAL", scope=place.meta.id)
    step = policy_step(1, "CISO", due_hours=5, escalate_after_hours=2,
                       escalate_to_role="TOP_MANAGEMENT")
    made = world.policy(place, max_level="RISK_LEVEL_HIGH", steps=[step])
    world.vote("ciso", made.request)
    world.vote("can_top", made.request)
    world.unit, saved = place, world.unit
    try:
        request = world.acceptance(world.risk(score=(1, 1))).request
    finally:
        world.unit = saved
    assert request.policy_id == made.policy.meta.id
    assert can_i(world, "decision.cast", request, user="can_top").reason == "NOT_ASSIGNEE"
    with server.database() as db:
        db.execute("UPDATE approval_request SET escalates_at = now() - interval '1 hour', "
                   "version = version + 1, updated_at = now() WHERE id = %s", (request.meta.id,))
    reply = can_i(world, "decision.cast", request, user="can_top")
    assert reply.allowed and {"can_top", "ciso"} <= names(reply), reply
    for name in PEOPLE + ("can_top",):
        told = can_i(world, "decision.cast", request, user=name).reason
        assert told == try_vote(world, name, request), name


# --- other permissions -----------------------------------------------------------


def test_a_permission_is_named_with_who_has_it(world):
    risk = world.risk()
    reply = can_i(world, "risk.score", risk, by="owner")
    assert (reply.allowed, reply.reason) == (False, "PERMISSION_MISSING")
    assert reply.missing_permission == "risk.score" and reply.scope_id == world.unit.meta.id
    assert (reply.object_kind, reply.object_ref) == ("risk", risk.meta.ref)
    assert {"contributor", "analyst"} <= names(reply) and "owner" not in names(reply)
    assert not reply.more
    assert not any(p.role_codes for p in reply.who_can)  # an owner reads no roles
    reply = can_i(world, "risk.score", risk, by="auditor")
    roles = next(p.role_codes for p in reply.who_can if p.display_name == "contributor")
    assert "CONTRIBUTOR" in roles


def test_what_one_owns_counts(world):
    risk = world.risk()
    reply = can_i(world, "risk.write", risk, by="owner")
    assert reply.allowed and "owner" in names(reply)
    foreign = world.risk(owner="colleague")
    assert not can_i(world, "risk.write", foreign, by="owner").allowed
    world.owner.call("RiskService/UpdateRisk", id=risk.meta.id, fields={"title": "new"},
                     update_mask="title",
                     mutation={"expected_version": risk.meta.version, "dry_run": True})
    failure = world.owner.fails(
        "RiskService/UpdateRisk", id=foreign.meta.id, fields={"title": "new"},
        update_mask="title", mutation={"expected_version": foreign.meta.version})
    assert failure.reason == "PERMISSION_MISSING"


@pytest.mark.parametrize("kind", ["scope", "asset", "system", "plan", "acceptance", "policy"])
def test_every_kind_of_object_is_known(world, kind):
    risk = world.risk()
    thing = {"scope": lambda: world.unit, "asset": lambda: world.asset(world.unit),
             "system": lambda: world.system(world.unit),
             "plan": lambda: world.plan(risk, submit=False),
             "acceptance": lambda: world.acceptance(risk, submit=False),
             "policy": lambda: world.policy(submit=False)}[kind]()
    assert can_i(world, "scope.read", thing).allowed
    assert world.stranger.fails("ApprovalService/CanI", permission="scope.read",
                                object_id=thing.meta.id).code == "NOT_FOUND"


def test_an_ended_account_may_nothing(world):
    world.add("leaver", "CONTRIBUTOR", scope=world.unit.meta.id)
    risk = world.risk()
    assert can_i(world, "risk.write", risk, user="leaver").allowed
    world.admin.call("DirectoryService/DeactivateUser", id=world.id("leaver"), reason="left")
    reply = can_i(world, "risk.write", risk, user="leaver")
    assert reply.reason == "ACCOUNT_INACTIVE" and "leaver" not in names(reply)


# --- who may ask ------------------------------------------------------------------


def test_asking_for_others_needs_to_read_accounts_and_rights(world):
    risk = world.risk()
    for name in ("owner", "contributor"):
        failure = world.apis[name].fails("ApprovalService/CanI", permission="risk.read",
                                         object_id=risk.meta.id, user_id=world.id("colleague"))
        assert failure.code == "PERMISSION_DENIED" and failure.reason == "PERMISSION_MISSING"
        own = can_i(world, "risk.read", risk, by=name, user=name)
        assert own.allowed
    assert can_i(world, "risk.read", risk, by="auditor", user="colleague").allowed


def test_names_are_for_those_who_may_read_accounts(world):
    reply = can_i(world, "risk.read", world.risk(), by="pipeline")
    assert reply.allowed and not reply.who_can


def test_objects_and_users_of_others_are_absent(world, other):
    risk = world.risk()
    foreign = other.risk()
    absent = world.officer.fails("ApprovalService/CanI", permission="risk.read",
                                 object_id="01900000-0000-7000-8000-000000000000")
    there = world.officer.fails("ApprovalService/CanI", permission="risk.read",
                                object_id=foreign.meta.id)
    user = world.officer.fails("ApprovalService/CanI", permission="risk.read",
                               object_id=risk.meta.id, user_id=other.id("owner"))
    assert absent.code == "NOT_FOUND" and absent.raw == there.raw == user.raw


def test_a_permission_that_is_none_is_bad_input(world):
    failure = world.officer.fails("ApprovalService/CanI", permission="risk.fly",
                                  object_id=world.unit.meta.id)
    assert set(failure.fields) == {"permission"}, failure


def test_names_are_cut_at_fifty(world, server):
    place = world.scope(unique("place"))
    for i in range(51):
        world.admin.call("DirectoryService/GrantRole", user_id=many(world, i),
                         role_code="MODEL_OWNER", scope_id=place.meta.id)
    reply = can_i(world, "asset.read", place)
    assert len(reply.who_can) == 50 and reply.more


def many(world, i):
    """An account without a password; who is not active is not named."""
    name = f"crowd_{i}"
    if name not in world.apis:
        world.add(name)
    return world.id(name)


def test_steps_that_nobody_can_pass_name_nobody(world):
    """A step whose people all took part, or may not, tells so by an empty list."""
    place = world.scope(unique("place"))
    for name, role in (("contributor", "CONTRIBUTOR"), ("owner", "RISK_OWNER")):
        world.grant(name, role, "CRITICAL", scope=place.meta.id)
    world.unit, saved = place, world.unit
    try:
        made = world.policy(place, max_level="RISK_LEVEL_HIGH",
                            steps=[policy_step(1, "CISO"), policy_step(2, "CISO")])
        world.vote("ciso", made.request)
        if "can_top" not in world.apis:
            world.add("can_top", "TOP_MANAGEMENT", "CRITICAL")
        world.vote("can_top", made.request)
        request = world.acceptance(world.risk(score=(1, 1))).request
    finally:
        world.unit = saved
    reply = can_i(world, "decision.cast", request, user="committee_1")
    assert reply.reason == "NOT_ASSIGNEE" and "ciso" in names(reply)
