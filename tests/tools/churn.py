#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""churn.py PORT: clients that join and leave wsfand, round after round.

Each round opens --rooms connections, every one to a room of its own, reads the welcome of each and
leaves. With --kinds they leave in every way there is: an orderly close, end of stream, RST, a broken frame,
half a frame, in the midst of the handshake, and after a refusal."""
import argparse
import sys

import ws


def leave(client, kind):
    if kind == 0:
        client.send_close(1000)
        try:
            client.message(5)
        except ws.Ended:
            pass
    elif kind == 1:
        client.reset()
        return
    elif kind == 2:
        client.send(3, b"reserved")
    elif kind == 3:
        client.send_bytes(b"\x81\xfe\x01")
    client.close()


def half_handshake(port, refused):
    client = ws.Client("127.0.0.1", port)
    client.send_bytes(b"GET /ws/forms/zz HTTP/1.1\r\nHost: a\r\n" + (b"\r\n" if refused else b""))
    client.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--kinds", action="store_true")
    options = parser.parse_args()
    for number in range(options.rounds):
        clients = []
        for room in range(options.rooms):
            if options.kinds and room % 7 > 4:
                half_handshake(options.port, room % 7 == 5)
                continue
            clients.append(ws.connect(options.port, "/ws/forms/%024x" % (number << 32 | room)))
        for client in clients:
            client.json(10)
        for index, client in enumerate(clients):
            leave(client, index % 5 if options.kinds else 4)


if __name__ == "__main__":
    sys.exit(main())
