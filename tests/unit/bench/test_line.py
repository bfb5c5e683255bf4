"""When a line of the benchmark counts as missed, and how the table and its JSON say so."""

from __future__ import annotations

import pytest

from tests.bench.line import Line, line_of, table


@pytest.mark.parametrize(
    ("value", "options", "verdict"),
    [
        (1.39, {"goal": 1.6, "stretch": 1.4, "noise": 0.1}, "stretch"),
        (1.6, {"goal": 1.6, "stretch": 1.4, "noise": 0.1}, "ok"),
        (1.75, {"goal": 1.6, "noise": 0.1}, "in noise"),
        (1.77, {"goal": 1.6, "noise": 0.1}, "MISSED"),
        (0.98, {"goal": 0.98, "at_least": True, "noise": 0.01}, "ok"),
        (0.971, {"goal": 0.98, "at_least": True, "noise": 0.01}, "in noise"),
        (0.96, {"goal": 0.98, "at_least": True, "noise": 0.01}, "MISSED"),
        (9.0, {}, ""),
    ],
)
def test_a_line_is_missed_beyond_its_noise_only(value: float, options: dict[str, float], verdict: str) -> None:
    line = Line("x", "what", value, **options)  # type: ignore[arg-type]
    assert (line.verdict, line.missed) == (verdict, verdict == "MISSED")


def test_a_line_of_several_measurements_is_their_median_with_its_spread() -> None:
    line = line_of("c", "cost", [1.5, 1.1, 1.2], 1.6, noise=0.1, figure="3 runs")
    assert line.as_json() == {
        "line": "c",
        "what": "cost",
        "value": 1.2,
        "unit": "x",
        "goal": 1.6,
        "better": "less",
        "spread": [1.1, 1.5],
        "noise": 0.1,
        "stretch": None,
        "missed": False,
        "figure": "3 runs",
    }


def test_the_table_is_markdown_with_a_row_per_line() -> None:
    lines = [Line("a", "rate", 0.991, 0.98, at_least=True, unit="%", noise=0.005), Line("d", "rows", 0.5, figure="few")]
    assert table(lines) == "\n".join(
        (
            "|   | what | value  | goal     | spread | noise |    | behind it |",
            "|---|------|--------|----------|--------|-------|----|---|",
            "| a | rate | 99.1%  | >= 98.0% |        | 0%    | ok |  |",
            "| d | rows | 0.50 x |          |        |       |    | few |",
        )
    )
