"""Tests of what must hold of a history and of what it left in the database, on histories
made by hand, and of the nemesis. Run with pytest."""

import concurrent.futures
import hashlib
import pathlib
import random
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import invariants  # noqa: E402
import mix  # noqa: E402
import nemesis  # noqa: E402
import watcher  # noqa: E402
from cluster import Clock, children, faults_of  # noqa: E402
from evidence import Event, in_commit_order  # noqa: E402
from history import Fault, Op  # noqa: E402
from test_checker import UNIT, UNTIL, World, names  # noqa: E402
from wire import Answer  # noqa: E402


# --- invariants over a history -----------------------------------------------------

def op(key, invoke, complete, type_="ok", **values):
    return Op.made(key=key, actor="a1", rpc="RiskService/UpdateRisk", invoke=invoke,
                   complete=complete, type=type_, **values)


def event(key, order, version=2, done=True, **values):
    changes = [("risk", "r", version, {})] if done else []
    return Event.made(key=key, actor="a1", order=order, id=f"e{order}", done=done,
                      changes=values.pop("changes", changes), **values)


def test_an_acknowledged_write_that_is_not_there_is_lost():
    assert names(invariants.check_effects([op("k", 1, 2)], [])) == ["I1"]
    assert not invariants.check_effects([op("k", 1, 2)], [event("k", 1)])


def test_one_key_has_one_effect_and_a_refusal_none():
    twice = [event("k", 1), event("k", 2, 3)]
    assert names(invariants.check_effects([op("k", 1, 2)], twice)) == ["I10"]
    assert names(invariants.check_effects([op("k", 1, 2, "fail")], [event("k", 1)])) == ["I10"]
    assert not invariants.check_effects([op("k", 1, 2, "fail")], [])


def test_a_refusal_is_logged_once():
    refused = op("k", 1, 2, "fail", refusals=1)
    logged = event("k", 1, done=False, reason="NOT_ASSIGNEE")
    assert not invariants.check_effects([refused], [logged])
    assert names(invariants.check_effects([refused], [])) == ["I10"]
    assert names(invariants.check_effects([refused], [logged, logged])) == ["I10"]
    changing = event("k", 1, done=False, reason="NOT_ASSIGNEE", changes=[("risk", "r", 2, {})])
    assert names(invariants.check_effects([refused], [changing])) == ["I10"]


def test_the_log_keeps_the_order_of_real_time():
    ops = [op("k1", 1, 2), op("k2", 3, 4)]
    assert not invariants.check_real_time(ops, [event("k1", 1), event("k2", 2, 3)])
    assert names(invariants.check_real_time(ops, [event("k2", 1), event("k1", 2, 3)])) == ["I9"]
    together = [op("k1", 1, 5), op("k2", 3, 4)]
    assert not invariants.check_real_time(together, [event("k2", 1), event("k1", 2, 3)])


def test_a_stale_read_is_found():
    ops = [op("k1", 1, 2), op("k2", 3, 4),
           op("", 5, 6, entities=[["risk", "r", 2, 1]])]
    events = [event("k1", 1, 2), event("k2", 2, 3)]
    assert names(invariants.check_reads(ops, events)) == ["I9"]
    ops[2].invoke = 3
    assert not invariants.check_reads(ops, events)


def test_what_is_effective_after_its_end_is_found():
    read = op("", 0, 10**9, entities=[["risk_acceptance", "s", 2, 4]],
              result={"effective": True, "until": 100.0, "wall": 105.0})
    assert names(invariants.check_effective([read], [])) == ["I5"]
    assert not invariants.check_effective([read], [Fault("N7", 0, 10**10, "", -3600)])
    read.result["until"], read.complete = 105.5, 3 * 10**9  # over by the time of the answer
    assert not invariants.check_effective([read], [])


S = 10**9


def done(process, at, code="OK", **values):
    return Op.made(process=process, complete=at * S, code=code,
                   type="ok" if code == "OK" else values.pop("type", "fail"), **values)


def test_internal_is_found_whatever_became_of_the_write():
    settled = op("k", 1, 2, code="OK", internal=True)
    assert names(invariants.check_internal([settled])) == ["I14"]
    assert not invariants.check_internal([op("k", 1, 2, code="OK")])
    assert names(invariants.check_internal([op("k", 1, 2, "info", code="UNAVAILABLE")])) == ["I1"]
    told = op("", 1, 2, args={"id": "q"}, op="verify", result={"found": ["the digest"]})
    assert names(invariants.check_internal([told])) == ["I4"]


