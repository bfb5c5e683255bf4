"""What a crawl looks like on a terminal: a few lines for any width. Pure.

In: how it goes, what we wait for, the size of the terminal. Out: lines of text, none longer than the terminal is wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from harvest.cli.output.formatting import counted, duration, in_order, phase_words, rate, remaining
from harvest.crawler.progress import CrawlProgress

_LABEL = 7  # columns for the name of a row, where there is room for names
_ROOMY = 60
_LOW = 9  # a terminal with fewer lines gets one line


@dataclass(frozen=True, slots=True)
class Moment:
    """What changes between two looks at the file."""

    in_flight: int = 0
    seconds: float = 0.0
    since_look: float = 0.0
    wait: str = ""
    notes: tuple[str, ...] = ()


def frame(
    progress: CrawlProgress | None, moment: Moment, *, width: int, height: int, plain: bool = False
) -> list[Text]:
    """Lay the crawl out; `plain` keeps to ASCII."""
    if progress is None:
        rows = [Text("Starting"), *([Text(moment.wait, "yellow")] if moment.wait else [])]
    elif height < _LOW:
        rows = [_one_line(progress, moment)]
    else:
        rows = _rows(progress, moment, width, plain)
    return [_fit(_ascii(row) if plain else row, width) for row in rows]


def _rows(progress: CrawlProgress, moment: Moment, width: int, plain: bool) -> list[Text]:
    seen = progress.standing
    outcomes = [f"{n:,} {name}" for name, n in in_order(seen.outcomes)]
    rows = [_title(progress, moment, width), _bar(progress, moment, width, plain)]
    rows += _row("pages", _pages(progress, moment), width)
    rows += _row("found", _found(progress), width)
    rows += _row("pace", _pace(progress), width)
    rows += _row("lists", [*outcomes, f"{seen.open_lists:,} waiting"], width)
    rows += [Text(note, "dim") for note in moment.notes]
    return [*rows, Text(moment.wait, "yellow")] if moment.wait else rows


def _title(progress: CrawlProgress, moment: Moment, width: int) -> Text:
    seen = progress.standing
    left, right = phase_words(seen), duration(moment.seconds)
    if cell_len(left) + cell_len(right) + 2 > width:
        return Text(left, "bold")
    gap = min(width, 78) - cell_len(left) - cell_len(right)
    return Text.assemble((left, "bold"), " " * max(gap, 2), (right, "dim"))


def _bar(progress: CrawlProgress, moment: Moment, width: int, plain: bool) -> Text:
    """Draw how much of the requests is done, and say how long the rest takes."""
    seen = progress.standing
    left = None if progress.seconds_left is None else max(progress.seconds_left - moment.since_look, 0.0)
    words = remaining(seen.requests_left, at_least=progress.at_least, seconds=left)
    share = seen.asked / max(seen.asked + seen.requests_left, 1)
    told = f"{'≤' if progress.at_least else ''}{share:.0%}" + (f"  {words}" if words else "")
    room = max(min(width, 78) - cell_len(told) - 2, 0)
    done = int(room * share)
    full, empty = ("#", ".") if plain else ("━", "╌")
    return Text.assemble((full * done, "cyan"), (empty * (room - done), "dim"), "  " if room else "", told)


def _pages(progress: CrawlProgress, moment: Moment) -> list[str]:
    seen = progress.standing
    bound = "≥ " if progress.at_least else ""
    return [f"{seen.pages:,} done", f"{bound}{seen.requests_left:,} to go", f"{moment.in_flight} in flight"]


def _found(progress: CrawlProgress) -> list[str]:
    seen = progress.standing
    edges = f"{seen.edges:,} edges, {rate(progress.edges_per_second)}"
    return [f"{seen.users:,} users", f"{seen.tracks:,} tracks", edges]


def _pace(progress: CrawlProgress) -> list[str]:
    allowed = progress.allowed_per_second
    limit = "no limit met" if allowed is None else f"{rate(allowed)} allowed"
    waited = [f"waited {duration(progress.waited_seconds)}"] if progress.waited_seconds >= 0.5 else []
    return [f"{rate(progress.requests_per_second)} now", limit, *waited]


def _row(name: str, cells: Sequence[str], width: int) -> list[Text]:
    """Put cells side by side, on more lines where they do not fit on one."""
    indent = _LABEL if width >= _ROOMY else 0
    lines: list[str] = []
    for cell in cells:
        if lines and cell_len(lines[-1]) + 3 + cell_len(cell) <= width - indent:
            lines[-1] += f" · {cell}"
        else:
            lines.append(cell)
    label = [name, *[""] * len(lines)] if indent else [""] * len(lines)
    return [Text.assemble((label[i].ljust(indent), "dim"), line) for i, line in enumerate(lines)]


def _one_line(progress: CrawlProgress, moment: Moment) -> Text:
    seen = progress.standing
    what = moment.wait or phase_words(seen)
    return Text(f"{what} · {counted(seen.pages, 'page')}, {seen.requests_left:,} to go · {seen.edges:,} edges")


def _ascii(text: Text) -> Text:
    for odd, even in (("·", "-"), ("≥", ">="), ("≤", "<="), ("…", "...")):
        text = Text(even).join(text.split(odd, allow_blank=True)) if odd in text.plain else text
    return text


def _fit(text: Text, width: int) -> Text:
    """Cut a line that is too long; a line that wraps would leave traces."""
    if cell_len(text.plain) > width:
        text = text.copy()
        text.plain = set_cell_size(text.plain, max(width - 1, 0)).rstrip() + ("…" if width > 0 else "")
    text.no_wrap = True
    return text
