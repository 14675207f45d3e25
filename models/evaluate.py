"""Evaluation: the tables of the model card, measured on posts that the model has not learned from."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from models.calibration import calibration_error, sigmoid
from models.calibrators import cross_calibration_error
from models.gate import Gate
from models.gate_points import LEARNED_EVERY, everyday_texts
from models.hazard import HEADS, RELATED, VERDICTS, HazardModel, opinions_from
from models.lessons import lessons_from_public
from models.links import without_links
from models.material import FOLDS, Material, weights_for
from models.posts_corpus import CorpusPost, read_part
from models.public_posts import read_set
from models.reading import PostReading
from models.scores import mean_f1, named
from models.second_step import second_logits, verdict_answers
from models.sentence_vectors import SentenceVectors, Vocabulary
from models.train import Arrays, expert_opinions
from records import HAZARDS, SettingsError

Table = dict[str, dict[str, float]]
Numbers = NDArray[np.float64]

T6 = (
    "alberta_floods_2013",
    "boston_bombings_2013",
    "hurricane_sandy_2012",
    "oklahoma_tornado_2013",
    "queensland_floods_2013",
)
"""The incidents of CrisisLex T6; Boston and Oklahoma are never learned from."""

_BATCH = 64
_SURE = 0.5
_MEANING = slice(0, len(HEADS))
_WORDING = slice(len(HEADS), 2 * len(HEADS))
_FROZEN_FREEDOM = 5.0
_LINEAR_FREEDOM = 0.3
_ROUNDS = 300
_BEST_THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
_EVERY = 4  # T6 posts measured: one in so many


def readings_of(model: HazardModel, posts: Sequence[CorpusPost]) -> list[PostReading]:
    """Read posts in batches, as the program does."""
    texts = [post.text for post in posts]
    return [
        reading
        for start in range(0, len(texts), _BATCH)
        for reading in model.read(texts[start : start + _BATCH], [None] * len(texts[start : start + _BATCH]))
    ]


def corpus_table(model: HazardModel, posts: Sequence[CorpusPost]) -> Table:
    """Measure each file by itself, each language, and all together."""
    readings = readings_of(model, posts)
    rows = {source: [n for n, post in enumerate(posts) if post.source == source] for source in _sources(posts)}
    languages = sorted({post.language for post in posts})
    rows |= {f"all {name}": [n for n, post in enumerate(posts) if post.language == name] for name in languages}
    return {
        name: _scores([posts[n] for n in numbers], [readings[n] for n in numbers])
        for name, numbers in (rows | {"all": list(range(len(posts)))}).items()
    }


def _sources(posts: Sequence[CorpusPost]) -> list[str]:
    return sorted({post.source for post in posts})


def gate_table(gate: Gate, corpus: Path, public: Path | None) -> Table:
    """Measure what share of posts the gate lets through: of incident posts nearly all, of others few.

    Shape   "all …" rows last; "not learned from": everyday posts that the points were not learned from
    """
    test, train = read_part(corpus / "test"), read_part(corpus / "train")
    kinds: dict[str, list[str]] = {}
    for name, posts in (("test", test), ("train", train)):
        for language in ("fr", "en"):
            spoken = [post for post in posts if post.language == language]
            kinds[f"corpus {name} {language}, incidents"] = [post.text for post in spoken if post.hazards]
            kinds[f"corpus {name} {language}, others"] = [post.text for post in spoken if not post.hazards]
    if public is not None:
        kinds |= _public_kinds(public)
    incidents = [texts for name, texts in kinds.items() if "incidents" in name or name.startswith(("T26", "IDRISI"))]
    kinds["all incidents"] = list(chain.from_iterable(incidents))
    if public is not None:
        everyday = [texts for _, texts in everyday_texts(public)]
        kinds["all everyday posts"] = list(chain.from_iterable(everyday))
        kinds["all everyday posts, not learned from"] = [text for texts in everyday for text in texts[1::LEARNED_EVERY]]
    return {name: _passed(gate, texts) for name, texts in kinds.items()}


def false_readings(model: HazardModel, public: Path) -> Table:
    """Count the everyday posts, not learned from, that are read as an incident; and those of them past the gate.

    Errors  SettingsError where UMSAB is not there
    """
    gate = Gate.load()
    learned = {lesson.text for lesson in lessons_from_public(public)}
    table: Table = {}
    for language in ("fr", "en"):
        texts = [
            post.text
            for post in read_set(public, f"background/umsab_{language}*")
            if without_links(post.text) not in learned
        ]
        if not texts:
            raise SettingsError(f"{public}: no background/umsab_{language}* there: name the folder of the public sets")
        read = [reading for start in range(0, len(texts), _BATCH) for reading in _read(model, texts[start:][:_BATCH])]
        wrong = [text for text, reading in zip(texts, read, strict=True) if reading.hazard != "none"]
        table[f"UMSAB {language}"] = {
            "posts": len(texts),
            "false per 1,000": round(1000 * len(wrong) / len(texts), 2),
            "false and through the gate, per 1,000": round(1000 * sum(map(gate, wrong)) / len(texts), 2),
        }
    return table


def comparison_table(material: Material, shipped: Numbers) -> Table:
    """Compare what the second step may look at, always on authors that neither step has learned from.

    The last row is what is shipped; the others are weighed likewise, by a logistic regression an answer.

    Shape   shipped: as `unseen_opinions` gives them, like `opinions` below
    """
    with threadpool_limits(1):
        frozen = _frozen_opinions(material)
        sections = shipped[:, 2 * len(HEADS) :]
        choices = {
            "wording": shipped[:, _WORDING],
            "published vectors": frozen,
            "published vectors + wording": np.hstack((frozen, shipped[:, _WORDING])),
            "published vectors + wording + lexicon": np.hstack((frozen, shipped[:, _WORDING], sections)),
            "tuned vectors": shipped[:, _MEANING],
            "tuned vectors + lexicon": np.hstack((shipped[:, _MEANING], sections)),
            "tuned vectors + wording": shipped[:, : 2 * len(HEADS)],
            "tuned vectors + wording + lexicon": shipped,
        }
        table = {name: _unseen_scores(material, _linear(material, opinions)) for name, opinions in choices.items()}
        logits, _ = second_logits(material, shipped)
    return table | {
        "the same, everyday posts weighing more (shipped)": _unseen_scores(material, sigmoid(logits[:, :3]))
    }


def _linear(material: Material, opinions: Numbers) -> Numbers:
    """Return the probabilities of the three hazards that logistic regressions give lessons of other folds."""
    answers, said = verdict_answers(material), np.zeros((len(opinions), 3))
    for column in range(said.shape[1]):
        for fold in range(FOLDS):
            held = material.folds == fold
            known = ~held & ~np.isnan(answers[:, column])
            line = LogisticRegression(C=_LINEAR_FREEDOM, max_iter=_ROUNDS * 10)
            line.fit(opinions[known], answers[known, column], sample_weight=material.weights[known])
            said[held, column] = line.predict_proba(opinions[held])[:, 1]
    return said


def calibration_table(material: Material, opinions: Numbers) -> Table:
    """Compare ways of calibration by the error they leave on authors they were not fitted on."""
    with threadpool_limits(1):
        logits, _ = second_logits(material, opinions)
    answers = verdict_answers(material)
    table: Table = {}
    for language in ("fr", "en"):
        rows = _corpus_rows(material, language)
        for column, verdict in enumerate(VERDICTS[:3]):
            table[f"{verdict}, {language}"] = {
                method: cross_calibration_error(
                    logits[rows, column], answers[rows, column], material.folds[rows].tolist(), method
                )
                for method in ("as it comes", "beta", "isotonic")
            }
    return table


def left_out_table(material: Material, opinions: Numbers, learned: Mapping[int, Arrays], public: Path) -> Table:
    """Measure how well an incident's posts are told from chatter around it by experts that never saw it.

    One logistic regression for "related to a disaster" weighs their opinions; it, too, learns without the incident, and
    from public posts alone: of the corpus's nobody said whether they speak of another disaster, or in sympathy.
    Nobody has seen anything of a stream that is held back: there all experts speak, and their mean counts.
    """
    folds = {lesson.group: int(fold) for lesson, fold in zip(material.lessons, material.folds, strict=True)}
    gate, vocabulary = Gate.load(), Vocabulary()
    is_public = np.array([not (post.is_corpus or post.group.startswith("everyday/")) for post in material.lessons])
    groups = np.array([lesson.group for lesson in material.lessons])
    related, weights = material.targets[:, HEADS.index(RELATED)], weights_for(material, RELATED)
    table: Table = {}
    for incident in T6:
        rows = is_public & (groups != incident) & ~np.isnan(related)
        line = LogisticRegression(C=_LINEAR_FREEDOM, max_iter=_ROUNDS * 10)
        line.fit(opinions[rows], related[rows], sample_weight=weights[rows])
        posts = list(read_set(public, f"t6/{incident}*", is_held_back_too=True))[::_EVERY]
        texts = [without_links(post.text) for post in posts]
        unseeing = [learned[folds[incident]]] if incident in folds else list(learned.values())
        meaning, wording = np.mean([expert_opinions(texts, arrays, vocabulary) for arrays in unseeing], axis=0)
        said = line.decision_function(opinions_from(meaning, wording, texts, gate))
        score = average_precision_score([bool(post.hazards) for post in posts], said)
        table[incident] = {"posts": len(posts), "average precision": round(float(score), 4)}
    scores = [row["average precision"] for row in table.values()]
    return table | {"mean": {"average precision": round(float(np.mean(scores)), 4)}}


def _frozen_opinions(material: Material) -> Numbers:
    """Return what logistic regressions on the published encoder's vectors say of lessons they did not learn from."""
    vectors = SentenceVectors()([lesson.text for lesson in material.lessons]).astype(np.float64)
    opinions = np.zeros((len(vectors), len(HEADS)))
    for column in range(len(HEADS)):
        answers = material.targets[:, column]
        for fold in range(FOLDS):
            held = material.folds == fold
            known = ~held & ~np.isnan(answers)
            line = LogisticRegression(C=_FROZEN_FREEDOM, max_iter=_ROUNDS)
            line.fit(vectors[known], answers[known], sample_weight=material.weights[known])
            opinions[held, column] = line.decision_function(vectors[held])
    return opinions