class Link:
    """Answers one after the other."""

    def __init__(self, *codes):
        self.codes = list(codes)

    def call(self, *_):
        return Answer(self.codes.pop(0))


def test_internal_is_kept_while_a_write_is_settled():
    unknown = op("k", 1, 2, "info", code="INTERNAL")
    mix.settle(unknown, Link("INTERNAL", "NOT_FOUND"), "token")
    assert (unknown.type, unknown.internal, unknown.settled) == ("fail", True, True)


def test_internal_is_kept_of_a_double_click():
    for one, two in (("INTERNAL", "UNAVAILABLE"), ("PERMISSION_DENIED", "INTERNAL")):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            client = types.SimpleNamespace(pool=pool, link=Link(one), other=lambda: Link(two))
            twice = op("k", 1, 2)
            mix.Client._twice(client, twice, "", None, types.SimpleNamespace(token=""))
        assert twice.internal


def test_a_server_that_does_not_end_well_is_found():
    assert not invariants.check_server(0, 0, [])
    for status, lines in ((None, []), (1, []), (0, ["code=INTERNAL"])):
        assert names(invariants.check_server(0, status, lines)) == ["I14"]


def test_nothing_is_a_child_of_what_is_not_there():
    assert children(0) == []


def test_a_server_s_log_tells_of_internal():
    log = ("level=error event=call_failed rpc=X code=INTERNAL reason=INTERNAL\n"
           "level=debug event=call_failed rpc=X code=NOT_FOUND reason=INTERNAL\n"
           "ERROR: LeakSanitizer: detected memory leaks\n")
    assert len(faults_of(log)) == 2


def test_a_worker_that_falls_by_itself_is_found():
    line = "level=error event=process_ended who=main pid=1 what=worker pid=7 how={} again_ms=100\n"
    for how in ("signal code=11", "signal code=6"):
        assert len(faults_of(line.format(how))) == 1
    assert len(faults_of(line.format("signal code=11"), {7})) == 1
    assert not faults_of(line.format("signal code=6"), {7})
    assert not faults_of(line.format("signal code=9") + line.format("status code=0"))


def test_the_database_s_clock_is_known_at_each_moment():
    faults = [Fault("N1", 1, 2), Fault("N7", 3, 5, "", 3600), Fault("N2", 6, 7),
              Fault("N3", 8, 9, "", 0)]
    assert invariants.shifts(faults) == [(0, 5, 0), (3, 9, 3600), (8, float("inf"), 0)]


def test_recovery_is_the_first_success_of_each_client():
    ops = [done(1, 5), done(2, 20), done(1, 30)]
    once = [Fault("N1", 0, 4 * S)]
    assert invariants.recoveries(ops, once, [1, 2], 40 * S) == ([1.0, 16.0], [])
    assert names(invariants.check_recovery(ops, once, [1, 2], 40 * S)) == ["I13"]
    twice = [*once, Fault("N2", 10 * S, 12 * S)]
    assert invariants.recoveries(ops, twice, [1, 2], 40 * S) == ([1.0, 8.0, 14.0, 18.0], [])


def test_recovery_goes_on_over_the_faults_that_follow():
    faults = [Fault("N1", 5 * n * S, (5 * n + 1) * S) for n in range(6)]
    ops = [done(1, at) for at in range(1, 40)] + [done(2, 31)]
    assert invariants.recoveries(ops, faults, [2], 40 * S)[0][-1] == 25.0
    assert names(invariants.check_recovery(ops, faults, [1, 2], 40 * S)) == ["I13"]
    assert not invariants.check_recovery(ops, faults, [1], 40 * S)


def test_a_client_that_never_comes_back_is_found():
    ops, faults = [done(1, 1), done(1, 6), done(2, 1)], [Fault("N1", 2 * S, 4 * S)]
    assert invariants.recoveries(ops, faults, [1, 2], 7 * S) == ([2.0], [3.0])
    assert names(invariants.check_recovery(ops, faults, [1, 2], 7 * S)) == ["I13"]


