"""Decisions through the program isms: what is shown is what is voted on."""

import concurrent.futures
import json
import re

import grpc
import pytest

from api import SCHEMA, decision_digest
from cli import Cli, Terminal


@pytest.fixture()
def isms(tmp_path, server, world):
    def make(name, address=None):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return Cli(home, server, world.apis[name].token, address)
    return make


@pytest.fixture()
def submitted(world):
    return world.acceptance(world.risk())


def state(world, submitted):
    return world.request(submitted.request).state


PENDING, APPROVED = 1, 2


def test_the_digest_is_that_of_the_snapshot(isms, world, submitted):
    read = world.owner.call("ApprovalService/GetApprovalRequest", id=submitted.request.meta.id)
    text = isms("owner").ok("approval", "show", submitted.acceptance.meta.ref)
    assert decision_digest(read.snapshot).hex() in text
    assert "waits for     step 1: owner (RISK_OWNER)" in text


@pytest.mark.parametrize("name", ["request ref", "request id", "subject ref", "subject id"])
def test_an_approval_by_any_name(isms, world, submitted, name):
    meta = (submitted.request if name.startswith("request") else submitted.acceptance).meta
    word = meta.ref if name.endswith("ref") else meta.id
    out = isms("owner").ok("accept", "approve", word, "--yes")
    # and for all other managers that there are by now
    assert re.search(r"step 2 needs 1 more; waits for .*\bofficer\b", out), out
    isms("officer").ok("accept", "approve", word, "--yes")
    assert state(world, submitted) == APPROVED


def test_a_pinned_digest_asks_nothing_and_another_is_refused(isms, world, submitted):
    shown = isms("owner").ok("approval", "show", submitted.request.meta.ref)
    digest = re.search(r"digest +([0-9a-f]{64})", shown).group(1)
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    text = isms("owner").fails(6, "accept", "approve", submitted.request.meta.ref,
                               "--digest", other)
    assert digest in text and state(world, submitted) == PENDING
    isms("owner").ok("accept", "approve", submitted.request.meta.ref, "--digest", digest,
                     "--no-input")


def test_without_a_terminal_a_confirmation_is_needed(isms, world, submitted):
    text = isms("owner").fails(2, "accept", "approve", submitted.request.meta.ref, stdin="y\n")
    assert "--yes" in text and len(world.owner.call(
        "ApprovalService/GetApprovalRequest", id=submitted.request.meta.id).votes) == 0


@pytest.mark.parametrize("answer,code", [("n", 1), ("", 1), ("y", 0)])
def test_a_terminal_is_asked_after_it_has_shown_what_is_decided(isms, world, submitted, answer,
                                                                code):
    terminal = Terminal(isms("owner"), "accept", "approve", submitted.request.meta.ref)
    terminal.read_until("[y/N]")
    assert submitted.acceptance.rationale in terminal.text
    terminal.type(answer + "\n")
    assert terminal.end() == code, terminal.text
    votes = world.owner.call("ApprovalService/GetApprovalRequest",
                             id=submitted.request.meta.id).votes
    assert len(votes) == (code == 0)


@pytest.mark.parametrize("name,reason,rule", [
    ("contributor", "SOD_REQUESTER", "rule S1"),
    ("pipeline", "SOD_SERVICE", "rule S4"),
    ("colleague", "PERMISSION_MISSING", "decision.cast"),
    ("officer", "NOT_ASSIGNEE|STEP", ""),
])
def test_who_may_not_decide_is_told_the_rule(isms, world, submitted, name, reason, rule):
    text = isms(name)("accept", "approve", submitted.acceptance.meta.ref, "--yes")
    assert text.returncode in (5, 6) and re.search(reason, text.stderr), text.stderr
    assert rule in text.stderr
    assert state(world, submitted) == PENDING


def test_changes_are_asked_for_made_and_approved(isms, world):
    plan = world.plan(world.risk())
    ref = plan.plan.meta.ref
    assert "--comment" in isms("owner").fails(2, "treat", "request-changes", ref, "--yes")
    isms("owner").ok("treat", "request-changes", ref, "--yes", "--comment", "say more")
    isms("contributor").ok("treat", "edit", ref, "--rationale", "more is said")
    isms("contributor").ok("treat", "submit", ref)
    isms("owner").ok("treat", "approve", ref, "--yes")
    isms("officer").ok("treat", "approve", ref, "--yes")
    shown = json.loads(isms("owner").ok("treat", "show", ref, "-o", "json"))["plan"]
    assert shown["state"] == "PLAN_STATE_APPROVED"
    text = isms("owner").fails(6, "treat", "approve", ref, "--yes")
    assert "APPROVED" in text


