"""The token files of earlier tools."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from harvest.auth.grants import Token
from harvest.auth.token_files import read_token_file
from harvest.errors import SettingsError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NOON = "2026-11-21T00:00:00Z"
LATER = NOW.timestamp() + 600


@pytest.mark.parametrize(
    ("found", "token"),
    [
        (
            {"access_token": "a", "refresh_token": "r", "expires_at": LATER, "scope": "*"},
            Token("a", "r", 600.0, NOON, "*"),
        ),
        ({"access_token": "a", "refresh_token": "r", "expires_at": LATER * 1000}, Token("a", "r", 600.0, NOON)),
        ({"access_token": "a", "refresh_token": "r", "expires_at": str(LATER)}, Token("a", "r", 600.0, NOON)),
        (
            {"access_token": "a", "refresh_token": "r", "expires_at": "2026-11-21T00:10:00Z"},
            Token("a", "r", 600.0, NOON),
        ),
        ({"access_token": "a", "refresh_token": "r", "expires_at": "2026-11-21 00:10"}, Token("a", "r", 600.0, NOON)),
        ({"access_token": "a", "refresh_token": "r", "expires_at": 5}, Token("a", "r", 1.0, NOON)),
        ({"access_token": "a", "refresh_token": "r", "expires_in": 3599}, Token("a", "r", 1.0, NOON)),
        ({"access_token": "a", "expires_at": "soon"}, Token("a", None, None, NOON)),
        ({"access_token": "a", "expires_at": None, "scope": ["*"]}, Token("a", None, None, NOON)),
        ({"refresh_token": "r"}, Token("", "r", None, NOON)),
        ({"accessToken": "a", "refreshToken": "r", "expiresAt": LATER}, Token("a", "r", 600.0, NOON)),
        ({"token": {"access_token": "a"}}, Token("a", None, None, NOON)),
        ([{"tokens": {"access_token": "a"}}], Token("a", None, None, NOON)),
    ],
)
def test_json_in_its_dialects(tmp_path, found, token):
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(found))
    assert read_token_file(path, NOW) == token


@pytest.mark.parametrize("prefix", ["SOUNDCLOUD_", "SC_", ""])
def test_an_env_file(tmp_path, prefix):
    path = tmp_path / ".env"
    path.write_text(
        f"# old\nexport {prefix}ACCESS_TOKEN='a$b'\n{prefix}REFRESH_TOKEN=r\n{prefix}EXPIRES_AT={LATER}\nX=1\n"
    )
    assert read_token_file(path, NOW) == Token("a$b", "r", 600.0, NOON)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\nb"}', b"X=1", b"\xff\xfe", b"{}" * 9],
)
def test_a_file_without_tokens_is_named_and_not_quoted(tmp_path, content):
    path = tmp_path / "tokens"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        read_token_file(path, NOW)
    assert str(raised.value).isprintable()
