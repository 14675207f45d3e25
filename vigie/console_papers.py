"""Console papers: what the privacy papers say of the console: what it keeps, of whom, for how long, who looks at it.

Shape   empty where no console is set, or its libraries are not installed
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files

from vigie.console_settings import ConsoleSettings

PERIODS: Mapping[str, tuple[str, ...]] = {
    "fr": (
        "console, textes et liens des messages montrés avec un incident, et empreinte de leur auteur : {words} jours",
        "console, incidents sans ces textes, décisions, notes, personnes prévenues, messages signés, "
        "signalements saisis, incidents manqués notés, questions aux bénévoles, silences, "
        "profils essayés ou mis en vigueur et qui les a proposés, essais (sans texte ni auteur) : "
        "{years:g} ans après la dernière nouvelle",
        "console, comptages sans texte : {pulses} et {rates} jours",
        "console, comptes, et liste de qui a fait quoi (audit) : tant que le service existe ; Vigie ne les efface pas",
    ),
    "en": (
        "console, texts and links of posts shown with an incident, and the hash of their author: {words} days",
        "console, incidents without these texts, decisions, notes, who was told, signed messages, reports taken in, "
        "missed incidents noted, questions to volunteers, silences, profiles tried or put in force and who proposed "
        "them, their trials (neither text nor author): {years:g} years after the last news of them",
        "console, counts without texts: {pulses} and {rates} days",
        "console, accounts, and the list of who did what (audit): as long as the service exists; Vigie purges neither",
    ),
}


def said_of(console: ConsoleSettings, paper: str, language: str) -> str:
    """Return what a paper says of the console beside the periods."""
    if not console.is_there:
        return ""
    return (files("vigie") / "privacy" / f"console_{paper}.{language}.md").read_text(encoding="utf-8")


def periods_of(console: ConsoleSettings, language: str) -> list[str]:
    """Return for how long the console keeps what."""
    if not console.is_there:
        return []
    from console.archive.keeping import PULSES_KEPT, RATES_KEPT  # noqa: PLC0415  needs the console's libraries
    from console.archive.words import WORDS_KEPT  # noqa: PLC0415  the same

    known = {"words": WORDS_KEPT, "pulses": PULSES_KEPT, "rates": RATES_KEPT}
    days = {name: span // timedelta(days=1) for name, span in known.items()}
    return [line.format(years=console.keep_years, **days) for line in PERIODS[language]]
