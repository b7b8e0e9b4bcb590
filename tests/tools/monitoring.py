#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether the dashboard and the alerts fit what /metrics shows.

    monitoring.py dashboard DASHBOARD            its shape, as Grafana wants it; prints what is wrong
    monitoring.py names FILE... < METRICS        names that a dashboard or rules use and METRICS (the text of /metrics) lacks
    monitoring.py rules DASHBOARD                its queries as a file of rules, for promtool

Exit code 1 when something was found.
"""

import json
import re
import sys

NAME = re.compile(r"\b(?:dune|process)_[a-z0-9_]+")
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "${datasource}": ""}


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries(dashboard):
    """(where, expression) of each query."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield "annotation " + note["name"], note["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            # label_values(METRIC, LABEL) is Grafana's own.
            yield "variable " + variable["name"], re.sub(r"label_values\((.*),.*\)", r"\1", variable["query"]["query"])


def check_panel(panel, variables):
    title = panel.get("title")
    if not title:
        yield "a panel without a title"
    if panel["type"] == "row":
        return
    if not panel.get("description"):
        yield "no description"
    if not panel.get("targets"):
        yield "no query"
    places = [panel["datasource"]["uid"]] + [target["datasource"]["uid"] for target in panel["targets"]]
    if any(place.strip("${}") not in variables for place in places):
        yield "a data source that is no variable"
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) != len(references):
        yield "two queries of one refId"
    if "unit" not in panel["fieldConfig"]["defaults"]:
        yield "no unit"


def check_places(found):
    taken = {}
    for panel in found:
        place = panel["gridPos"]
        if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > 24:
            yield "%s: outside of the 24 columns" % panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if taken.setdefault((x, y), panel["title"]) != panel["title"]:
                    yield "%s: overlaps %s" % (panel["title"], taken[x, y])
                    return


def check_dashboard(dashboard):
    for key in ("title", "uid", "schemaVersion", "time", "templating", "annotations", "panels"):
        if key not in dashboard:
            yield "there is no " + key
    if dashboard.get("id") is not None:
        yield "it has an id of somebody's Grafana"
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    found = list(panels(dashboard))
    if len({panel["id"] for panel in found}) != len(found):
        yield "two panels of one id"
    for panel in found:
        for problem in check_panel(panel, variables):
            yield "%s: %s" % (panel.get("title"), problem)
    for where, expression in queries(dashboard):
        for variable in re.findall(r"\$\{?([a-zA-Z_]+)", expression):
            if variable not in variables and not variable.startswith("__"):
                yield "%s: there is no variable %s" % (where, variable)
    yield from check_places(found)


def check_names(files, metrics):
    known = set(re.findall(r"^# TYPE ([a-z0-9_]+) ", metrics, re.M))
    for histogram in re.findall(r"^# TYPE ([a-z0-9_]+) histogram$", metrics, re.M):
        known |= {histogram + end for end in ("_bucket", "_sum", "_count")}
        known.discard(histogram)
    for file in files:
        with open(file, encoding="utf-8") as text:
            content = text.read()
        if file.endswith(".json"):
            content = "\n".join(expression for _, expression in queries(json.loads(content)))
        names = set(NAME.findall(content))
        if not names:
            yield "%s names no metric" % file
        for name in sorted(names - known):
            yield "%s: /metrics has no %s" % (file, name)


def print_rules(dashboard):
    print("groups: [{name: dashboard, rules: [")
    for number, (_, expression) in enumerate(queries(dashboard)):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        print("  {record: 'query:%d', expr: %s}," % (number, json.dumps(expression)))
    print("]}]")


def main():
    what, files = sys.argv[1], sys.argv[2:]
    if what == "names":
        problems = list(check_names(files, sys.stdin.read()))
    else:
        with open(files[0], encoding="utf-8") as text:
            dashboard = json.load(text)
        problems = list(check_dashboard(dashboard)) if what == "dashboard" else print_rules(dashboard) or []
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
