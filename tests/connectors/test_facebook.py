"""Facebook both ways: what its webhook tells, what its Graph API gives again, and that the two are the same posts."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import Pace, run
from connectors.sources import facebook_graph
from connectors.sources.facebook import FacebookPage, Position, position_from
from connectors.sources.facebook_graph import refusal_from
from connectors.sources.facebook_posts import masked
from connectors.sources.facebook_versions import Memory, Seen, mark_of
from connectors.sources.facebook_webhook import escaped, facebook_app
from connectors.sources.webhook import Limits
from records import MalformedRecord, ManualClock, Post, SettingsError, SourceUnavailable

PAGE = "1000000000001"
POST = f"{PAGE}_501"
SECRET, VERIFY = "app-secret", "verify-token"
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
SENT_AT = 1795330800  # 2026-11-22T07:00:00Z, when the clock of the tests stands
ANNE, TOWN = {"id": "2002", "name": "Anne Exemple"}, {"id": PAGE, "name": "Ville d'exemple"}
COMMENT = {
    "item": "comment",
    "verb": "add",
    "post_id": POST,
    "comment_id": "501_901",
    "parent_id": POST,
    "from": ANNE,
    "created_time": SENT_AT - 60,
    "message": "fumée noire",
}
STATUS = {
    "item": "status",
    "verb": "add",
    "post_id": f"{PAGE}_502",
    "from": TOWN,
    "created_time": SENT_AT - 30,
    "published": 1,
    "message": "fumée : restez chez vous",
}


@pytest.fixture(scope="session")
def server(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/facebook.py")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def app(broker: Any, witness: Any, clock: ManualClock, pseudonyms: FixedPseudonyms, memory: Memory) -> Starlette:
    return app_of(broker, witness, clock, pseudonyms, memory=memory)


def app_of(broker: Any, witness: Any, clock: ManualClock, pseudonyms: FixedPseudonyms, **more: Any) -> Starlette:
    told: dict[str, Any] = {"page_id": PAGE, "app_secret": SECRET, "verify_token": VERIFY} | more
    return facebook_app(
        gate=lambda text: "fumée" in text,
        publisher=broker,
        observer=witness,
        clock=clock,
        pseudonyms=pseudonyms,
        **told,
    )


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vigie")


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


Tell = Callable[..., Coroutine[Any, Any, httpx.Response]]


@pytest.fixture
def tell(client: httpx.AsyncClient, server: ModuleType) -> Tell:
    """Return Facebook's way of telling of changes."""

    async def tell(*values: dict[str, Any], page_id: str = PAGE) -> httpx.Response:
        return await send(client, server, server.notice(page_id, *values, time=SENT_AT))

    return tell


async def send(client: httpx.AsyncClient, server: ModuleType, body: bytes, secret: str = SECRET) -> httpx.Response:
    return await client.post("/facebook", content=body, headers=server.signed(body, secret))


# Told by Facebook


