"""Starts ismsd with its own database in a folder of its own, and ends it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import grpc
import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ISMS_BUILD", ROOT / "build-test"))


def read_conf(path):
    pairs = {}
    for line in path.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if "=" in line:
            key, value = line.split("=", 1)
            pairs[key.strip()] = value.strip()
    return pairs


# Tests decide more than people do, say themselves when a time has come, and share
# their processors with everything else: what takes long there is no fault.
DEFAULTS = {"--decisions-per-hour": "0", "--clock-interval": "0", "--point-timeout": "10s",
            "--list-timeout": "30s", "--commit-timeout": "20s"}


def with_defaults(args):
    return (*(word for name, value in DEFAULTS.items() if name not in args
              for word in (name, value)), *args)


class Server:
    """`ismsd --embedded DIR` on a free loopback port."""

    def __init__(self, folder=None, *args):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="isms-"))
        os.chmod(self.folder, 0o755)
        self.own = folder is None
        self.args = with_defaults(args)
        self.process = None
        self.log = self.folder / "server.log"

    def start(self, wait=180):
        (self.folder / "data" / "client.conf").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BUILD / "ismsd", "--embedded", self.folder / "data", "--listen", "127.0.0.1:0",
                 *self.args], stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"ismsd ended with {self.process.returncode}:\n" + self.tail())
            if self._ready():
                return self
            time.sleep(0.05)
        self.kill()
        raise RuntimeError("ismsd did not become ready:\n" + self.tail())

    def _ready(self):
        conf = self.folder / "data" / "client.conf"
        if not conf.exists():
            return False
        self.conf = read_conf(conf)
        if "address" not in self.conf or self.conf["address"].endswith(":0"):
            return False
        try:
            with self.channel() as channel:
                grpc.channel_ready_future(channel).result(timeout=5)
            return True
        except grpc.FutureTimeoutError:
            return False

    @property
    def address(self):
        return self.conf["address"]

    @property
    def ca(self):
        return pathlib.Path(self.conf["ca"]).read_bytes()

    def channel(self, *options):
        return grpc.secure_channel(
            self.address, grpc.ssl_channel_credentials(self.ca),
            options=(("grpc.use_local_subchannel_pool", 1), *options))

    def database(self, user="postgres"):
        """A connection as the role that owns everything, past the server."""
        return psycopg.connect(self.conninfo, autocommit=True,
                               options="-c search_path=isms,public")

    @property
    def conninfo(self):
        """Written by the embedded server for people who look inside."""
        return (self.folder / "data" / "database_owner").read_text().strip()

    def worker_pids(self):
        pids = subprocess.run(["pgrep", "-P", str(self.process.pid), "-x", "ismsd"],
                              stdout=subprocess.PIPE, text=True).stdout.split()
        return [int(p) for p in pids]

    def postmaster_pid(self):
        path = next((self.folder / "data").rglob("postmaster.pid"))
        return int(path.read_text().splitlines()[0])

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, wait=90):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode if self.process else None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def done(self):
        code = self.stop()
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)
        return code

    def leaks(self):
        """Reports of the sanitizers in the log."""
        text = self.log.read_text(errors="replace")
        return re.findall(r"(?:ERROR: \w*Sanitizer|runtime error:).*", text)


class Beside:
    """Another server of the same database, with an environment of its own. Where its
    database is can be left to a file of settings."""

    def __init__(self, server, *args, env=None, database=True):
        self.server = server
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="beside-", dir=server.folder))
        tls = server.folder / "data" / "tls"
        if database:
            args = ("--database", server.conninfo.replace("isms_owner", "isms_server"), *args)
        self.log = self.folder / "server.log"
        self.out = open(self.log, "ab")
        self.process = subprocess.Popen(
            [BUILD / "ismsd", "--listen", "127.0.0.1:0", "--workers", "1",
             "--tls-cert", tls / "server.crt", "--tls-key", tls / "server.key",
             *with_defaults(args)], stdout=self.out, stderr=subprocess.STDOUT, cwd=self.folder,
            env={**os.environ, **(env or {})})
        deadline = time.monotonic() + 120
        while not (found := re.search(r"^serving at (\S+)$", self.log.read_text(), re.M)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.done()
                raise RuntimeError("ismsd did not start:\n" + self.log.read_text())
            time.sleep(0.05)
        self.address = found.group(1)

    def channel(self):
        return grpc.secure_channel(
            self.address, grpc.ssl_channel_credentials(self.server.ca),
            options=(("grpc.use_local_subchannel_pool", 1),))

    def stop(self, wait=90):
        """0 when it ended in order and without a report of the sanitizers."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        text = self.log.read_text(errors="replace")
        return self.process.returncode or ("Sanitizer" in text or "runtime error:" in text)

    def done(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()
