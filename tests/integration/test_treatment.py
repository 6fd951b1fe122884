"""Treatment plans carried out: every transition of a plan in force with its guards,
who may make it, and what it does to the risk."""

import datetime

import pytest

from api import SCHEMA, Failure
from world import soon, unique

EVIDENCE = {"title": "report of the test", "uri": "https://evidence.example.org/1"}


def number(enum, name):
    return SCHEMA.pool.FindEnumTypeByName("isms.v1." + enum).values_by_name[name].number


def state(plan):
    names = SCHEMA.pool.FindEnumTypeByName("isms.v1.PlanState").values_by_number
    return names[plan.state].name.removeprefix("PLAN_STATE_")


def risk_state(world, risk):
    now = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    names = SCHEMA.pool.FindEnumTypeByName("isms.v1.RiskState").values_by_number
    return names[now.state].name.removeprefix("RISK_STATE_")


def disposition(world, risk):
    now = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    names = SCHEMA.pool.FindEnumTypeByName("isms.v1.Disposition").values_by_number
    return names[now.disposition].name.removeprefix("DISPOSITION_")


def read(world, plan):
    return world.owner.call("TreatmentService/GetPlan", id=plan.meta.id).plan


def draft(world, risk, option, by="contributor", **fields):
    fields.setdefault("rationale", "the best that can be done")
    return world.apis[by].call("TreatmentService/CreatePlan", risk_id=risk.meta.id,
                               option=f"TREATMENT_OPTION_{option}", fields=fields).plan


def approve(world, plan, by="contributor"):
    request = world.apis[by].call("TreatmentService/SubmitPlan", id=plan.meta.id).request
    for name in ("owner", "officer"):
        if world.vote(name, request).request.state != number("ApprovalState",
                                                             "APPROVAL_STATE_PENDING"):
            break
    plan = read(world, plan)
    assert state(plan) == "APPROVED"
    return plan


def mitigate(world, assignees=("colleague",), score=(3, 4), **target):
    """An approved MITIGATE plan on a new risk."""
    risk = world.risk(score=score)
    actions = [{"control_id": world.control().meta.id, "assignee_id": world.id(name),
                "description": "put it in place", "due_at": soon(30)} for name in assignees]
    plan = draft(world, risk, "MITIGATE", actions=actions,
                 target={"likelihood": 1, "impact": 1, **target})
    return risk, approve(world, plan)


def transfer(world, days=30, **fields):
    risk = world.risk(score=(3, 4))
    plan = draft(world, risk, "TRANSFER", transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
        "valid_until": soon(days), "retained_duty": "to report each loss"}, **fields)
    return risk, approve(world, plan)


def avoid(world, system, action="NOT_DEPLOY"):
    risk = world.risk(score=(3, 4), ai_system_id=system.meta.id)
    plan = draft(world, risk, "AVOID", avoid={"ai_system_id": system.meta.id,
                                              "action": f"AVOID_ACTION_{action}"})
    return risk, approve(world, plan)


def move(world, by, plan, action, to, **fields):
    return world.apis[by].call(
        "TreatmentService/UpdateAction", id=plan.meta.id, action_no=action,
        state=f"ACTION_STATE_{to}", mutation={"expected_version": read(world, plan).meta.version},
        **fields).plan


def move_fails(world, by, plan, action, to, **fields):
    return world.apis[by].fails(
        "TreatmentService/UpdateAction", id=plan.meta.id, action_no=action,
        state=f"ACTION_STATE_{to}", mutation={"expected_version": read(world, plan).meta.version},
        **fields)


def implement(world, plan, by="contributor", **fields):
    return world.apis[by].call("TreatmentService/ImplementPlan", id=plan.meta.id, **fields).plan


def verify(world, plan, by="ciso", verdict="EFFECTIVE", **fields):
    return world.apis[by].call("TreatmentService/VerifyPlan", id=plan.meta.id, evidence=EVIDENCE,
                               verdict=f"PLAN_VERDICT_{verdict}", **fields).plan


