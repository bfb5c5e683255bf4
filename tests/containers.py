"""Read deploy/Containerfile as far as tests need it: the instructions of its last stage."""

from __future__ import annotations

import json
import re
from pathlib import Path

CONTAINERFILE = Path(__file__).parents[1] / "deploy" / "Containerfile"


def instructions(path: Path) -> list[tuple[str, str]]:
    """Give (name, rest) of every instruction, with lines that go on joined and comments left out."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def last_stage(path: Path) -> list[tuple[str, str]]:
    """Give the instructions of what becomes the image."""
    found = instructions(path)
    begins = max(place for place, (name, _) in enumerate(found) if name == "FROM")
    return found[begins:]


def instruction(path: Path, wanted: str) -> list[str]:
    """Give the words of an instruction that is written as a JSON array, that of a HEALTHCHECK behind its options."""
    (rest,) = (rest for name, rest in last_stage(path) if name == wanted)
    words: list[str] = json.loads(rest[rest.index("[") :])
    return words


def environment_of(path: Path) -> dict[str, str]:
    """Give the variables that the image sets."""
    text = " ".join(rest for name, rest in last_stage(path) if name == "ENV")
    return dict(re.findall(r'(\w+)="([^"]*)"', text))
