"""Every method x every built-in role x {own unit, other unit, other organisation}:
asserted cell by cell. What a role may do is stated here a second time, from the
duties of the roles, not read from the server."""

import pytest

import sample
from api import SCHEMA, Failure
from world import unique

MEMBERS = {"ISMS_MANAGER", "RISK_ANALYST", "CONTRIBUTOR", "ASSET_OWNER", "MODEL_OWNER",
           "RISK_OWNER", "APPROVER", "CISO", "RISK_COMMITTEE", "TOP_MANAGEMENT", "AUDITOR"}
ALL = MEMBERS | {"ORG_ADMIN", "SERVICE"}
READERS = MEMBERS | {"SERVICE"}
DRAFTERS = {"RISK_ANALYST", "CONTRIBUTOR"}
APPROVERS = {"APPROVER", "CISO", "RISK_COMMITTEE", "TOP_MANAGEMENT"}
POLICY_READERS = APPROVERS | {"ORG_ADMIN", "ISMS_MANAGER", "RISK_ANALYST", "RISK_OWNER", "AUDITOR"}
POLICY_WRITERS = {"ORG_ADMIN", "ISMS_MANAGER"}

# kind of object -> who sees it at all, in a scope where the role was given
SEES = {"scope": ALL, "ai_system": READERS, "asset": READERS, "risk": READERS, "plan": READERS,
        "acceptance": READERS, "request": READERS, "policy": POLICY_READERS,
        "delegation": APPROVERS | {"ISMS_MANAGER", "RISK_ANALYST", "RISK_OWNER", "AUDITOR",
                                   "ORG_ADMIN"}}

