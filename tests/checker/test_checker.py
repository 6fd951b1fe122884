"""The checker's own tests: its model and invariants on histories made by hand, good ones
and bad ones. Run with pytest."""

import concurrent.futures
import pathlib
import random
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import invariants  # noqa: E402
import linear  # noqa: E402
import mix  # noqa: E402
import nemesis  # noqa: E402
import watcher  # noqa: E402
from cluster import Clock, children, faults_of  # noqa: E402
from evidence import Event, in_commit_order  # noqa: E402
from history import Fault, Op  # noqa: E402
from linear import Seen  # noqa: E402
from model import Model, same, seconds  # noqa: E402
from wire import Answer  # noqa: E402

ROOT, UNIT = "root", "unit"
PEOPLE = {"a1": "A", "a2": "A", "b1": "B", "c1": "C", "d1": "D", "w1": "W", "w2": "W", "o1": "O"}
UNTIL = "2030-01-01T00:00:00Z"
NOW = 1_800_000_000.0


def step(mode=2, quorum=2, selector=2, role="RISK_COMMITTEE", distinct=False, escalate=""):
    mode = {"any": 1, "all": 2, "quorum": 3}.get(mode, mode)
    return types.SimpleNamespace(mode=mode, quorum=quorum, selector=selector, role_code=role,
                                 distinct_from_prior=distinct, escalate_to_role=escalate,
                                 allow_delegate=True, step_no=1)


class World:
    """A model with one risk, one acceptance and one request, and its own log."""

    def __init__(self, steps=None, assignees=None, level="LOW"):
        self.steps = {"q": steps or [step("quorum")]}
        grants = {f"g-{user}": (user, "RISK_COMMITTEE", ROOT, 4)
                  for user in ("a1", "a2", "b1", "c1", "d1", "w2")}
        grants["g-o1"] = ("o1", "RISK_OWNER", UNIT, 4)
        self.model = Model(PEOPLE, {ROOT: {ROOT}, UNIT: {UNIT, ROOT}}, grants, self.steps,
                           assignees or {})
        self.n, self.request_version = 0, 0
        self.event("w1", "RiskService/CreateRisk", [
            ("risk", "r", 1, {"state": ("", "ANALYSED"), "owner_id": ("", "o1")})])
        self.event("w1", "AcceptanceService/CreateAcceptance", [
            ("risk_acceptance", "s", 1, {"state": ("", "DRAFT"), "risk_id": ("", "r"),
                                         "valid_until": ("", UNTIL)})])
        self.event("w1", "AcceptanceService/SubmitAcceptance", [
            ("risk_acceptance", "s", 2, {"state": ("DRAFT", "SUBMITTED")}),
            ("approval_request", "q", 1, {
                "state": ("", "PENDING"), "current_step": ("", "1"), "risk_id": ("", "r"),
                "subject_id": ("", "s"), "subject_kind": ("", "ACCEPTANCE"),
                "subject_version": ("", "2"), "risk_version": ("", "1"), "level": ("", level),
                "scope_id": ("", UNIT), "requested_by_person": ("", "W"),
                "contributor_persons": ("", "W"), "snapshot_sha256": ("", "d1ge57")})])

    def event(self, actor, rpc, changes=(), records=(), **values):
        self.n += 1
        self.model.take(Event.made(order=self.n, at=NOW + self.n, actor=actor, rpc=rpc,
                                   key=f"k{self.n}", changes=list(changes),
                                   records=list(records), **values))
        return f"k{self.n}"

    def vote(self, user, number=1, moves=None, decision="APPROVE", digest="d1ge57", extra=(),
             person=None):
        version = self.model.rows[("approval_request", "q")]["version"] + 1
        fields = {"id": "v", "request_id": "q", "step_no": str(number), "voter_id": user,
                  "voter_person": person or PEOPLE[user], "decision": decision,
                  "snapshot_sha256": digest}
        return self.event(user, "ApprovalService/CastVote",
                          [("approval_request", "q", version, moves or {}), *extra],
                          [("approval_vote", "v", 0, {k: ("", v) for k, v in fields.items()})])

    def approve(self, user, number=1, **values):
        """The last vote: the request is approved and the acceptance in force."""
        return self.vote(user, number, {"state": ("PENDING", "APPROVED"),
                                        "current_step": (str(number), "")},
                         extra=[("risk_acceptance", "s", 3, {"state": ("SUBMITTED", "ACTIVE")})],
                         **values)

    def revoke(self, user, grant=None):
        grant = grant or f"g-{user}"
        version = self.model.rows.get(("role_grant", grant), {"version": 1})["version"] + 1
        return self.event("admin", "DirectoryService/RevokeGrant", [
            ("role_grant", grant, version, {"revoked_at": ("", "2029-01-01T00:00:00Z")})])

    def found(self):
        return {v.invariant for v in self.model.found}


