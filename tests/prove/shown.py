# SPDX-License-Identifier: MIT
"""What is shown beside analytics:update, computed from the documents: metrics:update, /api/forms, /api/forms/ID. As in
tests/tools/batch.py nothing is shared with analyticsd; the rules are docs/counting.md and docs/protocol.md."""

import collections
import datetime
import json
import urllib.error
import urllib.request

from bson.objectid import ObjectId

import batch

HOUR = datetime.timedelta(hours=1)
PAGE = 7


def moment_text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000) if at else None


def moments(responses):
    """{form id: when its responses were submitted (None: not told)}, malformed ones left out."""
    found = collections.defaultdict(list)
    for response in responses.values():
        if batch.answers_of(response) is not None:
            found[str(response["formId"])].append(response.get("submittedAt"))
    return found


def metrics(submitted, now):
    """What metrics:update says at that moment (UTC), without activeViewers."""
    told = [at for at in submitted if at is not None]
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return {"responsesToday": sum(day <= at < day + 24 * HOUR for at in told),
            "responsesThisHour": sum(hour <= at < hour + HOUR for at in told),
            "lastSubmission": moment_text(max(told, default=None))}


def metrics_differ(submitted, data):
    """As it was at some moment of the last seconds: an hour may just have turned."""
    got = {key: value for key, value in data.items() if key != "activeViewers"}
    now = datetime.datetime.now(datetime.timezone.utc)
    found = []
    for age in (0, 3):
        found = batch.differences(metrics(submitted, now - datetime.timedelta(seconds=age)), got, "metrics")
        if not found:
            break
    return found


def cut(text, limit):
    """So many bytes, and no half character."""
    return text.encode()[:limit].decode(errors="ignore") if batch.is_string(text) else ""


def definition(form):
    """/api/forms/ID."""
    fields, taken = [], batch.fields_of(form)
    for field in form["fields"] if isinstance(form.get("fields"), list) else []:
        name = field.get("id") if isinstance(field, dict) else None
        if name not in taken or any(name == other["id"] for other in fields):
            continue
        shown = {"id": name, "type": field["type"], "label": cut(field.get("label"), 500),
                 "required": bool(field.get("required", False))}
        if field["type"] in ("mcq", "checkbox"):
            shown["options"] = [{"id": option["id"], "label": cut(option.get("label"), 200)} for option in field.get("options") or []]
        fields.append(shown)
    return {"formId": str(form["_id"]), "title": cut(form.get("title"), 1024), "fields": fields}


def listing(forms, responses, wanted):
    """/api/forms, all pages: those with the newest submission first, and between equals (none: the oldest) by id."""
    titles = {str(form["_id"]): cut(form.get("title"), 1024) for form in forms.values() if isinstance(form.get("_id"), ObjectId)}
    submitted = moments(responses)
    rows = []
    for form_id in wanted:
        told = [at for at in submitted[form_id] if at is not None]
        rows.append({"formId": form_id, "title": titles.get(form_id, ""), "totalResponses": len(submitted[form_id]),
                     "lastSubmission": moment_text(max(told, default=None))})
    return sorted(rows, key=lambda row: (row["lastSubmission"] or "", row["formId"]), reverse=True)


# ---- asking for it ----

def get(port, path):
    """(status, JSON)"""
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=3) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def get_listing(port):
    """All pages, few forms a page; None: not to be had now."""
    rows = []
    while True:
        status, page = get(port, "/api/forms?limit=%d%s" % (PAGE, "&after=" + rows[-1]["formId"] if rows else ""))
        if status != 200:
            return None
        rows += page
        if len(page) < PAGE:
            return rows


def forms_differ(port, documents, wanted, deleted, unclear):
    """Lines: what /api/forms… shows and should not, or the other way round. Those `deleted` are hidden, those `unclear` may be."""
    forms, responses = documents
    try:
        rows = get_listing(port)
        if rows is None:
            return ["/api/forms is not answered"]
        defined = {str(form["_id"]): form for form in forms.values() if isinstance(form.get("_id"), ObjectId)}
        shown = set(wanted) - deleted - (unclear - {row["formId"] for row in rows})
        found = batch.differences({"rows": listing(forms, responses, [name for name in wanted if name in shown])}, {"rows": rows})
        for form_id in wanted:
            status, got = get(port, "/api/forms/" + form_id)
            why = "The form has no definition" if form_id in shown else "The form is not known"
            want = (200, definition(defined[form_id])) if form_id in defined else (404, {"error": why})
            found += batch.differences(list(want), [status, got], "definition of " + form_id)
        return found
    except (OSError, ValueError) as error:
        return ["%s: %s" % (type(error).__name__, error)]
