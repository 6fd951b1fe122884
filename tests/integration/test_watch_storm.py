"""Many watchers, many writers whose transactions end in no order, streams that break:
each watcher hears each event of its scope that it may read, once, in the order of the
log, and the memory of the server stays bounded.

ISMS_WATCH_WATCHERS and ISMS_WATCH_EVENTS change the size (200 and 20,000)."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from api import Failure
from server import BUILD, Server
from watching import Writer
from world import first_world, unique

WATCHERS = int(os.environ.get("ISMS_WATCH_WATCHERS", 200))
EVENTS = int(os.environ.get("ISMS_WATCH_EVENTS", 20000))
WRITERS, API_WRITERS = 14, 2
CROWDS, CHANNELS = 4, 5
MIDDLES, LEAVES = 4, 5  # scopes below the root, and below each of these
SANITIZED = b"__asan_init" in pathlib.Path(BUILD / "ismsd").read_bytes()
# of a worker: what it needs without any watcher, the ring and its tables, and the
# queues of all streams. A sanitizer keeps what was freed.
RSS_MAX = (700 if SANITIZED else 96) << 20
# the last is not for services
KINDS = ["risk"] * 15 + ["asset"] * 2 + ["control"] + ["approval_request"] * 2


class Tree:
    """Two levels of scopes, and service accounts that read all or one leaf of it."""

    def __init__(self, world):
        self.world = world
        self.middles = [world.scope(unique("middle")).meta.id for _ in range(MIDDLES)]
        self.leaves, self.above = [], {}
        for middle in self.middles:
            for _ in range(LEAVES):
                leaf = world.scope(unique("leaf"), parent=middle).meta.id
                self.leaves.append(leaf)
                self.above[leaf] = middle
        root = world.root.meta.id
        self.readers = [world.add_service(f"reader{i}", "SERVICE", "auditor", root)
                        for i in range(WATCHERS // 32 + 1)]
        self.own = [world.add_service(f"leaf{i}", "SERVICE", "auditor", leaf)
                    for i, leaf in enumerate(self.leaves)]

    def hears(self, watcher, scope, kind):
        """By the rules, not by the server."""
        if kind == "approval_request":
            return False
        if kind == "control":
            return "scope_id" not in watcher
        if watcher["scope"] is None:
            return True
        return scope == watcher["scope"] or self.above[scope] == watcher["scope"]

    def watchers(self):
        made = []
        for i in range(WATCHERS):
            reader = self.readers[i % len(self.readers)].token
            leaf = i % len(self.leaves)
            if i % 50 == 0:  # everything
                made.append({"scope": None, "token": reader})
            elif i % 50 in (1, 2, 3, 4):
                middle = self.middles[i % MIDDLES]
                made.append({"scope": middle, "scope_id": middle, "token": reader})
            elif i % 2:  # all that it may read is in one leaf
                made.append({"scope": self.leaves[leaf], "token": self.own[leaf].token})
            else:
                made.append({"scope": self.leaves[leaf], "scope_id": self.leaves[leaf],
                             "token": reader})
        return made


class Storm:
    """Writers with transactions of random length that overlap; some are undone."""

    def __init__(self, server, tree, seed):
        self.server, self.tree, self.seed = server, tree, seed
        self.written, self.lock, self.failed = 0, threading.Lock(), []
        self.threads = [threading.Thread(target=self._guard, args=(self._sql, i))
                        for i in range(WRITERS)]
        self.threads += [threading.Thread(target=self._guard, args=(self._api, i))
                         for i in range(API_WRITERS)]

    def start(self):
        for t in self.threads:
            t.start()

    def join(self):
        for t in self.threads:
            t.join()

    def _guard(self, work, i):
        try:
            work(random.Random(f"{self.seed} {work.__name__} {i}"))
        except Exception as error:  # told by the test
            self.failed.append(error)

    def _take(self, n):
        """How many of the events that are still to be written one may write."""
        with self.lock:
            n = min(n, EVENTS - self.written)
            self.written += n
            return n

    def _sql(self, rng):
        with Writer(self.server) as writer:
            while (n := self._take(rng.randint(1, 5))) > 0:
                writer.begin()
                if rng.random() < 0.05:
                    writer.write(1, rng.choice(self.tree.leaves))
                    writer.rollback()
                    writer.begin()
                for _ in range(n):
                    kind = rng.choice(KINDS)
                    writer.write(1, None if kind == "control" else rng.choice(self.tree.leaves),
                                 kind)
                    if rng.random() < 0.3:
                        time.sleep(rng.uniform(0, 0.02))
                time.sleep(rng.uniform(0, 0.04) if rng.random() < 0.98 else rng.uniform(0, 0.5))
                writer.commit()

    def _api(self, rng):
        """Real calls, repeated with the same key until they are answered."""
        api = self.tree.readers[0]
        while self._take(1):
            message = api.request(
                "AssetService/CreateAsset", scope_id=rng.choice(self.tree.leaves),
                category="ASSET_CATEGORY_MODEL",
                fields={"name": unique("asset"), "owner_id": self.tree.world.id("auditor")})
            while True:
                try:
                    api.send("AssetService/CreateAsset", message)
                    break
                except Failure as failure:
                    if failure.code not in ("UNAVAILABLE", "ABORTED", "UNKNOWN",
                                            "DEADLINE_EXCEEDED"):
                        raise
                    time.sleep(0.1)
            time.sleep(rng.uniform(0, 0.05))


class Crowd:
    """A process with some of the watchers."""

    def __init__(self, server, watchers, out):
        self.watchers, self.out = watchers, out
        self.process = subprocess.Popen(
            [sys.executable, str(pathlib.Path(__file__).parent / "watch_crowd.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(json.dumps({"address": server.address, "ca": server.conf["ca"], "out": str(out),
                             "channels": CHANNELS, "wait": 120, "watchers": watchers}))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, word):
        assert self.process.stdout.readline().strip() == word

    def result(self):
        self.wait("done")
        self.process.wait(30)
        return json.loads(self.out.read_text())


class Memory(threading.Thread):
    """The largest resident size that a worker had."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.peak, self.over = server, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            for pid in self.server.worker_pids():
                try:
                    text = pathlib.Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                rss = [int(line.split()[1]) for line in text.splitlines()
                       if line.startswith("VmRSS:")]
                self.peak = max(self.peak, *(r << 10 for r in rss), 0)


