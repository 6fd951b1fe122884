"""What the engine promises when calls meet, are repeated, or are too large."""

import contextlib
import time

from api import SCHEMA, Api
from world import unique


@contextlib.contextmanager
def held(server, table, mode):
    """Commits that write the table wait inside."""
    with server.database() as db:
        with db.transaction():
            db.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield


def test_a_repeat_that_meets_its_original_gets_the_same_reply(world, server):
    """Not what the original's own row makes of it, such as NAME_TAKEN."""
    apis = [Api(server.channel(), world.officer.token) for _ in range(2)]
    message = apis[0].request(
        "ScopeService/CreateScope", parent_id=world.root.meta.id, kind="SCOPE_KIND_UNIT",
        fields={"name": unique("scope")})
    with held(server, "scope", "SHARE ROW EXCLUSIVE"):
        futures = [a.future("ScopeService/CreateScope", message) for a in apis]
        time.sleep(0.5)
    replies = {f.result().SerializeToString() for f in futures}
    assert len(replies) == 1


def test_a_list_that_is_too_large_is_refused_and_ends_nobody_else(other, server):
    world = other  # where nobody else pages through it
    scope = world.scope(unique("scope"))
    world.add("bulky", "RISK_ANALYST", scope=scope.meta.id)
    risk = world.risk(scope=scope, by="bulky", score=None)
    workers = sorted(server.worker_pids())
    with server.database() as db:
        db.execute("""
            INSERT INTO risk (org_id, id, ref, version, created_at, created_by, updated_at,
                              updated_by, scope_id, title, cause, event, consequence, owner_id,
                              state)
            SELECT org_id, gen_random_uuid(), 'RSK-B' || n, 1, created_at, created_by, updated_at,
                   updated_by, scope_id, title || n, repeat('x', 16000), repeat('y', 16000),
                   repeat('z', 16000), owner_id, state
            FROM risk, generate_series(1, 999) n WHERE id = %s""", (risk.meta.id,))
    failure = world.bulky.fails("RiskService/ListRisks", scope_id=scope.meta.id, page_size=1000)
    assert failure.code == "RESOURCE_EXHAUSTED"
    assert failure.reason in ("CALL_TOO_LARGE", "REPLY_TOO_LARGE")
    assert sorted(server.worker_pids()) == workers
    page = world.bulky.call("RiskService/ListRisks", scope_id=scope.meta.id, page_size=10)
    assert len(page.risks) == 10


def test_a_session_that_only_writes_is_in_use(world, server):
    """Its idle time is counted from the last write."""
    api = world.add("busy", "CONTRIBUTOR", scope=world.unit.meta.id)

    def write():
        api.call("RiskService/CreateRisk", scope_id=world.unit.meta.id,
                 fields={"title": unique("busy"), "owner_id": world.id("owner")})

    for _ in range(8):  # every worker knows the caller
        write()
    ours = "user_id = %s AND revoked_at IS NULL"
    with server.database() as db:
        db.execute(f"UPDATE session SET last_seen_at = now() - interval '5 minutes' WHERE {ours}",
                   (world.id("busy"),))
        write()
        until, idle = time.monotonic() + 30, 300
        while idle > 60 and time.monotonic() < until:
            time.sleep(0.05)
            idle = db.execute(
                "SELECT extract(epoch FROM now() - max(last_seen_at)) FROM session "
                f"WHERE {ours}", (world.id("busy"),)).fetchone()[0]
    assert idle < 60


def test_the_log_never_holds_the_row_that_a_constraint_refused(world, server):
    secret = unique("secret")
    with server.database() as db:
        db.execute("ALTER TABLE risk ADD CONSTRAINT test_check "
                   "CHECK (title NOT LIKE 'secret%') NOT VALID")
        try:
            failure = world.contributor.fails(
                "RiskService/CreateRisk", scope_id=world.unit.meta.id,
                fields={"title": secret, "owner_id": world.id("owner")})
        finally:
            db.execute("ALTER TABLE risk DROP CONSTRAINT test_check")
    assert failure.reason == "INVALID_VALUE"
    log = server.log.read_text(errors="replace")
    assert "test_check" in log
    assert secret not in log


def test_the_event_of_a_vote_says_what_was_voted(world):
    request = world.acceptance(world.risk(score=(5, 5))).request
    world.vote("owner", request, step=1, decision="APPROVE",
               digest=request.snapshot_sha256)
    events = world.auditor.call("AuditLogService/ListAuditEvents",
                                entity_id=request.meta.id).events
    votes = [e.event for e in events if e.event.rpc.endswith("/CastVote")]
    assert len(votes) == 1
    fields = {f.field: f.after for c in votes[0].changes for f in c.fields
              if c.entity_kind == "approval_vote"}
    assert fields["decision"] == "APPROVE"
    assert fields["snapshot_sha256"] == request.snapshot_sha256.hex()


def refusals(world, rpc):
    """Reasons of the refused calls of a method that the log of audit holds."""
    events = world.auditor.call("AuditLogService/ListAuditEvents", page_size=1000).events
    return [e.event.reason for e in events if e.event.rpc.endswith("/" + rpc)
            and e.event.outcome == REFUSED]


REFUSED = SCHEMA.pool.FindEnumTypeByName("isms.v1.AuditOutcome").values_by_name[
    "AUDIT_OUTCOME_REFUSED"].number


def test_a_dry_run_leaves_nothing_behind_and_a_refusal_one_event(world):
    fields = {"parent_id": world.root.meta.id, "kind": "SCOPE_KIND_UNIT",
              "fields": {"name": unique("scope")}}
    before = refusals(world, "CreateScope")
    dry = world.auditor.fails("ScopeService/CreateScope", fields, mutation={"dry_run": True})
    assert dry.reason == "PERMISSION_MISSING"
    assert refusals(world, "CreateScope") == before
    world.auditor.fails("ScopeService/CreateScope", fields)
    assert refusals(world, "CreateScope") == ["PERMISSION_MISSING", *before]


def test_what_a_constraint_refuses_is_recorded_too(world):
    name = world.scope(unique("scope")).name
    before = refusals(world, "CreateScope")
    failure = world.admin_scope.fails(
        "ScopeService/CreateScope", parent_id=world.root.meta.id, kind="SCOPE_KIND_UNIT",
        fields={"name": name})
    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "NAME_TAKEN")
    assert refusals(world, "CreateScope") == ["NAME_TAKEN", *before]
