#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for ingestd: feeds documents into ingest.sock as events, resuming as ingestd does from the position of
the hello, over as many connections as it takes.

    ingest_feed.py SOCKET DOCUMENTS [--delete P --seed N --final FILE] [--rate R] [--stay] [--at]

DOCUMENTS: Extended JSON, one form or response a line, in the order in which they come; a later one of the same _id
replaces the earlier. A line {"op": …} is an event as it is. The n-th event has the position {n: n}.
--delete P     after each event, with this probability, some document that is there is deleted
--final FILE   writes what is left in the end, for batch.py
--rate R       events a second
--stay         stays connected when all is committed, until TERM
--at           events tell the time at which they are sent
On standard output: "hello N", "committed N", "error TEXT", "disconnected", "done". It ends with 0 when the last
event is committed, with 1 when it was refused."""
import argparse
import datetime
import random
import select
import socket
import struct
import sys
import time

import bson
from bson import json_util

OPTIONS = json_util.JSONOptions(tz_aware=True, tzinfo=datetime.timezone.utc)


def say(*words):
    print(*words, flush=True)


def kind_of(document):
    return "form" if "fields" in document and "formId" not in document else "response"


def make_events(options):
    """The events, and the documents that are left: {(kind, id as text): line}."""
    dice = random.Random(options.seed)
    events, left = [], {}
    for line in open(options.documents, encoding="utf-8"):
        if not line.strip():
            continue
        document = json_util.loads(line, json_options=OPTIONS)
        if "op" in document:
            events.append(document)
            continue
        kind, key = kind_of(document), json_util.dumps(document.get("_id"))
        events.append({"op": kind, "doc": document})
        left[kind, key] = (document.get("_id"), line)
        if left and dice.random() < options.delete:
            victim = dice.choice(list(left))
            if victim[0] == "response":
                gone, _ = left.pop(victim)
                events.append({"op": "responseDeleted", "doc": {"_id": gone}})
    return events, left


class Feed:
    def __init__(self, events, options):
        self.events, self.options = events, options
        self.committed = 0

    def connect(self):
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(self.options.socket)
                return sock
            except OSError:
                sock.close()
                time.sleep(0.03)

    def encode(self, n):
        event = dict(self.events[n - 1])
        event["position"] = {"n": n}
        if self.options.at:
            event["at"] = datetime.datetime.now(datetime.timezone.utc)
        return bson.encode(event)

    def take(self, document):
        if "error" in document:
            say("error", document["error"])
            sys.exit(1)
        if "hello" in document:
            position = document["position"]
            self.next = (position["n"] if position else 0) + 1
            self.committed = max(self.committed, self.next - 1)
            say("hello", self.next - 1)
        if "committed" in document:
            self.committed = (document["committed"] or {"n": 0})["n"]
            say("committed", self.committed)

    def read(self, sock):
        data = sock.recv(65536)
        if not data:
            raise ConnectionResetError
        self.input += data
        while len(self.input) >= 4:
            (length,) = struct.unpack("<i", self.input[:4])
            if len(self.input) < length:
                return
            self.take(bson.decode(self.input[:length]))
            self.input = self.input[length:]

    def fill(self):
        """The next events, as many as may go now."""
        rate, batch = self.options.rate, b""
        until = len(self.events) + 1
        if rate:
            if self.start is None:
                self.start = (time.monotonic(), self.next)
            until = min(until, self.start[1] + int((time.monotonic() - self.start[0]) * rate) + 1)
        while self.next < until and len(batch) < 65536:
            batch += self.encode(self.next)
            self.next += 1
        return batch

    def run_connection(self, sock):
        self.input, self.next, self.start, output = b"", None, None, b""
        while self.committed < len(self.events) or self.options.stay:
            if not output and self.next is not None:
                output = self.fill()
            readable, writable, _ = select.select([sock], [sock] if output else [], [], 0.01)
            if readable:
                self.read(sock)
            if writable:
                output = output[sock.send(output):]
            if self.next is not None and self.committed >= len(self.events) and self.options.stay:
                self.options.stay = self.stay(sock)

    def stay(self, sock):
        say("done")
        while True:
            self.read(sock)

    def run(self):
        while self.committed < len(self.events):
            sock = self.connect()
            try:
                self.run_connection(sock)
            except OSError:
                say("disconnected")
            sock.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("socket")
    parser.add_argument("documents")
    parser.add_argument("--delete", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--final")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--stay", action="store_true")
    parser.add_argument("--at", action="store_true")
    options = parser.parse_args()
    events, left = make_events(options)
    if options.final:
        with open(options.final, "w", encoding="utf-8") as file:
            file.writelines(line for _, line in left.values())
    Feed(events, options).run()
    say("done")


if __name__ == "__main__":
    main()
