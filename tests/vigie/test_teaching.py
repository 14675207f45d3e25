"""Teaching: what is refused before anything is learned, and that a candidate comes out whole, with its report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from models.candidate import OnScenario, read_candidate
from models.hazard import VERSION, WEIGHTS, HazardModel
from models.posts_corpus import CORPUS, read_part
from records import SettingsError, SystemClock, words_of
from records.decided_post import DecidedPost
from vigie import teaching
from vigie.model_promoting import words_on
from vigie.scenarios.scenario import scenario_from
from vigie.settings import Settings
from vigie.teaching import decided_in, teach
from vigie.teaching_replay import on_scenario

TEXT = "la torchère de la raffinerie crache une énorme flamme ce soir"
ONE = DecidedPost(text=TEXT, known_by=words_of(TEXT), group="g", decided_as="figurative", weight=0.9)


def silent(_: str) -> None:
    """Say nothing."""


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing to learn from"):
        teach([], None, tmp_path, silent)


def test_the_shipped_model_is_not_written_over() -> None:
    with pytest.raises(SettingsError, match="a candidate needs one of its own"):
        teach([ONE], None, WEIGHTS, silent)


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_learned(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    with pytest.raises(SettingsError, match="cannot be made"):
        teach([ONE], None, taken, silent)


def test_what_was_decided_in_an_exercise_is_no_lesson(loaded: Callable[[str], Settings]) -> None:
    settings = loaded('[territory]\ncommune = "76351"\n[console]\nis_exercise = true\n')
    with pytest.raises(SettingsError, match="an exercise is no lesson"):
        decided_in(settings, SystemClock())


def test_a_folder_for_the_candidate_must_be_named(vigie: Callable[..., Result], written: Callable[[str], Path]) -> None:
    settings = written('[territory]\ncommune = "76351"\n')
    done = vigie("train", "--with-verdicts", "--settings", settings)
    assert (done.exit_code, "--out: is missing" in done.output) == (2, True)


def test_a_candidate_comes_out_whole_and_keeps_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few other texts, a few test posts and no scenario: the parts have tests of their own."""
    few = [post.text for post in read_part(CORPUS / "train")[::200]]
    monkeypatch.setattr(teaching, "_others", lambda public: few)
    monkeypatch.setattr(teaching, "read_part", lambda folder: read_part(folder)[::25])
    monkeypatch.setattr(teaching, "library", dict)
    report = teach([ONE], None, tmp_path, silent)
    assert read_candidate(tmp_path).report == report
    assert (report.shipped, report.lessons, report.held_in_place_by) == (
        VERSION,
        {"rejected: figurative": 1},
        len(few),
    )
    assert report.version.startswith(f"{VERSION}+")
    assert {path.name for path in tmp_path.iterdir()} == {"hazard-4.npz", "SHA256SUMS", "report.json"}
    for path in tmp_path.iterdir():
        assert TEXT.encode() not in path.read_bytes()
        assert ONE.known_by.encode() not in path.read_bytes()
    assert "hazard, mean F1, fr" in words_on(report)


class Deaf:
    """A stub of a model that reads danger nowhere."""

    version = "deaf/1"

    def __init__(self, model: Any) -> None:
        self._model = model

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Any]:
        return self._model.read(["bonjour à tous"] * len(texts), list(langs))  # type: ignore[no-any-return]


def test_a_model_that_misses_what_happens_in_a_scenario_is_worse() -> None:
    model = HazardModel.load()
    found = on_scenario(scenario_from("undeclared"), model, Deaf(model))  # type: ignore[arg-type]
    assert isinstance(found, OnScenario)
    assert (found.missed_shipped, found.is_) == (0, "worse")
    assert found.missed_candidate > 0
