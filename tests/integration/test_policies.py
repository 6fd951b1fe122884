"""Approval policies: drafted, decided on by other people, tried out; what is open keeps
its steps."""

import pytest

from api import SCHEMA, b64
from world import policy_step, unique

DRAFT, SUBMITTED, CHANGES_REQUESTED, ACTIVE, REJECTED, WITHDRAWN, RETIRED = range(1, 8)
POLICY = SCHEMA.message("isms.v1.ApprovalPolicy")
SNAPSHOT = SCHEMA.message("isms.v1.DecisionSnapshot")


@pytest.fixture(scope="module", autouse=True)
def top(world):
    """Who decides on policies beside the CISO."""
    for name in ("top", "top_too"):
        if name not in world.apis:
            world.add(name, "TOP_MANAGEMENT", "CRITICAL")


@pytest.fixture
def place(world):
    """A unit of its own, with an owner of risks: policies there concern nobody else."""
    saved, unit = world.unit, world.scope(unique("place"))
    for name, role in (("contributor", "CONTRIBUTOR"), ("owner", "RISK_OWNER")):
        world.grant(name, role, "CRITICAL", scope=unit.meta.id)
    world.unit = unit
    yield unit
    world.unit = saved


def read(world, policy):
    return world.officer.call("PolicyService/GetPolicy", id=policy.meta.id).policy


def read_id(world, policy_id):
    return world.officer.call("PolicyService/GetPolicy", id=policy_id).policy


def approve(world, request):
    world.vote("ciso", request)
    return world.vote("top", request)


def active(world, scope=None, **args):
    """A policy in force."""
    made = world.policy(scope, **args)
    approve(world, made.request)
    return read(world, made.policy)


def create_fails(world, scope=None, **fields):
    values = {"scope_id": (scope or world.unit).meta.id, "subject_kind": "SUBJECT_KIND_ACCEPTANCE"}
    values.update({k: fields.pop(k) for k in ("subject_kind", "replaces_id", "repeals")
                   if k in fields})
    failure = world.officer.fails(
        "PolicyService/CreatePolicy", fields={"title": "a policy", **fields}, **values)
    assert failure.code == "INVALID_ARGUMENT", failure
    return failure.fields


# --- the life of a policy ------------------------------------------------------


def test_a_policy_is_drafted_decided_on_and_used(world, place):
    made = world.policy(place)
    assert made.policy.meta.ref.startswith("POL-") and made.policy.state == SUBMITTED
    request = made.request
    assert request.subject_kind == 3 and not request.risk_id and request.level == 0
    shown = world.ciso.call("ApprovalService/GetApprovalRequest", id=request.meta.id)
    waits = next(i for i in world.ciso.call("ApprovalService/Inbox").items
                 if i.request_id == request.meta.id)
    assert (waits.title, waits.subject_ref) == (made.policy.title, made.policy.meta.ref)
    snapshot = SNAPSHOT.FromString(shown.snapshot)
    assert not snapshot.risk and not snapshot.method and not snapshot.risk_id
    assert POLICY.FromString(snapshot.subject) == made.policy
    world.vote("ciso", request)
    assert read(world, made.policy).state == SUBMITTED
    # nothing is decided by it yet
    before = world.acceptance(world.risk(score=(3, 4)))
    world.vote("top", request)
    assert read(world, made.policy).state == ACTIVE
    after = world.acceptance(world.risk(score=(3, 4)))
    assert after.request.policy_id == made.policy.meta.id != before.request.policy_id
    assert [s.role_code for s in after.request.steps.steps] == ["CISO", "RISK_COMMITTEE"]


def test_open_requests_keep_their_steps(world, place):
    asked = world.acceptance(world.risk(score=(3, 4)))
    active(world, place)
    kept = world.request(asked.request)
    assert kept.steps == asked.request.steps and kept.meta.version == asked.request.meta.version
    world.vote("owner", asked.request)
    world.vote("officer", asked.request)
    assert world.request(asked.request).state == 2