@pytest.mark.parametrize("code, type_, counts", [
    ("PERMISSION_DENIED", "fail", True), ("FAILED_PRECONDITION", "fail", True),
    ("UNAVAILABLE", "fail", False), ("CANCELLED", "fail", False), ("UNKNOWN", "fail", False),
    ("INTERNAL", "fail", False), ("ABORTED", "fail", False), ("INTERNAL", "info", False)])
def test_only_what_is_done_or_refused_by_law_is_a_success(code, type_, counts):
    assert invariants.succeeded(done(1, 5, code, type=type_)) is counts


def test_what_was_settled_afterwards_is_no_success_of_the_client():
    assert not invariants.succeeded(done(1, 5, settled=True))


def test_a_right_that_was_lost_before_the_call_is_the_worse_case():
    world = World()
    lost = world.revoke("a1")
    vote = world.vote("a1")
    ops = [op(lost, 1, 2), op(vote, 3, 4)]
    invariants.upgrade(world.model.found, ops)
    assert world.found() == {"I6"}


def test_commits_are_in_order_over_a_wrong_clock():
    rows = [(1, 100.0), (3, 102.0), (2, 101.0), (4, 3700.0), (5, 3701.0), (6, 103.0)]
    assert [r[0] for r in in_commit_order(sorted(rows))] == [1, 2, 3, 4, 5, 6]
    assert [r[0] for r in in_commit_order([(1, 5.0), (2, 4.0)])] == [2, 1]


def test_a_clock_is_written_as_libfaketime_reads_it(tmp_path):
    clock = Clock(tmp_path / "c.clock")
    assert clock.path.read_text() == "+0.000\n"
    clock.move(-0.2)
    assert clock.path.read_text() == "-0.200\n"
    clock.move(3600)
    assert clock.path.read_text() == "+3600.000\n"


def test_a_watcher_hears_all_once_and_in_order():
    assert not watcher.check(["a", "b"], ["a", "b"], ["a", "b"], "w")
    assert not watcher.check(["a", "b"], ["a"], ["a", "b", "c"], "w")
    for heard in (["a"], ["a", "b", "b"], ["b", "a"], ["a", "b", "c"]):
        assert names(watcher.check(heard, ["a", "b"], ["a", "b"], "w")) == ["WATCH"]


# --- what the database holds ---------------------------------------------------------

def held(world, **more):
    """The evidence that fits the log of a world."""
    request = {"id": "q", "version": 1, "state": "PENDING", "current_step": 1, "risk_id": "r",
               "subject_id": "s", "subject_kind": "ACCEPTANCE", "subject_version": 2,
               "risk_version": 1, "level": 1, "scope_id": UNIT, "requested_by_person": "W",
               "contributor_persons": ["W"], "snapshot_sha256": "\\xd1ge57"}
    acceptance = {"id": "s", "version": 2, "state": "SUBMITTED", "risk_id": "r",
                  "valid_until": UNTIL.replace("Z", "+00:00"), "rationale": ""}
    risk = {"id": "r", "version": 1, "state": "ANALYSED", "owner_id": "o1", "cause": "",
            "current_level": 0}
    tables = {"risk": {"r": risk}, "risk_acceptance": {"s": acceptance},
              "approval_request": {"q": request}}
    return types.SimpleNamespace(**{"tables": tables, "votes": {}, "scores": {}, "snapshots": {},
                                    "events": [], "outbox": {}, "histories": {}, **more})


def test_tables_that_are_the_fold_of_the_log_are_good():
    world = World()
    assert not invariants.check_tables(held(world), world.model, set())


@pytest.mark.parametrize("kind, entity, column, value", [
    ("risk", "r", "version", 2), ("risk", "r", "cause", "written by nobody"),
    ("risk", "r", "owner_id", "b1"), ("risk", "r", "current_level", 3),
    ("risk_acceptance", "s", "valid_until", "2031-01-01T00:00:00+00:00"),
    ("risk_acceptance", "s", "rationale", "x"), ("approval_request", "q", "level", 2),
    ("approval_request", "q", "contributor_persons", ["W", "B"])])
def test_a_value_that_the_log_does_not_tell_is_found(kind, entity, column, value):
    world = World()
    evidence = held(world)
    evidence.tables[kind][entity][column] = value
    assert names(invariants.check_tables(evidence, world.model, set())) == ["I7"]


