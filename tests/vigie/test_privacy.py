"""The privacy papers say what this installation does; whoever objects is read no more, and loses what was kept."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from connectors.pseudonym import OBJECTED, RotatingPseudonyms
from models.places import Gazetteer
from records import ManualClock, Place, Post, SettingsError
from streams.declaring import declare_topics
from streams.reader import read
from streams.topics import POSTS
from vigie.broker import EmbeddedBroker
from vigie.cli import main
from vigie.console_assembly import setup_of
from vigie.objection import object_to
from vigie.privacy_report import LANGUAGES, PAPERS, RECEIVERS, SOURCES, paper, write_report
from vigie.receiver_settings import ReceiverSettings
from vigie.settings import load
from vigie.source_settings import SourceSettings

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
TOML = """
[territory]
commune = "76351"
[privacy]
controller = "Ville exemple"
contact = "donnees@exemple.fr"
[[sources]]
kind = "bluesky"
[[receivers]]
kind = "jsonl"
path = "alerts.jsonl"
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="module")
def home(gazetteer: Gazetteer) -> Place:
    """Return Le Havre, of these settings."""
    return gazetteer.home_place("76351")


def kinds(union: Any) -> set[str]:
    models: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return {get_args(model.model_fields["kind"].annotation)[0] for model in models}


def test_every_kind_of_source_and_receiver_is_described() -> None:
    assert set(SOURCES) == kinds(SourceSettings)
    assert set(RECEIVERS) == kinds(ReceiverSettings)
    for described in (*SOURCES.values(), *RECEIVERS.values()):
        assert set(described) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_filled_from_the_settings_and_marks_what_is_missing(
    name: str, language: str, settings_file: Path, home: Place
) -> None:
    text = paper(name, load(settings_file), home, language, ManualClock(AT))
    assert "Ville exemple" in text
    assert "Le Havre" in text
    assert SOURCES["bluesky"][language] in text
    assert RECEIVERS["jsonl"][language] in text
    assert {"fr": "18 heures", "en": "18 hours"}[language] in text
    assert {"fr": "proposés et approuvés", "en": "proposed and approved"}[language] in text
    assert "2026-11-22" in text
    assert re.search(r"[{}]", text) is None
    assert {"fr": "à compléter", "en": "to be completed"}[language] in text, "no officer was named"


@pytest.mark.parametrize(
    ("recording", "kept"),
    [
        pytest.param("keep_days = 12", timedelta(days=12), id="it is on"),
        pytest.param("is_on = false", None, id="it is off, and nothing is left"),
    ],
)
def test_the_console_knows_how_long_the_recording_is_kept(
    recording: str, kept: timedelta | None, settings_file: Path, tmp_path: Path
) -> None:
    settings_file.write_text(f'{TOML}[data]\ndir = "{tmp_path}"\n[recording]\n{recording}\n')
    assert setup_of(load(settings_file)).recording_kept == kept


