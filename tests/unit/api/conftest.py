"""Fixtures of the API's unit tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """The body of an invented reply, by name."""
    return lambda name: (SAMPLES / f"{name}.json").read_bytes()
