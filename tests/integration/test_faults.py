"""What breaks under load: workers and the database are killed for a minute; no
acknowledged write is lost, nothing is half done, clients go on without a
restart."""

import os
import random
import signal
import threading
import time

import grpc
import pytest

from api import Api, Failure
from server import Server
from world import first_world, password, unique

SECONDS = int(os.environ.get("ISMS_FAULT_SECONDS", "60"))
UNKNOWN = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED")


@pytest.fixture(scope="module")
def own():
    server = Server(None, "--workers", "2").start()
    try:
        yield server, first_world(server)
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


class Writer(threading.Thread):
    """Creates and edits risks; repeats what has no answer with the same bytes."""

    def __init__(self, server, world, stop):
        super().__init__()
        self.api = Api(server.channel(("grpc.max_reconnect_backoff_ms", 500),
                                      ("grpc.initial_reconnect_backoff_ms", 100)),
                       world.contributor.token)
        self.world, self.halt = world, stop
        self.acknowledged, self.failures, self.unexpected = {}, 0, []

    def settle(self, name, message):
        """The reply of a call that is repeated until it has an answer."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            try:
                return self.api.send(name, message, timeout=3)
            except Failure as failure:
                if failure.code not in UNKNOWN and failure.reason != "CONTENTION":
                    raise
                self.failures += 1
                time.sleep(0.05)
        raise AssertionError("no answer for 90 s")

    def run(self):
        try:
            while not self.halt.is_set():
                title = unique("load")
                message = self.api.request(
                    "RiskService/CreateRisk", scope_id=self.world.unit.meta.id,
                    fields={"title": title, "owner_id": self.world.id("owner")})
                risk = self.settle("RiskService/CreateRisk", message).risk
                self.acknowledged[risk.meta.id] = (title, 1)
                title = unique("edited")
                message = self.api.request(
                    "RiskService/UpdateRisk", id=risk.meta.id, update_mask="title",
                    mutation={"expected_version": 1}, fields={"title": title})
                self.settle("RiskService/UpdateRisk", message)
                self.acknowledged[risk.meta.id] = (title, 2)
        except BaseException as error:  # told by the test
            self.unexpected.append(error)


def kill_worker(server):
    workers = server.worker_pids()
    if workers:
        os.kill(random.choice(workers), signal.SIGKILL)


def crash_database(server):
    """What `pg_ctl stop -m immediate` does; the server starts it again."""
    os.kill(server.postmaster_pid(), signal.SIGQUIT)


def test_nothing_acknowledged_is_lost(own):
    server, world = own
    stop = threading.Event()
    writers = [Writer(server, world, stop) for _ in range(6)]
    for w in writers:
        w.start()
    began, faults = time.monotonic(), 0
    while (before := sum(len(w.acknowledged) for w in writers)) < 20:
        assert time.monotonic() - began < 30, "too little load to prove anything"
        time.sleep(0.1)
    while time.monotonic() - began < SECONDS:
        (kill_worker if faults % 3 else crash_database)(server)
        faults += 1
        time.sleep(5)
    stop.set()
    for w in writers:
        w.join(120)
    assert not [e for w in writers for e in w.unexpected]
    acknowledged = {k: v for w in writers for k, v in w.acknowledged.items()}
    print(f"{len(acknowledged)} risks, {faults} faults, {sum(w.failures for w in writers)} repeats")
    assert len(acknowledged) > before
    with server.database() as db:
        rows = {str(i): (t, v) for i, t, v in db.execute("SELECT id, title, version FROM risk")}
        assert {k: rows.get(k) for k in acknowledged} == acknowledged
        # every version has its audit event, announcement and idempotency row, once
        whole = db.execute(
            "SELECT r.id FROM risk r WHERE r.version <> (SELECT count(*) FROM audit_event a "
            "WHERE a.org_id = r.org_id AND a.entity_id = r.id AND a.entity_version > 0)").fetchall()
        assert whole == []
        events, outbox = db.execute(
            "SELECT (SELECT count(*) FROM audit_event WHERE entity_version > 0),"
            " (SELECT count(*) FROM outbox o JOIN audit_event a ON a.org_id = o.org_id"
            "  AND a.id = o.audit_event_id AND a.entity_id = o.entity_id"
            "  AND a.entity_version = o.entity_version)").fetchone()
        assert events == outbox


def test_a_lost_database_is_unavailable_and_comes_back():
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        health = world.channel.unary_unary(
            "/grpc.health.v1.Health/Check", request_serializer=lambda b: b,
            response_deserializer=lambda b: b)
        assert health(b"", timeout=5) == b"\x08\x01"
        os.kill(server.postmaster_pid(), signal.SIGSTOP)
        stopped = server.postmaster_pid()
        children = os.popen(f"pgrep -P {stopped}").read().split()
        try:
            for pid in children:
                os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.5)
            failure = world.contributor.fails("RiskService/ListRisks", timeout=20)
            assert failure.code == "UNAVAILABLE" and failure.retry, failure
            assert health(b"", timeout=5) == b"\x08\x02"
        finally:
            os.kill(stopped, signal.SIGCONT)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                world.contributor.call("RiskService/ListRisks", timeout=5)
                break
            except Failure as again:
                assert again.code in UNKNOWN, again
                time.sleep(0.2)
        while health(b"", timeout=5) != b"\x08\x01":  # all kinds of connections are back
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        assert server.done() == 0


def test_drain_lets_a_call_finish_and_refuses_new_connections():
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        message = world.nobody.request("AuthService/Login", organisation=world.organisation,
                                       email=world.users["owner"].email,
                                       password=password("owner"))
        futures = [world.nobody.future("AuthService/Login", message) for _ in range(8)]
        time.sleep(0.5)  # all have arrived; two at a time are hashed
        os.kill(server.process.pid, signal.SIGTERM)
        done = [f.exception() for f in futures]
        assert all(e is None or e.code() in (grpc.StatusCode.UNAVAILABLE,) for e in done), done
        assert any(e is None for e in done)
        assert server.process.wait(60) == 0
        with pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(server.channel()).result(timeout=1)
    finally:
        server.done()


def test_a_second_start_on_a_folder_is_refused_and_a_killed_one_recovers():
    import subprocess
    from server import BUILD
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        risk = world.risk(score=None)
        second = subprocess.run([BUILD / "ismsd", "--embedded", server.folder / "data",
                                 "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=120)
        assert second.returncode != 0 and str(server.process.pid) in second.stdout, second.stdout
        server.kill()
        server.start()
        again = Api(server.channel(), world.contributor.token)
        assert again.call("RiskService/GetRisk", id=risk.meta.id).risk.title == risk.title
    finally:
        assert server.done() == 0


def test_a_signal_reloads_and_a_broken_configuration_keeps_the_old():
    server = Server(None, "--workers", "1").start()
    try:
        world = first_world(server)
        os.kill(server.process.pid, signal.SIGHUP)
        time.sleep(1)
        fresh = Api(server.channel(), world.contributor.token)
        fresh.call("AuthService/WhoAmI", timeout=10)
        world.contributor.call("AuthService/WhoAmI", timeout=10)
    finally:
        assert server.done() == 0
