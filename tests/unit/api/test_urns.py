"""Who a thing is, whatever way its name is written."""

from __future__ import annotations

import pytest

from harvest.api.urns import LARGEST_ID, Unsupported, identify


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"urn": "soundcloud:tracks:12"}, 12),
        ({"urn": "soundcloud%3Atracks%3A12"}, 12),
        ({"urn": "soundcloud:tracks:12", "kind": "track", "number": 99}, 12),
        ({"kind": "track", "number": 13}, 13),
        ({"number": 13}, 13),
        ({"kind": "track", "uri": "https://api.soundcloud.com/tracks/14"}, 14),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud:tracks:14"}, 14),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A14?secret_token=s-x"}, 14),
        ({"urn": "souncloud:tracks:1", "uri": "https://api.soundcloud.com/tracks/15"}, 15),
        ({"urn": f"soundcloud:tracks:{LARGEST_ID}"}, LARGEST_ID),
        ({"urn": f"soundcloud:tracks:{LARGEST_ID + 1}"}, Unsupported(f"soundcloud:tracks:{LARGEST_ID + 1}")),
        ({"urn": "soundcloud:tracks:abc"}, Unsupported("soundcloud:tracks:abc")),
        ({"urn": "soundcloud:tracks:0"}, Unsupported("soundcloud:tracks:0")),
        ({"urn": "soundcloud:tracks:-5"}, Unsupported("soundcloud:tracks:-5")),
        ({"kind": "track", "number": -5}, Unsupported("soundcloud:tracks:-5")),
        ({"uri": "https://api.soundcloud.com/tracks/x"}, Unsupported("soundcloud:tracks:x")),
        ({"urn": "soundcloud:users:12"}, "alien"),
        ({"urn": "soundcloud:system-playlists:12"}, "alien"),
        ({"urn": "soundcloud:tracks:12", "kind": "playlist"}, "alien"),
        ({"uri": "https://api.soundcloud.com/users/14"}, "alien"),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud:users:14"}, "alien"),
        ({}, "unreadable"),
        ({"kind": "track"}, "unreadable"),
        ({"uri": "14"}, "unreadable"),
        ({"urn": ""}, "unreadable"),
    ],
)
def test_a_track_is_identified(names, found):
    verdict = identify("track", **names)
    assert (verdict, type(verdict)) == (found, type(found))
