"""Races that must not be lost: votes, edits and repeats."""

import os
import threading
import time
import uuid

import grpc

from api import Api, Failure, decision_digest
from world import unique

ROUNDS = int(os.environ.get("ISMS_RACE_ROUNDS", "300"))


def together(jobs):
    """Runs the functions at once; their results or Failures."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(i):
        barrier.wait()
        try:
            results[i] = jobs[i]()
        except Failure as failure:
            results[i] = failure

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def vote_message(world, name, request, step):
    return world.apis[name].request(
        "ApprovalService/CastVote", request_id=request.meta.id, step_no=step,
        decision="DECISION_APPROVE", snapshot_sha256=__import__("base64").b64encode(
            request.snapshot_sha256).decode())


def test_two_last_approvers_never_leave_a_request_stuck(world, server):
    """The quorum of two is met by two votes at once: one of them resolves it."""
    channels = [server.channel(), server.channel()]
    voters = [Api(c, world.apis[n].token) for c, n in zip(channels, ("committee_1", "committee_2"))]
    stuck, resolutions = 0, 0
    for _ in range(ROUNDS):
        request = world.acceptance(world.risk(score=(5, 5))).request
        world.vote("owner", request, step=1, digest=request.snapshot_sha256)
        world.vote("ciso", request, step=2, digest=request.snapshot_sha256)
        message = [vote_message(world, n, request, 3) for n in ("committee_1", "committee_2")]
        futures = [v.future("ApprovalService/CastVote", m) for v, m in zip(voters, message)]
        replies = [f.result() for f in futures]
        resolved = [r for r in replies if r.request.state == 2]
        resolutions += len(resolved) == 1
        stuck += world.request(request).state != 2
    assert stuck == 0 and resolutions == ROUNDS


def test_sixteen_writers_lose_no_edit(world, server):
    risk = world.risk(score=None)
    apis = [Api(server.channel(), world.contributor.token) for _ in range(16)]
    written, lock = {}, threading.Lock()
    wanted = 200

    def writer(api):
        current = risk.meta.version
        while True:
            with lock:
                if len(written) >= wanted:
                    return
            title = unique("edit")
            try:
                reply = api.call("RiskService/UpdateRisk", id=risk.meta.id, update_mask="title",
                                 mutation={"expected_version": current}, fields={"title": title})
                with lock:
                    assert reply.risk.meta.version not in written
                    written[reply.risk.meta.version] = title
                current = reply.risk.meta.version
            except Failure as failure:
                assert failure.reason in ("CONFLICT", "CONTENTION"), failure
                current = int(failure.facts.get("current_version", current))

    results = together([lambda a=a: writer(a) for a in apis])
    assert all(r is None for r in results), results
    last = world.contributor.call("RiskService/GetRisk", id=risk.meta.id).risk
    first = risk.meta.version
    assert sorted(written) == list(range(first + 1, last.meta.version + 1))
    assert last.title == written[last.meta.version]
    token, logged = "", {}
    while True:
        page = world.auditor.call("AuditLogService/ListAuditEvents", entity_id=risk.meta.id,
                                  page_size=1000, page_token=token)
        for record in page.events:
            for change in record.event.changes:
                if change.entity_id == risk.meta.id and record.event.outcome == 1:
                    assert change.entity_version not in logged
                    for field in change.fields:
                        if field.field == "title":
                            logged[change.entity_version] = field.after
        token = page.next_page_token
        if not token:
            break
    for version, title in written.items():
        assert logged[version] == title


def test_one_request_id_has_one_effect_and_one_reply(world, server):
    apis = [Api(server.channel(), world.contributor.token) for _ in range(3)]
    title, key = unique("once"), str(uuid.uuid4())
    values = {"scope_id": world.unit.meta.id, "mutation": {"request_id": key},
              "fields": {"title": title, "owner_id": world.id("owner")}}
    message = apis[0].request("RiskService/CreateRisk", values)
    futures = [apis[i % 3].future("RiskService/CreateRisk", message) for i in range(100)]
    replies = {f.result().SerializeToString() for f in futures}
    assert len(replies) == 1
    found = [r for r in world.contributor.call("RiskService/ListRisks", page_size=1000).risks
             if r.title == title]
    assert len(found) == 1
    other = world.contributor.fails(
        "RiskService/CreateRisk", {**values, "fields": {**values["fields"], "title": "another"}})
    assert other.code == "FAILED_PRECONDITION" and other.reason == "IDEMPOTENCY_MISMATCH"


def test_an_edit_and_a_vote_never_both_win(world, server):
    """A vote on a text that changes meanwhile is not counted."""
    for _ in range(30):
        risk = world.risk(score=(1, 1))
        request = world.acceptance(risk).request
        digest = request.snapshot_sha256
        results = together([
            lambda: world.vote("owner", request, step=1, digest=digest),
            lambda: world.score(risk, 5, 5, by="analyst")])
        final = world.request(request)
        acceptance = world.owner.call("AcceptanceService/GetAcceptance",
                                      id=request.subject_id).acceptance
        assert not acceptance.effective, results
        assert final.state in (2, 7)
        read = world.owner.call("ApprovalService/GetApprovalRequest", id=request.meta.id)
        assert decision_digest(read.snapshot) == digest


def test_what_is_submitted_while_the_risk_changes_is_never_half_closed(world, server):
    """A score that rises closes what is open; whatever it finds of a submission at
    that moment, subject and request end in states that belong together."""
    scorer = Api(server.channel(), world.analyst.token)
    risk = world.risk(score=(1, 1))
    half, before = [], server.worker_pids()
    for _ in range(max(ROUNDS // 5, 20)):
        world.score(risk, 1, 1)
        acceptance = world.acceptance(risk, submit=False)
        submit, _ = together([
            lambda: world.contributor.call("AcceptanceService/SubmitAcceptance",
                                           id=acceptance.meta.id),
            lambda: scorer.call("RiskService/ScoreRisk", id=risk.meta.id,
                                kind="SCORE_KIND_CURRENT", likelihood=3, impact=4,
                                rationale="it became worse")])
        read = world.owner.call("AcceptanceService/GetAcceptance",
                                id=acceptance.meta.id).acceptance
        submitted = read.state == 2
        pending = bool(read.approval_request_id) and world.owner.call(
            "ApprovalService/GetApprovalRequest", id=read.approval_request_id).request.state == 1
        if submitted != pending:
            half.append((read.state, pending, str(submit)))
        if submitted:
            world.contributor.call("AcceptanceService/WithdrawAcceptance", id=acceptance.meta.id)
    assert not half and server.worker_pids() == before


def vote_while(world, server, request, name, change, *args):
    """Casts a vote while a change that it must see is written but not committed: the
    vote reads the old row, waits at its commit, and is decided again."""
    message = vote_message(world, name, request, 1)
    with server.database() as db, db.transaction():
        db.execute(change, args)
        future = world.apis[name].future("ApprovalService/CastVote", message, timeout=20)
        time.sleep(0.7)
        assert not future.done(), "the vote did not wait for the row that it depends on"
    try:
        return future.result()
    except grpc.RpcError as error:
        return Failure(error)


def test_a_vote_is_not_made_from_a_risk_that_moved(world, server):
    """The first of two votes changes the request only; the risk is proven by a guard."""
    risk = world.risk(score=(3, 4))
    request = world.acceptance(risk).request
    outcome = vote_while(world, server, request, "owner",
                         "UPDATE risk SET version = version + 1 WHERE id = %s", risk.meta.id)
    assert isinstance(outcome, Failure) and outcome.reason == "STALE", outcome
    assert world.request(request).state == 7


def test_a_right_that_is_being_revoked_finishes_no_decision(world, server):
    name = "leaving_owner"
    if name not in world.apis:
        world.add(name)
    grant = world.grant(name, "RISK_OWNER", "CRITICAL", scope=world.unit.meta.id)
    request = world.acceptance(world.risk(score=(3, 4), owner=name)).request
    outcome = vote_while(
        world, server, request, name,
        "WITH g AS (UPDATE role_grant SET revoked_at = now(), version = version + 1"
        " WHERE id = %s RETURNING user_id)"
        " UPDATE app_user u SET version = version + 1 FROM g WHERE u.id = g.user_id",
        grant.meta.id)
    assert isinstance(outcome, Failure) and outcome.code in ("PERMISSION_DENIED", "NOT_FOUND"), \
        outcome
    assert not world.auditor.call("ApprovalService/GetApprovalRequest", id=request.meta.id).votes
