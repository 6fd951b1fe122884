"""The program itself: command line, settings, workers, the embedded folder."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

import grpc
import psycopg
import pytest

from api import Api
from server import BUILD, ROOT, Server, read_conf

ISMSD = BUILD / "ismsd"


def ismsd(*args, **kwargs):
    return subprocess.run([ISMSD, *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=180, **kwargs)


def wait_until(condition, seconds=60, server=None):
    """server: whose log may tell why it did not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("did not come true in time" + (
        "; the log ends: " + server.tail(4).replace("\n", " | ") if server else ""))


def settings():
    """Names of the table, from the documentation that is printed from it."""
    return re.findall(r"^\| `([a-z0-9-]+)`", ismsd("--print-config-docs").stdout, re.M)


def served_certificate(server):
    host, port = server.address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=server.conf["ca"])
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=host) as stream:
            return stream.getpeercert(binary_form=True)


@contextlib.contextmanager
def a_call_that_waits(server):
    """A call in flight while the database's lock is held; has ended afterwards."""
    with server.channel() as channel, server.database() as database:
        nobody = Api(channel)
        request = nobody.request("AuthService/Login", organisation="example",
                                 email="nobody@example.org", password="a wrong pass phrase")
        with database.transaction():
            database.execute("LOCK TABLE app_user IN ACCESS EXCLUSIVE MODE")
            waiting = nobody.future("AuthService/Login", request)
            time.sleep(0.3)
            yield waiting
        waiting.exception(timeout=10)


@pytest.fixture()
def own(tmp_path):
    os.chmod(tmp_path, 0o755)
    # The user that the database runs as must get through.
    for parent in tmp_path.parents:
        if len(parent.parts) > 2 and parent.stat().st_uid == os.geteuid():
            os.chmod(parent, 0o755)
    servers = []

    def start(*args):
        server = Server(tmp_path, *args)
        servers.append(server)
        return server.start()
    yield start
    for server in servers:
        server.stop()
        assert not server.leaks(), server.leaks()


# --- documentation ----------------------------------------------------------------

def test_the_readme_shows_the_table_of_settings():
    readme = (ROOT / "README.md").read_text()
    shown = readme.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    assert shown == ismsd("--print-config-docs").stdout


# --- command line -----------------------------------------------------------------

def test_a_wrong_flag_is_refused_with_the_nearest_name():
    run = ismsd("--embeded", "somewhere")
    assert run.returncode == 2
    assert "--embedded" in run.stderr and "did you mean" in run.stderr
    run = ismsd("--worker=3")
    assert run.returncode == 2 and "--workers" in run.stderr
    assert ismsd("--xyzzyxyzzyxyzzy").returncode == 2
    assert ismsd("serve").returncode == 2


@pytest.mark.parametrize("args", [
    ("--workers", "many"), ("--workers", "1000"), ("--listen", "nowhere"),
    ("--listen", "127.0.0.1:70000"), ("--log-level", "loud"), ("--drain-timeout", "10 years"),
    ("--check", "--migrate"), ("--embedded",), ("--config", "/nonexistent/ismsd.conf"),
    ("--bootstrap",), ("--tls12=perhaps",),
])
def test_a_wrong_value_is_refused(args):
    run = ismsd(*args)
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith("ismsd: ") and run.stderr.count("\n") == 1


def test_without_a_database_it_says_what_is_missing():
    run = ismsd()
    assert run.returncode == 1 and "database" in run.stderr


def test_help_tells_of_every_setting_and_the_folder():
    text = ismsd("--help").stdout
    assert len(settings()) > 20
    for name in settings() + ["embedded", "check", "migrate", "bootstrap"]:
        assert f"--{name}" in text or re.search(rf"^\s*{name}\b", text, re.M), name
    for name in ("client.conf", "invitation", "tls/", "db/", "run/", "lock"):
        assert name in text


def test_the_example_holds_every_setting_with_its_default():
    example = (ROOT / "deploy" / "ismsd.conf").read_text()
    assert example == ismsd("--print-config").stdout
    names = re.findall(r"^#([a-z0-9-]+) =", example, re.M)
    assert names == settings()


def test_the_example_uncommented_is_taken(tmp_path):
    text = re.sub(r"^#([a-z0-9-]+ = .+)$", r"\1", (ROOT / "deploy" / "ismsd.conf").read_text(),
                  flags=re.M)
    path = tmp_path / "all.conf"
    path.write_text(text)
    run = ismsd("--config", path)
    assert run.returncode == 1 and "database" in run.stderr, run.stderr
    path.write_text(text + "surprise = 1\n")
    run = ismsd("--config", path)
    assert run.returncode == 2 and "surprise" in run.stderr


# --- start ------------------------------------------------------------------------

