"""The program isms against a real server: names for ids, formats, exit codes,
tokens, edits."""

import csv
import io
import json
import os
import re
import stat
import uuid

import pytest

from cli import Cli, Terminal
from server import ROOT
from world import password, unique


@pytest.fixture()
def isms(tmp_path, server, world):
    """isms(NAME): the program as that person."""
    def make(name):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return Cli(home, server, world.apis[name].token)
    return make


@pytest.fixture()
def nobody(tmp_path, server, world):
    return Cli(tmp_path, server)


# --- names for ids -----------------------------------------------------------------

def test_a_risk_is_made_with_names_instead_of_ids(isms, world):
    system = world.system(world.unit)
    asset = world.asset(world.unit)
    title = unique("from the program")
    out = isms("contributor").ok(
        "risk", "create", "--scope", world.unit.name.upper(), "--title", title,
        "--owner", world.users["owner"].email, "--system", system.name,
        "--asset", f"{asset.meta.ref},{asset.meta.id}", "--threat", "t-inj-01")
    ref = out.split()[0]
    assert re.fullmatch(r"RSK-\d{6} v1 IDENTIFIED  id [0-9a-f-]{36}\n", out)
    short = "rsk-" + ref.split("-")[1].lstrip("0")
    risk = json.loads(isms("contributor").ok("risk", "show", short, "-o", "json"))["risk"]
    assert risk["title"] == title
    assert risk["ownerId"] == world.id("owner")
    assert risk["aiSystemId"] == system.meta.id
    assert risk["assetIds"] == [asset.meta.id]


def test_people_see_names_where_programs_see_ids(isms, world):
    risk = world.risk()
    shown = isms("owner").ok("risk", "show", risk.meta.ref)
    assert world.users["owner"].email in shown and "O High (3x4)" in shown
    assert world.id("owner") not in shown


def test_a_name_that_is_not_there_is_not_found(isms, world):
    text = isms("contributor").fails(3, "risk", "show", "RSK-999999")
    assert "there is no risk RSK-999999" in text and "next: isms risk list" in text


def test_a_ref_of_another_kind_is_said_to_be_one(isms, world):
    text = isms("contributor").fails(2, "risk", "show", "TRP-1")
    assert "treatment plan" in text


def test_a_name_that_two_have_is_ambiguous(isms, world):
    name = unique("twin")
    first, second = world.scope(unique("a")), world.scope(unique("b"))
    for scope in (first, second):
        world.system(scope, name=name)
    assert "more than one AI system" in isms("officer").fails(2, "system", "show", name)


# --- formats -----------------------------------------------------------------------

def test_formats_of_a_list(isms, world):
    risk = world.risk(title='=cmd|"x", comma')
    owner = isms("owner")
    rows = json.loads(owner.ok("risk", "list", "-o", "json"))
    mine = next(r for r in rows if r["meta"]["id"] == risk.meta.id)
    assert mine["current"]["level"] == "RISK_LEVEL_HIGH"
    assert mine["meta"]["version"] == str(risk.meta.version)
    assert risk.meta.id in owner.ok("risk", "list", "-o", "id").split()
    table = list(csv.DictReader(io.StringIO(owner.ok("risk", "list", "-o", "csv"))))
    row = next(r for r in table if r["REF"] == risk.meta.ref)
    assert row["TITLE"] == "'" + risk.title and row["OWNER"] == world.id("owner")
    assert row["LEVEL"] == "HIGH"


def test_fields_pick_columns_and_unknown_ones_are_named(isms, world):
    risk = world.risk()
    out = isms("owner").ok("risk", "show", risk.meta.ref, "-o", "csv", "--fields",
                           "title,current.level,ref")
    assert out == f"TITLE,current.level,REF\n{risk.title},HIGH,{risk.meta.ref}\n"
    picked = json.loads(isms("owner").ok("risk", "list", "-o", "json", "--fields",
                                         "meta.ref,title"))
    assert all(set(r) == {"meta", "title"} and set(r["meta"]) == {"ref"} for r in picked)
    text = isms("owner").fails(2, "risk", "list", "--fields", "titel")
    assert "did you mean title?" in text.lower()


def test_a_list_of_more_than_a_page_is_whole_and_a_limit_is_said(isms, world):
    codes = isms("officer").ok("catalog", "threats", "-o", "id").split()
    assert len(codes) == len(set(codes)) >= 60
    run = isms("officer")("catalog", "threats", "-o", "id", "--limit", "5")
    assert run.stdout.split() == codes[:5] and "first 5 only" in run.stderr


def test_nothing_a_terminal_obeys_is_printed(isms, world):
    risk = world.risk(cause="line one\nline two")
    assert "line two" in isms("owner").ok("risk", "show", risk.meta.ref)
    terminal = Terminal(isms("owner"), "risk", "show", risk.meta.ref, NO_COLOR="1")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.text


