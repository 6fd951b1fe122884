"""A process with many watchers, for test_watch_storm.py; stock grpcio.

The first line of standard input says whom to be (JSON). Then each line is a command:
"reconnect" ends every stream and resumes it, a JSON object says how many events each
watcher is to have in the end. What each has heard goes to the file that the first line
names, once all have that many, and a little later, or when nobody hears anything for long."""

import asyncio
import json
import pathlib
import sys
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from api import fill  # noqa: E402
from watching import PATH, REQUEST, parse  # noqa: E402

AGAIN = 0.05
GRACE = 2


class Watcher:
    def __init__(self, who, channel):
        self.who, self.channel = who, channel
        self.cursor, self.ids, self.out_of_order = "", [], 0
        self.opened, self.ends, self.call = 0, {}, None

    def request(self):
        values = {k: self.who[k] for k in ("scope_id", "kinds") if k in self.who}
        return fill(REQUEST(), {**values, "cursor": self.cursor})

    async def listen(self):
        stub = self.channel.unary_stream(
            PATH, request_serializer=lambda m: m.SerializeToString(), response_deserializer=parse)
        self.call = stub(self.request(),
                         metadata=(("authorization", "Bearer " + self.who["token"]),))
        first = True
        async for message in self.call:
            self.opened += first
            first = False
            if message.HasField("event"):
                self.ids.append(message.event.id)
                # of one writing, hence in the order of places
                self.out_of_order += message.cursor <= self.cursor
            self.cursor = message.cursor

    async def run(self):
        while True:
            try:
                await self.listen()
                end = "OK"
            except grpc.aio.AioRpcError as error:
                end = error.code().name
            except asyncio.CancelledError:
                if not self.call.cancelled():
                    raise
                end = "CANCELLED"
            self.ends[end] = self.ends.get(end, 0) + 1
            await asyncio.sleep(AGAIN)


async def commands():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main():
    reader = await commands()
    reader._limit = 1 << 22
    spec = json.loads(await reader.readline())
    credentials = grpc.ssl_channel_credentials(pathlib.Path(spec["ca"]).read_bytes())
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 500),
               ("grpc.initial_reconnect_backoff_ms", 100))
    channels = [grpc.aio.secure_channel(spec["address"], credentials, options=options)
                for _ in range(spec["channels"])]
    watchers = [Watcher(who, channels[i % len(channels)])
                for i, who in enumerate(spec["watchers"])]
    tasks = [asyncio.create_task(w.run()) for w in watchers]
    while not all(w.opened for w in watchers):
        await asyncio.sleep(0.05)
    print("open", flush=True)
    expected = None
    while expected is None:
        line = (await reader.readline()).decode().strip()
        if line == "reconnect":
            for w in watchers:
                w.call.cancel()
        else:
            expected = json.loads(line)
    heard, heard_at = 0, time.monotonic()
    while time.monotonic() < heard_at + spec["wait"] and any(
            len(w.ids) < n for w, n in zip(watchers, expected)):
        await asyncio.sleep(0.1)
        if sum(len(w.ids) for w in watchers) > heard:
            heard, heard_at = sum(len(w.ids) for w in watchers), time.monotonic()
    await asyncio.sleep(GRACE)
    for task in tasks:
        task.cancel()
    result = [{"ids": w.ids, "out_of_order": w.out_of_order, "opened": w.opened,
               "ends": w.ends} for w in watchers]
    pathlib.Path(spec["out"]).write_text(json.dumps(result))
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
