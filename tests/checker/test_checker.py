"""The checker's own tests: its model and its search for an order on histories made by
hand, good ones and bad ones. Run with pytest."""

import pathlib
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import linear  # noqa: E402
from evidence import Event  # noqa: E402
from history import Op  # noqa: E402
from linear import Seen  # noqa: E402
from model import Model, same, seconds  # noqa: E402

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
                           assignees or self.everybody())
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

    def everybody(self):
        """All are asked on each step."""
        seats = [(user, person, False) for user, person in PEOPLE.items()]
        return {("q", number + 1): seats for number in range(len(self.steps["q"]))}

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


def test_who_was_not_asked_does_not_vote():
    world = World(None, {("q", 1): [("b1", "B", False)]})
    world.vote("a1")
    assert world.found() == {"I5"}


def test_an_account_that_is_not_active_does_not_vote_and_its_vote_does_not_count():
    gone = [("app_user", "a1", 2, {"state": ("ACTIVE", "DEACTIVATED")})]
    world = World()
    world.event("admin", "DirectoryService/DeactivateUser", gone)
    world.vote("a1")
    assert world.found() == {"I5"}
    world = World()
    world.vote("a1")
    world.event("admin", "DirectoryService/DeactivateUser", gone)
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


@pytest.mark.parametrize("before, state, wrong", [
    (0, "PENDING", set()), (0, "REJECTED", {"I11"}),
    (1, "REJECTED", set()), (1, "PENDING", {"STUCK"})])
def test_a_rejection_that_may_be_outvoted_ends_what_is_lost(before, state, wrong):
    seats = {("q", 1): [(u, PEOPLE[u], False) for u in ("a1", "b1", "c1")]}
    world = World([step("quorum")], seats)
    world.model.outvoted = {"q"}
    for user in ("b1",)[:before]:
        world.vote(user, decision="REJECT")
    moves = {"state": ("PENDING", state)} if state != "PENDING" else None
    world.vote("a1", decision="REJECT", moves=moves)
    assert world.found() == wrong, world.model.found
    if state == "PENDING" and not before:
        world.vote("b1")
        world.approve("c1")
        assert not world.model.found


@pytest.mark.parametrize("asked, wrong", [(("a1", "b1"), {"I11"}), (("a1",), set())])
def test_an_approval_ends_only_what_is_lost(asked, wrong):
    """Who votes for somebody else may be missed for a seat of their own."""
    world = World([step("quorum")], {("q", 1): [(u, PEOPLE[u], False) for u in asked]})
    world.vote("a1", moves={"state": ("PENDING", "EXPIRED"), "current_step": ("1", "")})
    assert world.found() == wrong, world.model.found


def test_who_is_named_decides_by_a_role_that_does():
    named = step("any", selector=5, role="")
    named.user_ids = ["b1", "o1"]
    world = World([named])
    world.approve("b1")
    assert not world.model.found
    for user in ("c1", "o1"):  # not named; and the owner of this risk is another
        world = World([named])
        world.model.rows[("risk", "r")]["owner_id"] = "a1"
        world.approve(user)
        assert world.found() == {"I5"}


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


def names(found):
    return [v.invariant for v in found]


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


def of_request(*ops):
    """What linear.py says of operations on one request that is open."""
    evidence = types.SimpleNamespace(events=[], tables={"approval_request": {
        "q": {"state": "PENDING"}}})
    return linear.check(list(ops), evidence, PEOPLE)


def looked(invoke, complete, *votes):
    return Op.made(rpc="ApprovalService/GetApprovalRequest", type="ok", args={"id": "q"},
                   invoke=invoke, complete=complete,
                   result={"state": 1, "step": 1, "votes": [[1, p] for p in votes]})


def ballot(invoke, complete, user, **values):
    return Op.made(rpc="ApprovalService/CastVote", actor=user, key=f"k{invoke}", invoke=invoke,
                   complete=complete, args={"requestId": "q", "stepNo": 1},
                   **{"type": "ok", "result": {"state": 1, "step": 1}, **values})


def test_the_operations_on_a_request_have_an_order():
    assert of_request(ballot(1, 2, "a1"), looked(3, 4, "A")) == ([], 1, 0)
    refused = ballot(5, 6, "a2", type="fail", reason="ALREADY_VOTED")
    assert of_request(ballot(1, 2, "a1"), refused)[0] == []
    assert names(of_request(refused)[0]) == ["I11"]
    assert names(of_request(ballot(1, 2, "a1"), looked(3, 4))[0]) == ["I11"]


def test_requests_that_are_not_searched_to_the_end_are_found(monkeypatch):
    monkeypatch.setattr(linear, "OPS_MAX", 1)
    found, searched, left = of_request(looked(1, 2), looked(3, 4))
    assert (names(found), searched, left) == (["I11"], 1, 1)
    monkeypatch.setattr(linear, "OPS_MAX", 400)
    monkeypatch.setattr(linear, "SEARCH_MAX", 0)
    assert of_request(looked(1, 2), looked(3, 4))[2] == 1
