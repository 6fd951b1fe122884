"""The example, and what the SDK says of the failures, against the real server."""

import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from server import BUILD, Server  # noqa: E402
from world import first_world  # noqa: E402


@pytest.fixture(scope="module")
def server():
    server = Server(None, "--workers", "1").start()
    try:
        yield server
        assert server.stop() == 0, server.tail()
    finally:
        server.done()


@pytest.fixture(scope="module")
def world(server):
    return first_world(server)


def submit(server, token, *arguments):
    done = subprocess.run(
        [BUILD / "client" / "submit_treatment", server.address, server.conf["ca"], *arguments],
        env={**os.environ, "ISMS_TOKEN": token}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_the_example_submits_a_treatment(server, world):
    risk = world.risk()
    rc, out, err = submit(server, world.contributor.token, risk.meta.id,
                          world.control().meta.id, world.id("contributor"))
    assert (rc, err) == (0, "")
    ref, request = out.split()
    plan = world.contributor.call("TreatmentService/ListPlans", risk_id=risk.meta.id).plans[0]
    assert (plan.meta.ref, plan.approval_request_id) == (ref, request)
    assert plan.state == 2  # SUBMITTED


def test_the_example_tells_what_was_wrong(server, world):
    risk, control = world.risk().meta.id, world.control().meta.id
    rc, out, err = submit(server, world.contributor.token, risk, "no-uuid", world.id("owner"))
    assert (rc, out) == (1, "")
    assert "INVALID_ARGUMENT" in err and "fields.actions[0].control_id" in err
    rc, _, err = submit(server, "ismsT_none", risk, control, world.id("owner"))
    assert rc == 1 and err.startswith("draft: UNAUTHENTICATED ")
    rc, _, err = submit(server, world.stranger.token, risk, control, world.id("owner"))
    assert rc == 1 and err.startswith("draft: NOT_FOUND ")


class Cutter(threading.Thread):
    """Passes connections on, and cuts each after some random bytes of the server."""

    def __init__(self, address, chance, least, most):
        super().__init__(daemon=True)
        host, port = address.rsplit(":", 1)
        self.target, self.chance = (host, int(port)), chance
        self.least, self.most = least, most
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            # Some connections live long enough for a whole record of TLS.
            left = self.chance.randrange(self.least, self.most) * self.chance.choice((1, 1, 3))
            for pair in ((client, server, None), (server, client, left)):
                threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, target, left):
        try:
            while data := source.recv(4096):
                if left is not None and len(data) >= left:
                    target.sendall(data[:left])
                    self.cuts += 1
                    break
                target.sendall(data)
                left = left and left - len(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_watch_over_a_bad_line_hears_every_event_once(server, world, seed):
    chance = random.Random(seed)
    proxy = Cutter(server.address, chance, 2000, 9000)  # also inside handshakes
    run = subprocess.Popen(
        [BUILD / "tests" / "sdk" / "sdk_watcher", proxy.address, f"ca={server.conf['ca']}",
         f"token={world.officer.token}", "quiet=20000"], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    try:
        first = json.loads(run.stdout.readline())
        assert first["cursor"] and not first["event"]
        made = [world.risk(score=None).meta.id for _ in range(60)]
        heard, events = [], []
        while len(heard) < len(made):
            line = json.loads(run.stdout.readline())
            assert "code" not in line, line
            if line["event"]:
                events.append(line["event"])
                heard.append(line["entity"])
        assert heard == made and len(set(events)) == len(events)
        assert proxy.cuts >= 1
    finally:
        run.kill()
        run.communicate()
        proxy.close()
