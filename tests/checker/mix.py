"""The clients: each does one operation after the other, as people at desks would,
only faster and with more mistakes."""

import base64
import concurrent.futures
import datetime
import hashlib
import random
import threading
import time
import uuid

from board import LIVE
from history import Op
from wire import SCHEMA, Answer, Sdk, Stock, entities, request

TIMEOUT = 6
RATIONALE = "the provider cannot be replaced before the end of the contract, "
APPROVE, REJECT, CHANGES, RECUSE = 1, 2, 3, 4
MIX = (("vote", 35), ("edit", 15), ("open", 10), ("role", 5), ("delegate", 5), ("revoke", 5),
       ("read", 20), ("verify", 5))
PLAIN = {"requestId", "id", "stepNo", "decision", "onBehalfOf", "userId", "roleCode", "riskId",
         "kind", "likelihood", "impact"}


def at(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def b64(data):
    return base64.b64encode(data).decode()


class Client(threading.Thread):
    """process: its number. Even and odd ones hold to a server each; who roams changes
    it whenever a call ends badly, and now and then."""

    def __init__(self, process, run, sdk=False, roams=False):
        super().__init__(name=f"client-{process}", daemon=True)
        self.process, self.run_, self.sdk, self.roams = process, run, sdk, roams
        self.people, self.board, self.history = run.people, run.board, run.history
        self.random = random.Random(f"{run.seed}/{process}")
        self.at, self.link, self.twin, self.problem = process % len(run.addresses), None, None, None
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.connect()

    # --- calls -----------------------------------------------------------------

    def connect(self):
        if self.link is not None:
            self.link.close()
        address = self.run_.addresses[self.at]
        self.link = Sdk(self.run_.driver, address, str(self.run_.ca_file)) if self.sdk \
            else Stock(address, self.run_.ca)

    def roam(self):
        self.at = (self.at + 1) % len(self.run_.addresses)
        self.connect()

    def other(self):
        if self.twin is None:
            where = (self.process + 1) % len(self.run_.addresses)
            self.twin = Stock(self.run_.addresses[where], self.run_.ca)
        return self.twin

    def call(self, name, rpc, actor, values, note=None):
        """One operation of the history; the Answer."""
        write = "mutation" in SCHEMA.methods[rpc].input_type.fields_by_name
        key = self.uuid() if write else ""
        message = request(rpc, values, key)
        args = {k: v for k, v in values.items() if k in PLAIN}
        args.update(note or {})
        op = Op(self.process, name, rpc, actor.id, args, key)
        op.message = message if write else None
        op.wall, op.invoke = time.time(), time.monotonic_ns()
        if write and self.random.random() < 0.04:
            answer = self._twice(op, rpc, message, actor)
        else:
            answer = self.link.call(rpc, message, actor.token, TIMEOUT)
        op.complete = time.monotonic_ns()
        self._log(op, answer, write)
        if answer.unknown:
            time.sleep(0.3)
        if self.roams and (answer.unknown or self.random.random() < 0.02):
            self.roam()
        return answer

    def _twice(self, op, rpc, message, actor):
        """A double click: the same bytes to two servers at once."""
        op.attempts = 2
        second = self.pool.submit(self.other().call, rpc, message, actor.token, TIMEOUT)
        first = self.link.call(rpc, message, actor.token, TIMEOUT)
        second = second.result()
        op.internal = "INTERNAL" in (first.code, second.code)
        if first.ok and second.ok:
            if first.message.SerializeToString() != second.message.SerializeToString():
                op.result["replies_differ"] = True
            return first
        for one, two in ((first, second), (second, first)):
            if one.ok:
                if not two.unknown and two.code != "ABORTED":
                    op.result["refused_too"] = two.reason
                return one
        for one, two in ((first, second), (second, first)):
            if one.unknown:
                op.refusals += refused(two)
                return one
        op.refusals += refused(second)
        return first

    def _log(self, op, answer, write):
        op.code, op.reason = answer.code, answer.reason
        op.internal |= answer.code == "INTERNAL"
        op.type = "ok" if answer.ok else "info" if write and answer.unknown else "fail"
        op.refusals += refused(answer)
        if answer.ok:
            op.entities = entities(answer.message)
            summarise(op, answer.message)
            self.board.see(answer.message)
        if op.type != "info":
            op.message = None
        self.history.add(op)

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # --- the loop ----------------------------------------------------------------

    def run(self):
        names, weights = zip(*MIX)
        try:
            while not self.run_.halt.is_set():
                name = self.random.choices(names, weights)[0]
                if len(self.board.live) < LIVE and name in ("edit", "read") \
                        and self.random.random() < 0.5:
                    name = "open"
                getattr(self, name)()
        except BaseException as error:  # told by the run
            self.problem = error
        finally:
            self.link.close()
            if self.twin:
                self.twin.close()
            self.pool.shutdown()

    # --- operations ----------------------------------------------------------------

    def anybody(self, *roles):
        held = [a for a, r, _ in list(self.board.granted.values()) if r in roles]
        return self.random.choice(held)

    def writer(self):
        return self.anybody("CONTRIBUTOR", "RISK_ANALYST")

    def new_risk(self):
        unit = self.random.choices(list(self.people.units), (5, 4, 2))[0]
        scope = self.people.units[unit]
        owners = [a for a, r, s in self.people.grants.values() if r == "RISK_OWNER" and s == scope]
        made = self.call("create_risk", "RiskService/CreateRisk", self.writer(), {
            "scopeId": scope, "fields": {"title": f"risk {self.uuid()[:8]}",
                                         "ownerId": self.random.choice(owners).id}})
        if made.ok:
            self.score(made.message.risk.meta.id)
            return made.message.risk.meta.id
        return None

    def score(self, risk, name="edit", pair=None):
        pair = pair or self.random.choices(
            ((1, 1), (2, 2), (3, 3), (3, 4), (5, 5)), (4, 4, 2, 5, 4))[0]
        return self.call(name, "RiskService/ScoreRisk", self.writer(), {
            "id": risk, "kind": "SCORE_KIND_CURRENT", "likelihood": pair[0], "impact": pair[1],
            "rationale": "as seen in the last test"})

    def open(self):
        risk = self.board.free_risk(self.random)
        if risk is None or self.random.random() < (0.05 if len(self.board.risks) > 130 else 0.5):
            risk = self.new_risk()
        if risk is None:
            return
        author = self.writer()
        if self.random.random() < 0.25:
            made = self.call("open", "TreatmentService/CreatePlan", author, {
                "riskId": risk, "option": "TREATMENT_OPTION_MITIGATE", "fields": {
                    "rationale": RATIONALE, "target": {"likelihood": 1, "impact": 1},
                    "dueAt": at(90 * 86400), "actions": [{
                        "controlId": self.people.control, "assigneeId": author.id,
                        "description": "put it in place", "dueAt": at(60 * 86400)}]}})
            if made.ok:
                self.submit("treatment_plan", made.message.plan.meta.id)
            return
        lasts = self.random.uniform(1, 5) if self.random.random() < 0.15 else 20 * 86400
        made = self.call("open", "AcceptanceService/CreateAcceptance", author, {
            "riskId": risk, "fields": {"rationale": RATIONALE + self.uuid(),
                                       "validUntil": at(lasts)}}, {"lasts": round(lasts, 3)})
        if made.ok:
            if lasts < 10:
                with self.board.lock:
                    self.board.ends[made.message.acceptance.meta.id] = time.time() + lasts
            done = self.submit("risk_acceptance", made.message.acceptance.meta.id)
            if done.ok and lasts < 10:  # soon over: decided at once
                self.vote(self.board.requests.get(done.message.request.meta.id))

    def submit(self, kind, subject):
        rpc = "AcceptanceService/SubmitAcceptance" if kind == "risk_acceptance" \
            else "TreatmentService/SubmitPlan"
        return self.call("open", rpc, self.writer(), {"id": subject})

    def vote(self, request_=None):
        request_ = request_ or self.board.pick(self.random)
        if request_ is None:
            return
        step = request_.step or 1
        actor, behalf = self.voter(request_, step), None
        if request_.steps[step - 1][2] and self.random.random() < 0.25:
            actor, behalf = self.delegate_of(actor)
        digest, wrong = request_.digest, False
        decision = self.random.choices((APPROVE, REJECT, CHANGES, RECUSE),
                                       (86, 4, 5, 5))[0]
        if self.random.random() < 0.05:
            digest, wrong = self.wrong_digest(digest), True
        values = {"requestId": request_.id, "stepNo": step, "decision": decision,
                  "comment": "" if decision == APPROVE else "see the minutes",
                  "snapshotSha256": b64(digest)}
        if behalf:
            values["onBehalfOf"] = behalf
        answer = self.call("vote", "ApprovalService/CastVote", actor, values,
                           {"digest": digest.hex(), "wrong_digest": wrong})
        if answer.ok or answer.reason == "ALREADY_VOTED":
            self.board.votes[request_.id].add((step, actor.person))
            if behalf:
                self.board.votes[request_.id].add((step, self.people.by_id[behalf].person))
            if answer.ok and answer.message.request.state == 2:
                self.board.approved(request_)
            elif answer.ok and answer.message.request.state == 4:
                self.board.sent_back(request_)
        elif answer.reason in ("CLOSED", "STALE", "EXPIRED", "NO_QUORUM"):
            self.board.closed(request_.id)
        elif answer.reason == "STEP_NOT_OPEN" or self.random.random() < 0.1:
            self.look(request_.id)

    def wrong_digest(self, digest):
        old = self.board.old_digests
        if old and self.random.random() < 0.5:
            chosen = self.random.choice(old)
            if chosen != digest:
                return chosen
        return hashlib.sha256(digest).digest()

    def voter(self, request_, step):
        """Mostly somebody who is asked and has not voted, by what is known."""
        dice = self.random.random()
        if dice < 0.05:
            return self.random.choice(self.people.accounts)
        if dice < 0.15:
            persons = [p for p in request_.contributors if p in self.people.persons]
            if persons:
                return self.random.choice(self.people.persons[self.random.choice(persons)])
        selector, role, _ = request_.steps[step - 1]
        if selector == 1:
            risk = self.board.risks.get(request_.risk)
            return self.people.by_id.get(risk[2] if risk else "", self.people.auditor)
        asked = [(g, a) for g, (a, r, _) in request_.asked if r == role]
        if self.random.random() < 0.8:  # a role that was given back does not count here
            asked = [(g, a) for g, a in asked if g in self.board.granted] or asked
        held = [a for _, a in asked] or [self.people.auditor]
        voted = {p for _, p in list(self.board.votes[request_.id])}
        if dice > 0.85:  # once more, by another account
            again = [a for a in held if a.person in voted]
            return self.random.choice(again or held)
        voted |= set(request_.contributors)
        return self.random.choice([a for a in held if a.person not in voted] or held)

    def edit(self):
        dice = self.random.random()
        draft = self.board.pick_of(self.random, "drafts") if dice < 0.45 else None
        if draft is not None:
            return self.edit_draft(draft)
        live = self.board.pick(self.random) if self.random.random() < 0.4 else None
        risk = live.risk if live else None
        if risk is None:
            found = self.board.pick_of(self.random, "risks")
            if found is None:
                return None
            risk = found[0]
        return self.edit_risk(risk)

    def edit_risk(self, risk):
        dice, (version, scope, owner, _) = self.random.random(), self.board.risks[risk]
        if dice < 0.25:
            answer = self.score(risk)
            self.look_at_requests_of(risk)
            return answer
        fields, mask = {"title": f"risk {self.uuid()[:8]}"}, "title"
        if 0.75 < dice < 0.88:
            fields, mask = {"threatIds": self.random.sample(self.people.threats, 2)}, "threatIds"
        elif dice >= 0.88:
            owners = [a.id for a, r, s in self.people.grants.values()
                      if r == "RISK_OWNER" and s == scope]
            fields, mask = {"ownerId": self.random.choice(owners)}, "ownerId"
        answer = self.call("edit", "RiskService/UpdateRisk", self.writer(), {
            "mutation": {"expectedVersion": version}, "id": risk, "fields": fields,
            "updateMask": mask}, {"mask": mask})
        if answer.reason == "CONFLICT":
            self.call("read", "RiskService/GetRisk", self.people.auditor, {"id": risk})
        elif answer.ok and mask != "title":
            self.look_at_requests_of(risk)
        return answer

    def look_at_requests_of(self, risk):
        """They may have ended by it."""
        with self.board.lock:
            found = [r for r in self.board.live if self.board.requests[r].risk == risk]
        for request_ in found:
            self.look(request_)

    def edit_draft(self, draft):
        (kind, subject), (version, _) = draft
        if version == 0 or self.random.random() < 0.5:
            answer = self.submit(kind, subject)
        elif kind == "risk_acceptance":
            answer = self.call("edit", "AcceptanceService/UpdateAcceptance", self.writer(), {
                "mutation": {"expectedVersion": version}, "id": subject,
                "fields": {"rationale": RATIONALE + self.uuid()}, "updateMask": "rationale"})
        else:
            answer = self.call("edit", "TreatmentService/UpdatePlan", self.writer(), {
                "mutation": {"expectedVersion": version}, "id": subject,
                "fields": {"rationale": RATIONALE + self.uuid()}, "updateMask": "rationale"})
        if not answer.ok and not answer.unknown:
            self.board.lost_draft((kind, subject))

    def role(self):
        """Takes a role away, or gives one back."""
        board, admin = self.board, self.random.choice(self.people.admins)
        back = None
        with board.lock:
            if len(board.revoked) > self.random.randint(0, 16):
                back = board.revoked.pop(self.random.randrange(len(board.revoked)))
        if back is not None:
            account, role, scope = back
            answer = self.call("role", "DirectoryService/GrantRole", admin, {
                "userId": account.id, "roleCode": role, "scopeId": scope,
                "maxAcceptLevel": "RISK_LEVEL_CRITICAL"})
            if answer.ok:
                board.take_grant(answer.message.grant.meta.id, back)
            else:
                board.revoked.append(back)
            return
        held = [(g, v) for g, v in list(board.granted.items())
                if v[1] in ("RISK_COMMITTEE", "ISMS_MANAGER", "CISO", "RISK_OWNER")]
        request_ = self.half_way() if self.random.random() < 0.5 else None
        if request_:  # the right of somebody who has voted, while others still may
            step = request_.step or 1
            voted = {p for s, p in list(self.board.votes[request_.id]) if s == step}
            wanted = request_.steps[step - 1][1]
            held = [h for h in held if h[1][0].person in voted and h[1][1] == wanted] or held
        grant, value = self.random.choice(held)
        answer = self.call("role", "DirectoryService/RevokeGrant", admin,
                           {"id": grant, "reason": "moved on"}, {"userId": value[0].id})
        if answer.ok:
            board.take_grant(grant, None)
            board.revoked.append(value)
            if request_:  # does that vote still count?
                self.vote(request_)

    def half_way(self):
        """A live request with votes on its open step, when one is met."""
        for _ in range(8):
            request_ = self.board.pick(self.random)
            if request_ and any(step == (request_.step or 1)
                                for step, _ in list(self.board.votes[request_.id])):
                return request_
        return None

    def delegate_of(self, asked):
        """(who votes, on whose behalf): a delegate of who is asked; at times somebody to
        whom that one has handed on what was not theirs, which must not work."""
        with self.board.lock:
            known = list(self.board.delegations)
        mine = [d for d in known if d[1] == asked.id]
        if not mine:
            return asked, None
        _, _, to = self.random.choice(mine)
        on = [d for d in known if d[1] == to]
        if on and self.random.random() < 0.3:
            to = self.random.choice(on)[2]
        return self.people.by_id[to], asked.id

    def delegate(self):
        """Lets another vote for a while, or takes that back."""
        board, gone = self.board, None
        with board.lock:
            if len(board.delegations) > self.random.randint(40, 120):
                gone = board.delegations.pop(self.random.randrange(len(board.delegations)))
        if gone is not None:
            self.call("delegate", "DelegationService/RevokeDelegation", self.people.by_id[gone[1]],
                      {"id": gone[0], "reason": "back from the holiday"})
            return
        giver = self.anybody("RISK_COMMITTEE", "ISMS_MANAGER", "CISO", "RISK_OWNER")
        taker = self.anybody("RISK_COMMITTEE", "ISMS_MANAGER", "CISO", "RISK_OWNER")
        scope = self.people.root
        for account, role, where in list(board.granted.values()):
            if account is giver and role == "RISK_OWNER":
                scope = where
        lasts = self.random.choice((3, 86400, 10 * 86400))
        made = self.call("delegate", "DelegationService/CreateDelegation", giver, {
            "toUserId": taker.id, "scopeId": scope, "endsAt": at(lasts), "reason": "a holiday"})
        if made.ok:
            with board.lock:
                board.delegations.append((made.message.delegation.meta.id, giver.id, taker.id))

    def revoke(self):
        if self.random.random() < 0.6:
            request_ = self.board.pick(self.random)
            if request_ is None:
                return
            rpc = "AcceptanceService/WithdrawAcceptance" if request_.kind == 2 \
                else "TreatmentService/WithdrawPlan"
            actor = self.people.by_id.get(request_.requester, self.people.auditor)
            answer = self.call("revoke", rpc, actor, {"id": request_.subject})
            if answer.ok:
                self.board.closed(request_.id)
            return
        found = self.board.pick_of(self.random, "active")
        if found is None:
            return
        answer = self.call("revoke", "AcceptanceService/RevokeAcceptance",
                           self.anybody("CISO", "ISMS_MANAGER", "RISK_COMMITTEE"),
                           {"id": found[0], "reason": "the contract ended"})
        if answer.ok or not answer.unknown:
            with self.board.lock:
                self.board.active.pop(found[0], None)

    def look(self, request_id):
        return self.call("read", "ApprovalService/GetApprovalRequest", self.people.auditor,
                         {"id": request_id})

    def read(self):
        dice, auditor = self.random.random(), self.people.auditor
        ended = self.board.just_ended(time.time())
        if ended:
            dice = 0.7
        request_ = self.board.pick(self.random)
        if dice < 0.4 and request_:
            self.look(request_.id)
        elif dice < 0.6 and self.board.risks:
            risk = self.board.pick_of(self.random, "risks")[0]
            self.call("read", "RiskService/GetRisk", auditor, {"id": risk})
        elif dice < 0.8:
            found = self.board.pick_of(self.random, "active")
            if ended or found:
                self.call("read", "AcceptanceService/GetAcceptance", auditor,
                          {"id": self.random.choice(ended) if ended else found[0]})
        elif dice < 0.9:
            self.call("read", "ApprovalService/Inbox", self.random.choice(self.people.accounts),
                      {"pageSize": 20})
        else:
            self.call("read", "RiskService/ListRisks", auditor, {"pageSize": 20})

    def verify(self):
        """What was signed is what is shown, and the log tells of it."""
        request_ = self.board.pick(self.random)
        if request_ is None:
            return
        read = self.look(request_.id)
        if not read.ok:
            return
        now = read.message.request
        found = []
        digest = hashlib.sha256(b"isms/decision/v1\0" + read.message.snapshot).digest()
        if digest != now.snapshot_sha256:
            found.append("the digest is not that of the snapshot")
        snapshot = SCHEMA.message("isms.v1.DecisionSnapshot").FromString(read.message.snapshot)
        if (snapshot.subject_id, snapshot.risk_id, snapshot.subject_version, snapshot.level) != \
                (now.subject_id, now.risk_id, now.subject_version, now.level):
            found.append("the snapshot is of something else")
        if any(v.snapshot_sha256 != now.snapshot_sha256 for v in read.message.votes):
            found.append("a vote is bound to another digest")
        events = self.call("verify", "AuditLogService/ListAuditEvents", self.people.auditor,
                           {"pageSize": 100, "entityId": now.meta.id}, {"found": found})
        if not events.ok:
            return
        told = {e.event.request_id for e in events.message.events if e.event.outcome == 1}
        if len(events.message.events) < 100 and len(told) < len(read.message.votes):
            found.append("a vote has no event in the log")
        if found:
            self.history.add(Op.made(process=self.process, op="verify", rpc="", type="ok",
                                     args={"id": now.meta.id}, invoke=time.monotonic_ns(),
                                     complete=time.monotonic_ns(), result={"found": found}))


def refused(answer):
    """Refusals that leave an event in the log."""
    return int(answer.code in ("PERMISSION_DENIED", "FAILED_PRECONDITION"))


def summarise(op, message):
    """What the check needs to know of a reply."""
    if op.rpc == "ApprovalService/CastVote":
        op.result.update(state=message.request.state, step=message.request.current_step,
                         remaining=message.remaining)
    elif op.rpc == "ApprovalService/GetApprovalRequest":
        op.result.update(state=message.request.state, step=message.request.current_step,
                         votes=[[v.step_no, v.voter_person] for v in message.votes],
                         behalf=[[v.step_no, v.on_behalf_of] for v in message.votes
                                 if v.on_behalf_of])
    elif op.rpc == "AcceptanceService/GetAcceptance":
        got = message.acceptance
        op.result.update(effective=got.effective, wall=op.wall,
                         until=got.valid_until.seconds + got.valid_until.nanos / 1e9)
    elif op.rpc == "DirectoryService/GrantRole":
        op.result.update(grant=message.grant.meta.id)


def settle(op, link, token):
    """Repeats what has no answer, with the same key, until it has one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = link.call(op.rpc, op.message, token, TIMEOUT)
        op.attempts += 1
        op.internal |= answer.code == "INTERNAL"
        if not answer.unknown:
            break
        time.sleep(0.1)
    else:
        answer = Answer("UNAVAILABLE")
    op.complete, op.settled = time.monotonic_ns(), True
    op.code, op.reason = answer.code, answer.reason
    op.refusals += refused(answer)
    op.type = "ok" if answer.ok else "info" if answer.unknown else "fail"
    if answer.ok:
        op.entities = entities(answer.message)
        summarise(op, answer.message)
    op.message = None