# method -> (field that names the object, its kind, who may)
OBJECTS = {
    "ScopeService/GetScope": ("id", "scope", ALL),
    "ScopeService/CreateScope": ("parent_id", "scope", {"ISMS_MANAGER"}),
    "ScopeService/UpdateScope": ("id", "scope", {"ISMS_MANAGER"}),
    "ScopeService/GetAiSystem": ("id", "ai_system", READERS),
    "ScopeService/CreateAiSystem": ("scope_id", "scope", {"ISMS_MANAGER"}),
    "ScopeService/UpdateAiSystem": ("id", "ai_system", {"ISMS_MANAGER"}),
    "AssetService/GetAsset": ("id", "asset", READERS),
    "AssetService/CreateAsset": ("scope_id", "scope", {"RISK_ANALYST", "SERVICE"}),
    "AssetService/UpdateAsset": ("id", "asset", {"RISK_ANALYST", "SERVICE"}),
    "RiskService/GetRisk": ("id", "risk", READERS),
    "RiskService/CreateRisk": ("scope_id", "scope", DRAFTERS | {"SERVICE"}),
    "RiskService/UpdateRisk": ("id", "risk", DRAFTERS | {"SERVICE"}),
    "RiskService/ScoreRisk": ("id", "risk", DRAFTERS),
    "TreatmentService/GetPlan": ("id", "plan", READERS),
    "TreatmentService/CreatePlan": ("risk_id", "risk", DRAFTERS | {"SERVICE"}),
    "TreatmentService/UpdatePlan": ("id", "plan", DRAFTERS | {"SERVICE"}),
    "TreatmentService/SubmitPlan": ("id", "plan", DRAFTERS | {"SERVICE"}),
    "TreatmentService/WithdrawPlan": ("id", "plan", set()),
    "TreatmentService/StartPlan": ("id", "plan", DRAFTERS | {"SERVICE"}),
    "TreatmentService/UpdateAction": ("id", "plan", DRAFTERS | {"SERVICE"}),
    "TreatmentService/ImplementPlan": ("id", "plan", DRAFTERS | {"SERVICE"}),
    "TreatmentService/VerifyPlan": ("id", "plan", {"ISMS_MANAGER", "APPROVER", "CISO"}),
    "TreatmentService/CancelPlan": ("id", "plan", {"ISMS_MANAGER", "CISO"}),
    "AcceptanceService/GetAcceptance": ("id", "acceptance", READERS),
    "AcceptanceService/CreateAcceptance": ("risk_id", "risk",
                                           DRAFTERS | {"SERVICE", "RISK_OWNER"}),
    "AcceptanceService/UpdateAcceptance": ("id", "acceptance",
                                           DRAFTERS | {"SERVICE", "RISK_OWNER"}),
    "AcceptanceService/SubmitAcceptance": ("id", "acceptance",
                                           DRAFTERS | {"SERVICE", "RISK_OWNER"}),
    "AcceptanceService/WithdrawAcceptance": ("id", "acceptance", set()),
    "AcceptanceService/RevokeAcceptance": ("id", "acceptance", APPROVERS | {"ISMS_MANAGER"}),
    "AcceptanceService/RenewAcceptance": ("id", "acceptance",
                                          DRAFTERS | {"SERVICE", "RISK_OWNER"}),
    "AcceptanceService/ReviewAcceptance": ("id", "acceptance",
                                           APPROVERS | {"ISMS_MANAGER", "RISK_OWNER"}),
    "ApprovalService/GetApprovalRequest": (
        "id", "request", APPROVERS | {"ISMS_MANAGER", "RISK_ANALYST", "RISK_OWNER", "AUDITOR"}),
    "ApprovalService/CanI": ("object_id", "risk", READERS),
    "ApprovalService/ChangesSinceMyDecision": (
        "request_id", "request",
        APPROVERS | {"ISMS_MANAGER", "RISK_ANALYST", "RISK_OWNER", "AUDITOR"}),
    "ApprovalService/GetDecisionBundle": ("id", "request", {"ISMS_MANAGER", "AUDITOR"}),
    "PolicyService/GetPolicy": ("id", "policy", POLICY_READERS),
    "PolicyService/CreatePolicy": ("scope_id", "scope", POLICY_WRITERS),
    "PolicyService/UpdatePolicy": ("id", "policy", POLICY_WRITERS),
    "PolicyService/SubmitPolicy": ("id", "policy", POLICY_WRITERS),
    "PolicyService/SimulatePolicy": ("policy_id", "policy", POLICY_READERS),
    "PolicyService/WithdrawPolicy": ("id", "policy", set()),
    "DelegationService/CreateDelegation": (
        "scope_id", "scope", APPROVERS | {"ISMS_MANAGER", "RISK_OWNER"}),
    "DelegationService/GetDelegation": (
        "id", "delegation",
        APPROVERS | {"ISMS_MANAGER", "RISK_ANALYST", "RISK_OWNER", "AUDITOR"}),
    "DelegationService/RevokeDelegation": ("id", "delegation", {"ORG_ADMIN"}),
    # nobody of these is asked on the request: a right alone decides nothing
    "ApprovalService/CastVote": ("request_id", "request", set()),
}
# the versions of an object are for those who may read it
OBJECTS |= {m: ("id", kind, OBJECTS[get][2]) for m, kind, get in (
    ("ScopeService/ListScopeVersions", "scope", "ScopeService/GetScope"),
    ("ScopeService/ListAiSystemVersions", "ai_system", "ScopeService/GetAiSystem"),
    ("AssetService/ListAssetVersions", "asset", "AssetService/GetAsset"),
    ("PolicyService/ListPolicyVersions", "policy", "PolicyService/GetPolicy"),
    ("ApprovalService/ListApprovalRequestVersions", "request",
     "ApprovalService/GetApprovalRequest"),
    ("RiskService/ListRiskVersions", "risk", "RiskService/GetRisk"),
    ("TreatmentService/ListPlanVersions", "plan", "TreatmentService/GetPlan"),
    ("DelegationService/ListDelegationVersions", "delegation",
     "DelegationService/GetDelegation"),
    ("AcceptanceService/ListAcceptanceVersions", "acceptance",
     "AcceptanceService/GetAcceptance"))}
# what is only readable is absent to those who may not read it
READS = {m for m in OBJECTS
         if m.split("/")[1].startswith(("Get", "Changes")) or m.endswith("Versions")}

