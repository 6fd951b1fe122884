"""The registers of a past time, worked out a second time from the versions alone: what
test_history.py compares the server's answers with."""

import datetime
import pathlib
import re

from api import SCHEMA

SECOND = datetime.timedelta(seconds=1)
MICROSECOND = datetime.timedelta(microseconds=1)
QUERIES = pathlib.Path(__file__).resolve().parents[2] / "sql" / "queries"

IN_FORCE = {4, 5, 6, 7}  # plans: APPROVED, IN_PROGRESS, IMPLEMENTED, VERIFIED
VERIFIED = 7
TRANSFER, AVOID, MITIGATE, ACCEPT = 2, 4, 1, 3
ACTIVE = 4
DELEGATION_PLANNED, DELEGATION_ACTIVE, DELEGATION_ENDED, DELEGATION_REVOKED = 1, 2, 3, 4
UNTREATED, MITIGATED, TRANSFERRED, ACCEPTED, AVOIDED = 1, 2, 3, 4, 5


class Register:
    """The methods of one kind."""

    def __init__(self, service, noun, one, many, plural=None, page=15):
        self.versions_of = f"{service}/List{noun}Versions"
        self.get = f"{service}/Get{noun}" if f"{service}/Get{noun}" in SCHEMA.methods else None
        self.list = f"{service}/List{plural or noun + 's'}"
        self.one, self.many, self.size = one, many, page

    def read(self, api, thing, **fields):
        return getattr(api.call(self.get, id=thing, **fields), self.one)

    def page(self, api, **fields):
        reply = api.call(self.list, **fields)
        return list(getattr(reply, self.many)), reply.next_page_token

    def all(self, api, size=0, **fields):
        """Every row; pages are small where other tests write rows as large as may be."""
        size = size or self.size
        rows, token = self.page(api, page_size=size, **fields)
        while token:
            more, token = self.page(api, page_size=size, page_token=token, **fields)
            rows += more
        return rows

    def versions(self, api, thing, size=0):
        reply = api.call(self.versions_of, id=thing, page_size=size)
        rows, token = list(reply.versions), reply.next_page_token
        while token:
            reply = api.call(self.versions_of, id=thing, page_size=size, page_token=token)
            rows, token = rows + list(reply.versions), reply.next_page_token
        return rows


REGISTERS = {
    "risk": Register("RiskService", "Risk", "risk", "risks"),
    "treatment_plan": Register("TreatmentService", "Plan", "plan", "plans"),
    "risk_acceptance": Register("AcceptanceService", "Acceptance", "acceptance", "acceptances"),
    "asset": Register("AssetService", "Asset", "asset", "assets"),
    "ai_system": Register("ScopeService", "AiSystem", "ai_system", "ai_systems"),
    "scope": Register("ScopeService", "Scope", "scope", "scopes"),
    "approval_policy": Register("PolicyService", "Policy", "policy", "policies", "Policies"),
    "approval_request": Register("ApprovalService", "ApprovalRequest", "request", "requests"),
    "control": Register("CatalogService", "Control", "control", "controls", page=1000),
    "role_grant": Register("DirectoryService", "Grant", "grant", "grants", page=1000),
    "delegation": Register("DelegationService", "Delegation", "delegation", "delegations"),
}
# read with a right of theirs in the scope that each names
SCOPED = ["ai_system", "asset", "risk", "risk_acceptance", "treatment_plan"]


def when(row):
    """Of a version; with the microseconds that datetime has."""
    return moment(row.meta.updated_at)


def moment(timestamp):
    return timestamp.ToDatetime(datetime.timezone.utc)


def text(at):
    return at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clock(server):
    """Now, by the clock that decides."""
    with server.database() as db:
        return db.execute("SELECT clock_timestamp()").fetchone()[0]


