#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""permessage-deflate (RFC 7692) as clients see it: what was agreed on, and messages that are good and the same for all.

    deflate.py offers PORT              every offer gets its answer
    deflate.py room PORT FRAMES         clients of all kinds in one room get the same messages
    deflate.py slow PORT FRAMES         a client that is behind: states replaced, events whole, all of it good

FRAMES is the frames socket.
"""

import json
import random
import socket
import struct
import sys
import time
import zlib

import ws

FORM = "60f7b1b9e1234567890abcde"
PATH = "/ws/forms/" + FORM
OURS = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def connect(port, offer=None, **options):
    client = ws.Client("127.0.0.1", port, **options)
    headers = [("Sec-WebSocket-Extensions", one) for one in ([offer] if isinstance(offer, str) else offer or [])]
    client.extension = client.upgrade(PATH, headers).get("sec-websocket-extensions")
    client.packed = client.plain = 0
    return client


def read(client, window=15, timeout=10.0):
    """The next message, inflated by a window of so many bits; each by itself."""
    frame = client.frame(time.monotonic() + timeout)
    assert frame.fin and frame.opcode == ws.TEXT, (frame.opcode, frame.payload[:50])
    assert frame.rsv in (0, 4), frame.rsv
    if frame.rsv == 0:
        client.plain += 1
        return frame.payload
    assert client.extension
    client.packed += 1
    stream = zlib.decompressobj(-window)
    data = stream.decompress(frame.payload + b"\0\0\xff\xff")
    assert not stream.unconsumed_tail and not stream.unused_data
    assert len(frame.payload) < len(data)
    return data


def producer(path):
    out = socket.socket(socket.AF_UNIX)
    out.connect(path)
    return out


def publish(out, *messages):
    out.sendall(b"".join(struct.pack(">I", len(one)) + one for one in messages))


def message(number, size, kind="test:event", noise=False):
    words = "".join(random.choice("0123456789abcdef") for _ in range(size)) if noise else "form response " * (size // 14)
    return json.dumps({"type": kind, "formId": FORM, "data": {"n": number, "text": words}}).encode()


def offers(port):
    for offer, want in (
            (None, None),
            ("permessage-deflate", OURS),
            ("permessage-deflate; client_max_window_bits", OURS),
            ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", OURS),
            ("permessage-deflate; server_max_window_bits=10", OURS + "; server_max_window_bits=10"),
            ("permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
             OURS + "; server_max_window_bits=8"),
            ("permessage-deflate; server_max_window_bits=7", None),
            ("permessage-deflate; server_max_window_bits", None),
            ("permessage-deflate; unknown", None),
            ("permessage-deflate; client_no_context_takeover=1", None),
            ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", None),
            ("permessage-deflate; unknown, permessage-deflate", OURS),
            ("permessage-deflate; server_max_window_bits=11, permessage-deflate", OURS + "; server_max_window_bits=11"),
            (["x-other; a=b", "permessage-deflate"], OURS),
            ("x-webkit-deflate-frame", None)):
        client = connect(port, offer)
        assert client.extension == want, (offer, client.extension)
        assert json.loads(read(client))["type"] == "connection:status"
        client.close()
    for offer in (";", "permessage-deflate;", "permessage-deflate; server_max_window_bits=", "@"):
        try:
            connect(port, offer)
        except ws.Refused as error:
            assert error.status == 400, error.status
        else:
            raise AssertionError(offer)


def room(port, frames):
    windows = [15, 15, 15, 8, 9, 12]
    clients = [connect(port, "permessage-deflate" + ("" if n == 15 else "; server_max_window_bits=%d" % n)) for n in windows]
    clients += [connect(port), connect(port)]
    windows += [15, 15]
    for client in clients:
        while json.loads(read(client))["type"] != "connection:status":
            pass
    out = producer(frames)
    sent = [message(n, size) for n, size in enumerate((0, 10, 300, 2000, 60000, 200000))]
    sent += [message(n, 1500, noise=True) for n in range(3)] + [message(7, 40)]
    # Each alone, then all in one turn, which are joined.
    for one in sent:
        publish(out, one)
        for client, window in zip(clients, windows):
            got = read(client, window)
            while b"connection:status" in got:
                got = read(client, window)
            assert got == one, (got[:60], one[:60])
    for _ in range(20):
        batch = [message(n, random.choice((0, 100, 500, 3000)), noise=random.random() < 0.3) for n in range(30)]
        publish(out, *batch)
        for client, window in zip(clients, windows):
            for one in batch:
                got = read(client, window)
                while b"connection:status" in got:
                    got = read(client, window)
                assert got == one
    for client in clients:
        assert (client.packed > 100 and client.plain > 100) if client.extension else client.packed == 0
    # A state is kept, and compressed for who comes later.
    state = message(1, 5000, "analytics:update")
    publish(out, state)
    for client, window in zip(clients, windows):
        while read(client, window) != state:
            pass
    late = connect(port, "permessage-deflate")
    read(late)
    assert read(late) == state and late.packed == 1


def slow(port, frames):
    client = connect(port, "permessage-deflate", receive_buffer=4096)
    read(client)
    out = producer(frames)
    events, last = 0, 3000
    for n in range(last + 1):
        publish(out, message(n, 3000, "analytics:update", noise=True))
        if n % 100 == 0:
            publish(out, message(n, 4000, noise=True))
            events += 1
            time.sleep(0.005)
    seen, states, newest = [], 0, -1
    while newest < last or len(seen) < events:
        got = json.loads(read(client))
        if got["type"] == "analytics:update":
            assert got["data"]["n"] > newest
            newest = got["data"]["n"]
            states += 1
        elif got["type"] == "test:event":
            seen.append(got["data"]["n"])
    assert seen == list(range(0, last + 1, 100)), seen
    assert states < last, states
    assert client.packed > 0


if __name__ == "__main__":
    random.seed(7692)
    {"offers": offers, "room": room, "slow": slow}[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