LISTS = {
    "ScopeService/ListScopes": ALL, "ScopeService/ListAiSystems": READERS,
    "AssetService/ListAssets": READERS, "RiskService/ListRisks": READERS,
    "TreatmentService/ListPlans": READERS, "AcceptanceService/ListAcceptances": READERS,
    "CatalogService/ListThreats": READERS, "CatalogService/ListVulnerabilities": READERS,
    "CatalogService/ListControls": READERS,
    "DirectoryService/ListUsers": MEMBERS | {"ORG_ADMIN"},
    "DirectoryService/ListGrants": {"ORG_ADMIN", "ISMS_MANAGER", "AUDITOR"},
    "PolicyService/ListPolicies": POLICY_READERS,
    "AuditLogService/ListAuditEvents": {"ISMS_MANAGER", "AUDITOR"},
    # theirs, or that of their scopes: never refused, but it may be empty
    "ApprovalService/ListApprovalRequests": ALL,
    "ApprovalService/Inbox": ALL, "AuthService/ListSessions": ALL,
    # without the right only for those who have one
    "DelegationService/ListDelegations": APPROVERS | {"ISMS_MANAGER", "RISK_ANALYST",
                                                      "RISK_OWNER", "AUDITOR"},
}
# accounts are the organisation's: a right that holds in a unit does not change them
DIRECTORY = ["DirectoryService/CreateUser", "DirectoryService/UpdateUser",
             "DirectoryService/DeactivateUser", "DirectoryService/UnlockUser",
             "DirectoryService/IssueToken"]
# so are controls; see test_acceptance_terms.py
CONTROLS = {"CatalogService/UpdateControl"}
GRANTS = ["DirectoryService/GrantRole", "DirectoryService/RevokeGrant"]
GRANT_READERS = {"ORG_ADMIN", "ISMS_MANAGER", "AUDITOR"}
SINGLE = {"CatalogService/GetActiveMethod": READERS,
          "CatalogService/GetControl": READERS,
          "CatalogService/ListControlVersions": READERS,
          "CatalogService/ListThreatVersions": READERS,
          "CatalogService/ListVulnerabilityVersions": READERS,
          "CatalogService/ListMethodVersions": READERS,
          "DirectoryService/ListRoles": GRANT_READERS,
          "DirectoryService/ListGrantVersions": GRANT_READERS,
          "DirectoryService/GetUser": MEMBERS | {"ORG_ADMIN"}}


def newest(service, many):
    return lambda world: getattr(world.auditor.call(service, page_size=1), many)[0].meta.id


# what of the organisation these are about
SINGLE_ID = {
    "DirectoryService/GetUser": lambda world: world.id("owner"),
    "DirectoryService/ListGrantVersions": newest("DirectoryService/ListGrants", "grants"),
    "CatalogService/GetControl": newest("CatalogService/ListControls", "controls"),
    "CatalogService/ListControlVersions": newest("CatalogService/ListControls", "controls"),
    "CatalogService/ListThreatVersions": newest("CatalogService/ListThreats", "threats"),
    "CatalogService/ListVulnerabilityVersions": newest("CatalogService/ListVulnerabilities",
                                                       "vulnerabilities"),
    "CatalogService/ListMethodVersions": lambda world: world.auditor.call(
        "CatalogService/GetActiveMethod").method.meta.id}
OWN = {"AuthService/WhoAmI", "AuthService/Logout", "AuthService/RevokeSession"}
# asked of each event, see test_watch.py
STREAMS = {"WatchService/Watch"}
OPEN = {"AuthService/Login", "AuthService/Activate"}
ABSENT = "01900000-0000-7000-8000-000000000000"
REFUSED_BY_LAW = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OK"}


def test_every_method_and_every_role_is_in_the_matrix(world):
    assert (set(OBJECTS) | set(LISTS) | set(DIRECTORY) | set(GRANTS) | set(SINGLE) | OWN | CONTROLS
            | OPEN | STREAMS) == set(SCHEMA.methods)
    roles = {r.code for r in world.admin.call("DirectoryService/ListRoles").roles}
    assert roles == ALL


