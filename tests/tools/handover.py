#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands where wsfand stands: accepts TCP connections and passes them, unread, over http.sock.

handover.py HTTP_SOCK            prints `listening on 127.0.0.1:PORT`, then passes on for ever
handover.py HTTP_SOCK --junk     a byte without a descriptor, then a file instead of a socket; leaves
"""
import socket
import sys


def main():
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sender.connect(sys.argv[1])
    if sys.argv[2:] == ["--junk"]:
        sender.sendall(b"H")
        with open("/dev/null", "rb") as file:
            socket.send_fds(sender, [b"H"], [file.fileno()])
        return
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        socket.send_fds(sender, [b"H"], [client.fileno()])
        client.close()


if __name__ == "__main__":
    main()
