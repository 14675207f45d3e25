"""X against a local server that speaks the platform's wire, behind TLS, through tweepy."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import Pace, run
from connectors.sources import x
from connectors.sources.x import X, line_from, position_from, post_from
from records import MalformedRecord, ManualClock, Post, SettingsError, SourceUnavailable

Source = Callable[..., X]
RULES = {"feu": "(fumée OR incendie) lang:fr -is:retweet"}
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
TOKEN = "local-bearer-token"


@pytest.fixture
def module(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/x.py")


@pytest.fixture
def lines(corpus: Path) -> list[bytes]:
    return (corpus / "x.jsonl").read_bytes().splitlines()


@pytest.fixture
async def server(module: ModuleType, lines: list[bytes], clock: ManualClock) -> AsyncIterator[Any]:
    api = module.XApi(lines)
    api.now = clock.now
    api.max_connections = 2  # one that was just left may still be counted
    async with api.running():
        yield api


@pytest.fixture
def source_of(server: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> Source:
    """Return what makes a source that is allowed to run and reads the local server."""

    def source_of(**more: Any) -> X:
        wanted: dict[str, Any] = {
            "bearer_token": TOKEN,
            "rules": RULES,
            "pseudonyms": pseudonyms,
            "clock": clock,
            "observer": witness,
            "government_plan_acknowledged": True,
            "monthly_ceiling_usd": 100.0,
            "tcp": server.connector,
            **more,
        }
        return X(**wanted)

    return source_of


@pytest.fixture
def source(source_of: Source) -> X:
    return source_of()


def a_line(number: int, text: str = "de la fumée", *, at: str = "2026-11-22T06:59:40.000Z", **more: Any) -> bytes:
    post_id = str(1990000000000001000 + number)
    data: dict[str, Any] = {
        "id": post_id,
        "text": text,
        "created_at": at,
        "author_id": "910000000000000009",
        "lang": "fr",
    }
    data |= {"edit_history_tweet_ids": [post_id], **more}
    return json.dumps({"data": data, "matching_rules": [{"id": "1", "tag": "vigie:feu"}]}).encode()


async def take(source: X, count: int, after: str | None = None) -> list[Reading]:
    found: list[Reading] = []
    async with aclosing(source.read(after)) as readings, asyncio.timeout(8):
        async for reading in readings:
            found.append(reading)
            if len(found) == count:
                break
    return found


async def to_the_end(source: X, after: str | None = None) -> tuple[list[Reading], SourceUnavailable]:
    found: list[Reading] = []
    try:
        async with aclosing(source.read(after)) as readings, asyncio.timeout(8):
            async for reading in readings:
                found.append(reading)  # noqa: PERF401  kept when the end comes
    except SourceUnavailable as ended:
        return found, ended
    raise AssertionError("it ended without a word")


def posts_in(readings: list[Reading]) -> list[Post]:
    return [reading.post for reading in readings if isinstance(reading.post, Post)]


def ids_in(readings: list[Reading]) -> list[str]:
    return [post.id for post in posts_in(readings)]


def spent_in(reading: Reading) -> int:
    return position_from(reading.cursor)[2]


# Off, until somebody answers for it


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        pytest.param({"government_plan_acknowledged": False}, "Enterprise plan", id="no plan"),
        pytest.param({"government_plan_acknowledged": "yes"}, "Enterprise plan", id="not a plain true"),
        pytest.param({"monthly_ceiling_usd": 0.0}, "monthly_ceiling_usd", id="no ceiling"),
        pytest.param({"monthly_ceiling_usd": -1.0}, "monthly_ceiling_usd", id="a negative ceiling"),
        pytest.param({"monthly_ceiling_usd": float("inf")}, "monthly_ceiling_usd", id="an endless ceiling"),
        pytest.param({"monthly_ceiling_usd": float("nan")}, "monthly_ceiling_usd", id="no number"),
        pytest.param({"usd_per_post": 0.0}, "usd_per_post", id="free"),
        pytest.param({"bearer_token": " "}, "bearer token", id="no token"),
    ],
)
async def test_stays_off(setting: dict[str, Any], says: str, source_of: Source) -> None:
    with pytest.raises(SettingsError, match=says):
        source_of(**setting)


async def test_off_is_the_default(pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> None:
    with pytest.raises(SettingsError, match="sensitive events"):
        X(bearer_token=TOKEN, rules=RULES, pseudonyms=pseudonyms, clock=clock, observer=witness)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        pytest.param({}, "no rule", id="none"),
        pytest.param({f"r{i}": f"feu {i}" for i in range(1001)}, "1001 rules; X takes 1000", id="too many"),
        pytest.param({"feu": "f" * 1025}, "feu: 1025 characters", id="too long"),
        pytest.param({"feu": "  "}, "characters", id="empty"),
        pytest.param({"Feu de forêt": "feu"}, "the tag", id="a bad tag"),
        pytest.param({"feu": "fumée from:quelquun"}, "never people", id="by author"),
        pytest.param({"feu": "(to:12 OR fumée)"}, "never people", id="to an author"),
    ],
)
async def test_rules_are_checked_beforehand(rules: dict[str, str], says: str, source_of: Source) -> None:
    with pytest.raises(SettingsError, match=says):
        source_of(rules=rules)


async def test_a_thousand_rules_of_1024_characters_pass(source_of: Source) -> None:
    source_of(rules={f"r{i}": f"{i:04}" + "f" * 1020 for i in range(1000)})
    source_of(rules={"feu": "fumée -from:unrobot"})  # not to hear a robot is no question about its author
    with pytest.raises(SettingsError, match="512 in a search"):
        source_of(rules={"feu": "f" * 513}, backfill=True)


async def test_says_what_it_can_give(source_of: Source) -> None:
    assert (X.capabilities.edits, X.capabilities.deletions, X.capabilities.backfill) == (True, False, None)
    searched = source_of(backfill=True).capabilities.backfill
    assert searched
    assert timedelta(days=6) < searched < timedelta(days=7)


# The wire


async def test_every_line_gives_one_reading(source: X, lines: list[bytes]) -> None:
    assert len(await take(source, len(lines))) == len(lines)


async def test_what_a_post_becomes(source: X, lines: list[bytes], pseudonyms: FixedPseudonyms) -> None:
    readings = await take(source, len(lines))
    first, reply, repost, quote, flood, smell, edit, long, emoji, calm = posts_in(readings)
    assert (first.id, first.platform, first.kind, first.verb) == ("1990000000000000001", "x", "post", "create")
    assert first.url == "https://x.com/i/web/status/1990000000000000001"
    assert first.author_id == pseudonyms.author("x", "910000000000000001")
    assert first.posted_at == datetime(2026, 11, 22, 6, 58, tzinfo=UTC)
    assert (first.lang, first.rule_tags, first.thread_id) == ("fr", ("feu",), None)
    assert (reply.kind, reply.reply_to, reply.thread_id) == ("comment", first.id, first.id)
    assert reply.text == "@… vu aussi depuis le pont & l'écluse"
    assert (repost.repost_of, repost.rule_tags) == (first.id, ("feu", "odeur"))
    assert repost.text.startswith("RT @…: Énorme")
    assert quote.quote_of == first.id
    assert [(item.type, item.alt) for item in quote.media] == [
        ("image", "panache de fumée, photo de @…"),
        ("video", ""),
    ]
    assert flood.geo
    assert (flood.geo.lat, flood.geo.lon, flood.geo.provenance) == (49.494, 0.107, "point")
    assert smell.geo
    assert smell.geo.provenance == "place"
    assert [smell.geo.lat, smell.geo.lon] == pytest.approx([49.495, 0.125])
    assert (edit.id, edit.verb) == (first.id, "update")
    assert edit.url == "https://x.com/i/web/status/1990000000000000007"
    assert long.text.endswith("Les enfants sont rentrés. ")
    assert (emoji.lang, emoji.rule_tags) == (None, ())
    assert calm.text == "Tout est calme, voir x.com/…/status/1"


async def test_what_is_no_post(source: X, lines: list[bytes]) -> None:
    readings = await take(source, len(lines))
    refused = [reading.post for reading in readings if isinstance(reading.post, MalformedRecord)]
    assert [(error.reason, b"1990" in error.value) for error in refused] == [("invalid", True), ("invalid", True)]
    assert sum(reading.post is None for reading in readings) == 2  # a problem with an expansion, and a new kind


async def test_asks_for_no_more_than_the_list(source: X, server: Any) -> None:
    await take(source, 1)
    (query,) = server.asked_for("/2/tweets/search/stream")
    assert query == {
        "tweet.fields": "id,text,note_tweet,created_at,lang,author_id,conversation_id,referenced_tweets,"
        "edit_history_tweet_ids,attachments,geo",
        "expansions": "geo.place_id,attachments.media_keys",
        "media.fields": "type,alt_text",
        "place.fields": "geo",
    }


async def test_a_keep_alive_is_a_sign_of_life(source: X, server: Any, clock: ManualClock) -> None:
    server.lines.clear()
    server.keep_alive_secs = 0.01
    async with aclosing(source.read(None)) as readings, asyncio.timeout(5):
        before = await anext(readings)
        clock.advance(timedelta(seconds=20))
        after = await anext(readings)
        after = await anext(readings)
    assert (before.post, after.post) == (None, None)
    assert position_from(after.cursor)[0].alive - position_from(before.cursor)[0].alive == 20_000_000


async def test_lines_in_pieces_are_put_together(source: X, server: Any, lines: list[bytes]) -> None:
    server.piece_bytes = 7
    assert len(posts_in(await take(source, len(lines)))) == 10


async def test_a_line_of_400_kb_passes(source: X, server: Any) -> None:
    server.lines[:] = [a_line(1, "fumée " + "🔥" * 100_000)]
    (post,) = posts_in(await take(source, 1))
    assert len(post.text) == 100_006


async def test_a_longer_line_is_counted_and_ends_the_connection(source: X, server: Any) -> None:
    server.lines[:] = [a_line(1), a_line(2, "f" * 600_000), a_line(3)]
    readings, ended = await to_the_end(source)
    assert [type(reading.post) for reading in readings] == [Post, MalformedRecord]
    error = readings[1].post
    assert isinstance(error, MalformedRecord)
    assert (error.reason, error.value) == ("too_long", b"")
    assert ended.retry_after_secs == 0.0
    assert spent_in(readings[1]) == 10_000
    del server.lines[:2]
    assert ids_in(await take(source, 1, readings[1].cursor)) == ["1990000000000001003"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b'{"data":{"id":"1","text":"@alice_essai', id="cut"),
        pytest.param(b"<html>@alice_essai</html>", id="not JSON"),
        pytest.param(b'{"data":{"id":"1","text":"\xff@alice_essai"}}', id="not UTF-8"),
        pytest.param(b"[" * 5000, id="deep"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"data":{"id":"alice_essai"}}', id="no id of a post"),
    ],
)
async def test_a_bad_line_is_counted_and_passed(bad: bytes, source: X, server: Any) -> None:
    server.lines[:] = [a_line(1), bad, a_line(2)]
    first, middle, last = await take(source, 3)
    assert isinstance(first.post, Post)
    assert isinstance(last.post, Post)
    assert isinstance(middle.post, MalformedRecord)
    assert b"alice" not in middle.post.value
    assert "alice" not in str(middle.post)
    assert len(server.opened_at) == 1, "the stream stayed open"


async def test_a_rule_without_a_tag_ends_nothing(source: X, server: Any) -> None:
    untagged = json.loads(a_line(1)) | {"matching_rules": [{"id": "7"}, {"id": "8", "tag": None}, {"id": "9"}]}
    server.lines[:] = [json.dumps(untagged).encode(), a_line(2)]
    assert [post.rule_tags for post in posts_in(await take(source, 2))] == [(), ("feu",)]


async def test_a_late_older_version_changes_nothing(source: X, server: Any) -> None:
    old, new = "1990000000000001001", "1990000000000001002"
    server.lines[:] = [
        a_line(2, "corrigé", edit_history_tweet_ids=[old, new]),
        a_line(1, "avant", edit_history_tweet_ids=[old]),
        a_line(2, "corrigé", edit_history_tweet_ids=[old, new]),  # twice is the same
    ]
    readings = await take(source, 3)
    assert [post.text for post in posts_in(readings)] == ["corrigé", "corrigé"]
    assert {post.key for post in posts_in(readings)} == {f"x:{old}"}
    assert readings[1].post is None


def test_a_place_across_the_date_line() -> None:
    line = json.loads(a_line(1, geo={"place_id": "p"}))
    line["includes"] = {"places": [{"id": "p", "geo": {"type": "Feature", "bbox": [179.0, -18.0, -177.0, -16.0]}}]}
    parsed = line_from(json.dumps(line).encode())
    assert not isinstance(parsed, MalformedRecord)
    post = post_from(parsed, received_at=datetime(2026, 11, 22, tzinfo=UTC), pseudonyms=FixedPseudonyms(b"k"))
    assert post
    assert post.geo
    assert (post.geo.lat, post.geo.lon) == (-17.0, -179.0)


# Rules


async def test_rules_are_brought_into_line_once(source_of: Source, server: Any, until: Any) -> None:
    server.rules = {
        "1": {"value": "un autre programme", "tag": "autre"},
        "2": {"value": "sans étiquette"},
        "3": {"value": "vieux", "tag": "vigie:vieux"},
        "4": {"value": RULES["feu"], "tag": "vigie:feu"},
        "5": {"value": "odeur lang:fr", "tag": "vigie:puanteur"},
    }
    source = source_of(rules={**RULES, "odeur": "odeur lang:fr"})
    await take(source, 1)
    left = {(rule["value"], rule.get("tag")) for rule in server.rules.values()}
    assert left == {
        ("un autre programme", "autre"),
        ("sans étiquette", None),
        (RULES["feu"], "vigie:feu"),
        ("odeur lang:fr", "vigie:odeur"),
    }
    added = {"add": [{"value": "odeur lang:fr", "tag": "vigie:odeur"}]}
    assert server.bodies == [
        {"dry_run": True, **added},
        {"dry_run": False, "delete": {"ids": ["3", "5"]}},
        {"dry_run": False, **added},
    ]
    await take(source, 1)
    assert len(server.asked_for("/2/tweets/search/stream/rules")) == 1


async def test_a_rule_that_x_refuses_is_named_and_changes_nothing(source_of: Source, server: Any) -> None:
    server.rules = {"3": {"value": "vieux", "tag": "vigie:vieux"}}
    server.bad_rules = {"((("}
    with pytest.raises(SettingsError, match="no viable alternative"):
        await take(source_of(rules={"feu": "((("}), 1)
    with pytest.raises(SettingsError, match="refuses feu"):
        await take(source_of(rules={"feu": "(((", "odeur": "odeur"}), 1)
    assert list(server.rules) == ["3"]


async def test_words_that_another_program_has_are_refused(source: X, server: Any) -> None:
    server.rules = {"1": {"value": RULES["feu"], "tag": "autre"}}
    with pytest.raises(SettingsError, match="DuplicateRule"):
        await take(source, 1)


async def test_rules_that_cannot_be_asked_for_now(source: X, server: Any) -> None:
    server.rule_refusals = [(503, {}, b"<html>Service Unavailable</html>")]
    _, ended = await to_the_end(source)
    assert ended.retry_after_secs == 5.0
    assert len(posts_in(await take(source, 1))) == 1


# Endings


async def test_an_operational_disconnect_inside_a_200(source: X, server: Any) -> None:
    server.disconnect_after = 2
    readings, ended = await to_the_end(source)
    assert [reading.post is None for reading in readings] == [False, False, True]
    assert "UpstreamOperationalDisconnect" in str(ended)
    assert ended.retry_after_secs == 0.0
    assert len(await take(source, 3, readings[-1].cursor)) == 3, "a new session for a new connection"


async def test_too_many_connections_inside_a_200(source: X, server: Any, module: ModuleType) -> None:
    server.lines[:] = [json.dumps(module.TOO_MANY).encode()]
    readings, ended = await to_the_end(source)
    assert len(readings) == 1
    assert "TooManyConnections" in str(ended)


async def test_too_many_connections(source_of: Source, server: Any) -> None:
    server.max_connections = 1
    async with aclosing(source_of().read(None)) as first:
        await anext(first)
        _, ended = await to_the_end(source_of())
        assert "TooManyConnections" in str(ended)
        assert ended.retry_after_secs == 90.0, "until x-rate-limit-reset"


@pytest.mark.parametrize(
    ("status", "headers", "body", "waits"),
    [
        pytest.param(401, {}, b'{"title":"Unauthorized","status":401}', [900.0, 900.0], id="401"),
        pytest.param(403, {}, b'{"title":"Forbidden"}', [900.0, 900.0], id="403"),
        pytest.param(429, {}, b"", [60.0, 120.0, 240.0, 480.0, 900.0, 900.0], id="429 without a header"),
        pytest.param(429, {"x-rate-limit-reset": "soon"}, b"{}", [60.0, 120.0], id="429 with a bad header"),
        pytest.param(503, {}, b"<html></html>", [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 320.0], id="503"),
        pytest.param(204, {}, b"", [900.0], id="no content"),
    ],
)
async def test_a_refusal_is_waited_out(
    status: int, headers: dict[str, str], body: bytes, waits: list[float], source: X, server: Any
) -> None:
    server.refusals = [(status, headers, body)] * len(waits)
    found = []
    for _ in waits:
        _, ended = await to_the_end(source)
        assert f"status {status}" in str(ended)
        found.append(ended.retry_after_secs)
    assert found == waits
    assert len(server.opened_at) == len(waits), "tweepy tried no second time by itself"


async def test_a_silent_server_is_unavailable(source_of: Source, server: Any) -> None:
    server.lines.clear()
    server.keep_alive_secs = None
    _, ended = await to_the_end(source_of(silence_secs=0.1))
    assert "Timeout" in str(ended)


async def test_a_server_that_keeps_alive_is_waited_for(source_of: Source, server: Any) -> None:
    server.lines.clear()
    server.keep_alive_secs = 0.05
    assert len(await take(source_of(silence_secs=0.3), 12)) == 12


async def test_nothing_passes_without_the_authority(source_of: Source, server: Any) -> None:
    source = source_of(tcp=lambda: server.connector(is_trusting=False))
    _, ended = await to_the_end(source)
    assert "Certificate" in str(ended)
    assert server.asked == []


async def test_an_error_inside_tweepy_is_an_ending(source: X, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(x.Stream, "on_connect", fails)
    _, ended = await to_the_end(source)
    assert "RuntimeError" in str(ended)


class Hours:
    """A sleep that moves the clock instead."""

    def __init__(self, clock: ManualClock, span: timedelta) -> None:
        self.clock, self.until = clock, clock.now() + span
        self.is_over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        if self.clock.now() >= self.until:
            self.is_over.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("has_a_line", [False, True], ids=["nothing", "one line"])
async def test_a_stream_that_closes_at_once_is_not_stormed(
    *, has_a_line: bool, source: X, server: Any, broker: Any, witness: Any, clock: ManualClock
) -> None:
    hours = Hours(clock, timedelta(minutes=40))
    server.closes_at_once = not has_a_line
    server.tears = [1] * 1000
    task = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=ForgetfulCursors(),
            observer=witness,
            clock=clock,
            pace=Pace(linger_secs=0.001, turn_secs=0.01),
            sleep=hours.sleep,
            chance=lambda: 0.0,
        )
    )
    async with asyncio.timeout(10):
        await hours.is_over.wait()
    task.cancel()
    await asyncio.wait({task})
    opened = server.opened_at
    most = max(sum(0 <= (later - start).total_seconds() < 900 for later in opened) for start in opened)
    assert 10 <= most <= 50
    assert (opened[1] - opened[0]).total_seconds() < 1, "the first time at once"


async def test_never_more_than_fifty_connections_in_fifteen_minutes(source: X, server: Any, clock: ManualClock) -> None:
    server.lines.clear()
    server.keep_alive_secs = 0.001
    server.max_connections = 1000
    for _ in range(50):
        await take(source, 1)
    clock.advance(timedelta(minutes=4))
    _, ended = await to_the_end(source)
    assert ended.retry_after_secs == 11 * 60
    assert len(server.opened_at) == 50
    clock.advance(timedelta(minutes=11))
    assert len(await take(source, 1)) == 1


async def test_a_connection_that_held_is_followed_at_once(source: X, server: Any, clock: ManualClock) -> None:
    server.disconnect_after = 1
    await to_the_end(source)
    server.disconnect_after = 1
    assert (await to_the_end(source))[1].retry_after_secs == 5.0
    server.lines[:] = [a_line(1)]
    async with aclosing(source.read(None)) as readings:
        await anext(readings)
        server.disconnect_after = 1
        clock.advance(timedelta(minutes=2))
        server.publish(a_line(2))
        with pytest.raises(SourceUnavailable) as ended:
            async for _ in readings:
                pass
    assert ended.value.retry_after_secs == 0.0


# Being stopped


async def test_a_time_limit_is_not_swallowed(source: X, server: Any) -> None:
    server.lines.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), aclosing(source.read(None)) as readings:
            await anext(readings)


async def test_a_cancellation_is_not_swallowed(source: X, server: Any, until: Any) -> None:
    server.lines.clear()
    task = asyncio.create_task(take(source, 1))
    await until(lambda: server.listening == 1)
    task.cancel()
    await asyncio.wait({task}, timeout=3)
    assert task.cancelled()
    await until(lambda: server.listening == 0)


async def test_a_stop_with_a_slow_broker(
    source: X, server: Any, broker: Any, witness: Any, clock: ManualClock, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.lines[:] = [a_line(i) for i in range(2000)]
    is_asked = asyncio.Event()

    async def posts(_: object) -> None:
        is_asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(broker, "posts", posts)
    pace = Pace(batch_posts=10, stop_secs=0.05)
    cursors = ForgetfulCursors()
    task = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=cursors,
            observer=witness,
            clock=clock,
            pace=pace,
        )
    )
    async with asyncio.timeout(5):
        await is_asked.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=3)
    assert task.cancelled()
    assert cursors.load("x") is None
    await until(lambda: server.listening == 0)


async def test_a_slow_reader_holds_the_server_back(source: X, server: Any, until: Any) -> None:
    server.lines[:] = [a_line(i, "fumée " * 10_000) for i in range(400)]
    sent: list[int] = []

    def has_stopped() -> bool:
        sent.append(server.sent)
        return len(sent) > 20 and sent[-20] == sent[-1]

    async with aclosing(source.read(None)) as readings:
        await anext(readings)
        await until(has_stopped)
        assert x.MAX_LINES < server.sent < 400
        async with asyncio.timeout(30):
            for _ in range(399):
                await anext(readings)


# Resuming


@pytest.fixture
def read_until(broker: Any, witness: Any, clock: ManualClock, until: Any) -> Callable[..., Awaitable[None]]:
    """Return a run of a source until something is so."""

    async def read_until(source: X, is_so: Callable[[], bool]) -> None:
        task = asyncio.create_task(
            run(
                source,
                gate=lambda _: True,
                publisher=broker,
                cursors=ForgetfulCursors(),
                observer=witness,
                clock=clock,
                pace=QUICK,
                sleep=lambda _: asyncio.sleep(0),
            )
        )
        await until(is_so)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    return read_until


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_torn_at_random_none_is_missing(
    seed: int, source_of: Source, server: Any, broker: Any, witness: Any, read_until: Callable[..., Awaitable[None]]
) -> None:
    chance = random.Random(seed)  # noqa: S311
    server.lines[:] = [a_line(i) for i in range(300)]
    server.is_replayed, server.lost_at_a_tear, server.keep_alive_secs = False, 12, 0.01
    server.tears = [chance.randrange(50) for _ in range(6)]
    server.max_connections = 100
    source = source_of(backfill=True, settle_secs=0.0)
    expected = {str(1990000000000001000 + i) for i in range(300)}
    await read_until(source, lambda: {post.id for post in broker.kept} >= expected)
    assert {post.id for post in broker.kept} == expected
    assert len(server.opened_at) == 7
    assert len(witness.failures) == 6
    assert witness.gaps == []
    assert source.spent_usd == pytest.approx(300 * 0.005), "each is paid for once, however often it came"
    assert {post.rule_tags for post in broker.kept} == {("feu",)}


async def test_a_restart_before_the_search_is_done_still_owes_it(
    source_of: Source, server: Any, clock: ManualClock, witness: Any
) -> None:
    server.lines[:] = [a_line(i) for i in range(150)]
    server.is_replayed, server.at, server.keep_alive_secs = False, 40, 0.01
    before = await take(source_of(backfill=True, settle_secs=3600.0), 10)
    server.at = 100
    clock.advance(timedelta(seconds=60))
    owing = await take(source_of(backfill=True, settle_secs=3600.0), 20, before[-1].cursor)
    assert position_from(owing[-1].cursor)[0].owed == position_from(before[-1].cursor)[0].alive
    server.at = 130
    clock.advance(timedelta(seconds=60))
    found = await until_nothing_is_owed(source_of(backfill=True, settle_secs=0.0), owing[-1].cursor)
    assert found == {str(1990000000000001000 + i) for i in range(150)}
    pages = server.asked_for("/2/tweets/search/recent")
    assert [page["start_time"] for page in pages] == ["2026-11-22T06:59:30Z"] * 2
    assert witness.gaps == []


async def until_nothing_is_owed(source: X, after: str) -> set[str]:
    found: set[str] = set()
    async with aclosing(source.read(after)) as readings, asyncio.timeout(8):
        while position_from((reading := await anext(readings)).cursor)[0].owed:
            found |= set(ids_in([reading]))
    return found


async def test_a_connection_without_a_line_shortens_no_search(
    source_of: Source, server: Any, clock: ManualClock
) -> None:
    source = source_of(backfill=True, settle_secs=0.0)
    server.lines[:] = [a_line(1)]
    before = await take(source, 1)
    clock.advance(timedelta(seconds=60))
    server.closes_at_once = True
    await to_the_end(source, before[-1].cursor)
    clock.advance(timedelta(seconds=60))
    server.closes_at_once = False
    await until_nothing_is_owed(source, before[-1].cursor)
    (query,) = server.asked_for("/2/tweets/search/recent")
    assert query["start_time"] == "2026-11-22T06:59:30Z"


async def test_without_the_money_for_it_the_search_stays_owed(source_of: Source, server: Any) -> None:
    source = source_of(backfill=True, settle_secs=0.0, monthly_ceiling_usd=0.1)  # 20 posts
    server.lines[:] = [a_line(i) for i in range(60)]
    server.is_replayed, server.at, server.keep_alive_secs = False, 59, 0.01
    before = await take(source, 1)
    readings = await take(source, 30, before[-1].cursor)
    assert len(posts_in(readings)) == 19
    assert position_from(readings[-1].cursor)[0].owed == position_from(before[-1].cursor)[0].alive
    assert source.spent_usd == 0.095, "of which one was paid for before; the smallest page is ten"


async def test_a_search_that_is_no_longer_wanted_is_a_gap(source: X, clock: ManualClock, witness: Any) -> None:
    now = int(clock.now().timestamp()) * 1_000_000
    await take(source, 1, f"{now - 10_000_000} {now - 90_000_000} 2026-11 0")
    assert witness.gaps == [90.0]


async def test_without_a_search_the_gap_is_told_once(source: X, server: Any, clock: ManualClock, witness: Any) -> None:
    before = await take(source, 3)
    assert witness.gaps == []
    clock.advance(timedelta(seconds=40))
    server.closes_at_once = True
    await to_the_end(source, before[-1].cursor)
    clock.advance(timedelta(seconds=2))
    server.closes_at_once = False
    await take(source, 1, before[-1].cursor)
    assert witness.gaps == [40.0, 2.0]
    assert server.asked_for("/2/tweets/search/recent") == []


async def test_what_no_search_reaches_is_a_gap(
    source_of: Source, server: Any, clock: ManualClock, witness: Any
) -> None:
    source = source_of(backfill=True, settle_secs=0.0)
    before = await take(source, 1)
    clock.advance(timedelta(days=8))
    server.lines[:] = [a_line(1, at="2026-11-30T06:00:00.000Z")]
    readings = await take(source, 3, before[-1].cursor)
    assert ids_in(readings) == ["1990000000000001001"] * 2
    assert witness.gaps == [86_460.0]


async def test_a_search_that_fails_is_tried_again_and_the_stream_goes_on(
    source_of: Source, server: Any, clock: ManualClock, witness: Any
) -> None:
    source = source_of(backfill=True, settle_secs=0.0)
    server.lines[:] = [a_line(1), a_line(2)]
    server.keep_alive_secs = 0.01
    server.search_refusals = [(429, {"x-rate-limit-reset": str(int(clock.now().timestamp()) + 300)}, b"{}")]
    before = await take(source, 1)
    async with aclosing(source.read(before[-1].cursor)) as readings, asyncio.timeout(5):
        assert isinstance((await anext(readings)).post, Post)
        assert isinstance((await anext(readings)).post, Post)
        await anext(readings)
        assert [wait for _, wait in witness.failures] == [300.0]
        assert len(server.asked_for("/2/tweets/search/recent")) == 1
        clock.advance(timedelta(seconds=300))
        server.publish(a_line(3, at="2026-11-22T07:04:00.000Z"))
        while position_from((reading := await anext(readings)).cursor)[0].owed:
            pass
    assert reading.post is None
    assert len(server.asked_for("/2/tweets/search/recent")) == 2
    assert len(server.opened_at) == 2


async def test_the_search_stays_within_the_limits_of_the_platform(
    source_of: Source, server: Any, clock: ManualClock
) -> None:
    source = source_of(backfill=True, settle_secs=0.0, monthly_ceiling_usd=0.2)  # 40 posts
    server.lines[:] = [a_line(i) for i in range(5)]
    before = await take(source, 5)
    clock.advance(timedelta(seconds=60))
    await take(source, 6, before[-1].cursor)
    (query,) = server.asked_for("/2/tweets/search/recent")
    assert (query["query"], query["max_results"]) == (RULES["feu"], "35")
    assert (query["start_time"], query["end_time"]) == ("2026-11-22T06:59:30Z", "2026-11-22T07:00:45Z")


# The money


async def test_a_post_is_paid_once_a_day(source: X, server: Any, clock: ManualClock) -> None:
    server.lines[:] = [a_line(1), a_line(1), a_line(2)]
    assert [spent_in(reading) for reading in await take(source, 3)] == [5000, 5000, 10000]
    clock.advance(timedelta(days=1))
    assert spent_in((await take(source, 3))[-1]) == 20000
    assert (source.spent_usd, source.ceiling_usd) == (0.02, 100.0)


async def test_media_and_unreadable_lines_are_paid_too(source: X, server: Any, lines: list[bytes]) -> None:
    server.lines[:] = [lines[3], b"{", lines[9]]
    assert [spent_in(reading) for reading in await take(source, 3)] == [15000, 20000, 20000]


async def test_what_was_spent_survives_a_restart(source_of: Source, server: Any, clock: ManualClock) -> None:
    server.lines[:] = [a_line(1), a_line(2)]
    before = await take(source_of(), 2)
    after = source_of()
    assert after.spent_usd == 0.0
    await take(after, 1, before[-1].cursor)
    assert after.spent_usd == 0.015, "which posts were paid for is forgotten: rather too much than too little"
    clock.advance(timedelta(days=9))
    assert after.spent_usd == 0.0, "December"
    assert spent_in((await take(source_of(), 1, before[-1].cursor))[0]) == 5000


async def test_stops_at_the_ceiling_until_the_first_of_the_month(
    source_of: Source, server: Any, clock: ManualClock
) -> None:
    source = source_of(monthly_ceiling_usd=0.05)
    server.lines[:] = [a_line(i) for i in range(10)]
    readings, ended = await to_the_end(source)
    assert len(readings) == 10
    assert "ceiling of 0.05 USD" in str(ended)
    assert ended.retry_after_secs == timedelta(days=8, hours=17).total_seconds()
    opened = len(server.opened_at)
    again = source_of(monthly_ceiling_usd=0.05)
    _, ended = await to_the_end(again, readings[-1].cursor)
    assert "2026-12-01" in str(ended)
    assert len(server.opened_at) == opened, "not even connected"
    clock.advance(timedelta(seconds=ended.retry_after_secs or 0))
    assert len(await take(again, 3, readings[-1].cursor)) == 3


async def test_what_was_sent_before_the_ceiling_is_read(source_of: Source, server: Any, until: Any) -> None:
    server.lines[:] = [a_line(i) for i in range(1000)]
    found: list[Reading] = []
    async with aclosing(source_of(monthly_ceiling_usd=0.05).read(None)) as readings:
        found.append(await anext(readings))
        await until(lambda: server.sent == 1000)
        with pytest.raises(SourceUnavailable):  # noqa: PT012  what came before it counts
            while True:
                found.append(await anext(readings))
    assert x.MAX_LINES <= len(found) <= x.MAX_LINES + 10
    assert ids_in(found) == [str(1990000000000001000 + i) for i in range(len(found))]
    assert spent_in(found[-1]) == 5000 * len(found)


async def test_the_runner_tells_of_the_ceiling(
    source_of: Source, server: Any, witness: Any, read_until: Callable[..., Awaitable[None]]
) -> None:
    server.lines[:] = [a_line(1)]
    await read_until(source_of(monthly_ceiling_usd=0.005), lambda: bool(witness.failures))
    said, seconds = witness.failures[0]
    assert "monthly ceiling" in said
    assert seconds > 86_400


def test_a_year_has_an_end() -> None:
    assert x.next_month(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


# Names and bounds


async def test_no_name_and_no_token_leaves(
    source: X,
    lines: list[bytes],
    broker: Any,
    witness: Any,
    read_until: Callable[..., Awaitable[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await read_until(source, lambda: witness.outcomes.total() >= len(lines))
    left = broker.all_bytes()
    for secret in (b"alice_essai", b"bob_essai", b"carole_essai", b"91000000000000000", TOKEN.encode()):
        assert secret not in left
    assert TOKEN not in caplog.text


async def test_tweepy_is_kept_from_printing_the_token(source_of: Source) -> None:
    logging.getLogger("tweepy").setLevel(logging.DEBUG)
    source_of()
    assert not logging.getLogger("tweepy.asynchronous.client").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@alice bonjour", "@… bonjour"),
        ("voir (@alice_b), ＠bob", "voir (@…), @…"),
        ("moi@exemple.fr", "moi@….fr"),
        ("https://twitter.com/alice/status/1 et https://x.com/i/web/status/1", None),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("e\u0301te", "éte"),
    ],
)
def test_masks_the_names_of_accounts(text: str, shown: str | None) -> None:
    expected = shown or "https://twitter.com/…/status/1 et https://x.com/i/web/status/1"
    assert x.masked(text) == expected.replace("＠", "@")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    budget = x.Budget(ceiling_usd=1e6, usd_per_post=0.005, usd_per_media=0.005)
    monkeypatch.setattr(x, "MAX_PAID", 1000)
    for number in range(1010):
        budget.pay(str(number), (), now)
    assert len(budget._paid) == 1000
    newest: dict[str, int] = {}
    monkeypatch.setattr(x, "MAX_EDITED", 100)
    for number in range(1, 110):
        tweet = x.Tweet(
            id=str(number * 10 + 1), text="", created_at=now, edit_history_tweet_ids=(str(number * 10), "1")
        )
        x.is_outdated(tweet, newest)
    assert len(newest) == 100


@pytest.mark.parametrize("cursor", ["", "x", "1 2", "1 2 2026-11 x", "-1 0 2026-11 5", "9" * 30 + " 0 2026-11 5"])
async def test_a_strange_cursor_is_none(cursor: str, source: X, witness: Any) -> None:
    assert len(await take(source, 1, cursor)) == 1
    assert witness.gaps == []


NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "text", "geo", "coordinates", "tag", "media", "bbox"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=NOISE, at=st.sampled_from([*x.Tweet.__struct_fields__, "includes", "matching_rules", "errors"]))
def test_no_field_gets_an_exception_out(noise: Any, at: str, pseudonyms: FixedPseudonyms, clock: ManualClock) -> None:
    line = json.loads(a_line(1, "vu par @alice_essai"))
    (line if at in {"includes", "matching_rules", "errors"} else line["data"])[at] = noise
    value = msgspec.json.encode(line)
    source = X(
        bearer_token=TOKEN,
        rules=RULES,
        pseudonyms=pseudonyms,
        clock=clock,
        observer=None,  # type: ignore[arg-type]
        government_plan_acknowledged=True,
        monthly_ceiling_usd=1.0,
    )
    found = source.found_in(line_from(value), value)
    assert found is None or isinstance(found, Post | MalformedRecord)
    if isinstance(found, MalformedRecord):
        assert b"alice_essai" not in found.value
        assert b"910000000000000009" not in found.value


@pytest.mark.parametrize("answer", [[], {"data": 5}, {"data": [1, {"id": 1}]}, None, {"data": {"id": "1"}}])
def test_strange_answers_hold_nothing(answer: Any) -> None:
    assert x.lines_in(answer, "feu") in ([], [msgspec.json.encode({**answer_of_one(), "includes": {}})])
    assert x.token_in(answer) is None
    assert [rule.tag for rule in x.rules_in(answer)] in ([], [""])


def answer_of_one() -> dict[str, Any]:
    return {"data": {"id": 1}, "includes": {}, "matching_rules": [{"id": "0", "tag": "vigie:feu"}]}


async def test_the_demonstration_serves_french_posts(
    module: ModuleType, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any, unused_tcp_port: int
) -> None:
    demo = asyncio.create_task(module.serve_demo(unused_tcp_port))
    api = module.XApi()
    api.port = unused_tcp_port
    source = X(
        bearer_token=TOKEN,
        rules=RULES,
        pseudonyms=pseudonyms,
        clock=clock,
        observer=witness,
        government_plan_acknowledged=True,
        monthly_ceiling_usd=1.0,
        tcp=api.connector,
    )
    try:
        async with asyncio.timeout(5):
            while not (found := await first_post(source)):  # noqa: ASYNC110  until it listens
                await asyncio.sleep(0.02)
    finally:
        demo.cancel()
        await asyncio.wait({demo})
    assert found.lang == "fr"


async def first_post(source: X) -> Post | None:
    try:
        async with aclosing(source.read(None)) as readings:
            async for reading in readings:
                if isinstance(reading.post, Post):
                    return reading.post
    except SourceUnavailable:
        pass
    return None
