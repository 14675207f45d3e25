"""Rumour words: what speaks for a rumour, in sentences, in French and English.

Shape   a rumour in, sentences out; nothing where nothing speaks for one. Moments are told by a clock that is passed in
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from records import Rumour

_WORDS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "maybe": "Peut-être une rumeur, à vérifier : {said}.",
        "held": "Le mot « alerte » attend un témoin ou un compte connu.",
        "proposed": "Démenti proposé dans la carte des messages.",
        "only_relays": "cela circule sans que personne dise l’avoir vu",
        "doubtful": "messages douteux ({doubts})",
        "denied": "démenti par {by} à {at}",
        "old_link": "lien ancien",
        "recycled_text": "texte déjà connu",
        "false_official": "ton officiel, compte inconnu du registre",
        "gone": "motif effacé",
        "authority": "une autorité",
        "operator": "un exploitant",
    },
    "en": {
        "maybe": "Maybe a rumour, to be verified: {said}.",
        "held": 'The word "alert" waits for a witness or a known account.',
        "proposed": "A denial is proposed in the message map.",
        "only_relays": "it goes round and nobody says they saw it",
        "doubtful": "doubtful posts ({doubts})",
        "denied": "denied by {by} at {at}",
        "old_link": "old link",
        "recycled_text": "text known from elsewhere",
        "false_official": "official tone, account not in the register",
        "gone": "reason gone",
        "authority": "an authority",
        "operator": "an operator",
    },
}


def rumour_in(language: str, rumour: Rumour | None, clock: Callable[[datetime], str]) -> str:
    """Return what speaks for a rumour, what waits for it, and that nothing is settled by it."""
    if rumour is None:
        return ""
    words = _WORDS[language]
    said = words["maybe"].format(said=", ".join(_signs(rumour, words, clock)))
    held = [words["held"]] if rumour.is_held else []
    return " ".join([said, *held, words["proposed"]])


def _signs(rumour: Rumour, words: Mapping[str, str], clock: Callable[[datetime], str]) -> Iterator[str]:
    doubts = ", ".join(words[doubt] for doubt in rumour.doubts) or words["gone"]
    by = words.get(rumour.denied_by, rumour.denied_by)
    at = clock(rumour.denied_at) if rumour.denied_at is not None else ""
    for sign in rumour.signs:
        yield words[sign].format(doubts=doubts, by=by, at=at)
