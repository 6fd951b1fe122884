"""WatchService/Watch: what is heard, by whom, in which order, and how streams end and
go on."""

import os
import signal
import time

import pytest
from server import Server
from watching import Stream, Writer, in_order
from world import first_world

QUIET = 1.5  # longer than it takes for an event to arrive


def risk_of(world, unit=None, by="analyst", owner="owner"):
    return world.risk(unit or world.unit, by=by, owner=owner)


@pytest.fixture(scope="module")
def writer(server):
    with Writer(server) as writer:
        yield writer


# --- what an event says ---------------------------------------------------------

def test_an_event_names_object_version_scope_actor_and_audit_event(world):
    with Stream(world.auditor) as stream:
        assert stream.messages[0].cursor and not stream.messages[0].HasField("event")
        risk = risk_of(world)
        created, = [e for e in stream.hears(risk.meta.id) if e.entity_version == 1]
        assert created.topic == "RiskService/CreateRisk"
        assert created.entity_kind == "risk" and created.entity_ref == risk.meta.ref
        assert created.scope_id == world.unit.meta.id
        assert created.actor_id == world.id("analyst") and created.actor_name == "analyst"
        assert created.at.seconds > 0
        audit = [r.event for r in world.auditor.call(
            "AuditLogService/ListAuditEvents", entity_id=risk.meta.id).events]
        assert created.audit_event_id in [e.id for e in audit]


def test_every_object_that_a_call_changes_is_announced_the_subject_first(world):
    request = world.plan(risk_of(world)).request
    with Stream(world.auditor) as stream:
        world.vote("owner", request)
        world.vote("officer", world.request(request))
        assert world.request(request).state == 2  # approved
        stream.until(lambda s: len(s.about(request.meta.id)) == 2)
        first, last = stream.about(request.meta.id)
        stream.until(lambda s: s.about(request.subject_id))

        def of_call(event):
            return [e for e in stream.events if e.audit_event_id == event.audit_event_id]

        assert [e.entity_kind for e in of_call(first)] == ["approval_request"]
        told = of_call(last)
    with world.server.database() as db:
        stored = db.execute("SELECT id, entity_kind, entity_version FROM outbox"
                            " WHERE audit_event_id = %s ORDER BY seq",
                            (last.audit_event_id,)).fetchall()
        recorded, = db.execute("SELECT entity_kind FROM audit_event WHERE id = %s",
                               (last.audit_event_id,)).fetchone()
    assert told[0] == last and recorded == "approval_request"
    assert [(e.id, e.entity_kind, e.entity_version) for e in told] == [
        (str(i), k, v) for i, k, v in stored]
    assert len({e.entity_id for e in told}) == len(told)
    assert {e.entity_kind for e in told} >= {"approval_request", "treatment_plan"}
    assert {e.topic for e in told} == {"ApprovalService/CastVote"}
    assert {e.scope_id for e in told} == {world.unit.meta.id}


def test_a_dry_run_and_a_refusal_announce_nothing(world):
    risk = risk_of(world)
    with Stream(world.auditor, kinds=["risk"]) as stream:
        world.analyst.call("RiskService/ScoreRisk", id=risk.meta.id, kind="SCORE_KIND_CURRENT",
                           likelihood=5, impact=5, rationale="seen before",
                           mutation={"dry_run": True})
        world.auditor.fails("RiskService/ScoreRisk", id=risk.meta.id, kind="SCORE_KIND_CURRENT",
                            likelihood=5, impact=5, rationale="seen before")
        other = risk_of(world)
        stream.hears(other.meta.id)
        assert stream.about(risk.meta.id) == []


# --- filters ----------------------------------------------------------------------

