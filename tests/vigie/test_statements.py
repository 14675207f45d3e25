"""What authorities state and people decide, through broker and worker: heard with the incident, never instead of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from records import Alert, Bulletin, Post, Verdict
from vigie.pipeline import Pipeline
from vigie.replay import settings_for

pytestmark = pytest.mark.broker

MORNING = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
TEXT = "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"


def post(minutes: int, text: str = TEXT) -> Post:
    at = MORNING + timedelta(minutes=minutes)
    return Post(
        source="stub",
        id=f"p{minutes}",
        author_id=f"a{minutes}",
        posted_at=at,
        received_at=at,
        text=text,
        lang="fr",
    )


def notice(minutes: int) -> Bulletin:
    at = MORNING + timedelta(minutes=minutes)
    return Bulletin(
        bulletin_id="stub:torche",
        source="Allo Industrie",
        kind="operator_notice",
        area="76",
        issued_at=at,
        received_at=at,
        text="Torche visible",
    )


async def told(folder: Path) -> list[Alert]:
    settings = settings_for(home="76351", profile="", local_places=None, paths=[folder])
    async with Pipeline(settings, partitions=4) as pipeline:
        await pipeline.bulletins([notice(-10)])
        await pipeline.drained()
        await pipeline.posts([post(0)])
        (watch,) = await pipeline.alerts()
        verdict = Verdict(
            incident_id=watch.incident_id,
            hazard=watch.hazard,
            area=watch.area,
            decision="confirm",
            decided_at=MORNING + timedelta(minutes=5),
            decided_by="officier de permanence",
        )
        await pipeline.verdicts([verdict, verdict])
        await pipeline.drained()
        read = replace(verdict, decision="change_hazard", decision_id="d1", read_as="industrial")
        await pipeline.verdicts([read])
        await pipeline.drained()
        gone = replace(verdict, decision="withdraw", decision_id="d2", withdraws="d1")
        await pipeline.verdicts([replace(verdict, decision="note", decision_id="d3", reason="rappeler à midi"), gone])
        return sorted(await pipeline.alerts(), key=lambda alert: alert.revision)


def test_a_notice_is_shown_with_the_watch_and_what_people_decide_of_it_is_told(tmp_path: Path) -> None:
    watch, confirmed, read, back = asyncio.run(told(tmp_path / "nothing.jsonl"))
    assert (watch.level, confirmed.level, confirmed.revision) == ("watch", "confirmed", 2)
    assert [(one.source, one.fits) for one in watch.context] == [("Allo Industrie", True)]
    assert "officier de permanence" in confirmed.explanation["fr"]
    assert (read.level, read.hazard, read.state_hazard, read.revision) == ("confirmed", "industrial", "fire", 3)
    assert (back.hazard, back.corrections, back.revision) == ("fire", (), 4)
