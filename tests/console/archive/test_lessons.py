"""What the hazard model may learn from the archive: posts that a decision speaks of, and no words that are gone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.keeping import keep
from console.archive.lessons import decided_posts, weight_of
from console.archive.taking import Record, take
from console.archive.words import WORDS_KEPT
from console.catalogue import LANGUAGES, words
from console.deciding.decision_form import REJECTED_AS
from console.deciding.rejection import rejected_as
from records.decided_post import DecidedPost
from tests.console.made import DAY, INCIDENT, a_retraction, a_verdict, an_alert, minutes, some_evidence

NOW = minutes(30)


def told(*numbers: int, incident_id: str = INCIDENT, **changes: Any) -> Record:
    return an_alert(incident_id=incident_id, evidence=tuple(some_evidence(n) for n in numbers), **changes)


def decided(decision: str = "confirm", **changes: Any) -> Record:
    fields = {"decision_id": f"{decision}-{changes.get('decided_by', '')}", **changes}
    return a_verdict(decision, **fields)


def rejected(reason: str, **changes: Any) -> Record:
    return decided("reject", reason=reason, **changes)


async def learned(engine: AsyncEngine, *records: Record) -> list[DecidedPost]:
    await take(engine, list(records), minutes(5))
    return await decided_posts(engine, NOW)


async def texts(engine: AsyncEngine, *records: Record) -> set[str]:
    return {one.text for one in await learned(engine, *records)}


async def test_a_confirmed_incident_says_what_its_posts_speak_of(engine: AsyncEngine) -> None:
    found = await learned(engine, told(1, 2), decided())
    assert {(one.decided_as, one.hazard, one.actuality) for one in found} == {("confirmed", "fire", "now")}
    assert len(found) == 2


async def test_an_incident_that_somebody_corrected_is_what_it_was_corrected_to(engine: AsyncEngine) -> None:
    found = await learned(engine, told(1), decided(), decided("change_hazard", read_as="industrial"))
    assert [one.hazard for one in found] == ["industrial"]


@pytest.mark.parametrize(
    ("reason", "as_"),
    [
        ("an exercise", "exercise"),
        ("un exercice : celui de la préfecture", "exercise"),
        ("une façon de parler", "figurative"),
        ("c’est ancien : feu de 2019", "old"),
    ],
)
async def test_a_rejection_teaches_where_its_reason_speaks_of_the_text(
    reason: str, as_: str, engine: AsyncEngine
) -> None:
    found = await learned(engine, told(1), rejected(reason))
    assert [(one.decided_as, one.hazard) for one in found] == [(as_, None)]


@pytest.mark.parametrize("reason", ["hoax", "it is elsewhere", "ailleurs", "déjà connu", "un exercicequelconque", ""])
async def test_other_rejections_say_nothing_of_words(reason: str, engine: AsyncEngine) -> None:
    assert await learned(engine, told(1), rejected(reason)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_of_the_form_is_known_again(language: Any) -> None:
    for code, said in REJECTED_AS.items():
        assert rejected_as(words(language).gettext(said)) == ("" if code == "other" else code)


async def test_what_is_acknowledged_or_closed_teaches_nothing(engine: AsyncEngine) -> None:
    assert await learned(engine, told(1), decided("acknowledge"), decided("close")) == []


async def test_two_people_who_contradict_each_other_teach_nothing(engine: AsyncEngine) -> None:
    first, second = decided(decided_by="cadre"), rejected("an exercise", decided_by="analyste")
    assert await learned(engine, told(1), first, second) == []


async def test_whoever_decides_anew_has_changed_his_mind(engine: AsyncEngine) -> None:
    found = await learned(engine, told(1), decided(), rejected("an exercise", decided_at=minutes(9)))
    assert [one.decided_as for one in found] == ["exercise"]


async def test_a_decision_that_was_taken_back_teaches_nothing(engine: AsyncEngine) -> None:
    back = decided("withdraw", withdraws="confirm-", decided_at=minutes(9))
    assert await learned(engine, told(1), decided(), back) == []


async def test_a_post_that_was_split_off_is_not_of_that_incident(engine: AsyncEngine) -> None:
    split = decided("split", post_keys=("facebook:e0002",))
    assert await texts(engine, told(1, 2), decided(), split) == {"de la fumée noire à la centrale (1)"}


async def test_a_post_that_was_taken_back_is_never_learned_from(engine: AsyncEngine) -> None:
    assert len(await learned(engine, told(1, 2), decided())) == 2
    assert await texts(engine, a_retraction("facebook:e0001")) == {"de la fumée noire à la centrale (2)"}
    again = told(1, 2, revision=2)  # a later revision that still shows it does not bring it back
    assert await texts(engine, again) == {"de la fumée noire à la centrale (2)"}


async def test_an_author_who_left_is_never_learned_from(engine: AsyncEngine) -> None:
    author = some_evidence(1).author_id
    left = a_retraction("", author_id=author, at=minutes(6))
    assert await texts(engine, told(1, 2), decided(), left) == {"de la fumée noire à la centrale (2)"}


async def test_words_that_an_incident_says_are_gone_are_never_learned_from(engine: AsyncEngine) -> None:
    gone = an_alert(revision=2, evidence=(some_evidence(1, text="", is_removed=True), some_evidence(2)))
    assert await texts(engine, told(1, 2), decided(), gone) == {"de la fumée noire à la centrale (2)"}


async def test_words_are_too_old_before_they_are_purged_and_after(engine: AsyncEngine) -> None:
    await learned(engine, told(1), decided())
    later = NOW + WORDS_KEPT
    assert await decided_posts(engine, later) == []
    await keep(engine, later + timedelta(minutes=DAY))
    assert await decided_posts(engine, NOW) == []


async def test_a_doubtful_post_teaches_nothing(engine: AsyncEngine) -> None:
    doubtful = an_alert(evidence=(some_evidence(1, doubts=("recycled_text",)),))
    assert await learned(engine, doubtful, decided()) == []


async def test_the_same_words_in_two_incidents_that_were_decided_otherwise_teach_nothing(engine: AsyncEngine) -> None:
    other = told(1, incident_id="fire-other")
    of_other = rejected("an exercise", incident_id="fire-other", decided_by="x")
    assert await learned(engine, told(1), decided(), other, of_other) == []


async def test_an_example_bears_neither_author_nor_key_nor_link(engine: AsyncEngine) -> None:
    (one,) = await learned(engine, told(1), decided())
    shown, said = some_evidence(1), repr(one)
    assert one.text == shown.text
    for secret in (shown.author_id, shown.post_key, str(shown.url), INCIDENT):
        assert secret not in said


def test_a_post_weighs_as_surely_as_it_spoke_for_the_incident_and_many_are_one_decision() -> None:
    assert weight_of(9.0, 1) == pytest.approx(0.9)
    assert weight_of(9.0, 4) == pytest.approx(0.45)
    assert weight_of(1.0, 1) == pytest.approx(0.5)
    assert 0 < weight_of(0.0, 100) < 0.01
