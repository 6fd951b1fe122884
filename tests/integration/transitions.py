"""Changes of state, as the audit log tells of them, against the tables of WORKFLOW.md."""

import collections
import pathlib

from api import SCHEMA

EVENT = SCHEMA.message("isms.v1.AuditEvent")
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "server" / "domain" / "WORKFLOW.md"
BEHIND = "Plan behind an acceptance"
TITLES = {"treatment_plan": "Treatment plan", "risk_acceptance": "Acceptance",
          "approval_request": "Approval request", "approval_policy": "Approval policy"}
Row = collections.namedtuple("Row", "start action by permission to")


def lines():
    """(title, cells) of each line of a table."""
    title = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif line.startswith("| ") and not line.startswith(("| From", "| Acc", "| ---")):
            yield title, [c.strip() for c in line.strip("|").split("|")]


def tables():
    """Title -> rows."""
    found = collections.defaultdict(list)
    for title, cells in lines():
        if len(cells) == 5:
            found[title].append(Row(*cells))
    return found


def followers():
    """State of an acceptance -> that of the plan behind it."""
    return dict(cells for title, cells in lines() if title == BEHIND)


TABLES, FOLLOWS = tables(), followers()


def callers(rpc):
    """What the document may call the caller of a method."""
    service, _, method = rpc.rpartition(".")[2].partition("/")
    if service == "ClockService":
        return {"clock"}
    return {method, "vote"} if method == "CastVote" else {method, "change"}


class Moves:
    """Takes events one after the other and keeps what no row of the document allows."""

    def __init__(self):
        self.accepting, self.wrong = set(), []  # accepting: plans behind an acceptance
        self.seen = collections.Counter()

    def take(self, rpc, changes):
        """changes: [(kind, id, {field: (before, after)})] of one event."""
        for kind, entity, fields in changes:
            if kind == "treatment_plan" and fields.get("option", ("", ""))[1] == "ACCEPT":
                self.accepting.add(entity)
        leaders = {FOLLOWS.get(fields["state"][1]) for kind, _, fields in changes
                   if kind == "risk_acceptance" and "state" in fields}
        for kind, entity, fields in changes:
            if kind in TITLES and "state" in fields:
                before, after = fields["state"]
                move = (TITLES[kind], before or "-", after)
                behind = kind == "treatment_plan" and entity in self.accepting
                if after not in leaders if behind else not self.allowed(rpc, *move):
                    self.wrong.append((rpc, *move, entity))
                self.seen[(BEHIND if behind else move[0], *move[1:])] += 1

    @staticmethod
    def allowed(rpc, title, before, after):
        return any((row.start, row.to) == (before, after) and
                   callers(rpc) & set(row.by.split(", ")) for row in TABLES[title])


def moves_of(server):
    """All that the audit log of a server tells of."""
    moves = Moves()
    with server.database() as db:
        for (event,) in db.execute("SELECT event FROM audit_event ORDER BY tx, seq").fetchall():
            event = EVENT.FromString(event)
            moves.take(event.rpc, [(c.entity_kind, c.entity_id, {
                f.field: (f.before, f.after) for f in c.fields}) for c in event.changes])
    return moves


def wrong_moves(server):
    return moves_of(server).wrong
