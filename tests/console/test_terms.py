"""Terms: every code that a record may bear has a word; `test_catalogue.py` asks for its French."""

from typing import get_args

import pytest

from console.templating import environments
from console.terms import KINDS, WORDS, Kind, term
from console.tuning.candidates import State as CandidateState
from console.tuning.shadows import State as ShadowState
from console.tuning.trials import State as TrialState
from models.solidarity_words import THINGS
from records.alert import Certainty, Level, Outcome, RumourSign, Severity, Urgency
from records.backtest import Better
from records.bulletin import BulletinKind, Phenomenon
from records.doubt import Doubt
from records.place import PlaceLevel, PlaceSource
from records.post import AuthorKind
from records.signal import Hazard
from records.source_status import State, Way
from records.verdict import Decision

CODES: dict[Kind, tuple[str, ...]] = {
    "level": get_args(Level),
    "belief": get_args(Level),
    "hazard": get_args(Hazard),
    "precision": (*get_args(PlaceLevel), "unknown"),
    "place_source": get_args(PlaceSource),
    "doubt": get_args(Doubt),
    "sign": get_args(RumourSign),
    "outcome": get_args(Outcome),
    "bulletin": get_args(BulletinKind),
    "phenomenon": get_args(Phenomenon),
    "author": ("witness", *get_args(AuthorKind)),
    "way": get_args(Way),
    "state": (*get_args(State), "stale"),
    "decision": get_args(Decision),
    "severity": get_args(Severity),
    "urgency": get_args(Urgency),
    "certainty": get_args(Certainty),
    "thing": THINGS,
    "candidate": get_args(CandidateState),
    "trial": get_args(TrialState),
    "shadow": get_args(ShadowState),
    "better": get_args(Better),
}


@pytest.mark.parametrize("kind", CODES)
def test_every_code_of_a_record_has_a_word(kind: Kind) -> None:
    assert sorted(WORDS[kind]) == sorted(CODES[kind])


def test_the_kinds_are_those_that_are_listed() -> None:
    assert sorted(KINDS) == sorted(WORDS)


def test_a_code_that_is_newer_than_we_are_is_shown_as_it_is() -> None:
    assert term("level", "apocalypse") == "apocalypse"
    assert environments("Europe/Paris")["fr"].from_string("{{ '<b>' | term('level') }}").render() == "&lt;b&gt;"
