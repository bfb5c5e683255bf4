"""Read how people write which lists a harvest reads, and how much of each. Pure.

One name alone is a recipe; commas join; `+NAME` adds to what is usual and `-NAME` takes away from it; `all` is all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from harvest.errors import SettingsError
from harvest.lists import BY_NAME
from harvest.models import MOST, Limits
from harvest.rules import RULES, kind_named

ALL = "all"
# What is usual but for what leads on from people: all that a page of one list of a person asks for besides that list.
OF_TRACKS_ALONE = tuple(name for name in Limits().read if name not in Limits().via)


class Recipe(NamedTuple):
    """Which lists are read, and which of them not, whatever is usual; in the order of `harvest.lists`."""

    names: tuple[str, ...]
    without: tuple[str, ...] = ()


def parse_recipe(text: str | Iterable[str], *, usual: Collection[str]) -> Recipe:
    """Read a recipe. Raises SettingsError for a name that no list has, and for a recipe without any."""
    parts = _parts(text)
    if not parts:
        raise SettingsError(f"Which lists are to be read? There are {', '.join(BY_NAME)}, and all.")
    signed = [(part[0], part[1:].strip()) if part[0] in "+-" else ("", part) for part in parts]
    plain, more, less = (
        {one for sign, name in signed if sign == wanted for one in _named(name)} for wanted in ("", "+", "-")
    )
    return Recipe(in_order((plain or set(usual)) - less | more), in_order(less))


def parse_via(text: str | Iterable[str]) -> tuple[str, ...]:
    """Read which lists of people lead on. Raises SettingsError for any other."""
    leading = {BY_NAME[name].option for name in BY_NAME if BY_NAME[name].name in _leading()}
    names = set(_parts(text))
    if not names or names - leading:
        wrong = ", ".join(repr(name) for name in sorted(names - leading)) or "nothing"
        raise SettingsError(f"--via is one or several of {', '.join(in_order(leading))}, not {wrong}.")
    return in_order(names)


def parse_caps(given: str | Iterable[str] | Mapping[str, object]) -> dict[str, int]:
    """Read bounds of single kinds of lists, `NAME=N`. Raises SettingsError for what is none."""
    pairs = given.items() if isinstance(given, Mapping) else (part.partition("=")[::2] for part in _parts(given))
    caps = {}
    for name, most in pairs:
        kind_named(name)
        text = str(most).replace("_", "").strip()
        if not (text.isascii() and text.isdecimal() and int(text[:20]) <= MOST):
            raise SettingsError(f"--cap is written NAME=N, like likes=300, N from 0 on; {name}={most} is none.")
        caps[name] = int(text)
    return caps


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Give the names of lists in the order of `harvest.lists`, each once."""
    wanted = set(names)
    return tuple(name for name in BY_NAME if name in wanted)


def _parts(text: str | Iterable[str]) -> list[str]:
    texts = [text] if isinstance(text, str) else text
    return [part.strip() for one in texts for part in one.split(",") if part.strip()]


def _named(name: str) -> Iterable[str]:
    return BY_NAME if name == ALL else (kind_named(name).option,)


def _leading() -> set[str]:
    """Give the kinds of lists that lead on only where they are asked to."""
    return {kind for rule in RULES.values() for lead in rule.leads if lead.chosen for kind in lead.of}
