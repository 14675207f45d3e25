"""Mastodon against a local instance that speaks the real wire."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import Pace, run
from connectors.sources.mastodon import (
    HEARTBEAT,
    MAX_EVENT_BYTES,
    QUEUED_EVENTS,
    REMEMBERED,
    Account,
    Event,
    Events,
    Mastodon,
    Message,
    Recent,
    _Text,
    id_at,
    ids_from,
    moment_in,
    objects,
    stream_from,
    text_from,
    without_handles,
)
from records import MalformedRecord, ManualClock, Post, SettingsError, SourceUnavailable

QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
Make = Callable[..., Mastodon]
Tell = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def instance(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/mastodon.py")


@pytest.fixture
async def server(instance: ModuleType) -> AsyncIterator[Any]:
    async with instance.Mastodon().running() as running:
        yield running


@pytest.fixture
def make(server: Any, instance: ModuleType, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> Make:
    """Return what makes a source of the local instance."""

    def make(*streams: str, **more: Any) -> Mastodon:
        given = {"base_url": server.url, "token": instance.TOKEN, "streams": streams or ("hashtag:lehavre",), **more}
        return Mastodon(pseudonyms=pseudonyms, clock=clock, observer=witness, **given)

    return make


@pytest.fixture
def tell(instance: ModuleType, clock: ManualClock) -> Tell:
    """Return what makes a status with a number as its text, so many seconds after the test began."""
    begun_at = clock.now()

    def tell(number: int, seconds: float | None = None, tags: tuple[str, ...] = ("lehavre",), **more: Any) -> Any:
        moment = begun_at + timedelta(seconds=number if seconds is None else seconds)
        account = more.pop("account", None) or instance.account_of(f"voisine{number % 5}")
        told = [{"name": tag, "url": f"https://bassin.example/tags/{tag}"} for tag in tags]
        content = more.pop("content", f"n{number}")
        status_id = instance.id_at(moment, number % 65_000 + 1)
        return instance.status_of(status_id, content, account, moment, tags=told, **more)

    return tell


@asynccontextmanager
async def reading(source: Mastodon, after: str | None = None) -> AsyncIterator[Callable[..., Any]]:
    """Read a source, and give what takes the next readings."""
    async with aclosing(source.read(after)) as steps, asyncio.timeout(10):

        async def take(count: int) -> list[Reading]:
            return [await anext(steps) for _ in range(count)]

        yield take


def posts(readings: list[Reading]) -> list[Post]:
    return [reading.post for reading in readings if isinstance(reading.post, Post)]


def texts(readings: list[Reading]) -> list[str]:
    return [post.text for post in posts(readings)]


async def failure_of(source: Mastodon, after: str | None = None) -> SourceUnavailable:
    """Read until the source cannot be read, and return why."""
    async with aclosing(source.read(after)) as steps, asyncio.timeout(5):
        try:
            async for _ in steps:
                pass
        except SourceUnavailable as error:
            return error
    raise AssertionError("it ended without saying why")


async def test_each_event_and_each_heartbeat_is_one_reading(make: Make, server: Any, tell: Tell) -> None:
    async with reading(make()) as take:
        assert (await take(1))[0].post is None, "the greeting shows that the stream is open"
        server.publish(tell(1))
        server.thump()
        server.send(b"event: filters_changed\ndata: undefined\n\n")
        server.publish(tell(2))
        found = await take(4)
    assert [reading.post is None for reading in found] == [False, True, True, False]
    assert texts(found) == ["n1", "n2"]
    assert all(reading.cursor for reading in found)


async def test_an_edit_and_a_deletion_carry_the_key_of_their_post(make: Make, server: Any, tell: Tell) -> None:
    status = tell(1)
    async with reading(make()) as take:
        await take(1)
        server.publish(status)
        server.edit(status["id"], content="<p>le quai est coupé</p>", edited_at="2026-11-22T07:00:09.000Z")
        server.delete(status["id"])
        created, edited, deleted = posts(await take(3))
    assert [created.verb, edited.verb, deleted.verb] == ["create", "update", "delete"]
    assert created.key == edited.key == deleted.key
    assert edited.text == "le quai est coupé"
    assert (deleted.text, deleted.url, deleted.author_id) == ("", None, "")
    assert created.author_id == edited.author_id != ""


async def test_what_a_status_becomes(make: Make, corpus: Path, pseudonyms: FixedPseudonyms) -> None:
    source = make(base_url="https://bassin.example")
    found = [source.message_from(event) for event in Events().feed((corpus / "mastodon.sse").read_bytes())]
    first, warned, reply, edit, boost, delete, english = [
        message.post for message in found if isinstance(message.post, Post)
    ]
    assert first.text == (
        "Énorme fumée noire au-dessus de la zone industrielle !\nOn l'entend gronder & ça sent le brûlé.\n"
        "@… tu vois ça ? #LeHavre exemple-presse.example/2026/11…"
    )
    assert first.id == "bassin.example/117658759987200101"
    assert first.url == "https://bassin.example/@lou_tisserand/117658759987200101"
    assert first.author_id == pseudonyms.author("mastodon", "https://bassin.example/@lou_tisserand")
    assert first.posted_at.isoformat() == "2026-11-22T06:50:00+00:00"
    assert (first.lang, first.kind, first.author_kind) == ("fr", "post", "unknown")
    assert warned.text == "météo, à lire\nVigilance : vent fort cet après-midi."
    assert (warned.author_kind, warned.media[0].type, warned.media[0].alt) == (
        "bot",
        "image",
        "carte du vent, par @…",
    )
    assert (reply.kind, reply.reply_to) == ("comment", first.id)
    assert reply.text == "@… oui, et les sirènes sonnent. Écris à @…"
    assert (edit.verb, edit.id, edit.text[:11]) == ("update", first.id, "Très grosse")
    assert (boost.repost_of, boost.text, boost.url) == (first.id, first.text, first.url)
    assert boost.author_id == reply.author_id
    assert (delete.verb, delete.id) == ("delete", warned.id)
    assert (english.quote_of, [item.type for item in english.media]) == (first.id, ["video", "audio", "link"])


async def test_bad_events_are_refused_without_a_name(make: Make, corpus: Path) -> None:
    found = [make().message_from(event).post for event in Events().feed((corpus / "mastodon.sse").read_bytes())]
    refused = [post for post in found if isinstance(post, MalformedRecord)]
    assert [post.reason for post in refused] == ["invalid", "invalid", "undecodable"]
    assert b"2026-11-22T06:57:30.000Z" in refused[0].value, "what names nobody is kept, to see what has changed"
    for post in refused:
        assert "lou" not in str(post).lower()
        assert b"lou" not in post.value.lower()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("<p>un</p><p>deux</p>", "un\ndeux", id="paragraphs"),
        pytest.param("un<br>deux<br />trois", "un\ndeux\ntrois", id="breaks"),
        pytest.param("<p>l&#39;eau &amp; l&rsquo;air&nbsp;!</p>", "l'eau & l’air !", id="entities"),
        pytest.param('<a href="https://x.example"><b class="invisible">https://</b>x.example</a>', "x.example", id="a"),
        pytest.param('<a class="mention hashtag" href="#">#<span>Rouen</span></a>', "#Rouen", id="hashtag"),
        pytest.param('<a class="u-url mention" href="#">@<span>Ana Bel</span></a> ici', "@… ici", id="mention"),
        pytest.param('<a href="https://f.example/ana">Ana Bel</a> ici', "@… ici", id="mention without its class"),
        pytest.param("voir f.example/@ana et f.example/users/ana", "voir f.example/@… et f.example/users/…", id="p"),
        pytest.param("@ana@f.example, ana.bel@poste.example", "@… @…", id="handle and address"),
        pytest.param("2 < 3 et 4 > 3 <3", "2 < 3 et 4 > 3 <3", id="signs that are no tags"),
        pytest.param("<script>f()</script><p>vu</p>", "vu", id="script"),
        pytest.param("<p>mal <b>fermé</p></i>", "mal fermé", id="ill nested"),
        pytest.param("cafe\u0301", "café", id="NFC"),
    ],
)  # fmt: skip
def test_the_text_of_a_status(content: str, expected: str) -> None:
    named = frozenset({"https://f.example/ana"})
    assert text_from(content, named).replace(",", "") == expected.replace(",", "")


@settings(max_examples=200, deadline=2000)
@given(st.text(alphabet="<>/abp \"'=&#;!-[]@", max_size=300))
def test_no_markup_raises(content: str) -> None:
    assert isinstance(text_from(content), str)


@settings(max_examples=1, deadline=2000)
@given(st.just("<p " * 20_000))
def test_tags_without_end_take_no_time(content: str) -> None:
    assert text_from(content)


@pytest.mark.parametrize(
    ("account", "respects_indexable", "expected"),
    [
        pytest.param(Account(indexable=True), True, False, id="agrees"),
        pytest.param(Account(), True, False, id="an instance that does not tell"),
        pytest.param(Account(indexable=False), True, True, id="does not agree"),
        pytest.param(Account(noindex=True), True, True, id="objects to search engines"),
        pytest.param(Account(indexable=False), False, False, id="not asked for"),
        pytest.param(Account(note="<p>#<span>NoBot</span></p>"), False, True, id="nobot always counts"),
        pytest.param(Account(note="vélo #noindex"), False, True, id="noindex always counts"),
        pytest.param(Account(note="nobot? #nobottle"), True, False, id="another word"),
    ],
)
def test_who_objects(account: Account, respects_indexable: bool, expected: bool) -> None:
    assert objects(account, respects_indexable=respects_indexable) is expected


@pytest.mark.parametrize("more", [{"visibility": "private"}, {"visibility": "direct"}, {"visibility": "limited"}])
async def test_what_was_meant_for_some_is_not_read(more: dict[str, str], make: Make, server: Any, tell: Tell) -> None:
    async with reading(make("user")) as take:
        await take(1)
        server.publish(tell(1, **more))
        server.publish(tell(2, reblog=tell(3, **more)))
        server.publish(tell(4))
        assert texts(await take(3)) == ["n4"]


async def test_a_boost_of_somebody_who_objects_is_not_read(
    make: Make, server: Any, tell: Tell, instance: ModuleType
) -> None:
    async with reading(make("user")) as take:
        await take(1)
        server.publish(tell(1, reblog=tell(2, account=instance.account_of("voisine2", indexable=False))))
        server.publish(tell(3, reblog=tell(4)))
        assert texts(await take(2)) == ["n4"]


async def test_an_edit_after_an_objection_deletes(make: Make, server: Any, tell: Tell, instance: ModuleType) -> None:
    status = tell(1)
    async with reading(make()) as take:
        await take(1)
        server.publish(status)
        server.edit(
            status["id"],
            account=instance.account_of("voisine1", indexable=False),
            edited_at="2026-11-22T07:00:09.000Z",
        )
        created, deleted = posts(await take(2))
    assert (deleted.verb, deleted.key, deleted.text) == ("delete", created.key, "")


async def test_only_the_languages_asked_for(make: Make, server: Any, tell: Tell) -> None:
    async with reading(make(languages=frozenset({"fr"}))) as take:
        await take(1)
        for number, language in enumerate(["fr", "en", None, "fr-CA"]):
            server.publish(tell(number, language=language))
        assert texts(await take(4)) == ["n0", "n2", "n3"]


async def test_a_status_with_two_hashtags_is_handed_over_once(make: Make, server: Any, tell: Tell) -> None:
    async with reading(make("hashtag:lehavre", "hashtag:incendie")) as take:
        await take(2)
        server.publish(tell(1, tags=("lehavre", "incendie")))
        server.publish(tell(2, tags=("incendie",)))
        assert sorted(texts(await take(3))) == ["n1", "n2"]


async def test_copies_and_versions_out_of_order_undo_nothing(
    make: Make, server: Any, tell: Tell, instance: ModuleType
) -> None:
    first, second, third = (
        tell(1, content=f"<p>version {number}</p>", edited_at=f"2026-11-22T07:00:0{number}.000Z" if number else None)
        for number in range(3)
    )
    async with reading(make()) as take:
        await take(1)
        for name, status in [("update", first), ("status.update", third), ("status.update", second), ("update", first)]:
            server.send(instance.event(name, status))
        server.send(instance.event("delete", first["id"]) * 2)
        server.send(instance.event("status.update", third))
        found = posts(await take(7))
    assert [(post.verb, post.text) for post in found] == [
        ("create", "version 0"),
        ("update", "version 2"),
        ("delete", ""),
    ]


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_chunks_may_be_cut_anywhere(size: int, make: Make, server: Any, tell: Tell) -> None:
    server.chunk_bytes = size
    async with reading(make()) as take:
        await take(1)
        server.publish(tell(1, content="<p>fumée épaisse… 🔥</p>"))
        server.thump()
        server.publish(tell(2))
        assert texts(await take(3)) == ["fumée épaisse… 🔥", "n2"]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_events_are_the_same_in_any_chunks_and_with_any_line_ends(data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    wire = end.join([b":)", b"event: update", b'data: {"a":1}', b"", b":thump", b"data:x", b"data: y", b"", b""])
    events, found = Events(), []
    rest = wire + b"z"  # a carriage return alone is an end only when the next byte is known
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += list(events.feed(rest[:size]))
        rest = rest[size:]
    assert found == [HEARTBEAT, Event("update", b'{"a":1}'), HEARTBEAT, Event("", b"x\ny")]


@pytest.mark.parametrize("begin", [b"data: ", b"data\n" * 300_000, b":", b"", b"data: x\n" * 100_000])
def test_an_event_without_end_is_refused_and_not_kept(begin: bytes, make: Make) -> None:
    events = Events()
    found = list(events.feed(begin))
    for _ in range(40):
        found += list(events.feed(b"x" * (MAX_EVENT_BYTES // 4)))
        assert len(events._rest) + sum(map(len, events._data)) <= 2 * MAX_EVENT_BYTES
        assert len(events._data) <= MAX_EVENT_BYTES
    found += list(events.feed(b"\n\nevent: delete\ndata: 12\n\n"))
    assert [event.is_too_long for event in found] == [True, False]
    refused = make().message_from(found[0]).post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason == "too_long"


def test_a_text_too_long_is_refused(make: Make, instance: ModuleType, tell: Tell) -> None:
    event = next(iter(Events().feed(instance.event("update", tell(1, content="x" * 70_000)))))
    refused = make().message_from(event).post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason == "too_long"


def test_what_is_remembered_is_bounded() -> None:
    recent = Recent()
    for number in range(REMEMBERED + 500):
        assert recent.is_news(Message(number))
    assert len(recent._versions) == REMEMBERED
    assert not recent.is_news(Message(REMEMBERED))


async def test_what_was_missed_comes_first_and_once(make: Make, server: Any, tell: Tell, clock: ManualClock) -> None:
    source = make()
    async with reading(source) as take:
        await take(1)
        server.publish(tell(1))
        cursor = (await take(1))[0].cursor
    for number in range(2, 100):
        server.publish(tell(number), is_told=False)
    server.during_page = [lambda: server.publish(tell(100)), lambda: server.publish(tell(101))]
    clock.advance(timedelta(seconds=120))
    async with reading(source, cursor) as take:
        found = await take(101 + 1 + 2)  # the greeting and the two that the stream brought too
    assert texts(found) == [f"n{number}" for number in range(1, 102)]
    pages = [query for path, query in server.requests if path == "/api/v1/timelines/tag/lehavre"]
    assert all(query["limit"] == ["40"] and "min_id" in query for query in pages)
    paths = [path for path, _ in server.requests[-len(pages) - 1 :]]
    assert paths == ["/api/v1/streaming/hashtag", *["/api/v1/timelines/tag/lehavre"] * len(pages)]


async def test_a_deletion_during_the_backfill_wins(make: Make, server: Any, tell: Tell, clock: ManualClock) -> None:
    source = make()
    async with reading(source) as take:
        cursor = (await take(1))[0].cursor
    missed = [tell(number) for number in range(1, 61)]
    for status in missed:
        server.publish(status, is_told=False)
    gone = missed[0]["id"]
    server.during_page = [lambda: None, lambda: server.delete(gone)]
    clock.advance(timedelta(seconds=120))
    async with reading(source, cursor) as take:
        found = posts(await take(62))
    assert [post.verb for post in found if post.id.endswith(gone)] == ["create", "delete"]


async def test_an_edit_while_we_were_away_is_an_update(make: Make, server: Any, tell: Tell) -> None:
    source = make()
    status = tell(1)
    async with reading(source) as take:
        await take(1)
        server.publish(status)
        cursor = (await take(1))[0].cursor
    server.edit(status["id"], content="<p>corrigé</p>", edited_at="2026-11-22T07:00:09.000Z")
    async with reading(source, cursor) as take:
        (post,) = posts(await take(1))
    assert (post.verb, post.text) == ("update", "corrigé")


async def test_a_post_of_another_instance_that_came_late_is_found(make: Make, server: Any, tell: Tell) -> None:
    """Its id tells when it was written, and lies before the cursor."""
    source = make()
    async with reading(source) as take:
        await take(1)
        server.publish(tell(200))
        cursor = (await take(1))[0].cursor
    server.publish(tell(20), is_told=False)
    async with reading(source, cursor) as take:
        assert texts(await take(2)) == ["n20", "n200"]


async def test_a_quiet_hashtag_is_backfilled_from_where_we_began_to_listen(make: Make, server: Any, tell: Tell) -> None:
    source = make("hashtag:lehavre", "hashtag:rouen")
    server.publish(tell(0, seconds=-900, tags=("rouen",)), is_told=False)
    async with reading(source) as take:
        await take(2)
        server.publish(tell(1))
        cursor = (await take(1))[0].cursor
    assert set(ids_from(cursor)) == {"hashtag:lehavre", "hashtag:rouen"}
    server.publish(tell(2, tags=("rouen",)), is_told=False)
    async with reading(source, cursor) as take:
        assert texts(await take(2)) == ["n1", "n2"]


async def test_one_stream_ahead_hides_nothing_of_another(make: Make, server: Any, tell: Tell) -> None:
    source = make("hashtag:lehavre", "hashtag:rouen")
    async with reading(source) as take:
        await take(2)
        server.publish(tell(3000))
        cursor = (await take(1))[0].cursor
    server.publish(tell(10, tags=("rouen",)), is_told=False)
    async with reading(source, cursor) as take:
        assert texts(await take(2)) == ["n3000", "n10"]


async def test_a_timeline_that_begins_after_the_cursor_is_a_gap(
    make: Make, server: Any, tell: Tell, witness: Any
) -> None:
    source = make(overlap_secs=0)
    async with reading(source) as take:
        await take(1)
        server.publish(tell(1))
        cursor = (await take(1))[0].cursor
    for number in (100, 601, 602):
        server.publish(tell(number), is_told=False)
    async with reading(source, cursor) as take:
        await take(3)
    assert witness.gaps == [], "the timeline still reaches back to the cursor"
    server.floor = id_at(tell_moment(tell(500)))
    async with reading(source, cursor) as take:
        assert texts(await take(2)) == ["n601", "n602"]
    assert witness.gaps == [pytest.approx(600, abs=1)]


def tell_moment(status: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(status["created_at"])


async def test_more_than_we_may_ask_for_is_a_gap(
    make: Make, server: Any, tell: Tell, witness: Any, clock: ManualClock
) -> None:
    source = make(backfill_pages=2)
    async with reading(source) as take:
        cursor = (await take(1))[0].cursor
    for number in range(1, 200):
        server.publish(tell(number), is_told=False)
    clock.advance(timedelta(seconds=500))
    async with reading(source, cursor) as take:
        found = await take(81)
        assert len(posts(found)) == 80
        server.publish(tell(550))
        assert texts(await take(1)) == ["n550"], "the stream goes on"
    assert witness.gaps == [pytest.approx(420, abs=1)]


async def test_the_backfill_ends_where_the_stream_began(
    make: Make, server: Any, tell: Tell, clock: ManualClock
) -> None:
    """A busy timeline has always one more page; the instance's clock tells when the stream has it all."""
    server.date = clock.now()
    source = make()
    async with reading(source) as take:
        cursor = (await take(1))[0].cursor
    for number in range(1, 121):
        server.publish(tell(number), is_told=False)
    async with reading(source, cursor) as take:
        await take(41)
    assert [path for path, _ in server.requests].count("/api/v1/timelines/tag/lehavre") == 1


