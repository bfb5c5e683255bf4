"""How near two things are that many people like: the formulas, said once, for numbers and for arrays. Pure.

With n people in all, a who like the one, b who like the other and c who like both:

    cosine   c / sqrt(a b)                     0 to 1
    jaccard  c / (a + b - c)                   0 to 1
    lift     c n / (a b)                       1: as often as by chance
    npmi     log(c n / (a b)) / -log(c / n)    -1 to 1, 0: as often as by chance

Scores are rounded to twelve digits, so that neither the order of additions nor a machine's logarithm decides between
two that are equal.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

_DIGITS = 1e12


def score(measure: str, common: Any, one: Any, other: Any, people: Any, using: ModuleType = math) -> Any:
    """Compute a measure; `using` is `math` for numbers and `numpy` for arrays.

    Everything must be above 0. NPMI is undefined where all people like both: keep `common` below `people`.
    """
    if measure == "cosine":
        value = common / using.sqrt(one * other)
    elif measure == "jaccard":
        value = common / (one + other - common)
    elif measure == "lift":
        value = common * people / (one * other)
    else:
        value = using.log(common * people / (one * other)) / -using.log(common / people)
    return (round if using is math else using.rint)(value * _DIGITS) / _DIGITS


def is_defined(measure: str, common: int, people: int) -> bool:
    """Say whether the measure has a value: NPMI has none for two that all people like."""
    return measure != "npmi" or common < people


def together(common: float, size: int, likes: int, other_likes: int) -> float:
    """Estimate how many people on SoundCloud like two things, where people were chosen for liking one of them.

    `size` people who like that one were read, `common` of them like the other too; the service counts `likes` of the
    one and `other_likes` of the other.
    """
    return min(common * likes / size, float(other_likes))