def test_who_asks_or_wrote_it_does_not_decide(world, place):
    if "second_writer" not in world.apis:
        world.add("second_writer", "ISMS_MANAGER", "CRITICAL")
        world.grant("second_writer", "CISO", "CRITICAL")
    policy = world.policy(place, by="second_writer", submit=False)
    world.officer.call("PolicyService/UpdatePolicy", id=policy.meta.id,
                       mutation={"expected_version": 1}, fields={"title": "with two authors"},
                       update_mask="title")
    request = world.officer.call("PolicyService/SubmitPolicy", id=policy.meta.id).request
    for name, reason in (("second_writer", "SOD_CONTRIBUTOR"), ("officer", "SOD_REQUESTER")):
        failure = world.vote_fails(name, request, step=1, digest=request.snapshot_sha256)
        assert failure.reason == reason, (name, failure)
    world.vote("ciso", request)


def test_another_account_of_the_author_does_not_decide(world, place):
    name = "officer_as_ciso"
    if name not in world.apis:
        world.add(name, "CISO", "CRITICAL", person=world.users["officer"].person_id)
    request = world.policy(place).request
    failure = world.vote_fails(name, request, step=1, digest=request.snapshot_sha256)
    assert failure.reason == "SOD_REQUESTER", failure


def test_two_steps_want_two_people(world, place):
    name = "ciso_and_top"
    if name not in world.apis:
        world.add(name, "CISO", "CRITICAL")
        world.grant(name, "TOP_MANAGEMENT", "CRITICAL")
    request = world.policy(place).request
    world.vote(name, request)
    failure = world.vote_fails(name, request, step=2, digest=request.snapshot_sha256)
    assert failure.reason == "SOD_DISTINCT", failure
    world.vote("top", request)


@pytest.mark.parametrize("decision, state", [("REJECT", REJECTED),
                                             ("REQUEST_CHANGES", CHANGES_REQUESTED)])
def test_a_policy_is_refused_or_sent_back(world, place, decision, state):
    made = world.policy(place)
    world.vote("ciso", made.request, decision=decision, comment="too few people")
    policy = read(world, made.policy)
    assert policy.state == state
    update = {"id": policy.meta.id, "mutation": {"expected_version": policy.meta.version},
              "fields": {"title": "better"}, "update_mask": "title"}
    if state == REJECTED:
        failure = world.officer.fails("PolicyService/UpdatePolicy", update)
        assert failure.reason == "ILLEGAL_STATE"
        return
    assert world.officer.call("PolicyService/UpdatePolicy", update).policy.state == DRAFT
    again = world.officer.call("PolicyService/SubmitPolicy", id=policy.meta.id)
    approve(world, again.request)
    assert read(world, policy).state == ACTIVE


def test_only_its_requester_takes_a_policy_back(world, place):
    made = world.policy(place)
    failure = world.admin.fails("PolicyService/WithdrawPolicy", id=made.policy.meta.id)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "NOT_REQUESTER", failure
    taken = world.officer.call("PolicyService/WithdrawPolicy", id=made.policy.meta.id).policy
    assert taken.state == WITHDRAWN
    assert world.request(made.request, by="ciso").state == 5
    failure = world.vote_fails("ciso", made.request, step=1,
                               digest=made.request.snapshot_sha256)
    assert failure.reason == "CLOSED"
    failure = world.officer.fails("PolicyService/WithdrawPolicy", id=made.policy.meta.id)
    assert failure.reason == "ILLEGAL_STATE"


def test_what_is_submitted_is_read_only(world, place):
    made = world.policy(place)
    failure = world.officer.fails(
        "PolicyService/UpdatePolicy", id=made.policy.meta.id,
        mutation={"expected_version": made.policy.meta.version}, fields={"title": "x"},
        update_mask="title")
    assert failure.reason == "ILLEGAL_STATE"
    failure = world.officer.fails("PolicyService/SubmitPolicy", id=made.policy.meta.id)
    assert failure.reason == "ILLEGAL_STATE"


# --- what replaces what ----------------------------------------------------------


def test_a_replacement_retires_the_old_one(world, place):
    old = active(world, place)
    new = active(world, place, replaces=old.meta.id)
    assert read(world, old).state == RETIRED
    assert (new.no, new.replaces_id, new.replaces_version) == (2, old.meta.id, old.meta.version)
    asked = world.acceptance(world.risk(score=(3, 4)))
    assert asked.request.policy_id == new.meta.id and asked.request.policy_no == 2