async def test_a_bad_status_of_a_timeline_is_refused_and_passed(make: Make, server: Any, tell: Tell) -> None:
    source = make()
    async with reading(source) as take:
        cursor = (await take(1))[0].cursor
    for number in range(1, 4):
        server.publish(tell(number), is_told=False)
    server.spoilt = {tell(2)["id"]}
    async with reading(source, cursor) as take:
        found = await take(3)
    assert [type(reading.post) for reading in found] == [Post, MalformedRecord, Post]
    assert ids_from(found[1].cursor)["hashtag:lehavre"] == int(tell(2)["id"])


async def test_an_id_from_the_future_moves_no_cursor(make: Make, server: Any, tell: Tell) -> None:
    source = make()
    async with reading(source) as take:
        await take(1)
        server.publish(tell(1))
        server.publish(tell(2, seconds=10**9))
        server.publish(tell(3))
        cursors = [reading.cursor for reading in await take(3)]
    assert [ids_from(cursor)["hashtag:lehavre"] for cursor in cursors] == [
        int(tell(number)["id"]) for number in (1, 1, 3)
    ]


@pytest.mark.parametrize("cursor", ["", "x", "hashtag:lehavre=x", "hashtag:lehavre=99999999999999999999", "&=&=1"])
async def test_a_cursor_that_is_none_starts_now(
    cursor: str, make: Make, server: Any, tell: Tell, clock: ManualClock
) -> None:
    async with reading(make(), cursor) as take:
        await take(1)
        server.publish(tell(1))
        (found,) = await take(1)
    assert texts([found]) == ["n1"]
    assert ids_from(found.cursor)["hashtag:lehavre"] <= id_at(clock.now() + timedelta(hours=1))


