"""What the server does by itself because a time has come: the end of acceptances is
recorded, once though several servers look; old keys of idempotency go; nobody but the
server can start it, and nothing depends on it."""

import os
import pathlib
import re
import signal
import time

import grpc
import pytest

from api import SCHEMA
from server import Beside, Server
from world import first_world, soon, unique


@pytest.fixture(scope="module")
def ticking():
    server = Server(None, "--workers", "2", "--clock-interval", "1s").start()
    second = Beside(server, "--clock-interval", "1s")
    try:
        yield server, first_world(server)
        assert second.stop() == 0, second.log.read_text()
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        second.done()
        server.done()


def accepted(server, world, seconds):
    """A risk of a low level with an acceptance in force for some seconds from now."""
    risk = world.risk(score=(1, 2))
    made = world.acceptance(risk, days=20)
    world.vote("owner", made.request)
    with server.database() as db:
        db.execute("UPDATE risk_acceptance SET version = version + 1,"
                   " valid_until = now() + make_interval(secs => %s) WHERE id = %s",
                   (seconds, made.acceptance.meta.id))
    acceptance = world.owner.call("AcceptanceService/GetAcceptance",
                                  id=made.acceptance.meta.id).acceptance
    assert acceptance.effective
    return risk, acceptance


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def state(world, acceptance):
    return world.owner.call("AcceptanceService/GetAcceptance", id=acceptance.meta.id).acceptance


def is_expired(world, acceptance):
    return state(world, acceptance).state == number("AcceptanceState",
                                                    "ACCEPTANCE_STATE_EXPIRED")


def events(db, acceptance, rpc="/isms.store.v1.ClockService/ExpireAcceptance"):
    rows = db.execute("SELECT event FROM audit_event WHERE entity_id = %s ORDER BY id",
                      (acceptance.meta.id,)).fetchall()
    found = [SCHEMA.message("isms.v1.AuditEvent").FromString(r[0]) for r in rows]
    return [e for e in found if e.rpc == rpc]


def test_the_end_of_acceptances_is_recorded_once_though_two_servers_look(ticking):
    server, world = ticking
    made = [accepted(server, world, 4) for _ in range(8)]
    until(lambda: all(is_expired(world, a) for _, a in made))
    time.sleep(2.5)  # a round or two more of both
    with server.database() as db:
        for risk, acceptance in made:
            now = state(world, acceptance)
            warned = events(db, acceptance, "/isms.store.v1.ClockService/WarnAcceptance")
            assert now.meta.version == acceptance.meta.version + 1 + len(warned)
            assert now.meta.updated_by == "" and now.ended_by == ""
            assert now.ended_at.ToDatetime() >= now.valid_until.ToDatetime()
            assert now.end_reason == "the acceptance has run out"
            event, = events(db, acceptance)
            assert (event.actor_id, event.actor_name, event.request_id) == ("", "system", "")
            assert event.entity_ref == acceptance.meta.ref
            assert any(c.entity_kind == "risk_acceptance"
                       and any(f.field == "state" and f.after == "EXPIRED" for f in c.fields)
                       for c in event.changes)
            assert db.execute(
                "SELECT count(*) FROM outbox WHERE entity_id = %s AND audit_event_id = %s"
                " AND topic = 'ClockService/ExpireAcceptance'",
                (acceptance.meta.id, event.id)).fetchone() == (1,)
            after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
            assert not after.HasField("accepted_until")
            assert after.disposition == risk.disposition  # untreated again
            assert after.state == risk.state  # analysed again
            assert db.execute("SELECT state FROM treatment_plan WHERE id = %s",
                              (acceptance.plan_id,)).fetchone() == ("CANCELLED",)
    errors = [line for line in server.log.read_text().splitlines() if "level=error" in line]
    assert not errors, errors


def closed(world, request):
    """Why a request is over; "" while it is open."""
    return world.request(request, by="officer").close_reason.split(":")[0]


def draft(world, acceptance):
    return state(world, acceptance).state == number("AcceptanceState", "ACCEPTANCE_STATE_DRAFT")


