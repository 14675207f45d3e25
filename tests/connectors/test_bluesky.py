"""Bluesky against a local Jetstream server that speaks the real wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms, Pseudonyms, RotatingPseudonyms
from connectors.runner import Pace, run
from connectors.sources.bluesky import Bluesky, position_from
from records import MalformedRecord, ManualClock, Post, SourceUnavailable

ReadUntil = Callable[[Bluesky, int], Awaitable[None]]
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
NOT_ASKED_FOR = {"identity", "sync"}


@pytest.fixture
async def server(servers: ModuleType, payloads: list[dict[str, Any]]) -> AsyncIterator[Any]:
    async with servers.Jetstream(list(payloads)).running() as running:
        yield running


@pytest.fixture
def source(server: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> Bluesky:
    return source_of(server, pseudonyms, clock, witness)


def source_of(server: Any, pseudonyms: Pseudonyms, clock: ManualClock, witness: Any, **more: Any) -> Bluesky:
    return Bluesky(pseudonyms=pseudonyms, clock=clock, observer=witness, base_url=server.url, **more)


def expected_seqs(payloads: list[dict[str, Any]]) -> list[int]:
    """Return the seqs that a subscriber to posts and accounts gets."""
    return [
        payload["seq"]
        for payload in payloads
        if payload["$type"].rpartition("#")[2] not in NOT_ASKED_FOR
        and payload.get("collection", "app.bsky.feed.post") == "app.bsky.feed.post"
    ]


async def take(source: Bluesky, count: int, after: str | None = None) -> list[Reading]:
    readings = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


def seqs(readings: list[Reading]) -> list[int]:
    return [position_from(reading.cursor).seq for reading in readings]


async def test_every_frame_gives_one_reading_in_order(
    source: Bluesky, server: Any, payloads: list[dict[str, Any]]
) -> None:
    expected = expected_seqs(payloads)
    assert seqs(await take(source, len(expected))) == expected
    assert server.queries[0]["zstdDictionary"] == ["20261122"]
    assert server.offered == ["xrpc.v1.json"]


async def test_what_a_post_becomes(
    source: Bluesky, payloads: list[dict[str, Any]], pseudonyms: FixedPseudonyms
) -> None:
    posts = [reading.post for reading in await take(source, 15) if isinstance(reading.post, Post)]
    first, _, reply, picture, quote, film, update, delete, purge = posts[:9]
    assert first.text == "Énorme fumée noire au-dessus de la centrale du Havre"
    assert first.url == f"https://bsky.app/profile/{payloads[0]['did']}/post/3laaa1"
    assert first.author_id == pseudonyms.author("bluesky", payloads[0]["did"])
    assert (reply.kind, reply.reply_to, reply.thread_id, reply.lang) == ("comment", first.id, first.id, "fr-FR")
    assert [item.alt for item in picture.media] == ["panache de fumée", ""]
    assert (quote.quote_of, film.quote_of) == (picture.id, first.id)
    assert film.media[0].type == "video"
    assert (update.verb, update.id) == ("update", first.id)
    assert (delete.verb, delete.id, delete.text, delete.url) == ("delete", reply.id, "", None)
    assert (purge.verb, purge.author_id) == ("purge", reply.author_id)


async def test_no_identifier_of_an_author_leaves(
    source: Bluesky, payloads: list[dict[str, Any]], broker: Any, read_until: ReadUntil
) -> None:
    await read_until(source, 15)
    links = {post.url.encode() for post in broker.kept if post.url}
    left = broker.all_bytes()
    for link in links:
        left = left.replace(link, b"")
    assert b"did:" not in left.replace("did:…".encode(), b"").replace(b"did:...", b"").replace(b"did:\\u2026", b"")
    for payload in payloads:
        assert payload["did"].encode() not in left
    assert b"alice.example.org" not in left


@pytest.fixture
def read_until(broker: Any, witness: Any, clock: ManualClock, until: Any) -> ReadUntil:
    """Return a run of a source until so many values were counted."""

    async def read_until(source: Bluesky, readings: int) -> None:
        task = asyncio.create_task(
            run(
                source,
                gate=lambda _: True,
                publisher=broker,
                cursors=ForgetfulCursors(),
                observer=witness,
                clock=clock,
                pace=QUICK,
            )
        )
        await until(lambda: witness.outcomes.total() >= readings)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    return read_until


@pytest.mark.parametrize("fault", ["abort_after", "too_slow_after"])
@pytest.mark.parametrize("after", [0, 1, 7, 14])
async def test_a_broken_connection_leaves_no_gap(
    fault: str,
    after: int,
    source: Bluesky,
    server: Any,
    broker: Any,
    witness: Any,
    read_until: ReadUntil,
) -> None:
    setattr(server, fault, after)
    await read_until(source, 15)
    assert witness.outcomes.total() == 15
    assert len(witness.failures) == 1
    assert len(server.queries) == 2
    assert [post.cursor for post in broker.kept] == sorted({post.cursor for post in broker.kept})
    assert witness.gaps == []


async def test_resumes_after_the_cursor_without_the_overlap(
    source: Bluesky, server: Any, payloads: list[dict[str, Any]]
) -> None:
    expected = expected_seqs(payloads)
    before = await take(source, 5)
    after = await take(source, len(expected) - 5, before[-1].cursor)
    assert seqs(before + after) == expected
    assert server.queries[1]["cursor"] == [str(expected[4])]


async def test_a_cursor_too_old_starts_at_the_oldest_and_reports_the_gap(
    source: Bluesky, server: Any, payloads: list[dict[str, Any]], witness: Any
) -> None:
    before = await take(source, 2)
    server.floor = payloads[6]["seq"]
    after = await take(source, 3, before[-1].cursor)
    found = [reading for reading in after if position_from(reading.cursor).seq >= server.floor]
    assert seqs(found)[0] == payloads[6]["seq"]
    assert after[0].post is None, "the notice is a frame too"
    assert witness.gaps == [pytest.approx(5 * 60, abs=1)]
    assert len(server.queries) == 3


async def test_another_server_is_resumed_by_time(
    servers: ModuleType, source: Bluesky, server: Any, payloads: list[dict[str, Any]], witness: Any, clock: ManualClock
) -> None:
    before = await take(source, 4)
    moved = [{**payload, "seq": payload["seq"] - 999} for payload in payloads]
    async with servers.Jetstream(moved).running() as other:
        elsewhere = source_of(other, FixedPseudonyms(b"test"), clock, witness)
        after = await take(elsewhere, 11, before[-1].cursor)
    assert int(other.queries[0]["cursor"][0]) >= 10**15
    again = [seq + 999 for seq in seqs(after)]
    assert set(seqs(before) + again) >= set(expected_seqs(payloads)[:14])


async def test_an_archive_begun_anew_is_resumed_by_time(
    source: Bluesky, server: Any, payloads: list[dict[str, Any]]
) -> None:
    before = await take(source, 4)
    server.payloads[:] = [{**payload, "seq": payload["seq"] - 999} for payload in payloads]
    cursor = before[-1].cursor
    after = await take(source, 11, cursor)
    assert [seq + 999 for seq in seqs(after)][1:] == expected_seqs(payloads)[4:14]


async def test_a_retired_dictionary_is_fetched_anew(source: Bluesky, server: Any) -> None:
    before = await take(source, 3)
    server.retrain()
    with pytest.raises(SourceUnavailable, match="UnknownZstdDictionary"):
        await take(source, 1, before[-1].cursor)
    assert len(await take(source, 3, before[-1].cursor)) == 3
    assert server.queries[-1]["zstdDictionary"] == ["20261123"]


async def test_a_server_without_dictionary_is_read_plain(source: Bluesky, server: Any) -> None:
    server.has_dictionary = False
    assert len(await take(source, 15)) == 15
    assert "zstdDictionary" not in server.queries[0]


async def test_damaged_frames_are_counted_and_passed(
    source: Bluesky,
    server: Any,
    payloads: list[dict[str, Any]],
    broker: Any,
    witness: Any,
    read_until: ReadUntil,
) -> None:
    server.corrupt = {payloads[1]["seq"], payloads[4]["seq"]}
    await read_until(source, 15)
    assert witness.outcomes["refused"] == 4
    assert len(broker.letters) == 4
    assert witness.outcomes.total() == 15


async def test_a_silent_server_is_unavailable(
    server: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any
) -> None:
    server.live_from = None
    source = source_of(server, pseudonyms, clock, witness, silence_secs=0.05)
    with pytest.raises(SourceUnavailable, match="silent"):
        await take(source, 1)


@pytest.mark.parametrize(("status", "name"), [(503, "ServiceUnavailable"), (400, "InvalidRequest"), (429, "Slow")])
async def test_a_refusal_is_unavailable(status: int, name: str, source: Bluesky, server: Any) -> None:
    server.refuse_with = (status, name)
    with pytest.raises(SourceUnavailable, match=name):
        await take(source, 1)


async def test_nobody_listening_is_unavailable(pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> None:
    source = Bluesky(pseudonyms=pseudonyms, clock=clock, observer=witness, base_url="ws://127.0.0.1:9")
    with pytest.raises(SourceUnavailable):
        await take(source, 1)


async def test_only_the_languages_asked_for(
    server: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any
) -> None:
    source = source_of(server, pseudonyms, clock, witness, languages=frozenset({"fr"}))
    posts = [reading.post for reading in await take(source, 15) if isinstance(reading.post, Post)]
    assert "good morning" not in [post.text for post in posts]
    assert {post.lang for post in posts} == {"fr", "fr-FR", None}


async def test_a_departure_after_a_change_of_keys_purges_both_pseudonyms(
    server: Any, clock: ManualClock, witness: Any, tmp_path: Any
) -> None:
    keys = RotatingPseudonyms(tmp_path / "keys", clock)
    before = keys.author("bluesky", "did:plc:bobbobbobbobbobbobbob234")
    clock.advance(timedelta(days=30))
    source = source_of(server, keys, clock, witness)
    purge = next(
        reading for reading in await take(source, 15) if isinstance(reading.post, Post) and reading.post.verb == "purge"
    )
    assert isinstance(purge.post, Post)
    assert [post.author_id for post in purge.also if isinstance(post, Post)] == [before]
    assert purge.post.author_id != before


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_frame_gets_an_exception_out(
    data: st.DataObject, payloads: list[dict[str, Any]], pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any
) -> None:
    source = Bluesky(pseudonyms=pseudonyms, clock=clock, observer=witness)
    frame = bytearray(json.dumps({"$type": "message", "payload": data.draw(st.sampled_from(payloads))}).encode())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        frame = frame or bytearray(b"x")
    reading = source.message_from(bytes(frame)).reading("1 1 h")
    assert reading.post is None or isinstance(reading.post, Post | MalformedRecord)
    if isinstance(reading.post, MalformedRecord):
        for payload in payloads:
            assert payload["did"].encode() not in reading.post.value
            assert payload["did"] not in str(reading.post)


@given(frame=st.one_of(st.binary(max_size=200), st.text(max_size=200)))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_is_counted(frame: bytes | str, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> None:
    source = Bluesky(pseudonyms=pseudonyms, clock=clock, observer=witness)
    assert isinstance(source.message_from(frame).post, MalformedRecord)
