"""One exchange of a recorded crawl, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and what came: path and query, without host or secrets; the status and the reply.

    The reply is the number of a body, text that was kept as evidence, or the path a redirect leads to. It came so many
    `times` in a row. `urns` names the things that were asked for by name, one or many.
    """

    request: str
    status: int = 200
    body: int | None = None
    evidence: str = ""
    location: str = ""
    times: int = 1
    urns: tuple[str, ...] = ()