def number(enum, name):
    return SCHEMA.pool.FindEnumTypeByName("isms.v1." + enum).values_by_name[name].number


def test_a_request_whose_end_has_passed_is_over(ticking):
    server, world = ticking
    made = world.acceptance(world.risk(score=(1, 2)), days=8 / 86400)
    assert closed(world, made.request) == ""
    until(lambda: closed(world, made.request) == "EXPIRED")
    assert draft(world, made.acceptance)
    with server.database() as db:
        event, = events(db, made.request, "/isms.store.v1.ClockService/AdvanceRequest")
        assert (event.actor_id, event.actor_name) == ("", "system")


def test_a_request_about_what_has_changed_is_over(ticking):
    server, world = ticking
    risk = world.risk(score=(1, 2))
    made = world.acceptance(risk)
    world.score(risk, 2, 2)
    until(lambda: closed(world, made.request) == "STALE")
    assert draft(world, made.acceptance)


def test_a_request_about_a_transfer_that_has_lapsed_is_over(ticking):
    server, world = ticking
    plan = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=world.risk(score=(1, 2)).meta.id,
        option="TREATMENT_OPTION_TRANSFER",
        fields={"rationale": "the best that can be done", "transfer": {
            "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
            "valid_until": soon(4 / 86400), "retained_duty": "to report each loss"}}).plan
    made = world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id)
    until(lambda: closed(world, made.request) == "EXPIRED")
    now = world.owner.call("TreatmentService/GetPlan", id=plan.meta.id).plan
    assert now.state == number("PlanState", "PLAN_STATE_DRAFT")


def test_a_change_of_a_policy_that_has_moved_on_is_over(ticking):
    server, world = ticking
    world.add("director", "TOP_MANAGEMENT", "CRITICAL")

    def decide(made):
        for name in ("ciso", "director"):
            world.vote(name, made.request)
    place = world.scope(unique("place"), parent=world.unit.meta.id)
    first = world.policy(place)
    decide(first)
    late = world.policy(place, replaces=first.policy.meta.id)
    decide(world.policy(place, replaces=first.policy.meta.id))
    until(lambda: closed(world, late.request) == "STALE")
    now = world.officer.call("PolicyService/GetPolicy", id=late.policy.meta.id).policy
    assert now.state == number("PolicyState", "POLICY_STATE_DRAFT")


def test_a_request_of_people_who_may_decide_no_more_escalates_and_then_ends(ticking):
    server, world = ticking
    scope = world.scope(unique("lost")).meta.id
    world.add("leaver", "RISK_OWNER", "CRITICAL", scope=scope)
    grant = world.grant("contributor", "CONTRIBUTOR", scope=scope)
    assert grant.meta.id
    risk = world.contributor.call("RiskService/CreateRisk", scope_id=scope, fields={
        "title": unique("risk"), "owner_id": world.id("leaver")}).risk
    made = world.acceptance(world.score(risk, 1, 2))
    time.sleep(2.5)
    assert closed(world, made.request) == ""
    assert not world.request(made.request, by="officer").escalated
    grants = world.admin.call("DirectoryService/ListGrants", user_id=world.id("leaver")).grants
    for one in grants:
        world.admin.call("DirectoryService/RevokeGrant", id=one.meta.id, reason="has left")
    until(lambda: world.request(made.request, by="officer").escalated)
    asked = world.officer.call("ApprovalService/GetApprovalRequest",
                               id=made.request.meta.id).assignees
    states_of = {a.user_id: a.state for a in asked}
    assert states_of[world.id("leaver")] == number("AssigneeState", "ASSIGNEE_STATE_VOID")
    assert states_of[world.id("officer")] == number("AssigneeState", "ASSIGNEE_STATE_PENDING")
    with server.database() as db:
        rpc = "/isms.store.v1.ClockService/AdvanceRequest"
        time.sleep(2.5)  # found once
        assert len(events(db, made.request, rpc)) == 1


