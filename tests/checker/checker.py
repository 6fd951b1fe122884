"""A run: the cluster, the clients, the nemesis, and the verdict."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import evidence
import invariants
import watcher
from board import LIVE, Board
from cluster import ROOT, Cluster
from history import History
from mix import Client, settle
from nemesis import Nemesis
from people import People
from wire import Stock

STOCK, SDK, ROAMING = 14, 2, 4
LEAST_RATE = 100
RECOVER_S = 15
VOID = 2


class Run:
    def __init__(self, args, cluster):
        self.seed, self.seconds, self.cluster = args.seed, args.seconds, cluster
        self.addresses, self.ca = cluster.addresses(), cluster.ca()
        self.ca_file = cluster.tls / "ca.crt"
        self.driver = pathlib.Path(args.build) / "tests" / "checker_driver"
        self.people = People(cluster.postgres, self.seed)
        self.board = Board(self.people, self.seed)
        self.history = History(args.history)
        self.halt, self.stop_faults = threading.Event(), threading.Event()
        self.clients = [Client(i, self, sdk=i >= STOCK, roams=STOCK - ROAMING <= i < STOCK)
                        for i in range(STOCK + SDK)]
        self.nemesis = Nemesis(cluster, self.history, self.seed, self.stop_faults,
                               longest=args.longest)
        self.watchers = [watcher.Watcher(i, self.addresses, self.ca, self.people.auditor.token)
                         for i in range(2 if watcher.AVAILABLE else 0)]
        self.expected, self.ended = [], 0
        self.rate, self.calm, self.least = 0.0, args.calm, args.least

    def say(self, text):
        print(f"[{(time.monotonic_ns() - self.history.started) / 1e9:5.1f}s] {text}", flush=True)

    def prepare(self):
        """The first requests, by all clients at once."""
        def fill(client):
            for _ in range(6):
                client.delegate()
            while len(self.board.live) < LIVE:
                client.open()
        threads = [threading.Thread(target=fill, args=(c,)) for c in self.clients[:8]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.cluster.postgres.analyze()

    def go(self):
        for watch in self.watchers:
            watch.start()
            watch.started.wait(10)
        self.prepare()
        self.say(f"{len(self.board.live)} live requests, {len(self.history.ops)} calls to make "
                 "them")
        begin = time.monotonic()
        first = len(self.history.ops)
        for client in self.clients:
            client.start()
        time.sleep(self.calm)
        self.rate = (len(self.history.ops) - first) / (time.monotonic() - begin)
        self.say(f"{self.rate:.0f} operations/s before the first fault")
        if self.rate < self.least:
            return self.end()
        self.nemesis.start()
        while time.monotonic() < begin + self.seconds - 3 and not self.trouble():
            time.sleep(0.2)
        self.stop_faults.set()
        self.nemesis.join(120)
        if self.nemesis.is_alive():
            raise RuntimeError("the nemesis does not come to an end")
        self.nemesis.heal()
        self.recover()
        return self.end()

    def processes(self):
        return [c.process for c in self.clients]

    def recover(self):
        """Until each client has had a success since the last heal, or some time."""
        healed, until = self.history.faults[-1].heal, time.monotonic() + RECOVER_S
        waiting, seen = set(self.processes()), 0
        while waiting and time.monotonic() < until and not self.trouble():
            time.sleep(0.1)
            fresh = self.history.ops[seen:]
            seen += len(fresh)
            waiting -= {op.process for op in fresh
                        if op.complete >= healed and invariants.succeeded(op)}

    def trouble(self):
        return self.nemesis.problem or any(c.problem for c in self.clients)

    def end(self):
        self.ended = time.monotonic_ns()
        self.halt.set()
        for client in self.clients:
            client.join(60)
            if client.is_alive():
                raise RuntimeError(f"{client.name} does not come to an end")
        if self.trouble():
            raise self.nemesis.problem or next(c.problem for c in self.clients if c.problem)
        self.settle()
        self.history.close()
        self.expected = evidence.announced(self.cluster.postgres)
        for watch in self.watchers:
            watch.finish(self.expected)

    def settle(self):
        """Every unknown outcome becomes known, by its key."""
        open_ops = [op for op in self.history.ops if op.message is not None]
        links = [Stock(a, self.ca) for a in self.addresses]

        def one(item):
            settle(item[1], links[item[0] % len(links)], self.people.by_id[item[1].actor].token)
            self.history.settle(item[1])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(one, enumerate(open_ops)))
        for link in links:
            link.close()
        if open_ops:
            self.say(f"{len(open_ops)} unknown outcomes settled")


def span(run, violation):
    """The operations that touch what a violation is about, in order, no more than needed."""
    keys, entity = set(violation.keys) - {""}, violation.entity
    touched, last = [], 0
    for op in run.history.ops:
        near = entity and (entity in op.args.values() or any(e[1] == entity for e in op.entities))
        if op.key in keys and op.key:
            last = max(last, op.complete)
            touched.append(op)
        elif near:
            touched.append(op)
    if last:
        touched = [op for op in touched if op.invoke <= last]
    # of what only read, the last is enough
    reads = [op for op in touched if not op.key][:-1]
    touched = [op for op in touched if op not in reads]
    return touched[-40:]


def report(run, found):
    counts = collections.Counter(v.invariant for v in found)
    for invariant, count in sorted(counts.items()):
        print(f"\nVIOLATION {invariant} ({invariants.NAMES[invariant]}): {count}")
        told = [v for v in found if v.invariant == invariant]
        shortest = min(told, key=lambda v: (len(span(run, v)) or 999, str(v)))
        for violation in [shortest, *[v for v in told if v is not shortest][:4]]:
            print(f"  {violation.text} {violation.entity}")
        print("  the shortest suspicious prefix:")
        for op in span(run, shortest):
            print("   ", json.dumps(brief(run, op)))


def brief(run, op):
    line = op.line()
    line["actor"] = getattr(run.people.by_id.get(op.actor), "name", op.actor)
    for name in ("invoke_ns", "complete_ns"):
        line[name.replace("_ns", "_ms")] = round((line.pop(name) - run.history.started) / 1e6, 2)
    return {k: v for k, v in line.items() if v not in ("", [], {}, 0, None)}


def summary(run, found):
    faults = [f for f in run.history.faults if f.name != "healed"]
    recovered, _ = invariants.recoveries(run.history.ops, run.history.faults, run.processes(),
                                         run.ended)
    p99 = invariants.percentile(recovered, 0.99)
    kinds = collections.Counter(f.name.split(" ")[0] for f in faults)
    return (f"{len(run.history.ops)} operations ({run.rate:.0f}/s before the first fault), "
            f"{len(faults)} faults ({', '.join(f'{k} {n}' for k, n in sorted(kinds.items()))}), "
            f"{len(found)} violations, recovery p99 {p99:.1f} s, seed {run.seed}")


def arguments(argv):
    parser = argparse.ArgumentParser(prog="tests/checker/run", description=(
        "Runs clients against a cluster in which things fail, and checks what came of it."))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--bug", default=None, help="seeded bug of a build that has them")
    parser.add_argument("--build", default=os.environ.get("ISMS_BUILD", ROOT / "build-test"))
    parser.add_argument("--history", default=None, help="keep the history in this file")
    parser.add_argument("--longest", type=float, default=3.0, help="seconds that a fault lasts")
    parser.add_argument("--calm", type=float, default=5.0, help="seconds before the first fault")
    parser.add_argument("--least", type=float, default=LEAST_RATE,
                        help="operations a second before the first fault, or the run is void")
    args = parser.parse_args(argv)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 31)
    return args


def again(args):
    """Arguments that make the same run once more."""
    values = {name: value for name, value in vars(args).items()
              if name != "history" and value is not None}
    return " ".join(f"--{name} {value:g}" if isinstance(value, float) else f"--{name} {value}"
                    for name, value in values.items())


def main(argv=None):
    args = arguments(argv)
    # who is told to end takes everything down
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    scratch = None
    if args.history is None:
        scratch = tempfile.mkdtemp(prefix="isms-history-")
        args.history = pathlib.Path(scratch) / "history.jsonl"
    try:
        with Cluster(args.build, args.bug) as cluster:
            return judge(args, cluster)
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def judge(args, cluster):
    run = Run(args, cluster)
    run.go()
    if run.rate < run.least:
        print(f"VOID: {run.rate:.0f} operations/s before the first fault are fewer than "
              f"{run.least:g}; a run that idles proves nothing")
        return VOID
    run.say("checking")
    found, looked = invariants.check(run, evidence.Evidence(cluster.postgres))
    announced = evidence.announced(cluster.postgres)
    for number, watch in enumerate(run.watchers):
        if watch.problem:
            raise watch.problem
        found += watcher.check(watch.heard, run.expected, announced,
                               f"watcher {number} ({watch.streams} streams)")
    for server in cluster.servers:
        status = server.stop()
        found += invariants.check_server(server.number, status, server.faults())
    found += invariants.check_cover(run.nemesis.deck, run.history.faults)
    for prefix, why in run.nemesis.skipped.items():
        print(f"skipped {prefix}: {why}")
    mix = collections.Counter((op.op, op.type) for op in run.history.ops)
    print("  ".join(f"{name} {kind} {n}" for (name, kind), n in sorted(mix.items())))
    print("; ".join(looked))
    if found:
        report(run, found)
        print(f"\nrepeat with: tests/checker/run {again(args)}")
    print(summary(run, found), flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
