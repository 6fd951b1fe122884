"""What becomes of a step that nobody decides in time, or that too few can decide:
people step back, others are asked, the request ends. Nothing of it needs the clock."""

import concurrent.futures
import time
import uuid

import pytest

from api import b64, Failure
from server import Server
from world import first_world

PENDING, APPROVED, EXPIRED = 1, 2, 6
VOTED, RECUSED, VOID = 2, 3, 4


@pytest.fixture(scope="module")
def still():
    """A server whose clock never runs."""
    server = Server(None, "--workers", "2", "--clock-interval", "0").start()
    try:
        world = first_world(server)
        world.add("director", "TOP_MANAGEMENT", "CRITICAL")
        yield world
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


@pytest.fixture(scope="module")
def ticking():
    server = Server(None, "--workers", "2", "--clock-interval", "1s").start()
    try:
        yield first_world(server)
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


def asked(world, score=(3, 4), **risk):
    return world.acceptance(world.risk(score=score, **risk)).request


def read(world, request, by="officer"):
    return world.apis[by].call("ApprovalService/GetApprovalRequest", id=request.meta.id)


def refused(world, name, request, step=1, **args):
    return world.vote_fails(name, request, step=step, digest=request.snapshot_sha256, **args)


def time_passes(world, request, *, due=None, escalates=None):
    """Moves the times of the open step, as if it had been opened earlier."""
    with world.server.database() as db:
        db.execute("UPDATE approval_request SET version = version + 1,"
                   " step_due_at = coalesce(now() + %s::interval, step_due_at),"
                   " escalates_at = coalesce(now() + %s::interval, escalates_at) WHERE id = %s",
                   (due, escalates, request.meta.id))


def seats(world, request, step=1):
    return {a.display_name: a for a in read(world, request).assignees if a.step_no == step}


def subject_state(world, request):
    return world.owner.call("AcceptanceService/GetAcceptance", id=request.subject_id).acceptance


# --- stepping back ------------------------------------------------------------------

def test_stepping_back_needs_a_reason(still):
    failure = refused(still, "owner", asked(still), decision="RECUSE")
    assert failure.code == "INVALID_ARGUMENT" and "comment" in failure.fields, failure


def test_who_steps_back_is_not_counted_and_others_go_on(still):
    world = still
    request = asked(world, score=(5, 5))
    world.vote("owner", request)
    world.vote("ciso", request)
    reply = world.vote("committee_1", request, decision="RECUSE", comment="a relative sells it")
    assert reply.request.state == PENDING and reply.remaining == 2
    again = refused(world, "committee_1", request, step=3)
    assert again.reason == "ALREADY_VOTED", again
    world.vote("committee_2", request)
    assert world.vote("committee_3", request).request.state == APPROVED
    assert seats(world, request, 3)["committee_1"].state == RECUSED
    assert [v.decision for v in read(world, request).votes if v.voter_name == "committee_1"] == [4]


def test_too_few_left_ask_others(still):
    world = still
    request = asked(world)
    assert request.escalates_to == "CISO" and request.HasField("step_due_at")
    reply = world.vote("owner", request, decision="RECUSE", comment="it is my own project")
    assert reply.request.state == PENDING and reply.request.escalated
    assert reply.request.escalates_to == "" and reply.remaining == 1
    seat = seats(world, request)["ciso"]
    assert seat.escalated and seat.via == "CISO"
    item = next(i for i in world.ciso.call("ApprovalService/Inbox", page_size=1000).items
                if i.request_id == request.meta.id)
    assert item.escalated and item.via == "CISO"
    assert world.vote("ciso", request).request.current_step == 2
    assert world.vote("officer", request).request.state == APPROVED


def test_too_few_left_and_nobody_to_ask_end_it(still):
    world = still
    request = asked(world, score=(5, 5))
    reply = world.vote("owner", request, decision="RECUSE", comment="it is my own project")
    assert reply.request.state == EXPIRED and "NO_QUORUM" in reply.request.close_reason
    assert subject_state(world, request).state == 1  # a draft again
    assert refused(world, "ciso", request).reason == "CLOSED"


# --- time ---------------------------------------------------------------------------

def test_an_overdue_step_ends_the_request_at_the_next_vote(still):
    world = still
    request = asked(world, score=(5, 5))
    time_passes(world, request, due="-1 minute")
    failure = refused(world, "owner", request)
    assert failure.code == "FAILED_PRECONDITION" and failure.reason == "STEP_OVERDUE", failure
    now = read(world, request)
    assert now.request.state == EXPIRED and not now.votes
    assert not now.request.HasField("step_due_at")
    assert subject_state(world, request).state == 1