def test_old_keys_of_idempotency_go(ticking):
    server, world = ticking
    with server.database() as db:
        rows = db.execute("SELECT count(*) FROM idempotency").fetchone()[0]
        assert rows > 0
        db.execute(
            "INSERT INTO idempotency (org_id, actor_id, request_id, rpc, body_sha256, response,"
            " created_at) SELECT org_id, actor_id, gen_random_uuid(), rpc, body_sha256, response,"
            " now() - a.age FROM (SELECT * FROM idempotency LIMIT 1) i,"
            " (SELECT interval '8 days 1 minute' AS age FROM generate_series(1, 2500)"
            "  UNION ALL SELECT interval '7 days 23 hours') a")
        old = "SELECT count(*) FROM idempotency WHERE created_at < now() - interval '{}'"
        # more than go at once
        until(lambda: db.execute(old.format("8 days")).fetchone() == (0,))
        assert db.execute(old.format("7 days 12 hours")).fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM idempotency").fetchone()[0] == rows + 1


def test_the_clock_waits_for_the_database_and_goes_on(ticking):
    server, world = ticking
    _, acceptance = accepted(server, world, 5)
    for _ in range(10):  # it may be back before the clock looks
        os.kill(server.postmaster_pid(), signal.SIGKILL)
        time.sleep(3)
        if "clock_waits" in server.log.read_text():
            break
    assert "clock_waits" in server.log.read_text()

    def recovered():
        try:
            return is_expired(world, acceptance)
        except Exception:
            return False
    until(recovered, 60)
    with server.database() as db:
        assert len(events(db, acceptance)) == 1
    assert server.log.read_text().count("clock_waits") <= 11


def test_the_clock_goes_on_in_new_workers_after_a_reload(ticking):
    server, world = ticking
    before = set(server.worker_pids())
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "reloaded" in server.log.read_text())
    until(lambda: not before & set(server.worker_pids()))
    for _ in range(2):
        _, acceptance = accepted(server, world, 3)
        until(lambda: is_expired(world, acceptance))


@pytest.mark.parametrize("method", [
    "ExpireAcceptance", "WarnAcceptance", "WarnReview", "LapseTransfer", "AdvanceRequest"])
def test_nobody_reaches_the_methods_of_the_clock(ticking, method):
    server, world = ticking
    with server.channel() as channel:
        call = channel.unary_unary(f"/isms.store.v1.ClockService/{method}")
        for metadata in ((), world.owner.metadata(), world.admin.metadata()):
            with pytest.raises(grpc.RpcError) as failed:
                call(b"", metadata=metadata, timeout=10)
            assert failed.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_reflection_does_not_know_the_clock(ticking):
    server, world = ticking
    request = SCHEMA.message("grpc.reflection.v1.ServerReflectionRequest")
    reply = SCHEMA.message("grpc.reflection.v1.ServerReflectionResponse")
    with server.channel() as channel:
        stub = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=request.SerializeToString, response_deserializer=reply.FromString)
        services, symbol, file = stub(iter([
            request(list_services="*"),
            request(file_containing_symbol="isms.store.v1.ClockService"),
            request(file_by_filename="isms/store/v1/clock.proto")]), timeout=10)
    names = [s.name for s in services.list_services_response.service]
    assert "isms.v1.RiskService" in names and not [n for n in names if "store" in n]
    assert symbol.error_response.error_code == 5 and file.error_response.error_code == 5


def test_a_server_whose_clock_stands_still_is_right_all_the_same(server, world):
    risk, acceptance = accepted(server, world, 3)
    until(lambda: not state(world, acceptance).effective)
    now = state(world, acceptance)
    assert now.state == acceptance.state and now.meta.version == acceptance.meta.version
    after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert not after.HasField("accepted_until")
    with server.database() as db:
        assert not events(db, acceptance)


def test_all_that_may_be_due_has_its_method():
    root = pathlib.Path(__file__).resolve().parents[2]
    due = set(re.findall(r"\(SELECT \w+\.org_id, '(\w+)'",
                         (root / "sql/queries/clock.sql").read_text()))
    methods = set(re.findall(r"^  rpc (\w+)\(",
                             (root / "proto/isms/store/v1/clock.proto").read_text(), re.M))
    assert due and due == methods
