"""The main job: from a drafted risk to an acceptance in force, and a treatment
that is sent back, mended and approved."""

from world import soon, unique


def test_an_acceptance_above_appetite_needs_owner_and_management(world):
    risk = world.risk(score=(3, 4))
    assert risk.current.level == 3
    submitted = world.acceptance(risk)
    request = submitted.request
    assert request.state == 1 and request.current_step == 1 and request.level == 3

    waiting = world.owner.call("ApprovalService/Inbox").items
    assert request.meta.id in [i.request_id for i in waiting]
    assert request.meta.id not in [
        i.request_id for i in world.officer.call("ApprovalService/Inbox").items
        if not i.on_behalf_of]

    first = world.vote("owner", request)
    assert first.request.state == 1 and first.request.current_step == 2 and first.remaining == 1
    second = world.vote("officer", request)
    assert second.request.state == 2 and second.remaining == 0

    risk = world.contributor.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert risk.disposition == 4 and risk.state == 5
    acceptance = world.owner.call("AcceptanceService/GetAcceptance",
                                  id=submitted.acceptance.meta.id).acceptance
    assert acceptance.effective and acceptance.state == 4
    assert risk.accepted_until == acceptance.valid_until
    plan = world.owner.call("TreatmentService/GetPlan", id=acceptance.plan_id).plan
    assert plan.state == 4


def test_a_critical_risk_needs_three_humans(world):
    risk = world.risk(score=(5, 5))
    assert risk.current.level == 4
    request = world.acceptance(risk).request
    world.vote("owner", request)
    world.vote("ciso", request)
    world.vote("committee_1", request)
    assert world.request(request).state == 1
    done = world.vote("committee_2", request)
    assert done.request.state == 2


def test_a_mitigation_is_sent_back_mended_and_approved(world):
    risk = world.risk(score=(2, 3))
    submitted = world.plan(risk)
    plan, request = submitted.plan, submitted.request
    assert plan.state == 2

    missing = world.vote_fails("owner", request, decision="REQUEST_CHANGES")
    assert missing.code == "INVALID_ARGUMENT" and "comment" in missing.fields
    world.vote("owner", request, decision="REQUEST_CHANGES", comment="name the test")
    plan = world.contributor.call("TreatmentService/GetPlan", id=plan.meta.id).plan
    assert plan.state == 3

    plan = world.contributor.call(
        "TreatmentService/UpdatePlan", id=plan.meta.id,
        mutation={"expected_version": plan.meta.version},
        fields={"rationale": "shown by the adversarial test"}, update_mask="rationale").plan
    assert plan.state == 1
    again = world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id)
    assert again.request.meta.id != request.meta.id
    assert again.request.snapshot_sha256 != request.snapshot_sha256
    world.vote("owner", again.request)
    plan = world.contributor.call("TreatmentService/GetPlan", id=plan.meta.id).plan
    assert plan.state == 4
    risk = world.contributor.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert risk.disposition == 2 and risk.state == 4


def test_a_rejection_and_a_withdrawal_end_the_request(world):
    request = world.acceptance(world.risk()).request
    rejected = world.vote("owner", request, decision="REJECT", comment="not with customers' data")
    assert rejected.request.state == 3
    closed = world.vote_fails("officer", request, step=2)
    assert closed.code == "FAILED_PRECONDITION" and closed.reason == "CLOSED"

    submitted = world.acceptance(world.risk())
    refused = world.owner.fails("AcceptanceService/WithdrawAcceptance",
                                id=submitted.acceptance.meta.id)
    assert refused.code == "PERMISSION_DENIED" and refused.reason == "NOT_REQUESTER"
    back = world.contributor.call("AcceptanceService/WithdrawAcceptance",
                                  id=submitted.acceptance.meta.id)
    assert back.acceptance.state == 6


def test_an_owner_revokes_what_was_accepted(world):
    risk = world.risk(score=(1, 1))
    submitted = world.acceptance(risk)
    world.vote("owner", submitted.request)
    revoked = world.owner.call("AcceptanceService/RevokeAcceptance",
                               id=submitted.acceptance.meta.id, reason="the contract ended")
    assert revoked.acceptance.state == 7 and not revoked.acceptance.effective
    risk = world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk
    assert risk.disposition == 1 and risk.state == 2