def test_of_two_replacements_one_is_stale(world, place):
    old = active(world, place)
    first, second = (world.policy(place, replaces=old.meta.id) for _ in range(2))
    world.vote("ciso", second.request)
    approve(world, first.request)
    failure = world.vote_fails("top", second.request)
    assert failure.code == "FAILED_PRECONDITION" and failure.reason == "STALE", failure
    assert world.request(second.request, by="ciso").state == 7
    policy = read(world, second.policy)
    assert policy.state == DRAFT
    failure = world.officer.fails("PolicyService/SubmitPolicy", id=policy.meta.id)
    assert failure.reason == "STALE", failure


def test_a_repeal_only_ends(world, place):
    old = active(world, place)
    repeal = active(world, place, replaces=old.meta.id, repeals=True)
    assert read(world, old).state == RETIRED and repeal.state == RETIRED
    asked = world.acceptance(world.risk(score=(3, 4)))
    assert asked.request.policy_id not in (old.meta.id, repeal.meta.id)


def policies(world, **filters):
    return world.officer.call("PolicyService/ListPolicies", page_size=1000, **filters).policies


def change_policy(world):
    return next(p for p in policies(world, subject_kind="SUBJECT_KIND_POLICY_CHANGE",
                                    state="POLICY_STATE_ACTIVE")
                if p.scope_id == world.root.meta.id)


def test_the_root_keeps_a_policy_for_changes(world):
    fields = create_fails(world, world.root, subject_kind="SUBJECT_KIND_POLICY_CHANGE",
                          replaces_id=change_policy(world).meta.id, repeals=True)
    assert set(fields) == {"repeals"}


def test_the_policy_for_changes_is_changed_by_itself(world):
    old = change_policy(world)
    steps = [policy_step(1, "CISO"), policy_step(2, "TOP_MANAGEMENT", distinct_from_prior=True)]
    made = world.policy(world.root, kind="POLICY_CHANGE", replaces=old.meta.id, steps=steps)
    assert made.request.policy_id == old.meta.id
    approve(world, made.request)
    assert change_policy(world).meta.id == made.policy.meta.id
    assert read(world, old).state == RETIRED


def test_nobody_is_locked_out_of_changing_policies(world):
    """Nobody holds APPROVER: under such a text no policy could ever be changed again."""
    steps = [policy_step(1, "APPROVER", quorum=2)]
    draft = world.policy(world.root, kind="POLICY_CHANGE", replaces=change_policy(world).meta.id,
                         steps=steps, submit=False)
    failure = world.officer.fails("PolicyService/SubmitPolicy", id=draft.meta.id)
    assert failure.reason == "POLICY_UNUSABLE", failure


def test_a_unit_may_have_its_own_policy_for_changes(world, place):
    steps = [policy_step(1, "RISK_COMMITTEE", quorum=2)]
    own = active(world, place, kind="POLICY_CHANGE", steps=steps)
    made = world.policy(place)
    assert made.request.policy_id == own.meta.id
    world.vote("committee_1", made.request)
    world.vote("committee_2", made.request)
    assert read(world, made.policy).state == ACTIVE


def test_lists_are_filtered(world, place):
    made = world.policy(place, submit=False)
    drafts = policies(world, state="POLICY_STATE_DRAFT")
    assert made.meta.id in [p.meta.id for p in drafts] and {p.state for p in drafts} == {DRAFT}
    kinds = policies(world, subject_kind="SUBJECT_KIND_POLICY_CHANGE")
    assert {p.subject_kind for p in kinds} == {3}


# --- at once -----------------------------------------------------------------------


def test_of_two_replacements_decided_at_once_one_holds(world, place):
    """Whoever comes second finds that what it replaces is gone."""
    old = active(world, place)
    for _ in range(8):
        made = [world.policy(place, replaces=old.meta.id) for _ in range(2)]
        futures = []
        for one in made:
            world.vote("ciso", one.request)
        for name, one in zip(("top", "top_too"), made):
            message = world.apis[name].request(
                "ApprovalService/CastVote", request_id=one.request.meta.id, step_no=2,
                decision="DECISION_APPROVE", snapshot_sha256=b64(one.request.snapshot_sha256))
            futures.append(world.apis[name].future("ApprovalService/CastVote", message))
        codes = sorted(f.code().name for f in futures)
        assert codes == ["FAILED_PRECONDITION", "OK"], codes
        assert sorted(read(world, m.policy).state for m in made) == [DRAFT, ACTIVE]
        assert read(world, old).state == RETIRED
        old = next(p for p in (read(world, m.policy) for m in made) if p.state == ACTIVE)


