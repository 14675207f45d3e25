"""The words of the console: whatever a template says in English is there in French, once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract

import console
from console.catalogue import messages, words
from console.figures import profile_words
from console.terms import WORDS
from console.trust.missed import KNOWN_BY
from detectors.profile_form import KIND_WORDS
from records.profile_setting import PROBLEM_WORDS

ROOM = Path(console.__file__).parent
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
FIELD = re.compile(r"%\(\w+\)s")


def said_in(template: Path) -> Iterator[str]:
    with template.open("rb") as file:
        options = {"extensions": "jinja2.ext.i18n"}
        for _, message, _, _ in extract("jinja2.ext:babel_extract", file, keywords=KEYWORDS, options=options):
            yield message if isinstance(message, str) else message[0]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOM / "templates")))
def test_what_a_template_says_is_there_in_french(template: Path) -> None:
    french = {one.id if isinstance(one.id, str) else one.id[0] for one in messages("fr") if one.string}
    assert [message for message in said_in(template) if message not in french] == []


def test_what_tables_of_words_say_is_there_in_french() -> None:
    french = {one.id for one in messages("fr") if one.string}
    said = {word for kind in WORDS.values() for word in kind.values()}
    said |= {word for pair in profile_words.WORDS.values() for word in pair if word}
    said |= {*profile_words.TABLES.values(), profile_words.UNKNOWN[0]}
    said |= {*PROBLEM_WORDS.values(), *KIND_WORDS.values()}
    said |= {*KNOWN_BY.values()}
    assert sorted(said - french) == []


def test_nothing_is_there_in_french_that_nobody_says() -> None:
    said = {message for template in TEMPLATES for message in said_in(template)}
    for module in ROOM.rglob("*.py"):
        nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        said |= {one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    said |= {*PROBLEM_WORDS.values(), *KIND_WORDS.values()}
    english = {one.id if isinstance(one.id, str) else one.id[0] for one in messages("fr")}
    assert sorted(english - said - {""}) == []


def test_french_and_english_have_the_same_fields() -> None:
    found = {}
    for one in messages("fr"):
        english = [one.id] if isinstance(one.id, str) else list(one.id)
        french = [one.string] if isinstance(one.string, str) else list(one.string or ())
        if [{*FIELD.findall(text)} for text in english] != [{*FIELD.findall(text)} for text in french]:
            found[english[0]] = french
    assert found == {}


def test_nothing_is_said_in_french_in_two_ways() -> None:
    found: dict[str, set[str]] = {}
    for one in messages("fr"):
        english = one.id if isinstance(one.id, str) else one.id[0]
        found.setdefault(english, set()).add(str(one.string))
    assert {english: french for english, french in found.items() if len(french) > 1} == {}


def test_what_is_not_there_stays_english() -> None:
    assert words("fr").gettext("a text that nobody has written") == "a text that nobody has written"
