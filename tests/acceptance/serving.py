"""Start `harvest serve` in a process of its own, and ask it over its port."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from tests import copying
from tests.acceptance.conftest import environment
from tests.waiting import PATIENCE


@contextlib.contextmanager
def serving(path, *options):
    """Serve a file; give the address and the process."""
    arguments = ["serve", "--db", str(path), *options]
    process = copying.start(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), process.communicate(timeout=PATIENCE)
        yield address, process
    finally:
        process.kill()
        process.communicate()


def get(address, where="", **headers):
    """Ask for a page; give status and text. The first one waits until the server is up."""
    request = urllib.request.Request(urllib.parse.urljoin(address, where), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
