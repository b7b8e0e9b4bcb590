# SPDX-License-Identifier: MIT
"""Who changes the database: threads that insert, replace, update and delete responses of many forms, and define, change,
delete and define again the forms themselves. What the database took is what the database says in the end."""

import random
import threading
import time

import pymongo
from bson.int64 import Int64
from bson.objectid import ObjectId
from pymongo.errors import PyMongoError

import generate

# (verb, weight)
VERBS = (("insert", 50), ("insert_many", 4), ("replace", 14), ("update", 12), ("delete", 12), ("transaction", 2),
         ("move", 1), ("form_change", 2), ("form_delete", 0.7), ("form_back", 2.3))

TYPES = ("text", "mcq", "checkbox", "rating")


class World:
    """What the writers share. Lists only grow, or shrink by pop(): safe between threads."""

    def __init__(self, seed, forms, now):
        self.forms = generate.Generator(seed, forms, now).forms
        self.ids = []
        self.defined = set()  # forms that were defined once; which are so now, the database knows
        self.uncertain = set()  # perhaps these, too: the answer was lost
        self.counts = {}
        self.errors = 0


class Writer(threading.Thread):
    def __init__(self, world, seed, uri, rate, now):
        super().__init__(daemon=True)
        self.world, self.rate = world, rate
        self.random = random.Random(seed)
        self.generator = generate.Generator(seed, 1, now)
        self.generator.forms = world.forms
        self.client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=2000, socketTimeoutMS=3000,
                                          connectTimeoutMS=2000, heartbeatFrequencyMS=500)
        self.db = self.client.get_default_database()
        self.stopping = threading.Event()
        self.running = threading.Event()
        self.idle = threading.Event()

    def run(self):
        verbs, weights = zip(*VERBS)
        while not self.stopping.is_set():
            if not self.running.is_set():
                self.idle.set()
                time.sleep(0.02)
                continue
            verb = self.random.choices(verbs, weights)[0]
            try:
                getattr(self, verb)()
                self.world.counts[verb] = self.world.counts.get(verb, 0) + 1
            except PyMongoError:
                self.world.errors += 1
                time.sleep(0.05)
            time.sleep(self.random.expovariate(self.rate))

    def pause(self):
        self.idle.clear()
        self.running.clear()
        self.idle.wait(30)

    # ---- responses ----

    def form(self):
        return self.random.choice(self.world.forms)

    def response(self):
        document = self.generator.response(self.form())
        if self.random.random() < 0.05:
            number = self.random.randrange(10 ** 9)
            document["_id"] = self.random.choice(
                [number, str(number), {"a": number, "b": "x"}, number + 0.5, Int64(number << 20), None])
        return document

    def some_id(self):
        return self.random.choice(self.world.ids) if self.world.ids else ObjectId()

    def insert(self):
        document = self.response()
        self.world.ids.append(document["_id"])
        self.db.responses.insert_one(document)

    def insert_many(self):
        documents = [self.response() for _ in range(self.random.randint(2, 40))]
        self.world.ids.extend(d["_id"] for d in documents)
        self.db.responses.insert_many(documents, ordered=self.random.random() < 0.5)

    def replace(self):
        document = self.response()
        document["_id"] = self.some_id()
        self.db.responses.replace_one({"_id": document["_id"]}, document, upsert=self.random.random() < 0.1)

    def update(self):
        field = self.random.choice(self.form()["fields"])
        entry = {"fieldId": field["id"], "value": self.generator.value(field)}
        change = self.random.choice([
            {"$push": {"answers": entry}}, {"$set": {"answers": [entry]}}, {"$unset": {"meta": ""}},
            {"$set": {"meta.durationMs": self.random.randrange(10 ** 5)}}, {"$set": {"note": "nothing of ours"}},
            {"$set": {"submittedAt": self.generator.moment()}}, {"$set": {"answers": "broken"}}])
        self.db.responses.update_one({"_id": self.some_id()}, change)

    def move(self):
        """To another form."""
        self.db.responses.update_one({"_id": self.some_id()}, {"$set": {"formId": self.form()["_id"]}})

    def delete(self):
        self.db.responses.delete_one({"_id": self.some_id()})

    def transaction(self):
        with self.client.start_session() as session, session.start_transaction():
            for _ in range(self.random.randint(2, 6)):
                document = self.response()
                self.world.ids.append(document["_id"])
                self.db.responses.insert_one(document, session=session)
            self.db.responses.delete_one({"_id": self.some_id()}, session=session)
            if self.random.random() < 0.2:
                session.abort_transaction()

    # ---- forms ----

    def form_change(self):
        form = self.form()
        fields = [f for f in form["fields"] if self.random.random() < 0.8]
        for _ in range(self.random.randint(0, 2)):
            fields.append(self.generator.field(self.random.randrange(30), self.random.choice(TYPES)))
        for at, field in enumerate(fields):
            # The same field, of another type. Texts never become options: of these only 256 are exact.
            if self.random.random() < 0.1:
                kinds = ("text", "rating") if field["id"].startswith(("text", "rating")) else ("mcq", "checkbox")
                fields[at] = {**self.generator.field(0, self.random.choice(kinds)), "id": field["id"]}
        form["fields"] = fields or form["fields"]
        self.define(form, self.random.random() < 0.5)

    def form_back(self):
        self.define(self.form(), True)

    def define(self, form, upsert):
        name = str(form["_id"])
        try:
            result = self.db.forms.replace_one({"_id": form["_id"]}, form, upsert=upsert)
        except PyMongoError:
            self.world.uncertain.add(name)
            raise
        if result.matched_count or result.upserted_id:
            self.world.defined.add(name)

    def form_delete(self):
        self.db.forms.delete_one({"_id": self.form()["_id"]})
