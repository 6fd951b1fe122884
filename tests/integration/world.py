"""A sample organisation, made through the API alone. People are role names."""

import datetime
import hashlib
import uuid

from api import Api, Failure, b64, decision_digest

LONG_AGO = "because the provider cannot be replaced before the end of the contract"


def password(name):
    """Long, and without the name: the server refuses that."""
    return "pass phrase " + hashlib.sha256(name.encode()).hexdigest()[:16]


def soon(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """admin, and whom admin made. Each account is an Api under its name."""

    def __init__(self, server, organisation, invitation, admin_email):
        self.server, self.organisation = server, organisation
        self.channel = server.channel()
        self.nobody = Api(self.channel)
        self.users, self.apis = {}, {}
        self._activate("admin", admin_email, invitation)
        self.root = next(s for s in self.admin.call("ScopeService/ListScopes").scopes
                         if not s.parent_id)

    def __getattr__(self, name):
        try:
            return self.__dict__["apis"][name]
        except KeyError:
            raise AttributeError(name) from None

    def login(self, name, email=None):
        reply = self.nobody.call(
            "AuthService/Login", organisation=self.organisation,
            email=email or self.users[name].email, password=password(name))
        self.users[name] = reply.user
        self.apis[name] = Api(self.channel, reply.access_token)
        return self.apis[name]

    def _activate(self, name, email, invitation):
        self.nobody.call("AuthService/Activate", invitation=invitation,
                         password=password(name))
        self.login(name, email)

    def add(self, name, role=None, level=None, scope=None, person=None, by=None):
        """An active account with a role."""
        email = f"{name.replace('_', '.')}@{self.organisation}.example.org"
        made = self.admin.call("DirectoryService/CreateUser", email=email, display_name=name,
                               kind="USER_KIND_HUMAN", person_id=person or "")
        self._activate(name, email, made.invitation)
        if role:
            self.grant(name, role, level, scope, by)
        return self.apis[name]

    def grant(self, name, role, level=None, scope=None, by=None):
        return (by or self.admin).call(
            "DirectoryService/GrantRole", user_id=self.users[name].meta.id, role_code=role,
            scope_id=scope or self.root.meta.id,
            max_accept_level=f"RISK_LEVEL_{level or 'UNSPECIFIED'}").grant

    def add_service(self, name, role, owner, scope=None):
        made = self.admin.call(
            "DirectoryService/CreateUser", email=f"{name}@{self.organisation}.example.org",
            display_name=name, kind="USER_KIND_SERVICE",
            owner_person_ids=[self.users[owner].person_id])
        self.users[name] = made.user
        self.grant(name, role, scope=scope)
        issued = self.admin.call("DirectoryService/IssueToken", user_id=made.user.meta.id,
                                 name="test", valid_days=1)
        self.apis[name] = Api(self.channel, issued.token)
        return self.apis[name]

    def id(self, name):
        return self.users[name].meta.id

    # --- things --------------------------------------------------------------

    def scope(self, name, parent=None):
        return self.admin_scope.call(
            "ScopeService/CreateScope", parent_id=parent or self.root.meta.id,
            kind="SCOPE_KIND_UNIT", fields={"name": name}).scope

    def system(self, scope, owner="owner", name=None):
        return self.manager.call(
            "ScopeService/CreateAiSystem", scope_id=scope.meta.id,
            fields={"name": name or unique("system"), "sourcing": "AI_SYSTEM_SOURCING_IN_HOUSE",
                    "processes": True, "owner_id": self.id(owner)}).ai_system

    def asset(self, scope, owner="owner", category="MODEL"):
        return self.analyst.call(
            "AssetService/CreateAsset", scope_id=scope.meta.id,
            category=f"ASSET_CATEGORY_{category}",
            fields={"name": unique("asset"), "owner_id": self.id(owner)}).asset

    def risk(self, scope=None, by="contributor", owner="owner", score=(3, 4), **fields):
        """A risk with a current score; (3, 4) is HIGH in the starter criteria."""
        api = self.apis[by]
        risk = api.call(
            "RiskService/CreateRisk", scope_id=(scope or self.unit).meta.id,
            fields={"title": unique("risk"), "owner_id": self.id(owner), **fields}).risk
        if score:
            risk = self.score(risk, *score, by=by)
        return risk

    def score(self, risk, likelihood, impact, by="contributor", kind="CURRENT"):
        return self.apis[by].call(
            "RiskService/ScoreRisk", id=risk.meta.id, kind=f"SCORE_KIND_{kind}",
            likelihood=likelihood, impact=impact, rationale="as seen in the last test").risk

    def acceptance(self, risk, by="contributor", days=20, submit=True):
        api = self.apis[by]
        acceptance = api.call(
            "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
            fields={"rationale": LONG_AGO, "valid_until": soon(days)}).acceptance
        if not submit:
            return acceptance
        return api.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)

    def control(self):
        return self.manager.call("CatalogService/ListControls", page_size=1).controls[0]

    def plan(self, risk, by="contributor", submit=True, assignee="contributor"):
        """A MITIGATE plan."""
        api = self.apis[by]
        plan = api.call(
            "TreatmentService/CreatePlan", risk_id=risk.meta.id,
            option="TREATMENT_OPTION_MITIGATE",
            fields={"rationale": "the control is known to work",
                    "target": {"likelihood": 1, "impact": 1}, "due_at": soon(90),
                    "actions": [{"control_id": self.control().meta.id,
                                 "assignee_id": self.id(assignee),
                                 "description": "put it in place", "due_at": soon(60)}]}).plan
        if not submit:
            return plan
        return api.call("TreatmentService/SubmitPlan", id=plan.meta.id)

    def policy(self, scope=None, by="officer", kind="ACCEPTANCE", steps=None, submit=True,
               replaces=None, repeals=False, **fields):
        """A change of policies: three people, unless steps say otherwise."""
        text = {"title": unique("policy"), **fields}
        if not repeals:
            text["steps"] = {"steps": steps or [
                policy_step(1, "CISO"),
                policy_step(2, "RISK_COMMITTEE", quorum=2, distinct_from_prior=True)]}
        api = self.apis[by]
        policy = api.call(
            "PolicyService/CreatePolicy", scope_id=(scope or self.unit).meta.id,
            subject_kind=f"SUBJECT_KIND_{kind}", replaces_id=replaces or "", repeals=repeals,
            fields=text).policy
        if not submit:
            return policy
        return api.call("PolicyService/SubmitPolicy", id=policy.meta.id)

    def vote(self, name, request, decision="APPROVE", comment="", step=None, digest=None,
             behalf=None):
        """Casts a vote as a person would: reads the request, hashes the snapshot."""
        api = self.apis[name]
        if digest is None:
            read = api.call("ApprovalService/GetApprovalRequest", id=request.meta.id)
            digest = decision_digest(read.snapshot)
            assert digest == read.request.snapshot_sha256
            step = step or read.request.current_step
        return api.call(
            "ApprovalService/CastVote", request_id=request.meta.id, step_no=step or 1,
            decision=f"DECISION_{decision}", comment=comment, snapshot_sha256=b64(digest),
            on_behalf_of=self.id(behalf) if behalf else "")

    def delegate(self, name, to, scope=None, days=7, **fields):
        """Lets somebody vote for name."""
        return self.apis[name].call(
            "DelegationService/CreateDelegation", to_user_id=self.id(to),
            scope_id=(scope or self.unit).meta.id, ends_at=soon(days), reason="a holiday",
            **fields).delegation

    def vote_fails(self, name, request, **args):
        try:
            self.vote(name, request, **args)
        except Failure as failure:
            return failure
        raise AssertionError(f"the vote of {name} was taken")

    def request(self, request, by="owner"):
        return self.apis[by].call("ApprovalService/GetApprovalRequest",
                                  id=request.meta.id).request


