#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The proof: whatever dies, the numbers are those of a batch computation. See `run` for the settings.

Rounds of DUNE_PROVE_ROUND seconds: writers change the database while troubles happen (trouble.py) by a schedule drawn from the
seed. At the end of a round the writers pause, all troubles end, and once the pipeline has caught up every form is asked for a
snapshot, the clients that have watched all the time for what they last saw, and statsd for the forms; all of it is held against
tests/tools/batch.py and shown.py over the database as it stands, and analyticsd --verify compares the store with the documents. Exit 1 with form, key, wanted and got where anything differs, and the logs are kept.
"""

import collections
import datetime
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zoneinfo

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(1, os.path.join(ROOT, "tests", "tools"))

import batch  # noqa: E402
import pymongo  # noqa: E402
import shown  # noqa: E402
import ws  # noqa: E402
from bson.raw_bson import RawBSONDocument  # noqa: E402
from processes import DAEMONS, DATABASE, Processes  # noqa: E402
from trouble import CUTS, Trouble  # noqa: E402
from watchers import Watcher  # noqa: E402
from writers import World, Writer  # noqa: E402

# How long the pipeline may take to catch up once all is well.
CATCH_UP = 60


def setting(name, default):
    return os.environ.get("DUNE_PROVE_" + name) or default


class Metrics:
    """Counters summed over the lives of a daemon: one that falls back began anew."""

    LINE = re.compile(r"([a-zA-Z_:]+(?:\{[^}]*\})?) ([0-9.e+-]+)$")

    def __init__(self, port):
        self.url = "http://127.0.0.1:%d/metrics" % port
        self.last, self.sums = {}, collections.Counter()

    def sample(self):
        try:
            text = urllib.request.urlopen(self.url, timeout=0.5).read().decode()
        except (OSError, ValueError):
            return
        for line in text.splitlines():
            match = self.LINE.match(line)
            if not match or "_total" not in match[1]:
                continue
            name, value = match[1], float(match[2])
            before = self.last.get(name, 0.0)
            self.sums[name] += value - before if value >= before else value
            self.last[name] = value

    def total(self, part):
        return int(sum(value for name, value in self.sums.items() if part in name))


class Proof:
    def __init__(self):
        self.seed = int(setting("SEED", random.SystemRandom().randrange(1, 10 ** 9)))
        self.seconds, self.round = float(setting("SECONDS", 600)), float(setting("ROUND", 60))
        self.random = random.Random(self.seed)
        build = os.path.join(ROOT, os.environ.get("DUNE_TEST_BUILD") or "build")
        self.slow = 4 if re.search("address|thread|undefined", build) else 1
        self.directory = tempfile.mkdtemp(prefix="dune-prove.")
        # MongoDB 4.0, 4.2, 4.4, 6.0, 7.0, 8.0: the first ones know less and say less.
        self.wire_version = int(setting("WIRE", self.random.choice([7, 8, 9, 17, 21, 21, 25])))
        self.processes = Processes(os.path.abspath(build), self.directory, self.wire_version, {})
        self.trouble = Trouble(self.processes, random.Random(self.seed + 1),
                               list(filter(None, setting("ONLY", "").split(","))), setting("WITHOUT", "").split(","))
        now = datetime.datetime.now(datetime.timezone.utc)
        self.world = World(self.seed, int(setting("FORMS", 24)), now)
        rate = float(setting("RATE", 150)) / 3
        self.writers = [Writer(self.world, self.seed * 10 + n, self.processes.uri, rate, now) for n in range(3)]
        self.metrics = Metrics(self.processes.ports["statsd"])
        self.watchers, self.compared, self.differences, self.rounds = [], 0, 0, 0

    # ---- the database as it is ----

    def begin(self):
        """The database first, with something in it already: that is scanned."""
        self.processes.start(DATABASE)
        client = pymongo.MongoClient(self.processes.uri, serverSelectionTimeoutMS=10000)
        db = client.get_default_database()
        db.forms.insert_many(self.world.forms[:-2])
        self.world.defined.update(str(form["_id"]) for form in self.world.forms[:-2])
        for writer in self.writers:
            documents = [writer.response() for _ in range(700)]
            self.world.ids.extend(document["_id"] for document in documents)
            try:
                db.responses.insert_many(documents, ordered=False)
            except pymongo.errors.BulkWriteError:
                pass  # an _id of null comes more than once
        client.close()
        for name in DAEMONS:
            self.processes.start(name)
        for writer in self.writers:
            writer.start()
        for form in self.world.forms[:10]:
            self.watchers.append(Watcher(self.processes.ports["wsfand"], str(form["_id"])))
            self.watchers[-1].start()

    # ---- a round ----

    def chaos(self, seconds):
        end = time.monotonic() + seconds
        for writer in self.writers:
            writer.running.set()
        due, sample = time.monotonic(), 0
        while time.monotonic() < end and not self.processes.crashes:
            self.processes.tend()
            if time.monotonic() >= due:
                self.trouble.happen()
                due = time.monotonic() + self.slow * min(self.random.expovariate(1.6), 4)
            if time.monotonic() >= sample:
                self.metrics.sample()
                sample = time.monotonic() + 0.5
            time.sleep(0.02)

    def settle(self):
        self.trouble.injected += self.trouble.applied()
        self.trouble.calm()
        for writer in self.writers:
            writer.pause()
        # A writer that was cut off may have left something on its way: not after this.
        time.sleep(0.3)

    def compare(self):
        documents = batch.read_documents(self.processes.uri)
        wanted = batch.all_numbers(*documents, zoneinfo.ZoneInfo("UTC"))
        submitted = shown.moments(documents[1])
        deadline = time.monotonic() + CATCH_UP * self.slow
        found = {}
        defined = {str(form["_id"]) for form in documents[0].values()}
        watched = {watcher.form_id for watcher in self.watchers}
        # A form that was deleted is hidden; whether it was is not always known here, and not to a pipeline that has
        # counted all anew since: then it is hidden or like one that never had a definition.
        deleted = self.world.defined - defined
        unclear = self.world.uncertain - self.world.defined - defined
        if self.counted_anew()[0] > 0:
            unclear, deleted = unclear | deleted, set()
        for form_id in sorted(set(wanted) - deleted - unclear):
            found["snapshot of " + form_id] = self.await_form(form_id, wanted[form_id], submitted[form_id], deadline)
        # A room that somebody is in keeps the last state that it was told (docs/protocol.md).
        for form_id in sorted((unclear & set(wanted)) - watched):
            found["form deleted or not, " + form_id] = self.await_either(form_id, wanted[form_id], submitted[form_id], deadline)
        for form_id in sorted(({str(form["_id"]) for form in self.world.forms} - set(wanted) | deleted) - watched):
            found["form that is not there, " + form_id] = self.await_nothing(form_id, deadline)
        found.update(self.compare_watchers(
            {form_id: want for form_id, want in wanted.items() if form_id not in deleted | unclear}, submitted))
        self.compared += len(found)
        found["/api/forms"] = self.repeat(
            deadline, lambda: shown.forms_differ(self.processes.ports["statsd"], documents, wanted, deleted, unclear))
        found["analyticsd --verify"] = self.repeat(deadline, self.verify)
        for name, lines in found.items():
            if lines:
                self.differences += len(lines)
                print("DIFFERENCE %s (%d responses)" % (name, wanted.get(name[-24:], {}).get("totalResponses", 0)))
                print("\n".join("    " + line for line in lines[:20]), flush=True)
        return len(documents[1])

    def repeat(self, deadline, look):
        """Until there is no difference, or no time."""
        while True:
            self.processes.tend()
            lines = look()
            if not lines or time.monotonic() >= deadline:
                return lines
            time.sleep(0.2)

    def await_form(self, form_id, want, submitted, deadline):
        """As batch.await_form(), and a wsfand or an analyticsd that is just coming up again is waited for."""
        def look():
            try:
                return batch.await_form(self.processes.ports["wsfand"], form_id, want,
                                        min(max(deadline, time.monotonic() + 2), time.monotonic() + 10),
                                        lambda data: shown.metrics_differ(submitted, data))
            except (OSError, ws.Ended, ws.Timeout, ws.Refused) as error:
                return ["%s: %s" % (type(error).__name__, error)]
        return self.repeat(deadline, look)

    def await_either(self, form_id, want, submitted, deadline):
        """Nothing is told, or the numbers of a form that never had a definition."""
        def look():
            port = self.processes.ports["wsfand"]
            try:
                return batch.await_nothing(port, form_id, 0.5) and batch.await_form(
                    port, form_id, want, time.monotonic() + 2, lambda data: shown.metrics_differ(submitted, data))
            except (OSError, ws.Ended, ws.Refused) as error:
                return ["%s: %s" % (type(error).__name__, error)]
        return self.repeat(deadline, look)

    def await_nothing(self, form_id, deadline):
        """Neither a definition nor a response, or deleted: nothing is told."""
        def look():
            try:
                return batch.await_nothing(self.processes.ports["wsfand"], form_id, 0.5)
            except (OSError, ws.Ended, ws.Refused) as error:
                return ["%s: %s" % (type(error).__name__, error)]
        return self.repeat(deadline, look)

    def compare_watchers(self, wanted, submitted):
        found, deadline = {}, time.monotonic() + 10 * self.slow
        for watcher in self.watchers:
            found["what a client last saw of " + watcher.form_id] = self.repeat(
                deadline, lambda w=watcher: self.seen_by(w, wanted.get(w.form_id), submitted[w.form_id]))
        return found

    @staticmethod
    def seen_by(watcher, want, submitted):
        lines = [watcher.problem] if watcher.problem else []
        if want is None:
            return lines
        if watcher.last is None or watcher.metrics is None:
            return lines + ["saw nothing"]
        return lines + batch.compare(want, watcher.last) + shown.metrics_differ(submitted, watcher.metrics)

    def verify(self):
        """What analyticsd --verify finds between the store and a dump of the database as it is."""
        dump = self.processes.directory + "/dump.bson"
        client = pymongo.MongoClient(self.processes.uri, document_class=RawBSONDocument)
        with open(dump, "wb") as file:
            for name in ("forms", "responses"):
                for document in client.get_default_database()[name].find():
                    file.write(document.raw)
        client.close()
        done = subprocess.run(self.processes.commands["analyticsd"] + ["--verify", dump], env=self.processes.environment,
                              capture_output=True, text=True, timeout=120 * self.slow, check=False)
        if done.returncode not in (0, 1):
            return ["left with %d: %s" % (done.returncode, done.stderr.strip())]
        return done.stdout.splitlines() if done.returncode else []

    # ---- the whole ----

    def run(self):
        print("seed %d: DUNE_PROVE_SEED=%d repeats the schedule; wire version %d; logs in %s" % (
            self.seed, self.seed, self.wire_version, self.directory), flush=True)
        began = time.monotonic()
        self.begin()
        while not self.differences and not self.processes.crashes:
            left = self.seconds - (time.monotonic() - began)
            if left <= 0 and self.rounds:
                break
            self.chaos(max(min(left, self.round), 5))
            self.settle()
            at = time.monotonic()
            responses = self.compare()
            self.metrics.sample()
            self.rounds += 1
            print("round %d: %d responses stand, caught up and compared in %.1f s, differences so far %d" % (
                self.rounds, responses, time.monotonic() - at, self.differences), flush=True)
        self.report(time.monotonic() - began)
        return self.finish()

    def report(self, seconds):
        kills, counts = self.processes.kills, self.world.counts
        say = lambda name, text: print("%-24s %s" % (name, text))  # noqa: E731
        listed = lambda d: ", ".join("%s %d" % (k, v) for k, v in sorted(d.items()))  # noqa: E731
        print()
        say("seconds", "%.0f" % seconds)
        say("changes", "%d (%s)" % (sum(counts.values()), listed(counts)))
        say("writes that failed", self.world.errors)
        say("events applied", self.metrics.total("analyticsd_events_total"))
        say("duplicates recognised", self.metrics.total("analyticsd_unchanged_total"))
        say("kills", "%d (%s)" % (sum(kills.values()), listed(kills)))
        say("cuts", sum(self.trouble.counts.get(kind, 0) for kind in CUTS))
        say("troubles", "%d (%s)" % (sum(self.trouble.counts.values()), listed(self.trouble.counts)))
        say("injected into commands", self.trouble.injected)
        say("counted anew", "%d times begun, %d finished, %d from nothing" % self.counted_anew())
        say("commits that failed", self.metrics.total('commits_total{result="failed"'))
        say("clients", "%d, %d connections, %d messages" % (
            len(self.watchers), sum(w.connections for w in self.watchers), sum(w.messages for w in self.watchers)))
        say("rounds", self.rounds)
        say("forms compared", self.compared)
        say("differences", self.differences)

    def counted_anew(self):
        """(begun, finished, from nothing since the file was damaged), by analyticsd's log."""
        with open(self.processes.log_path("analyticsd"), errors="replace", encoding="utf-8") as log:
            text = log.read()
        begun = text.count("WARN: everything is counted anew from the source")
        lost = text.count("is corrupt (")
        return begun + lost, text.count("INFO: everything is counted anew, after"), lost

    def never_drawn(self):
        """In a long run every kind of trouble has to come."""
        if self.seconds < 300:
            return []
        return [kind for kind, count in self.trouble.counts.items() if count == 0]

    def finish(self):
        for thread in self.watchers + self.writers:
            thread.stopping.set()
        self.processes.stop()
        for line in self.processes.crashes:
            print("CRASH %s" % line)
        reported = [name for name in self.processes.commands if self.sanitizer_spoke(name)]
        for name in reported:
            print("SANITIZER: see %s" % self.processes.log_path(name))
        for kind in self.never_drawn():
            print("NEVER DRAWN %s" % kind)
        bad = bool(self.differences or self.processes.crashes or reported or self.never_drawn())
        if bad:
            print("kept: %s" % self.directory)
        elif os.environ.get("DUNE_PROVE_KEEP") != "1":
            shutil.rmtree(self.directory)
        print("FAILED" if bad else "PROVED")
        return 1 if bad else 0

    def sanitizer_spoke(self, name):
        with open(self.processes.log_path(name), errors="replace", encoding="utf-8") as log:
            return any("Sanitizer" in line or "runtime error:" in line for line in log)


def main():
    proof = Proof()
    try:
        return proof.run()
    finally:
        proof.processes.stop()


if __name__ == "__main__":
    sys.exit(main())