async def test_without_a_cursor_we_stand_where_the_instance_says_that_it_is_now(
    make: Make, server: Any, clock: ManualClock
) -> None:
    server.date = clock.now() - timedelta(minutes=10)
    async with reading(make()) as take:
        (greeting,) = await take(1)
    assert ids_from(greeting.cursor) == {"hashtag:lehavre": id_at(server.date)}


async def test_a_hashtag_that_nobody_has_used_misses_nothing(make: Make, server: Any, instance: ModuleType) -> None:
    server.refusals = [instance.Refusal("/api/v1/timelines", 404, left=2)]
    async with reading(make(), "hashtag:lehavre=1") as take:
        assert (await take(1))[0].post is None
    assert "check the streams" in str(await failure_of(make("list:42"), "list:42=1"))


async def test_torn_connections_lose_nothing(
    make: Make, server: Any, tell: Tell, broker: Any, witness: Any, clock: ManualClock, until: Callable[..., Any]
) -> None:
    """Two hundred posts while the connection is torn at ten points by chance and the reader is killed once."""
    chance = random.Random(5)  # noqa: S311
    tears = sorted(chance.sample(range(200), 10))
    cursors = ForgetfulCursors()
    streams = ("hashtag:lehavre", "hashtag:rouen")

    def started() -> asyncio.Task[None]:
        return asyncio.create_task(
            run(
                make(*streams),
                gate=lambda _: True,
                publisher=broker,
                cursors=cursors,
                observer=witness,
                clock=clock,
                pace=QUICK,
            )
        )

    task = started()
    await until(lambda: len(server.listeners) == 2 and cursors.load("mastodon") is not None)
    for number in range(200):
        if number in tears:
            await until(lambda: len(server.listeners) == 2)  # else it has nothing to tear on a busy machine
            server.abort_after = chance.randrange(4)
        if number == 120:
            task.cancel()
            await asyncio.wait({task})
            task = started()
        server.publish(tell(number, tags=(chance.choice(("lehavre", "rouen")),)))
        clock.advance(timedelta(seconds=1))
        if chance.random() < 0.2:
            await asyncio.sleep(0.01)
    await until(lambda: len({post.text for post in broker.kept}) == 200)
    task.cancel()
    await asyncio.wait({task})
    assert {post.text for post in broker.kept} == {f"n{number}" for number in range(200)}
    assert len(witness.failures) >= 5
    assert witness.gaps == []


