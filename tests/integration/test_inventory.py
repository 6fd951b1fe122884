"""Scopes, AI systems, assets and the catalogue, through the API."""

import itertools

import pytest

from world import unique

SUBTYPES = {"TRAINING_DATA": "DATASET", "MODEL": "WEIGHTS", "AI_INFRASTRUCTURE": "GPU_CLUSTER",
            "PROMPT_CONFIG": "SYSTEM_PROMPT", "AI_OUTPUT": "DECISION",
            "EVALUATION_DATA": "RED_TEAM_RESULT", "PERSONNEL": "RED_TEAMER"}
PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED = 1, 2, 3, 4
FLOOR = {"TRAINING_DATA": 3, "MODEL": 3, "AI_INFRASTRUCTURE": 2, "PROMPT_CONFIG": 3,
         "AI_OUTPUT": 1, "EVALUATION_DATA": 3, "PERSONNEL": 2, "GENERAL": 1}
DRAFT, ACTIVE, DEPRECATED, DISPOSED = 1, 2, 3, 4


def asset_args(world, category="MODEL", **fields):
    values = {"name": unique("asset"), "owner_id": world.id("owner"), **fields}
    if category == "AI_OUTPUT":
        values.setdefault("use_case", "ranks support tickets")
    return {"scope_id": world.unit.meta.id, "category": f"ASSET_CATEGORY_{category}",
            "fields": values}


def create_asset(world, category="MODEL", **fields):
    return world.analyst.call("AssetService/CreateAsset",
                              asset_args(world, category, **fields)).asset


def update(api, service, kind, thing, mask, **fields):
    return getattr(api.call(f"{service}/Update{kind}", id=thing.meta.id,
                            mutation={"expected_version": thing.meta.version}, fields=fields,
                            update_mask=mask),
                   {"Asset": "asset", "AiSystem": "ai_system", "Scope": "scope"}[kind])


def update_fails(api, service, kind, thing, mask, **fields):
    return api.fails(f"{service}/Update{kind}", id=thing.meta.id,
                     mutation={"expected_version": thing.meta.version}, fields=fields,
                     update_mask=mask)


# --- assets -------------------------------------------------------------------------------


@pytest.mark.parametrize("category,level", itertools.product(FLOOR, range(5)))
def test_classes_follow_the_category(world, category, level):
    args = asset_args(world, category, classification=level,
                      subtype=SUBTYPES.get(category, ""))
    if level == 0 and category == "AI_OUTPUT":
        failure = world.analyst.fails("AssetService/CreateAsset", args)
        assert failure.code == "INVALID_ARGUMENT" and "fields.classification" in failure.fields
        return
    if 0 < level < FLOOR[category]:
        failure = world.analyst.fails("AssetService/CreateAsset", args)
        assert (failure.code, failure.reason) == ("FAILED_PRECONDITION",
                                                  "DECLASSIFICATION_NEEDED")
        return
    asset = world.analyst.call("AssetService/CreateAsset", args).asset
    standard = 0 if category == "GENERAL" else FLOOR[category]
    assert asset.classification == (level or standard)
    assert asset.state == (ACTIVE if asset.classification else DRAFT)
    assert asset.class_source == (2 if level else 1 if standard else 0)
    assert asset.meta.ref.startswith("AST-") and asset.meta.version == 1
    assert world.analyst.call("AssetService/GetAsset", id=asset.meta.id).asset == asset


@pytest.mark.parametrize("field,value", [
    ("name", " "), ("subtype", "DATASET"), ("owner_id", "01900000-0000-7000-8000-000000000000"),
    ("ai_system_id", "01900000-0000-7000-8000-000000000000"), ("state", "ASSET_STATE_DISPOSED")])
def test_what_an_asset_may_not_hold(world, field, value):
    failure = world.analyst.fails("AssetService/CreateAsset",
                                  asset_args(world, **{field: value}))
    assert failure.code == "INVALID_ARGUMENT" and f"fields.{field}" in failure.fields


