"""The sentences that a duty officer reads, word for word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from detectors.explanation import Facts, explanation_from
from records import Context, Correction, CrisisClock, Declaration, Verdict

CROWD = Facts(
    level="alert",
    grounds="established",
    posts=4,
    authors=4,
    witnesses=3,
    copies=37,
    onset_at=datetime(2012, 1, 30, 13, 2, tzinfo=UTC),
    last_at=datetime(2012, 1, 30, 13, 8, tzinfo=UTC),
    expected_per_minute=0.005,
    false_alarm_minutes=14 * 525_960,
    probability=0.93,
    would_hold=True,
    zone=ZoneInfo("Europe/Paris"),
)
SINGLE = replace(
    CROWD,
    level="watch",
    grounds="",
    posts=1,
    authors=1,
    witnesses=1,
    copies=0,
    last_at=CROWD.onset_at,
    expected_per_minute=1 / 11_520,
    false_alarm_minutes=26 * 1440,
    probability=0.32,
)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("facts", "french", "english"),
    [
        pytest.param(
            SINGLE,
            "Un seul témoin, à vérifier : 1 message depuis 14:02 ; d’ordinaire, un message de ce genre tous les "
            "8 jours ici. Une fausse alerte de cette force tous les 26 jours ici ; probabilité d’un incident : 32 %.",
            "A single witness, to be verified: 1 post since 14:02; usually one such post every 8 days here. "
            "A false alarm of this strength every 26 days here; probability of an incident: 32%.",
            id="a single witness",
        ),
        pytest.param(
            CROWD,
            "4 auteurs indépendants en 6 minutes depuis 14:02, 0,03 message attendu. Une fausse alerte de cette force "
            "tous les 14 ans ici ; probabilité d’un incident : 93 %. Corroboré par deux comptes établis au moins. "
            "Sans le message le plus fort, le seuil de veille resterait atteint. 37 copies ou relais sans poids.",
            "4 independent authors in 6 minutes since 14:02, 0.03 posts expected. A false alarm of this strength "
            "every 14 years here; probability of an incident: 93%. Corroborated by at least two established accounts. "
            "Without its strongest post it would still be a watch. 37 copies or relays without weight.",
            id="established accounts",
        ),
        pytest.param(
            replace(CROWD, grounds="", would_hold=False, copies=1, false_alarm_minutes=1e12, probability=1.0),
            "4 auteurs indépendants en 6 minutes depuis 14:02, 0,03 message attendu. Une fausse alerte de cette force "
            "moins d’une fois en 1 000 ans ici ; probabilité d’un incident : 99 %. Pas encore corroboré. Sans le "
            "message le plus fort, le seuil de veille ne serait pas atteint. 1 copie ou relais sans poids.",
            "4 independent authors in 6 minutes since 14:02, 0.03 posts expected. A false alarm of this strength "
            "less than once in 1,000 years here; probability of an incident: 99%. Not corroborated yet. "
            "Without its strongest post it would no longer be a watch. 1 copy or relay without weight.",
            id="hangs on one post",
        ),
        pytest.param(
            replace(CROWD, level="monitoring", copies=0, last_at=datetime(2012, 1, 31, 1, 0, tzinfo=UTC)),
            "Le flux retombe, plus rien depuis le 31/01 à 02:00. 4 auteurs indépendants en 12 heures depuis "
            "le 30/01 à 14:02, 3,6 messages attendus. Une fausse alerte de cette force tous les 14 ans ici ; "
            "probabilité d’un incident : 93 %. Corroboré par deux comptes établis au moins. Sans le message le plus "
            "fort, le seuil de veille resterait atteint.",
            "Falling quiet: last counted post at 02:00 on 31 Jan. 4 independent authors in 12 hours since 14:02 on "
            "30 Jan, 3.6 posts expected. A false alarm of this strength every 14 years here; probability of an "
            "incident: 93%. Corroborated by at least two established accounts. Without its strongest post it would "
            "still be a watch.",
            id="falling quiet, past midnight",
        ),
        pytest.param(
            replace(SINGLE, level="resolved"),
            "Plus rien depuis 14:02 : clos par le silence, pas par une vérification. Un seul témoin, à vérifier : "
            "1 message depuis 14:02 ; d’ordinaire, un message de ce genre tous les 8 jours ici.",
            "Nothing more since 14:02: closed by silence, not by verification. A single witness, to be verified: "
            "1 post since 14:02; usually one such post every 8 days here.",
            id="over",
        ),
        pytest.param(
            replace(SINGLE, witnesses=0, false_alarm_minutes=400.0),
            "Un seul auteur, à vérifier : 1 message depuis 14:02 ; d’ordinaire, un message de ce genre tous les "
            "8 jours ici. Une fausse alerte de cette force toutes les 7 heures ici ; probabilité d’un incident : 32 %.",
            "A single author, to be verified: 1 post since 14:02; usually one such post every 8 days here. "
            "A false alarm of this strength every 7 hours here; probability of an incident: 32%.",
            id="hearsay",
        ),
    ],
)
def test_says_why_in_both_languages(facts: Facts, french: str, english: str) -> None:
    explanation = explanation_from(facts)
    assert plain(explanation["fr"]) == french
    assert explanation["en"] == english


ONSET = CROWD.onset_at
CLOCK = CrisisClock(
    first_post=ONSET,
    first_witness=ONSET,
    first_picture=ONSET + timedelta(minutes=68),
    first_press=ONSET + timedelta(minutes=25),
    minutes=79,
    silent_minutes=79,
)
NOTICE = Context(
    bulletin_id="allo:1",
    source="Allo Industrie",
    kind="operator_notice",
    text="Arrêt d’une unité",
    issued_at=ONSET,
    fits=False,
    because={"fr": "n’annonce pas de bruit", "en": "does not announce noise"},
)


@pytest.mark.parametrize(
    ("changes", "french", "english"),
    [
        pytest.param(
            {"clock": CLOCK},
            " Première image 15:10, presse 14:27, aucune parole officielle depuis 79 minutes.",
            " First picture 15:10, press 14:27, no official word for 79 minutes.",
            id="a long silence",
        ),
        pytest.param(
            {"clock": CrisisClock(first_post=ONSET, first_witness=ONSET, minutes=9, silent_minutes=9)},
            "",
            "",
            id="nothing to say yet",
        ),
        pytest.param(
            {
                "clock": CrisisClock(
                    first_post=ONSET,
                    first_operator=ONSET + timedelta(minutes=50),
                    first_authority=ONSET + timedelta(minutes=79),
                    minutes=200,
                    silent_minutes=79,
                )
            },
            " Exploitant 14:52, parole officielle 15:21, au bout de 79 minutes.",
            " Operator 14:52, official word 15:21, after 79 minutes.",
            id="an end of the silence",
        ),
        pytest.param(
            {"clock": CrisisClock(first_authority=ONSET + timedelta(days=1), minutes=1500, silent_minutes=1440)},
            " Parole officielle le 31/01 à 14:02, au bout de 24 heures.",
            " Official word 14:02 on 31 Jan, after 24 hours.",
            id="the day after",
        ),
        pytest.param(
            {"clock": CLOCK, "level": "rejected"},
            "",
            "",
            id="rejected",
        ),
        pytest.param(
            {"declaration": Declaration(outcome="undeclared", minutes=47, duty="Port", number="00 00 00 00 00")},
            " Non déclaré depuis 47 minutes : appeler Port, 00 00 00 00 00.",
            " Undeclared for 47 minutes: call Port, 00 00 00 00 00.",
            id="undeclared",
        ),
        pytest.param(
            {"declaration": Declaration(outcome="does_not_fit", minutes=47), "context": (NOTICE,)},
            " Rien de déclaré qui corresponde depuis 47 minutes. Déclaré, explication possible selon Allo Industrie : "
            "Arrêt d’une unité. Ne correspond pas (n’annonce pas de bruit).",
            " Nothing declared that fits for 47 minutes. Declared, a possible explanation by Allo Industrie: "
            "Arrêt d’une unité. Does not fit (does not announce noise).",
            id="declared but does not fit",
        ),
    ],
)
def test_clock_and_declaration_are_one_short_sentence_each(changes: dict[str, Any], french: str, english: str) -> None:
    base = replace(CROWD, copies=0)
    plain_text, told = explanation_from(replace(base, level=changes.get("level", "alert"))), replace(base, **changes)
    assert plain(explanation_from(told)["fr"]) == plain(plain_text["fr"]) + french
    assert explanation_from(told)["en"] == plain_text["en"] + english


def test_french_double_signs_do_not_stand_at_the_start_of_a_line() -> None:
    assert "\N{NO-BREAK SPACE}:" in explanation_from(SINGLE)["fr"]


def test_an_alert_carries_its_explanation(desk: Any, signal: Any) -> None:
    (alert,) = desk.tell(signal(1, 0))
    assert alert.explanation["fr"].startswith("Un seul témoin, à vérifier")
    assert alert.explanation["en"].startswith("A single witness, to be verified: 1 post since 08:37")


@pytest.mark.parametrize(
    ("what", "french", "english"),
    [
        ("place", "Lieu précisé par la permanence : vu à la caméra.", "Place given by la permanence: vu à la caméra."),
        ("hazard", "Danger corrigé par la permanence", "Hazard corrected by la permanence"),
        ("merge", "Rattaché à un autre incident par la permanence", "Joined to another incident by la permanence"),
        (
            "split",
            "Distingué d’un autre incident par la permanence",
            "Told apart from another incident by la permanence",
        ),
    ],
)
def test_what_a_person_corrected_is_said_first_with_who_and_why(what: Any, french: str, english: str) -> None:
    said = Correction(what=what, by="la permanence", at=CROWD.onset_at, reason="vu à la caméra")
    explained = explanation_from(replace(CROWD, corrections=(said,)))
    assert plain(explained["fr"]).startswith(french)
    assert explained["en"].startswith(english)


def test_a_decision_that_was_taken_back_is_said_with_who_and_why() -> None:
    gone = Verdict(
        incident_id="fire-1",
        hazard="fire",
        area="76",
        decision="withdraw",
        decided_at=CROWD.onset_at,
        decided_by="la permanence",
        decision_id="d2",
        withdraws="d1",
        reason="erreur",
    )
    explained = explanation_from(replace(CROWD, taken_back=gone))
    assert plain(explained["fr"]).startswith("Décision annulée par la permanence : erreur.")
    assert explained["en"].startswith("Decision taken back by la permanence: erreur.")