@pytest.mark.parametrize("fault", ["abort_after", "close_after"])
async def test_a_stream_that_ends_is_unavailable(fault: str, make: Make, server: Any) -> None:
    setattr(server, fault, 0)
    assert "the stream" in str(await failure_of(make()))


async def test_a_silent_stream_is_unavailable(make: Make, server: Any) -> None:
    server.is_silent = True
    assert "silent" in str(await failure_of(make(silence_secs=0.05)))


async def test_one_silent_stream_of_two_is_noticed(make: Make, server: Any, tell: Tell) -> None:
    source = make("hashtag:lehavre", "hashtag:rouen", silence_secs=0.2)

    async def chatter() -> None:
        for number in range(100):
            server.publish(tell(number))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(chatter())
    error = await failure_of(source)
    task.cancel()
    assert "hashtag:rouen: silent" in str(error)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "moved"),
        (401, "read:statuses"),
        (403, "read:statuses"),
        (404, "check the streams"),
        (422, "token"),
        (503, "cannot answer"),
    ],
)
async def test_a_refusal_says_what_to_do(
    status: int, words: str, make: Make, server: Any, instance: ModuleType
) -> None:
    server.refusals = [instance.Refusal("/api/v1/streaming", status)]
    error = await failure_of(make())
    assert words in str(error)
    assert instance.TOKEN not in str(error)


