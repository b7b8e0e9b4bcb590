# SPDX-License-Identifier: MIT
"""What the page shows in a real browser: page.py CASE WSFAND_PORT STATSD_PORT FRAMES_SOCKET [PICTURES_DIRECTORY]

live        numbers on the page equal those that were sent, for every kind of field; hostile text is text
hostile     ids, options and keywords of 10 KB, from right to left, and of markup, are text
quick       the first numbers are there within a second of opening
keyboard    everything can be reached and worked without a pointer
locale      numbers and times are those of the reader's language
contrast    every text on both pages has the contrast of WCAG 2.1, AA, by day and by night
labels      with a definition (played) the form's own words stand there, hostile ones as text, and change with it
flood       500 updates a second: the page goes on drawing, is there for a click, and ends with the newest
states      nothing yet, no responses, stale, being counted anew, refused: each says so
tokens      where tokens are asked for: none, one for another form, a good one (DUNE_TEST_TOKENS: the latter two)
layout      nothing moves, nothing scrolls sideways on a phone or at 200 %, nothing moves for those who ask for that
own-port    opened on statsd's own port it says where the live numbers are
overview    the first page: daemons, rooms, and what went wrong
clock       the first page goes on where the server's clock is set back by an hour
fresh       with the demo: how fresh its numbers are is shown
list        the list of forms on the first page: prints `listed`, waits until it is refused, `refused`, and for another form
watch       opens the form, prints `live`, waits for the page to reconnect, and to be back
whole       the whole pipeline: prints `unknown`, then waits for the form's definition and two responses; then `counted`,
            waits until ingestd is missed, `stale`, and until it is back
"""
import json
import os
import socket
import struct
import sys
import time
import urllib.request

from browser import Browser

FORM = "60f7b1b9e1234567890abcde"
DEMO_FORM = "5f3a1c00d0e1f2a3b4c5d601"
HOSTILE = ["<script>document.title = 'broken'</script>", "\u202ertl", "\U0001f3dc dune", "x" * 10000,
           "__proto__", "\" onload=\"x"]
STARS = {"type": "rating", "count": 3, "average": 3.6667, "median": 4,
         "trend": [{"date": "2026-03-01", "value": 3, "count": 1}, {"date": "2026-03-02", "value": 4, "count": 2}]}
FIELDS = {
    "choice": {"type": "mcq", "count": 4, "distribution": {"a": 3, "b": 1, "c": 0}},
    "boxes": {"type": "checkbox", "count": 2, "distribution": {name: 1 for name in HOSTILE}, "invalid": 7},
    "stars": STARS,
    "words": {"type": "text", "count": 5, "topKeywords": [{"keyword": "sand", "count": 5},
                                                          {"keyword": "<b>wind</b>", "count": 1}]},
}
SHIFTS = """window.shifts_ = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifts_ += one.value; })
    .observe({ type: 'layout-shift', buffered: true });"""


class Producer:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def send(self, kind, data):
        text = json.dumps({"type": kind, "formId": FORM, "data": data}).encode()
        self.socket.sendall(struct.pack(">I", len(text)) + text)

    def update(self, total, fields=None):
        self.send("analytics:update", {"totalResponses": total, "byField": fields or {}})

    def metrics(self, today=12):
        self.send("metrics:update", {"responsesToday": today, "responsesThisHour": 3, "activeViewers": 2,
                                     "lastSubmission": "2026-03-01T09:30:00.000Z"})


def text(browser, name):
    return browser.evaluate(f"document.getElementById({name!r}).textContent")


def state_is(browser, words, seconds=15):
    browser.wait(f"document.getElementById('state').textContent === {json.dumps(words)}", seconds)


def value_is(browser, name, words, seconds=15):
    browser.wait(f"document.getElementById({name!r}).textContent === {json.dumps(words)}", seconds)


