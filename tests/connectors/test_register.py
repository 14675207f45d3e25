"""The register: a known account's posts bear its kind, from every source, under every key, and no name leaves."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms, Pseudonyms, RotatingPseudonyms
from connectors.register import Account, Recognising, Register
from connectors.runner import Pace, run
from connectors.sources.webhook import Sender, webhook_app
from records import ManualClock, Post
from records.post import AuthorKind

ACCOUNTS = {
    "bluesky": Account("bluesky", "did:plc:alicealicealicealice2345", "official"),
    "mastodon": Account("mastodon", "https://bassin.example/@lou_tisserand", "official"),
    "recorded": Account("twitter", "@jean_dupont", "operator"),
}
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)


@pytest.fixture
def names(tmp_path: Path, clock: ManualClock) -> RotatingPseudonyms:
    return RotatingPseudonyms(tmp_path / "keys" / "pseudonyms.json", clock)


def post_by(author_id: str, clock: ManualClock, kind: AuthorKind = "unknown") -> Post:
    now = clock.now()
    return Post(source="s", id="1", posted_at=now, received_at=now, author_id=author_id, text="", author_kind=kind)


@pytest.mark.parametrize("name", ["bluesky", "mastodon", "recorded"])
async def test_a_registered_accounts_post_arrives_with_its_kind_whatever_the_source(
    name: str,
    names: RotatingPseudonyms,
    load: Callable[[str], ModuleType],
    corpus: Path,
    tmp_path: Path,
    clock: ManualClock,
    witness: Any,
    broker: Any,
    until: Any,
) -> None:
    account = ACCOUNTS[name]
    tools = SimpleNamespace(
        corpus=corpus,
        folder=tmp_path,
        clock=clock,
        witness=witness,
        pseudonyms=names,
        server=lambda server: load(f"servers/{server}.py"),
    )
    async with load(f"conformance/{name}.py").subject(tools, is_damaged=False) as (source, frames):
        task = asyncio.create_task(
            run(
                source,
                gate=lambda _: True,
                publisher=Recognising(broker, Register(list(ACCOUNTS.values()), names)),
                cursors=ForgetfulCursors(),
                observer=witness,
                clock=clock,
                pace=QUICK,
            )
        )
        await until(lambda: witness.outcomes.total() >= frames)
        task.cancel()
        await asyncio.wait({task})
    theirs = [post for post in broker.kept if post.author_id == names.author(account.platform, account.native_id)]
    assert theirs
    assert {post.author_kind for post in theirs} == {account.kind}
    assert {post.author_kind for post in broker.kept if post not in theirs} <= {"unknown", "bot", "person"}


async def test_a_webhooks_posts_too(pseudonyms: FixedPseudonyms, clock: ManualClock, witness: Any, broker: Any) -> None:
    accounts = [Account("watch", "prefecture", "official"), Account("forum", "prefecture", "press")]
    app = webhook_app(
        {"watch": Sender(token="t")},
        gate=lambda _: True,
        publisher=Recognising(broker, Register(accounts, pseudonyms)),
        observer=witness,
        clock=clock,
        pseudonyms=pseudonyms,
    )
    told = [
        {"id": "1", "author": "prefecture", "ts": "2026-11-22T06:59:00Z", "text": "fumée"},
        {"id": "2", "author": "prefecture", "ts": "2026-11-22T06:59:00Z", "text": "fumée", "platform": "forum"},
        {"id": "3", "author": "eve", "ts": "2026-11-22T06:59:00Z", "text": "fumée"},
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vigie") as client:
        answer = await client.post(
            "/ingest/watch", content=json.dumps(told).encode(), headers={"authorization": "Bearer t"}
        )
    assert answer.status_code == 202
    assert [post.author_kind for post in broker.kept] == ["official", "press", "unknown"]
    assert b"prefecture" not in broker.all_bytes()


def test_an_account_is_known_before_and_after_the_keys_change(names: RotatingPseudonyms, clock: ManualClock) -> None:
    account = ACCOUNTS["bluesky"]
    register = Register([account], names)
    kinds, pseudonyms = [], set()
    for _ in range(4):
        pseudonyms.add(author_id := names.author(account.platform, account.native_id))
        kinds += [post.author_kind for post in register.recognised([post_by(author_id, clock)])]
        clock.advance(timedelta(days=30))
    assert kinds == ["official"] * 4
    assert len(pseudonyms) == 4


def test_a_post_that_was_read_as_the_keys_changed_is_known(names: RotatingPseudonyms, clock: ManualClock) -> None:
    account = ACCOUNTS["bluesky"]
    register = Register([account], names)
    under_the_old_key = post_by(names.author(account.platform, account.native_id), clock)
    clock.advance(timedelta(days=30))
    assert [post.author_kind for post in register.recognised([under_the_old_key])] == ["official"]


@pytest.mark.parametrize(
    ("said", "registered", "becomes"),
    [
        ("unknown", "press", "press"),
        ("person", "operator", "operator"),
        ("bot", "official", "official"),
        ("press", "official", "official"),
        ("press", "operator", "operator"),
        ("official", "press", "official"),
        ("official", "operator", "official"),
        ("operator", "press", "operator"),
    ],
)
def test_nobody_is_taken_for_less_than_the_source_says(
    said: AuthorKind, registered: AuthorKind, becomes: str, pseudonyms: Pseudonyms, clock: ManualClock
) -> None:
    register = Register([Account("x", "1", registered)], pseudonyms)
    [post] = register.recognised([post_by(pseudonyms.author("x", "1"), clock, said)])
    assert post.author_kind == becomes


def test_who_objects_and_who_is_not_named_are_never_taken_for_an_authority(
    names: RotatingPseudonyms, clock: ManualClock
) -> None:
    account = ACCOUNTS["mastodon"]
    names.object(account.platform, account.native_id)
    register = Register([account], names)
    posts = [post_by(names.author(account.platform, account.native_id), clock), post_by("", clock)]
    assert [post.author_kind for post in register.recognised(posts)] == ["unknown", "unknown"]


def test_another_platforms_account_of_the_same_name_is_a_stranger(pseudonyms: Pseudonyms, clock: ManualClock) -> None:
    register = Register([Account("x", "1", "official")], pseudonyms)
    [post] = register.recognised([post_by(pseudonyms.author("facebook", "1"), clock)])
    assert post.author_kind == "unknown"