async def test_a_wrong_token_is_refused(make: Make, instance: ModuleType) -> None:
    error = await failure_of(make(token="another"))
    assert "the token is not accepted" in str(error)
    assert "another" not in str(error)


@pytest.mark.parametrize("path", ["/api/v2/instance", "/api/v1/streaming", "/api/v1/timelines"])
async def test_too_many_requests_are_waited_out(
    path: str, make: Make, server: Any, instance: ModuleType, clock: ManualClock
) -> None:
    reset = (clock.now() + timedelta(seconds=73)).isoformat(timespec="microseconds")
    headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    server.refusals = [instance.Refusal(path, 429, headers)]
    error = await failure_of(make(), "hashtag:lehavre=1")
    assert error.retry_after_secs == pytest.approx(73)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (503, {"Retry-After": "30"}, 30),
        (503, {"Retry-After": "Sun, 22 Nov 2026 07:00:50 GMT"}, 50),
        (429, {"X-RateLimit-Reset": "2026-11-22T06:00:00.000000Z"}, 1),
        (429, {"X-RateLimit-Reset": "2036-11-22T06:00:00.000000Z"}, 3600),
        (429, {"X-RateLimit-Reset": "soon"}, None),
        (429, {"X-RateLimit-Reset": "2026-11-22T07:01:00Z", "Date": "Sun, 22 Nov 2026 07:00:40 GMT"}, 20),
        (206, {}, 5),
        (500, {"X-RateLimit-Reset": "2026-11-22T07:01:00Z"}, None),
    ],
)
async def test_how_long_to_wait(
    status: int, headers: dict[str, str], expected: float | None, make: Make, server: Any, instance: ModuleType
) -> None:
    server.refusals = [instance.Refusal("/api/v1/streaming", status, headers)]
    assert (await failure_of(make())).retry_after_secs == expected


