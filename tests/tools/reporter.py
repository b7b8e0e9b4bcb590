#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A daemon as statsd sees it: lines of JSON on standard input go as frames to stats.sock (argument 1).

The last line of type "report" is sent again every 0.5 s until standard input ends; then it leaves. What statsd
asks comes as lines on standard output. It ends with 3 when statsd closes the connection. `connected` on standard error says that it is.
"""
import json
import select
import socket
import struct
import sys

INTERVAL = 0.5


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


def show(asked):
    """The whole frames as lines; what is left."""
    while len(asked) >= 4 and len(asked) >= 4 + struct.unpack(">I", asked[:4])[0]:
        end = 4 + struct.unpack(">I", asked[:4])[0]
        print(asked[4:end].decode(), flush=True)
        asked = asked[end:]
    return asked


def main():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    print("connected", file=sys.stderr, flush=True)
    lines, waiting, report, asked = sys.stdin.buffer.raw, b"", None, b""
    while True:
        ready, _, _ = select.select([lines, connection], [], [], INTERVAL)
        if connection in ready:
            got = connection.recv(4096)
            if not got:
                return 3
            asked = show(asked + got)
        if lines in ready:
            got = lines.read(65536)
            if not got:
                return 0
            *whole, waiting = (waiting + got).split(b"\n")
            for line in whole:
                connection.sendall(frame(line))
                if json.loads(line).get("type") == "report":
                    report = line
        elif not ready and report:
            connection.sendall(frame(report))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(3)
