#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for wsfand: listens on a frames.sock, sends interest, prints the frames that come, one a line.

    frames_peer.py SOCKET [--stall] [--times]

Lines on standard input are frames of interest, sent to whoever is connected (and again to whoever
connects later: `room:opened` that were not closed). Instead of JSON a line may be
    open ID [VIEWERS]      viewers ID N      close ID      raw HEX      drop (ends the connection)
--stall   reads nothing until it gets SIGUSR1.
--times   each line begins with the milliseconds since the start.
"listening" and "connected" on standard error. Ends at the end of standard input with TERM only."""
import argparse
import json
import os
import select
import signal
import socket
import struct
import sys
import time


class Peer:
    def __init__(self, path, stall, times):
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(8)
        self.stall, self.times = stall, times
        self.start = time.monotonic()
        self.conns, self.rooms = {}, {}
        self.commands = b""
        self.input = sys.stdin.fileno()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def send(self, text, conns=None):
        data = text.encode()
        for conn in list(conns or self.conns):
            conn.setblocking(True)
            try:
                conn.sendall(struct.pack(">I", len(data)) + data)
            except OSError:
                pass
            conn.setblocking(False)

    def accept(self):
        conn, _ = self.listener.accept()
        conn.setblocking(False)
        self.conns[conn] = b""
        for form, viewers in self.rooms.items():
            self.send(json.dumps({"type": "room:opened", "formId": form, "viewers": viewers}), [conn])
        self.say("connected")

    def end(self, conn):
        del self.conns[conn]
        conn.close()
        self.say("disconnected")

    def read(self, conn):
        try:
            data = conn.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.end(conn)
            return
        kept = self.conns[conn] + data
        while len(kept) >= 4:
            (length,) = struct.unpack(">I", kept[:4])
            if len(kept) < 4 + length:
                break
            line = kept[4:4 + length].decode()
            if self.times:
                line = "%d %s" % ((time.monotonic() - self.start) * 1000, line)
            print(line, flush=True)
            kept = kept[4 + length:]
        self.conns[conn] = kept

    def command(self, line):
        words = line.split()
        if line.startswith("{"):
            self.send(line)
        elif words[0] in ("open", "viewers"):
            viewers = int(words[2]) if len(words) > 2 else 1
            kind = "room:opened" if words[0] == "open" else "room:viewers"
            self.rooms[words[1]] = viewers
            self.send(json.dumps({"type": kind, "formId": words[1], "viewers": viewers}))
        elif words[0] == "close":
            self.rooms.pop(words[1], None)
            self.send(json.dumps({"type": "room:closed", "formId": words[1]}))
        elif words[0] == "raw":
            for conn in self.conns:
                conn.send(bytes.fromhex(words[1]))
        elif words[0] == "drop":
            for conn in list(self.conns):
                self.end(conn)

    def read_commands(self):
        data = os.read(self.input, 65536)
        if not data:
            self.input = None
            return
        *lines, self.commands = (self.commands + data).split(b"\n")
        for line in lines:
            if line.strip():
                self.command(line.decode().strip())

    def go_on(self, *_):
        self.stall = False

    def run(self):
        signal.signal(signal.SIGUSR1, self.go_on)
        self.say("listening")
        while True:
            wanted = [self.listener] + ([] if self.stall else list(self.conns))
            if self.input is not None:
                wanted.append(self.input)
            for ready in select.select(wanted, [], [], 0.1)[0]:
                if ready is self.listener:
                    self.accept()
                elif ready == self.input:
                    self.read_commands()
                elif ready in self.conns:
                    self.read(ready)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("socket")
    parser.add_argument("--stall", action="store_true")
    parser.add_argument("--times", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Peer(args.socket, args.stall, args.times).run()


if __name__ == "__main__":
    main()
