#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A raw WebSocket client (RFC 6455) for tests: module and command.

It knows the protocol just well enough to break it: frames of any shape, requests of any bytes, slow reading.

    ws.py --port P --path /ws/forms/ID --count 3 --timeout 10
    ws.py --port P --path /ws/forms/ID --until 'd.get("totalResponses") == 5'
    ws.py --port P --path /ws/forms/ID --send '{"type":"ping","timestamp":1}' --until 't == "pong"'
    ws.py --port P --path /ws/forms/ID --frame fin=0,opcode=1,text=abc --expect-close 1002
    ws.py --port P --raw-request 'GET / HTTP/1.0\\r\\n\\r\\n'

Output, one line each: a text message as it came; {"binary": HEX}; {"close": CODE, "reason": TEXT};
{"eof": true} when the connection ended without a close frame; {"http": STATUS, "headers": {...}, "body": TEXT} when
the answer is not 101 (with --http always); with --control also {"ping": HEX} and {"pong": HEX}.
On standard error: `connected` once the answer was 101.

Exit code: 0 the condition came true (without one: the time was over, or the server closed); 1 not within --timeout;
2 the answer was not 101 (0 with --expect-status); 3 the connection ended first; 4 used wrongly.
"""

import argparse
import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import time

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Ended(Exception):
    """The connection ended without a close frame."""


class Timeout(Exception):
    """Nothing came in time."""


class Refused(Exception):
    """The answer was not 101."""

    def __init__(self, status, headers, body):
        super().__init__("HTTP %d" % status)
        self.status, self.headers, self.body = status, headers, body

    def line(self):
        return json.dumps({"http": self.status, "headers": self.headers,
                           "body": self.body.decode("utf-8", "replace")})


class Frame:
    def __init__(self, fin, rsv, opcode, payload):
        self.fin, self.rsv, self.opcode, self.payload = fin, rsv, opcode, payload

    def close_code(self):
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005


def encode(opcode, payload=b"", fin=1, rsv=0, mask=True, length=None, key=None):
    """A frame's bytes. rsv: 4, 2, 1 for RSV1..3. length: what the header claims, where it is to lie.
    mask: False leaves the payload unmasked; key: 4 bytes."""
    claimed = len(payload) if length is None else length
    head = bytes([(fin << 7) | (rsv << 4) | opcode])
    bit = 0x80 if mask else 0
    if claimed < 126:
        head += bytes([bit | claimed])
    elif claimed < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", claimed)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", claimed)
    if not mask:
        return head + payload
    key = os.urandom(4) if key is None else key
    masked = bytes(b ^ key[i & 3] for i, b in enumerate(payload))
    return head + key + masked


class Client:
    """One connection. Nothing is answered by itself, except pings (auto_pong)."""

    def __init__(self, host="127.0.0.1", port=0, unix=None, receive_buffer=0, timeout=10.0, tls=None,
                 source=None, segment=0):
        self.buffer = b""
        self.auto_pong = True
        self.on_control = None
        self.read_bytes = 65536
        self.read_delay = 0.0
        family = socket.AF_UNIX if unix else (socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:  # before connect: it decides the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if segment:  # an Ethernet's has 1448 bytes, loopback's some 65,000
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(unix if unix else (host, port))
        if tls:  # with whatever certificate: it is the test's own
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket, server_hostname=tls)
        self.host = "%s:%d" % (host, port) if not unix else "localhost"

    def fileno(self):
        return self.socket.fileno()

    def send_bytes(self, data, drip=0.0):
        if not drip:
            self.socket.sendall(data)
            return
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])
            time.sleep(drip)

    def request(self, path, headers=(), omit=(), method="GET", version="HTTP/1.1"):
        """The bytes of an upgrade request. headers replace the usual ones of the same name; omit leaves some out."""
        self.key = base64.b64encode(os.urandom(16)).decode()
        usual = [("Host", self.host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                 ("Sec-WebSocket-Key", self.key), ("Sec-WebSocket-Version", "13")]
        given = {name.lower() for name, _ in headers} | {name.lower() for name in omit}
        lines = ["%s %s %s" % (method, path, version)]
        lines += ["%s: %s" % pair for pair in usual if pair[0].lower() not in given]
        lines += ["%s: %s" % pair for pair in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def fill(self, deadline):
        """Reads once. Raises Timeout or Ended."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout()
        self.socket.settimeout(left)
        if self.read_delay:
            time.sleep(min(self.read_delay, left))
        try:
            data = self.socket.recv(self.read_bytes)
        except socket.timeout:
            raise Timeout()
        except OSError as error:
            raise Ended(str(error))
        if not data:
            raise Ended("end of stream")
        self.buffer += data

    def read_head(self, deadline):
        while b"\r\n\r\n" not in self.buffer:
            self.fill(deadline)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return status, headers

    def read_body(self, headers, deadline):
        if "content-length" in headers:
            want = int(headers["content-length"])
            while len(self.buffer) < want:
                self.fill(deadline)
            body, self.buffer = self.buffer[:want], self.buffer[want:]
            return body
        try:
            while True:
                self.fill(deadline)
        except (Ended, Timeout):
            body, self.buffer = self.buffer, b""
            return body

    def upgrade(self, path, headers=(), omit=(), raw=None, timeout=10.0, drip=0.0):
        """Sends the request and reads the answer: (headers), or Refused. raw: other request bytes."""
        deadline = time.monotonic() + timeout
        request = raw if raw is not None else self.request(path, headers, omit)
        self.send_bytes(request, drip)
        status, answer = self.read_head(deadline)
        if status != 101:
            raise Refused(status, answer, self.read_body(answer, deadline))
        if raw is None and "sec-websocket-key" not in {n.lower() for n, _ in headers}:
            want = base64.b64encode(hashlib.sha1(self.key.encode() + GUID).digest()).decode()
            if answer.get("sec-websocket-accept") != want:
                raise Ended("wrong Sec-WebSocket-Accept: %r" % answer.get("sec-websocket-accept"))
        return answer

    def send(self, opcode, payload=b"", **shape):
        self.socket.settimeout(None)
        self.send_bytes(encode(opcode, payload, **shape))

    def send_text(self, text):
        self.send(TEXT, text.encode("utf-8", "surrogateescape"))

    def send_close(self, code=1000, reason=""):
        self.send(CLOSE, struct.pack(">H", code) + reason.encode())

    def frame(self, deadline):
        """The next frame of any kind. A masked frame from a server is an error (RFC 6455, 5.1)."""
        while True:
            parsed = self.parse()
            if parsed:
                return parsed
            self.fill(deadline)

    def parse(self):
        data = self.buffer
        if len(data) < 2:
            return None
        length, at = data[1] & 0x7F, 2
        if length == 126:
            if len(data) < 4:
                return None
            length, at = struct.unpack(">H", data[2:4])[0], 4
        elif length == 127:
            if len(data) < 10:
                return None
            length, at = struct.unpack(">Q", data[2:10])[0], 10
        if data[1] & 0x80:
            raise Ended("the server masked a frame")
        if len(data) < at + length:
            return None
        self.buffer = data[at + length:]
        return Frame(data[0] >> 7, data[0] >> 4 & 7, data[0] & 15, data[at:at + length])

    def message(self, timeout=10.0, deadline=None):
        """The next whole text, binary or close message as (opcode, payload). Answers pings on the way."""
        deadline = time.monotonic() + timeout if deadline is None else deadline
        opcode, parts = None, []
        while True:
            frame = self.frame(deadline)
            if frame.opcode in (PING, PONG):
                if self.on_control:
                    self.on_control(frame)
                if frame.opcode == PING and self.auto_pong:
                    self.send(PONG, frame.payload)
                continue
            if frame.opcode == CLOSE:
                return CLOSE, frame.payload
            if frame.opcode != 0:
                opcode, parts = frame.opcode, []
            parts.append(frame.payload)
            if frame.fin:
                return opcode, b"".join(parts)

    def json(self, timeout=10.0):
        """The next text message, parsed. Raises Ended at a close, with its code."""
        opcode, payload = self.message(timeout)
        if opcode == CLOSE:
            raise Ended("close %d" % Frame(1, 0, CLOSE, payload).close_code())
        return json.loads(payload)

    def until(self, condition, timeout=10.0):
        """Messages until condition(message); returns the one that met it."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.json(deadline - time.monotonic())
            if condition(message):
                return message

    def reset(self):
        """Ends with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def connect(port, path, host="127.0.0.1", headers=(), timeout=10.0, **options):
    client = Client(host, port, timeout=timeout, **options)
    client.upgrade(path, headers, timeout=timeout)
    return client


