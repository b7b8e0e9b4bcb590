#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a wsfand that is upgraded in place must not lose: one scenario each, with a client in the middle of something.

    upgrades.py SCENARIO --port P --pid PID --log FILE [--run DIR] [--arg TEXT]

Each brings a connection into some state, has the process upgraded (USR2, and its log says that it was), goes on, and
exits 0 when all is as if nothing had been. Scenarios are the functions below.
"""

import argparse
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ws  # noqa: E402

FORM = "60f7b1b9e1234567890abcde"
PATH = "/ws/forms/" + FORM
PATIENCE = 60.0


class Daemon:
    def __init__(self, options):
        self.port, self.pid, self.log, self.run, self.arg = (
            options.port, options.pid, options.log, options.run, options.arg)

    def upgraded(self):
        with open(self.log, "rb") as log:
            return log.read().count(b"upgraded in place:")

    def upgrade(self):
        before = self.upgraded()
        os.kill(self.pid, signal.SIGUSR2)
        deadline = time.monotonic() + PATIENCE
        while self.upgraded() == before:
            if time.monotonic() > deadline:
                sys.exit("no upgrade in time")
            time.sleep(0.01)

    def connect(self, path=PATH, **options):
        return ws.connect(self.port, path, timeout=PATIENCE, **options)

    def producer(self):
        producer = socket.socket(socket.AF_UNIX)
        producer.connect(self.run + "/frames.sock")
        return producer


def frame(text):
    data = text.encode()
    return struct.pack(">I", len(data)) + data


def event(n, size=0, kind="numbered"):
    return json.dumps({"type": kind, "formId": FORM, "n": n, "pad": "x" * size})


def same(wanted, got, what):
    if wanted != got:
        sys.exit("%s: wanted %r, got %r" % (what, wanted, got))


def pong(client, timestamp):
    same(timestamp, client.until(lambda m: m["type"] == "pong", PATIENCE)["timestamp"], "pong")


def half_frame(daemon):
    """A frame of which each part comes on another side of an upgrade, byte by byte at its beginning."""
    client = daemon.connect()
    stamp = "é" * 40
    data = ws.encode(ws.TEXT, json.dumps({"type": "ping", "timestamp": stamp}, ensure_ascii=False).encode())
    for cut in (1, 2, 3, 7, 30, 31):
        client.send_bytes(data[:cut])
        time.sleep(0.05)
        daemon.upgrade()
        client.send_bytes(data[cut:])
        pong(client, stamp)


def half_message(daemon):
    """Fragments before and behind, with a ping between; a character is cut in two."""
    client = daemon.connect()
    text = json.dumps({"type": "ping", "timestamp": "é€"}, ensure_ascii=False).encode()
    cut = text.index("é".encode()) + 1
    client.send(ws.TEXT, text[:cut], fin=0)
    client.send(ws.PING, b"between")
    daemon.upgrade()
    client.send(0, text[cut:cut + 2], fin=0)
    daemon.upgrade()
    client.send(0, text[cut + 2:])
    pong(client, "é€")


def half_compressed(daemon):
    client = ws.Client("127.0.0.1", daemon.port, timeout=PATIENCE)
    answer = client.upgrade(PATH, [("Sec-WebSocket-Extensions", "permessage-deflate")])
    same(True, "permessage-deflate" in answer.get("sec-websocket-extensions", ""), "agreed")
    deflate = zlib.compressobj(wbits=-15)
    data = deflate.compress(b'{"type":"ping","timestamp":"compressed"}') + deflate.flush(zlib.Z_SYNC_FLUSH)
    data = data[:-4]
    client.send(ws.TEXT, data[:9], fin=0, rsv=4)
    daemon.upgrade()
    client.send(0, data[9:])
    pong(client, "compressed")


def half_handshake(daemon):
    """Requests that are cut: within the first bytes, within the head, before its last."""
    request = ws.Client("127.0.0.1", daemon.port).request(PATH)
    newcomers = []
    for cut in (3, 20, len(request) - 1):
        newcomer = ws.Client("127.0.0.1", daemon.port, timeout=PATIENCE)
        newcomer.send_bytes(request[:cut])
        newcomers.append((newcomer, cut))
    time.sleep(0.1)
    daemon.upgrade()
    for newcomer, cut in newcomers:
        newcomer.send_bytes(request[cut:])
        status, _ = newcomer.read_head(time.monotonic() + PATIENCE)
        same(101, status, "answer to a request cut at %d" % cut)
        same("connected", newcomer.json(PATIENCE)["data"]["status"], "welcome")


def half_producer_frame(daemon):
    client, producer = daemon.connect(), daemon.producer()
    data = frame(event(1)) + frame(event(2, 70000)) + frame(event(3))
    for cut in (2, 50, 300, 60000):
        producer.sendall(data[:cut])
        time.sleep(0.05)
        daemon.upgrade()
        producer.sendall(data[cut:])
        for n in (1, 2, 3):
            same(n, client.until(lambda m: m["type"] == "numbered", PATIENCE)["n"], "event")


def slow_client(daemon):
    """A message that is half written, and those behind it, come whole and in order."""
    client, producer = daemon.connect(receive_buffer=4096), daemon.producer()
    for n in range(1, 10):
        producer.sendall(frame(event(n, 100000)))
    # Those behind are read in the same turn at the latest as this one's.
    other = daemon.connect(path="/ws/forms/60f7b1b9e1234567890abcdf")
    producer.sendall(frame(json.dumps({"type": "last", "formId": "60f7b1b9e1234567890abcdf"})))
    other.until(lambda m: m["type"] == "last", PATIENCE)
    for n in range(3):
        daemon.upgrade()
        same(n + 1, client.until(lambda m: m["type"] == "numbered", PATIENCE)["n"], "event")
    producer.sendall(frame(event(10)))
    for n in range(4, 11):
        message = client.until(lambda m: m["type"] == "numbered", PATIENCE)
        same((n, 100000 if n < 10 else 0), (message["n"], len(message["pad"])), "event")


def inflated(client):
    """The next numbered event, and whether it came compressed."""
    while True:
        frame = client.frame(time.monotonic() + PATIENCE)
        same(1, frame.fin, "frames are whole")
        if frame.opcode != ws.TEXT:
            continue
        text = frame.payload
        if frame.rsv == 4:
            text = zlib.decompressobj(-15).decompress(text + b"\0\0\xff\xff")
        message = json.loads(text)
        if message["type"] == "numbered":
            return message, frame.rsv == 4


def slow_compressed(daemon):
    """Half a compressed message is written, others wait, and one comes later; a client beside it gets them plain."""
    client = ws.Client("127.0.0.1", daemon.port, timeout=PATIENCE, receive_buffer=4096)
    answer = client.upgrade(PATH, [("Sec-WebSocket-Extensions", "permessage-deflate")])
    same(True, "permessage-deflate" in answer.get("sec-websocket-extensions", ""), "agreed")
    plain, producer = daemon.connect(), daemon.producer()
    pads = [os.urandom(50000).hex() for _ in range(10)]
    for n in range(9):
        producer.sendall(frame(json.dumps({"type": "numbered", "formId": FORM, "n": n, "pad": pads[n]})))
        same(n, plain.until(lambda m: m["type"] == "numbered", PATIENCE)["n"], "event, plain")
    for n in range(10):
        if n < 4:
            daemon.upgrade()
        if n == 4:
            producer.sendall(frame(json.dumps({"type": "numbered", "formId": FORM, "n": 9, "pad": pads[9]})))
        message, compressed = inflated(client)
        same((n, pads[n], True), (message["n"], message["pad"], compressed), "event")


def states(daemon):
    """Newcomers get what was there before; the others hear of them."""
    first, producer = daemon.connect(), daemon.producer()
    producer.sendall(frame(event(7, kind="analytics:update")) + frame(event(8, kind="metrics:update")))
    first.until(lambda m: m["type"] == "metrics:update", PATIENCE)
    daemon.upgrade()
    second = daemon.connect()
    welcome = second.json(PATIENCE)
    same((FORM, 2), (welcome["formId"], welcome["data"]["activeConnections"]), "welcome")
    same(7, second.until(lambda m: m["type"] == "analytics:update", PATIENCE)["n"], "state")
    same(8, second.until(lambda m: m["type"] == "metrics:update", PATIENCE)["n"], "state")
    first.until(lambda m: m["type"] == "connection:status" and m["data"]["activeConnections"] == 2, PATIENCE)
    first.send_text('{"type":"analytics:get"}')
    same(7, first.until(lambda m: m["type"] == "analytics:update", PATIENCE)["n"], "state again")


def read_interest(producer, count):
    told, data = [], b""
    producer.settimeout(PATIENCE)
    while len(told) < count:
        data += producer.recv(65536)
        while len(data) >= 4 and len(data) >= 4 + struct.unpack(">I", data[:4])[0]:
            length = struct.unpack(">I", data[:4])[0]
            news = json.loads(data[4:4 + length])
            told.append((news["type"], news["formId"][-1], news.get("viewers")))
            data = data[4 + length:]
    return told


def interest(daemon):
    """Nothing is told twice, and what comes later is told."""
    clients, producer = {d: daemon.connect(path=PATH[:-1] + d) for d in "ab"}, daemon.producer()
    told = sorted(read_interest(producer, 2))
    same([("room:opened", "a", 1), ("room:opened", "b", 1)], told, "told at first")
    daemon.upgrade()
    clients["c"] = daemon.connect(path=PATH[:-1] + "c")
    same([("room:opened", "c", 1)], read_interest(producer, 1), "told after an upgrade")
    clients["a"].close()
    daemon.upgrade()
    same([("room:closed", "a", None)], read_interest(producer, 1), "told of one that left")


def interest_behind(daemon):
    """A producer that did not read for long, and is read to across an upgrade, knows in the end which rooms there are."""
    producer, stay = daemon.producer(), {}
    for _ in range(15):
        passing = [daemon.connect(path=PATH[:-3] + "%03x" % n) for n in range(300)]
        for n, client in enumerate(passing):
            if len(stay) < 50 and n % 5 == 0:
                stay[n] = client
            else:
                client.close()
    daemon.upgrade()
    data, told, read = b"", {}, 0
    producer.settimeout(PATIENCE)
    while told != {n: 1 for n in stay}:
        data += producer.recv(1000)
        while len(data) >= 4 and len(data) >= 4 + struct.unpack(">I", data[:4])[0]:
            length = struct.unpack(">I", data[:4])[0]
            news = json.loads(data[4:4 + length])
            data = data[4 + length:]
            read += 1
            if news["type"] == "room:closed":
                del told[int(news["formId"][-3:], 16)]
            else:
                told[int(news["formId"][-3:], 16)] = news["viewers"]
            if read == 500:
                daemon.upgrade()


def burst(daemon):
    """All in one: whatever stands in the producer's socket, or was read and not taken yet, when the upgrades come."""
    client, producer = daemon.connect(), daemon.producer()
    data = b"".join(frame(event(n)) for n in range(60000))
    sender = threading.Thread(target=producer.sendall, args=(data,))
    sender.start()
    for n in range(60000):
        if n in (1, 100, 5000):
            daemon.upgrade()
        same(n, client.until(lambda m: m["type"] == "numbered", PATIENCE)["n"], "event")
    sender.join()