def test_rows_of_the_tables_alone_and_of_the_log_alone_are_found():
    world = World()
    evidence = held(world)
    del evidence.tables["risk"]["r"]
    assert names(invariants.check_tables(evidence, world.model, set())) == ["I7"]
    evidence = held(world)
    evidence.tables["risk"]["r2"] = {"version": 1}
    assert names(invariants.check_tables(evidence, world.model, set())) == ["I7"]
    assert not invariants.check_tables(evidence, world.model, {"r2"})


def test_the_content_of_a_plan_is_compared():
    content = invariants.SCHEMA.message("isms.v1.PlanFields")(rationale="so that it is safe")
    content.target.likelihood, content.target.level = 2, 1
    content.due_at.FromJsonString("2030-01-01T00:00:00.5Z")
    content.actions.add(description="put it in place", control_id="c")
    row = {"version": 1, "option": "MITIGATE", "content": "\\x" + content.SerializeToString().hex()}
    told = {"option": "MITIGATE", "content.rationale": "so that it is safe",
            "content.target.likelihood": "2", "content.target.level": "LOW",
            "content.due_at": "2030-01-01T00:00:00.500Z",
            "content.actions": "{control_id: c, description: put it in place}"}
    columns = invariants.columns("treatment_plan", row)
    assert not invariants.differences("treatment_plan", columns, told, True)
    for name in told:
        wrong = invariants.differences("treatment_plan", columns, {**told, name: "other"}, True)
        assert len(wrong) == 1, name


def voted(**changes):
    """A world with one vote, and the evidence of it, changed."""
    world = World()
    world.vote("a1")
    row = {"id": "v", "request_id": "q", "step_no": 1, "voter_id": "a1", "voter_person": "A",
           "decision": "APPROVE", "snapshot_sha256": "\\xd1ge57", "on_behalf_person": None,
           "comment": "", **changes}
    evidence = held(world, votes={row["id"]: row})
    evidence.tables["approval_request"] = {}
    return evidence, world.model


def test_votes_are_those_of_the_log():
    assert not invariants.check_votes(*voted())
    for changes in ({"voter_id": "b1"}, {"decision": "REJECT"}, {"snapshot_sha256": "\\xother"},
                    {"step_no": 2}, {"comment": "x"}):
        assert names(invariants.check_votes(*voted(**changes))) == ["I7"], changes
    assert names(invariants.check_votes(*voted(id="v2"))) == ["I7", "I7"]


def test_two_votes_of_a_person_in_the_table_are_found():
    evidence, model = voted()
    evidence.votes["v2"] = {**evidence.votes["v"], "id": "v2", "voter_id": "a2"}
    assert "I2" in names(invariants.check_votes(evidence, model))


def test_a_snapshot_without_its_digest_is_found():
    evidence, model = voted()
    digest = hashlib.sha256(b"isms/decision/v1\0what").hexdigest()
    evidence.tables["approval_request"] = {"q": {"snapshot_sha256": "\\x" + digest}}
    evidence.snapshots["q"] = b"what"
    assert not invariants.check_votes(evidence, model)
    evidence.snapshots["q"] = b"else"
    assert names(invariants.check_votes(evidence, model)) == ["I4"]


def test_scores_are_those_of_the_log():
    world = World()
    world.event("b1", "RiskService/ScoreRisk", [("risk", "r", 2, {})], [
        ("risk_score", "x", 0, {"id": ("", "x"), "risk_id": ("", "r"), "kind": ("", "2"),
                                "score.impact": ("", "4"), "score.level": ("", "HIGH"),
                                "scored_by_persons": ("", "B")})])
    row = {"id": "x", "risk_id": "r", "kind": 2, "impact": 4, "level": 3,
           "scored_by_persons": ["B"]}
    assert not invariants.check_scores(held(world, scores={"x": row}), world.model)
    for change in ({"impact": 5}, {"level": 4}, {"scored_by_persons": ["A"]}):
        evidence = held(world, scores={"x": {**row, **change}})
        assert names(invariants.check_scores(evidence, world.model)) == ["I7"]
    assert names(invariants.check_scores(held(world), world.model)) == ["I7"]


