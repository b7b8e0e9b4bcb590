#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for analyticsd: listens on ingest.sock, greets, and prints every event as one line of
Extended JSON on standard output.

    ingest_sink.py SOCKET [--state FILE] [--position JSON] [--no-commit] [--stall] [--refuse TEXT]

--state FILE   keeps the position and the newest version of every document there, in one write per
               commit: {"position": …, "forms": {_id: doc}, "responses": {_id: doc}}. It is read again
               at the start, as analyticsd's database is.
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

import bson
from bson import json_util

CANONICAL = json_util.CANONICAL_JSON_OPTIONS


class State:
    def __init__(self, path):
        self.path = path
        self.position = None
        self.docs = {"forms": {}, "responses": {}}
        self.dirty = False
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                saved = json_util.loads(file.read(), json_options=CANONICAL)
            self.position = saved.pop("position")
            self.docs = saved

    def apply(self, event):
        where = "forms" if event["op"].startswith("form") else "responses"
        if event["op"] != "position":
            key = json_util.dumps(event["doc"]["_id"], json_options=CANONICAL)
            if event["op"].endswith("Deleted"):
                self.docs[where].pop(key, None)
            else:
                self.docs[where][key] = event["doc"]
        self.position = event["position"]
        self.dirty = True

    def save(self):
        if not self.path or not self.dirty:
            return
        text = json_util.dumps({"position": self.position, **self.docs}, json_options=CANONICAL)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.path + ".new", self.path)
        self.dirty = False


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
    while True:
        data = peer.recv(262144)
        if not data:
            return
        pending += data
        moved = False
        for event in documents(pending):
            state.apply(event)
            moved = True
            print(json_util.dumps(event, json_options=CANONICAL))
        sys.stdout.flush()
        # One commit for all that has come, as a database would.
        if moved and not args.no_commit and not select.select([peer], [], [], 0)[0]:
            state.save()
            peer.sendall(bson.encode({"committed": state.position}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket")
    parser.add_argument("--state")
    parser.add_argument("--position")
    parser.add_argument("--no-commit", action="store_true")
    parser.add_argument("--stall", action="store_true")
    parser.add_argument("--refuse")
    args = parser.parse_args()

    state = State(args.state)
    if args.position:
        state.position = json_util.loads(args.position, json_options=CANONICAL)
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
        if args.no_commit and not args.state:
            state.position = None


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
