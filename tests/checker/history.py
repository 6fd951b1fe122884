"""What the clients did: one record for each call, kept in memory and as JSON lines
{process, op, args, idem_key, invoke_ns, complete_ns, type, …}."""

import collections
import json
import threading
import time

# begin and heal in monotonic ns; shift: by how many seconds the database's clock is wrong
# from then on, None when it was left alone
Fault = collections.namedtuple("Fault", "name begin heal detail shift", defaults=("", None))


class Op:
    """One call. type: ok, fail (certainly nothing happened) or info (unknown); settled: it
    was unknown, and its key told afterwards; internal: some answer to it was INTERNAL;
    wall: the time of day before it was made."""

    __slots__ = ("n", "process", "op", "rpc", "actor", "args", "key", "invoke", "complete", "type",
                 "code", "reason", "entities", "result", "attempts", "refusals", "message",
                 "settled", "internal", "wall")

    def __init__(self, process, op, rpc, actor, args, key):
        self.process, self.op, self.rpc, self.actor = process, op, rpc, actor
        self.args, self.key = args, key
        self.n, self.invoke, self.complete, self.type = 0, 0, 0, "info"
        self.code, self.reason, self.entities, self.result = "", "", [], {}
        self.attempts, self.refusals, self.message = 1, 0, None
        self.settled, self.internal, self.wall = False, False, 0.0

    def line(self):
        return {"n": self.n, "process": self.process, "op": self.op, "rpc": self.rpc,
                "actor": self.actor, "args": self.args, "idem_key": self.key,
                "invoke_ns": self.invoke, "complete_ns": self.complete, "type": self.type,
                "code": self.code, "reason": self.reason, "entities": self.entities,
                "result": self.result, "attempts": self.attempts, "settled": self.settled,
                "internal": self.internal}

    @classmethod
    def made(cls, **values):
        """For tests: an operation from keywords."""
        op = cls(values.pop("process", 0), values.pop("op", "vote"), values.pop("rpc", ""),
                 values.pop("actor", ""), values.pop("args", {}), values.pop("key", ""))
        for name, value in values.items():
            setattr(op, name, value)
        return op


class History:
    def __init__(self, path):
        self.ops, self.faults, self.lock = [], [], threading.Lock()
        self.path, self.file = path, open(path, "w", encoding="utf-8")
        self.started = time.monotonic_ns()

    def add(self, op):
        with self.lock:
            op.n = len(self.ops)
            self.ops.append(op)
            self.file.write(json.dumps(op.line(), separators=(",", ":")) + "\n")

    def settle(self, op):
        """Another line of the same operation: what became of it."""
        with self.lock:
            self.file.write(json.dumps(op.line(), separators=(",", ":")) + "\n")

    def fault(self, name, begin, heal, detail="", shift=None):
        with self.lock:
            self.faults.append(Fault(name, begin, heal, detail, shift))
            self.file.write(json.dumps({"fault": name, "invoke_ns": begin, "complete_ns": heal,
                                        "detail": detail, "shift": shift}) + "\n")

    def close(self):
        self.file.close()

    def before(self, until):
        return sum(1 for op in self.ops if op.complete <= until and op.type != "info")
