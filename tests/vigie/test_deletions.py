"""A deletion reaches what was made of a post, through broker and worker: no later revision shows its words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
FIRST = "Il y a un énorme incendie {there} là, je vois les flammes depuis ma fenêtre"
SECOND = "Incendie {there}, une fumée noire monte derrière la gare, les pompiers arrivent"
EDITED = "Ce n'est rien {there}, un exercice des pompiers, désolé"
LE_HAVRE = "au Havre"
TAKEN_BACK: dict[str, tuple[str, dict[str, Any]]] = {
    "deleted": (LE_HAVRE, {"verb": "delete", "text": "", "url": None}),
    "edited": ("à Strasbourg", {"verb": "update", "text": EDITED.format(there="à Strasbourg")}),
    "author gone": ("à Perpignan", {"verb": "purge", "text": "", "id": "author:first of author gone", "url": None}),
}
"""Ways to take a post back, each in a town of its own: one worker sees them all."""


def post(minutes: int, text: str, name: str, there: str = LE_HAVRE) -> Post:
    at = MORNING + timedelta(minutes=minutes)
    return Post(
        source="stub",
        id=name,
        author_id=name,
        posted_at=at,
        received_at=at,
        text=text.format(there=there),
        lang="fr",
        url=f"https://example.org/{name.replace(' ', '-')}",
    )


@asynccontextmanager
async def pipeline_in(folder: Path) -> AsyncIterator[Pipeline]:
    settings = settings_for(home="76351", profile="", local_places=None, paths=[folder / "nothing.jsonl"])
    async with Pipeline(settings, partitions=4) as pipeline:
        yield pipeline


AT_ONCE = "à Rennes"
"""Where a post is deleted in the batch that brought it."""
NEED = "Le Havre : besoin de couvertures, et d'un hébergement pour 4 personnes évacuées"
OFFER = "Je peux héberger deux personnes au Havre après l'incendie"
SAID_LAST: dict[str, tuple[dict[str, Any], set[str]]] = {
    "deleted": ({"verb": "delete", "text": "", "url": None}, set()),
    "edited": ({"verb": "update", "text": EDITED.format(there=LE_HAVRE)}, set()),
    "edited in part": ({"verb": "update", "text": NEED.replace("de couvertures, et ", "")}, {"need/shelter"}),
    "author gone": ({"verb": "purge", "text": "", "id": "author:author gone", "url": None}, set()),
    "told again": ({"received_at": MORNING}, {"need/shelter", "need/clothes"}),
}
"""What is said last of a post, and what it claims then."""


@dataclass(frozen=True)
class Lived:
    """What one worker made of all this."""

    told: list[Alert]  # all revisions of the posts in each town
    claimed: set[str]  # before the last word of what claims something
    left: set[str]  # after it, and a sweep


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Have two posts in each town, and what claims something, and what is said of the first of them last."""

    async def story() -> Lived:
        async with pipeline_in(tmp_path_factory.mktemp("lived")) as pipeline:
            told = await _taken_back(pipeline)
            claims: list[tuple[str, str, dict[str, Any]]] = [(NEED, name, {}) for name in SAID_LAST]
            claimed = await _claims(pipeline, [*claims, (OFFER, "offer", {})])
            later = {"received_at": MORNING + timedelta(minutes=10)}
            await _claims(pipeline, [(NEED, name, later | changes) for name, (changes, _) in SAID_LAST.items()])
            later_on = ManualClock(SystemClock().now() + timedelta(hours=2))
            done = await swept(pipeline.streams, pipeline.publisher, later_on)
            pipeline.published += done.taken_back.posts
            pipeline.ticks += done.taken_back.alerts
            await pipeline.drained()
            return Lived(told, claimed, {claim.key for claim in await claims_of(pipeline.streams)})

    return asyncio.run(story())


