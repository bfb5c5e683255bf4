"""What a crawling process does with itself."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from harvest.cli import run


@pytest.fixture
def usual() -> Iterator[tuple[int, int, int]]:
    """Have the collector as Python has it, and leave it as it was: tests before may have crawled in this process."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(*before)


def test_a_crawl_looks_for_circles_more_rarely_but_goes_on_looking(usual: tuple[int, int, int]) -> None:
    run._look_for_circles_rarely()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
    assert all(new > old for new, old in zip(gc.get_threshold(), usual, strict=True))


def test_every_crawl_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Began(Exception):
        pass

    def begin() -> None:
        raise Began

    monkeypatch.setattr(run, "_look_for_circles_rarely", begin)
    unused: Any = None
    with pytest.raises(Began):
        asyncio.run(run._run(unused, unused, "", unused, unused))
