"""The database's clock is the only one that counts. Two servers, whose own clocks run
an hour ahead and an hour behind, work on one database, and the database's clock is
moved: nothing is accepted that is over by it, and nothing refused that is not."""

import datetime
import os
import pathlib
import re
import time

import pytest

from api import Api, Failure
from server import Beside, Server
from world import first_world, password, unique

FAKE = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
if not FAKE.exists():
    FAKE = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR = 3600


def faked(offset):
    """An environment whose clock is off by so many seconds; what only counts how long
    something takes is left alone."""
    return {"LD_PRELOAD": str(FAKE), "FAKETIME": f"{offset:+d}", "DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


class Skewed:
    """A database with a clock to be moved, and servers with others."""

    def __init__(self):
        self.server = Server(None, "--workers", "1")
        self.offset = self.server.folder / "offset"
        self.server.args = (*self.server.args, "--postgres-bin", str(self._programs()))
        self.ahead = self.behind = None
        self.move(-2 * HOUR)  # so that grants have begun also when the clock goes back
        self.server.start()
        self.ahead = Beside(self.server, "--clock-interval", "1s", env=faked(HOUR))
        self.behind = Beside(self.server, "--clock-interval", "1s", env=faked(-HOUR))
        self.channels = [self.ahead.channel(), self.behind.channel(), self.server.channel()]
        self.world = first_world(self.server)

    def _programs(self):
        """PostgreSQL's programs, the server by the clock of the file."""
        real = pathlib.Path("/usr/lib/postgresql/15/bin")
        folder = self.server.folder / "bin"
        folder.mkdir()
        os.chmod(folder, 0o755)
        (folder / "initdb").symlink_to(real / "initdb")
        wrapper = folder / "postgres"
        wrapper.write_text(
            f"#!/bin/sh\nexec env LD_PRELOAD={FAKE} FAKETIME_TIMESTAMP_FILE={self.offset}"
            f' FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 {real}/postgres "$@"\n')
        os.chmod(wrapper, 0o755)
        return folder

    def move(self, seconds):
        """The database's clock from now on, off by so many seconds from ours."""
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        os.chmod(fresh, 0o644)
        fresh.rename(self.offset)  # at once: it is read all the time
        time.sleep(1.1)            # callers are known for a second

    def now(self):
        with self.server.database() as db:
            return db.execute("SELECT now()").fetchone()[0]

    def at(self, seconds):
        """A time so far from now by the database."""
        then = self.now() + datetime.timedelta(seconds=seconds)
        return then.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def each(self, token):
        """The account at every server."""
        return [Api(channel, token) for channel in self.channels]

    def user(self, name):
        return self.each(self.world.apis[name].token)

    def done(self):
        for one in (self.ahead, self.behind):
            if one:
                assert one.stop() == 0, one.log.read_text()
                one.done()
        assert self.server.stop() == 0, self.server.tail()
        assert not self.server.leaks(), self.server.leaks()


@pytest.fixture(scope="module")
def all_servers():
    skewed = Skewed()
    try:
        yield skewed
        skewed.move(0)
        skewed.done()
    finally:
        for one in (skewed.ahead, skewed.behind):
            if one:
                one.done()
        skewed.server.done()


@pytest.fixture
def skewed(all_servers):
    """At our time, and everybody logged in anew."""
    all_servers.move(0)
    world = all_servers.world
    for name in ("admin", "officer", "contributor", "owner"):
        world.login(name)
    world.apis["manager"] = world.apis["admin_scope"] = world.officer
    yield all_servers
    all_servers.move(0)


def test_the_clocks_are_an_hour_apart(skewed):
    """The tests below would show nothing if the servers' clocks were right."""
    for beside, sign in ((skewed.ahead, 1), (skewed.behind, -1)):
        stamp = re.search(r"^time=(\S+)", beside.log.read_text(), re.M).group(1)
        told = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        off = (told - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
        assert abs(off - sign * HOUR) < 600, (stamp, off)
    skewed.move(HOUR)
    off = (skewed.now() - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert abs(off - HOUR) < 5


# --- accounts -------------------------------------------------------------------------

def logins(skewed, name, secret):
    """At which servers a login is taken."""
    taken = []
    for channel in skewed.channels:
        try:
            Api(channel).call("AuthService/Login", organisation=skewed.world.organisation,
                              email=skewed.world.users[name].email, password=secret)
            taken.append(True)
        except Failure as failure:
            assert failure.reason == "LOGIN_FAILED"
            taken.append(False)
    return taken


def test_a_lock_after_failed_logins_lasts_as_long_as_the_database_says(skewed):
    world = skewed.world
    world.add("forgetful", "RISK_OWNER", "LOW", scope=world.unit.meta.id)
    for i in range(5):
        api = Api(skewed.channels[i % 3])
        assert api.fails("AuthService/Login", organisation=world.organisation,
                         email=world.users["forgetful"].email,
                         password="a wrong pass phrase").reason == "LOGIN_FAILED"
    assert logins(skewed, "forgetful", password("forgetful")) == [False] * 3
    skewed.move(10 * 60)
    assert logins(skewed, "forgetful", password("forgetful")) == [False] * 3
    skewed.move(-HOUR)
    assert logins(skewed, "forgetful", password("forgetful")) == [False] * 3
    skewed.move(16 * 60)
    assert logins(skewed, "forgetful", password("forgetful")) == [True] * 3


def usable(skewed, token):
    """At which servers a token is taken: for a read, and for a write."""
    taken = []
    for api in skewed.each(token):
        for method in ("AuthService/WhoAmI", "AuthService/RevokeSession"):
            fields = {} if method.endswith("WhoAmI") else {
                "session_id": "00000000-0000-7000-8000-000000000001", "mutation": {"dry_run": True}}
            try:
                api.call(method, **fields)
                taken.append(True)
            except Failure as failure:
                assert failure.reason in ("TOKEN_INVALID", "NOT_FOUND"), failure
                taken.append(failure.reason != "TOKEN_INVALID")
    return taken


def test_an_idle_session_ends_by_the_database(skewed):
    token = skewed.world.login("owner").token
    skewed.move(25 * 60)
    other = skewed.world.login("contributor").token  # not used until then
    assert usable(skewed, token) == [True] * 6  # and is used by that
    skewed.move(50 * 60)
    assert usable(skewed, token) == [True] * 6
    skewed.move(50 * 60 + 31 * 60)
    assert usable(skewed, token) == [False] * 6
    assert usable(skewed, other) == [False] * 6
    skewed.move(0)
    assert usable(skewed, token) == [True] * 6


def test_a_session_ends_after_its_hours_by_the_database(skewed):
    token = skewed.world.login("owner").token
    for seconds, taken in ((12 * HOUR - 60, True), (12 * HOUR + 60, False)):
        skewed.move(seconds)
        with skewed.server.database() as db:  # as if it had been used all the time
            db.execute("UPDATE session SET last_seen_at = now() - interval '20 minutes'")
        assert usable(skewed, token) == [taken] * 6


def test_a_token_and_an_invitation_end_by_the_database(skewed):
    world = skewed.world
    made = world.admin.call(
        "DirectoryService/CreateUser", email=unique("s").replace(" ", "") + "@example.org",
        display_name="service", kind="USER_KIND_SERVICE",
        owner_person_ids=[world.users["owner"].person_id])
    token = world.admin.call("DirectoryService/IssueToken", user_id=made.user.meta.id,
                             name="skew", valid_days=1).token
    invited = [world.admin.call(
        "DirectoryService/CreateUser", email=unique("i").replace(" ", "") + "@example.org",
        display_name="invited", kind="USER_KIND_HUMAN").invitation for _ in range(6)]
    with skewed.server.database() as db:
        hours = db.execute("SELECT extract(epoch FROM max(expires_at) - now())::int / 3600.0"
                           " FROM invitation").fetchone()[0]
    skewed.move(24 * HOUR - 120)
    assert usable(skewed, token) == [True] * 6
    skewed.move(24 * HOUR + 120)
    assert usable(skewed, token) == [False] * 6
    skewed.move(int(float(hours) * HOUR) - 300)
    for channel, invitation in zip(skewed.channels, invited):
        Api(channel).call("AuthService/Activate", invitation=invitation,
                          password=password("invited"))
    skewed.move(int(float(hours) * HOUR) + 300)
    for channel, invitation in zip(skewed.channels, invited[3:]):
        assert Api(channel).fails("AuthService/Activate", invitation=invitation,
                                  password=password("invited")).reason == "INVITATION_INVALID"


def test_a_grant_begins_and_ends_by_the_database(skewed):
    world = skewed.world
    name = unique("temporary").replace(" ", "_")
    world.add(name)
    world.admin.call("DirectoryService/GrantRole", user_id=world.id(name),
                     role_code="AUDITOR", scope_id=world.root.meta.id,
                     valid_until=skewed.at(20 * 60))

    def allowed():
        out = []
        for api in skewed.each(world.apis[name].token):
            try:
                api.call("RiskService/ListRisks")
                out.append(True)
            except Failure as failure:
                assert failure.reason == "PERMISSION_MISSING"
                out.append(False)
        return out
    assert allowed() == [True] * 3
    skewed.move(15 * 60)
    assert allowed() == [True] * 3
    skewed.move(21 * 60)
    assert allowed() == [False] * 3
    for api in skewed.user("admin"):
        # over by the database, whatever the server's own clock says
        assert "valid_until" in api.fails(
            "DirectoryService/GrantRole", user_id=world.id(name), role_code="AUDITOR",
            scope_id=world.root.meta.id, valid_until=skewed.at(-60)).fields
        api.call("DirectoryService/GrantRole", user_id=world.id(name), role_code="AUDITOR",
                 scope_id=world.scope(unique("s")).meta.id, valid_until=skewed.at(60))


# --- acceptances ----------------------------------------------------------------------

def accept(skewed, api, owner, seconds):
    """An acceptance in force for so long by the database."""
    world = skewed.world
    risk = world.risk(score=(1, 2))
    acceptance = api.call(
        "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
        fields={"rationale": "because the provider cannot be replaced before that",
                "valid_until": skewed.at(seconds)}).acceptance
    made = api.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    saved, world.apis["owner"] = world.apis["owner"], owner
    try:
        world.vote("owner", made.request)
    finally:
        world.apis["owner"] = saved
    return risk, acceptance.meta.id


def states(skewed, risk, acceptance):
    """What every server says of it: in force, and the risk accepted."""
    out = set()
    for api in skewed.user("auditor"):
        got = api.call("AcceptanceService/GetAcceptance", id=acceptance).acceptance
        of = api.call("RiskService/GetRisk", id=risk.meta.id).risk
        listed = {a.meta.id: a.effective for a in api.call(
            "AcceptanceService/ListAcceptances", risk_id=risk.meta.id).acceptances}
        out.add((got.effective, listed[acceptance], of.HasField("accepted_until")))
    return out


def by_clock(skewed, acceptance):
    with skewed.server.database() as db:
        return db.execute("SELECT state FROM risk_acceptance WHERE id = %s",
                          (acceptance,)).fetchone()[0]


def test_an_acceptance_ends_by_the_database(skewed):
    world = skewed.world
    made = []
    world.login("auditor")
    for api, owner in zip(skewed.user("contributor"), skewed.user("owner")):
        made.append(accept(skewed, api, owner, 20 * 60))
    time.sleep(2.5)  # rounds of both clocks, one of them an hour ahead
    for risk, acceptance in made:
        assert states(skewed, risk, acceptance) == {(True, True, True)}
        assert by_clock(skewed, acceptance) == "ACTIVE"
    skewed.move(15 * 60)
    for risk, acceptance in made:
        assert states(skewed, risk, acceptance) == {(True, True, True)}
        assert by_clock(skewed, acceptance) == "ACTIVE"
    skewed.move(21 * 60)
    for risk, acceptance in made:
        assert states(skewed, risk, acceptance) == {(False, False, False)}
    end = time.monotonic() + 60
    while {by_clock(skewed, a) for _, a in made} != {"EXPIRED"}:
        assert time.monotonic() < end
        time.sleep(0.2)
    skewed.move(-HOUR)  # what is over stays over
    for risk, acceptance in made:
        assert states(skewed, risk, acceptance) == {(False, False, False)}
        for api in skewed.user("officer"):
            assert api.fails("AcceptanceService/RevokeAcceptance", id=acceptance,
                             reason="too late").reason == "ILLEGAL_STATE"


def test_an_acceptance_must_end_after_the_databases_now(skewed):
    world = skewed.world
    for moved in (0, HOUR, -HOUR):
        skewed.move(moved)
        for name in ("contributor", "owner"):
            world.login(name)
        for api, owner in zip(skewed.user("contributor"), skewed.user("owner")):
            risk, _ = accept(skewed, api, owner, 10 * 60)
            over = api.call(
                "AcceptanceService/CreateAcceptance", risk_id=world.risk(score=(1, 2)).meta.id,
                fields={"rationale": "because the provider cannot be replaced before that",
                        "valid_until": skewed.at(-10 * 60)}).acceptance
            assert api.fails("AcceptanceService/SubmitAcceptance",
                             id=over.meta.id).reason == "DURATION_CAP"


def test_an_acceptance_that_ran_out_while_it_waited_is_not_given(skewed):
    world = skewed.world
    risk = world.risk(score=(1, 2))
    acceptance = world.contributor.call(
        "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
        fields={"rationale": "because the provider cannot be replaced before that",
                "valid_until": skewed.at(10 * 60)}).acceptance
    made = world.contributor.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    skewed.move(11 * 60)
    for owner in skewed.user("owner"):
        world.apis["owner"] = owner
        failure = world.vote_fails("owner", made.request)
        assert failure.code in ("FAILED_PRECONDITION", "ABORTED"), failure


# --- the past -------------------------------------------------------------------------

def test_the_past_is_what_the_database_says(skewed):
    world = skewed.world
    world.login("auditor")
    risk = world.risk(score=(1, 2))
    time.sleep(1)
    then = skewed.at(0)
    for moved in (0, HOUR, -HOUR):
        skewed.move(moved)
        world.login("auditor")
        for api in skewed.user("auditor"):
            for method, fields in (("RiskService/GetRisk", {"id": risk.meta.id}),
                                   ("RiskService/ListRisks", {})):
                failure = api.fails(method, as_of=skewed.at(60), **fields)
                assert failure.code == "INVALID_ARGUMENT" and "as_of" in failure.fields, failure
        if moved >= 0:
            for api in skewed.user("auditor"):
                assert api.call("RiskService/GetRisk", id=risk.meta.id,
                                as_of=then).risk.meta.id == risk.meta.id


# --- requests -------------------------------------------------------------------------

def submitted(world):
    """A request on which the owner of a risk is asked alone."""
    return world.acceptance(world.risk(score=(1, 2)), days=300).request


def vote_at(skewed, i, name, request, behalf=None):
    """The reason why server i does not take a vote; "" when it does."""
    world = skewed.world
    token = world.apis[name].token
    saved, world.apis[name] = world.apis[name], Api(skewed.channels[i], token)
    try:
        world.vote(name, request, behalf=behalf, step=1, digest=request.snapshot_sha256)
        return ""
    except Failure as failure:
        assert failure.code in ("PERMISSION_DENIED", "FAILED_PRECONDITION"), failure
        return failure.reason
    finally:
        world.apis[name] = saved


def test_a_delegation_begins_and_ends_by_the_database(skewed):
    world = skewed.world
    world.add("deputy", "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    world.owner.call("DelegationService/CreateDelegation", to_user_id=world.id("deputy"),
                     scope_id=world.unit.meta.id, reason="a holiday",
                     starts_at=skewed.at(10 * 60), ends_at=skewed.at(30 * 60))
    for api in skewed.user("owner"):
        failure = api.fails("DelegationService/CreateDelegation", to_user_id=world.id("deputy"),
                            scope_id=world.unit.meta.id, reason="a holiday",
                            ends_at=skewed.at(-60))
        assert "ends_at" in failure.fields, failure
    requests = [submitted(world) for _ in range(9)]
    for i in range(3):
        assert vote_at(skewed, i, "deputy", requests[i], behalf="owner")
    skewed.move(11 * 60)
    for i in range(3):
        assert vote_at(skewed, i, "deputy", requests[i], behalf="owner") == ""
    skewed.move(25 * 60)
    for i in range(3):
        assert vote_at(skewed, i, "deputy", requests[3 + i], behalf="owner") == ""
    skewed.move(31 * 60)
    world.login("officer")
    for i in range(3):
        assert vote_at(skewed, i, "deputy", requests[6 + i], behalf="owner")
        # what ended in time takes no vote with it
        assert world.request(requests[i], by="officer").close_reason == "approved"


def test_a_step_escalates_and_ends_by_the_database(skewed):
    world = skewed.world
    requests = [submitted(world) for _ in range(3)]

    def at(hours):
        skewed.move(hours * HOUR)
        for name in ("officer", "owner"):
            world.login(name)

    def read():
        return [world.request(r, by="officer") for r in requests]
    first = read()[0]
    assert 167 < (first.escalates_at.ToDatetime(datetime.timezone.utc)
                  - skewed.now()).total_seconds() / HOUR < 168.1
    at(167)
    time.sleep(2.5)  # rounds of both clocks, one of them an hour ahead
    assert {r.escalated for r in read()} == {False}
    at(169)
    wait(lambda: all(r.escalated for r in read()))
    assert vote_at(skewed, 0, "officer", requests[0]) == ""
    due = read()[1].step_due_at.ToDatetime(datetime.timezone.utc)
    left = int((due - skewed.now()).total_seconds() / HOUR)
    at(169 + left - 1)
    time.sleep(2.5)
    assert [r.close_reason for r in read()[1:]] == ["", ""]
    assert vote_at(skewed, 1, "owner", requests[1]) == ""
    at(169 + left + 2)
    wait(lambda: read()[2].close_reason.startswith("STEP_OVERDUE"))
    assert vote_at(skewed, 1, "owner", requests[2])
    at(-1)  # and does not open again
    assert vote_at(skewed, 0, "owner", requests[2])


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