def policy_step(number, role=None, quorum=0, **fields):
    """ANY or, with a quorum, QUORUM of a role, or of the owner of the risk."""
    return {"step_no": number, "mode": "STEP_MODE_QUORUM" if quorum else "STEP_MODE_ANY",
            "quorum": quorum, "role_code": role or "",
            "selector": "STEP_SELECTOR_ROLE" if role else "STEP_SELECTOR_RISK_OWNER", **fields}


def unique(stem):
    return f"{stem} {uuid.uuid4().hex[:10]}"


def populate(world):
    """Everybody who is needed for the main job."""
    world.add("officer", "ISMS_MANAGER", "CRITICAL")
    world.apis["admin_scope"] = world.officer
    world.apis["manager"] = world.officer
    world.users["manager"] = world.users["officer"]
    world.unit = world.scope("unit")
    world.other_unit = world.scope("other unit")
    unit = world.unit.meta.id
    world.add("contributor", "CONTRIBUTOR", scope=unit)
    world.add("analyst", "RISK_ANALYST", scope=unit)
    world.add("owner", "RISK_OWNER", "CRITICAL", scope=unit)
    world.add("colleague", "CONTRIBUTOR", scope=unit)
    world.add("ciso", "CISO", "CRITICAL")
    for i in (1, 2, 3):
        world.add(f"committee_{i}", "RISK_COMMITTEE", "CRITICAL")
    world.add("auditor", "AUDITOR")
    world.add("stranger", "RISK_OWNER", "CRITICAL", scope=world.other_unit.meta.id)
    world.add_service("pipeline", "SERVICE", "contributor", scope=unit)
    return world


def first_world(server):
    data = server.folder / "data"
    invitation = (data / "invitation").read_text().strip()
    return populate(World(server, server.conf.get("organisation", "example"), invitation,
                          server.conf["email"]))


def second_world(server, code="other"):
    """Another organisation in the same database, made by its owner."""
    import secrets
    token = "ismsB_" + secrets.token_urlsafe(32) + "AAAAAA"
    with server.database() as db:
        db.execute("SELECT isms.bootstrap_organisation(%s, %s, %s, %s, %s, now() + interval '1 hour')",
                   (code, "Other", "admin@other.example.org", "admin",
                    hashlib.sha256(token.encode()).digest()))
    return populate(World(server, code, token, "admin@other.example.org"))
