"""The law of decisions, written a second time from its description: roles that hold at
a vote and at the resolution, the separation of duties by person, quorums of frozen
steps, one acceptance in force. It folds the audit log in the order of commits and says
what should never have been. Nothing of the product is used here."""

import datetime

DECIDING = {"RISK_OWNER", "ISMS_MANAGER", "APPROVER", "CISO", "RISK_COMMITTEE", "TOP_MANAGEMENT"}
LEVELS = {"": 0, "UNSPECIFIED": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 4}
DERIVED = {"effective", "disposition", "accepted_until", "uncovered"}  # by the time of reading
SEEN_MAX = 1000  # bytes; longer texts are cut in the log
CLOCK_JUMP = 1800
MODE_ALL, MODE_QUORUM = 2, 3
SELECTOR_OWNER, SELECTOR_USERS = 1, 5


def seconds(text):
    """Of a time as the log writes it; None for none."""
    if not text:
        return None
    text = text.replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).timestamp()


def same(known, told):
    if known == told or {known, told} <= {"", "false", "0", "UNSPECIFIED"}:
        return True
    return len(known.encode()) >= SEEN_MAX and len(told.encode()) >= SEEN_MAX


class Violation:
    def __init__(self, invariant, text, entity="", keys=(), event=None):
        self.invariant, self.text, self.entity = invariant, text, entity
        self.keys, self.event = list(keys), event

    def __repr__(self):
        return f"{self.invariant}: {self.text}"


class Vote:
    def __init__(self, fields, actor, key):
        get = {k: v[1] for k, v in fields.items()}
        self.id, self.told = get.get("id", ""), get
        self.step, self.voter = int(get["step_no"]), get.get("voter_id", actor)
        self.person = get.get("voter_person", "")
        self.behalf = get.get("on_behalf_of", "")
        self.behalf_person = get.get("on_behalf_person", "")
        self.delegation = get.get("delegation_id", "")
        self.decision, self.digest = get["decision"], get.get("snapshot_sha256", "")
        self.request, self.key, self.shaken = get["request_id"], key, False

    @property
    def authority(self):
        """The account whose right it is."""
        return self.behalf or self.voter

    @property
    def persons(self):
        return {self.person, self.behalf_person} - {""}


