"""A deletion reaches what was made of a post, through broker and worker: no later revision shows its words."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from records import Alert, ManualClock, Post, SystemClock
from streams.taking_back import TakenBack
from vigie.pipeline import Pipeline
from vigie.replay import settings_for
from vigie.solidarity import claims_of
from vigie.sweeping import swept

pytestmark = pytest.mark.broker

MORNING = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
FIRST = "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"
SECOND = "Incendie au Havre, une fumée noire monte derrière la gare, les pompiers arrivent"
EDITED = "Le Havre : ce n'est rien, un exercice des pompiers, désolé"


def post(number: int, text: str) -> Post:
    at = MORNING + timedelta(minutes=number)
    return Post(
        source="stub",
        id=f"p{number}",
        author_id=f"pseudonym{number}",
        posted_at=at,
        received_at=at,
        text=text,
        lang="fr",
        url=f"https://example.org/p{number}",
    )


async def told(folder: Path, last: Post) -> list[Alert]:
    """Return all revisions of two posts and what is said of the first one last."""
    settings = settings_for(home="76351", profile="", local_places=None, paths=[folder / "nothing.jsonl"])
    async with Pipeline(settings, partitions=4) as pipeline:
        await pipeline.posts([post(0, FIRST), post(5, SECOND)])
        await pipeline.drained()
        await pipeline.posts([last])
        return await pipeline.alerts()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"verb": "delete", "text": "", "url": None}, id="deleted"),
        pytest.param({"verb": "update", "text": EDITED}, id="edited"),
        pytest.param({"verb": "purge", "text": "", "id": "author:pseudonym0", "url": None}, id="author gone"),
    ],
)
def test_what_was_taken_back_is_in_no_later_revision_and_the_rest_stays(
    changes: dict[str, object], tmp_path: Path
) -> None:
    last = replace(post(0, FIRST), received_at=MORNING + timedelta(minutes=10), **changes)
    alerts = asyncio.run(told(tmp_path, last))
    shown = [{item.text for item in alert.evidence} for alert in alerts]
    assert any(FIRST in texts for texts in shown[:-1])
    (gone,) = [item for item in alerts[-1].evidence if item.post_key == "stub:p0"]
    assert (gone.text, gone.url, gone.author_id, gone.is_removed) == ("", None, "removed", True)
    assert shown[-1] == {"", SECOND}
    assert alerts[-1].authors == 2


def test_a_post_deleted_in_the_batch_that_brought_it_leaves_nothing(tmp_path: Path) -> None:
    async def told_at_once() -> list[Alert]:
        settings = settings_for(home="76351", profile="", local_places=None, paths=[tmp_path / "nothing.jsonl"])
        async with Pipeline(settings, partitions=4) as pipeline:
            first = post(0, FIRST)
            await pipeline.posts([first, replace(first, verb="delete", text="", url=None), post(5, SECOND)])
            return await pipeline.alerts()

    last = asyncio.run(told_at_once())[-1]
    shown = {item.text for item in last.evidence}
    assert SECOND in shown
    assert shown <= {"", SECOND}, "whether the batch was one or two"


def test_what_is_taken_back_when_the_detectors_have_long_forgotten_it_is_taken_back_by_the_sweep(
    tmp_path: Path,
) -> None:
    async def story() -> tuple[list[Alert], list[Alert]]:
        settings = settings_for(home="76351", profile="", local_places=None, paths=[tmp_path / "nothing.jsonl"])
        async with Pipeline(settings, partitions=4) as pipeline:
            await pipeline.posts([post(0, FIRST), post(5, SECOND)])
            for alert in await pipeline.alerts():
                await pipeline.pass_time([f"{alert.hazard}/{alert.area}"], MORNING + timedelta(days=4))
            await pipeline.drained()
            gone = replace(post(0, FIRST), verb="purge", text="", id="author:pseudonym0", url=None)
            await pipeline.posts([gone])
            before = await pipeline.alerts()
            later = ManualClock(SystemClock().now() + timedelta(hours=2))
            done = await swept(pipeline.streams, pipeline.publisher, later)
            assert (done.taken_back, done.topics) == (
                TakenBack(posts=1, alerts=len({a.incident_id for a in before})),
                [],
            )
            pipeline.published += done.taken_back.posts
            pipeline.ticks += done.taken_back.alerts  # values on the same topic
            return before, await pipeline.alerts()

    before, after = asyncio.run(story())
    assert FIRST in {item.text for alert in before[-1:] for item in alert.evidence}, "they had forgotten it"
    newest = {alert.incident_id: alert for alert in sorted(after, key=lambda alert: alert.revision)}
    assert newest
    assert all(FIRST not in {item.text for item in alert.evidence} for alert in newest.values())


NEED = "Le Havre : besoin de couvertures, et d'un hébergement pour 4 personnes évacuées"
OFFER = "Je peux héberger deux personnes au Havre après l'incendie"


def asked(post_id: str = "p0") -> set[str]:
    return {f"stub:{post_id}/need/shelter", f"stub:{post_id}/need/clothes"}


async def claimed(folder: Path, last: Post | None) -> tuple[set[str], set[str]]:
    """Return what two posts claim: before the first one's last word, and after it and a sweep."""
    settings = settings_for(home="76351", profile="", local_places=None, paths=[folder / "nothing.jsonl"])
    async with Pipeline(settings, partitions=4) as pipeline:
        await pipeline.posts([post(0, NEED), post(1, OFFER)])
        await pipeline.drained()
        before = {claim.key for claim in await claims_of(pipeline.streams)}
        await pipeline.posts([last] if last else [])
        await pipeline.drained()
        done = await swept(pipeline.streams, pipeline.publisher, ManualClock(SystemClock().now() + timedelta(hours=2)))
        pipeline.published += done.taken_back.posts
        pipeline.ticks += done.taken_back.alerts
        await pipeline.drained()
        return before, {claim.key for claim in await claims_of(pipeline.streams)}


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param({"verb": "delete", "text": "", "url": None}, set(), id="deleted"),
        pytest.param({"verb": "update", "text": EDITED}, set(), id="edited"),
        pytest.param(
            {"verb": "update", "text": NEED.replace("de couvertures, et ", "")},
            {"stub:p0/need/shelter"},
            id="edited in part",
        ),
        pytest.param({"verb": "purge", "text": "", "id": "author:pseudonym0", "url": None}, set(), id="author gone"),
        pytest.param({"received_at": MORNING}, asked(), id="told again"),
    ],
)
def test_what_a_post_claimed_goes_with_it_and_the_rest_stays(
    changes: dict[str, object], left: set[str], tmp_path: Path
) -> None:
    last = replace(post(0, NEED), **{"received_at": MORNING + timedelta(minutes=10), **changes})
    before, after = asyncio.run(claimed(tmp_path, last))
    assert before == asked() | {"stub:p1/offer/shelter"}
    assert after == left | {"stub:p1/offer/shelter"}