async def test_the_runner_backs_off_for_as_long_as_it_is_told(
    make: Make, server: Any, instance: ModuleType, witness: Any, broker: Any, clock: ManualClock, until: Any, tell: Tell
) -> None:
    server.refusals = [instance.Refusal("/api/v1/streaming", 429, {"X-RateLimit-Reset": "2026-11-22T07:01:13.000000Z"})]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    given = {"gate": lambda _: True, "publisher": broker, "observer": witness, "clock": clock, "sleep": sleep}
    task = asyncio.create_task(run(make(), cursors=ForgetfulCursors(), **given))
    await until(lambda: len(server.listeners) == 1)
    server.publish(tell(1))
    await until(lambda: len(broker.kept) == 1)
    task.cancel()
    await asyncio.wait({task})
    assert slept == [pytest.approx(73)]


async def test_nobody_listening_is_unavailable(make: Make) -> None:
    assert "cannot connect" in str(await failure_of(make(base_url="http://127.0.0.1:9")))
    assert "cannot connect" in str(await failure_of(make(base_url="nonsense")))


async def test_a_page_that_is_no_stream_is_unavailable(make: Make, server: Any) -> None:
    server.content_type = "text/html"
    assert "not a stream of events" in str(await failure_of(make()))


async def test_the_streaming_host_is_the_one_that_the_instance_tells(
    make: Make, server: Any, instance: ModuleType, tell: Tell
) -> None:
    async with instance.Mastodon().running() as elsewhere:
        server.streaming_url = elsewhere.url.replace("http", "ws")
        async with reading(make()) as take:
            await take(1)
            elsewhere.publish(tell(1))
            assert texts(await take(1)) == ["n1"]
    assert [path for path, _ in server.requests] == ["/api/v2/instance"]


