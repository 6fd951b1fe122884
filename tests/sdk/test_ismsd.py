"""The example, and what the SDK says of the failures, against the real server."""

import os
import pathlib
import subprocess
import sys

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
