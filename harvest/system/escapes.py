"""Read JSON in the clear, so that nothing in it hides in another spelling. Pure."""

from __future__ import annotations

import json
import re

_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_STAY = frozenset('"\\')  # or what is JSON would be none any more


def in_the_clear(body: bytes) -> str:
    """Give a body as text in which no character is escaped that need not be: `\\u0061` is `a`, `\\/` is `/`.

    It may be of any encoding that JSON had (RFC 4627, section 3), cut anywhere, or no JSON at all.
    """
    text = body.decode(json.detect_encoding(body), errors="replace")
    if "\\" not in text:
        return text
    plain = _ESCAPED.sub(_plain, text)  # halves of characters are put together
    return plain.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")


def _plain(escaped: re.Match[str]) -> str:
    digits, other = escaped.groups()
    character = "/" if other == "/" else chr(int(digits, 16)) if digits else ""
    return escaped[0] if character < " " or character in _STAY else character
