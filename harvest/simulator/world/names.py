"""Texts of a made-up SoundCloud: names, titles, tags, and the nasty ones among them. Pure."""

from __future__ import annotations

from harvest.simulator.world.prng import mix


def _listed(text: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(between))


_FIRST = _listed(
    "Nova Velvet Paper Silver Northern Hidden Static Golden Lunar Coastal Broken Amber Quiet Neon Distant Polar "
    "Marble Saffron Cobalt Juniper Violet Concrete Phantom Analog Desert Cedar Ivory Solar Winter Echo"
)
_SECOND = _listed(
    "Drift Harbour Signal Garden Machine Choir Atlas Lantern River Parade Archive Theory Motel Circuit Season "
    "Mirror Avenue Satellite Orchard Tide Kids Society Parallel Engine Bloom Cascade District Letters Foxes Union"
)
_EXTRA = ("(Original Mix)", "(Live)", "VIP", "feat. Ada", "[FREE DL]", "- Remastered", "(Dub)", "pt. 2")
GENRES = _listed(
    "House|Deep House|Techno|Ambient|Hip-hop & Rap|hip hop|Drum & Bass|Indie|Folk & Singer-Songwriter|Dance & EDM|"
    "Pop|Jazz & Blues|Electronic|R&B & Soul|Trap|Classical",
    "|",
)
# Of each genre, as usual there: the slowest and the fastest beats per minute, and the labels.
_TEMPI = (
    (118, 126), (118, 124), (126, 136), (60, 90), (84, 96), (84, 96), (170, 176), (95, 130),
    (80, 120), (124, 130), (100, 128), (70, 140), (110, 130), (68, 96), (132, 146), (60, 120),
)  # fmt: skip
_LABELS = (
    "Paper Moon Records", "Basement Tide", "Kiosk 9", "Salt & Static", "Nachtbus", "Low Orchard", "Ferry Terminal",
    "Second Hand Sun",
)  # fmt: skip
TAGS = _listed(
    "techno|deep house|Deep House|deephouse|hip hop|Hip-Hop|hiphop|ambient|lofi|lo-fi|Jazz|drum and bass|dnb|2step|"
    "Berlin|summer vibes|música|ヒップホップ|свет|live set|free|130bpm",
    "|",
)
MACHINE_TAGS = ("geo:lat=52.5", "geo:lon=13.4", "soundcloud:source=iphone-record", "bpm:value=128")
NASTY = (
    "🎧 DJ Emoji 🔥👩‍🚀",
    "مطرب من القاهرة",
    "שלום עולם",
    'O\'Brien & "The Quotes"',
    "Earth, Wind, Comma, Band",
    "=SUM(A1:A9)",
    "+1 (555) 0100",
    "-2+3 cmd",
    "@import url",
    "Robert'); DROP TABLE users;--",
    "<script>alert('x')</script> & <b>bold</b>",
    "100% %s {0} $HOME `id` \\n \\",
    "N/A",
    "null",
    "   padded   ",
    "Zalgo ḧ̴̛͎ë̷́ tail",
    "tab\there",
    "e\u0301 not é, ﬁ not fi, Ⅳ",
    "\u202eevil rtl override",
    "０１２３ wide",
    "very long " + "na " * 300 + "end",
)
COUNTRIES = ("Germany", "United States", "Brazil", "Japan", "France", "Nigeria", "Britain (UK)", "Mexico")
CITIES = ("Berlin", "Chicago", "São Paulo", "大阪", "Lyon", "Lagos", "Leeds", "Oaxaca")
WORDS = ("love this", "fire", "what a drop", "id?", "so good", "1:23 !!", "🔥🔥", "from Lagos with love", "underrated")


def name(chance: int, *, nasty: bool) -> str:
    """Return a user's name; about one in eight is nasty when allowed."""
    if nasty and chance % 8 == 0:
        return NASTY[(chance >> 8) % len(NASTY)]
    return f"{_FIRST[(chance >> 8) % len(_FIRST)]} {_SECOND[(chance >> 16) % len(_SECOND)]}"


def title(chance: int, *, nasty: bool) -> str:
    """Return a track's or playlist's title."""
    plain = name(mix(chance, 3), nasty=nasty)
    return plain if chance & 3 else f"{plain} {_EXTRA[(chance >> 5) % len(_EXTRA)]}"


def tempo(genre: str, chance: int) -> float:
    """Return beats per minute as they are usual in a genre; every eighth in between."""
    slowest, fastest = _TEMPI[GENRES.index(genre)]
    return slowest + chance % (fastest - slowest) + (0.5 if chance & 7 == 7 else 0)


def label(genre: str, chance: int) -> str:
    """Return a label that brings out such a genre, one of two."""
    return _LABELS[(GENRES.index(genre) + chance % 2) % len(_LABELS)]


def slug(chance: int, number: int) -> str:
    """Return the last part of a page address; it ends with the number, so it can be read back."""
    words = f"{_FIRST[(chance >> 24) % len(_FIRST)]}-{_SECOND[(chance >> 32) % len(_SECOND)]}".lower()
    return f"{words}-{base36(number)}"


def base36(number: int) -> str:
    """Write a number in digits and letters."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while True:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
        if not number:
            return text


def from_base36(text: str) -> int | None:
    """Read a number back, None when it is none."""
    if not text or not text.isascii() or not text.isalnum() or len(text) > 12:
        return None
    return int(text, 36)


def tags(chance: int, *, odd: bool) -> tuple[str, ...]:
    """Return the tags a track really has."""
    found: list[str] = []
    for place in range(chance % 6):
        pick = mix(chance, place + 10)
        pool = MACHINE_TAGS if odd and pick % 16 == 0 else TAGS
        tag = pool[(pick >> 8) % len(pool)]
        if tag not in found:
            found.append(tag)
    return tuple(found)


def tag_list(wanted: tuple[str, ...], chance: int, *, odd: bool) -> str:
    """Write tags the way the service does: blanks between, quotes around several words, sometimes sloppily.

    An unbalanced quote is only ever put before a last tag of one word, so that its meaning is not in doubt.
    """
    written = [f'"{tag}"' if " " in tag or (odd and chance % 5 == 0) else tag for tag in wanted]
    if not odd:
        return " ".join(written)
    if written and " " not in wanted[-1] and chance % 7 == 0:
        written[-1] = '"' + wanted[-1]
    text = ("  " if chance % 11 == 0 else " ").join(written)
    return f" {text}" if chance % 6 == 0 else text
