"""Letting somebody else vote: what a delegation is worth, and what it is not."""

import uuid

import pytest

from test_policies import active, top  # noqa: F401 (a fixture)
from world import soon, unique


@pytest.fixture(scope="module")
def people(world):
    """A manager with a stand-in, who decides nothing by their own right."""
    for name in ("deputy", "second_deputy"):
        if name not in world.apis:
            world.add(name, "AUDITOR")
    return world


def boss(world, name=None):
    """A fresh owner of risks: delegations of one test are not another's."""
    name = name or "boss_" + uuid.uuid4().hex[:8]
    world.add(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    return name


def asked(world, owner, score=(3, 4), by="contributor"):
    """A request on which the owner of the risk is asked first."""
    return world.acceptance(world.risk(score=score, owner=owner), by=by).request


def refused(world, name, request, behalf, **args):
    return world.vote_fails(name, request, behalf=behalf, step=args.pop("step", 1),
                            digest=request.snapshot_sha256, **args)


def why(failure):
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_DELEGATE", failure
    return failure.facts.get("why")


def test_a_delegate_votes_and_both_are_named(people):
    world, owner = people, boss(people)
    made = world.delegate(owner, "deputy")
    assert made.state == 2 and made.to_name == "deputy" and made.meta.ref.startswith("DEL-")
    request = asked(world, owner)
    item = next(i for i in world.deputy.call("ApprovalService/Inbox", page_size=1000).items
                if i.request_id == request.meta.id)
    assert item.on_behalf_of == world.id(owner) and item.on_behalf_of_name == owner
    assert item.via == "RISK_OWNER" and item.HasField("due_at")
    reply = world.vote("deputy", request, behalf=owner)
    assert reply.vote.voter_name == "deputy" and reply.vote.on_behalf_of_name == owner
    assert reply.vote.on_behalf_of == world.id(owner)
    assert reply.vote.delegation_id == made.meta.id
    assert reply.request.current_step == 2
    read = world.officer.call("ApprovalService/GetApprovalRequest", id=request.meta.id)
    assert read.votes[0].on_behalf_of_name == owner and not read.votes[0].void
    seat = next(a for a in read.assignees if a.user_id == world.id(owner))
    assert seat.state == 2
    # both are spent
    again = refused(world, owner, request, None, step=2)
    assert again.code == "PERMISSION_DENIED", again
    world.vote("officer", request)
    assert world.request(request, by="officer").state == 2


def test_it_is_never_guessed_whose_vote_it_is(people):
    world, owner = people, boss(people)
    world.delegate(owner, "deputy")
    request = asked(world, owner)
    failure = refused(world, "deputy", request, None)
    assert failure.reason == "NOT_ASSIGNEE", failure
    assert failure.facts["on_behalf_of"] == world.id(owner)


def test_after_the_delegators_own_vote_there_is_none_left(people):
    world, owner = people, boss(people)
    world.delegate(owner, "deputy")
    request = asked(world, owner)
    world.vote(owner, request)
    failure = refused(world, "deputy", request, owner)
    assert failure.reason == "STEP_NOT_OPEN", failure
    failure = refused(world, "deputy", request, owner, step=2)
    assert failure.code in ("PERMISSION_DENIED", "ALREADY_EXISTS"), failure


def test_what_was_submitted_before_it_is_not_covered(people):
    world, owner = people, boss(people)
    request = asked(world, owner)
    assert why(refused(world, "deputy", request, owner)) == "DELEGATION_NOT_FOUND"
    world.delegate(owner, "deputy")
    assert why(refused(world, "deputy", request, owner)) == "DELEGATION_LATE"


def test_revoking_acts_at_once(people):
    world, owner = people, boss(people)
    made = world.delegate(owner, "deputy")
    request = asked(world, owner)
    revoked = world.apis[owner].call("DelegationService/RevokeDelegation", id=made.meta.id,
                                     reason="back again").delegation
    assert revoked.state == 4 and revoked.revoke_reason == "back again"
    assert why(refused(world, "deputy", request, owner)) == "DELEGATION_REVOKED"
    twice = world.apis[owner].fails("DelegationService/RevokeDelegation", id=made.meta.id,
                                    reason="again")
    assert twice.reason == "ILLEGAL_STATE", twice


def test_a_revoked_delegation_takes_its_votes_with_it(people):
    world, owner = people, boss(people)
    made = world.delegate(owner, "deputy")
    request = asked(world, owner)
    world.vote("deputy", request, behalf=owner)
    world.apis[owner].call("DelegationService/RevokeDelegation", id=made.meta.id,
                           reason="this was not meant")
    failure = refused(world, "officer", request, None, step=2)
    assert failure.reason == "NO_QUORUM", failure
    read = world.officer.call("ApprovalService/GetApprovalRequest", id=request.meta.id)
    assert read.request.state == 6 and read.votes[0].void


@pytest.mark.parametrize("fault", ["scope", "kind", "level", "later"])
def test_it_covers_what_it_says(people, fault):
    world, owner = people, boss(people)
    fields = {"scope": {}, "kind": {"subject_kinds": ["SUBJECT_KIND_TREATMENT_PLAN"]},
              "level": {"max_level": "RISK_LEVEL_MEDIUM"}, "later": {"starts_at": soon(1)}}[fault]
    scope = None
    if fault == "scope":
        scope = world.scope(unique("room"), world.unit.meta.id)
    world.delegate(owner, "deputy", scope, **fields)
    request = asked(world, owner)
    want = {"scope": "DELEGATION_SCOPE", "kind": "DELEGATION_KIND", "level": "DELEGATION_LEVEL",
            "later": "DELEGATION_NOT_STARTED"}[fault]
    assert why(refused(world, "deputy", request, owner)) == want
    assert request.meta.id not in [i.request_id for i in world.deputy.call(
        "ApprovalService/Inbox", page_size=1000).items]


def test_who_administers_decides_for_nobody(people):
    world, owner = people, boss(people)
    for role in ("AUDITOR", "ORG_ADMIN"):
        world.add("clerk_" + role.lower(), role)
    world.grant("clerk_org_admin", "AUDITOR")
    ends = {"ends_at": soon(7), "reason": "away", "scope_id": world.unit.meta.id}
    failure = world.apis[owner].fails("DelegationService/CreateDelegation",
                                      to_user_id=world.id("clerk_org_admin"), **ends)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SOD_ROLES"), failure
    made = world.delegate(owner, "clerk_auditor")
    grant = {"user_id": world.id("clerk_auditor"), "role_code": "ORG_ADMIN",
             "scope_id": world.unit.meta.id}
    assert world.admin.fails("DirectoryService/GrantRole", **grant).reason == "SOD_ROLES"
    world.apis[owner].call("DelegationService/RevokeDelegation", id=made.meta.id,
                           reason="back again")
    world.admin.call("DirectoryService/GrantRole", **grant)


def test_a_delegation_is_not_passed_on(people):
    """The deputy of a deputy has nothing; nor does one whose delegator was not asked."""
    world, owner = people, boss(people)
    middle = boss(world)
    world.delegate(owner, middle)
    world.delegate(middle, "second_deputy")
    request = asked(world, owner)
    assert why(refused(world, "second_deputy", request, owner)) == "DELEGATION_NOT_FOUND"
    assert why(refused(world, "second_deputy", request, middle)) == "NOT_ASSIGNEE"


def test_nobody_involved_is_a_delegate(people):
    world, owner = people, boss(people)
    name = "writing_officer"
    if name not in world.apis:
        world.add(name, "RISK_ANALYST", scope=world.unit.meta.id)
    world.delegate(owner, name)
    risk = world.risk(score=(3, 4), owner=owner)
    mine = world.acceptance(risk, by=name).request
    assert refused(world, name, mine, owner).reason == "SOD_REQUESTER"
    scored = world.score(world.risk(score=None, owner=owner), 3, 4, by=name)
    request = world.acceptance(scored).request
    assert refused(world, name, request, owner).reason == "SOD_CONTRIBUTOR"


def test_the_delegator_must_still_have_the_right(people):
    world = people
    name = "boss_" + uuid.uuid4().hex[:8]
    world.add(name)
    grant = world.grant(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    world.delegate(name, "deputy")
    request = asked(world, name)
    world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="left the unit")
    assert why(refused(world, "deputy", request, name)) == "AUTHORITY"


def test_a_delegate_of_two_votes_for_one(people):
    world = people
    world.delegate("committee_1", "deputy", world.root)
    world.delegate("committee_2", "deputy", world.root)
    owner = boss(world)
    request = asked(world, owner, score=(5, 5))
    world.vote(owner, request)
    world.vote("ciso", request)
    items = [i for i in world.deputy.call("ApprovalService/Inbox", page_size=1000).items
             if i.request_id == request.meta.id]
    assert items == []  # the starter policy lets nobody stand in for the committee
    assert why(refused(world, "deputy", request, "committee_1", step=3)) == "DELEGATION_STEP"


def test_who_votes_for_another_is_missed_where_all_are_asked(people):
    """The seat of the delegate's own cannot be filled any more, and nobody else is asked."""
    world = people
    place = world.scope(unique("place"), world.unit.meta.id)
    one, other = ("member_" + uuid.uuid4().hex[:8] for _ in range(2))
    for name in (one, other):
        world.add(name, "RISK_COMMITTEE", "CRITICAL", scope=place.meta.id)
    active(world, place, max_level="RISK_LEVEL_HIGH", steps=[{
        "step_no": 1, "mode": "STEP_MODE_ALL", "selector": "STEP_SELECTOR_USERS",
        "user_ids": [world.id(one), world.id(other)], "allow_delegate": True}])
    world.delegate(one, other, place)
    request = world.acceptance(world.risk(scope=place)).request
    reply = world.vote(other, request, behalf=one)
    assert reply.vote.on_behalf_of == world.id(one) and reply.remaining == 0
    assert reply.request.state == 6 and reply.request.close_reason.startswith("NO_QUORUM")


def test_who_may_be_a_delegate(people):
    world, owner = people, boss(people)
    api = world.apis[owner]
    fields = {"scope_id": world.unit.meta.id, "ends_at": soon(7), "reason": "a holiday"}

    def fails(**changed):
        return api.fails("DelegationService/CreateDelegation", **{**fields, **changed})
    assert "to_user_id" in fails(to_user_id=str(uuid.uuid4())).fields
    assert "to_user_id" in fails(to_user_id=world.id("pipeline")).fields
    assert fails(to_user_id=world.id(owner)).reason == "SAME_PERSON"
    assert fails(to_user_id=world.id("colleague")).reason == "CANNOT_READ"
    assert "ends_at" in fails(to_user_id=world.id("deputy"), ends_at=soon(31)).fields
    assert "ends_at" in fails(to_user_id=world.id("deputy"), ends_at=soon(-1)).fields
    assert "starts_at" in fails(to_user_id=world.id("deputy"), starts_at=soon(-1)).fields
    twin = owner + "_twin"
    world.add(twin, "AUDITOR", person=world.users[owner].person_id)
    assert fails(to_user_id=world.id(twin)).reason == "SAME_PERSON"
    small = "boss_" + uuid.uuid4().hex[:8]
    world.add(small, "RISK_OWNER", "LOW", scope=world.unit.meta.id)
    failure = world.apis[small].fails(
        "DelegationService/CreateDelegation", **fields, to_user_id=world.id("deputy"),
        max_level="RISK_LEVEL_HIGH")
    assert failure.reason == "AUTHORITY_LEVEL", failure


def test_who_sees_and_ends_a_delegation(people):
    world, owner = people, boss(people)
    made = world.delegate(owner, "deputy")
    for name in (owner, "deputy", "auditor"):
        api = world.apis[name]
        assert api.call("DelegationService/GetDelegation", id=made.meta.id).delegation.from_name \
            == owner
        listed = api.call("DelegationService/ListDelegations", user_id=world.id(owner),
                          open_only=True).delegations
        assert [d.meta.id for d in listed] == [made.meta.id]
    assert world.stranger.fails("DelegationService/GetDelegation",
                                id=made.meta.id).code == "NOT_FOUND"
    failure = world.auditor.fails("DelegationService/RevokeDelegation", id=made.meta.id,
                                  reason="no business of theirs")
    assert failure.code == "PERMISSION_DENIED", failure
    world.deputy.call("DelegationService/RevokeDelegation", id=made.meta.id, reason="no time")
    assert not world.apis[owner].call("DelegationService/ListDelegations", open_only=True,
                                      user_id=world.id(owner)).delegations


def test_nobody_steps_back_for_somebody_else(people):
    world, owner = people, boss(people)
    world.delegate(owner, "deputy")
    request = asked(world, owner)
    failure = refused(world, "deputy", request, owner, decision="RECUSE", comment="a conflict")
    assert why(failure) == "RECUSAL"


def test_the_number_of_delegations_is_bounded(people):
    world, owner = people, boss(people)
    for _ in range(32):
        world.delegate(owner, "deputy")
    failure = world.apis[owner].fails(
        "DelegationService/CreateDelegation", to_user_id=world.id("deputy"),
        scope_id=world.unit.meta.id, ends_at=soon(7), reason="a holiday")
    assert failure.reason == "TOO_MANY_DELEGATIONS", failure


def test_a_change_of_policies_waits_in_inboxes_too(people):
    """It is about no risk; a delegate of the one who decides on policies sees it."""
    world = people
    if "chief" not in world.apis:
        world.add("chief", "TOP_MANAGEMENT", "CRITICAL")
    world.delegate("ciso", "deputy", world.root, subject_kinds=["SUBJECT_KIND_POLICY_CHANGE"])
    asked = world.policy(by="officer")
    item = next(i for i in world.ciso.call("ApprovalService/Inbox", page_size=1000).items
                if i.request_id == asked.request.meta.id)
    assert item.title == asked.policy.title and item.risk_id == "" and item.level == 0
    assert item.on_behalf_of == ""
    failure = refused(world, "deputy", asked.request, "ciso")
    assert why(failure) == "DELEGATION_STEP"
    assert world.vote("ciso", asked.request).request.current_step == 2