def test_colour_only_on_a_terminal_that_wants_it(isms, world):
    risk = world.risk()
    for env, wanted in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        terminal = Terminal(isms("owner"), "risk", "show", risk.meta.ref, **env)
        assert terminal.end() == 0
        assert ("\x1b[" in terminal.text) == wanted, env
        assert "O High" in terminal.text
    assert "\x1b" not in isms("owner").ok("risk", "show", risk.meta.ref)
    assert "\x1b[" in isms("owner").ok("risk", "show", risk.meta.ref, "--color", "always")


def test_what_nothing_answers_for_is_listed(isms, world):
    bare, bearable = world.risk(score=(5, 5)), world.risk(score=(3, 4))
    out = isms("owner").ok("risk", "list", "--uncovered", "-o", "csv")
    table = {row["REF"]: row for row in csv.DictReader(io.StringIO(out))}
    assert bearable.meta.ref not in table
    assert {row["UNCOVERED"] for row in table.values()} == {table[bare.meta.ref]["UNCOVERED"]}
    shown = isms("owner").ok("risk", "show", bare.meta.ref, "-o", "json")
    assert json.loads(shown)["risk"]["uncovered"] is True


# --- edits -------------------------------------------------------------------------

def test_an_edit_changes_only_what_is_given(isms, world):
    risk = world.risk(cause="before", consequence="stays")
    owner = isms("contributor")
    owner.ok("risk", "edit", risk.meta.ref, "--cause", "after")
    after = json.loads(owner.ok("risk", "show", risk.meta.ref, "-o", "json"))["risk"]
    assert (after["cause"], after["consequence"], after["title"]) == ("after", "stays", risk.title)
    assert "nothing to change" in owner.fails(2, "risk", "edit", risk.meta.ref)


def test_a_stale_edit_says_who_changed_what(isms, world):
    risk = world.risk()
    isms("contributor").ok("risk", "edit", risk.meta.ref, "--cause", "first")
    text = isms("analyst").fails(6, "risk", "edit", risk.meta.ref, "--cause", "second",
                                 "--expected-version", risk.meta.version)
    assert f"current version: {risk.meta.version + 1}" in text
    assert "changed by: contributor" in text and "changed fields: cause" in text


def test_a_part_of_a_message_keeps_the_rest(isms, world):
    risk = world.risk()
    contributor = isms("contributor")
    plan = contributor.ok(
        "treat", "create", risk.meta.ref, "--option", "transfer", "--mechanism", "insurance",
        "--counterparty", "Example Insurance", "--lapses", "2035-12-31",
        "--retained", "tell within 3 days").split()[0]
    contributor.ok("treat", "edit", plan, "--contract", "P-7")
    transfer = json.loads(contributor.ok("treat", "show", plan, "-o", "json")
                          )["plan"]["content"]["transfer"]
    assert transfer["contractRef"] == "P-7"
    assert transfer["counterparty"] == "Example Insurance"
    assert transfer["validUntil"] == "2035-12-31T23:59:59Z"
    contributor.ok("treat", "edit", plan, "--coverage", "1500000.00", "--deductible", "25000",
                   "--currency", "EUR", "--covers-from", "2035-01-01T00:00:00Z", "--cost", "9.5",
                   "--cost-currency", "CHF", "--cover-evidence", "the contract",
                   "--cover-evidence-uri", "https://docs.example.org/43")
    content = json.loads(contributor.ok("treat", "show", plan, "-o", "json"))["plan"]["content"]
    assert (content["cost"], content["costCurrency"]) == ("9.5", "CHF")
    transfer = content["transfer"]
    assert [transfer[name] for name in ("coverageAmount", "deductible", "currency")] == \
        ["1500000.00", "25000", "EUR"]
    assert transfer["validFrom"] == "2035-01-01T00:00:00Z"
    assert transfer["evidence"] == {"title": "the contract", "sha256": "",
                                    "uri": "https://docs.example.org/43"}


def test_an_action_is_read_part_by_part(isms, world):
    risk = world.risk()
    contributor = isms("contributor")
    plan = contributor.ok(
        "treat", "create", risk.meta.ref, "--option", "mitigate", "--target", "1x1",
        "--action", f"control=C-AI-20; assignee={world.users['owner'].email}; due=+30d; "
        "description=filter mail; then look at it").split()[0]
    content = json.loads(contributor.ok("treat", "show", plan, "-o", "json"))["plan"]["content"]
    assert content["actions"][0]["description"] == "filter mail; then look at it"
    assert content["actions"][0]["assigneeId"] == world.id("owner")
    assert content["target"]["likelihood"] == 1
    text = contributor.fails(2, "treat", "edit", plan, "--action", "controll=C-AI-20")
    assert "control=" in text


