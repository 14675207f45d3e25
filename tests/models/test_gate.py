"""The gate: what passes, what is held back, and how it refuses a lexicon that it cannot use."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gate import Gate
from models.posts_corpus import CORPUS, read_part
from records import SettingsError

GATE = Gate.load()
LEAST_RECALL = 0.995


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Gros incendie à la raffinerie", id="plain words"),
        pytest.param("INCENDIE!!!", id="capitals and punctuation"),
        pytest.param("ca sent le brule dehors", id="no accents"),
        pytest.param("c’est quoi ce ciel noir au-dessus du port", id="understated, curly apostrophe"),
        pytest.param("ça pique la gorge depuis ce matin", id="throat"),
        pytest.param("de l'eau dans le garage et ça monte", id="water at home"),
        pytest.param("la Loire est sur le quai", id="river verb"),
        pytest.param("#FeuDeForet en vue", id="hashtag"),
        pytest.param("🔥🔥🔥 immeuble d'en face", id="emoji"),
        pytest.param("there's water coming up through the floorboards", id="English, two words"),
        pytest.param("can anyone else smell gas on Mill Road?", id="English, smell"),
        pytest.param("séisme ressenti à Mulhouse", id="another disaster"),
        pytest.param("Bru\u0302le\u0301 !", id="accents as characters of their own"),
    ],
)
def test_lets_through(text: str) -> None:
    assert GATE(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("bonne nuit tout le monde, à demain", id="chatter"),
        pytest.param("just had the best coffee of my life", id="English chatter"),
        pytest.param("nouvelle coupe nouvelle vie", id="haircut"),
        pytest.param("\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17", id="no Latin letters"),
    ],
)
def test_holds_back(text: str) -> None:
    assert not GATE(text)


def test_passes_nearly_every_incident_of_the_training_part() -> None:
    incidents = [post.text for post in read_part(CORPUS / "train") if post.hazards]
    passed = sum(map(GATE, incidents))
    assert passed / len(incidents) >= LEAST_RECALL


@given(st.text(max_size=300))
def test_passes_exactly_what_it_can_explain(text: str) -> None:
    assert GATE(text) == bool(GATE.why_passed(text))


@given(st.text(max_size=100))
def test_more_words_never_close_the_gate(text: str) -> None:
    assert GATE(f"{text} incendie")


def test_reads_a_lexicon_of_the_analysts_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("$here = zorglub | bidule  # two names\n[fire]\ntruc* + $here\n!*incendi*\n", encoding="utf-8")
    gate = Gate.load(mine)
    assert gate("un trucmuche au zorglub")
    assert not gate("un trucmuche ailleurs qu'ici")
    assert not gate("incendiaire")
    assert [entry.written for entry in gate.why_passed("bidule truc")] == ["truc* + $here"]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param("[fuego]\nx", 'line 1: "[fuego]" is no section', id="unknown section"),
        pytest.param("brul*", 'line 1: "brul*" stands before any section', id="no section"),
        pytest.param("[fire]\nbru*ler", 'line 2: "bru*ler": found "bru*ler"', id="star inside"),
        pytest.param("[fire]\neau +", 'line 2: "eau +": found ""', id="empty part"),
        pytest.param("[fire]\na", 'line 2: "a": found "a"', id="too short"),
        pytest.param("[fire]\nbrule\nbrûlé", 'line 3: "brûlé" already stands on line 2', id="twice"),
        pytest.param("[fire]\n$lieu + eau", 'line 2: "$lieu + eau": no list $lieu', id="unknown list"),
        pytest.param("[fire]\n!zzzz", '"!zzzz" takes out an entry that is not there', id="nothing to take out"),
    ],
)
def test_refuses_a_lexicon_and_says_where(tmp_path: Path, lines: str, complaint: str) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text(lines, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(complaint)) as refusal:
        Gate.load(mine)
    assert str(refusal.value).startswith("mine.txt: ")


def test_refuses_a_missing_lexicon(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.txt: cannot be read"):
        Gate.load(tmp_path / "none.txt")