def test_a_mitigation_from_its_start_to_its_verification(world):
    risk, plan = mitigate(world, ("colleague", "contributor"))
    assert not plan.HasField("progress") and risk_state(world, risk) == "IN_TREATMENT"
    plan = move(world, "colleague", plan, 1, "DOING")
    assert state(plan) == "IN_PROGRESS"  # the first action that moves starts it
    assert plan.progress.started_by == world.id("colleague")
    assert len(plan.progress.actions) == 2
    assert plan.progress.actions[0].first_due_at == plan.content.actions[0].due_at
    open_actions = world.contributor.fails("TreatmentService/ImplementPlan", id=plan.meta.id)
    assert open_actions.reason == "ACTIONS_OPEN"
    plan = move(world, "colleague", plan, 1, "DONE", evidence=EVIDENCE)
    assert plan.progress.actions[0].done_by == world.id("colleague")
    assert plan.progress.actions[0].evidence.title == EVIDENCE["title"]
    plan = move(world, "contributor", plan, 2, "DROPPED", note="no longer needed")
    plan = implement(world, plan, note="all in place")
    assert state(plan) == "IMPLEMENTED" and risk_state(world, risk) == "MONITORED"
    assert plan.content == read(world, plan).content
    plan = verify(world, plan)
    assert state(plan) == "VERIFIED" and plan.verification.effective
    assert plan.verification.verifier_id == world.id("ciso")
    assert plan.verification.verifier_name == "ciso"
    after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert (after.current.likelihood, after.current.impact) == (1, 1)
    assert after.current == after.target
    assert disposition(world, risk) == "MITIGATED"


def test_the_verified_score_counts_as_that_of_those_who_wrote_the_plan(server, world):
    risk, plan = mitigate(world)
    implement(world, move(world, "colleague", plan, 1, "DONE"))
    verify(world, plan, by="owner")  # who owns the risk verifies what others wrote and did
    with server.database() as db:
        rows = db.execute("SELECT scored_by, scored_by_persons FROM risk_score"
                          " WHERE risk_id = %s AND kind = 2 ORDER BY id DESC",
                          (risk.meta.id,)).fetchall()
    assert str(rows[0][0]) == world.id("owner") and len(rows) == 2
    assert [str(p) for p in rows[0][1]] == [world.users["contributor"].person_id]
    # so that the owner may still accept what is left
    made = world.acceptance(risk, by="analyst", days=30)
    assert world.vote("owner", made.request).request.state == number(
        "ApprovalState", "APPROVAL_STATE_APPROVED")


def test_dates_are_put_off_with_a_reason_and_counted(world):
    _, plan = mitigate(world)
    failure = move_fails(world, "colleague", plan, 1, "DOING", due_at=soon(40))
    assert failure.code == "INVALID_ARGUMENT" and set(failure.fields) == {"slip_reason"}, failure
    plan = move(world, "colleague", plan, 1, "DOING", due_at=soon(40), slip_reason="ill")
    plan = move(world, "colleague", plan, 1, "DOING", due_at=soon(50), slip_reason="ill again")
    plan = move(world, "colleague", plan, 1, "DOING", due_at=soon(45))  # sooner needs none
    action = plan.progress.actions[0]
    assert (action.slips, action.slip_reason) == (2, "ill again")
    assert action.first_due_at == plan.content.actions[0].due_at
    assert action.due_at.seconds > action.first_due_at.seconds


@pytest.mark.parametrize("to", ["BLOCKED", "DROPPED"])
def test_what_stops_says_why(world, to):
    _, plan = mitigate(world)
    failure = move_fails(world, "colleague", plan, 1, to)
    assert failure.code == "INVALID_ARGUMENT" and set(failure.fields) == {"note"}, failure
    plan = move(world, "colleague", plan, 1, to, note="no time")
    assert plan.progress.actions[0].note == "no time"


def test_what_is_undone_is_not_done(world):
    _, plan = mitigate(world)
    plan = move(world, "colleague", plan, 1, "DONE")
    plan = move(world, "colleague", plan, 1, "DOING")
    assert not plan.progress.actions[0].HasField("done_at")
    assert plan.progress.actions[0].done_by == ""
    only_dropped = move(world, "colleague", plan, 1, "DROPPED", note="no use")
    failure = world.contributor.fails("TreatmentService/ImplementPlan", id=only_dropped.meta.id)
    assert failure.reason == "ACTIONS_OPEN"


