"""The equations and the example of docs/pacing.md, calculated again with the numbers that stand there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from harvest.pacing.queue import Refusal
from harvest.pacing.rate_learning import Allowance
from harvest.pacing.tuning import USUAL, Tuning

PAGE = (Path(__file__).parents[3] / "docs" / "pacing.md").read_text("utf-8")


def refused(*refusals, hold=30.0):
    """Refuse again and again: each time the stretches, and the interval or None for the one learned."""
    allowance, now = Allowance(), 0.0
    for stretches, interval in refusals:
        now += stretches[-1][1]
        allowance.refuse(stretches, allowance.interval if interval is None else interval, now, hold)
        now += hold
    return allowance


def take_a_step(allowance, delay=0.0):
    """Use the whole rate until a step is taken; give the pause before it."""
    begin = now = allowance.stepped_at
    steps = allowance.steps
    while allowance.steps == steps:
        assert now < begin + 3600, "no step was taken"
        now += allowance.interval
        allowance.accept(1, now, delay)
    return now - begin


def kept(value, least, most):
    return min(max(value, least), most)


def test_the_interval_is_the_delay_or_what_was_learned():
    assert Allowance().interval == 0
    assert Allowance(rate=4.0).interval == 1 / 4


@pytest.mark.parametrize(("row", "own", "said"), [(1, 30, 10), (2, 60, 10), (3, 120, 20), (5, 480, 80), (6, 900, 160)])
def test_holds_grow_as_the_page_says(row, own, said):
    assert Refusal(None, "").length(row) == own == min(30 * 2 ** (row - 1), 900)
    assert Refusal(None, "", stretch=1.2).length(row) == own * 1.2
    assert Refusal(10, "").length(row) == said == min(10 * 2 ** max(0, row - 2), 900)
    assert Refusal(0, "").length(row) == 2 ** max(0, row - 2)


@pytest.mark.parametrize("hold", [10.0, 30.0])
def test_two_refusals_are_solved(hold):
    allowance = refused(([(20, 2.0)], 0.1), ([(15, 3.0), (40, 6.0)], None), hold=hold)
    least = (40 - 20 - 0.7) / (6 - 2)
    most = least + 1.4 / (6 - 2)
    asked = 20 / (2 + 1)
    assert allowance.rate == pytest.approx(max(0.99 * least, min(asked / 2, most)))
    assert allowance.bad == pytest.approx(most)


def test_after_a_hold_of_less_than_ten_seconds_they_are_not():
    allowance = refused(([(20, 2.0)], 0.1), ([(40, 6.0)], None), hold=9.9)
    assert allowance.rate == pytest.approx(20 / (2 + 1) / 2)


def test_a_refused_step_goes_back_to_99_percent_of_the_rate_before():
    allowance = refused(([(20, 2.0)], 0.1), hold=1.0)
    take_a_step(allowance)
    allowance.refuse([(5, 1.0)], allowance.interval, 100.0, 1.0)
    assert allowance.rate == pytest.approx(max(5 / (1 + 1), 0.99 * 20 / (2 + 1)))


def test_a_window_of_ten_seconds():
    allowance = refused(([(50, 5.0)], 0.1), ([(50, 7.5)], 0.15))
    assert allowance.rate == pytest.approx(max(50 / (7.5 + 30), 0.97 * 50 / 10))
    assert allowance.bad == pytest.approx(1.02 * 50 / 10)
    pause = take_a_step(allowance)
    gain = 1.02 / 0.97 - 1
    assert pause == pytest.approx(max(0.03 * 30 / gain**2, 7 * 0.25 * 10 / 0.97), abs=0.3)


@pytest.mark.parametrize(
    ("refusals", "rate"),
    [
        ([([(20, 2.0)], 0.1)], 20 / (2 + 1)),  # the first
        ([([(2, 0.0)], 0.1)], 2 / (0 + 1)),  # two requests are enough
        ([([(1, 0.0)], 0.1)], 10 / 2),  # hardly any request
        ([([(1, 0.0)], 0.1), ([(1, 0.0)], None)], 10 / 2 / 4),  # and again
        ([([(20, 2.0)], 0.1), ([(15, 20.0)], 1.0)], 1 / 2),  # what does not fit
        (
            [([(60, 6.0)], 0.1), ([(66, 11.0)], 1 / 6)],
            66 / 41,
        ),  # no less than a hold may have saved up
        ([([(300, 30.0)], 0.1), ([(301, 40.0)], 0.133)], 0.97 * 301 / 60),  # nearly as many again: a window of a minute
        ([([(900, 90.0)], 0.1), ([(900, 200.0)], 0.22)], 900 / 230),  # of five minutes
        ([([(20, 2.0)], 0.1), ([(45, 12.0)], 0.1)], 10 / 2),  # nor 2.4 to 2.6 to 10 a second
        ([([(20, 2.0)], 0.1), ([(20, 6.0)], 0.3)], 0.97 * 20 / 10),  # as many again: a window
        ([([(19, 2.0)], 0.1), ([(19, 6.0)], 0.3)], 1 / 0.3 / 2),  # so few are none
        ([([(30, 0.0)], 0.1)], 0.97 * 10),  # never faster than this
        ([([(0, 0.0)], 90.0)], 1 / 60),  # nor more slowly
        ([([(9, 0.01)], 0.0)], 9 / (0.01 + 1)),  # no interval
    ],
)
def test_one_refusal_alone(refusals, rate):
    assert refused(*refusals).rate == pytest.approx(rate)


def test_steps_towards_a_known_rate_and_past_it():
    allowance = refused(([(20, 2.0)], 0.1), hold=1.0)  # 6.67 a second, and 10 is too fast
    while True:
        rate, gain = allowance.rate, allowance.bad / allowance.rate - 1
        stock = kept(20 / rate - 2, 0.5, 16)
        pause = take_a_step(allowance)
        if gain <= 0.002:
            break
        assert pause == pytest.approx(min(max(0.03 * 1 / max(gain, 0.025) ** 2, 7 * stock), 1800), abs=1 / rate + 1e-6)
        assert allowance.step == pytest.approx(kept(gain / 3, 0.01, 0.12))
        assert allowance.rate == pytest.approx(rate * (1 + allowance.step))
    steps = [allowance.step]
    for _ in range(5):
        take_a_step(allowance)
        steps.append(allowance.step)
    assert allowance.bad == 0
    assert steps == pytest.approx([min(0.02 * 2**n, 0.25) for n in range(6)])


@pytest.mark.parametrize(
    ("before", "step", "after"), [(1, 0.01, 2), (2, 0.02, 4), (4, 0.01, 8), (8, 0.01, 8), (8, 0.021, 1)]
)
def test_caution_after_a_refused_step(before, step, after):
    allowance = Allowance(rate=5.0, good=4.9, step=step, steps=1, count=20, length=2.0, cost=1.0, caution=before)
    allowance.refuse([(5, 1.0)], allowance.interval, 100.0, 1.0)
    assert (allowance.caution, allowance.step) == (after, 0.01)


@pytest.mark.parametrize(
    ("allowance", "pause"),
    [
        (Allowance(rate=5.0, step=0.25, cost=10.0, count=50, windowed=True), 7 * 0.25 * 50 / 5),
        (Allowance(rate=5.0, step=0.25, cost=1.0, count=200), 7 * 16),
        (Allowance(rate=0.1, step=0.25, cost=0.0, count=1), 7 * (1 / 0.1)),
        (Allowance(rate=0.2, step=0.25, cost=0.0), 5 / 0.2),  # the time that five requests take
        (Allowance(rate=2.0, step=0.01, cost=10.0, caution=8.0), 1800),
    ],
)
def test_pauses_where_nothing_is_known_to_be_too_fast(allowance, pause):
    wait = allowance.interval
    assert take_a_step(allowance) == pytest.approx(pause, abs=wait + 1e-6)


def test_the_example_comes_out_as_told():
    example = PAGE[PAGE.index("## An example") :]
    allowance = refused(([(20, 2.0)], 0.1))
    told = [f"The rate is {allowance.rate:.2f} a second, the interval {allowance.interval:.2f} s"]
    allowance.refuse([(40, 6.0)], allowance.interval, 38.0, 30.0)
    told += [
        f"3.33) = {allowance.rate:.3f}`, the interval {allowance.interval:.3f} s, and `bad` is {allowance.bad:.3f}"
    ]
    for pause in ("129.5", "307.7"):
        told += [f"{allowance.bad / allowance.rate - 1:.1%}".replace("%", " %"), f"{pause} s"]
        assert take_a_step(allowance) == pytest.approx(float(pause), abs=0.3)
        told += [f"{allowance.step:.1%}`: {allowance.rate:.3f} a second".replace("%", " %")]
    said = " ".join(example.split())
    assert [words for words in told if words not in said] == []


def test_names_of_the_page_are_fields():
    named = set(re.findall(r"\(`([a-z_]+)`", PAGE)) | set(re.findall(r"\(`[a-z_]+`, `([a-z_]+)`", PAGE))
    assert len(named) > 15
    assert named <= {field.name for field in fields(Tuning)}


def test_another_tuning_is_used():
    allowance = Allowance()
    allowance.refuse([(0, 0.0)], 0.1, 0.0, 30.0, Tuning(drop=5.0))
    assert allowance.rate == pytest.approx(10 / 5)
    assert Refusal(None, "").length(3, Tuning(growth=3.0)) == 30 * 3**2
    assert Tuning() == USUAL
