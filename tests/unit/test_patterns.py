"""No pattern of ours takes long over a text that was made to take long: strangers write what they match."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import harvest
from harvest.explore import tokenizer
from tests.repetitions import one_in

PIECES = (
    " ", "(", "[", "a", "a ", "(a ", "-", " - ", "/", "/a", "a.", "a-", ":a", "::a", "'", '"', "`", "s-", "1", "1d",
    "#", " #", "--", "-- ", "*", "*a", "[a](", "<title>", "_token", "access_token=", "Bearer ", "x, ", " x ", "feat ",
    "soundcloud:", "soundcloud:user:", "\u2028", "\n", "\r", "=", ",", "&", "?", "http://", "%2F", "### `a`\n", "1.",
)  # fmt: skip
ENDS = ("", "!", " remix)")


ROOT = Path(harvest.__file__).parent
MADE = {
    ".".join(("harvest", *file.relative_to(ROOT).with_suffix("").parts)): text.count("= re.compile(")
    for file in sorted(ROOT.rglob("*.py"))
    if "simulator" not in file.parts and "re.compile(" in (text := file.read_text("utf-8"))
}
CUT = {"harvest.analysis.titles": 300}  # what is read there is cut to so much before


def as_text(pattern, piece, length, end):
    """Say a piece over and over, as text or bytes, whichever a pattern reads."""
    text = (piece * length)[:length] + end
    return text.encode() if isinstance(pattern.pattern, bytes) else text


@pytest.mark.timeout(60)  # without a bound on what one reads, one that is worse than linear takes hours
@pytest.mark.parametrize("name", one_in(3, MADE))
def test_patterns_end_whatever_they_read(name):
    patterns = [value for value in vars(import_module(name)).values() if isinstance(value, re.Pattern)]
    assert len(patterns) >= MADE[name]
    for pattern in patterns:
        for piece in PIECES:
            for end in ENDS:
                long, longer = (as_text(pattern, piece, CUT.get(name, length), end) for length in (1000, 30_000))
                assert sum(1 for _ in pattern.finditer(long)) <= len(long) + 1
                pattern.fullmatch(longer)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", one_in(3, ["[", "[a", "'", "''a", '"', "`", "/*", "--", "-- \n", ":a ", "?", "a", "(", "1"])
)
def test_a_hostile_query_is_read_once(piece):
    query = piece * 100_000
    assert sum(len(token.text) for token in tokenizer.tokens(query)) <= len(query)
    assert len(tokenizer.parameters(query)) <= 100_000
