"""Learning: what decisions teach the hazard model: `python tests/benchmarks/learning.py`.

Two simulations: a flare's posts, of our own writing, rejected; and posts of two authors of the corpus's test part,
which the model has not learned from, a fifth of them decided wrongly. A lesson weighs what it would weigh in a town.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score

from console.archive.lessons import weight_of
from models.correcting import corrected
from models.hazard import WEIGHTS, HazardModel, read_arrays, write_arrays
from models.lessons import lessons_from_corpus, lessons_from_everyday
from models.posts_corpus import CORPUS, CorpusPost, read_part
from models.reading import PostReading
from models.verdict_lessons import lessons_from_verdicts
from records import words_of
from records.decided_post import DecidedAs, DecidedPost
from streams.enrich import SIGNALS_SHARE
from vigie.model_promoting import words_on
from vigie.teaching import teach

FLARE = (
    "la torchère de la raffinerie crache une énorme flamme ce soir",
    "encore la torche de la raffinerie qui brûle, le ciel est tout orange",
    "la raffinerie éclaire tout le quartier avec sa torchère",
    "flamme gigantesque et fumée noire au-dessus de la raffinerie",
    "ça brûle fort à la raffinerie ce soir, on voit la flamme depuis l'autoroute",
    "la torche est repartie, grosse flamme et gros bruit à la raffinerie",
    "énorme flamme à la raffinerie, tout le ciel est rouge",
    "c'est quoi cette flamme énorme au-dessus de la raffinerie ?",
    "la torchère crache le feu depuis une heure, ça gronde jusqu'ici",
    "ciel orange au-dessus de la zone industrielle, la torche brûle à fond",
    "la raffinerie brûle ses gaz, flamme de vingt mètres et fumée noire",
    "on se croirait en plein jour avec la torchère de la raffinerie",
)
LIKE_IT = (
    "le ciel est orange, c'est la torche de la raffinerie",
    "grosse flamme en haut de la torchère ce soir",
    "la raffinerie a rallumé sa torche, on la voit de partout",
    "flamme et fumée noire à la raffinerie, ça fait un bruit de réacteur",
    "la torchère illumine toute la vallée",
    "énorme flamme au-dessus de la raffinerie vue de mon balcon",
    "la torche brûle à fond, il fait jour à minuit",
    "encore une flamme géante à la raffinerie",
)
REAL_THERE = (
    "ça sent le brûlé à la raffinerie, un bac a pris feu",
    "un bac est en feu à la raffinerie, les sirènes sonnent",
    "les pompiers arrivent à la raffinerie, il y a des blessés",
    "la police ferme la route de la raffinerie, il y a eu une explosion",
    "feu à la raffinerie, on nous dit de rester enfermés",
)
REAL_ELSEWHERE = (
    "un entrepôt brûle près de la gare, on entend les sirènes",
    "il y a le feu dans la cage d'escalier, on est bloqués au quatrième",
    "la cave de l'immeuble a pris feu, on est tous dehors",
)
POSTS_AN_INCIDENT = 3  # of the flare
TAUGHT_BY = ("en-2", "fr-3")  # authors of the corpus's test part
WRONG = 0.2  # share of decisions that are
AS: dict[str, DecidedAs] = {"past": "old", "exercise": "exercise"}


class Judged(NamedTuple):
    """A post, and what is true of it: "" where it speaks of nothing that happens."""

    text: str
    hazard: str
    rejected_as: DecidedAs = "figurative"


def told(line: str) -> None:
    """Say one line on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def read_by(model: HazardModel, texts: Sequence[str]) -> list[PostReading]:
    """Return what a model reads."""
    return model.read(texts, [None] * len(texts))


def lesson(post: Judged, reading: PostReading, group: int, of_group: int = 1) -> DecidedPost:
    """Return what a decision says of a post, weighed as the archive weighs it."""
    ratio = max(reading.likelihood_ratios.values()) * SIGNALS_SHARE
    return DecidedPost(
        text=post.text,
        known_by=words_of(post.text),
        group=str(group),
        decided_as="confirmed" if post.hazard else post.rejected_as,
        hazard=post.hazard or None,  # type: ignore[arg-type]
        weight=weight_of(ratio, of_group),
    )


