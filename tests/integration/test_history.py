"""What was: the versions of each governed row, and the registers as of a past time."""

import datetime
import itertools
import re

import pytest

import history
from api import SCHEMA
from history import MICROSECOND, REGISTERS, SCOPED, Past, clock, moment, text, when
from story import KINDS, Story, accepted, edit, rename, treated
from world import soon, unique

ABSENT = "01900000-0000-7000-8000-000000000000"
GOT = [kind for kind in KINDS if REGISTERS[kind].get]
# their rows hold secrets
NOT_KEPT = {"app_user", "session", "invitation"}


@pytest.fixture(scope="module")
def story(world):
    return Story(world).tell()


@pytest.fixture(scope="module")
def past(world, story):
    return Past(world.auditor, story.ids)


# --- versions -----------------------------------------------------------------------------


def test_each_write_is_a_version_of_who_made_it(world):
    made = [world.risk(score=None)]
    made.append(rename(world, made[-1], by="analyst"))
    made.append(world.score(made[-1], 3, 4))
    kept = REGISTERS["risk"].versions(world.contributor, made[0].meta.id)
    assert kept == made[::-1]
    assert [r.meta.updated_by for r in kept] == [
        world.id("contributor"), world.id("analyst"), world.id("contributor")]


@pytest.mark.parametrize("kind", KINDS)
def test_versions_come_newest_first_in_pages(world, story, past, kind):
    register = REGISTERS[kind]
    for thing in story.ids[kind]:
        kept = past.kept[kind][thing]
        assert [v.meta.version for v in kept] == list(range(len(kept), 0, -1))
        if register.get:
            assert kept[0] == register.read(world.auditor, thing)
        for size in (1, 2, len(kept), 1000):
            assert register.versions(world.auditor, thing, size) == kept


def test_a_scope_has_versions(world):
    scope = world.scope(unique("scope"))
    named = edit(world, "manager", "ScopeService", "Scope", "scope", scope, boundary="the office")
    kept = world.manager.call("ScopeService/ListScopeVersions", id=scope.meta.id).versions
    assert list(kept) == [named, scope]


def test_an_approval_request_has_versions(world):
    made = world.acceptance(world.risk(score=(3, 4))).request
    first = world.vote("owner", made).request
    second = world.vote("officer", made).request
    for api in (world.contributor, world.owner, world.auditor):
        kept = api.call("ApprovalService/ListApprovalRequestVersions", id=made.meta.id).versions
        assert list(kept) == [second, first, made]
        assert [r.meta.updated_by for r in kept] == [
            world.id("officer"), world.id("owner"), world.id("contributor")]
    refused = world.colleague.fails("ApprovalService/ListApprovalRequestVersions", id=made.meta.id)
    assert refused.code == "NOT_FOUND"


def test_a_policy_has_versions(world):
    draft = world.policy(world.unit, submit=False)
    named = edit(world, "manager", "PolicyService", "Policy", "policy", draft,
                 title=unique("policy"))
    kept = world.auditor.call("PolicyService/ListPolicyVersions", id=draft.meta.id).versions
    assert list(kept) == [named, draft]


def test_a_token_of_versions_belongs_to_the_object(world, story):
    first, second = story.ids["risk"][1:3]
    token = world.auditor.call("RiskService/ListRiskVersions", id=first,
                               page_size=1).next_page_token
    refused = world.auditor.fails("RiskService/ListRiskVersions", id=second, page_size=1,
                                  page_token=token)
    assert refused.code == "INVALID_ARGUMENT" and "page_token" in refused.fields


# --- as of --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", GOT)
def test_an_object_is_the_version_of_then(world, story, past, kind):
    register = REGISTERS[kind]
    for thing in story.ids[kind]:
        for version in past.kept[kind][thing]:
            for at in (when(version), when(version) - MICROSECOND):
                was = past.row(kind, thing, at)
                if was is None:
                    refused = world.auditor.fails(register.get, id=thing, as_of=text(at))
                    assert refused.code == "NOT_FOUND"
                else:
                    assert register.read(world.auditor, thing, as_of=text(at)) == was