def test_a_service_or_an_ended_account_owns_nothing(world):
    failure = world.analyst.fails("AssetService/CreateAsset",
                                  asset_args(world, owner_id=world.id("pipeline")))
    assert "fields.owner_id" in failure.fields


def test_names_are_unique_in_a_scope(world):
    asset = create_asset(world)
    failure = world.analyst.fails("AssetService/CreateAsset",
                                  asset_args(world, name=asset.name))
    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "NAME_TAKEN")
    assert "fields.name" in failure.fields


def test_an_asset_lives_and_is_disposed_of(world):
    asset = create_asset(world, owner_id="")
    assert asset.state == DRAFT
    asset = update(world.analyst, "AssetService", "Asset", asset, "ownerId",
                   owner_id=world.id("owner"))
    assert asset.state == ACTIVE
    failure = update_fails(world.analyst, "AssetService", "Asset", asset, "ownerId")
    assert "fields.owner_id" in failure.fields
    asset = update(world.analyst, "AssetService", "Asset", asset, "state",
                   state="ASSET_STATE_DEPRECATED")
    asset = update(world.analyst, "AssetService", "Asset", asset, "state",
                   state="ASSET_STATE_DISPOSED")
    assert asset.state == DISPOSED and asset.meta.archived_at.seconds
    failure = update_fails(world.analyst, "AssetService", "Asset", asset, "name", name="x")
    assert failure.reason == "ILLEGAL_STATE"


def test_owners_change_their_own_assets(world):
    if "model_owner" not in world.apis:
        world.add("model_owner", "MODEL_OWNER", scope=world.unit.meta.id)
    mine = create_asset(world, owner_id=world.id("model_owner"))
    others = create_asset(world)
    mine = update(world.model_owner, "AssetService", "Asset", mine, "description",
                  description="weights of the ranking model")
    assert mine.meta.updated_by == world.id("model_owner")
    failure = update_fails(world.model_owner, "AssetService", "Asset", others, "description",
                           description="x")
    assert failure.code == "PERMISSION_DENIED"


def test_a_higher_class_is_a_material_change(world):
    asset = create_asset(world)
    risk = world.risk(asset_ids=[asset.meta.id])
    submitted = world.acceptance(risk)
    update(world.analyst, "AssetService", "Asset", asset, "description", description="as before")
    assert world.request(submitted.request).state == 1
    asset = world.analyst.call("AssetService/GetAsset", id=asset.meta.id).asset
    update(world.analyst, "AssetService", "Asset", asset, "classification",
           classification="CLASSIFICATION_RESTRICTED")
    assert world.request(submitted.request).state == 7, "the request is STALE"


def test_lists_filter(world):
    system = world.system(world.unit)
    model = create_asset(world, ai_system_id=system.meta.id)
    output = create_asset(world, "AI_OUTPUT", ai_system_id=system.meta.id,
                          classification=PUBLIC)
    def listed(**args):
        return [a.meta.id for a in world.analyst.call("AssetService/ListAssets", **args).assets]
    assert listed(ai_system_id=system.meta.id) == [output.meta.id, model.meta.id]
    assert listed(ai_system_id=system.meta.id, category="ASSET_CATEGORY_MODEL") == [model.meta.id]
    assert set(listed(page_size=1000)) >= {model.meta.id, output.meta.id}
    first = world.analyst.call("AssetService/ListAssets", ai_system_id=system.meta.id, page_size=1)
    assert [a.meta.id for a in first.assets] == [output.meta.id]
    second = world.analyst.call("AssetService/ListAssets", ai_system_id=system.meta.id,
                                page_size=1, page_token=first.next_page_token)
    assert [a.meta.id for a in second.assets] == [model.meta.id] and not second.next_page_token


# --- AI systems ---------------------------------------------------------------------------


def system_args(world, **fields):
    return {"scope_id": world.unit.meta.id,
            "fields": {"name": unique("system"), "sourcing": "AI_SYSTEM_SOURCING_IN_HOUSE",
                       **fields}}


