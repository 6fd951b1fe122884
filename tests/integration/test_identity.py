"""Accounts, logins, sessions, tokens and grants, through the API."""

import concurrent.futures
import hashlib
import time

import pytest

from api import Api, Failure
from world import password, soon, unique

HUMAN, SERVICE = "USER_KIND_HUMAN", "USER_KIND_SERVICE"


def new_email():
    return f"{unique('user').replace(' ', '.')}@example.org"


def create(world, **fields):
    values = {"email": new_email(), "display_name": "Robin Reader", "kind": HUMAN, **fields}
    return world.admin.call("DirectoryService/CreateUser", **values)


def account(world, name=None):
    """A new account with its Api, not known to the world."""
    made = create(world)
    world.nobody.call("AuthService/Activate", invitation=made.invitation,
                      password=password(made.user.email))
    return made.user, login(world, made.user.email)


def login(world, email, secret=None, **fields):
    reply = world.nobody.call("AuthService/Login", organisation=world.organisation, email=email,
                              password=secret or password(email), **fields)
    return Api(world.channel, reply.access_token)


def login_fails(world, email, secret):
    return world.nobody.fails("AuthService/Login", organisation=world.organisation, email=email,
                              password=secret)


def events(world, **filters):
    return [r.event for r in world.officer.call("AuditLogService/ListAuditEvents",
                                                page_size=1000, **filters).events]


# --- accounts and invitations ---------------------------------------------------------


def test_an_invitation_works_once(world):
    made = create(world)
    assert made.user.state == 1 and made.invitation.startswith("ismsB_")
    done = world.nobody.call("AuthService/Activate", invitation=made.invitation,
                             password=password("x"))
    assert done.user.state == 2 and done.user.meta.version == 2
    again = world.nobody.fails("AuthService/Activate", invitation=made.invitation,
                               password=password("x"))
    assert (again.code, again.reason) == ("UNAUTHENTICATED", "INVITATION_INVALID")
    never = world.nobody.fails("AuthService/Activate", invitation="ismsB_" + "A" * 49,
                               password=password("x"))
    assert never.raw == again.raw


@pytest.mark.parametrize("secret", ["passwordpassword", "aaaaaaaaaaaaaaaaaaaa",
                                    "123456789012345", "Correct Horse Battery Staple"])
def test_a_weak_password_is_refused_and_the_invitation_lives(world, secret):
    made = create(world)
    failure = world.nobody.fails("AuthService/Activate", invitation=made.invitation,
                                 password=secret)
    assert failure.code == "INVALID_ARGUMENT" and "password" in failure.fields
    world.nobody.call("AuthService/Activate", invitation=made.invitation, password=password("y"))


def test_two_spellings_are_one_address(world):
    email = new_email()
    create(world, email=email)
    failure = world.admin.fails("DirectoryService/CreateUser", email=f"  {email.upper()} ",
                                display_name="Other", kind=HUMAN)
    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "EMAIL_TAKEN")
    assert "email" in failure.fields


@pytest.mark.parametrize("email", ["nobody", "a@", "@b", "a b@c", "a@b@c", "ä@example.org"])
def test_what_is_no_address(world, email):
    failure = world.admin.fails("DirectoryService/CreateUser",
                                email=email.ljust(3), display_name="Other", kind=HUMAN)
    assert failure.code == "INVALID_ARGUMENT" and "email" in failure.fields


def test_a_retry_shows_the_same_account(world):
    request = world.admin.request("DirectoryService/CreateUser", email=new_email(),
                                  display_name="Robin Reader", kind=HUMAN)
    one = world.admin.send("DirectoryService/CreateUser", request)
    two = world.admin.send("DirectoryService/CreateUser", request)
    assert one.user == two.user


def test_names_change_and_nothing_else(world):
    user, _ = account(world)
    changed = world.admin.call(
        "DirectoryService/UpdateUser", id=user.meta.id, mutation={"expected_version": 3},
        fields={"display_name": "Robin Writer"}, update_mask="displayName").user
    assert changed.display_name == "Robin Writer" and changed.meta.version == 4
    for mask in ("state", "email", "personId"):
        failure = world.admin.fails(
            "DirectoryService/UpdateUser", id=user.meta.id, mutation={"expected_version": 4},
            fields={"display_name": "x"}, update_mask=mask)
        assert failure.code == "INVALID_ARGUMENT" and "update_mask" in failure.fields
    failure = world.admin.fails(
        "DirectoryService/UpdateUser", id=user.meta.id, mutation={"expected_version": 3},
        fields={"display_name": "Stale"}, update_mask="displayName")
    assert (failure.code, failure.reason) == ("ABORTED", "CONFLICT")
    assert failure.facts["current_version"] == "4"
    assert "display_name" in failure.facts["changed_fields"]


