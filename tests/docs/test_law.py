"""Law: what the page promises of how long things are kept is what the code keeps to."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.pseudonym import ROTATE_AFTER
from console.archive.keeping import PULSES_KEPT, RATES_KEPT
from console.archive.words import WORDS_KEPT
from streams.topics import SOURCES, TOPICS
from vigie.console_settings import ConsoleSettings
from vigie.settings import RecordingSettings

ROOT = Path(__file__).parents[2]
UNITS = {"heures": 1, "hours": 1, "jours": 24, "days": 24, "ans": 365 * 24, "years": 365 * 24}
KEPT: Mapping[str, timedelta] = {
    **{topic.name: topic.retention for topic in TOPICS if topic.retention is not None},
    "WORDS_KEPT": WORDS_KEPT,
    "RATES_KEPT": RATES_KEPT,
    "PULSES_KEPT": PULSES_KEPT,
    "keep_years": timedelta(days=365 * ConsoleSettings().keep_years),
    "keep_days": timedelta(days=RecordingSettings().keep_days),
}
ROW = re.compile(r"^\| [^|]+ \| `(?P<name>[\w.]+)` \| (?P<count>\d+) (?P<unit>\w+) \|$", re.MULTILINE)
PAGES = ["law.fr.md", "law.md"]


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """Return the text of the page, in French and in English."""
    path = ROOT / "docs" / str(request.param)
    return path.read_text(encoding="utf-8")


def test_every_period_is_told_as_it_is(page: str) -> None:
    told = {match["name"]: timedelta(hours=int(match["count"]) * UNITS[match["unit"]]) for match in ROW.finditer(page)}
    assert told == KEPT
    assert [topic for topic in TOPICS if topic.retention is None] == [SOURCES], "states of sources: nobody is in them"


def test_the_pseudonyms_last_as_long_as_it_says(page: str) -> None:
    assert re.search(rf"\b{ROTATE_AFTER.days} (jours|days)\b", page)
    assert re.search(rf"\b{ROTATE_AFTER.days + 3} (jours|days)\b", page), "and three days more, for deletions"


@pytest.mark.parametrize("name", [*PAGES, "security.md"])
def test_what_a_page_names_as_holding_a_promise_is_there(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[\w.-]*)`", text)
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]
