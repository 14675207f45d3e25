"""The page of privacy: what is kept and how old the oldest of it is, who took what out, and how somebody objects."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from console.archive import audit, looking
from console.archive.database import writing
from console.archive.keeping import OLDEST
from console.archive.taking import take
from console.desk import Desk
from console.figures.privacy_figures import exports, limits, lookers
from records import ManualClock
from tests.console.conftest import CSRF
from tests.console.entering import flat
from tests.console.made import INCIDENT, a_pulse, an_alert, minutes
from tests.console.tuning.bench import AgreedTuner, with_bench

HOSTILE = '<script>alert("x")</script>'


async def enter(desk: Desk, action: str, *, actor: str = "astreinte", minute: int = 0) -> None:
    async with writing(desk.engine) as connection:
        await audit.note(connection, actor=actor, action=action, object_=INCIDENT, detail={}, at=minutes(minute))


def test_all_that_is_kept_has_a_period() -> None:
    assert limits(timedelta(days=1)).keys() == OLDEST.keys()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param(
            "en", ("30 days", "5 years", "24 hours", "none", "Nothing has had to go yet.", "No export."), id="English"
        ),
        pytest.param(
            "fr",
            ("30 jours", "5 ans", "24 heures", "aucun", "Rien n’a encore dû être effacé.", "Aucun export."),
            id="French",
        ),
    ],
)
async def test_without_anything_kept_the_periods_are_told(
    client_as: Callable[..., Any], language: str, words: tuple[str, ...]
) -> None:
    async with client_as("viewer", language=language) as client:
        page = flat(await client.get("/privacy"))
    assert [one for one in words if one not in page] == []
    assert "vigie privacy object" in page
    assert "/privacy/purge" not in page


async def test_the_oldest_is_shown_and_what_is_older_than_promised_is_marked(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await take(desk.engine, [an_alert(), a_pulse()], clock.now())
    async with client_as("viewer", language="en") as client:
        fresh = flat(await client.get("/privacy"))
        clock.advance(timedelta(days=31))
        old = flat(await client.get("/privacy"))
    assert "30 Jan 2012 08:33" in fresh  # of the words
    assert "older than promised" not in fresh
    assert old.count("older than promised") == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", ("Recording for tuning", "<td>17 days</td>", "10 Jan 2012", "loses its hash"), id="English"),
        pytest.param("fr", ("Enregistrement pour", "<td>17 jours</td>", "10 janv. 2012", "son empreinte"), id="French"),
    ],
)
async def test_the_recording_is_told_of_where_there_is_one(
    client_as: Callable[..., Any], desk: Desk, language: str, words: tuple[str, ...]
) -> None:
    with_bench(desk, AgreedTuner())
    pages = []
    for span in (None, timedelta(days=17)):
        object.__setattr__(desk.setup, "recording_kept", span)
        async with client_as("viewer", language=language) as client:
            pages.append(flat(await client.get("/privacy")))
    assert [[one in page for one in words] for page in pages] == [[False] * 4, [True] * 4]


async def test_an_admin_lets_go_of_what_is_too_old(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await take(desk.engine, [an_alert()], clock.now())
    clock.advance(timedelta(days=31))
    async with client_as("admin", language="en") as client:
        answer = await client.post("/privacy/purge", data={"csrf": CSRF})
        page = flat(await client.get(answer.headers["location"]))
    assert "What was too old is gone." in page
    assert "older than promised" not in page
    assert "Something went for the last time on 1 Mar 2012 08:37." in page
    dossier = await looking.incident(desk.engine, INCIDENT)
    assert dossier is not None
    assert dossier.alert.evidence[0].text == ""
    lines = [(entry.actor, entry.action) for entry in await audit.entries(desk.engine)]
    assert lines == [("astreinte (admin)", "purge_asked"), ("vigie", "purged")]


@pytest.mark.parametrize("role", ["viewer", "volunteer", "operator", "analyst"])
async def test_who_does_not_administer_purges_nothing(client_as: Callable[..., Any], desk: Desk, role: str) -> None:
    async with client_as(role) as client:
        answer = await client.post("/privacy/purge", data={"csrf": CSRF})
    assert answer.status_code == 403
    assert await audit.entries(desk.engine) == []


async def test_what_was_taken_out_lately_is_counted(desk: Desk) -> None:
    for action in ("record_exported", "audit_exported", "audit_exported", "xexported", "link_shown"):
        await enter(desk, action)
    await enter(desk, "link_shown", actor="renfort")
    await enter(desk, "audit_exported", minute=-31 * 24 * 60)
    assert await exports(desk.engine, minutes(0)) == [("audit_exported", 2), ("record_exported", 1)]
    assert await lookers(desk.engine, minutes(0)) == [("astreinte", 1), ("renfort", 1)]


async def test_who_looked_is_named_only_to_those_who_audit(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, "link_shown", actor="renfort de nuit")
    async with client_as("viewer", language="en") as client:
        seen = flat(await client.get("/privacy"))
    async with client_as("analyst", language="en") as client:
        audited = flat(await client.get("/privacy"))
    assert "The link to a post was shown 1 time." in seen
    assert "renfort de nuit" not in seen
    assert "renfort de nuit" in audited


async def test_names_are_text(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, "link_shown", actor=HOSTILE)
    await enter(desk, f"{HOSTILE}_exported")
    async with client_as("analyst") as client:
        page = flat(await client.get("/privacy"))
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 2
