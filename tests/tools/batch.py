#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The numbers of every form, computed the slow and plain way from all documents, to hold the pipeline against.

    batch.py show DOCUMENTS [--form ID]              what analytics:update should hold, as JSON
    batch.py check DOCUMENTS --port P [--timeout S]  opens each form's room and waits until its numbers are these;
                                                     else tells the differences key by key, exit 1
DOCUMENTS: a file of Extended JSON lines (of several with one _id the last counts) or mongodb://…/database.
--timezone NAME as DUNE_TIMEZONE. --only ID,… --expect-none ID,…: forms of which nothing may come.

The rules are those of DESIGN and docs/counting.md; nothing here is shared with analyticsd.
"""

import argparse
import collections
import datetime
import json
import math
import os
import re
import sys
import time
import unicodedata
import zoneinfo

import bson
from bson import json_util
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId

import ws

UTC = datetime.timezone.utc
FIELD_ID = re.compile(r"[A-Za-z0-9_-]{1,50}\Z")
TYPES = ("text", "mcq", "checkbox", "rating")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
COUNTING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "counting.md")


# ---- reading ----

def read_documents(where):
    """(forms, responses): the documents by _id, the last of each."""
    forms, responses = {}, {}
    options = json_util.JSONOptions(tz_aware=True, tzinfo=UTC)
    if where.startswith("mongodb"):
        import pymongo
        db = pymongo.MongoClient(where, tz_aware=True).get_default_database()
        documents = list(db.forms.find()) + list(db.responses.find())
    else:
        documents = []
        for line in open(where, encoding="utf-8"):
            if line.strip():
                documents.append(json_util.loads(line, json_options=options))
    for document in documents:
        key = json_util.dumps(document.get("_id"))
        if "fields" in document and "formId" not in document:
            forms[key] = document
        else:
            responses[key] = document
    return forms, responses


def milliseconds(moment):
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def number_of(value):
    """A finite float or int, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal128):
        value = value.to_decimal()
        return float(value) if value.is_finite() and math.isfinite(float(value)) else None
    if isinstance(value, int):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None


def is_string(value):
    """Not Code, which is a str to Python and no string in BSON."""
    return type(value) is str


def shortened(text):
    """What is read of a text: 65,536 bytes, and no half character."""
    if len(text) <= 16384:
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    return text if len(encoded) <= 65536 else encoded[:65536].decode("utf-8", "ignore")


def kind_of(value):
    """string, number, options or other, and the value as it counts."""
    if is_string(value):
        return "string", shortened(value)
    if isinstance(value, list):
        value = value[:1024]
        if all(is_string(option) for option in value):
            return "options", list(dict.fromkeys(value))
        return "other", None
    number = number_of(value)
    return ("number", number) if number is not None else ("other", None)


def answers_of(response):
    """[(field, kind, value)] in order, the first entry of each field; None: malformed."""
    # The value's own bytes: without the document's length and end, its type and the empty name.
    if "_id" in response and len(bson.encode({"": response["_id"]})) - 7 > 1023:
        return None
    if not isinstance(response.get("formId"), ObjectId):
        return None
    entries = response.get("answers")
    if not isinstance(entries, list):
        return None
    if "submittedAt" in response and not isinstance(response["submittedAt"], datetime.datetime):
        return None
    answers = {}
    for entry in entries[:1024]:
        if not isinstance(entry, dict):
            continue
        field = entry.get("fieldId")
        if not is_string(field) or not FIELD_ID.match(field) or field in answers:
            continue
        answers[field] = kind_of(entry.get("value"))
    return [(field, kind, value) for field, (kind, value) in answers.items()]


TEN_YEARS = 3652 * 86400000


def duration_of(response):
    """Milliseconds of filling it in, or None."""
    meta = response.get("meta")
    if not isinstance(meta, dict):
        return None
    taken = number_of(meta.get("durationMs"))
    started, submitted = meta.get("startedAt"), response.get("submittedAt")
    if isinstance(started, datetime.datetime) and isinstance(submitted, datetime.datetime):
        taken = milliseconds(submitted) - milliseconds(started)
    elif taken is not None:
        taken = math.floor(taken + 0.5)
    return taken if taken is not None and 0 <= taken <= TEN_YEARS else None


# ---- words ----

def stop_words():
    """The list in docs/counting.md: the code block behind the heading that speaks of stop words."""
    text = open(COUNTING, encoding="utf-8").read()
    block = re.search(r"^#+ [^\n]*[Ss]top words.*?```[a-z]*\n(.*?)```", text, re.S | re.M)
    return set(block.group(1).split())


STOP_WORDS = None


def class_of(character):
    """L a letter, M a mark, N a decimal digit, ' an apostrophe; else nothing."""
    category = unicodedata.category(character)
    if character in "'\u2019":
        return "'"
    return category[0] if category[0] in "LM" else ("N" if category == "Nd" else "")


