"""Packed replies: read, refused, and never in memory as a whole before somebody asks."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest

from harvest.client.unpacking import CannotUnpack, Unpacker

TEXT = os.urandom(300_000) + b" " * 2_000_000 + os.urandom(1000)


def unpacked(encoding, data, step=1 << 14):
    unpacker = Unpacker(encoding)
    pieces = [piece for at in range(0, len(data), step) for piece in unpacker.pieces(data[at : at + step])]
    return b"".join([*pieces, unpacker.rest()])


@pytest.mark.parametrize("step", [1, 7, 1 << 14, 1 << 20])
def test_what_is_packed_comes_back_however_it_arrives(step):
    text = TEXT[290_000:600_000] if step < 1000 else TEXT
    assert unpacked("gzip", gzip.compress(text), step) == text


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity, gzip", " gzip "])
def test_the_names_of_gzip(encoding):
    assert unpacked(encoding, gzip.compress(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", ["", "identity", ","])
def test_what_is_not_packed_stays_as_it_is(encoding):
    assert unpacked(encoding, TEXT) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,br", "nonsense"])
def test_other_packings_were_not_asked_for(encoding):
    with pytest.raises(CannotUnpack, match="it is packed with"):
        Unpacker(encoding)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda packed: packed[:-1], "its end is missing"),
        (lambda packed: packed[: len(packed) // 2], "its end is missing"),
        (lambda packed: b"not gzip", "header"),
        (lambda packed: zlib.compress(TEXT), "header"),
        (lambda packed: packed[:-8] + bytes(8), "check"),
    ],
)
def test_damage_is_noticed(damage, why):
    with pytest.raises(CannotUnpack, match=why):
        unpacked("gzip", damage(gzip.compress(TEXT)))


def test_an_empty_reply_is_empty_whatever_it_says_of_itself():
    assert unpacked("gzip", b"") == b""


def test_a_small_reply_that_is_large_comes_in_small_pieces():
    """Sixteen megabytes in 16 kB: after four pieces somebody has had enough, and no more was unpacked."""
    pieces = Unpacker("gzip").pieces(gzip.compress(bytes(1 << 24)))
    assert [len(next(pieces)) for _ in range(4)] == [1 << 18] * 4