@pytest.fixture(scope="module")
def people(world):
    """An account for each role, in the unit."""
    made = {}
    for role in sorted(ALL):
        name = "only_" + role.lower()
        if name not in world.apis:
            if role == "SERVICE":
                world.add_service(name, role, "auditor", scope=world.unit.meta.id)
            else:
                world.add(name, role, "CRITICAL", scope=world.unit.meta.id)
        made[role] = world.apis[name]
    return made


def make_things(world, unit):
    saved, world.unit = world.unit, unit
    by = "writer_" + unit.name.replace(" ", "_")
    if by not in world.apis:
        world.add(by, "RISK_ANALYST", scope=unit.meta.id)
    if unit.name == "other unit" and "other_owner" not in world.apis:
        world.add("other_owner", "RISK_OWNER", "CRITICAL", scope=unit.meta.id)
    owner = "other_owner" if unit.name == "other unit" else "owner"
    system = world.system(unit, owner=owner)
    asset = world.apis[by].call(
        "AssetService/CreateAsset", scope_id=unit.meta.id, category="ASSET_CATEGORY_MODEL",
        fields={"name": unique("asset"), "owner_id": world.id(owner)}).asset
    risk = world.risk(unit, by=by, owner=owner, score=(3, 4))
    plan = world.plan(risk, by=by, submit=False, assignee=by)
    acceptance = world.acceptance(risk, by=by, submit=False)
    asked = world.acceptance(world.risk(unit, by=by, owner=owner, score=(3, 4)), by=by)
    policy = world.policy(unit, submit=False)
    delegation = world.delegate(owner, "officer", unit)
    world.unit = saved
    return {"scope": unit.meta.id, "ai_system": system.meta.id, "asset": asset.meta.id,
            "risk": risk.meta.id, "plan": plan.meta.id, "acceptance": acceptance.meta.id,
            "request": asked.request.meta.id, "policy": policy.meta.id,
            "delegation": delegation.meta.id}


@pytest.fixture(scope="module")
def things(world, other):
    """One object of each kind in each place."""
    return {"own": make_things(world, world.unit),
            "other unit": make_things(world, world.other_unit),
            "other organisation": make_things(other, other.unit)}


def request_for(name, thing_id):
    """A dry run about an object, which pins the version that drafts still have."""
    message = sample.request(name, everything=False)
    setattr(message, OBJECTS[name][0], thing_id)
    fields = message.DESCRIPTOR.fields_by_name
    if "mutation" in fields:
        message.mutation.dry_run = True
        if name.split("/")[1].startswith(("Update", "Review")):
            message.mutation.expected_version = 1
    if "fields" in fields:
        message.fields.SetInParent()
    return message


