"""Le Havre, 30 January 2012: the incident goes from a first witness to confirmed and over, and the messages follow."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from console.messages.facts import facts_from_alert, facts_of_the_clock, typed
from console.messages.filling import Filled, fill
from console.messages.message_map import MessageMap
from console.messages.selection import AUDIENCES, Selection, select
from console.messages.signed import NotSignable, sign
from detectors.detector import Detector, Shelf
from detectors.profile import load_profile
from records import Alert, Signal, Statement, Tick, Verdict
from tests.console import made

PARIS = ZoneInfo("Europe/Paris")
FIRST_POST = made.MORNING  # 17 minutes after the fire began

LE_HAVRE = replace(made.LE_HAVRE, population=170_000)


class Day:
    """The detector at work on that day, and what it told."""

    def __init__(self) -> None:
        self.detector = Detector(load_profile("city", LE_HAVRE))
        self.table: dict[str, bytes] = {}
        self.shelf = Shelf(self.table)
        self.told: list[Alert] = []

    def witness(self, number: int, minutes: float) -> None:
        at = FIRST_POST + timedelta(minutes=minutes)
        signal = Signal(
            post_key=f"facebook:{number}",
            source="facebook" if number % 2 else "twitter",
            hazard="fire",
            place=LE_HAVRE,
            event_time=at,
            received_at=at,
            probability=0.9,
            likelihood_ratio=20.0,
            witness_probability=0.9,
            actuality="now",
            author_id=f"author {number}",
            author_tier=1,
            cluster_ids=(f"text:{number}",),
            platform="facebook" if number % 2 else "twitter",
            text=f"La centrale brûle, {number}",
            versions={"hazard": "hazard/4"},
        )
        self.keep(self.detector.observe(signal, self.shelf))

    def confirm(self, minutes: float) -> None:
        verdict = Verdict(
            incident_id=self.told[-1].incident_id,
            hazard="fire",
            area="76",
            decision="confirm",
            decided_at=FIRST_POST + timedelta(minutes=minutes),
            decided_by="officier de permanence",
        )
        self.keep(self.detector.heed(Statement(hazard="fire", area="76", said=verdict), self.shelf))

    def wait(self) -> None:
        due = self.detector.next_due("fire/76", self.shelf)
        assert due is not None
        self.keep(self.detector.pass_time(Tick(hazard="fire", area="76", at=due), self.shelf))

    def keep(self, alerts: list[Alert]) -> None:
        self.told += alerts
        for key, value in self.shelf.changes().items():
            self.table.pop(key, None) if value is None else self.table.update({key: value})


def revisions() -> Iterator[Alert]:
    """Give the incident's revisions as they are told, one a level."""
    day = Day()
    day.witness(1, 0)
    yield day.told[-1]
    for number in range(2, 8):
        day.witness(number, 6.0 * number)
    yield day.told[-1]
    day.confirm(45)
    yield day.told[-1]
    for _ in range(50):
        if day.told[-1].level == "resolved":
            break
        day.wait()
    yield day.told[-1]


@pytest.fixture(scope="module")
def alerts() -> tuple[Alert, ...]:
    return tuple(revisions())


def messages_for(alert: Alert, found: MessageMap, *, said: tuple[str, ...] = ()) -> tuple[Selection, dict[str, Filled]]:
    selection = select(found, alert, said=said)
    facts = (
        *facts_from_alert(alert, found.placeholders, PARIS),
        *facts_of_the_clock(alert.raised_at, found.placeholders, PARIS),
    )
    return selection, {one.id: fill(one, facts, found.placeholders) for one in selection.messages}


def words_of(filled: Filled) -> str:
    return "\n".join(words.text for words in filled.texts)


def test_the_incident_goes_the_whole_way(alerts: tuple[Alert, ...]) -> None:
    assert [alert.level for alert in alerts] == ["watch", "alert", "confirmed", "resolved"]
    assert len({alert.incident_id for alert in alerts}) == 1
    assert alerts[-1].certainty == "Observed"


def test_the_messages_follow(alerts: tuple[Alert, ...], shipped: MessageMap) -> None:
    stages = [select(shipped, alert).stage for alert in alerts]
    assert stages == ["first_signal", "unconfirmed", "confirmed", "over"]
    for alert in alerts:
        assert all(select(shipped, alert).of(audience) for audience in AUDIENCES)


def test_the_first_witness_lets_us_say_that_we_check_and_no_more(
    alerts: tuple[Alert, ...], shipped: MessageMap
) -> None:
    _, filled = messages_for(alerts[0], shipped)
    answer = filled["fire-first-population"]
    assert answer.is_ready
    assert "secteur Le Havre. Nous vérifions, rien n'est confirmé" in words_of(answer)
    assert not any(words.channel == "cell" for words in answer.texts)
    assert "1 auteur(s), dont 1 témoin(s), depuis 08h37" in words_of(filled["fire-first-staff"])


def test_the_alert_says_more_and_still_confirms_nothing(alerts: tuple[Alert, ...], shipped: MessageMap) -> None:
    _, filled = messages_for(alerts[1], shipped)
    assert filled["fire-unconfirmed-population"].is_ready
    assert "Plusieurs messages" in words_of(filled["fire-unconfirmed-population"])
    assert "confirmé par" not in "".join(map(words_of, filled.values()))


def test_once_confirmed_the_place_is_filled_in_and_the_rest_waits_for_who_signs(
    alerts: tuple[Alert, ...], shipped: MessageMap
) -> None:
    _, filled = messages_for(alerts[2], shipped)
    warning = filled["fire-confirmed-population"]
    assert "Incendie confirmé, secteur Le Havre." in words_of(warning)
    assert {one.name for one in warning.missing} == {"authority", "official_account", "source_of_confirmation"}
    with pytest.raises(NotSignable):
        sign(warning, signed_by="direction de la cellule", signed_at=FIRST_POST, map_version=shipped.version)

    given = [
        typed("authority", "Préfecture de la Seine-Maritime"),
        typed("source_of_confirmation", "le SDIS 76"),
        typed("official_account", "ville.example"),
        *facts_from_alert(alerts[2], shipped.placeholders, PARIS),
    ]
    whole = fill(warning.message, given, shipped.placeholders)
    at = FIRST_POST + timedelta(minutes=47)
    signed = sign(
        whole,
        signed_by="direction de la cellule",
        signed_at=at,
        map_version=shipped.version,
        incident_id=alerts[2].incident_id,
    )
    assert (signed.signed_by, signed.signed_at, signed.incident_id) == (
        "direction de la cellule",
        at,
        alerts[0].incident_id,
    )
    (cell,) = [one for one in signed.texts if (one.language, one.channel) == ("fr", "cell")]
    assert cell.pages[0] == "ALERTE INCENDIE. Préfecture de la Seine-Maritime."
    assert {fact.name: fact.origin for fact in signed.facts}["place"] == "alert"


def test_after_the_first_warning_comes_the_next_one(alerts: tuple[Alert, ...], shipped: MessageMap) -> None:
    selection, filled = messages_for(alerts[2], shipped, said=("first_signal", "confirmed"))
    assert selection.stage == "ongoing"
    assert "next_update" in {one.name for one in filled["fire-ongoing-population"].missing}


def test_that_it_is_over_somebody_must_have_declared(alerts: tuple[Alert, ...], shipped: MessageMap) -> None:
    _, filled = messages_for(alerts[3], shipped)
    assert {one.name for one in filled["end-population"].missing} >= {"source_of_confirmation", "ended"}
    assert "secteur Le Havre" in words_of(filled["end-population"])