@pytest.mark.parametrize(
    ("language", "purpose", "kept"),
    [
        ("fr", "les besoins et les offres d’aide dits autour d’un incident", "sans leurs auteurs\u00a0: 72 heures"),
        ("en", "what people need and offer around an incident", "without their authors: 72 hours"),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_needs_and_offers_are_in_the_papers_where_they_are_listed(
    language: str, purpose: str, kept: str, is_listed: bool, settings_file: Path, home: Place
) -> None:
    settings_file.write_text(f"{TOML}[solidarity]\nlisted = {str(is_listed).lower()}\n")
    settings = load(settings_file)
    for name in PAPERS:
        text = paper(name, settings, home, language, ManualClock(AT))
        assert (purpose in text, kept in text) == (is_listed, is_listed)


@pytest.mark.parametrize(
    ("language", "kept", "said"),
    [
        pytest.param(
            "fr",
            ("empreinte de leur auteur : 30 jours", ": 3 ans après", ": 40 et 90 jours", "ne les efface pas"),
            {"notice": "La console et les signalements", "record": "console : accès", "assessment": "par l'audit"},
            id="fr",
        ),
        pytest.param(
            "en",
            ("hash of their author: 30 days", ": 3 years after", ": 40 and 90 days", "purges neither"),
            {"notice": "The console and reports", "record": "console: access", "assessment": "by the audit"},
            id="en",
        ),
    ],
)
def test_what_the_console_keeps_is_in_the_papers_where_there_is_one(
    language: str, kept: tuple[str, ...], said: dict[str, str], settings_file: Path, home: Place
) -> None:
    for port in (8600, 0):
        settings_file.write_text(f"{TOML}[console]\nport = {port}\nkeep_years = 3\n")
        settings = load(settings_file)
        for name in PAPERS:
            text = paper(name, settings, home, language, ManualClock(AT))
            assert [one in text for one in kept] == [port > 0] * len(kept)
            assert (said[name] in text) == (port > 0)


@pytest.mark.parametrize(
    ("language", "kept", "said"),
    [
        pytest.param(
            "fr",
            "sans texte ni lien : 40 jours",
            {"notice": "rejouer le passé", "record": "noms de passage", "assessment": "message par message"},
            id="fr",
        ),
        pytest.param(
            "en",
            "without texts and links: 40 days",
            {"notice": "the past can be replayed", "record": "passing names", "assessment": "post by post"},
            id="en",
        ),
    ],
)
@pytest.mark.parametrize("is_on", [True, False])
def test_what_is_recorded_is_in_the_papers_where_it_is(
    language: str, kept: str, said: dict[str, str], is_on: bool, settings_file: Path, home: Place
) -> None:
    settings_file.write_text(f"{TOML}[recording]\nis_on = {str(is_on).lower()}\nkeep_days = 40\n")
    for name in PAPERS:
        text = paper(name, load(settings_file), home, language, ManualClock(AT))
        assert (kept in text, said[name] in text) == (is_on, is_on)


def test_the_notice_says_how_to_reach_whom(settings_file: Path, home: Place) -> None:
    assert "donnees@exemple.fr" in paper("notice", load(settings_file), home, "fr", ManualClock(AT))


def test_all_papers_are_written_by_one_command(settings_file: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["privacy", "report", "--settings", str(settings_file), "--into", str(tmp_path / "papers")]
    )
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "papers").glob("*.md"))) == len(PAPERS) * len(LANGUAGES)


def test_a_folder_that_cannot_be_written_is_named(settings_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="file"):
        write_report(load(settings_file), tmp_path / "file", ManualClock(AT))


@pytest.mark.broker
def test_whoever_objects_is_read_no_more_and_what_is_kept_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> None:
    clock = ManualClock(AT)
    with EmbeddedBroker(log_path=tmp_path / "broker.log") as broker:
        monkeypatch.setenv("VIGIE_BROKER_PORT", str(broker.port))
        monkeypatch.setenv("VIGIE_DATA_DIR", str(tmp_path / "data"))
        path = tmp_path / "vigie.toml"
        path.write_text(TOML)
        settings = load(path)
        (tmp_path / "data").mkdir()
        names = RotatingPseudonyms(tmp_path / "data" / "pseudonyms.json", clock)
        before = names.author("bluesky", "did:plc:alice")
        asyncio.run(declare_topics(settings.streams()))
        asyncio.run(object_to(settings, "bluesky", "did:plc:alice", clock))
        (purge,) = asyncio.run(read(settings.streams(), POSTS, 1))
    assert isinstance(purge, Post)
    assert (purge.verb, purge.author_id, purge.key) == ("purge", before, f"bluesky:author:{before}")
    assert names.author("bluesky", "did:plc:alice") == OBJECTED


def test_an_objection_needs_an_account(settings_file: Path) -> None:
    done = CliRunner().invoke(main, ["privacy", "object", "--settings", str(settings_file), "bluesky", ""])
    assert done.exit_code == 2
    assert "give the platform and the account" in done.output