def outcome(api, name, thing_id):
    try:
        api.send(name, request_for(name, thing_id))
        return "OK", b""
    except Failure as failure:
        return failure.code, failure.raw


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_objects(people, things, name, role):
    kind, may = OBJECTS[name][1:]
    api = people[role]
    absent = outcome(api, name, ABSENT)
    assert absent[0] == "NOT_FOUND", absent
    for place in ("other unit", "other organisation"):
        assert outcome(api, name, things[place][kind]) == absent, place
    code, raw = outcome(api, name, things["own"][kind])
    if role not in SEES[kind] or (name in READS and role not in may):
        assert (code, raw) == absent
    elif role in may:
        assert code in REFUSED_BY_LAW | {"ABORTED"}, code
    elif name.split("/")[1].startswith("Withdraw"):
        assert code in ("PERMISSION_DENIED", "FAILED_PRECONDITION"), code
    else:
        assert code == "PERMISSION_DENIED", code


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists(people, things, name, role):
    try:
        reply = people[role].call(name, page_size=1000)
    except Failure as failure:
        assert failure.code == "PERMISSION_DENIED" and role not in LISTS[name], failure
        return
    assert role in LISTS[name]
    text = reply.SerializeToString()
    for place in ("other unit", "other organisation"):
        for kind, thing in things[place].items():
            if (kind, place) == ("scope", "other unit") and name == "DirectoryService/ListGrants":
                continue  # grants name the scope where they hold
            if name == "AuditLogService/ListAuditEvents" and place == "other unit":
                continue  # the log is the organisation's
            assert thing.encode() not in text, (kind, place)


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("name", sorted(SINGLE))
def test_single_reads(people, world, other, name, role):
    fields = {"id": SINGLE_ID[name](world)} if name in SINGLE_ID else {}
    try:
        people[role].call(name, **fields)
        code = "OK"
    except Failure as failure:
        code = failure.code
    assert (code == "OK") == (role in SINGLE[name]), code
    assert code in ("OK", "NOT_FOUND", "PERMISSION_DENIED")
    if fields:
        absent = people[role].fails(name, id=ABSENT)
        foreign = people[role].fails(name, id=SINGLE_ID[name](other))
        assert absent.code == "NOT_FOUND" and absent.raw == foreign.raw


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("name", DIRECTORY)
def test_accounts_are_not_changed_from_a_unit(people, world, other, name, role):
    def run(api, user):
        message = sample.request(name, everything=False)
        for field in ("id", "user_id"):
            if field in message.DESCRIPTOR.fields_by_name:
                setattr(message, field, user)
        if name.endswith("UpdateUser"):
            message.mutation.expected_version = 1
        try:
            api.send(name, message)
            return "OK", b""
        except Failure as failure:
            return failure.code, failure.raw
    code, raw = run(people[role], world.id("owner"))
    assert code in ("PERMISSION_DENIED", "NOT_FOUND"), code
    if not name.endswith("CreateUser"):
        absent = run(people[role], ABSENT)
        assert absent[0] == "NOT_FOUND"
        assert run(people[role], other.id("owner")) == absent
        assert run(world.admin, other.id("owner"))[0] == "NOT_FOUND"
        assert run(world.admin, world.id("owner"))[0] in REFUSED_BY_LAW | {"ABORTED"}


@pytest.mark.parametrize("role", sorted(ALL))
def test_grants_are_given_where_the_right_holds(people, world, other, role):
    def grant(scope):
        try:
            people[role].call("DirectoryService/GrantRole", user_id=world.id("colleague"),
                              role_code="AUDITOR", scope_id=scope, mutation={"dry_run": True})
            return "OK"
        except Failure as failure:
            return failure.code
    assert grant(world.unit.meta.id) == ("OK" if role == "ORG_ADMIN" else "PERMISSION_DENIED")
    assert grant(world.other_unit.meta.id) == "NOT_FOUND"
    assert grant(world.root.meta.id) == "NOT_FOUND"
    assert grant(other.unit.meta.id) == "NOT_FOUND"
    own = next(g for g in world.admin.call("DirectoryService/ListGrants",
                                           user_id=world.id("stranger")).grants)
    refused = people[role].fails("DirectoryService/RevokeGrant", id=own.meta.id, reason="none",
                                 mutation={"dry_run": True})
    # who may read grants sees those of all units
    readers = LISTS["DirectoryService/ListGrants"]
    assert refused.code == ("PERMISSION_DENIED" if role in readers else "NOT_FOUND")


@pytest.mark.parametrize("role", sorted(ALL))
def test_everybody_knows_and_ends_only_the_own_session(people, world, role):
    me = people[role].call("AuthService/WhoAmI")
    assert [g.role_code for g in me.grants] == [role]
    people[role].call("AuthService/Logout", mutation={"dry_run": True})
    people[role].call("AuthService/RevokeSession", session_id=me.session_id,
                      mutation={"dry_run": True})
    foreign = world.owner.call("AuthService/WhoAmI").session_id
    refused = people[role].fails("AuthService/RevokeSession", session_id=foreign,
                                 mutation={"dry_run": True})
    assert refused.code == "NOT_FOUND", refused


def test_the_other_organisation_has_none_of_our_rows(world, other):
    for name in ("RiskService/ListRisks", "AssetService/ListAssets"):
        ours = world.contributor.call(name, page_size=1000)
        theirs = other.contributor.call(name, page_size=1000)
        ids = [{o.meta.id for o in value} for reply in (ours, theirs)
               for field, value in reply.ListFields() if field.name != "next_page_token"]
        assert len(ids) < 2 or ids[0].isdisjoint(ids[1])