def test_what_is_submitted_while_policies_change_has_one_of_them(world, place):
    """The steps that are frozen are those of one policy as it stood, never a mixture."""
    for _ in range(8):
        made = world.policy(place)
        world.vote("ciso", made.request)
        drafts = [world.acceptance(world.risk(score=(3, 4)), submit=False) for _ in range(4)]
        vote = world.top.request(
            "ApprovalService/CastVote", request_id=made.request.meta.id, step_no=2,
            decision="DECISION_APPROVE", snapshot_sha256=b64(made.request.snapshot_sha256))
        futures = [world.top.future("ApprovalService/CastVote", vote)]
        for draft in drafts:
            message = world.contributor.request("AcceptanceService/SubmitAcceptance",
                                                id=draft.meta.id)
            futures.append(world.contributor.future("AcceptanceService/SubmitAcceptance", message))
        assert {f.code().name for f in futures} == {"OK"}
        for future in futures[1:]:
            request = future.result().request
            policy = read_id(world, request.policy_id)
            assert request.steps == policy.steps and request.policy_no == policy.no
        approve(world, world.policy(place, replaces=made.policy.meta.id, repeals=True).request)


# --- what a text may say -----------------------------------------------------------

OWNER = policy_step(1)
STEP = "fields.steps.steps[%d].%s"


@pytest.mark.parametrize("steps, wrong", [
    ([], {"fields.steps.steps"}),
    ([{**OWNER, "step_no": 2}], {STEP % (0, "step_no")}),
    ([OWNER, {**policy_step(3, "CISO"), "distinct_from_prior": True}], {STEP % (1, "step_no")}),
    ([policy_step(1, "CISO"), {**policy_step(2, "CISO"), "mode": "STEP_MODE_QUORUM"}],
     {STEP % (1, "quorum")}),
    ([{**OWNER, "quorum": 2}], {STEP % (0, "quorum")}),
    ([policy_step(1, quorum=2)], {STEP % (0, "quorum")}),
    ([policy_step(1, "NO_SUCH_ROLE")], {STEP % (0, "role_code")}),
    ([policy_step(1, "AUDITOR")], {STEP % (0, "role_code")}),
    ([{**OWNER, "role_code": "CISO"}], {STEP % (0, "role_code")}),
    ([{**policy_step(1, "CISO"), "role_code": ""}], {STEP % (0, "role_code")}),
    ([OWNER, policy_step(2, distinct_from_prior=True)], {STEP % (1, "distinct_from_prior")}),
    ([{**OWNER, "escalate_after_hours": 5}], {STEP % (0, "escalate_after_hours")}),
    ([{**OWNER, "escalate_to_role": "CISO"}], {STEP % (0, "escalate_to_role")}),
    ([{**OWNER, "escalate_to_role": "NOBODY", "due_hours": 5}], {STEP % (0, "escalate_to_role")}),
    ([{**OWNER, "escalate_to_role": "CISO", "due_hours": 5, "escalate_after_hours": 5}],
     {STEP % (0, "escalate_after_hours")}),
    ([{**OWNER, "step_no": 2, "role_code": "X", "quorum": 1}],
     {STEP % (0, "step_no"), STEP % (0, "role_code"), STEP % (0, "quorum")}),
])
def test_steps_that_make_no_sense(world, steps, wrong):
    fields = create_fails(world, max_level="RISK_LEVEL_HIGH", steps={"steps": steps})
    assert set(fields) == wrong, fields


@pytest.mark.parametrize("steps", [
    [policy_step(1), policy_step(2, "CISO", distinct_from_prior=True)],
    [policy_step(1), policy_step(2, "CISO"), policy_step(3, "TOP_MANAGEMENT")],
    [policy_step(1, "RISK_COMMITTEE", quorum=2), policy_step(2, "CISO")],
    [policy_step(1, "RISK_COMMITTEE", quorum=2), policy_step(2, "RISK_COMMITTEE", quorum=2)],
])
def test_what_is_critical_wants_three_different_people(world, steps):
    assert set(create_fails(world, steps={"steps": steps})) == {"fields.steps"}
    # of other levels it may be decided by fewer
    world.policy(steps=steps, submit=False, max_level="RISK_LEVEL_HIGH")