# --- logins -----------------------------------------------------------------------------


def test_five_failures_lock_and_each_is_recorded(world):
    user, api = account(world)
    for _ in range(5):
        assert login_fails(world, user.email.upper(), "not the password at all").reason \
            == "LOGIN_FAILED"
    failure = login_fails(world, user.email, password(user.email))
    assert failure.reason == "LOGIN_FAILED"
    assert api.call("AuthService/WhoAmI").user.state == 3, "sessions live on"
    seen = world.admin.call("DirectoryService/GetUser", id=user.meta.id).user
    assert seen.state == 3 and seen.locked_until.seconds > time.time() + 800
    refused = [e for e in events(world, actor_id=user.meta.id) if e.reason == "LOGIN_FAILED"]
    assert len(refused) == 6
    world.admin.call("DirectoryService/UnlockUser", id=user.meta.id)
    login(world, user.email)
    assert world.admin.call("DirectoryService/GetUser", id=user.meta.id).user.state == 2


def test_a_success_forgets_the_failures(world):
    user, _ = account(world)
    for _ in range(3):
        for _ in range(4):
            login_fails(world, user.email, "not the password at all")
        login(world, user.email)


def test_all_refusals_are_alike(world):
    user, _ = account(world)
    gone, _ = account(world)
    world.admin.call("DirectoryService/DeactivateUser", id=gone.meta.id, reason="left")
    invited = create(world).user
    kinds = {"wrong": (user.email, "not the password at all"),
             "unknown": ("nobody@example.org", "not the password at all"),
             "gone": (gone.email, password(gone.email)),
             "invited": (invited.email, "not the password at all")}
    times = {}
    replies = set()
    for _ in range(8):
        for kind, (email, secret) in kinds.items():
            start = time.perf_counter()
            failure = login_fails(world, email, secret)
            times.setdefault(kind, []).append(time.perf_counter() - start)
            replies.add((failure.code, failure.reason, failure.message, failure.raw))
    assert len(replies) == 1
    fastest = [min(t) for t in times.values()]  # the rest is what else the machine did
    assert max(fastest) < 3 * min(fastest), times
    assert login_fails(world, "x@example.org", "y").raw == next(iter(replies))[3]


def test_an_unknown_organisation_is_no_different(world, other):
    failure = world.nobody.fails("AuthService/Login", organisation="nowhere",
                                 email="admin@example.org", password=password("admin"))
    assert failure.reason == "LOGIN_FAILED"
    failure = world.nobody.fails("AuthService/Login", organisation=other.organisation,
                                 email=world.users["contributor"].email,
                                 password=password("contributor"))
    assert failure.reason == "LOGIN_FAILED"


def test_secrets_are_stored_as_digests(world, server):
    user, api = account(world)
    with server.database() as db:
        rows = db.execute("SELECT token_sha256 FROM isms.session WHERE user_id = %s",
                          (user.meta.id,)).fetchall()
        assert hashlib.sha256(api.token.encode()).digest() in {bytes(r[0]) for r in rows}
        (hash_,) = db.execute("SELECT password_hash FROM isms.app_user WHERE id = %s",
                              (user.meta.id,)).fetchone()
        assert hash_.startswith("$argon2id$")
        (leaks,) = db.execute("SELECT count(*) FROM isms.audit_event "
                                "WHERE position(%s::bytea IN event) > 0 "
                                "   OR position(%s::bytea IN event) > 0",
                                (hash_.encode(), api.token.encode())).fetchone()
        assert leaks == 0


# --- sessions ---------------------------------------------------------------------------


def test_logout_ends_only_this_session(world):
    user, one = account(world)
    two = login(world, user.email)
    one.call("AuthService/Logout")
    assert one.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"
    sessions = two.call("AuthService/ListSessions").sessions
    assert len(sessions) == 2 and [bool(s.revoked_at.seconds) for s in sessions] == [False, True]