def buckets(daemon):
    """Who has spent what he may say has still spent it (DUNE_MESSAGE_RATE=1, DUNE_MESSAGE_BURST=300)."""
    client = daemon.connect()
    for n in range(300):
        client.send_text('{"type":"ping","timestamp":%d}' % n)
        client.until(lambda m: m["type"] == "pong", PATIENCE)
    daemon.upgrade()
    for n in range(200):
        client.send_text('{"type":"ping","timestamp":%d}' % n)
        message = client.until(lambda m: m["type"] in ("pong", "error"), PATIENCE)
        if message["type"] == "error":
            same("RATE_LIMITED", message["data"]["code"], "error")
            return
    sys.exit("nobody was limited")


def refused(daemon):
    """The status that a handshake gets: 101, 429 …"""
    client = ws.Client("127.0.0.1", daemon.port, timeout=PATIENCE)
    try:
        client.upgrade(PATH)
    except ws.Refused as answer:
        client.close()
        return answer.status
    client.close()
    return 101


def address_rate(daemon):
    """Likewise for who connects (DUNE_CONNECT_RATE=1, DUNE_CONNECT_BURST=300)."""
    for _ in range(300):
        refused(daemon)
    daemon.upgrade()
    for _ in range(200):
        if refused(daemon) == 429:
            return
    sys.exit("nobody was limited")


