"""Reasons: every sentence of ours why somebody was not told, or a source is not heard, is there in French."""

import pytest

from connectors.sinks.needless import NEVER_TOLD, NEWER, ONLY_WORDS
from connectors.sinks.taking_in import WAITS_FOR_GROUP
from connectors.watch import Seen
from console.catalogue import messages, words
from console.reasons import SENTENCES, reason

FRENCH = words("fr").gettext


def test_every_sentence_is_there_in_french() -> None:
    french = {one.id for one in messages("fr") if one.string}
    assert [english for _, english in SENTENCES if english not in french] == []


@pytest.mark.parametrize("text", [NEVER_TOLD, NEWER, ONLY_WORDS, WAITS_FOR_GROUP, Seen.why])
def test_what_the_outbox_and_the_watch_write_is_known(text: str) -> None:
    assert reason(text, FRENCH) not in (text, reason(text, words("en").gettext))


@pytest.mark.parametrize(
    ("text", "french"),
    [
        pytest.param(
            "silence: silence 5f1e by astreinte (operator): exercice : SDIS",
            "mis en silence par astreinte (operator)\u00a0: exercice : SDIS",
            id="a silence",
        ),
        pytest.param(
            "window: exercise window ORSEC by préfecture: essai",
            "pendant un exercice (ORSEC, par préfecture)\u00a0: essai",
            id="an exercise",
        ),
        pytest.param(
            "inhibition: inhibited by fire-1 (alert)",
            "couvert par un incident plus grave\u00a0: fire-1",
            id="inhibited",
        ),
        pytest.param("rate: 6 an hour at most by route nuit", "6 par heure au plus par la route nuit", id="a rate"),
        pytest.param(
            "bluesky jetstream2.example: cannot connect: TimeoutError()",
            "bluesky jetstream2.example est injoignable\u00a0: TimeoutError()",
            id="a source that cannot be reached",
        ),
        pytest.param("presse: https://a.example/: status 503", "presse: https://a.example/ répond 503", id="a status"),
        pytest.param("what nobody knows: 100 %s", "what nobody knows: 100 %s", id="not one of ours"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_reason_is_said_in_french(text: str, french: str) -> None:
    assert reason(text, FRENCH) == french