def test_own_sessions_are_revoked_others_by_the_administrator(world):
    user, one = account(world)
    me = one.call("AuthService/WhoAmI")
    stranger, other_api = account(world)
    failure = other_api.fails("AuthService/RevokeSession", session_id=me.session_id)
    assert failure.code == "NOT_FOUND"
    two = login(world, user.email)
    two.call("AuthService/RevokeSession", session_id=me.session_id)
    assert one.fails("AuthService/Logout").code == "UNAUTHENTICATED"
    time.sleep(1.1)  # reads may trust a session for a second
    assert one.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"
    again = two.fails("AuthService/RevokeSession", session_id=me.session_id)
    assert again.reason == "ILLEGAL_STATE"
    world.admin.call("AuthService/RevokeSession",
                     session_id=two.call("AuthService/WhoAmI").session_id)
    time.sleep(1.1)
    assert two.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"


def test_a_deactivated_account_stops_at_once(world):
    user, api = account(world)
    world.admin.call("DirectoryService/GrantRole", user_id=user.meta.id, role_code="CONTRIBUTOR",
                     scope_id=world.unit.meta.id)
    done = world.admin.call("DirectoryService/DeactivateUser", id=user.meta.id,
                            reason="left the organisation").user
    assert done.state == 4 and done.meta.archived_at.seconds
    failure = api.fails("RiskService/CreateRisk", scope_id=world.unit.meta.id,
                        fields={"title": "x", "owner_id": world.id("owner")})
    assert failure.code == "UNAUTHENTICATED"
    time.sleep(1.1)
    assert api.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"
    event = events(world, entity_id=user.meta.id)[0]
    assert event.rpc.endswith("DeactivateUser") and event.comment == "left the organisation"
    for method in ("DeactivateUser", "UnlockUser"):
        args = {"reason": "again"} if method == "DeactivateUser" else {}
        assert world.admin.fails(f"DirectoryService/{method}", id=user.meta.id,
                                 **args).reason == "ILLEGAL_STATE"


def test_nobody_deactivates_themselves(world):
    failure = world.admin.fails("DirectoryService/DeactivateUser", id=world.id("admin"),
                                reason="tired")
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SELF_DEACTIVATION")


def test_an_idle_session_ends(world, server):
    user, api = account(world)
    session = api.call("AuthService/WhoAmI").session_id
    with server.database() as db:
        db.execute("UPDATE isms.session SET last_seen_at = now() - interval '31 minutes' "
                   "WHERE id = %s", (session,))
    time.sleep(1.1)
    assert api.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"
    with server.database() as db:
        db.execute("UPDATE isms.session SET last_seen_at = now() - interval '5 minutes' "
                   "WHERE id = %s", (session,))
    api.call("AuthService/WhoAmI")
    for _ in range(50):
        with server.database() as db:
            (age,) = db.execute("SELECT extract(epoch FROM now() - last_seen_at) "
                                "FROM isms.session WHERE id = %s", (session,)).fetchone()
        if age < 60:
            break
        time.sleep(0.1)
    assert age < 60


# --- service accounts -------------------------------------------------------------------


def test_tokens_are_for_services_and_end(world, server):
    owner = world.users["owner"].person_id
    made = create(world, kind=SERVICE, owner_person_ids=[owner])
    assert made.user.state == 2 and not made.invitation and not made.user.person_id
    issued = world.admin.call("DirectoryService/IssueToken", user_id=made.user.meta.id,
                              name="scanner", valid_days=2)
    assert issued.token.startswith("ismsS_")
    api = Api(world.channel, issued.token)
    me = api.call("AuthService/WhoAmI")
    assert me.session_id == issued.session.id and me.user.owner_person_ids == [owner]
    with server.database() as db:
        db.execute("UPDATE isms.session SET last_seen_at = now() - interval '3 hours' "
                   "WHERE id = %s", (issued.session.id,))
    time.sleep(1.1)
    api.call("AuthService/WhoAmI")  # no idle limit
    with server.database() as db:
        db.execute("UPDATE isms.session SET expires_at = now() WHERE id = %s",
                   (issued.session.id,))
    time.sleep(1.1)
    assert api.fails("AuthService/WhoAmI").code == "UNAUTHENTICATED"
    failure = world.admin.fails("DirectoryService/IssueToken", user_id=world.id("owner"),
                                name="no", valid_days=1)
    assert failure.reason == "NOT_SERVICE"