def test_a_version_shows_what_was_derived_when_it_was_made(world, past):
    for kind in KINDS:
        for thing, kept in past.kept[kind].items():
            for version in kept:
                assert past.row(kind, thing, when(version)) == version


@pytest.mark.parametrize("kind", KINDS)
def test_a_register_is_what_was_there_then(world, story, past, kind):
    """In each moment of the story, and just before it."""
    own = set(story.ids[kind])
    first = past.times()[0]
    for at in past.times():
        for t in (at, at - MICROSECOND):
            rows = [r for r in REGISTERS[kind].all(world.auditor, as_of=text(t))
                    if r.meta.id in own]
            assert rows == past.rows(kind, t), t
    assert not [r for r in REGISTERS[kind].all(world.auditor, as_of=text(first - MICROSECOND))
                if r.meta.id in own]


def risk_filters(world, story):
    unit = {"scope_id": story.unit.meta.id}
    for state, level, owner in itertools.product(
            range(0, 7), (0, 1, 3), (None, world.id("owner"), world.id("stranger"))):
        def keep(row, state=state, level=level, owner=owner):
            return ((not state or row.state == state) and row.current.level >= level
                    and (not owner or row.owner_id == owner))
        yield {**unit, "state": state, "min_level": level, "owner_id": owner or ""}, keep
    yield {**unit, "uncovered_only": True}, lambda row: row.uncovered


def test_risks_are_filtered_by_what_they_were(world, story, past):
    times = past.times()
    for at in times[::7] + times[-1:]:
        for fields, keep in risk_filters(world, story):
            rows = REGISTERS["risk"].all(world.auditor, as_of=text(at), **fields)
            assert rows == past.rows("risk", at, keep), (at, fields)


def test_policies_and_requests_are_filtered_by_what_they_were(world, story, past):
    unit = story.unit.meta.id
    own = set(story.ids["approval_policy"])
    times = past.times()
    for at in times[::9] + times[-1:]:
        for state in range(8):
            rows = REGISTERS["approval_policy"].all(world.auditor, as_of=text(at), state=state)
            assert [r for r in rows if r.meta.id in own] == past.rows(
                "approval_policy", at, lambda r: not state or r.state == state)
            rows = REGISTERS["approval_request"].all(world.auditor, as_of=text(at), state=state,
                                                     scope_id=unit)
            assert rows == past.rows("approval_request", at,
                                     lambda r: not state or r.state == state)


def test_grants_and_delegations_are_filtered_by_what_they_were(world, story, past):
    own = set(story.ids["delegation"])
    times = past.times()
    for at in times[::9] + times[-9:]:
        for user in ("owner", "ciso", "analyst"):
            rows = REGISTERS["role_grant"].all(world.auditor, as_of=text(at),
                                               user_id=world.id(user))
            assert [r for r in rows if r.meta.id in story.ids["role_grant"]] == past.rows(
                "role_grant", at, lambda r: r.user_id == world.id(user))
            for open_only in (False, True):
                rows = REGISTERS["delegation"].all(world.auditor, as_of=text(at),
                                                   user_id=world.id(user), open_only=open_only)
                assert [r for r in rows if r.meta.id in own] == past.rows(
                    "delegation", at, lambda r: world.id(user) in (r.from_user_id, r.to_user_id)
                    and not (open_only and r.state in (3, 4)))


def asked(world, request, at=None):
    """Votes and assignees of a request."""
    fields = {"as_of": text(at)} if at else {}
    reply = world.auditor.call("ApprovalService/GetApprovalRequest", id=request.meta.id, **fields)
    return ([v.voter_name for v in reply.votes],
            {a.display_name: a.state for a in reply.assignees}, reply)