def card(browser, field):
    """What the card of that title shows."""
    return browser.evaluate("""(() => {
        const li = [...document.querySelectorAll('#fields > li')]
            .find((li) => li.querySelector('h3').textContent === %s);
        const all = (selector, tell) => [...li.querySelectorAll(selector)].map(tell);
        return li && {
            note: li.querySelector('p.soft').textContent,
            chip: li.querySelector('.chip').textContent,
            figures: all('.pair dd', (dd) => dd.textContent),
            points: (li.querySelector('.trend .line')?.getAttribute('d') || '').split('L').length,
            caption: li.querySelector('figcaption')?.textContent,
            columns: all('.histogram li', (one) => [one.querySelector('.name').textContent, one.querySelector('.count').textContent]),
            marks: all('.histogram .mark', (one) => parseFloat(one.style.left)),
            ticks: all('.ticks span', (one) => one.textContent),
            scale: li.querySelector('.scale') && !li.querySelector('.scale').hidden,
            bounds: all('.bound', (one) => one.textContent),
            words: all('.words li', (one) => [one.children[0].textContent, one.children[1].textContent, parseFloat(one.style.fontSize)]),
            bars: all('.bars li', (bar) => [bar.querySelector('.name').textContent,
                bar.querySelector('.count').textContent, bar.querySelector('.fill').style.width]),
        };
    })()""" % json.dumps(field))


PICTURES = sys.argv[5] if len(sys.argv) > 5 else None


def picture(browser, name, width=1100):
    """A screenshot of the whole page, where a directory for them was given. The window is then as wide as before."""
    if not PICTURES:
        return
    os.makedirs(PICTURES, exist_ok=True)
    was = browser.evaluate("innerWidth")
    browser.size(width)
    height = browser.evaluate("document.documentElement.scrollHeight")
    browser.screenshot(os.path.join(PICTURES, name + ".png"), width, min(height, 4000))
    browser.size(was)


def open_form(browser, port, form=FORM):
    browser.open(f"http://127.0.0.1:{port}/forms/{form}")


def open_live(browser, port, producer, fields=None):
    open_form(browser, port)
    browser.wait("['Live', 'No numbers yet'].includes(document.getElementById('state').textContent)")
    producer.update(1, fields)
    value_is(browser, "total", "1")
    state_is(browser, "Live")


def live(browser, wsfand, _statsd, producer):
    open_live(browser, wsfand, producer)
    value_is(browser, "viewers", "1")
    producer.send("analytics:update", {"totalResponses": 4242, "completionRate": 0.5, "averageTimeToComplete": 61.5,
                                       "byField": FIELDS, "updatedAt": "2026-03-01T09:30:00.000Z"})
    producer.metrics()
    value_is(browser, "total", "4,242")
    value_is(browser, "today", "12")
    got = [text(browser, name) for name in ("hour", "viewers", "completion", "duration")]
    assert got == ["3", "2", "50%", "61.5 s"], got
    # One of several wsfands tells only of its own viewers.
    producer.send("connection:status", {"status": "connected", "activeConnections": 1})
    last = browser.evaluate("(({ title, dateTime, textContent }) => [title, dateTime, textContent])(document.getElementById('last'))")
    assert last[1] == "2026-03-01T09:30:00.000Z" and "2026" in last[0] and "ago" in last[2], last
    got = card(browser, "choice")
    assert got["note"] == "4 answers · 0.1% of all" and got["chip"] == "one choice", got
    assert got["bars"] == [["a", "3 · 75%", "100%"], ["b", "1 · 25%", "33.3333%"], ["c", "0 · 0%", "0%"]], got
    got = card(browser, "stars")
    assert got["figures"] == ["3.67", "4"] and got["points"] == 2, got
    assert got["caption"] == "Mean by day, Mar 1 – Mar 2" and got["bounds"] == ["4", "3"], got
    assert got["scale"] and not got["columns"], got
    got = card(browser, "words")
    assert [word[:2] for word in got["words"]] == [["sand", "5"], ["<b>wind</b>", "1"]], got
    assert got["words"][0][2] > got["words"][1][2], got
    got = card(browser, "boxes")
    assert got["note"] == "2 answers · 0% of all · 7 that do not fit", got
    assert sorted(bar[0] for bar in got["bars"]) == sorted(HOSTILE), got
    assert browser.evaluate("document.querySelectorAll('main script, main b').length") == 0
    assert browser.evaluate("document.title") == f"{FORM} – dune-live"
    histograms(browser, producer)
    browser.evaluate("document.querySelector('.trend svg').focus()")
    browser.press("ArrowLeft", 37)
    assert card(browser, "stars")["caption"] == "Mar 1: 3, 1 answer", card(browser, "stars")
    # A field that is gone takes its card with it, and one that changes its kind gets another.
    producer.update(0, {"choice": {"count": 0, "distribution": {}}})
    value_is(browser, "total", "0")
    assert browser.evaluate("document.querySelectorAll('#fields > li').length") == 1
    producer.update(1, {"choice": {"type": "text", "count": 1, "topKeywords": []}})
    value_is(browser, "total", "1")
    assert card(browser, "choice")["chip"] == "text"
    assert text(browser, "viewers") == "2", text(browser, "viewers")
    browser.wait("document.getElementById('speech').textContent !== ''")