async def test_the_handshake_gives_the_challenge_back(client: httpx.AsyncClient) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    answer = await client.get("/facebook", params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": "other", "hub.challenge": "1"}, id="another token"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}, id="an empty token"),
        pytest.param({"hub.mode": "subscribe", "hub.challenge": "1"}, id="no token"),
        pytest.param({"hub.mode": "unsubscribe", "hub.verify_token": VERIFY, "hub.challenge": "1"}, id="another mode"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": VERIFY}, id="no challenge"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_others_get_no_challenge(query: dict[str, str], client: httpx.AsyncClient, witness: Any) -> None:
    answer = await client.get("/facebook", params=query)
    assert answer.status_code == 403
    assert witness.reasons == {"tampered": 1}


@pytest.mark.parametrize(
    "missing", [{"app_secret": ""}, {"verify_token": ""}, {"page_id": "ville-exemple"}, {"page_id": ""}]
)
def test_the_secrets_are_needed(
    missing: dict[str, str], broker: Any, witness: Any, clock: ManualClock, pseudonyms: FixedPseudonyms
) -> None:
    with pytest.raises(SettingsError):
        app_of(broker, witness, clock, pseudonyms, **missing)


async def test_what_is_told_is_kept(tell: Tell, broker: Any, witness: Any, pseudonyms: FixedPseudonyms) -> None:
    answer = await tell(COMMENT, STATUS)
    assert (answer.status_code, answer.json()) == (200, {"kept": 2})
    comment, status = broker.kept
    assert (comment.platform, comment.kind, comment.verb) == ("facebook", "comment", "create")
    assert comment.id == pseudonyms.post("facebook", "501_901")
    assert (comment.thread_id, comment.reply_to) == (POST, POST)
    assert comment.url == f"https://www.facebook.com/{POST}?comment_id=901"
    assert (comment.author_id, comment.author_kind) == (pseudonyms.author("facebook", "2002"), "unknown")
    assert int(comment.posted_at.timestamp()) == SENT_AT - 60
    assert (status.id, status.kind, status.author_kind) == (f"{PAGE}_502", "post", "official")
    assert (status.url, status.thread_id) == (f"https://www.facebook.com/{PAGE}_502", None)
    assert witness.outcomes == {"kept": 2}


WITHOUT = {name: value for name, value in COMMENT.items() if name != "created_time"}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("a comment", COMMENT, "kept", "create"),
    ("an edit", COMMENT | {"verb": "edited"}, "kept", "update"),
    ("a visitor's edit", STATUS | {"item": "post", "verb": "edit"}, "kept", "update"),
    ("an edit that matters no more", COMMENT | {"verb": "edited", "message": "rien"}, "kept", "update"),
    ("a removal", COMMENT | {"verb": "remove"}, "kept", "delete"),
    ("a removal without a time", WITHOUT | {"verb": "remove", "message": None}, "kept", "delete"),
    ("a hiding", COMMENT | {"verb": "hide"}, "kept", "delete"),
    ("hidden from the start", COMMENT | {"is_hidden": True}, "kept", "delete"),
    ("shown again", COMMENT | {"verb": "unhide", "is_hidden": False}, "kept", "create"),
    ("a photo", STATUS | {"item": "photo", "link": "https://scontent.example/1.jpg"}, "kept", "create"),
    ("a film", STATUS | {"item": "video", "video_id": "7"}, "kept", "create"),
    ("a link", STATUS | {"item": "share", "share_id": 7, "link": "https://ville.example/"}, "kept", "create"),
    ("a visitor's post", STATUS | {"item": "post", "post_id": "2002_504", "from": ANNE}, "kept", "create"),
    ("a number for an id", STATUS | {"post_id": 502}, "kept", "create"),
    ("nobody named", {name: value for name, value in COMMENT.items() if name != "from"}, "kept", "create"),
    ("small talk", COMMENT | {"message": "bonjour"}, "gated", ""),
    ("a picture without words", COMMENT | {"message": None, "photo": "https://scontent.example/p.jpg"}, "gated", ""),
    ("a draft", STATUS | {"published": 0}, "not_a_post", ""),
    ("a reaction", STATUS | {"item": "reaction", "reaction_type": "wow"}, "not_a_post", ""),
    ("a like", STATUS | {"item": "like"}, "not_a_post", ""),
    ("an event", STATUS | {"item": "event", "event_id": "7"}, "not_a_post", ""),
    ("a film blocked", STATUS | {"item": "video", "verb": "block"}, "not_a_post", ""),
    ("no item", {"verb": "add"}, "not_a_post", ""),
    ("no comment id", COMMENT | {"comment_id": ""}, "invalid", ""),
    ("no post id", STATUS | {"post_id": ""}, "invalid", ""),
    ("an id that is a path", STATUS | {"post_id": "../me?fields=name"}, "invalid", ""),
    ("a time of letters", COMMENT | {"created_time": "hier"}, "invalid", ""),
    ("a time past all", COMMENT | {"created_time": 10**18}, "invalid", ""),
    ("a list for a text", COMMENT | {"message": ["Anne Exemple"]}, "invalid", ""),
    ("a novel", COMMENT | {"message": "fumée " * 20_000}, "too_long", ""),
]


@pytest.mark.parametrize(("value", "outcome", "verb"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_change_has_one_outcome(
    value: dict[str, Any], outcome: str, verb: str, tell: Tell, broker: Any, witness: Any
) -> None:
    answer = await tell(value)
    assert answer.status_code == 200
    if outcome in {"invalid", "too_long"}:
        assert witness.reasons == {outcome: 1}
        (letter,) = broker.letters
        assert (letter.topic, letter.reason) == ("source:facebook", outcome)
    else:
        assert witness.outcomes == {outcome: 1}
    assert [post.verb for post in broker.kept] == ([verb] if verb else [])
    assert {(post.text, post.author_id, post.url) for post in broker.kept if post.verb == "delete"} <= {("", "", None)}
    for name in (b"Anne", b"Exemple", b"2002"):
        left = broker.all_bytes()
        assert name not in left.replace(b"https://www.facebook.com/2002_504", b"")


async def test_a_post_is_known_by_its_page_too(tell: Tell, broker: Any) -> None:
    await tell(STATUS | {"post_id": 502}, STATUS)
    assert [post.id for post in broker.kept] == [f"{PAGE}_502"] * 2


SIGNED_BADLY: list[tuple[str, dict[str, str], str]] = [
    ("no signature", {"x-hub-signature-256": ""}, "unsigned"),
    ("the old one only", {"x-hub-signature-256": "", "x-hub-signature": "sha1=00"}, "unsigned"),
    ("another", {"x-hub-signature-256": "sha256=" + "0" * 64}, "tampered"),
    ("letters", {"x-hub-signature-256": "é"}, "tampered"),
]


@pytest.mark.parametrize(
    ("headers", "reason"), [case[1:] for case in SIGNED_BADLY], ids=[case[0] for case in SIGNED_BADLY]
)
async def test_a_body_that_facebook_did_not_sign(
    headers: dict[str, str], reason: str, client: httpx.AsyncClient, server: ModuleType, broker: Any, witness: Any
) -> None:
    body = server.notice(PAGE, COMMENT)
    raw = {name.encode(): value.encode() for name, value in (server.signed(body, SECRET) | headers).items()}
    answer = await client.post("/facebook", content=body, headers=raw)
    assert (answer.status_code, answer.json()["error"]) == (401, reason)
    assert witness.reasons == {reason: 1}
    assert broker.kept == []


async def test_tampered_bodies_and_foreign_secrets(
    client: httpx.AsyncClient, server: ModuleType, broker: Any, witness: Any
) -> None:
    body = server.notice(PAGE, COMMENT)
    tampered = await client.post("/facebook", content=body + b" ", headers=server.signed(body, SECRET))
    foreign = await send(client, server, body, "another")
    assert {tampered.status_code, foreign.status_code} == {401}
    assert witness.reasons == {"tampered": 2}
    assert broker.kept == []


async def test_a_signature_of_the_escaped_text_will_do(
    client: httpx.AsyncClient, server: ModuleType, broker: Any
) -> None:
    value = COMMENT | {"message": "fumée \U0001f525"}
    body = server.notice(PAGE, value)
    unescaped = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()
    assert not unescaped.isascii()
    answer = await client.post("/facebook", content=unescaped, headers=server.signed(body, SECRET))
    assert answer.status_code == 200
    assert [post.text for post in broker.kept] == ["fumée \U0001f525"]


async def test_of_a_batch_the_bad_are_set_aside_and_facebook_is_content(
    tell: Tell, broker: Any, witness: Any, app: Starlette
) -> None:
    many = [COMMENT | {"comment_id": f"501_{number}"} for number in range(996)]
    bad = [COMMENT | {"created_time": "hier", "message": "Anne Exemple"}, 7, STATUS | {"item": "reaction"}]
    answer = await tell(*many, *bad, COMMENT | {"message": "bonjour"})
    assert answer.status_code == 200
    assert witness.outcomes == {"kept": 996, "gated": 1, "not_a_post": 1, "refused": 2}
    assert len({post.key for post in broker.kept}) == 996
    assert len(broker.letters) == 2
    assert b"Anne" not in broker.all_bytes()
    async with app.router.lifespan_context(app):
        pass
    assert broker.pulse_sums() == witness.outcomes


async def test_a_bad_change_alone_is_not_sent_for_ever(tell: Tell, broker: Any) -> None:
    assert (await tell(COMMENT | {"created_time": "hier"})).status_code == 200
    assert [letter.value for letter in broker.letters] == [b'{"item":"comment","verb":"add","created_time":"hier"}']


async def test_sent_twice_is_the_same_post(tell: Tell, broker: Any) -> None:
    for _ in range(2):
        assert (await tell(COMMENT)).status_code == 200
    first, second = broker.kept
    assert first == second


async def test_private_messages_and_other_pages_are_not_read(
    client: httpx.AsyncClient, tell: Tell, server: ModuleType, broker: Any, witness: Any
) -> None:
    private = {"sender": {"id": "2002"}, "message": {"mid": "m_1", "text": "fumée"}}
    body = server.written_out({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": [private]}]})
    assert (await send(client, server, body)).status_code == 200
    assert (await tell(COMMENT, COMMENT, page_id="1000000000009")).status_code == 200
    other = server.notice(PAGE, COMMENT).replace(b'"object":"page"', b'"object":"user"')
    assert (await send(client, server, other)).status_code == 200
    assert witness.outcomes == {"not_a_post": 4}
    assert broker.kept == broker.letters == []


@pytest.mark.parametrize("verb", ["remove", "hide"])
async def test_a_removal_before_its_post_stays(
    verb: str, tell: Tell, broker: Any, witness: Any, clock: ManualClock
) -> None:
    await tell(COMMENT | {"verb": verb})
    clock.advance(timedelta(hours=35))
    await tell(COMMENT)
    await tell(COMMENT | {"verb": "edited"})
    await tell(COMMENT | {"comment_id": "501_902"})
    assert [post.verb for post in broker.kept] == ["delete", "create"]
    assert witness.outcomes == {"kept": 2, "not_a_post": 2}


async def test_what_is_shown_again_may_come_again(tell: Tell, broker: Any) -> None:
    for verb in ("add", "hide", "unhide", "edited"):
        await tell(COMMENT | {"verb": verb})
    assert [post.verb for post in broker.kept] == ["create", "delete", "create", "update"]


async def test_removals_are_forgotten_in_time(tell: Tell, broker: Any, clock: ManualClock) -> None:
    await tell(COMMENT | {"verb": "remove"})
    clock.advance(timedelta(hours=37))
    await tell(COMMENT)
    assert [post.verb for post in broker.kept] == ["delete", "create"]


def test_removals_are_bounded(clock: ManualClock) -> None:
    memory = Memory(limit=100)
    for number in range(1000):
        memory.remove(str(number), clock.now())
    assert len(memory._gone) == 100
    assert memory.is_gone("999", clock.now())
    assert not memory.is_gone("0", clock.now())
    clock.advance(timedelta(hours=37))
    memory.remove("1000", clock.now())
    assert len(memory._gone) == 1


async def test_a_broker_that_fails_means_send_again(tell: Tell, broker: Any, witness: Any) -> None:
    broker.fails_with = ConnectionError("no broker")
    answer = await tell(COMMENT, COMMENT | {"verb": "remove", "comment_id": "501_902"})
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "not_taken", "1")
    broker.fails_with = None
    again = await tell(COMMENT, COMMENT | {"verb": "remove", "comment_id": "501_902"})
    assert again.status_code == 200
    assert [post.verb for post in broker.kept] == ["create", "delete"]
    assert witness.outcomes == {"refused": 2, "kept": 2}


async def test_answers_only_after_the_broker_and_in_turn(tell: Tell, broker: Any, until: Any) -> None:
    may_go, waiting = asyncio.Event(), asyncio.Event()
    given = broker.posts

    async def slow(posts: Any) -> None:
        if not waiting.is_set():  # the first one only
            waiting.set()
            await may_go.wait()
        await given(posts)

    broker.posts = slow
    first = asyncio.create_task(tell(COMMENT))
    await waiting.wait()
    second = asyncio.create_task(tell(COMMENT | {"verb": "remove"}))
    done, _ = await asyncio.wait({first, second}, timeout=0.02)
    assert not done
    may_go.set()
    assert [answer.status_code for answer in await asyncio.gather(first, second)] == [200, 200]
    assert [post.verb for post in broker.kept] == ["create", "delete"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[" * 100_000, 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"object":"page","entry":[]}', 422, "empty"),
        (b'{"object":"page","entry":[' + b"7," * 60 + b"7]}", 413, "too_many"),
        (b" " * 70_000, 413, "too_large"),
    ],
)
async def test_what_is_refused_whole(
    body: bytes,
    status: int,
    reason: str,
    broker: Any,
    witness: Any,
    clock: ManualClock,
    pseudonyms: FixedPseudonyms,
    server: ModuleType,
) -> None:
    limits = Limits(body_bytes=200_000 if body[:1] == b"[" else 65_536, batch_posts=50)
    async with client_of(app_of(broker, witness, clock, pseudonyms, limits=limits)) as client:
        answer = await send(client, server, body)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert set(witness.reasons) == {reason}
    assert broker.kept == broker.letters == []


async def test_other_addresses_are_answered_in_json(client: httpx.AsyncClient, witness: Any) -> None:
    for answer in (await client.put("/facebook"), await client.post("/elsewhere")):
        assert answer.status_code in {404, 405}
        assert answer.json() == {"error": "not_found"}
    assert witness.reasons == {"not_found": 2}


async def test_the_corpus_of_the_webhook(
    client: httpx.AsyncClient, server: ModuleType, corpus: Path, broker: Any, witness: Any
) -> None:
    for body in (corpus / "facebook.jsonl").read_bytes().splitlines():
        assert (await send(client, server, body)).status_code == 200
    assert witness.outcomes == {"kept": 4, "gated": 4, "not_a_post": 2, "refused": 1}
    left = broker.all_bytes()
    for name in ("Anne", "Exemple", "Luc", "Modèle", "privé", "2002", "2003", "501_9"):
        assert name.encode() not in left


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.one_of(
            st.sampled_from([b"{}", b"null", b'"x"', b'{"field":"feed"}', b'{"field":"feed","value":7}']),
            st.sampled_from([json.dumps({"field": "feed", "value": COMMENT}).encode()]),
            st.binary(max_size=30),
        ),
        max_size=5,
    )
)
async def test_whatever_comes_is_answered(
    values: list[bytes],
    broker: Any,
    witness: Any,
    clock: ManualClock,
    pseudonyms: FixedPseudonyms,
    server: ModuleType,
) -> None:
    body = f'{{"object":"page","entry":[{{"id":"{PAGE}","time":1,"changes":['.encode() + b",".join(values) + b"]}]}"
    async with client_of(app_of(broker, witness, clock, pseudonyms)) as client:
        answer = await send(client, server, body)
    assert answer.status_code in {200, 400, 422}
    assert msgspec.json.decode(answer.content)


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("Luc Modèle brûle", [{"name": "Luc Modèle", "type": "user", "offset": 0, "length": 10}], "@… brûle"),
        ("oui Luc", [{"name": "Luc Modèle", "type": "user", "offset": 4, "length": 3}], "oui @…"),
        ("🔥🔥 Luc ici", [{"name": "Luc Modèle", "type": "user", "offset": 5, "length": 3}], "🔥🔥 @… ici"),
        ("🔥🔥 Luc ici", [{"name": "Luc Modèle", "type": "user", "offset": 3, "length": 3}], "🔥🔥 @… ici"),
        ("Luc et Luc", [{"name": "Luc", "offset": 0, "length": 3}], "@… et @…"),
        ("Ville d'Eu", [{"name": "Ville d'Eu", "type": "page", "offset": 0, "length": 10}], "Ville d'Eu"),
        ("Luc Modèle", {"0": [{"name": "Luc Modèle", "type": "user", "offset": 0, "length": 10}]}, "@…"),
        ("Luc", [{"name": 7, "offset": "x", "length": -1}, "Luc", None], "Luc"),
        ("Luc", [{"name": "Anne", "type": "user", "offset": 10**12, "length": 10**12}], "Luc"),
        ("Luc", 7, "Luc"),
    ],
)
def test_people_who_are_tagged_are_masked(text: str, tags: object, expected: str) -> None:
    assert masked(text, tags) == expected