def test_an_unreachable_database_refuses_to_start_and_says_so(server, tmp_path):
    tls = pathlib.Path(server.conf["ca"]).parent
    args = ("--database", f"host={tmp_path} user=isms_server dbname=isms",
            "--tls-cert", tls / "server.crt", "--tls-key", tls / "server.key",
            "--listen", "127.0.0.1:0")
    began = time.monotonic()
    run = ismsd(*args)
    assert run.returncode == 1
    assert "ismsd: the database cannot be reached" in run.stderr and str(tmp_path) in run.stderr
    assert time.monotonic() - began < 60
    began = time.monotonic()
    run = ismsd(*args, "--wait-for-database", "2s")
    assert run.returncode == 1 and 1 < time.monotonic() - began < 60
    assert "waiting_for_database" in run.stderr


def test_check_prints_every_method_with_mode_and_permission(server):
    database = server.conninfo.replace("isms_owner", "isms_server")
    run = ismsd("--check", "--database", database)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) > 40
    for line in lines:
        assert re.fullmatch(r"/isms\.v1\.\w+Service/\w+ +(read|list|write|watch) +\S.*", line), line
    assert any("CastVote" in line and "write" in line for line in lines)


def test_check_refuses_a_database_without_our_schema(server):
    run = ismsd("--check", "--database", server.conninfo.replace("dbname=isms", "dbname=postgres"))
    assert run.returncode == 1 and run.stderr


def test_migrate_again_changes_nothing(server):
    assert ismsd("--migrate", "--database-owner", server.conninfo).returncode == 0


def test_two_migrations_at_once_both_end_well(server):
    runs = [subprocess.Popen([ISMSD, "--migrate", "--database-owner", server.conninfo])
            for _ in range(2)]
    assert [run.wait(60) for run in runs] == [0, 0]


def test_bootstrap_writes_the_invitation_to_a_new_private_file_only(server, tmp_path):
    path = tmp_path / "invitation"
    args = ("--bootstrap", "--database-owner", server.conninfo, "--organisation", "booted",
            "--title", "Booted", "--admin-email", "admin@booted.example.org",
            "--invitation-file", path)
    run = ismsd(*args)
    assert run.returncode == 0, run.stderr
    secret = path.read_text().strip()
    assert re.fullmatch(r"ismsB_[A-Za-z0-9_-]{43}", secret)
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret not in run.stdout + run.stderr
    assert ismsd(*args).returncode == 1, "the file is there already"
    assert path.read_text().strip() == secret
    path.unlink()
    run = ismsd(*args)
    assert run.returncode == 1 and not path.exists(), "the organisation is there already"


# --- workers ----------------------------------------------------------------------

def test_a_killed_worker_comes_back(own):
    server = own("--workers", "2")
    before = wait_until(lambda: len(server.worker_pids()) == 2 and server.worker_pids())
    os.kill(before[0], signal.SIGKILL)
    after = wait_until(lambda: set(server.worker_pids()) != set(before)
                       and len(server.worker_pids()) == 2 and server.worker_pids())
    assert before[1] in after
    wait_until(server._ready)
    assert "process_ended" in server.tail(400)


def test_workers_and_database_end_with_a_killed_server_and_the_next_start_recovers(own):
    server = own("--workers", "2")
    workers = wait_until(lambda: len(server.worker_pids()) == 2 and server.worker_pids())
    postmaster = server.postmaster_pid()
    organisation = read_conf(server.folder / "data" / "client.conf")["organisation"]
    server.kill()
    server.start()
    for pid in workers:
        wait_until(lambda: not running(pid))
    assert server.postmaster_pid() != postmaster
    with server.database() as db:
        codes = [c for (c,) in db.execute("SELECT code FROM organisation")]
    assert codes == [organisation], "the second start has used what was there"
    assert server.stop() == 0


def running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state not in "ZX"
    except FileNotFoundError:
        return False


def test_a_reload_takes_new_settings_and_the_certificate(own):
    server = own("--workers", "1")
    conf = server.folder / "ismsd.conf"
    server.stop()
    conf.write_text("workers = 1\n")
    server.args = ("--config", str(conf))
    server.start()
    old = wait_until(lambda: len(server.worker_pids()) == 1 and server.worker_pids())
    first = served_certificate(server)
    tls = server.folder / "data" / "tls"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "40", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-keyout", server.folder / "new.key", "-out", server.folder / "new.crt"],
                   check=True, stderr=subprocess.DEVNULL)
    for name, kind in (("server.key", "key"), ("server.crt", "crt")):
        (tls / name).write_bytes((server.folder / f"new.{kind}").read_bytes())
    (tls / "ca.crt").write_bytes((server.folder / "new.crt").read_bytes())
    conf.write_text("workers = 2\n")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(server.worker_pids()) == 2 and not set(old) & set(server.worker_pids()))
    assert served_certificate(server) != first
    assert server.stop() == 0


