"""The system under test: one PostgreSQL and two ismsd on it, on loopback, in a folder
of its own. Everything here can be killed, stopped and started again by its pid."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
CRASH = re.compile(r"event=process_ended .*what=worker pid=(\d+) how=signal code=(\d+)")
SPOKEN = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
          "UndefinedBehaviorSanitizer", "Assertion `", "code=INTERNAL")
POSTGRES = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 100
shared_buffers = 64MB
max_wal_size = 512MB
track_commit_timestamp = on
log_min_messages = warning
log_checkpoints = off
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _library_faketime():
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None


FAKETIME = _library_faketime()


class Clock:
    """What some programs believe the time to be: off by what is written in a file, which
    libfaketime reads at every look. How long something takes is left alone."""

    def __init__(self, path):
        self.path = path
        self.move(0)

    def move(self, seconds):
        """From now on, off by so many seconds from ours."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{seconds:+.3f}\n")
        os.chmod(fresh, 0o644)
        fresh.rename(self.path)  # at once: it is read all the time

    def prefix(self):
        """Starts a program by this clock. The variable FAKETIME would go before the file."""
        if not FAKETIME:
            return []
        return ["env", "-u", "FAKETIME", f"LD_PRELOAD={FAKETIME}",
                f"FAKETIME_TIMESTAMP_FILE={self.path}", "FAKETIME_NO_CACHE=1",
                "DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]

    @staticmethod
    def forget(pid):
        """What libfaketime leaves of a process that was killed."""
        for name in ("sem.faketime_sem_", "faketime_shm_"):
            pathlib.Path(f"/dev/shm/{name}{pid}").unlink(missing_ok=True)


def children(pid):
    """Pids; none of a process that is not there, which has the pid 0."""
    if pid == 0:
        return []
    out = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout
    return [int(p) for p in out.split()]


def send(pid, number):
    """A signal to a process that may be gone."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Postgres:
    """A cluster of its own; PostgreSQL refuses root."""

    def __init__(self, folder):
        self.folder = folder / "pg"
        self.data, self.port = self.folder / "data", free_port()
        self.log = self.folder / "postgres.log"
        self.drop, self.shift = [], 0
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                  "--locale=C", "--data-checksums", "--no-sync")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(POSTGRES.format(port=self.port, folder=self.folder))

    def _run(self, program, *args, check=True, shift=0):
        prefix = ["env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME={shift:+d}s"] if shift else []
        return subprocess.run([*self.drop, *prefix, PROGRAMS / program, *map(str, args)],
                              check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              cwd=self.folder)

    def start(self, shift=0):
        """shift: by how many seconds its clock is wrong. It stays so until the next start:
        its signal handlers look at the clock, in which no file can be read."""
        self.shift = shift
        until = time.monotonic() + 60
        while self._run("pg_ctl", "start", "-D", self.data, "-l", self.log, "-w", "-t", "60",
                        check=False, shift=shift).returncode != 0:
            if time.monotonic() > until:
                raise RuntimeError("PostgreSQL does not start:\n" + self.tail())
            time.sleep(0.2)

    def stop(self, mode):
        self._run("pg_ctl", "stop", "-D", self.data, "-m", mode, "-w", "-t", "60", check=False)

    def pid(self):
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return 0

    def process(self, title):
        """Pid of an auxiliary process, such as "walwriter"; 0 when there is none."""
        for child in children(self.pid()):
            try:
                if title in pathlib.Path(f"/proc/{child}/cmdline").read_bytes().decode():
                    return child
            except FileNotFoundError:
                continue
        return 0

    def conninfo(self, user, dbname="isms"):
        return f"host=127.0.0.1 port={self.port} user={user} dbname={dbname} connect_timeout=5"

    def connect(self, user="postgres", dbname="isms"):
        return psycopg.connect(self.conninfo(user, dbname), autocommit=True,
                               options="-c search_path=isms,public")

    def analyze(self):
        """What autovacuum does within its first minute. Until then PostgreSQL plans for empty
        tables, takes any index for as good as any other, and is many times slower."""
        with self.connect() as db:
            db.execute("ANALYZE")

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


class Ismsd:
    """A supervisor with two workers."""

    def __init__(self, number, folder, build, database, tls, bug):
        self.number, self.folder, self.build = number, folder, build
        self.port = free_port()
        self.log, self.conf = folder / f"ismsd{number}.log", folder / f"ismsd{number}.conf"
        self.env = dict(os.environ)
        if bug:
            self.env["ISMS_SEEDED_BUG"] = bug
        settings = {
            "listen": f"127.0.0.1:{self.port}", "workers": 2, "database": database,
            "tls-cert": tls / "server.crt", "tls-key": tls / "server.key",
            "wait-for-database": "60s", "drain-timeout": "3s", "decisions-per-hour": 0,
            "clock-interval": "2s",
        }
        known = subprocess.run([build / "ismsd", "--help"], stdout=subprocess.PIPE,
                               text=True).stdout
        self.conf.write_text("".join(f"{k} = {v}\n" for k, v in settings.items()
                                     if f"--{k} " in known))
        self.process, self.clock = None, Clock(folder / f"ismsd{number}.clock")
        self.starved = set()  # workers that had too little for a while
        # a sanitizer wants to be the first library
        self.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + self.env.get("ASAN_OPTIONS", "")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.clock.prefix(), self.build / "ismsd", "--config", self.conf], stdout=log,
                stderr=subprocess.STDOUT, env=self.env, cwd=self.folder)

    def ready(self, wait=60):
        until = time.monotonic() + wait
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"ismsd ended with {self.process.returncode}:\n" + self.tail())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("ismsd does not listen:\n" + self.tail())

    def workers(self):
        return children(self.process.pid)

    def kill(self):
        """The supervisor dies; its workers are told by the kernel, or die as well."""
        workers = self.workers()
        self.process.kill()
        self.process.wait()
        Clock.forget(self.process.pid)
        for pid in workers:
            send(pid, signal.SIGKILL)
        time.sleep(0.05)

    def stop(self):
        """Its exit status; None of what did not want to end, and was killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        for pid in (self.process.pid, *self.workers()):
            send(pid, signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def faults(self):
        """What the sanitizers and assertions said, each answer that was INTERNAL, and each
        worker that fell by itself."""
        return faults_of(self.log.read_text(errors="replace") if self.log.exists() else "",
                         self.starved)


def faults_of(log, starved=()):
    """The lines of a server's log that should never be in one. Workers are killed by the
    nemesis with SIGKILL alone; one that is starved of memory may abort."""
    return [line for line in log.splitlines()
            if any(mark in line for mark in SPOKEN) or has_crashed(line, starved)]


def has_crashed(line, starved):
    found = CRASH.search(line)
    if not found:
        return False
    pid, number = map(int, found.groups())
    return number != signal.SIGKILL and not (number == signal.SIGABRT and pid in starved)


def make_tls(folder):
    tls = folder / "tls"
    tls.mkdir()

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", tls / "ca.key", "-out", tls / "ca.crt", "-days", "2",
            "-subj", "/CN=checker")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", tls / "server.key", "-out", tls / "server.csr", "-subj", "/CN=ismsd")
    (tls / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", tls / "server.csr", "-CA", tls / "ca.crt", "-CAkey",
            tls / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", tls / "ext",
            "-out", tls / "server.crt")
    os.chmod(tls / "server.key", 0o600)
    return tls


class Cluster:
    """All of it. `with Cluster(build) as cluster:` leaves nothing behind."""

    def __init__(self, build, bug=None, servers=2):
        self.build, self.bug = pathlib.Path(build), bug
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="isms-checker-"))
        os.chmod(self.folder, 0o755)
        self.servers, self.postgres, self.count = [], None, servers

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _start(self):
        self.postgres = Postgres(self.folder)
        self.postgres.start()
        with self.postgres.connect(dbname="postgres") as db:
            db.execute("CREATE ROLE isms_owner LOGIN CREATEROLE")
            db.execute("CREATE DATABASE isms OWNER isms_owner")
        owner = self.postgres.conninfo("isms_owner")
        self._ismsd("--migrate", "--database-owner", owner)
        self._ismsd("--bootstrap", "--database-owner", owner, "--organisation", "checked",
                    "--title", "Checked", "--admin-email", "admin@example.org",
                    "--invitation-file", self.folder / "invitation")
        self.tls = make_tls(self.folder)
        for number in range(self.count):
            server = Ismsd(number, self.folder, self.build,
                           self.postgres.conninfo("isms_server"), self.tls, self.bug)
            self.servers.append(server)
            server.start()
        for server in self.servers:
            server.ready()

    def _ismsd(self, *args):
        run = subprocess.run([self.build / "ismsd", *map(str, args)], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120)
        if run.returncode != 0:
            raise RuntimeError(f"ismsd {args[0]}: {run.stdout}")

    def _end(self):
        for server in self.servers:
            server.stop()
        if self.postgres is not None:
            for title in ("walwriter",):
                pid = self.postgres.process(title)
                if pid:
                    send(pid, signal.SIGCONT)
            self.postgres.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def ca(self):
        return (self.tls / "ca.crt").read_bytes()

    def addresses(self):
        return [f"127.0.0.1:{s.port}" for s in self.servers]


if __name__ == "__main__":
    with Cluster(sys.argv[1]) as c:
        print(c.addresses(), c.postgres.pid(), [s.workers() for s in c.servers])
        print(pwd.getpwuid(os.geteuid()).pw_name)
