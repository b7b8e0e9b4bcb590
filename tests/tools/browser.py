# SPDX-License-Identifier: MIT
"""A headless Chromium for tests, driven by the DevTools protocol over a pipe (no port, no library).

    with Browser() as browser:
        browser.open(url)
        browser.wait("document.title === 'x'", seconds=10)
        browser.evaluate("1 + 1")
        browser.screenshot("page.png", width=1100, height=900)
        browser.errors      # what the console and the page's policy complained about
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = os.environ.get("DUNE_TEST_CHROMIUM") or shutil.which("chromium")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--hide-scrollbars", "--remote-debugging-pipe"]
# The browser reads commands from descriptor 3 and writes to 4.
COMMANDS_FD, EVENTS_FD = 3, 4


class Browser:
    def __init__(self):
        self.errors = []
        self._next, self._answers, self._waiting = 0, {}, b""
        self._profile = tempfile.mkdtemp(prefix="dune-browser.")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def prepare():
            # Out of the way first: a pipe may have got the very numbers.
            source, sink = os.dup(theirs_in), os.dup(theirs_out)
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate((source, sink))]
            os.dup2(high[0], COMMANDS_FD)
            os.dup2(high[1], EVENTS_FD)

        self._process = subprocess.Popen(
            [PROGRAM, *OPTIONS, "--user-data-dir=" + self._profile], close_fds=False,
            preexec_fn=prepare, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = None
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method, **parameters):
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 30
        while self._next not in self._answers:
            self._read(deadline)
        answer = self._answers.pop(self._next)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self, deadline):
        if not select.select([self._in], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError("the browser does not answer")
        got = os.read(self._in, 1 << 20)
        if not got:
            raise RuntimeError("the browser has ended")
        *whole, self._waiting = (self._waiting + got).split(b"\0")
        for line in whole:
            message = json.loads(line)
            if "id" in message:
                self._answers[message["id"]] = message
            elif message["method"] == "Runtime.exceptionThrown":
                self.errors.append(message["params"]["exceptionDetails"]["text"])
            elif message["method"] == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error":
                    self.errors.append(f"{entry['text']} {entry.get('url', '')}".rstrip())

    def before_load(self, script):
        """Run in each page that is opened from now on, before its own scripts."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def press(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression, seconds=15):
        deadline = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} s: {expression}; the page says:\n" +
                                   self.evaluate("document.body.innerText"))
            time.sleep(0.05)

    def emulate(self, dark=False, reduced=False):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"}])

    def screenshot(self, path, width=1100, height=900):
        self.size(width, height)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
