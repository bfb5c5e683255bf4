"""Split SoundCloud's `tag_list` into tags. Pure.

Tags stand between blanks, those of several words in double quotes, machine tags as `namespace:key=value`; leading and
doubled blanks occur (recordings of 2015 and 2022).
"""

from __future__ import annotations


def parse_tags(text: str | None) -> tuple[str, ...]:
    """List the tags in their order, exact repeats dropped; a quote that is never closed quotes to the end."""
    if not text:
        return ()
    if '"' not in text:
        return tuple(dict.fromkeys(text.split()))
    tags: list[str] = []
    for number, part in enumerate(text.split('"')):
        words = part.split()
        if number % 2 == 0:
            tags += words
        elif words:
            opened = tags.pop() if tags and tags[-1].endswith("=") else ""  # geo:place="New York"
            tags.append(opened + " ".join(words))
    return tuple(dict.fromkeys(tags))
