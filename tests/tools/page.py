# SPDX-License-Identifier: MIT
"""What the page shows in a real browser: page.py CASE WSFAND_PORT STATSD_PORT FRAMES_SOCKET [PICTURES_DIRECTORY]

live        numbers on the page equal those that were sent, for every kind of field; hostile text is text
flood       500 updates a second: the page goes on drawing and ends with the newest
own-port    opened on statsd's own port it says where the live numbers are
overview    the first page: daemons and rooms
watch       opens the form, prints `live`, waits for a line, and then to see the page reconnect
"""
import json
import os
import socket
import struct
import sys
import time

from browser import Browser

FORM = "60f7b1b9e1234567890abcde"
HOSTILE = ["<script>document.title = 'broken'</script>", "\u202ertl", "\U0001f3dc dune", "x" * 10000,
           "__proto__", "\" onload=\"x"]


class Producer:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def send(self, kind, data):
        text = json.dumps({"type": kind, "formId": FORM, "data": data}).encode()
        self.socket.sendall(struct.pack(">I", len(text)) + text)


def text(browser, name):
    return browser.evaluate(f"document.getElementById({name!r}).textContent")


def card(browser, field):
    """Title, note, figures and bars ([name, count, share of the width]) of a field's card."""
    return browser.evaluate("""(() => {
        const li = [...document.querySelectorAll('#fields > li')]
            .find((li) => li.querySelector('h3').textContent === %s);
        return li && {
            note: li.querySelector('p.soft').textContent,
            figures: [...li.querySelectorAll('p')].at(-1).textContent,
            trend: (li.querySelector('polyline')?.getAttribute('points') || '').split(' ').length,
            bars: [...li.querySelectorAll('.bars li')].map((bar) => [
                bar.querySelector('.name').textContent, bar.querySelector('.count').textContent,
                bar.querySelector('.fill').style.width]),
        };
    })()""" % json.dumps(field))


def open_live(browser, port):
    browser.open(f"http://127.0.0.1:{port}/forms/{FORM}")
    browser.wait("document.getElementById('state').textContent === 'Live'")


def live(browser, wsfand, _statsd, producer):
    open_live(browser, wsfand)
    assert "No numbers" in text(browser, "note"), text(browser, "note")
    producer.send("analytics:update", {
        "totalResponses": 4242, "completionRate": 0.5, "averageTimeToComplete": 61.5,
        "byField": {
            "choice": {"count": 4, "distribution": {"a": 3, "b": 1, "c": 0}},
            "boxes": {"count": 2, "distribution": {name: 1 for name in HOSTILE}, "invalid": 7},
            "stars": {"count": 3, "average": 3.6667, "median": 4,
                      "trend": [{"date": "2026-03-01", "value": 3, "count": 1},
                                {"date": "2026-03-02", "value": 4, "count": 2}]},
            "words": {"count": 5, "topKeywords": [{"keyword": "sand", "count": 5},
                                                  {"keyword": "<b>wind</b>", "count": 1}]},
        }})
    producer.send("metrics:update", {"responsesToday": 12, "responsesThisHour": 3,
                                     "activeViewers": 2, "lastSubmission": "2026-03-01T09:30:00.000Z"})
    browser.wait("document.getElementById('total').textContent === '4,242'")
    browser.wait("document.getElementById('today').textContent === '12'")
    got = [text(browser, name) for name in ("hour", "viewers", "completion", "duration")]
    assert got == ["3", "2", "50%", "61.5 s"], got
    got = card(browser, "choice")
    assert got["note"] == "4 answers", got
    assert got["bars"] == [["a", "3 · 75%", "100%"], ["b", "1 · 25%", "33.3333%"],
                           ["c", "0 · 0%", "0%"]], got
    got = card(browser, "stars")
    assert got["figures"] == "mean 3.67 · median 4" and got["trend"] == 2, got
    got = card(browser, "words")
    assert [bar[:2] for bar in got["bars"]] == [["sand", "5"], ["<b>wind</b>", "1"]], got
    got = card(browser, "boxes")
    assert got["note"] == "2 answers, 7 that do not fit", got
    assert sorted(bar[0] for bar in got["bars"]) == sorted(HOSTILE), got
    assert browser.evaluate("document.querySelectorAll('main script, main b').length") == 0
    assert browser.evaluate("document.title") == f"{FORM} – dune-live"
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    # A field that is gone takes its card with it.
    producer.send("analytics:update", {"totalResponses": 0, "byField": {"choice": {"count": 0, "distribution": {}}}})
    browser.wait("document.getElementById('total').textContent === '0'")
    assert browser.evaluate("document.querySelectorAll('#fields > li').length") == 1
    assert text(browser, "note") == "There are no responses yet."


def flood(browser, wsfand, _statsd, producer):
    open_live(browser, wsfand)
    browser.evaluate("window.frames_ = 0; (function f() { window.frames_++; requestAnimationFrame(f); })()")
    begin = time.monotonic()
    count = 1500
    for n in range(1, count + 1):
        producer.send("analytics:update", {"totalResponses": n, "byField": {
            f"field{i}": {"count": n, "distribution": {"a": n, "b": n // 2}} for i in range(10)}})
        time.sleep(max(0, begin + n / 500 - time.monotonic()))
    browser.wait(f"document.getElementById('total').textContent === '{count:,}'", 5)
    drawn = browser.evaluate("window.frames_")
    assert drawn > 20, f"{drawn} frames were drawn in {time.monotonic() - begin:.1f} s"


def own_port(browser, _wsfand, statsd, _producer):
    browser.open(f"http://127.0.0.1:{statsd}/forms/{FORM}")
    browser.wait("document.getElementById('state').textContent === 'No live numbers here'")
    assert "wsfand" in text(browser, "note")


def overview(browser, wsfand, statsd, _producer):
    open_live(browser, wsfand)
    with Browser() as other:
        other.open(f"http://127.0.0.1:{statsd}/")
        other.wait("document.querySelectorAll('#daemons > li').length === 4")
        other.wait(f"document.getElementById('room-rows').textContent === '{FORM}1'")
        assert text(other, "state") == "Not ready", text(other, "state")
        assert not other.errors, other.errors


def watch(browser, wsfand, _statsd, producer):
    open_live(browser, wsfand)
    producer.send("analytics:update", {"totalResponses": 7, "byField": {}})
    browser.wait("document.getElementById('total').textContent === '7'")
    print("live", flush=True)
    browser.wait("document.getElementById('state').textContent.startsWith('Reconnecting')")
    assert text(browser, "total") == "7"
    print("reconnecting", flush=True)
    browser.wait("document.getElementById('state').textContent === 'Live'", 60)
    print("back", flush=True)
    browser.errors.clear()  # the browser itself complains of the connection that was refused


def main():
    case, wsfand, statsd, frames = sys.argv[1:5]
    run = {"live": live, "flood": flood, "own-port": own_port, "overview": overview, "watch": watch}[case]
    with Browser() as browser:
        run(browser, wsfand, statsd, Producer(frames))
        if len(sys.argv) > 5:
            os.makedirs(sys.argv[5], exist_ok=True)
            browser.screenshot(os.path.join(sys.argv[5], case + ".png"))
        assert not browser.errors, browser.errors


if __name__ == "__main__":
    main()