def test_a_broken_reload_changes_nothing_and_says_why(own):
    server = own("--workers", "1")
    server.stop()
    conf = server.folder / "ismsd.conf"
    conf.write_text("workers = 1\n")
    server.args = ("--config", str(conf))
    server.start()
    before = wait_until(lambda: len(server.worker_pids()) == 1 and server.worker_pids())
    for text in ("workers = several\n", "no such thing\n"):
        conf.write_text(text)
        count = server.tail(4000).count("reload_failed")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.tail(4000).count("reload_failed") > count)
    conf.write_text("workers = 1\n")
    (server.folder / "data" / "tls" / "server.key").write_text("not a key")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.tail(4000).count("reload_failed") == 3)
    wait_until(server._ready)
    assert server.worker_pids() == before
    (server.folder / "data" / "tls" / "server.crt").unlink()


def test_reloads_in_a_row_end_with_all_workers(own):
    server = own("--workers", "8", "--drain-timeout", "2s", "--point-connections", "1",
                 "--commit-connections", "1")
    wait_until(lambda: len(server.worker_pids()) == 8, 120, server)
    first = set(server.worker_pids())
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: set(server.worker_pids()) - first, 60, server)
    # however often it is asked for while workers get ready, it is one more reload; equal
    # signals that were not taken yet are one
    for _ in range(3):
        server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.tail(4000).count("event=reloaded") >= 2, 180, server)
    wait_until(lambda: len(server.worker_pids()) == 8 and not first & set(server.worker_pids()),
               120, server)
    # so many workers begin at once that the first answer may take its time
    wait_until(server._ready, 60, server)
    assert server.stop() == 0


def test_a_second_reload_cuts_no_call_that_the_first_lets_end(own):
    server = own("--workers", "1")
    first = set(wait_until(server.worker_pids))
    with a_call_that_waits(server) as waiting:
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: set(server.worker_pids()) - first, 60, server)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
    assert waiting.code() == grpc.StatusCode.UNAUTHENTICATED
    wait_until(lambda: server.tail(4000).count("event=reloaded") == 2)
    assert server.stop() == 0


def test_a_server_that_drains_refuses_connections_at_once(own):
    server = own("--workers", "1")
    host, port = server.address.rsplit(":", 1)
    with a_call_that_waits(server) as waiting:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=5)
        assert server.process.poll() is None
    assert waiting.code() == grpc.StatusCode.UNAUTHENTICATED
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_second_signal_does_not_wait_for_calls(own, workers):
    server = own("--workers", workers)
    # The database goes before its lock is given back.
    with contextlib.suppress(psycopg.OperationalError), a_call_that_waits(server) as waiting:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1.2)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert waiting.exception(timeout=5).code() == grpc.StatusCode.UNAVAILABLE
        assert server.process.wait(20) == 0


def test_one_process_serves_with_workers_0(own):
    server = own("--workers", "0")
    assert server.worker_pids() == []
    first = served_certificate(server)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in server.tail(400))
    assert served_certificate(server) == first
    assert server.stop() == 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_counters_are_told_on_usr1(own, workers):
    server = own("--workers", workers)
    served_certificate(server)
    server.process.send_signal(signal.SIGUSR1)
    line = wait_until(lambda: re.search(r"event=counters .*accepted=(\d+)", server.tail(400)))
    assert int(line.group(1)) >= 1


# --- the embedded folder ------------------------------------------------------------

def test_a_second_start_at_once_is_refused_with_the_pid(own):
    server = own("--workers", "1")
    run = ismsd("--embedded", server.folder / "data", "--listen", "127.0.0.1:0")
    assert run.returncode == 1
    assert f"pid {server.process.pid}" in run.stderr
    wait_until(server._ready)