async def _taken_back(pipeline: Pipeline) -> list[Alert]:
    for name, (there, _) in TAKEN_BACK.items():
        await pipeline.posts([post(0, FIRST, f"first of {name}", there), post(5, SECOND, f"second of {name}", there)])
    await pipeline.drained()
    for name, (there, changes) in TAKEN_BACK.items():
        later = {"received_at": MORNING + timedelta(minutes=10), **changes}
        await pipeline.posts([replace(post(0, FIRST, f"first of {name}", there), **later)])
    first = post(0, FIRST, "first at once", AT_ONCE)
    gone = replace(first, verb="delete", text="", url=None)
    await pipeline.posts([first, gone, post(5, SECOND, "second at once", AT_ONCE)])
    return await pipeline.alerts()


async def _claims(pipeline: Pipeline, said: list[tuple[str, str, dict[str, Any]]]) -> set[str]:
    await pipeline.posts([replace(post(0, text, name), **changes) for text, name, changes in said])
    await pipeline.drained()
    return {claim.key for claim in await claims_of(pipeline.streams)}


@pytest.mark.parametrize("name", TAKEN_BACK)
def test_what_was_taken_back_is_in_no_later_revision_and_the_rest_stays(name: str, lived: Lived) -> None:
    there, _ = TAKEN_BACK[name]
    alerts = [
        alert for alert in lived.told if any(item.post_key == f"stub:second of {name}" for item in alert.evidence)
    ]
    shown = [{item.text for item in alert.evidence} for alert in alerts]
    assert any(FIRST.format(there=there) in texts for texts in shown[:-1])
    (gone,) = [item for item in alerts[-1].evidence if item.post_key == f"stub:first of {name}"]
    assert (gone.text, gone.url, gone.author_id, gone.is_removed) == ("", None, "removed", True)
    assert shown[-1] == {"", SECOND.format(there=there)}
    assert alerts[-1].authors == 2


def test_a_post_deleted_in_the_batch_that_brought_it_leaves_nothing(lived: Lived) -> None:
    key = "stub:second at once"
    last = [alert for alert in lived.told if any(item.post_key == key for item in alert.evidence)][-1]
    shown = {item.text for item in last.evidence}
    assert SECOND.format(there=AT_ONCE) in shown
    assert shown <= {"", SECOND.format(there=AT_ONCE)}, "whether the batch was one or two"


@pytest.mark.parametrize("name", SAID_LAST)
def test_what_a_post_claimed_goes_with_it_and_the_rest_stays(name: str, lived: Lived) -> None:
    _, left = SAID_LAST[name]
    before, after = ({key for key in keys if key.startswith(f"stub:{name}/")} for keys in (lived.claimed, lived.left))
    assert before == {f"stub:{name}/need/shelter", f"stub:{name}/need/clothes"}
    assert after == {f"stub:{name}/{one}" for one in left}
    assert all("stub:offer/offer/shelter" in keys for keys in (lived.claimed, lived.left))


def test_what_is_taken_back_when_the_detectors_have_long_forgotten_it_is_taken_back_by_the_sweep(
    tmp_path: Path,
) -> None:
    async def story() -> tuple[list[Alert], list[Alert]]:
        async with pipeline_in(tmp_path) as pipeline:
            await pipeline.posts([post(0, FIRST, "first"), post(5, SECOND, "second")])
            for alert in await pipeline.alerts():
                await pipeline.pass_time([f"{alert.hazard}/{alert.area}"], MORNING + timedelta(days=4))
            await pipeline.drained()
            gone = replace(post(0, FIRST, "first"), verb="purge", text="", id="author:first", url=None)
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
    words = FIRST.format(there=LE_HAVRE)
    assert words in {item.text for alert in before[-1:] for item in alert.evidence}, "they had forgotten it"
    newest = {alert.incident_id: alert for alert in sorted(after, key=lambda alert: alert.revision)}
    assert newest
    assert all(words not in {item.text for item in alert.evidence} for alert in newest.values())
