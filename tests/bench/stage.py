"""Where the contenders meet: an ismsd with its own PostgreSQL, and the data in it.

One risk with a waiting acceptance is made through the API, as people would; then it
is copied in bulk (populate.sql). Copy n belongs to owner n % OWNERS, and its ids
follow from n, so that every contender finds its way by counting."""

import base64
import os
import pathlib
import random
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

OWNERS = 64
HISTORY = 500       # decided before anything is measured; the first two by Recipe
PAGES = 256
PAGE = 20
PORT_LIMIT = 400    # connections that PostgreSQL allows

RISK, PLAN, ACCEPTANCE, REQUEST = "001", "002", "003", "004"
USER, PERSON, SESSION, GRANT = "006", "007", "008", "009"
SCORES = "05"       # and a digit
FRESH = "1"         # and two digits: ids that a call makes

TEXT = ("A prompt that reaches the assistant through a retrieved document makes it call a tool "
        "with the rights of its user, who neither asked for it nor sees it happen. ")


def copy_id(kind, n):
    return f"018f0000-0000-7{kind}-8000-{100000000000 + n}"


def postgres_folder(folder, log):
    """Programs for `ismsd --postgres-bin`: the installed ones, with more connections
    for the other contenders, and nothing that starts by itself while measuring."""
    bindir = subprocess.run(["pg_config", "--bindir"], stdout=subprocess.PIPE, text=True,
                            check=False).stdout.strip()
    real = pathlib.Path("/usr/lib/postgresql/15/bin")
    if not (real / "postgres").exists():
        real = pathlib.Path(bindir)
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o755)
    initdb = folder / "initdb"
    initdb.unlink(missing_ok=True)
    initdb.symlink_to(real / "initdb")
    wrapper = folder / "postgres"
    wrapper.write_text(f'#!/bin/sh\nexec {real}/postgres "$@" -c max_connections={PORT_LIMIT} '
                       f"-c autovacuum=off -c log_error_verbosity=default\n")
    os.chmod(wrapper, 0o755)
    log(f"PostgreSQL from {real}")
    return folder