# --- the model -------------------------------------------------------------------

def test_a_good_decision_is_good():
    world = World()
    world.vote("a1")
    world.approve("b1")
    assert not world.model.found, world.model.found


def test_two_accounts_of_a_person_are_one():
    world = World()
    world.vote("a1")
    world.approve("a2")
    assert "I2" in world.found()


def test_the_one_who_asked_does_not_vote_by_another_account():
    world = World()
    world.vote("w2")
    assert world.found() == {"I3"}


def test_who_scored_the_risk_is_a_contributor():
    world = World.__new__(World)
    World.__init__(world)
    world.model.rows[("approval_request", "q")]["true_contributors"] = {"B"}
    world.vote("b1")
    assert world.found() == {"I3"}


def test_who_edits_the_risk_writes_nothing_in_what_that_sends_back():
    world = World()
    world.event("b1", "RiskService/UpdateRisk", [
        ("risk", "r", 2, {"title": ("", "x")}),
        ("risk_acceptance", "s", 2, {"state": ("SUBMITTED", "DRAFT")})])
    assert "B" not in world.model.authors.get("s", set())


def test_a_contributor_who_is_not_named_is_found():
    world = World()
    world.event("b1", "RiskService/ScoreRisk", [("risk", "r", 2, {})], [
        ("risk_score", "x", 0, {"risk_id": ("", "r"), "kind": ("", "2"),
                                "scored_by_persons": ("", "B")})])
    world.event("w1", "AcceptanceService/SubmitAcceptance", [
        ("approval_request", "q2", 1, {
            "state": ("", "PENDING"), "subject_id": ("", "s"), "risk_id": ("", "r"),
            "contributor_persons": ("", "W"), "scope_id": ("", UNIT)})])
    assert world.found() == {"I3"}


def test_a_revoked_right_does_not_vote():
    world = World()
    world.revoke("a1")
    world.vote("a1")
    assert world.found() == {"I5"}


def test_a_vote_whose_right_is_lost_does_not_count_at_the_end():
    world = World()
    world.vote("a1")
    world.revoke("a1")
    world.approve("b1")
    assert world.found() == {"I5"}


def test_a_right_that_is_given_back_does_not_count_for_what_was_open():
    world = World()
    world.revoke("a1")
    world.event("admin", "DirectoryService/GrantRole", [("role_grant", "g2", 1, {
        "user_id": ("", "a1"), "role_code": ("", "RISK_COMMITTEE"), "scope_id": ("", ROOT),
        "max_accept_level": ("", "CRITICAL"), "valid_from": ("", "2020-01-01T00:00:00Z")})])
    world.vote("a1")
    world.approve("b1")
    assert world.found() == {"I5"}


def test_a_right_in_another_unit_does_not_vote():
    world = World([step("any", role="RISK_OWNER")])
    world.model.grants["g-o1"][2] = ROOT + "-elsewhere"
    world.approve("o1")
    assert "I5" in world.found()


def test_the_level_is_that_of_the_role_that_was_asked():
    world = World([step("any", selector=1)], level="HIGH")
    world.model.grants["g-o1"][3] = 1
    world.model._add_grant("g-more", "o1", "APPROVER", UNIT, 4, 0.0, None, 0.0)
    world.approve("o1")
    assert world.found() == {"I5"}


def test_an_approval_below_the_threshold_is_found():
    world = World()
    world.approve("a1")
    assert world.found() == {"I2"}


def test_all_means_every_person_who_is_asked():
    asked = {("q", 1): [("a1", "A", False), ("a2", "A", False), ("b1", "B", False),
                        ("c1", "C", False), ("d1", "D", True)]}
    world = World([step("all")], asked)
    world.vote("a1")
    world.approve("b1")
    assert world.found() == {"I2"}
    world = World([step("all")], asked)
    world.vote("a1")
    world.vote("b1")
    world.approve("c1")
    assert not world.model.found