def compare(heard, expected):
    """What is wrong with what one has heard."""
    ids = heard["ids"]
    return {"heard": len(ids), "expected": len(expected), "ends": heard["ends"],
            "missing": len(set(expected) - set(ids)), "not for him": len(set(ids) - set(expected)),
            "twice": len(ids) - len(set(ids)), "first that is wrong": next(
                (n for n, (i, e) in enumerate(zip(ids, expected)) if i != e), None)}


def break_streams(server, crowds, storm):
    """Three times: the clients leave, the workers are killed, the workers are replaced."""
    def reach(part):
        while storm.written < EVENTS * part and any(t.is_alive() for t in storm.threads):
            time.sleep(0.05)

    reach(0.25)
    for crowd in crowds:
        crowd.say("reconnect")
    reach(0.5)
    for pid in server.worker_pids():
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.7)
    reach(0.75)
    server.process.send_signal(signal.SIGHUP)


@pytest.mark.skipif(WATCHERS < 50, reason="needs watchers of each sort")
def test_every_watcher_hears_everything_once_and_in_order(tmp_path):
    server = Server(None, "--workers", "2").start()
    crowds, memory = [], Memory(server)
    seed = int(os.environ.get("ISMS_WATCH_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    try:
        tree = Tree(first_world(server))
        watchers = tree.watchers()
        memory.start()
        for i in range(CROWDS):
            crowds.append(Crowd(server, watchers[i::CROWDS], tmp_path / f"crowd{i}"))
        for crowd in crowds:
            crowd.wait("open")
        with server.database() as db:
            before, = db.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()
        started = time.monotonic()
        storm = Storm(server, tree, seed)
        storm.start()
        break_streams(server, crowds, storm)
        storm.join()
        assert storm.failed == []
        written = time.monotonic() - started
        with server.database() as db:
            log = [(str(i), scope and str(scope), kind) for i, scope, kind in db.execute(
                "SELECT id, scope_id, entity_kind FROM outbox WHERE seq > %s ORDER BY tx, seq",
                (before,))]
            disorder, = db.execute(
                "SELECT count(*) FROM (SELECT seq < max(seq) OVER (ORDER BY tx, seq) AS late"
                " FROM outbox WHERE seq > %s) o WHERE late", (before,)).fetchone()
        assert len(log) == EVENTS
        assert disorder > EVENTS / 20  # else there was nothing to find
        expected = [[i for i, scope, kind in log if tree.hears(w, scope, kind)]
                    for w in watchers]
        for i, crowd in enumerate(crowds):
            crowd.say(json.dumps([len(e) for e in expected[i::CROWDS]]))
        heard = [None] * len(watchers)
        for i, crowd in enumerate(crowds):
            heard[i::CROWDS] = crowd.result()
        took = time.monotonic() - started
        memory.over.set()
        delivered = sum(len(h["ids"]) for h in heard)
        print(f"{len(log)} events, {disorder} out of order, written in {written:.1f} s; "
              f"{delivered} deliveries to {len(watchers)} watchers in {took:.1f} s; "
              f"streams opened {sum(h['opened'] for h in heard)}; largest worker "
              f"{memory.peak / 1048576:.0f} MiB of {RSS_MAX >> 20}")
        wrong = [n for n, (h, e) in enumerate(zip(heard, expected)) if h["ids"] != e]
        assert wrong == [], [compare(heard[n], expected[n]) for n in wrong[:5]]
        assert all(h["out_of_order"] == 0 for h in heard)
        assert all(h["opened"] >= 4 for h in heard), min(h["opened"] for h in heard)
        assert memory.peak < RSS_MAX
        assert server.stop() == 0 and not server.leaks()
    finally:
        memory.over.set()
        for crowd in crowds:
            crowd.process.kill()
            crowd.process.wait()
        server.done()
