#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for wsfand and holds what analyticsd sends against a batch computation (batch.py).

    frames_check.py SOCKET DOCUMENTS [--timeout S] [--timezone NAME]

Listens on SOCKET, opens the room of every form of the documents, and waits until the newest analytics:update of each
is as computed: exit 0; else the differences, exit 1."""
import argparse
import json
import os
import socket
import struct
import sys
import time
import zoneinfo

import batch


def frames(conn, deadline):
    kept = b""
    while True:
        while len(kept) >= 4:
            (length,) = struct.unpack(">I", kept[:4])
            if len(kept) < 4 + length:
                break
            yield json.loads(kept[4:4 + length])
            kept = kept[4 + length:]
        conn.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = conn.recv(1 << 20)
        except TimeoutError:
            return
        if not data:
            return
        kept += data


def open_rooms(conn, ids):
    for form in ids:
        text = json.dumps({"type": "room:opened", "formId": form, "viewers": 1}).encode()
        conn.sendall(struct.pack(">I", len(text)) + text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("socket")
    parser.add_argument("documents")
    parser.add_argument("--timeout", type=float, default=20)
    parser.add_argument("--timezone", default="UTC")
    options = parser.parse_args()
    forms, responses = batch.read_documents(options.documents)
    wanted = batch.all_numbers(forms, responses, zoneinfo.ZoneInfo(options.timezone))
    if os.path.exists(options.socket):
        os.unlink(options.socket)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(options.socket)
    listener.listen(1)
    listener.settimeout(options.timeout)
    print("listening", file=sys.stderr, flush=True)
    conn, _ = listener.accept()
    deadline = time.monotonic() + options.timeout
    left = {form: ["nothing came"] for form in wanted}
    open_rooms(conn, wanted)
    for frame in frames(conn, deadline):
        if frame["type"] == "analytics:update":
            form = frame["formId"]
            left[form] = batch.compare(wanted[form], frame["data"])
            if not left[form]:
                del left[form]
            if not left:
                print("%d forms: all as computed" % len(wanted))
                return 0
    for form, found in sorted(left.items())[:5]:
        print("form %s (%d responses):" % (form, wanted[form]["totalResponses"]))
        print("\n".join("    " + line for line in found[:10]))
    print("%d of %d forms differ" % (len(left), len(wanted)))
    return 1


if __name__ == "__main__":
    sys.exit(main())
