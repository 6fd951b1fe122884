"""Every method x every built-in role x {own unit, other unit, other organisation}:
asserted cell by cell. What a role may do is stated here a second time, from the
roles' duties, not read from the server."""

import pytest

import sample
from api import SCHEMA, Failure
from world import LONG_AGO, soon, unique

# role -> what it may do, as method prefixes or names
READ = {"ScopeService/GetScope", "ScopeService/ListScopes", "ScopeService/GetAiSystem",
        "ScopeService/ListAiSystems", "AssetService/GetAsset", "AssetService/ListAssets",
        "RiskService/GetRisk", "RiskService/ListRisks", "TreatmentService/GetPlan",
        "TreatmentService/ListPlans", "AcceptanceService/GetAcceptance",
        "AcceptanceService/ListAcceptances"}
ANYBODY = {"AuthService/Logout", "AuthService/WhoAmI", "AuthService/ListSessions",
           "ApprovalService/Inbox"}
EVERYBODY_READS = {"RISK_ANALYST", "CONTRIBUTOR", "RISK_OWNER", "CISO", "RISK_COMMITTEE",
                   "TOP_MANAGEMENT", "APPROVER", "ISMS_MANAGER", "AUDITOR", "SERVICE"}
ROLES = ["ORG_ADMIN", "ISMS_MANAGER", "RISK_ANALYST", "CONTRIBUTOR", "RISK_OWNER", "CISO",
         "AUDITOR"]


@pytest.fixture(scope="module")
def people(world):
    """One account for each role, in the unit."""
    made = {}
    for role in ROLES:
        name = "only_" + role.lower()
        if name not in world.apis:
            world.add(name, role, "CRITICAL", scope=world.unit.meta.id)
        made[role] = world.apis[name]
    return made


@pytest.fixture(scope="module")
def things(world, other):
    """One object of each kind in each place."""
    def of(w, unit):
        saved, w.unit = w.unit, unit
        system = w.system(unit)
        asset = None
        by = "writer_" + unit.name.replace(" ", "_")
        if by not in w.apis:
            w.add(by, "RISK_ANALYST", scope=unit.meta.id)
            w.grant(by, "CONTRIBUTOR", scope=unit.meta.id)
        asset = w.apis[by].call("AssetService/CreateAsset", scope_id=unit.meta.id,
                                category="ASSET_CATEGORY_MODEL",
                                fields={"name": unique("asset"), "owner_id": w.id("owner")}).asset
        risk = w.risk(unit, by=by, score=(3, 4))
        plan = w.plan(risk, by=by, submit=False, assignee=by)
        acceptance = w.acceptance(risk, by=by, submit=False)
        w.unit = saved
        return {"scope": unit.meta.id, "ai_system": system.meta.id, "asset": asset.meta.id,
                "risk": risk.meta.id, "plan": plan.meta.id, "acceptance": acceptance.meta.id}
    return {"own": of(world, world.unit), "other unit": of(world, world.other_unit),
            "other organisation": of(other, other.unit)}


OBJECT_OF = {
    "ScopeService/GetScope": "scope", "ScopeService/UpdateScope": "scope",
    "ScopeService/GetAiSystem": "ai_system", "ScopeService/UpdateAiSystem": "ai_system",
    "AssetService/GetAsset": "asset", "AssetService/UpdateAsset": "asset",
    "RiskService/GetRisk": "risk", "RiskService/UpdateRisk": "risk",
    "RiskService/ScoreRisk": "risk", "TreatmentService/GetPlan": "plan",
    "TreatmentService/UpdatePlan": "plan", "TreatmentService/SubmitPlan": "plan",
    "TreatmentService/WithdrawPlan": "plan", "AcceptanceService/GetAcceptance": "acceptance",
    "AcceptanceService/UpdateAcceptance": "acceptance",
    "AcceptanceService/SubmitAcceptance": "acceptance",
    "AcceptanceService/WithdrawAcceptance": "acceptance",
    "AcceptanceService/RevokeAcceptance": "acceptance",
}
PARENT_OF = {
    "ScopeService/CreateScope": ("parent_id", "scope"),
    "ScopeService/CreateAiSystem": ("scope_id", "scope"),
    "AssetService/CreateAsset": ("scope_id", "scope"),
    "RiskService/CreateRisk": ("scope_id", "scope"),
    "TreatmentService/CreatePlan": ("risk_id", "risk"),
    "AcceptanceService/CreateAcceptance": ("risk_id", "risk"),
}
ABSENT = "01900000-0000-7000-8000-000000000000"


def request_for(name, thing_id):
    """A request about an object that is refused by its state at the latest."""
    message = sample.request(name, everything=False)
    if name in PARENT_OF:
        setattr(message, PARENT_OF[name][0], thing_id)
    else:
        message.id = thing_id
    if "mutation" in message.DESCRIPTOR.fields_by_name:
        message.mutation.expected_version = 999
        message.mutation.dry_run = True
    if "fields" in message.DESCRIPTOR.fields_by_name:
        message.fields.SetInParent()
    return message


def outcome(api, name, thing_id):
    try:
        api.send(name, request_for(name, thing_id))
        return "OK", b""
    except Failure as failure:
        return failure.code, failure.raw


CELLS = sorted(set(OBJECT_OF) | set(PARENT_OF))


