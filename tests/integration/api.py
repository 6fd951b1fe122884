"""A gRPC client from the descriptors alone: stock grpcio and protobuf, nothing of
ours. Every method is reached by name, every message by its descriptor."""

import hashlib
import pathlib
import subprocess
import sys
import uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
RETRY = "type.googleapis.com/google.rpc.RetryInfo"
RULES = "isms.v1.rules"


def _descriptor_set():
    files = sorted(
        str(p.relative_to(ROOT / "proto"))
        for p in (ROOT / "proto").rglob("*.proto")
        if "store" not in p.parts
    )
    out = subprocess.run(
        ["protoc", f"-I{ROOT / 'proto'}", "-I/usr/include", "--include_imports",
         "--descriptor_set_out=/dev/stdout", *files],
        check=True, stdout=subprocess.PIPE).stdout
    return descriptor_pb2.FileDescriptorSet.FromString(out)


class Schema:
    """The API's descriptors and message classes."""

    def __init__(self):
        self.files = _descriptor_set()
        self.pool = descriptor_pool.DescriptorPool()
        for f in self.files.file:
            self.pool.Add(f)
        self.factory = message_factory.MessageFactory(self.pool)
        self.methods = {}
        for f in self.files.file:
            if f.package != "isms.v1":
                continue
            for s in f.service:
                service = self.pool.FindServiceByName(f"{f.package}.{s.name}")
                for m in service.methods:
                    self.methods[f"{s.name}/{m.name}"] = m
        self.rules_field = self.pool.FindExtensionByName(RULES)
        self.factory.GetPrototype(self.rules_field.message_type)
        for f in self.files.file:
            self.factory.GetMessages([f.name])

    def message(self, full_name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(full_name))

    def rules(self, field):
        """FieldRules of a field."""
        options = field.GetOptions()
        # read with the pool that knows the extension
        cls = self.message("google.protobuf.FieldOptions")
        own = cls.FromString(options.SerializeToString())
        return own.Extensions[self.rules_field]


SCHEMA = Schema()


class Failure(Exception):
    """A call that did not end with OK, with its details taken apart."""

    def __init__(self, error):
        self.code = error.code().name
        self.message = error.details() or ""
        self.reason, self.facts, self.fields, self.retry = "", {}, {}, None
        self.raw = b""
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self.raw = value
                self._read(value)
        super().__init__(f"{self.code} {self.reason} {self.message} {self.fields} {self.facts}")

    def _read(self, value):
        status = SCHEMA.message("google.rpc.Status").FromString(value)
        for detail in status.details:
            if detail.type_url == INFO:
                info = SCHEMA.message("google.rpc.ErrorInfo").FromString(detail.value)
                self.reason, self.facts = info.reason, dict(info.metadata)
            elif detail.type_url == BAD_REQUEST:
                bad = SCHEMA.message("google.rpc.BadRequest").FromString(detail.value)
                self.fields = {v.field: v.description for v in bad.field_violations}
            elif detail.type_url == RETRY:
                retry = SCHEMA.message("google.rpc.RetryInfo").FromString(detail.value)
                self.retry = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9


def fill(message, values):
    json_format.ParseDict(values, message)
    return message


class Api:
    """Calls with one token over one channel."""

    def __init__(self, channel, token=None):
        self.channel, self.token = channel, token

    def metadata(self):
        return (("authorization", "Bearer " + self.token),) if self.token else ()

    def stub(self, name):
        method = SCHEMA.methods[name]
        reply = SCHEMA.message(method.output_type.full_name)
        return self.channel.unary_unary(
            "/isms.v1." + name, request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=reply.FromString)

    def request(self, name, values=None, /, **fields):
        """The request message; a mutation gets a request_id unless it has one."""
        method = SCHEMA.methods[name]
        message = SCHEMA.message(method.input_type.full_name)()
        values = {**(values or {}), **fields}
        if "mutation" in method.input_type.fields_by_name:
            values["mutation"] = {"request_id": str(uuid.uuid4()), **values.get("mutation", {})}
        return fill(message, values)

    def call(self, name, values=None, /, timeout=20, **fields):
        return self.send(name, self.request(name, values, **fields), timeout)

    def send(self, name, message, timeout=20):
        try:
            return self.stub(name)(message, timeout=timeout, metadata=self.metadata())
        except grpc.RpcError as error:
            raise Failure(error) from None

    def fails(self, name, values=None, /, timeout=20, **fields):
        """The Failure of a call that must not succeed."""
        try:
            reply = self.call(name, values, timeout=timeout, **fields)
        except Failure as failure:
            return failure
        raise AssertionError(f"{name} succeeded: {reply}")

    def future(self, name, message, timeout=20):
        return self.stub(name).future(message, timeout=timeout, metadata=self.metadata())


def decision_digest(snapshot):
    return hashlib.sha256(b"isms/decision/v1\0" + snapshot).digest()


def b64(data):
    import base64
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    for name in sorted(SCHEMA.methods):
        print(name)
    sys.exit(0)
