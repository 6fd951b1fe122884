"""Three clients, one script: python3-grpcio makes 30 calls, @grpc/grpc-js and
libisms repeat the same bytes. Writes carry their request_id, so each repeat must
give the very same reply, and each refusal the same status and details."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import uuid

import grpc
import pytest

from api import Api, Failure, SCHEMA
from server import BUILD
from world import LONG_AGO, soon, unique

HERE = pathlib.Path(__file__).parent / "clients"


class Recorder(Api):
    """Keeps the bytes of each call and of its outcome."""

    def __init__(self, api, calls, replies):
        super().__init__(api.channel, api.token)
        self.calls, self.replies = calls, replies

    def send(self, name, message, timeout=20):
        self.calls.append({"path": "/isms.v1." + name, "token": self.token or "",
                           "request": message.SerializeToString().hex()})
        try:
            reply = super().send(name, message, timeout)
        except Failure as failure:
            code = grpc.StatusCode[failure.code].value[0]
            self.replies.append({"code": code, "message": failure.message,
                                 "details": failure.raw.hex(), "reply": "",
                                 "reason": failure.reason})
            raise
        self.replies.append({"code": 0, "message": "", "details": "", "reason": "",
                             "reply": reply.SerializeToString().hex()})
        return reply


def script(world, calls, replies):
    """30 calls: reads, writes, refusals of every kind."""
    by = {n: Recorder(world.apis[n], calls, replies)
          for n in ("contributor", "owner", "officer", "colleague", "auditor", "stranger", "admin")}
    nobody = Recorder(world.nobody, calls, replies)
    own = by["contributor"]
    unit, owner = world.unit.meta.id, world.id("owner")
    own.call("CatalogService/GetActiveMethod")                                           # 1
    own.call("CatalogService/ListThreats", page_size=3)
    own.call("ScopeService/GetScope", id=unit)
    risk = own.call("RiskService/CreateRisk", scope_id=unit,
                    fields={"title": unique("risk"), "owner_id": owner}).risk
    own.call("RiskService/UpdateRisk", id=risk.meta.id, update_mask="cause",             # 5
             mutation={"expected_version": 1}, fields={"cause": "Grüße, 日本"})
    own.fails("RiskService/UpdateRisk", id=risk.meta.id, update_mask="nothing",
              mutation={"expected_version": 2}, fields={"cause": "b"})
    own.fails("RiskService/UpdateRisk", id=risk.meta.id, update_mask="cause",
              fields={"cause": "no version"})
    own.call("RiskService/ScoreRisk", id=risk.meta.id, kind="SCORE_KIND_CURRENT",
             likelihood=3, impact=4, rationale="seen")
    own.fails("RiskService/ScoreRisk", id=risk.meta.id, kind="SCORE_KIND_CURRENT",
              likelihood=9, impact=4, rationale="seen")
    own.fails("RiskService/GetRisk", id="not-a-uuid")                                    # 10
    own.fails("RiskService/GetRisk", id=str(uuid.UUID(int=7)))
    by["stranger"].fails("RiskService/GetRisk", id=risk.meta.id)
    nobody.fails("RiskService/GetRisk", id=risk.meta.id)
    by["auditor"].fails("RiskService/UpdateRisk", id=risk.meta.id, update_mask="cause",
                        mutation={"expected_version": 3}, fields={"cause": "b"})
    acceptance = own.call(
        "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,                      # 15
        fields={"rationale": LONG_AGO, "valid_until": soon(20)}).acceptance
    own.fails("AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
              fields={"rationale": "too short", "valid_until": soon(20)})
    request = own.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id).request
    own.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    digest = base64.b64encode(request.snapshot_sha256).decode()
    vote = dict(request_id=request.meta.id, step_no=1, decision="DECISION_APPROVE",
                snapshot_sha256=digest)
    by["colleague"].fails("ApprovalService/CastVote", **vote)
    by["owner"].fails("ApprovalService/CastVote", {**vote, "snapshot_sha256": digest[:-4]})  # 20
    by["owner"].fails("ApprovalService/CastVote", {**vote, "decision": "DECISION_REJECT"})
    by["owner"].call("ApprovalService/CastVote", **vote)
    by["officer"].call("ApprovalService/CastVote", {**vote, "step_no": 2})
    by["owner"].fails("ApprovalService/CastVote", **vote)
    by["owner"].call("ApprovalService/GetApprovalRequest", id=request.meta.id)           # 25
    by["auditor"].call("AcceptanceService/GetAcceptance", id=acceptance.meta.id)
    by["auditor"].call("RiskService/GetRisk", id=risk.meta.id)
    by["admin"].fails("DirectoryService/GrantRole", user_id=world.id("admin"),
                      role_code="RISK_OWNER", scope_id=unit)
    nobody.fails("AuthService/Login", organisation=world.organisation,
                 email="nobody@example.org", password="not the right pass phrase")
    by["auditor"].call("ScopeService/ListScopes", page_size=2)                           # 30


@pytest.fixture(scope="module")
def recorded(world):
    calls, replies = [], []
    script(world, calls, replies)
    assert len(calls) == len(replies) == 30
    # what was refused for the state it met is refused for another one now
    again = []
    for call in calls:
        name = call["path"][len("/isms.v1."):]
        message = SCHEMA.message(SCHEMA.methods[name].input_type.full_name).FromString(
            bytes.fromhex(call["request"]))
        try:
            Recorder(Api(world.channel, call["token"] or None), [], again).send(name, message)
        except Failure:
            pass
    for first, second in zip(replies, again):
        assert first["reply"] == second["reply"]
    return calls, again


def compare(calls, expected, got, keys):
    for call, a, b in zip(calls, expected, got):
        assert {k: a[k] for k in keys} == {k: b[k] for k in keys}, call["path"]
    assert len(expected) == len(got)


def test_the_stock_node_client_gets_equal_replies(server, recorded, tmp_path):
    if shutil.which("npm") is None:
        pytest.fail("npm is needed for the second stock client")
    calls, replies = recorded
    cache = pathlib.Path(os.environ.get("ISMS_NODE", BUILD / "node"))
    if not (cache / "node_modules" / "@grpc" / "grpc-js").exists():
        cache.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", cache)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=cache,
                       check=True, timeout=300)
    shutil.copy(HERE / "replay.js", cache)
    out = subprocess.run(["node", cache / "replay.js", server.address, server.conf["ca"]],
                         input=json.dumps(calls), text=True, stdout=subprocess.PIPE,
                         check=True, timeout=120).stdout
    compare(calls, replies, json.loads(out), ("code", "message", "details", "reply"))


def test_libisms_gets_equal_replies(server, recorded):
    calls, replies = recorded
    lines = "".join(f"{c['path']} {c['token'] or '-'} {c['request'] or '-'}\n" for c in calls)
    out = subprocess.run([BUILD / "tests" / "replay", server.address, server.conf["ca"]],
                         input=lines, text=True, stdout=subprocess.PIPE, check=True,
                         timeout=120).stdout
    got = []
    for line in out.splitlines():
        code, reason, reply = line.split(" ")
        got.append({"code": int(code), "reason": reason.replace("-", ""),
                    "reply": "" if reply == "-" else reply})
    compare(calls, replies, got, ("code", "reason", "reply"))


def test_the_script_shows_every_kind_of_answer(recorded):
    codes = {r["code"] for r in recorded[1]}
    assert {0, 3, 5, 7, 9, 16} <= codes
    assert all(c["path"][len("/isms.v1."):] in SCHEMA.methods for c in recorded[0])
