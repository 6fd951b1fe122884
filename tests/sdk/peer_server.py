"""Servers that nobody here wrote the wire of: grpcio with scripted answers, and a
hand-made HTTP/2 peer for what a good server never does."""

import base64
import pathlib
import queue
import socket
import ssl
import struct
import subprocess
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Messages:
    """Message classes from the descriptors that the build makes."""

    def __init__(self, path):
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)

    def __getitem__(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def details(self, code, message, reason=None, facts=None, violations=(), retry_s=None):
        """google.rpc.Status, packed."""
        status = self["google.rpc.Status"](code=code, message=message)

        def add(detail):
            status.details.add(type_url="type.googleapis.com/" + detail.DESCRIPTOR.full_name,
                               value=detail.SerializeToString())
        if reason:
            add(self["google.rpc.ErrorInfo"](reason=reason, domain="isms.v1", metadata=facts or {}))
        if violations:
            bad = self["google.rpc.BadRequest"]()
            for field, text in violations:
                bad.field_violations.add(field=field, description=text)
            add(bad)
        if retry_s is not None:
            info = self["google.rpc.RetryInfo"]()
            info.retry_delay.seconds = int(retry_s)
            info.retry_delay.nanos = int(retry_s % 1 * 1e9)
            add(info)
        return status.SerializeToString()


def make_certificates(folder):
    """A CA, a certificate of it for localhost and 127.0.0.1, and a foreign CA."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    for ca in ("ca", "foreign"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", ca + ".key", "-out", ca + ".pem", "-days", "2", "-subj", "/CN=Test CA")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "server.ext").write_text(
        "subjectAltName=DNS:localhost,DNS:isms.example.org,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "server.ext")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Seen:
    """A call as the server saw it."""

    def __init__(self, method, body, context):
        self.method, self.body, self.at = method, body, time.monotonic()
        self.metadata = dict(context.invocation_metadata())
        self.time_remaining = context.time_remaining()
        self.ended = threading.Event()
        context.add_callback(self.ended.set)


class Peer(grpc.GenericRpcHandler):
    """A grpcio server. Each call takes the next answer of the script, a function of
    the call and its context that returns bytes; without one it is echoed."""

    def __init__(self, folder, messages, port=None):
        self.folder, self.messages = folder, messages
        self.port = port or free_port()
        self.script, self.seen, self.server = queue.Queue(), [], None

    def start(self):
        credentials = grpc.ssl_server_credentials([(
            (self.folder / "server.key").read_bytes(),
            (self.folder / "server.pem").read_bytes())])
        self.server = grpc.server(futures.ThreadPoolExecutor(80), handlers=[self], options=[
            ("grpc.so_reuseport", 1), ("grpc.max_receive_message_length", 4 << 20),
            ("grpc.max_send_message_length", 8 << 20), ("grpc.max_concurrent_streams", 20)])
        assert self.server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        self.server.start()
        return self

    def stop(self, grace=None):
        return self.server.stop(grace)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def service(self, details):
        if not details.method.startswith("/isms.v1."):
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda body, context: self.answer(details.method, body, context))

    def answer(self, method, body, context):
        call = Seen(method, body, context)
        self.seen.append(call)
        try:
            act = self.script.get_nowait()
        except queue.Empty:
            act = self.echo
        return act(call, context)

    def request(self, call):
        service, name = call.method[1:].split("/")
        method = self.messages.pool.FindServiceByName(service).FindMethodByName(name)
        return self.messages[method.input_type.full_name].FromString(call.body)

    def echo(self, call, context, cause=""):
        """The id or title that came, as the title of the risk in the reply."""
        name = call.method.split("/")[2]
        request = self.request(call)
        if name not in ("GetRisk", "CreateRisk"):
            return b""
        reply = self.messages[f"isms.v1.{name}Response"]()
        reply.risk.title = request.id if name == "GetRisk" else request.fields.title[:100]
        reply.risk.cause = cause
        return reply.SerializeToString()

    # Answers for the script.

    def fail(self, code, message="as told", **details):
        def act(call, context):
            number = code.value[0]
            packed = self.messages.details(number, message, **details)
            context.set_trailing_metadata((("grpc-status-details-bin", packed),))
            context.set_code(code)
            context.set_details(message)
            return b""
        return act

    def slow(self, seconds):
        def act(call, context):
            call.ended.wait(seconds)
            return self.echo(call, context)
        return act

    def then(self, *acts):
        for act in acts:
            self.script.put(act)


# --- a peer made by hand ------------------------------------------------------

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 7, 8, 2


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header field of HPACK: literal, never indexed, no Huffman."""
    def text(t):
        t = t.encode() if isinstance(t, str) else t
        if len(t) < 127:
            return bytes([len(t)]) + t
        out, n = b"\x7f", len(t) - 127
        while n >= 128:
            out, n = out + bytes([n % 128 + 128]), n // 128
        return out + bytes([n]) + t
    return b"\x10" + text(name) + text(value)


def headers(stream, *fields, end=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream,
                 b"".join(literal(*f) for f in fields))


def head(stream):
    return headers(stream, (":status", "200"), ("content-type", "application/grpc"))


def trailers(stream, code=0, *more):
    return headers(stream, ("grpc-status", str(code)), *more, end=True)


def trailers_only(stream, code, text, *more):
    return headers(stream, (":status", "200"), ("content-type", "application/grpc"),
                   ("grpc-status", str(code)), ("grpc-message", text), *more, end=True)


def message(stream, body, flag=0, length=None):
    length = len(body) if length is None else length
    return frame(DATA, 0, stream, bytes([flag]) + struct.pack(">I", length) + body)


def details_field(packed):
    return "grpc-status-details-bin", base64.b64encode(packed).rstrip(b"=")


class Raw(threading.Thread):
    """Speaks just enough HTTP/2. Each connection takes the next act of the list, a
    function of a Wire; connections beyond the list end the test's patience and
    are closed."""

    def __init__(self, folder, *acts):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.context.set_alpn_protocols(["h2"])
        self.acts, self.connections = list(acts), 0
        self.start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            act = self.acts.pop(0) if self.acts else None
            if act is None:
                plain.close()
                continue
            threading.Thread(target=self.serve, args=(plain, act), daemon=True).start()

    def serve(self, plain, act):
        if getattr(act, "plain", False):
            act(plain)
            return
        try:
            with self.context.wrap_socket(plain, server_side=True) as tls:
                act(Wire(tls))
        except (OSError, EOFError):
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Wire:
    """The server's end of one connection."""

    def __init__(self, tls):
        self.tls, self.got = tls, b""
        assert self.take(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        self.send(frame(SETTINGS, 0, 0))

    def send(self, data):
        self.tls.sendall(data)

    def take(self, n):
        while len(self.got) < n:
            data = self.tls.recv(65536)
            if not data:
                raise EOFError
            self.got += data
        data, self.got = self.got[:n], self.got[n:]
        return data

    def read(self):
        """(kind, flags, stream, payload) of the next frame of a stream or GOAWAY."""
        while True:
            start = self.take(9)
            kind, flags, stream = struct.unpack(">BBI", start[3:])
            payload = self.take(int.from_bytes(start[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            elif kind not in (SETTINGS, PING, WINDOW_UPDATE):
                return kind, flags, stream, payload

    def request(self):
        """Stream and body of the next whole request."""
        body = b""
        while True:
            kind, flags, stream, payload = self.read()
            if kind == DATA:
                body += payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                return stream, body

    def until_closed(self):
        """The frames that still come."""
        frames = []
        try:
            while True:
                frames.append(self.read())
        except (EOFError, OSError):
            return frames
