"""Connections that ask for nothing, and many of one address."""

import socket
import ssl
import time

import grpc
import pytest
from server import Server

LIMIT, IDLE = 8, 2


@pytest.fixture(scope="module")
def narrow():
    server = Server(None, "--workers", "1", "--idle-timeout", f"{IDLE}s",
                    "--max-connections-per-address", str(LIMIT)).start()
    yield server
    assert server.stop() == 0 and not server.leaks()
    server.done()


def connect(server, source="127.0.0.1"):
    host, port = server.address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=server.conf["ca"])
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection((host, int(port)), timeout=20, source_address=(source, 0))
    try:
        stream = context.wrap_socket(plain, server_hostname=host)
        # what every client says first: the preface and its SETTINGS
        stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5))
        assert stream.recv(9)[3:4] == b"\x04", "the server's SETTINGS"
        return stream
    except BaseException:
        plain.close()
        raise


def test_one_address_has_so_many_connections_and_no_more(narrow):
    time.sleep(IDLE + 1)  # those of the start have gone
    held = []
    try:
        for _ in range(LIMIT):
            held.append(connect(narrow))
        with pytest.raises(OSError):
            connect(narrow)
        held.append(connect(narrow, "127.0.0.2"))
    finally:
        for stream in held:
            stream.close()
    assert "reason=ADDRESS_CONNECTIONS peer=127.0.0.1" in narrow.tail(400)


def test_a_connection_without_calls_is_closed_in_order(narrow):
    time.sleep(IDLE + 1)
    stream = connect(narrow)
    stream.settimeout(IDLE + 20)
    came, began = b"", time.monotonic()
    while chunk := stream.recv(4096):
        came += chunk
    assert time.monotonic() - began > IDLE / 2
    assert b"\x07\0" in came, "GOAWAY"
    stream.close()


def test_a_client_with_calls_stays_and_one_that_was_idle_comes_back(narrow):
    check = "/grpc.health.v1.Health/"
    with narrow.channel() as channel:
        watch = channel.unary_stream(check + "Watch")(b"", timeout=60)
        next(watch)
        time.sleep(2 * IDLE + 1)
        assert channel.unary_unary(check + "Check")(b"", timeout=20) == b"\x08\1"
        assert watch.is_active()
        watch.cancel()
        time.sleep(IDLE + 2)
        assert channel.unary_unary(check + "Check")(b"", timeout=20) == b"\x08\1"
        assert watch.code() == grpc.StatusCode.CANCELLED
