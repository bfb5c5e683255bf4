"""b. What happens when the service halves its limit in the middle of a crawl."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.line import Line
from tests.bench.rate import crawl_at
from tests.bench.simulated import Simulated

_RATE, _THEN, _HOLD = 10, 5, 1.0


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl at ten requests a second and let the service go down to five."""
    before, seconds = (8.0, 30.0) if quick else (15.0, 60.0)
    moments: list[float] = []

    def script(server: Simulated) -> None:
        time.sleep(before)
        server.limit(_THEN)
        moments.append(time.monotonic())
        time.sleep(seconds)

    server = crawl_at(1 / _RATE, script, latency=0.3, rate=_RATE)
    entries = [entry for entry in server.entries if moments[0] <= entry.time < moments[0] + seconds]
    refusals = [entry.time for entry in entries if entry.status == 429]
    accepted = len(entries) - len(refusals)
    behind = f"10/s to 5/s, 300 ms, holds of {_HOLD:.0f} s, {seconds:.0f} s"
    yield Line(
        "b",
        "new limit used",
        accepted / (_THEN * seconds),
        0.90,
        at_least=True,
        unit="%",
        noise=0.02,
        figure=f"{accepted} accepted; {behind}",
    )
    share = len(refusals) / max(1, len(entries))
    yield Line("b", "refused", share, 0.05, unit="%", noise=0.1, figure=f"{len(refusals)} of {len(entries)}")
    if refusals:
        heard = refusals[0] + server.latency  # the reply arrives
        allowed = heard + _HOLD
        later = [entry.time for entry in entries if entry.time > heard + _HOLD / 2]
        yield Line(
            "b",
            "late after the first hold",
            later[0] - allowed if later else seconds,
            0.5,
            unit="s",
            noise=0.1,
            figure="the jitter of a hold, up to a fifth of it, included",
        )