def test_a_request_of_then_has_the_votes_of_then(world):
    pending, voted, recused, void = 1, 2, 3, 4
    made = world.acceptance(world.risk(score=(5, 5))).request
    moments = [when(made)]
    world.vote("owner", made)
    for name, decision, comment in (("ciso", "APPROVE", ""),
                                    ("committee_1", "RECUSE", "a relative of mine"),
                                    ("committee_2", "APPROVE", ""),
                                    ("committee_3", "APPROVE", "")):
        moments.append(when(world.request(made)))
        world.vote(name, made, decision, comment)
    moments.append(when(world.request(made)))
    names = ["owner", "ciso", "committee_1", "committee_2", "committee_3"]
    for n, at in enumerate(moments):
        votes, states, reply = asked(world, made, at)
        assert votes == names[:n]
        for i, name in enumerate(names):
            assert states[name] == (pending if i >= n else
                                    recused if name == "committee_1" else voted), (n, name)
        assert reply.request == next(
            v for v in REGISTERS["approval_request"].versions(world.auditor, made.meta.id)
            if when(v) <= at)
    assert asked(world, made, moments[-1]) == asked(world, made)
    assert world.auditor.fails("ApprovalService/GetApprovalRequest", id=made.meta.id, as_of=text(
        moments[0] - MICROSECOND)).code == "NOT_FOUND"
    refused = world.acceptance(world.risk(score=(3, 4))).request
    before = when(refused)
    world.vote("owner", refused, "REJECT", "treat it")
    assert asked(world, refused, before)[1]["officer"] == pending
    assert asked(world, refused)[1]["officer"] == void
    assert asked(world, refused, when(world.request(refused))) == asked(world, refused)


def test_the_catalogue_and_the_method_have_versions(world):
    for many, name in (("threats", "Threat"), ("vulnerabilities", "Vulnerability")):
        one = getattr(world.auditor.call("CatalogService/List" + (
            "Threats" if many == "threats" else "Vulnerabilities"), page_size=1), many)[0]
        kept = world.auditor.call(f"CatalogService/List{name}Versions", id=one.meta.id).versions
        assert kept[0] == one and [v.meta.version for v in kept] == list(
            range(one.meta.version, 0, -1))
    method = world.auditor.call("CatalogService/GetActiveMethod").method
    kept = world.auditor.call("CatalogService/ListMethodVersions", id=method.meta.id).versions
    assert kept[0] == method and len(kept) == method.meta.version


@pytest.mark.parametrize("kind,states", [("treatment_plan", 13), ("risk_acceptance", 11)])
def test_decisions_are_filtered_by_what_they_were(world, story, past, kind, states):
    times = past.times()
    for at, risk, state in itertools.product(times[::9] + times[-1:], story.ids["risk"],
                                             range(states)):
        rows = REGISTERS[kind].all(world.auditor, as_of=text(at), risk_id=risk, state=state)
        assert rows == past.rows(kind, at, lambda r: r.risk_id == risk
                                 and (not state or r.state == state)), (at, risk, state)


def test_assets_and_systems_are_filtered_by_what_they_were(world, story, past):
    system = story.system.meta.id
    seen = set()
    for at in past.times():
        rows = REGISTERS["asset"].all(world.auditor, as_of=text(at), ai_system_id=system)
        assert rows == past.rows("asset", at, lambda r: r.ai_system_id == system)
        seen.add(len(rows))
        rows = REGISTERS["asset"].all(world.auditor, as_of=text(at),
                                      category="ASSET_CATEGORY_MODEL")
        own = [r for r in rows if r.meta.id in story.ids["asset"]]
        assert own == past.rows("asset", at, lambda r: r.category == 2)
        rows = REGISTERS["ai_system"].all(world.auditor, as_of=text(at),
                                          scope_id=story.unit.meta.id)
        assert rows == past.rows("ai_system", at)
    assert seen == {0, 1}, "the asset came to the system and went"


