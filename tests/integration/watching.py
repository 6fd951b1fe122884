"""Streams of WatchService/Watch, read by a thread each, and announcements written
past the server, in transactions that end when a test says so."""

import threading
import time
import uuid

import grpc
from api import SCHEMA, Failure, fill

REQUEST = SCHEMA.message("isms.v1.WatchRequest")
RESPONSE = SCHEMA.message("isms.v1.WatchResponse")
PATH = "/isms.v1.WatchService/Watch"


def parse(data):
    return RESPONSE.FromString(data)


class Stream:
    """One stream. Its messages are kept in the order in which they came."""

    def __init__(self, api, timeout=None, read=True, **request):
        stub = api.channel.unary_stream(PATH, request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=parse)
        self.call = stub(fill(REQUEST(), request), timeout=timeout, metadata=api.metadata())
        self.messages, self.failure = [], None
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        if read:
            self.start()

    def start(self):
        self.thread.start()
        return self

    def _read(self):
        failure = None
        try:
            for message in self.call:
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
        except grpc.RpcError as error:
            failure = Failure(error)
        with self.changed:
            self.failure = failure or Failure(self.call)
            self.changed.notify_all()

    def __enter__(self):
        self.opened()
        return self

    def __exit__(self, *_):
        self.call.cancel()
        self.thread.join(10)

    def until(self, what, wait=30):
        """Waits until what(self); the messages so far are shown when it is in vain."""
        deadline = time.monotonic() + wait
        with self.changed:
            while not what(self):
                left = deadline - time.monotonic()
                assert left > 0, f"{self.failure} {self.events}"
                self.changed.wait(left)
        return self

    def opened(self, wait=30):
        self.until(lambda s: s.messages or s.failure, wait)
        if self.failure:
            raise self.failure
        return self

    def ended(self, wait=30):
        return self.until(lambda s: s.failure, wait).failure

    @property
    def events(self):
        return [m.event for m in self.messages if m.HasField("event")]

    @property
    def ids(self):
        return [e.id for e in self.events]

    @property
    def cursor(self):
        return self.messages[-1].cursor

    def about(self, entity_id):
        return [e for e in self.events if e.entity_id == entity_id]

    def hears(self, entity_id, wait=30):
        self.until(lambda s: s.about(entity_id), wait)
        return self.about(entity_id)


class Writer:
    """Writes announcements as if an API call had, in transactions of its own."""

    def __init__(self, server, code="example"):
        self.db = server.database()
        self.org, = self.db.execute("SELECT org_id FROM organisation WHERE code = %s",
                                    (code,)).fetchone()
        self.audit = uuid.uuid4()
        self.db.execute(
            "INSERT INTO audit_event (org_id, id, at, actor_name, event)"
            " VALUES (%s, %s, now(), 'writer', '')", (self.org, self.audit))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.close()

    def begin(self):
        self.db.execute("BEGIN")
        return self

    def commit(self):
        self.db.execute("COMMIT")

    def rollback(self):
        self.db.execute("ROLLBACK")

    def write(self, n=1, scope=None, kind="risk", topic="Test/Write"):
        """Ids of n announcements, in the order of their writing."""
        rows = self.db.execute(
            "INSERT INTO outbox (org_id, id, topic, entity_kind, entity_id, entity_version,"
            " scope_id, entity_ref, audit_event_id)"
            " SELECT %s, gen_random_uuid(), %s, %s, gen_random_uuid(), i, %s, 'RSK-' || i, %s"
            " FROM generate_series(1, %s) i RETURNING id, seq",
            (self.org, topic, kind, scope, self.audit, n)).fetchall()
        return [str(i) for i, seq in sorted(rows, key=lambda row: row[1])]


def in_order(server, ids):
    """Those ids of the log, in its order."""
    with server.database() as db:
        rows = db.execute("SELECT id FROM outbox WHERE id = ANY (%s) ORDER BY tx, seq",
                          (list(ids),)).fetchall()
    return [str(i) for i, in rows]
