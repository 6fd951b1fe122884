"""The documented session of a risk owner's morning, as it stands in deploy/morning."""

import pathlib
import re
import subprocess

import pytest

from api import SCHEMA
from cli import ISMS, Cli

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "morning"


@pytest.fixture(scope="module")
def morning(tmp_path_factory, server, world):
    """The script's output; its people are signed in as contexts."""
    home = tmp_path_factory.mktemp("morning")
    cli = Cli(home, server)
    (home / "isms").mkdir(mode=0o700)
    for name in ("contributor", "owner", "analyst", "officer"):
        token = home / name
        token.write_text(world.apis[name].token)
        cli.ok("--context", name, "login", "--token-file", token)
    run = subprocess.run(
        [SCRIPT, "--author", "contributor", "--owner", "owner", "--stand-in", "analyst",
         "--manager", "officer", "--scope", world.unit.name],
        env={**cli.env, "ISMS": str(ISMS)}, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    assert run.returncode == 0, run.stdout
    assert "Sanitizer" not in run.stdout and "error" not in run.stdout, run.stdout
    return run.stdout


def test_a_morning_ends_as_it_should(morning, world):
    assert morning.rstrip().endswith("# done")
    refs = {}
    for verb, ref in re.findall(r"isms accept (approve|reject|recuse) (ACC-\d+)", morning):
        refs.setdefault(verb, set()).add(ref)
    api = world.owner
    names = SCHEMA.message("isms.v1.Acceptance").DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number
    states = {a.meta.ref: names[a.state].name.rsplit("_", 1)[1] for a in api.call(
        "AcceptanceService/ListAcceptances", page_size=1000).acceptances}
    assert len(refs["approve"]) == 2 and {states[ref] for ref in refs["approve"]} == {"ACTIVE"}
    assert {states[ref] for ref in refs["reject"]} == {"REJECTED"}
    delegations = api.call("DelegationService/ListDelegations").delegations
    assert next(d for d in delegations if d.reason.startswith("holiday;")).state == 4


def test_each_command_of_a_morning_can_be_typed_again(morning):
    commands = re.findall(r"^\w+\$ isms (.*)$", morning, re.M)
    verbs = {" ".join(command.split()[:2]) for command in commands}
    assert {"inbox", "approval show", "accept approve", "accept reject", "treat request-changes",
            "accept recuse", "why-not decision.cast", "delegation create", "delegation revoke",
            "approval export", "approval verify", "accept history"} <= verbs, verbs


def test_wrong_flags_are_refused():
    run = subprocess.run([SCRIPT, "--nonsense"], text=True, stderr=subprocess.PIPE)
    assert run.returncode == 2 and "there is no flag --nonsense" in run.stderr
    run = subprocess.run([SCRIPT, "--help"], text=True, stdout=subprocess.PIPE)
    assert run.returncode == 0 and run.stdout.startswith("A risk owner's morning")
