"""What was, what is new, what proves a decision, and policies, through the program isms."""

import json
import re

import pytest

from cli import Cli
from world import unique


@pytest.fixture()
def isms(tmp_path, server, world):
    def make(name):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return Cli(home, server, world.apis[name].token)
    return make


# --- what was ------------------------------------------------------------------------

def test_history_tells_what_each_version_changed(isms, world):
    risk = world.risk(cause="before")
    isms("contributor").ok("risk", "edit", risk.meta.ref, "--cause", "after", "--owner",
                           world.users["analyst"].email)
    out = isms("officer").ok("risk", "history", risk.meta.ref)
    newest, middle, oldest = re.split(r"^v", out, flags=re.M)[1:]
    assert newest.startswith("3 ") and world.users["contributor"].email in newest
    assert re.search(r"cause +before -> after\n", newest)
    assert re.search(r"owner_id +owner@\S+ -> analyst@", newest)
    assert "current.level" in middle and "cause" not in middle
    assert re.search(rf"title +{risk.title}\n", oldest) and oldest.startswith("1 ")
    rows = json.loads(isms("officer").ok("risk", "history", risk.meta.ref, "-o", "json"))
    assert [row["meta"]["version"] for row in rows] == ["3", "2", "1"]
    change = next(c for c in rows[0]["changes"] if c["field"] == "cause")
    assert change == {"field": "cause", "before": "before", "after": "after"}
    limited = isms("officer").ok("risk", "history", risk.meta.ref, "--limit", "1")
    assert limited.startswith("v3 ") and "\nv2" not in limited
    assert "larger --limit" in limited and "no field" not in limited
    limited = isms("officer").ok("risk", "history", risk.meta.ref, "--limit", "1", "-o", "json")
    assert "changes" not in json.loads(limited)[0]
    # a limit that cuts nothing off changes nothing
    for limit in ("3", "4"):
        assert isms("officer").ok("risk", "history", risk.meta.ref, "--limit", limit) == out
    table = isms("officer").ok("risk", "history", risk.meta.ref, "-o", "csv")
    assert table.startswith("VERSION,WHEN,WHO,LEVEL,") and table.count("\n") == 4


@pytest.mark.parametrize("noun", ["treat", "accept", "scope", "system", "asset", "policy",
                                  "delegation", "role", "control", "threat", "vulnerability"])
def test_every_governed_kind_has_a_history(isms, world, noun):
    made = {"treat": lambda: world.plan(world.risk(), submit=False).meta.ref,
            "accept": lambda: world.acceptance(world.risk(), submit=False).meta.ref,
            "scope": lambda: world.scope(unique("unit"), world.unit.meta.id).name,
            "system": lambda: world.system(world.unit).meta.ref,
            "asset": lambda: world.asset(world.unit).meta.ref,
            "policy": lambda: world.policy(world.unit, submit=False).meta.ref,
            "delegation": lambda: world.delegate("owner", "ciso").meta.ref,
            "role": lambda: world.grant("colleague", "ASSET_OWNER",
                                        scope=world.unit.meta.id).meta.id,
            "control": lambda: world.control().code,
            "threat": lambda: world.manager.call("CatalogService/ListThreats").threats[0].code,
            "vulnerability": lambda: world.manager.call(
                "CatalogService/ListVulnerabilities").vulnerabilities[0].code}[noun]()
    out = isms("officer").ok(noun, "history", made)
    assert re.search(r"^v1 ", out, re.M) and re.search(r"^ {4}\w", out, re.M)


def test_the_method_has_a_history(isms):
    table = isms("officer").ok("method", "history", "-o", "csv")
    assert table.startswith("VERSION,WHEN,WHO,NO,TITLE\n")
    out = isms("officer").ok("method", "history")
    assert re.search(r"^v1 ", out, re.M) and re.search(r"^ {4}\w", out, re.M)


