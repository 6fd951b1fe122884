"""Who may not decide, over the API: nobody gets around it with another account,
another client or another role."""

import pytest

from api import b64


def refused(world, name, request):
    return world.vote_fails(name, request, step=1, digest=request.snapshot_sha256)


@pytest.fixture
def request_of_contributor(world):
    return world.acceptance(world.risk(score=(3, 4))).request


def test_a_colleague_without_authority_is_not_asked(world, request_of_contributor):
    failure = refused(world, "colleague", request_of_contributor)
    assert failure.code == "PERMISSION_DENIED"


def test_a_stranger_does_not_even_see_the_request(world, request_of_contributor):
    failure = refused(world, "stranger", request_of_contributor)
    assert failure.code == "NOT_FOUND"


def test_a_service_account_never_votes(world, request_of_contributor):
    failure = refused(world, "pipeline", request_of_contributor)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_SERVICE", failure


def test_the_requester_cannot_approve(world):
    """The owner of a risk asks for its acceptance: the owner's step has nobody."""
    risk = world.risk(score=(1, 1))
    acceptance = world.acceptance(risk, by="owner", submit=False)
    failure = world.owner.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER" and failure.facts.get("step") == "1", failure


def test_the_requester_is_refused_by_rule(world, request_of_contributor):
    world.grant("contributor", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id,
                by=world.admin)
    failure = refused(world, "contributor", request_of_contributor)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_REQUESTER", failure


def test_a_second_account_of_the_requester_counts_as_the_requester(world):
    name = "second_of_author"
    if name not in world.apis:
        world.add(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id,
                  person=world.users["contributor"].person_id)
    risk = world.risk(score=(3, 4))
    request = world.acceptance(risk).request
    failure = refused(world, name, request)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_REQUESTER", failure


def test_an_author_of_the_content_cannot_approve(world):
    """Somebody else submits what the owner wrote a part of."""
    risk = world.risk(score=(3, 4))
    acceptance = world.acceptance(risk, submit=False)
    world.owner.call("AcceptanceService/UpdateAcceptance", id=acceptance.meta.id,
                     mutation={"expected_version": acceptance.meta.version},
                     fields={"conditions": "weekly report"}, update_mask="conditions")
    failure = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER", failure


def test_a_scorer_cannot_approve(world):
    if "scoring_officer" not in world.apis:
        world.add("scoring_officer", "ISMS_MANAGER", "CRITICAL")
        world.grant("scoring_officer", "RISK_ANALYST")
    risk = world.risk(score=None)
    risk = world.score(risk, 3, 4, by="scoring_officer")
    request = world.acceptance(risk).request
    world.vote("owner", request)
    failure = world.vote_fails("scoring_officer", request, step=2,
                               digest=request.snapshot_sha256)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_CONTRIBUTOR", failure
    world.vote("officer", request)


def test_steps_that_want_other_people_get_them(world):
    if "owner_and_manager" not in world.apis:
        world.add("owner_and_manager", "RISK_OWNER", "CRITICAL")
        world.grant("owner_and_manager", "ISMS_MANAGER", "CRITICAL")
    risk = world.risk(score=(3, 4), owner="owner_and_manager")
    request = world.acceptance(risk).request
    world.vote("owner_and_manager", request)
    failure = world.vote_fails("owner_and_manager", request, step=2,
                               digest=request.snapshot_sha256)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_DISTINCT", failure


def test_nobody_votes_on_behalf_of_another(world):
    """The delegate-to-be is no assignee; an assignee votes for no absent colleague."""
    world.add("owner_alone", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    request = world.acceptance(world.risk(score=(3, 4), owner="owner_alone")).request
    for name, absent in (("ciso", "owner_alone"), ("owner_alone", "officer")):
        failure = world.apis[name].fails(
            "ApprovalService/CastVote", request_id=request.meta.id, step_no=1,
            decision="DECISION_APPROVE", on_behalf_of=world.id(absent),
            snapshot_sha256=b64(request.snapshot_sha256))
        assert failure.code == "PERMISSION_DENIED" and failure.reason == "SOD_DELEGATE", failure
    assert world.request(request).current_step == 1


def test_a_second_vote_is_refused(world):
    risk = world.risk(score=(5, 5))
    request = world.acceptance(risk).request
    world.vote("owner", request)
    world.vote("ciso", request)
    world.vote("committee_1", request)
    again = world.vote_fails("committee_1", request, step=3, digest=request.snapshot_sha256)
    assert again.code == "ALREADY_EXISTS" and again.reason == "ALREADY_VOTED", again


def test_a_vote_is_bound_to_the_text_that_was_shown(world, request_of_contributor):
    failure = world.vote_fails("owner", request_of_contributor, step=1, digest=b"\x01" * 32)
    assert failure.code == "FAILED_PRECONDITION" and failure.reason == "CONTENT_CHANGED", failure


def test_authority_is_capped_by_level(world):
    if "small_owner" not in world.apis:
        world.add("small_owner", "RISK_OWNER", "LOW", scope=world.unit.meta.id)
    risk = world.risk(score=(3, 4), owner="small_owner")
    acceptance = world.acceptance(risk, submit=False)
    failure = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER", failure
    # what another role of theirs allows is not what the owner of a risk may accept
    more = world.grant("small_owner", "APPROVER", "CRITICAL", scope=world.unit.meta.id)
    failure = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER", failure
    world.admin.call("DirectoryService/RevokeGrant", id=more.meta.id, reason="tried")


def test_a_level_counts_only_with_a_role_that_decides(world):
    """An auditor's level is no authority, before submission or after."""
    if "auditing_owner" not in world.apis:
        world.add("auditing_owner", "RISK_OWNER", "LOW", scope=world.unit.meta.id)
        world.grant("auditing_owner", "AUDITOR", "CRITICAL")
    acceptance = world.acceptance(world.risk(score=(2, 3), owner="auditing_owner"), submit=False)
    failure = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER", failure
    grant = world.grant("auditing_owner", "RISK_OWNER", "MEDIUM", scope=world.unit.meta.id)
    request = world.contributor.call("AcceptanceService/SubmitAcceptance",
                                     id=acceptance.meta.id).request
    world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="left the unit")
    failure = refused(world, "auditing_owner", request)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "AUTHORITY_LEVEL", failure