def test_a_change_of_policies_wants_two(world):
    one = {"steps": [policy_step(1, "CISO")]}
    assert set(create_fails(world, subject_kind="SUBJECT_KIND_POLICY_CHANGE", steps=one)) == {
        "fields.steps"}
    owner = {"steps": [policy_step(1), policy_step(2, "CISO", distinct_from_prior=True)]}
    assert set(create_fails(world, subject_kind="SUBJECT_KIND_POLICY_CHANGE", steps=owner)) == {
        STEP % (0, "selector")}


def test_levels_and_reviews(world):
    steps = {"steps": [policy_step(1, "RISK_COMMITTEE", quorum=3)]}
    assert set(create_fails(world, steps=steps, min_level="RISK_LEVEL_HIGH",
                            max_level="RISK_LEVEL_LOW")) == {"fields.max_level"}
    assert set(create_fails(world, steps={**steps, "review_days": 9},
                            subject_kind="SUBJECT_KIND_TREATMENT_PLAN")) == {
        "fields.steps.review_days"}
    assert set(create_fails(world, steps=steps, max_level="RISK_LEVEL_LOW",
                            subject_kind="SUBJECT_KIND_POLICY_CHANGE")) == {"fields.max_level"}


def test_what_is_replaced_must_fit(world, place):
    steps = {"steps": [policy_step(1, "RISK_COMMITTEE", quorum=3)]}
    old = active(world, place)
    draft = world.policy(place, submit=False)
    for wrong, field in (({"replaces_id": draft.meta.id}, "replaces_id"),
                         ({"repeals": True}, "replaces_id"),
                         ({"replaces_id": old.meta.id,
                           "subject_kind": "SUBJECT_KIND_TREATMENT_PLAN"}, "subject_kind")):
        assert set(create_fails(world, place, steps=steps, **wrong)) == {field}, wrong
    assert set(create_fails(world, world.other_unit, steps=steps,
                            replaces_id=old.meta.id)) == {"scope_id"}


def test_a_draft_is_checked_again(world, place):
    policy = world.policy(place, submit=False)
    failure = world.officer.fails(
        "PolicyService/UpdatePolicy", id=policy.meta.id, mutation={"expected_version": 1},
        fields={"steps": {"steps": [policy_step(1)]}}, update_mask="steps")
    assert set(failure.fields) == {"fields.steps"}, failure


# --- owners, and people by name -----------------------------------------------------


@pytest.fixture
def keepers(world, place):
    """Who owns the place and an asset in it, and may decide there."""
    names = [f"{what}_{unique('x')[2:]}" for what in ("scope", "asset")]
    for name in names:
        world.add(name, "APPROVER", "CRITICAL", scope=place.meta.id)
    give(world, place, names[0])
    world.grant("analyst", "RISK_ANALYST", scope=place.meta.id)
    return (*names, world.asset(place, owner=names[1]))


def give(world, scope, name):
    now = next(s for s in world.admin.call("ScopeService/ListScopes", page_size=1000).scopes
               if s.meta.id == scope.meta.id)
    world.admin_scope.call("ScopeService/UpdateScope", id=scope.meta.id,
                           mutation={"expected_version": now.meta.version},
                           fields={"owner_id": world.id(name)}, update_mask="ownerId")


def selecting(number, selector, **fields):
    return policy_step(number, selector=f"STEP_SELECTOR_{selector}", **fields)


def named(world, number, *names, **fields):
    return selecting(number, "USERS", user_ids=[world.id(n) for n in names], **fields)


def asked_by(world, request):
    return {(a.step_no, a.display_name, a.via) for a in world.contributor.call(
        "ApprovalService/GetApprovalRequest", id=request.meta.id).assignees}


def test_owners_and_who_is_named_decide(world, place, keepers):
    keeper, minder, asset = keepers
    active(world, place, steps=[
        selecting(1, "SCOPE_OWNER"), selecting(2, "ASSET_OWNER", distinct_from_prior=True),
        named(world, 3, "committee_1", "committee_2", quorum=2, distinct_from_prior=True)])
    request = world.acceptance(world.risk(asset_ids=[asset.meta.id])).request
    assert asked_by(world, request) == {
        (1, keeper, "SCOPE_OWNER"), (2, minder, "ASSET_OWNER"),
        (3, "committee_1", "USERS"), (3, "committee_2", "USERS")}
    could = world.officer.call("ApprovalService/CanI", permission="decision.cast",
                               object_id=request.meta.id).who_can
    assert [p.display_name for p in could] == [keeper]
    for name in (keeper, minder, "committee_1", "committee_2"):
        reply = world.vote(name, request)
    assert reply.request.state == 2
    failure = world.vote_fails("committee_3", world.acceptance(
        world.risk(asset_ids=[asset.meta.id])).request)
    assert failure.reason == "NOT_ASSIGNEE", failure


