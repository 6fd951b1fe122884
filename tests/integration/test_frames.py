"""What no well-behaved client sends, over every method: rows 2 to 7 of the table
of bad inputs. One connection for all of a test: it stays usable."""

import pytest

import sample
from api import SCHEMA
from frames import Raw, framed, status
from world import password

METHODS = sorted(SCHEMA.methods)
INVALID, UNIMPLEMENTED, EXHAUSTED = 3, 12, 8


@pytest.fixture(scope="module")
def wire(server, world):
    raw = Raw(server, world.manager.token)
    yield raw
    raw.close()


def path(name):
    return "/isms.v1." + name


def body(name):
    return framed(sample.request(name).SerializeToString())


def alive(wire):
    answer = wire.call(wire.headers(path("AuthService/WhoAmI")), framed(b""))
    assert status(answer) == 0, answer


@pytest.mark.parametrize("name", METHODS)
def test_row_2_not_grpc_at_all(wire, name):
    answer = wire.call(wire.headers(path(name), content_type="application/json"), body(name))
    assert answer["headers"][":status"] == "415" and status(answer) is None
    answer = wire.call(wire.headers(path(name), **{":method": "GET"}))
    assert answer["headers"][":status"] == "405" and status(answer) is None
    alive(wire)


@pytest.mark.parametrize("name", METHODS)
def test_row_4_timeouts_that_are_none(wire, name):
    for text in ("", "123456789S", "1x", "-1S", "S", "1 S"):
        answer = wire.call(wire.headers(path(name), grpc_timeout=text), body(name))
        assert status(answer) == INVALID or answer["reset"] is not None, (text, answer)
    answer = wire.call(wire.headers(path(name), grpc_timeout="0n"), body(name))
    assert status(answer) == 4, answer
    alive(wire)


@pytest.mark.parametrize("name", METHODS)
def test_row_5_compression_is_not_offered(wire, name):
    data = sample.request(name).SerializeToString()
    for flag in (1, 2, 255):
        answer = wire.call(wire.headers(path(name)), framed(data, flag))
        assert status(answer) == INVALID, (flag, answer)
    answer = wire.call(wire.headers(path(name), grpc_encoding="gzip"), framed(data, 1))
    assert status(answer) == UNIMPLEMENTED
    assert answer["headers"]["grpc-accept-encoding"] == "identity"
    alive(wire)


@pytest.mark.parametrize("name", METHODS)
def test_row_6_length_prefixes_beyond_the_limit(wire, name):
    for length in ((1 << 20) + 1, 1 << 31, (1 << 32) - 1):
        answer = wire.call(wire.headers(path(name)), framed(b"", length=length), end=False)
        assert status(answer) == EXHAUSTED, (length, answer)
    alive(wire)


@pytest.mark.parametrize("name", METHODS)
def test_row_7_not_exactly_one_message(wire, name):
    good = body(name)
    for cut in (b"\x00", good[:4], good[:5] + b"x" if len(good) > 7 else good[:3]):
        answer = wire.call(wire.headers(path(name)), cut)
        if len(good) == 5 and cut == good:
            continue
        assert status(answer) == INVALID, (cut, answer)
    answer = wire.call(wire.headers(path(name)))
    assert status(answer) == INVALID, answer
    answer = wire.call(wire.headers(path(name)), good + good)
    assert status(answer) == UNIMPLEMENTED, answer
    alive(wire)


def test_row_3_metadata_beyond_the_limits(server, world):
    for fields in ([("x-large", "y" * 9000)], [(f"x-{i}", "y") for i in range(80)]):
        wire = Raw(server, world.manager.token)
        headers = wire.headers(path("AuthService/WhoAmI")) + fields
        answer = wire.call(headers, framed(b""))
        assert status(answer) == EXHAUSTED or answer["reset"] is not None or answer["closed"], answer
        wire.close()
    wire = Raw(server, world.manager.token)
    for fields in ([("x-bad", "a\rb")], [("x-bad", "a\nb")], [("x-bad", "a\x00b")],
                   [("transfer-encoding", "chunked")], [("connection", "close")]):
        answer = wire.call(wire.headers(path("AuthService/WhoAmI")) + fields, framed(b""))
        assert status(answer) != 0, (fields, answer)
    alive(wire)
    wire.close()


