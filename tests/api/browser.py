"""A headless browser, controlled through chromedriver (WebDriver protocol)."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium") or shutil.which("chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Left": "\ue012"}


@dataclass
class Browser:
    """One window."""

    port: int
    session: str = ""

    def go(self, url: str) -> None:
        """Open an address."""
        self._command("POST", "url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script; its return value."""
        return self._command("POST", "execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector: str) -> str:
        """The text of the first element that a selector finds, "" for none."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def press(self, *keys: str) -> None:
        """Press keys in order."""
        actions = [
            {"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")
        ]
        self._command("POST", "actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """Set the window's inner size; `phone` emulates a mobile device."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self._cdp("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, name: str) -> None:
        """Set the color scheme: `light` or `dark`."""
        media = {"features": [{"name": "prefers-color-scheme", "value": name}]}
        self._cdp("Emulation.setEmulatedMedia", media)

    def shoot(self, path: Path) -> None:
        """Save a screenshot of the whole page."""
        shown = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self._cdp("Page.captureScreenshot", shown)["data"]))

    def console_messages(self) -> list[str]:
        """The console messages, including content policy violations."""
        return [str(each["message"]) for each in self._command("POST", "se/log", {"type": "browser"})]

    def until(self, condition: Callable[[], object], seconds: float = 15) -> None:
        """Wait until `condition` returns a true value."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"timed out; console: {self.console_messages()}"
            time.sleep(0.1)

    def _cdp(self, name: str, values: dict[str, Any]) -> Any:
        return self._command("POST", "goog/cdp/execute", {"cmd": name, "params": values})

    def _command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        where = f"/session/{self.session}/{path}".rstrip("/") if self.session else f"/{path}"
        connection.request(method, where, json.dumps(body) if body is not None else None)
        answer = json.loads(connection.getresponse().read())["value"]
        connection.close()
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def begin(self, profile: Path, *more: str) -> None:
        """Open a window with an empty profile."""
        options = {"binary": BROWSER, "args": [*ARGUMENTS, f"--user-data-dir={profile}", *more]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._command("POST", "session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = str(answer["sessionId"])

    def end(self) -> None:
        """Close the window."""
        self._command("DELETE", "")


@contextmanager
def browser(profile: Path, *more: str) -> Iterator[Browser]:
    """A window, closed at the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert DRIVER is not None, "chromedriver is missing: apt-get install chromium chromium-driver"
    driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL)
    window = Browser(port)
    try:
        _await(port, driver)
        window.begin(profile, *more)
        try:
            yield window
        finally:
            window.end()
    finally:
        driver.terminate()
        driver.wait(10)


def _await(port: int, driver: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and driver.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("chromedriver did not start")