def test_without_an_owner_who_may_decide_nothing_is_submitted(world, place, keepers):
    keeper, minder, asset = keepers
    active(world, place, max_level="RISK_LEVEL_HIGH", steps=[selecting(1, "ASSET_OWNER")])
    for assets in ([], [world.asset(place, owner="contributor").meta.id]):
        made = world.acceptance(world.risk(asset_ids=assets), submit=False)
        failure = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=made.meta.id)
        assert failure.reason == "NO_ELIGIBLE_APPROVER", failure
        assert failure.facts["via"] == "ASSET_OWNER", failure


def test_who_owns_it_no_more_decides_no_more(world, place, keepers):
    keeper, minder, asset = keepers
    active(world, place, max_level="RISK_LEVEL_HIGH", steps=[
        selecting(1, "ASSET_OWNER"), selecting(2, "SCOPE_OWNER", distinct_from_prior=True)])
    first, second = (world.acceptance(world.risk(asset_ids=[asset.meta.id])).request
                     for _ in range(2))
    for request in (first, second):
        world.vote(minder, request)
    give(world, place, "owner")
    assert world.vote_fails(keeper, first).reason == "NOT_ASSIGNEE"
    give(world, place, keeper)
    world.analyst.call("AssetService/UpdateAsset", id=asset.meta.id,
                       mutation={"expected_version": asset.meta.version},
                       fields={"owner_id": world.id(keeper)}, update_mask="ownerId")
    assert world.vote_fails(keeper, second).reason == "NO_QUORUM"
    assert world.request(second).state == 6


def test_who_is_named_must_be_able_to_decide(world, place):
    draft = world.policy(place, submit=False, max_level="RISK_LEVEL_HIGH",
                         steps=[named(world, 1, "committee_1", "contributor")])
    failure = world.officer.fails("PolicyService/SubmitPolicy", id=draft.meta.id)
    assert set(failure.fields) == {"policy.steps.steps[0].user_ids"}, failure
    assert set(create_fails(world, place, max_level="RISK_LEVEL_HIGH", steps={"steps": [
        named(world, 1)]})) == {STEP % (0, "user_ids")}
    assert set(create_fails(world, place, max_level="RISK_LEVEL_HIGH", steps={"steps": [
        policy_step(1, "CISO", user_ids=[world.id("ciso")])]})) == {STEP % (0, "user_ids")}


def test_a_rejection_may_be_outvoted_where_the_policy_says_so(world, place):
    draft = world.policy(place, submit=False, max_level="RISK_LEVEL_HIGH", steps=[
        named(world, 1, "committee_1", "committee_2", "committee_3", quorum=2)])
    steps = {"reject_may_be_outvoted": True, "steps": [
        named(world, 1, "committee_1", "committee_2", "committee_3", quorum=2)]}
    world.officer.call("PolicyService/UpdatePolicy", id=draft.meta.id,
                       mutation={"expected_version": draft.meta.version},
                       fields={"steps": steps}, update_mask="steps")
    approve(world, world.officer.call("PolicyService/SubmitPolicy", id=draft.meta.id).request)

    def reject(name, request):
        return world.vote(name, request, decision="REJECT", comment="not in this form")
    first, second = (world.acceptance(world.risk()) for _ in range(2))
    reply = reject("committee_1", first.request)
    assert (reply.request.state, reply.remaining) == (1, 2)
    world.vote("committee_2", first.request)
    assert world.vote("committee_3", first.request).request.state == 2
    world.vote("committee_1", second.request)
    assert reject("committee_2", second.request).request.state == 1
    assert reject("committee_3", second.request).request.state == 3
    assert world.owner.call("AcceptanceService/GetAcceptance",
                            id=second.acceptance.meta.id).acceptance.state == 5