def test_a_right_that_is_gone_decides_nothing(world):
    if "short_owner" not in world.apis:
        world.add("short_owner")
    grant = world.grant("short_owner", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    request = world.acceptance(world.risk(score=(1, 1), owner="short_owner")).request
    world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="left the unit")
    failure = refused(world, "short_owner", request)
    assert failure.code in ("PERMISSION_DENIED", "NOT_FOUND"), failure


@pytest.mark.parametrize("end", ["grant", "account"])
def test_a_right_must_hold_until_the_request_is_finished(world, end):
    """Who approved and lost the right since does not count at the last vote."""
    name = f"leaving_owner_{end}"
    world.add(name)
    grant = world.grant(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    submitted = world.acceptance(world.risk(score=(3, 4), owner=name))
    world.vote(name, submitted.request)
    if end == "grant":
        world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="left the unit")
    else:
        world.admin.call("DirectoryService/DeactivateUser", id=world.id(name),
                         reason="left the organisation")
    failure = world.vote_fails("officer", submitted.request, step=2,
                               digest=submitted.request.snapshot_sha256)
    assert failure.code == "FAILED_PRECONDITION" and failure.reason == "NO_QUORUM", failure
    assert world.request(submitted.request).state == 6
    read = world.owner.call("AcceptanceService/GetAcceptance", id=submitted.acceptance.meta.id)
    assert read.acceptance.state == 1 and not read.acceptance.effective


def test_another_owner_of_the_risk_decides_on_another_request(world):
    """The request asks the owner it was made for: it closes when that is another."""
    if "next_owner" not in world.apis:
        world.add("next_owner", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    risk = world.risk(score=(1, 1))
    active = world.acceptance(risk)
    world.vote("owner", active.request)
    renewal = world.acceptance(risk)
    risk = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    world.contributor.call("RiskService/UpdateRisk", id=risk.meta.id, update_mask="ownerId",
                           mutation={"expected_version": risk.meta.version},
                           fields={"owner_id": world.id("next_owner")})
    assert world.request(renewal.request).state == 7
    inbox = world.owner.call("ApprovalService/Inbox", page_size=1000).items
    assert renewal.request.meta.id not in [item.request_id for item in inbox]
    read = world.owner.call("AcceptanceService/GetAcceptance", id=active.acceptance.meta.id)
    assert read.acceptance.effective
    again = world.contributor.call("AcceptanceService/SubmitAcceptance",
                                   id=renewal.acceptance.meta.id)
    world.vote("next_owner", again.request)


def test_nothing_waits_for_who_took_part_where_other_people_are_wanted(world):
    """S5: neither in the own right, nor for somebody who is asked."""
    if "both" not in world.apis:
        world.add("both", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
        world.grant("both", "ISMS_MANAGER", "CRITICAL", scope=world.unit.meta.id)
        world.delegate("officer", "both")
    request = world.acceptance(world.risk(score=(3, 4), owner="both")).request

    def waits(name):
        return request.meta.id in [i.request_id for i in world.apis[name].call(
            "ApprovalService/Inbox", page_size=1000).items]
    assert waits("both") and not waits("officer")
    after = world.vote("both", request).request
    assert after.current_step == 2 and after.distinct_from_prior
    for behalf in (None, "officer"):
        failure = world.vote_fails("both", request, step=2, digest=request.snapshot_sha256,
                                   behalf=behalf)
        assert failure.reason == "SOD_DISTINCT", failure
    assert not waits("both") and waits("officer")


def test_nobody_grants_to_themselves(world):
    failure = world.admin.fails(
        "DirectoryService/GrantRole", user_id=world.id("admin"), role_code="RISK_OWNER",
        scope_id=world.root.meta.id)
    assert failure.code == "PERMISSION_DENIED" and failure.reason == "SELF_GRANT", failure


def test_a_service_account_gets_no_deciding_role(world):
    failure = world.admin.fails(
        "DirectoryService/GrantRole", user_id=world.id("pipeline"), role_code="RISK_OWNER",
        scope_id=world.unit.meta.id)
    assert failure.code == "FAILED_PRECONDITION" and failure.reason == "SERVICE_ROLE", failure