class Stage:
    def __init__(self, build, waiting, plain, folder=None, args=(), log=print):
        os.environ["ISMS_BUILD"] = str(build)
        from server import Server
        self.build, self.waiting, self.plain, self.log = build, waiting, plain, log
        self.server = Server(folder)
        self.server.args = ("--decisions-per-hour", "0", "--clock-interval", "0", "--postgres-bin",
                            str(postgres_folder(self.server.folder / "bin", log)),
                            *args)
        self.calls = self.server.folder / "calls"
        self.calls.mkdir(exist_ok=True)

    def __enter__(self):
        self.db = None
        try:
            self.server.start()
            self.db = self._superuser()
            self.postmaster = self.server.postmaster_pid()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.db:
            self.db.close()
        self.server.done()

    @property
    def port(self):
        return int(self.server.address.rsplit(":", 1)[1])

    @property
    def socket(self):
        words = dict(w.split("=", 1) for w in self.server.conninfo.split())
        return words["host"]

    @property
    def tls(self):
        return self.server.folder / "data" / "tls"

    @property
    def ca(self):
        return self.tls / "ca.crt"

    @property
    def postgres_log(self):
        return self.server.folder / "data" / "log" / "postgres.log"

    def one(self, sql, *values):
        row = self.db.execute(sql, values).fetchone()
        return row[0] if row else None

    # --- data ----------------------------------------------------------------

    def populate(self):
        from world import first_world
        begun = time.monotonic()
        self.world = world = first_world(self.server)
        self.db.execute((HERE / "populate.sql").read_text())
        waiting, plain = self._risk(), self._risk()
        opened = world.acceptance(waiting)
        if len(opened.request.steps.steps) != 1:
            raise RuntimeError("one vote does not decide on the template")
        self._swaps(waiting, plain, opened)
        self._copy(waiting, plain, opened)
        self.log(f"{self.waiting} waiting and {self.plain} other risks in "
                 f"{time.monotonic() - begun:.0f} s")

    def _superuser(self):
        import psycopg
        return psycopg.connect(f"host={self.socket} port=5432 user=postgres dbname=isms",
                               autocommit=True, options="-c session_replication_role=replica "
                               "-c search_path=isms,public")

    def _risk(self):
        """A risk with what a real one has; its level is decided on by its owner alone."""
        world, unit = self.world, self.world.unit
        if not hasattr(self, "links"):
            threats = world.officer.call("CatalogService/ListThreats", page_size=2).threats
            weak = world.officer.call("CatalogService/ListVulnerabilities",
                                      page_size=2).vulnerabilities
            self.links = {
                "ai_system_id": world.system(unit).meta.id,
                "asset_ids": [world.asset(unit).meta.id for _ in range(2)],
                "threat_ids": [t.meta.id for t in threats],
                "vulnerability_ids": [v.meta.id for v in weak],
                "cause": TEXT, "event": TEXT, "consequence": TEXT}
        return world.risk(unit, by="analyst", score=(2, 3), **self.links)

    def _swaps(self, waiting, plain, opened):
        user = self.world.users["owner"]
        session, digest = self.db.execute(
            "SELECT id, encode(token_sha256, 'hex') FROM session WHERE user_id = %s",
            (user.meta.id,)).fetchone()
        plan = self.one("SELECT ref FROM treatment_plan WHERE id = %s",
                        opened.acceptance.plan_id)
        grants = self.db.execute("SELECT id FROM role_grant WHERE user_id = %s",
                                 (user.meta.id,)).fetchall()
        rows = [("owner", str(session), SESSION, True), ("owner", digest, "token", True),
                ("owner", user.email, "email", True)]
        rows += [("owner", str(g[0]), f"0{9 + i:x}0", True) for i, g in enumerate(grants)]
        for template, risk in (("waiting", waiting), ("plain", plain)):
            scores = self.db.execute("SELECT id FROM risk_score WHERE risk_id = %s",
                                     (risk.meta.id,)).fetchall()
            rows += [(template, str(s[0]), f"{SCORES}{i:x}", False)
                     for i, s in enumerate(scores)]
            rows += [(template, risk.meta.id, RISK, False), (template, risk.meta.ref, "RSK", False),
                     (template, risk.title, "title", False)]
        for template in ("owner", "waiting", "plain"):
            rows += [(template, user.meta.id, USER, True), (template, user.person_id, PERSON, True)]
        rows += [("waiting", opened.acceptance.plan_id, PLAN, False),
                 ("waiting", plan, "TRP", False),
                 ("waiting", opened.acceptance.meta.id, ACCEPTANCE, False),
                 ("waiting", opened.acceptance.meta.ref, "ACC", False),
                 ("waiting", opened.request.meta.id, REQUEST, False),
                 ("waiting", opened.request.meta.ref, "APR", False)]
        self.db.cursor().executemany("INSERT INTO bench.swap VALUES (%s, %s, %s, %s)", rows)
        self.session_id = str(session)

    def _copy(self, waiting, plain, opened):
        user = self.world.users["owner"]
        last = HISTORY + self.waiting
        self.db.execute("SELECT bench.copy_owners(%s, %s, %s, %s)",
                        (user.person_id, user.meta.id, self.session_id, OWNERS))
        self.db.execute("SELECT bench.copy_waiting(%s, %s, %s, %s, 1, %s, %s)",
                        (waiting.meta.id, opened.acceptance.plan_id, opened.acceptance.meta.id,
                         opened.request.meta.id, last, OWNERS))
        self.db.execute("SELECT bench.copy_risks('plain', %s, %s, %s, %s)",
                        (plain.meta.id, last + 1, last + self.plain, OWNERS))
        self.db.execute("SELECT bench.save(%s, %s)", (HISTORY + 1, last))
        self.db.execute("VACUUM ANALYZE")

    def settle(self):
        """After the first decisions: what is put back from now on, and statistics."""
        self.db.execute("SELECT bench.begin()")
        self.db.execute("VACUUM ANALYZE")
        self.db.execute("CHECKPOINT")

    def reset(self):
        """The state before the first vote, without dead rows and without a checkpoint due."""
        voted = self.db.execute("SELECT bench.reset()").fetchone()[0]
        self.db.execute("VACUUM")
        self.db.execute("CHECKPOINT")
        return voted

    def check_decisions(self, who, n):
        """Each decision is there with all that belongs to it, and none twice."""
        row = self.db.execute("SELECT * FROM bench.decisions()").fetchone()
        if len(set(row)) != 1 or row[0] < n:
            raise RuntimeError(f"{who}: {n} decisions left behind requests, risks, plans, "
                               f"acceptances, votes, events, outbox, versions, keys: {row}")

    # --- calls ---------------------------------------------------------------

    def message(self, name, **fields):
        return self.world.officer.request(name, **fields)

    def write_calls(self):
        """A file of calls for each operation."""
        tokens = [self.one("SELECT bench.token(%s)", n) for n in range(OWNERS)]
        self.tokens = tokens
        dice = random.Random(1)
        total = HISTORY + self.waiting + self.plain
        line = "{} {}\n".format
        reads = [line(tokens[i % OWNERS], self.message(
            "RiskService/GetRisk", id=copy_id(RISK, dice.randint(1, total))
        ).SerializeToString().hex()) for i in range(20000)]
        self.page_tokens = self._page_tokens(total)
        pages = [self.message("RiskService/ListRisks", page_size=PAGE, page_token=token)
                 for token in self.page_tokens]
        dice.shuffle(pages)
        lists = [line(tokens[i % OWNERS], pages[i % len(pages)].SerializeToString().hex())
                 for i in range(64 * len(pages))]
        votes = self._votes(tokens)
        for name, lines in (("E", ["- \n"]), ("R", reads), ("L", lists),
                            ("H", votes[2:HISTORY]), ("W", votes[HISTORY:])):
            (self.calls / name).write_text("".join(lines))

    def _page_tokens(self, total):
        """Pages from all over the list, as the server itself names them."""
        token, tokens = "", []
        while len(tokens) < PAGES:
            reply = self.world.owner.call("RiskService/ListRisks", page_token=token,
                                          page_size=max(PAGE, total // PAGES))
            token = reply.next_page_token
            if not token:
                break
            tokens.append(token)
        return tokens[:-1]

    def vote_of(self, n):
        """A request that decides on a case."""
        return self.vote(n, base64.b64encode(self.one(
            "SELECT snapshot_sha256 FROM approval_request WHERE id = %s",
            copy_id(REQUEST, n))).decode())

    def vote(self, n, digest):
        return self.message("ApprovalService/CastVote", request_id=copy_id(REQUEST, n), step_no=1,
                            decision="DECISION_APPROVE", snapshot_sha256=digest,
                            mutation={"request_id": str(uuid.uuid4())})

    def _votes(self, tokens):
        rows = self.db.execute(
            "SELECT right(id::text, 12)::bigint - 100000000000, snapshot_sha256 "
            "FROM approval_request WHERE id BETWEEN %s AND %s ORDER BY id",
            (copy_id(REQUEST, 1), copy_id(REQUEST, HISTORY + self.waiting))).fetchall()
        return [f"{tokens[n % OWNERS]} "
                f"{self.vote(n, base64.b64encode(sha).decode()).SerializeToString().hex()}\n"
                for n, sha in rows]