def address_count(daemon):
    """An address has as many clients as before (DUNE_MAX_CLIENTS_PER_ADDRESS=3)."""
    clients = [daemon.connect() for _ in range(3)]
    daemon.upgrade()
    same(429, refused(daemon), "the fourth of an address")
    clients.pop().send_close()
    deadline = time.monotonic() + PATIENCE
    while refused(daemon) != 101:
        if time.monotonic() > deadline:
            sys.exit("the place of one that left is not free")
        time.sleep(0.05)


def expiry(daemon):
    """--arg: three tokens: one that ends soon, one that ends soon, one that ends late."""
    soon, other, late = daemon.arg.split()
    ends = daemon.connect(headers=[("Authorization", "Bearer " + soon)])
    stays = daemon.connect(headers=[("Authorization", "Bearer " + other)])
    renews = daemon.connect(headers=[("Authorization", "Bearer " + other)])
    stays.send_text(json.dumps({"type": "auth", "token": late}))
    stays.send_text('{"type":"ping","timestamp":1}')
    pong(stays, 1)
    daemon.upgrade()
    renews.send_text(json.dumps({"type": "auth", "token": late}))
    message = ends.until(lambda m: m["type"] == "error", PATIENCE)
    same("TOKEN_EXPIRED", message["data"]["code"], "error")
    opcode, payload = ends.message(PATIENCE)
    same((ws.CLOSE, 1008), (opcode, struct.unpack(">H", payload[:2])[0]), "close")
    for client in (stays, renews):
        client.send_text('{"type":"ping","timestamp":2}')
        pong(client, 2)


