"""The life of an acceptance after its approval: renewal, review, warnings, its end, and
every material change, each made in the transaction of the change itself."""

import contextlib

import pytest

from api import SCHEMA, Failure
from server import Server
from test_clock import until
from test_treatment import stage, transfer
from world import first_world, soon, unique

REVIEW_DAYS = 14


def name_of(enum, value):
    found = SCHEMA.pool.FindEnumTypeByName("isms.v1." + enum).values_by_number[value].name
    return found.split("STATE_", 1)[1]


def state(acceptance):
    return name_of("AcceptanceState", acceptance.state)


def read(world, acceptance):
    return world.owner.call("AcceptanceService/GetAcceptance", id=acceptance.meta.id).acceptance


def read_risk(world, risk):
    return world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk


def request_of(world, made):
    return world.owner.call("ApprovalService/GetApprovalRequest", id=made.request.meta.id).request


def submit(world, risk, days=20, controls=()):
    draft = world.contributor.call(
        "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
        fields={"rationale": "because the provider cannot be replaced before the end",
                "valid_until": soon(days), "compensating_control_ids": list(controls)}).acceptance
    return world.contributor.call("AcceptanceService/SubmitAcceptance", id=draft.meta.id)


def accept(world, score=(1, 2), days=20, controls=(), **fields):
    """A LOW risk with an acceptance in force, which its owner approved."""
    risk = world.risk(score=score, **fields)
    made = submit(world, risk, days, controls)
    world.vote("owner", made.request)
    acceptance = read(world, made.acceptance)
    assert state(acceptance) == "ACTIVE" and acceptance.effective
    return read_risk(world, risk), acceptance


@contextlib.contextmanager
def reviewing(server, days=REVIEW_DAYS):
    """Requests opened meanwhile say that material changes are to be reviewed."""
    with server.database() as db:
        db.execute("UPDATE approval_policy SET steps = steps || decode(%s, 'hex'),"
                   " version = version + 1", (f"10{days:02x}",))
        try:
            yield
        finally:
            db.execute("UPDATE approval_policy SET version = version + 1,"
                       " steps = substring(steps FROM 1 FOR octet_length(steps) - 2)")


@pytest.fixture(scope="module")
def under_review(server, world):
    """Makes acceptances whose steps want a review."""
    def make(**args):
        with reviewing(server):
            risk, acceptance = accept(world, **args)
        assert acceptance.review_days == REVIEW_DAYS
        return risk, acceptance
    return make


# --- material changes ----------------------------------------------------------

def mask(*names):
    """As JSON wants it."""
    return ",".join(n.split("_")[0] + "".join(w.title() for w in n.split("_")[1:])
                    for n in names)


def link(world, risk, field, values):
    now = read_risk(world, risk)
    world.contributor.call("RiskService/UpdateRisk", id=risk.meta.id,
                           mutation={"expected_version": now.meta.version},
                           fields={field: values}, update_mask=mask(field))


def any_of(world, what, field):
    return getattr(world.manager.call(f"CatalogService/List{what}", page_size=1), field)[0].meta.id


def reclassify(world, asset):
    now = world.analyst.call("AssetService/GetAsset", id=asset.meta.id).asset
    world.analyst.call("AssetService/UpdateAsset", id=asset.meta.id,
                       mutation={"expected_version": now.meta.version},
                       fields={"classification": "CLASSIFICATION_RESTRICTED"},
                       update_mask="classification")


def move_asset(world, asset, system_id):
    now = world.analyst.call("AssetService/GetAsset", id=asset.meta.id).asset
    world.analyst.call("AssetService/UpdateAsset", id=asset.meta.id,
                       mutation={"expected_version": now.meta.version},
                       fields={"ai_system_id": system_id}, update_mask=mask("ai_system_id"))


def change_system(world, system, **fields):
    now = world.manager.call("ScopeService/GetAiSystem", id=system.meta.id).ai_system
    world.manager.call("ScopeService/UpdateAiSystem", id=system.meta.id,
                       mutation={"expected_version": now.meta.version}, fields=fields,
                       update_mask=mask(*fields))


