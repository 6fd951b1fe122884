"""Talking to a server: stock grpcio by the descriptors, or libisms through a driver
process. Both give the same answer: a code, a reason and a message."""

import base64
import pathlib
import subprocess
import sys
import threading

import grpc
from google.protobuf import json_format

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from api import SCHEMA, Failure  # noqa: E402

UNKNOWN = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"}
CODES = [c.name for c in sorted(grpc.StatusCode, key=lambda c: c.value[0])]
KINDS = {"Risk": "risk", "TreatmentPlan": "treatment_plan", "Acceptance": "risk_acceptance",
         "ApprovalRequest": "approval_request", "RoleGrant": "role_grant",
         "Delegation": "delegation"}
OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100),
           # also how long one attempt to connect may take
           ("grpc.min_reconnect_backoff_ms", 3000), ("grpc.max_reconnect_backoff_ms", 500),
           ("grpc.max_receive_message_length", 8 << 20))


class Answer:
    """What came of a call. code "OK" with a message, or a code with a reason."""

    def __init__(self, code, reason="", message=None, text="", facts=None):
        self.code, self.reason, self.message, self.text = code, reason, message, text
        self.facts = facts or {}

    @property
    def ok(self):
        return self.code == "OK"

    @property
    def unknown(self):
        """It may have happened, or may yet happen."""
        return self.code in UNKNOWN or self.code == "INTERNAL"


def request(rpc, values, key=None):
    method = SCHEMA.methods[rpc]
    message = SCHEMA.message(method.input_type.full_name)()
    json_format.ParseDict(values, message)
    if key:
        message.mutation.request_id = key
    return message


class Stock:
    """grpcio, one connection to one server."""

    def __init__(self, address, ca):
        self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(ca),
                                           options=OPTIONS)
        self.stubs = {}

    def call(self, rpc, message, token, timeout):
        stub = self.stubs.get(rpc)
        if stub is None:
            reply = SCHEMA.message(SCHEMA.methods[rpc].output_type.full_name)
            stub = self.stubs[rpc] = self.channel.unary_unary(
                "/isms.v1." + rpc, request_serializer=lambda m: m.SerializeToString(),
                response_deserializer=reply.FromString)
        try:
            reply = stub(message, timeout=timeout,
                         metadata=(("authorization", "Bearer " + token),))
            return Answer("OK", message=reply)
        except grpc.RpcError as error:
            failure = Failure(error)
            return Answer(failure.code, failure.reason, text=failure.message,
                          facts=failure.facts)

    def stream(self, rpc, message, token):
        reply = SCHEMA.message(SCHEMA.methods[rpc].output_type.full_name)
        return self.channel.unary_stream(
            "/isms.v1." + rpc, request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=reply.FromString)(
                message, metadata=(("authorization", "Bearer " + token),))

    def close(self):
        self.channel.close()


class Sdk:
    """libisms, in a process of its own; see driver.c."""

    def __init__(self, program, address, ca_file):
        self.process = subprocess.Popen([program, address, ca_file], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def call(self, rpc, message, token, timeout):
        body = base64.b64encode(message.SerializeToString()).decode() or "-"
        with self.lock:
            self.process.stdin.write(f"/isms.v1.{rpc} {token} {int(timeout * 1000)} {body}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the driver of libisms ended")
        code, reason, version, body = line.split()
        if code != "0":
            name = CODES[int(code)] if 0 <= int(code) < len(CODES) else "UNKNOWN"
            facts = {} if version == "-" else {"current_version": version}
            return Answer(name, "" if reason == "-" else reason, facts=facts)
        reply = SCHEMA.message(SCHEMA.methods[rpc].output_type.full_name)
        return Answer("OK", message=reply.FromString(
            b"" if body == "-" else base64.b64decode(body)))

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def entities(message, found=None):
    """[kind, id, version, state] of every governed object in a reply."""
    found = [] if found is None else found
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for part in value if field.label == field.LABEL_REPEATED else (value,):
            kind = KINDS.get(part.DESCRIPTOR.name)
            if kind and part.HasField("meta"):
                found.append([kind, part.meta.id, part.meta.version,
                              getattr(part, "state", 0)])
            elif not kind:
                entities(part, found)
    return found