@pytest.mark.parametrize("flag", ["processes", "stores", "transmits"])
def test_what_handles_information_is_in_scope(world, flag):
    args = system_args(world, out_reason="a demonstration", **{flag: True})
    failure = world.manager.fails("ScopeService/CreateAiSystem", args)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SCOPE_REQUEST_NEEDED")
    del args["fields"]["out_reason"]
    system = world.manager.call("ScopeService/CreateAiSystem", args).ai_system
    assert system.in_scope and system.stage == 1 and system.meta.ref.startswith("AIS-")
    failure = update_fails(world.manager, "ScopeService", "AiSystem", system, "outReason",
                           out_reason="no more")
    assert failure.reason == "SCOPE_REQUEST_NEEDED"


def test_what_handles_nothing_may_be_outside(world):
    system = world.manager.call("ScopeService/CreateAiSystem",
                                system_args(world, out_reason="a toy")).ai_system
    assert not system.in_scope
    failure = update_fails(world.manager, "ScopeService", "AiSystem", system, "processes",
                           processes=True)
    assert failure.reason == "SCOPE_REQUEST_NEEDED"
    system = update(world.manager, "ScopeService", "AiSystem", system, "outReason,processes",
                    processes=True)
    assert system.in_scope and not system.out_reason


@pytest.mark.parametrize("field,value", [
    ("name", "\t"), ("sourcing", 0), ("stage", "AI_SYSTEM_STAGE_DEPLOYED"),
    ("owner_id", "01900000-0000-7000-8000-000000000000")])
def test_what_a_system_may_not_hold(world, field, value):
    failure = world.manager.fails("ScopeService/CreateAiSystem",
                                  system_args(world, **{field: value}))
    assert failure.code == "INVALID_ARGUMENT" and f"fields.{field}" in failure.fields


def test_a_third_party_has_a_name(world):
    failure = world.manager.fails(
        "ScopeService/CreateAiSystem",
        system_args(world, sourcing="AI_SYSTEM_SOURCING_THIRD_PARTY_API"))
    assert "fields.vendor_service" in failure.fields
    world.manager.call("ScopeService/CreateAiSystem",
                       system_args(world, sourcing="AI_SYSTEM_SOURCING_THIRD_PARTY_API",
                                   vendor_service="a provider's chat API", transmits=True))


def test_stages_move_forward(world):
    system = world.system(world.unit)
    failure = update_fails(world.manager, "ScopeService", "AiSystem", system, "stage",
                           stage="AI_SYSTEM_STAGE_DEPLOYED")
    assert failure.reason == "ILLEGAL_STATE"
    for stage in ("BUILDING", "EVALUATING", "APPROVED", "DEPLOYED", "RETIRED"):
        system = update(world.manager, "ScopeService", "AiSystem", system, "stage",
                        stage=f"AI_SYSTEM_STAGE_{stage}")
    assert system.meta.version == 6 and system.meta.archived_at.seconds


def avoid(world, risk, system):
    return world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id, option="TREATMENT_OPTION_AVOID",
        fields={"rationale": "not worth the risk", "avoid": {
            "ai_system_id": system.meta.id, "action": "AVOID_ACTION_NOT_DEPLOY"}}).plan


@pytest.mark.parametrize("drafts", [0, 101])
def test_an_approved_plan_forbids_to_deploy(world, drafts):
    """However many drafts stand before it."""
    system = world.system(world.unit)
    for stage in ("EVALUATING", "APPROVED"):
        system = update(world.manager, "ScopeService", "AiSystem", system, "stage",
                        stage=f"AI_SYSTEM_STAGE_{stage}")
    risk = world.risk(ai_system_id=system.meta.id)
    for _ in range(drafts):
        avoid(world, risk, system)
    plan = avoid(world, risk, system)
    request = world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id).request
    world.vote("owner", request)
    world.vote("officer", request)
    failure = update_fails(world.manager, "ScopeService", "AiSystem", system, "stage",
                           stage="AI_SYSTEM_STAGE_DEPLOYED")
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "AVOID_IN_FORCE")


@pytest.mark.parametrize("mask, change", [
    ("stage", {"stage": "AI_SYSTEM_STAGE_EVALUATING"}),
    ("outReason", {"out_reason": "handles nothing of ours"})])