def decisions(posts: Sequence[Judged], readings: Sequence[PostReading]) -> list[DecidedPost]:
    """Return what people would decide of posts that are read as a danger, each by itself, some of it wrong."""
    chance = Random(0)  # noqa: S311  no secret
    found = []
    for number, (post, reading) in enumerate(zip(posts, readings, strict=True)):
        if reading.hazard == "none":
            continue
        wrong = post._replace(hazard="" if post.hazard else reading.hazard)
        found.append(lesson(wrong if chance.random() < WRONG else post, reading, number))
    return found


def precision(posts: Sequence[Judged], readings: Sequence[PostReading]) -> float:
    """Return how well a model tells what happens from what does not."""
    said = [max(reading.hazards.values()) for reading in readings]
    return float(average_precision_score([bool(post.hazard) for post in posts], said))


def corpus_post(post: CorpusPost) -> Judged:
    """Return a post of the corpus, as somebody who knows would judge it."""
    return Judged(post.text, post.main_hazard if post.hazards else "", AS.get(post.actuality, "figurative"))


def generalised(shipped: HazardModel) -> None:
    """Learn from posts of two authors, measure on those of the others, and say it."""
    train, everyday, test = (read_part(CORPUS / name) for name in ("train", "everyday", "test"))
    held = [one.text for one in [*lessons_from_corpus(train), *lessons_from_everyday(everyday)]]
    taught = [corpus_post(post) for post in test if post.source in TAUGHT_BY]
    others = [corpus_post(post) for post in test if post.source not in TAUGHT_BY]
    lessons = decisions(taught, read_by(shipped, [post.text for post in taught]))
    with tempfile.TemporaryDirectory() as folder:
        write_arrays(Path(folder), corrected(read_arrays(WEIGHTS), lessons_from_verdicts(lessons), held))
        candidate = HazardModel.load(Path(folder))
    texts = [post.text for post in others]
    before, after = (precision(others, read_by(model, texts)) for model in (shipped, candidate))
    told(f"{len(lessons)} lessons of two authors, average precision on {len(others)} posts of the others:")
    told(f"{before:.4f} shipped, {after:.4f} candidate")


def times(shipped: HazardModel, candidate: HazardModel, texts: Sequence[str]) -> str:
    """Return what becomes of the likelihood ratios that detectors take: their geometric mean."""
    before, after = (
        [max(one.likelihood_ratios.values()) for one in read_by(model, texts)] for model in (shipped, candidate)
    )
    return f"{np.exp(np.mean(np.log(after) - np.log(before))):.2f}, of {len(texts)} posts"


def flare(shipped: HazardModel) -> None:
    """Reject a flare's posts, and say what becomes of others like them, of real ones, and of all that is measured."""
    lessons = [
        lesson(Judged(text, ""), reading, number // POSTS_AN_INCIDENT, POSTS_AN_INCIDENT)
        for number, (text, reading) in enumerate(zip(FLARE, read_by(shipped, FLARE), strict=True))
    ]
    with tempfile.TemporaryDirectory() as folder:
        told(words_on(teach(lessons, None, Path(folder), told)))
        candidate = HazardModel.load(Path(folder))
    told(f"the flare's {len(lessons)} posts weigh {sum(one.weight for one in lessons):.1f} together")
    told(f"likelihood ratios of posts like them: times {times(shipped, candidate, LIKE_IT)}")
    told(f"of real ones at the refinery: times {times(shipped, candidate, REAL_THERE)}")
    told(f"of real ones elsewhere: times {times(shipped, candidate, REAL_ELSEWHERE)}")


def main() -> None:
    """Measure and print."""
    began = time.process_time()
    shipped = HazardModel.load()
    flare(shipped)
    generalised(shipped)
    told(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
