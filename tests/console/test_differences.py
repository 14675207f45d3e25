"""What a revision says that the one before did not."""

from typing import Any

import pytest
from msgspec.structs import replace

from console.archive.dossier import Decided, Recorded
from console.deciding.differences import Difference, differences
from console.deciding.history import decided_since, history, newest_of
from records import Context, CrisisClock, Rumour
from records.alert import Correction
from tests.console.made import LE_HAVRE, a_verdict, an_alert, minutes, some_evidence

NOTICE = Context(bulletin_id="n1", source="allo", kind="operator_notice", text="", issued_at=minutes(1), fits=True)
DOUBTED = Context(bulletin_id="n1", source="allo", kind="operator_notice", text="", issued_at=minutes(1), fits=False)
MOVED = Correction(what="place", by="astreinte", at=minutes(2))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({}, {"level": "alert"}, [("level", "watch", "alert")], id="level"),
        pytest.param({}, {"hazard": "flood"}, [("hazard", "fire", "flood")], id="hazard"),
        pytest.param({}, {"posts": 4, "authors": 3}, [("posts", 1, 4), ("authors", 1, 3)], id="counts"),
        pytest.param({}, {"unknowns": ()}, [("known_now", "no_official_word", None)], id="known now"),
        pytest.param(
            {"unknowns": ()}, {"unknowns": ("no_image",)}, [("unknown_now", None, "no_image")], id="unknown now"
        ),
        pytest.param({}, {"joins": "fire-x"}, [("joins", "", "fire-x")], id="joins"),
        pytest.param(
            {},
            {"clock": CrisisClock(first_press=minutes(3))},
            [("first_press", None, minutes(3))],
            id="a first word",
        ),
        pytest.param({}, {"context": (NOTICE,)}, [("statement", None, NOTICE)], id="a notice"),
        pytest.param(
            {"context": (NOTICE,)}, {"context": (DOUBTED,)}, [("fits", True, DOUBTED)], id="a notice judged anew"
        ),
        pytest.param({}, {"rumour": Rumour(signs=("denied",))}, [("rumour", (), ("denied",))], id="maybe a rumour"),
        pytest.param({}, {"evidence": (some_evidence(is_removed=True),)}, [("removed", 0, 1)], id="words taken back"),
        pytest.param({}, {"corrections": (MOVED,)}, [("corrected", None, MOVED)], id="corrected"),
        pytest.param({"corrections": (MOVED,)}, {}, [("uncorrected", MOVED, None)], id="a correction taken back"),
    ],
)
def test_a_revision_tells_what_it_changes(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    found = differences(an_alert(**before), an_alert(revision=2, **after))
    assert [(one.what, one.before, one.after) for one in found] == expected


def test_the_first_revision_says_at_which_level_it_begins() -> None:
    assert differences(None, an_alert()) == (Difference("began", after="watch"),)


def test_a_moved_place_is_told_by_its_names() -> None:
    (found,) = differences(an_alert(), an_alert(place=replace(LE_HAVRE, name="Harfleur")))
    assert (found.what, found.before, found.after) == ("place", "Le Havre", "Harfleur")


def decided(sequence: int, **changes: Any) -> Decided:
    return Decided(sequence=sequence, recorded_at=minutes(sequence), verdict=a_verdict(**changes))


def test_history_is_told_from_the_newest_on() -> None:
    revisions = [Recorded(sequence=n, recorded_at=minutes(n), alert=an_alert(revision=n)) for n in (1, 3)]
    lines = history(revisions, [decided(2)])
    assert [line.revision.revision if line.revision else "decided" for line in lines] == [3, "decided", 1]


@pytest.mark.parametrize(
    ("known", "by", "sequences"),
    [
        pytest.param(0, "nobody", [2, 5], id="all of them but notes"),
        pytest.param(2, "nobody", [5], id="since then"),
        pytest.param(0, "chef", [2], id="by others"),
        pytest.param(5, "nobody", [], id="none"),
    ],
)
def test_who_decides_is_told_of_what_others_decided_since(known: int, by: str, sequences: list[int]) -> None:
    decisions = [
        decided(2, decided_by="astreinte"),
        decided(4, decision="note", decided_by="astreinte"),
        decided(5, decided_by="chef"),
    ]
    assert [one.sequence for one in decided_since(decisions, known, by=by)] == sequences
    assert newest_of(decisions) == 5
