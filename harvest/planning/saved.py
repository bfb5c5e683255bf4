"""Keep a plan so that it can be registered, and hold a crawl to it. Any holder of the file can work out its hash.

In: what is asked for, what it would cost. Out: the bytes of a plan; the hash of one that a crawl follows. Never: a
request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harvest._version import __version__
from harvest.api.seed_urls import public_address
from harvest.crawler.request import CrawlRequest
from harvest.errors import SettingsError
from harvest.models import Limits
from harvest.system.files import read_at_most

_LARGEST = 100_000_000  # bytes of a plan, of a million seeds
_MADE_BY = "harvest plan"


def to_save(request: CrawlRequest, cost: Mapping[str, object], made_at: str) -> bytes:
    """Give a plan as it is written: seeds and options, what it would cost, when and with which version it was made."""
    plan = {
        "made_by": _MADE_BY,
        "version": __version__,
        "made_at": made_at,
        "harvests": _harvests(request),
        "cost": {name: value for name, value in cost.items() if name not in ("path", "seeds")},
    }
    return (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode()


def digest(plan: bytes) -> str:
    """Give the hash of a plan: the SHA-256 of its bytes, as `sha256sum` prints it."""
    return hashlib.sha256(plan).hexdigest()


def followed(path: Path, request: CrawlRequest) -> str:
    """Give the hash of the plan that a crawl follows. Raises SettingsError when there is none, or when seeds or options
    differ from it, with the first that does.
    """
    try:
        plan = read_at_most(path, _LARGEST)
        told = json.loads(plan)
    except OSError as error:
        raise SettingsError(f"--plan {path}: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"--plan {path} is no plan: `harvest plan --save` writes one.") from error
    if not isinstance(told, dict) or told.get("made_by") != _MADE_BY:
        raise SettingsError(f"--plan {path} is no plan: `harvest plan --save` writes one.")
    differs = _difference(told.get("harvests"), json.loads(json.dumps(_harvests(request))))
    if differs:
        raise SettingsError(f"This is not what {path} plans: {differs}. Leave out --plan, or do what it says.")
    return digest(plan)


def _harvests(request: CrawlRequest) -> list[dict[str, Any]]:
    return [
        {"seeds": [public_address(address) for address in addresses], "options": asdict(limits)}
        for addresses, limits in request.harvests
    ]


def _difference(planned: Any, asked: list[dict[str, Any]]) -> str:
    """Say what is first to differ, '' where nothing does."""
    if not isinstance(planned, list) or len(planned) != len(asked):
        return "it has other harvests"
    for one, other in zip(planned, asked, strict=True):
        if not isinstance(one, dict) or one.get("seeds") != other["seeds"]:
            return "it has other seeds"
        options = one.get("options")
        for name, usual in asdict(Limits()).items():
            was = options.get(name, usual) if isinstance(options, dict) else None
            if was != other["options"][name]:
                return f"{name} is {other['options'][name]!r} and was to be {was!r}"
    return ""