async def test_a_streaming_host_that_is_set_is_not_asked_for(make: Make, server: Any) -> None:
    async with reading(make(streaming_url=server.url.replace("http", "ws") + "/")) as take:
        await take(1)
    assert [path for path, _ in server.requests] == ["/api/v1/streaming/hashtag"]


async def test_an_instance_of_before_version_4_streams_from_its_own_host(make: Make, server: Any) -> None:
    server.has_instance = False
    async with reading(make()) as take:
        await take(1)
    assert [path for path, _ in server.requests] == ["/api/v2/instance", "/api/v1/streaming/hashtag"]


@pytest.mark.parametrize(
    ("name", "streaming", "timeline"),
    [
        ("public", ("public", {}), ("public", {})),
        ("public:local", ("public/local", {}), ("public", {"local": ["true"]})),
        ("public:remote", ("public/remote", {}), ("public", {"remote": ["true"]})),
        ("hashtag:#ÉlysÉe", ("hashtag", {"tag": ["élysée"]}), ("tag/%C3%A9lys%C3%A9e", {})),
        ("hashtag:local:rouen", ("hashtag/local", {"tag": ["rouen"]}), ("tag/rouen", {"local": ["true"]})),
        ("list:42", ("list", {"list": ["42"]}), ("list/42", {})),
        ("user", ("user", {}), ("home", {})),
    ],
)
async def test_every_stream_is_asked_for_by_its_address(
    name: str, streaming: tuple[str, Any], timeline: tuple[str, Any], make: Make, server: Any
) -> None:
    start = f"{stream_from(name).name}=1"
    async with reading(make(name), start) as take:
        await take(1)
    (_, stream, page) = server.requests
    assert stream == (f"/api/v1/streaming/{streaming[0]}", streaming[1])
    assert page[0] == f"/api/v1/timelines/{timeline[0]}"
    assert {key: value for key, value in page[1].items() if key in ("local", "remote")} == timeline[1]
    assert server.agents[0] == "vigie"


