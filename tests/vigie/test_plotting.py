"""`--plots DIR`: refused before anything is measured, or PNGs in the folder in the end."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from records import SettingsError
from tests.benchmarks.test_bench_plots import FOUR, LATENCY, ONE, THROUGHPUT
from vigie.plotting import write_plots

Runs = Callable[..., Result]
PNG = b"\x89PNG\r\n\x1a\n"
COMMANDS = {
    "throughput": ("bench", "throughput"),
    "latency": ("bench", "latency"),
    "scale": ("bench", "scale"),
    "detection": ("bench", "detection", "--quick"),
    "backtest": ("backtest", "posts.jsonl"),
}
MADE_UP: dict[str, Any] = {"throughput": THROUGHPUT, "latency": LATENCY, "scale": [ONE, FOUR]}


@pytest.mark.parametrize("name", COMMANDS)
def test_without_matplotlib_it_is_said_at_once_how_to_come_by_it(
    name: str, vigie: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = vigie(*COMMANDS[name], "--plots", tmp_path / "plots")
    assert result.exit_code == 2
    assert result.stderr == "vigie: --plots: matplotlib is not installed: pip install -e '.[bench]' in the checkout\n"
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("below", [".", "deep/down"])
def test_a_file_in_the_place_of_the_folder_is_refused_at_once(
    name: str, below: str, vigie: Runs, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    result = vigie(*COMMANDS[name], "--plots", tmp_path / "taken" / below)
    assert result.exit_code == 2
    assert f"{tmp_path}/taken is a file; give a folder" in result.stderr
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", MADE_UP)
def test_the_report_is_printed_and_its_plot_written(
    name: str, vigie: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is measured takes half a minute, and is made up here."""
    monkeypatch.setattr(importlib.import_module(f"vigie.bench.{name}"), name, lambda *_: MADE_UP[name])
    result = vigie("bench", name, "--plots", tmp_path / "deep" / "plots")
    assert result.exit_code == 0, result.output
    assert all(
        json.loads(line)["posts_per_sec" if name != "latency" else "p50_secs"] for line in result.stdout.splitlines()
    )
    path = tmp_path / "deep" / "plots" / f"{name}.png"
    assert result.stderr == f"written: {path}\n"
    assert path.read_bytes().startswith(PNG)
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize("name", MADE_UP)
def test_without_the_option_nothing_is_drawn(
    name: str, vigie: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is matplotlib needed; what is measured is made up."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(importlib.import_module(f"vigie.bench.{name}"), name, lambda *_: MADE_UP[name])
    result = vigie("bench", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_plot_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "flat.png").mkdir()
    with pytest.raises(SettingsError, match=f"--plots {tmp_path}: Is a directory; give another place"):
        write_plots({"flat": lambda axes: axes.plot([0, 1])}, tmp_path)
