"""A difference: one line that says where, which field, and what is different about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from harvest.api.responses import one_line

_NAMED = 3  # endpoints


class Difference(msgspec.Struct, frozen=True):
    """`where` are endpoints, or one schema; `field` is '' where it is the endpoint itself that differs."""

    where: tuple[str, ...]
    field: str
    what: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        more = len(self.where) - _NAMED
        named = ", ".join(self.where if more <= 1 else self.where[:_NAMED]) + (f" and {more} more" if more > 1 else "")
        return one_line(f"{named}: {f'{self.field} ' if self.field else ''}{self.what}", 500)


def together(found: Iterable[Difference]) -> list[Difference]:
    """Make one of differences that are the same at several endpoints, in the order in which they were first found."""
    places: dict[tuple[str, str], dict[str, None]] = {}
    for one in found:
        places.setdefault((one.field, one.what), {}).update(dict.fromkeys(one.where))
    return [Difference(tuple(where), field, what) for (field, what), where in places.items()]