@pytest.mark.parametrize(
    "names", [[], ["hashtag:"], ["list:x"], ["public:x"], ["direct"], ["?"], [f"list:{n}" for n in range(21)]]
)
def test_streams_that_are_none_are_refused(names: list[str], make: Make) -> None:
    with pytest.raises(SettingsError, match="mastodon"):
        make(streams=names)


async def test_a_slow_broker_holds_the_stream_back_and_loses_nothing(make: Make, server: Any, tell: Tell) -> None:
    count = 3 * QUEUED_EVENTS
    async with reading(make()) as take:
        await take(1)
        for number in range(count):
            server.publish(tell(number))
        await asyncio.sleep(0)
        assert texts(await take(count)) == [f"n{number}" for number in range(count)]


async def test_what_waits_is_bounded_and_is_let_go_of_at_the_end(
    make: Make, server: Any, tell: Tell, until: Any
) -> None:
    async with make("hashtag:lehavre", "hashtag:rouen")._opened() as opening:
        for number in range(2 * QUEUED_EVENTS):
            server.publish(tell(number))
        await until(opening.arrivals.full)
        assert opening.arrivals.qsize() == QUEUED_EVENTS
    assert [task for task in asyncio.all_tasks() if "_pump" in repr(task.get_coro())] == []
    await until(lambda: (server.thump(), not server.listeners)[1])


async def test_a_token_is_not_sent_in_the_clear(make: Make) -> None:
    async def told() -> AsyncIterator[bytes]:
        yield b'{"configuration": {"urls": {"streaming": "ws://elsewhere.example"}}}'

    source = make(base_url="https://bassin.example")
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=told()))
    ) as client:
        with pytest.raises(SourceUnavailable, match="in the clear"):
            await source._streaming_host(client)


async def test_no_name_leaves_by_what_is_missed_either(
    make: Make, server: Any, tell: Tell, instance: ModuleType
) -> None:
    source = make()
    async with reading(source) as take:
        cursor = (await take(1))[0].cursor
    who = instance.account_of("dame_blanche", "foret.example")
    server.publish(tell(1, account=who, content="<p>par @dame_blanche@foret.example</p>"), is_told=False)
    async with reading(source, cursor) as take:
        (post,) = posts(await take(1))
    left = repr(post).replace(post.url or "", "")
    assert "dame_blanche" not in left
    assert "foret.example" not in left


@pytest.mark.parametrize("header", [None, "", "x", "120", "9" * 400, "Sun, 99 Nov 2026 07:00:00 GMT"])
def test_a_header_that_is_no_moment_is_none(header: str | None) -> None:
    assert moment_in(header) is None


async def test_the_demonstration_can_be_listened_to(
    make: Make, instance: ModuleType, unused_tcp_port: int, until: Any
) -> None:
    task = asyncio.create_task(instance.serve_demo(unused_tcp_port))
    await until(lambda: is_open(unused_tcp_port))
    async with reading(make(base_url=f"http://127.0.0.1:{unused_tcp_port}")) as take:
        found = await take(3)
    task.cancel()
    await asyncio.wait({task})
    assert len(posts(found)) >= 1


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


TAGS = st.sampled_from(
    (
        *("<p>", "</p>", "<br>", "<br/>", "<br />", "</span>", "</a>", "<span>", "<a>", "</br>", "<p/>"),
        *(
            '<span class="invisible">',
            '<span class="ellipsis">',
            '<a href="https://a.example/@lou" class="u-url mention">',
        ),
        *('<a href="https://b.example/tags/feu" class="mention hashtag" rel="tag">', '<span class="h-card">'),
        *("&amp;", "&lt;p&gt;", "&eacute;", "&#233;", "&", "#feu", "@lou@a.example", "fumée noire ", " "),
    )
)


@settings(max_examples=500)
@given(st.lists(TAGS, max_size=30).map("".join))
def test_what_instances_write_is_read_as_any_html_is(content: str) -> None:
    parser = _Text(frozenset())
    parser.feed(content)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.parts).split("\n")]
    assert text_from(content) == without_handles("\n".join(line for line in lines if line))
