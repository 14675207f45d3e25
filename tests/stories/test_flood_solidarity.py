"""Saint-Lô, a morning in November: the river comes, people ask and offer. The digest lists what is near, and open."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from connectors.sinks.digest_wording import text_from
from console.digests.digest import digest_from
from records.digest import Digest, Listed
from vigie.story import PARIS

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]
Line = tuple[str, str, str, int | None, int]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("flood_solidarity")


@pytest.fixture(scope="module")
def digest(told: "Told") -> Digest:
    """Return what whoever comes on duty in the afternoon is told."""
    until = told.tale.at("16:00:00")
    alerts = [one for incident in told.incidents for one in incident.revisions if one.raised_at <= until]
    return digest_from(alerts, [], [], [], told.claims, since=told.tale.at("04:00:00"), until=until)


def lines(rows: tuple[Listed, ...]) -> list[Line]:
    return [(f"{row.at.astimezone(PARIS):%H:%M}", row.thing, row.place, row.quantity, row.voices) for row in rows]


def test_there_is_one_list_around_the_flood(digest: Digest) -> None:
    (alert,) = digest.new
    (around,) = digest.claims
    assert (around.incident_id, around.hazard, around.place) == (alert.incident_id, "flood", "Saint-Lô")
    assert around.left_out == 0


def test_needs_are_those_that_nobody_has_met_yet_and_a_copy_is_the_same_need(digest: Digest) -> None:
    (around,) = digest.claims
    assert lines(around.needs) == [
        ("13:10", "water", "Saint-Lô", None, 1),
        ("12:05", "animals", "Saint-Lô", None, 1),
        ("10:33", "children", "Saint-Lô", None, 1),
        ("09:02", "tools", "Agneaux", None, 2),  # asked, reposted, and copied by hand
    ]


def test_offers_are_those_that_still_stand_without_the_advert(digest: Digest) -> None:
    (around,) = digest.claims
    assert lines(around.offers) == [
        ("10:47", "transport", "Condé-sur-Vire", None, 1),
        ("10:47", "tools", "Condé-sur-Vire", None, 1),
        ("09:48", "shelter", "Saint-Lô", None, 1),
        ("08:10", "shelter", "Condé-sur-Vire", 2, 1),
    ]


def test_what_the_town_asks_everybody_for_stands_apart(digest: Digest) -> None:
    (around,) = digest.claims
    assert lines(around.calls) == [("09:30", "clothes", "Saint-Lô", None, 1)]


@pytest.mark.parametrize(
    ("thing", "place", "is_closed"),
    [
        pytest.param("need/hands", "Agneaux", False, id="before it"),
        pytest.param("need/hands", "Cherbourg-en-Cotentin", False, id="elsewhere in the area"),
        pytest.param("offer/shelter", "Bordeaux", False, id="elsewhere"),
        pytest.param("need/hands", "Saint-Lô", True, id="enough of it, says the town"),
        pytest.param("need/shelter", "Saint-Lô", True, id="found, says who asked"),
        pytest.param("offer/shelter", "Saint-Lô", True, id="full, says who offered"),
    ],
)
def test_what_is_not_listed_was_read_all_the_same(thing: str, place: str, is_closed: bool, told: "Told") -> None:
    read = {
        (f"{one.kind}/{one.thing}", one.place and one.place.name, one.is_closed)
        for one in told.claims
        if one.post_key.rpartition(":")[2].startswith("e")
    }
    assert (thing, place, is_closed) in read


def test_it_is_told_as_unverified_and_without_words_of_posts(digest: Digest) -> None:
    text = text_from(digest, "fr")
    assert "- Saint-Lô (inondation) : besoin · outils, matériel · Agneaux · 13/11 09:02 · 2 messages\n" in text
    assert "Non vérifié" in text
    assert "débordés" not in text


def test_needs_and_offers_are_no_evidence_of_another_incident(told: "Told", describe: Describe) -> None:
    assert [alert.place.name for incident in told.alerts for alert in incident.revisions[:1]] == ["Saint-Lô"]
    assert len(told.notified("flood")) == 1, describe(list(told.incidents))
