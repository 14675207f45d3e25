"""`vigie evaluate`: the model card's tables and diagram, without any data but the corpus."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from models.corpus_findings import CorpusReport, Finding
from vigie.evaluate import markdown

Runs = Callable[..., Result]


def test_prints_the_tables_and_draws_the_diagram(vigie: Runs, tmp_path: Path) -> None:
    result = vigie("evaluate", "--diagram", tmp_path / "reliability.png")
    assert result.exit_code == 0, result.stderr
    headings = [line for line in result.stdout.splitlines() if line.startswith("## ")]
    assert headings == ["## Test part of the corpus", "## Let through by the gate", "## Loading"]
    assert "| all fr | 1061 |" in result.stdout
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_scores_the_placing_of_posts(vigie: Runs) -> None:
    result = vigie("evaluate", "--places")
    assert result.exit_code == 0, result.stderr
    assert "## One generated post for each commune" in result.stdout
    assert "| all communes | 34875 | 1 |" in result.stdout


def test_checks_the_corpus_and_fails_where_something_is_refused(vigie: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "fr-9.tsv: line 2: the same words as fr-8.tsv: line 2"
    refused = Finding(kind="copy", is_refused=True, strength=1.0, message=message)
    for findings, status in (((), 0), ((refused,), 1)):
        found = CorpusReport(posts={"fr-8.tsv": 100}, findings=findings)
        monkeypatch.setattr("vigie.evaluate.corpus_report", lambda found=found: found)
        result = vigie("evaluate", "--corpus")
        assert result.exit_code == status, result.stderr
        assert f"{len(findings)} findings refused" in result.stdout
        assert (message in result.stdout) == bool(findings)


def test_the_training_tables_need_the_data_it_learned_from(vigie: Runs, tmp_path: Path) -> None:
    result = vigie("evaluate", "--work", tmp_path)
    assert result.exit_code == 2
    assert "--work: the training's tables need --public-data" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(("--corpus", "--work", "."), "--corpus: checks the corpus and nothing else", id="two wishes"),
        pytest.param(("--diagram", "nowhere/at/all.png"), "--diagram: there is no folder", id="no folder"),
        pytest.param(("--places", "--public-data", "."), "has no geo/idrisi_d_en.jsonl.gz", id="no gold places"),
        pytest.param(("--public-data", ".", "--work", "none"), "none: keeps nothing of a training", id="nothing kept"),
    ],
)
def test_refuses_before_it_measures(vigie: Runs, arguments: tuple[str, ...], complaint: str) -> None:
    result = vigie("evaluate", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        pytest.param(
            {"a": {"x": 0.5, "y": 2}, "b": {"y": 0.123456789}},
            ["## T", "", "| | x | y |", "|---|---|---|", "| a | 0.5 | 2 |", "| b |  | 0.123457 |"],
            id="a missing cell stays empty",
        ),
    ],
)
def test_a_table_is_markdown(table: dict[str, dict[str, float]], lines: list[str]) -> None:
    assert markdown("T", table).splitlines() == lines