def histograms(browser, producer):
    """Where the counts of a rating's values are told, they are columns, with the mean and the median among them."""
    def drawn(total, average, median, distribution):
        producer.update(total, {"stars": {**STARS, "average": average, "median": median, "distribution": distribution}})
        value_is(browser, "total", str(total))
        return card(browser, "stars")
    got = drawn(6, 4, 5, {"1": 1, "5": 2, "3": 0})
    assert got["columns"] == [["1", "1"], ["2", "0"], ["3", "0"], ["4", "0"], ["5", "2"]], got
    assert got["marks"] == [70, 90] and not got["scale"], got
    got = drawn(7, 7, 10, {"10": 4, "1": 3})
    assert [column[1] for column in got["columns"]] == ["0", "3"] + ["0"] * 8 + ["4"], got
    # Halves, far apart: columns of a width that one can read.
    got = drawn(8, 100, 99.5, {"0.5": 1, "99.5": 2, "-200": 3})
    assert sum(int(column[1]) for column in got["columns"]) == 6 and len(got["columns"]) <= 24, got
    assert got["columns"][0] == ["-200 – -180", "3"] and got["columns"][-1] == ["80 – 100", "2"], got
    assert got["ticks"][0] == "-200", got
    got = drawn(9, 3, 3, {"3000000": 5})
    assert got["columns"] == [["3,000,000", "5"]], got


def hostile(browser, wsfand, _statsd, producer):
    fields = {name: {"type": "mcq", "count": 1, "distribution": {name: 1}} for name in HOSTILE}
    fields["words"] = {"type": "text", "count": 1, "topKeywords": [{"keyword": name, "count": 1} for name in HOSTILE]}
    fields["odd"] = {"type": "rating", "count": 1, "average": 1, "median": 1, "distribution": {name: 1 for name in HOSTILE},
                     "trend": [{"date": name, "value": 1, "count": 1} for name in HOSTILE]}
    fields["none"] = {"type": "<script>", "count": 1}
    open_live(browser, wsfand, producer, fields)
    browser.wait("document.querySelectorAll('#fields > li').length === %d" % len(fields))
    titles = browser.evaluate("[...document.querySelectorAll('#fields h3')].map((h3) => h3.textContent)")
    assert sorted(titles) == sorted(fields), [title[:50] for title in titles]
    for name in HOSTILE:
        assert card(browser, name)["bars"][0][0] == name, name[:50]
    assert sorted(word[0] for word in card(browser, "words")["words"]) == sorted(HOSTILE)
    assert browser.evaluate("document.querySelectorAll('main script, main b, main [onload]').length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    assert browser.evaluate("document.documentElement.scrollHeight < 4000"), "one text takes the whole page"
    picture(browser, "hostile-text")
    # Numbers that are none break nothing.
    producer.update("<b>", {"choice": {"type": "mcq", "count": "x", "distribution": {"a": "y", "b": 2}}, "b": None, "c": [1],
                            "d": {"type": "rating", "average": "z", "median": {}, "distribution": {"1": "w"}, "trend": [None, {}]},
                            "e": {"type": "text", "topKeywords": [None, {"keyword": 7, "count": "v"}]}, "f": 8})
    value_is(browser, "total", "–")
    assert [bar[0] for bar in card(browser, "choice")["bars"]] == ["b"], card(browser, "choice")
    producer.update(2)
    value_is(browser, "total", "2")


def quick(browser, wsfand, _statsd, producer):
    """On a machine that is busy with other things one quick opening among many is proof enough."""
    browser.before_load("""new MutationObserver((_, observer) => {
        const total = document.getElementById('total');
        if (total && total.textContent === '5') { window.after_ = performance.now(); observer.disconnect(); }
    }).observe(document, { childList: true, subtree: true, characterData: true });""")
    open_live(browser, wsfand, producer)
    with Browser() as keeper:  # the room, and so its last state, stays
        open_form(keeper, wsfand)
        state_is(keeper, "Live")
        producer.update(5, FIELDS)
        value_is(keeper, "total", "5")
        times = []
        while not times or min(times) >= 1000:
            assert len(times) < 20, f"the first numbers came after {times} ms"
            open_form(browser, wsfand)
            browser.wait("window.after_")
            times.append(browser.evaluate("window.after_"))
    print(f"# first numbers after {min(times):.0f} ms")


def keyboard(browser, wsfand, _statsd, producer):
    many = {f"option {i:02}": 100 - i for i in range(30)}
    open_live(browser, wsfand, producer, {"choice": {"type": "mcq", "count": 3000, "distribution": many}, "stars": STARS})
    focused = "(({ className, id, textContent }) => `${className}${id} ${textContent}`.slice(0, 40))(document.activeElement)"

    def tab():
        browser.press("Tab", 9)
        return browser.evaluate(focused)

    def enter():
        browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        browser.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)

    got = tab()
    assert got == "skip To the answers", got
    shown = browser.evaluate("document.querySelector('.skip').getBoundingClientRect().left >= 0")
    assert shown, "the link that has the focus is not to be seen"
    enter()
    assert browser.evaluate("location.hash") == "#fields"
    got = tab()
    assert got == "more Show all 30", got
    ring = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid", f"nothing shows where the focus is: {ring}"
    assert len(card(browser, "choice")["bars"]) == 12
    enter()
    browser.wait("document.querySelectorAll('.bars li').length === 30")
    assert browser.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    # What comes meanwhile takes the focus from nobody.
    producer.update(2, {"choice": {"type": "mcq", "count": 3001, "distribution": many}, "stars": STARS})
    value_is(browser, "total", "2")
    got = browser.evaluate(focused)
    assert got == "more Show fewer", got
    tab()
    assert browser.evaluate("document.activeElement.getAttribute('role')") == "img"
    assert browser.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Mean by day, Mar 1 to Mar 2: lowest 3")
    # Each picture that is no list has words of its own.
    bare = browser.evaluate("[...document.querySelectorAll('main svg, main [role=img]')]"
                            ".filter((one) => !one.closest('[aria-hidden=true]') && !one.getAttribute('aria-label')).length")
    assert bare == 0, bare