def closing(daemon):
    """Who was told to go, and has not answered, is let go when he does."""
    client = daemon.connect()
    for _ in range(50):
        client.send_text("nonsense")
    while client.message(PATIENCE)[0] != ws.CLOSE:
        pass
    daemon.upgrade()
    client.send_close(1008)
    try:
        client.fill(time.monotonic() + PATIENCE)
        sys.exit("something came behind a Close")
    except ws.Ended:
        pass


def silence(daemon):
    """The deadlines of before still hold (DUNE_PING_INTERVAL_MS=300, DUNE_PONG_TIMEOUT_MS=700)."""
    pings = []
    client = daemon.connect()
    client.auto_pong = False
    client.on_control = lambda frame: pings.append(frame.opcode)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            client.message(0.05)
        except ws.Timeout:
            daemon.upgrade()
        except ws.Ended:
            same([ws.PING], pings, "pings")
            return
    sys.exit("a silent client is still there")


SCENARIOS = (half_frame, half_message, half_compressed, half_handshake, half_producer_frame, slow_client, slow_compressed, states, interest,
             buckets, address_rate, address_count, expiry, closing, silence,
             interest_behind, burst)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=[scenario.__name__ for scenario in SCENARIOS])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--run")
    parser.add_argument("--arg", default="")
    options = parser.parse_args()
    {scenario.__name__: scenario for scenario in SCENARIOS}[options.scenario](Daemon(options))


if __name__ == "__main__":
    main()
