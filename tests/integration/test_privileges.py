"""What the server's role may do in the database: what its statements need, nothing
else. The role is tried itself, not its entries in the catalogue."""

import psycopg
import pytest
from psycopg import errors

APPEND_ONLY = ("acceptance_review", "approval_snapshot", "approval_vote", "audit_event", "idempotency",
               "outbox", "risk_score")
READ_ONLY = ("row_history", "risk_asset", "risk_threat", "risk_vulnerability", "role", "scope_closure",
             "server_secret", "treatment_plan_assignee", "treatment_plan_control",
             "risk_acceptance_control", "threat", "vulnerability")
ONLY_LOCKED = ("control", "organisation", "risk_method")


@pytest.fixture
def as_server(server):
    conninfo = server.conninfo.replace("isms_owner", "isms_server")
    with psycopg.connect(conninfo, autocommit=True) as db:
        assert db.execute("SELECT current_user").fetchone() == ("isms_server",)
        yield db


def tables(db):
    return [row[0] for row in db.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'isms' ORDER BY 1")]


def column(db, table):
    return db.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND attgenerated = '' AND attidentity = '' AND attname <> 'version'"
        " ORDER BY attnum LIMIT 1", ("isms." + table,)).fetchone()[0]


def test_nothing_is_deleted(world, as_server):
    for table in tables(as_server):
        for statement in (f"DELETE FROM isms.{table} WHERE false", f"TRUNCATE isms.{table}",
                          f"DROP TABLE isms.{table}"):
            with pytest.raises(errors.InsufficientPrivilege):
                as_server.execute(statement)


def test_what_is_appended_stays(world, as_server):
    for table in APPEND_ONLY + READ_ONLY + ONLY_LOCKED:
        name = column(as_server, table)
        with pytest.raises(errors.InsufficientPrivilege):
            as_server.execute(f"UPDATE isms.{table} SET {name} = {name}")


def test_what_is_only_read_is_not_added_to(world, as_server):
    for table in READ_ONLY + ONLY_LOCKED:
        with pytest.raises(errors.InsufficientPrivilege):
            as_server.execute(f"INSERT INTO isms.{table} DEFAULT VALUES")


def test_a_vote_keeps_its_request_step_and_voter(world, as_server):
    for name in ("request_id", "step_no", "user_id", "person_id", "via"):
        with pytest.raises(errors.InsufficientPrivilege):
            as_server.execute(f"UPDATE isms.approval_assignee SET {name} = {name}")


def test_the_owner_does_not_change_what_is_appended_either(server, world):
    world.acceptance(world.risk(score=(1, 1)))
    with server.database() as db:
        for table in set(APPEND_ONLY) - {"idempotency"} | {"row_history", "server_secret"}:
            for statement in (f"DELETE FROM isms.{table}", f"TRUNCATE isms.{table} CASCADE"):
                with pytest.raises(errors.InsufficientPrivilege), db.transaction():
                    db.execute(statement)


def test_no_function_of_the_owner_is_a_way_around(world, as_server):
    """Trigger functions run as the owner: a table of one's own must not get one."""
    with pytest.raises(errors.InsufficientPrivilege):
        as_server.execute("CREATE TEMP TABLE bait (org_id uuid, id uuid, list uuid[])")
        as_server.execute(
            "CREATE TRIGGER bait AFTER INSERT ON bait FOR EACH ROW EXECUTE FUNCTION"
            " isms.mirror_links('role_grant', 'user_id', 'id', 'list')")
        as_server.execute("INSERT INTO bait SELECT org_id, user_id, '{}' FROM isms.role_grant")


def test_only_what_the_statements_call_may_be_called(as_server):
    may = {row[0] for row in as_server.execute(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'isms' AND has_function_privilege('isms_server', p.oid, 'EXECUTE')")}
    assert may == {"access_at", "human_ref", "key_version", "may_somewhere", "must_one",
                   "purge_idempotency", "risk_acceptance_was", "risk_was", "row_at", "uuid_v7",
                   "version_key"}


def test_nothing_is_made(as_server):
    for statement in ("CREATE TABLE isms.mine (a int)", "CREATE TABLE public.mine (a int)",
                      "CREATE TEMP TABLE mine (a int)", "CREATE SCHEMA mine", "CREATE ROLE mine"):
        with pytest.raises(errors.InsufficientPrivilege):
            as_server.execute(statement)
