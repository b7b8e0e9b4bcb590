#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Talks to the stand-in's control connection (tests/mongo/README.md).

    standin.py PATH '{"status":1}' …     says each, prints each answer; exit 1 when one was refused
"""

import json
import socket
import sys


class Refused(Exception):
    """The stand-in did not do it, and said why."""


class Control:
    """One connection; say() is one line and its answer."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def say(self, word, value=1):
        self.socket.sendall(json.dumps({word: value}).encode() + b"\n")
        answer = self.lines.readline()
        if not answer:
            raise ConnectionError("the stand-in has left")
        answer = json.loads(answer)
        if not answer["ok"]:
            raise Refused(answer.get("error"))
        return answer

    def fault(self, **rule):
        """Adds a rule; its id."""
        return self.say("fault", rule)["id"]

    def rule(self, number):
        """What became of a rule: {seen, applied, over}."""
        return next(f for f in self.say("status")["faults"] if f["id"] == number)

    def close(self):
        self.lines.close()
        self.socket.close()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    control, status = Control(sys.argv[1]), 0
    for line in sys.argv[2:]:
        word, value = next(iter(json.loads(line).items()))
        try:
            print(json.dumps(control.say(word, value)))
        except Refused as error:
            print("refused: %s" % error)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
