# SPDX-License-Identifier: MIT
"""The four daemons and the database: started, killed, stopped, and started again as a supervisor would."""

import os
import resource
import signal
import socket
import subprocess
import threading
import time

DAEMONS = ("statsd", "wsfand", "analyticsd", "ingestd")
DATABASE = "standin"
# A daemon may leave with these by itself: a failure of the system, which a supervisor answers by starting it again.
EXPECTED = (111,)
# From so many bytes on the database sends a change in parts.
SPLIT_AT = 65536


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Processes:
    """All of them. Every method may be called from any thread."""

    def __init__(self, build, directory, wire_version, settings):
        self.directory = directory
        self.ports = {name: free_port() for name in ("wsfand", "statsd", DATABASE)}
        self.control_path = directory + "/control"
        self.fail_commit = directory + "/fail-commit"
        self.uri = "mongodb://127.0.0.1:%d/dune?replicaSet=rs0" % self.ports[DATABASE]
        self.running, self.due, self.crashes = {}, {}, []
        self.kills = dict.fromkeys(DAEMONS + (DATABASE,), 0)
        self.lock = threading.RLock()
        os.makedirs(directory + "/run")
        self.commands = {name: [build + "/bin/" + name] for name in DAEMONS}
        self.commands[DATABASE] = [
            build + "/tests/mongo-standin", "--listen", "127.0.0.1:%d" % self.ports[DATABASE],
            "--data", directory + "/data", "--control", "unix:" + self.control_path, "--noop-interval-ms", "500",
            "--max-event-bytes", str(SPLIT_AT), "--wire-version", str(wire_version)]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("DUNE_")},
            "DUNE_RUN_DIR": directory + "/run", "DUNE_STATE_DIR": directory + "/state",
            "DUNE_SOURCE": self.uri + "&socketTimeoutMS=3000&connectTimeoutMS=2000",
            "DUNE_LISTEN": "127.0.0.1:%d" % self.ports["wsfand"],
            "DUNE_STATS_LISTEN": "127.0.0.1:%d" % self.ports["statsd"],
            "DUNE_CONNECT_RATE": "0", "DUNE_DRAIN_MS": "50", "DUNE_COMMIT_INTERVAL_MS": "150", "DUNE_METRICS_INTERVAL_MS": "500",
            "DUNE_MAX_FORMS_IN_MEMORY": "16", "DUNE_TEST_FAIL_COMMIT": self.fail_commit,
            "DUNE_TEST_STEP_ROWS": "5", "DUNE_TEST_PAGES": "64", "DUNE_TEST_FULL_EVENTS": "9",
            # A database dropped, made anew and its history gone while ingestd is away is taken for another one.
            "DUNE_ON_NEW_SOURCE": "rebuild",
            "ASAN_OPTIONS": "detect_stack_use_after_return=0", **settings}
        os.makedirs(directory + "/state")

    def log_path(self, name):
        return "%s/%s.log" % (self.directory, name)

    def start(self, name, *options):
        with self.lock:
            if name in self.running:
                return
            with open(self.log_path(name), "ab") as log:
                log.write(b"---- started\n")
                log.flush()
                self.running[name] = subprocess.Popen(
                    self.commands[name] + list(options), env=self.environment, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True)
            self.due.pop(name, None)

    def kill(self, name, back_after):
        """SIGKILL; tend() starts it again so many seconds later."""
        with self.lock:
            process = self.running.pop(name, None)
            if not process:
                return False
            self.left(name, process, process.poll())
            process.kill()
            process.wait()
            self.kills[name] += 1
            self.due[name] = time.monotonic() + back_after
            return True

    def end(self, name):
        """TERM; it stays away until start()."""
        with self.lock:
            process = self.running.pop(name, None)
            self.due.pop(name, None)
            if not process:
                return
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                code = process.wait(15)
                # One that has only just begun does not catch it yet.
                self.left(name, process, None if code in (0, -signal.SIGTERM) else code)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def signal(self, name, number):
        with self.lock:
            if name in self.running:
                self.running[name].send_signal(number)

    def limit(self, name, size):
        """No file of it may grow over that; None: as far as it likes."""
        most = resource.RLIM_INFINITY if size is None else size
        with self.lock:
            if name in self.running:
                try:
                    resource.prlimit(self.running[name].pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
                except ProcessLookupError:
                    pass  # it has left by itself

    def left(self, name, process, code):
        if code is not None and code not in EXPECTED:
            self.crashes.append("%s (pid %d) ended by itself with %d" % (name, process.pid, code))

    def tend(self):
        """Starts what is due; notices what left by itself."""
        with self.lock:
            for name, process in list(self.running.items()):
                code = process.poll()
                if code is not None:
                    self.left(name, process, code)
                    del self.running[name]
                    self.due[name] = time.monotonic() + 0.3
            for name, when in list(self.due.items()):
                if when <= time.monotonic():
                    self.start(name)

    def all_up(self):
        with self.lock:
            for name in self.commands:
                self.signal(name, signal.SIGCONT)
                self.start(name)

    def stop(self):
        """TERM to all; whoever does not leave is killed, and told of."""
        with self.lock:
            self.due.clear()
            for name in ("ingestd", "analyticsd", "wsfand", "statsd", DATABASE):
                process = self.running.pop(name, None)
                if not process:
                    continue
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    code = process.wait(15)
                    if code != 0:
                        self.crashes.append("%s left with %d at TERM" % (name, code))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    self.crashes.append("%s did not leave at TERM" % name)
