"""What the clients know, shared by all of them: what is open, what is in force, who
holds what. Only ever a hint: the server decides, and the check afterwards uses the
history and the database alone."""

import bisect
import itertools
import random
import threading
import time

LIVE = 100


class Request:
    __slots__ = ("id", "risk", "kind", "subject", "step", "steps", "digest", "version", "requester",
                 "contributors", "level", "asked")

    def __init__(self):
        self.asked = []

    def take(self, message):
        self.id, self.risk = message.meta.id, message.risk_id
        self.kind, self.subject = message.subject_kind, message.subject_id
        self.step, self.version = message.current_step, message.meta.version
        self.steps = [(s.selector, s.role_code, s.allow_delegate) for s in message.steps.steps]
        self.digest, self.requester = message.snapshot_sha256, message.requested_by
        self.contributors, self.level = list(message.contributor_persons), message.level
        return self


class Board:
    def __init__(self, people, seed):
        self.people, self.lock = people, threading.Lock()
        self.random = random.Random(seed)
        self.risks, self.requests, self.live = {}, {}, []
        self.drafts, self.active, self.old_digests = {}, {}, []
        self.granted = dict(people.grants)
        self.askable = list(self.granted.items())
        self.revoked = []
        self.delegations = []
        self.votes, self.ends, self.taken = {}, {}, {}
        self.zipf = list(itertools.accumulate(1.0 / (rank + 1) for rank in range(1000)))

    # --- what replies tell -----------------------------------------------------

    def see(self, message):
        for field, value in message.ListFields():
            if field.type != field.TYPE_MESSAGE or field.label == field.LABEL_REPEATED:
                continue
            name = value.DESCRIPTOR.name
            taker = getattr(self, "_see_" + name, None)
            if taker is not None and value.HasField("meta"):
                with self.lock:
                    taker(value)

    def _see_Risk(self, risk):
        known = self.risks.get(risk.meta.id)
        if known is None or known[0] <= risk.meta.version:
            self.risks[risk.meta.id] = (risk.meta.version, risk.scope_id, risk.owner_id,
                                        risk.current.level)

    def _see_ApprovalRequest(self, message):
        known = self.requests.get(message.meta.id)
        if known is not None and known.version > message.meta.version:
            return
        self.requests[message.meta.id] = request = (known or Request()).take(message)
        if message.state == 1 and request.id not in self.votes:
            self.votes[request.id] = set()
            request.asked = self.askable
            self.live.append(request.id)
        elif message.state != 1 and request.id in self.live:
            self.live.remove(request.id)
            self.old_digests = self.old_digests[-50:] + [request.digest]

    def _see_Acceptance(self, message):
        self._subject("risk_acceptance", message, message.state in (1, 3))
        if message.state == 4:
            self.active[message.meta.id] = message.risk_id
        else:
            self.active.pop(message.meta.id, None)

    def _see_TreatmentPlan(self, message):
        if message.option != 3:
            self._subject("treatment_plan", message, message.state in (1, 3))

    def _subject(self, kind, message, draft):
        key = (kind, message.meta.id)
        if draft:
            self.drafts[key] = (message.meta.version, message.risk_id)
        else:
            self.drafts.pop(key, None)

    def take_grant(self, grant, value):
        """Given, or with None taken away."""
        with self.lock:
            if value is None:
                self.granted.pop(grant, None)
            else:
                self.granted[grant] = value
            self.askable = list(self.granted.items())

    def approved(self, request):
        """A vote resolved it; its subject may be in force."""
        with self.lock:
            if request.kind == 2:
                self.active[request.subject] = request.risk

    def lost_draft(self, key):
        """A refusal told that it is none any more."""
        with self.lock:
            self.drafts.pop(key, None)

    def sent_back(self, request):
        """It may be submitted once more."""
        kind = "risk_acceptance" if request.kind == 2 else "treatment_plan"
        with self.lock:
            self.drafts.setdefault((kind, request.subject), (0, request.risk))

    def closed(self, request_id):
        """A refusal told that it is."""
        with self.lock:
            if request_id in self.live:
                self.live.remove(request_id)

    # --- choices -----------------------------------------------------------------

    def pick(self, rng):
        """A live request; old ones are the popular ones."""
        with self.lock:
            if not self.live:
                return None
            top = self.zipf[min(len(self.live), len(self.zipf)) - 1]
            rank = bisect.bisect_left(self.zipf, rng.random() * top)
            return self.requests[self.live[min(rank, len(self.live) - 1)]]

    def pick_of(self, rng, name):
        with self.lock:
            found = getattr(self, name)
            if not found:
                return None
            return rng.choice(list(found.items()) if isinstance(found, dict) else found)

    def just_ended(self, now):
        """An acceptance in force that has run out this moment, when there is one."""
        with self.lock:
            for subject in [s for s, e in list(self.ends.items()) if e < now - 2.5]:
                del self.ends[subject]
            return [s for s, e in list(self.ends.items()) if e < now and s in self.active]

    def free_risk(self, rng):
        """A risk on which nothing waits."""
        with self.lock:
            now = time.monotonic()
            busy = {self.requests[r].risk for r in self.live}
            free = [r for r in self.risks if r not in busy and self.taken.get(r, 0) < now]
            if not free:
                return None
            chosen = rng.choice(free)
            self.taken[chosen] = now + 3
            return chosen