def test_kinds_topics_and_scopes_filter(world, writer):
    unit, other = world.unit.meta.id, world.other_unit.meta.id
    with Stream(world.auditor, kinds=["asset", "control"]) as by_kind, \
            Stream(world.auditor, topics=["Test/One", "Test/Two"]) as by_topic, \
            Stream(world.auditor, scope_id=unit) as by_scope, \
            Stream(world.auditor, scope_id=world.root.meta.id) as by_root, \
            Stream(world.auditor, scope_id=unit, kinds=["risk"], topics=["Test/One"]) as by_all:
        risk_one, = writer.write(scope=unit, topic="Test/One")
        risk_two, = writer.write(scope=other, topic="Test/Two")
        asset, = writer.write(scope=other, kind="asset", topic="Test/Three")
        control, = writer.write(kind="control", topic="Test/One")
        asset_one, = writer.write(scope=unit, kind="asset", topic="Test/One")
        mine = [risk_one, risk_two, asset, control, asset_one]
        expected = {by_kind: [asset, control, asset_one],
                    by_topic: [risk_one, risk_two, control, asset_one],
                    by_scope: [risk_one, asset_one],
                    by_root: [risk_one, risk_two, asset, asset_one], by_all: [risk_one]}
        for stream, ids in expected.items():
            stream.until(lambda s, last=ids[-1]: last in s.ids)
        time.sleep(QUIET)
        for stream, ids in expected.items():
            assert [i for i in stream.ids if i in mine] == ids


def test_a_request_that_makes_no_sense_is_refused(world):
    def fails(api=world.auditor, **request):
        return Stream(api, **request).ended()

    for kinds in (["no_such_kind"], ["risk", ""], ["approval_vote"]):
        failure = fails(kinds=kinds)
        assert failure.code == "INVALID_ARGUMENT" and list(failure.fields)[0].startswith("kinds")
    for cursor in ("x", "w1", "w1" + "0" * 31, "w1" + "0" * 33, "w1" + "f" * 32, "w1" + "G" * 32):
        failure = fails(cursor=cursor)
        assert failure.code == "INVALID_ARGUMENT" and list(failure.fields) == ["cursor"], cursor
    failure = fails(cursor="w1" + "7" + "0" * 31)
    assert (failure.code, failure.reason) == ("OUT_OF_RANGE", "CURSOR_AHEAD")
    assert fails(scope_id="01900000-0000-7000-8000-000000000000").code == "NOT_FOUND"
    # contributors are of the unit and do not see the other one
    assert fails(world.contributor, scope_id=world.other_unit.meta.id).code == "NOT_FOUND"
    assert fails(world.nobody).code == "UNAUTHENTICATED"


# --- who hears what ----------------------------------------------------------------

def test_only_who_may_read_an_object_hears_of_it(world, writer):
    unit, other = world.unit.meta.id, world.other_unit.meta.id
    risk, = writer.write(scope=unit)
    world.add("listener", "CONTRIBUTOR", scope=unit)  # nobody else gives it more roles
    with Stream(world.auditor) as everything, Stream(world.listener) as unit_only, \
            Stream(world.stranger) as other_only, Stream(world.admin) as directory:
        risk_here, = writer.write(scope=unit)
        risk_there, = writer.write(scope=other)
        request, = writer.write(scope=unit, kind="approval_request")
        account, = writer.write(kind="app_user")
        grant, = writer.write(scope=unit, kind="role_grant")
        session, = writer.write(kind="session")
        orphan, = writer.write(kind="risk")
        strange, = writer.write(scope=unit, kind="unheard_of")
        last, = writer.write(scope=unit, kind="scope")
        mine = [risk, risk_here, risk_there, request, account, grant, session, orphan, strange,
                last]
        for stream in (everything, unit_only, directory):
            stream.until(lambda s: last in s.ids)
        other_only.until(lambda s: account in s.ids)
        time.sleep(QUIET)

        def heard(stream):
            return [i for i in stream.ids if i in mine]

        assert heard(everything) == [risk_here, risk_there, request, account, grant, last]
        assert heard(unit_only) == [risk_here, account, last]
        assert heard(other_only) == [risk_there, account]
        assert heard(directory) == [account, grant, session, last]