def control_state(world, control_id, to, by="manager", **extra):
    now = next(c for c in world.manager.call("CatalogService/ListControls",
                                             page_size=1000).controls if c.meta.id == control_id)
    return world.apis[by].call("CatalogService/UpdateControl", id=control_id,
                               state=f"CONTROL_STATE_{to}",
                               mutation={"expected_version": now.meta.version, **extra}).control


def fresh_control(world, to="IMPLEMENTED"):
    """A control that no other test counts on."""
    used = world.__dict__.setdefault("used_controls", set())
    control = next(c for c in world.manager.call("CatalogService/ListControls",
                                                 page_size=1000).controls
                   if c.meta.id not in used and c.state < 4)
    used.add(control.meta.id)
    if to:
        control_state(world, control.meta.id, to)
    return control.meta.id


# what changes, with what it is made with, how, and what names it
def by_level(world):
    return {}, lambda risk: world.score(risk, 3, 4), "the current level rose from LOW to HIGH"


def by_asset(world):
    asset = world.asset(world.unit)
    return {}, lambda risk: link(world, risk, "asset_ids", [asset.meta.id]), "an asset was linked"


def by_threat(world):
    return {}, lambda risk: link(world, risk, "threat_ids",
                                 [any_of(world, "Threats", "threats")]), "a threat was linked"


def by_vulnerability(world):
    return {}, lambda risk: link(world, risk, "vulnerability_ids", [
        any_of(world, "Vulnerabilities", "vulnerabilities")]), "a vulnerability was linked"


def by_another_system(world):
    system, other = world.system(world.unit), world.system(world.unit)
    return ({"ai_system_id": system.meta.id},
            lambda risk: link(world, risk, "ai_system_id", other.meta.id), "another AI system")


def by_no_system(world):
    system = world.system(world.unit)
    return ({"ai_system_id": system.meta.id},
            lambda risk: link(world, risk, "ai_system_id", ""), "another AI system")


def by_reclassification(world):
    asset = world.asset(world.unit)
    return ({"asset_ids": [asset.meta.id]}, lambda risk: reclassify(world, asset),
            "the classification of an asset rose")


def by_the_system_of_an_asset(world):
    system, asset = world.system(world.unit), world.asset(world.unit)
    move_asset(world, asset, system.meta.id)
    return ({"asset_ids": [asset.meta.id]}, lambda risk: stage(world, system, "BUILDING"),
            "from PROPOSED to BUILDING")


def by_an_asset_of_another_system(world):
    system, asset = world.system(world.unit), world.asset(world.unit)
    return ({"asset_ids": [asset.meta.id]},
            lambda risk: move_asset(world, asset, system.meta.id),
            "an asset belongs to another AI system")


def by_stage(world):
    system = world.system(world.unit)
    return ({"ai_system_id": system.meta.id}, lambda risk: stage(world, system, "BUILDING"),
            "from PROPOSED to BUILDING")


def by_scope(world):
    system = world.manager.call(
        "ScopeService/CreateAiSystem", scope_id=world.unit.meta.id,
        fields={"name": unique("system"), "sourcing": "AI_SYSTEM_SOURCING_IN_HOUSE",
                "owner_id": world.id("owner")}).ai_system
    return ({"ai_system_id": system.meta.id},
            lambda risk: change_system(world, system, out_reason="a test bench only"),
            "left the scope")


def by_vendor(world):
    system = world.system(world.unit)
    return ({"ai_system_id": system.meta.id},
            lambda risk: change_system(world, system, vendor_service="another provider"),
            "another vendor's service")


def by_degraded_control(world):
    control = fresh_control(world)
    return ({"controls": [control]}, lambda risk: control_state(world, control, "DEGRADED"),
            "to DEGRADED")


def by_retired_control(world):
    control = fresh_control(world)
    return ({"controls": [control]}, lambda risk: control_state(world, control, "RETIRED"),
            "to RETIRED")


