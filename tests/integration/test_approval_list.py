"""The register of approval requests: what GetApprovalRequest shows, and filters."""

import pytest

from api import Failure
from world import unique

PENDING, APPROVED, REJECTED, WITHDRAWN = 1, 2, 3, 5
PLAN, ACCEPTANCE, POLICY = 1, 2, 3
NAMES = ("contributor", "analyst", "owner", "officer", "ciso", "committee_1", "auditor", "stranger",
         "colleague", "admin", "pipeline")


def page(api, **fields):
    reply = api.call("ApprovalService/ListApprovalRequests", **fields)
    return list(reply.requests), reply.next_page_token


def every(api, size=0, **fields):
    rows, token = page(api, page_size=size, **fields)
    while token:
        more, token = page(api, page_size=size, page_token=token, **fields)
        assert more and (not size or len(more) <= size)
        rows += more
    return rows


def may_read(api, thing):
    try:
        return api.call("ApprovalService/GetApprovalRequest", id=thing).request
    except Failure as failure:
        assert failure.code == "NOT_FOUND"
        return None


@pytest.fixture(scope="module")
def requests(world):
    """Of each kind and in several states, in two units."""
    made = [world.acceptance(world.risk(score=s)).request for s in ((1, 1), (3, 4), (5, 5))]
    made.append(world.acceptance(world.risk(by="analyst"), by="analyst").request)
    made.append(world.plan(world.risk()).request)
    world.vote("owner", world.plan(world.risk(score=(2, 3))).request)
    refused = world.acceptance(world.risk(score=(1, 1))).request
    world.vote("owner", refused, "REJECT", "treat it")
    back = world.acceptance(world.risk())
    world.contributor.call("AcceptanceService/WithdrawAcceptance", id=back.acceptance.meta.id)
    if "elsewhere" not in world.apis:
        world.add("elsewhere", "CONTRIBUTOR", scope=world.other_unit.meta.id)
    far = world.risk(world.other_unit, by="elsewhere", owner="stranger", score=(1, 1))
    made.append(world.acceptance(far, by="elsewhere").request)
    if "top" not in world.apis:
        world.add("top", "TOP_MANAGEMENT", "CRITICAL")
    made.append(world.policy(world.unit).request)
    return every(world.auditor)


@pytest.mark.parametrize("name", NAMES)
def test_the_list_is_what_may_be_read(world, requests, name):
    api = world.apis[name]
    assert every(api) == [r for r in (may_read(api, q.meta.id) for q in requests) if r]


def test_a_requester_lists_the_own_and_an_assignee_what_was_asked(world, requests):
    mine = every(world.contributor)
    assert mine and {r.requested_by for r in mine} == {world.id("contributor")}
    assert {r.state for r in mine} >= {PENDING, APPROVED, REJECTED, WITHDRAWN}
    assert every(world.contributor, requested_by=world.id("analyst")) == []
    asked = every(world.apis["committee_1"])
    assert any(r.level == 4 for r in asked)


def test_who_sees_none_has_an_empty_list(world):
    name = unique("nobody").replace(" ", "_")
    world.add(name)
    assert page(world.apis[name]) == ([], "")


def test_the_list_ends_at_the_organisation(world, other, requests):
    assert not {r.meta.id for r in every(other.auditor)} & {r.meta.id for r in requests}


@pytest.mark.parametrize("field,values", [
    ("state", range(1, 8)), ("subject_kind", (PLAN, ACCEPTANCE, POLICY)),
    ("scope_id", None), ("risk_id", None), ("requested_by", None)])
def test_filters(world, requests, field, values):
    values = values or sorted({getattr(r, field) for r in requests} - {""})
    seen = 0
    for value in values:
        rows = every(world.auditor, **{field: value})
        assert rows == [r for r in requests if getattr(r, field) == value], value
        seen += len(rows)
    assert seen == len([r for r in requests if getattr(r, field)])
    unit = world.unit.meta.id
    for value in values:
        assert every(world.auditor, scope_id=unit, state=PENDING, **(
            {} if field in ("scope_id", "state") else {field: value})) == [
            r for r in requests if r.scope_id == unit and r.state == PENDING
            and (field in ("scope_id", "state") or getattr(r, field) == value)]


def test_pages_go_on_where_the_last_one_ended(world, requests):
    for size in (1, 2, 7, 1000):
        assert every(world.auditor, size) == requests
    _, token = page(world.auditor, page_size=1)
    refused = world.auditor.fails("ApprovalService/ListApprovalRequests", page_size=1,
                                  page_token=token, state=PENDING)
    assert refused.code == "INVALID_ARGUMENT" and list(refused.fields) == ["page_token"]