def test_only_the_assignee_or_who_writes_plans_moves_an_action(world):
    # roles that see plans and write none
    _, plan = mitigate(world, ("auditor", "colleague"))
    assert state(move(world, "auditor", plan, 1, "DOING")) == "IN_PROGRESS"
    other = move_fails(world, "auditor", plan, 2, "DOING")
    assert (other.code, other.reason) == ("PERMISSION_DENIED", "PERMISSION_MISSING")
    assert move_fails(world, "ciso", plan, 1, "DOING").code == "PERMISSION_DENIED"
    move(world, "owner", plan, 2, "DOING")  # plan.write.own
    failure = move_fails(world, "owner", plan, 3, "DOING")
    assert (failure.code, set(failure.fields)) == ("INVALID_ARGUMENT", {"action_no"})
    stale = world.colleague.fails("TreatmentService/UpdateAction", id=plan.meta.id, action_no=2,
                                  state="ACTION_STATE_DONE", mutation={"expected_version": 1})
    assert (stale.code, stale.reason) == ("ABORTED", "CONFLICT")


def test_an_assignee_starts_a_plan_and_a_bystander_does_not(world):
    _, plan = mitigate(world, ("auditor",))
    assert world.ciso.fails("TreatmentService/StartPlan",
                            id=plan.meta.id).code == "PERMISSION_DENIED"
    started = world.auditor.call("TreatmentService/StartPlan", id=plan.meta.id).plan
    assert state(started) == "IN_PROGRESS" and started.progress.started_by == world.id("auditor")
    again = world.auditor.fails("TreatmentService/StartPlan", id=plan.meta.id)
    assert again.reason == "ILLEGAL_STATE"


@pytest.fixture(scope="module")
def verifiers(world):
    """Second accounts and a service account of people who have a part in plans."""
    unit = world.unit.meta.id
    for name, of in (("contributor_again", "contributor"), ("colleague_again", "colleague")):
        world.add(name, "APPROVER", "CRITICAL", scope=unit, person=world.users[of].person_id)
    world.add("writer", "CONTRIBUTOR", scope=unit)
    world.add("writer_again", "APPROVER", scope=unit, person=world.users["writer"].person_id)
    world.add("helper", "APPROVER", scope=unit)
    return world


def test_who_had_a_part_does_not_verify_by_any_account(verifiers):
    world = verifiers
    risk = world.risk()
    plan = draft(world, risk, "MITIGATE", target={"likelihood": 1, "impact": 1}, actions=[
        {"control_id": world.control().meta.id, "assignee_id": world.id("colleague"),
         "description": "put it in place", "due_at": soon(30)}])
    world.writer.call("TreatmentService/UpdatePlan", id=plan.meta.id,
                      mutation={"expected_version": plan.meta.version},
                      fields={"rationale": "better said"}, update_mask="rationale")
    plan = approve(world, plan)
    # the analyst does what the colleague was to do
    plan = implement(world, move(world, "analyst", plan, 1, "DONE"))
    world.grant("analyst", "APPROVER", scope=world.unit.meta.id)
    for name in ("contributor_again", "colleague_again", "writer_again", "analyst"):
        failure = world.apis[name].fails("TreatmentService/VerifyPlan", id=plan.meta.id,
                                         verdict="PLAN_VERDICT_EFFECTIVE", evidence=EVIDENCE)
        assert (failure.code, failure.reason) == ("PERMISSION_DENIED", "SOD_VERIFIER"), name
    assert state(verify(world, plan, by="helper")) == "VERIFIED"


def test_who_said_that_it_is_done_does_not_verify_it(verifiers):
    world = verifiers
    world.add("owner_twice", "APPROVER", scope=world.unit.meta.id,
              person=world.users["owner"].person_id)
    for _, plan in (transfer(world), avoid(world, world.system(world.unit))):
        world.contributor.call("TreatmentService/StartPlan", id=plan.meta.id)
        plan = implement(world, plan, by="owner", evidence=EVIDENCE)
        assert list(plan.progress.implemented_by_persons) == [world.users["owner"].person_id]
        for name in ("owner", "owner_twice"):
            failure = world.apis[name].fails("TreatmentService/VerifyPlan", id=plan.meta.id,
                                             verdict="PLAN_VERDICT_EFFECTIVE", evidence=EVIDENCE)
            assert (failure.code, failure.reason) == ("PERMISSION_DENIED", "SOD_VERIFIER"), name
        assert state(verify(world, plan, by="helper")) == "VERIFIED"