def locale(browser, wsfand, _statsd, producer):
    browser.call("Emulation.setLocaleOverride", locale="de-DE")
    open_live(browser, wsfand, producer)
    producer.send("analytics:update", {"totalResponses": 1234567, "completionRate": 0.125, "byField": {"stars": STARS},
                                       "updatedAt": "2026-03-01T09:30:00.000Z"})
    producer.metrics()
    value_is(browser, "total", "1.234.567")
    value_is(browser, "completion", "12,5\u00a0%")
    assert card(browser, "stars")["figures"][0] == "3,67", card(browser, "stars")
    assert text(browser, "updated").startswith("vor "), text(browser, "updated")
    assert "01.03.2026" in browser.evaluate("document.getElementById('updated').title")


CONTRAST = """(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
    const light = (color) => color.map((one) => one / 255)
        .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
        .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => {
        if (!node)
            return rgba('white').slice(0, 3);
        const color = rgba(getComputedStyle(node).backgroundColor);
        return color[3] === 1 ? color.slice(0, 3) : over(color, ground(node.parentElement));
    };
    const low = [];
    let looked = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !node.checkVisibility({ visibilityProperty: true }) || node.closest('.unseen, .skip, noscript'))
            continue;
        const style = getComputedStyle(node);
        let opacity = 1;
        for (let one = node; one; one = one.parentElement)
            opacity *= Number(getComputedStyle(one).opacity);
        const below = ground(node), color = rgba(style.color);
        const [a, b] = [light(over([...color.slice(0, 3), color[3] * opacity], below)), light(below)].sort((x, y) => y - x);
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const ratio = (a + 0.05) / (b + 0.05);
        looked++;
        if (ratio < (large ? 3 : 4.5))
            low.push(`${node.className || node.tagName} "${walker.currentNode.textContent.trim().slice(0, 30)}": ${ratio.toFixed(2)}`);
    }
    return { looked, low };
})()"""


def contrast(browser, wsfand, _statsd, producer):
    for dark in (False, True):
        browser.emulate(dark=dark, reduced=True)
        open_live(browser, wsfand, producer, FIELDS)
        producer.metrics()
        value_is(browser, "today", "12")
        found = [browser.evaluate(CONTRAST)]
        browser.evaluate("document.body.dataset.state = 'bad'; document.getElementById('state').className = 'state bad'")
        found.append(browser.evaluate(CONTRAST))
        browser.open(f"http://127.0.0.1:{wsfand}/")
        state_is(browser, "Not ready")
        found.append(browser.evaluate(CONTRAST))
        for one in found:
            assert one["looked"] > 15 and not one["low"], one


