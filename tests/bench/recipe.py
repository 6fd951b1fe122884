"""What the server says to PostgreSQL for a call, so that the other contenders say the
same. The statements of one call of each kind are read from PostgreSQL's log, with
their parameters; each text must be the one of this name in sql/queries.

Parameters: an id of the case that the call is about follows from its number; an id
that the call made anew gets one of its own kind; everything else (times, names,
messages) stays what it was, so it has the same size."""

import re
import time
import uuid

import stage as place

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \S+ \[\d+\] (\w+):  ", re.M)
EXECUTE = re.compile(r"execute (\w+): (.*)", re.S)
PARAMETER = re.compile(r"\$(\d+) = (?:(NULL)|'((?:[^']|'')*)')")
BASE = 100000000000  # the number of copy 0, see stage.copy_id
# Statements about the caller alone, which a read has at hand.
SKIPPED = {"session_touch"}


def squeeze(sql):
    return " ".join(sql.split())


def read_queries():
    """name -> (class, text) of sql/queries."""
    queries = {}
    texts = [p.read_text() for p in sorted((place.ROOT / "sql" / "queries").glob("*.sql"))]
    fragments = dict(re.findall(r"^-- fragment: (\w+)\n(.*?);$", "\n".join(texts), re.M | re.S))
    for file in texts:
        for block in re.split(r"^-- name: ", file, flags=re.M)[1:]:
            name, rest = block.split("\n", 1)
            kind = re.search(r"^-- class: (\w+)", rest, re.M).group(1)
            lines = [ln for ln in rest.split("\n") if not ln.lstrip().startswith("--")]
            text = "\n".join(lines).strip()
            text = text[:text.index(";")] if ";" in text else text
            queries[name.strip()] = (kind, expanded(text, fragments))
    return queries


def expanded(text, fragments):
    """With its fragments in place, and theirs."""
    return re.sub(r"\{([a-z_]+)\}", lambda m: expanded(fragments[m.group(1)], fragments), text)


class Parameter:
    """kind: null, text, page, id, owner_id, number (of the case). value: of ids the digits of
    their kind."""

    def __init__(self, kind, value=""):
        self.kind, self.value = kind, value


class Statement:
    def __init__(self, phase, name, sql, values):
        self.phase, self.name, self.sql, self.values = phase, name, sql, values
        self.parameters = []