def test_organisations_do_not_hear_each_other(world, other, writer):
    with Stream(world.auditor) as here, Stream(other.auditor) as there, \
            Writer(world.server, other.organisation) as foreign:
        mine = writer.write(3, scope=world.unit.meta.id)
        theirs = foreign.write(3, scope=other.unit.meta.id)
        # the scope of one, the organisation of the other: cannot come from the server
        mixed = foreign.write(1, scope=world.unit.meta.id)
        here.until(lambda s: set(mine) <= set(s.ids))
        there.until(lambda s: set(theirs) <= set(s.ids))
        time.sleep(QUIET)
        assert not set(theirs + mixed) & set(here.ids)
        assert not set(mine + mixed) & set(there.ids)
        # a cursor is a place in a log, not a right
        with Stream(other.auditor, cursor=here.messages[0].cursor) as again:
            again.until(lambda s: set(theirs) <= set(s.ids))
            assert not set(mine) & set(again.ids)


def test_a_grant_that_is_revoked_ends_what_is_heard(world, writer):
    world.add("mover", "AUDITOR", scope=world.unit.meta.id)
    grant = world.grant("mover", "AUDITOR", scope=world.other_unit.meta.id)
    with Stream(world.mover) as stream:
        before, = writer.write(scope=world.other_unit.meta.id)
        stream.until(lambda s: before in s.ids)
        world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id,
                         reason="has another task")
        time.sleep(2.0)  # twice as old as rights may be
        after = writer.write(50, scope=world.other_unit.meta.id)
        still, = writer.write(scope=world.unit.meta.id)
        stream.until(lambda s: still in s.ids)
        assert not set(after) & set(stream.ids)
        # and the other way round
        world.grant("mover", "AUDITOR", scope=world.other_unit.meta.id)
        time.sleep(2.0)
        again, = writer.write(scope=world.other_unit.meta.id)
        stream.until(lambda s: again in s.ids)
        assert not set(after) & set(stream.ids)


