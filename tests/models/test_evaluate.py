"""Evaluation: the measures themselves."""

from pathlib import Path

import pytest

from models.evaluate import corpus_table, false_readings, gate_table
from models.gate import Gate
from models.posts_corpus import CORPUS, CorpusPost
from models.reading import PostReading
from records import HAZARDS, SettingsError


class Knowing:
    """A reader that reads the answer, which stands in the text."""

    def read(self, texts: list[str], _langs: list[str | None]) -> list[PostReading]:
        return [
            PostReading(
                language="fr",
                hazards={name: float(name in text) for name in HAZARDS},
                hazard=next((name for name in ("fire", "flood", "industrial") if name in text), "none"),
                witness=float("seen" in text),
                actuality="past" if "past" in text else "now",
                likelihood_ratios=dict.fromkeys(HAZARDS, 1.0),
                class_shares=dict.fromkeys(HAZARDS, 0.1),
            )
            for text in texts
        ]


def _post(text: str, *, source: str = "fr-1", wrong: bool = False) -> CorpusPost:
    hazards = tuple(name for name in ("fire", "flood", "industrial") if name in text)
    return CorpusPost(
        hazards=() if wrong else hazards,
        actuality="past" if "past" in text else "now" if hazards and not wrong else "other",
        is_witness="seen" in text,
        text=text,
        source=source,
        line=2,
    )


def test_a_reader_who_knows_all_has_full_marks() -> None:
    posts = [_post(text) for text in ("fire seen", "flood past", "industrial", "nothing", "hello")] * 3
    row = corpus_table(Knowing(), posts)["all"]  # type: ignore[arg-type]
    assert [row["F1 mean"], row["AP incident or not"], row["F1 witness, incidents"]] == [1, 1, 1]
    assert [row["ECE fire"], row["ECE incident or not"], row["actuality accuracy, incidents"]] == [0, 0, 1]


def test_mistakes_cost_where_they_are_made() -> None:
    posts = [_post("fire"), _post("fire", wrong=True), _post("flood", source="en-1"), _post("industrial"), _post("x")]
    table = corpus_table(Knowing(), posts)  # type: ignore[arg-type]
    assert table["all"]["F1 fire"] == pytest.approx(2 / 3, abs=1e-3)
    assert table["all"]["F1 flood"] == table["en-1"]["F1 flood"] == table["all en"]["F1 flood"] == 1
    assert table["all"]["ECE fire"] == pytest.approx(0.2)


def test_the_gate_is_measured_on_incidents_and_others_apart() -> None:
    table = gate_table(Gate.load(), CORPUS, None)
    assert table["corpus test fr, incidents"]["posts"] + table["corpus test fr, others"]["posts"] > 600
    assert table["corpus train fr, incidents"]["let through"] > table["corpus train fr, others"]["let through"]
    apart = [name for name in table if "incidents" in name and not name.startswith("all")]
    assert table["all incidents"]["posts"] == sum(table[name]["posts"] for name in apart)


def test_false_readings_need_everyday_posts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no background/umsab_fr"):
        false_readings(Knowing(), tmp_path)  # type: ignore[arg-type]
