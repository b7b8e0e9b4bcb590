#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A name server for tests, on 127.0.0.1:53 over UDP (RFC 1035, RFC 2782).

dns.py RECORDS    prints `listening`, then `NAME TYPE` for each question

RECORDS is a file with lines `NAME TYPE DATA`, read anew for each question: A with an address, TXT with one text, SRV with
`PRIORITY WEIGHT PORT TARGET`. A name that is not in it does not exist.
"""
import socket
import struct
import sys

TYPES = {"A": 1, "TXT": 16, "AAAA": 28, "SRV": 33}


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def wire_data(kind, data):
    if kind == "A":
        return socket.inet_aton(data)
    if kind == "TXT":
        return bytes([len(data)]) + data.encode()
    priority, weight, port, target = data.split()
    return struct.pack(">HHH", int(priority), int(weight), int(port)) + wire_name(target)


def read_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack_from(">H", query, at + 1)[0], query[12:at + 5]


def answer(query, records):
    name, wanted, question = read_question(query)
    known = [row for row in records if row[0] == name]
    found = [row for row in known if TYPES[row[1]] == wanted]
    code = 0 if known else 3
    head = query[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(found), 0, 0)
    body = b""
    for _, kind, data in found:
        data = wire_data(kind, data)
        body += b"\xc0\x0c" + struct.pack(">HHIH", wanted, 1, 0, len(data)) + data
    print(name, next((kind for kind, number in TYPES.items() if number == wanted), wanted), flush=True)
    return head + question + body


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    print("listening", flush=True)
    while True:
        query, client = server.recvfrom(4096)
        with open(sys.argv[1]) as file:
            records = [line.split(None, 2) for line in file.read().splitlines() if line]
        server.sendto(answer(query, records), client)


if __name__ == "__main__":
    main()