# ---- the command ----

def unescape(text):
    return text.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")


def frame_of(spec):
    """opcode=1,fin=0,rsv=4,mask=0,length=9999,hex=00ff | text=… (text is the last: it may hold commas)"""
    shape, payload = {"opcode": TEXT}, b""
    while spec:
        name, _, rest = spec.partition("=")
        if name == "text":
            payload, spec = rest.encode("utf-8", "surrogateescape"), ""
            continue
        value, _, spec = rest.partition(",")
        if name == "hex":
            payload = bytes.fromhex(value)
        elif name == "size":
            payload = b"x" * int(value)
        elif name in ("opcode", "fin", "rsv", "length"):
            shape[name] = int(value)
        elif name == "mask":
            shape["mask"] = value != "0"
        else:
            sys.exit("ws.py: unknown part of a frame: %s" % name)
    return encode(payload=payload, **shape)


class InOrder(argparse.Action):
    """Keeps the order of the options that act on the connection."""

    def __call__(self, parser, namespace, value, option=None):
        steps = getattr(namespace, "steps", None) or []
        steps.append((self.dest, value))
        namespace.steps = steps


def arguments():
    parser = argparse.ArgumentParser(
        prog="ws.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0)
    add("--unix", metavar="PATH", help="connect to a Unix socket instead")
    add("--tls", metavar="NAME", help="wss://NAME, with whatever certificate")
    add("--source", metavar="ADDRESS", help="connect from this address")
    add("--path", default="/ws/forms/60f7b1b9e1234567890abcde")
    add("--origin")
    add("--header", action="append", default=[], metavar="'K: V'", help="replaces the usual one of that name")
    add("--omit", action="append", default=[], metavar="K", help="leaves a usual header out")
    add("--raw-request", metavar="TEXT", help="these bytes (with \\r\\n, \\xNN) in the place of the request")
    add("--drip", type=float, default=0.0, metavar="S", help="the request one byte at a time, S seconds between")
    add("--receive-buffer", type=int, default=0, metavar="BYTES", help="SO_RCVBUF")
    add("--timeout", type=float, default=10.0, metavar="S")
    add("--count", type=int, default=0, metavar="N", help="done after N messages (of --type)")
    add("--type", action="append", default=[], help="count and test only messages of this type")
    add("--until", metavar="EXPR", help="done when true; m: message, t: its type, d: its data, n: how many came")
    add("--expect-close", type=int, metavar="CODE", help="done when closed with this code (0: any)")
    add("--expect-eof", action="store_true", help="done when the connection ended without close")
    add("--expect-status", type=int, metavar="N", help="exit 0 when the answer is N, else 2")
    add("--http", action="store_true", help="print the answer at 101 too")
    add("--control", action="store_true", help="print pings and pongs")
    add("--no-pong", action="store_true", help="leave pings unanswered")
    add("--read-delay", type=float, default=0.0, metavar="S", help="sleep before each read")
    add("--read-bytes", type=int, default=65536, metavar="N", help="at most N bytes a read")
    add("--no-read", type=float, default=0.0, metavar="S", help="after the upgrade read nothing for S seconds")
    add("--stay", action="store_true", help="without a condition: go on until ended from outside")
    for option, kind, text in (
            ("send", str, "a text message"), ("frame", str, frame_of.__doc__),
            ("raw", str, "bytes as they are (with \\xNN)"), ("close", int, "a close frame with this code"),
            ("wait", int, "go on with the next step after N messages in all"),
            ("pause", float, "seconds until the next step")):
        add("--" + option, type=kind, action=InOrder, help="step: " + text)
    add("--shutdown", nargs=0, action=InOrder, help="step: end our direction")
    add("--reset", nargs=0, action=InOrder, help="step: RST, and leave with 0")
    options = parser.parse_args()
    options.steps = getattr(options, "steps", None) or []
    return options


def run_steps(client, steps, seen):
    """Takes the steps that may be taken now. False when the connection was reset."""
    while steps:
        name, value = steps[0]
        if name == "wait" and seen < value:
            return True
        steps.pop(0)
        try:
            if name == "send":
                client.send_text(value)
            elif name == "frame":
                client.send_bytes(frame_of(value))
            elif name == "raw":
                client.send_bytes(unescape(value))
            elif name == "close":
                client.send_close(value)
            elif name == "pause":
                time.sleep(value)
            elif name == "shutdown":
                client.socket.shutdown(socket.SHUT_WR)
            elif name == "reset":
                client.reset()
                return False
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer, or the end, is read next
    return True


def say(value):
    print(value if isinstance(value, str) else json.dumps(value), flush=True)


def show_control(frame):
    say({"ping" if frame.opcode == PING else "pong": frame.payload.hex()})


class Session:
    """What came so far, and whether that is what was waited for."""

    def __init__(self, options):
        self.options = options
        self.seen = 0
        self.matching = 0

    def message(self, payload):
        """True when the condition is met."""
        text = payload.decode("utf-8", "replace")
        say(text)
        self.seen += 1
        try:
            value = json.loads(text)
        except ValueError:
            value = {}
        kind = value.get("type") if isinstance(value, dict) else None
        if self.options.type and kind not in self.options.type:
            return False
        self.matching += 1
        if self.options.until:
            data = value.get("data") if isinstance(value, dict) else None
            names = {"m": value, "t": kind, "d": data if isinstance(data, dict) else {}, "n": self.matching}
            try:
                return bool(eval(self.options.until, names))  # a test's own expression
            except (KeyError, TypeError, IndexError, AttributeError):
                return False
        return bool(self.options.count) and self.matching >= self.options.count


def converse(client, options):
    session = Session(options)
    wanted = options.until or options.count or options.expect_eof or options.expect_close is not None
    deadline = time.monotonic() + (1e9 if options.stay and not wanted else options.timeout)
    while True:
        if not run_steps(client, options.steps, session.seen):
            return 0
        try:
            opcode, payload = client.message(deadline=deadline)
        except Timeout:
            return 1 if wanted else 0
        except Ended as end:
            say({"eof": True, "why": str(end)})
            return 0 if options.expect_eof else 3
        if opcode == CLOSE:
            code = Frame(1, 0, CLOSE, payload).close_code()
            say({"close": code, "reason": payload[2:].decode("utf-8", "replace")})
            try:
                client.send(CLOSE, payload[:2])
            except OSError:
                pass
            if options.expect_close is not None:
                return 0 if options.expect_close in (0, code) else 3
            return 3 if wanted else 0
        if opcode == BINARY:
            say({"binary": payload.hex()})
        elif session.message(payload):
            return 0


def main():
    options = arguments()
    headers = [tuple(part.strip() for part in text.split(":", 1)) for text in options.header]
    if options.origin:
        headers.append(("Origin", options.origin))
    try:
        client = Client(options.host, options.port, options.unix, options.receive_buffer, options.timeout,
                        options.tls, options.source)
    except OSError as error:
        print("ws.py: unable to connect: %s" % error, file=sys.stderr)
        return 3
    client.auto_pong = not options.no_pong
    client.read_bytes, client.read_delay = options.read_bytes, options.read_delay
    if options.control:
        client.on_control = show_control
    try:
        raw = unescape(options.raw_request) if options.raw_request is not None else None
        answer = client.upgrade(options.path, headers, options.omit, raw, options.timeout, options.drip)
    except Refused as refused:
        say(refused.line())
        return 0 if options.expect_status == refused.status else 2
    except (Ended, OSError) as end:
        say({"eof": True, "why": str(end)})
        return 0 if options.expect_eof else 3
    except Timeout:
        print("ws.py: no answer in time", file=sys.stderr)
        return 1
    if options.http:
        say({"http": 101, "headers": answer})
    if options.expect_status not in (None, 101):
        return 2
    print("connected", file=sys.stderr, flush=True)
    if options.expect_status == 101:
        client.close()
        return 0
    if options.no_read:
        run_steps(client, options.steps, 0)
        time.sleep(options.no_read)
    return converse(client, options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