def test_the_folder_is_private_where_it_must_be(own):
    server = own("--workers", "1")
    data = server.folder / "data"
    modes = {name: (data / name).stat().st_mode & 0o777
             for name in ("invitation", "db", "tls/server.key", "database_owner")}
    assert modes == {"invitation": 0o600, "db": 0o700, "tls/server.key": 0o600,
                     "database_owner": 0o600}
    assert not (data / "tls" / "ca.key").exists()
    with server.database() as db:
        shown = {name: db.execute(f"SHOW {name}").fetchone()[0]
                 for name in ("listen_addresses", "data_checksums", "fsync")}
        user = pathlib.Path(f"/proc/{server.postmaster_pid()}").stat().st_uid
        sockets = re.search(r"host=(\S+)", server.conninfo).group(1)
    assert shown == {"listen_addresses": "", "data_checksums": "on", "fsync": "on"}
    assert user != 0 and pathlib.Path(f"/proc/{server.process.pid}").stat().st_uid == user
    assert pathlib.Path(sockets).stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_running_and_the_lock_is_free(own):
    server = own("--workers", "2")
    pids = server.worker_pids() + [server.postmaster_pid()]
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 60
    assert [pid for pid in pids if running(pid)] == []
    with open(server.folder / "data" / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_long_path_moves_the_socket_and_still_works(tmp_path, own):
    folder = tmp_path / ("long-" * 20)
    folder.mkdir(mode=0o755)
    server = Server(folder, "--workers", "1").start()
    try:
        sockets = (folder / "data" / "socket_folder").read_text()
        assert sockets.startswith("/tmp/ismsd-")
        with server.database() as db:
            assert db.execute("SELECT count(*) FROM organisation").fetchone() == (1,)
        assert server.stop() == 0
        assert not pathlib.Path(sockets).exists()
        server.start()
    finally:
        server.stop()


def test_a_folder_of_somebody_else_is_not_touched(tmp_path):
    (tmp_path / "precious").write_text("mine")
    owner = tmp_path.stat().st_uid
    run = ismsd("--embedded", tmp_path)
    assert run.returncode == 1 and "not an empty folder" in run.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["precious"]
    assert tmp_path.stat().st_uid == owner


def test_an_orphaned_database_is_stopped_before_the_next_start(own):
    """One whose server could not take it along: its death signal was lost."""
    server = own("--workers", "1")
    server.stop()
    data = server.folder / "data"
    bindir = pathlib.Path("/usr/lib/postgresql/15/bin")
    if not bindir.exists():
        bindir = pathlib.Path(subprocess.run(["pg_config", "--bindir"], stdout=subprocess.PIPE,
                                             text=True, check=True).stdout.strip())
    command = [bindir / "postgres", "-D", data / "db", "-c", "listen_addresses=", "-c",
               f"unix_socket_directories={data / 'run'}"]
    if os.geteuid() == 0:
        user = (data / "db").owner()
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    with open(server.folder / "orphan.log", "wb") as log:
        orphan = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
    try:
        wait_until(lambda: "ready" in (data / "db" / "postmaster.pid").read_text()
                   if (data / "db" / "postmaster.pid").exists() else False)
        server.start()
        assert orphan.wait(20) == 0
        assert server.postmaster_pid() != orphan.pid
    finally:
        if orphan.poll() is None:
            orphan.send_signal(signal.SIGINT)
            orphan.wait(30)


def test_a_server_killed_with_its_database_starts_again_at_once(own):
    server = own("--workers", "1")
    for _ in range(3):
        postmaster = server.postmaster_pid()
        server.kill()
        os.kill(postmaster, signal.SIGKILL)
        server.start()
    assert server.stop() == 0


def test_a_pid_that_somebody_else_has_got_is_no_obstacle(own):
    server = own("--workers", "1")
    pid_file = server.folder / "data" / "db" / "postmaster.pid"
    owner = pid_file.stat().st_uid
    assert server.stop() == 0
    other = subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None)
    try:
        pid_file.write_text(f"{other.pid}\n{pid_file.parent}\n1\n5432\n\n\n\nready\n")
        os.chown(pid_file, owner, -1)
        pid_file.chmod(0o600)
        server.start()
        assert server.stop() == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


# --- with a database of somebody else's ----------------------------------------------

def test_serves_with_a_given_database_and_tells_the_service_manager(server, tmp_path):
    tls = pathlib.Path(server.conf["ca"]).parent
    pid_file = tmp_path / "ismsd.pid"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        process = subprocess.Popen(
            [ISMSD, "--database", server.conninfo.replace("isms_owner", "isms_server"),
             "--tls-cert", tls / "server.crt", "--tls-key", tls / "server.key",
             "--listen", "127.0.0.1:0", "--workers", "1", "--pid-file", pid_file],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
        try:
            address = re.fullmatch(r"serving at (127\.0\.0\.1:\d+)\n",
                                   process.stdout.readline()).group(1)
            assert manager.recv(64) == b"READY=1"
            assert int(pid_file.read_text()) == process.pid
            host, port = address.split(":")
            context = ssl.create_default_context(cafile=server.conf["ca"])
            context.set_alpn_protocols(["h2"])
            with socket.create_connection((host, int(port)), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname=host) as stream:
                    assert stream.version() == "TLSv1.3"
                    assert stream.selected_alpn_protocol() == "h2"
            process.send_signal(signal.SIGINT)
            assert manager.recv(64) == b"STOPPING=1"
            assert process.wait(20) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()
    assert not pid_file.exists()