def labels(browser, wsfand, _statsd, producer):
    form = {"id": FORM, "title": "How was <b>it</b>?", "fields": [
        {"id": "words", "type": "text", "label": HOSTILE[1], "required": False},
        {"id": "choice", "type": "mcq", "label": HOSTILE[0], "required": True,
         "options": [{"id": "a", "label": "<i>A</i>"}, {"id": "b", "label": HOSTILE[2]}]},
        {"id": "stars", "type": "rating", "label": HOSTILE[3], "required": False}]}
    browser.before_load("""(() => {
        const real = window.fetch, now = performance.now.bind(performance);
        window.form_ = %s;
        window.ahead_ = 0;
        performance.now = () => now() + window.ahead_;
        window.fetch = (path, ...rest) => String(path).startsWith('/api/forms/') ?
            Promise.resolve(new Response(JSON.stringify(window.form_))) : real(path, ...rest);
    })()""" % json.dumps(form))
    open_live(browser, wsfand, producer, FIELDS)
    value_is(browser, "title", "How was <b>it</b>?")
    assert browser.evaluate("document.title") == "How was <b>it</b>? – dune-live"
    browser.wait("document.querySelector('#fields h3').textContent !== 'choice'")
    titles = browser.evaluate("[...document.querySelectorAll('#fields h3')].map((h3) => h3.textContent)")
    assert titles == [HOSTILE[1], HOSTILE[0], HOSTILE[3], "boxes"], [title[:50] for title in titles]
    got = card(browser, HOSTILE[0])
    assert [bar[0] for bar in got["bars"]] == ["<i>A</i>", HOSTILE[2], "c"], got
    assert browser.evaluate("document.querySelectorAll('main script, main b, main i').length") == 0
    # An option that is not known: the form has changed, perhaps.
    browser.evaluate("window.form_.fields[1].options.push({ id: 'd', label: 'the new one' })")
    producer.update(2, {**FIELDS, "choice": {"type": "mcq", "count": 5, "distribution": {"a": 3, "b": 1, "d": 1}}})
    browser.wait("[...document.querySelectorAll('.bars .name')].some((name) => name.textContent === 'the new one')")
    # Nothing tells of another title; it is looked for now and then.
    browser.evaluate("window.form_.title = 'How is it?'; window.ahead_ = 61000;")
    value_is(browser, "title", "How is it?")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"


# The longest time between two frames of the screen, and how long each click took to be drawn.
RESPONSIVE = """(() => {
    window.begin_ = () => void Object.assign(window, { longest_: 0, clicks_: [] });
    window.begin_();
    let before = performance.now();
    (function frame() {
        const now = performance.now();
        window.longest_ = Math.max(window.longest_, now - before);
        before = now;
        requestAnimationFrame(frame);
    })();
    document.addEventListener('click', (event) => requestAnimationFrame(() => window.clicks_.push(performance.now() - event.timeStamp)));
})()"""
FLOOD_ATTEMPTS = 8


