# SPDX-License-Identifier: MIT
"""What goes wrong: kinds of trouble, each of which happens at a moment that the schedule draws."""

import contextlib
import os
import signal
import threading
import time

import bson
import pymongo
from pymongo.errors import PyMongoError

import damage
import standin
from processes import DATABASE, SPLIT_AT

RESUMABLE = ["ResumableChangeStreamError"]
# Errors that a server gives to reads and getMores, before and after 4.4: all of them pass.
ERRORS = [(43, []), (50, []), (6, RESUMABLE), (7, RESUMABLE), (89, RESUMABLE), (91, RESUMABLE), (133, RESUMABLE),
          (136, []), (150, RESUMABLE), (175, []), (189, RESUMABLE), (189, []), (202, []), (234, RESUMABLE), (234, []),
          (237, []), (262, RESUMABLE), (9001, RESUMABLE), (10107, RESUMABLE), (10107, []), (11600, RESUMABLE),
          (11601, []), (11602, RESUMABLE), (13388, RESUMABLE), (13435, RESUMABLE), (13436, RESUMABLE), (63, RESUMABLE)]
READS = ["getMore", "getMore", "getMore", "aggregate", "find"]

# (kind, weight). After the last nine everything is counted anew.
KINDS = [("kill_ingestd", 5), ("kill_analyticsd", 5), ("kill_wsfand", 1.5), ("kill_statsd", 0.7), ("kill_database", 2),
         ("freeze", 4), ("cut_all", 1.5), ("cut_waiting", 1.5), ("cut_reply", 5), ("error", 6), ("slow", 2), ("trickle", 2),
         ("hang", 0.7), ("step_down", 1.5), ("election", 1.5), ("kill_streams", 2), ("interrupt", 2), ("lose_batch", 2),
         ("empty", 2), ("hold", 2), ("one_time", 2), ("large", 2), ("disk_full", 1.5), ("file_limit", 1.5),
         ("roll", 0.6), ("drop_responses", 0.3), ("drop_forms", 0.2), ("drop_database", 0.2), ("rename_away", 0.3),
         ("rename_over", 0.3), ("fatal", 0.4), ("lagging_scan", 0.5), ("damage", 0.6)]
CUTS = ("cut_all", "cut_waiting", "cut_reply")
# So often it is the kind's turn that has come least so far, so that none is left out.
SELDOM = 0.08


class Trouble:
    def __init__(self, processes, random, only, without):
        self.processes, self.random = processes, random
        self.kinds, self.weights = zip(*[k for k in KINDS if (not only or k[0] in only) and k[0] not in without])
        self.counts, self.injected = dict.fromkeys(self.kinds, 0), 0

    def draw(self):
        if self.random.random() < SELDOM:
            least = min(self.counts.values())
            return self.random.choice([kind for kind in self.kinds if self.counts[kind] == least])
        return self.random.choices(self.kinds, self.weights)[0]

    def happen(self):
        kind = self.draw()
        try:
            getattr(self, kind)(self.random.random())
            self.counts[kind] += 1
        except (OSError, standin.Refused, ValueError):
            pass  # the database is away just now

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
        self.fault(command=self.pick(seed, READS), times=3, delay_ms=int(seed * 1500))

    def trickle(self, seed):
        self.fault(command=self.pick(seed, READS), trickle={"bytes": 1 + int(seed * 100), "ms": 1})

    def hang(self, seed):
        self.fault(command=self.pick(seed, READS), hang=True, execute=seed < 0.5)

    def step_down(self, seed):
        self.say("step_down", {"ms": int(seed * 1500), "cut": seed < 0.3})

    def election(self, seed):
        """A new primary, which lags for a while: streams see the oplog without its end."""
        self.say("step_down", {"ms": 50})
        self.say("hold", int(seed * 30))
        self.later(seed, self.release)

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

    def large(self, seed):
        """Changes that are a little too large for one event; newer databases send them in parts."""
        with self.database() as db:
            for document in list(db.responses.find().limit(1 + int(seed * 3))):
                document.pop("filling", None)
                room = SPLIT_AT - 250 - len(bson.encode({**document, "filling": ""}))
                db.responses.update_one({"_id": document["_id"]}, {"$set": {"filling": "x" * max(room, 0)}})

    # ---- what ends a stream for good ----

    def roll(self, seed):
        self.say("roll_oplog", 1 + int(seed * 3))

    def fatal(self, seed):
        code = self.pick(seed, [280, 286, 260, 10334])
        self.fault(command=self.pick(seed * 3, ["getMore", "aggregate"]), stream=True,
                   error={"code": code, "labels": ["NonResumableChangeStreamError"], "errmsg": "injected"})

    def lagging_scan(self, seed):
        """Everything is read anew while a majority has less than the primary: where the scan begins is ahead of what it may read."""
        self.say("hold", int(seed * 20))
        self.later(0.3 + seed, self.release)
        self.fault(command="getMore", stream=True, error={"code": 280, "errmsg": "injected"})

    @contextlib.contextmanager
    def database(self):
        client = pymongo.MongoClient(self.processes.uri, serverSelectionTimeoutMS=1000, socketTimeoutMS=3000)
        try:
            yield client.get_default_database()
        except PyMongoError as error:
            raise OSError(str(error)) from error
        finally:
            client.close()

    def drop_responses(self, _seed):
        """The next response that comes makes the collection anew."""
        with self.database() as db:
            db.responses.drop()

    def drop_forms(self, _seed):
        with self.database() as db:
            db.forms.drop()

    def drop_database(self, _seed):
        with self.database() as db:
            db.client.drop_database(db.name)

    def rename_away(self, seed):
        """Away, and after a while back, in the place of what has come meanwhile."""
        with self.database() as db:
            db.responses.rename("elsewhere", dropTarget=True)
        self.later(seed * 2, self.rename_back)

    def rename_back(self):
        try:
            with self.database() as db:
                db.elsewhere.rename("responses", dropTarget=True)
        except OSError:
            pass  # the database is away: it stays elsewhere

    def rename_over(self, seed):
        """A copy of some of the responses takes the collection's place."""
        with self.database() as db:
            some = list(db.responses.find().limit(int(seed * 2000)))
            db.copy.drop()
            if some:
                db.copy.insert_many(some)
                db.copy.rename("responses", dropTarget=True)

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

    def file_limit(self, seed):
        """No file of analyticsd may grow over a size: what it writes is cut off in a statement, in the WAL, in a checkpoint."""
        state = os.path.dirname(self.processes.fail_commit) + "/state/"
        sizes = [os.path.getsize(state + name) for name in os.listdir(state) if name.startswith("analytics.db")]
        self.processes.limit("analyticsd", int(self.pick(seed, sizes) * (0.5 + seed)) if sizes else 0)
        self.later(seed * 1.5, lambda: self.processes.limit("analyticsd", None))

    def damage(self, seed):
        """Something happens to analytics.db while nobody has it open; after TERM nothing is in the WAL."""
        state = os.path.dirname(self.processes.fail_commit) + "/state/"
        if seed < 0.6:
            self.processes.end("analyticsd")
        else:
            self.processes.kill("analyticsd", 3600)
        try:
            damage.do(self.random, state + self.pick(seed, ["analytics.db", "analytics.db", "analytics.db-wal"]))
        finally:
            self.processes.start("analyticsd")

    # ---- the end of it ----

    def applied(self):
        try:
            return self.say("status")["applied"]
        except (OSError, standin.Refused):
            return 0

    def calm(self):
        """Everything is well from here on."""
        self.make_room()
        self.processes.limit("analyticsd", None)
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