@pytest.mark.parametrize("role", ["ORG_ADMIN", "ISMS_MANAGER", "RISK_OWNER", "APPROVER", "CISO",
                                  "RISK_COMMITTEE", "TOP_MANAGEMENT"])
def test_a_service_never_gets_a_role_that_decides(world, role):
    failure = world.admin.fails("DirectoryService/GrantRole", user_id=world.id("pipeline"),
                                role_code=role, scope_id=world.root.meta.id)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SERVICE_ROLE")


# --- roles and grants -------------------------------------------------------------------


def test_nobody_grants_to_themselves(world):
    me = world.admin.call("AuthService/WhoAmI").user
    second = create(world, person_id=me.person_id).user
    service = create(world, kind=SERVICE, owner_person_ids=[me.person_id]).user
    for user in (me, second, service):
        failure = world.admin.fails("DirectoryService/GrantRole", user_id=user.meta.id,
                                    role_code="AUDITOR", scope_id=world.root.meta.id)
        assert (failure.code, failure.reason) == ("PERMISSION_DENIED", "SELF_GRANT")
    refused = [e for e in events(world, actor_id=me.meta.id) if e.reason == "SELF_GRANT"]
    assert len(refused) >= 3, "refusals are audited too"


DECIDING = ["ISMS_MANAGER", "RISK_OWNER", "APPROVER", "CISO", "RISK_COMMITTEE", "TOP_MANAGEMENT"]


@pytest.mark.parametrize("role", DECIDING)
def test_nobody_both_decides_and_administers(world, role):
    """Neither with one account nor with two, whichever role comes first and wherever it holds."""
    def give(user, code, scope):
        return {"user_id": user.meta.id, "role_code": code, "scope_id": scope.meta.id}

    method = "DirectoryService/GrantRole"
    for one, other in ((role, "ORG_ADMIN"), ("ORG_ADMIN", role)):
        first = create(world).user
        second = create(world, person_id=first.person_id).user
        held = world.admin.call(method, **give(first, one, world.unit)).grant
        for user in (first, second):
            failure = world.admin.fails(method, **give(user, other, world.root))
            assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SOD_ROLES")
            world.admin.call(method, **give(user, "AUDITOR", world.root))
        world.admin.call("DirectoryService/RevokeGrant", id=held.meta.id, reason="moved on")
        world.admin.call(method, **give(second, other, world.root))


def test_the_roles_of_an_account_that_has_ended_clash_no_more(world):
    first = create(world).user
    second = create(world, person_id=first.person_id).user
    world.admin.call("DirectoryService/GrantRole", user_id=first.meta.id, role_code="ORG_ADMIN",
                     scope_id=world.root.meta.id)
    world.admin.call("DirectoryService/DeactivateUser", id=first.meta.id, reason="has left")
    world.admin.call("DirectoryService/GrantRole", user_id=second.meta.id, role_code="CISO",
                     scope_id=world.root.meta.id)


def test_grants_that_clash_do_not_pass_each_other(world):
    """Both at once, to two accounts of one person."""
    for _ in range(10):
        first = create(world).user
        second = create(world, person_id=first.person_id).user

        def give(user, code):
            try:
                world.admin.call("DirectoryService/GrantRole", user_id=user.meta.id,
                                 role_code=code, scope_id=world.root.meta.id)
                return "given"
            except Failure as failure:
                return failure.reason

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            told = list(pool.map(give, (first, second), ("ORG_ADMIN", "CISO")))
        assert sorted(told) == ["SOD_ROLES", "given"]


