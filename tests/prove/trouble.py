# SPDX-License-Identifier: MIT
"""What goes wrong: kinds of trouble, each of which happens at a moment that the schedule draws."""

import os
import signal
import threading
import time

import pymongo
from pymongo.errors import PyMongoError

import standin
from processes import DATABASE

RESUMABLE = ["ResumableChangeStreamError"]
# Errors that a server gives to reads and getMores, before and after 4.4: all of them pass.
ERRORS = [(43, []), (50, []), (6, RESUMABLE), (7, RESUMABLE), (89, RESUMABLE), (91, RESUMABLE), (133, RESUMABLE),
          (136, []), (150, RESUMABLE), (175, []), (189, RESUMABLE), (189, []), (202, []), (234, RESUMABLE), (234, []),
          (237, []), (262, RESUMABLE), (9001, RESUMABLE), (10107, RESUMABLE), (10107, []), (11600, RESUMABLE),
          (11601, []), (11602, RESUMABLE), (13388, RESUMABLE), (13435, RESUMABLE), (13436, RESUMABLE), (63, RESUMABLE)]
READS = ["getMore", "getMore", "getMore", "aggregate", "find"]

# (kind, weight)
KINDS = [("kill_ingestd", 5), ("kill_analyticsd", 5), ("kill_wsfand", 1.5), ("kill_statsd", 0.7), ("kill_database", 2),
         ("freeze", 4), ("cut_all", 1.5), ("cut_waiting", 1.5), ("cut_reply", 5), ("error", 6), ("slow", 3), ("hang", 0.7),
         ("step_down", 1.5), ("kill_streams", 2), ("interrupt", 2), ("lose_batch", 2), ("empty", 2), ("hold", 2),
         ("one_time", 2), ("disk_full", 2)]
# Only when DUNE_PROVE_WITH names them: everything is counted anew afterwards.
RARE = {"roll": ("roll", 3.0), "drop": ("drop", 1.0)}


class Trouble:
    def __init__(self, processes, random, with_, without):
        self.processes, self.random = processes, random
        kinds = [k for k in KINDS if k[0] not in without] + [RARE[name] for name in with_ if name in RARE]
        self.kinds, self.weights = zip(*kinds)
        self.counts, self.injected, self.frozen = {}, 0, {}

    def happen(self):
        kind = self.random.choices(self.kinds, self.weights)[0]
        # Drawn here, so that the schedule is the same whatever became of the one before.
        seed = self.random.random()
        try:
            getattr(self, kind)(seed)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            return kind
        except (OSError, standin.Refused, ValueError):
            return None  # the database is away just now

    def say(self, word, value=1):
        control = standin.Control(self.processes.control_path, timeout=2)
        try:
            return control.say(word, value)
        finally:
            control.close()

    def fault(self, **rule):
        self.say("fault", rule)

    @staticmethod
    def pick(seed, choices):
        return choices[int(seed * 7919) % len(choices)]

    # ---- processes ----

    def kill_ingestd(self, seed):
        self.processes.kill("ingestd", seed * 0.5)

    def kill_analyticsd(self, seed):
        self.processes.kill("analyticsd", seed * 0.5)

    def kill_wsfand(self, seed):
        self.processes.kill("wsfand", seed * 0.3)

    def kill_statsd(self, seed):
        self.processes.kill("statsd", seed)

    def kill_database(self, seed):
        self.injected += self.applied()
        self.processes.kill(DATABASE, seed)

    def freeze(self, seed):
        name = self.pick(seed, ["ingestd", "analyticsd", "wsfand", DATABASE, "ingestd", "analyticsd"])
        self.processes.signal(name, signal.SIGSTOP)
        self.later(seed * 1.5, lambda: self.processes.signal(name, signal.SIGCONT))

    def later(self, seconds, action):
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        timer.start()

    # ---- the database and the way to it ----

    def cut_all(self, _seed):
        self.say("cut", "all")

    def cut_waiting(self, _seed):
        self.say("cut", "waiting")

    def cut_reply(self, seed):
        cut = self.pick(seed, ["before", "executed", "executed", {"within": int(seed * 200)}, {"within": 4000}, "after"])
        self.fault(command=self.pick(seed * 3, READS), cut=cut, skip=int(seed * 4))

    def error(self, seed):
        code, labels = self.pick(seed, ERRORS)
        self.fault(command=self.pick(seed * 3, READS), skip=int(seed * 5), times=1 + int(seed * 9) % 3,
                   execute=int(seed * 100) % 2 == 0, error={"code": code, "labels": labels, "errmsg": "injected"})

    def slow(self, seed):
        if seed < 0.5:
            self.fault(command=self.pick(seed, READS), times=3, delay_ms=int(seed * 2500))
        else:
            self.fault(command=self.pick(seed, READS), trickle={"bytes": 1 + int(seed * 100), "ms": 1})

    def hang(self, seed):
        self.fault(command=self.pick(seed, READS), hang=True, execute=seed < 0.5)

    def step_down(self, seed):
        self.say("step_down", {"ms": int(seed * 1500), "cut": seed < 0.3})

    def kill_streams(self, _seed):
        self.say("kill_streams")

    def interrupt(self, seed):
        self.say("interrupt", self.pick(seed, [11601, 11602, 237, 262]))

    def lose_batch(self, seed):
        self.fault(command="getMore", stream=True, kill_cursor=True, skip=int(seed * 5))

    def empty(self, seed):
        self.fault(command="getMore", stream=True, empty=seed < 0.6, no_token=int(seed * 100) % 2 == 0,
                   times=1 + int(seed * 10))

    def hold(self, seed):
        self.say("hold", int(seed * 20))
        self.later(seed * 1.5, self.release)

    def release(self):
        try:
            self.say("hold", False)
        except (OSError, standin.Refused):
            pass  # killed meanwhile: it does not hold any more

    def one_time(self, seed):
        self.say("one_time", 1 + int(seed * 30))

    def roll(self, seed):
        self.say("roll_oplog", 1 + int(seed * 3))

    def drop(self, _seed):
        """The collection of the responses; the next one that comes makes it anew."""
        client = pymongo.MongoClient(self.processes.uri, serverSelectionTimeoutMS=1000)
        try:
            client.get_default_database().responses.drop()
        except PyMongoError as error:
            raise OSError(str(error)) from error
        finally:
            client.close()

    # ---- the disk ----

    def disk_full(self, seed):
        with open(self.processes.fail_commit, "w", encoding="utf-8"):
            pass
        self.later(seed * 1.5, self.make_room)

    def make_room(self):
        try:
            os.unlink(self.processes.fail_commit)
        except FileNotFoundError:
            pass

    # ---- the end of it ----

    def applied(self):
        try:
            return self.say("status")["applied"]
        except (OSError, standin.Refused):
            return 0

    def calm(self):
        """Everything is well from here on."""
        self.make_room()
        self.processes.all_up()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.say("clear", True)
                self.say("hold", False)
                self.say("elect")
                return
            except (OSError, standin.Refused):
                self.processes.tend()
                time.sleep(0.05)
        raise RuntimeError("the database does not come back")