CHANGES = [by_level, by_asset, by_threat, by_vulnerability, by_another_system, by_no_system,
           by_reclassification, by_the_system_of_an_asset, by_an_asset_of_another_system, by_stage, by_scope, by_vendor, by_degraded_control,
           by_retired_control]


@pytest.mark.parametrize("change", CHANGES)
def test_a_material_change_ends_what_is_in_force(world, change):
    made_with, make, names = change(world)
    risk, acceptance = accept(world, **made_with)
    make(risk)
    after = read(world, acceptance)
    assert state(after) == "INVALIDATED" and not after.effective
    assert names in after.end_reason and after.ended_by == ""
    risk = read_risk(world, risk)
    assert not risk.HasField("accepted_until")
    assert name_of("RiskState", risk.state) == "ANALYSED"


@pytest.mark.parametrize("change", CHANGES)
def test_a_material_change_makes_open_requests_stale(world, change):
    made_with, make, names = change(world)
    controls = made_with.pop("controls", ())
    risk = world.risk(score=(1, 2), **made_with)
    made = submit(world, risk, controls=controls)
    make(risk)
    request = request_of(world, made)
    assert name_of("ApprovalState", request.state) == "STALE"
    assert names in request.close_reason
    assert state(read(world, made.acceptance)) == "DRAFT"
    assert world.vote_fails("owner", made.request).reason == "CLOSED"


@pytest.mark.parametrize("change", CHANGES)
def test_a_material_change_is_reviewed_where_the_steps_say_so(under_review, world, change):
    made_with, make, names = change(world)
    risk, acceptance = under_review(**made_with)
    make(risk)
    after = read(world, acceptance)
    if change is by_level:
        assert state(after) == "INVALIDATED" and names in after.end_reason
        return
    assert state(after) == "ACTIVE" and after.effective and names in after.review_reason
    term = after.review_due_at.seconds - after.meta.updated_at.seconds
    assert abs(term - REVIEW_DAYS * 86400) <= 1
    assert read_risk(world, risk).HasField("accepted_until")


def test_a_review_is_due_before_the_end(under_review, world):
    risk, acceptance = under_review(days=3)
    by_threat(world)[1](risk)
    after = read(world, acceptance)
    assert after.review_due_at == after.valid_until


def test_another_change_is_reviewed_with_the_first(under_review, world):
    risk, acceptance = under_review()
    by_threat(world)[1](risk)
    first = read(world, acceptance)
    by_vulnerability(world)[1](risk)
    second = read(world, acceptance)
    assert second.review_due_at == first.review_due_at
    assert second.review_reason.startswith(first.review_reason + "; a vulnerability")


def test_a_control_that_others_count_on_changes_nothing_else(world):
    control = fresh_control(world)
    risk, acceptance = accept(world)
    renewal = submit(world, risk, days=25, controls=[control])
    control_state(world, control, "DEGRADED")
    assert state(read(world, acceptance)) == "ACTIVE"  # in force without it
    assert name_of("ApprovalState", request_of(world, renewal).state) == "STALE"
    failure = world.contributor.fails("AcceptanceService/SubmitAcceptance",
                                      id=renewal.acceptance.meta.id)
    assert failure.reason == "CONTROL_FAILED"
    control_state(world, control, "OPERATING")
    world.contributor.call("AcceptanceService/SubmitAcceptance", id=renewal.acceptance.meta.id)


def test_controls_are_written_by_those_who_may_for_the_whole_organisation(world, other):
    control = fresh_control(world)
    for name in ("contributor", "owner", "ciso", "auditor", "analyst"):
        # the analyst may in a unit only
        with pytest.raises(Failure) as caught:
            control_state(world, control, "DEGRADED", by=name, dry_run=True)
        assert caught.value.code == "PERMISSION_DENIED", name
    assert control_state(world, control, "OPERATING", dry_run=True).state == 3
    foreign = other.manager.fails("CatalogService/UpdateControl", id=control,
                                  state="CONTROL_STATE_RETIRED",
                                  mutation={"expected_version": 1})
    absent = other.manager.fails("CatalogService/UpdateControl",
                                 id="01900000-0000-7000-8000-000000000000",
                                 state="CONTROL_STATE_RETIRED",
                                 mutation={"expected_version": 1})
    assert foreign.code == "NOT_FOUND" and foreign.raw == absent.raw
    retired = control_state(world, control, "RETIRED")
    assert retired.meta.HasField("archived_at")
    with pytest.raises(Failure) as caught:
        control_state(world, control, "OPERATING")
    assert caught.value.reason == "ILLEGAL_STATE"


