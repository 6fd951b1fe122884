"""Reloads: the workers of the next settings serve before those of the former ones go."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import grpc
import pytest
from server import Beside
from test_program import own, wait_until  # noqa: F401 (a fixture)


@contextlib.contextmanager
def fresh_connections(server):
    """A stream of them, one after the other: how long each took, and what went wrong."""
    host, port = server.address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=server.conf["ca"])
    context.set_alpn_protocols(["h2"])
    seen, faults, ended = [], [], threading.Event()

    def go_on():
        while not ended.is_set():
            began = time.monotonic()
            try:
                # no part of it takes long: nobody waits for workers that start
                with socket.create_connection((host, int(port)), timeout=10) as plain:
                    with context.wrap_socket(plain, server_hostname=host) as stream:
                        # the server's SETTINGS, which it sends first
                        if stream.recv(9)[3:4] != b"\x04":
                            faults.append("no SETTINGS")
            except OSError as fault:
                faults.append(repr(fault))
            seen.append(time.monotonic() - began)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield seen, faults
    finally:
        ended.set()
        thread.join()


def told(server, what):
    return server.tail(100000).count(what)


def test_reloads_turn_nobody_away(own):  # noqa: F811
    server = own("--workers", "2", "--drain-timeout", "2s")
    workers = set(wait_until(lambda: len(server.worker_pids()) == 2 and server.worker_pids()))
    with fresh_connections(server) as (seen, faults):
        for n in range(3):
            before = len(seen)
            server.process.send_signal(signal.SIGHUP)
            if n == 0:
                # the second one comes while the first is under way
                wait_until(lambda: set(server.worker_pids()) - workers, 60, server)
            else:
                wait_until(lambda: told(server, "event=reloaded") > n, 60, server)
            wait_until(lambda: len(seen) > before, 60)
        wait_until(lambda: not workers & set(server.worker_pids()), 60)
    assert faults == [] and len(seen) > 10
    assert server.stop() == 0


def test_reloads_in_a_row_leave_workers_that_serve(own):  # noqa: F811
    """Each comes before the workers of the one before can be ready."""
    server = own("--workers", "1")
    first = wait_until(lambda: len(server.worker_pids()) == 1 and server.worker_pids())
    with fresh_connections(server) as (seen, faults):
        for _ in range(20):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        wait_until(lambda: told(server, "event=reloaded") >= 1
                   and first[0] not in server.worker_pids(), 60)
    assert faults == []
    assert server.stop() == 0


def test_a_reload_without_a_database_keeps_the_workers(own):  # noqa: F811
    server = own("--workers", "1")
    before = wait_until(lambda: len(server.worker_pids()) == 1 and server.worker_pids())
    postmaster = server.postmaster_pid()
    os.kill(postmaster, signal.SIGSTOP)  # whoever is connected goes on; nobody can connect
    try:
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reason=WORKERS_NOT_READY" in server.tail(400), 90)
        wait_until(lambda: server.worker_pids() == before)
        assert server._ready()
        time.sleep(1)
        assert server.worker_pids() == before, "it is not tried again"
    finally:
        os.kill(postmaster, signal.SIGCONT)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: told(server, "event=reloaded") == 1
               and not set(before) & set(server.worker_pids()), 60)
    assert server.stop() == 0


def test_a_reload_with_a_wrong_database_changes_nothing(server, tmp_path):
    conf = tmp_path / "ismsd.conf"
    database = server.conninfo.replace("isms_owner", "isms_server")
    conf.write_text(f"database = {database}\n")
    beside = Beside(server, "--config", str(conf), database=False)
    try:
        workers = subprocess.run(["pgrep", "-P", str(beside.process.pid)],
                                 stdout=subprocess.PIPE, text=True).stdout.split()
        assert len(workers) == 1
        conf.write_text("database = host=/nowhere dbname=isms\n")
        beside.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reason=WORKERS_NOT_READY" in beside.log.read_text(), 60)
        # the next worker, too, has the settings that serve
        os.kill(int(workers[0]), signal.SIGKILL)
        with beside.channel() as channel:
            grpc.channel_ready_future(channel).result(timeout=30)
        assert beside.log.read_text().count("event=reload_failed") == 1
    finally:
        assert beside.stop() == 0
        beside.done()


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGUSR1])
def test_a_worker_that_starts_survives_what_a_group_is_sent(own, sent):  # noqa: F811
    server = own("--workers", "1")
    first = wait_until(lambda: len(server.worker_pids()) == 1 and server.worker_pids())
    os.kill(first[0], signal.SIGKILL)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        for pid in server.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
    wait_until(server._ready, 60)
    assert told(server, "event=process_ended") == 1
    assert server.stop() == 0