def test_a_higher_score_invalidates_an_acceptance(world):
    risk = world.risk(score=(1, 1))
    submitted = world.acceptance(risk)
    world.vote("owner", submitted.request)
    world.score(risk, 4, 4)
    acceptance = world.owner.call("AcceptanceService/GetAcceptance",
                                  id=submitted.acceptance.meta.id).acceptance
    assert acceptance.state == 9 and not acceptance.effective and acceptance.end_reason


def test_a_change_after_submission_makes_the_request_stale(world):
    risk = world.risk(score=(1, 1))
    submitted = world.acceptance(risk)
    world.score(risk, 4, 4)
    refused = world.vote_fails("owner", submitted.request)
    assert refused.code == "FAILED_PRECONDITION" and refused.reason in ("STALE", "CLOSED")
    assert world.request(submitted.request).state == 7


def test_an_acceptance_is_bounded_in_time(world):
    risk = world.risk(score=(3, 4))
    acceptance = world.acceptance(risk, days=120, submit=False)
    refused = world.contributor.fails("AcceptanceService/SubmitAcceptance", id=acceptance.meta.id)
    assert refused.code == "FAILED_PRECONDITION" and refused.reason == "DURATION_CAP"


def test_transfer_and_avoid_carry_their_own_terms(world):
    risk = world.risk(score=(2, 3))
    plan = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id, option="TREATMENT_OPTION_TRANSFER",
        fields={"rationale": "the insurer bears it"}).plan
    refused = world.contributor.fails("TreatmentService/SubmitPlan", id=plan.meta.id)
    assert refused.reason == "PLAN_INCOMPLETE"
    world.contributor.call(
        "TreatmentService/UpdatePlan", id=plan.meta.id,
        mutation={"expected_version": plan.meta.version}, update_mask="transfer",
        fields={"transfer": {"mechanism": "TRANSFER_MECHANISM_INSURANCE",
                             "counterparty": "insurer", "valid_until": soon(300),
                             "retained_duty": "tell customers"}})
    request = world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id).request
    world.vote("owner", request)
    assert world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk.disposition == 3

    system = world.system(world.unit)
    risk = world.risk(score=(2, 3), ai_system_id=system.meta.id)
    plan = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id, option="TREATMENT_OPTION_AVOID",
        fields={"rationale": "it is not worth it",
                "avoid": {"ai_system_id": system.meta.id, "action": "AVOID_ACTION_NOT_DEPLOY"}}).plan
    request = world.contributor.call("TreatmentService/SubmitPlan", id=plan.meta.id).request
    world.vote("owner", request)
    assert world.owner.call("RiskService/GetRisk", id=risk.meta.id).risk.disposition == 5
    refused = world.manager.fails(
        "ScopeService/UpdateAiSystem", id=system.meta.id,
        mutation={"expected_version": system.meta.version}, update_mask="stage",
        fields={"stage": "AI_SYSTEM_STAGE_DEPLOYED"})
    assert refused.reason == "AVOID_IN_FORCE", refused


def test_the_log_lists_what_was_done_and_what_was_refused(world):
    risk = world.risk(score=(3, 4))
    submitted = world.acceptance(risk)
    world.vote_fails("colleague", submitted.request, step=1,
                     digest=submitted.request.snapshot_sha256)
    world.vote("owner", submitted.request)
    events = [r.event for r in world.auditor.call(
        "AuditLogService/ListAuditEvents", entity_id=submitted.request.meta.id).events]
    outcomes = [(e.rpc.rsplit("/", 1)[1], e.outcome) for e in events]
    assert ("CastVote", 1) in outcomes and ("CastVote", 2) in outcomes
    refusal = next(e for e in events if e.outcome == 2)
    assert refusal.reason and refusal.actor_id == world.id("colleague")


def test_a_stale_edit_names_what_changed(world):
    risk = world.risk(score=None)
    world.contributor.call("RiskService/UpdateRisk", id=risk.meta.id, update_mask="title",
                           mutation={"expected_version": risk.meta.version},
                           fields={"title": unique("renamed")})
    conflict = world.analyst.fails("RiskService/UpdateRisk", id=risk.meta.id, update_mask="cause",
                                   mutation={"expected_version": risk.meta.version},
                                   fields={"cause": "another"})
    assert conflict.code == "ABORTED" and conflict.reason == "CONFLICT"
    assert conflict.facts["current_version"] == str(risk.meta.version + 1)
    assert conflict.facts["changed_by"] == "contributor"
    assert "title" in conflict.facts["changed_fields"]
