"""Correction words: what people corrected or took back, in sentences, in French and English.

Shape   corrections in, one sentence each out, with who said it and why
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from records import Correction, Verdict

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "place": "Lieu précisé par {by}",
        "hazard": "Danger corrigé par {by}",
        "merge": "Rattaché à un autre incident par {by}",
        "split": "Distingué d’un autre incident par {by}",
        "withdraw": "Décision annulée par {by}",
        "because": " : {reason}",
    },
    "en": {
        "place": "Place given by {by}",
        "hazard": "Hazard corrected by {by}",
        "merge": "Joined to another incident by {by}",
        "split": "Told apart from another incident by {by}",
        "withdraw": "Decision taken back by {by}",
        "because": ": {reason}",
    },
}


def corrections_in(language: str, corrections: Sequence[Correction], taken_back: Verdict | None) -> list[str]:
    """Return what people corrected, and that a decision was taken back, in the order in which they said it."""
    return list(_sentences(_WORDS[language], corrections, taken_back))


def _sentences(
    words: Mapping[str, str], corrections: Sequence[Correction], taken_back: Verdict | None
) -> Iterator[str]:
    for one in corrections:
        yield _sentence(words, one.what, one.by, one.reason)
    if taken_back is not None:
        yield _sentence(words, "withdraw", taken_back.decided_by, taken_back.reason)


def _sentence(words: Mapping[str, str], what: str, by: str, reason: str) -> str:
    because = words["because"].format(reason=reason) if reason else ""
    return f"{words[what].format(by=by)}{because}."
