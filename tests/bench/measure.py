"""One run of one contender: calls a second, latency, and the CPU that it took."""

import json
import os
import pathlib
import re
import subprocess

METHODS = {"E": "/grpc.health.v1.Health/Check", "R": "/isms.v1.RiskService/GetRisk",
           "L": "/isms.v1.RiskService/ListRisks", "W": "/isms.v1.ApprovalService/CastVote",
           "H": "/isms.v1.ApprovalService/CastVote"}
# As the server connects, see server/db/db_connect.c.
SETTINGS = ("-c plan_cache_mode=force_generic_plan -c jit=off "
            "-c default_transaction_isolation=read\\ committed -c search_path=isms")
TICKS = os.sysconf("SC_CLK_TCK")


# --- CPU and memory of a tree of processes -----------------------------------

def _stat(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def _parents():
    pids = [int(d) for d in os.listdir("/proc") if d.isdigit()]
    stats = {pid: _stat(pid) for pid in pids}
    return {pid: int(stat[1]) for pid, stat in stats.items() if stat}


def tree(root, without=()):
    parents, found, todo = _parents(), [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += [p for p, parent in parents.items() if parent == pid and p not in without]
    return found


def _cpu_of(pid):
    """Seconds; exact for a process with one thread."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        if len(tasks) == 1:
            return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICKS if stat else 0


def cpu(root, without=()):
    """Seconds that a tree has used, with those of children that are no more."""
    stat = _stat(root)
    gone = (int(stat[13]) + int(stat[14])) / TICKS if stat else 0
    return gone + sum(_cpu_of(pid) for pid in tree(root, without))


def rss(root, without=()):
    """MiB."""
    total = 0
    for pid in tree(root, without):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        match = re.search(r"^VmRSS:\s+(\d+)", status, re.M)
        total += int(match.group(1)) if match else 0
    return total / 1024


# --- contenders --------------------------------------------------------------

class Failed(Exception):
    pass


class GrpcServer:
    """Something that speaks gRPC: ours, or the peer."""

    def __init__(self, name, stage, load, port, pid, without=()):
        self.name, self.stage, self.load = name, stage, load
        self.port, self.pid, self.without = port, pid, without

    def can(self, op, conns, streams):
        return True

    def run(self, op, conns, streams, seconds, warm):
        stage = self.stage
        command = [self.load, "-p", self.port, "-A", stage.ca, "-m", METHODS[op],
                   "-f", stage.calls / op, "-c", conns, "-s", streams, "-d", seconds, "-u", warm]
        if op in "WH":
            command.append("-1")
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        marks = []
        for word in ("begin", "end"):
            if process.stdout.readline().strip() != word:
                break
            marks.append((cpu(self.pid, self.without), cpu(stage.postmaster)))
        out, err = process.stdout.readline(), process.stderr.read()
        process.wait(60)
        if process.returncode != 0 or len(marks) < 2:
            raise Failed(f"{self.name} {op} {conns} x {streams}: {err.strip()}")
        result = json.loads(out)
        n = max(result["n"], 1)
        return {"n": result["n"], "rate": result["n"] / max(result["secs"], 1e-6),
                "errors": result["errors"], "first_error": result["first_error"],
                "p50": result["p50"], "p99": result["p99"],
                "server": (marks[1][0] - marks[0][0]) / n * 1e6,
                "postgres": (marks[1][1] - marks[0][1]) / n * 1e6,
                "rss": rss(self.pid, self.without)}


class Peer(GrpcServer):
    """The gRPC C++ peer, started here."""

    def __init__(self, stage, build, recipe, connections):
        path = stage.server.folder / "recipe"
        recipe.write_for_peer(path)
        conninfo = (f"host={stage.socket} port=5432 user=isms_server dbname=isms "
                    "options='" + SETTINGS.replace("\\", "\\\\") + "'")
        self.process = subprocess.Popen(
            [str(build / "peer"), str(stage.tls / "server.crt"), str(stage.tls / "server.key"),
             str(connections), str(path), conninfo],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if len(words) != 2:
            self.end()
            raise Failed("the peer does not start: " + self.process.stderr.read().strip())
        super().__init__("gRPC C++", stage, build / "load", int(words[1]), self.process.pid)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


class Pgbench:
    """The statements alone, without a server in between."""

    name = "pgbench"

    def __init__(self, stage, recipe):
        self.stage, self.scripts = stage, {}
        for op in "RLW":
            path = stage.server.folder / f"{op}.sql"
            self.scripts[op] = (path, recipe.write_for_pgbench(op, path))

    def can(self, op, conns, streams):
        return op in self.scripts and streams == 1

    def run(self, op, conns, streams, seconds, warm):
        """The first second is left out, as connections prepare their statements in it, the
        last one too, as they end in it."""
        path, variables = self.scripts[op]
        command = ["pgbench", "-n", "-M", "prepared", "-c", str(conns), "-j", str(min(conns, 2)),
                   "-T", str(max(round(seconds), 1) + 2), "-P", "1", "-f", str(path),
                   "-h", self.stage.socket, "-p", "5432", "-U", "isms_server",
                   "-D", "i=-1", "-D", "known=0", "-D", f"clients={conns}"]
        for name, value in variables.items():
            command += ["-D", f"{name}={value}"]
        process = subprocess.Popen(command + ["isms"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "PGOPTIONS": SETTINGS})
        marks, errors = [], []
        for line in process.stderr:
            match = re.match(r"progress: ([\d.]+) s, ([\d.]+) tps, lat ([\d.]+) ms", line)
            if match and len(marks) <= max(round(seconds), 1):
                marks.append((float(match.group(1)), float(match.group(2)),
                              float(match.group(3)), cpu(self.stage.postmaster)))
            elif "error" in line:
                errors.append(line.strip())
        out = process.stdout.read()
        process.wait(60)
        if process.returncode != 0 or len(marks) < 2:
            raise Failed(f"pgbench {op} {conns}: {' '.join(errors)[:2000]}")
        spans = [b[0] - a[0] for a, b in zip(marks, marks[1:])]
        n = sum(span * mark[1] for span, mark in zip(spans, marks[1:]))
        failed = re.search(r"number of failed transactions: (\d+)", out)
        return {"n": round(n), "rate": n / sum(spans),
                "errors": int(failed.group(1)) if failed else 0, "first_error": "",
                "p50": None, "p99": None, "server": None,
                "postgres": (marks[-1][3] - marks[0][3]) / max(n, 1) * 1e6, "rss": None}