def test_a_vote_with_another_digest_than_was_frozen_is_found():
    evidence = held(World())
    cast = Op.made(key="k", type="ok", rpc="ApprovalService/CastVote",
                   args={"requestId": "q", "digest": "d1ge57"})
    assert not invariants.check_digests([cast], evidence)
    cast.args["digest"] = "other"
    assert names(invariants.check_digests([cast], evidence)) == ["I4"]


def test_each_event_is_announced_and_each_version_kept():
    made = Event.made(id="e", key="k", changes=[("risk", "r", 1, {}),
                                                ("risk_acceptance", "s", 2, {})])
    told = [("risk", "r", 1), ("risk_acceptance", "s", 2)]
    row = {"risk": {"r": {"version": 1}}}

    def found(outbox, histories, events=(made,)):
        return names(invariants.check_records(types.SimpleNamespace(
            events=events, outbox=outbox, tables=row, histories=histories)))
    kept = {("risk", "r"): (1, 1)}
    assert not found({"e": told}, kept)
    for outbox in ({}, {"e": told[:1], "f": told}, {"e": [*told, told[0]]},
                   {"e": [*told, ("risk", "r", 2)]}):
        assert found(outbox, kept) == ["I10"], outbox
    assert found({"e": told}, {}) == ["I7"]
    assert found({"e": told}, {("risk", "r"): (2, 1)}) == ["I7"]


def test_an_event_that_nobody_called_for_is_found():
    called = event("k", 1)
    assert not invariants.check_keys([op("k", 1, 2)], [called])
    clock = Event.made(rpc="ClockService/AdvanceRequest")
    assert not invariants.check_keys([], [clock])
    other = event("k", 1)
    other.actor = "b1"
    unkeyed = Event.made(rpc="RiskService/UpdateRisk", actor="a1")
    for wrong in (event("k2", 1), event("k2", 1, done=False), other, unkeyed):
        assert names(invariants.check_keys([op("k", 1, 2)], [wrong])) == ["I10"]


def test_a_change_of_state_that_no_row_shows_is_found():
    made = Event.made(rpc="ApprovalService/CastVote", changes=[
        ("risk_acceptance", "s", 3, {"state": ("SUBMITTED", "ACTIVE")})])
    assert not invariants.check_moves([made])
    made.rpc = "AcceptanceService/UpdateAcceptance"
    assert names(invariants.check_moves([made])) == ["MOVE"]


def opened(count):
    return [Event.made(changes=[("approval_request", f"q{n}", 1, {"state": ("", "PENDING")})])
            for n in range(count)]


def test_a_run_on_few_requests_is_found():
    assert not invariants.check_live(opened(invariants.LIVE))
    assert names(invariants.check_live(opened(invariants.LIVE // 2))) == ["COVER"]
    closed = [Event.made(changes=[("approval_request", f"q{n}", 2, {
        "state": ("PENDING", "STALE")})]) for n in range(invariants.LIVE)]
    assert names(invariants.check_live(opened(invariants.LIVE) + closed)) == ["COVER"]


# --- the nemesis ---------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(20))
def test_each_kind_of_fault_comes_once_before_the_rest_by_weight(seed):
    deck = nemesis.Deck(nemesis.WEIGHTS, random.Random(seed))
    drawn = [deck.draw() for _ in deck.kinds]
    assert sorted(map(nemesis.kind, drawn)) == deck.kinds
    assert {deck.draw() for _ in range(1000)} == set(nemesis.WEIGHTS)


def test_a_fault_that_hit_nothing_comes_again():
    deck = nemesis.Deck(nemesis.WEIGHTS, random.Random(1))
    missed = deck.draw()
    deck.back(missed)
    assert missed in [deck.draw() for _ in deck.kinds]
    deck.back(missed)
    assert deck.draw() == missed


def test_a_kind_of_fault_that_never_came_is_found():
    deck = types.SimpleNamespace(kinds=["N1", "N7"], drawn=4)
    faults = [Fault("N1 kill worker", 0, 1)]
    assert names(invariants.check_cover(deck, faults)) == ["COVER"]
    assert not invariants.check_cover(deck, [*faults, Fault("N7 clock", 2, 3)])
    deck.drawn = 3
    assert not invariants.check_cover(deck, faults)
