"""The SDK through a small C driver, against servers that share no code with it."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import peer_server as p  # noqa: E402

BUILD = pathlib.Path(os.environ.get("ISMS_BUILD", HERE.parents[1] / "build-test"))
UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
CODE = grpc.StatusCode


@pytest.fixture(scope="session")
def messages():
    return p.Messages(BUILD / "isms.desc")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    p.make_certificates(folder)
    return folder


@pytest.fixture
def peer(folder, messages):
    peer = p.Peer(folder, messages).start()
    yield peer
    peer.stop()


class Driver:
    def __init__(self, address, *args):
        self.process = subprocess.Popen(
            [BUILD / "tests" / "sdk" / "sdk_driver", address, *args], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def start(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def result(self):
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return json.loads(line)

    def __call__(self, line):
        self.start(line)
        return self.result()

    def done(self):
        _, errors = self.process.communicate(timeout=20)
        assert (self.process.returncode, errors) == (0, "")


@pytest.fixture
def drive(folder):
    """Starts drivers; each must end well: no sanitizer report, no leak, no signal."""
    drivers = []

    def start(address, *args, ca=True):
        drivers.append(Driver(address, *([f"ca={folder}/ca.pem"] if ca else []), *args))
        return drivers[-1]
    yield start
    for driver in drivers:
        driver.done()


@pytest.fixture
def raw(folder):
    raws = []

    def start(*acts):
        raws.append(p.Raw(folder, *acts))
        return raws[-1]
    yield start
    for one in raws:
        one.close()


# --- a call -------------------------------------------------------------------


def test_a_reply_and_the_metadata_of_its_call(peer, drive):
    isms = drive(peer.address, "token=ismsT_abc")
    reply = isms("get risk-1 timeout=3000")
    assert (reply["code"], reply["title"], reply["reason"]) == ("OK", "risk-1", "")
    assert reply["request_id"] == ""
    call = peer.seen[0]
    assert call.method == "/isms.v1.RiskService/GetRisk"
    assert call.metadata["authorization"] == "Bearer ismsT_abc"
    assert call.metadata["user-agent"] == "libisms/0.1.0"
    assert 2 < call.time_remaining <= 3


def test_the_token_can_be_exchanged(peer, drive):
    isms = drive(peer.address)
    isms("get a")
    assert isms("token second") == {"rc": 0}
    isms("get a")
    assert isms("token bad\x07token") == {"rc": -1}
    isms("get a")
    isms("token -")
    isms("get a")
    assert [c.metadata.get("authorization") for c in peer.seen] == [
        None, "Bearer second", "Bearer second", None]


def test_all_details_of_a_failure(peer, drive):
    isms = drive(peer.address)
    peer.then(peer.fail(CODE.INVALID_ARGUMENT, "a field — 100% wrong", reason="INVALID_FIELD",
                        facts={"current_version": "8", "actor": "Alex Øwner"},
                        violations=[("fields.title", "is required"), ("id", "a uuid")]))
    reply = isms("get a")
    assert reply["code"] == "INVALID_ARGUMENT"
    assert reply["reason"] == "INVALID_FIELD"
    assert reply["text"] == "a field — 100% wrong"
    assert reply["facts"] == {"current_version": "8", "actor": "Alex Øwner"}
    assert reply["violations"] == [["fields.title", "is required"], ["id", "a uuid"]]
    assert (reply["retriable"], reply["retry_after_ms"]) == (0, 0)
    assert "type" not in reply


@pytest.mark.parametrize("code", [c for c in CODE if c not in (CODE.OK, CODE.UNAVAILABLE)])
def test_every_code_arrives(peer, drive, code):
    peer.then(peer.fail(code, "no"))
    reply = drive(peer.address)("get a")
    assert (reply["code"], reply["text"], len(peer.seen)) == (code.name, "no", 1)
    assert reply["retriable"] == (code in (CODE.ABORTED, CODE.RESOURCE_EXHAUSTED))


def test_methods_that_are_not_there(peer, drive):
    isms = drive(peer.address)
    assert isms("call /none.Service/GetIt")["code"] == "UNIMPLEMENTED"
    for bad in ("isms.v1.RiskService/GetRisk", "/isms.v1.RiskService", "//GetRisk", "/a/b/c"):
        reply = isms("call " + bad)
        assert (reply["code"], reply["reason"]) == ("INVALID_ARGUMENT", "BAD_CALL")
    assert isms("get a")["code"] == "OK"


def test_requests_of_up_to_one_mebibyte_and_replies_of_four(peer, drive):
    isms = drive(peer.address)
    peer.then(lambda call, context: peer.echo(call, context, "c" * (4000 << 10)))
    assert isms("get a")["cause_len"] == 4000 << 10
    peer.then(lambda call, context: peer.echo(call, context, "c" * (4 << 20)))
    reply = isms("get a")
    assert (reply["code"], reply["reason"]) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert isms(f"pad {1000 << 10}")["code"] == "OK"
    seen = len(peer.seen)
    reply = isms(f"pad {1 << 20}")
    assert (reply["code"], reply["reason"]) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert reply["retriable"] == 0
    assert len(peer.seen) == seen
    assert isms("get a")["code"] == "OK"


def test_sixty_four_calls_at_once_and_no_more(peer, drive):
    isms = drive(peer.address)
    peer.then(*[peer.slow(0.3)] * 64)
    result = isms("many 80 a")
    assert (result["taken"], result["done"], result["ok"]) == (64, 64, 64)
    assert result["ms"] < 5000
    assert isms("get a")["code"] == "OK"


def test_a_cancelled_call_is_given_up_on_both_sides(peer, drive):
    isms = drive(peer.address)
    peer.then(peer.slow(20))
    assert isms("cancel 300 a") == {"done": 0}
    assert peer.seen[0].ended.wait(2)
    assert isms("get a")["code"] == "OK"


def test_a_done_function_may_call_and_may_free_the_client(peer, drive):
    isms = drive(peer.address)
    assert isms("chain a") == {"done": 1, "ok": 2}
    assert isms("free a") == {"done": 1, "ok": 1}


# --- deadlines ----------------------------------------------------------------


def test_a_deadline_ends_a_call_and_the_connection_stays(peer, drive):
    isms = drive(peer.address)
    isms("get a")
    peer.then(peer.slow(20))
    reply = isms("get a timeout=300")
    assert (reply["code"], reply["reason"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
    assert 290 <= reply["ms"] < 1500
    assert isms("get a")["code"] == "OK"


def test_a_write_that_nobody_answered_can_be_settled_by_its_key(drive, raw):
    def mute(wire):
        wire.until_closed()
    server = raw(mute, answer)
    isms = drive(server.address)
    reply = isms("create a timeout=300")
    assert (reply["code"], reply["reason"]) == ("DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN")
    assert UUID7.match(reply["request_id"])
    reply = isms("get a timeout=300")
    assert (reply["code"], reply["reason"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
    # Where nothing was heard at all the next call does not rely on the connection.
    assert isms("get a")["code"] == "OK"
    assert server.connections == 2


def test_a_deadline_covers_connecting(drive, raw):
    silent = raw(*[lambda plain: time.sleep(3)] * 5)
    for act in silent.acts:
        act.plain = True
    reply = drive(silent.address)("get a timeout=400")
    assert reply["code"] == "DEADLINE_EXCEEDED"
    assert 390 <= reply["ms"] < 1500


def test_no_server_is_told_soon(drive):
    isms = drive(f"127.0.0.1:{p.free_port()}")
    reply = isms("get a")
    assert (reply["code"], reply["reason"], reply["retriable"]) == (
        "UNAVAILABLE", "CONNECT_FAILED", 1)
    assert "refused" in reply["text"] and reply["ms"] < 3000
    assert isms("get a retries=-1")["ms"] < 2500


def test_a_name_that_does_not_resolve(drive):
    reply = drive("no-such-host.invalid:443")("get a retries=-1")
    assert (reply["code"], reply["reason"]) == ("UNAVAILABLE", "RESOLVE_FAILED")


def test_a_name_resolves_and_falls_back_to_the_address_that_listens(peer, drive):
    # localhost is ::1 first on most machines, where nobody listens.
    assert drive(f"localhost:{peer.port}")("get a")["code"] == "OK"


# --- repeats ------------------------------------------------------------------


def keys(peer):
    return [peer.request(c).mutation.request_id for c in peer.seen]


def test_a_write_is_repeated_under_one_fresh_key(peer, drive):
    isms = drive(peer.address)
    unavailable = peer.fail(CODE.UNAVAILABLE)
    for round in range(2):  # without a mutation, and with one that lacks the key
        peer.seen.clear()
        peer.then(unavailable, unavailable)
        reply = isms("create risk")
        assert (reply["code"], reply["title"]) == ("OK", "risk")
        assert len(peer.seen) == 3 and len(set(keys(peer))) == 1
        assert UUID7.match(keys(peer)[0]) and reply["request_id"] == keys(peer)[0]
        assert peer.request(peer.seen[0]).mutation.expected_version == (7 if round else 0)
    first = keys(peer)[0]
    assert isms("create risk")["request_id"] != first


def test_the_key_is_the_requests_then_the_options_then_fresh(peer, drive):
    isms = drive(peer.address)
    assert isms("create a key=from-options own=from-request")["request_id"] == "from-request"
    assert isms("create a key=from-options")["request_id"] == "from-options"
    assert keys(peer) == ["from-request", "from-options"]


def test_a_read_is_repeated_and_another_call_without_key_is_not(peer, drive):
    isms = drive(peer.address)
    peer.then(peer.fail(CODE.UNAVAILABLE))
    assert isms("get a")["code"] == "OK"
    assert len(peer.seen) == 2
    peer.then(peer.fail(CODE.UNAVAILABLE))
    reply = isms("activate a")
    assert (reply["code"], reply["retriable"]) == ("UNAVAILABLE", 1)
    assert len(peer.seen) == 3


def test_repeats_are_counted(peer, drive):
    isms = drive(peer.address)
    unavailable = peer.fail(CODE.UNAVAILABLE)
    peer.then(*[unavailable] * 4)
    assert isms("get a")["code"] == "UNAVAILABLE"
    assert len(peer.seen) == 4
    peer.then(unavailable)
    assert isms("get a retries=-1")["code"] == "UNAVAILABLE"
    assert len(peer.seen) == 5


@pytest.mark.parametrize("code", [CODE.ABORTED, CODE.RESOURCE_EXHAUSTED])
def test_some_codes_are_repeated_only_when_the_server_says_when(peer, drive, code):
    isms = drive(peer.address)
    peer.then(peer.fail(code, "no", reason="CONFLICT"))
    assert isms("create a")["code"] == code.name
    assert len(peer.seen) == 1
    peer.then(peer.fail(code, "later", retry_s=0.6))
    assert isms("create a")["code"] == "OK"
    assert peer.seen[2].at - peer.seen[1].at >= 0.59


def test_no_repeat_beyond_the_deadline(peer, drive):
    peer.then(peer.fail(CODE.UNAVAILABLE, "much later", retry_s=30.5))
    reply = drive(peer.address)("get a timeout=2000")
    assert (reply["code"], reply["text"]) == ("UNAVAILABLE", "much later")
    assert (reply["retry_after_ms"], reply["retriable"]) == (30500, 1)
    assert reply["ms"] < 1000


# --- connections --------------------------------------------------------------


def test_a_server_that_was_restarted(folder, messages, drive):
    peer = p.Peer(folder, messages).start()
    isms = drive(peer.address)
    assert isms("get a")["code"] == "OK"
    peer.stop().wait()
    peer = p.Peer(folder, messages, peer.port).start()
    assert isms("activate a")["code"] == "OK"
    peer.stop().wait()
    assert isms("get a retries=-1")["code"] == "UNAVAILABLE"
    isms.start("create a retries=50 timeout=10000")
    time.sleep(0.7)
    peer = p.Peer(folder, messages, peer.port).start()
    assert isms.result()["code"] == "OK"
    peer.stop()


def test_a_server_that_drains_finishes_its_calls_beside_a_new_connection(
        folder, messages, drive):
    old = p.Peer(folder, messages).start()
    old.then(old.slow(2))
    isms = drive(old.address)
    isms.start("pair 900 a")
    while not old.seen:
        time.sleep(0.01)
    stopped = old.stop(5)
    new = p.Peer(folder, messages, old.port).start()
    result = isms.result()
    assert (result["ok"], result["beside"]) == (2, 1)
    assert result["ms"] < 600
    assert isms("get a")["code"] == "OK"
    assert (len(old.seen), len(new.seen)) == (1, 2)
    stopped.wait()
    new.stop()


def test_certificates_are_verified(peer, drive, folder):
    foreign = drive(peer.address, f"ca={folder}/foreign.pem", ca=False)
    reply = foreign("get a")
    assert (reply["code"], reply["reason"], reply["retriable"]) == (
        "UNAVAILABLE", "TLS_FAILED", 0)
    assert "certificate" in reply["text"] and reply["ms"] < 1000
    reply = drive(peer.address, "name=other.example.org")("get a")
    assert reply["reason"] == "TLS_FAILED" and "mismatch" in reply["text"]
    reply = drive(peer.address, ca=False)("get a")
    assert reply["reason"] == "TLS_FAILED"
    reply = drive(peer.address, "ca=/nowhere/ca.pem", ca=False)("get a")
    assert (reply["code"], reply["reason"]) == ("FAILED_PRECONDITION", "TLS_CONFIGURATION")
    assert peer.seen == []
    assert drive(peer.address, "name=isms.example.org")("get a")["code"] == "OK"
    unverified = drive(peer.address, f"ca={folder}/foreign.pem", "insecure", ca=False)
    assert unverified("get a")["code"] == "OK"


@pytest.mark.parametrize("address", ["", "host", "host:", "host:0", "host:65536", "host:https",
                                     "::1:443", ":443", "a b:1", "[::1:443"])
def test_addresses_that_are_none(address):
    driver = Driver(address)
    out, _ = driver.process.communicate("", timeout=10)
    assert (driver.process.returncode, out) == (1, '{"client": null}\n')


# --- peers that do what a good server never does ----------------------------------


def answer(wire):
    """A good answer, then all that comes."""
    stream, _ = wire.request()
    wire.send(p.head(stream) + p.message(stream, b"") + p.trailers(stream))
    wire.until_closed()


def test_calls_above_the_last_stream_of_a_goaway_are_made_again(drive, raw):
    def goodbye(wire):
        wire.request()
        wire.send(p.frame(p.GOAWAY, 0, 0, bytes(8)))
        wire.until_closed()
    for command in ("activate a", "create a", "get a"):
        server = raw(goodbye, answer)
        assert drive(server.address)(command)["code"] == "OK"
        assert server.connections == 2


def test_a_call_that_was_refused_is_made_again(drive, raw):
    def refuse(wire):
        stream, _ = wire.request()
        wire.send(p.frame(p.RST_STREAM, 0, stream, bytes([0, 0, 0, p.REFUSED_STREAM])))
        answer(wire)
    server = raw(refuse)
    assert drive(server.address)("activate a")["code"] == "OK"
    assert server.connections == 1


def test_a_lost_connection_is_no_licence_to_call_twice(drive, raw):
    bodies = []

    def lose(wire):
        bodies.append(wire.request()[1])

    def keep(wire):
        stream, body = wire.request()
        bodies.append(body)
        wire.send(p.head(stream) + p.message(stream, b"") + p.trailers(stream))
        wire.until_closed()
    server = raw(lose, lose, keep)
    assert drive(server.address)("create a")["code"] == "OK"
    assert len(bodies) == 3 and len(set(bodies)) == 1
    server = raw(lose, keep)
    reply = drive(server.address)("activate a")
    assert (reply["code"], reply["reason"], reply["retriable"]) == (
        "UNAVAILABLE", "OUTCOME_UNKNOWN", 0)
    assert server.connections == 1
    server = raw(lose)
    reply = drive(server.address)("create a retries=-1")
    assert (reply["reason"], reply["retriable"]) == ("OUTCOME_UNKNOWN", 1)
    assert UUID7.match(reply["request_id"])


@pytest.mark.parametrize("code,open_end", [(CODE.UNAVAILABLE, True), (CODE.UNAUTHENTICATED, True),
                                           (CODE.FAILED_PRECONDITION, False)])
def test_an_answer_that_tells_nothing_of_a_lost_try_leaves_its_outcome_open(
        drive, raw, code, open_end):
    def lose(wire):
        wire.request()

    def refuse(wire):
        stream, _ = wire.request()
        wire.send(p.trailers_only(stream, code.value[0], "no"))
        wire.until_closed()
    server = raw(lose, refuse)
    reply = drive(server.address)("create a retries=1")
    assert (reply["code"], reply["reason"]) == (
        code.name, "OUTCOME_UNKNOWN" if open_end else code.name)
    assert UUID7.match(reply["request_id"])
    server = raw(refuse)
    reply = drive(server.address)("create a retries=-1")
    assert (reply["code"], reply["reason"]) == (code.name, code.name)


def test_a_server_that_closes_under_an_upload_raises_no_signal(drive, raw):
    def slam(wire):
        wire.read()
        wire.tls.close()
    server = raw(*[slam] * 8)
    isms = drive(server.address)
    reply = isms(f"pad {1000 << 10}")
    assert reply["code"] == "UNAVAILABLE"
    reply = isms(f"pad {1000 << 10}")
    assert reply["code"] == "UNAVAILABLE"


def test_an_answer_before_the_whole_request_came(drive, raw):
    def early(wire):
        kind, _, stream, _ = wire.read()
        assert kind == p.HEADERS
        wire.send(p.trailers_only(stream, 3, "too much"))
        while wire.read()[0] != p.RST_STREAM:
            pass
        wire.send(p.frame(p.WINDOW_UPDATE, 0, 0, bytes([0, 1, 0, 0])))
        answer(wire)
    server = raw(early)
    isms = drive(server.address)
    reply = isms(f"pad {1000 << 10}")
    assert (reply["code"], reply["text"]) == ("INVALID_ARGUMENT", "too much")
    assert isms("get a")["code"] == "OK"
    assert server.connections == 1


def reset(code):
    return lambda s: p.frame(p.RST_STREAM, 0, s, bytes([0, 0, 0, code]))


def plain_http(status):
    return lambda s: p.headers(s, (":status", str(status)), ("content-type", "text/html"), end=True)


BAD = {
    "reset": (reset(p.INTERNAL_ERROR), "INTERNAL", "STREAM_RESET"),
    "cancel": (reset(p.CANCEL), "CANCELLED", "STREAM_RESET"),
    "http 404": (plain_http(404), "UNIMPLEMENTED", "BAD_REPLY"),
    "http 401": (plain_http(401), "UNAUTHENTICATED", "BAD_REPLY"),
    "http 200 without a status": (plain_http(200), "UNKNOWN", "BAD_REPLY"),
    "status beyond the last": (lambda s: p.head(s) + p.trailers(s, 77), "UNKNOWN", "UNKNOWN"),
    "status that is no number": (lambda s: p.head(s) + p.trailers(s, "x"), "UNKNOWN", "UNKNOWN"),
    "no message": (lambda s: p.head(s) + p.trailers(s), "INTERNAL", "BAD_REPLY"),
    "half a message": (lambda s: p.head(s) + p.message(s, b"ab", length=9) + p.trailers(s),
                       "INTERNAL", "BAD_REPLY"),
    "half a prefix": (lambda s: p.head(s) + p.frame(p.DATA, 0, s, b"\0\0") + p.trailers(s),
                      "INTERNAL", "BAD_REPLY"),
    "two messages": (lambda s: p.head(s) + p.message(s, b"") + p.message(s, b"") + p.trailers(s),
                     "INTERNAL", "BAD_REPLY"),
    "compressed": (lambda s: p.head(s) + p.message(s, b"ab", flag=1), "INTERNAL", "BAD_REPLY"),
    "too large": (lambda s: p.head(s) + p.message(s, b"ab", length=(4 << 20) + 1),
                  "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"),
    "not a message": (lambda s: p.head(s) + p.message(s, b"\x0a\xff\xff\xff") + p.trailers(s),
                      "INTERNAL", "BAD_REPLY"),
    "details that are none": (lambda s: p.trailers_only(
        s, 5, "gone", ("grpc-status-details-bin", "!!!")), "NOT_FOUND", "NOT_FOUND"),
    "details of garbage": (lambda s: p.trailers_only(
        s, 5, "gone", p.details_field(b"\xff" * 90)), "NOT_FOUND", "NOT_FOUND"),
}


@pytest.mark.parametrize("what", BAD)
def test_answers_that_are_none_harm_only_their_call(drive, raw, what):
    bad, code, reason = BAD[what]

    def act(wire):
        stream, _ = wire.request()
        wire.send(bad(stream))
        answer(wire)
    server = raw(act)
    isms = drive(server.address)
    reply = isms("get a")
    assert (reply["code"], reply["reason"]) == (code, reason)
    assert isms("get a")["code"] == "OK"
    assert server.connections == 1


BROKEN = {
    "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9,
    "a frame that is too long": p.frame(p.DATA, 0, 1, bytes(20000)),
    "headers that are no hpack": p.frame(p.HEADERS, p.END_HEADERS, 1, b"\xff" * 20),
    "data on a stream that is none": p.frame(p.DATA, 0, 77, b"x"),
    "a push": p.frame(5, p.END_HEADERS, 1, b"\0\0\0\2\x88"),
    "headers without end": p.frame(p.HEADERS, 0, 1, p.literal("a", "b")) + b"".join(
        p.frame(9, 0, 1, p.literal("x", "y" * 16000)) for _ in range(60)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_peer_that_breaks_the_protocol_loses_the_connection_only(drive, raw, what):
    def act(wire):
        wire.request()
        wire.send(BROKEN[what])
        wire.until_closed()
    server = raw(act, answer)
    assert drive(server.address)("get a")["code"] == "OK"
    assert server.connections == 2


def test_a_server_without_h2_is_refused(drive, folder, peer):
    raw = p.Raw.__new__(p.Raw)
    threading.Thread.__init__(raw, daemon=True)
    raw.listener = socket.create_server(("127.0.0.1", 0))
    raw.context = p.ssl.SSLContext(p.ssl.PROTOCOL_TLS_SERVER)
    raw.context.load_cert_chain(folder / "server.pem", folder / "server.key")
    raw.acts, raw.connections = [lambda wire: None], 0
    raw.start()
    reply = drive("127.0.0.1:%d" % raw.listener.getsockname()[1])("get a")
    assert (reply["reason"], reply["retriable"]) == ("TLS_FAILED", 0)
    assert "h2" in reply["text"]
    raw.close()


# --- memory -------------------------------------------------------------------


@pytest.mark.parametrize("who, step", [("ours", 1), ("all", 19)])
def test_running_out_of_memory_is_an_error_like_any_other(peer, folder, who, step):
    """Fails the n-th allocation, for each n that the scenario reaches; of the many
    thousands of OpenSSL one in nineteen."""
    normal = peer.fail(CODE.INVALID_ARGUMENT, "no", reason="INVALID_FIELD", facts={"a": "b"},
                       violations=[("id", "is required")])

    def answer(method, body, context):
        call = p.Seen(method, body, context)
        return (normal if peer.request(call).id == "fail" else peer.echo)(call, context) \
            if method.endswith("GetRisk") else peer.echo(call, context)
    peer.answer = answer
    run = subprocess.run([BUILD / "tests" / "sdk" / "sdk_memory", peer.address,
                          folder / "ca.pem", who, str(step)], text=True, timeout=300,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    told = json.loads(run.stdout)
    assert told["failures"] > 50 and told["ok"] > 0 and told["failed"] > 0