def test_the_owner_of_a_service_account_that_wrote_it_does_not_verify(verifiers):
    world = verifiers
    world.add_service("robot", "SERVICE", "helper", scope=world.unit.meta.id)
    risk = world.risk()
    plan = draft(world, risk, "MITIGATE", by="robot", target={"likelihood": 1, "impact": 1},
                 actions=[{"control_id": world.control().meta.id,
                           "assignee_id": world.id("colleague"),
                           "description": "put it in place", "due_at": soon(30)}])
    plan = approve(world, plan)
    implement(world, move(world, "colleague", plan, 1, "DONE"))
    failure = world.helper.fails("TreatmentService/VerifyPlan", id=plan.meta.id,
                                 verdict="PLAN_VERDICT_EFFECTIVE", evidence=EVIDENCE)
    assert failure.reason == "SOD_VERIFIER"


def test_a_plan_that_does_not_work_treats_the_risk_no_more(world):
    risk, plan = mitigate(world)
    implement(world, move(world, "colleague", plan, 1, "DONE"))
    silent = world.ciso.fails("TreatmentService/VerifyPlan", id=plan.meta.id, evidence=EVIDENCE,
                              verdict="PLAN_VERDICT_INEFFECTIVE")
    assert (silent.code, set(silent.fields)) == ("INVALID_ARGUMENT", {"comment"})
    unproven = world.ciso.fails("TreatmentService/VerifyPlan", id=plan.meta.id,
                                verdict="PLAN_VERDICT_EFFECTIVE")
    assert (unproven.code, set(unproven.fields)) == ("INVALID_ARGUMENT", {"evidence"})
    before = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    plan = verify(world, plan, verdict="INEFFECTIVE", comment="the filter lets it through")
    assert state(plan) == "INEFFECTIVE" and not plan.verification.effective
    assert plan.end_reason == "the filter lets it through"
    after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert after.current == before.current and after.target.level == 0
    assert (risk_state(world, risk), disposition(world, risk)) == ("ANALYSED", "UNTREATED")
    mitigate_again = draft(world, risk, "MITIGATE")  # then a new plan
    assert state(mitigate_again) == "DRAFT"


@pytest.mark.parametrize("started", [False, True])
def test_a_plan_is_given_up_with_a_reason(world, started):
    risk, plan = mitigate(world)
    if started:
        world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    assert world.colleague.fails("TreatmentService/CancelPlan", id=plan.meta.id,
                                 reason="no").code == "PERMISSION_DENIED"
    assert world.owner.fails("TreatmentService/CancelPlan",
                             id=plan.meta.id).code == "INVALID_ARGUMENT"
    plan = world.owner.call("TreatmentService/CancelPlan", id=plan.meta.id,
                            reason="the system goes away").plan
    assert state(plan) == "CANCELLED" and plan.end_reason == "the system goes away"
    assert (risk_state(world, risk), disposition(world, risk)) == ("ANALYSED", "UNTREATED")
    assert world.owner.fails("TreatmentService/CancelPlan", id=plan.meta.id,
                             reason="again").reason == "ILLEGAL_STATE"


def test_what_is_implemented_is_not_given_up(world):
    _, plan = mitigate(world)
    implement(world, move(world, "colleague", plan, 1, "DONE"))
    assert world.owner.fails("TreatmentService/CancelPlan", id=plan.meta.id,
                             reason="no").reason == "ILLEGAL_STATE"


def test_the_risk_aims_at_what_is_left(world):
    risk, plan = mitigate(world)
    other = draft(world, risk, "TRANSFER", target={"likelihood": 2, "impact": 2}, transfer={
        "mechanism": "TRANSFER_MECHANISM_OUTSOURCING", "counterparty": "a provider",
        "valid_until": soon(30), "retained_duty": "to watch it"})
    approve(world, other)
    world.owner.call("TreatmentService/CancelPlan", id=other.meta.id, reason="too dear")
    after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert (after.target.likelihood, after.target.impact) == (1, 1)
    assert risk_state(world, risk) == "IN_TREATMENT"


def test_a_transfer_is_done_with_evidence_only(world):
    risk, plan = transfer(world)
    assert disposition(world, risk) == "TRANSFERRED"
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    failure = world.owner.fails("TreatmentService/ImplementPlan", id=plan.meta.id)
    assert failure.reason == "EVIDENCE_NEEDED"
    plan = implement(world, plan, by="owner", evidence=EVIDENCE)
    assert plan.progress.evidence.uri == EVIDENCE["uri"]
    assert state(verify(world, plan)) == "VERIFIED"  # without a target nothing is copied
    after = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert (after.current.likelihood, after.current.impact) == (3, 4)


