"""Pack a body into a zstd frame and unpack one from an untrusted file. Pure.

A frame names its dictionary, carries the size of its body and a checksum of it. The dictionary that we pack with is
trained on simulated replies (scripts/train_dictionary.py).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import zstandard

# What costs the least CPU below 160 bytes per like: a table that fits the first cache (docs/performance.md).
PARAMETERS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST,
    window_log=19,
    hash_log=13,
    chain_log=12,
    search_log=1,
    min_match=7,
    target_length=0,
    write_content_size=True,
    write_checksum=True,
)
_LARGEST_DICTIONARY = 1024 * 1024  # bytes


class BadFrame(Exception):
    """What a frame holds cannot be had."""


@cache
def dictionary() -> zstandard.ZstdCompressionDict:
    """Give the dictionary that new frames are packed with."""
    return zstandard.ZstdCompressionDict(resources.files("harvest.replies").joinpath("dictionary.bin").read_bytes())


class Packer:
    """Packs bodies with our dictionary."""

    def __init__(self) -> None:
        self.dictionary_id = dictionary().dict_id()
        self._compressor = zstandard.ZstdCompressor(dict_data=dictionary(), compression_params=PARAMETERS)

    def pack(self, body: bytes) -> bytes:
        """Give the frame of a body."""
        return self._compressor.compress(body)


class Unpacker:
    """Unpacks frames that were packed with one dictionary. Raises BadFrame where it is none."""

    def __init__(self, dictionary_body: bytes) -> None:
        if len(dictionary_body) > _LARGEST_DICTIONARY:
            raise BadFrame("a dictionary is too large")
        try:
            known = zstandard.ZstdCompressionDict(dictionary_body, dict_type=zstandard.DICT_TYPE_FULLDICT)
            self.dictionary_id = known.dict_id()
            self._decompressor = zstandard.ZstdDecompressor(dict_data=known)
        except zstandard.ZstdError as error:
            raise BadFrame(f"a dictionary is damaged: {error}") from error

    def unpack(self, frame: bytes, size: int) -> bytes:
        """Give the body of a frame, which must be of this size in bytes and nothing else. Raises BadFrame.

        Memory is taken for no more than the size.
        """
        try:
            if zstandard.frame_content_size(frame) != size:
                raise BadFrame("a frame is not as large as it should be")
            return self._decompressor.decompress(frame, max_output_size=size, allow_extra_data=False)
        except (zstandard.ZstdError, MemoryError) as error:
            raise BadFrame(f"a frame is damaged: {error}") from error