def test_grants_hold_below_and_end_at_once(world):
    user, api = account(world)
    below = world.scope(unique("below"), parent=world.unit.meta.id)
    assert api.fails("ScopeService/GetScope", id=below.meta.id).code == "NOT_FOUND"
    grant = world.admin.call("DirectoryService/GrantRole", user_id=user.meta.id,
                             role_code="CONTRIBUTOR", scope_id=world.unit.meta.id).grant
    api.call("ScopeService/GetScope", id=below.meta.id)
    assert api.fails("ScopeService/GetScope", id=world.root.meta.id).code == "NOT_FOUND"
    me = api.call("AuthService/WhoAmI")
    assert [g.role_code for g in me.grants] == ["CONTRIBUTOR"]
    assert "risk.write" in me.permissions and list(me.permissions) == sorted(me.permissions)
    ended = world.admin.call("DirectoryService/RevokeGrant", id=grant.meta.id,
                             reason="moved on").grant
    assert ended.revoked_at.seconds
    assert api.fails("ScopeService/GetScope", id=below.meta.id).code == "NOT_FOUND"
    again = world.admin.fails("DirectoryService/RevokeGrant", id=grant.meta.id, reason="again")
    assert again.reason == "ILLEGAL_STATE"
    seen = world.admin.call("DirectoryService/ListGrants", user_id=user.meta.id).grants
    assert [g.meta.id for g in seen] == [grant.meta.id]


def test_a_grant_ends_with_its_date(world, server):
    user, api = account(world)
    failure = world.admin.fails("DirectoryService/GrantRole", user_id=user.meta.id,
                                role_code="AUDITOR", scope_id=world.root.meta.id,
                                valid_until=soon(-1))
    assert "valid_until" in failure.fields
    grant = world.admin.call("DirectoryService/GrantRole", user_id=user.meta.id,
                             role_code="AUDITOR", scope_id=world.root.meta.id,
                             valid_until=soon(1)).grant
    assert api.call("AuditLogService/ListAuditEvents", page_size=1).events
    with server.database() as db:
        db.execute("UPDATE isms.role_grant SET version = version + 1, valid_until = now() WHERE id = %s",
                   (grant.meta.id,))
    failure = api.fails("AuditLogService/ListAuditEvents", page_size=1)
    assert failure.code == "PERMISSION_DENIED"
    assert not api.call("AuthService/WhoAmI").permissions


def test_an_administrator_of_a_unit_gives_roles_only_there(world):
    user, api = account(world)
    reader, _ = account(world)
    world.admin.call("DirectoryService/GrantRole", user_id=user.meta.id, role_code="ORG_ADMIN",
                     scope_id=world.unit.meta.id)
    api.call("DirectoryService/GrantRole", user_id=reader.meta.id, role_code="CONTRIBUTOR",
             scope_id=world.unit.meta.id)
    failure = api.fails("DirectoryService/GrantRole", user_id=reader.meta.id,
                        role_code="CONTRIBUTOR", scope_id=world.root.meta.id)
    assert failure.code == "NOT_FOUND"
    failure = api.fails("DirectoryService/CreateUser", email=new_email(), display_name="x",
                        kind=HUMAN)
    assert failure.code == "PERMISSION_DENIED"


def test_roles_are_listed_for_those_who_may(world):
    roles = {r.code: set(r.permissions) for r in world.admin.call("DirectoryService/ListRoles").roles}
    assert len(roles) == 13
    deciders = {c for c, p in roles.items() if "decision.cast" in p}
    writers = {c for c, p in roles.items() if {"grant.write", "user.write"} & p}
    assert deciders == {"ISMS_MANAGER", "RISK_OWNER", "APPROVER", "CISO", "RISK_COMMITTEE",
                        "TOP_MANAGEMENT"}
    assert writers == {"ORG_ADMIN"} and not deciders & writers
    assert all(p.endswith(".read") for p in roles["AUDITOR"])
    failure = world.contributor.fails("DirectoryService/ListRoles")
    assert failure.code == "PERMISSION_DENIED" and failure.facts["permission"] == "role.read"


def test_other_organisations_are_absent(world, other):
    for method, args in (("GetUser", {}), ("DeactivateUser", {"reason": "x"}), ("UnlockUser", {})):
        absent = world.admin.fails(f"DirectoryService/{method}",
                                   id="01900000-0000-7000-8000-000000000000", **args)
        theirs = world.admin.fails(f"DirectoryService/{method}", id=other.id("owner"), **args)
        assert theirs.code == "NOT_FOUND" and theirs.raw == absent.raw
    failure = world.admin.fails("DirectoryService/GrantRole", user_id=other.id("owner"),
                                role_code="AUDITOR", scope_id=world.root.meta.id)
    assert "user_id" in failure.fields