def test_pages_of_the_past_stay_while_rows_change(world, server, story, past):
    at = clock(server)
    whole = REGISTERS["risk"].all(world.auditor, as_of=text(at), scope_id=story.unit.meta.id)
    fields = {"as_of": text(at), "scope_id": story.unit.meta.id, "page_size": 2}
    rows, token = REGISTERS["risk"].page(world.auditor, **fields)
    while token:
        world.risk(story.unit, score=None)
        last = world.auditor.call("RiskService/GetRisk", id=whole[-1].meta.id).risk
        rename(world, last)
        again, same = REGISTERS["risk"].page(world.auditor, page_token=token, **fields)
        more, token = REGISTERS["risk"].page(world.auditor, page_token=token, **fields)
        assert (again, same) == (more, token)
        rows += more
    assert rows == whole
    assert len(rows) == len(story.ids["risk"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_past_is_the_present(world, server, story, kind):
    """For all rows of all tests so far."""
    now = REGISTERS[kind].all(world.auditor)
    then = REGISTERS[kind].all(world.auditor, as_of=text(clock(server)))
    assert now and then == now
    assert REGISTERS[kind].all(world.auditor, size=7, as_of=text(clock(server))) == now


# --- times that were and are over ---------------------------------------------------------


def old(world, server, option=None, **fields):
    """A risk that was treated forty days ago."""
    risk = world.risk(score=(2, 3))
    ids = {kind: [] for kind in KINDS} | {"risk": [risk.meta.id]}
    if option:
        ids["treatment_plan"] = [treated(world, risk, option, **fields)]
    else:
        acceptance, plan = accepted(world, risk)
        ids["risk_acceptance"], ids["treatment_plan"] = [acceptance], [plan]
    history.backdate(server, 40, ids)
    return ids, Past(world.auditor, ids)


def dispositions(world, ids, days):
    """So many days ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return [world.auditor.call("RiskService/GetRisk", id=ids["risk"][0],
                               as_of=text(now - datetime.timedelta(days=d))).risk.disposition
            for d in days]


def test_an_acceptance_held_until_its_end(world, server):
    ids, past = old(world, server)
    acceptance = REGISTERS["risk_acceptance"].versions(
        world.auditor, ids["risk_acceptance"][0])
    assert acceptance[0].effective, "the version says what held when it was made"
    end = moment(acceptance[0].valid_until)
    assert dispositions(world, ids, (39, 21, 19, 1)) == [
        history.ACCEPTED, history.ACCEPTED, history.UNTREATED, history.UNTREATED]
    for at, holds in ((end - MICROSECOND, True), (end, False)):
        then = REGISTERS["risk_acceptance"].read(world.auditor, ids["risk_acceptance"][0],
                                                 as_of=text(at))
        assert then.effective == holds and then.state == history.ACTIVE
        risk = REGISTERS["risk"].read(world.auditor, ids["risk"][0], as_of=text(at))
        assert risk == past.row("risk", ids["risk"][0], at)
        assert risk.HasField("accepted_until") == holds


def test_an_acceptance_held_until_its_review_was_due(world, server):
    ids, _ = old(world, server)
    thing = ids["risk_acceptance"][0]
    begin = moment(REGISTERS["risk_acceptance"].read(world.auditor, thing).valid_from)
    due = begin + datetime.timedelta(days=5)
    history.review(server, thing, due)
    past = Past(world.auditor, ids)
    for at, holds in ((due - MICROSECOND, True), (due, False)):
        then = REGISTERS["risk_acceptance"].read(world.auditor, thing, as_of=text(at))
        risk = REGISTERS["risk"].read(world.auditor, ids["risk"][0], as_of=text(at))
        assert then.effective == holds == risk.HasField("accepted_until")
        assert then == past.row("risk_acceptance", thing, at)
        assert risk == past.row("risk", ids["risk"][0], at)


def test_a_transfer_held_until_it_lapsed(world, server):
    ids, past = old(world, server, "TRANSFER", transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "insurer",
        "valid_until": soon(20), "retained_duty": "tell customers"})
    assert dispositions(world, ids, (39, 21, 19, 1)) == [
        history.TRANSFERRED, history.TRANSFERRED, history.UNTREATED, history.UNTREATED]


def test_nothing_was_before_it_was_made(world, server):
    ids, past = old(world, server)
    ago = text(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=41))
    for kind in ("risk", "treatment_plan", "risk_acceptance"):
        assert world.auditor.fails(REGISTERS[kind].get, id=ids[kind][0],
                                   as_of=ago).code == "NOT_FOUND"
        assert ids[kind][0] not in {
            r.meta.id for r in REGISTERS[kind].all(world.auditor, as_of=ago)}


# --- who may read -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SCOPED)
def test_the_past_is_read_with_the_rights_of_today(world, server, story, other, kind):
    register, thing = REGISTERS[kind], story.ids[kind][0]
    at = text(clock(server))
    name = unique("late").replace(" ", "_")
    world.add(name)
    late = world.apis[name]
    absent = late.fails(register.get, id=ABSENT, as_of=at).raw
    for api in (late, world.stranger, other.auditor, world.admin):
        for method, fields in ((register.get, {"as_of": at}), (register.versions_of, {})):
            refused = api.fails(method, id=thing, **fields)
            assert refused.code == "NOT_FOUND" and refused.raw == absent
    assert late.fails(register.list, as_of=at).code == "PERMISSION_DENIED"
    assert not {r.meta.id for r in register.all(world.stranger, as_of=at)} & set(story.ids[kind])
    grant = world.grant(name, "AUDITOR", scope=story.unit.meta.id)
    assert register.read(late, thing, as_of=at) == register.read(world.auditor, thing, as_of=at)
    assert {r.meta.id for r in register.all(late, as_of=at)} >= set(story.ids[kind])
    assert {r.scope_id for r in register.all(late, as_of=at)} == {story.unit.meta.id}
    assert register.versions(late, thing) == register.versions(world.auditor, thing)
    world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="done")
    assert late.fails(register.get, id=thing, as_of=at).code == "NOT_FOUND"
    assert late.fails(register.versions_of, id=thing).code == "NOT_FOUND"


def test_delegator_and_delegate_read_what_a_delegation_was(world, server, story):
    register, thing = REGISTERS["delegation"], story.ids["delegation"][0]
    at = text(clock(server))
    for name in ("owner", "officer", "auditor"):
        api = world.apis[name]
        assert register.read(api, thing, as_of=at) == register.read(world.auditor, thing)
        assert register.versions(api, thing) == register.versions(world.auditor, thing)
        assert thing in {r.meta.id for r in register.all(api, as_of=at)}
    for api in (world.contributor, world.stranger):
        assert api.fails(register.get, id=thing, as_of=at).code == "NOT_FOUND"
        assert api.fails(register.versions_of, id=thing).code == "NOT_FOUND"


def test_a_requester_reads_what_the_own_requests_were(world, server, story):
    register, at = REGISTERS["approval_request"], text(clock(server))
    own = [r for r in register.all(world.auditor) if r.requested_by == world.id("contributor")]
    assert own and register.all(world.contributor, as_of=at) == own
    assert register.read(world.contributor, own[0].meta.id, as_of=at) == own[0]
    refused = world.colleague.fails(register.get, id=own[0].meta.id, as_of=at)
    assert refused.code == "NOT_FOUND"


# --- bad input ----------------------------------------------------------------------------

GETS_AND_LISTS = [(kind, "get") for kind in GOT] + [(kind, "list") for kind in KINDS]


@pytest.mark.parametrize("kind,method", GETS_AND_LISTS)
def test_what_is_no_past_time(world, server, story, kind, method):
    name = getattr(REGISTERS[kind], method)
    now = clock(server)
    for thing in (story.ids[kind][0], ABSENT):
        fields = {"id": thing} if method == "get" else {}
        for ahead in (60, 86400 * 365 * 100):
            refused = world.auditor.fails(
                name, as_of=text(now + datetime.timedelta(seconds=ahead)), **fields)
            assert refused.code == "INVALID_ARGUMENT" and list(refused.fields) == ["as_of"]
        for seconds, nanos in ((-62135596801, 0), (253402300800, 0), (0, -1), (0, 10**9),
                               (2**63 - 1, 0), (-2**63, 0)):
            message = world.auditor.request(name, **fields)
            message.as_of.seconds, message.as_of.nanos = seconds, nanos
            with pytest.raises(Exception) as refused:
                world.auditor.send(name, message)
            assert refused.value.code == "INVALID_ARGUMENT", refused.value
            assert list(refused.value.fields) == ["as_of"]
    fields = {"id": story.ids[kind][0]} if method == "get" else {}
    for long_ago in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2001-01-01T00:00:00Z"):
        if method == "get":
            assert world.auditor.fails(name, as_of=long_ago, **fields).code == "NOT_FOUND"
        else:
            assert not REGISTERS[kind].all(world.auditor, as_of=long_ago)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_goes_on_at_its_own_time_only(world, server, story, kind):
    register = REGISTERS[kind]
    if kind == "ai_system":
        world.system(story.unit)  # the story has one only
    first, second = clock(server), clock(server)
    _, token = register.page(world.auditor, page_size=1, as_of=text(first))
    assert token
    register.page(world.auditor, page_size=1, page_token=token, as_of=text(first))
    for fields in ({}, {"as_of": text(second)}):
        refused = world.auditor.fails(register.list, page_size=1, page_token=token, **fields)
        assert refused.code == "INVALID_ARGUMENT" and list(refused.fields) == ["page_token"]
    _, token = register.page(world.auditor, page_size=1)
    refused = world.auditor.fails(register.list, page_size=1, page_token=token, as_of=text(first))
    assert refused.code == "INVALID_ARGUMENT" and list(refused.fields) == ["page_token"]


@pytest.mark.parametrize("name", sorted(m for m in SCHEMA.methods if m.endswith("Versions")))
def test_versions_of_what_is_not_there(world, name):
    assert world.auditor.fails(name, id=ABSENT).code == "NOT_FOUND"
    for bad in ("", "x", ABSENT.upper() + "Z"):
        refused = world.auditor.fails(name, id=bad)
        assert refused.code == "INVALID_ARGUMENT" and list(refused.fields) == ["id"]


# --- what is kept -------------------------------------------------------------------------


@pytest.fixture
def db(server, story):
    with server.database() as connection:
        yield connection


def versioned(db):
    """Tables whose rows have versions."""
    return {row[0] for row in db.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'isms'::regnamespace"
        " AND c.relkind = 'r' AND 2 = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid"
        " AND a.attname IN ('version', 'updated_at'))")}


def test_every_table_with_versions_is_kept(db):
    kept = {row[0] for row in db.execute(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname = 'keep_history' AND t.tgenabled = 'O'")}
    assert kept == versioned(db) - NOT_KEPT
    assert NOT_KEPT < versioned(db)


def test_the_newest_version_is_the_row(db):
    for table in sorted(versioned(db) - NOT_KEPT):
        wrong = db.execute(
            f"SELECT t.id FROM {table} t LEFT JOIN LATERAL (SELECT h.* FROM row_history h"
            " WHERE h.org_id = t.org_id AND h.entity_kind = %s AND h.entity_id = t.id"
            " ORDER BY h.version DESC LIMIT 1) h ON true"
            " WHERE h.row_json IS DISTINCT FROM to_jsonb(t) OR h.version <> t.version"
            " OR h.at <> t.updated_at", (table,)).fetchall()
        assert not wrong, table
        assert not db.execute(
            f"SELECT 1 FROM row_history h WHERE entity_kind = %s AND NOT EXISTS ("
            f" SELECT 1 FROM {table} t WHERE t.org_id = h.org_id AND t.id = h.entity_id)",
            (table,)).fetchall(), table


def test_versions_are_dense_and_in_order(db):
    for kind, thing, first, n, last in db.execute(
            "SELECT entity_kind, entity_id, min(version), count(*), max(version)"
            " FROM row_history GROUP BY org_id, 1, 2"):
        assert (first, last) == (1, n), (kind, thing)
    assert not db.execute(
        "SELECT entity_kind, entity_id FROM (SELECT *, lag(at) OVER w AS before FROM row_history"
        " WINDOW w AS (PARTITION BY org_id, entity_kind, entity_id ORDER BY version)) h"
        " WHERE at < before OR (row_json ->> 'updated_at')::timestamptz <> at"
        " OR (row_json ->> 'version')::bigint <> version").fetchall()


def test_each_call_leaves_one_version_of_what_it_changed(world, db):
    """The rows that its audit event names as changed, and no others."""
    risk = world.risk(score=(2, 3))
    before = db.execute("SELECT coalesce(max(tx::text::bigint), 0) FROM row_history").fetchone()[0]

    def written():
        nonlocal before
        rows = db.execute(
            "SELECT entity_kind, entity_id::text, version, tx::text::bigint FROM row_history"
            " WHERE tx::text::bigint > %s", (before,)).fetchall()
        before = max([before, *(row[3] for row in rows)])
        assert len({row[3] for row in rows}) <= 1
        return sorted((kind, thing, version) for kind, thing, version, _ in rows)

    risk = rename(world, risk)
    assert written() == [("risk", risk.meta.id, risk.meta.version)]
    world.auditor.call("RiskService/GetRisk", id=risk.meta.id)
    world.contributor.call("RiskService/UpdateRisk", id=risk.meta.id, fields={"title": "unmade"},
                           update_mask="title", mutation={
                               "expected_version": risk.meta.version, "dry_run": True})
    world.contributor.fails("RiskService/UpdateRisk", id=risk.meta.id, fields={"title": "late"},
                            update_mask="title",
                            mutation={"expected_version": risk.meta.version - 1})
    assert written() == []
    message = world.contributor.request(
        "RiskService/UpdateRisk", id=risk.meta.id, fields={"title": "once"}, update_mask="title",
        mutation={"expected_version": risk.meta.version})
    for _ in range(3):
        world.contributor.send("RiskService/UpdateRisk", message)
    assert written() == [("risk", risk.meta.id, risk.meta.version + 1)]
    draft = world.acceptance(risk, submit=False)
    assert written() == sorted([("risk_acceptance", draft.meta.id, 1),
                                ("treatment_plan", draft.plan_id, 1)])
    submitted = world.contributor.call("AcceptanceService/SubmitAcceptance", id=draft.meta.id)
    request = submitted.request.meta.id
    assert {(k, i) for k, i, _ in written()} >= {("approval_request", request),
                                                 ("risk_acceptance", draft.meta.id)}
    world.vote("owner", submitted.request)
    assert {(k, i) for k, i, _ in written()} == {
        ("approval_request", request), ("risk_acceptance", draft.meta.id),
        ("treatment_plan", draft.plan_id), ("risk", risk.meta.id)}


def test_each_version_was_made_by_a_call(db, story):
    """Every version of what the story wrote stands beside an audit event of its
    transaction, and the version that an event names is kept."""
    made = {kind for kind in story.ids if kind != "control"}  # that is there from the start
    ids = [thing for kind in made for thing in story.ids[kind]]
    assert not db.execute(
        "SELECT h.entity_kind, h.entity_id, h.version FROM row_history h"
        " WHERE h.entity_id = ANY (%s::uuid[])"
        " AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.org_id = h.org_id AND e.tx = h.tx)",
        (ids,)).fetchall()
    assert not db.execute(
        "SELECT e.entity_kind, e.entity_id, e.entity_version FROM audit_event e"
        " WHERE e.entity_kind = ANY (%s) AND cardinality(e.changed_fields) > 0"
        " AND NOT EXISTS (SELECT 1 FROM row_history h WHERE h.org_id = e.org_id AND h.tx = e.tx"
        " AND h.entity_kind = e.entity_kind AND h.entity_id = e.entity_id"
        " AND h.version = e.entity_version)", (sorted(versioned(db) - NOT_KEPT),)).fetchall()


def test_no_secret_is_kept(db):
    columns = {row[0] for row in db.execute(
        "SELECT DISTINCT k FROM row_history, jsonb_object_keys(row_json) AS k")}
    assert not [c for c in columns if re.search("password|token|secret", c)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_stays_where_it_is(kind):
    """The lists of the past look at today's row for what never changes."""
    changed = history.statements()[kind + "_update"].split("SET", 1)[1].split("WHERE")[0]
    assert "version =" in changed
    fixed = "org_id|id|created_at|scope_id|risk_id|category|option|subject_kind|user_id"
    fixed += "|from_user_id|to_user_id|code" + ("|requested_by" * (kind == "approval_request"))
    assert not re.search(rf"\b({fixed}) =", changed)
