"""The group vote: other posts of the day decide what a name means, and only where the post itself does not."""

from functools import cache

import pytest

from models.geoparse import Geoparser
from models.geoparse.group import MOST_AUTHORS, WINDOW_SECS, GroupVote, Said
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
    assert place.insee == "77404"
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


def test_places_of_the_subject_draw_a_name_to_their_country(parser: Geoparser) -> None:
    texts = [f"incendie à {town}, tout le quartier évacué" for town in ("Montréal", "Laval, Québec", "Longueuil")]
    alone = parser.locate("incendie à Saint-Jérôme", lang="fr", said=Said("fire", "eve", 0.0))
    for number in range(24):
        parser.locate(texts[number % 3], lang="fr", said=Said("fire", f"author {number}", HOUR))
    (place,) = parser.locate("incendie à Saint-Jérôme", lang="fr", said=Said("fire", "eve", HOUR))
    assert (place.country, place.name) == ("CA", "Saint-Jérôme")
    assert not alone or alone[0].confidence <= place.confidence


def test_what_is_remembered_is_bounded() -> None:
    votes = GroupVote(gazetteer())
    row = gazetteer().communes["77404"]
    for number in range(10 * MOST_AUTHORS):
        votes.note(Said("fire", f"author {number}", float(number)), "sainte colombe", row, is_sure=True)
    held = votes._votes["fire", "sainte colombe"]
    assert len(held) == MOST_AUTHORS
    assert votes._surroundings["fire"].total == 10 * MOST_AUTHORS
    votes.note(Said("fire", "later", 5.0 * WINDOW_SECS), "sainte colombe", row, is_sure=True)
    assert votes._surroundings["fire"].total == 1
