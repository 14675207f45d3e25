"""Press feeds against a local web server that speaks the real wire, and broken feeds as they are met."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import msgspec
import pytest

from connectors.bounded import unpacked
from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.redirects import get, is_inside, why_not_followed
from connectors.retry_after import seconds_in
from connectors.runner import Pace, run
from connectors.sources.feed_memory import Memory, Standing, packed_from, seen_in
from connectors.sources.feeds import Document, decoded, document_from, tamed
from connectors.sources.press import MAX_BYTES, Feed, Press, post_from
from connectors.sources.robots import is_allowed, is_match, reserved_in
from records import MalformedRecord, ManualClock, Post, SettingsError, SourceUnavailable

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
Make = Callable[..., Press]


class Waits:
    """A sleep that is over at once, and remembers for how long it should have been."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.secs: list[float] = []

    async def __call__(self, secs: float) -> None:
        self.secs.append(secs)
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def wire(load: Callable[[str], ModuleType]) -> Any:
    return load("servers/press.py")


@pytest.fixture
async def publisher(wire: Any) -> AsyncIterator[Any]:
    async with wire.Publisher({"/rss.xml": wire.Page()}).running() as running:
        yield running


@pytest.fixture
def waits(clock: ManualClock) -> Waits:
    return Waits(clock)


@pytest.fixture
def make(publisher: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any, waits: Waits) -> Iterator[Make]:
    """Return what makes a source of some feeds of the local server; /rss.xml if none is named."""

    def make(*paths: str, author_kind: Any = "press", **more: Any) -> Press:
        named = paths or ("/rss.xml",)
        feeds = [Feed(url=path, name=path.strip("/"), author_kind=author_kind) for path in named]
        settings = {"base_url": publisher.url, "sleep": waits, "chance": lambda: 0.5, "every_secs": 60.0} | more
        return Press(feeds, pseudonyms=pseudonyms, clock=clock, observer=witness, **settings)

    yield make
    assert all(not asked.headers.get("cookie") for asked in publisher.asked), "we are nobody they know"


async def take(source: Press, count: int, after: str | None = None) -> list[Reading]:
    readings = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


def posts(readings: list[Reading]) -> list[Post]:
    return [reading.post for reading in readings if isinstance(reading.post, Post)]


def titles(readings: list[Reading]) -> list[str]:
    return [post.text.partition("\n")[0] for post in posts(readings)]


def page(publisher: Any) -> Any:
    return publisher.pages["/rss.xml"]


# What an entry becomes


@pytest.mark.parametrize("kind", ["press", "official", "operator"])
async def test_an_entry_speaks_as_the_publisher_does(kind: Any, make: Make, publisher: Any, corpus: Path) -> None:
    page(publisher).body = (corpus / "press.xml").read_bytes()
    readings = await take(make(author_kind=kind), 7)
    assert {post.author_kind for post in posts(readings)} == {kind}


async def test_what_an_entry_becomes(
    make: Make, publisher: Any, corpus: Path, pseudonyms: FixedPseudonyms, clock: ManualClock
) -> None:
    page(publisher).body = (corpus / "press.xml").read_bytes()
    readings = await take(make(), 7)
    found = {post.text.partition("\n")[0]: post for post in posts(readings)}
    fire = found["Énorme fumée noire au-dessus de la centrale"]
    assert fire.text == "Énorme fumée noire au-dessus de la centrale\nUn incendie s'est déclaré ce matin."
    assert (fire.verb, fire.kind, fire.author_kind, fire.platform, fire.lang) == (
        "create",
        "article",
        "press",
        "press",
        "fr-FR",
    )
    assert fire.url == "https://littoral.example/havre/1"
    assert fire.posted_at == datetime(2026, 11, 22, 6, 50, tzinfo=UTC)
    assert fire.geo
    assert (fire.geo.lat, fire.geo.lon, fire.geo.provenance) == (49.4811, 0.1423, "place")
    flood = found["La Lézarde déborde à Harfleur"]
    assert flood.geo
    assert (flood.geo.lat, flood.geo.lon) == (49.5056, 0.198)
    assert flood.text.endswith("\nPlusieurs rues sont sous l'eau.")
    assert found["Odeur de gaz signalée à Gonfreville-l'Orcher"].url == f"{publisher.url}/havre/3"
    assert found["Un brouillon sans date ni lien"].posted_at == clock.now()
    assert found["Un brouillon sans date ni lien"].url is None
    siren = found["Demain, exercice de sirènes"]
    assert (siren.posted_at.day, siren.event_time) == (23, clock.now())
    assert {post.author_id for post in found.values()} == {pseudonyms.author("press", "127.0.0.1")}
    assert len({post.id for post in found.values()}) == 6
    bad = [reading.post for reading in readings if isinstance(reading.post, MalformedRecord)]
    assert [(error.reason, error.value) for error in bad] == [("invalid", b"")]