def test_a_stream_ends_with_its_session_or_account(world, writer):
    world.add("guest", "AUDITOR")
    first = world.guest
    world.login("guest")
    with Stream(first) as old, Stream(world.guest) as new:
        first.call("AuthService/Logout")
        failure = old.ended()
        assert (failure.code, failure.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
        event, = writer.write(scope=world.unit.meta.id)
        new.until(lambda s: event in s.ids)
        assert event not in old.ids
        world.admin.call("DirectoryService/DeactivateUser", id=world.id("guest"),
                         reason="has left")
        assert new.ended().code == "UNAUTHENTICATED"
        late = Stream(world.guest)
        assert late.ended().code == "UNAUTHENTICATED"


# --- cursors -----------------------------------------------------------------------

def test_each_cursor_resumes_right_after_its_message(world, writer):
    with Stream(world.auditor, topics=["Test/Resume"]) as stream:
        ids = writer.write(7, scope=world.unit.meta.id, topic="Test/Resume")
        stream.until(lambda s: len(s.ids) == 7)
        assert stream.ids == ids
        ids += writer.write(5, scope=world.unit.meta.id, topic="Test/Resume")
        messages = stream.messages[:1] + [m for m in stream.messages if m.HasField("event")][:7]
        stream.until(lambda s: len(s.ids) == 12)
    for seen, message in enumerate(messages):
        with Stream(world.auditor, cursor=message.cursor, topics=["Test/Resume"]) as again:
            assert again.messages[0].cursor == message.cursor
            again.until(lambda s: ids[-1] in s.ids)
            time.sleep(0.1)
            assert again.ids == ids[seen:]


def test_a_quiet_stream_moves_on_and_shows_that_it_lives(world, writer):
    with Stream(world.auditor, kinds=["asset"], topics=["Test/Never"]) as stream:
        writer.write(20, scope=world.unit.meta.id)
        stream.until(lambda s: len(s.messages) >= 3, 15)
        assert stream.events == []
        assert len({m.cursor for m in stream.messages}) > 1
        asset = writer.write(1, scope=world.unit.meta.id, kind="asset", topic="Test/Never")
        with Stream(world.auditor, cursor=stream.cursor, topics=["Test/Never"]) as again:
            assert again.until(lambda s: s.ids).ids == asset
        stream.until(lambda s: s.ids == asset)


def test_a_stream_tells_when_it_has_caught_up(world, writer):
    with Stream(world.auditor) as stream:
        start = stream.cursor
    ids = writer.write(700, world.unit.meta.id, topic="Test/Caught")
    with Stream(world.auditor, cursor=start, topics=["Test/Caught"]) as stream:
        stream.until(lambda s: any(m.caught_up for m in s.messages))
        first = next(n for n, m in enumerate(stream.messages) if m.caught_up)
        assert [m.event.id for m in stream.messages[:first] if m.HasField("event")] == ids
        assert not stream.messages[0].caught_up and not stream.messages[first].HasField("event")
        assert stream.messages[first].cursor == stream.messages[first - 1].cursor


def test_who_holds_all_events_back_is_told_in_the_log(world, server):
    with Writer(server) as held, Writer(server) as quick, Stream(world.auditor) as stream:
        held.begin().write(1, world.unit.meta.id)
        pid = held.db.info.backend_pid
        event, = quick.write(1, world.unit.meta.id)
        deadline = time.monotonic() + 40
        while f"session {pid} of isms_owner in isms" not in server.tail(4000):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert event not in stream.ids
        held.commit()
        stream.until(lambda s: event in s.ids)
    assert "event=watch_held" in server.tail(4000)


def test_commits_out_of_order_lose_nothing_and_show_nothing_early(world, server):
    unit = world.unit.meta.id
    with Writer(server) as held, Writer(server) as undone, Writer(server) as quick, \
            Stream(world.auditor, topics=["Test/Order"]) as stream:
        first = held.begin().write(2, unit, topic="Test/Order")
        lost = undone.begin().write(1, unit, topic="Test/Order")
        second = quick.write(3, unit, topic="Test/Order")
        time.sleep(QUIET)
        assert stream.ids == []  # an earlier transaction is still open
        with Stream(world.auditor, topics=["Test/Order"]) as late:
            first += held.write(1, unit, topic="Test/Order")
            undone.rollback()
            third = quick.write(2, unit, topic="Test/Order")
            time.sleep(QUIET)
            assert stream.ids == [] and late.ids == []
            held.commit()
            expected = first + second + third
            stream.until(lambda s: len(s.ids) >= len(expected))
            late.until(lambda s: len(s.ids) >= len(expected))
            time.sleep(0.3)
            assert stream.ids == expected == in_order(server, expected + lost)
            # what had begun to write before the stream is told as well
            assert late.ids == expected


def test_a_stream_far_behind_catches_up_and_joins(world, writer, server):
    """More than the ring holds, and more than waits for a stream."""
    with Stream(world.auditor) as stream:
        start = stream.cursor
    ids = []
    for _ in range(13):
        ids += writer.write(500, world.unit.meta.id, topic="Test/Behind")
        ids += writer.write(1, world.other_unit.meta.id, topic="Test/Behind")
    with Stream(world.auditor, cursor=start, topics=["Test/Behind"]) as stream, \
            Stream(world.contributor, cursor=start, topics=["Test/Behind"]) as less, \
            Stream(world.auditor, cursor=start, topics=["Test/Else"]) as none:
        ids += writer.write(10, world.unit.meta.id, topic="Test/Behind")
        stream.until(lambda s: len(s.ids) >= len(ids), 60)
        less.until(lambda s: s.ids and s.ids[-1] == ids[-1], 60)
        assert stream.ids == ids
        assert less.ids == [i for n, i in enumerate(ids) if n % 501 != 500 or n >= 13 * 501]
        none.until(lambda s: len(s.messages) > 1, 20)
        assert none.events == []
    cursors = [m.cursor for m in stream.messages]
    assert cursors == sorted(cursors)
    told = [m.cursor for m in stream.messages if m.HasField("event")]
    assert len(set(told)) == len(told)


# --- ends --------------------------------------------------------------------------

def opened_in_time(api, wait=20):
    """A place that was given back is free when the server has heard of it."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return Stream(api).opened()
        except Failure:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_an_account_with_too_many_grants_is_told_so_for_good(world):
    """No other try mends it, so the client is not told to make one."""
    world.add("collector", "AUDITOR")
    with world.server.database() as db:
        db.execute(
            "INSERT INTO role_grant SELECT (jsonb_populate_record(g, jsonb_build_object("
            "'id', uuid_v7(now()), 'scope_id', s.id))).* FROM role_grant g,"
            " generate_series(1, 513), (SELECT id FROM scope WHERE parent_id IS NULL AND org_id ="
            " (SELECT org_id FROM app_user WHERE id = %(user)s)) s WHERE g.user_id = %(user)s",
            {"user": world.id("collector")})
    failure = Stream(world.collector).ended()
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "TOO_MANY_GRANTS")
    assert "512" in failure.message and not failure.retry


def test_streams_of_an_account_are_limited_and_given_back(world):
    world.add("hoarder", "AUDITOR")
    channel = world.server.channel()
    api = type(world.hoarder)(channel, world.hoarder.token)
    streams = [Stream(api).opened() for _ in range(32)]
    failure = Stream(api).ended()
    assert (failure.code, failure.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_WATCHES")
    assert failure.retry
    streams.pop().call.cancel()
    streams.append(opened_in_time(api))
    for stream in streams:
        stream.call.cancel()
    channel.close()


def test_a_deadline_ends_a_stream(world):
    started = time.monotonic()
    failure = Stream(world.auditor, timeout=2).ended()
    assert failure.code == "DEADLINE_EXCEEDED" and time.monotonic() - started < 30


def test_a_client_that_takes_nothing_is_sent_away_and_resumes(world, server, writer):
    channel = server.channel(("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65535))
    slow = Stream(type(world.auditor)(channel, world.auditor.token), read=False)
    with Stream(world.auditor, topics=["Test/Slow"]) as quick:
        time.sleep(1)
        ids = []
        for _ in range(8):
            ids += writer.write(500, world.unit.meta.id, topic="Test/Slow")
        quick.until(lambda s: len(s.ids) >= len(ids), 30)
        assert quick.ids == ids  # others are not held up
        time.sleep(12)
        slow.start()
        failure = slow.ended(20)
        assert (failure.code, failure.reason) == ("RESOURCE_EXHAUSTED", "WATCH_TOO_SLOW")
        taken = [i for i in slow.ids if i in ids]
        assert taken == ids[:len(taken)] and 0 < len(taken) < len(ids)
        with Stream(world.auditor, cursor=slow.cursor, topics=["Test/Slow"]) as rest:
            rest.until(lambda s: len(s.ids) >= len(ids) - len(taken), 30)
            assert rest.ids == ids[len(taken):]
    channel.close()


def test_a_server_that_stops_ends_streams_with_a_cursor_that_holds():
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        with Writer(server) as writer:
            stream = Stream(world.auditor, topics=["Test/Drain"]).opened()
            seen = writer.write(3, world.unit.meta.id, topic="Test/Drain")
            stream.until(lambda s: len(s.ids) == 3)
        assert server.stop() == 0
        failure = stream.ended()
        assert (failure.code, failure.reason) == ("UNAVAILABLE", "SHUTTING_DOWN")
        assert failure.retry and stream.ids == seen
        server.start()
        api = type(world.auditor)(server.channel(), world.auditor.token)
        with Writer(server) as writer, Stream(api, cursor=stream.cursor) as again:
            risk = writer.write(2, world.unit.meta.id, topic="Test/Drain")
            again.until(lambda s: len(s.ids) >= 2)
            assert again.ids == risk
        assert server.stop() == 0 and not server.leaks()
    finally:
        server.done()


def test_streams_survive_a_restart_of_the_database():
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        stream = Stream(world.auditor, topics=["Test/Restart"]).opened()
        with Writer(server) as writer:
            ids = writer.write(3, world.unit.meta.id, topic="Test/Restart")
            stream.until(lambda s: len(s.ids) == 3)
        os.kill(server.postmaster_pid(), signal.SIGINT)
        deadline = time.monotonic() + 30
        while True:
            try:
                writer = Writer(server)
                break
            except Exception:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        with writer:
            ids += writer.write(3, world.unit.meta.id, topic="Test/Restart")
        stream.until(lambda s: len(s.ids) >= 6 or s.failure, 60)
        assert stream.failure is None and stream.ids == ids
        stream.call.cancel()
        assert server.stop() == 0 and not server.leaks()
    finally:
        server.done()