def test_a_dry_run_changes_nothing(isms, world):
    risk = world.risk()
    out = isms("contributor").ok("risk", "edit", risk.meta.ref, "--cause", "x", "--dry-run")
    assert out.startswith("dry run, nothing was changed: ")
    after = world.contributor.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert after.meta.version == risk.meta.version and after.cause == ""


def test_a_request_id_has_one_effect(isms, world):
    key = str(uuid.uuid4())
    title = unique("once")
    args = ("risk", "create", "--scope", world.unit.name, "--title", title, "--owner",
            world.users["owner"].email, "--request-id", key)
    assert isms("contributor").ok(*args) == isms("contributor").ok(*args)


def test_long_texts_come_from_files(isms, world, tmp_path):
    risk = world.risk()
    (tmp_path / "cause.txt").write_text("first\nsecond\n")
    contributor = isms("contributor")
    contributor.ok("risk", "edit", risk.meta.ref, "--cause", f"@{tmp_path}/cause.txt",
                   "--event", "@-", "--consequence", "@@home", stdin="from a pipe\n")
    after = world.contributor.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert (after.cause, after.event, after.consequence) == ("first\nsecond", "from a pipe",
                                                             "@home")
    assert "--no-input" in contributor.fails(2, "risk", "edit", risk.meta.ref, "--event", "@-",
                                             "--no-input", stdin="x")


# --- exit codes and errors -----------------------------------------------------------

def test_what_a_role_does_not_allow_is_exit_5_and_names_the_permission(isms, world):
    text = isms("auditor").fails(5, "risk", "create", "--scope", world.unit.name, "--title", "x",
                                 "--owner", world.users["owner"].email)
    assert "PERMISSION_MISSING" in text and "permission: risk.write" in text


def test_a_wrong_field_is_exit_2_and_named(isms, world):
    risk = world.risk()
    text = isms("contributor").fails(2, "accept", "create", risk.meta.ref, "--until", "+10d",
                                     "--rationale", "short")
    assert "fields.rationale" in text


def test_a_wrong_word_is_refused_before_any_call(isms):
    contributor = isms("contributor")
    text = contributor.fails(2, "risk", "score", str(uuid.uuid4()), "--kind", "guess",
                             "--likelihood", "3", "--impact", "3", "--rationale", "x",
                             "--verbose")
    assert "inherent, current, target" in text
    text = contributor.fails(2, "accept", "create", str(uuid.uuid4()), "--until", "soon",
                             "--rationale", "x", "--verbose")
    assert "a date (2026-11-30)" in text and "/isms.v1." not in text


def test_a_server_that_is_not_there_is_exit_7(tmp_path, server):
    away = Cli(tmp_path, server, "x", "127.0.0.1:1")
    text = away.fails(7, "risk", "list", "--timeout", "2")
    assert "next: try again; it is safe" in text


def test_a_server_with_another_ca_is_not_trusted(tmp_path, server):
    import subprocess
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "k", "-out",
                    tmp_path / "c", "-subj", "/CN=other", "-days", "1"], check=True,
                   stderr=subprocess.DEVNULL)
    cli = Cli(tmp_path, server, "x")
    run = cli("risk", "list", "--ca", tmp_path / "c", "--timeout", "3")
    assert run.returncode == 7 and run.stdout == ""


# --- signing in ----------------------------------------------------------------------

def test_signing_in_and_out(nobody, world, tmp_path):
    email = world.users["contributor"].email
    assert "not signed in" in nobody.fails(4, "whoami")
    secret = tmp_path / "secret"
    secret.write_text(password("contributor") + "\n")
    nobody.ok("login", "--email", email, "--password-file", secret)
    token = tmp_path / "isms" / "token-default"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    assert email in nobody.ok("whoami")
    assert "not signed in" in nobody.fails(4, "whoami", "--context", "other")
    nobody.ok("logout")
    assert not token.exists()
    nobody.fails(4, "whoami")


def test_a_token_goes_only_to_its_server_and_only_from_a_private_file(nobody, world, tmp_path):
    nobody.ok("login", "--email", world.users["contributor"].email, "--password-file", "-",
              stdin=password("contributor"))
    assert "is for" in nobody.fails(4, "whoami", "--server", "127.0.0.1:1")
    os.chmod(tmp_path / "isms" / "token-default", 0o644)
    assert "may be read by others" in nobody.fails(4, "whoami")


def test_a_wrong_password_is_exit_4(nobody, world):
    text = nobody.fails(4, "login", "--email", "nobody@example.org", "--password-file", "-",
                        stdin="not the pass phrase")
    assert "LOGIN_FAILED" in text