class Recipe:
    def __init__(self, stage):
        self.stage, self.queries = stage, read_queries()
        self.operations = {}

    def capture(self):
        """The operations R, L and W, each from two calls of a caller whom the server knows
        from a call just before."""
        stage = self.stage
        self._log("'all'")
        page = stage.message("RiskService/ListRisks", page_size=place.PAGE,
                             page_token=stage.page_tokens[0])
        for name, method, messages in (
                ("R", "RiskService/GetRisk", [stage.message(
                    "RiskService/GetRisk", id=place.copy_id(place.RISK, n)) for n in (1, 1)]),
                ("L", "RiskService/ListRisks", [page, page]),
                ("W", "ApprovalService/CastVote", [stage.vote_of(n) for n in (1, 2)])):
            calls = []
            for n, message in enumerate(messages, 1):
                api = self._owner(n)
                api.call("RiskService/GetRisk", id=place.copy_id(place.RISK, n))
                calls.append(self._statements(api, method, message))
            self.operations[name] = self._generalise(name, calls)
        self._log("'none'")

    def _owner(self, n):
        from api import Api
        return Api(self.stage.world.channel, self.stage.tokens[n % place.OWNERS])

    def _log(self, level):
        self.stage.db.execute(f"ALTER SYSTEM SET log_statement = {level}")
        self.stage.db.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)

    def _statements(self, api, method, message):
        log = self.stage.postgres_log
        before = log.stat().st_size
        api.send(method, message)
        time.sleep(0.1)
        with open(log, encoding="utf-8", errors="surrogateescape") as file:
            file.seek(before)
            text = file.read()
        pieces = ENTRY.split(text)[1:]
        found = []
        for level, body in zip(pieces[::2], pieces[1::2]):
            body = body.rstrip("\n").replace("\n\t", "\n")
            match = EXECUTE.match(body)
            if level == "LOG" and match and match.group(1) not in SKIPPED:
                found.append(self._statement(match.group(1), match.group(2)))
            elif level == "DETAIL" and body.startswith("parameters: ") and found:
                found[-1].values = [None if null else value.replace("''", "'")
                                    for _, null, value in PARAMETER.findall(body)]
        return found

    def _statement(self, name, sql):
        """The text that the server has prepared, which must be the one we keep."""
        kind, kept = self.queries.get(name, ("commit", None))
        if kept is None and not name.endswith("_guard"):
            raise RuntimeError(f"{name} is not in sql/queries")
        if kept is not None and squeeze(kept) not in squeeze(sql):
            raise RuntimeError(f"{name} is another statement in sql/queries")
        return Statement("commit" if kind == "commit" else "load", name, sql, [])

    def _generalise(self, operation, calls):
        first, second = calls
        names = [[s.name for s in call] for call in calls]
        if not first or names[0] != names[1]:
            raise RuntimeError(f"{operation}: two calls sent different statements: {names}")
        self.fresh = {}
        for one, other in zip(first, second):
            one.parameters = [self._parameter(operation, a, b)
                              for a, b in zip(one.values, other.values)]
            if one.name == "approval_vote_put":
                number_votes(one)
        return first

    def _parameter(self, operation, value, other):
        known = {place.copy_id(kind, 1): Parameter("id", kind) for kind in
                 (place.RISK, place.PLAN, place.ACCEPTANCE, place.REQUEST)}
        known.update({place.copy_id(kind, 1): Parameter("owner_id", kind) for kind in
                      (place.USER, place.PERSON, place.SESSION)})
        if value is None:
            return Parameter("null")
        if value in known:
            return known[value]
        if not is_uuid(value):
            return Parameter("text", value)
        if operation == "L" and value.startswith("018f0000-0000-7" + place.RISK):
            return Parameter("page", place.RISK)
        if value == other:
            return Parameter("text", value)
        kind = self.fresh.setdefault(value, f"{place.FRESH}{len(self.fresh):02x}")
        return Parameter("id", kind)

    # --- for the others ------------------------------------------------------

    def write_for_peer(self, path):
        lines = [f"owners {place.OWNERS}"]
        for operation, statements in self.operations.items():
            for s in statements:
                lines.append(f"statement {operation} {s.phase} {s.name} {s.sql.encode().hex()}")
                for p in s.parameters:
                    value = {"text": p.value.encode().hex(), "id": place.copy_id(p.value, 0),
                             "owner_id": place.copy_id(p.value, 0)}.get(p.kind, "-")
                    lines.append(f"param {p.kind} {value}")
        path.write_text("\n".join(lines) + "\n")

    def write_for_pgbench(self, operation, path):
        """A script; returns the variables that it needs. pgbench cannot make texts, so W
        asks the database for the ids of its case first: a statement more, of no table. A
        reader is the same account all the time and makes the id that it looks for within
        the statement."""
        stage = self.stage
        first, last = place.HISTORY + 1, place.HISTORY + stage.waiting
        statements = self.operations[operation]
        if operation == "W":
            lines = ["\\set i :i + 1", f"\\set k {BASE + first} + :i * :clients + :client_id",
                     *owner_of_case(), ids_of(statements, ("id", "owner_id"))]
        else:
            lines = ["\\if :known", "\\else", f"\\set k {BASE} + :client_id", *owner_of_case(),
                     ids_of(statements, ("owner_id",)), "\\set known 1", "\\endif",
                     f"\\set k random({BASE + 1}, {BASE + last + stage.plain})"]
        variables, phase = {}, None
        for number, s in enumerate(statements):
            if operation == "W" and s.phase != phase:
                lines += (["\\endpipeline"] if phase else []) + ["\\startpipeline"]
                phase = s.phase
            lines.append(pgbench_sql(s, f"s{number}", operation == "W", variables) + ";")
        if phase:
            lines.append("\\endpipeline")
        path.write_text("\n".join(lines) + "\n")
        return variables

    def sizes(self):
        """operation -> (statements of the load, of the commit)."""
        return {name: tuple(sum(s.phase == phase for s in statements)
                            for phase in ("load", "commit"))
                for name, statements in self.operations.items()}


def number_votes(statement):
    """The votes of a person are numbered, each once: the number of the case will do."""
    columns = re.search(r"\((.*?)\)", statement.sql, re.S).group(1).split(",")
    at = [column.strip() for column in columns].index("ordinal")
    statement.parameters[at] = Parameter("number")


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def owner_of_case():
    return [f"\\set u {BASE} + (:k - {BASE}) % {place.OWNERS}"]


def ids_of(statements, kinds):
    """Reads the ids that follow from the case into variables."""
    wanted = sorted({(p.kind, p.value) for s in statements for p in s.parameters
                     if p.kind in kinds})
    columns = [f"'{stem(value)}' || :{'k' if kind == 'id' else 'u'}::text AS {kind}_{value}"
               for kind, value in wanted]
    return f"SELECT {', '.join(columns)} \\gset"


def stem(kind):
    return place.copy_id(kind, 0)[:24]


def pgbench_sql(statement, prefix, has_ids, variables):
    """pgbench numbers each :variable anew; so a parameter is one only where it comes
    first, and after that the number that it got. What is prepared is then the very
    statement, with its parameters in another order."""
    numbers = {}

    def once(name):
        if name not in numbers:
            numbers[name] = len(numbers) + 1
            return ":" + name
        return f"${numbers[name]}"

    def replaced(match):
        index = int(match.group(1))
        parameter = statement.parameters[index - 1]
        if parameter.kind == "owner_id" or (parameter.kind == "id" and has_ids):
            return once(f"{parameter.kind}_{parameter.value}")
        if parameter.kind == "number":
            return once("k")
        if parameter.kind in ("id", "page"):
            made = f"('{stem(parameter.value)}' || {once('k')}::text)::uuid"
            # a filter must not make it anew for each row; the id is the key of an index
            return made if parameter.kind == "id" else f"(SELECT {made})"
        name = f"{prefix}_{index}"
        if parameter.kind == "text" and not parameter.value:
            return "''"  # no variable can be empty
        if parameter.kind == "text":
            variables[name] = parameter.value
        return once(name)  # a variable without a value is NULL

    return re.sub(r"\$(\d+)", replaced, statement.sql)
