"""One server with its own database for each process that runs tests; tests that end or
starve a server start their own."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from server import Server  # noqa: E402
from transitions import wrong_moves  # noqa: E402
from world import first_world, second_world  # noqa: E402


@pytest.fixture(scope="session")
def server():
    server = Server(None, "--workers", "2").start()
    try:
        yield server
        # by all tests that used it, and however they came to it
        assert not wrong_moves(server)
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


@pytest.fixture(scope="session")
def world(server):
    return first_world(server)


@pytest.fixture(scope="session")
def other(server):
    return second_world(server)
