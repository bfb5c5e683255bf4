"""Drive a headless Chromium over its debugging pipe: open a page at some size and theme, and look at it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Chromium looks for the two pipes as files 3 and 4; a process of its own puts them there, then becomes Chromium.
_HAND_OVER = """
import os, sys

hears, says = (os.dup(os.dup(os.dup(int(fd)))) for fd in sys.argv[1:3])
os.dup2(hears, 3)
os.dup2(says, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One tab. `events` holds everything the browser told so far."""

    def __init__(self, asking: int, answering: int) -> None:
        self._asking, self._answering = asking, answering
        self._left = b""
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._asking, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._last:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            piece = os.read(self._answering, 1 << 16)
            assert piece, "the browser is gone"
            self._left += piece
        message, _, self._left = self._left.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def open(self, url: str, *, width: int, height: int = 900, theme: str = "light", media: str = "screen") -> None:
        """Load a page as a screen of that width and theme shows it."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.ask("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": theme}])
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self._wait_until_loaded()

    def follow(self, selector: str) -> None:
        """Click the first element of a selector, which leads to another page."""
        self.events.clear()
        assert self.value(f"!!document.querySelector({json.dumps(selector)})"), f"there is no {selector}"
        self.value(f"document.querySelector({json.dumps(selector)}).click()")
        self._wait_until_loaded()

    def _wait_until_loaded(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            assert time.monotonic() < deadline, "the page does not load"
            self.events.append(self._next())

    def value(self, script: str) -> Any:
        """Evaluate an expression in the page."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go; Enter is what clicks a button."""
        enter = {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, **enter)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Save what the page looks like."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, path: Path) -> None:
        """Print it."""
        made = self.ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(made["data"]))

    def told(self, *methods: str) -> list[dict[str, Any]]:
        """Give the events of these kinds since the page was opened."""
        return [e for e in self.events if e.get("method") in methods]


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """Start a browser with an empty profile, and end it."""
    assert CHROMIUM
    hears, asking = os.pipe()
    answering, says = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", _HAND_OVER, str(hears), str(says), CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(hears, says),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(hears)
        os.close(says)
        try:
            yield Page(asking, answering)
        finally:
            process.kill()
            process.wait()
            os.close(asking)
            os.close(answering)
