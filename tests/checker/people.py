"""Who takes part: forty persons with two accounts each, two administrators and an
auditor; three units with policies of their own. Made by SQL as the owner of the
tables, since a run is about what happens later and not about how people came."""

import hashlib
import random
import secrets
import uuid

from google.protobuf import json_format

from wire import SCHEMA

CRITICAL = 4
# unit -> steps of its own policy for acceptances; none: the starter policies
UNITS = {
    "starter": None,
    "quorum": [
        {"stepNo": 1, "mode": "STEP_MODE_QUORUM", "quorum": 3,
         "selector": "STEP_SELECTOR_ROLE", "roleCode": "RISK_COMMITTEE", "allowDelegate": True},
        {"stepNo": 2, "mode": "STEP_MODE_ANY", "selector": "STEP_SELECTOR_ROLE",
         "roleCode": "ISMS_MANAGER", "distinctFromPrior": True, "allowDelegate": True}],
    "all": [
        {"stepNo": 1, "mode": "STEP_MODE_ALL", "selector": "STEP_SELECTOR_ROLE",
         "roleCode": "CISO", "allowDelegate": True}],
}


class Account:
    def __init__(self, name, person):
        self.name, self.person = name, person
        self.id, self.token = str(uuid.uuid4()), "ismsS_" + secrets.token_urlsafe(32) + "AAAAAA"

    def __repr__(self):
        return self.name


def roles_of(number, which):
    """(role, unit or None for the root) of an account of person `number`."""
    unit = list(UNITS)[number % len(UNITS)]
    if number < 8:
        return [("RISK_OWNER", unit)] if which == "a" else \
            [("ISMS_MANAGER", None) if number < 4 else ("RISK_COMMITTEE", None)]
    if number < 14:
        return [("ISMS_MANAGER", None)]
    if number < 18:
        return [("CISO", None)] + ([("TOP_MANAGEMENT", None)] if which == "b" else [])
    if number < 26:
        return [("ISMS_MANAGER" if number > 21 and which == "b" else "RISK_COMMITTEE", None)]
    if number < 32:
        return [("CONTRIBUTOR", None) if which == "a" else ("RISK_COMMITTEE", None)]
    return [("RISK_ANALYST", None) if which == "a" else ("CONTRIBUTOR", None)]


class People:
    """The organisation, as far as the checker made it."""

    def __init__(self, postgres, seed):
        self.random = random.Random(seed)
        self.accounts, self.by_id, self.grants = [], {}, {}
        self.units, self.persons = {}, {}
        with postgres.connect("isms_owner") as db, db.transaction():
            self.org, self.root = db.execute(
                "SELECT org_id, id FROM scope WHERE parent_id IS NULL").fetchone()
            self._fill(db)
            self.at_first = {str(r[0]) for r in db.execute("SELECT id FROM role_grant")}
        self.org, self.root = str(self.org), str(self.root)
        postgres.analyze()

    def _fill(self, db):
        for unit, steps in UNITS.items():
            self.units[unit] = str(uuid.uuid4())
            db.execute("INSERT INTO scope (org_id, id, version, created_at, updated_at, parent_id,"
                       " kind, name, state) VALUES (%s, %s, 1, now(), now(), %s, 'UNIT', %s,"
                       " 'DRAFT')", (self.org, self.units[unit], self.root, unit))
            if steps:
                self._policy(db, self.units[unit], steps)
        for number in range(40):
            person = self._person(db)
            for which in "ab":
                account = self._account(db, f"p{number}{which}", person)
                for role, unit in roles_of(number, which):
                    self._grant(db, account, role, self.units[unit] if unit else self.root)
        self.admins = [self._account(db, f"admin{i}", self._person(db)) for i in (1, 2)]
        self.auditor = self._account(db, "auditor", self._person(db))
        for admin in self.admins:
            self._grant(db, admin, "ORG_ADMIN", self.root)
        self._grant(db, self.auditor, "AUDITOR", self.root)
        self.threats = [str(r[0]) for r in db.execute("SELECT id FROM threat ORDER BY id")]
        self.control = str(db.execute("SELECT id FROM control ORDER BY id LIMIT 1").fetchone()[0])

    def _person(self, db):
        person = str(uuid.uuid4())
        db.execute("INSERT INTO person (org_id, id, version, created_at, updated_at)"
                   " VALUES (%s, %s, 1, now(), now())", (self.org, person))
        return person

    def _account(self, db, name, person):
        account = Account(name, person)
        db.execute(
            "INSERT INTO app_user (org_id, id, version, created_at, updated_at, email,"
            " display_name, kind, state, person_id) VALUES (%s, %s, 1, now(), now(), %s, %s,"
            " 'HUMAN', 'ACTIVE', %s)",
            (self.org, account.id, f"{name}@example.org", name, person))
        db.execute(
            "INSERT INTO session (org_id, id, version, created_at, updated_at, user_id, name,"
            " token_sha256, issued_at, expires_at, last_seen_at) VALUES (%s, %s, 1, now(), now(),"
            " %s, 'login', %s, now(), now() + interval '12 hours', now() + interval '2 hours')",
            (self.org, str(uuid.uuid4()), account.id,
             hashlib.sha256(account.token.encode()).digest()))
        self.accounts.append(account)
        self.by_id[account.id] = account
        self.persons.setdefault(person, []).append(account)
        return account

    def _grant(self, db, account, role, scope):
        """Long ago: what is granted shortly before a request may not count for it."""
        grant = str(uuid.uuid4())
        db.execute(
            "INSERT INTO role_grant (org_id, id, version, created_at, updated_at, created_by,"
            " user_id, role_code, scope_id, max_accept_level, valid_from) VALUES (%s, %s, 1,"
            " now() - interval '9 days', now(), %s, %s, %s, %s, %s, now() - interval '9 days')",
            (self.org, grant, self.accounts[0].id, account.id, role, scope, CRITICAL))
        self.grants[grant] = (account, role, str(scope))

    def _policy(self, db, scope, steps):
        message = SCHEMA.message("isms.v1.PolicySteps")()
        json_format.ParseDict({"steps": steps}, message)
        db.execute(
            "INSERT INTO approval_policy (org_id, id, version, created_at, updated_at,"
            " subject_kind, scope_id, min_level, max_level, priority, no, steps)"
            " VALUES (%s, %s, 1, now(), now(), 'ACCEPTANCE', %s, 1, 4, 0, 1, %s)",
            (self.org, str(uuid.uuid4()), scope, message.SerializeToString()))

    def holders(self, role):
        return [a for a, r, _ in self.grants.values() if r == role]

    def above(self):
        """{scope: the scopes at or above it}."""
        return {self.root: {self.root},
                **{unit: {unit, self.root} for unit in self.units.values()}}
