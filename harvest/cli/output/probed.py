"""What a probe has learned, on a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harvest.cli.output.formatting import counted, quoted
from harvest.cli.output.table import table
from harvest.probing.differences import Difference
from harvest.probing.endpoints import Asked, endpoints_asked
from harvest.probing.onward import place_of
from harvest.probing.report import Answer, Endpoint, Report
from harvest.system.logs import printable

_ENDED = {
    "whole": "",
    "max_requests": "It was stopped by your --max-requests; this is what was learned until then.",
    "interrupted": "It was interrupted; this is what was learned until then.",
}
_NOT_REACHED = "not reached"
_BROKEN_OFF = "It was broken off; this is what was learned until then."


def page(report: Report) -> list[str]:
    """Say what was asked, what came of each endpoint, and each difference in a line."""
    n = sum(bool(one.answers) for one in report.endpoints.values())
    with_whom = " and ".join(f"the {name}" for name in report.credentials)
    lines = [f"Asked {counted(n, 'endpoint')} as {with_whom}, in {counted(report.requests, 'request')}."]
    lines += [said] if (said := _ENDED.get(report.ended, _BROKEN_OFF)) else []
    against = f"from what is read and what the description of {report.official} says"
    return [*lines, "", *table(list(_rows(report))), "", *_told(report.differences, "difference", against)]


def since(report: Report, old: Report) -> list[str]:
    """Say what has changed since an older report."""
    said = _ENDED.get(report.ended, _BROKEN_OFF)
    return [*([said, ""] if said else []), *_told(report.changes or [], "change", f"since {printable(old.day)}")]


def where_it_is(out: Path) -> str:
    """Say where a report was written, and that it can be shared."""
    return f"Kept in {quoted(out)}: names of fields, types and how often, nothing about people. You can share it."


def _told(found: Sequence[Difference], what: str, words: str) -> list[str]:
    if not found:
        return [f"No {what} {words}."]
    return [f"{counted(len(found), what)} {words}:", *(f"  {printable(one.line)}" for one in found)]


def _rows(report: Report) -> Iterator[Sequence[str]]:
    yield ("endpoint", *report.credentials, "entries", "goes on by", "limits told by")
    for asked in endpoints_asked():
        endpoint = report.endpoints.get(asked.name, Endpoint())
        told = [endpoint.answers.get(name) for name in report.credentials]
        answered = [one for one in told if one is not None]
        best = next((one for one in answered if not one.problem), answered[0] if answered else None)
        states = (
            [_state(one) for one in told]
            if answered
            else [f"({endpoint.not_asked or _NOT_REACHED})", *[""] * (len(told) - 1)]
        )
        yield (asked.name, *states, *(_details(asked, best) if best else ("", "", "")))


def _state(answer: Answer | None) -> str:
    if answer is None:
        return "-"
    return f"{answer.status} {answer.problem.replace('_', ' ')}".rstrip()


def _details(asked: Asked, answer: Answer) -> tuple[str, str, str]:
    on = answer.goes_on
    place = ", ".join(f"{name}={kind}" for name, kind in place_of(on, asked.parameters).items()) if on else ""
    entries = "" if answer.entries is None else f"{answer.entries}"
    limits = ", ".join(f"{name}: {value}" for name, value in answer.limits.items())
    return entries, place or (f"ends in a {answer.location}" if answer.location else ""), limits