def test_an_acceptance_is_rejected_withdrawn_and_revoked(isms, world):
    rejected = world.acceptance(world.risk()).acceptance.meta.ref
    isms("owner").ok("accept", "reject", rejected, "--comment", "no", "--yes")
    assert "REJECTED" in isms("owner").ok("accept", "show", rejected)
    withdrawn = world.acceptance(world.risk()).acceptance.meta.ref
    assert "WITHDRAWN" in isms("contributor").ok("accept", "withdraw", withdrawn)
    active = world.acceptance(world.risk())
    for name in ("owner", "officer"):
        isms(name).ok("accept", "approve", active.acceptance.meta.ref, "--yes")
    assert "REVOKED" in isms("owner").ok("accept", "revoke", active.acceptance.meta.ref,
                                         "--reason", "a better way was found")


def test_something_never_submitted_cannot_be_decided(isms, world):
    draft = world.acceptance(world.risk(), submit=False)
    text = isms("contributor").fails(6, "accept", "approve", draft.meta.ref, "--yes")
    assert "has not been submitted" in text


def test_the_inbox_lists_what_waits(isms, world, submitted):
    rows = json.loads(isms("owner").ok("inbox", "-o", "json"))
    mine = next(r for r in rows if r["requestId"] == submitted.request.meta.id)
    assert mine["subjectRef"] == submitted.acceptance.meta.ref
    ref = submitted.request.meta.ref
    line = next(x for x in isms("owner").ok("inbox").splitlines() if ref in x)
    assert line.startswith("VOTE ")
    assert ref in isms("owner").ok("inbox", "--subject", "acceptance", "--before", "+60d")
    assert ref not in isms("owner").ok("inbox", "--subject", "policy-change", "--subject",
                                       "treatment-plan")
    assert ref not in isms("owner").ok("inbox", "--before", "+1h")


# --- a server that lies ----------------------------------------------------------------

class Liar(grpc.GenericRpcHandler):
    """Passes every call on, and changes replies to GetApprovalRequest."""

    def __init__(self, channel):
        self.channel, self.change, self.votes = channel, None, 0

    def service(self, details):
        def pass_on(data, context):
            metadata = [(k, v) for k, v in context.invocation_metadata() if k == "authorization"]
            self.votes += details.method.endswith("/CastVote")
            call = self.channel.unary_unary(details.method)
            try:
                reply = call(data, metadata=metadata, timeout=20)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            if details.method.endswith("/GetApprovalRequest") and self.change:
                message = SCHEMA.message("isms.v1.GetApprovalRequestResponse").FromString(reply)
                self.change(message)
                reply = message.SerializeToString()
            return reply
        return grpc.unary_unary_rpc_method_handler(pass_on)


@pytest.fixture()
def liar(server):
    tls = server.folder / "data" / "tls"
    key, certificate = (next(tls.glob(p)).read_bytes() for p in ("server*.key", "server*.crt"))
    with server.channel() as channel:
        handler = Liar(channel)
        proxy = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        proxy.add_generic_rpc_handlers((handler,))
        port = proxy.add_secure_port("127.0.0.1:0",
                                     grpc.ssl_server_credentials([(key, certificate)]))
        proxy.start()
        handler.address = f"127.0.0.1:{port}"
        yield handler
        proxy.stop(None)


def change_rationale(reply):
    Snapshot = SCHEMA.message("isms.v1.DecisionSnapshot")
    snapshot = Snapshot.FromString(reply.snapshot)
    acceptance = SCHEMA.message("isms.v1.Acceptance").FromString(snapshot.subject)
    acceptance.rationale = "something harmless"
    snapshot.subject = acceptance.SerializeToString()
    reply.snapshot = snapshot.SerializeToString()


def change_rationale_and_digest(reply):
    change_rationale(reply)
    reply.request.snapshot_sha256 = decision_digest(reply.snapshot)


def change_digest(reply):
    reply.request.snapshot_sha256 = bytes(32)


def change_subject(reply):
    reply.request.subject_id = reply.request.risk_id


def break_snapshot(reply):
    reply.snapshot = b"\x0a\xff"
    reply.request.snapshot_sha256 = decision_digest(reply.snapshot)


@pytest.mark.parametrize("change", [change_rationale, change_digest, change_subject,
                                    break_snapshot])
def test_what_does_not_fit_its_digest_is_never_voted_on(isms, world, submitted, liar, change):
    liar.change = change
    owner = isms("owner", liar.address)
    text = owner.fails(10, "accept", "approve", submitted.acceptance.meta.ref, "--yes")
    assert "do not decide" in text and liar.votes == 0
    liar.change = None
    owner.ok("accept", "approve", submitted.acceptance.meta.ref, "--yes")
    assert liar.votes == 1


def test_a_vote_on_another_text_is_refused_by_the_real_server(isms, world, submitted, liar):
    liar.change = change_rationale_and_digest
    text = isms("owner", liar.address).fails(6, "accept", "approve",
                                             submitted.acceptance.meta.ref, "--yes")
    assert "digest" in text and liar.votes == 1
    assert state(world, submitted) == PENDING
