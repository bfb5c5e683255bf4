"""Ask `harvest serve --mcp` as an agent would, with the protocol's own client. Arguments: a file, the id of a track."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys

import httpx
from mcp.client.client import Client

PATH, TRACK = sys.argv[1], sys.argv[2]
BODY = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
SAID = []


@contextlib.contextmanager
def serving(*options):
    command = [sys.executable, "-m", "harvest", "serve", "--db", PATH, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        SAID.append(process.communicate()[1])


def status(address, **headers):
    headers = {"Accept": "application/json, text/event-stream", **headers}
    return httpx.post(f"{address}-/mcp", json=BODY, headers=headers, timeout=60).status_code


def said(result):
    return "".join(part.text for part in result.content)


async def ask(address):
    async with Client(f"{address}-/mcp") as client:
        tools = sorted((await client.list_tools()).tools, key=lambda tool: tool.name)
        calls = {
            "overview": {},
            "query": {"name": "co-likes", "parameters": {"limit": 5}},
            "why": {"thing": "track", "which": TRACK},
            "related": {"track": TRACK, "limit": 3},
        }
        found = {name: await client.call_tool(name, given) for name, given in calls.items()}
        wrong = await client.call_tool("query", {"name": "no-such"})
        return {
            "tools": [tool.name for tool in tools],
            "read_only": [tool.annotations.read_only_hint for tool in tools],
            "about": client.instructions,
            "answers": {name: json.loads(said(one)) for name, one in found.items()},
            "wrong": said(wrong) if wrong.is_error else None,
        }


with serving("--mcp") as address:
    told = asyncio.run(ask(address))
    refused = {"host": status(address, Host="evil.example"), "origin": status(address, Origin="https://evil.example")}
    refused["null"] = status(address, Origin="null")
with serving() as address:
    refused["without --mcp"] = status(address)
print(json.dumps({**told, "refused": refused, "said": SAID}))
