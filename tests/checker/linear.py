"""Whether what clients saw of one approval request can be put into one order that keeps
real time: a search over states (Wing and Gong), with the states that were tried before
remembered (Lowe). The state of a request is small: open or not, its step, who voted.

What closes a request from outside (an edit of the risk, time) is a step that may be
taken at any moment, once, when the request did end that way."""

from model import Violation

PENDING, APPROVED, REJECTED, CHANGES, WITHDRAWN, EXPIRED, STALE = 1, 2, 3, 4, 5, 6, 7
OUTSIDE = {EXPIRED, STALE}
SEARCH_MAX = 200_000
OPS_MAX = 400
OPEN_MOST = 0.01  # of the requests may be without a verdict


class Seen:
    """An operation on the request: what it did, by what was answered."""

    __slots__ = ("invoke", "complete", "what", "step", "person", "state", "after", "votes",
                 "behalf", "key")

    def __init__(self, invoke, complete, what, **values):
        self.invoke, self.complete, self.what = invoke, complete, what
        self.step = self.person = self.state = self.after = self.votes = None
        self.behalf, self.key = None, ""
        for name, value in values.items():
            setattr(self, name, value)

    def cast(self):
        """Who has taken part by it."""
        return {(self.step, p) for p in (self.person, self.behalf) if p}

    def apply(self, state):
        """The state after it, or None when it cannot have been answered so."""
        now, step, votes = state
        if self.what == "vote":
            cast = self.cast()
            if now != PENDING or step != self.step or cast & votes:
                return None
            return (self.state, self.after, votes | cast)
        if self.what == "withdraw":
            return (WITHDRAWN, 0, votes) if now == PENDING else None
        if self.what == "give up":
            return (self.state, 0, votes) if now == PENDING else None
        if self.what == "closed":
            return state if now != PENDING else None
        if self.what == "not open":
            return state if now == PENDING and step != self.step else None
        if self.what == "voted":
            return state if now == PENDING and self.cast() & votes else None
        if self.what == "read":
            fits = (now, step, votes) == (self.state, self.after, self.votes)
            return state if fits else None
        raise AssertionError(self.what)


def search(seen, outside=None):
    """True when an order exists; None when the search was given up."""
    seen = sorted(seen, key=lambda s: s.invoke)
    full = (1 << len(seen)) - 1
    start = (0, (PENDING, 1, frozenset()))
    stack, tried = [start], {start}
    while stack:
        done, state = stack.pop()
        if done == full:
            return True
        if len(tried) > SEARCH_MAX:
            return None
        horizon = min(s.complete for i, s in enumerate(seen) if not done >> i & 1)
        after = []
        if outside and state[0] == PENDING:
            after.append((done, (outside, 0, state[2])))
        for i, item in enumerate(seen):
            if item.invoke > horizon:
                break
            if done >> i & 1:
                continue
            moved = item.apply(state)
            if moved is not None:
                after.append((done | 1 << i, moved))
        for item in after:
            if item not in tried:
                tried.add(item)
                stack.append(item)
    return False


def of_op(op, persons):
    """What an operation of the history says about the request it is about."""
    person = persons.get(op.actor, "")
    if op.rpc == "ApprovalService/GetApprovalRequest" and op.type == "ok":
        return Seen(op.invoke, op.complete, "read", state=op.result["state"],
                    after=op.result["step"],
                    votes=frozenset([(s, p) for s, p in op.result["votes"]] +
                                    [(s, persons.get(u, "")) for s, u in
                                     op.result.get("behalf", [])]))
    if op.rpc != "ApprovalService/CastVote" or op.attempts > 1 and op.type != "ok":
        return None
    behalf = persons.get(op.args.get("onBehalfOf", ""))
    common = {"step": op.args["stepNo"], "person": person, "behalf": behalf, "key": op.key}
    if op.type == "ok":
        return Seen(op.invoke, op.complete, "vote", state=op.result["state"],
                    after=op.result["step"], **common)
    what = {"CLOSED": "closed", "STEP_NOT_OPEN": "not open", "ALREADY_VOTED": "voted"}.get(
        op.reason)
    if op.reason in ("STALE", "EXPIRED", "NO_QUORUM"):
        return Seen(op.invoke, op.complete, "give up",
                    state=STALE if op.reason == "STALE" else EXPIRED, **common)
    return Seen(op.invoke, op.complete, what, **common) if what else None


def gather(ops, persons, subjects):
    """{request: [Seen]}; subjects: {subject id: [(request id, opened by key)]}."""
    found = {}
    for op in ops:
        request = op.args.get("requestId")
        if op.rpc == "ApprovalService/GetApprovalRequest":
            request = op.args["id"]
        elif op.rpc.endswith(("/WithdrawAcceptance", "/WithdrawPlan")) and op.type == "ok":
            for entity in op.entities:
                for known in subjects.get(entity[1], []):
                    if known[1] == op.key:
                        found.setdefault(known[0], []).append(
                            Seen(op.invoke, op.complete, "withdraw", key=op.key))
            continue
        if not request:
            continue
        seen = of_op(op, persons)
        if seen is not None:
            found.setdefault(request, []).append(seen)
    return found


def check(ops, evidence, persons):
    """(violations, requests searched, those of them without a verdict: too many operations
    for a search, or a search that was given up); persons: {account id: person}."""
    found, searched, left = [], 0, 0
    withdrawn = {}
    for event in evidence.events:
        for kind, entity, _, fields in event.changes:
            if kind == "approval_request" and fields.get("state", ("", ""))[1] == "WITHDRAWN":
                for other, subject, _, _ in event.changes:
                    if other != kind:
                        withdrawn.setdefault(subject, []).append((entity, event.key))
    for request, seen in gather(ops, persons, withdrawn).items():
        row = evidence.tables["approval_request"].get(request)
        if row is None:  # a verdict on the log and the tables: I1
            continue
        outside = {"STALE": STALE, "EXPIRED": EXPIRED}.get(row["state"])
        verdict = search(seen, outside) if len(seen) <= OPS_MAX else None
        searched, left = searched + 1, left + (verdict is None)
        if verdict is False:
            found.append(Violation("I11", f"no order of {len(seen)} operations on the request "
                                   "explains what was answered", request,
                                   [s.key for s in seen if s.key]))
    if left > searched * OPEN_MOST:
        found.append(Violation("I11", f"{left} of {searched} requests were not searched to the "
                               "end"))
    return found, searched, left