def test_as_of_shows_what_was(isms, world):
    risk = world.risk(cause="before")
    at = isms("contributor").ok("risk", "show", risk.meta.ref, "-o", "json")
    at = json.loads(at)["risk"]["meta"]["updatedAt"]
    isms("contributor").ok("risk", "edit", risk.meta.ref, "--cause", "after", "--title", "renamed")
    owner = isms("owner")
    assert "before" in owner.ok("risk", "show", risk.meta.ref, "--as-of", at)
    assert "after" in owner.ok("risk", "show", risk.meta.ref)
    rows = json.loads(owner.ok("risk", "list", "--as-of", at, "-o", "json"))
    assert next(r for r in rows if r["meta"]["id"] == risk.meta.id)["cause"] == "before"
    owner.fails(3, "risk", "show", risk.meta.ref, "--as-of", "-1000d")
    assert owner("risk", "list", "--as-of", "-1000d").stdout == ""
    assert "as_of" in owner.fails(2, "risk", "list", "--as-of", "+1d")
    assert "--as-of nonsense" in owner.fails(2, "risk", "list", "--as-of", "nonsense")


# --- what is new, and what proves it ---------------------------------------------------

@pytest.fixture()
def sent_back(isms, world):
    """An acceptance that the owner saw before, and that says something else now."""
    submitted = world.acceptance(world.risk(), days=20)
    ref = submitted.acceptance.meta.ref
    isms("owner").ok("accept", "request-changes", ref, "--comment", "shorter, please", "--yes")
    isms("contributor").ok("accept", "edit", ref, "--until", "+10d", "--conditions", "none")
    isms("contributor").ok("accept", "submit", ref)
    return ref


def test_what_is_new_since_my_last_decision(isms, world, sent_back):
    owner = isms("owner")
    out = owner.ok("approval", "diff", sent_back)
    assert out.startswith("Changed since your REQUEST_CHANGES in APR-")
    assert re.search(r"subject\.valid_until +\S+ \S+ -> \S+ \S+\n", out)
    assert re.search(r"subject\.conditions +none\n", out)
    shown = owner.ok("approval", "show", sent_back, "--diff")
    assert shown.startswith("Request ") and out in shown
    fields = [c["field"] for c in json.loads(owner.ok("approval", "diff", sent_back, "-o", "json"))
              ["changes"]]
    assert "subject.valid_until" in fields
    first = world.acceptance(world.risk())
    assert "all of it is new" in owner.ok("approval", "diff", first.request.meta.ref)


@pytest.fixture()
def bundle(isms, world, tmp_path):
    submitted = world.acceptance(world.risk())
    for name in ("owner", "officer"):
        isms(name).ok("accept", "approve", submitted.acceptance.meta.ref, "--yes")
    path = tmp_path / "bundle.json"
    world.grant("officer", "AUDITOR")
    out = isms("officer").ok("approval", "export", submitted.request.meta.ref, "--file", path)
    assert f"{submitted.request.meta.ref} with 2 votes" in out
    return path


def test_a_bundle_is_checked_without_the_server(isms, bundle):
    cli = isms("officer")
    cli.conf.write_text("address = 127.0.0.1:1\nca = /nowhere\n")
    out = cli.ok("approval", "verify", bundle)
    assert "FAILED" not in out and out.count("ok ") > 10
    assert re.search(r"^APR-\d+ APPROVED: ACC-\d+ v\d+, digest [0-9a-f]{64}$", out, re.M)
    told = json.loads(cli.ok("approval", "verify", bundle, "-o", "json"))
    assert told["ok"] is True and all(row["ok"] for row in told["checks"])
    assert "FAILED" not in cli.ok("approval", "verify", "-", stdin=bundle.read_text())