def test_what_is_only_planned_makes_up_for_nothing(world):
    control = fresh_control(world, None)
    with pytest.raises(Failure) as caught:
        submit(world, world.risk(score=(1, 2)), controls=[control])
    assert caught.value.reason == "CONTROL_FAILED"
    risk, acceptance = accept(world, controls=[fresh_control(world)])
    for to in ("IMPLEMENTED", "OPERATING", "DEGRADED"):
        control_state(world, control, to)
        with pytest.raises(Failure) as caught:
            control_state(world, control, "PLANNED")
        assert caught.value.reason == "ILLEGAL_STATE", to
    assert read(world, acceptance).effective


# --- lists ----------------------------------------------------------------------

def test_what_is_in_force_is_listed(server, world):
    risk, acceptance = accept(world)

    def listed(**args):
        return [a.meta.id for a in world.owner.call(
            "AcceptanceService/ListAcceptances", risk_id=risk.meta.id, **args).acceptances]
    world.acceptance(risk)  # its renewal waits
    assert len(listed()) == 2 and listed(effective_only=True) == [acceptance.meta.id]
    before = read(world, acceptance).meta.updated_at.ToJsonString()
    with server.database() as db:
        db.execute("UPDATE risk_acceptance SET valid_from = now() - interval '2 days',"
                   " valid_until = now(), version = version + 1, updated_at = now()"
                   " WHERE id = %s", (acceptance.meta.id,))
    assert acceptance.meta.id in listed(state="ACCEPTANCE_STATE_ACTIVE")
    assert listed(effective_only=True) == []
    assert listed(effective_only=True, as_of=before) == [acceptance.meta.id]


# --- reviews -------------------------------------------------------------------

def answer(world, acceptance, outcome, version=None, **mutation):
    if version is None:
        version = read(world, acceptance).meta.version
    return {"id": acceptance.meta.id, "outcome": f"REVIEW_OUTCOME_{outcome}",
            "comment": "looked at it", "mutation": {"expected_version": version, **mutation}}


def review(world, by, acceptance, outcome, **args):
    return world.apis[by].call("AcceptanceService/ReviewAcceptance",
                               **answer(world, acceptance, outcome, **args)).acceptance


def review_fails(world, by, acceptance, outcome, **args):
    return world.apis[by].fails("AcceptanceService/ReviewAcceptance",
                                **answer(world, acceptance, outcome, **args))


