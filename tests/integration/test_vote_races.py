"""An edit of a risk and a vote on it, sent at the same moment, many times over: no vote
is counted on a text that was not the one voted on.

ISMS_EDIT_RACES and ISMS_EDIT_LANES change the size: races, and how many run at a time
(60 and 8). The proof is ISMS_EDIT_RACES=10000."""

import collections
import os
import random
import threading
import time

import grpc
from api import SCHEMA, Api, Failure
from test_concurrency import vote_message
from world import LONG_AGO, soon, unique

RACES = int(os.environ.get("ISMS_EDIT_RACES", "60"))
LANES = int(os.environ.get("ISMS_EDIT_LANES", "8"))
PATIENCE = 60
SNAPSHOT, RISK = SCHEMA.message("isms.v1.DecisionSnapshot"), SCHEMA.message("isms.v1.Risk")
LOST = {"edit": {"CONFLICT"}, "vote": {"STALE", "CLOSED"}}

# What each approval of these risks was given for, and the risk as the transaction of
# the approval found it.
APPROVED = (
    "SELECT s.snapshot, f.row_json ->> 'title' FROM approval_request q"
    " JOIN approval_snapshot s ON s.org_id = q.org_id AND s.request_id = q.id"
    " JOIN row_history a ON a.org_id = q.org_id AND a.entity_kind = 'approval_request'"
    "  AND a.entity_id = q.id AND a.version = q.version"
    " JOIN row_history w ON w.org_id = q.org_id AND w.entity_kind = 'risk'"
    "  AND w.entity_id = q.risk_id AND w.tx = a.tx"
    " JOIN row_history f ON f.org_id = q.org_id AND f.entity_kind = 'risk'"
    "  AND f.entity_id = q.risk_id AND f.version = w.version - 1"
    " WHERE q.state = 'APPROVED' AND q.risk_id = ANY (%s::uuid[])")


def result_of(future):
    try:
        return future.result()
    except grpc.RpcError as error:
        return Failure(error)


class Lane:
    """Races one after the other, over connections of its own."""

    def __init__(self, world, server, seed):
        self.world, self.rng = world, random.Random(seed)
        self.voter = Api(server.channel(), world.owner.token)
        self.editor = Api(server.channel(), world.contributor.token)
        self.officer = Api(server.channel(), world.officer.token)
        self.reader = Api(server.channel(), world.owner.token)
        self.won, self.risks, self.wrong = collections.Counter(), [], []

    def run(self, n):
        try:
            for i in range(n):
                self._race((1, 1) if i % 2 else (3, 4))
        except Exception as error:  # told by the test
            self.wrong.append(error)

    def _race(self, score):
        """LOW: the vote decides. HIGH: another follows, which must see what this one
        could not."""
        risk = self._open(score)
        vote = vote_message(self.world, "owner", self.request, 1)
        edit = self.editor.request(
            "RiskService/UpdateRisk", id=risk.meta.id, update_mask="title",
            mutation={"expected_version": self.version}, fields={"title": unique("edited")})
        starts = [("vote", self.voter, "ApprovalService/CastVote", vote),
                  ("edit", self.editor, "RiskService/UpdateRisk", edit)]
        self.rng.shuffle(starts)
        futures = {}
        for name, api, method, message in starts:
            futures[name] = api.future(method, message, PATIENCE)
            time.sleep(self.rng.choice((0, 0, 0.0005, 0.002)))
        self._judge(score, {name: result_of(f) for name, f in futures.items()})

    def _open(self, score):
        editor, world = self.editor, self.world
        risk = editor.call(
            "RiskService/CreateRisk", scope_id=world.unit.meta.id, timeout=PATIENCE,
            fields={"title": unique("raced"), "owner_id": world.id("owner")}).risk
        editor.call("RiskService/ScoreRisk", id=risk.meta.id, kind="SCORE_KIND_CURRENT",
                    likelihood=score[0], impact=score[1], rationale="as seen in the last test",
                    timeout=PATIENCE)
        made = editor.call(
            "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id, timeout=PATIENCE,
            fields={"rationale": LONG_AGO, "valid_until": soon(20)}).acceptance
        asked = editor.call("AcceptanceService/SubmitAcceptance", id=made.meta.id,
                            timeout=PATIENCE)
        self.acceptance, self.request = asked.acceptance, asked.request
        self.version = self.reader.call("RiskService/GetRisk", id=risk.meta.id,
                                        timeout=PATIENCE).risk.meta.version
        self.risks.append(risk.meta.id)
        return risk

    def _judge(self, score, results):
        lost = {name for name, r in results.items() if isinstance(r, Failure)}
        for name in lost:
            if results[name].reason not in LOST[name]:
                self.wrong.append(results[name])
        self.won[score, "".join(sorted(set(results) - lost)) or "none"] += 1
        if score == (3, 4) and "vote" not in lost:
            second = vote_message(self.world, "officer", self.request, 2)
            after = result_of(self.officer.future("ApprovalService/CastVote", second, PATIENCE))
            if isinstance(after, Failure) != ("edit" not in lost):
                self.wrong.append((results, after))
        elif len(lost) != 1:
            self.wrong.append(results)
        effective = self.reader.call("AcceptanceService/GetAcceptance", timeout=PATIENCE,
                                     id=self.acceptance.meta.id).acceptance.effective
        if effective != (lost == {"edit"}):
            self.wrong.append((results, effective))


def test_no_vote_is_counted_on_another_text(world, server):
    seed = random.randrange(1 << 30)
    lanes = [Lane(world, server, f"{seed} {i}") for i in range(LANES)]
    threads = [threading.Thread(target=lane.run, args=(RACES // LANES + (i < RACES % LANES),))
               for i, lane in enumerate(lanes)]
    before, begin = server.worker_pids(), time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - begin
    wrong = [w for lane in lanes for w in lane.wrong]
    assert not wrong, (seed, len(wrong), wrong[:3])
    won = sum((lane.won for lane in lanes), collections.Counter())
    risks = [r for lane in lanes for r in lane.risks]
    assert sum(won.values()) == len(risks) == RACES and server.worker_pids() == before
    with server.database() as db:
        approved = db.execute(APPROVED, (risks,)).fetchall()
    for snapshot, title in approved:
        assert RISK.FromString(SNAPSHOT.FromString(snapshot).risk).title == title
    decided = sum(n for (score, who), n in won.items() if who == "vote")
    assert len(approved) == decided
    print(f"\n{RACES} races, {LANES} at a time, {took:.0f} s, seed {seed}: "
          + ", ".join(f"{'LOW' if s == (1, 1) else 'HIGH'} {who} {n}"
                      for (s, who), n in sorted(won.items())))
