"""Days that pass by themselves."""

from __future__ import annotations

import asyncio

import pytest

from harvest.simulator.server.days import let_days_pass


class Seen(Exception):
    """Enough moves were seen."""


@pytest.mark.parametrize(
    ("day_lasts", "late", "moments"),
    [
        (24.0, 0.0, [10 + 1 / 24, 10 + 2 / 24, 10 + 3 / 24]),
        (24.0, 1.5, [10 + 2 / 24, 10 + 5 / 24, 10 + 7 / 24]),
        (0.5, 0.0, [12.0, 14.0, 16.0]),
        (86_400.0, 0.0, [10 + 1 / 24, 10 + 2 / 24, 10 + 3 / 24]),
    ],
)
def test_days_pass_by_whole_steps_however_late_the_clock_wakes(day_lasts, late, moments):
    seen, now = [], [1000.0]

    class Server:
        def move(self, moment: float) -> None:
            seen.append(moment)
            if len(seen) == 3:
                raise Seen

    async def sleep(seconds: float) -> None:
        assert seconds >= 1
        now[0] += seconds + late + 1e-6

    with pytest.raises(Seen):
        asyncio.run(let_days_pass(Server(), 10, day_lasts, clock=lambda: now[0], sleep=sleep))
    assert seen == pytest.approx(moments)
