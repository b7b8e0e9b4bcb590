#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""RFC 6455 to the letter: what a server must take, what it must answer, and with which code it must close.

    rfc6455.py PORT GROUP...      all cases of these groups; one line for each that fails, exit 1

The cases follow the chapters of the Autobahn catalogue. The server is no echo, but it answers {"type":"ping",
"timestamp":X} with X as it was written: that is what comes back here. It must have been started with
DUNE_WEBSOCKET_MAX_MESSAGE_BYTES=LIMIT.
"""

import json
import socket
import struct
import sys
import time
import zlib

import ws

FORM = "60f7b1b9e1234567890abcde"
PATH = "/ws/forms/" + FORM
LIMIT = 131072
QUICK = 3.0  # seconds in which an answer must be there
port = 0
failed = []


class Bad(Exception):
    pass


def frame(opcode, payload=b"", **shape):
    return ws.encode(opcode, payload, key=b"\x37\xfa\x21\x3d", **shape)


def text(payload, **shape):
    return frame(ws.TEXT, payload, **shape)


def ask(stamp):
    """A message whose answer bears the stamp, which is JSON."""
    return b'{"type":"ping","timestamp":' + stamp + b"}"


def answer(stamp):
    return b'{"type":"pong","timestamp":' + stamp + b"}"


def opened(headers=()):
    client = ws.connect(port, PATH, headers=headers, timeout=QUICK)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.auto_pong = False
    if client.json(QUICK)["type"] != "connection:status":
        raise Bad("no welcome")
    return client


def send(client, chunks, chop=0):
    for chunk in chunks if isinstance(chunks, (list, tuple)) else [chunks]:
        try:
            for at in range(0, len(chunk), chop or len(chunk) or 1):
                client.socket.sendall(chunk[at:at + (chop or len(chunk))])
        except OSError:
            return  # it was closed already


def frames_until_close(client, within=QUICK):
    """All frames, the Close last; then the stream must end."""
    deadline = time.monotonic() + within
    got = []
    while not got or got[-1].opcode != ws.CLOSE:
        got.append(client.frame(deadline))
    try:
        client.frame(deadline)
    except ws.Ended:
        return got
    except ws.Timeout:
        raise Bad("the stream goes on behind the Close")
    raise Bad("a frame behind the Close")


def inflated(data):
    return zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff")


def closes(code, chunks, chop=0, before=None, headers=()):
    """These bytes end the connection with that code (None: an empty Close). before: what is answered first."""
    client = opened(headers)
    try:
        send(client, chunks, chop)
        got = frames_until_close(client)
        payload = got[-1].payload
        if code is None:
            if payload:
                raise Bad("Close %r, not an empty one" % payload)
        elif got[-1].close_code() != code:
            raise Bad("Close %r, not %d" % (payload, code))
        payload[2:].decode("utf-8")
        others = [one.payload for one in got[:-1]]
        if others != (before or []):
            raise Bad("answered %r" % others)
    finally:
        client.close()


def answers(expected, chunks, chop=0, headers=()):
    """These bytes bring these payloads, and the connection lives."""
    client = opened(headers)
    try:
        send(client, chunks, chop)
        deadline = time.monotonic() + QUICK
        for want in expected:
            got = client.frame(deadline)
            got = inflated(got.payload) if got.rsv == 4 and headers else got.payload
            if got != want:
                raise Bad("%r, not %r" % (got[:80], want[:80]))
        send(client, text(ask(b'"still"')))
        got = client.frame(deadline).payload
        if got != answer(b'"still"'):
            raise Bad("%r in the place of the last answer" % got[:80])
    finally:
        client.close()


def case(name, check, *args, **options):
    try:
        check(*args, **options)
    except (Bad, ws.Ended, ws.Refused, ValueError, OSError) as error:
        failed.append(name)
        print("%s: %s: %s" % (name, type(error).__name__, error))
    except ws.Timeout:
        failed.append(name)
        print("%s: nothing came" % name)


# ---- 1: framing ----

def framing():
    for size in (2, 40, 97, 98, 99, 100, 1000, 65500, 65507, 65508, 65509, 100000):
        stamp = b'"' + b"*" * (size - 2) + b'"'
        for chop in (0, 997) if size > 2000 else (0, 1):
            case("text of %d by %d" % (size, chop), answers, [answer(stamp)], text(ask(stamp)), chop=chop)
    stamps = [b"%d" % n for n in range(100)]
    case("many in one write", answers, [answer(n) for n in stamps], b"".join(text(ask(n)) for n in stamps))
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
        case("binary of %d" % size, closes, 1003, frame(ws.BINARY, b"\xfe" * size))
    case("binary, by its first bytes", closes, 1003, frame(ws.BINARY, b"\xfe" * 1000)[:9])
    case("binary, of two fragments", closes, 1003, [frame(ws.BINARY, b"a", fin=0), frame(0, b"b")])
    case("not masked", closes, 1002, text(b"plain", mask=False))
    case("not masked, a ping", closes, 1002, frame(ws.PING, b"plain", mask=False))
    # RFC 6455, 5.2: the minimal number of bytes MUST be used; the highest bit MUST be 0.
    for length in (0, 5, 125):
        body = b"\0\0\0\0" + b"x" * length
        case("16 bits for %d" % length, closes, 1002, b"\x81\xfe" + struct.pack(">H", length) + body)
    for length in (0, 5, 126, 65535):
        body = b"\0\0\0\0" + b"x" * length
        case("64 bits for %d" % length, closes, 1002, b"\x81\xff" + struct.pack(">Q", length) + body)
    case("16 bits for 5, by the header", closes, 1002, b"\x81\xfe\x00\x05\0\0\0\0\xff")
    case("64 bits for 126, by the header", closes, 1002, b"\x81\xff" + struct.pack(">Q", 126) + b"\0\0\0\0\xff")
    case("64 bits, the highest set", closes, 1002, b"\x81\xff\x80" + b"\0" * 6 + b"\x05\0\0\0\0hello")
    for size in (LIMIT + 1, 1 << 20, 1 << 31, 1 << 32, (1 << 63) - 1):
        case("a length of %d" % size, closes, 1009, b"\x81\xff" + struct.pack(">Q", size))
    case("too long in fragments", closes, 1009, [text(b"x" * 70000, fin=0), frame(0, b"", length=LIMIT)[:10]])
    case("too long after many fragments", closes, 1009, [text(b"", fin=0)] + [frame(0, b"x" * 9000, fin=0)] * 15)


# ---- 2: pings and pongs ----

def pings():
    client = opened()
    for size in range(126):
        payload = bytes((size + n) & 255 for n in range(size))
        for chop in (0, 1):
            send(client, frame(ws.PING, payload), chop)
            got = client.frame(time.monotonic() + QUICK)
            if (got.opcode, got.payload, got.fin, got.rsv) != (ws.PONG, payload, 1, 0):
                failed.append("ping")
                print("ping of %d: %r" % (size, got.payload))
    client.close()
    for size in (126, 127, 200, 65535, 65536):
        case("ping of %d" % size, closes, 1002, frame(ws.PING, b"x" * size))
        case("pong of %d" % size, closes, 1002, frame(ws.PONG, b"x" * size))
    case("ping of 126, by its length", closes, 1002, frame(ws.PING, b"x" * 126)[:4])
    case("pong unasked", answers, [], frame(ws.PONG))
    case("pong unasked, with payload", answers, [], frame(ws.PONG, b"unasked"))
    case("pong unasked, then ping", answers, [b"x"], [frame(ws.PONG, b"unasked"), frame(ws.PING, b"x")])
    case("ping that is no text", answers, [b"\x00\xff\xfe"], frame(ws.PING, b"\x00\xff\xfe"))
    case("ping in fragments", closes, 1002, frame(ws.PING, b"x", fin=0))
    case("pong in fragments", closes, 1002, frame(ws.PONG, b"x", fin=0))
    # Of several pongs that wait only the newest is sent (RFC 6455, 5.5.3).
    client = opened()
    send(client, b"".join(frame(ws.PING, b"%d" % n) for n in range(10)))
    while client.frame(time.monotonic() + QUICK).payload != b"9":
        pass
    client.close()


# ---- 3 and 4: reserved bits and opcodes ----

def reserved():
    good, reply = text(ask(b"1")), [answer(b"1")]
    for rsv in range(1, 8):
        for opcode in (ws.TEXT, ws.BINARY, ws.CLOSE, ws.PING, ws.PONG, 0):
            for payload in (b"", b"Hello"):
                bad = frame(opcode, payload, rsv=rsv)
                case("rsv %d of %d" % (rsv, opcode), closes, 1002, bad)
        case("rsv %d chopped" % rsv, closes, 1002, [good, text(b"x", rsv=rsv)], chop=1, before=reply)
        case("rsv %d by the first byte" % rsv, closes, 1002, bytes([0x81 | rsv << 4]))
        case("rsv %d inside" % rsv, closes, 1002, [text(b"a", fin=0), frame(0, b"b", rsv=rsv)])
        case("rsv %d behind a ping" % rsv, closes, 1002, [frame(ws.PING, b"p"), text(b"x", rsv=rsv)], before=[b"p"])
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for payload in (b"", b"reserved"):
            case("opcode %d" % opcode, closes, 1002, frame(opcode, payload))
            case("opcode %d behind text" % opcode, closes, 1002, [good, frame(opcode, payload)], before=reply)
            case("opcode %d chopped" % opcode, closes, 1002, [good, frame(opcode, payload)], chop=1, before=reply)
        case("opcode %d inside" % opcode, closes, 1002, [text(b"a", fin=0), frame(opcode, b"x")])


# ---- 5: fragments ----

def fragments():
    whole = ask(b'"fragments"')
    reply = answer(b'"fragments"')
    for chop in (0, 1):
        for cut in range(len(whole) + 1):
            pair = [text(whole[:cut], fin=0), frame(0, whole[cut:])]
            case("cut at %d" % cut, answers, [reply], pair, chop=chop)
        single = [text(b"", fin=0)] + [frame(0, whole[n:n + 1], fin=0) for n in range(len(whole))] + [frame(0)]
        case("byte by byte", answers, [reply], single, chop=chop)
        between = [text(whole[:9], fin=0), frame(ws.PING, b"mid"), frame(ws.PONG, b"?"), frame(0, whole[9:])]
        case("ping and pong between", answers, [b"mid", reply], between, chop=chop)
        case("all of it in one write", answers, [b"mid", reply], b"".join(between), chop=chop)
        close = [text(b"a", fin=0), frame(ws.CLOSE, b"\x03\xe8"), frame(0, b"b")]
        case("close between", closes, 1000, close, chop=chop)
        case("continuation of nothing", closes, 1002, frame(0, b"x"), chop=chop)
        case("continuation of nothing, not final", closes, 1002, frame(0, b"x", fin=0), chop=chop)
        case("continuation behind a whole one", closes, 1002, [text(whole), frame(0, b"x")], chop=chop, before=[reply])
        case("text within text", closes, 1002, [text(b"a", fin=0), text(b"b")], chop=chop)
        case("binary within text", closes, 1002, [text(b"a", fin=0), frame(ws.BINARY, b"b")], chop=chop)
    pings_between = []
    for n in range(len(whole)):
        pings_between += [frame(0 if n else ws.TEXT, whole[n:n + 1], fin=0), frame(ws.PING, b"%d" % n)]
    client = opened()
    send(client, pings_between + [frame(0)])
    while client.frame(time.monotonic() + QUICK).payload != reply:
        pass
    client.close()


# ---- 6: UTF-8 ----

VALID = [
    "κόσμε", "€", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000",
    "\U0001ffff", "\U000fffff", "\U0010ffff", "\U0001f600 Ω≈ç√∫ 你好", "\ufeff", "\ufdd0",
]
INVALID = [
    "80", "bf", "80bf", "80bf80", "80bf80bf80", "c0", "c1", "c020", "e0", "e080", "e08020", "f0", "f08080", "f8",
    "f888808080", "fc", "fc8480808080", "fe", "ff", "fefeffff", "c0af", "e080af", "f08080af", "f8808080af",
    "fc80808080af", "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "c080", "e08080", "f0808080", "eda080", "edadbf",
    "edae80", "edafbf", "edb080", "edbe80", "edbfbf", "eda080edb080", "edafbfedbfbf", "f4908080", "f5808080",
    "f7bfbfbf", "c328", "e228a1", "e28228", "f0288cbc", "f09028bc", "f0288c28", "f09f98", "e282", "c3", "f09f",
    "cebae1bdb9cf83cebcceb5eda080656469746564", "cebae1bdb9cf83cebcceb5f4908080656469746564",
]


def first_bad(data):
    """How many bytes it takes to know: up to and including the first that cannot be; None: only its end is missing."""
    for n in range(1, len(data) + 1):
        try:
            data[:n].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return n
    return None


def utf8():
    for good in VALID:
        stamp = json.dumps(good, ensure_ascii=False).encode("utf-8")
        data = ask(stamp)
        single = [text(b"", fin=0)] + [frame(0, data[n:n + 1], fin=0) for n in range(len(data))] + [frame(0)]
        case("%r whole" % good, answers, [answer(stamp)], text(data))
        case("%r chopped" % good, answers, [answer(stamp)], text(data), chop=1)
        case("%r in fragments" % good, answers, [answer(stamp)], single)
        case("%r in fragments, chopped" % good, answers, [answer(stamp)], b"".join(single), chop=1)
    for hex_bytes in INVALID:
        bad = bytes.fromhex(hex_bytes)
        for around in (b"", b"x", "é€".encode()):
            data = around + bad + around
            known = first_bad(data)
            case(hex_bytes + " whole", closes, 1007, text(data))
            case(hex_bytes + " chopped", closes, 1007, text(data), chop=1)
            pieces = [frame(0 if n else ws.TEXT, data[n:n + 1], fin=0) for n in range(len(data))] + [frame(0)]
            case(hex_bytes + " in fragments", closes, 1007, pieces)
            case(hex_bytes + " with a ping inside", closes, 1007,
                 [text(data[:1], fin=0), frame(ws.PING, b"p"), frame(0, data[1:])],
                 before=[] if known == 1 else [b"p"])
            if known:
                # As soon as it is known: the message, and even the frame, is not whole.
                case(hex_bytes + " early", closes, 1007, text(data[:known], fin=0))
                case(hex_bytes + " early in a frame", closes, 1007, text(data[:known] + b"x" * 500)[:8 + known])
                case(hex_bytes + " early in a later frame", closes, 1007,
                     [text("añ".encode()[:2], fin=0), frame(0, b"\xb1", fin=0),
                      frame(0, data[:known] + b"x" * 50, fin=0)[:6 + known]], chop=1)
            reason = b"\x03\xe8" + data
            case(hex_bytes + " as a reason", closes, 1007, frame(ws.CLOSE, reason))


# ---- 7: close ----

def close():
    def code(number, reason=b""):
        return frame(ws.CLOSE, struct.pack(">H", number) + reason)

    case("empty", closes, None, frame(ws.CLOSE))
    case("of one byte", closes, 1002, frame(ws.CLOSE, b"\x03"))
    case("of 126", closes, 1002, code(1000, b"x" * 124))
    case("in fragments", closes, 1002, frame(ws.CLOSE, b"\x03\xe8", fin=0))
    for reason in (b"", b"bye", "Tschüß €".encode(), b"*" * 123):
        case("reason of %d" % len(reason), closes, 1000, code(1000, reason))
        case("reason of %d, chopped" % len(reason), closes, 1000, code(1000, reason), chop=1)
    good = [n for n in range(1000, 1015) if n not in (1004, 1005, 1006)] + [3000, 3999, 4000, 4999]
    for number in good:
        case("code %d" % number, closes, number, code(number))
    bad = [0, 1, 255, 256, 998, 999, 1004, 1005, 1006, 2000, 2999, 5000, 9999, 32768, 65535] + list(range(1015, 1101))
    for number in bad:
        case("code %d" % number, closes, 1002, code(number))
        if number % 10 == 0:
            case("code %d with a reason" % number, closes, 1002, code(number, b"why"))
    late = [text(ask(b"1")), frame(ws.PING, b"late"), code(1001), b"garbage \xff\xff\xff"]
    for what in late:
        case("something behind the close", closes, 1000, code(1000) + what)
        case("something behind the close, later", closes, 1000, [code(1000), what])
    case("behind an answer", closes, 1000, text(ask(b"1")) + code(1000), before=[answer(b"1")])
    case("behind a ping", closes, 1000, frame(ws.PING, b"p") + code(1000), before=[b"p"])


def gone():
    """Whoever does nothing more after the Close has lost its connection a moment later all the same."""
    clients = []
    for bytes_ in (text(b"x", rsv=2), text(b"\xff"), frame(ws.BINARY, b"x"), frame(ws.CLOSE, b"\x03\xe8"),
                   text(b"", length=LIMIT + 1), frame(ws.CLOSE)):
        client = opened()
        send(client, bytes_)
        frames_until_close(client)
        clients.append(client)
    time.sleep(1.5)
    for n, client in enumerate(clients):
        try:
            for _ in range(20):
                client.socket.sendall(b"x")
                time.sleep(0.01)
        except OSError:
            continue
        failed.append("gone")
        print("gone: connection %d is still taken care of" % n)


# ---- permessage-deflate from the client ----

def deflated(data, level=6, fin=zlib.Z_SYNC_FLUSH, bits=15):
    stream = zlib.compressobj(level, zlib.DEFLATED, -bits)
    out = stream.compress(data) + stream.flush(fin)
    return out[:-4] if fin == zlib.Z_SYNC_FLUSH else out + b"\0"


def inflating():
    agreed = [("Sec-WebSocket-Extensions", "permessage-deflate")]

    def takes(name, expected, chunks, chop=0):
        case(name, answers, expected, chunks, chop=chop, headers=agreed)

    def refuses(name, code, chunks, **options):
        case(name, closes, code, chunks, headers=agreed, **options)

    stamp = b'"deflate deflate deflate deflate"'
    data = ask(stamp)
    short = answer(stamp)
    for name, packed in (("level 6", deflated(data)), ("level 0", deflated(data, 0)), ("level 9", deflated(data, 9)),
                         ("small window", deflated(data, bits=9)), ("a final block", deflated(data, fin=zlib.Z_FINISH)),
                         ("two blocks", deflated(data[:9]) + b"\0\0\xff\xff" + deflated(data[9:]))):
        for chop in (0, 1):
            takes(name, [short], text(packed, rsv=4), chop)
            single = [frame(0 if n else ws.TEXT, packed[n:n + 1], fin=0, rsv=0 if n else 4)
                      for n in range(len(packed))] + [frame(0)]
            takes(name + ", fragments", [short], single, chop)
        between = [text(packed[:5], fin=0, rsv=4), frame(ws.PING, b"mid"), frame(0, packed[5:])]
        takes(name + ", ping between", [b"mid", short], between)
    takes("plain beside compressed", [short, short, short],
          [text(deflated(data), rsv=4), text(data), text(deflated(data), rsv=4)])
    for payload, name in ((b"\0", "empty"), (deflated(b""), "empty by zlib")):
        client = opened(agreed)
        send(client, text(payload, rsv=4))
        got = json.loads(client.frame(time.monotonic() + QUICK).payload)
        if got["type"] != "error" or got["data"]["code"] != "INVALID_MESSAGE":
            failed.append(name)
            print(name, got)
        client.close()
    for rsv in (1, 2, 3, 5, 6, 7):
        refuses("rsv %d" % rsv, 1002, text(deflated(data), rsv=rsv))
    for opcode in (ws.PING, ws.PONG, ws.CLOSE):
        refuses("rsv1 on %d" % opcode, 1002, frame(opcode, b"", rsv=4))
    refuses("rsv1 on a continuation", 1002, [text(b"a", fin=0), frame(0, b"b", rsv=4)])
    refuses("rsv1 on a continuation of a compressed one", 1002, [text(b"a", fin=0, rsv=4), frame(0, b"b", rsv=4)])
    refuses("binary", 1003, frame(ws.BINARY, deflated(b"x"), rsv=4))
    refuses("bad utf-8", 1007, text(deflated(b"x\xff"), rsv=4))
    refuses("half utf-8", 1007, text(deflated("é".encode()[:1]), rsv=4))
    for name, packed in (("not deflate", b"\xff\xff\xff\xff"), ("nothing at all", b""), ("cut off", deflated(data)[:20]),
                         ("a reserved block", b"\x06"), ("looks back too far", b"\x02\x83\x00\x00"),
                         ("a stored block that is too short", b"\x00\x05\x00\xfa\xffab")):
        refuses(name, 1007, text(packed, rsv=4))
    for size in (LIMIT + 1, 10 * LIMIT, 60 * 1024 * 1024):
        refuses("a bomb of %d" % size, 1009, text(deflated(b" " * size, 9)[:LIMIT], rsv=4))
    stamp = b'"' + b"x" * (LIMIT - len(ask(b"")) - 2) + b'"'
    takes("as long as may be", [answer(stamp)], text(deflated(ask(stamp)), rsv=4))
    # Each message stands for itself: context takeover was not granted.
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH) for _ in range(2)]
    refuses("context taken over", 1007, [text(part[:-4], rsv=4) for part in parts], before=[short])


# ---- the request ----

HOST = b"Host: dash.example.org\r\n"
ASK = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
LINE = b"GET " + PATH.encode() + b" HTTP/1.1\r\n"


def refused(status, request, chop=0):
    """That answer, well formed, and nothing behind it; the connection ends. status: a set, where several will do."""
    client = ws.Client("127.0.0.1", port, timeout=QUICK)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    deadline = time.monotonic() + QUICK
    try:
        send(client, request, chop)
        code, headers = client.read_head(deadline)
        if code not in (status if isinstance(status, set) else {status}):
            raise Bad("%d, not %s" % (code, status))
        if headers.get("connection", "").split(",")[0] != "close":
            raise Bad("connection: %r" % headers.get("connection"))
        if headers["content-type"] != "application/json":
            raise Bad("content-type: %r" % headers["content-type"])
        body = b'{"error":0}' if request.startswith(b"HEAD ") else client.read_body(headers, deadline)
        if set(json.loads(body)) != {"error"}:
            raise Bad("body: %r" % body)
        try:
            while not client.buffer:
                client.fill(deadline)
        except ws.Ended:
            return
        except ws.Timeout:
            raise Bad("the connection stays open")
        raise Bad("something behind the answer: %r" % client.buffer)
    finally:
        client.close()


def request():
    def target(path):
        return b"GET " + path + b" HTTP/1.1\r\n" + HOST + ASK + KEY + b"\r\n"

    base = PATH.encode()
    for path, status in (
            (b"/ws/forms/" + b"a" * 23, 400), (b"/ws/forms/" + b"a" * 25, 400), (b"/ws/forms/" + b"g" * 24, 400),
            (b"/ws/forms/%36" + base[11:], 400), (base + b"%00", 400), (base + b"%0d%0aX:%20y", 400),
            (b"/ws/forms/" + b"\xc3\xa9" * 12, 400), (base + b"\x00", 400), (base + b"\t", 400), (base + b"#x", 400),
            (base + b"/", 404), (b"/ws/forms//" + base[10:], 404), (b"/ws//forms/" + base[10:], 404),
            (b"/ws/../forms/" + base[10:], 404), (b"/ws/forms/../../etc/passwd", 404), (b"/ws/FORMS/" + base[10:], 404),
            (b"/ws/forms", 404), (b"/ws/", 404), (b"/ws/forms/" + b"a" * 7000, 400), (b"/ws/" + b"/" * 7000, 404),
            (b"/ws/forms/" + b"a" * 9000, 400), (b"/ws/forms/\\", 400), (b"/ws/forms/?id=" + base[10:], 400),
            (b"/ws/forms/-1", 400), (b"/ws/forms/" + b"%" * 24, 400), (b"/ws/forms/" + b"'" * 24, 400)):
        case("target %r" % path[:60], refused, status, target(path))
    for path in (base + b"?", base + b"?a=%00&b=\"<>", base + b"?" + b"x" * 4000, base + b"?token"):
        client = ws.Client("127.0.0.1", port, timeout=QUICK)
        send(client, target(path))
        if client.read_head(time.monotonic() + QUICK)[0] != 101:
            failed.append("target")
            print("target %r: not 101" % path[:60])
        client.close()
    for method in (b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE", b"get", b"GETT", b"X" * 30, b"PRI"):
        case("method %r" % method, refused, 405, method + target(base)[3:])
    for method in (b"X" * 33, b"G\x00T", b"G(T", b"\xc7ET", b"", b" GET", b"\r\nGET"):
        case("method %r" % method, refused, 400, method + target(base)[3:])
    for line in (b"GET " + base + b"  HTTP/1.1", b"GET " + base + b" HTTP/1.1 ",
                 b"GET " + base, b"GET " + base + b" HTTP/1.1\tx", b"GET\t" + base + b" HTTP/1.1",
                 b"GET " + base + b" http/1.1", b"GET " + base + b" HTTP/1.2", b"GET " + base + b" HTTP/2.0",
                 b"GET " + base + b" HTTP/0.9", b"GET " + base + b" HTTP/1.10", b"GET " + base + b" HTTQ/1.1",
                 b"GET " + base + b" HTTP/1.0"):
        case("line %r" % line[:70], refused, {400, 426}, line + b"\r\n" + HOST + ASK + KEY + b"\r\n")
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    for fields in (
            b"Content-Length: 5\r\n", b"Content-Length: +0\r\n", b"Content-Length: -1\r\n", b"Content-Length: 0x0\r\n",
            b"Content-Length: 0,0\r\n", b"Content-Length: 0\r\nContent-Length: 0\r\n",
            b"Content-Length: 0\r\nContent-Length: 5\r\n", b"Content-Length:\r\n", b"Content-Length: 0 0\r\n",
            b"Content-Length: 99999999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding:\r\n",
            b"transfer-encoding: chunked\r\nContent-Length: 0\r\n", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
            b"Transfer-Encoding\t: chunked\r\n", b"Content-Length : 0\r\n", b" Content-Length: 5\r\n",
            b"X: y\r\n Transfer-Encoding: chunked\r\n", b"X: y\rTransfer-Encoding: chunked\r\n",
            b"X: y\nTransfer-Encoding: chunked\r\n", b"X: y\r\r\n", b"X: a\x00b\r\n", b"X: a\x0bb\r\n", b"X: a\x7fb\r\n",
            b"X\x00: y\r\n", b"X y: z\r\n", b": y\r\n", b"X\r\n", b"Host: other\r\n", b"host: dash.example.org\r\n",
            b"X: y\r\n" * 70, b"X: " + b"y" * 9000 + b"\r\n", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            b"\xc3\xa9: y\r\n"):
        for chop in (0, 7):
            case("fields %r" % fields[:70], refused, 400, LINE + HOST + ASK + KEY + fields + b"\r\n" + smuggled, chop)
    case("no Host", refused, 400, LINE + ASK + KEY + b"\r\n")
    case("LF alone", refused, 400, (LINE + HOST + ASK + KEY + b"\r\n").replace(b"\r\n", b"\n"))
    for key in (b"", b"short", b"dGhlIHNhbXBsZSBub25jZQ=", b"dGhlIHNhbXBsZSBub25jZQ===", b"dGhlIHNhbXBsZSBub25jZ\x00==",
                b"dGhlIHNhbXBsZSBub25jZQ==\r\nX-Injected: 1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="):
        fields = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n"
        case("key %r" % key, refused, 400, LINE + HOST + ASK + fields + b"\r\n")
    for version in (b"", b"0", b"8", b"12", b"14", b"013", b"13,8", b"8, 13", b"13.0", b"+13", b"\x3113"):
        fields = KEY.replace(b": 13", b": " + version)
        case("version %r" % version, refused, 426, LINE + HOST + ASK + fields + b"\r\n")
    case("a later request on the same connection", refused, 426, LINE + HOST + b"\r\n" + smuggled * 3)
    case("a refusal with much behind it", refused, 400, target(b"/ws/forms/x") + b"A" * 60000)
    case("not HTTP", refused, 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200)
    case("SSH", refused, 400, b"SSH-2.0-OpenSSH_9.2\r\n")
    # What stands behind the upgrade is frames, whatever it looks like.
    for garbage, code in ((smuggled, 1002), (b"\r\n\r\n", 1002), (b"\0" * 40, 1002), (b"\xff" * 40, 1002),
                          (text(b"\xff"), 1007), (frame(ws.BINARY, b"x"), 1003), (frame(ws.CLOSE), 1005)):
        case("behind the upgrade: %r" % garbage[:12], behind, LINE + HOST + ASK + KEY + b"\r\n" + garbage, code)


def behind(bytes_, code):
    client = ws.Client("127.0.0.1", port, timeout=QUICK)
    client.upgrade(PATH, raw=bytes_, timeout=QUICK)
    got = frames_until_close(client)
    client.close()
    if got[-1].close_code() != code or len(got) > 2:
        raise Bad("%r" % [one.payload for one in got])


def main():
    global port
    port = int(sys.argv[1])
    groups = {"framing": framing, "pings": pings, "reserved": reserved, "fragments": fragments, "utf8": utf8,
              "close": close, "gone": gone, "inflating": inflating, "request": request}
    for name in sys.argv[2:]:
        groups[name]()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
