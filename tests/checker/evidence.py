"""What the database says after a run, read as the owner: the audit log in the order in
which transactions committed, and the tables."""

from watcher import HEARD
from wire import SCHEMA

TABLES = ("risk", "treatment_plan", "risk_acceptance", "approval_request", "role_grant",
          "delegation")
JUMP = 1800


class Event:
    """One transaction that left an audit event."""

    __slots__ = ("order", "tx", "id", "at", "actor", "rpc", "key", "done", "reason", "changes",
                 "records", "entity")

    def __init__(self, order, tx, message):
        self.order, self.tx, self.id = order, tx, message.id
        self.at = message.at.seconds + message.at.nanos / 1e9
        self.actor, self.rpc = message.actor_id, message.rpc.rpartition(".")[2]
        self.key, self.done, self.reason = message.request_id, message.outcome == 1, message.reason
        self.entity = message.entity_id
        self.changes, self.records = [], []
        for change in message.changes:
            fields = {f.field: (f.before, f.after) for f in change.fields}
            row = (change.entity_kind, change.entity_id, change.entity_version, fields)
            (self.changes if change.entity_version else self.records).append(row)

    @classmethod
    def made(cls, **values):
        """For tests: an event from keywords."""
        event = cls.__new__(cls)
        for name, value in {"order": 0, "tx": 0, "id": "", "at": 0.0, "actor": "", "rpc": "",
                            "key": "", "done": True, "reason": "", "changes": [], "records": [],
                            "entity": "", **values}.items():
            setattr(event, name, value)
        return event


class Evidence:
    """events in commit order; outbox {event id: [(kind, id, version)]}; tables
    {kind: {id: row}}; steps, assignees, votes and snapshots of requests; scores of risks."""

    def __init__(self, postgres):
        with postgres.connect("postgres") as db, db.transaction():
            # of one moment: the servers' own clock goes on
            db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self.events = self._events(db)
            self.outbox, self.outbox_rows = {}, 0
            for event, kind, entity, version in db.execute(
                    "SELECT audit_event_id::text, entity_kind, entity_id::text, entity_version"
                    " FROM outbox"):
                self.outbox.setdefault(event, []).append((kind, entity, version))
                self.outbox_rows += 1
            self.tables = {t: {str(i): row for i, row in db.execute(
                f"SELECT id, to_jsonb(t) FROM {t} t")} for t in TABLES}
            steps = SCHEMA.message("isms.v1.PolicySteps")
            frozen = {str(i): steps.FromString(s) for i, s in db.execute(
                "SELECT id, steps FROM approval_request")}
            self.steps = {i: list(s.steps) for i, s in frozen.items()}
            self.outvoted = {i for i, s in frozen.items() if s.reject_may_be_outvoted}
            self.assignees = {}
            for request, step, *seat in db.execute(
                    "SELECT request_id::text, step_no, user_id::text, person_id::text, escalated"
                    " FROM approval_assignee"):
                self.assignees.setdefault((request, step), []).append(tuple(seat))
            self.votes = {str(r[0]): r[1] for r in db.execute(
                "SELECT id, to_jsonb(v) FROM approval_vote v")}
            self.scores = {str(i): row for i, row in db.execute(
                "SELECT id, to_jsonb(s) FROM risk_score s")}
            self.snapshots = {str(r): bytes(s) for r, s in db.execute(
                "SELECT request_id, snapshot FROM approval_snapshot")}
            self.histories = {(k, str(i)): (n, top) for k, i, n, top in db.execute(
                "SELECT entity_kind, entity_id, count(*), max(version) FROM row_history"
                " GROUP BY 1, 2")}

    @staticmethod
    def _events(db):
        rows = db.execute(
            "SELECT tx::text::bigint, extract(epoch FROM pg_xact_commit_timestamp("
            "(tx::text::bigint % 4294967296)::text::xid))::float8, event FROM audit_event"
            " ORDER BY tx, seq").fetchall()
        message = SCHEMA.message("isms.v1.AuditEvent")
        return [Event(order, tx, message.FromString(event))
                for order, (tx, _, event) in enumerate(in_commit_order(rows))]


def in_commit_order(rows):
    """Rows (tx, seconds, …), sorted by tx, in the order of their commits. A restart of
    the database may set its clock by an hour: between neighbours by tx that shows as a
    jump, and what is behind a jump is later."""
    keyed, epoch, last = [], 0, None
    for row in rows:
        if last is not None and abs(row[1] - last) > JUMP:
            epoch += 1
        last = row[1]
        keyed.append(((epoch, row[1], row[0]), row))
    keyed.sort(key=lambda k: k[0])
    return [row for _, row in keyed]


def announced(postgres):
    """Ids of the announcements that a watcher hears, in the order of cursors."""
    with postgres.connect("postgres") as db:
        return [str(r[0]) for r in db.execute(
            "SELECT id FROM outbox WHERE entity_kind = ANY (%s) ORDER BY tx, seq",
            (list(HEARD),))]
