"""405 French posts and where each is about, by somebody who knew none of the geoparser's rules: a floor for it.

No post here was copied from a platform. `expected` is an INSEE code, `dep:`, `region:` or `country:`, `@lat,lon`
abroad, or `-` where the post names no place in which something is.
"""

from collections import Counter
from pathlib import Path

import pytest

from models.geoparse import Geoparser
from models.places import Gazetteer
from models.places.geometry import distance_km
from records import Place

POSTS = [
    line.split("\t") for line in (Path(__file__).parent / "places_fr.tsv").read_text(encoding="utf-8").splitlines()[1:]
]
WITHIN_KM, WITHIN_KM_ABROAD = 5.0, 20.0
TOWNS = frozenset({"commune", "quartier", "site"})
LEAST_RIGHT, MOST_FALSE = 0.87, 0.15  # wanted are 0.92 and 0.02


@pytest.fixture(scope="module")
def parser() -> Geoparser:
    return Geoparser(Gazetteer())


def is_right(expected: str, answer: Place | None, gazetteer: Gazetteer) -> bool:
    """Tell whether the first answer is the place expected, or lies within tolerance."""
    if answer is None:
        return expected == "-"
    kind, _, code = expected.partition(":")
    if expected.startswith("@"):
        lat, lon = map(float, expected[1:].split(","))
        return distance_km(answer.lat, answer.lon, lat, lon) <= max(WITHIN_KM_ABROAD, answer.radius_km)
    if kind == "dep":
        return answer.dep == code
    if kind in ("region", "country"):
        return answer.level == kind and code in (answer.name, answer.country)
    row = gazetteer.communes.get(expected)
    if row is None or answer.level not in TOWNS:
        return False
    return answer.insee == expected or (
        distance_km(answer.lat, answer.lon, gazetteer.lats[row], gazetteer.lons[row]) <= WITHIN_KM
    )


def test_every_code_is_a_commune_of_today(parser: Geoparser) -> None:
    codes = [expected for expected, _, _ in POSTS if expected[0] not in "-@" and ":" not in expected]
    assert len(codes) >= 150
    assert set(codes) <= parser.gazetteer.communes.keys()


def test_posts_are_placed_and_few_without_a_place_get_one(parser: Geoparser) -> None:
    right: Counter[bool] = Counter()
    posts: Counter[bool] = Counter()
    for expected, _, text in POSTS:
        answers = parser.locate(text, lang="fr")
        has_place = expected != "-"
        posts[has_place] += 1
        right[has_place] += is_right(expected, answers[0] if answers else None, parser.gazetteer)
    print(f"right {right[True] / posts[True]:.3f}, false {1 - right[False] / posts[False]:.3f}")  # noqa: T201  pytest -s
    assert posts[True] > 200
    assert posts[False] > 150
    assert right[True] / posts[True] >= LEAST_RIGHT
    assert 1 - right[False] / posts[False] <= MOST_FALSE
