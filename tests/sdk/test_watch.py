"""Watches of the SDK against a hand-made server that cuts its streams, and a stock one."""

import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

import grpc
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import peer_server as p  # noqa: E402
from test_sdk import BUILD, folder, messages, raw  # noqa: E402,F401

CODE = grpc.StatusCode


class Watcher:
    def __init__(self, address, folder, *args):
        self.process = subprocess.Popen(
            [BUILD / "tests" / "sdk" / "sdk_watcher", address, f"ca={folder}/ca.pem", *args],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def line(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def all(self, timeout=20):
        """Every line; the program has to end well: no sanitizer report, no leak."""
        out, errors = self.process.communicate(timeout=timeout)
        assert (self.process.returncode, errors) == (0, ""), out[-500:] + errors
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def watch(folder):  # noqa: F811
    started = []

    def start(address, *args):
        started.append(Watcher(address, folder, *args))
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


class Feed:
    """Events 1…n; a stream begins behind its cursor, with a message that has none."""

    def __init__(self, messages, n, pad=0):  # noqa: F811
        self.messages, self.n, self.pad = messages, n, pad
        self.cursors = []

    def begin(self, body):
        request = self.messages["isms.v1.WatchRequest"].FromString(body[5:])
        assert list(request.kinds) == ["risk"]
        self.cursors.append(request.cursor)
        return int(request.cursor[1:] or 0) if request.cursor else 0

    def message(self, i, event=True):
        reply = self.messages["isms.v1.WatchResponse"](cursor=f"c{i}")
        if event:
            reply.event.id = str(i)
            reply.event.actor_name = "x" * self.pad
        return reply.SerializeToString()

    def bytes_from(self, stream, start):
        return p.head(stream) + p.message(stream, self.message(start, False)) + b"".join(
            p.message(stream, self.message(i)) for i in range(start + 1, self.n + 1))

    def steady(self, wire):
        """An act for Raw: all there is, then silence."""
        stream, body = wire.request()
        wire.send(self.bytes_from(stream, self.begin(body)))
        wire.until_closed()


def events(lines):
    return [int(line["event"]) for line in lines if line.get("event")]


def end(code, reason=None, **details):
    def act(feed, wire, stream):
        packed = feed.messages.details(code.value[0], "no", reason=reason, **details)
        wire.send(p.trailers(stream, code.value[0], ("grpc-message", "no"),
                             p.details_field(packed)))
    return act


def close(feed, wire, stream):
    wire.tls.close()


def reset(number):
    def act(feed, wire, stream):
        wire.send(p.frame(p.RST_STREAM, 0, stream, bytes([0, 0, 0, number])))
    return act


def goodbye(feed, wire, stream):
    wire.send(p.frame(p.GOAWAY, 0, 0, stream.to_bytes(4, "big") + bytes(4)))
    time.sleep(0.02)
    wire.send(p.trailers(stream, CODE.UNAVAILABLE.value[0]))
    wire.until_closed()
    wire.tls.close()


def finish(feed, wire, stream):
    wire.send(p.frame(p.DATA, p.END_STREAM, stream))


CUTS = {"close": close, "reset": reset(p.INTERNAL_ERROR), "refuse": reset(p.REFUSED_STREAM),
        "cancel": reset(p.CANCEL), "unavailable": end(CODE.UNAVAILABLE), "goodbye": goodbye,
        "too slow": end(CODE.RESOURCE_EXHAUSTED, "WATCH_TOO_SLOW"), "ok": end(CODE.OK),
        "end without status": finish, "aborted": end(CODE.ABORTED)}


# --- resuming -----------------------------------------------------------------


@pytest.mark.parametrize("how", CUTS)
def test_each_way_to_lose_a_stream_resumes_at_the_last_cursor(watch, raw, messages, how):  # noqa: F811
    feed = Feed(messages, 6)

    def cut(wire):
        stream, body = wire.request()
        feed.begin(body)
        wire.send(p.head(stream) + b"".join(
            p.message(stream, feed.message(i, i > 0)) for i in range(4)))
        CUTS[how](feed, wire, stream)
        feed.steady(wire)
    server = raw(cut, feed.steady)
    lines = watch(server.address, "count=8").all()
    assert events(lines) == [1, 2, 3, 4, 5, 6]
    assert [line["cursor"] for line in lines] == [
        "c0", "c1", "c2", "c3", "c3", "c4", "c5", "c6"]
    assert feed.cursors == ["", "c3"]
    assert server.connections == (2 if how in ("close", "goodbye") else 1)


@pytest.mark.parametrize("seed", range(5))
def test_streams_cut_at_random_places_lose_nothing_and_repeat_nothing(
        watch, raw, messages, seed):  # noqa: F811
    """Cuts inside messages, prefixes and frames, in every way."""
    chance = random.Random(seed)
    feed = Feed(messages, 300, pad=chance.choice((0, 7, 300)))
    cuts = []

    def act(wire):
        while True:
            stream, body = wire.request()
            start = feed.begin(body)
            some = b"".join(p.message(stream, feed.message(i))[9:]
                            for i in range(start + 1, min(feed.n, start + chance.randrange(1, 40)) + 1))
            if len(cuts) < 25:
                some = some[:chance.randrange(len(some) + 1)]
            step = chance.choice((1, 3, 100, 16000))
            data = p.head(stream) + b"".join(p.frame(p.DATA, 0, stream, some[i:i + step])
                                             for i in range(0, len(some), step))
            how = chance.choice(list(CUTS))
            cuts.append(how)
            wire.send(data[:chance.randrange(len(data))] if how == "close" else data)
            CUTS[how](feed, wire, stream)
    server = raw(*[act] * 200)
    watcher = watch(server.address, "count=300", "slow=%d" % chance.choice((0, 0, 1)))
    assert events(watcher.all(60)) == list(range(1, feed.n + 1))
    assert len(cuts) >= 25


def test_a_watch_begins_where_it_is_told(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 9)
    lines = watch(raw(feed.steady).address, "cursor=c7", "count=3").all()
    assert (events(lines), feed.cursors) == ([8, 9], ["c7"])


def test_a_message_without_cursor_leaves_the_cursor(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 3)
    bare = messages["isms.v1.WatchResponse"]()
    bare.event.id = "77"

    def act(wire):
        stream, body = wire.request()
        feed.begin(body)
        wire.send(p.head(stream) + p.message(stream, feed.message(1))
                  + p.message(stream, bare.SerializeToString()))
        wire.tls.close()
    lines = watch(raw(act, feed.steady).address, "count=5").all()
    assert events(lines) == [1, 77, 2, 3]
    assert feed.cursors == ["", "c1"]


def test_a_server_that_is_away_for_a_while_is_waited_for(watch, messages, folder):  # noqa: F811
    feed = Feed(messages, 2)
    port = p.free_port()
    watcher = watch(f"127.0.0.1:{port}", "count=3")
    time.sleep(1.2)

    class Late(p.Raw):
        def __init__(self):
            threading.Thread.__init__(self, daemon=True)
            self.listener = p.socket.create_server(("127.0.0.1", port))
            self.context = p.ssl.SSLContext(p.ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
            self.context.set_alpn_protocols(["h2"])
            self.acts, self.connections = [feed.steady], 0
            self.start()
    late = Late()
    assert events(watcher.all()) == [1, 2]
    late.close()


# --- ends ---------------------------------------------------------------------


@pytest.mark.parametrize("code", [
    CODE.UNAUTHENTICATED, CODE.PERMISSION_DENIED, CODE.INVALID_ARGUMENT, CODE.NOT_FOUND,
    CODE.OUT_OF_RANGE, CODE.UNIMPLEMENTED, CODE.FAILED_PRECONDITION, CODE.INTERNAL])
def test_what_another_try_would_not_mend_ends_the_watch(watch, raw, messages, code):  # noqa: F811
    feed = Feed(messages, 2)

    def act(wire):
        stream, body = wire.request()
        wire.send(feed.bytes_from(stream, feed.begin(body)))
        end(code, "A_REASON")(feed, wire, stream)
        feed.steady(wire)
    server = raw(act, feed.steady)
    lines = watch(server.address).all()
    assert events(lines) == [1, 2]
    assert lines[-1] == {"code": code.name, "reason": "A_REASON", "text": "no", "cursor": "c2"}
    assert server.connections == 1 and len(feed.cursors) == 1


def test_a_certificate_of_nobody_ends_the_watch(watch, raw, messages, folder, tmp_path):  # noqa: F811
    server = raw(Feed(messages, 1).steady)
    for name in ("server.pem", "server.key"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "ca.pem").write_bytes((folder / "foreign.pem").read_bytes())
    lines = Watcher(server.address, tmp_path).all()
    assert (lines[-1]["code"], lines[-1]["reason"]) == ("UNAVAILABLE", "TLS_FAILED")


def test_a_method_or_a_cursor_that_is_none(watch, raw, messages):  # noqa: F811
    server = raw()
    assert watch(server.address, "method=nonsense").all()[-1]["reason"] == "BAD_CALL"
    far = watch(server.address, "cursor=" + "c" * 257)
    assert far.line() == {"watch": None}
    assert server.connections == 0


def test_giving_up_after_a_time(watch):
    since = time.monotonic()
    lines = watch(f"127.0.0.1:{p.free_port()}", "give-up=900").all()
    assert (lines[-1]["code"], lines[-1]["reason"]) == ("UNAVAILABLE", "CONNECT_FAILED")
    assert 0.2 < time.monotonic() - since < 3


def test_the_pauses_grow_and_the_word_of_the_server_counts(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 1)
    times = []

    def refuse(wire):
        for details in ({}, {}, {"retry_s": 0.9}, None):
            stream, body = wire.request()
            times.append(time.monotonic())
            if details is None:
                wire.send(feed.bytes_from(stream, feed.begin(body)))
                wire.until_closed()
            else:
                end(CODE.UNAVAILABLE, "BUSY", **details)(feed, wire, stream)
    assert events(watch(raw(refuse).address, "count=2").all()) == [1]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 0.07 <= gaps[0] < gaps[1] < 0.5 and 0.9 <= gaps[2] < 1.5, gaps


def test_silence_counts_as_a_lost_stream(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 3)

    def mute(wire):
        stream, body = wire.request()
        feed.begin(body)
        wire.send(p.head(stream) + p.message(stream, feed.message(1)))
        wire.until_closed()
    server = raw(mute, feed.steady)
    since = time.monotonic()
    lines = watch(server.address, "quiet=400", "count=4").all()
    assert events(lines) == [1, 2, 3] and feed.cursors == ["", "c1"]
    assert 0.4 <= time.monotonic() - since < 3


def test_a_time_without_message_is_told_and_the_watch_stays(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 2)

    def late(wire):
        stream, body = wire.request()
        feed.begin(body)
        wire.send(p.head(stream) + p.message(stream, feed.message(1)))
        time.sleep(0.5)
        wire.send(p.message(stream, feed.message(2)))
        wire.until_closed()
    lines = watch(raw(late).address, "wait=150", "count=2").all()
    assert events(lines) == [1, 2]
    assert {"nothing": 1} in lines


def test_the_client_may_go_first(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 2)
    lines = watch(raw(feed.steady).address, "count=3", "free").all()
    assert (lines[-1]["code"], lines[-1]["reason"]) == ("CANCELLED", "WATCH_ENDED")


def test_a_program_that_waits_for_the_descriptor_itself(watch, raw, messages):  # noqa: F811
    feed = Feed(messages, 50)
    first = [True]

    def act(wire):
        if not first.pop() if first else False:
            return
        stream, body = wire.request()
        wire.send(feed.bytes_from(stream, feed.begin(body))[:900])
        wire.tls.close()
    server = raw(act, feed.steady)
    lines = watch(server.address, "poll", "count=52").all()
    assert events(lines) == list(range(1, 51))


# --- what a stream may bring ----------------------------------------------------


def stream_of(feed, *sent):
    def act(wire):
        stream, body = wire.request()
        feed.begin(body)
        wire.send(p.head(stream) + p.message(stream, feed.message(1)))
        for data in sent:
            wire.send(data(stream))
        feed.steady(wire)
    return act


BAD = {
    "not a message": (lambda s: p.message(s, b"\x0a\xff\xff\xff"), "INTERNAL", "BAD_REPLY"),
    "compressed": (lambda s: p.message(s, b"ab", flag=1), "INTERNAL", "BAD_REPLY"),
    "not a flag": (lambda s: p.message(s, b"ab", flag=9), "INTERNAL", "BAD_REPLY"),
    "too large": (lambda s: p.message(s, b"ab", length=(1 << 20) + 1), "RESOURCE_EXHAUSTED",
                  "MESSAGE_TOO_LARGE"),
    "a cursor that is too long": (lambda s: p.message(s, b"\x0a\xff\x02" + b"c" * 383),
                                  "INTERNAL", "BAD_REPLY"),
}


@pytest.mark.parametrize("what", BAD)
def test_messages_that_are_none_end_the_watch(watch, raw, messages, what):  # noqa: F811
    bad, code, reason = BAD[what]
    feed = Feed(messages, 1)
    server = raw(stream_of(feed, bad), feed.steady)
    lines = watch(server.address).all()
    assert events(lines) == [1]
    assert (lines[-1]["code"], lines[-1]["reason"], lines[-1]["cursor"]) == (code, reason, "c1")
    assert len(feed.cursors) == 1


class Stock(p.Peer):
    """A stock server that streams, as fast as it may."""

    cut = 0  # ends the stream after so many events

    feed = None
    pulled = 0

    def service(self, details):
        if not details.method.endswith("/Watch"):
            return super().service(details)
        return grpc.unary_stream_rpc_method_handler(self.stream)

    def stream(self, body, context):
        call = p.Seen("Watch", body, context)
        self.seen.append(call)
        start = self.feed.begin(b"12345" + body)
        yield self.feed.message(start, False)
        for i in range(start + 1, self.feed.n + 1):
            self.pulled = i
            yield self.feed.message(i)
            if self.cut and i % self.cut == 0:
                context.abort(CODE.UNAVAILABLE, "cut")
        call.ended.wait(30)


@pytest.fixture
def stock(folder, messages):  # noqa: F811
    peer = Stock(folder, messages).start()
    yield peer
    peer.stop()


def test_a_stock_server_and_calls_beside_the_watch(stock, watch, messages):  # noqa: F811
    stock.feed = Feed(messages, 30)
    lines = watch(stock.address, "token=ismsT_abc", "count=31", "beside").all()
    assert events(lines) == list(range(1, 31))
    seen = [call for call in stock.seen if call.method == "Watch"]
    assert len(seen) == 1
    assert seen[0].metadata["authorization"] == "Bearer ismsT_abc"
    assert seen[0].time_remaining > 1e9  # none was asked for
    assert seen[0].ended.wait(2), "the stream is given up on the server, too"


def test_messages_of_up_to_one_mebibyte(stock, watch, messages):  # noqa: F811
    stock.feed = Feed(messages, 12, pad=(1 << 20) - 100)
    lines = watch(stock.address, "count=13").all()
    assert events(lines) == list(range(1, 13))
    assert lines[-1]["len"] == (1 << 20) - 100


def test_a_slow_taker_holds_the_server_and_takes_no_more_than_the_window(
        stock, watch, messages):  # noqa: F811
    stock.feed = Feed(messages, 4000, pad=64 << 10)
    watcher = watch(stock.address, "slow=150")
    while not (line := watcher.line()).get("event"):
        pass
    time.sleep(1)
    held = stock.pulled - int(line["event"])
    assert 30 < held < (6 << 20) >> 16, held
    time.sleep(1.5)
    later = stock.pulled
    assert later < 110, "it is let go on as messages are taken, not beyond"
    watcher.process.kill()


def test_a_restarted_stock_server(watch, messages, folder):  # noqa: F811
    old = Stock(folder, messages)
    old.feed = Feed(messages, 10)
    old.start()
    watcher = watch(old.address, "count=22")
    for _ in range(11):
        watcher.line()
    old.stop().wait()
    time.sleep(0.5)
    new = Stock(folder, messages, old.port)
    new.feed = Feed(messages, 20)
    new.start()
    assert events(watcher.all()) == list(range(11, 21))
    assert new.feed.cursors[0] == "c10"
    new.stop()


@pytest.mark.parametrize("who, step", [("ours", 1), ("all", 53)])
def test_running_out_of_memory_loses_nothing_and_repeats_nothing(
        stock, folder, messages, who, step):  # noqa: F811
    """Fails the n-th allocation of a watch of four events over two streams, for each n."""
    stock.feed, stock.cut = Feed(messages, 4, pad=600), 2
    run = subprocess.run([BUILD / "tests" / "sdk" / "sdk_memory", stock.address,
                          folder / "ca.pem", who, str(step), "watch"], text=True, timeout=300,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    told = json.loads(run.stdout)
    assert told["failures"] > 50 and told["ok"] > 0 and told["failed"] > 0
