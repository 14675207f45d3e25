"""`vigie trust`: the same figures as on the page, in French and English; the proposal; what goes into the metrics."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from console.archive.database import address_from, opened
from console.archive.taking import Record, take
from detectors.profile import profile_from
from records import Alert, SystemClock, Verdict
from tests.console.made import MORNING, a_pulse
from tests.console.trust.told import past, told
from vigie.cli import main
from vigie.metrics import CONSOLE
from vigie.trust_watch import TrustWatch, measure

NOW = SystemClock().now()


def lately(rows: Iterator[Record], days: float) -> Iterator[Record]:
    """Move what was told on that morning to so many days ago."""
    moved = NOW - timedelta(days=days) - MORNING
    for one in rows:
        if isinstance(one, Alert):
            yield replace(one, onset=one.onset + moved, raised_at=one.raised_at + moved)
        elif isinstance(one, Verdict):
            yield replace(one, decided_at=one.decided_at + moved)


@pytest.fixture
def trust(tmp_path: Path) -> Callable[..., Result]:
    """Fill an archive with a month of false watches and one true one, and run the command on it."""
    (tmp_path / "vigie.toml").write_text(
        f'[territory]\ncommune = "76351"\n[data]\ndir = "{tmp_path}"\n', encoding="utf-8"
    )
    rows = [one for number in range(60) for one in lately(told(f"f-{number}", "reject", profile="city/2"), 20)]
    rows += [*lately(told("true", "confirm", alert_at=4.0, profile="city/2"), 20)]
    rows += [*lately(told("older", profile="city/2"), 40)]
    rows += [a_pulse(minute=NOW - timedelta(hours=hour)) for hour in range(27 * 24)]

    async def fill() -> None:
        engine = await opened(address_from(f"sqlite:///{tmp_path / 'console.sqlite'}"))
        await take(engine, rows, NOW)
        await engine.dispose()

    asyncio.run(fill())

    def run(*arguments: str) -> Result:
        settings = ["--settings", str(tmp_path / "vigie.toml")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["trust", *settings, *arguments])

    return run


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("is not the truth", "1 of 61, between 0 and 9 %", "10 min (cases: 1", "how much Vigie misses is not")),
        ("fr", ("n’est pas la vérité", "1 sur 61, entre 0 et 9 %", "10 min (cas : 1", "ce que Vigie manque n’est pas")),
    ],
)
def test_the_tables_are_printed(trust: Callable[..., Result], language: str, words: tuple[str, ...]) -> None:
    found = trust("--language", language)
    assert found.exit_code == 0, found.output
    assert [one for one in words if one not in " ".join(found.stdout.split())] == []


def test_the_proposed_profile_is_printed_alone(trust: Callable[..., Result]) -> None:
    found = trust("--proposed")
    assert found.exit_code == 0, found.output
    profile = profile_from(found.stdout, file="proposed")
    assert profile.version == "3"
    assert profile.hazard["fire"].eta < 5.0


def test_days_that_are_not_asked_for_are_left_out(trust: Callable[..., Result]) -> None:
    found = trust("--days", "1", "--language", "en")
    assert "True among judged watches: none judged" in found.stdout


def test_without_an_archive_nothing_is_proposed(tmp_path: Path) -> None:
    settings = tmp_path / "vigie.toml"
    settings.write_text(f'[territory]\ncommune = "76351"\n[data]\ndir = "{tmp_path}"\n', encoding="utf-8")
    found = CliRunner().invoke(main, ["trust", "--settings", str(settings), "--proposed"])
    assert (found.exit_code, found.stdout) == (1, "")
    assert "nothing is proposed" in found.stderr


def gauge(name: str, **labels: Any) -> float | None:
    return CONSOLE.get_sample_value(name, labels)


def test_drift_goes_into_the_metrics_and_what_is_not_known_does_not() -> None:
    measure(TrustWatch(past).drift(NOW, ()))
    assert gauge("vigie_drift_warnings", kind="score") == 1.0
    assert gauge("vigie_drift_warnings", kind="baseline") == 1.0
    index = gauge("vigie_drift_index", hazard="fire", score="likelihood_ratio")
    assert index is not None
    assert index > 0.25
    measure(TrustWatch().drift(NOW, ()))
    assert gauge("vigie_drift_warnings", kind="score") is None
    assert gauge("vigie_drift_index", hazard="fire", score="likelihood_ratio") is None
