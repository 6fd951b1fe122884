"""What goes wrong meanwhile. Every fault is of our own processes, by pid, begins at a
known moment and is healed at a known moment.

N1 kill -9 of a worker, and of a whole server; N2 kill -9 of a database process;
N3 the database stopped at once and started; N4 connections cut, on either side;
N5 SIGSTOP of a worker, a supervisor, a database process and the WAL writer; N7 the clock
of a server wrong by an hour for a while, or strobing by 0.2 s, and that of the database
wrong by an hour from a restart to the next; N9 statements cancelled and connections
terminated while commits run; N12 a worker that gets no more descriptors, or no more memory."""

import os
import pathlib
import random
import resource
import signal
import socket
import subprocess
import threading
import time

import psycopg

from cluster import FAKETIME, children, send

WEIGHTS = {"N1 kill worker": 4, "N1 kill server": 3, "N2 kill backend": 2, "N3 crash database": 2,
           "N4 cut clients": 3, "N4 cut database": 3, "N5 stop worker": 3, "N5 stop walwriter": 1,
           "N5 stop supervisor": 1, "N5 stop backend": 2, "N7 clock of a server": 1,
           "N7 strobe of a server": 1, "N7 clock of the database": 1,
           "N9 cancel": 2, "N9 terminate": 2, "N12 starve of descriptors": 2,
           "N12 starve of memory": 1}
INTERRUPTED = 20
HOUR, STROBE, STROBE_EVERY = 3600, 0.2, 0.05  # seconds


