"""A change of something that hundreds of decisions rest on: all of them end in the
transaction of the change, or the change is refused and says why.

ISMS_MASS_RISKS changes the size (300)."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api import Api, Failure
from server import Server
from test_acceptance_terms import accept, fresh_control, name_of, read, reclassify, state, submit
from test_concurrency import together, vote_message
from test_treatment import stage
from watching import Stream
from world import first_world

RISKS = int(os.environ.get("ISMS_MASS_RISKS", "300"))
RISKS_MAX = 1000  # material_change.h
ROUNDS = 6
PATIENCE = 120  # of one call, on a machine that does much else

# Copies of a risk with an acceptance in force: as many people would make them, with
# histories, links and refs of their own.
COPIES = (
    "CREATE TEMP TABLE copies AS SELECT i, uuid_v7(now()) AS risk, uuid_v7(now()) AS plan,"
    " uuid_v7(now()) AS acceptance FROM generate_series(1, %(n)s) AS i",
    "INSERT INTO risk SELECT (jsonb_populate_record(r, jsonb_build_object('id', n.risk,"
    " 'ref', 'RSK-' || n.risk))).* FROM copies n, risk r WHERE r.id = %(risk)s",
    "INSERT INTO treatment_plan SELECT (jsonb_populate_record(p, jsonb_build_object("
    "'id', n.plan, 'risk_id', n.risk, 'ref', 'PLN-' || n.risk))).* FROM copies n,"
    " treatment_plan p JOIN risk_acceptance c ON p.id = c.plan_id WHERE c.id = %(acceptance)s",
    "INSERT INTO risk_acceptance SELECT (jsonb_populate_record(c, jsonb_build_object("
    "'id', n.acceptance, 'risk_id', n.risk, 'plan_id', n.plan, 'ref', 'ACC-' || n.risk))).*"
    " FROM copies n, risk_acceptance c WHERE c.id = %(acceptance)s")

# The rows of the decisions on these risks, as (kind, id, version, state).
ROWS = ("SELECT 'risk', id, version, state FROM risk WHERE id = ANY (%(risks)s::uuid[])"
        " UNION ALL SELECT 'treatment_plan', id, version, state FROM treatment_plan"
        " WHERE risk_id = ANY (%(risks)s::uuid[])"
        " UNION ALL SELECT 'risk_acceptance', id, version, state FROM risk_acceptance"
        " WHERE risk_id = ANY (%(risks)s::uuid[])"
        " UNION ALL SELECT 'approval_request', id, version, state FROM approval_request"
        " WHERE risk_id = ANY (%(risks)s::uuid[]) AND state = 'STALE'")


@pytest.fixture(scope="module")
def server():
    """Its own: so many risks are in the way of others."""
    server = Server(None, "--workers", "2").start()
    try:
        yield server
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


@pytest.fixture(scope="module")
def world(server):
    return first_world(server)


class Crowd:
    """n accepted risks that rest on the same thing; on some, renewals wait for a vote."""

    def __init__(self, world, server, n, renewals=0, controls=(), **fields):
        self.server = server
        first, acceptance = accept(world, controls=controls, **fields)
        others = [accept(world, controls=controls, **fields)[0] for _ in range(renewals)]
        self.renewals = [submit(world, risk, 25, controls) for risk in others]
        self.risks = [risk.meta.id for risk in (first, *others)]
        with server.database() as db:
            for statement in COPIES:
                db.execute(statement, {"n": n - len(self.risks), "risk": first.meta.id,
                                       "acceptance": acceptance.meta.id})
            self.risks += [str(i) for i, in db.execute("SELECT risk FROM copies")]
            db.execute("DROP TABLE copies")
        assert len(self.risks) == n == self.effective()

    def rows(self):
        with self.server.database() as db:
            return {(kind, str(i)): (version, at) for kind, i, version, at in
                    db.execute(ROWS, {"risks": self.risks})}

    def effective(self):
        with self.server.database() as db:
            return db.execute("SELECT count(*) FROM risk_acceptance_now WHERE effective"
                              " AND risk_id = ANY (%s::uuid[])", (self.risks,)).fetchone()[0]


def control_of(world):
    """One that works and that no other test counts on."""
    made = fresh_control(world)
    return next(c for c in world.manager.call("CatalogService/ListControls",
                                              page_size=1000).controls if c.meta.id == made)


def degrade(world, control, to="DEGRADED"):
    now = next(c for c in world.manager.call("CatalogService/ListControls",
                                             page_size=1000).controls
               if c.meta.id == control.meta.id)
    return world.manager.call("CatalogService/UpdateControl", timeout=PATIENCE,
                              id=control.meta.id, state=f"CONTROL_STATE_{to}",
                              mutation={"expected_version": now.meta.version})


def suspend(world, system):
    now = world.manager.call("ScopeService/GetAiSystem", id=system.meta.id).ai_system
    return world.manager.call("ScopeService/UpdateAiSystem", timeout=PATIENCE,
                              id=system.meta.id, update_mask="stage",
                              mutation={"expected_version": now.meta.version},
                              fields={"stage": "AI_SYSTEM_STAGE_SUSPENDED"})


def check_recorded(server, before, after, subject):
    """Each row that changed has its version in the history, its part of the one audit
    event, and its announcement, all of the same transaction."""
    changed = {(kind, i, after[kind, i][0]) for kind, i in after
               if before.get((kind, i)) != after[kind, i]}
    with server.database() as db:
        event, tx = db.execute("SELECT id, tx FROM audit_event WHERE entity_id = %s"
                               " ORDER BY seq DESC LIMIT 1", (subject,)).fetchone()
        told = {(kind, str(i), version) for kind, i, version in db.execute(
            "SELECT entity_kind, entity_id, entity_version FROM outbox"
            " WHERE audit_event_id = %s AND tx = %s AND entity_id <> %s", (event, tx, subject))}
        kept = {(kind, str(i), version) for kind, i, version in db.execute(
            "SELECT entity_kind, entity_id, version FROM row_history"
            " WHERE tx = %s AND entity_id <> %s", (tx, subject))}
    assert told == changed and kept >= changed
    return event, changed


def check_audited(world, event, subject, changed):
    page = world.auditor.call("AuditLogService/ListAuditEvents", entity_id=subject, page_size=1)
    assert page.events[0].event.id == str(event)
    assert {(c.entity_kind, c.entity_id, c.entity_version)
            for c in page.events[0].event.changes if c.entity_id != subject} == changed


def check_ended(world, server, crowd, before, subject):
    after = crowd.rows()
    assert crowd.effective() == 0
    ended = [at for (kind, _), (_, at) in after.items() if kind == "risk_acceptance"]
    assert ended.count("INVALIDATED") == len(crowd.risks)
    assert set(ended) <= {"INVALIDATED", "DRAFT"}
    assert {at for (kind, _), (_, at) in after.items() if kind == "risk"} == {"ANALYSED"}
    event, changed = check_recorded(server, before, after, subject)
    check_audited(world, event, subject, changed)
    return changed


def timed(what, risks, change):
    begin = time.monotonic()
    change()
    print(f"\n{what} with {risks} accepted risks: {time.monotonic() - begin:.2f} s")


def test_a_control_that_fails_ends_all_that_count_on_it(world, server):
    control = control_of(world)
    crowd = Crowd(world, server, RISKS, renewals=3, controls=[control.meta.id])
    before = crowd.rows()
    timed("a control failed", RISKS, lambda: degrade(world, control))
    changed = check_ended(world, server, crowd, before, control.meta.id)
    assert len(changed) >= 3 * RISKS
    for made in crowd.renewals:
        assert name_of("ApprovalState", world.request(made.request).state) == "STALE"
        assert state(read(world, made.acceptance)) == "DRAFT"


def test_a_system_that_is_suspended_ends_all_decisions_on_its_risks(world, server):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED", "DEPLOYED")
    crowd = Crowd(world, server, RISKS, ai_system_id=system.meta.id)
    before = crowd.rows()
    timed("a system was suspended", RISKS, lambda: suspend(world, system))
    check_ended(world, server, crowd, before, system.meta.id)


def test_those_who_watch_hear_of_each(world, server):
    control = control_of(world)
    crowd = Crowd(world, server, RISKS, controls=[control.meta.id])
    with Stream(world.auditor, kinds=["risk_acceptance"]) as stream:
        degrade(world, control)
        stream.until(lambda s: len(s.events) >= RISKS, PATIENCE)
    assert len({e.entity_id for e in stream.events}) == len(stream.events) == RISKS
    assert {e.topic for e in stream.events} == {"CatalogService/UpdateControl"}
    assert len({e.audit_event_id for e in stream.events}) == 1 and crowd.effective() == 0


def test_a_vote_wins_or_loses_but_is_never_left_in_force(world, server):
    """The last vote for a renewal that counts on the control, at the moment it fails."""
    won = 0
    for at in range(ROUNDS):
        control = control_of(world)
        crowd = Crowd(world, server, 40, renewals=3, controls=[control.meta.id])
        voters = [Api(server.channel(), world.owner.token) for _ in crowd.renewals]
        messages = [vote_message(world, "owner", made.request, 1) for made in crowd.renewals]

        def cast(voter, message, wait):
            time.sleep(wait)
            return voter.send("ApprovalService/CastVote", message, PATIENCE)

        results = together([lambda control=control: degrade(world, control)] + [
            lambda v=v, m=m, i=i: cast(v, m, 0.01 * at * (i + 1))
            for i, (v, m) in enumerate(zip(voters, messages))])
        assert not isinstance(results[0], Failure), results[0]
        assert crowd.effective() == 0, results
        for made, vote in zip(crowd.renewals, results[1:]):
            renewal, request = read(world, made.acceptance), world.request(made.request)
            if isinstance(vote, Failure):
                assert vote.reason in ("STALE", "CLOSED", "CONTENTION", "CONTROL_FAILED"), vote
                assert state(renewal) == "DRAFT"
                assert name_of("ApprovalState", request.state) == "STALE"
            else:
                won += 1
                assert state(renewal) == "INVALIDATED"
                assert name_of("ApprovalState", request.state) == "APPROVED"
    print(f"\n{won} of {3 * ROUNDS} votes came before the change")


def while_it_changes(server, table, thing, change, meanwhile):
    """Lets a change read its facts and wait at its commit for the row that it changes;
    then something else happens; then it goes on."""
    with ThreadPoolExecutor() as pool:
        with server.database() as db, db.transaction():
            db.execute(f"SELECT FROM {table} WHERE id = %s FOR SHARE", (thing.meta.id,))
            changing = pool.submit(change)
            time.sleep(1)
            assert not changing.done(), "the change did not wait for its row"
            made = meanwhile()
        changing.result()
    return made


@pytest.mark.parametrize("of", ["control", "system", "asset"])
def test_what_is_submitted_while_it_changes_ends_too(world, server, of):
    """Not among what the change had read: another risk, whose request opens later."""
    control, controls, fields = control_of(world), (), {}
    if of == "control":
        thing, table, controls = control, "control", [control.meta.id]
        change = lambda: degrade(world, thing)
    elif of == "system":
        thing, table = world.system(world.unit), "ai_system"
        stage(world, thing, "EVALUATING", "APPROVED", "DEPLOYED")
        fields, change = {"ai_system_id": thing.meta.id}, lambda: suspend(world, thing)
    else:
        thing, table = world.asset(world.unit), "asset"
        fields, change = {"asset_ids": [thing.meta.id]}, lambda: reclassify(world, thing)
    risk = world.risk(score=(1, 2), **fields)
    made = while_it_changes(server, table, thing, change, lambda: submit(world, risk, 20, controls))
    assert name_of("ApprovalState", world.request(made.request).state) == "STALE"
    assert state(read(world, made.acceptance)) == "DRAFT"


def test_what_no_call_can_end_is_refused_and_says_what_to_do(world, server):
    control = control_of(world)
    crowd = Crowd(world, server, RISKS_MAX + 1, controls=[control.meta.id])
    before = crowd.rows()
    with pytest.raises(Failure) as caught:
        degrade(world, control)
    assert caught.value.reason == "TOO_MANY_AFFECTED"
    assert "1000 risks" in caught.value.message and "revoke" in caught.value.message
    assert crowd.rows() == before and crowd.effective() == RISKS_MAX + 1
    one = next(i for kind, i in before if kind == "risk_acceptance")
    world.owner.call("AcceptanceService/RevokeAcceptance", id=one, reason="one too many")
    timed("a control failed", RISKS_MAX, lambda: degrade(world, control))
    assert crowd.effective() == 0