def test_who_is_not_asked_ends_nothing(still):
    world = still
    request = asked(world, score=(5, 5))
    time_passes(world, request, due="-1 minute")
    assert refused(world, "committee_1", request).code == "PERMISSION_DENIED"
    assert world.request(request).state == PENDING


def test_a_step_escalates_by_time_though_no_clock_runs(still):
    """Whoever would be asked by now may vote, and those asked first still may."""
    world = still
    for name in ("ciso", "owner"):
        request = asked(world)
        time_passes(world, request, escalates="-1 minute")
        assert world.vote(name, request).request.current_step == 2
        assert world.vote("officer", request).request.state == APPROVED


def test_an_overdue_step_that_escalates_waits_once_more(still):
    world = still
    request = asked(world)
    time_passes(world, request, due="-1 minute", escalates="-2 days")
    reply = world.vote("owner", request, decision="RECUSE", comment="it is my own project")
    assert reply.request.state == PENDING and reply.request.escalated
    assert reply.request.step_due_at.seconds > time.time() + 3600
    time_passes(world, request, due="-1 minute")
    assert refused(world, "ciso", request).reason == "STEP_OVERDUE"
    assert world.request(request).state == EXPIRED


def test_the_clock_of_a_step_begins_when_it_opens(still):
    world = still
    request = asked(world)
    time_passes(world, request, due="1 minute")
    after = world.vote("owner", request).request
    assert after.current_step == 2 and after.escalates_to == "TOP_MANAGEMENT"
    assert after.step_due_at.seconds - after.step_opened_at.seconds == 336 * 3600
    assert after.escalates_at.seconds - after.step_opened_at.seconds == 168 * 3600


# --- rights that end ----------------------------------------------------------------

def leaver(world, role="RISK_OWNER"):
    name = "leaver_" + uuid.uuid4().hex[:8]
    world.add(name)
    return name, world.grant(name, role, "CRITICAL", scope=world.unit.meta.id)


def leave(world, grant):
    world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="left the unit")


def test_the_vote_of_who_left_is_void(still):
    world = still
    name, grant = leaver(world)
    request = asked(world, owner=name)
    world.vote(name, request)
    leave(world, grant)
    assert refused(world, "officer", request, step=2).reason == "NO_QUORUM"
    now = read(world, request)
    assert now.request.state == EXPIRED and now.votes[0].void
    assert seats(world, request)[name].state == VOID


