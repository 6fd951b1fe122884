"""What must hold of a history and what it left in the database. Each check takes plain
data and returns Violations; `check` runs them all."""

import bisect
import hashlib
import re

import linear
from board import LIVE
from model import DERIVED, LEVELS, Model, Violation, same, seconds
from wire import SCHEMA  # where it comes from, transitions is too
from transitions import Moves

# refusals that only the call's own effect can have caused: a refusal is not kept, so
# another one may come before the effect, of what another call did in between
OWN_EFFECT = {"ALREADY_VOTED", "CLOSED"}
GIVE_UP = {"STALE", "EXPIRED", "NO_QUORUM"}
RECOVERY_S = 10.0
LIVE_LEAST = round(0.7 * LIVE)  # requests, half of the time
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
LAWFUL = {"PERMISSION_DENIED", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS"}
SDK_FROM, SDK_TRIES = 14, 4  # clients from this one repeat by themselves
NAMES = {
    "I1": "no acknowledged decision is lost",
    "I2": "one resolution a request, one vote a person and step",
    "I3": "no vote of a requester, a contributor or somebody who counts twice",
    "I4": "a vote is for exactly what was resolved",
    "I5": "eligible at the vote and at the resolution",
    "I6": "a revocation that was acknowledged before holds",
    "I7": "the tables are the fold of the log",
    "I9": "the log keeps the order of real time",
    "I10": "one event for each effect, none without",
    "I11": "a request is linearizable",
    "I13": "clients go on within ten seconds",
    "I14": "nothing is INTERNAL",
    "STUCK": "no request waits with its quorum met",
    "WATCH": "a watcher hears each event once, in order",
    "MOVE": "a change of state is a row of WORKFLOW.md",
    "COVER": "a run meets every kind of fault",
}


def effects(events):
    """{(actor, key): [events with an effect]} and the number of refusals of each."""
    done, refused = {}, {}
    for event in events:
        if not event.key:
            continue
        where = done if event.done else refused
        where.setdefault((event.actor, event.key), []).append(event)
    return done, refused


def check_effects(ops, events):
    """I1 and I10: an effect for each ok, none for each fail, one event for each."""
    done, refused = effects(events)
    found = []
    for op in ops:
        if not op.key or op.type == "info":
            continue
        mine = done.get((op.actor, op.key), [])
        if op.type == "ok" and not mine:
            found.append(Violation("I1", f"{op.rpc} was acknowledged and left nothing", "",
                                   [op.key]))
        elif len(mine) > 1:
            found.append(Violation("I10", f"{op.rpc} has {len(mine)} effects", "", [op.key]))
        elif op.type == "fail" and mine:
            found.append(Violation("I10", f"{op.rpc} was refused with {op.code} {op.reason} and "
                                   "has an effect", "", [op.key]))
        elif op.type == "ok":
            found += acknowledged_as_written(op, mine[0])
        found += check_refusals(op, refused.get((op.actor, op.key), []))
        if op.result.get("replies_differ"):
            found.append(Violation("I10", f"{op.rpc} gave two replies to one key", "", [op.key]))
        if op.result.get("refused_too") in OWN_EFFECT:
            found.append(Violation("I10", f"{op.rpc} was done and, for the same key, refused with "
                                   f"{op.result['refused_too']}", "", [op.key]))
    return found


def acknowledged_as_written(op, event):
    told = {(k, e): v for k, e, v, _ in op.entities}
    for kind, entity, version, _ in event.changes:
        if told.get((kind, entity), version) != version:
            return [Violation("I1", f"{op.rpc} told of version {told[(kind, entity)]} of {kind} "
                              f"and made {version}", entity, [op.key])]
    return []


def check_refusals(op, refused):
    """A refusal is logged once and changes nothing, unless it ends the request."""
    found = []
    for event in refused:
        if event.changes and event.reason not in GIVE_UP:
            found.append(Violation("I10", f"{op.rpc} was refused with {event.reason} and changed "
                                   "something", "", [op.key]))
    most = op.attempts * (SDK_TRIES if op.process >= SDK_FROM else 1)
    if not op.refusals <= len(refused) <= max(most, op.refusals):
        found.append(Violation("I10", f"{op.rpc} was refused {op.refusals} times by {op.code} "
                               f"{op.reason} and has {len(refused)} events", "", [op.key]))
    return found


def check_records(evidence):
    """I10: the announcements of each event, and every version kept once."""
    found = []
    whole = any(len(rows) > 1 for rows in evidence.outbox.values())
    for event in evidence.events:
        told = evidence.outbox.get(event.id, [])
        made = {(k, e, v) for k, e, v, _ in event.changes}
        missing = whole and made - set(told) or (made and not told)
        if missing or len(told) != len(set(told)) or set(told) - made:
            found.append(Violation("I10", f"{event.rpc} made {len(made)} versions and announced "
                                   f"{len(told)}", event.entity, [event.key], event))
    for kind, rows in evidence.tables.items():
        for entity, row in rows.items():
            count, top = evidence.histories.get((kind, entity), (0, 0))
            if (count, top) != (row["version"], row["version"]):
                found.append(Violation("I7", f"{kind} is at version {row['version']} and {count} "
                                       "versions of it are kept", entity))
    return found


def check_keys(ops, events):
    """I10: whatever the log tells of, a client called for, or the servers' own clock."""
    called = {(op.actor, op.key) for op in ops if op.key}
    return [Violation("I10", f"{event.rpc} has an event and no client called for it",
                      event.entity, [event.key], event) for event in events
            if (event.actor, event.key) not in called and
            (event.key or not event.rpc.startswith("ClockService/"))]


# columns that the log does not tell of, or in other words
UNTOLD = {"id", "org_id", "ref", "seq", "version", "created_at", "created_by", "updated_at",
          "updated_by", "archived_at", "content", "steps", "progress", "verification"}
UNTOLD_OF_REQUEST = {"plan_id", "acceptance_id", "changed_policy_id"}  # subject_id is told
LEVEL_NAMES = {number: name for name, number in LEVELS.items() if name}


def column_text(name, value):
    """A value of a table as the log tells it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if name.endswith("level") and isinstance(value, int):
        return LEVEL_NAMES[value]
    return value.removeprefix("\\x") if isinstance(value, str) else str(value)


def field_text(field, value):
    if field.type == field.TYPE_ENUM:
        name = field.enum_type.values_by_number[value].name
        prefix = re.sub("(?<=[a-z])(?=[A-Z])", "_", field.enum_type.name).upper() + "_"
        return name.removeprefix(prefix)
    if field.type == field.TYPE_BOOL:
        return "true" if value else "false"
    if field.type != field.TYPE_MESSAGE:
        return str(value)
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return value.ToJsonString()
    return "{" + ", ".join(f"{f.name}: {field_text(f, v)}" for f, v in value.ListFields()) + "}"


def flat(message, prefix):
    """{name: text} of a message, as the log tells of its fields."""
    found = {}
    for field, value in message.ListFields():
        name = prefix + field.name
        if field.label == field.LABEL_REPEATED:
            found[name] = ", ".join(field_text(field, v) for v in value)
        elif field.type == field.TYPE_MESSAGE and \
                field.message_type.full_name != "google.protobuf.Timestamp":
            found.update(flat(value, name + "_"))
        else:
            found[name] = field_text(field, value)
    return found


def columns(kind, row):
    found = {name: column_text(name, value) for name, value in row.items() if name not in UNTOLD
             and not (kind == "approval_request" and name in UNTOLD_OF_REQUEST)}
    if kind == "treatment_plan":
        content = SCHEMA.message("isms.v1.PlanFields").FromString(
            bytes.fromhex(row["content"].removeprefix("\\x")))
        found.update(flat(content, "content_"))
    return found


def plain(text):
    """With moments as seconds, however they are written."""
    return MOMENT.sub(lambda found: f"{seconds(found[0]):.6f}", text)


def differences(kind, held, told, whole):
    """held: {column: text} of the table; told: {field: text} of the log; whole: the log tells
    of the row from its beginning, so that what it does not tell is empty."""
    told = {name.replace(".", "_"): text for name, text in told.items()
            if isinstance(text, str)}
    return [f"{kind}.{name}: {text!r} in the table, {told.get(name, '')!r} in the log"
            for name, text in held.items() if (name in told or whole) and name not in DERIVED
            if not same(plain(text), plain(told.get(name, "")))]


def check_tables(evidence, model, baseline):
    """I7: what the log adds up to is what the tables hold."""
    found = []
    for kind, rows in evidence.tables.items():
        known = {e for k, e in model.rows if k == kind}
        for entity in known - set(rows):
            found.append(Violation("I7", f"the log tells of a {kind} that is not there", entity))
        for entity, row in rows.items():
            told = model.rows.get((kind, entity))
            if told is None:
                if entity not in baseline:
                    found.append(Violation("I7", f"a {kind} that the log does not tell of",
                                           entity))
                continue
            if told["version"] != row["version"]:
                found.append(Violation("I7", f"{kind}: version {row['version']} in the table, "
                                       f"{told['version']} in the log", entity, [told["key"]]))
            for text in differences(kind, columns(kind, row), told, entity not in baseline):
                found.append(Violation("I7", text, entity, [told["key"]]))
    return found


def check_scores(evidence, model):
    """I7: the scores of the table are those of the log."""
    return check_same("risk_score", evidence.scores, {
        entity: {name.removeprefix("score."): text for name, text in told.items()}
        for entity, told in model.scores.items()}, "risk_id")


def check_same(kind, rows, logged, about):
    """Rows that are written once, {id: …} of the table and of the log."""
    found = []
    for entity in rows.keys() - logged.keys():
        found.append(Violation("I7", f"a {kind} that the log does not tell of",
                               rows[entity][about]))
    for entity in logged.keys() - rows.keys():
        found.append(Violation("I7", f"the log tells of a {kind} that is not there",
                               logged[entity].get(about, "")))
    for entity in rows.keys() & logged.keys():
        held = {name: column_text(name, value) for name, value in rows[entity].items()
                if name not in UNTOLD | {"assignee_id"}}
        found += [Violation("I7", text, rows[entity][about])
                  for text in differences(kind, held, logged[entity], True)]
    return found


def check_votes(evidence, model):
    """I2, I4, I7: votes of the table, each once and as logged, and the snapshots they are
    bound to."""
    found, seen = [], {}
    for vote in evidence.votes.values():
        person = vote.get("on_behalf_person") or vote["voter_person"]
        for who in {person, vote["voter_person"]}:
            key = (vote["request_id"], vote["step_no"], who)
            if key in seen:
                found.append(Violation("I2", "two votes of a person on a step",
                                       vote["request_id"]))
            seen[key] = vote
    found += check_same("approval_vote", evidence.votes,
                        {v.id: v.told for cast in model.votes.values() for v in cast},
                        "request_id")
    for entity, row in evidence.tables["approval_request"].items():
        digest = hashlib.sha256(b"isms/decision/v1\0" + evidence.snapshots.get(entity, b""))
        if "\\x" + digest.hexdigest() != row["snapshot_sha256"]:
            found.append(Violation("I4", "the digest is not that of the snapshot", entity))
    return found


def check_moves(events):
    """MOVE: plans, acceptances and requests change as the document of the product shows."""
    moves = Moves()
    for event in events:
        moves.take(event.rpc, [(kind, entity, fields) for kind, entity, _, fields
                               in event.changes])
    return [Violation("MOVE", f"{title} from {before} to {after} by {rpc}", entity)
            for rpc, title, before, after, entity in moves.wrong]


def live_requests(events):
    """How many requests are open after each event, once there are about enough."""
    live, counts = set(), []
    for event in events:
        for kind, entity, _, fields in event.changes:
            if kind == "approval_request" and "state" in fields:
                (live.add if fields["state"][1] == "PENDING" else live.discard)(entity)
        counts.append(len(live))
    return counts[next((i for i, n in enumerate(counts) if n >= LIVE_LEAST), len(counts)):]


def check_live(events):
    """A run works on about as many requests as it says."""
    median = percentile(sorted(live_requests(events)), 0.5)
    if median >= LIVE_LEAST:
        return []
    return [Violation("COVER", f"in the median {median} requests were live, and should have been "
                      f"{LIVE}")]


def check_digests(ops, evidence):
    """I4: what the client said it saw is what was frozen."""
    found = []
    for op in ops:
        if op.type != "ok" or op.rpc != "ApprovalService/CastVote":
            continue
        row = evidence.tables["approval_request"].get(op.args["requestId"])
        if row is not None and row["snapshot_sha256"] != "\\x" + op.args["digest"]:
            found.append(Violation("I4", "a vote with another digest was taken",
                                   op.args["requestId"], [op.key]))
    return found


def check_real_time(ops, events):
    """I9: what was acknowledged before another call began was committed before it."""
    done, _ = effects(events)
    spans = []
    for op in ops:
        mine = done.get((op.actor, op.key)) if op.key and op.type == "ok" else None
        if mine:
            spans.append((op.invoke, op.complete, mine[0].order, op))
    ended = sorted(spans, key=lambda s: s[1])
    latest, at, found = (-1, None), 0, []
    for invoke, _, order, op in sorted(spans, key=lambda s: s[0]):
        while at < len(ended) and ended[at][1] < invoke:
            latest = max(latest, (ended[at][2], ended[at][3]), key=lambda x: x[0])
            at += 1
        if latest[0] > order:
            found.append(Violation("I9", f"{op.rpc} was called after {latest[1].rpc} was "
                                   "acknowledged and committed before it", "",
                                   [latest[1].key, op.key]))
    return found


def check_reads(ops, events):
    """I9: a read shows a version that was current at some moment of the call."""
    made, done = {}, effects(events)[0]
    began, ended = {}, {}
    for op in ops:
        for event in done.get((op.actor, op.key), []) if op.key else []:
            for kind, entity, version, _ in event.changes:
                began[(kind, entity, version)] = op.invoke
                if op.type == "ok":
                    ended[(kind, entity, version)] = op.complete
    for event in events:
        for kind, entity, version, _ in event.changes:
            made.setdefault((kind, entity), []).append(version)
    found = []
    for op in ops:
        if op.type != "ok" or op.key:
            continue
        for kind, entity, version, _ in op.entities:
            versions = sorted(made.get((kind, entity), []))
            if began.get((kind, entity, version), 0) > op.complete:
                found.append(Violation("I9", f"{op.rpc} read {kind} version {version} before it "
                                       "was asked for", entity))
            later = versions[bisect.bisect_right(versions, version):]
            if any(ended.get((kind, entity, v), op.invoke) < op.invoke for v in later):
                found.append(Violation("I9", f"{op.rpc} read {kind} version {version} after a "
                                       "later one was acknowledged", entity))
    return found


def shifts(faults):
    """[(from, until, seconds)]: by how much the database's clock was wrong. While it
    changes, both may be true."""
    found, since, now = [], 0, 0
    for fault in faults:
        if fault.shift is not None:
            found.append((since, fault.heal, now))
            since, now = fault.begin, fault.shift
    return [*found, (since, float("inf"), now)]


def check_effective(ops, faults):
    """I5: nothing is effective after its end, by the database's clock."""
    clocks = shifts(faults)
    found = []
    for op in ops:
        if op.type != "ok" or not op.result.get("effective"):
            continue
        begun = op.result["wall"] + min(s for begin, end, s in clocks
                                        if begin <= op.complete and end >= op.invoke)
        if op.result["until"] < begun - 0.05:
            found.append(Violation("I5", "an acceptance is called effective "
                                   f"{begun - op.result['until']:.2f} s after its end",
                                   op.entities[0][1]))
    return found


def check_internal(ops):
    return [Violation("I14", f"{op.rpc} answered INTERNAL", "", [op.key])
            for op in ops if op.internal] + \
        [Violation("I4", f"verify: {text}", op.args.get("id", ""))
         for op in ops if op.op == "verify" for text in op.result.get("found", [])] + \
        [Violation("I1", f"{op.rpc} could not be settled: {op.code} {op.reason}", "", [op.key])
         for op in ops if op.key and op.type == "info"]


def check_server(number, status, lines):
    """I14: a server ends as it was told to, and its log holds none of these lines."""
    if status is None:
        lines = ["did not end when it was told to", *lines]
    elif status != 0:
        lines = [f"ended with status {status}", *lines]
    return [Violation("I14", f"server {number}: {line}") for line in lines]


def check_cover(deck, faults):
    """Every kind of fault that can be made here came, when there was time for all of them;
    two may have hit nothing."""
    missing = set(deck.kinds) - {f.name.split(" ")[0] for f in faults}
    if not missing or deck.drawn < len(deck.kinds) + 2:
        return []
    return [Violation("COVER", f"{deck.drawn} faults, and none was {', '.join(sorted(missing))}")]


def succeeded(op):
    """The server served this call itself: it did it, or refused it by law. What was settled
    afterwards says nothing of the client."""
    return not op.settled and (op.type == "ok" or op.type == "fail" and op.code in LAWFUL)


def outside(begin, end, windows):
    """Nanoseconds between two moments in which nothing was at fault."""
    held, at = 0, begin
    for start, stop in windows:
        if stop <= at:
            continue
        if start >= end:
            break
        held += max(0, start - at)
        at = max(at, stop)
    return held + max(0, end - at)


def recoveries(ops, faults, processes, end):
    """([seconds], [seconds]): for each heal and client, the time without a fault until the
    client's first success; and that of those who had none by the end."""
    good = {process: [] for process in processes}
    for op in ops:
        if op.process in good and succeeded(op) and op.complete <= end:
            good[op.process].append(op.complete)
    windows = sorted((f.begin, f.heal) for f in faults)
    found, never = [], []
    for _, heal in windows:
        for ends in good.values():
            ends.sort()
            at = bisect.bisect_left(ends, heal)
            where, until = (found, ends[at]) if at < len(ends) else (never, end)
            where.append(outside(heal, until, windows) / 1e9)
    return sorted(found), sorted(never)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def check_recovery(ops, faults, processes, end):
    found, never = recoveries(ops, faults, processes, end)
    p99 = percentile(found, 0.99)
    told = []
    if p99 > RECOVERY_S:
        told.append(Violation("I13", "p99 of the time from heal to a client's first success is "
                              f"{p99:.1f} s"))
    if never:
        told.append(Violation("I13", f"after a heal a client had no success in {never[-1]:.1f} s, "
                              f"{len(never)} times"))
    return told


def upgrade(found, ops):
    """I5 becomes I6 where the right was lost, and that acknowledged, before the call."""
    by_key = {op.key: op for op in ops if op.key}
    for violation in found:
        if violation.invariant != "I5" or not violation.keys:
            continue
        vote = by_key.get(violation.keys[0])
        for key in violation.keys[1:]:
            lost = by_key.get(key)
            if vote and lost and lost.type == "ok" and lost.complete < vote.invoke:
                violation.invariant = "I6"


def check(run, evidence):
    """(violations, [what was looked at]) of a whole run."""
    ops = run.history.ops
    persons = {a.id: a.person for a in run.people.accounts}
    model = Model(persons, run.people.above(),
                  {g: (a.id, r, s, 4) for g, (a, r, s) in run.people.grants.items()},
                  evidence.steps, evidence.assignees, evidence.outvoted)
    for event in evidence.events:
        model.take(event)
    found = list(model.found)
    upgrade(found, ops)
    found += check_effects(ops, evidence.events)
    found += check_keys(ops, evidence.events)
    found += check_records(evidence)
    found += check_tables(evidence, model, run.people.at_first)
    found += check_votes(evidence, model)
    found += check_scores(evidence, model)
    found += check_moves(evidence.events)
    found += check_live(evidence.events)
    found += check_digests(ops, evidence)
    found += check_real_time(ops, evidence.events)
    found += check_reads(ops, evidence.events)
    found += check_effective(ops, run.history.faults)
    broken, searched, left = linear.check(ops, evidence, persons)
    found += broken
    found += check_recovery(ops, run.history.faults, run.processes(), run.ended)
    found += check_internal(ops)
    live = sorted(live_requests(evidence.events))
    return found, [f"{percentile(live, 0.5)} live requests in the median, {live[0] if live else 0} "
                   "at least", f"{searched} requests searched for an order, {left} not to the end",
                   f"{model.met_void} approvals met void votes"]