def runs_of(text):
    """Runs of letters, marks and digits, with apostrophes inside them between letters."""
    classes = [class_of(character) for character in text] + [""]
    start = None
    for i, kind in enumerate(classes):
        if kind == "'":
            inside = start is not None and classes[i - 1] in ("L", "M") and classes[i + 1] == "L"
            kind = "L" if inside else ""
        if kind and start is None:
            start = i
        elif not kind and start is not None:
            yield text[start:i]
            start = None


def words_of(text):
    """The distinct keywords of one text."""
    global STOP_WORDS
    if STOP_WORDS is None:
        STOP_WORDS = stop_words()
    words = set()
    for run in runs_of(text):
        word = unicodedata.normalize("NFC", run.replace("\u2019", "'").casefold())
        kinds = [class_of(character) for character in word]
        long_enough = "L" in kinds and kinds.count("L") + kinds.count("N") >= 3
        if long_enough and len(word.encode()) <= 64 and word not in STOP_WORDS:
            words.add(word)
    return words


# ---- one field ----

def fits(field_type, kind):
    return {"text": "string", "mcq": "string", "checkbox": "options", "rating": "number"}[field_type] == kind


def looks_like(kind, value):
    if kind == "number":
        return "rating"
    if kind == "options":
        return "checkbox"
    if kind == "string":
        return "mcq" if FIELD_ID.match(value) else "text"
    return None


def shown_type(values):
    """The type of an undeclared field: what most of its values look like; None when all are invalid."""
    votes = collections.Counter(filter(None, (looks_like(kind, value) for kind, value, _ in values)))
    return max(TYPES, key=lambda t: votes[t]) if votes else None


def median(numbers):
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def decimal(number):
    """The shortest decimal that is this number; no point where it is whole."""
    return "%d" % number if number == math.trunc(number) and abs(number) < 2**53 else repr(float(number))


def shown_ids(ids):
    """Those of over 200 bytes have one place together."""
    return ["_other" if len(one.encode("utf-8", "surrogatepass")) > 200 else one for one in ids]


def field_numbers(field_type, options, values, zone):
    """values: [(kind, value, submittedAt or None)] -> what stands under byField.ID."""
    good = [(value, at) for kind, value, at in values if fits(field_type, kind)]
    result = {"type": field_type, "count": len(good)}
    if len(values) > len(good):
        result["invalid"] = len(values) - len(good)
    if field_type in ("mcq", "checkbox"):
        counts = collections.Counter()
        for value, _ in good:
            counts.update(shown_ids([value] if field_type == "mcq" else value))
        result["distribution"] = {**{option: 0 for option in options}, **counts}
    elif field_type == "text":
        counts = collections.Counter()
        for value, _ in good:
            counts.update(words_of(value))
        best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))[:10]
        result["topKeywords"] = [{"keyword": word, "count": count} for word, count in best]
    elif field_type == "rating" and good:
        numbers = [value for value, _ in good]
        result["average"] = math.fsum(numbers) / len(numbers)
        result["median"] = median(numbers)
        if len(set(numbers)) <= 32:
            counts = collections.Counter(numbers)
            result["distribution"] = {decimal(value): counts[value] for value in sorted(counts)}
        result["trend"] = trend(good, zone)
    elif field_type == "rating":
        result["trend"] = []
    return result


def trend(good, zone):
    days = collections.defaultdict(list)
    for value, at in good:
        if at is not None:
            days[at.astimezone(zone).date().isoformat()].append(value)
    return [{"date": day, "value": math.fsum(days[day]) / len(days[day]), "count": len(days[day])}
            for day in sorted(days)[-30:]]


# ---- one form ----

def fields_of(form):
    """{id: (type, [option ids])} of a definition, malformed fields left out."""
    fields = {}
    for field in form["fields"] if isinstance(form.get("fields"), list) else []:
        if not isinstance(field, dict) or field.get("type") not in TYPES:
            continue
        name = field.get("id")
        if not is_string(name) or not FIELD_ID.match(name) or name in fields:
            continue
        options = [o["id"] for o in (field["options"] if isinstance(field.get("options"), list) else [])
                   if isinstance(o, dict) and is_string(o.get("id"))]
        fields[name] = (field["type"], options)
    return fields


def form_numbers(form, responses, zone):
    """The data of analytics:update, without updatedAt."""
    declared = fields_of(form) if form is not None else {}
    values, durations = collections.defaultdict(list), []
    for response, answers in responses:
        at = response.get("submittedAt")
        at = at if isinstance(at, datetime.datetime) else None
        for field, kind, value in answers:
            values[field].append((kind, value, at))
        duration = duration_of(response)
        if duration is not None:
            durations.append(duration)
    result = {"totalResponses": len(responses), "byField": {}}
    for field, (field_type, options) in declared.items():
        result["byField"][field] = field_numbers(field_type, options, values[field], zone)
    for field in set(values) - set(declared):
        field_type = shown_type(values[field])
        if field_type:
            result["byField"][field] = field_numbers(field_type, [], values[field], zone)
    if declared and responses:
        answered = sum(result["byField"][field]["count"] for field in declared)
        result["completionRate"] = answered / (len(declared) * len(responses))
    if durations:
        result["averageTimeToComplete"] = math.fsum(durations) / len(durations) / 1000
    return result


