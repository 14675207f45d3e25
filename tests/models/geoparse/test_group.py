"""The group vote: other posts of the day decide what a name means, and only where the post itself does not."""

from functools import cache
from math import sqrt

import pytest

from models.geoparse import Geoparser, group
from models.geoparse.group import AROUND, COUNTRY, DOUBT, MOST_AUTHORS, SAME_NAME, WINDOW_SECS, GroupVote, Said
from models.places import Gazetteer

AMBIGUOUS = "gros incendie à Sainte-Colombe"
TOLD = "gros incendie à Sainte-Colombe (77), trois maisons touchées"
HOUR = 3600.0


@cache
def gazetteer() -> Gazetteer:
    return Gazetteer()


@cache
def parser_of_all() -> Geoparser:
    return Geoparser(gazetteer())


@pytest.fixture
def parser() -> Geoparser:
    parser_of_all().votes = GroupVote(gazetteer())  # no post read yet; the names are slow to load
    return parser_of_all()


def insee_of(parser: Geoparser, text: str, author: str, at: float, subject: str = "fire") -> str | None:
    places = parser.locate(text, lang="fr", said=Said(subject, author, at))
    return places[0].insee if places else None


def test_a_name_that_many_places_have_is_decided_by_the_other_posts(parser: Geoparser) -> None:
    before = parser.locate(AMBIGUOUS, lang="fr", said=Said("fire", "eve", 0.0))
    assert [place.level for place in before] == ["country"]
    for author in ("ann", "bob", "joe"):
        assert insee_of(parser, TOLD, author, HOUR) == "77404"
    (place,) = parser.locate(AMBIGUOUS, lang="fr", said=Said("fire", "eve", 2 * HOUR))
    assert (place.insee, place.source) == ("77404", "group")
    assert any("d'autres messages" in reason for reason in place.reasons)


def test_only_the_same_subject_of_the_last_day_votes(parser: Geoparser) -> None:
    for author in ("ann", "bob", "joe"):
        insee_of(parser, TOLD, author, HOUR)
    assert insee_of(parser, AMBIGUOUS, "eve", 2 * HOUR, subject="flood") is None
    assert insee_of(parser, AMBIGUOUS, "eve", HOUR + 2 * WINDOW_SECS) is None


def test_nobody_votes_for_himself_and_one_loud_author_is_one_vote(parser: Geoparser) -> None:
    for minute in range(30):
        insee_of(parser, TOLD, "eve", 60.0 * minute)
    assert insee_of(parser, AMBIGUOUS, "eve", HOUR) is None
    for author in ("ann", "bob"):
        insee_of(parser, TOLD.replace("77", "76"), author, HOUR)
    assert insee_of(parser, AMBIGUOUS, "zoe", HOUR) != "77404"


def test_what_a_post_says_itself_outweighs_all_others(parser: Geoparser) -> None:
    for number in range(20):
        insee_of(parser, TOLD, f"author {number}", HOUR)
    assert insee_of(parser, TOLD.replace("77", "76"), "eve", HOUR) == "76569"


def test_a_post_that_the_others_decided_is_no_vote(parser: Geoparser) -> None:
    for author in ("ann", "bob", "joe"):
        insee_of(parser, TOLD, author, 0.0)
    for number in range(9):
        insee_of(parser, AMBIGUOUS, f"echo {number}", 23 * HOUR)
    assert insee_of(parser, AMBIGUOUS, "eve", 30 * HOUR) is None  # the echoes are recent, those who knew are not


def support(votes: GroupVote, author: str = "eve", at: float = HOUR) -> dict[int, float]:
    return votes.support(Said("fire", author, at), "sainte colombe", [ROW_77, ROW_76])


ROW_77, ROW_76 = (gazetteer().communes[insee] for insee in ("77404", "76569"))


def test_votes_weigh_by_their_share_and_one_says_little() -> None:
    votes = GroupVote(gazetteer())
    assert support(votes) == {}
    found = []
    for number in range(3):
        votes.note(Said("fire", f"author {number}", HOUR), "sainte colombe", ROW_77, is_sure=True)
        found.append(support(votes)[ROW_77] - support(votes)[ROW_76])
    around = AROUND * sqrt(3 / (3 + DOUBT))
    assert found[0] < found[1] < found[2]
    assert found[2] == pytest.approx(SAME_NAME * 3 / (3 + DOUBT) + around)
    assert found[0] < 2.0 < found[2]


def test_places_around_and_the_country_count_without_the_name() -> None:
    votes = GroupVote(gazetteer())
    votes.note(Said("fire", "ann", HOUR), "provins", ROW_77, is_sure=False)
    paris = gazetteer().communes["75056"]
    london = gazetteer().codes.index("2643743", gazetteer().french_rows)
    found = votes.support(Said("fire", "eve", HOUR), "somewhere", [ROW_77, paris, london])
    assert votes.cell(ROW_77) == votes.cell(paris)
    assert found[ROW_77] == found[paris] == pytest.approx(AROUND * sqrt(1 / (1 + DOUBT)) + COUNTRY / (1 + DOUBT))
    assert found[london] == 0
    assert set(votes.support(Said("fire", "ann", HOUR), "somewhere", [ROW_77]).values()) == {0}  # his own


def test_what_was_said_later_stands_and_what_is_old_is_not_taken() -> None:
    votes = GroupVote(gazetteer())
    votes.note(Said("fire", "ann", 100 * WINDOW_SECS), "sainte colombe", ROW_77, is_sure=True)
    before = support(votes, at=100.0 * WINDOW_SECS)
    votes.note(Said("fire", "ann", 100 * WINDOW_SECS - HOUR), "sainte colombe", ROW_76, is_sure=True)
    for number in range(2 * MOST_AUTHORS):
        votes.note(Said("fire", f"old {number}", float(number)), "sainte colombe", ROW_76, is_sure=True)
    assert support(votes, at=100.0 * WINDOW_SECS)[ROW_77] == pytest.approx(before[ROW_77], abs=0.1)
    assert support(votes, at=100.0 * WINDOW_SECS)[ROW_76] < before[ROW_77]


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_none_counts_for_nothing(at: float) -> None:
    votes = GroupVote(gazetteer())
    votes.note(Said("fire", "ann", at), "sainte colombe", ROW_77, is_sure=True)
    assert support(votes) == {}
    votes.note(Said("fire", "ann", HOUR), "sainte colombe", ROW_77, is_sure=True)
    assert support(votes, at=at) == {}
    assert support(votes)[ROW_77] > 0


def test_what_is_remembered_is_bounded_and_forgotten_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST_NAMES", 30)
    monkeypatch.setattr(group, "MOST_PLACES", 70)
    votes = GroupVote(gazetteer())
    for number in range(500):
        said = Said("fire", f"author {number}", float(number))
        votes.note(said, f"name {number % 50}", ROW_77, is_sure=True)
        votes.note(said, "sainte colombe", ROW_77, is_sure=True)
    assert len(votes._votes) == 30
    assert len(votes._votes["fire", "sainte colombe"]) == MOST_AUTHORS
    around = votes._surroundings["fire"]
    assert around.total == len(around._known) == len(around._by_author) == 70
    votes.note(Said("fire", "later", 5.0 * WINDOW_SECS), "other", ROW_76, is_sure=True)
    assert list(votes._votes) == [("fire", "other")]
    assert (around.total, len(around.cells), len(around.countries), len(around._by_author)) == (1, 1, 1, 1)