def test_who_is_asked_by_escalation_decides_by_that_role_alone():
    seats = {("q", 1): [("o1", "O", False), ("a1", "A", True)]}
    steps = [step("any", selector=1, escalate="RISK_COMMITTEE")]
    world = World(steps, seats)
    world.approve("a1")
    assert not world.model.found
    world = World(steps, {("q", 1): [("o1", "O", False)]})
    world.approve("a1")
    assert "I5" in world.found()


def delegated(world, giver, taker, voter, **changes):
    """A vote of voter for giver, by a delegation from giver to taker."""
    given = {"from_user_id": giver, "to_user_id": taker, "scope_id": ROOT, "max_level": "CRITICAL",
             "subject_kinds": "ACCEPTANCE, TREATMENT_PLAN", "starts_at": "2020-01-01T00:00:00Z",
             "ends_at": "2030-01-01T00:00:00Z", **changes}
    world.event(giver, "DelegationService/CreateDelegation", [
        ("delegation", "g", 1, {k: ("", v) for k, v in given.items()})])
    world.model.rows[("delegation", "g")]["made_at"] = changes.get("made_at", NOW - 100)
    fields = {"id": "v", "request_id": "q", "step_no": "1", "voter_id": voter,
              "voter_person": PEOPLE[voter], "on_behalf_of": giver, "delegation_id": "g",
              "on_behalf_person": PEOPLE[giver], "decision": "APPROVE",
              "snapshot_sha256": "d1ge57"}
    world.event(voter, "ApprovalService/CastVote", [("approval_request", "q", 2, {})],
                [("approval_vote", "v", 0, {k: ("", v) for k, v in fields.items()})])
    return world


def test_a_delegate_votes_once_for_one_who_was_asked():
    asked = {("q", 1): [("a1", "A", False), ("b1", "B", False)]}
    world = delegated(World(None, asked), "a1", "d1", "d1")
    assert not world.model.found, world.model.found
    world.vote("a2")
    assert "I2" in world.found()
    world = delegated(World(None, asked), "a1", "d1", "d1")
    world.vote("d1")
    assert "I2" in world.found()


@pytest.mark.parametrize("changes", [
    {"taker": "c1"},                                  # handed on
    {"giver": "c1"},                                  # who was not asked
    {"taker": "w1", "voter": "w1"},                   # the one who asked for the decision
    {"ends_at": "2020-01-02T00:00:00Z"},              # over
    {"starts_at": "2029-12-31T00:00:00Z"},            # not begun
    {"scope_id": "elsewhere"}, {"max_level": ""}, {"subject_kinds": "TREATMENT_PLAN"},
    {"made_at": NOW + 1000}, {"revoked_at": "2026-01-01T00:00:00Z"},
])
def test_a_delegation_gives_no_more_than_was_given(changes):
    asked = {("q", 1): [("a1", "A", False), ("b1", "B", False)]}
    who = {"giver": "a1", "taker": "d1", "voter": "d1",
           **{k: v for k, v in changes.items() if k in ("giver", "taker", "voter")}}
    more = {k: v for k, v in changes.items() if k not in who}
    assert "I3" in delegated(World(None, asked), **who, **more).found()


def test_a_request_whose_quorum_is_met_is_not_left_open():
    world = World()
    world.vote("a1")
    world.vote("b1")
    assert world.found() == {"STUCK"}


def test_a_vote_on_what_has_changed_is_found():
    world = World()
    world.event("w1", "RiskService/UpdateRisk", [("risk", "r", 2, {"title": ("", "x")})])
    world.vote("a1")
    assert world.found() == {"I4"}


def test_a_vote_with_another_digest_is_found():
    world = World()
    world.vote("a1", digest="other")
    assert world.found() == {"I4"}


def test_a_vote_on_a_closed_request_is_found():
    world = World([step("any")])
    world.approve("a1")
    world.vote("b1", moves={"state": ("APPROVED", "REJECTED")}, decision="REJECT")
    assert "I2" in world.found()


def test_a_vote_on_a_step_that_is_not_open_is_found():
    world = World([step("any"), step("any")])
    world.vote("a1", 2)
    assert "I11" in world.found()


def test_distinct_steps_want_distinct_people():
    world = World([step("any"), step("any", distinct=True)])
    world.vote("a1", 1, {"current_step": ("1", "2")})
    world.approve("a2", 2)
    assert world.found() == {"I3"}


