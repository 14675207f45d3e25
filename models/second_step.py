"""Second step: what the experts' opinions come to together; fitted and calibrated on opinions about the unseen."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.calibrators import beta_calibration
from models.gate import Gate
from models.hazard import VERDICTS, actualities_from, calibrated, logits_from
from models.material import FOLDS, Material, weights_for
from models.scores import mean_f1, named
from records import ACTUALITIES, SettingsError

Numbers = NDArray[np.float64]
Arrays = dict[str, Numbers]

THRESHOLDS = np.arange(0.2, 0.81, 0.02)
MOST_FALSE = 0.001
"""Share of real everyday posts that may pass the gate and be read as an incident at the working threshold."""

_BACKGROUND, _EVERYDAY = 4.0, 2.0
_FREEDOM = 0.3  # inverse strength of the pull to zero
_ROUNDS = 3000
_FEWEST_EXAMPLES = 2
_LEAST_SHARE = 1e-4


def second_step(material: Material, opinions: Numbers) -> tuple[Arrays, dict[str, float]]:
    """Return the second step's arrays, calibrated on groups it had not seen, and its F1 scores there."""
    arrays = _fitted(material, opinions, np.ones(len(opinions), dtype=bool))
    logits, _ = second_logits(material, opinions)
    answers = verdict_answers(material)
    for column, verdict in enumerate(VERDICTS):
        known = ~np.isnan(answers[:, column])
        weights = _weights(material, verdict)[known]
        arrays["beta"][:, column] = beta_calibration(logits[known, column], answers[known, column], weights)
    verdicts = calibrated(logits, arrays)
    threshold = threshold_for(material, verdicts)
    return arrays | {"threshold": np.array([threshold])}, corpus_f1(material, verdicts, threshold)


def second_logits(material: Material, opinions: Numbers) -> tuple[Numbers, NDArray[np.str_]]:
    """Return the log-odds and the actuality that the second step gives each lesson without its own fold."""
    logits = np.zeros((len(opinions), len(VERDICTS)))
    when = np.full(len(opinions), "", dtype="<U12")
    for fold in range(FOLDS):
        held = material.folds == fold
        arrays = _fitted(material, opinions, ~held)
        logits[held] = logits_from(opinions[held], arrays)
        when[held] = np.array(ACTUALITIES)[actualities_from(opinions[held], arrays).argmax(axis=1)]
    return logits, when


def verdict_answers(material: Material) -> Numbers:
    """Return what is true of each lesson: 1, 0, or NaN where nobody knows, a column a verdict."""
    answers = material.targets[:, : len(VERDICTS)].copy()
    for row, lesson in enumerate(material.lessons):
        known = lesson.is_corpus or not any(lesson.hazards.values())
        answers[row, -1] = float(bool(lesson.is_witness)) if known else np.nan
    return answers


def threshold_for(material: Material, verdicts: Numbers) -> float:
    """Return the threshold with the best mean F1 over the corpus's posts among those that spare everyday posts."""
    gate, everyday = Gate.load(), np.flatnonzero(_is_of(material, "background/"))
    passed = [row for row in everyday.tolist() if gate(material.lessons[row].text)]
    most = MOST_FALSE * len(everyday)
    allowed = [t for t in THRESHOLDS if (verdicts[passed, :3] >= t).any(axis=1).sum() <= most] or [THRESHOLDS[-1]]
    return round(float(max(allowed, key=lambda threshold: corpus_f1(material, verdicts, threshold)["mean"])), 2)


def corpus_f1(material: Material, verdicts: Numbers, threshold: float) -> dict[str, float]:
    """Return the F1 of each class, and their mean, over the corpus's posts."""
    rows = [row for row, lesson in enumerate(material.lessons) if lesson.is_corpus]
    truths = [frozenset(name for name, is_so in material.lessons[row].hazards.items() if is_so) for row in rows]
    return mean_f1(truths, named(verdicts[rows], threshold))


def _is_of(material: Material, *groups: str) -> NDArray[np.bool_]:
    return np.array([lesson.group.startswith(groups) for lesson in material.lessons])


def _weights(material: Material, verdict: str) -> Numbers:
    """Return what each lesson weighs here: everyday posts more than the corpus's, for nearly all posts are such."""
    weights = np.where(_is_of(material, "everyday/"), _EVERYDAY, weights_for(material, verdict))
    return np.where(_is_of(material, "background/"), _BACKGROUND, weights)


def _fitted(material: Material, opinions: Numbers, chosen: NDArray[np.bool_]) -> Arrays:
    answers, columns = verdict_answers(material), len(VERDICTS)
    slopes, offsets, rates = np.zeros((opinions.shape[1], columns)), np.zeros(columns), np.zeros(columns)
    for column, verdict in enumerate(VERDICTS):
        known = np.flatnonzero(chosen & ~np.isnan(answers[:, column]))
        answer, weights = answers[known, column], _weights(material, verdict)[known]
        rates[column] = max(float(np.average(answer, weights=weights)), _LEAST_SHARE)
        offsets[column] = np.log(rates[column] / (1 - rates[column]))
        if min(answer.sum(), len(answer) - answer.sum()) >= _FEWEST_EXAMPLES:
            line = LogisticRegression(C=_FREEDOM, max_iter=_ROUNDS).fit(opinions[known], answer, sample_weight=weights)
            slopes[:, column], offsets[column] = line.coef_[0], line.intercept_[0]
    beta = np.tile([[1.0], [1.0], [0.0]], columns)  # changes nothing
    verdicts = {"verdict": slopes, "verdict_offset": offsets, "beta": beta, "base_rates": rates}
    return verdicts | _actualities(material, opinions, chosen)


def _actualities(material: Material, opinions: Numbers, chosen: NDArray[np.bool_]) -> Arrays:
    when = np.array([lesson.actuality or "" for lesson in material.lessons])
    told = np.flatnonzero(chosen & (when != ""))
    classes = LogisticRegression(C=_FREEDOM, max_iter=_ROUNDS).fit(opinions[told], when[told])
    order = [list(classes.classes_).index(name) for name in ACTUALITIES if name in classes.classes_]
    if len(order) != len(ACTUALITIES):
        raise SettingsError(f"corpus: actualities {list(classes.classes_)} only: each of {ACTUALITIES} is needed")
    return {"actuality": classes.coef_[order].T, "actuality_offset": classes.intercept_[order]}
