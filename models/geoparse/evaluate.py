"""Score the geoparser on posts with gold places, and on one generated post per French commune.

Source  IDRISI-DE: Suwaileh, Elsayed, Imran, ArabicNLP 2023; the file's own README names its terms
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from models.geoparse.evidence import word_zipf
from models.geoparse.geoparser import Geoparser
from models.geoparse.group import GroupVote, Said
from models.places.folding import bare, fold_name
from models.places.gazetteer import Gazetteer
from models.places.geometry import distance_km
from records import Place

NEAR_KM = 161.0  # a hundred miles, the customary measure
TOWN_TYPES = frozenset({"City", "City/town"})
TOWN_LEVELS = frozenset({"commune", "quartier", "site"})


def posts_in(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the posts of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def evaluate(path: Path, geoparser: Geoparser | None = None) -> dict[str, float]:
    """Return the scores on a file of posts with gold places.

    Shape   city_accuracy161 and city_median_km: gold towns whose name was read as a place, found where they are;
            precision: places answered that lie at a gold place, or hold one; city_recall: gold towns answered at all
    """
    gazetteer = geoparser.gazetteer if geoparser is not None else Gazetteer()
    parser = Geoparser(gazetteer, votes=GroupVote(gazetteer))
    counts: Counter[str] = Counter()
    distances: list[float] = []
    for post in posts_in(path):
        gold = [place for place in post["locations"] if place.get("lat") is not None]
        said = Said(post["event"], post["id"], datetime.fromisoformat(post["ts"]).timestamp())
        answers = parser.locate(post["text"], lang=post.get("lang"), said=said)
        meanings = dict(parser.meanings(post["text"], lang=post.get("lang"), said=said))
        _count_answers(counts, answers, gold)
        for town in (place for place in gold if place["type"] in TOWN_TYPES):
            counts["cities"] += 1
            counts["cities_found"] += any(_at(place, town) for place in answers if place.level != "country")
            meant = meanings.get(fold_name(town["text"]))
            if meant is not None and meant.level in TOWN_LEVELS:
                distances.append(distance_km(meant.lat, meant.lon, town["lat"], town["lon"]))
    right = sum(km <= NEAR_KM for km in distances)
    return {
        "city_accuracy161": right / max(1, len(distances)),
        "city_median_km": median(distances) if distances else float("nan"),
        "city_recall": counts["cities_found"] / max(1, counts["cities"]),
        "cities": counts["cities"],
        "cities_read": len(distances),
        "precision": counts["right"] / max(1, counts["answers"]),
        "answers": counts["answers"],
        "posts_placed": counts["placed"] / max(1, counts["posts"]),
    }


def _count_answers(counts: Counter[str], answers: list[Place], gold: list[dict[str, Any]]) -> None:
    counts["posts"] += 1
    counts["placed"] += bool(answers)
    counts["answers"] += len(answers)
    counts["right"] += sum(any(_agrees(place, other) for other in gold) for place in answers)


def _at(place: Place, gold: dict[str, Any]) -> bool:
    return distance_km(place.lat, place.lon, gold["lat"], gold["lon"]) <= NEAR_KM


def _agrees(place: Place, gold: dict[str, Any]) -> bool:
    """Tell whether an answer is right: near the gold place, or an area of its country that reaches it."""
    if place.level == "country":
        return place.country == str(gold.get("country") or "").upper() or _at(place, gold)
    km = distance_km(place.lat, place.lon, gold["lat"], gold["lon"])
    return km <= max(NEAR_KM, 1.3 * place.radius_km if place.level == "region" else 0.0)


def preposition_of(name: str) -> str:
    """Return a commune's name after "à", contracted as French does: "au Havre", "aux Pins", "à Rouen"."""
    for article, contracted in (("Le ", "au "), ("Les ", "aux ")):
        if name.startswith(article):
            return contracted + name.removeprefix(article)
    return f"à {name}"


def generated_posts(gazetteer: Gazetteer) -> Iterator[tuple[str, str, str]]:
    """Yield INSEE code, post with the département and post without, for each commune."""
    for insee, row in gazetteer.communes.items():
        plain = f"incendie {preposition_of(gazetteer.names[row])}"
        yield insee, f"{plain} ({gazetteer.deps[row]})", plain


def evaluate_generated(geoparser: Geoparser, *, every: int = 1) -> dict[str, Any]:
    """Return the share of generated posts that give their own commune, and the codes that do not."""
    gazetteer = geoparser.gazetteer
    posts = list(generated_posts(gazetteer))[::every]
    missed = [insee for insee, qualified, _ in posts if first_insee(geoparser, qualified) != insee]
    plain = [(insee, post) for insee, _, post in posts if _is_unique(gazetteer, insee)]
    plain_missed = [insee for insee, post in plain if first_insee(geoparser, post) != insee]
    return {
        "posts": len(posts),
        "right": 1 - len(missed) / max(1, len(posts)),
        "missed": missed,
        "plain_posts": len(plain),
        "plain_right": 1 - len(plain_missed) / max(1, len(plain)),
        "plain_missed": plain_missed,
    }


def first_insee(geoparser: Geoparser, text: str) -> str | None:
    """Return the INSEE code of a post's first place."""
    places: Iterable[Place] = geoparser.locate(text, lang="fr")
    return next((place.insee for place in places), None)


def _is_unique(gazetteer: Gazetteer, insee: str) -> bool:
    key = fold_name(gazetteer.names[gazetteer.communes[insee]])
    flags = gazetteer.flags.get(bare(key))
    if flags is not None and (word_zipf(flags, "fr") or flags.is_first_name):
        return False
    return len(gazetteer.rows_named(key)) == 1
