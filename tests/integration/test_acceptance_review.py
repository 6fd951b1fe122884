"""Reviews of acceptances: who may keep one in force after a material change, what that
counts for, and what waits in inboxes meanwhile."""

from server import Server
from test_acceptance_terms import (REVIEW_DAYS, accept, any_of, by_threat, by_vulnerability,
                                   mask, overdue, read, read_risk, review, review_fails,
                                   reviewing, state, submit, under_review)
from test_policies import active, named, place, top  # noqa: F401
from world import first_world, soon, unique


def test_a_review_keeps_or_ends_it(under_review, world):
    risk, acceptance = under_review()
    assert review_fails(world, "owner", acceptance, "KEEP").reason == "ILLEGAL_STATE"
    by_threat(world)[1](risk)
    kept = review(world, "owner", acceptance, "KEEP")
    assert state(kept) == "ACTIVE" and kept.effective
    assert not kept.HasField("review_due_at") and kept.review_reason == ""
    by_vulnerability(world)[1](risk)
    ended = review(world, "owner", acceptance, "END")
    assert state(ended) == "REVOKED" and ended.ended_by == world.id("owner")
    assert ended.end_reason == "looked at it"
    assert not read_risk(world, risk).HasField("accepted_until")


def test_who_asked_for_it_or_wrote_it_does_not_keep_it(under_review, world):
    risk, acceptance = under_review()
    by_threat(world)[1](risk)
    name = unique("contributor twin").replace(" ", "_")
    world.add(name, "APPROVER", "CRITICAL", scope=world.unit.meta.id,
              person=world.users["contributor"].person_id)
    failure = review_fails(world, name, acceptance, "KEEP")
    assert (failure.code, failure.reason) == ("PERMISSION_DENIED", "SOD_REQUESTER")
    assert review_fails(world, "contributor", acceptance, "KEEP").reason == "PERMISSION_MISSING"
    assert review_fails(world, "auditor", acceptance, "END").reason == "PERMISSION_MISSING"
    low = unique("low approver").replace(" ", "_")
    world.add(low, "APPROVER", scope=world.unit.meta.id)  # a right without any level
    assert review_fails(world, low, acceptance, "KEEP").reason == "AUTHORITY_LEVEL"
    high = unique("other approver").replace(" ", "_")
    world.add(high, "APPROVER", "CRITICAL", scope=world.unit.meta.id)
    assert review_fails(world, high, acceptance, "KEEP").reason == "NOT_ASSIGNEE"
    assert state(review(world, name, acceptance, "END", dry_run=True)) == "REVOKED"


def test_nobody_keeps_what_has_changed_since_it_was_looked_at(under_review, world):
    risk, acceptance = under_review()
    by_threat(world)[1](risk)
    seen = read(world, acceptance).meta.version
    by_vulnerability(world)[1](risk)
    failure = review_fails(world, "owner", acceptance, "KEEP", version=seen)
    assert failure.code == "ABORTED", failure
    none = review_fails(world, "owner", acceptance, "KEEP", version=0)
    assert none.code == "INVALID_ARGUMENT" and "mutation.expected_version" in none.fields, none
    assert state(review(world, "owner", acceptance, "KEEP")) == "ACTIVE"


def test_what_several_people_approved_is_not_kept_by_one(server, world):
    with reviewing(server):
        risk = world.risk(score=(3, 4))
        made = submit(world, risk)
        world.vote("owner", made.request)
        world.vote("officer", made.request)
    by_threat(world)[1](read_risk(world, risk))
    acceptance = read(world, made.acceptance)
    assert acceptance.effective and acceptance.HasField("review_due_at")
    for name in ("owner", "officer"):
        failure = review_fails(world, name, acceptance, "KEEP")
        assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "RENEWAL_NEEDED")
        assert "renew" in failure.message
    assert state(review(world, "officer", acceptance, "END")) == "REVOKED"


def test_who_made_the_change_does_not_keep_it(under_review, world):
    risk, acceptance = under_review()
    name = unique("changing owner").replace(" ", "_")
    world.add(name, "CONTRIBUTOR", scope=world.unit.meta.id,
              person=world.users["owner"].person_id)
    now = read_risk(world, risk)
    world.apis[name].call("RiskService/UpdateRisk", id=risk.meta.id,
                          mutation={"expected_version": now.meta.version},
                          fields={"threat_ids": [any_of(world, "Threats", "threats")]},
                          update_mask=mask("threat_ids"))
    changed = read(world, acceptance)
    assert list(changed.review_by_persons) == [world.users["owner"].person_id]
    failure = review_fails(world, "owner", acceptance, "KEEP")
    assert (failure.code, failure.reason) == ("PERMISSION_DENIED", "SOD_CONTRIBUTOR"), failure


def inbox(world, name, **filters):
    return world.apis[name].call("ApprovalService/Inbox", page_size=1000, **filters).items


