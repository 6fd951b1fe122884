"""Tables of what was measured: medians over repetitions, and of the ratios within one."""

import os
import pathlib
import platform
import re
import statistics
import subprocess

TITLES = {
    "R": "GetRisk",
    "L": "ListRisks, pages of 20",
    "W": "CastVote, the vote that decides",
    "E": "health check, no database",
}


def median(runs, key):
    values = [run[key] for run in runs if run[key] is not None]
    return statistics.median(values) if values else None


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def shape_name(shape):
    return f"{shape[0]}" if shape[1] == 1 else f"{shape[0]} × {shape[1]}"


class Report:
    def __init__(self, ops, shapes, contenders):
        self.ops, self.shapes, self.contenders = ops, shapes, contenders
        self.runs = {}

    def add(self, op, shape, contender, run):
        self.runs.setdefault((op, shape, contender), []).append(run)

    def ratio(self, op, shape, other):
        """Ours to the other in the same repetition; 4 × 64 to the best of the other's, where
        it has none of this shape."""
        ours, theirs = self.runs.get((op, shape, "ismsd")), self.runs.get((op, shape, other))
        if not theirs:
            rivals = [r for (o, _, c), r in self.runs.items() if (o, c) == (op, other)]
            theirs = max(rivals, key=lambda r: median(r, "rate")) if rivals else None
        if not ours or not theirs:
            return None
        return statistics.median(a["rate"] / max(b["rate"], 1e-9) for a, b in zip(ours, theirs))

    def full(self):
        """A table for each operation."""
        lines = []
        for op in self.ops:
            lines += [f"### {op}: {TITLES[op]}", "",
                      "| clients | | calls/s | p50 µs | p99 µs | server CPU µs | PostgreSQL CPU µs "
                      "| RSS MiB | ismsd to it |", "|---|---|---|---|---|---|---|---|---|"]
            for shape in self.shapes:
                for name in self.contenders:
                    runs = self.runs.get((op, shape, name))
                    if not runs:
                        continue
                    ratio = "" if name == "ismsd" else number(self.ratio(op, shape, name), 2)
                    errors = sum(run["errors"] for run in runs)
                    faults = f" ({errors} errors)" if errors else ""
                    lines.append(
                        f"| {shape_name(shape)} | {name} | {number(median(runs, 'rate'))}{faults} "
                        f"| {number(median(runs, 'p50'))} | {number(median(runs, 'p99'))} "
                        f"| {number(median(runs, 'server'), 1)} "
                        f"| {number(median(runs, 'postgres'), 1)} "
                        f"| {number(median(runs, 'rss'))} | {ratio} |")
            lines.append("")
        return "\n".join(lines)

    def short(self):
        """One table for the README."""
        lines = ["| call | clients | ismsd calls/s | p50 / p99 ms | to gRPC C++ | to pgbench "
                 "| CPU µs a call: server, PostgreSQL | gRPC C++: server, PostgreSQL "
                 "| RSS MiB, gRPC C++ |", "|---|---|---|---|---|---|---|---|---|"]
        for op in self.ops:
            for shape in self.shapes:
                runs, peer = (self.runs.get((op, shape, name)) for name in ("ismsd", "gRPC C++"))
                if not runs or not peer:
                    continue
                lines.append(
                    f"| {TITLES[op].split(',')[0]} | {shape_name(shape)} "
                    f"| {number(median(runs, 'rate'))} "
                    f"| {median(runs, 'p50') / 1000:.2f} / {median(runs, 'p99') / 1000:.2f} "
                    f"| {number(self.ratio(op, shape, 'gRPC C++'), 2)} "
                    f"| {number(self.ratio(op, shape, 'pgbench'), 2)} "
                    f"| {number(median(runs, 'server'), 1)}, "
                    f"{number(median(runs, 'postgres'), 1)} "
                    f"| {number(median(peer, 'server'), 1)}, "
                    f"{number(median(peer, 'postgres'), 1)} "
                    f"| {number(median(runs, 'rss'))}, {number(median(peer, 'rss'))} |")
        return "\n".join(lines)


def machine():
    model = re.search(r"^model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    postgres = subprocess.run(["pg_config", "--version"], stdout=subprocess.PIPE,
                              text=True, check=False).stdout.strip()
    grpc = subprocess.run(["pkg-config", "--modversion", "grpc++"], stdout=subprocess.PIPE,
                          text=True, check=False).stdout.strip()
    return (f"{os.cpu_count()} processors ({model.group(1) if model else platform.machine()}), "
            f"{postgres}, gRPC C++ {grpc}; server, database and load generator share them")


def write_readme(path, text):
    """Between the two markers, which must be there."""
    readme = path.read_text()
    pattern = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.S)
    if len(pattern.findall(readme)) != 1:
        raise RuntimeError("README.md has no place for the table")
    path.write_text(pattern.sub(lambda m: f"{m.group(1)}{text.strip()}\n{m.group(2)}", readme))
