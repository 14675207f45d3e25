"""What the tests of the console share: an alert of Le Havre, the map that comes with Vigie, maps of one's own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from console.map_files import check_map, shipped_map
from console.message_map import MessageMap
from records import Alert, Context, Place
from vigie.cli import main

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)  # 08:37 on the wall of Le Havre

PLACE = Place(
    place_id="fr:76351",
    name="Le Havre",
    lat=49.49,
    lon=0.11,
    radius_km=6.0,
    level="commune",
    confidence=0.9,
    source="text",
    reasons=("named",),
    country="FR",
    insee="76351",
    dep="76",
)


@pytest.fixture(scope="session")
def alert_with() -> Callable[..., Alert]:
    """Make an alert of Le Havre: a watch by one witness where nothing else is said."""

    def made(**changes: Any) -> Alert:
        fields: dict[str, Any] = {
            "incident_id": "fire-0123456789abcdef",
            "revision": 1,
            "level": "watch",
            "hazard": "fire",
            "place": PLACE,
            "onset": MORNING,
            "raised_at": MORNING,
            "score": 0.5,
            "probability": 0.9,
            "severity": "Unknown",
            "urgency": "Immediate",
            "certainty": "Possible",
            "evidence": (),
            "posts": 1,
            "authors": 1,
            "witnesses": 1,
            "copies": 0,
            "explanation": {"fr": "Un seul témoin.", "en": "A single witness."},
            "unknowns": (),
            "thresholds": {},
            "profile": "city/1",
            "versions": {},
            "area": "76",
        }
        return Alert(**{**fields, **changes})

    return made


@pytest.fixture(scope="session")
def notice() -> Context:
    return Context(
        bulletin_id="notices:1",
        source="notices",
        kind="operator_notice",
        text="Torche visible",
        issued_at=MORNING,
        fits=True,
        because={"fr": "même moment", "en": "same time"},
    )


@pytest.fixture(scope="session")
def shipped() -> MessageMap:
    return shipped_map()


@pytest.fixture
def findings(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a map of one's own and return what is wrong with it, without the name of its folder."""

    def found(toml: str) -> list[str]:
        path = tmp_path / "own.toml"
        path.write_text(toml, encoding="utf-8")
        return [str(finding).replace(f"{tmp_path}/", "") for finding in check_map(path)]

    return found


@pytest.fixture
def vigie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run the command in this process, in a folder without settings."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, input: bytes | None = None) -> Result:  # noqa: A002  click's name
        try:
            return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
        finally:
            structlog.reset_defaults()

    return run
