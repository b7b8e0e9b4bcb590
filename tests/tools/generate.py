#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random forms and responses from a seed, for tests: all field types, and everything that may be wrong with them.

    generate.py --seed 7 --forms 24 --responses 3000 > feed.jsonl          Extended JSON, one document a line
    generate.py --seed 7 --canonical                                      the canonical form of it
    generate.py --seed 7 --bson > dump.bson                               responses only, as mongodump writes them
    generate.py --seed 7 --mongo URI/DATABASE [--changes 300] [--rate R]  through pymongo; replaces and deletes too
    generate.py --seed 7 --changes 300                                    replaced documents are written again

One response in ten has something odd (--odd 0.1), one in a hundred is malformed and must be skipped (--bad 0.01).
One form is never defined, one is defined only behind its responses, one has no responses.
"""

import argparse
import datetime
import random
import sys
import time

import bson
from bson import json_util
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

UTC = datetime.timezone.utc

WORDS = """delivery arrived late friendly staff quick answer helpful price quality broken package service excellent
terrible website easy difficult checkout payment refund colour size perfect slow fast waiting phone support team
product works recommend again never always love hate battery screen camera sound music coffee tea breakfast room
clean dirty noisy quiet view garden parking train station bus ticket queue doctor nurse school teacher lesson
homework library book chapter story ending actor film series episode season weather rain snow summer winter
don't can't it's we're Müller STRASSE Straße ÉCOLE école naïve ΣΊΣΥΦΟΣ Σίσυφος Привет ПРИВЕТ мир 東京 café
cafe\u0301 ok no a I rock'n'roll 'quoted' 2024 4k mp3 x2y covid19 state-of-the-art e-mail under_score …""".split()

OPTIONS = ["yes", "no", "maybe", "red", "green", "blue", "monday", "friday", "opt-1", "opt_2", "Opt3", "never"]


class Generator:
    def __init__(self, seed, forms, now, odd=0.1, bad=0.01):
        self.random = random.Random(seed)
        self.now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self.odd, self.bad = odd, bad
        self.forms = [self.form(n) for n in range(forms)]
        self.undefined = self.forms[-1]["_id"] if forms > 3 else None
        self.late = self.forms[-2]["_id"] if forms > 3 else None
        self.empty = self.forms[-3]["_id"] if forms > 3 else None

    def object_id(self):
        return ObjectId(bytes(self.random.randrange(256) for _ in range(12)))

    # ---- forms ----

    def form(self, n):
        kinds = ["text", "mcq", "checkbox", "rating"]
        if n % 5:
            kinds = [self.random.choice(kinds) for _ in range(self.random.randint(1, 9))]
        form = {"_id": self.object_id(), "title": "Form %d \u2013 \u201cquoted\u201d \\ /" % n,
                "fields": [self.field(i, kind) for i, kind in enumerate(kinds)]}
        if self.random.random() < 0.5:
            form["status"] = "published"
            form["createdAt"] = self.now - datetime.timedelta(days=50)
        return form

    def field(self, i, kind):
        name = "%s%s%d" % (kind, self.random.choice(["-", "_", "", "X"]), i)
        field = {"id": name, "type": kind, "label": "What of %s?" % name,
                 "required": self.random.random() < 0.5}
        if kind in ("mcq", "checkbox"):
            ids = self.random.sample(OPTIONS, self.random.randint(2, 8))
            field["options"] = [{"id": option, "label": option.title()} for option in ids]
        if kind == "rating":
            field["validation"] = {"min": 1, "max": self.random.choice([5, 10])}
        return field

    # ---- responses ----

    def response(self, form):
        answers = []
        for field in form["fields"]:
            if self.random.random() < 0.85:
                answers.append({"fieldId": field["id"], "value": self.value(field)})
        response = {"_id": self.object_id(), "formId": form["_id"], "answers": answers,
                    "submittedAt": self.moment()}
        if self.random.random() < 0.6:
            response["meta"] = self.meta(response["submittedAt"])
        if self.random.random() < self.odd:
            self.make_odd(response)
        if self.random.random() < self.bad:
            self.make_bad(response)
        return response

    def moment(self):
        """Around the turns of hours and days more often than chance would have it."""
        moment = self.now - datetime.timedelta(
            days=self.random.choice([0, 0, 0, 1, 2, 3, 7, 20, 29, 30, 31, 45]),
            seconds=self.random.randrange(86400))
        if self.random.random() < 0.3:
            moment = moment.replace(minute=0, second=0, microsecond=0)
            if self.random.random() < 0.5:
                moment = moment.replace(hour=self.random.choice([0, 5, 22, 23]))
            moment += datetime.timedelta(milliseconds=self.random.choice([-1, 0, 1]))
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        return min(moment, self.now)

    def meta(self, submitted):
        seconds = self.random.randrange(1, 600)
        if self.random.random() < 0.5:
            return {"durationMs": self.random.choice([int, Int64, float])(seconds * 1000 + 7), "userAgent": "x"}
        return {"startedAt": submitted - datetime.timedelta(seconds=seconds, milliseconds=250), "device": "phone"}

    def value(self, field):
        odd = self.random.random() < self.odd
        return getattr(self, "value_" + field["type"])(field, odd)

    def value_text(self, _field, odd):
        if odd:
            return self.random.choice(["", " ", "\u00a0", "the and of", "\U0001f600 \U0001f600", 17, ["a"], None,
                                       True, {"a": 1}, "Tab\tand\nnewline \"quote\" \\ back", "delivery " * 40])
        words = [self.random.choice(WORDS) for _ in range(self.random.randint(1, 12))]
        words = [w.upper() if self.random.random() < 0.1 else w for w in words]
        return self.random.choice([" ", ", ", "  ", "\n", " / "]).join(words) + self.random.choice([".", "!", ""])

    def value_mcq(self, field, odd):
        if odd:
            return self.random.choice(["", "unknown-option", "other one", "é", 3, ["yes"], None, False])
        weights = [3 ** -i for i in range(len(field["options"]))]
        return self.random.choices(field["options"], weights)[0]["id"]

    def value_checkbox(self, field, odd):
        ids = [option["id"] for option in field["options"]]
        if odd:
            return self.random.choice([[], [ids[0], ids[0]], ["unknown"], [""], ids + ids, "yes", 4, None,
                                       ["a b c", "Ünïcode"], {"0": "yes"}])
        return self.random.sample(ids, self.random.randint(1, len(ids)))

    def value_rating(self, field, odd):
        top = field["validation"]["max"]
        if odd:
            return self.random.choice([0, -3, 99, 2.5, 3.75, 1e9, "5", "", None, [5], True,
                                       float("nan"), float("inf"), Decimal128("4.5"), Int64(2 ** 40)])
        number = self.random.randint(1, top)
        return self.random.choice([int, int, Int64, float, lambda n: Decimal128(str(n))])(number)

    def make_odd(self, response):
        answers = response["answers"]
        what = self.random.randrange(10)
        if what == 0:
            answers.append({"fieldId": "extra-number", "value": self.random.randint(1, 100)})
        elif what == 1:
            answers.append({"fieldId": "extra-choice", "value": self.random.choice(OPTIONS)})
        elif what == 2:
            answers.append({"fieldId": "extra-text", "value": "some words about delivery and weather"})
        elif what == 3:
            answers.append({"fieldId": "extra-list", "value": self.random.sample(OPTIONS, 3)})
        elif what == 4:
            answers.append({"fieldId": "extra-mixed", "value": self.random.choice(
                [1, 2.5, "one", "some more words", ["red", "blue"], None])})
        elif what == 5 and answers:
            again = dict(self.random.choice(answers))
            again["value"] = self.random.choice([5, "yes", ["yes"], "second entry"])
            answers.append(again)
        elif what == 6:
            answers.append({"fieldId": self.random.choice(["", "bad id!", "x" * 51, "é"]), "value": 1})
        elif what == 7:
            answers.extend([{"fieldId": 5, "value": 1}, {"value": 1}, "no object", 7, {"fieldId": "no-value"}])
        elif what == 8:
            self.random.shuffle(answers)
            response["meta"] = self.random.choice([{}, None, {"durationMs": "soon"}, {"startedAt": 5}, 7])
        elif what == 9:
            response["answers"] = []

    def make_bad(self, response):
        """Malformed as a whole: to be counted as such and skipped."""
        what = self.random.randrange(3)
        if what == 0:
            response["formId"] = self.random.choice([5, "no-object-id", None])
        elif what == 1:
            response["answers"] = self.random.choice(["text", 5, {"a": 1}])
        else:
            response["formId"] = self.random.choice([True, ["60f7b1b9e1234567890abcde"]])

    # ---- the whole ----

    def operations(self, responses, changes=0):
        """(verb, collection, document) in the order of time: insert, then replace and delete among them."""
        late = [f for f in self.forms if f["_id"] == self.late]
        for form in self.forms:
            if form["_id"] not in (self.undefined, self.late):
                yield "insert", "forms", form
        live, forms = [], {form["_id"]: form for form in self.forms}
        popular = [f for f in self.forms if f["_id"] != self.empty]
        weights = [1.0 / (1 + n % 7) for n in range(len(popular))]
        every = responses / changes if changes else 0
        due = every
        for n in range(responses):
            if n == responses * 2 // 3:
                for form in late:
                    yield "insert", "forms", form
            response = self.response(self.random.choices(popular, weights)[0])
            live.append(response)
            yield "insert", "responses", response
            while changes and n + 1 >= due and live:
                due += every
                yield from self.change(live, forms)
        if not responses:
            for form in late:
                yield "insert", "forms", form

    def change(self, live, forms):
        at = self.random.randrange(len(live))
        old = live[at]
        what = self.random.random()
        if what < 0.45:
            form = forms.get(old["formId"]) if isinstance(old["formId"], ObjectId) else None
            new = self.response(form or self.forms[0])
            new["_id"] = old["_id"]
            live[at] = new
            yield "replace", "responses", new
        elif what < 0.85:
            live[at] = live[-1]
            live.pop()
            yield "delete", "responses", old
        else:
            form = self.random.choice([f for f in self.forms if f["_id"] not in (self.undefined, self.late)])
            kind = self.random.choice(["text", "mcq", "checkbox", "rating"])
            if self.random.random() < 0.5 or len(form["fields"]) < 2:
                form["fields"] = form["fields"] + [self.field(len(form["fields"]) + 20, kind)]
            else:
                form["fields"] = form["fields"][:-1]
            yield "replace", "forms", dict(form)


def write_lines(operations, canonical, out):
    mode = json_util.JSONMode.CANONICAL if canonical else json_util.JSONMode.RELAXED
    options = json_util.JSONOptions(json_mode=mode, tz_aware=True)
    for verb, _collection, document in operations:
        if verb != "delete":
            out.write(json_util.dumps(document, json_options=options, ensure_ascii=False) + "\n")


def write_mongo(operations, uri, rate):
    import pymongo
    db = pymongo.MongoClient(uri, serverSelectionTimeoutMS=10000).get_default_database()
    waiting, last = [], None
    start, count = time.monotonic(), 0

    def flush():
        if waiting:
            db[last].insert_many(waiting)
            waiting.clear()

    for verb, collection, document in operations:
        count += 1
        if rate and count / rate > time.monotonic() - start:
            flush()
            time.sleep(max(0.0, start + count / rate - time.monotonic()))
        if verb == "insert":
            if collection != last or len(waiting) >= 200:
                flush()
                last = collection
            waiting.append(document)
            continue
        flush()
        if verb == "replace":
            db[collection].replace_one({"_id": document["_id"]}, document)
        else:
            db[collection].delete_one({"_id": document["_id"]})
    flush()


def main():
    parser = argparse.ArgumentParser(prog="generate.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--seed", type=int, required=True)
    add("--forms", type=int, default=24)
    add("--responses", type=int, default=3000)
    add("--odd", type=float, default=0.1)
    add("--bad", type=float, default=0.01)
    add("--changes", type=int, default=0)
    add("--now", help="RFC 3339; the newest possible submittedAt (the clock's)")
    add("--canonical", action="store_true")
    add("--bson", action="store_true")
    add("--mongo", metavar="URI")
    add("--rate", type=float, default=0, help="documents a second (--mongo)")
    add("--ids", action="store_true", help="print only the ids of the forms")
    options = parser.parse_args()
    now = datetime.datetime.now(UTC)
    if options.now:
        now = datetime.datetime.fromisoformat(options.now.replace("Z", "+00:00")).astimezone(UTC)
    generator = Generator(options.seed, options.forms, now, options.odd, options.bad)
    operations = generator.operations(options.responses, options.changes)
    if options.ids:
        print("\n".join(str(form["_id"]) for form in generator.forms))
    elif options.mongo:
        write_mongo(operations, options.mongo, options.rate)
    elif options.bson:
        for _verb, collection, document in operations:
            if collection == "responses":
                sys.stdout.buffer.write(bson.encode(document))
    else:
        write_lines(operations, options.canonical, sys.stdout)


if __name__ == "__main__":
    main()