def overdue(server, acceptance):
    with server.database() as db:
        db.execute("UPDATE risk_acceptance SET review_due_at = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (acceptance.meta.id,))


# --- renewal -------------------------------------------------------------------

def renew(world, by, acceptance, days=30):
    return world.apis[by].call("AcceptanceService/RenewAcceptance", id=acceptance.meta.id,
                               valid_until=soon(days)).acceptance


def test_a_renewal_is_a_decision_of_its_own(world):
    control = fresh_control(world)
    risk, old = accept(world, controls=[control])
    new = renew(world, "analyst", old)
    assert state(new) == "DRAFT" and new.previous_id == old.meta.id
    assert new.rationale == old.rationale and new.author_id == world.id("analyst")
    assert list(new.compensating_control_ids) == [control]
    assert set(new.contributor_ids) == {world.id("contributor"), world.id("analyst")}
    plan = world.owner.call("TreatmentService/GetPlan", id=new.plan_id).plan
    assert plan.option == 3 and plan.content.rationale == old.rationale
    made = world.analyst.call("AcceptanceService/SubmitAcceptance", id=new.meta.id)
    assert state(read(world, old)) == "ACTIVE"  # until the new one is decided on
    world.vote("owner", made.request)
    ended = read(world, old)
    assert state(ended) == "SUPERSEDED" and new.meta.ref in ended.end_reason
    assert read(world, new).effective
    again = world.analyst.fails("AcceptanceService/RenewAcceptance", id=old.meta.id,
                                valid_until=soon(9))
    assert again.reason == "ILLEGAL_STATE"


def test_who_wrote_the_old_text_does_not_approve_it_anew(world):
    risk = world.risk(score=(1, 2), by="analyst")
    draft = world.owner.call(
        "AcceptanceService/CreateAcceptance", risk_id=risk.meta.id,
        fields={"rationale": "because the provider cannot be replaced before the end",
                "valid_until": soon(9)}).acceptance
    failure = world.owner.fails("AcceptanceService/SubmitAcceptance", id=draft.meta.id)
    assert failure.reason == "NO_ELIGIBLE_APPROVER"


@pytest.mark.parametrize("how", ["REVOKED", "INVALIDATED", "EXPIRED"])
def test_what_has_ended_can_be_renewed(server, world, how):
    risk, old = accept(world)
    if how == "REVOKED":
        world.owner.call("AcceptanceService/RevokeAcceptance", id=old.meta.id, reason="too soon")
    elif how == "INVALIDATED":
        by_threat(world)[1](risk)
    else:
        with server.database() as db:
            db.execute("UPDATE risk_acceptance SET valid_from = now() - interval '2 days',"
                       " valid_until = now() - interval '1 day', version = version + 1"
                       " WHERE id = %s", (old.meta.id,))
    new = renew(world, "contributor", old)
    made = world.contributor.call("AcceptanceService/SubmitAcceptance", id=new.meta.id)
    world.vote("owner", made.request)
    assert read(world, new).effective and read(world, old).meta.id == new.previous_id
    assert state(read(world, old)) == how


@pytest.mark.parametrize("how", ["DRAFT", "SUBMITTED", "REJECTED", "WITHDRAWN"])
def test_what_was_never_in_force_is_not_renewed(world, how):
    risk = world.risk(score=(1, 2))
    acceptance = world.acceptance(risk, submit=False)
    if how != "DRAFT":
        made = world.contributor.call("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
        if how == "REJECTED":
            world.vote("owner", made.request, decision="REJECT", comment="no")
        elif how == "WITHDRAWN":
            world.contributor.call("AcceptanceService/WithdrawAcceptance", id=acceptance.meta.id)
    assert state(read(world, acceptance)) == how
    failure = world.contributor.fails("AcceptanceService/RenewAcceptance",
                                      id=acceptance.meta.id, valid_until=soon(9))
    assert failure.reason == "ILLEGAL_STATE"


# --- the clock -----------------------------------------------------------------

@pytest.fixture(scope="module")
def ticking():
    server = Server(None, "--workers", "1", "--clock-interval", "1s").start()
    try:
        yield server, first_world(server)
        assert server.stop() == 0, server.tail()
        assert not server.leaks(), server.leaks()
    finally:
        server.done()


def test_each_warning_is_given_once(ticking):
    server, world = ticking
    _, acceptance = accept(world, days=90)
    assert acceptance.warned_days == 0

    def topics():
        with server.database() as db:
            return db.execute("SELECT count(*) FROM outbox WHERE entity_id = %s AND topic ="
                              " 'ClockService/WarnAcceptance'", (acceptance.meta.id,)).fetchone()[0]
    for i, (left, warned) in enumerate((("20 days", 30), ("5 days", 7), ("1 hour", 1)), 1):
        with server.database() as db:
            db.execute("UPDATE risk_acceptance SET valid_until = now() + %s::interval,"
                       " version = version + 1 WHERE id = %s", (left, acceptance.meta.id))
        until(lambda: read(world, acceptance).warned_days == warned)
        assert state(read(world, acceptance)) == "ACTIVE"
        until(lambda: topics() == i)
    short = accept(world, days=5)[1]
    assert short.warned_days == 7  # nobody is warned of what was just decided


def test_a_lapsed_transfer_reopens_the_risk(ticking):
    server, world = ticking
    risk, plan = transfer(world)
    with server.database() as db:
        db.execute("UPDATE treatment_plan SET lapses_at = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (plan.meta.id,))

    def now():
        return world.owner.call("TreatmentService/GetPlan", id=plan.meta.id).plan
    until(lambda: name_of("PlanState", now().state) == "INEFFECTIVE")
    assert now().end_reason == "the transfer has lapsed" and now().meta.updated_by == ""
    assert name_of("RiskState", read_risk(world, risk).state) == "ANALYSED"


def test_a_score_that_a_transfer_lowered_comes_back_when_it_lapses(ticking):
    server, world = ticking
    risk, plan = transfer(world, target={"likelihood": 1, "impact": 1})
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    world.contributor.call("TreatmentService/ImplementPlan", id=plan.meta.id,
                           evidence={"title": "the signed contract"})
    plan = world.ciso.call("TreatmentService/VerifyPlan", id=plan.meta.id,
                           verdict="PLAN_VERDICT_EFFECTIVE",
                           evidence={"title": "the contract"}).plan
    assert (plan.lowered.before.level, plan.lowered.after.level) == (3, 1)
    assert read_risk(world, risk).current.level == 1
    # which the owner alone may accept, and for a year
    made = world.acceptance(risk, by="analyst", days=300)
    world.vote("owner", made.request)
    assert state(read(world, made.acceptance)) == "ACTIVE"
    with server.database() as db:
        db.execute("UPDATE treatment_plan SET lapses_at = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (plan.meta.id,))
    until(lambda: state(read(world, made.acceptance)) == "INVALIDATED")
    assert read(world, made.acceptance).end_reason == "the current level rose from LOW to HIGH"
    after = read_risk(world, risk)
    assert (after.current.likelihood, after.current.impact, after.current.level) == (3, 4, 3)
    assert name_of("RiskState", after.state) == "ANALYSED"
    with server.database() as db:
        rows = db.execute("SELECT level, rationale, scored_by FROM risk_score"
                          " WHERE risk_id = %s AND kind = 2 ORDER BY seq",
                          (risk.meta.id,)).fetchall()
    assert [row[0] for row in rows] == [3, 1, 3]
    assert rows[2][1] == f"the cover of {plan.meta.ref} has ended"
    assert rows[2][2] == rows[0][2]  # whoever said so at first


def test_one_warning_is_given_before_a_review_lapses(ticking):
    server, world = ticking
    with reviewing(server):
        risk, acceptance = accept(world)
    by_threat(world)[1](risk)
    assert not read(world, acceptance).review_warned
    with server.database() as db:
        db.execute("UPDATE risk_acceptance SET review_due_at = now() + interval '2 days',"
                   " version = version + 1 WHERE id = %s", (acceptance.meta.id,))
        until(lambda: read(world, acceptance).review_warned)
        version = read(world, acceptance).meta.version
        review(world, "owner", acceptance, "KEEP")
        assert not read(world, acceptance).review_warned
        assert read(world, acceptance).meta.version == version + 1
        assert db.execute("SELECT count(*) FROM outbox WHERE entity_id = %s AND topic ="
                          " 'ClockService/WarnReview'", (acceptance.meta.id,)).fetchone() == (1,)


def test_a_review_that_was_not_made_is_recorded(ticking):
    server, world = ticking
    with reviewing(server):
        risk, acceptance = accept(world)
    by_threat(world)[1](risk)
    overdue(server, acceptance)
    until(lambda: state(read(world, acceptance)) == "INVALIDATED")
    assert read(world, acceptance).end_reason.startswith("it was not reviewed in time")
    assert name_of("RiskState", read_risk(world, risk).state) == "ANALYSED"