class Model:
    """people: {account id: person}; above: {scope: scopes at or above it}; grants:
    {id: (account id, role, scope, level)} at the beginning; steps: {request: its frozen
    steps}; assignees: {(request, step): [(account id, person, asked by escalation)]};
    outvoted: requests in which a rejection is no veto."""

    def __init__(self, people, above, grants, steps, assignees, outvoted=()):
        self.people, self.above = people, above
        self.steps, self.assignees, self.outvoted = steps, assignees, outvoted
        self.escalated = {(request, step, user) for (request, step), seats in assignees.items()
                          for user, _, escalated in seats if escalated}
        self.rows, self.votes, self.scorers, self.authors = {}, {}, {}, {}
        self.scores, self.met_void = {}, 0  # approvals that met votes which count no more
        self.grants, self.of_user, self.in_force, self.by_user = {}, {}, {}, {}
        self.last_at = 0.0
        self.found, self.event = [], None
        for grant, (user, role, scope, level) in grants.items():
            self._add_grant(grant, user, role, scope, level, 0.0, None, 0.0)

    def bad(self, invariant, text, entity="", *keys):
        self.found.append(Violation(invariant, text, entity, [self.event.key, *keys], self.event))

    # --- who may -----------------------------------------------------------------

    def _add_grant(self, grant, user, role, scope, level, start, end, given):
        self.grants[grant] = [user, role, scope, level, start, end, "", given]
        self.of_user.setdefault(user, []).append(grant)

    def held(self, user, request, at):
        """(role, level) of the grants in force that were given before the request."""
        for grant in self.of_user.get(user, ()):
            _, role, where, level, start, end, revoked, given = self.grants[grant]
            if not revoked and where in self.above[request["scope_id"]] and start <= at and \
                    (end is None or end > at) and given <= request["opened_at"]:
                yield role, level

    def lost(self, user):
        """Key of the last revocation of a grant of this account."""
        keys = [self.grants[g][6] for g in self.of_user.get(user, ()) if self.grants[g][6]]
        return keys[-1] if keys else ""

    def may_decide(self, user, request, step, at):
        roles = {r for r, level in self.held(user, request, at)
                 if r in DECIDING and level >= LEVELS[request["level"]]}
        if (request["id"], step.step_no, user) in self.escalated:
            return step.escalate_to_role in roles
        risk = self.rows.get(("risk", request["risk_id"]))
        owner = risk is not None and risk["owner_id"] == user
        if step.selector == SELECTOR_OWNER:
            return owner and "RISK_OWNER" in roles
        if step.selector == SELECTOR_USERS:
            return user in step.user_ids and bool(roles if owner else roles - {"RISK_OWNER"})
        return step.role_code in roles

    def active(self, user):
        return self.rows.get(("app_user", user), {}).get("state", "ACTIVE") == "ACTIVE"

    def asked(self, vote):
        """Accounts that were asked on the step of a vote."""
        return [u for u, _, _ in self.assignees.get((vote.request, vote.step), [])]

    # --- the fold ----------------------------------------------------------------

    def take(self, event):
        self.event = event
        if event.at < self.last_at - CLOCK_JUMP:
            self._shake(vote for cast in self.votes.values() for vote in cast)
        self.last_at = event.at
        votes = [Vote(f, event.actor, event.key) for k, _, _, f in event.records
                 if k == "approval_vote"]
        for vote in votes:
            self._before_vote(vote)
        self._before(event)
        for change in event.changes:
            self._fold(*change)
        for kind, _, _, fields in event.records:
            if kind == "risk_score":
                get = {k: v[1] for k, v in fields.items()}
                self.scores[get.get("id", "")] = get
                self.scorers.setdefault(get["risk_id"], {})[get["kind"]] = \
                    set(get.get("scored_by_persons", "").split(", "))
        self._authorship(event)
        for vote in votes:
            self.votes.setdefault(vote.request, []).append(vote)
            for user in {vote.voter, vote.authority}:
                self.by_user.setdefault(user, []).append(vote)
            self._after_vote(vote)
        self._after(event, votes)

    def _fold(self, kind, entity, version, fields):
        row = self.rows.get((kind, entity))
        if row is None:
            first = 1 if kind not in ("app_user", "person") else version
            if version != first and (kind, entity) not in self.grants:
                if not (kind == "role_grant" and entity in self.grants):
                    self.bad("I7", f"{kind} begins with version {version}", entity)
            row = self.rows[(kind, entity)] = {"id": entity, "version": version,
                                               "key": self.event.key}
        else:
            if version != row["version"] + 1:
                self.bad("I7", f"{kind} goes from version {row['version']} to {version}: a "
                         "version without one writer", entity, row["key"])
            row["version"], row["key"] = version, self.event.key
            for field, (before, _) in fields.items():
                derived = field in DERIVED or (kind, field) == ("delegation", "state")
                if not derived and not same(row.get(field, ""), before):
                    self.bad("I7", f"{kind}.{field} was {row.get(field, '')!r} and the log says "
                             f"it was {before!r}: a lost edit", entity)
        for field, (_, after) in fields.items():
            row[field] = after
        if kind == "role_grant":
            self._fold_grant(entity, row)
        elif kind == "delegation" and version == 1:
            row["made_at"] = self.event.at
        elif kind == "delegation":
            self._shake(self.by_user.get(row["from_user_id"], ()))

    def _fold_grant(self, entity, row):
        if entity not in self.grants:
            self._add_grant(entity, row["user_id"], row["role_code"], row["scope_id"],
                            LEVELS[row.get("max_accept_level", "")],
                            seconds(row.get("valid_from")) or 0.0,
                            seconds(row.get("valid_until")), self.event.at)
        if row.get("revoked_at"):
            self.grants[entity][6] = self.event.key
            self._shake(self.by_user.get(self.grants[entity][0], ()))

    @staticmethod
    def _shake(votes):
        """What these votes rest on was lost at some moment: they may be void for good."""
        for vote in votes:
            vote.shaken = True

    def _authorship(self, event):
        """Who wrote the content of a plan or an acceptance."""
        service, _, name = event.rpc.partition("/")
        if service not in ("AcceptanceService", "TreatmentService") or \
                not name.startswith(("Create", "Update", "Renew")):
            return  # an edited risk sends its acceptance back, and writes nothing in it
        for kind, entity, _, _ in event.changes:
            if kind in ("treatment_plan", "risk_acceptance"):
                self.authors.setdefault(entity, set()).add(self.people.get(event.actor, ""))

    # --- rules -------------------------------------------------------------------

    def _request(self, vote):
        return self.rows.get(("approval_request", vote.request))

    def _before_vote(self, vote):
        request, at = self._request(vote), self.event.at
        if request is None:
            return self.bad("I1", "a vote on a request that never was", vote.request)
        if request["state"] != "PENDING":
            self.bad("I2", f"a vote on a request that is {request['state']}", vote.request)
        if vote.step != int(request.get("current_step") or 0):
            self.bad("I11", f"a vote on step {vote.step} while step "
                     f"{request.get('current_step')} is open", vote.request)
        before = self.votes.get(vote.request, [])
        step = self.steps[vote.request][vote.step - 1]
        for old in before:
            if old.persons & vote.persons and old.step == vote.step:
                self.bad("I2", "a person voted twice on a step", vote.request, old.key)
            elif old.persons & vote.persons and step.distinct_from_prior and old.step < vote.step:
                self.bad("I3", "a person voted on two steps that want different people",
                         vote.request, old.key)
        self._duties(vote, request)
        if vote.behalf:
            self._delegated(vote, request, step)
        elif vote.voter not in self.asked(vote):
            self.bad("I5", "the voter was not asked", vote.request)
        if not (self.active(vote.voter) and self.active(vote.authority)):
            self.bad("I5", "an account that is not active has voted", vote.request)
        if not self.may_decide(vote.authority, request, step, at):
            self.bad("I5", "the voter had no right to this decision when it was committed",
                     vote.request, self.lost(vote.authority))
        if vote.digest != request.get("snapshot_sha256"):
            self.bad("I4", "the vote is bound to another digest", vote.request)
        self._content(vote, request)
        return None

    def _duties(self, vote, request):
        contributors = set(request.get("contributor_persons", "").split(", ")) | \
            request.get("true_contributors", set())
        for person in vote.persons:
            if person == request.get("requested_by_person"):
                self.bad("I3", "the person who asked has voted", vote.request)
            elif person in contributors:
                self.bad("I3", "a person who wrote or scored the content has voted", vote.request)
        if self.people.get(vote.voter, vote.person) != vote.person:
            self.bad("I3", "the vote names another person than its account", vote.request)

    def _delegated(self, vote, request, step):
        """One hand on, made before the request, in force, and no more than was given."""
        given, at = self.rows.get(("delegation", vote.delegation)), self.event.at
        if given is None or (given["from_user_id"], given["to_user_id"]) != \
                (vote.behalf, vote.voter):
            return self.bad("I3", "the delegation is not from the one who was asked to the one "
                            "who voted", vote.request)
        wrong = {
            "the delegator was not asked": vote.behalf not in self.asked(vote),
            "the delegation was revoked": bool(given.get("revoked_at")),
            "the delegation was not in force":
                not seconds(given["starts_at"]) <= at < seconds(given["ends_at"]),
            "the delegation is for another scope":
                given["scope_id"] not in self.above[request["scope_id"]],
            "the delegation is younger than the request":
                given["made_at"] >= request["opened_at"],
            "the level is above that of the delegation":
                LEVELS[given.get("max_level", "")] < LEVELS[request["level"]],
            "the delegation is for other subjects":
                request["subject_kind"] not in given.get("subject_kinds", "").split(", "),
            "the step allows no delegate": not step.allow_delegate,
            "delegate and delegator are one person": vote.person == vote.behalf_person,
        }
        for text, is_wrong in wrong.items():
            if is_wrong:
                self.bad("I3", text, vote.request)
        return None

    def _counts(self, vote, request, step, at):
        """Whether an approval counts at this moment."""
        if vote.behalf and self.rows[("delegation", vote.delegation)].get("revoked_at"):
            return False
        return self.active(vote.authority) and self.may_decide(vote.authority, request, step, at)

    def _content(self, vote, request):
        risk = self.rows.get(("risk", request["risk_id"]))
        subject = self._subject(request)
        if risk is None or str(risk["version"]) != request["risk_version"]:
            self.bad("I4", f"the risk was version {risk and risk['version']} and the vote was on "
                     f"version {request['risk_version']}", vote.request, risk["key"] if risk else "")
        if subject is None or str(subject["version"]) != request["subject_version"] or \
                subject["state"] != "SUBMITTED":
            self.bad("I4", "the subject was not as it was submitted", vote.request)

    def _subject(self, request):
        kind = "risk_acceptance" if request["subject_kind"] == "ACCEPTANCE" else "treatment_plan"
        return self.rows.get((kind, request["subject_id"]))

    def valid(self, request_id, step_no, at):
        """Approvals on a step whose voters may still decide, and whose may not."""
        request, step = self.rows[("approval_request", request_id)], self.steps[request_id]
        good, void = [], []
        for vote in self.votes.get(request_id, []):
            if vote.step == step_no and vote.decision == "APPROVE":
                (good if self._counts(vote, request, step[step_no - 1], at)
                 else void).append(vote)
        self._shake(void)
        return good, void

    def needed(self, request_id, step_no):
        step = self.steps[request_id][step_no - 1]
        if step.mode == MODE_ALL:
            return max(1, len({p for _, p, late in self.assignees.get((request_id, step_no), [])
                           if not late}))
        return step.quorum if step.mode == MODE_QUORUM else 1

    def _after_vote(self, vote):
        request, at = self._request(vote), self.event.at
        if request is None:
            return
        wanted = {"REJECT": "REJECTED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}.get(vote.decision)
        if vote.decision == "REJECT" and vote.request in self.outvoted:
            self._after_rejection(vote, request)
        elif wanted:
            if request["state"] != wanted:
                self.bad("I11", f"{vote.decision} left the request {request['state']}",
                         vote.request)
        if vote.decision != "APPROVE":
            return
        good, void = self.valid(vote.request, vote.step, at)
        self.met_void += bool(void)
        met = len(good) >= self.needed(vote.request, vote.step)
        last = vote.step == len(self.steps[vote.request])
        open_step = int(request.get("current_step") or 0)
        firm = sum(1 for v in good if not v.shaken) >= self.needed(vote.request, vote.step)
        if firm and open_step == vote.step and request["state"] == "PENDING":
            self.bad("STUCK", f"step {vote.step} has {len(good)} of "
                     f"{self.needed(vote.request, vote.step)} approvals and stays open",
                     vote.request)
        elif not met and request["state"] == "EXPIRED":
            self._not_lost_early(vote, request, "APPROVE")
        elif not met and (open_step != vote.step or request["state"] != "PENDING"):
            self.bad("I5" if void else "I2",
                     f"step {vote.step} was passed with {len(good)} of "
                     f"{self.needed(vote.request, vote.step)} approvals"
                     + (f", {len(void)} of people who had lost the right" if void else ""),
                     vote.request, *[self.lost(v.authority) for v in void])
        if request["state"] == "APPROVED":
            self._resolved(vote.request, request, last)

    def _after_rejection(self, vote, request):
        """It ends what can be approved no more, and nothing else; where rights were lost, or
        others may be asked, that is not said here."""
        reachable = self._reachable(vote, request)
        escalates = any(step.escalate_to_role for step in self.steps[vote.request])
        if request["state"] == "REJECTED":
            self._not_lost_early(vote, request, "REJECT")
        elif request["state"] == "PENDING" and not reachable and not escalates:
            self.bad("STUCK", "REJECT left open what nobody can approve", vote.request)
        elif request["state"] != "PENDING":
            self.bad("I11", f"REJECT left the request {request['state']}", vote.request)

    def _not_lost_early(self, vote, request, decision):
        shaken = any(v.shaken for v in self.votes.get(vote.request, []))
        if not shaken and request["level"] != "CRITICAL" and self._reachable(vote, request):
            self.bad("I11", f"{decision} ended a request that could be approved", vote.request)

    def _reachable(self, vote, request):
        """Whether those who were asked can still approve it after a vote."""
        at, cast = self.event.at, self.votes.get(vote.request, [])
        for step in self.steps[vote.request]:
            spent = set().union(*(v.persons for v in cast if v.step == step.step_no or
                                  (step.distinct_from_prior and v.step < step.step_no)))
            seats = self.assignees.get((vote.request, step.step_no), [])
            left = {person for user, person, late in seats if not late and person not in spent
                    and self.may_decide(user, request, step, at)}
            good, _ = self.valid(vote.request, step.step_no, at)
            may_come = len(left) if step.step_no >= vote.step else 0
            if len(good) + may_come < self.needed(vote.request, step.step_no):
                return False
        return True

    def _resolved(self, request_id, request, last):
        if not last:
            self.bad("I2", "approved before the last step", request_id)
        for step_no in range(1, len(self.steps[request_id]) + 1):
            good, void = self.valid(request_id, step_no, self.event.at)
            if len(good) < self.needed(request_id, step_no):
                self.bad("I5" if void else "I2",
                         f"approved with {len(good)} of {self.needed(request_id, step_no)} "
                         f"approvals on step {step_no}"
                         + (f", {len(void)} of people who had lost the right" if void else ""),
                         request_id, *[self.lost(v.authority) for v in void])
        persons = {v.person for v in self.votes[request_id] if v.decision == "APPROVE"}
        if request["level"] == "CRITICAL" and len(persons) < 3:
            self.bad("I3", f"a critical risk was decided by {len(persons)} persons", request_id)
        subject = self._subject(request)
        if subject is None:
            return
        until = seconds(subject.get("valid_until"))
        if request["subject_kind"] == "ACCEPTANCE" and until is not None and until <= self.event.at:
            self.bad("I5", "an acceptance was activated after its end", request_id)

    def _before(self, event):
        """What an event must not do, by the state before it."""
        for kind, entity, _, fields in event.changes:
            state = fields.get("state", ("", ""))
            if kind == "approval_request" and state[0] not in ("", "PENDING"):
                self.bad("I2", f"a request that is {state[0]} becomes {state[1]}", entity)
            if state[1] == "ACTIVE" and kind == "risk_acceptance" and \
                    event.rpc != "ApprovalService/CastVote":
                self.bad("I2", f"an acceptance is in force by {event.rpc}", entity)
            if state[1] == "APPROVED" and kind == "approval_request" and \
                    event.rpc != "ApprovalService/CastVote":
                self.bad("I2", f"a request is approved by {event.rpc}", entity)

    def _after(self, event, votes):
        for kind, entity, version, fields in event.changes:
            state = fields.get("state", ("", ""))[1]
            if kind == "approval_request" and version == 1:
                self._opened(entity)
            elif kind == "approval_request" and state == "APPROVED" and not votes:
                self.bad("I2", "a request is approved without a vote", entity)
        states = [(fields["state"][1] == "ACTIVE", entity, fields["state"][1])
                  for kind, entity, _, fields in event.changes
                  if kind == "risk_acceptance" and "state" in fields]
        for _, entity, state in sorted(states):  # what ends, before what begins
            self._in_force(entity, state)

    def _opened(self, entity):
        request = self.rows[("approval_request", entity)]
        truth = set(self.authors.get(request["subject_id"], set()))
        for kind, persons in self.scorers.get(request["risk_id"], {}).items():
            if kind in ("1", "2"):
                truth |= persons
        request["true_contributors"] = truth - {""}
        request["opened_at"] = self.event.at
        told = set(request.get("contributor_persons", "").split(", "))
        if not request["true_contributors"] <= told:
            self.bad("I3", "a person who wrote or scored the content is not named", entity)

    def _in_force(self, entity, state):
        row = self.rows[("risk_acceptance", entity)]
        held = self.in_force.setdefault(row["risk_id"], set())
        held.discard(entity)
        if state != "ACTIVE":
            return
        held.add(entity)
        now = [e for e in held if seconds(self.rows[("risk_acceptance", e)]["valid_until"])
               > self.event.at]
        if len(held) > 1:
            self.bad("I2", f"a risk has {len(held)} active acceptances, {len(now)} of them "
                     "effective", row["risk_id"])