def flip(text):
    """Another text in base64, of the same length."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


def other_voter(b):
    b["votes"][0]["voterId"] = b["votes"][1]["voterId"]


FORGERIES = {
    "snapshot": lambda b: b.update(snapshot=flip(b["snapshot"])),
    "digest of the request": lambda b: b["request"].update(
        snapshotSha256=flip(b["request"]["snapshotSha256"])),
    "digest of a vote": lambda b: b["votes"][0].update(
        snapshotSha256=flip(b["votes"][0]["snapshotSha256"])),
    "state": lambda b: b["request"].update(state="APPROVAL_STATE_REJECTED"),
    "level": lambda b: b["request"].update(level="RISK_LEVEL_LOW"),
    "subject version": lambda b: b["request"].update(subjectVersion="99"),
    "requester": lambda b: b["request"].update(requestedByPerson=b["votes"][0]["voterPerson"]),
    "a vote less": lambda b: b["votes"].pop(),
    "a vote twice": lambda b: b["votes"].append(b["votes"][0]),
    "another decision": lambda b: b["votes"][1].update(decision="DECISION_REJECT"),
    "another comment": lambda b: b["votes"][0].update(comment="never said"),
    "an approval of nobody": lambda b: b["votes"][0].update(
        onBehalfOf=b["votes"][1]["voterId"], onBehalfOfName="somebody"),
    "another step": lambda b: b["votes"][0].update(stepNo=2),
    "a void vote": lambda b: b["votes"][1].update(void=True),
    "another voter": other_voter,
    "nobody was asked": lambda b: b["assignees"].clear(),
    "another policy": lambda b: b["policy"]["meta"].update(id=b["request"]["meta"]["id"]),
    "fewer people": lambda b: b["request"]["steps"]["steps"].pop(),
    "an event less": lambda b: b["events"].pop(),
    "an event changed": lambda b: b["events"][0].update(event=flip(b["events"][0]["event"])),
    "no request": lambda b: b.pop("request"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_bundle_that_was_changed_is_not_believed(isms, world, what, request, tmp_path):
    path = request.getfixturevalue("bundle")
    bundle = json.loads(path.read_text())
    FORGERIES[what](bundle)
    path.write_text(json.dumps(bundle))
    run = isms("officer")("approval", "verify", path)
    assert run.returncode == 1, (run.stdout, run.stderr)
    assert "FAILED  " in run.stdout and "do not rely on this file" in run.stdout
    told = isms("officer")("approval", "verify", path, "-o", "json")
    assert told.returncode == 1 and json.loads(told.stdout)["ok"] is False


def test_a_bundle_holds_the_delegations_of_its_votes(isms, world, tmp_path):
    scope = world.scope(unique("bundled"), world.unit.meta.id)
    isms("owner").ok("delegation", "create", world.users["ciso"].email, "--scope", scope.name,
                     "--until", "+14d", "--reason", "holiday")
    ref = world.acceptance(world.risk(scope=scope)).acceptance.meta.ref
    isms("ciso").ok("accept", "approve", ref, "--yes", "--on-behalf-of", "owner")
    path = tmp_path / "bundle.json"
    world.grant("officer", "AUDITOR")
    isms("officer").ok("approval", "export", ref, "--file", path)
    out = isms("officer").ok("approval", "verify", path)
    assert "FAILED" not in out and "by a delegation to the voter" in out
    bundle = json.loads(path.read_text())
    for forged in ({"delegations": []},
                   {"delegations": [{**bundle["delegations"][0],
                                     "toUserId": world.users["officer"].meta.id}]}):
        path.write_text(json.dumps({**bundle, **forged}))
        run = isms("officer")("approval", "verify", path)
        assert run.returncode == 1 and run.stdout.count("FAILED  ") == 1


def test_files_that_are_no_bundles(isms, bundle, tmp_path):
    officer = isms("officer")
    assert "give --yes" in officer.fails(2, "approval", "export",
                                        json.loads(bundle.read_text())["request"]["meta"]["id"],
                                        "--file", bundle)
    bundle.write_text("{}")
    assert officer("approval", "verify", bundle).returncode == 1
    bundle.write_text("not json")
    officer.fails(2, "approval", "verify", bundle)
    bundle.write_text('{"nonsense": 1}')
    assert "nonsense" in officer.fails(2, "approval", "verify", bundle)
    officer.fails(2, "approval", "verify", tmp_path / "nowhere")


# --- letting somebody else decide --------------------------------------------------------

def test_a_delegation_from_its_making_to_its_end(isms, world):
    owner, ciso = isms("owner"), isms("ciso")
    out = owner.ok("delegation", "create", world.users["ciso"].email, "--scope", world.unit.name,
                   "--until", "+14d", "--max-level", "medium", "--for", "acceptance",
                   "--reason", "holiday")
    ref = re.match(r"DEL-\d+ v1 ACTIVE  id ", out).group().split()[0]
    shown = ciso.ok("delegation", "show", ref)
    assert "holiday" in shown and "o Medium" in shown and "ACCEPTANCE" in shown
    for name in (owner, ciso):
        assert ref in name.ok("delegation", "list", "--open", "--user", "me")
    assert "REVOKED" in owner.ok("delegation", "revoke", ref, "--reason", "back again")
    assert ref not in owner.ok("delegation", "list", "--open", "-o", "csv")
    assert "ILLEGAL_STATE" in owner.fails(6, "delegation", "revoke", ref, "--reason", "again")
    assert "ends_at" in owner.fails(2, "delegation", "create", world.users["ciso"].email,
                                    "--scope", world.unit.name, "--until", "+60d",
                                    "--reason", "holiday")
    assert "--until" in owner.fails(2, "delegation", "create", world.users["ciso"].email)


def test_a_delegate_votes_for_another_and_both_are_named(isms, world):
    scope = world.scope(unique("delegating"), world.unit.meta.id)
    isms("owner").ok("delegation", "create", world.users["ciso"].email, "--scope", scope.name,
                     "--until", "+14d", "--reason", "holiday")
    submitted = world.acceptance(world.risk(scope=scope))
    ref = submitted.acceptance.meta.ref
    row = next(r for r in json.loads(isms("ciso").ok("inbox", "-o", "json"))
               if r["subjectRef"] == ref)
    assert (row["onBehalfOfName"], row["dueAt"][:2]) == ("owner", "20")
    line = next(x for x in isms("ciso").ok("inbox").splitlines() if ref in x)
    assert " owner " in line and "RISK_OWNER" in line
    text = isms("committee_1").fails(5, "accept", "approve", ref, "--yes", "--on-behalf-of",
                                     world.users["owner"].email)
    assert "DELEGATION" in text or "NOT_ASSIGNEE" in text or "PERMISSION" in text
    out = isms("ciso").ok("accept", "approve", ref, "--yes", "--on-behalf-of", "owner")
    assert "APPROVE by ciso for owner" in out
    assert "ciso for owner APPROVE" in isms("owner").ok("approval", "show", ref)


def test_who_steps_back_is_asked_no_more(isms, world):
    submitted = world.acceptance(world.risk())
    ref = submitted.acceptance.meta.ref
    isms("owner").ok("accept", "approve", ref, "--yes")
    assert "--comment" in isms("officer").fails(2, "accept", "recuse", ref, "--yes")
    run = isms("officer")("accept", "recuse", ref, "--yes", "--comment", "I know the provider")
    assert run.returncode == 0, run.stderr
    assert "RECUSE by officer" in run.stdout
    shown = isms("owner").ok("approval", "show", ref)
    assert "officer RECUSE" in shown and "I know the provider" in shown
    assert ref not in isms("officer").ok("inbox")


# --- policies ------------------------------------------------------------------------------

def test_a_policy_from_its_draft_to_its_force(isms, world):
    scope = world.scope(unique("governed"), world.unit.meta.id)
    officer = isms("officer")
    out = officer.ok(
        "policy", "create", "--scope", scope.name, "--for", "acceptance", "--title", "Three decide",
        "--min-level", "high", "--review-days", "14",
        "--step", "mode=any; selector=risk-owner",
        "--step", "mode=quorum; quorum=2; selector=role; role=risk-committee; "
                  "distinct_from_prior=true; due_hours=72")
    ref = re.match(r"POL-\d+ v1 DRAFT ", out).group().split()[0]
    steps = json.loads(officer.ok("policy", "show", ref, "-o", "json"))["policy"]["steps"]
    assert [s["stepNo"] for s in steps["steps"]] == [1, 2]
    assert steps["steps"][1]["roleCode"] == "RISK_COMMITTEE" and steps["reviewDays"] == 14
    officer.ok("policy", "edit", ref, "--review-days", "7")
    steps = json.loads(officer.ok("policy", "show", ref, "-o", "json"))["policy"]["steps"]
    assert len(steps["steps"]) == 2 and steps["reviewDays"] == 7
    officer.ok("policy", "edit", ref, "--step", "mode=any; selector=role; role=CISO", "--step",
               "mode=quorum; quorum=2; selector=role; role=RISK_COMMITTEE; "
               "distinct_from_prior=true")
    steps = json.loads(officer.ok("policy", "show", ref, "-o", "json"))["policy"]["steps"]
    assert len(steps["steps"]) == 2 and steps["steps"][0]["roleCode"] == "CISO"
    assert steps["reviewDays"] == 7
    waiting = world.acceptance(world.risk(scope=scope))
    told = officer.ok("policy", "simulate", ref)
    assert "1 open requests looked at: 1 would be decided otherwise" in told
    assert waiting.request.meta.ref in told and "committee_1: asked on 1 more" in told
    if "top" not in world.apis:
        world.add("top", "TOP_MANAGEMENT", "CRITICAL")
    assert "SUBMITTED" in officer.ok("policy", "submit", ref)
    shown = isms("ciso").ok("approval", "show", ref)
    assert "that a policy comes into force" in shown and "Three decide" in shown
    assert "SOD_REQUESTER" in officer("policy", "approve", ref, "--yes").stderr
    isms("ciso").ok("policy", "approve", ref, "--yes")
    isms("top").ok("policy", "approve", ref, "--yes")
    assert ref in isms("officer").ok("policy", "list", "--state", "active", "--for", "acceptance")
    assert "ILLEGAL_STATE" in officer.fails(6, "policy", "simulate", ref)


def test_a_policy_names_owners_and_people(isms, world):
    officer = isms("officer")
    out = officer.ok(
        "policy", "create", "--scope", world.unit.name, "--for", "acceptance", "--title", "Named",
        "--max-level", "high", "--step", "mode=any; selector=scope-owner",
        "--step", f"mode=quorum; quorum=2; selector=users; users={world.users['ciso'].email},"
                  f"{world.users['committee_1'].email}; distinct_from_prior=true",
        "--reject-may-be-outvoted")
    ref = out.split()[0]
    text = json.loads(officer.ok("policy", "show", ref, "-o", "json"))["policy"]["steps"]
    assert text["steps"][0]["selector"].endswith("SCOPE_OWNER") and text["rejectMayBeOutvoted"]
    assert text["steps"][1]["userIds"] == [world.id("ciso"), world.id("committee_1")]
    shown = officer.ok("policy", "show", ref)
    assert "any of scope owner" in shown and "a rejection may be outvoted" in shown
    people = f"{world.users['ciso'].email}, {world.users['committee_1'].email}"
    assert f"2 of {people} (other people)" in shown
    assert "nobody@example.org" in officer.fails(
        3, "policy", "edit", ref, "--step", "mode=any; selector=users; users=nobody@example.org")


def test_what_is_wrong_with_a_policy_is_named(isms, world):
    officer = isms("officer")
    common = ("policy", "create", "--scope", world.unit.name, "--for", "acceptance", "--title", "T")
    assert "step" in officer.fails(2, *common, "--step", "mode=any; nonsense=1")
    assert "steps[0]" in officer.fails(2, *common, "--step", "mode=quorum; selector=risk-owner; "
                                                             "quorum=2")
    assert "--for sonnets" in officer.fails(2, "policy", "list", "--for", "sonnets")
    assert isms("contributor")(*common, "--step", "mode=any; selector=risk-owner").returncode == 5


# --- plans and acceptances in their later life ------------------------------------------------

def test_a_plan_is_carried_out_and_verified(isms, world):
    plan = world.plan(world.risk())
    ref = plan.plan.meta.ref
    for name in ("owner", "officer"):
        isms(name).ok("treat", "approve", ref, "--yes")
    contributor = isms("contributor")
    assert "IN_PROGRESS" in contributor.ok("treat", "start", ref)
    assert "slip_reason" in contributor.fails(2, "treat", "action", ref, "1", "--state", "doing",
                                              "--due", "+70d")
    contributor.ok("treat", "action", ref, "1", "--state", "doing", "--due", "+70d",
                   "--slip-reason", "the provider is late")
    assert "ACTIONS_OPEN" in contributor.fails(6, "treat", "implement", ref)
    contributor.ok("treat", "action", ref, "1", "--state", "done", "--evidence", "test report",
                   "--evidence-uri", "https://docs.example.org/42", "--evidence-sha256", "ab" * 32)
    assert "IMPLEMENTED" in contributor.ok("treat", "implement", ref, "--note", "all done")
    verify = ("treat", "verify", ref, "--verdict", "effective", "--evidence", "red team report")
    assert contributor(*verify).returncode == 5
    assert "VERIFIED" in isms("officer").ok(*verify)
    shown = json.loads(isms("owner").ok("treat", "show", ref, "-o", "json"))["plan"]
    action = shown["progress"]["actions"][0]
    assert (action["slips"], action["evidence"]["title"]) == (1, "test report")


def test_a_plan_is_given_up(isms, world):
    ref = world.plan(world.risk()).plan.meta.ref
    for name in ("owner", "officer"):
        isms(name).ok("treat", "approve", ref, "--yes")
    assert "--reason" in isms("owner").fails(2, "treat", "cancel", ref)
    assert "CANCELLED" in isms("owner").ok("treat", "cancel", ref, "--reason", "not worth it")


def test_an_acceptance_is_renewed(isms, world):
    submitted = world.acceptance(world.risk())
    ref = submitted.acceptance.meta.ref
    for name in ("owner", "officer"):
        isms(name).ok("accept", "approve", ref, "--yes")
    out = isms("contributor").ok("accept", "renew", ref, "--until", "+40d")
    renewal = re.match(r"ACC-\d+ v1 DRAFT ", out).group().split()[0]
    shown = json.loads(isms("owner").ok("accept", "show", renewal, "-o", "json"))["acceptance"]
    assert shown["previousId"] == submitted.acceptance.meta.id
    isms("contributor").ok("accept", "submit", renewal)
    assert "valid_until" in isms("owner").ok("approval", "diff", renewal)
    answer = ("accept", "review", ref, "--outcome", "keep", "--comment", "nothing was due")
    assert "expected_version" in isms("owner").fails(2, *answer)
    seen = json.loads(isms("owner").ok("accept", "show", ref, "-o", "json"))["acceptance"]
    assert "ILLEGAL_STATE" in isms("owner").fails(6, *answer, "--expected-version",
                                                  str(seen["meta"]["version"]))
    in_force = json.loads(isms("owner").ok("accept", "list", "--in-force", "-o", "json"))
    assert ref in [a["meta"]["ref"] for a in in_force] and all(a["effective"] for a in in_force)
    assert renewal not in [a["meta"]["ref"] for a in in_force]


def test_a_control_says_how_it_stands(isms, world):
    control = world.control()
    officer = isms("officer")
    out = officer.ok("control", "update", control.code, "--state", "operating")
    assert control.code in out and "OPERATING" in out
    assert "--state" in officer.fails(2, "control", "update", control.code)
    assert isms("contributor")("control", "update", control.code, "--state",
                               "planned").returncode == 5


# --- who may, and why not -----------------------------------------------------------------------

def test_can_i_says_yes_or_no_and_why_not_says_by_which_rule(isms, world):
    submitted = world.acceptance(world.risk())
    ref, request = submitted.acceptance.meta.ref, submitted.request.meta.ref
    owner, contributor = isms("owner"), isms("contributor")
    assert owner.ok("can-i", "decision.cast", ref) == "yes\n"
    assert owner.ok("can-i", "decision.cast", request) == "yes\n"
    run = contributor("why-not", "decision.cast", ref)
    assert run.returncode == 1 and run.stdout.startswith("no: ")
    assert "SOD_REQUESTER" in run.stdout and "rule S1" in run.stdout
    run = isms("colleague")("why-not", "risk.accept", world.unit.name)
    assert run.returncode in (1, 2)
    run = isms("colleague")("why-not", "decision.cast", world.unit.name)
    assert run.returncode == 1
    assert "missing      decision.cast" in run.stdout and world.unit.name in run.stdout
    run = isms("officer")("why-not", "decision.cast", ref, "--user",
                          world.users["contributor"].email)
    assert run.returncode == 1 and "who could " in run.stdout
    assert re.search(r" owner \(RISK_OWNER\)$", run.stdout, re.M)
    told = json.loads(contributor("can-i", "decision.cast", request, "-o", "json").stdout)
    assert told["allowed"] is False and told["objectRef"] == request
    assert "nonsense" in owner.fails(3, "can-i", "risk.read", "nonsense")
    owner.fails(2, "can-i", "no.such.permission", ref)


def test_a_control_is_shown_as_it_was(isms, world):
    officer = isms("officer")
    code = next(c.code for c in world.manager.call("CatalogService/ListControls",
                                                   page_size=1000).controls if c.state == 1)
    before = json.loads(officer.ok("control", "show", code, "-o", "json"))["control"]
    at = before["meta"]["updatedAt"]
    officer.ok("control", "update", code, "--state", "implemented")
    officer.ok("control", "update", code, "--state", "operating")
    now = json.loads(officer.ok("control", "show", code, "-o", "json"))["control"]
    assert now["state"] != before["state"]
    assert now["meta"]["version"] == str(int(before["meta"]["version"]) + 2)
    then = officer.ok("control", "show", code, "--as-of", at, "-o", "json")
    assert json.loads(then)["control"] == before
    rows = officer.ok("catalog", "controls", "--code", code, "--as-of", at, "-o", "json")
    assert json.loads(rows) == [before]
    assert "state" in officer.ok("control", "history", code, "--limit", "2")


def test_registers_as_they_were(isms, world):
    """Each list and object that knows a past, before and after a change."""
    officer = isms("officer")
    at = world.scope(unique("unit"), world.unit.meta.id).meta.created_at.ToJsonString()
    draft = world.policy(world.unit, submit=False)
    made = world.delegate("owner", "officer")
    grant = world.grant("colleague", "MODEL_OWNER", scope=world.unit.meta.id)
    asked = world.acceptance(world.risk(score=(1, 1))).request
    world.vote("owner", asked)
    later = asked.meta.created_at.ToJsonString()
    for command, thing in ((("policy", "list"), draft), (("delegation", "list"), made),
                           (("role", "grants"), grant), (("approval", "list"), asked),
                           (("scope", "list"), world.unit)):
        then = officer.ok(*command, "--as-of", at, "-o", "id").split()
        assert (thing.meta.id in then) == (thing is world.unit)
        assert thing.meta.id in officer.ok(*command, "-o", "id").split()
        assert thing.meta.id in officer.ok(*command, "--as-of", later, "-o", "id").split()
    for noun, thing in (("policy", draft), ("delegation", made), ("approval", asked)):
        officer.fails(3, noun, "show", thing.meta.ref, "--as-of", at)
        officer.ok(noun, "show", thing.meta.ref, "--as-of", later)
    assert "isms approval approve" not in officer.ok("approval", "show", asked.meta.ref,
                                                     "--as-of", later)
    assert "APPROVE" not in officer.ok("approval", "show", asked.meta.ref, "--as-of", later)


def test_requests_are_listed(isms, world):
    risk = world.risk(score=(1, 1))
    asked = world.acceptance(risk).request
    for name, words in (("contributor", ("--by", "me")), ("owner", ()), ("officer", ())):
        rows = isms(name).ok("approval", "list", "--risk", risk.meta.ref, *words, "-o", "json")
        assert [row["meta"]["ref"] for row in json.loads(rows)] == [asked.meta.ref]
    pending = ("--risk", risk.meta.ref, "--state", "pending", "--for", "acceptance", "-o", "id")
    assert isms("owner").ok("approval", "list", *pending).split() == [asked.meta.id]
    isms("owner").ok("approval", "approve", asked.meta.ref, "--yes")
    assert isms("owner")("approval", "list", *pending).stdout == ""
    assert isms("colleague")("approval", "list", "--risk", risk.meta.ref).stdout == ""


def test_the_versions_of_a_request(isms, world):
    submitted = world.acceptance(world.risk())
    isms("owner").ok("accept", "approve", submitted.acceptance.meta.ref, "--yes")
    out = isms("officer").ok("approval", "history", submitted.request.meta.ref)
    assert out.startswith("v2 ") and "current_step" in out.split("\nv1")[0]