def all_numbers(forms, responses, zone):
    """{form id: numbers} for every form that is defined or has responses."""
    by_form = collections.defaultdict(list)
    for response in responses.values():
        answers = answers_of(response)
        if answers is not None:
            by_form[str(response["formId"])].append((response, answers))
    defined = {str(form["_id"]): form for form in forms.values() if isinstance(form.get("_id"), ObjectId)}
    return {form_id: form_numbers(defined.get(form_id), by_form.get(form_id, []), zone)
            for form_id in set(defined) | set(by_form)}


# ---- comparing ----

def differences(want, got, path=""):
    """['byField.x.count: wanted 3, got 4', …]. Floats agree within 1e-9 of their size."""
    if isinstance(want, dict) and isinstance(got, dict):
        found = []
        for key in sorted(set(want) | set(got)):
            where = path + "." + key if path else key
            if key not in got:
                found.append("%s: missing, wanted %s" % (where, short(want[key])))
            elif key not in want:
                found.append("%s: not wanted, got %s" % (where, short(got[key])))
            else:
                found += differences(want[key], got[key], where)
        return found
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [line for i in range(len(want)) for line in differences(want[i], got[i], "%s[%d]" % (path, i))]
    if is_number(want) and is_number(got):
        close = abs(want - got) <= 1e-9 * max(abs(want), abs(got), 1e-3)
        return [] if close else ["%s: wanted %r, got %r" % (path, want, got)]
    return [] if want == got else ["%s: wanted %s, got %s" % (path, short(want), short(got))]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else text[:300] + "…"


RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def compare(want, data):
    """Differences between a batch computation and the data of an analytics:update."""
    data = dict(data)
    updated = data.pop("updatedAt", None)
    found = differences(want, data)
    if not (is_string(updated) and RFC3339.match(updated)):
        found.append("updatedAt: %r is no RFC 3339 time in UTC with milliseconds" % updated)
    return found


def await_form(port, form_id, want, deadline, metrics_differ=None):
    """Watches one form until its numbers are as wanted; the differences that are left. `metrics_differ` gives those
    in the data of a metrics:update, which must become none as well."""
    client = ws.connect(port, "/ws/forms/" + form_id, timeout=10)
    found = {"analytics:update": ["no analytics:update came"]}
    if metrics_differ:
        found["metrics:update"] = ["no metrics:update came"]
    try:
        while any(found.values()):
            left = deadline - time.monotonic()
            message = client.json(max(left, 0.001))
            if message.get("formId") != form_id:
                return ["a message of another form came: %s" % short(message)]
            if message["type"] == "analytics:update":
                found[message["type"]] = compare(want, message["data"])
            elif message["type"] == "metrics:update" and metrics_differ:
                found[message["type"]] = metrics_differ(message["data"])
        return []
    except ws.Timeout:
        return sum(found.values(), [])
    except ws.Ended as end:
        return ["the connection ended: %s" % end] + sum(found.values(), [])
    finally:
        client.close()


def await_nothing(port, form_id, seconds):
    client = ws.connect(port, "/ws/forms/" + form_id, timeout=10)
    try:
        client.until(lambda m: m["type"] == "analytics:update", seconds)
        return ["analytics:update came for a form that nobody knows"]
    except ws.Timeout:
        return []
    finally:
        client.close()


def check(wanted, options):
    deadline, bad = time.monotonic() + options.timeout, 0
    for form_id in sorted(wanted):
        if options.only and form_id not in options.only.split(","):
            continue
        # However late it is, a form gets a moment of its own.
        found = await_form(options.port, form_id, wanted[form_id], max(deadline, time.monotonic() + 1))
        if found:
            bad += 1
            print("form %s (%d responses):" % (form_id, wanted[form_id]["totalResponses"]))
            print("\n".join("    " + line for line in found[:options.lines]))
            if bad >= 5:
                print("… and perhaps more")
                break
    for form_id in filter(None, options.expect_none.split(",")):
        for line in await_nothing(options.port, form_id, 1):
            bad += 1
            print("form %s: %s" % (form_id, line))
    if not bad:
        print("%d forms, %d responses: all as computed" % (
            len(wanted), sum(numbers["totalResponses"] for numbers in wanted.values())))
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(prog="batch.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("verb", choices=["show", "check"])
    add("documents")
    add("--port", type=int, default=0)
    add("--timezone", default="UTC")
    add("--timeout", type=float, default=20.0)
    add("--form")
    add("--only", default="")
    add("--expect-none", default="")
    add("--lines", type=int, default=12, help="differences shown per form")
    options = parser.parse_args()
    wanted = all_numbers(*read_documents(options.documents), zoneinfo.ZoneInfo(options.timezone))
    if options.verb == "show":
        shown = wanted[options.form] if options.form else wanted
        print(json.dumps(shown, ensure_ascii=False, indent=1, sort_keys=True))
        return 0
    return check(wanted, options)


if __name__ == "__main__":
    sys.exit(main())