def test_row_13_two_tokens_are_no_token(wire):
    headers = wire.headers(path("AuthService/WhoAmI")) + [("authorization", "Bearer x")]
    assert status(wire.call(headers, framed(b""))) == 16


def test_an_error_is_trailers_only_with_details(wire):
    answer = wire.call(wire.headers(path("RiskService/GetRisk")), framed(b""))
    assert not answer["data"] and not answer["trailers"]
    assert answer["headers"]["grpc-status"] == "3"
    assert answer["headers"]["grpc-status-details-bin"]
    assert "%" not in answer["headers"]["grpc-message"]


def test_health_and_reflection_answer_the_stock_tools(server, world):
    import grpc
    channel = world.channel
    health = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=lambda b: b,
                                 response_deserializer=lambda b: b)
    assert health(b"", timeout=5) == b"\x08\x01"
    service = b"isms.v1.RiskService"
    assert health(b"\x0a" + bytes([len(service)]) + service, timeout=5) == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as caught:
        health(b"\x0a\x01x", timeout=5)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    for version in ("v1", "v1alpha"):
        request = SCHEMA.message(f"grpc.reflection.{version}.ServerReflectionRequest")
        reply = SCHEMA.message(f"grpc.reflection.{version}.ServerReflectionResponse")
        stub = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=request.SerializeToString, response_deserializer=reply.FromString)
        answers = list(stub(iter([request(list_services="*"),
                                  request(file_containing_symbol="isms.v1.RiskService"),
                                  request(file_by_filename="isms/v1/risk.proto"),
                                  request(file_containing_symbol="isms.store.v1.Account")]),
                            timeout=10))
        names = {s.name for s in answers[0].list_services_response.service}
        assert {f"isms.v1.{m.split('/')[0]}" for m in METHODS} <= names
        assert answers[1].file_descriptor_response.file_descriptor_proto
        assert answers[2].file_descriptor_response.file_descriptor_proto
        assert answers[3].error_response.error_code == 5


def test_h2load_and_nghttp_speak_to_it(server, world, tmp_path):
    import shutil
    import subprocess
    data = tmp_path / "body"
    data.write_bytes(framed(b""))
    url = f"https://{server.address}{path('AuthService/WhoAmI')}"
    headers = ["-H", "content-type: application/grpc", "-H", "te: trailers",
               "-H", "authorization: Bearer " + world.manager.token]
    assert shutil.which("h2load") and shutil.which("nghttp")
    out = subprocess.run(["h2load", "-n", "500", "-c", "4", "-m", "8", "-d", data, *headers, url],
                         stdout=subprocess.PIPE, text=True, timeout=60).stdout
    assert "500 succeeded, 0 failed" in out, out
    out = subprocess.run(["nghttp", "-v", "-n", "-d", data, *headers, url],
                         stdout=subprocess.PIPE, text=True, timeout=60).stdout
    assert "grpc-status: 0" in out, out
    clear = [a for a in headers]
    clear[-1] = "authorization: Bearer none"
    out = subprocess.run(["nghttp", "-v", "-n", "-d", data, *clear, url],
                         stdout=subprocess.PIPE, text=True, timeout=60).stdout
    assert "grpc-status: 16" in out, out


def test_a_deadline_and_a_cancellation_from_a_stock_client(world):
    import grpc
    login = world.nobody.request("AuthService/Login", organisation=world.organisation,
                                 email=world.users["owner"].email,
                                 password=password("owner"))
    with pytest.raises(grpc.RpcError) as caught:
        world.nobody.stub("AuthService/Login")(login, timeout=0.004)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    future = world.nobody.future("AuthService/Login", login)
    future.cancel()
    assert future.cancelled()
    world.login("owner")