def test_a_lapsed_transfer_counts_no_more(server, world):
    risk, plan = transfer(world)
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    with server.database() as db:
        db.execute("UPDATE treatment_plan SET lapses_at = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (plan.meta.id,))
    # nothing has recorded it yet, and it counts no more
    assert disposition(world, risk) == "UNTREATED"
    failure = world.owner.fails("TreatmentService/ImplementPlan", id=plan.meta.id,
                                evidence=EVIDENCE)
    assert failure.reason == "TRANSFER_LAPSED"


def stage(world, system, *to):
    for name in to:
        version = world.manager.call("ScopeService/GetAiSystem",
                                     id=system.meta.id).ai_system.meta.version
        world.manager.call("ScopeService/UpdateAiSystem", id=system.meta.id,
                           mutation={"expected_version": version},
                           fields={"stage": f"AI_SYSTEM_STAGE_{name}"}, update_mask="stage")


def stage_fails(world, system, to):
    version = world.manager.call("ScopeService/GetAiSystem",
                                 id=system.meta.id).ai_system.meta.version
    return world.manager.fails("ScopeService/UpdateAiSystem", id=system.meta.id,
                               mutation={"expected_version": version},
                               fields={"stage": f"AI_SYSTEM_STAGE_{to}"}, update_mask="stage")


def test_avoid_keeps_a_system_from_being_deployed_in_every_state_in_force(world):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED")
    _, plan = avoid(world, system)
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"
    implement(world, plan, by="owner", evidence=EVIDENCE)
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"
    verify(world, plan)
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"


def test_a_system_that_is_deployed_must_leave_before_avoid_is_done(world):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED", "DEPLOYED")
    risk, plan = avoid(world, system, "DECOMMISSION")
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    failure = world.owner.fails("TreatmentService/ImplementPlan", id=plan.meta.id,
                                evidence=EVIDENCE)
    assert failure.reason == "SYSTEM_DEPLOYED"
    stage(world, system, "SUSPENDED")
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"
    assert state(implement(world, plan, by="owner", evidence=EVIDENCE)) == "IMPLEMENTED"
    assert disposition(world, risk) == "AVOIDED"


def test_a_system_that_lost_a_feature_is_deployed_all_the_same(world):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED")
    risk, plan = avoid(world, system, "DISABLE_FEATURE")
    assert plan.avoid_action == number("AvoidAction", "AVOID_ACTION_DISABLE_FEATURE")
    stage(world, system, "DEPLOYED")
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    implement(world, plan, by="owner", evidence=EVIDENCE)
    verify(world, plan)
    stage(world, system, "SUSPENDED", "DEPLOYED")
    assert disposition(world, risk) == "AVOIDED"
    avoid(world, system)  # as another plan, about the whole, forbids
    stage(world, system, "SUSPENDED")
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"


def test_a_system_is_avoided_only_where_the_risk_is(world):
    below = world.scope(unique("below"), world.unit.meta.id)
    theirs = world.system(world.other_unit, owner="stranger")
    writer = world.add("writer_everywhere", "CONTRIBUTOR")

    def submit(risk, system):
        plan = draft(world, risk, "AVOID", by="writer_everywhere", avoid={
            "ai_system_id": system.meta.id, "action": "AVOID_ACTION_NOT_DEPLOY"})
        return writer.call("TreatmentService/SubmitPlan", id=plan.meta.id).plan

    with pytest.raises(Failure) as failure:
        submit(world.risk(), theirs)
    assert failure.value.reason == "PLAN_INCOMPLETE", failure.value
    assert set(failure.value.fields) == {"content.avoid.ai_system_id"}
    assert state(submit(world.risk(), world.system(below))) == "SUBMITTED"
    assert state(submit(world.risk(), world.system(world.unit))) == "SUBMITTED"
    above = world.system(world.root)  # the risk's own, wherever it is
    risk = world.risk(by="writer_everywhere", ai_system_id=above.meta.id)
    assert state(submit(risk, above)) == "SUBMITTED"


def test_plans_of_acceptances_follow_them_alone(world):
    risk = world.risk(score=(1, 2))
    made = world.acceptance(risk)
    world.vote("owner", made.request)
    plan_id = made.acceptance.plan_id
    for name, fields in (("StartPlan", {}), ("ImplementPlan", {}),
                         ("CancelPlan", {"reason": "no"}),
                         ("VerifyPlan", {"verdict": "PLAN_VERDICT_EFFECTIVE",
                                         "evidence": EVIDENCE})):
        api = world.ciso if name == "VerifyPlan" else world.owner
        assert api.fails("TreatmentService/" + name, id=plan_id,
                         **fields).reason == "ACCEPT_PLAN", name


def test_a_verified_plan_gives_way_to_a_newer_one(world):
    risk, plan = transfer(world)
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    implement(world, plan, by="owner", evidence=EVIDENCE)
    verify(world, plan)
    newer = approve(world, draft(world, risk, "TRANSFER", transfer={
        "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "another insurer",
        "valid_until": soon(60), "retained_duty": "to report each loss"}))
    assert state(read(world, plan)) == "SUPERSEDED" and state(newer) == "APPROVED"
    assert newer.supersedes_id == plan.meta.id and not read(world, plan).supersedes_id
    assert read(world, plan).end_reason == f"superseded by {newer.meta.ref}"


# --- the data of the options ---------------------------------------------------

COVER = {"mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "an insurer",
         "retained_duty": "to report each loss"}


def test_the_data_of_an_option_is_kept_as_it_was_given(world):
    risk, plan = transfer(world, cost="1250.5", cost_currency="EUR")
    assert (plan.content.cost, plan.content.cost_currency) == ("1250.5", "EUR")
    cover = {**COVER, "valid_from": soon(1), "valid_until": soon(90), "currency": "JPY",
             "coverage_amount": "150000000", "deductible": "0.0001", "evidence": EVIDENCE}
    got = draft(world, risk, "TRANSFER", transfer=cover)
    assert got.content == read(world, got).content
    kept = got.content.transfer
    assert (kept.coverage_amount, kept.deductible, kept.currency) == ("150000000", "0.0001", "JPY")
    assert kept.evidence.uri == EVIDENCE["uri"] and got.counts_from == kept.valid_from
    system = world.system(world.unit)
    got = draft(world, risk, "AVOID", avoid={
        "ai_system_id": system.meta.id, "action": "AVOID_ACTION_DECOMMISSION",
        "effective_at": soon(1), "evidence": EVIDENCE})
    assert got.content.avoid.evidence.title == EVIDENCE["title"]
    assert got.counts_from == got.content.avoid.effective_at
    assert not draft(world, risk, "TRANSFER").HasField("counts_from")


@pytest.mark.parametrize("fields, wrong", [
    ({"cost": "1,000"}, "fields.cost"),
    ({"cost": "-1"}, "fields.cost"),
    ({"cost_currency": "eur"}, "fields.cost_currency"),
    ({"transfer": {"coverage_amount": "1e6"}}, "fields.transfer.coverage_amount"),
    ({"transfer": {"deductible": "1."}}, "fields.transfer.deductible"),
    ({"transfer": {"currency": "EU"}}, "fields.transfer.currency"),
    ({"transfer": {"valid_from": soon(31)}}, "fields.transfer.valid_from"),
    ({"transfer": {"evidence": {"uri": "https://evidence.example.org"}}},
     "fields.transfer.evidence.title"),
])
def test_what_is_no_amount_or_time_is_refused(world, fields, wrong):
    fields = {"rationale": "insured", **fields,
              "transfer": {**COVER, "valid_until": soon(30), **fields.get("transfer", {})}}
    failure = world.contributor.fails("TreatmentService/CreatePlan", risk_id=world.risk().meta.id,
                                      option="TREATMENT_OPTION_TRANSFER", fields=fields)
    assert (failure.code, set(failure.fields)) == ("INVALID_ARGUMENT", {wrong}), failure


def test_an_amount_is_not_submitted_without_its_currency(world):
    plan = draft(world, world.risk(), "TRANSFER", cost="10", transfer={
        **COVER, "valid_until": soon(30), "coverage_amount": "1000"})
    failure = world.contributor.fails("TreatmentService/SubmitPlan", id=plan.meta.id)
    assert failure.reason == "PLAN_INCOMPLETE", failure
    assert set(failure.fields) == {"content.cost_currency", "content.transfer.currency"}


@pytest.mark.parametrize("who", ["robot", "invited", "gone"])
def test_only_people_who_can_be_asked_are_to_do_something(world, who):
    name = unique(who).replace(" ", "-")
    if who == "robot":
        world.add_service(name, "SERVICE", "contributor")
    else:
        made = world.admin.call("DirectoryService/CreateUser", email=f"{name}@example.org",
                                display_name=name, kind="USER_KIND_HUMAN").user
        world.users[name] = made
        if who == "gone":
            world.admin.call("DirectoryService/DeactivateUser", id=made.meta.id, reason="left")
    made = world.plan(world.risk(), submit=False, assignee=name)
    failure = world.contributor.fails("TreatmentService/SubmitPlan", id=made.meta.id)
    assert failure.reason == "PLAN_INCOMPLETE", failure
    assert set(failure.fields) == {"content.actions.assignee_id"}


def begin_now(server, plan):
    with server.database() as db:
        db.execute("UPDATE treatment_plan SET counts_from = now() - interval '1 second',"
                   " version = version + 1 WHERE id = %s", (plan.meta.id,))


def test_a_cover_counts_from_when_it_begins(server, world):
    risk = world.risk(score=(3, 4))
    plan = approve(world, draft(world, risk, "TRANSFER", transfer={
        **COVER, "valid_from": soon(10), "valid_until": soon(30)}))
    assert (risk_state(world, risk), disposition(world, risk)) == ("IN_TREATMENT", "UNTREATED")
    world.owner.call("TreatmentService/StartPlan", id=plan.meta.id)
    plan = implement(world, plan, by="owner", evidence=EVIDENCE)
    assert (risk_state(world, risk), disposition(world, risk)) == ("IN_TREATMENT", "UNTREATED")
    failure = world.ciso.fails("TreatmentService/VerifyPlan", id=plan.meta.id,
                               verdict="PLAN_VERDICT_EFFECTIVE", evidence=EVIDENCE)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "NOT_IN_EFFECT")
    begin_now(server, plan)
    assert disposition(world, risk) == "TRANSFERRED"
    assert state(verify(world, plan)) == "VERIFIED" and risk_state(world, risk) == "MONITORED"