def _unseen_scores(material: Material, said: Numbers) -> dict[str, float]:
    """Score the three hazards' probabilities of lessons that nothing was learned from."""
    threshold = _BEST_THRESHOLDS[int(np.argmax([_corpus_mean_f1(material, said, each) for each in _BEST_THRESHOLDS]))]
    scores: dict[str, float] = {"threshold": threshold}
    for language in ("fr", "en"):
        rows = _corpus_rows(material, language)
        truths = _truths(material, rows)
        incidents = [bool(truth) for truth in truths]
        scores |= {
            f"F1 {language}": mean_f1(truths, named(said[rows], threshold))["mean"],
            f"AP {language}": round(float(average_precision_score(incidents, said[rows].max(axis=1))), 4),
        }
    return scores


def _corpus_mean_f1(material: Material, said: Numbers, threshold: float) -> float:
    rows = np.concatenate([_corpus_rows(material, language) for language in ("fr", "en")])
    return mean_f1(_truths(material, rows), named(said[rows], threshold))["mean"]


def _truths(material: Material, rows: NDArray[np.int64]) -> list[frozenset[str]]:
    lessons = [material.lessons[row] for row in rows.tolist()]
    return [frozenset(name for name, is_so in lesson.hazards.items() if is_so) for lesson in lessons]


def _corpus_rows(material: Material, language: str) -> NDArray[np.int64]:
    return np.array(
        [n for n, lesson in enumerate(material.lessons) if lesson.is_corpus and lesson.language == language],
        dtype=np.int64,
    )


def _read(model: HazardModel, texts: Sequence[str]) -> list[PostReading]:
    return model.read(texts, [None] * len(texts))


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
    for hazard in HAZARDS[:3]:
        scores[f"ECE {hazard}"] = calibration_error(
            np.array([hazard in truth for truth in truths]), np.array([r.hazards[hazard] for r in readings])
        )
    scores["ECE incident or not"] = calibration_error(np.array([bool(t) for t in truths]), np.array(likeliest))
    return {"posts": len(posts), **scores}


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
    for language in ("en", "fr", "es", "pt", "tl", None):
        kinds[f"T26 informative, {language or 'no language told'}"] = [
            p.text
            for p in read_set(public, "t26/*")
            if p.is_informative and ours & set(p.hazards) and p.language == language
        ]
    kinds["IDRISI fire and flood, en"] = [p.text for p in read_set(public, "idrisi/*") if ours & set(p.hazards)]
    return {name: texts for name, texts in kinds.items() if texts}