def test_nothing_is_asked_without_a_terminal(nobody, world):
    text = nobody.fails(2, "login", "--email", "a@example.org", stdin="typed\n")
    assert "--password-file" in text
    assert "--email" in nobody.fails(2, "login", "--password-file", "-", stdin="x\n")
    assert "--no-input" in nobody.fails(2, "login", "--email", "a@example.org", "--no-input",
                                        "--password-file", "-", stdin="x\n")


def test_a_password_is_asked_without_echo(nobody, world):
    secret = password("contributor")
    terminal = Terminal(nobody, "login", "--email", world.users["contributor"].email)
    terminal.read_until("password: ")
    terminal.type(secret + "\n")
    assert terminal.end() == 0, terminal.text
    assert "signed in as" in terminal.text and "next: isms inbox" in terminal.text
    assert secret not in terminal.text


def test_a_new_account_from_invitation_to_login(isms, nobody, world, tmp_path):
    name = unique("new").replace(" ", ".")
    email = f"{name}@example.org"
    invitation, secret = tmp_path / "inv", tmp_path / "pass"
    secret.write_text(password(name))
    out = isms("admin").ok("user", "create", "--email", email, "--name", name, "--kind", "human",
                           "--invitation-file", invitation)
    assert "ismsB_" not in out
    assert stat.S_IMODE(invitation.stat().st_mode) == 0o600
    assert invitation.read_text().startswith("ismsB_")
    nobody.ok("activate", "--invitation-file", invitation, "--password-file", secret)
    nobody.fails(4, "activate", "--invitation-file", invitation, "--password-file", secret)
    nobody.ok("login", "--email", email, "--password-file", secret)


def test_a_service_account_signs_in_with_its_token(isms, nobody, world, tmp_path):
    email = unique("bot").replace(" ", ".") + "@example.org"
    admin = isms("admin")
    admin.ok("user", "create", "--email", email, "--name", "Bot", "--kind", "service",
             "--answers", world.users["contributor"].email)
    admin.ok("role", "grant", email, "service", "--scope", world.unit.name)
    admin.ok("user", "token", email, "--name", "t", "--days", "1", "--token-file",
             tmp_path / "t")
    nobody.ok("login", "--token-file", tmp_path / "t")
    assert "SERVICE in unit" in nobody.ok("whoami")


# --- any method ----------------------------------------------------------------------

def test_any_method_with_json(isms, world):
    risk = world.risk()
    officer = isms("officer")
    args = ("call", "RiskService/GetRisk", "--json")
    inline = officer.ok(*args, json.dumps({"id": risk.meta.id}))
    assert json.loads(inline)["risk"]["title"] == risk.title
    assert officer.ok(*args, "-", stdin=json.dumps({"id": risk.meta.id})) == inline
    text = officer.fails(2, *args, '{"idd": "x"}')
    assert "idd: no such field; the nearest is id" in text
    assert "did you mean RiskService/GetRisk?" in officer.fails(2, "call", "RiskService/GetRiks")


def test_every_method_can_be_called_and_described(isms):
    officer = isms("officer")
    methods = officer.ok("call").split()
    assert "RiskService/GetRisk" in methods and len(methods) > 40
    for method in methods:
        text = officer.ok("call", method, "--describe")
        assert "request\n" in text and "reply\n" in text
        if method not in ("AuthService/Logout",):
            run = officer("call", method, "--json", "{}", "--limit", "1")
            assert run.returncode in (0, 2, 3, 4, 5), (method, run.stderr)


# --- help ----------------------------------------------------------------------------

def commands_of(text):
    return re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  +\S", text.split("flags of every")[0], re.M)


def test_every_command_of_help_has_help(nobody):
    commands = commands_of(nobody.ok("--help"))
    assert len(commands) > 60
    for command in commands:
        text = nobody.ok(*command.split(), "--help")
        assert f"usage: isms {command}" in text and "examples:" in text, command
    for topic in ("exit-codes", "environment", "formats", "concepts"):
        assert nobody.ok("help", topic)


def test_what_to_do_next_after_a_fault_is_a_command(nobody):
    source = (ROOT / "client" / "cli" / "fault.c").read_text()
    told, commands = re.findall(r"\bisms ([a-z]+)(?: ([a-z-]+))?", source), commands_of(
        nobody.ok("--help"))
    assert len(told) > 15
    for noun, verb in told:
        assert noun in commands or f"{noun} {verb}" in commands, (noun, verb)


def test_completion_completes(nobody):
    import subprocess
    script = nobody.ok("completion", "bash") + (
        "\nCOMP_WORDS=(isms risk l); COMP_CWORD=2; _isms; echo ${COMPREPLY[@]}"
        "\nCOMP_WORDS=(isms risk list --mi); COMP_CWORD=3; _isms; echo ${COMPREPLY[@]}"
        "\nCOMP_WORDS=(isms acc); COMP_CWORD=1; _isms; echo ${COMPREPLY[@]}")
    run = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["list", "--min-level", "accept"]