def test_what_begins_later_does_not_end_what_counts_now(world):
    risk, _ = transfer(world)
    assert disposition(world, risk) == "TRANSFERRED"
    later = draft(world, risk, "TRANSFER", transfer={
        **COVER, "valid_from": soon(10), "valid_until": soon(60)})
    failure = world.contributor.fails("TreatmentService/SubmitPlan", id=later.meta.id)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "COVER_GAP")
    approve(world, draft(world, risk, "TRANSFER", transfer={**COVER, "valid_until": soon(60)}))
    assert disposition(world, risk) == "TRANSFERRED"


def test_a_system_that_is_avoided_stays_so_until_the_next_plan_counts(world):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED")
    risk, _ = avoid(world, system)
    later = draft(world, risk, "AVOID", avoid={
        "ai_system_id": system.meta.id, "action": "AVOID_ACTION_NOT_DEPLOY",
        "effective_at": soon(10)})
    failure = world.contributor.fails("TreatmentService/SubmitPlan", id=later.meta.id)
    assert failure.reason == "COVER_GAP", failure
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"


def test_who_decides_learns_that_the_mitigation_was_given_up(world):
    """What was submitted says that the risk is being brought down."""
    risk, plan = mitigate(world)
    made = world.acceptance(risk)
    world.vote("owner", made.request)
    world.owner.call("TreatmentService/CancelPlan", id=plan.meta.id, reason="too dear")
    failure = world.vote_fails("officer", made.request)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "STALE")
    assert world.owner.call("AcceptanceService/GetAcceptance",
                            id=made.acceptance.meta.id).acceptance.state == 1


def test_a_system_is_avoided_from_when_it_is_said(server, world):
    system = world.system(world.unit)
    stage(world, system, "EVALUATING", "APPROVED")
    risk = world.risk(score=(3, 4), ai_system_id=system.meta.id)
    plan = approve(world, draft(world, risk, "AVOID", avoid={
        "ai_system_id": system.meta.id, "action": "AVOID_ACTION_NOT_DEPLOY",
        "effective_at": soon(10)}))
    assert disposition(world, risk) == "UNTREATED"
    stage(world, system, "DEPLOYED", "SUSPENDED")
    begin_now(server, plan)
    assert disposition(world, risk) == "AVOIDED"
    assert stage_fails(world, system, "DEPLOYED").reason == "AVOID_IN_FORCE"
