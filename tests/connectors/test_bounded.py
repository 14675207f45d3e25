"""The body of an answer is unpacked within bounds, whatever a server sends."""

import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
import zstandard

from connectors.bounded import body_within, unpacked
from records import MalformedRecord

LIMIT = 10_000


def answer(content: bytes, encoding: str = "") -> httpx.Response:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    return httpx.Response(200, headers={"Content-Encoding": encoding} if encoding else {}, content=parts())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"x" * LIMIT, ""),
        (b"x" * LIMIT, "identity"),
        (gzip.compress(b"x" * LIMIT), "gzip"),
        (gzip.compress(b"x" * LIMIT), ""),
    ],
    ids=["plain", "identity", "gzip", "gzip unsaid"],
)
async def test_what_fits_is_returned_unpacked(content: bytes, encoding: str) -> None:
    assert await body_within(answer(content, encoding), LIMIT) == b"x" * LIMIT


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        (b"x" * (LIMIT + 1), "", "too_long"),
        (gzip.compress(b"x" * 50_000_000), "gzip", "too_long"),
        (gzip.compress(b"x" * 5_000)[:-12], "gzip", "undecodable"),
        (b"\x1f\x8b\x08 no gzip at all", "gzip", "undecodable"),
        (zstandard.compress(b"x" * 50_000_000), "zstd", "undecodable"),
        (zlib.compress(b"x"), "deflate", "undecodable"),
    ],
    ids=["long", "bomb", "cut off", "damaged", "zstd", "deflate"],
)
async def test_what_does_not_is_refused_before_it_is_unpacked(content: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        await body_within(answer(content, encoding), LIMIT)
    assert refused.value.reason == reason


def test_a_bomb_is_not_unpacked_beyond_the_limit() -> None:
    assert len(unpacked(gzip.compress(b"x" * 1_000_000), 5000)) == 5001


async def test_of_what_may_be_cut_the_beginning_is_returned() -> None:
    assert await body_within(answer(b"x" * 50_000), LIMIT, is_cut=True) == b"x" * LIMIT
    assert await body_within(answer(gzip.compress(b"x" * 50_000)), LIMIT, is_cut=True) == b"x" * LIMIT