# Asked of the Graph API


@pytest.fixture
def page(corpus: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((corpus / "facebook.graph.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
async def graph(server: ModuleType, page: dict[str, Any]) -> AsyncIterator[Any]:
    async with server.Graph(PAGE, page["posts"], page["comments"]).running() as running:
        yield running


Make = Callable[..., FacebookPage]


@pytest.fixture
def make(graph: Any, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any) -> Make:
    """Return what makes a source that polls without waiting, five minutes passing at each wait."""

    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    def make(**more: Any) -> FacebookPage:
        told = {"page_id": PAGE, "token": "page-token", "base_url": graph.url, "sleep": sleep} | more
        return FacebookPage(pseudonyms=pseudonyms, clock=clock, observer=witness, **told)

    return make


async def take(source: FacebookPage, polls: int = 1, after: str | None = None) -> list[Reading]:
    """Read until so many polls have ended."""
    readings: list[Reading] = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            polls -= is_end(reading)
            if not polls:
                break
    return readings


def is_end(reading: Reading) -> bool:
    return reading.post is None and bool(reading.cursor)


def posts_in(readings: list[Reading]) -> list[Post]:
    return [reading.post for reading in readings if isinstance(reading.post, Post)]


async def test_both_ways_give_the_same_posts(
    make: Make,
    server: ModuleType,
    page: dict[str, Any],
    broker: Any,
    witness: Any,
    clock: ManualClock,
    pseudonyms: FixedPseudonyms,
) -> None:
    told = [server.told_of(post) for post in page["posts"]]
    told += [
        server.told_of(comment, post_id=post_id)
        for post_id, comments in page["comments"].items()
        for comment in comments
        if not comment["is_private"]
    ]
    app = app_of(broker, witness, clock, pseudonyms, is_trusted=True)
    async with client_of(app) as client:
        assert (await send(client, server, server.notice(PAGE, *told))).status_code == 200
    asked = [msgspec.structs.replace(post, cursor=None) for post in posts_in(await take(make(is_trusted=True)))]
    assert len(asked) == len(told) == 9
    assert {post.key: post for post in asked} == {post.key: post for post in broker.kept}


async def test_what_is_asked_for_is_no_more_than_is_used(make: Make, graph: Any) -> None:
    await take(make())
    feed, *comments = graph.requests
    assert feed[0] == f"/v27.0/{PAGE}/feed"
    assert feed[1]["limit"] == "100"
    assert [path for path, _, _ in comments] == [
        f"/v27.0/{post_id}/comments"
        for post_id in (f"{PAGE}_505", "2002_504", f"{PAGE}_503", f"{PAGE}_502", f"{PAGE}_501")
    ]
    assert {(query["filter"], query["order"]) for _, query, _ in comments} == {("stream", "reverse_chronological")}
    for _, query, headers in graph.requests:
        assert headers["authorization"] == "Bearer page-token"
        assert "page-token" not in str(query)
        assert "from{id}" in query["fields"]
        assert not {"name", "picture", "full_picture", "permalink_url"} & set(re.findall("[a-z_]+", query["fields"]))


@pytest.mark.parametrize("by_time", [False, True], ids=["cursors", "until"])
@pytest.mark.parametrize("is_split", [False, True], ids=["whole", "in pieces"])
async def test_goes_on_to_the_last_page(
    by_time: bool, is_split: bool, make: Make, graph: Any, server: ModuleType, clock: ManualClock
) -> None:
    now = clock.now().timestamp()
    graph.posts[:] = [
        {
            "id": f"{PAGE}_{number}",
            "message": f"n° {number}",
            "created_time": server.time_of(now - number // 3),
            "updated_time": server.time_of(0),
            "from": TOWN,
        }
        for number in range(23)
    ]
    graph.page_size, graph.pages_by_time, graph.is_split = 4, by_time, is_split
    posts = posts_in(await take(make()))
    assert [post.id for post in posts] == [f"{PAGE}_{number}" for number in range(23)]
    assert len(graph.requests) == 6


async def test_a_poll_gives_only_what_is_new_or_has_changed(
    make: Make, graph: Any, server: ModuleType, clock: ManualClock
) -> None:
    source = make()
    async with aclosing(source.read(None)) as readings:
        first = await poll_of(readings)
        quiet = await poll_of(readings)
        now = server.time_of(clock.now().timestamp())
        graph.posts[1]["message"] = "Fin de l'alerte"
        graph.posts[0]["updated_time"] = now
        graph.comments[POST][0]["is_hidden"] = True
        graph.comments[POST].append({"id": "501_999", "message": "ça recommence", "created_time": now, "from": ANNE})
        news = await poll_of(readings)
        after = await poll_of(readings)
    assert len(posts_in(first)) == 9
    assert len(quiet) == len(after) == 1
    assert {(post.verb, post.text) for post in posts_in(news)} == {
        ("update", "Fin de l'alerte"),
        ("delete", ""),
        ("create", "ça recommence"),
    }
    cursors = [position_from(reading.cursor) for reading in (quiet[-1], news[-1], after[-1])]
    assert [cursor.asked - cursors[0].asked for cursor in cursors] == [0, 300, 600]
    assert cursors[0].newest < cursors[1].newest == cursors[2].newest


async def poll_of(readings: Any) -> list[Reading]:
    """Read to the end of one poll."""
    found: list[Reading] = []
    async with asyncio.timeout(5):
        async for reading in readings:
            found.append(reading)
            if is_end(reading):
                break
    return found


async def test_comments_are_asked_for_only_where_there_may_be_news(make: Make, graph: Any, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=2))
    cursor = f"{int(clock.now().timestamp()) - 60} {int(clock.now().timestamp()) - 60}"
    del graph.posts[2]["updated_time"]
    readings = await take(make(), after=cursor)
    assert posts_in(readings) == []
    assert [path for path, _, _ in graph.requests] == [f"/v27.0/{PAGE}/feed", f"/v27.0/{PAGE}_503/comments"]


async def test_old_comments_are_not_read_again_where_since_is_not_heeded(
    make: Make, graph: Any, server: ModuleType, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now().timestamp()
    graph.posts[:] = [{"id": POST, "created_time": server.time_of(now - 86_000 * 6), "from": TOWN}]
    graph.comments[POST] = [
        {"id": f"501_{number}", "message": "x", "created_time": server.time_of(now - 600 * number), "from": ANNE}
        for number in range(1000)
    ]
    graph.page_size = 10
    monkeypatch.setattr(server, "written", lambda thing: int(now) + in_order(thing))
    readings = await take(make(start_hours=1))
    assert len(posts_in(readings)) == 7
    assert len(graph.requests) <= 4


def in_order(thing: dict[str, Any]) -> int:
    """Return seconds that keep the order and pass every `since`."""
    return 10**6 - int(thing["id"].partition("_")[2])


async def test_a_post_that_is_gone_when_its_comments_are_asked_for(make: Make, graph: Any) -> None:
    graph.gone = {POST}
    assert len(posts_in(await take(make()))) == 6


async def test_a_listing_older_than_a_removal_brings_nothing_back(
    make: Make, tell: Tell, memory: Memory, pseudonyms: FixedPseudonyms
) -> None:
    await tell(COMMENT | {"verb": "remove"})
    posts = posts_in(await take(make(memory=memory)))
    assert len(posts) == 8
    assert pseudonyms.post("facebook", "501_901") not in {post.id for post in posts}


async def test_what_the_webhook_has_handed_over_is_not_asked_for_again(
    make: Make, tell: Tell, server: ModuleType, page: dict[str, Any], memory: Memory, broker: Any
) -> None:
    known, changed = (server.told_of(comment, post_id=POST) for comment in page["comments"][POST][:2])
    lost = server.told_of(page["posts"][1])
    await tell(known, changed | {"message": "avant"})
    broker.fails_with = ConnectionError("no broker")
    assert (await tell(lost | {"message": lost["message"] + " fumée"})).status_code == 503
    posts = posts_in(await take(make(memory=memory)))
    assert len(posts) == 8
    assert known["message"] not in {post.text for post in posts}
    verbs = {post.text: post.verb for post in posts}
    assert verbs["@… même chose rue de la Gare 🔥"] == "update"
    assert verbs[lost["message"]] == "create"


async def test_an_edit_while_the_poll_was_down_is_told_once_it_is_up_again(make: Make, graph: Any) -> None:
    source = make()
    readings = await failing(source, graph, at=7)  # the first poll has six requests
    graph.posts[1]["message"] = "Fin de l'alerte"
    again = await take(source, polls=2, after=readings[-1].cursor)
    assert [(post.verb, post.text) for post in posts_in(again)] == [("update", "Fin de l'alerte")]


async def test_an_edit_after_a_poll_that_broke_off_is_told_as_one(make: Make, graph: Any) -> None:
    source = make()
    readings = await failing(source, graph, at=3)
    told = posts_in(readings)
    assert 0 < len(told) < 9
    next(post for post in graph.posts if post["id"] == told[0].id)["message"] = "Fin de l'alerte"
    again = {post.id: post for post in posts_in(await take(source, after=readings[-1].cursor))}
    assert (again[told[0].id].verb, again[told[0].id].text) == ("update", "Fin de l'alerte")
    assert {post.id for post in told} < set(again), "whether the broker has them is not known"
    assert [post.verb for post in again.values()].count("update") == 1


async def failing(source: FacebookPage, graph: Any, *, at: int) -> list[Reading]:
    """Read until the nth request, which fails."""
    readings: list[Reading] = []
    graph.abort_after = {at}
    with pytest.raises(SourceUnavailable):
        await read_into(readings, source)
    return readings


async def test_an_older_version_from_the_webhook_is_told_to_have_changed(
    make: Make, tell: Tell, server: ModuleType, page: dict[str, Any], memory: Memory, clock: ManualClock
) -> None:
    now = int(clock.now().timestamp())
    await tell(server.told_of(page["posts"][1]) | {"message": "fumée : avant"})
    posts = posts_in(await take(make(memory=memory), after=f"{now + 3600} {now}"))
    assert [(post.verb, post.text) for post in posts] == [("update", page["posts"][1]["message"])]


def test_an_edit_that_may_not_have_arrived_is_told_again() -> None:
    seen = Seen()

    def found(mark: int, after: int) -> str | None:
        return seen.change("a", mark, written=7, after=after, told=None)

    seen.resume(after=0, since=10)
    assert found(1, after=0) is None, "it was written before reading began"
    assert [found(2, after=20), found(2, after=20), found(2, after=30)] == ["changed", None, None]
    seen.resume(after=30, since=10)
    assert found(2, after=30) is None, "the cursor has passed it"
    seen.resume(after=20, since=10)
    assert [found(2, after=20), found(2, after=30)] == ["changed", None]


def test_what_was_seen_is_bounded() -> None:
    seen = Seen(limit=100)
    changes = [seen.change(str(key), 1, written=7, after=0, told=None) for key in (*range(1000), 999, 0)]
    assert (changes[-2], changes[-1]) == (None, "new")
    assert len(seen._versions) == 100


@pytest.mark.parametrize("text", ["fumée", "\U0001f525 \\\\ud83d", "é" * 70_000 + "a\U0001f525", "\ufffd\x80", ""])
def test_what_facebook_escapes(text: str) -> None:
    body = json.dumps({"message": text}, ensure_ascii=False).encode()
    assert escaped(body) == json.dumps({"message": text}).encode()


def test_what_was_heard_is_bounded(clock: ManualClock) -> None:
    memory = Memory(limit=100)
    posts = [
        Post(source="x", id=str(number), posted_at=clock.now(), received_at=clock.now(), author_id="", text="")
        for number in range(1000)
    ]
    for post in posts:
        memory.note(post)
    assert len(memory._heard) == 100
    assert memory.mark("999") == mark_of(posts[-1])
    assert memory.mark("0") is None


async def test_bad_pieces_are_set_aside_once(make: Make, graph: Any) -> None:
    graph.raw = {"501_901": {"id": "501_901", "created_time": "hier", "from": ANNE}, f"{PAGE}_503": ["Anne"]}
    readings = await take(make(), polls=3)
    bad = [reading.post for reading in readings if isinstance(reading.post, MalformedRecord)]
    assert sorted((error.reason, error.value) for error in bad) == [
        ("invalid", b'{"created_time":"hier"}'),
        ("invalid", b"{}"),
    ]
    assert len(posts_in(readings)) == 7


async def test_an_answer_that_is_none_is_counted_and_asked_for_again(make: Make, graph: Any) -> None:
    graph.garbled = 1
    readings: list[Reading] = []
    with pytest.raises(SourceUnavailable) as caught:
        await read_into(readings, make())
    assert [type(reading.post) for reading in readings] == [MalformedRecord]
    assert b"Jean" not in getattr(readings[0].post, "value", b"")
    assert readings[0].cursor == ""
    assert caught.value.retry_after_secs == 300
    assert len(posts_in(await take(make()))) == 9


async def read_into(readings: list[Reading], source: FacebookPage) -> None:
    """Keep what is read until it cannot be read any more."""
    async with aclosing(source.read(None)) as found:
        async for reading in found:
            readings += [reading]


def test_what_a_refusal_means(server: ModuleType, clock: ManualClock) -> None:
    minutes = {"x-business-use-case-usage": server.usage(PAGE, 19)}
    app = {"x-app-usage": '{"call_count":100,"total_time":25,"total_cputime":25}'}
    cases: list[tuple[int, int, dict[str, str], str, float | None]] = [
        (400, 190, {}, "expired", 600),
        (401, 102, {}, "expired", 600),
        (403, 4, app, "too often", 600),
        (400, 17, minutes, "too often", 19 * 60),
        (403, 32, minutes, "too often", 19 * 60),
        (400, 613, {"retry-after": "7"}, "too often", 7),
        (400, 80001, {"x-business-use-case-usage": "nonsense"}, "too often", 600),
        (403, 10, {}, "permission", 600),
        (403, 200, {}, "permission", 600),
        (400, 100, {}, "no such Page", 600),
        (500, 2, {}, "refused", None),
        (400, 2635, {}, "refused", None),
    ]
    for status, code, headers, words, seconds in cases:
        _, _, body = server.refused(status, code, "The user Anne Exemple did it", subcode=463)
        error = refusal_from(status, headers, body, now=clock.now())
        assert words in str(error), code
        assert error.retry_after_secs == seconds, code
        assert f"{code}/463, trace AbCdEfGhIjK" in str(error)
        assert "Anne" not in str(error)
    assert "status 502" in str(refusal_from(502, {"retry-after": "x"}, b"<html>", now=clock.now()))


async def test_facebook_says_how_long_and_the_runner_waits(
    make: Make, graph: Any, server: ModuleType, broker: Any, witness: Any, clock: ManualClock, until: Any
) -> None:
    limit = server.refused(403, 32, "Page request limit reached", X_Business_Use_Case_Usage=server.usage(PAGE, 5))
    graph.refusals = [limit, server.refused(500, 2, "Service temporarily unavailable")]
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    await reading_by(make(), 11, broker, witness, clock, until, sleep=sleep)
    assert waited == [300.0, 0.0]
    assert len(witness.failures) == 2


async def reading_by(
    source: FacebookPage, values: int, broker: Any, witness: Any, clock: ManualClock, until: Any, **more: Any
) -> None:
    """Run a source until so many values were counted."""
    told: dict[str, Any] = {"cursors": ForgetfulCursors(), "pace": QUICK} | more
    running = run(source, gate=lambda _: True, publisher=broker, observer=witness, clock=clock, **told)
    task = asyncio.create_task(running)
    await until(lambda: witness.outcomes.total() >= values)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_a_wrong_token_or_page_says_what_to_do(make: Make, graph: Any) -> None:
    with pytest.raises(SourceUnavailable, match="make a new one"):
        await take(make(token="other"))
    with pytest.raises(SourceUnavailable, match="no such Page"):
        await take(make(page_id="1000000000009"))
    with pytest.raises(SourceUnavailable, match="code 2635"):
        await take(make(base_url=graph.url.replace("v27.0", "v3.0")))


async def test_the_proof_that_an_app_may_ask_for(make: Make, graph: Any) -> None:
    graph.app_secret = SECRET
    with pytest.raises(SourceUnavailable):
        await take(make())
    assert len(posts_in(await take(make(app_secret=SECRET)))) == 9


async def test_nobody_there_is_unavailable(make: Make) -> None:
    with pytest.raises(SourceUnavailable, match="no answer"):
        await take(make(base_url="http://127.0.0.1:9/v27.0"))


async def test_an_answer_without_end_is_cut(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facebook_graph, "MAX_ANSWER_BYTES", 1000)
    with pytest.raises(SourceUnavailable, match="more than 1000 bytes"):
        await take(make())


async def test_a_listing_without_end_is_a_gap(
    make: Make, graph: Any, witness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facebook_graph, "MAX_PAGES", 3)
    graph.page_size = 1
    assert 0 < len(await take(make())) < 11
    assert witness.gaps
    assert min(witness.gaps) > 0


async def test_what_is_too_long_ago_is_a_gap_told_once(make: Make, clock: ManualClock, witness: Any) -> None:
    now = int(clock.now().timestamp())
    eight_days = now - 8 * 86_400
    readings = await take(make(), polls=4, after=f"{eight_days} {eight_days}")  # one of them is a private comment
    assert witness.gaps == [86_400]
    assert len(posts_in(readings)) == 9


async def test_a_time_in_the_future_does_not_move_the_cursor_there(
    make: Make, graph: Any, server: ModuleType, clock: ManualClock
) -> None:
    now = clock.now().timestamp()
    graph.posts[0]["created_time"] = server.time_of(now + 86_400)
    readings = await take(make())
    assert len(posts_in(readings)) == 9
    assert position_from(readings[-1].cursor) == Position(int(now), int(now))


async def test_a_quiet_page_is_no_gap(make: Make, graph: Any, clock: ManualClock, witness: Any) -> None:
    now = int(clock.now().timestamp())
    graph.posts.clear()
    await take(make(), polls=2, after=f"{now - 30 * 86_400} {now - 300}")
    assert witness.gaps == []


@pytest.mark.parametrize("cursor", [None, "", "x", "7", "7 x", "-1 2", "²  3"])
async def test_a_cursor_that_is_none_begins_a_day_ago(cursor: str | None, make: Make, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=12))
    assert len(posts_in(await take(make(), after=cursor))) == 8, "the post of the day before is too old"


class Kept:
    """Cursors that outlive a run."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.all: list[str] = []

    def load(self, _: str) -> str | None:
        return self.cursor

    def save(self, _: str, cursor: str) -> None:
        self.cursor = cursor
        self.all.append(cursor)


@pytest.mark.parametrize("seed", range(3))
async def test_killed_and_torn_at_random_nothing_is_missing(
    seed: int,
    make: Make,
    graph: Any,
    server: ModuleType,
    broker: Any,
    witness: Any,
    clock: ManualClock,
    until: Any,
) -> None:
    chance = random.Random(seed)  # noqa: S311
    now = clock.now().timestamp()
    graph.posts.clear()
    graph.comments.clear()
    graph.page_size = 10
    cursors, expected = Kept(), set()
    for run_number in range(6):
        now = clock.now().timestamp()
        for number in range(12):
            at = server.time_of(now - chance.randrange(240))
            post_id = f"{PAGE}_{run_number}{number:03}"
            graph.posts.append(
                {"id": post_id, "message": post_id, "created_time": at, "updated_time": at, "from": TOWN}
            )
            graph.comments[post_id] = [
                {"id": f"{post_id}_{below}", "message": f"{post_id}/{below}", "created_time": at, "from": ANNE}
                for below in range(4)
            ]
            expected |= {post_id, *(f"{post_id}/{below}" for below in range(4))}
        made = len(graph.requests)
        graph.abort_after = {made + chance.randrange(1, 40) for _ in range(3)}
        enough = witness.outcomes.total() + chance.randrange(5, 70)
        await reading_by(make(), enough, broker, witness, clock, until, cursors=cursors)
        clock.advance(timedelta(minutes=chance.randrange(1, 30)))
    graph.abort_after = set()
    source = make()
    task = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=cursors,
            observer=witness,
            clock=clock,
            pace=QUICK,
        )
    )
    await until(lambda: {post.text for post in broker.kept} == expected)
    task.cancel()
    await asyncio.wait({task})
    assert len(expected) == 360
    assert witness.failures, "nothing was torn"
    places = [position_from(cursor) for cursor in cursors.all]
    assert places == sorted(places, key=lambda place: (place.newest, place.asked))


async def test_the_demo_speaks(
    server: ModuleType, pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any, until: Any
) -> None:
    probe = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    task = asyncio.create_task(server.serve_demo(port))
    source = FacebookPage(
        page_id=PAGE,
        token="demo",
        pseudonyms=pseudonyms,
        clock=clock,
        observer=witness,
        base_url=f"http://127.0.0.1:{port}/v27.0",
        look_back_days=365,
        start_hours=24 * 365,
    )
    posts: list[Post] = []

    async def ask() -> None:
        while len(posts) < 2:
            try:
                posts.extend(posts_in(await take(source)))
            except SourceUnavailable:
                await asyncio.sleep(0.01)

    async with asyncio.timeout(5):
        await ask()
    task.cancel()
    await asyncio.wait({task})
    assert {post.kind for post in posts} == {"post", "comment"}
