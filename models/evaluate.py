"""Evaluation: the tables of the model card, measured on posts that the model has not learned from."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.gate import Gate
from models.hazard import HazardModel, opinions_from, verdicts_from
from models.lessons import lessons_from_corpus, lessons_from_public
from models.posts_corpus import CorpusPost, read_part
from models.public_posts import PublicPost, read_set
from models.reading import PostReading
from models.train import Encode, expert_opinions, fit, mean_f1

Table = dict[str, dict[str, float]]

LEFT_OUT = ("alberta_floods_2013", "hurricane_sandy_2012", "queensland_floods_2013")
"""The T6 incidents that are left out one by one; the two others are held back entirely."""

_BATCH = 64
_BINS = 10
_SURE = 0.5


def readings_of(model: HazardModel, posts: Sequence[CorpusPost]) -> list[PostReading]:
    """Read posts in batches, as the program does."""
    texts = [post.text for post in posts]
    return [
        reading
        for start in range(0, len(texts), _BATCH)
        for reading in model.read(texts[start : start + _BATCH], [None] * len(texts[start : start + _BATCH]))
    ]


def corpus_table(model: HazardModel, posts: Sequence[CorpusPost]) -> Table:
    """Measure each file by itself and all together."""
    readings = readings_of(model, posts)
    sources = sorted({post.source for post in posts})
    rows = {source: [n for n, post in enumerate(posts) if post.source == source] for source in sources}
    rows["all"] = list(range(len(posts)))
    return {name: _scores([posts[n] for n in chosen], [readings[n] for n in chosen]) for name, chosen in rows.items()}


def gate_table(gate: Gate, corpus: Path, public: Path | None) -> Table:
    """Measure which share of each kind of post the gate lets through."""
    shares: Table = {}
    for part in ("train", "test"):
        posts = read_part(corpus / part)
        for kind, has_hazard in (("incidents", True), ("others", False)):
            shares[f"corpus {part}, {kind}"] = _passed(gate, [p.text for p in posts if bool(p.hazards) == has_hazard])
    if public is not None:
        for name, texts in _public_kinds(public).items():
            shares[name] = _passed(gate, texts)
    return shares


def false_readings(model: HazardModel, public: Path) -> Table:
    """Count the everyday posts, not learned from, that are read as an incident; and those of them past the gate."""
    gate = Gate.load()
    learned = {lesson.text for lesson in lessons_from_public(public)}
    table: Table = {}
    for language in ("fr", "en"):
        texts = [post.text for post in read_set(public, f"background/umsab_{language}*") if post.text not in learned]
        read = model.read(texts, [None] * len(texts))
        wrong = [text for text, reading in zip(texts, read, strict=True) if reading.hazard != "none"]
        table[language] = {
            "posts": len(texts),
            "false per 1,000": round(1000 * len(wrong) / len(texts), 2),
            "false and through the gate, per 1,000": round(1000 * sum(map(gate, wrong)) / len(texts), 2),
        }
    return table


def left_out_table(corpus: Path, public: Path, encode: Encode) -> Table:
    """Train without one incident at a time; measure how well its posts are told from chatter around it."""
    lessons = lessons_from_corpus(read_part(corpus / "train"))
    table: Table = {}
    for incident in LEFT_OUT:
        learned = [*lessons, *lessons_from_public(public, without=[incident])]
        arrays, _ = fit(learned, encode)
        posts = list(read_set(public, f"t6/{incident}*"))[::4]
        texts = [post.text for post in posts]
        verdicts = verdicts_from(opinions_from(*expert_opinions(texts, arrays, encode), texts, Gate.load()), arrays)
        table[incident] = _left_out_scores(posts, verdicts)
    return table


def posts_per_second(read: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Measure one core's speed, in batches as the program reads them."""
    began = time.perf_counter()
    for start in range(0, len(texts), _BATCH):
        read(texts[start : start + _BATCH])
    return round(len(texts) / (time.perf_counter() - began))


def _left_out_scores(posts: Sequence[PublicPost], verdicts: NDArray[np.float64]) -> dict[str, float]:
    truth = [bool(post.hazards) for post in posts]
    anything = 1 - np.prod(1 - verdicts[:, :4], axis=1)
    own = {"flood": 1, "other": 3}[next(post.hazards[0] for post in posts if post.hazards)]
    return {
        "posts": len(posts),
        "AP, any hazard": round(float(average_precision_score(truth, anything)), 4),
        "AP, its own hazard": round(float(average_precision_score(truth, verdicts[:, own])), 4),
    }


def _scores(posts: Sequence[CorpusPost], readings: Sequence[PostReading]) -> dict[str, float]:
    truths = [frozenset(post.hazards) for post in posts]
    scores = {f"F1 {name}": value for name, value in mean_f1(truths, [r.hazard for r in readings]).items()}
    likeliest = [max(list(r.hazards.values())[:3]) for r in readings]
    scores["AP incident or not"] = round(float(average_precision_score([bool(t) for t in truths], likeliest)), 4)
    incidents = [n for n, post in enumerate(posts) if post.hazards]
    scores["actuality accuracy, incidents"] = _share([readings[n].actuality == posts[n].actuality for n in incidents])
    scores["actuality accuracy, all"] = _share(
        [reading.actuality == post.actuality for post, reading in zip(posts, readings, strict=True)]
    )
    scores["F1 witness, incidents"] = _binary_f1(
        [posts[n].is_witness for n in incidents], [readings[n].witness >= _SURE for n in incidents]
    )
    for number, hazard in enumerate(("fire", "flood", "industrial")):
        scores[f"ECE {hazard}"] = calibration_error(
            np.array([hazard in truth for truth in truths]),
            np.array([list(r.hazards.values())[number] for r in readings]),
        )
    return {"posts": len(posts), **scores}


def calibration_error(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """Return how far, on average, stated probabilities are from the share that was true (ten equal bins)."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(truth[bins == number].mean() - probabilities[bins == number].mean()) * (bins == number).mean()
        for number in range(_BINS)
        if (bins == number).any()
    ]
    return round(float(sum(gaps)), 4)


def _binary_f1(truth: Sequence[bool], said: Sequence[bool]) -> float:
    right = sum(t and s for t, s in zip(truth, said, strict=True))
    return round(2 * right / max(sum(truth) + sum(said), 1), 4)


def _share(answers: Sequence[bool]) -> float:
    return round(sum(answers) / max(len(answers), 1), 4)


def _passed(gate: Gate, texts: Sequence[str]) -> dict[str, float]:
    return {"posts": len(texts), "let through": _share([gate(text) for text in texts])}


def _public_kinds(public: Path) -> dict[str, list[str]]:
    kinds = {f"UMSAB {name}": [p.text for p in read_set(public, f"background/umsab_{name}*")] for name in ("fr", "en")}
    kinds["T6 off topic"] = [p.text for p in read_set(public, "t6/*") if not p.hazards]
    ours = {"fire", "flood", "industrial"}
    for language in ("en", "fr", "es", "pt"):
        kinds[f"T26 informative, {language}"] = [
            p.text
            for p in read_set(public, "t26/*")
            if p.is_informative and ours & set(p.hazards) and p.language == language
        ]
    kinds["IDRISI fire and flood, en"] = [p.text for p in read_set(public, "idrisi/*") if ours & set(p.hazards)]
    return {name: texts for name, texts in kinds.items() if texts}