def cutter():
    """Whether this machine lets us cut connections: tried with one of our own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as near, listener.accept()[0]:
            subprocess.run(["ss", "-K", "-t", "dport", "=", f":{port}"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            near.settimeout(0.2)
            try:
                near.recv(1)
            except TimeoutError:
                return False
            except OSError:
                return True
    return False


def hit(something):
    if not something:
        raise Missed


def memory(pid):
    """Bytes of address space of a process."""
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


class Missed(Exception):
    """There was nothing to hit at this moment."""


def kind(name):
    """N1, of "N1 kill worker"."""
    return name.split(" ")[0]


class Deck:
    """Which fault comes next: each kind once, shuffled, and from then on by weight."""

    def __init__(self, weights, rng):
        self.weights, self.random, self.drawn = weights, rng, 0
        self.kinds = sorted({kind(name) for name in weights})
        self.first = [self.by_weight({n: w for n, w in weights.items() if kind(n) == k})
                      for k in self.kinds]
        rng.shuffle(self.first)

    def by_weight(self, weights):
        return self.random.choices(list(weights), list(weights.values()))[0]

    def draw(self):
        self.drawn += 1
        return self.first.pop() if self.first else self.by_weight(self.weights)

    def back(self, name):
        """It hit nothing: it comes again, after those that wait."""
        self.first.insert(0, name)


class Nemesis(threading.Thread):
    def __init__(self, cluster, history, seed, halt, every=5.0, longest=3.0):
        super().__init__(name="nemesis", daemon=True)
        self.cluster, self.history, self.halt = cluster, history, halt
        self.random, self.every, self.longest = random.Random(f"{seed}/nemesis"), every, longest
        self.problem, self.skipped = None, {}
        self.weights = dict(WEIGHTS)
        if not FAKETIME:
            self.skip("N7", "libfaketime is not installed")
        if os.geteuid() != 0:
            self.skip("N12", "limits of others are for root")
        elif any(memory(s.process.pid) > 1 << 40 for s in cluster.servers):
            self.skip("N12 starve of memory", "a sanitizer holds terabytes of address space")
        if not cutter():
            self.skip("N4", "ss cannot cut connections here")
        self.deck = Deck(self.weights, self.random)

    def skip(self, prefix, why):
        self.skipped[prefix] = why
        self.weights = {k: w for k, w in self.weights.items() if not k.startswith(prefix)}

    def run(self):
        try:
            while not self.halt.is_set():
                began = time.monotonic()
                self.one(self.deck.draw())
                self.halt.wait(max(0.5, began + self.every + self.random.uniform(-2, 2)
                                   - time.monotonic()))
        except BaseException as error:
            self.problem = error

    def one(self, name):
        begin = time.monotonic_ns()
        try:
            done = getattr(self, "do_" + name.split(" ", 1)[1].replace(" ", "_"))()
        except Missed:
            self.deck.back(name)
        else:
            self.history.fault(name, begin, time.monotonic_ns(), **(done or {}))

    def lasts(self, least=0.1):
        return self.random.uniform(least, self.longest)

    def server(self):
        return self.random.choice(self.cluster.servers)

    def one_of(self, pids):
        if not pids:
            raise Missed
        return self.random.choice(pids)

    def worker(self):
        return self.one_of([w for s in self.cluster.servers for w in s.workers()])

    def backend(self):
        """A database process that serves a server."""
        return self.one_of([row[0] for row in self.query(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'isms_server'")])

    def query(self, text):
        try:
            with self.cluster.postgres.connect() as db:
                return db.execute(text).fetchall()
        except psycopg.Error:
            return []

    # --- the faults ------------------------------------------------------------

    def do_kill_worker(self):
        hit(send(self.worker(), signal.SIGKILL))

    def do_kill_server(self):
        server = self.server()
        server.kill()
        self.halt.wait(self.lasts())
        server.start()
        server.ready()
        return {"detail": f"server {server.number}"}

    def do_kill_backend(self):
        hit(send(self.one_of(children(self.cluster.postgres.pid())), signal.SIGKILL))
        self.wait_for_database()

    def do_crash_database(self, shift=0):
        postgres = self.cluster.postgres
        postgres.stop("immediate")
        self.halt.wait(self.lasts() / 2)
        postgres.start(shift)
        return {"detail": f"clock {shift:+d} s", "shift": shift}

    def _cut(self, *where):
        for _ in range(self.random.randint(1, 3)):
            subprocess.run(["ss", "-K", "-t", *where], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            self.halt.wait(self.lasts() / 3)

    def do_cut_clients(self):
        self._cut("dport", "=", f":{self.server().port}")

    def do_cut_database(self):
        self._cut("dport", "=", f":{self.cluster.postgres.port}")

    def _freeze(self, pid):
        lasts = self.lasts()
        hit(pid and send(pid, signal.SIGSTOP))
        self.halt.wait(lasts)
        send(pid, signal.SIGCONT)
        return {"detail": f"{lasts:.1f} s"}

    def do_stop_worker(self):
        return self._freeze(self.worker())

    def do_stop_supervisor(self):
        return self._freeze(self.server().process.pid)

    def do_stop_backend(self):
        return self._freeze(self.backend())

    def do_stop_walwriter(self):
        return self._freeze(self.cluster.postgres.process("walwriter"))

    def _jump(self, clock, who):
        """An hour off for a while, and right again."""
        shift = self.random.choice((-HOUR, HOUR))
        clock.move(shift)
        self.halt.wait(self.lasts(min(1.0, self.longest)))
        clock.move(0)
        return {"detail": f"{who} {shift:+d} s"}

    def _strobe(self, clock, who):
        until = time.monotonic() + self.lasts(min(1.0, self.longest))
        while time.monotonic() < until and not self.halt.is_set():
            clock.move(self.random.choice((-STROBE, STROBE)))
            self.halt.wait(STROBE_EVERY)
        clock.move(0)
        return {"detail": f"{who} by {STROBE} s"}

    def do_clock_of_a_server(self):
        server = self.server()
        return self._jump(server.clock, f"server {server.number}")

    def do_strobe_of_a_server(self):
        server = self.server()
        return self._strobe(server.clock, f"server {server.number}")

    def do_clock_of_the_database(self):
        return self.do_crash_database(self.random.choice((-HOUR, HOUR)))

    def _starve(self, resource_, limit):
        """A worker's limit, lowered for a while."""
        pid = self.worker()
        for server in self.cluster.servers:
            server.starved.add(pid)
        try:
            before = resource.prlimit(pid, resource_)
            resource.prlimit(pid, resource_, (limit(pid), before[1]))
            self.halt.wait(self.lasts())
            resource.prlimit(pid, resource_, before)
        except (ProcessLookupError, FileNotFoundError):
            raise Missed from None
        return {"detail": f"worker {pid}"}

    def do_starve_of_descriptors(self):
        return self._starve(resource.RLIMIT_NOFILE,
                            lambda pid: len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())))

    def do_starve_of_memory(self):
        return self._starve(resource.RLIMIT_AS, lambda pid: memory(pid) + (1 << 20))

    def _interrupt(self, function):
        """Those that have written something and may be about to commit it."""
        count, until = 0, time.monotonic() + self.longest
        while count < INTERRUPTED and time.monotonic() < until:
            count += len(self.query(
                f"SELECT {function}(pid) FROM pg_stat_activity WHERE usename = 'isms_server'"
                " AND backend_xid IS NOT NULL ORDER BY random() LIMIT 2"))
        hit(count)
        return {"detail": f"{count} times"}

    def do_cancel(self):
        return self._interrupt("pg_cancel_backend")

    def do_terminate(self):
        return self._interrupt("pg_terminate_backend")

    # --- afterwards ------------------------------------------------------------

    def wait_for_database(self, wait=60):
        until = time.monotonic() + wait
        while True:
            try:
                self.cluster.postgres.connect().close()
                return
            except psycopg.Error:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def heal(self):
        """Everything runs, with the right time."""
        begin = time.monotonic_ns()
        if self.cluster.postgres.shift:
            self.do_crash_database()
        for server in self.cluster.servers:
            server.clock.move(0)
            if server.process.poll() is not None:
                server.start()
            server.ready()
        self.wait_for_database()
        self.history.fault("healed", begin, time.monotonic_ns(), shift=0)
