"""Runs the program isms as a person of the sample organisation."""

import errno
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

from server import BUILD

ISMS = next(p for p in (BUILD / "client" / "isms", BUILD / "isms") if p.exists())


class Cli:
    """isms with settings and tokens in a folder of its own."""

    def __init__(self, home, server, token=None, address=None):
        self.home = pathlib.Path(home)
        self.conf = self.home / "client.conf"
        self.conf.write_text(f"address = {address or server.address}\nca = {server.conf['ca']}\n"
                             f"organisation = {server.conf.get('organisation', 'example')}\n")
        self.env = {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(self.home),
                    "ISMS_CONFIG": str(self.conf), "TERM": "xterm"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        if token:
            self.env["ISMS_TOKEN"] = token

    def __call__(self, *args, stdin="", **env):
        run = subprocess.run([ISMS, *map(str, args)], input=stdin, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, timeout=180,
                             env={**self.env, **env})
        assert "Sanitizer" not in run.stderr and "runtime error" not in run.stderr, run.stderr
        return run

    def ok(self, *args, **kwargs):
        run = self(*args, **kwargs)
        assert run.returncode == 0, (args, run.returncode, run.stdout, run.stderr)
        return run.stdout

    def fails(self, code, *args, **kwargs):
        run = self(*args, **kwargs)
        assert run.returncode == code, (args, run.returncode, run.stdout, run.stderr)
        assert run.stderr.startswith("error: "), run.stderr
        return run.stderr


class Terminal:
    """isms on a terminal of its own, typed at like a person would."""

    def __init__(self, cli, *args, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(ISMS, [str(ISMS), *map(str, args)], {**cli.env, **env})
        self.text = ""

    def read_until(self, wanted, seconds=20):
        until = time.monotonic() + seconds
        while wanted not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
            if not ready or not self._read():
                raise AssertionError(f"{wanted!r} did not come: {self.text!r}")

    def _read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self, seconds=20):
        until = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"it does not end: {self.text!r}")
            if not self._read():
                break
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
