"""Sign in as a person would: run `harvest auth login` and play the browser, or drive a real one."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harvest.simulator import Server
from tests import copying
from tests.acceptance.conftest import environment
from tests.waiting import PATIENCE, until

ADDRESS = re.compile(r"https?://\S+/authorize\?\S+")


class Login:
    """`harvest auth login`, running."""

    def __init__(self, folder: Path, server: Server, *arguments: str, **environ: str) -> None:
        self.process = copying.start(
            ["auth", "login", *arguments],
            cwd=folder,
            env=environment(server, **environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.said = ""

    def address(self) -> str:
        """Give the address it shows."""
        assert self.process.stderr is not None
        while not (found := ADDRESS.search(self.said)):
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
        return found[0]

    def end(self, pasted: str | None = None) -> tuple[int, str, str]:
        """Wait for the end; give exit code, stdout, stderr."""
        out, err = self.process.communicate(pasted, timeout=PATIENCE)
        return self.process.returncode, out, self.said + err

    def kill(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        with suppress(ValueError):
            self.process.communicate()


def ask(address: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    """Send one request and follow nothing."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read().decode()
    finally:
        connection.close()


def browser_script(folder: Path) -> tuple[Path, Path]:
    """Make a 'browser' that notes the address it is to open; give the script and the note."""
    note, script = folder / "opened", folder / "browser.sh"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {note}\n')
    script.chmod(0o755)
    return script, note


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Chromium:
    """A real browser without a window, driven over its debugging pipe (descriptors 3 and 4)."""

    def __init__(self, program: str, profile: Path) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os, sys; a, b = (os.dup(int(n)) for n in sys.argv[1:3]); a, b = os.dup(a), os.dup(b);"
                "os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])",
                str(to_read),
                str(to_write),
                program,
                *flags,
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._number = b"", 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = ""
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if getattr(self, "_session", ""):
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                piece = os.read(self._from, 65536)
                assert piece, "the browser has gone"
                self._buffer += piece
            raw, _, self._buffer = self._buffer.partition(b"\0")
            answer = json.loads(raw)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def value(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse on something, where it stands."""
        found = f"document.querySelector({selector!r})"
        until(lambda: self.value(f"document.readyState === 'complete' && !!{found}"))
        box = (
            f"(() => {{ const r = {found}.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()"
        )
        x, y = self.value(box)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def close(self) -> None:
        with suppress(OSError, AssertionError):
            self._session = ""
            self.call("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
