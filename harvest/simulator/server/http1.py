"""HTTP/1.1 as bytes: read requests, write replies. Pure, and only as much of it as a test needs."""

from __future__ import annotations

import gzip
import zlib
from urllib.parse import parse_qsl

from harvest.simulator.service.replies import SimReply, SimRequest, reason

_BIG_HEAD = 65_536
_WORTH_ZIPPING = 1024


class Malformed(Exception):
    """Bytes that are no HTTP request."""


def read_request(buffer: bytearray) -> tuple[SimRequest, str, bool] | None:
    """Take one request off the buffer: request, target, keep-alive. None when it is not all there yet."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _BIG_HEAD:
            raise Malformed("head too long")
        return None
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise Malformed(lines[0]) from error
    if len(buffer) < end + 4 + length:
        return None
    body = bytes(buffer[end + 4 : end + 4 + length])
    del buffer[: end + 4 + length]
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    path, _, query = target.partition("?")
    return SimRequest(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers, body), target, keep


def write_reply(reply: SimReply, *, keep: bool, gzip_wanted: bool, date: str = "") -> tuple[bytes, bytes]:
    """Return head and body as they go on the wire."""
    body, wire = reply.body, reply.wire
    lines = [f"HTTP/1.1 {reply.status} {reason(reply.status)}"]
    if date:
        lines.append(f"date: {date}")
    if wire is not None and wire.gzipped:
        body = gzip.compress(body, 1)
        lines.append("content-encoding: gzip")
    elif gzip_wanted and len(body) > _WORTH_ZIPPING and "content-encoding" not in reply.headers:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        lines.append("content-encoding: gzip")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if wire is None or not wire.lengthless:
        lines.append(f"content-length: {len(body) * (wire.repeat if wire else 1)}")
    lines.append("connection: keep-alive" if keep and not (wire and wire.lengthless) else "connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), body