def test_a_fresh_grant_of_somebody_involved_gives_nothing(still):
    """S6: neither before the request is submitted, nor after."""
    world = still
    name = "granting_writer"
    world.add(name, "CONTRIBUTOR", scope=world.unit.meta.id)
    world.grant(name, "ORG_ADMIN", scope=world.root.meta.id)
    friend = "friend_of_writer"
    world.add(friend)
    world.grant(friend, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id, by=world.apis[name])
    risk = world.risk(score=(1, 1), owner=friend, by="analyst")
    made = world.acceptance(risk, by=name, submit=False)
    failure = world.apis[name].fails("AcceptanceService/SubmitAcceptance", id=made.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER", failure
    # somebody who has nothing to do with it gives the same
    second = world.grant(friend, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    request = world.apis[name].call("AcceptanceService/SubmitAcceptance", id=made.meta.id).request
    leave(world, second)
    failure = refused(world, friend, request)
    assert failure.reason == "SOD_FRESH_GRANT", failure


def test_a_role_that_is_given_back_stays_away_from_what_was_open(still):
    world = still
    name, grant = leaver(world)
    request, other = asked(world, owner=name), asked(world, owner=name)
    world.vote(name, other)
    leave(world, grant)
    world.grant(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    assert refused(world, name, request).reason == "SOD_FRESH_GRANT"
    asking = world.apis[name].call("ApprovalService/CanI", permission="decision.cast",
                                   object_id=request.meta.id)
    assert not asking.allowed and asking.reason == "SOD_FRESH_GRANT"
    assert refused(world, "officer", other, step=2).reason == "NO_QUORUM"
    again = asked(world, owner=name)
    assert world.vote(name, again).request.current_step == 2


def test_an_escalation_asks_nobody_whose_role_is_younger_than_the_request(still):
    world = still
    request = asked(world)
    world.add("late_ciso")
    grant = world.grant("late_ciso", "CISO", "CRITICAL", scope=world.unit.meta.id)
    world.vote("owner", request, decision="RECUSE", comment="it is my own project")
    assert "ciso" in seats(world, request) and "late_ciso" not in seats(world, request)
    assert refused(world, "late_ciso", request).code == "PERMISSION_DENIED"
    leave(world, grant)


def crowd(world, role, people, grants):
    """As many holders of a role, each by so many grants; their ids come before all others'."""
    at = "now() - interval '9 days'"
    with world.server.database() as db:
        db.execute(
            "WITH o AS (SELECT org_id FROM scope WHERE id = %(unit)s),"
            " n AS (SELECT i, ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid AS id"
            "       FROM generate_series(1, %(people)s) AS i),"
            " p AS (INSERT INTO person (org_id, id, version, created_at, updated_at)"
            f"      SELECT o.org_id, n.id, 1, {at}, {at} FROM o, n RETURNING id),"
            " u AS (INSERT INTO app_user (org_id, id, version, created_at, updated_at, email,"
            "           display_name, kind, state, person_id)"
            f"      SELECT o.org_id, p.id, 1, {at}, {at}, p.id || '@example.org', 'crowd',"
            "              'HUMAN', 'ACTIVE', p.id FROM o, p RETURNING id)"
            " INSERT INTO role_grant (org_id, id, version, created_at, updated_at, user_id,"
            "           role_code, scope_id, max_accept_level, valid_from)"
            f" SELECT o.org_id, gen_random_uuid(), 1, {at}, {at}, u.id, %(role)s, %(unit)s, 4,"
            f"        {at} FROM o, u, generate_series(1, %(grants)s)",
            {"unit": world.unit.meta.id, "people": people, "role": role, "grants": grants})
        db.execute("ANALYZE")


def test_many_who_may_be_asked_take_no_right_from_those_who_are(still):
    world = still
    request = asked(world)
    crowd(world, "CISO", 70, grants=30)
    try:
        assert world.vote("owner", request).request.current_step == 2
        assert world.vote("officer", request).request.state == APPROVED
    finally:
        with world.server.database() as db:
            db.execute("UPDATE role_grant SET version = version + 1, revoked_at = now()"
                       " WHERE user_id::text LIKE '00000000-0000-4000-8000-%'")


# --- the clock ----------------------------------------------------------------------

def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_the_clock_escalates_and_ends(ticking):
    world = ticking
    request = asked(world)
    time_passes(world, request, escalates="-1 minute")
    until(lambda: "ciso" in seats(world, request))
    assert world.request(request).escalated
    time_passes(world, request, due="-1 minute")
    until(lambda: world.request(request).state == EXPIRED)
    assert "STEP_OVERDUE" in world.request(request).close_reason
    assert subject_state(world, request).state == 1


@pytest.mark.parametrize("end", ["grant", "given back", "account"])
def test_a_request_whose_people_are_gone_does_not_wait_for_ever(ticking, end):
    world = ticking
    name, grant = leaver(world)
    request = asked(world, score=(5, 5), owner=name)
    if end != "account":
        leave(world, grant)
    if end == "given back":
        world.grant(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    if end == "account":
        world.admin.call("DirectoryService/DeactivateUser", id=world.id(name), reason="left")
    until(lambda: world.request(request).state == EXPIRED)
    assert seats(world, request)[name].state == VOID


# --- how fast people decide -----------------------------------------------------------

def test_nobody_decides_five_hundred_times_in_a_minute():
    server = Server(None, "--workers", "2", "--decisions-per-hour", "35").start()
    try:
        world = first_world(server)
        requests = [asked(world, score=(1, 1)) for _ in range(50)]
        taken, refusals = [], []

        def cast(request):
            try:
                world.owner.call("ApprovalService/CastVote", request_id=request.meta.id, step_no=1,
                                 decision="DECISION_APPROVE",
                                 snapshot_sha256=b64(request.snapshot_sha256), timeout=60)
                taken.append(request.meta.id)
            except Failure as failure:
                refusals.append(failure)
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            list(pool.map(cast, requests * 10))
        assert len(taken) <= 35 and len(taken) == len(set(taken))
        for request in requests:  # those that lost their race are let in, up to the limit
            cast(request)
        assert len(taken) == 35
        limited = [f for f in refusals if f.reason == "DECISION_RATE"]
        assert limited and all(f.code == "RESOURCE_EXHAUSTED" for f in limited)
        assert all(0 < f.retry <= 3600 for f in limited)
        assert {f.reason for f in refusals} <= {"DECISION_RATE", "CLOSED", "ALREADY_VOTED",
                                                "CONTENTION", "LOCK_TIMEOUT"}
        with server.database() as db:
            assert db.execute("SELECT count(*), max(ordinal) FROM approval_vote").fetchone() \
                == (35, 35)
    finally:
        server.done()