def test_a_critical_risk_needs_three_people():
    world = World([step("quorum", 2)], level="CRITICAL")
    world.vote("a1")
    world.approve("b1")
    assert world.found() == {"I3"}


def test_an_acceptance_that_has_run_out_is_not_activated():
    world = World([step("any")])
    world.model.rows[("risk_acceptance", "s")]["valid_until"] = "2020-01-01T00:00:00Z"
    world.approve("a1")
    assert world.found() == {"I5"}


def test_two_acceptances_in_force_are_found_and_a_successor_is_not():
    world = World([step("any")])
    world.approve("a1")
    older = ("risk_acceptance", "s", 4, {"state": ("ACTIVE", "SUPERSEDED")})
    newer = ("risk_acceptance", "t", 1, {"state": ("", "ACTIVE"), "risk_id": ("", "r"),
                                         "valid_until": ("", UNTIL)})
    world.event("b1", "ApprovalService/CastVote", [newer, older])
    assert not world.model.found
    world.event("b1", "ApprovalService/CastVote", [
        ("risk_acceptance", "u", 1, newer[3])])
    assert world.found() == {"I2"}


def test_in_force_without_a_vote_is_found():
    world = World()
    world.event("o1", "AcceptanceService/UpdateAcceptance", [
        ("risk_acceptance", "s", 3, {"state": ("SUBMITTED", "ACTIVE")})])
    assert world.found() == {"I2"}


@pytest.mark.parametrize("version, fields", [
    (3, {"title": ("old", "new")}),      # a version without a writer
    (1, {"title": ("old", "new")}),      # two writers of one version
    (2, {"owner_id": ("nobody", "x")}),  # another value before than was written
])
def test_lost_edits_are_found(version, fields):
    world = World()
    world.event("w1", "RiskService/UpdateRisk", [("risk", "r", version, fields)])
    assert world.found() == {"I7"}


def test_values_of_the_log():
    assert same("", "false") and same("0", "") and not same("1", "")
    assert seconds("1970-01-01T00:00:01.5Z") == 1.5 and seconds("") is None


# --- invariants over a history -----------------------------------------------------

def op(key, invoke, complete, type_="ok", **values):
    return Op.made(key=key, actor="a1", rpc="RiskService/UpdateRisk", invoke=invoke,
                   complete=complete, type=type_, **values)


def event(key, order, version=2, done=True, **values):
    changes = [("risk", "r", version, {})] if done else []
    return Event.made(key=key, actor="a1", order=order, id=f"e{order}", done=done,
                      changes=values.pop("changes", changes), **values)


def names(found):
    return [v.invariant for v in found]


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


# --- linearizability -----------------------------------------------------------------

def cast(invoke, complete, person, state=1, after=1, number=1):
    return Seen(invoke, complete, "vote", step=number, person=person, state=state, after=after)


def shown(invoke, complete, *votes, state=1, after=1):
    return Seen(invoke, complete, "read", state=state, after=after, votes=frozenset(votes))


def test_orders_that_exist_are_found():
    assert linear.search([cast(1, 2, "A"), cast(3, 4, "B", 2, 0), shown(5, 6, (1, "A"), (1, "B"),
                                                                       state=2, after=0)])
    assert linear.search([cast(1, 9, "A"), shown(2, 3), shown(4, 5, (1, "A"))])
    assert linear.search([cast(1, 2, "A"), Seen(3, 4, "closed")], outside=linear.STALE)


@pytest.mark.parametrize("seen", [
    [cast(1, 2, "A"), shown(3, 4)],                                  # a vote that is not shown
    [cast(1, 2, "A"), cast(3, 4, "A")],                              # twice
    [cast(1, 2, "A", 2, 0), cast(3, 4, "B")],                        # after the end
    [shown(1, 2, (1, "A")), cast(3, 4, "A")],                        # shown before it was cast
    [cast(1, 9, "A"), shown(2, 3, (1, "A")), shown(4, 5)],           # shown, then not
    [cast(1, 2, "A"), shown(3, 4, (1, "A"), (1, "B")), cast(5, 6, "B")],
    [Seen(1, 2, "closed"), cast(3, 4, "A")],
])
def test_orders_that_do_not_exist_are_not(seen):
    assert linear.search(seen) is False
