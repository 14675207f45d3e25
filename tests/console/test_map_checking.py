"""What is refused of a map of one's own: each mistake with its file, its line, what is wrong, and the mend."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from console.messages.map_files import SHIPPED, UnusableMap, check_map, load_map
from console.messages.message_map import MessageMap
from records import SettingsError

Finds = Callable[[str], list[str]]

GOOD = """\
[[message]]
id = "own"
situation = "fire"
stage = "confirmed"
audience = "population"
[message.fr]
sms = "Feu confirmé par {authority}, secteur {place}."
social = "Feu confirmé par {authority}."
[message.en]
sms = "Fire confirmed by {authority}, area of {place}."
social = "Fire confirmed by {authority}."
"""
FIRST = (
    GOOD.replace('"confirmed"', '"first_signal"')
    .replace("{place}", "{reported_place}")
    .replace("Feu confirmé par {authority}", "Non confirmé")
    .replace("Fire confirmed by {authority}", "Not confirmed")
)
PAGES = GOOD.replace('sms = "Feu', 'cell = ["{authority}", "PAGE"]\nsms = "Feu').replace(
    'sms = "Fire', 'cell = ["{authority}", "page"]\nsms = "Fire'
)
SOURCES = "{source_of_confirmation}, {authority}, {operator}, {warning_source}"


def test_what_is_good_is_not_refused(findings: Finds) -> None:
    assert findings(GOOD) == []
    assert findings(FIRST) == []
    assert findings(PAGES) == []
    assert findings("") == []


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        pytest.param(
            GOOD,
            ("{place}.", "{plac}."),
            [
                "own.toml: line 7: own.fr.sms: there is no placeholder {plac}; did you mean place?",
                "own.toml: line 7: own.fr.sms: lacks {place}, which is in the text in English; "
                "say the same in both languages",
                "own.toml: line 10: own.en.sms: lacks {plac}, which is in the text in French; "
                "say the same in both languages",
            ],
            id="an unknown placeholder",
        ),
        pytest.param(
            GOOD,
            ("secteur {place}", "secteur {Place}"),
            [
                "own.toml: line 7: own.fr.sms: a { that holds no placeholder; write placeholders as {place}, small "
                "letters and _ between two braces; no braces elsewhere",
                "own.toml: line 7: own.fr.sms: a } that holds no placeholder; write placeholders as {place}, small "
                "letters and _ between two braces; no braces elsewhere",
                "own.toml: line 7: own.fr.sms: lacks {place}, which is in the text in English; "
                "say the same in both languages",
            ],
            id="a placeholder with a capital",
        ),
        pytest.param(
            GOOD,
            (GOOD[GOOD.index("[message.en]") :], ""),
            ["own.toml: line 1: own: has no texts in English; write [message.en] below it, with its texts"],
            id="a missing language",
        ),
        pytest.param(
            GOOD,
            ('social = "Fire confirmed by {authority}."\n', ""),
            ['own.toml: line 9: own.en.social: is missing: population is told by it; write social = "…"'],
            id="a missing channel",
        ),
        pytest.param(
            GOOD,
            ('"Fire confirmed by {authority}."', '"  "'),
            ["own.toml: line 11: own.en.social: the text is empty; write it, or take the line out"],
            id="an empty text",
        ),
        pytest.param(
            PAGES,
            ('"PAGE"', '""'),
            ["own.toml: line 7: own.fr.cell.page 2: the page is empty; write it, or take it out"],
            id="an empty page",
        ),
        pytest.param(
            PAGES,
            ("PAGE", "a" * 94),
            [
                "own.toml: line 7: own.fr.cell.page 2: the page may get 94 characters long, with what is filled in; "
                "93 are allowed; shorten it by 1"
            ],
            id="a page too long",
        ),
        pytest.param(
            PAGES,
            ('"PAGE"', '"PAGE",\n' * 15),
            ["own.toml: line 7: own.fr.cell: has 16 pages; 15 are allowed; leave 1 out"],
            id="too many pages",
        ),
        pytest.param(
            PAGES,
            ('["{authority}", "PAGE"]', '"{authority} ' + "mot " * 400 + '"'),
            ["own.toml: line 7: own.fr.cell: the text may take 18 parts; 15 are allowed; shorten it"],
            id="a text of too many pages",
        ),
        pytest.param(
            PAGES,
            ('"PAGE"', '\n"Fenêtres fermées"'),
            [
                'own.toml: line 8: own.fr.cell.page 2: "ê" (latin small letter e with circumflex) is not of the GSM '
                'alphabet: a page would hold 41 characters, not 93; write "e"'
            ],
            id="a foreign character on a page",
        ),
        pytest.param(
            GOOD,
            ('"Feu confirmé par', '"Feu 🔥 confirmé par'),
            [
                'own.toml: line 7: own.fr.sms: "🔥" (fire) is not of the GSM alphabet: an SMS would hold 70, '
                "not 160; take it out"
            ],
            id="a foreign character in an SMS",
        ),
        pytest.param(
            GOOD,
            ("secteur {place}.", "secteur {place}." + "a" * 400),
            [
                "own.toml: line 7: own.fr.sms: the text may get 498 characters long, with what is filled in; "
                "459 are allowed; shorten it by 39"
            ],
            id="an SMS too long",
        ),
        pytest.param(
            GOOD,
            ('social = "Feu', f'social = "{"é" * 240}Feu'),
            [
                "own.toml: line 8: own.fr.social: the text may get 298 characters long, with what is filled in; "
                "280 are allowed; shorten it by 18"
            ],
            id="a social text too long",
        ),
        pytest.param(
            FIRST,
            ("{reported_place}.", "{place}."),
            [
                "own.toml: line 7: own.fr.sms: {place} is a fact, and nothing is confirmed at the stage first_signal; "
                "say what posts report, as in {reported_place}, or take it out",
                "own.toml: line 7: own.fr.sms: lacks {reported_place}, which is in the text in English; "
                "say the same in both languages",
                "own.toml: line 10: own.en.sms: lacks {place}, which is in the text in French; "
                "say the same in both languages",
            ],
            id="a fact in a first signal",
        ),
        pytest.param(
            FIRST,
            ('social = "Not confirmed."', 'social = "There is a fire."'),
            [
                "own.toml: line 11: own.en.social: does not say that nothing is confirmed, at the stage first_signal; "
                'say "we are checking" or "not confirmed"'
            ],
            id="a first signal without doubt",
        ),
        pytest.param(
            FIRST,
            ("[message.en]", 'cell = "Non confirmé"\n[message.en]\ncell = "Not confirmed"'),
            [
                "own.toml: line 9: own.fr.cell: nothing is confirmed at the stage first_signal: no cell broadcast; "
                "take it out, or move the message to the stage confirmed",
                "own.toml: line 11: own.en.cell: nothing is confirmed at the stage first_signal: no cell broadcast; "
                "take it out, or move the message to the stage confirmed",
            ],
            id="a cell broadcast of a first signal",
        ),
        pytest.param(
            GOOD,
            ('social = "Feu confirmé par {authority}."', 'social = "Feu confirmé."'),
            [
                "own.toml: line 8: own.fr.social: does not say who stands for it, at the stage confirmed; "
                f"name one of {SOURCES}",
                "own.toml: line 8: own.fr.social: lacks {authority}, which is in the text in English; "
                "say the same in both languages",
            ],
            id="a confirmation by nobody",
        ),
        pytest.param(
            GOOD,
            ('audience = "population"\n', ""),
            ["own.toml: line 1: own: has no audience; write audience = and one of population, press, staff"],
            id="no audience",
        ),
        pytest.param(
            GOOD,
            ('"population"', '"populaton"'),
            ["own.toml: line 5: own.audience: found 'populaton'; did you mean population?"],
            id="an unknown audience",
        ),
        pytest.param(
            GOOD,
            ('situation = "fire"', 'situation = "fier"'),
            [
                "own.toml: line 1: own: fier, stage confirmed: there is no message for press; "
                "write one, or a [[without]] with the reason",
                "own.toml: line 1: own: fier, stage confirmed: there is no message for staff; "
                "write one, or a [[without]] with the reason",
                "own.toml: line 3: own.situation: there is no situation 'fier'; did you mean fire?",
            ],
            id="an unknown situation",
        ),
        pytest.param(
            GOOD,
            ('stage = "confirmed"', 'stage = "confirmd"'),
            [
                "own.toml: line 1: own: fire, stage confirmd: there is no message for press; "
                "write one, or a [[without]] with the reason",
                "own.toml: line 1: own: fire, stage confirmd: there is no message for staff; "
                "write one, or a [[without]] with the reason",
                "own.toml: line 4: own.stage: there is no stage 'confirmd'; did you mean confirmed?",
            ],
            id="an unknown stage",
        ),
        pytest.param(
            GOOD,
            ('stage = "confirmed"', 'stage = "over"'),
            [
                "own.toml: line 1: own: fire, stage over: there is no message for press; "
                "write one, or a [[without]] with the reason",
                "own.toml: line 1: own: fire, stage over: there is no message for staff; "
                "write one, or a [[without]] with the reason",
            ],
            id="a stage for one audience alone",
        ),
        pytest.param(
            GOOD,
            ("\n[message.fr]", "\naudiance = 3\n[message.fr]"),
            ["own.toml: line 6: own.audiance: is not a key of it; did you mean audience?"],
            id="a key with a near miss",
        ),
        pytest.param(
            GOOD,
            ('social = "Feu', 'socail = "Feu'),
            ["own.toml: line 8: own.fr.socail: is not a key of it; did you mean social?"],
            id="a channel with a near miss",
        ),
        pytest.param(
            GOOD,
            ('"Feu confirmé par {authority}, secteur {place}."', "3"),
            ["own.toml: line 7: own.fr.sms: found 3; expected str, got int"],
            id="a number where a text belongs",
        ),
        pytest.param(
            GOOD,
            ("[message.fr]", 'cell = "x"\n[message.fr]'),
            [
                "own.toml: line 6: own.cell: is not a key of it; "
                "its keys are id, situation, stage, audience, fr, en, note"
            ],
            id="a text above its language",
        ),
        pytest.param(
            GOOD.replace("population", "press").replace("social", "long"),
            ("[message.en]", 'cell = "{authority}"\n[message.en]\ncell = "{authority}"'),
            [
                "own.toml: line 9: own.fr.cell: a cell broadcast cannot be sent to press alone; "
                "take it out; it is for population",
                "own.toml: line 11: own.en.cell: a cell broadcast cannot be sent to press alone; "
                "take it out; it is for population",
            ],
            id="a cell broadcast to the press",
        ),
        pytest.param(
            GOOD,
            ("[[message]]", "[[mesage]]"),
            ["own.toml: line 1: mesage: is no table of a map; did you mean message?"],
            id="an unknown table",
        ),
        pytest.param(
            GOOD,
            ('id = "own"', 'id = "own'),
            [
                "own.toml: line 2: is not TOML: Illegal character '\\n'; "
                "mend that line; texts need quotes, tables [brackets]"
            ],
            id="a quote that is not closed",
        ),
    ],
)
def test_each_mistake_is_told_with_its_line_and_mend(
    base: str, change: tuple[str, str], expected: list[str], findings: Finds
) -> None:
    before, after = change
    assert before in base
    told = findings(base.replace(before, after, 1))
    if "[[mesage]]" in after:
        told = told[:1]
    assert told == expected


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            GOOD + "\n" + GOOD,
            ["own.toml: line 13: own: is there twice, first in own.toml, line 1; give it another name"],
            id="an id twice",
        ),
        pytest.param(
            "[message]\n",
            ["own.toml: line 1: message: is not written as it should be; write [[message]] above its keys"],
            id="single brackets for a message",
        ),
        pytest.param(
            '[[situation]]\nfr = "Neige"\n',
            ["own.toml: line 1: situation: is not written as it should be; write [situation.name] above its keys"],
            id="double brackets for a situation",
        ),
        pytest.param(
            '[situation.snow]\nfr = "Neige"\nen = "Snow"\nhazards = ["snow"]\n',
            ["own.toml: line 4: situation.snow.hazards: found ['snow']; give one of fire, flood, industrial, other"],
            id="a hazard that Vigie does not look for",
        ),
        pytest.param(
            '[placeholder.place]\nfr = "lieu"\nen = "place"\nfrom = "person"\nis_fact = false\n',
            [
                "own.toml: line 5: placeholder.place.is_fact: is a fact in the map that comes with Vigie, "
                "and stays one; write is_fact = true"
            ],
            id="a fact that is loosened",
        ),
        pytest.param(
            '[placeholder.lieu]\nfr = "lieu"\nen = "place"\nfrom = "alert"\nfield = "place"\nis_fact = false\n',
            [
                "own.toml: line 6: placeholder.lieu.is_fact: states what happens (place), so it is a fact; "
                "write is_fact = true"
            ],
            id="a fact by another name",
        ),
        pytest.param(
            '[placeholder.lieu]\nfr = "lieu"\nen = "place"\nfrom = "alert"\nfield = "plase"\nis_fact = true\n',
            ["own.toml: line 5: placeholder.lieu.field: there is no field 'plase' of an alert; did you mean place?"],
            id="a field that no alert has",
        ),
        pytest.param(
            '[placeholder.lieu]\nfr = "lieu"\nen = "place"\nfrom = "person"\n',
            [
                "own.toml: line 1: placeholder.lieu: has no is_fact; write is_fact = true where it must be confirmed "
                "before it is said, false where not"
            ],
            id="a placeholder that does not say whether it is a fact",
        ),
        pytest.param(
            '[placeholder.Lieu-dit]\nfr = "lieu"\nen = "place"\nfrom = "person"\nis_fact = true\n',
            ["own.toml: line 1: placeholder.Lieu-dit: is no name of a placeholder; give small letters a-z and _"],
            id="a name that no text can hold",
        ),
        pytest.param(
            '[[without]]\nid = "w"\naudience = "press"\nfr = "x"\nen = "x"\nsituation = "fire"\nstage = "nver"\n',
            ["own.toml: line 7: w.stage: there is no stage 'nver'; did you mean over?"],
            id="a reason at an unknown stage",
        ),
    ],
)
def test_mistakes_of_a_whole_map(toml: str, expected: list[str], findings: Finds) -> None:
    assert findings(toml) == expected


def test_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.toml").write_bytes(codecs.BOM_UTF8 + GOOD.replace("fire", "flood").encode())
    (tmp_path / "notes.txt").write_text("not a map")
    (told,) = map(str, check_map(tmp_path))
    assert told == (
        f"{tmp_path}/b.toml: line 1: own: is there twice, first in {tmp_path}/a.toml, line 1; give it another name"
    )


def test_what_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b'[situation.x]\nfr = "\xe9"\n')
    (told,) = map(str, check_map(tmp_path / "own.toml"))
    assert told == f"{tmp_path}/own.toml: line 2: is not text in UTF-8; save it again as UTF-8"


def test_brackets_without_end_are_told_and_not_fallen_over(findings: Finds) -> None:
    (told,) = findings("x = " + "[" * 100_000)
    assert "is not TOML" in told


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", ": no file in it ends in .toml; put the map there, or name another folder"),
        ("none.toml", "none.toml: cannot be read: No such file or directory; name a file or folder of a map"),
    ],
)
def test_nothing_to_read_is_told(name: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        check_map(tmp_path / name)
    assert str(refused.value).endswith(expected)


def test_a_map_with_problems_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(GOOD.replace("{place}.", "{plac}."), encoding="utf-8")
    with pytest.raises(UnusableMap) as refused:
        load_map(path)
    assert "did you mean place?" in str(refused.value)
    assert len(refused.value.findings) == 2


def test_a_map_of_ones_own_replaces_by_id_and_adds(tmp_path: Path, shipped: MessageMap) -> None:
    path = tmp_path / "own.toml"
    path.write_text(GOOD + GOOD.replace('"own"', '"fire-confirmed-population"'), encoding="utf-8")
    found = load_map(path)
    assert set(found.messages) == {*shipped.messages, "own"}
    assert found.messages["fire-confirmed-population"].fr.sms == "Feu confirmé par {authority}, secteur {place}."
    assert found.version != shipped.version
    assert load_map().version == shipped.version


def test_a_situation_of_ones_own_may_be_added(findings: Finds) -> None:
    own = '[situation.beach]\nfr = "Plage"\nen = "Beach"\n' + GOOD.replace('"fire"', '"beach"')
    reasons = "".join(
        f'[[without]]\nid = "{who}"\naudience = "{who}"\nsituation = "beach"\nstage = "confirmed"\nfr = "x"\nen = "x"\n'
        for who in ("press", "staff")
    )
    assert findings(own + reasons) == []


def test_the_shipped_folder_is_checked_by_itself() -> None:
    assert check_map(SHIPPED) == []
