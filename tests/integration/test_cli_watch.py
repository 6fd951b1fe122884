"""Watching through the program isms: events and the inbox as they change."""

import json
import re
import signal
import subprocess
import threading
import time

import pytest

from cli import ISMS, Cli
from watching import Stream, Writer


@pytest.fixture()
def isms(tmp_path, server, world):
    def make(name, address=None):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return Cli(home, server, world.apis[name].token, address)
    return make


class Running:
    """isms that goes on; its lines are read as they come."""

    def __init__(self, cli, *args):
        self.process = subprocess.Popen([ISMS, *map(str, args)], env=cli.env, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines, self.changed = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait_for(self, wanted, seconds=60):
        """The first line that wanted(line) is true for."""
        def hit():
            return next((line for line in self.lines if wanted(line)), None)
        with self.changed:
            assert self.changed.wait_for(hit, seconds), (self.lines, self.process.poll())
            return hit()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        code = self.process.wait(60)
        errors = self.process.stderr.read()
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors
        return code, errors


@pytest.fixture()
def run():
    running = []

    def start(cli, *args):
        running.append(Running(cli, *args))
        return running[-1]
    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def cursor_of(errors):
    return next(line for line in errors.splitlines() if line.startswith("cursor: "))[8:]


@pytest.fixture()
def now(world):
    """Cursor of this moment: a watch from there misses nothing, however late it begins."""
    with Stream(world.officer) as stream:
        return stream.cursor


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_events_come_one_a_line_and_ctrl_c_tells_the_cursor(isms, world, run, now, number):
    watch = run(isms("officer"), "events", "--watch", "--cursor", now, "--kind", "risk")
    risk = world.risk()
    world.asset(world.unit)
    line = watch.wait_for(lambda text: risk.meta.ref in text and "CreateRisk" in text)
    assert line.split()[2:] == ["contributor", "CreateRisk", "risk", risk.meta.ref, "v1"]
    watch.wait_for(lambda text: "ScoreRisk" in text and f"{risk.meta.ref} v2" in text)
    code, errors = watch.end(number)
    assert code == 0 and cursor_of(errors)
    assert all(" risk " in line for line in watch.lines)


def test_a_cursor_goes_on_where_a_watch_ended(isms, world, run, now):
    watch = run(isms("officer"), "events", "--watch", "--cursor", now, "--kind", "risk",
                "-o", "json")
    first = world.risk(score=None)
    watch.wait_for(lambda text: json.loads(text)["event"]["entityId"] == first.meta.id)
    cursor = cursor_of(watch.end()[1])
    missed = [world.risk(score=None).meta.id for _ in range(3)]
    out = isms("officer").ok("events", "--cursor", cursor, "--kind", "risk", "-o", "json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["event"]["entityId"] for row in rows] == missed
    assert all(row["event"]["topic"] == "RiskService/CreateRisk" for row in rows)
    out = isms("officer").ok("events", "--cursor", cursor, "--watch", "--limit", "2", "-o", "id")
    assert out.split() == missed[:2]
    again = rows[0]["cursor"]
    out = isms("officer").ok("events", "--cursor", again, "--kind", "risk", "-o", "id")
    assert out.split() == missed[1:]


def test_what_could_not_be_written_comes_again(isms, world, now):
    """The cursor is that of the last event that was."""
    first = world.risk(score=None).meta.id
    with open("/dev/full", "w") as full:
        ended = subprocess.run([ISMS, "events", "--watch", "--cursor", now, "--kind", "risk"],
                               env=isms("officer").env, stdin=subprocess.DEVNULL, stdout=full,
                               stderr=subprocess.PIPE, text=True, timeout=60)
    out = isms("officer").ok("events", "--cursor", cursor_of(ended.stderr), "--kind", "risk",
                             "-o", "id")
    assert first in out.split()


def test_events_of_a_scope_and_of_a_topic(isms, world, run, now):
    here, there = (world.scope(name, world.unit.meta.id)
                   for name in ("watched here", "watched there"))
    scoped = run(isms("officer"), "events", "--watch", "--cursor", now, "--scope", "watched here")
    topic = run(isms("officer"), "events", "--watch", "--cursor", now, "--topic",
                "RiskService/ScoreRisk")
    mine, other = world.risk(scope=here), world.risk(scope=there)
    scoped.wait_for(lambda text: mine.meta.ref in text)
    topic.wait_for(lambda text: other.meta.ref in text)
    assert scoped.end()[0] == 0 and topic.end()[0] == 0
    assert not any(other.meta.ref in line for line in scoped.lines)
    assert all("ScoreRisk" in line for line in topic.lines)


def test_who_may_not_read_an_object_hears_nothing_of_it(isms, world, run, now):
    outsider = run(isms("stranger"), "events", "--watch", "--cursor", now)
    risk = world.risk()
    time.sleep(3)
    code, _ = outsider.end()
    assert code == 0 and not any(risk.meta.ref in line for line in outsider.lines)


def test_what_is_wrong_with_a_watch_is_told(isms, world, tmp_path):
    officer = isms("officer")
    assert "--watch or --cursor" in officer.fails(2, "events")
    assert "cursor" in officer.fails(2, "events", "--cursor", "nonsense")
    assert "no flag --kinds" in officer.fails(2, "events", "--watch", "--kinds", "risk")
    assert "table, json or id" in officer.fails(2, "events", "--watch", "-o", "csv")
    assert "there is no scope" in officer.fails(3, "events", "--watch", "--scope", "nowhere")
    officer.env["ISMS_TOKEN"] = "ismsT_" + "A" * 43
    officer.fails(4, "events", "--watch")
    lonely = isms("officer", address="127.0.0.1:1")
    assert "cannot connect" in lonely.fails(7, "events", "--watch")


def test_a_pipe_that_closes_ends_the_watch(isms, world, now):
    cli = isms("officer")
    process = subprocess.Popen([ISMS, "events", "--watch", "--cursor", now], env=cli.env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    world.risk()
    process.wait(60)
    process.stderr.close()


def test_the_inbox_is_watched(isms, world, run):
    """The owner of a risk is asked by owning it; nothing else lets it be heard of."""
    waiting = world.acceptance(world.risk())
    watch = run(isms("owner"), "inbox", "--watch")
    watch.wait_for(lambda text: waiting.request.meta.ref in text and text.startswith("+ "))
    later = world.acceptance(world.risk())
    line = watch.wait_for(lambda text: later.request.meta.ref in text)
    assert "RISK_OWNER" in line and "O High" in line and "from contributor" in line
    world.vote("owner", waiting.request)
    watch.wait_for(lambda text: text.startswith("- ") and waiting.request.meta.ref in text)
    assert watch.end()[0] == 0


def calls_of(server):
    """Calls that were begun, by the counters that the server tells of."""
    seen = len(re.findall("event=counters", server.log.read_text()))
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while len(found := re.findall(r"event=counters .* calls=(\d+)", server.log.read_text())) <= seen:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(found[-1])


def test_many_events_are_one_look_at_the_inbox(isms, world, run, server):
    waiting = world.acceptance(world.risk())
    watch = run(isms("owner"), "inbox", "--watch")
    watch.wait_for(lambda text: waiting.request.meta.ref in text)
    before, began = calls_of(server), time.monotonic()
    with Writer(server) as writer:
        for _ in range(60):
            writer.write(5, world.unit.meta.id, kind="approval_request")
            time.sleep(0.03)
    time.sleep(2)
    # a look a second, and some more for what else a watch asks
    assert calls_of(server) - before <= time.monotonic() - began + 6
    assert watch.end()[0] == 0


@pytest.mark.parametrize("what", ["inbox", "events"])
def test_a_watch_is_use_of_the_session(isms, world, run, server, what):
    name = f"watcher-of-{what}"
    world.add(name, "AUDITOR")
    watch = None
    with server.database() as db:
        for _ in range(2):  # once because it begins, once because it goes on
            db.execute("UPDATE session SET last_seen_at = now() - interval '25 minutes'"
                       " WHERE user_id = %s", (world.id(name),))
            watch = watch or run(isms(name), what, "--watch")
            deadline = time.monotonic() + 120
            while db.execute("SELECT max(last_seen_at) < now() - interval '20 minutes'"
                             " FROM session WHERE user_id = %s", (world.id(name),)).fetchone()[0]:
                assert time.monotonic() < deadline and watch.process.poll() is None
                time.sleep(0.5)
    assert watch.end()[0] == 0


def test_the_inbox_is_watched_as_json(isms, world, run):
    watch = run(isms("owner"), "inbox", "--watch", "-o", "json")
    waiting = world.acceptance(world.risk())
    line = watch.wait_for(lambda text: waiting.request.meta.id in text)
    row = json.loads(line)
    assert row["change"] == "NEW" and row["item"]["subjectRef"] == waiting.acceptance.meta.ref
    assert watch.end()[0] == 0


def test_a_stream_can_be_called_by_its_name(isms, world):
    out = isms("officer").ok("call", "WatchService/Watch", "--limit", "1")
    assert json.loads(out)["cursor"]
