"""Rumour words: what speaks for a rumour, in sentences, in French and English.

Shape   a rumour in, sentences out; nothing where nothing speaks for one. Moments are told by a clock that is passed in
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from records import Doubt, Rumour

_DOUBTS: Mapping[str, Mapping[Doubt, str]] = {
    "fr": {
        "old_link": "lien ancien",
        "recycled_text": "texte déjà connu",
        "false_official": "ton officiel, compte inconnu du registre",
    },
    "en": {
        "old_link": "old link",
        "recycled_text": "text known from elsewhere",
        "false_official": "official tone, account not in the register",
    },
}
_DENIERS: Mapping[str, Mapping[str, str]] = {
    "fr": {"authority": "une autorité", "operator": "un exploitant"},
    "en": {"authority": "an authority", "operator": "an operator"},
}


def rumour_in_french(rumour: Rumour | None, clock: Callable[[datetime], str]) -> str:
    """Return what speaks for a rumour, what waits for it, and that nothing is settled by it."""
    if rumour is None:
        return ""
    said = []
    if "only_relays" in rumour.signs:
        said.append("cela circule sans que personne dise l’avoir vu")
    if "doubtful" in rumour.signs:
        said.append(f"messages douteux ({_doubts(rumour, 'fr')})")
    if rumour.denied_at is not None:
        by = _DENIERS["fr"].get(rumour.denied_by, rumour.denied_by)
        said.append(f"démenti par {by} à {clock(rumour.denied_at)}")
    held = " Le mot « alerte » attend un témoin ou un compte connu." if rumour.is_held else ""
    return f"Peut-être une rumeur, à vérifier : {', '.join(said)}.{held} Démenti proposé dans la carte des messages."


def rumour_in_english(rumour: Rumour | None, clock: Callable[[datetime], str]) -> str:
    """Return what speaks for a rumour, what waits for it, and that nothing is settled by it."""
    if rumour is None:
        return ""
    said = []
    if "only_relays" in rumour.signs:
        said.append("it goes round and nobody says they saw it")
    if "doubtful" in rumour.signs:
        said.append(f"doubtful posts ({_doubts(rumour, 'en')})")
    if rumour.denied_at is not None:
        by = _DENIERS["en"].get(rumour.denied_by, rumour.denied_by)
        said.append(f"denied by {by} at {clock(rumour.denied_at)}")
    held = ' The word "alert" waits for a witness or a known account.' if rumour.is_held else ""
    return f"Maybe a rumour, to be verified: {', '.join(said)}.{held} A denial is proposed in the message map."


def _doubts(rumour: Rumour, language: str) -> str:
    words = _DOUBTS[language]
    found = [words[doubt] for doubt in rumour.doubts]
    return ", ".join(found) or {"fr": "motif effacé", "en": "reason gone"}[language]