def test_another_stage_or_scope_is_a_material_change(world, mask, change):
    system = world.system(world.unit)
    system = update(world.manager, "ScopeService", "AiSystem", system, "processes",
                    processes=False)
    accepted, asked = (world.risk(score=(1, 1), ai_system_id=system.meta.id) for _ in range(2))
    other = world.acceptance(world.risk(score=(1, 1)))
    active, open_ = world.acceptance(accepted), world.acceptance(asked)
    for submitted in (active, other):
        world.vote("owner", submitted.request)

    def state(submitted):
        return world.owner.call("AcceptanceService/GetAcceptance",
                                id=submitted.acceptance.meta.id).acceptance

    system = update(world.manager, "ScopeService", "AiSystem", system, "purpose",
                    purpose="answers questions")
    assert (state(active).state, state(open_).state) == (4, 2)
    update(world.manager, "ScopeService", "AiSystem", system, mask, **change)
    assert state(active).state == 9 and "AI system" in state(active).end_reason
    assert state(open_).state == 1 and world.request(open_.request).state == 7
    assert state(other).effective
    assert world.owner.call("RiskService/GetRisk", id=accepted.meta.id).risk.disposition == 1


# --- scopes -------------------------------------------------------------------------------


def test_a_scope_says_why_something_is_left_out(world):
    scope = world.scope(unique("scope"))
    assert scope.state == 1 and scope.parent_id == world.root.meta.id
    failure = update_fails(world.manager, "ScopeService", "Scope", scope, "exclusions",
                           exclusions="the canteen")
    assert "fields.exclusion_reason" in failure.fields
    scope = update(world.manager, "ScopeService", "Scope", scope, "exclusions,exclusionReason",
                   exclusions="the canteen", exclusion_reason="no information there")
    assert scope.meta.version == 2
    assert world.manager.call("ScopeService/GetScope", id=scope.meta.id).scope == scope


def test_there_is_one_root(world):
    failure = world.manager.fails("ScopeService/CreateScope", parent_id=world.root.meta.id,
                                  kind="SCOPE_KIND_ORGANISATION", fields={"name": "second"})
    assert "kind" in failure.fields


def test_scope_names_are_unique_below_a_parent(world):
    name = unique("scope")
    one = world.scope(name)
    failure = world.manager.fails("ScopeService/CreateScope", parent_id=world.root.meta.id,
                                  kind="SCOPE_KIND_UNIT", fields={"name": name})
    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "NAME_TAKEN")
    world.scope(name, parent=one.meta.id)


def test_the_tree_has_a_bottom(world):
    parent = world.root
    for depth in range(1, 32):
        parent = world.scope(unique(f"depth {depth}"), parent=parent.meta.id)
    failure = world.manager.fails("ScopeService/CreateScope", parent_id=parent.meta.id,
                                  kind="SCOPE_KIND_UNIT", fields={"name": "too deep"})
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SCOPE_TOO_DEEP")


# --- the catalogue ------------------------------------------------------------------------


def test_the_starter_catalogue_is_there_in_its_order(world):
    threats = world.analyst.call("CatalogService/ListThreats", page_size=1000).threats
    weak = world.analyst.call("CatalogService/ListVulnerabilities", page_size=1000)
    controls = world.analyst.call("CatalogService/ListControls", page_size=1000).controls
    assert (len(threats), len(weak.vulnerabilities), len(controls)) == (64, 61, 50)
    assert threats[0].code == "T-ADV-01" and all(t.builtin for t in threats)
    codes = [c.code for c in controls]
    assert codes == sorted(codes) and codes[0] == "C-AI-01"
    assert [v.code for v in world.analyst.call("CatalogService/ListVulnerabilities",
                                               code="V-ROB-02").vulnerabilities] == ["V-ROB-02"]


def test_the_method_in_force(world):
    method = world.analyst.call("CatalogService/GetActiveMethod").method
    assert method.active and method.no == 1
    assert len(method.criteria.matrix) == len(method.criteria.likelihood) * \
        len(method.criteria.impact)
