"""Terms: every code that a record may bear has a word, in both languages; and so has whatever a template says."""

from io import BytesIO
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from console.catalogue import words
from console.templating import environments
from console.terms import KINDS, WORDS, Kind, term
from records.alert import Certainty, Level, Outcome, RumourSign, Severity, Urgency
from records.bulletin import BulletinKind, Colour, Phenomenon
from records.doubt import Doubt
from records.place import PlaceLevel, PlaceSource
from records.post import AuthorKind
from records.signal import Actuality, Hazard
from records.source_status import State, Way
from records.verdict import Decision

CONSOLE = Path(__file__).parents[2] / "console"
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
FRENCH = sorted((CONSOLE / "locale" / "fr").glob("*.po"))

CODES: dict[Kind, tuple[str, ...]] = {
    "level": get_args(Level),
    "belief": get_args(Level),
    "hazard": get_args(Hazard),
    "precision": get_args(PlaceLevel),
    "place_source": get_args(PlaceSource),
    "doubt": get_args(Doubt),
    "sign": get_args(RumourSign),
    "outcome": get_args(Outcome),
    "bulletin": get_args(BulletinKind),
    "phenomenon": get_args(Phenomenon),
    "colour": get_args(Colour),
    "author": ("witness", *get_args(AuthorKind)),
    "actuality": get_args(Actuality),
    "way": get_args(Way),
    "state": (*get_args(State), "stale"),
    "decision": get_args(Decision),
    "severity": get_args(Severity),
    "urgency": get_args(Urgency),
    "certainty": get_args(Certainty),
}


@pytest.mark.parametrize("kind", CODES)
def test_every_code_of_a_record_has_a_word(kind: Kind) -> None:
    assert sorted(WORDS[kind]) == sorted(CODES[kind])


def test_the_kinds_are_those_that_are_listed() -> None:
    assert sorted(KINDS) == sorted(WORDS)


def test_every_word_has_its_french() -> None:
    known = {text for text, _ in words("fr")._found}
    missing = [(kind, text) for kind, codes in WORDS.items() for text in codes.values() if text not in known]
    assert not missing


def test_a_code_that_is_newer_than_we_are_is_shown_as_it_is() -> None:
    assert term("level", "apocalypse") == "apocalypse"
    assert environments("Europe/Paris")["fr"].from_string("{{ '<b>' | term('level') }}").render() == "&lt;b&gt;"


def said_by(template: Path) -> set[str]:
    source = template.read_text(encoding="utf-8")
    found = environments("Europe/Paris")["en"].extract_translations(source)  # type: ignore[attr-defined]
    messages = {message[0] if isinstance(message, tuple) else message for _, _, message in found}
    return {message for message in messages if message}  # none where it is a name that is looked up


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_whatever_a_template_says_has_its_french(template: Path) -> None:
    known = {text for text, _ in words("fr")._found}
    assert sorted(said_by(template) - known) == []


@pytest.mark.parametrize("path", FRENCH, ids=lambda path: path.name)
def test_french_is_complete_and_fills_in_the_same_values(path: Path) -> None:
    for message in read_po(BytesIO(path.read_bytes()), "fr"):
        if message.id:
            forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            assert all(forms), message.id
            assert not [str(error) for error in message.check()], message.id


def test_two_files_never_say_the_same_word_differently() -> None:
    found: dict[str, set[str]] = {}
    for path in FRENCH:
        for message in read_po(BytesIO(path.read_bytes()), "fr"):
            if message.id:
                found.setdefault(str(message.id), set()).add(str(message.string))
    assert not {text: french for text, french in found.items() if len(french) > 1}
