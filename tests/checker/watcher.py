"""Hears of every change through WatchService, as somebody who follows the register
would, and resumes by cursor whenever the stream ends."""

import threading
import time

import grpc

from model import Violation
from wire import SCHEMA, Stock, request

HEARD = ("risk", "treatment_plan", "risk_acceptance", "approval_request")
AVAILABLE = "WatchService/Watch" in SCHEMA.methods


class Watcher(threading.Thread):
    def __init__(self, number, addresses, ca, token):
        super().__init__(name=f"watcher-{number}", daemon=True)
        self.addresses, self.ca, self.token, self.at = addresses, ca, token, number
        self.cursor, self.heard, self.streams = "", [], 0
        self.halt, self.started, self.problem = threading.Event(), threading.Event(), None
        self.stream = None

    def run(self):
        try:
            while not self.halt.is_set():
                self.follow()
        except BaseException as error:  # told by the run
            self.problem = error

    def follow(self):
        """One stream, until it ends."""
        self.at += 1
        self.streams += 1
        link = Stock(self.addresses[self.at % len(self.addresses)], self.ca)
        try:
            self.stream = link.stream("WatchService/Watch", request(
                "WatchService/Watch", {"cursor": self.cursor, "kinds": list(HEARD)}), self.token)
            for message in self.stream:
                if message.HasField("event"):
                    self.heard.append(message.event.id)
                self.cursor = message.cursor
                self.started.set()
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL):
                raise
            self.halt.wait(0.2)
        finally:
            link.close()

    def finish(self, expected, wait=60):
        """Waits until all of it was heard, or does not come."""
        until, missing = time.monotonic() + wait, set(expected)
        while missing and time.monotonic() < until and not self.problem:
            time.sleep(0.1)
            missing -= set(self.heard)
        self.halt.set()
        if self.stream is not None:
            self.stream.cancel()
        self.join(10)


def check(heard, expected, announced, who):
    """heard: ids in the order in which they came; expected: those that had to come;
    announced: all there are, in their order."""
    found, seen = [], set(heard)
    if len(seen) != len(heard):
        found.append(Violation("WATCH", f"{who} heard {len(heard) - len(seen)} events twice"))
    missed = [e for e in expected if e not in seen]
    if missed:
        last = max((i for i, e in enumerate(expected) if e in seen), default=-1)
        gaps = sum(1 for i, e in enumerate(expected[:last]) if e not in seen)
        found.append(Violation("WATCH", f"{who} missed {len(missed)} of {len(expected)} events, "
                               f"{gaps} of them before others that it heard"))
    if seen - set(announced):
        found.append(Violation("WATCH", f"{who} heard of {len(seen - set(announced))} events that "
                               "are not there"))
    place = {e: i for i, e in enumerate(announced)}
    order = [place[e] for e in heard if e in place]
    if order != sorted(order):
        found.append(Violation("WATCH", f"{who} heard events in another order"))
    return found
