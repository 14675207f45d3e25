"""Timing: the crisis clock of an alert in one line, and whether what people perceive was declared in another."""

from collections.abc import Mapping

from connectors.sinks.wording import Language, clock, shown
from records import Alert

WORDS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "clock": "Horloge :",
        "first_witness": "témoin",
        "first_picture": "image",
        "first_press": "presse",
        "first_operator": "exploitant",
        "first_authority": "autorité",
        "silent": "aucune parole officielle en {minutes} min",
        "declared": "Déclaré : une annonce correspond, à vérifier",
        "does_not_fit": "Déclaré, mais rien qui corresponde en {minutes} min",
        "undeclared": "Non déclaré depuis {minutes} min",
        "call": "appeler",
    },
    "en": {
        "clock": "Clock:",
        "first_witness": "witness",
        "first_picture": "picture",
        "first_press": "press",
        "first_operator": "operator",
        "first_authority": "authority",
        "silent": "no official word in {minutes} min",
        "declared": "Declared: a notice fits, to be verified",
        "does_not_fit": "Declared, but nothing that fits in {minutes} min",
        "undeclared": "Undeclared for {minutes} min",
        "call": "call",
    },
}
_FIRSTS = ("first_witness", "first_picture", "first_press", "first_operator", "first_authority")


def timed(alert: Alert, language: Language) -> str:
    """Return when who first spoke of it, and for how long no authority has; empty where the alert does not say."""
    if alert.clock is None:
        return ""
    words = WORDS[language]
    said = [f"{words[name]} {clock(at)}" for name in _FIRSTS if (at := getattr(alert.clock, name)) is not None]
    if alert.clock.first_authority is None:
        said.append(words["silent"].format(minutes=alert.clock.silent_minutes))
    return f"{words['clock']} {' · '.join(said)}"


def declared(alert: Alert, language: Language) -> str:
    """Return whether somebody declared what people perceive, and whom to call; empty where nobody would have."""
    declaration = alert.declaration
    if declaration is None:
        return ""
    words = WORDS[language]
    line = words[declaration.outcome].format(minutes=declaration.minutes)
    if declaration.number:
        line += f" · {words['call']} {shown(declaration.duty)}, {shown(declaration.number)}"
    return line