def test_atom_is_read_as_well(corpus: Path) -> None:
    document = document_from((corpus / "press.atom").read_bytes(), content_type="application/atom+xml")
    first, second = document.entries
    assert first.text == "Vigilance orange crues\nLimitez vos déplacements."
    assert (first.guid, first.link) == (
        "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
        "https://prefecture.example/actu/1",
    )
    assert first.said_at == datetime(2026, 11, 22, 6, 30, tzinfo=UTC), "when it was published, not when corrected"
    assert second.said_at == datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
    assert document.lang == "fr"


async def test_the_oldest_entry_comes_first(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 5, MORNING))
    assert titles(await take(make(), 5)) == [f"Nouvelle numéro {number}" for number in range(1, 6)]


def test_only_an_excerpt_is_taken(pseudonyms: FixedPseudonyms) -> None:
    long = " ".join(["inondation"] * 200)
    item = f"<item><title>{long}</title><description>{long}</description></item>"
    (entry,) = document_from(f"<rss version='2.0'><channel>{item}</channel></rss>".encode()).entries
    post = post_from(entry, identity="1", feed=Feed(url="http://h"), received_at=NOW, pseudonyms=pseudonyms)
    title, _, summary = post.text.partition("\n")
    assert 480 < len(title) <= 500
    assert 280 < len(summary) <= 300
    assert summary.endswith("inondation…")


def test_a_link_that_is_a_script_is_not_shown(pseudonyms: FixedPseudonyms) -> None:
    body = b"<rss version='2.0'><channel><item><title>x</title><link>javascript:alert(1)</link></item></channel></rss>"
    (entry,) = document_from(body).entries
    post = post_from(entry, identity="1", feed=Feed(url="http://h"), received_at=NOW, pseudonyms=pseudonyms)
    assert post.url is None


async def test_the_operator_knows_the_language_better(publisher: Any, make: Make, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING)).replace(b"<language>fr<", b"<language>en<")
    source = make()
    assert posts(await take(source, 1))[0].lang == "en"
    source._places[0].feed = msgspec.structs.replace(source._places[0].feed, lang="fr")
    assert posts(await take(source, 1))[0].lang == "fr"


# Broken feeds: what each still says

