"""`vigie fr-alert`: the sheet is filled as far as Vigie can, says that a person decides, and sends nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from lxml import etree

from connectors.sinks.contract import line_from
from connectors.sinks.message import GSM
from console.messages.channels import MOST_PAGES, PAGE
from records import Alert, SettingsError, decode
from vigie.fr_alert import (
    alert_in,
    html_from,
    level_proposed,
    message_of,
    pages_of,
    sheet_from,
    text_from,
)

Runs = Callable[..., Result]
NOW = datetime(2012, 1, 30, 7, 40, tzinfo=UTC)
GOLDEN = (Path(__file__).parents[1] / "golden" / "alert.json").read_bytes()


@pytest.fixture
def alert() -> Alert:
    return decode(GOLDEN, Alert)


def line_of(alert: Alert, **more: Any) -> bytes:
    return json.dumps(json.loads(msgspec.json.encode(line_from(alert))) | more).encode() + b"\n"


def test_the_sheet_says_all_that_is_asked_for_and_what_a_person_must_add(alert: Alert) -> None:
    text = text_from(sheet_from(alert, "fr", now=NOW))
    for expected in (
        "VIGIE N’ENVOIE JAMAIS D’ALERTE FR-ALERT. UNE PERSONNE LIT, COMPLÈTE ET DÉCIDE.",
        "Danger\u00a0: incendie",
        "Lieu\u00a0: Les Neiges",
        "INSEE, département\u00a0: 76351, 76",
        "cercle de 0,8 km autour de 49.4811, 0.1517",
        "quartier, text, 75%",
        "Proposition\u00a0: severe",
        "Début estimé\u00a0: 30/01/2012 08:33",
        "Fiche faite\u00a0: 30/01/2012 08:40",
        "Consigne\u00a0: ____",
        "2 sur 15 pages de 93 caractères au plus",
        "- aucune parole officielle",
        "- Aucune autorité n’a confirmé à Vigie",
        "fire-0123456789abcdef, 3",
    ):
        assert expected in text
    assert "fumée noire" not in text, "no words of posts"


def test_it_speaks_english_too(alert: Alert) -> None:
    text = text_from(sheet_from(alert, "en", now=NOW))
    assert "VIGIE NEVER SENDS AN FR-ALERT" in text
    assert "- no official word" in text
    assert "Twelve people speak of a fire." in text


def test_as_html_it_needs_nothing_else_and_runs_nothing(alert: Alert) -> None:
    place = msgspec.structs.replace(alert.place, name="<script>alert(1)</script> & fils")
    html = html_from(sheet_from(msgspec.structs.replace(alert, place=place), "fr", now=NOW))
    root = etree.fromstring(html.encode(), etree.HTMLParser())
    assert root.get("lang") == "fr"
    assert not root.findall(".//script")
    assert not [node for node in root.iter() if {"src", "href"} & set(node.attrib)]
    assert len(root.findall(".//p[@class='never']")) == 2
    assert "".join(node.text for node in root.findall(".//li")).startswith("ALERTE : incendie, <script>")


@pytest.mark.parametrize(
    ("level", "severity", "is_exercise", "expected"),
    [
        ("alert", "Extreme", False, "extreme"),
        ("confirmed", "Severe", False, "severe"),
        ("alert", "Moderate", False, "info"),
        ("alert", "Unknown", False, "info"),
        ("watch", "Severe", False, "info"),
        ("monitoring", "Severe", False, "info"),
        ("confirmed", "Extreme", True, "exercise"),
    ],
)
def test_no_more_is_proposed_than_the_alert_bears(
    level: Any, severity: Any, is_exercise: bool, expected: str, alert: Alert
) -> None:
    told = msgspec.structs.replace(alert, level=level, severity=severity)
    assert level_proposed(told, is_exercise=is_exercise) == expected


def test_a_drill_says_so_in_the_message(alert: Alert) -> None:
    assert message_of(alert, "fr", is_exercise=True).startswith("EXERCICE, CECI N'EST PAS UNE ALERTE : incendie")


@pytest.mark.parametrize("name", ["Œuilly-sur-Mer – « L’Haÿ »", "x" * 500, "東京🔥", ""])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_message_fits_its_pages_and_its_alphabet(name: str, language: Any, alert: Alert) -> None:
    place = msgspec.structs.replace(alert.place, name=f"A{name}")
    message = message_of(msgspec.structs.replace(alert, place=place), language)
    pages = pages_of(message)
    assert "".join(pages) == message
    assert all(0 < len(page) <= PAGE for page in pages)
    assert len(pages) <= MOST_PAGES
    assert set(message) <= GSM


def test_a_message_of_too_many_pages_is_refused() -> None:
    assert len(pages_of("x" * PAGE * MOST_PAGES)) == MOST_PAGES
    with pytest.raises(SettingsError, match="16 pages; shorten it to 1395 characters"):
        pages_of("x" * (PAGE * MOST_PAGES + 1))


@pytest.mark.parametrize("level", ["resolved", "rejected"])
def test_for_what_is_over_there_is_nothing_to_ask(level: Any, alert: Alert) -> None:
    with pytest.raises(SettingsError, match=f"is {level}; there is nothing to ask for"):
        sheet_from(msgspec.structs.replace(alert, level=level), "fr", now=NOW)


def test_of_several_revisions_the_newest_counts(alert: Alert) -> None:
    lines = line_of(alert) + line_of(alert, revision=9) + b"\n" + line_of(alert, revision=4)
    assert alert_in(lines).revision == 9


def test_of_several_incidents_one_must_be_named(alert: Alert) -> None:
    lines = line_of(alert) + line_of(alert, incident_id="other")
    with pytest.raises(SettingsError, match="2 incidents in it; name one with --incident: fire-0123456789abcdef other"):
        alert_in(lines)
    assert alert_in(lines, incident_id="other").incident_id == "other"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(b"", "fr-alert: no alert in it; give a line of the jsonl receiver", id="nothing"),
        pytest.param(b"\n{}\n", "fr-alert: line 2: is no alert: Object missing required field", id="no alert"),
        pytest.param(b"[]", "fr-alert: line 1: is no alert: Expected `object`", id="a list"),
        pytest.param(b"feu", "fr-alert: line 1: is no alert: Input data was truncated", id="no JSON"),
        pytest.param(b"\xff", "fr-alert: line 1: is no alert: ", id="no text"),
        pytest.param(b'{"evidence":3}', "fr-alert: line 1: is no alert: ", id="evidence is a number"),
    ],
)
def test_what_is_no_alert_is_told_with_its_line(lines: bytes, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        alert_in(lines)
    assert str(refused.value).startswith(told)


def test_the_command_reads_a_file_or_standard_input_and_writes_where_told(
    vigie: Runs, alert: Alert, tmp_path: Path
) -> None:
    path, out = tmp_path / "alerts.jsonl", tmp_path / "sheet.html"
    path.write_bytes(line_of(alert))
    from_file, from_input = vigie("fr-alert", path), vigie("fr-alert", input=line_of(alert))
    assert (from_file.exit_code, from_input.exit_code) == (0, 0)
    assert "FICHE DE DEMANDE FR-ALERT" in from_file.stdout
    assert "FICHE DE DEMANDE FR-ALERT" in from_input.stdout
    assert vigie("fr-alert", path, "--html", "--language", "en", "--out", out).exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_command_says_what_is_wrong(vigie: Runs, tmp_path: Path, alert: Alert) -> None:
    refused = vigie("fr-alert", input=b"feu\n")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("vigie: fr-alert: line 1: is no alert: ")
    nowhere = vigie("fr-alert", "--out", tmp_path / "no" / "sheet", input=line_of(alert))
    assert nowhere.exit_code == 2
    assert nowhere.stderr.endswith("No such file or directory; give a file in a folder that is there\n")