def click(browser, name):
    x, y = browser.evaluate("(({ x, y, width, height }) => [x + width / 2, y + height / 2])"
                            f"(document.getElementById({name!r}).getBoundingClientRect())")
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def flood(browser, wsfand, _statsd, producer):
    """Another browser with an empty page tells how long the machine itself keeps one waiting meanwhile."""
    open_live(browser, wsfand, producer)
    browser.evaluate(RESPONSIVE)
    total, measured = 1, []
    with Browser() as idle:
        idle.evaluate(RESPONSIVE)
        for _ in range(FLOOD_ATTEMPTS):
            idle.evaluate("window.begin_()")
            browser.evaluate("window.begin_()")
            begin = time.monotonic()
            for n in range(1000):
                total += 1
                producer.update(total, {f"field{i}": {"count": total, "distribution": {"a": total, "b": total // 2}} for i in range(10)})
                if n % 200 == 100:
                    click(browser, "title")
                time.sleep(max(0, begin + n / 500 - time.monotonic()))
            value_is(browser, "total", f"{total:,}", 5)
            browser.wait("window.clicks_.length === 5")
            longest, clicks = browser.evaluate("[window.longest_, window.clicks_]")
            measured.append([round(ms) for ms in (longest, max(clicks), idle.evaluate("window.longest_"))])
            if max(measured[-1][:2]) < max(200, 3 * measured[-1][2]):
                return
    raise AssertionError(f"longest frame, longest click, longest frame of an empty page, in ms: {measured}")


def states(browser, wsfand, _statsd, producer):
    browser.before_load("""window.sockets_ = []; window.ahead_ = 0;
        window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); window.sockets_.push(this); } };
        (() => { const real = Date.now; Date.now = () => real() + window.ahead_; })()""")
    open_form(browser, wsfand)
    state_is(browser, "No numbers yet")
    picture(browser, "no-numbers")
    assert "analyticsd" in text(browser, "note"), text(browser, "note")
    producer.update(0)
    state_is(browser, "Live, no responses yet")
    assert "no responses yet" in text(browser, "note"), text(browser, "note")
    picture(browser, "no-responses")
    producer.update(3, FIELDS)
    producer.metrics()
    browser.wait("document.getElementById('note').textContent === ''")
    browser.evaluate("window.ahead_ = 60000")
    state_is(browser, "Stale")
    picture(browser, "stale")
    producer.metrics(13)
    state_is(browser, "Live")
    producer.send("analytics:update", {"stale": True, "totalResponses": 3, "byField": FIELDS})
    state_is(browser, "Stale: being counted anew")
    assert text(browser, "note").startswith("Until everything is counted, "), text(browser, "note")
    assert text(browser, "total") == "3"
    picture(browser, "counted-anew")
    producer.update(4, FIELDS)
    value_is(browser, "total", "4")
    state_is(browser, "Live")
    # Too many bad messages are answered with 1008.
    browser.evaluate("for (let i = 0; i < 40; i++) window.sockets_.at(-1).send('x')")
    state_is(browser, "Refused")
    assert "turned this page away" in text(browser, "note"), text(browser, "note")
    assert text(browser, "total") == "4"
    picture(browser, "refused")
    browser.evaluate("document.getElementById('retry').focus()")
    assert browser.evaluate("document.activeElement.id") == "retry"
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    state_is(browser, "Live")


def tokens(browser, wsfand, _statsd, producer):
    other, good = os.environ["DUNE_TEST_TOKENS"].split()
    address = f"http://127.0.0.1:{wsfand}/forms/{FORM}"
    for query, why in (("", "it wants a valid token"), ("?token=" + other, "it does not let us see this form")):
        browser.open(address + query)
        state_is(browser, "Refused")
        assert text(browser, "note") == f"The server has turned this page away: {why}.", text(browser, "note")
        assert text(browser, "total") == "–"
    browser.errors.clear()  # that it was refused
    browser.open(address + "?token=" + good)
    browser.wait("['Live', 'No numbers yet'].includes(document.getElementById('state').textContent)")
    producer.update(8)
    value_is(browser, "total", "8")


def layout(browser, wsfand, _statsd, producer):
    browser.before_load(SHIFTS)
    open_live(browser, wsfand, producer, FIELDS)
    producer.metrics()
    value_is(browser, "today", "12")
    for n in range(2, 40):
        producer.update(n * 997, {**FIELDS, "choice": {"type": "mcq", "count": n, "distribution": {"a": n, "b": 1, "c": 0}}})
        time.sleep(0.02)
    value_is(browser, "total", f"{39 * 997:,}")
    shifts = browser.evaluate("window.shifts_")
    assert shifts < 0.02, f"things moved: {shifts}"
    picture(browser, "form-phone", 390)
    picture(browser, "form-200-percent", 600)
    browser.emulate(dark=True)
    picture(browser, "form-dark", 1200)
    browser.emulate()
    sizes = browser.evaluate("""performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
        .filter((one) => !one.name.includes('/api/')).reduce((sum, one) => sum + one.decodedBodySize, 0)""")
    assert 20000 < sizes < 100000, f"{sizes} bytes"
    for address, width in ((f"/forms/{FORM}", 360), (f"/forms/{FORM}", 620), ("/", 360), ("/", 620), ("/", 1240)):
        browser.size(width)
        browser.open(f"http://127.0.0.1:{wsfand}{address}")
        browser.wait("!['Connecting…'].includes(document.getElementById('state').textContent)")
        wide = browser.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address}: {wide} pixels wide in a window of {width}"
        time.sleep(1.2)
        shifts = browser.evaluate("window.shifts_")
        assert shifts < 0.05, f"{address} at {width}: things moved: {shifts}"
        if address == "/":
            picture(browser, f"pipeline-{width}", width)
    browser.emulate(reduced=True)
    browser.open(f"http://127.0.0.1:{wsfand}/")
    browser.wait("document.getElementById('state').textContent === 'Not ready'")
    assert browser.evaluate("document.getAnimations().length") == 0


def own_port(browser, _wsfand, statsd, _producer):
    open_form(browser, statsd)
    state_is(browser, "No live numbers here")
    assert "wsfand" in text(browser, "note")


def until_metric(statsd, line, seconds=15):
    end = time.monotonic() + seconds
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{statsd}/metrics", timeout=5) as answer:
            if line in answer.read().decode().splitlines():
                return
        assert time.monotonic() < end, f"no {line!r} in /metrics within {seconds} s"
        time.sleep(0.05)


def overview(browser, wsfand, statsd, producer):
    open_live(browser, wsfand, producer)
    producer.send("room:wrong", {})
    # Known to statsd before the page looks: what it sees rise is what comes later.
    until_metric(statsd, "dune_wsfand_bad_frames_total 1")
    with Browser() as other:
        other.open(f"http://127.0.0.1:{statsd}/")
        other.wait("document.getElementById('state').textContent === 'Not ready'")
        names = other.evaluate("[...document.querySelectorAll('.node')].map((node) => node.dataset.name).join(' ')")
        assert names == "source ingestd analyticsd wsfand browsers statsd", names
        value_is(other, "room-rows", f"{FORM}–1")
        value_is(other, "clients", "1")
        other.wait("document.querySelector('[data-name=wsfand] .status').textContent === 'well'")
        assert other.evaluate("document.querySelector('[data-name=ingestd] .status').textContent") == "away"
        problems = other.evaluate("[...document.querySelectorAll('#problems strong')].map((one) => one.textContent).join(' ')")
        assert problems == "ingestd analyticsd", problems
        value_is(other, "error-rows", "Frames that are none1–")
        producer.send("room:wrong", {})
        value_is(other, "error-rows", "Frames that are none2+1")
        other.wait("document.querySelector('[data-to=browsers] .spark .line').getAttribute('d').includes('L')")
        # What flows: as many messages a second as are sent, and nothing where nobody is.
        begin = time.monotonic()
        while not other.evaluate("Number(document.querySelector('[data-to=browsers] strong').textContent) > 0"):
            producer.update(3)
            assert time.monotonic() - begin < 30, other.evaluate("document.getElementById('flow').innerText")
            time.sleep(0.05)
        assert other.evaluate("document.querySelector('[data-to=browsers]').classList.contains('busy')")
        assert other.evaluate("document.querySelector('[data-to=analyticsd]').classList.contains('cut')")
        rows = other.evaluate("[...document.querySelectorAll('[data-name=browsers] dd')].map((dd) => dd.textContent)")
        assert rows == ["1", "1"], rows
        picture(other, "not-ready", 1200)
        assert not problems_of(other), other.errors


def forms_list(browser, wsfand, _statsd, _producer):
    # Its quarter of a minute is not waited for.
    browser.before_load("""(() => {
        const wait = window.setTimeout, real = window.fetch;
        window.refused_ = 0;
        window.setTimeout = (action, ms, ...rest) => wait(action, ms > 10000 ? ms / 50 : ms, ...rest);
        window.fetch = async (path, ...rest) => {
            const answer = await real(path, ...rest);
            window.refused_ += String(path).startsWith('/api/forms') && !answer.ok;
            return answer;
        };
    })()""")
    names = "[...document.querySelectorAll('#room-rows a')].map((a) => a.textContent).sort().join()"
    browser.open(f"http://127.0.0.1:{wsfand}/")
    browser.wait(names + " === 'one'", 30)
    print("listed", flush=True)
    browser.wait("window.refused_ > 1", 60)
    assert browser.evaluate(names) == "one", browser.evaluate(names)
    print("refused", flush=True)
    browser.wait(names + " === 'one,two'", 60)


def clock(browser, wsfand, _statsd, producer):
    browser.before_load("""window.back_ = 0;
        window.EventSource = class extends EventSource {
            set onmessage(take) {
                super.onmessage = ({ data }) => {
                    const pipeline = JSON.parse(data);
                    pipeline.at = new Date(Date.parse(pipeline.at) - window.back_).toISOString();
                    take({ data: JSON.stringify(pipeline) });
                };
            }
        };""")
    browser.open(f"http://127.0.0.1:{wsfand}/")
    value_is(browser, "clients", "0")
    browser.evaluate("window.back_ = 3600000")
    with Browser() as other:
        open_live(other, wsfand, producer)
        value_is(browser, "clients", "1")
        # Rates, too, from then on.
        browser.wait("document.querySelector('[data-to=browsers] strong').textContent !== '–'")


def fresh(browser, wsfand, _statsd, _producer):
    """With the demo behind it: how long a change took stands on the form's page, and on the first one, too."""
    open_form(browser, wsfand, DEMO_FORM)
    browser.wait("/^, [\\d.]+ (ms|s) after the change$/.test(document.getElementById('delay').textContent)", 30)
    browser.open(f"http://127.0.0.1:{wsfand}/")
    for name in ("p50", "p99"):
        browser.wait("/^[\\d.]+ (ms|s)$/.test(document.getElementById(%r).textContent)" % name, 30)


def watch(browser, wsfand, _statsd, producer):
    open_live(browser, wsfand, producer)
    producer.update(7)
    value_is(browser, "total", "7")
    print("live", flush=True)
    # Both at once: an attempt may begin, and fail, at any moment.
    browser.wait("/^Reconnecting in \\d+ s$/.test(document.getElementById('state').textContent) && "
                 "!document.getElementById('retry').hidden", 30)
    assert text(browser, "total") == "7"
    picture(browser, "reconnecting")
    # The seconds are counted down for eyes only: whoever listens is told once.
    loud = browser.evaluate("[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')].map((one) => one.id).join()")
    assert loud == "speech", loud
    assert text(browser, "speech").startswith("Reconnecting. "), text(browser, "speech")
    print("reconnecting", flush=True)
    browser.wait("document.getElementById('state').textContent === 'Live'", 60)
    print("back", flush=True)
    browser.errors.clear()  # the browser itself complains of the connection that was refused


def whole(browser, wsfand, _statsd, _producer):
    open_form(browser, wsfand)
    state_is(browser, "Unknown form")
    picture(browser, "unknown-form")
    print("unknown", flush=True)
    state_is(browser, "Live, no responses yet", 30)
    assert "no responses yet" in text(browser, "note"), text(browser, "note")
    print("defined", flush=True)
    value_is(browser, "total", "2", 30)
    browser.wait("document.querySelector('.bars .count')?.textContent === '2 · 100%'")
    # Its labels come as soon as it is defined, too.
    browser.wait("[...document.querySelectorAll('#fields h3')].map((h3) => h3.textContent).join() === 'C,R'", 10)
    got = card(browser, "R")
    assert got["figures"] == ["4.5", "4.5"], got
    assert got["columns"] == [["1", "0"], ["2", "0"], ["3", "0"], ["4", "1"], ["5", "1"]], got
    state_is(browser, "Live")
    print("counted", flush=True)
    # analyticsd goes on to send metrics; that nothing feeds it any more, statsd says.
    state_is(browser, "Stale", 60)
    note = "What is new may be missing here. ingestd: not connected to statsd any more."
    assert text(browser, "note").startswith(note), text(browser, "note")
    assert text(browser, "total") == "2"
    picture(browser, "cut-off")
    # So it is for whoever comes now.
    open_form(browser, wsfand)
    state_is(browser, "Stale")
    print("stale", flush=True)
    state_is(browser, "Live", 60)
    browser.open(f"http://127.0.0.1:{wsfand}/")
    state_is(browser, "All is well")
    browser.wait("document.querySelector('[data-name=source] .status').textContent === 'followed'")


def problems_of(browser):
    """What the browser complained of; that nobody tells of a form is no complaint."""
    return [error for error in browser.errors if "/api/forms" not in error]


CASES = {"live": live, "hostile": hostile, "quick": quick, "contrast": contrast, "keyboard": keyboard, "locale": locale,
         "labels": labels, "flood": flood, "states": states, "tokens": tokens, "layout": layout, "own-port": own_port,
         "overview": overview, "list": forms_list, "clock": clock, "fresh": fresh, "watch": watch, "whole": whole}


def main():
    case, wsfand, statsd, frames = sys.argv[1:5]
    with Browser() as browser:
        CASES[case](browser, wsfand, statsd, Producer(frames))
        picture(browser, case)
        assert not problems_of(browser), browser.errors


if __name__ == "__main__":
    main()