BROKEN: dict[str, tuple[str, ...] | str] = {
    "01-latin1-declared-utf8": ("Fumée épaisse près de la gare",),
    "02-utf8-declared-latin1": ("Fumée épaisse près de la gare",),
    "03-no-dates": ("Crue de la Lézarde", "Pont fermé à Harfleur"),
    "04-one-guid-for-all": ("Un arbre tombe", "Un toit s'envole"),
    "05-future-date": ("Alerte pour demain", "Date absurde"),
    "06-cdata": ("Feu & fumée au port\nLes quais sont fermés.",),
    "07-undeclared-entities": ("Inondé à Rouen : l’eau monte",),
    "08-cut-off": ("Première nouvelle", "Deuxième nouvelle"),
    "09-html-page": "undecodable",
    "10-empty": "undecodable",
    "11-packed": ("Paquet inattendu",),
    "12-bare-ampersand": ("Eau & gaz coupés à Gonfreville & Harfleur",),
    "13-warning-before": ("Malgré un avertissement devant",),
    "14-blank-lines-before": ("Des lignes vides devant",),
    "15-control-characters": ("Fumée noire au sud",),
    "16-french-dates": ("Une date en français",),
    "17-no-guid-no-link": ("Rien que des mots", ""),
    "18-undeclared-namespace": ("Un point sans espace de noms",),
    "19-nowhere-on-earth": ("Une position impossible", "Une position sans nombre"),
    "20-impossible-character": ("Un caractère � qui n'existe pas",),
    "21-utf16": ("Fumée en seize bits",),
    "22-half-a-letter": ("D�but abîmé, près de la forêt",),
    "23-entity-bomb": ("Rien ne grossit &c; ici &here;",),
    "24-json": "undecodable",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("content_type", ["text/xml", "application/rss+xml; charset=utf-8", "text/html", ""])
def test_a_broken_feed_says_what_it_can(name: str, content_type: str, corpus: Path) -> None:
    body = unpacked((corpus / "press" / f"{name}.xml").read_bytes(), MAX_BYTES)
    expected = BROKEN[name]
    if isinstance(expected, str):
        with pytest.raises(MalformedRecord) as refused:
            document_from(body, content_type=content_type)
        assert (refused.value.reason, refused.value.value) == (expected, b"")
        return
    document = document_from(body, content_type=content_type)
    assert tuple(entry.text for entry in document.entries) == expected
    assert document.is_whole is (name != "08-cut-off")


def test_every_broken_feed_has_its_expectation(corpus: Path) -> None:
    assert sorted(BROKEN) == sorted(path.stem for path in (corpus / "press").iterdir())


async def test_broken_dates_and_places_are_left_out(make: Make, publisher: Any, corpus: Path) -> None:
    page(publisher).body = (corpus / "press" / "05-future-date.xml").read_bytes()
    dates = {post.text: post.posted_at for post in posts(await take(make(), 2))}
    assert dates == {"Alerte pour demain": datetime(2026, 11, 23, 7, tzinfo=UTC), "Date absurde": NOW}
    page(publisher).body = (corpus / "press" / "19-nowhere-on-earth.xml").read_bytes()
    assert [post.geo for post in posts(await take(make(), 2))] == [None, None]


async def test_one_guid_for_all_gives_each_its_post_once(make: Make, publisher: Any, corpus: Path) -> None:
    page(publisher).body = (corpus / "press" / "04-one-guid-for-all.xml").read_bytes()
    page(publisher).has_etag = False
    readings = await take(make(), 4)
    assert titles(readings[:2]) == ["Un toit s'envole", "Un arbre tombe"]
    assert len({post.id for post in posts(readings)}) == 2
    assert [reading.post for reading in readings[2:]] == [None, None], "nothing goes back and forth"


def hostile() -> dict[str, bytes]:
    head, tail, size = b'<rss version="2.0"><channel>', b"</channel></rss>", MAX_BYTES - 200
    words = (b"a" * 2000 + b" ") * (size // 2001)
    return {
        "nested tags": head + b"<a>" * (size // 3),
        "a declaration without an end": b"<?" + b'encoding="x" ' * (size // 13),
        "a long prolog": b"<?xml version='1.0'?>" + b"<!DOCTYPE [" * (size // 11) + head,
        "a long author": head + b"<item><author>" + words + b"</author></item>" + tail,
        "a long style": head + b'<item><description><![CDATA[<p style="' + words + b'">]]></description></item>' + tail,
        "many entities": head + b"<item><title>" + b"&" * size + b"</title></item>" + tail,
    }


@pytest.mark.parametrize("name", hostile())
def test_what_would_keep_the_parser_busy_for_minutes_is_not_parsed(name: str) -> None:
    with pytest.raises(MalformedRecord):
        tamed(hostile()[name])


@pytest.mark.parametrize("spaces", [b"\n", b" "])
def test_long_white_space_is_no_trouble(spaces: bytes) -> None:
    body = (
        spaces * 500_000
        + b"<rss version='2.0'><channel><item><title>a"
        + spaces * 500_000
        + b"b</title></item></channel></rss>"
    )
    assert [entry.text for entry in document_from(body).entries] == ["a b"]


def test_long_links_are_no_trouble() -> None:
    item = b"<item><title>x</title><guid>CBM" + b"iR0d" * 150 + b"</guid></item>"
    assert len(document_from(b"<rss version='2.0'><channel>" + item * 100 + b"</channel></rss>").entries) == 100


def test_latin_1_is_not_taken_for_utf_8() -> None:
    body = "<a>é à ç</a>".encode("latin-1")
    assert decoded(body, "text/xml") == (body, "text/xml")


# Asking again


async def test_a_feed_that_has_not_changed_is_not_sent_again(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 2, MORNING))
    page(publisher).modified = NOW
    readings = await take(make(), 4)
    assert [reading.post is None for reading in readings] == [False, False, True, True]
    first, second, third = publisher.asked_for("/rss.xml")
    assert not {"if-none-match", "if-modified-since"} & set(first.headers)
    assert second.headers["if-none-match"] == page(publisher).etag
    assert second.headers["if-modified-since"] == "Sun, 22 Nov 2026 07:00:00 GMT"
    assert third.headers["if-none-match"] == page(publisher).etag
    assert publisher.statuses[-2:] == [304, 304]


async def test_a_date_alone_will_do(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body, page(publisher).has_etag = wire.rss(wire.numbered(1, 1, MORNING)), False
    page(publisher).modified = NOW
    readings = await take(make(), 2)
    assert readings[1].post is None
    assert publisher.statuses[-1] == 304


async def test_it_says_who_it_is(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    page(publisher).headers["Set-Cookie"] = "id=1"
    await take(make(contact="https://ville.example/veille"), 3)
    headers = publisher.asked_for("/rss.xml")[0].headers
    assert headers["user-agent"] == "Vigie/1 (+https://ville.example/veille)"
    assert headers["accept"].startswith("application/rss+xml")
    assert headers["accept-encoding"] == "gzip"


async def test_an_edit_is_an_update_and_the_rest_is_silence(make: Make, publisher: Any, wire: Any) -> None:
    items = wire.numbered(1, 3, MORNING)
    page(publisher).body = wire.rss(items)
    source = make()
    readings = await take(source, 3)
    items[1].title = "Nouvelle numéro 2, corrigée"
    items.append(wire.Item("n-4", "Nouvelle numéro 4", NOW))
    page(publisher).body = wire.rss(items)
    after = await take(source, 3, readings[-1].cursor)
    assert [(post.verb, post.text) for post in posts(after)] == [
        ("update", "Nouvelle numéro 2, corrigée"),
        ("create", "Nouvelle numéro 4"),
    ]
    assert posts(after)[0].id == posts(readings)[1].id
    assert after[2].post is None


async def test_an_entry_that_comes_and_goes_is_told_once(make: Make, publisher: Any, wire: Any) -> None:
    items = wire.numbered(1, 3, MORNING)
    page(publisher).body = wire.rss(items)
    source = make()
    cursor = (await take(source, 3))[-1].cursor
    for shown in (items[:2], items, items[1:], items):
        page(publisher).body = wire.rss(shown)
        (reading,) = await take(source, 1, cursor)
        assert reading.post is None
        cursor = reading.cursor


@pytest.mark.parametrize("done", range(0, 12, 3))
async def test_resuming_repeats_nothing_and_loses_nothing(done: int, make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 12, MORNING))
    before = await take(make(), done) if done else []
    cursor = before[-1].cursor if before else None
    after = await take(make(), 12 - done, cursor)
    assert titles(before + after) == [f"Nouvelle numéro {number}" for number in range(1, 13)]


async def test_who_stops_in_the_middle_gets_the_document_again(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 4, MORNING))
    source = make()
    whole = await take(source, 4)
    await take(source, 1, whole[1].cursor)
    await take(source, 1, whole[3].cursor)
    conditions = [asked.headers.get("if-none-match") for asked in publisher.asked_for("/rss.xml")]
    assert conditions == [None, None, page(publisher).etag]


async def test_what_was_cut_off_is_asked_for_anew(make: Make, publisher: Any, corpus: Path) -> None:
    page(publisher).body = (corpus / "press" / "08-cut-off.xml").read_bytes()
    source = make()
    readings = await take(source, 3)
    assert titles(readings) == ["Première nouvelle", "Deuxième nouvelle"] or titles(readings) == [
        "Deuxième nouvelle",
        "Première nouvelle",
    ]
    page(publisher).body += b" est l&#224;</title><guid>a3</guid></item></channel></rss>"
    (last,) = titles(await take(source, 1, readings[-1].cursor))
    assert last == "Troisième nouvelle est là"
    assert "if-none-match" not in publisher.asked_for("/rss.xml")[-1].headers


@pytest.mark.parametrize("seed", range(2))
async def test_torn_connections_and_kills_lose_nothing(
    seed: int, make: Make, publisher: Any, wire: Any, broker: Any, witness: Any, clock: ManualClock, until: Any
) -> None:
    """A feed of 120 entries moves on each time it was asked; connections are torn, the broker fails."""
    chance = random.Random(seed)  # noqa: S311
    last = 20

    def move_on(path: str) -> None:
        nonlocal last
        if path == "/rss.xml" and last < 240:
            last += chance.randrange(1, 20)
            page(publisher).body = wire.rss(wire.numbered(max(1, last - 119), last, MORNING))

    page(publisher).body = wire.rss(wire.numbered(1, last, MORNING))
    publisher.on_served = move_on
    publisher.abort_after = [chance.choice([0, 1, 300, 2000, 10**6]) for _ in range(20)]
    cursors = ForgetfulCursors()

    async def life(is_killed: bool) -> None:
        task = asyncio.create_task(
            run(
                make(),
                gate=lambda _: True,
                publisher=broker,
                cursors=cursors,
                observer=witness,
                clock=clock,
                pace=QUICK,
                sleep=Waits(clock),
            )
        )
        if is_killed:
            enough = len(broker.kept) + chance.randrange(1, 40)
            await until(lambda: len(broker.kept) >= enough or last >= 240)
            broker.fails_with = RuntimeError("killed")
            await until(lambda: task.done() or last >= 240)
            broker.fails_with = None
        else:
            await until(lambda: f"Nouvelle numéro {last}" in {post.text for post in broker.kept} and last >= 240)
        task.cancel()
        await asyncio.wait({task})

    for _ in range(6):
        await life(is_killed=True)
    await life(is_killed=False)
    numbers = {int(re.sub(r"\D", "", post.text)) for post in broker.kept}
    assert numbers == set(range(1, last + 1))
    assert witness.failures, "connections were torn"
    assert witness.gaps == []


# What goes wrong on the way


async def test_retry_after_is_a_floor(make: Make, publisher: Any, wire: Any, waits: Waits, witness: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    publisher.refuse_with = [(429, {"Retry-After": "7200"})]
    source = make()
    with pytest.raises(SourceUnavailable, match="none of 1 feeds") as refused:
        await take(source, 1)
    assert refused.value.retry_after_secs == 7200
    assert witness.failures == [("press/rss.xml: status 429", 7200.0)]
    assert titles(await take(source, 1)) == ["Nouvelle numéro 1"]
    assert waits.secs[-1] == 7200, "it was not asked before"


@pytest.mark.parametrize(
    ("header", "secs"),
    [
        ("120", 120.0),
        ("9" * 400, 3600.0),
        ("²", None),
        ("Sun, 22 Nov 2026 07:10:00 GMT", 600.0),
        ("Sat, 21 Nov 2026 07:10:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_holds_seconds_or_a_date(header: str, secs: float | None) -> None:
    assert seconds_in(header, NOW, longest_secs=3600) == secs


async def test_a_failing_feed_is_left_alone_for_longer_and_longer(make: Make, publisher: Any, witness: Any) -> None:
    publisher.pages.clear()
    source = make()
    for _ in range(7):
        with pytest.raises(SourceUnavailable):
            await take(source, 1)
    assert [secs for _, secs in witness.failures] == [60, 120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503, 304])
async def test_other_answers_are_unavailable(status: int, make: Make, publisher: Any) -> None:
    publisher.refuse_with = [(status, {})]
    with pytest.raises(SourceUnavailable):
        await take(make(), 1)


async def test_one_dead_feed_does_not_stop_the_others(make: Make, publisher: Any, wire: Any, witness: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 3, MORNING))
    readings = await take(make("/gone.xml", "/rss.xml"), 6)
    assert len(posts(readings)) == 3
    assert {text for text, _ in witness.failures} == {"press/gone.xml: status 404"}


async def test_all_dead_is_unavailable_until_one_is_back(
    make: Make, publisher: Any, wire: Any, clock: ManualClock
) -> None:
    source = make("/a.xml", "/b.xml")
    with pytest.raises(SourceUnavailable, match="none of 2 feeds") as refused:
        await take(source, 1)
    assert refused.value.retry_after_secs == 60
    publisher.pages["/b.xml"] = wire.Page(wire.rss(wire.numbered(1, 1, MORNING)))
    clock.advance(timedelta(seconds=60))
    assert titles(await take(source, 1)) == ["Nouvelle numéro 1"]


async def test_a_slow_feed_is_not_given_up_because_the_others_are_dead(make: Make, publisher: Any, wire: Any) -> None:
    publisher.pages["/slow.xml"] = wire.Page(wire.rss(wire.numbered(1, 1, MORNING)), chunk_bytes=7)
    assert titles(await take(make("/gone.xml", "/slow.xml"), 1)) == ["Nouvelle numéro 1"]


async def test_feeds_are_not_all_asked_at_once(make: Make, publisher: Any, wire: Any, waits: Waits) -> None:
    chances = iter([0.0, 0.5, 1.0, *([0.5] * 100)])
    publisher.pages |= {path: wire.Page(wire.rss([])) for path in ("/a.xml", "/b.xml", "/c.xml")}
    await take(make("/a.xml", "/b.xml", "/c.xml", chance=lambda: next(chances)), 3)
    assert waits.secs[:3] == [0.0, 1.5, 3.0]


@pytest.mark.parametrize(("chance", "secs"), [(0.0, 54.0), (1.0, 66.0)])
async def test_the_next_visit_is_a_tenth_early_or_late(
    chance: float, secs: float, make: Make, publisher: Any, wire: Any, waits: Waits
) -> None:
    page(publisher).body = wire.rss([])
    await take(make(chance=lambda: chance), 2)
    assert waits.secs[1] == pytest.approx(secs)


async def test_nobody_listening_is_unavailable(make: Make) -> None:
    with pytest.raises(SourceUnavailable):
        await take(make(base_url="http://127.0.0.1:9"), 1)


async def test_a_server_that_does_not_come_to_an_end_is_unavailable(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body, page(publisher).never_ends = wire.rss(wire.numbered(1, 1, MORNING)), True
    with pytest.raises(SourceUnavailable):
        await take(make(answer_secs=0.1), 1)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_small_chunks_make_no_difference(size: int, make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body, page(publisher).chunk_bytes = wire.rss(wire.numbered(1, 3, MORNING)), size
    assert len(titles(await take(make(), 3))) == 3


@pytest.mark.parametrize("says_packed", [True, False])
async def test_gzip_is_unpacked(says_packed: bool, make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 3, MORNING))
    page(publisher).is_packed, page(publisher).says_packed = True, says_packed
    assert len(titles(await take(make(), 3))) == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"body": b"<rss>" + b"x" * MAX_BYTES}, "too_long"),
        ({"body": b"<rss>" + b"x" * (10 * MAX_BYTES), "is_packed": True}, "too_long"),
        ({"headers": {"Content-Encoding": "br"}}, "undecodable"),
        ({"body": b"\x1f\x8b\x08\x00 no gzip"}, "undecodable"),
        ({"body": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03"}, "undecodable"),
        ({"body": b"<html><body>Bonjour</body></html>"}, "undecodable"),
    ],
    ids=["too long", "bomb", "brotli", "no gzip", "gzip cut off", "html"],
)
async def test_what_is_no_feed_is_told_once_and_is_no_sign_of_life(
    change: dict[str, Any], reason: str, make: Make, publisher: Any, wire: Any, witness: Any, until: Any
) -> None:
    for name, value in change.items():
        setattr(page(publisher), name, value)
    source = make()
    (first,) = await take(source, 1)
    assert isinstance(first.post, MalformedRecord)
    assert (first.post.reason, first.post.value) == (reason, b"")
    async with aclosing(source.read(first.cursor)) as readings:
        following = asyncio.ensure_future(anext(readings))
        asked = len(publisher.asked)
        await until(lambda: len(publisher.asked) >= asked + 2)
        assert not following.done(), "the same again"
        assert witness.failures == []
        publisher.pages["/rss.xml"] = wire.Page(wire.rss(wire.numbered(1, 1, MORNING)))
        assert titles([await following]) == ["Nouvelle numéro 1"]


async def test_an_entry_without_words_is_told_once(make: Make, publisher: Any, corpus: Path) -> None:
    page(publisher).body = (corpus / "press" / "17-no-guid-no-link.xml").read_bytes()
    page(publisher).has_etag = False
    readings = await take(make(), 4)
    kinds = Counter(type(reading.post).__name__ for reading in readings)
    assert kinds == {"Post": 1, "MalformedRecord": 1, "NoneType": 2}


# Redirects


async def test_a_lasting_move_is_remembered_a_passing_one_is_not(make: Make, publisher: Any, wire: Any) -> None:
    publisher.pages |= {
        "/old.xml": wire.Page(status=301, location="/new.xml"),
        "/new.xml": wire.Page(status=302, location="/today.xml"),
        "/today.xml": wire.Page(wire.rss(wire.numbered(1, 1, MORNING))),
    }
    await take(make("/old.xml"), 3)
    asked = Counter(asked.path for asked in publisher.asked)
    assert (asked["/old.xml"], asked["/new.xml"], asked["/today.xml"]) == (1, 3, 3)


async def test_a_lasting_move_behind_a_passing_one_is_not_remembered(make: Make, publisher: Any, wire: Any) -> None:
    publisher.pages |= {
        "/old.xml": wire.Page(status=302, location="/busy.xml"),
        "/busy.xml": wire.Page(status=301, location="/today.xml"),
        "/today.xml": wire.Page(wire.rss(wire.numbered(1, 1, MORNING))),
    }
    await take(make("/old.xml"), 2)
    assert len(publisher.asked_for("/old.xml")) == 2


async def test_a_move_that_leads_nowhere_is_forgotten(make: Make, publisher: Any, wire: Any) -> None:
    publisher.pages |= {
        "/old.xml": wire.Page(status=308, location="/new.xml"),
        "/new.xml": wire.Page(wire.rss(wire.numbered(1, 1, MORNING))),
    }
    source = make("/old.xml")
    first = await take(source, 1)
    del publisher.pages["/new.xml"]
    with pytest.raises(SourceUnavailable):
        await take(source, 1, first[0].cursor)
    publisher.pages["/old.xml"] = wire.Page(wire.rss(wire.numbered(1, 2, MORNING)))
    assert titles(await take(source, 1, first[0].cursor)) == ["Nouvelle numéro 2"]


async def test_the_id_of_a_post_does_not_move(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    (before,) = posts(await take(make(), 1))
    publisher.pages["/elsewhere.xml"] = publisher.pages["/rss.xml"]
    publisher.pages["/rss.xml"] = wire.Page(status=301, location="/elsewhere.xml")
    (after,) = posts(await take(make(), 1))
    assert after.id == before.id


@pytest.mark.parametrize(("hops", "arrives"), [(5, True), (6, False)])
async def test_five_hops_and_no_more(hops: int, arrives: bool, make: Make, publisher: Any, wire: Any) -> None:
    for hop in range(hops):
        publisher.pages[f"/{hop}.xml"] = wire.Page(status=307, location=f"/{hop + 1}.xml")
    publisher.pages[f"/{hops}.xml"] = wire.Page(wire.rss(wire.numbered(1, 1, MORNING)))
    if arrives:
        assert len(posts(await take(make("/0.xml"), 1))) == 1
        return
    with pytest.raises(SourceUnavailable):
        await take(make("/0.xml"), 1)


@pytest.mark.parametrize(
    ("address", "target", "why"),
    [
        ("https://a.example/", "http://a.example/", "from https to http"),
        ("https://a.example/", "https://b.example/", ""),
        ("http://a.example/", "https://a.example/", ""),
        ("http://a.example/", "http://b.example/", ""),
        ("http://a.example/", "file:///etc/passwd", "to 'file'"),
    ],
)
def test_a_redirect_is_not_followed_just_anywhere(address: str, target: str, why: str) -> None:
    assert why_not_followed(address, target) == why


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("http://127.0.0.1/", True),
        ("http://localhost:80/", True),
        ("http://10.1.2.3/", True),
        ("http://169.254.169.254/latest", True),
        ("http://[::1]/", True),
        ("http://[::ffff:10.0.0.1]/", True),
        ("http://2130706433/", True),
        ("http://93.184.216.34/", False),
        ("http://does-not-exist.invalid/", False),
    ],
)
async def test_private_networks_are_known(address: str, inside: bool) -> None:
    assert await is_inside(address) is inside


@pytest.mark.parametrize("may", [True, False])
async def test_nobody_leads_us_into_our_own_network(may: bool, publisher: Any, wire: Any) -> None:
    publisher.pages |= {"/in.xml": wire.Page(status=302, location=f"{publisher.url}/rss.xml")}

    async def may_go_inside() -> bool:
        return may

    async with httpx.AsyncClient() as client:
        asking = get(client, f"{publisher.url}/in.xml", limit=MAX_BYTES, may_go_inside=may_go_inside)
        if may:
            assert (await asking).status == 200
            return
        with pytest.raises(SourceUnavailable, match="private network"):
            await asking
    assert publisher.asked_for("/rss.xml") == []


# What publishers ask of machines


async def refused_by(source: Press) -> float | None:
    with pytest.raises(SourceUnavailable) as refused:
        await take(source, 1)
    return refused.value.retry_after_secs


async def test_a_feed_that_robots_txt_closes_is_not_asked_for(
    make: Make, publisher: Any, wire: Any, witness: Any
) -> None:
    publisher.pages["/robots.txt"] = wire.Page(b"User-agent: *\nDisallow: /rss\n", "text/plain")
    source = make()
    assert await refused_by(source) == 86_400
    assert await refused_by(source) == 86_400
    assert publisher.asked_for("/rss.xml") == []
    assert [(text, secs) for text, secs in witness.failures] == [
        ("press/rss.xml: does not want to be read by machines (robots.txt)", 86_400)
    ], "told once"


@pytest.mark.parametrize(
    ("rules", "value", "is_read"),
    [
        (b'[{"location": "/", "tdm-reservation": 1}]', None, False),
        (b'[{"location": "/*.xml$", "tdm-reservation": 1}]', None, False),
        (b'[{"location": "/rss", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]', None, True),
        (b'[{"location": "/images/", "tdm-reservation": 1}]', None, True),
        (b"<html>not here</html>", None, True),
        (None, "1", False),
        (None, "0", True),
        (None, "2", True),
    ],
)
async def test_a_reservation_of_text_and_data_mining_is_respected(
    rules: bytes | None, value: str | None, is_read: bool, make: Make, publisher: Any, wire: Any, witness: Any
) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    if rules:
        publisher.pages["/.well-known/tdmrep.json"] = wire.Page(rules, "application/json")
    if value:
        page(publisher).headers["TDM-Reservation"] = value
    if is_read:
        assert len(posts(await take(make(), 1))) == 1
        return
    assert await refused_by(make()) == 86_400
    assert "does not want to be read by machines" in witness.failures[0][0]


async def test_an_objection_is_looked_at_again_after_a_day(
    make: Make, publisher: Any, wire: Any, clock: ManualClock
) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    publisher.pages["/robots.txt"] = wire.Page(b"User-agent: vigie\nDisallow: /\n", "text/plain")
    source = make()
    await refused_by(source)
    publisher.pages["/robots.txt"].body = b""
    await refused_by(source)
    clock.advance(timedelta(days=1))
    assert len(posts(await take(source, 1))) == 1


async def test_robots_txt_is_read_once_a_day(make: Make, publisher: Any, wire: Any, clock: ManualClock) -> None:
    page(publisher).body = wire.rss([])
    source = make()
    await take(source, 5)
    assert len(publisher.asked_for("/robots.txt")) == 1
    clock.advance(timedelta(days=1))
    publisher.pages["/robots.txt"] = wire.Page(status=500)
    await take(source, 1)
    assert len(publisher.asked_for("/robots.txt")) == 2, "the old rules are good enough meanwhile"


@pytest.mark.parametrize(("status", "is_read"), [(404, True), (403, True), (429, False), (500, False), (503, False)])
async def test_a_robots_txt_that_cannot_be_read(
    status: int, is_read: bool, make: Make, publisher: Any, wire: Any
) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    publisher.pages["/robots.txt"] = wire.Page(status=status)
    if is_read:
        assert len(posts(await take(make(), 1))) == 1
        return
    await refused_by(make())
    assert publisher.asked_for("/rss.xml") == []


@pytest.mark.parametrize(
    ("robots", "path", "is_open"),
    [
        ("", "/rss", True),
        ("User-agent: *\nDisallow:", "/rss", True),
        ("User-agent: *\nDisallow: /", "/rss", False),
        ("User-agent: *\nDisallow: /\nAllow: /rss", "/rss", True),
        ("User-agent: *\nDisallow: /r\nAllow: /r", "/rss", True),
        ("User-agent: *\nDisallow: /*.xml$", "/rss.xml", False),
        ("User-agent: *\nDisallow: /*.xml$", "/rss.xml?x=1", True),
        ("User-agent: other\nDisallow: /", "/rss", True),
        ("User-agent: other\nUser-agent: Vigie\nDisallow: /", "/rss", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: vigie # us\nAllow: /", "/rss", True),
        ("User-agent: vigie\nDisallow: /a\n\nUser-agent: vigie\nDisallow: /b", "/b", False),
        ("User-agent: vigie\n\nUser-agent: *\nDisallow: /", "/rss", False),
        ("Disallow: /", "/rss", True),
        ("user-agent: *\nallow: /\ndisallow: /caf%C3%A9", "/café", False),
        ("nonsense\n::::\nUser-agent\nDisallow /", "/rss", True),
    ],
)
def test_robots_txt(robots: str, path: str, is_open: bool) -> None:
    assert is_allowed(robots, path) is is_open


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/a/", "/a/b", True),
        ("/a/", "/a", False),
        ("/a/*/c", "/a/b/c/d", True),
        ("/a/*/c$", "/a/b/c/d", False),
        ("/a/*/c$", "/a/c/c", True),
        ("/a*b*b$", "/ab", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("*", "/a", True),
        ("/a%24", "/a$", True),
        ("/" + "*a" * 500 + "b", "/" + "a" * 50_000, False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert is_match(pattern, path) is matches


@pytest.mark.parametrize("body", [b"", b"{}", b"[1, null]", b'[{"location": 3}]', b"\xff", b"[" * 100_000])
def test_a_broken_tdmrep_says_nothing(body: bytes) -> None:
    assert reserved_in(body) == []


# Bounds and gaps


@pytest.mark.parametrize(("feeds", "entries"), [(1, 200), (10, 200), (20, 100), (50, 40)])
def test_the_cursor_stays_short(feeds: int, entries: int, make: Make) -> None:
    source = make(*[f"/{number}.xml" for number in range(feeds)])
    assert source._most_seen == entries
    seen = {number.to_bytes(6, "big"): b"abc" for number in range(300)}
    memory = Memory('"0123456789abcdef0123456789abcdef"', "Sun, 22 Nov 2026 07:00:00 GMT", 1_795_330_800, "", b"")
    memory.seen = packed_from(seen, source._most_seen)
    assert list(seen_in(memory.seen))[-1] == (299).to_bytes(6, "big")
    standing = Standing(10**9, {place.key: memory for place in source._places})
    assert len(standing.cursor_after(source._places[0].key, memory)) < 32_000


async def test_a_post_does_not_carry_the_cursor(make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 3, MORNING))
    assert [post.cursor for post in posts(await take(make(), 3))] == [None] * 3


async def test_of_an_archive_the_newest_are_read(make: Make, publisher: Any, wire: Any) -> None:
    items = wire.numbered(1, 500, MORNING)
    page(publisher).body = wire.HEAD.encode() + b"".join(item.xml().encode() for item in items) + b"</channel></rss>"
    page(publisher).has_etag = False
    readings = await take(make(), 201)
    assert titles(readings) == [f"Nouvelle numéro {number}" for number in range(301, 501)]
    assert readings[-1].post is None


async def test_a_feed_that_moved_on_without_us_is_a_gap(
    make: Make, publisher: Any, wire: Any, witness: Any, clock: ManualClock
) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 10, NOW - timedelta(minutes=11)))
    source = make()
    readings = await take(source, 10)
    clock.advance(timedelta(hours=2))
    page(publisher).body = wire.rss(wire.numbered(8, 17, NOW - timedelta(minutes=11)))
    overlapping = await take(source, 7, readings[-1].cursor)
    assert witness.gaps == []
    page(publisher).body = wire.rss(wire.numbered(31, 40, NOW + timedelta(hours=2)))
    clock.advance(timedelta(hours=1))
    await take(source, 10, overlapping[-1].cursor)
    assert witness.gaps == [31 * 60]


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"feeds": 3}', '{"steps": -1, "feeds": {"a": ["", "", 0]}}'])
async def test_a_strange_cursor_begins_anew(cursor: str, make: Make, publisher: Any, wire: Any) -> None:
    page(publisher).body = wire.rss(wire.numbered(1, 1, MORNING))
    assert len(posts(await take(make(), 1, cursor))) == 1


# Settings


@pytest.mark.parametrize(
    ("feeds", "more", "message"),
    [
        ([], {}, "0 feeds"),
        ([Feed(url="rss.xml")], {}, "no address"),
        ([Feed(url="http://[")], {}, "no address"),
        ([Feed(url="ftp://a.example/x")], {}, "no address"),
        ([Feed(url="https://me:secret@a.example/x")], {}, "without password"),
        ([Feed(url="https://a.example/x"), Feed(url="https://a.example/x")], {}, "twice"),
        ([Feed(url="https://a.example/x")], {"every_secs": 10}, "once a minute"),
        ([Feed(url=f"https://a.example/{number}") for number in range(51)], {}, "51 feeds"),
    ],
)
def test_settings_that_cannot_be_meant(
    feeds: list[Feed], more: dict[str, Any], message: str, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any
) -> None:
    with pytest.raises(SettingsError, match=message):
        Press(feeds, pseudonyms=pseudonyms, clock=clock, observer=witness, **more)


def test_capabilities_follow_the_settings(make: Make) -> None:
    capabilities = make(every_secs=300).capabilities
    assert capabilities.every == timedelta(minutes=5)
    assert capabilities.quiet > capabilities.every


def test_a_document_has_no_room_for_authors() -> None:
    assert set(Document._fields) == {"entries", "lang", "is_whole", "etag", "modified"}
    assert not [name for name in post_from.__annotations__ if "author" in name]


async def test_the_demo_serves_french_news(wire: Any, make: Make, publisher: Any, until: Any) -> None:
    async with asyncio.TaskGroup() as group:
        demo = wire.Publisher()
        async with demo.running():
            port = demo.port
        task = group.create_task(wire.serve_demo(port))
        await asyncio.sleep(0)
        found: list[Reading] = []

        async def read() -> None:
            while not found:
                try:
                    found.extend(posted for posted in await take(make(base_url=f"http://127.0.0.1:{port}"), 1))
                except SourceUnavailable:
                    await asyncio.sleep(0.01)

        await read()
        task.cancel()
    assert posts(found)[0].lang == "fr"
