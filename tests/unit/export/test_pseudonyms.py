"""Numbers in place of ids, and the key that makes them."""

from __future__ import annotations

import hashlib
import hmac
import stat

import pytest

from harvest.errors import SettingsError
from harvest.export.pseudonyms import about, key_name, pseudonym, read_key


def test_a_pseudonym_is_the_first_53_bits_of_the_hmac():
    expected = int(hmac.new(b"k" * 64, b"user:123", hashlib.sha256).hexdigest()[:16], 16) >> 11
    assert pseudonym(b"k" * 64, "user", 123) == expected
    made = [pseudonym(b"k" * 64, "user", number) for number in range(1000)]
    assert [int(float(number)) for number in made] == made  # as pandas, R and spreadsheets read them
    assert 2**52 < max(made) < 2**53


def test_user_and_track_of_one_number_differ_and_so_do_keys():
    made = {pseudonym(key, kind, 5) for key in (b"a" * 64, b"b" * 64) for kind in ("user", "track", "playlist")}
    assert len(made) == 6


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "new" / "private.key"
    key = read_key(path)
    assert len(key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path) == key
    assert read_key(tmp_path / "other.key") != key
    assert key.decode() not in key_name(key)


@pytest.mark.parametrize("content", ["", "short", " \n"])
def test_a_file_that_holds_no_key_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "k"
    path.write_text(content)
    with pytest.raises(SettingsError, match="holds no key"):
        read_key(path)
    assert path.read_text() == content


def test_a_key_that_cannot_be_read_is_one_clear_line(tmp_path):
    with pytest.raises(SettingsError, match="--key"):
        read_key(tmp_path)


@pytest.mark.parametrize(
    ("count", "rough"),
    [(None, None), (0, 0), (9, 9), (10, 10), (14, 10), (15, 20), (96, 100), (1449, 1000), (95_000, 100_000)],
)
def test_counts_are_rounded_to_one_digit(count, rough):
    assert about(count) == rough
