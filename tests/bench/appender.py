"""A JSON-lines appender: what many collectors do, each item of a page a line, no database. Shares nothing with harvest.

The pages come over one kept connection, and each is with the operating system before the next is asked for.

Usage: `python tests/bench/appender.py URL TOKEN REQUESTS OUT`, where REQUESTS is a file with one path and query a line.
Prints one JSON object: pages, rows, and the CPU milliseconds a page spent on fetching, reading and writing.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Do all requests of a file."""
    url, token, requests, out = sys.argv[1:5]
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Authorization": f"OAuth {token}", "Accept": "application/json"}
    asked, rows, spent = Path(requests).read_text().split(), 0, [0.0, 0.0, 0.0]
    began, wall = time.process_time(), time.perf_counter()
    with Path(out).open("w", encoding="utf-8") as lines:
        for request in asked:
            at = time.process_time()
            connection.request("GET", request, headers=headers)
            body = connection.getresponse().read()
            fetched = time.process_time()
            items = json.loads(body)["collection"]
            read = time.process_time()
            for item in items:
                lines.write(json.dumps({"of": request, "item": item}, ensure_ascii=False) + "\n")
            lines.flush()
            rows += len(items)
            spent = [spent[0] + fetched - at, spent[1] + read - fetched, spent[2] + time.process_time() - read]
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    parts = {name: 1000 * s / len(asked) for name, s in zip(("fetch", "read", "write"), spent, strict=True)}
    print(json.dumps({"pages": len(asked), "rows": rows, "cpu": cpu, "wall": wall, **parts}))


if __name__ == "__main__":
    main()
