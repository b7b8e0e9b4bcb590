# SPDX-License-Identifier: MIT
"""Long-lived WebSocket clients: each watches one form, comes back when it is cut off, and keeps what it last saw."""

import json
import threading
import time

import ws


class Watcher(threading.Thread):
    def __init__(self, port, form_id):
        super().__init__(daemon=True)
        self.port, self.form_id = port, form_id
        self.last, self.metrics, self.messages, self.connections = None, None, 0, 0
        self.problem = None
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                client = ws.connect(self.port, "/ws/forms/" + self.form_id, timeout=3)
            except (ws.Ended, ws.Timeout, ws.Refused, OSError):
                time.sleep(0.1)
                continue
            self.connections += 1
            try:
                self.read(client)
            except (ws.Ended, OSError):
                pass
            finally:
                client.close()

    def read(self, client):
        while not self.stopping.is_set():
            try:
                opcode, payload = client.message(0.5)
            except ws.Timeout:
                continue
            if opcode == ws.CLOSE:
                return
            message = json.loads(payload)
            self.messages += 1
            if message.get("formId") != self.form_id:
                self.problem = "a message of another form: %s" % payload[:200]
            if message["type"] == "analytics:update":
                self.last = message["data"]
            elif message["type"] == "metrics:update":
                self.metrics = message["data"]