def test_a_review_waits_in_inboxes(server, under_review, world):
    """In those of the owner, and of the roles that were asked; until it is answered."""
    risk, acceptance = under_review()
    with reviewing(server):
        high = world.acceptance(world.risk(score=(3, 4)))
        world.vote("owner", high.request)
        world.vote("officer", high.request)

    def item(name, ref, **filters):
        return next((i for i in inbox(world, name, **filters) if i.subject_ref == ref), None)
    assert item("owner", acceptance.meta.ref) is None
    by_threat(world)[1](risk)
    by_threat(world)[1](world.owner.call("RiskService/GetRisk", id=high.acceptance.risk_id).risk)
    now = read(world, acceptance)
    mine = item("owner", acceptance.meta.ref)
    assert (mine.kind, mine.subject_id, mine.subject_version, mine.via, mine.step_no) == (
        2, acceptance.meta.id, now.meta.version, "RISK_OWNER", 0)
    assert mine.due_at == now.review_due_at and mine.title == risk.title
    assert mine.review_reason == now.review_reason and not mine.snapshot_sha256
    for name in ("officer", "ciso", "contributor", "auditor", "stranger"):
        assert item(name, acceptance.meta.ref) is None, name
    assert item("officer", high.acceptance.meta.ref).via == "ISMS_MANAGER"
    assert item("owner", high.acceptance.meta.ref).via == "RISK_OWNER"
    # what may be asked of it
    kinds = {"subject_kinds": ["SUBJECT_KIND_TREATMENT_PLAN", "SUBJECT_KIND_POLICY_CHANGE"]}
    assert item("owner", acceptance.meta.ref, **kinds) is None
    kinds["subject_kinds"].append("SUBJECT_KIND_ACCEPTANCE")
    assert item("owner", acceptance.meta.ref, **kinds)
    assert item("owner", acceptance.meta.ref, due_before=soon(REVIEW_DAYS - 1)) is None
    assert item("owner", acceptance.meta.ref, due_before=soon(REVIEW_DAYS + 1))
    review(world, "owner", acceptance, "KEEP")
    assert item("owner", acceptance.meta.ref) is None


def test_who_was_asked_by_name_is_asked_for_the_review(server, world, place):
    active(world, place, steps=[named(world, 1, "committee_1")], max_level="RISK_LEVEL_LOW")
    with reviewing(server):
        made = world.acceptance(world.risk(score=(1, 2)), days=20)
    world.vote("committee_1", made.request)
    by_threat(world)[1](world.owner.call("RiskService/GetRisk", id=made.acceptance.risk_id).risk)
    via = {name: [i.via for i in inbox(world, name) if i.subject_ref == made.acceptance.meta.ref]
           for name in ("committee_1", "committee_2", "owner")}
    assert via == {"committee_1": ["USERS"], "committee_2": [], "owner": ["RISK_OWNER"]}
    kept = review(world, "committee_1", made.acceptance, "KEEP",
                  version=read(world, made.acceptance).meta.version)
    assert state(kept) == "ACTIVE" and kept.effective


def test_votes_in_the_inbox_by_kind_and_time(world):
    accept_it = world.acceptance(world.risk(score=(1, 2))).request
    treat = world.plan(world.risk(score=(3, 4))).request
    due = treat.step_due_at.ToJsonString()

    def refs(**filters):
        return {i.request_ref for i in inbox(world, "owner", **filters)} & {
            accept_it.meta.ref, treat.meta.ref}
    assert refs() == {accept_it.meta.ref, treat.meta.ref}
    assert refs(subject_kinds=["SUBJECT_KIND_ACCEPTANCE"]) == {accept_it.meta.ref}
    assert refs(subject_kinds=["SUBJECT_KIND_TREATMENT_PLAN"]) == {treat.meta.ref}
    assert treat.meta.ref not in refs(due_before=due)
    assert treat.meta.ref in refs(due_before=soon(366))
    bad = world.owner.fails("ApprovalService/Inbox", subject_kinds=[99])
    assert bad.code == "INVALID_ARGUMENT"


def test_what_is_kept_counts_as_a_decision():
    """Votes and reviews that keep something share the rate of their person."""
    server = Server(None, "--workers", "1", "--decisions-per-hour", "3").start()
    try:
        world = first_world(server)
        with reviewing(server):
            made = [accept(world) for _ in range(2)]
        more = world.acceptance(world.risk(score=(1, 2)))
        for risk, _ in made:
            by_threat(world)[1](risk)
        assert state(review(world, "owner", made[0][1], "KEEP")) == "ACTIVE"
        failure = review_fails(world, "owner", made[1][1], "KEEP")
        assert (failure.code, failure.reason) == ("RESOURCE_EXHAUSTED", "DECISION_RATE")
        assert 0 < failure.retry <= 3600
        late = world.vote_fails("owner", more.request, step=1,
                                digest=more.request.snapshot_sha256)
        assert late.reason == "DECISION_RATE"
        assert state(review(world, "owner", made[1][1], "END")) == "REVOKED"
        with server.database() as db:
            row, = db.execute("SELECT reviewer_name, reason, comment FROM acceptance_review")
            assert row == ("owner", "a threat was linked to the risk", "looked at it")
            db.execute("ALTER TABLE acceptance_review DISABLE TRIGGER append_only")
            db.execute("UPDATE acceptance_review SET at = at - interval '1 hour'")
        world.vote("owner", more.request)
    finally:
        server.done()


def test_what_is_not_reviewed_in_time_holds_no_more(server, under_review, world):
    risk, acceptance = under_review()
    by_threat(world)[1](risk)
    overdue(server, acceptance)
    late = read(world, acceptance)
    assert state(late) == "ACTIVE" and not late.effective  # nothing has recorded it yet
    assert not read_risk(world, risk).HasField("accepted_until")
    assert review_fails(world, "owner", acceptance, "KEEP").reason == "ILLEGAL_STATE"
    revoke = world.owner.fails("AcceptanceService/RevokeAcceptance", id=acceptance.meta.id,
                               reason="late")
    assert revoke.reason == "ILLEGAL_STATE"
    # a newer one takes its place, and says why it ended
    made = submit(world, risk)
    world.vote("owner", made.request)
    ended = read(world, acceptance)
    assert state(ended) == "INVALIDATED"
    assert ended.end_reason.startswith("it was not reviewed in time: a threat")
    assert read(world, made.acceptance).effective
