#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for analyticsd: listens on ingest.sock, greets, and prints every event as one line of
Extended JSON on standard output.

    ingest_sink.py SOCKET [--state FILE] [--position JSON] [--no-commit] [--stall] [--refuse TEXT]
    ingest_sink.py --dump FILE

--state FILE   a journal: the events of each commit, and behind them {"commit": position}. It is read
               again at the start, as analyticsd's database is; what no commit follows does not count.
--dump FILE    prints, instead of listening, what a journal comes to: one line per document,
               {"forms" or "responses": doc}, ordered by _id; the newest version of each.
--position     greets with this position (Extended JSON) instead.
--no-commit    takes everything and commits nothing.
--stall        reads nothing until it gets SIGUSR1.
--refuse TEXT  answers every connection with {error: TEXT}.
"listening" on standard error says that it is ready; "connected" that ingestd is there.
"""
import argparse
import os
import select
import signal
import socket
import struct
import sys
import time

import bson
from bson import json_util

CANONICAL = json_util.CANONICAL_JSON_OPTIONS


def dumps(value):
    return json_util.dumps(value, json_options=CANONICAL)


class State:
    """The journal, its events that are not committed yet, and the position behind the last commit."""

    def __init__(self, path):
        self.path = path
        self.base = None
        end = 0
        if path and os.path.exists(path):
            for self.base, _, end in committed(path):
                pass
            os.truncate(path, end)
        self.forget()

    def forget(self):
        """What was not committed is lost, as in a database."""
        self.position = self.base
        self.waiting = []

    def apply(self, event):
        self.waiting.append(event)
        self.position = event["position"]

    def save(self):
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                lines = [dumps(event) for event in self.waiting]
                file.write("\n".join(lines + [dumps({"commit": self.position})]) + "\n")
        self.waiting = []
        self.base = self.position


def committed(path):
    """(position, events, where it ends in the file) of each whole commit."""
    events, end = [], 0
    with open(path, "rb") as file:
        for raw in file:
            line, end = raw.decode("utf-8"), end + len(raw)
            if not line.endswith("\n"):
                return
            event = json_util.loads(line, json_options=CANONICAL)
            if "commit" in event:
                yield event["commit"], events, end
                events = []
            else:
                events.append(event)


def dump(path):
    found = {"forms": {}, "responses": {}}
    for _, events, _ in committed(path):
        for event in events:
            if event["op"] == "rebuild":
                found = {"forms": {}, "responses": {}}
            if event["op"] in ("rebuild", "rebuilt", "position"):
                continue
            where = found["forms" if event["op"].startswith("form") else "responses"]
            if event["op"].endswith("Deleted"):
                where.pop(dumps(event["doc"]["_id"]), None)
            else:
                where[dumps(event["doc"]["_id"])] = event["doc"]
    for name, where in found.items():
        for key in sorted(where):
            print(dumps({name: where[key]}))


def documents(pending):
    """Cuts whole documents off the front of a bytearray."""
    while len(pending) >= 4:
        length = struct.unpack_from("<i", pending)[0]
        if length < 5 or length > 48_000_000:
            sys.exit(f"a document of {length} bytes")
        if len(pending) < length:
            return
        raw = bytes(pending[:length])
        del pending[:length]
        yield bson.decode(raw, codec_options=OPTIONS)


OPTIONS = bson.codec_options.CodecOptions(
    document_class=bson.SON, tz_aware=True, unicode_decode_error_handler="replace",
    datetime_conversion="datetime_auto") if hasattr(bson, "DatetimeConversion") else \
    bson.codec_options.CodecOptions(
        document_class=bson.SON, tz_aware=True, unicode_decode_error_handler="replace")


def serve(peer, state, args):
    pending = bytearray()
    moved, committed_at = False, 0.0
    while True:
        data = peer.recv(262144)
        if not data:
            return
        pending += data
        for event in documents(pending):
            state.apply(event)
            moved = True
            print(dumps(event))
        sys.stdout.flush()
        # One commit for all that has come in a while, as a database would.
        idle = not select.select([peer], [], [], 0)[0]
        if moved and not args.no_commit and (idle or time.monotonic() - committed_at > 0.1):
            state.save()
            peer.sendall(bson.encode({"committed": state.position}))
            moved, committed_at = False, time.monotonic()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket", nargs="?")
    parser.add_argument("--dump")
    parser.add_argument("--state")
    parser.add_argument("--position")
    parser.add_argument("--no-commit", action="store_true")
    parser.add_argument("--stall", action="store_true")
    parser.add_argument("--refuse")
    args = parser.parse_args()

    if args.dump:
        dump(args.dump)
        return
    state = State(args.state)
    if args.position:
        state.base = json_util.loads(args.position, json_options=CANONICAL)
        state.forget()
    if args.stall:
        signal.signal(signal.SIGUSR1, lambda *_: None)
    if os.path.exists(args.socket):
        os.unlink(args.socket)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(args.socket)
    listener.listen(8)
    print("listening", file=sys.stderr, flush=True)
    while True:
        peer, _ = listener.accept()
        print("connected", file=sys.stderr, flush=True)
        try:
            if args.refuse:
                peer.sendall(bson.encode({"error": args.refuse}))
            else:
                peer.sendall(bson.encode({"hello": 1, "position": state.position}))
                if args.stall:
                    signal.pause()
                    args.stall = False
                serve(peer, state, args)
        except (BrokenPipeError, ConnectionResetError):
            pass
        peer.close()
        print("disconnected", file=sys.stderr, flush=True)
        state.forget()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