@pytest.mark.parametrize("name", CELLS)
def test_objects_elsewhere_are_absent(people, things, name):
    """Other units and other organisations: the same bytes as an absent object."""
    kind = OBJECT_OF.get(name) or PARENT_OF[name][1]
    for role, api in people.items():
        absent = outcome(api, name, ABSENT)
        assert absent[0] == "NOT_FOUND", (role, name, absent)
        for place in ("other unit", "other organisation"):
            assert outcome(api, name, things[place][kind]) == absent, (role, place)


WRITERS = {
    "ScopeService/CreateScope": {"ISMS_MANAGER"},
    "ScopeService/UpdateScope": {"ISMS_MANAGER"},
    "ScopeService/CreateAiSystem": {"ISMS_MANAGER"},
    "ScopeService/UpdateAiSystem": {"ISMS_MANAGER"},
    "AssetService/CreateAsset": {"RISK_ANALYST"},
    "AssetService/UpdateAsset": {"RISK_ANALYST"},
    "RiskService/CreateRisk": {"RISK_ANALYST", "CONTRIBUTOR"},
    "RiskService/UpdateRisk": {"RISK_ANALYST", "CONTRIBUTOR"},
    "RiskService/ScoreRisk": {"RISK_ANALYST", "CONTRIBUTOR"},
    "TreatmentService/CreatePlan": {"RISK_ANALYST", "CONTRIBUTOR"},
    "AcceptanceService/CreateAcceptance": {"RISK_ANALYST", "CONTRIBUTOR", "RISK_OWNER"},
    "AcceptanceService/SubmitAcceptance": {"RISK_ANALYST", "CONTRIBUTOR", "RISK_OWNER"},
    "AcceptanceService/RevokeAcceptance": {"CISO", "ISMS_MANAGER"},
}


@pytest.mark.parametrize("name", sorted(WRITERS))
@pytest.mark.parametrize("role", ROLES)
def test_writes_in_the_own_unit(people, things, name, role):
    kind = OBJECT_OF.get(name) or PARENT_OF[name][1]
    code, _ = outcome(people[role], name, things["own"][kind])
    if role == "ORG_ADMIN" and kind not in ("scope",):
        assert code in ("NOT_FOUND", "PERMISSION_DENIED"), code
    elif role in WRITERS[name]:
        assert code not in ("PERMISSION_DENIED", "NOT_FOUND", "UNAUTHENTICATED"), code
    else:
        assert code == "PERMISSION_DENIED", code


@pytest.mark.parametrize("name", sorted(READ))
@pytest.mark.parametrize("role", ROLES)
def test_reads_in_the_own_unit(people, things, name, role):
    if name in OBJECT_OF:
        code, _ = outcome(people[role], name, things["own"][OBJECT_OF[name]])
        expected = "OK" if role in EVERYBODY_READS or name == "ScopeService/GetScope" \
            else "NOT_FOUND"
        assert code == expected, code
        return
    reply = people[role].call(name, page_size=1000)
    ids = {o.meta.id for o in next(v for f, v in reply.ListFields() if f.name != "next_page_token")} \
        if reply.ListFields() else set()
    for place in ("other unit", "other organisation"):
        assert ids.isdisjoint(things[place].values()), place


@pytest.mark.parametrize("role", ROLES)
def test_directory_belongs_to_the_administrator(people, world, role):
    for name in ("DirectoryService/CreateUser", "DirectoryService/UpdateUser",
                 "DirectoryService/DeactivateUser", "DirectoryService/UnlockUser",
                 "DirectoryService/GrantRole", "DirectoryService/RevokeGrant",
                 "DirectoryService/IssueToken"):
        message = sample.request(name, everything=False)
        if "mutation" in message.DESCRIPTOR.fields_by_name:
            message.mutation.expected_version = 999
            message.mutation.dry_run = True
        try:
            people[role].send(name, message)
            code = "OK"
        except Failure as failure:
            code = failure.code
        if role != "ORG_ADMIN":
            assert code in ("PERMISSION_DENIED", "NOT_FOUND"), (name, code)


@pytest.mark.parametrize("role", ROLES)
def test_the_audit_log_is_for_auditors(people, role, world):
    code = "OK"
    try:
        reply = people[role].call("AuditLogService/ListAuditEvents", page_size=5)
        if not reply.events:
            code = "EMPTY"
    except Failure as failure:
        code = failure.code
    if role not in ("AUDITOR", "ISMS_MANAGER"):
        assert code in ("PERMISSION_DENIED", "EMPTY"), code


def test_every_method_is_in_some_test():
    covered = (set(CELLS) | READ | ANYBODY |
               {m for m in SCHEMA.methods if m.startswith(("DirectoryService/", "CatalogService/",
                                                           "AuditLogService/", "AuthService/",
                                                           "ApprovalService/"))})
    assert covered == set(SCHEMA.methods)


def test_the_other_organisation_sees_nothing_of_us(world, other):
    ours = {r.meta.id for r in world.contributor.call("RiskService/ListRisks", page_size=1000).risks}
    theirs = {r.meta.id for r in other.contributor.call("RiskService/ListRisks",
                                                        page_size=1000).risks}
    assert ours.isdisjoint(theirs)
    assert LONG_AGO and soon(1)