class Past:
    """Versions of some rows, and what they say about any time."""

    def __init__(self, api, ids):
        """ids: kind -> ids."""
        self.kept = {kind: {thing: REGISTERS[kind].versions(api, thing) for thing in things}
                     for kind, things in ids.items()}

    def times(self):
        return sorted({when(v) for things in self.kept.values() for rows in things.values()
                       for v in rows})

    def row(self, kind, thing, at):
        for version in self.kept[kind][thing]:
            if when(version) <= at:
                row = type(version)()
                row.CopyFrom(version)
                return self.derive(kind, row, at)
        return None

    def rows(self, kind, at, keep=lambda row: True):
        rows = (self.row(kind, thing, at) for thing in sorted(self.kept[kind], reverse=True))
        return [row for row in rows if row is not None and keep(row)]

    def derive(self, kind, row, at):
        if kind == "delegation":
            row.state = (DELEGATION_REVOKED if row.HasField("revoked_at") else
                         DELEGATION_ENDED if moment(row.ends_at) <= at else
                         DELEGATION_PLANNED if moment(row.starts_at) > at else DELEGATION_ACTIVE)
        elif kind == "risk_acceptance":
            row.effective = holds(row, at)
        elif kind == "risk":
            plans = [p for p in self.rows("treatment_plan", at)
                     if p.risk_id == row.meta.id and p.state in IN_FORCE]
            on_schedule = [p for p in plans if p.option != ACCEPT and p.state != VERIFIED
                           and p.HasField("due_at") and moment(p.due_at) > at
                           and not (p.HasField("lapses_at") and moment(p.lapses_at) <= at)]
            plans = [p for p in plans
                     if not (p.HasField("counts_from") and moment(p.counts_from) > at)]
            ends = [a.valid_until for a in self.rows("risk_acceptance", at)
                    if a.risk_id == row.meta.id and a.effective]
            row.ClearField("accepted_until")
            if ends:
                row.accepted_until.CopyFrom(max(ends, key=moment))
            options = {p.option for p in plans
                       if p.option != TRANSFER or moment(p.lapses_at) > at}
            row.disposition = (AVOIDED if AVOID in options else ACCEPTED if ends else
                               TRANSFERRED if TRANSFER in options else
                               MITIGATED if MITIGATE in options else UNTREATED)
            row.uncovered = (row.current.level > row.tolerance and not ends
                             and not on_schedule)
        return row


def holds(acceptance, at):
    review = dict((f.name, v) for f, v in acceptance.ListFields()).get("review_due_at")
    return (acceptance.state == ACTIVE and moment(acceptance.valid_until) > at
            and (review is None or moment(review) > at))


def backdate(server, days, ids):
    """Everything on some rows happened so many days earlier, as if the clock of the
    database had stood there. As the owner, who may take the triggers off."""
    with server.database() as db, db.transaction():
        db.execute("ALTER TABLE row_history DISABLE TRIGGER append_only")
        for kind, things in ids.items():
            columns = [row[0] for row in db.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND atttypid = 'timestamptz'::regtype AND NOT attisdropped",
                ("isms." + kind,))]
            by = datetime.timedelta(days=days)
            db.execute(f"ALTER TABLE {kind} DISABLE TRIGGER keep_history")
            db.execute(f"UPDATE {kind} SET " + ", ".join(f"{c} = {c} - %(by)s" for c in columns)
                       + " WHERE id = ANY (%(ids)s::uuid[])", {"by": by, "ids": list(things)})
            db.execute(f"ALTER TABLE {kind} ENABLE TRIGGER keep_history")
            db.execute(
                "UPDATE row_history h SET at = at - %(by)s, row_json = row_json || coalesce("
                " (SELECT jsonb_object_agg(key, to_jsonb(value::timestamptz - %(by)s))"
                "  FROM jsonb_each_text(row_json) WHERE key = ANY (%(columns)s)"
                "  AND value IS NOT NULL), '{}')"
                " WHERE entity_kind = %(kind)s AND entity_id = ANY (%(ids)s::uuid[])",
                {"by": by, "columns": columns, "kind": kind, "ids": list(things)})
        db.execute("ALTER TABLE row_history ENABLE TRIGGER append_only")


def review(server, acceptance, due):
    """The newest version of an acceptance always had a review due, as the owner says."""
    with server.database() as db, db.transaction():
        db.execute("ALTER TABLE row_history DISABLE TRIGGER append_only")
        db.execute("ALTER TABLE risk_acceptance DISABLE TRIGGER keep_history")
        db.execute("UPDATE risk_acceptance SET review_due_at = %s WHERE id = %s",
                   (due, acceptance))
        db.execute("UPDATE row_history h SET row_json = to_jsonb(t) FROM risk_acceptance t"
                   " WHERE h.entity_kind = 'risk_acceptance' AND h.entity_id = t.id"
                   " AND h.version = t.version AND t.id = %s", (acceptance,))
        db.execute("ALTER TABLE risk_acceptance ENABLE TRIGGER keep_history")
        db.execute("ALTER TABLE row_history ENABLE TRIGGER append_only")


def statements():
    """name -> text of sql/queries, with fragments as they are named."""
    found = {}
    for path in sorted(QUERIES.glob("*.sql")):
        for block in re.split(r"^-- name: ", path.read_text(), flags=re.M)[1:]:
            name, rest = block.split("\n", 1)
            found[name.strip()] = rest[:rest.index(";\n")] if ";\n" in rest else rest
    return found
