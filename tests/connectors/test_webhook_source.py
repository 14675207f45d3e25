"""The webhook that takes posts in: who may send, what is refused and why, and nothing lost between."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette

from connectors.pseudonym import FixedPseudonyms
from connectors.sources.mapping import mapping_from
from connectors.sources.notices import Site, Sites
from connectors.sources.webhook import Limits, Sender, webhook_app
from records import ManualClock, SettingsError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENDERS = {
    "watch": Sender(secret=SECRET, is_trusted=True),
    "vendor": Sender(secret=SECRET),
    "page": Sender(hub_secret="hub"),
    "form": Sender(token="secret-token"),
    "citizens": Sender(token="secret-token", mapping=mapping_from("citizen_reports")),
    "mentions": Sender(token="secret-token", mapping=mapping_from("vendor_mentions"), is_trusted=True),
    "operators": Sender(
        token="secret-token",
        mapping=mapping_from("operator_notices"),
        sites=Sites(known={"Raffinerie d’essai": Site(lat=49.5, lon=0.2, insee="76305")}),
    ),
}
TOKEN = {"authorization": "Bearer secret-token"}
POST = {"id": "1", "author": "@eve_secret", "ts": "2026-11-22T06:59:00Z", "text": "fumée noire"}
BODY = json.dumps(POST).encode()


def signed(
    body: bytes, clock: ManualClock, *, request_id: str = "m1", age: float = 0, secret: str = SECRET
) -> dict[str, str]:
    sent_at = clock.now() - timedelta(seconds=age)
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(request_id, sent_at, body.decode("utf-8", "replace")),
    }


def hub_signed(body: bytes, key: bytes = b"hub") -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()}


@pytest.fixture
def app(broker: Any, witness: Any, clock: ManualClock) -> Starlette:
    return app_of(broker, witness, clock)


def app_of(broker: Any, witness: Any, clock: ManualClock, **limits: Any) -> Starlette:
    return webhook_app(
        SENDERS,
        gate=lambda text: "fumée" in text,
        publisher=broker,
        observer=witness,
        clock=clock,
        pseudonyms=FixedPseudonyms(b"test"),
        limits=Limits(**limits),
    )


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vigie")


async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(
    broker: Any, witness: Any, clock: ManualClock
) -> None:
    async def begun() -> AsyncIterator[bytes]:
        yield BODY[:10]
        await asyncio.Event().wait()

    async with client_of(app_of(broker, witness, clock, body_secs=0.05)) as client, asyncio.timeout(60):
        answer = await client.post("/ingest/form", content=begun(), headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]) == (400, "cut_off")
    assert witness.reasons == {"cut_off": 1}


async def test_a_signed_post_is_kept(client: httpx.AsyncClient, clock: ManualClock, broker: Any, witness: Any) -> None:
    answer = await client.post("/ingest/watch", content=BODY, headers=signed(BODY, clock))
    assert (answer.status_code, answer.json()) == (202, {"kept": 1, "gated": 0, "refused": []})
    (kept,) = broker.kept
    assert (kept.source, kept.id, kept.is_trusted, kept.received_at) == ("watch", "1", True, clock.now())
    assert b"eve_secret" not in broker.all_bytes()
    assert witness.outcomes == {"kept": 1}


Headers = Callable[[ManualClock], dict[str, str]]
STANDARD_BAD: list[tuple[str, bytes, Headers, int, str]] = [
    ("no signature", BODY, lambda _: {}, 401, "unsigned"),
    ("no id", BODY, lambda c: signed(BODY, c) | {"webhook-id": ""}, 401, "unsigned"),
    ("no time", BODY, lambda c: signed(BODY, c) | {"webhook-timestamp": ""}, 401, "unsigned"),
    ("time of letters", BODY, lambda c: signed(BODY, c) | {"webhook-timestamp": "now"}, 401, "unsigned"),
    ("time past all", BODY, lambda c: signed(BODY, c) | {"webhook-timestamp": "9" * 30}, 401, "unsigned"),
    ("body tampered", BODY + b" ", lambda c: signed(BODY, c), 401, "tampered"),
    ("id tampered", BODY, lambda c: signed(BODY, c) | {"webhook-id": "m2"}, 401, "tampered"),
    ("time tampered", BODY, lambda c: signed(BODY, c) | {"webhook-timestamp": "1795330801"}, 401, "tampered"),
    ("another secret", BODY, lambda c: signed(BODY, c, secret="whsec_AAAA"), 401, "tampered"),
    ("no version", BODY, lambda c: signed(BODY, c) | {"webhook-signature": "nonsense"}, 401, "tampered"),
    ("no base64", BODY, lambda c: signed(BODY, c) | {"webhook-signature": "v1,é%%"}, 401, "tampered"),
    ("stale", BODY, lambda c: signed(BODY, c, age=301), 401, "stale"),
    ("from the future", BODY, lambda c: signed(BODY, c, age=-301), 401, "stale"),
    ("not JSON", b"{", lambda c: signed(b"{", c), 400, "not_json"),
    ("not UTF-8", b'"\xff"', lambda c: signed(b'"\xff"', c), 400, "not_json"),
    ("nothing", b"", lambda c: signed(b"", c), 400, "not_json"),
    ("an empty list", b"[]", lambda c: signed(b"[]", c), 422, "empty"),
    ("a number", b"7", lambda c: signed(b"7", c), 422, "invalid"),
    ("no text", b'{"id":"1"}', lambda c: signed(b'{"id":"1"}', c), 422, "invalid"),
    ("only bad ones", b"[7,8]", lambda c: signed(b"[7,8]", c), 422, "invalid"),
    ("depth", b"[" * 100_000, lambda c: signed(b"[" * 100_000, c), 400, "not_json"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"), [case[1:] for case in STANDARD_BAD], ids=[case[0] for case in STANDARD_BAD]
)
async def test_what_is_refused_and_why(
    body: bytes,
    headers: Headers,
    status: int,
    reason: str,
    client: httpx.AsyncClient,
    clock: ManualClock,
    broker: Any,
    witness: Any,
) -> None:
    found = {name.encode(): value.encode() for name, value in headers(clock).items()}
    answer = await client.post("/ingest/vendor", content=body, headers=found)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert broker.kept == []
    assert broker.letters == []
    assert set(witness.reasons) == {reason}


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        pytest.param("page", hub_signed(BODY), 202, id="hub"),
        pytest.param("page", hub_signed(BODY, b"other"), 401, id="hub, another key"),
        pytest.param("page", {"x-hub-signature-256": ""}, 401, id="hub, empty"),
        pytest.param("page", {"authorization": "Bearer secret-token"}, 401, id="hub, but a token"),
        pytest.param("form", {"authorization": "Bearer secret-token"}, 202, id="token"),
        pytest.param("form", {"authorization": "Bearer wrong"}, 401, id="wrong token"),
        pytest.param("form", hub_signed(BODY, b""), 401, id="token, but an empty hub key"),
        pytest.param("nobody", {"authorization": "Bearer secret-token"}, 404, id="unknown source"),
    ],
)
async def test_other_ways_to_sign(source: str, headers: dict[str, str], status: int, client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/ingest/{source}", content=BODY, headers=headers)).status_code == status


async def test_a_replay_is_refused_for_as_long_as_it_would_pass(
    client: httpx.AsyncClient, clock: ManualClock, broker: Any
) -> None:
    headers = signed(BODY, clock, age=-299)
    assert (await client.post("/ingest/watch", content=BODY, headers=headers)).status_code == 202
    for _ in range(20):
        answer = await client.post("/ingest/watch", content=BODY, headers=headers)
        assert answer.json()["error"] in {"replayed", "stale"}
        clock.advance(timedelta(seconds=40))
    assert len(broker.kept) == 1


async def test_a_broker_that_fails_means_send_again(
    client: httpx.AsyncClient, clock: ManualClock, broker: Any, witness: Any
) -> None:
    broker.fails_with = ConnectionError("no broker")
    answer = await client.post("/ingest/watch", content=BODY, headers=signed(BODY, clock))
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "not_taken", "1")
    broker.fails_with = None
    assert (await client.post("/ingest/watch", content=BODY, headers=signed(BODY, clock))).status_code == 202
    assert witness.outcomes == {"refused": 1, "kept": 1}


async def test_answers_only_after_the_broker(client: httpx.AsyncClient, clock: ManualClock, broker: Any) -> None:
    may_go = asyncio.Event()
    given = broker.posts

    async def slow(posts: Any) -> None:
        await may_go.wait()
        await given(posts)

    broker.posts = slow
    first = asyncio.create_task(client.post("/ingest/watch", content=BODY, headers=signed(BODY, clock)))
    await asyncio.sleep(0.02)
    assert not first.done()
    again = await client.post("/ingest/watch", content=BODY, headers=signed(BODY, clock))
    assert (again.status_code, again.json()["error"]) == (503, "in_progress")
    may_go.set()
    assert (await first).status_code == 202


async def test_of_a_list_the_good_are_kept_and_the_bad_set_aside(
    client: httpx.AsyncClient, clock: ManualClock, broker: Any, witness: Any
) -> None:
    body = json.dumps([POST, POST | {"id": "2", "text": "rien"}, POST | {"ts": "hier"}, 7]).encode()
    answer = await client.post("/ingest/vendor", content=body, headers=signed(body, clock))
    assert answer.status_code == 202
    assert [(item["index"], item["reason"]) for item in answer.json()["refused"]] == [(2, "invalid"), (3, "invalid")]
    assert witness.outcomes == {"kept": 1, "gated": 1, "refused": 2}
    assert len(broker.letters) == 2
    assert b"eve_secret" not in broker.all_bytes()


async def test_limits(broker: Any, witness: Any, clock: ManualClock) -> None:
    async with client_of(app_of(broker, witness, clock, body_bytes=1000, batch_posts=3)) as client:
        long = b"[" + b"1," * 1000 + b"1]"
        answers = [
            await client.post("/ingest/watch", content=body, headers=signed(body, clock))
            for body in (long, b"[1,2,3,4]")
        ]

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * 100

        answers.append(await client.post("/ingest/watch", content=parts()))
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (413, "too_large"),
        (413, "too_many"),
        (413, "too_large"),
    ]


async def test_other_addresses_are_answered_in_json(client: httpx.AsyncClient, witness: Any) -> None:
    for answer in (await client.get("/ingest/watch"), await client.post("/elsewhere")):
        assert answer.status_code in {404, 405}
        assert answer.json() == {"error": "not_found"}
    assert witness.outcomes == {"refused": 2}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
def test_a_sender_needs_a_good_secret(secret: str) -> None:
    with pytest.raises(SettingsError):
        Sender(secret=secret)


async def test_a_hundred_thousand_malformed_values_add_up(broker: Any, witness: Any, clock: ManualClock) -> None:
    app = app_of(broker, witness, clock)
    bad = [
        b'{"id":"x"}',
        b"7",
        b'{"id":"1","ts":"hier","text":"x"}',
        b'{"id":"","ts":"2026-11-22T06:59:00Z","text":"x"}',
    ]
    refused = 0
    async with client_of(app) as client:
        for number in range(100):
            values = [bad[index % 4] for index in range(1000)]
            if number % 2:
                values[500] = json.dumps(POST | {"id": str(number)}).encode()
            body = b"[" + b",".join(values) + b"]"
            answer = await client.post(
                "/ingest/vendor", content=body, headers=signed(body, clock, request_id=str(number))
            )
            refused += answer.json()["values"] if answer.status_code == 422 else len(answer.json()["refused"])
    async with app.router.lifespan_context(app):
        pass
    assert refused == witness.outcomes["refused"] == 99_950
    assert witness.outcomes["kept"] == len(broker.kept) == 50
    assert len(broker.letters) == 50 * 999
    assert broker.pulse_sums() == witness.outcomes


REPORT = {
    "id": 12,
    "type": "panache",
    "intensite": "4",
    "commune": {"nom": "Harfleur", "code_insee": "76341"},
    "commentaire": "fumée jaune",
    "position": {"lat": "49,50", "lon": "0,20"},
    "date_observation": "2026-11-22T07:58:00",
    "declarant": {"id": "d-9", "nom": "eve_secret", "courriel": "eve_secret@example.org"},
}


async def test_reports_of_citizens_become_posts(client: httpx.AsyncClient, broker: Any, witness: Any) -> None:
    body = {"signalements": [REPORT, REPORT | {"id": 13, "date_observation": "hier"}, 7]}
    answer = await client.post("/ingest/citizens", json=body, headers=TOKEN)
    assert answer.status_code == 202
    assert [(item["index"], item["reason"]) for item in answer.json()["refused"]] == [(1, "invalid"), (2, "invalid")]
    (post,) = broker.kept
    assert post.text == "Fumée, panache forte à Harfleur : fumée jaune"
    assert (post.key, post.geo.lat, post.geo.lon) == ("citizen_reports:12", 49.5, 0.2)
    assert post.posted_at.isoformat() == "2026-11-22T06:58:00+00:00"
    assert post.author_id == FixedPseudonyms(b"test").author("citizen_reports", "d-9")
    assert b"eve_secret" not in broker.all_bytes()
    assert b"d-9" not in broker.all_bytes()


async def test_mentions_of_a_vendor_become_posts(client: httpx.AsyncClient, broker: Any) -> None:
    mention = {
        "guid": "9",
        "date": "2026-11-22T06:58:00.000+0000",
        "fullText": "fumée noire au Havre",
        "author": "eve_secret",
        "fullname": "eve_secret",
        "contentSource": "news",
        "language": "fr",
        "url": "https://press.example.org/9",
    }
    answer = await client.post("/ingest/mentions", json={"results": [mention]}, headers=TOKEN)
    assert answer.json() == {"kept": 1, "gated": 0, "refused": []}
    (post,) = broker.kept
    assert (post.kind, post.author_kind, post.platform, post.is_trusted) == ("article", "press", "news", True)
    assert b"eve_secret" not in broker.all_bytes()


NOTICE = {
    "numero": "n-1",
    "site": {"nom": "Raffinerie d’Essai"},
    "nature": "Torchage",
    "debut": "2026-11-22T08:00:00",
    "fin_prevue": "2026-11-22T12:00:00",
    "message": "Torche visible",
    "contact": {"nom": "eve_secret", "telephone": "02 35 99 99 01"},
}


async def test_notices_of_operators_become_bulletins(client: httpx.AsyncClient, broker: Any, witness: Any) -> None:
    body = {"communications": [NOTICE, NOTICE | {"nature": "fête"}]}
    answer = await client.post("/ingest/operators", json=body, headers=TOKEN)
    assert (answer.status_code, answer.json()["kept"]) == (202, 1)
    assert [(item["index"], item["reason"]) for item in answer.json()["refused"]] == [(1, "invalid")]
    (bulletin,) = broker.stated
    assert (bulletin.source, bulletin.kind, bulletin.area, bulletin.place.lat) == (
        "operators",
        "operator_notice",
        "76",
        49.5,
    )
    assert broker.kept == []
    assert witness.outcomes == {"kept": 1, "refused": 1}
    assert b"eve_secret" not in broker.all_bytes()
    assert b"99 99 01" not in broker.all_bytes()


async def test_a_notice_is_taken_only_once_the_broker_has_it(client: httpx.AsyncClient, broker: Any) -> None:
    broker.fails_with = ConnectionError("no broker")
    body = {"communications": [NOTICE]}
    answer = await client.post("/ingest/operators", json=body, headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]) == (503, "not_taken")
    broker.fails_with = None
    assert (await client.post("/ingest/operators", json=body, headers=TOKEN)).status_code == 202
    assert len(broker.stated) == 1


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "not_json"),
        (b'{"signalements":7}', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"signalements":[]}', 422, "empty"),
        (b'{"signalements":[{}]}', 422, "invalid"),
        (b'{"signalements":[' + b"1," * 1000 + b"1]}", 413, "too_many"),
        (b'{"signalements":[{"id":' + b"9" * 5000 + b"}]}", 400, "not_json"),
    ],
)
async def test_what_a_mapping_cannot_read_is_refused(
    body: bytes, status: int, reason: str, client: httpx.AsyncClient, broker: Any
) -> None:
    answer = await client.post("/ingest/citizens", content=body, headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert broker.kept == []
    assert broker.letters == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.one_of(st.binary(max_size=30), st.just(BODY), st.sampled_from([b"{}", b"null", b'"x"'])), max_size=5
    )
)
async def test_whatever_comes_is_answered(values: list[bytes], broker: Any, witness: Any, clock: ManualClock) -> None:
    body = b"[" + b",".join(values) + b"]"
    async with client_of(app_of(broker, witness, clock)) as client:
        answer = await client.post("/ingest/page", content=body, headers=hub_signed(body))
    assert answer.status_code in {202, 400, 422}
    assert msgspec.json.decode(answer.content)
