"""Some objects and what happened to them, for tests of what was."""

import re

from history import REGISTERS
from world import soon, unique

KINDS = sorted(REGISTERS)


def edit(world, by, service, noun, one, row, **fields):
    mask = ",".join(re.sub("_(.)", lambda m: m[1].upper(), name) for name in fields)
    return getattr(world.apis[by].call(
        f"{service}/Update{noun}", id=row.meta.id, fields=fields, update_mask=mask,
        mutation={"expected_version": row.meta.version}), one)


def rename(world, risk, by="contributor"):
    return edit(world, by, "RiskService", "Risk", "risk", risk, title=unique("risk"))


def treated(world, risk, option, **fields):
    """A plan in force."""
    plan = world.contributor.call(
        "TreatmentService/CreatePlan", risk_id=risk.meta.id,
        option=f"TREATMENT_OPTION_{option}",
        fields={"rationale": "it is known to work", **fields}).plan
    world.vote("owner", world.contributor.call("TreatmentService/SubmitPlan",
                                               id=plan.meta.id).request)
    return plan.meta.id


def accepted(world, risk, days=20):
    """An acceptance in force, and its plan."""
    acceptance = world.acceptance(risk, days=days, submit=False)
    acceptance = edit(world, "contributor", "AcceptanceService", "Acceptance", "acceptance",
                      acceptance, conditions="while it is watched")
    world.vote("owner", world.contributor.call("AcceptanceService/SubmitAcceptance",
                                               id=acceptance.meta.id).request)
    return acceptance.meta.id, acceptance.plan_id


class Story:
    """Some objects in a unit of their own, and what happened to them."""

    def __init__(self, world):
        self.world = world
        self.ids = {kind: [] for kind in KINDS}
        self.unit = self.add("scope", world.scope(unique("history"), parent=world.unit.meta.id))
        self.system = self.add("ai_system", world.system(self.unit))
        self.system = edit(world, "manager", "ScopeService", "AiSystem", "ai_system", self.system,
                           purpose="answers questions")
        self.asset = self.add("asset", world.asset(self.unit))
        self.asset = edit(world, "analyst", "AssetService", "Asset", "asset", self.asset,
                          description="weights", ai_system_id=self.system.meta.id)
        self.add("asset", world.asset(self.unit, category="EVALUATION_DATA"))
        self.asset = edit(world, "analyst", "AssetService", "Asset", "asset", self.asset,
                          ai_system_id="")

    def add(self, kind, row):
        self.ids[kind].append(row.meta.id)
        return row

    def risk(self, score=(2, 3), **fields):
        risk = self.add("risk", self.world.risk(self.unit, score=None, **fields))
        rename(self.world, risk, by="analyst")
        return self.world.score(risk, *score) if score else risk

    def accept(self, risk):
        acceptance, plan = accepted(self.world, risk)
        self.ids["risk_acceptance"].append(acceptance)
        self.ids["treatment_plan"].append(plan)
        return acceptance

    def treat(self, risk, option, **fields):
        self.ids["treatment_plan"].append(treated(self.world, risk, option, **fields))
        return self.ids["treatment_plan"][-1]

    def tell(self):
        world = self.world
        self.risk(score=None)
        raised = self.risk()
        self.accept(raised)
        world.score(raised, 5, 5)  # invalidates it
        revoked = self.accept(self.risk())
        world.owner.call("AcceptanceService/RevokeAcceptance", id=revoked, reason="no more needed")
        both = self.risk()
        self.treat(both, "TRANSFER", transfer={
            "mechanism": "TRANSFER_MECHANISM_INSURANCE", "counterparty": "insurer",
            "valid_until": soon(300), "retained_duty": "tell customers"})
        self.accept(both)
        avoided = self.risk(ai_system_id=self.system.meta.id, owner="owner")
        self.treat(avoided, "AVOID", avoid={"ai_system_id": self.system.meta.id,
                                            "action": "AVOID_ACTION_NOT_DEPLOY"})
        mitigated = world.plan(self.risk())
        self.ids["treatment_plan"].append(mitigated.plan.meta.id)
        world.vote("owner", mitigated.request)
        self.around()
        self.ids["approval_request"] = [r.meta.id for r in REGISTERS["approval_request"].all(
            world.auditor, scope_id=self.unit.meta.id)]
        return self

    def around(self):
        """What holds for the objects: scope, policies, rights, controls."""
        world, unit = self.world, self.unit.meta.id
        if "top" not in world.apis:  # who decides on policies beside the CISO
            world.add("top", "TOP_MANAGEMENT", "CRITICAL")
        edit(world, "manager", "ScopeService", "Scope", "scope", self.unit, boundary="the office")
        draft = self.add("approval_policy", world.policy(self.unit, submit=False))
        draft = edit(world, "manager", "PolicyService", "Policy", "policy", draft,
                     title=unique("policy"))
        asked = world.officer.call("PolicyService/SubmitPolicy", id=draft.meta.id).request
        world.vote("ciso", asked, "REJECT", "not now")
        grant = self.add("role_grant", world.grant("colleague", "AUDITOR", scope=unit))
        self.add("role_grant", world.grant("analyst", "CONTRIBUTOR", scope=unit))
        world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id, reason="moved on")
        ended = self.add("delegation", world.delegate("owner", "officer", self.unit))
        self.add("delegation", world.delegate("owner", "ciso", self.unit, starts_at=soon(3)))
        world.owner.call("DelegationService/RevokeDelegation", id=ended.meta.id, reason="back")
        control = self.add("control", REGISTERS["control"].all(world.manager, size=1000)[-1])
        for state in ("IMPLEMENTED", "OPERATING"):
            control = world.manager.call(
                "CatalogService/UpdateControl", id=control.meta.id,
                state=f"CONTROL_STATE_{state}",
                mutation={"expected_version": control.meta.version}).control
