"""Recording papers: what the privacy papers say of the recording: what it keeps, and for how long.

Shape   empty where nothing is recorded
"""

from collections.abc import Mapping
from importlib.resources import files

from vigie.settings import Settings

PERIOD: Mapping[str, str] = {
    "fr": "enregistrement pour les réglages, sans texte ni lien : {days} jours",
    "en": "recording for tuning, without texts and links: {days} days",
}


def is_recorded_by(settings: Settings) -> bool:
    """Tell whether anything is recorded: the console's process does that."""
    return settings.recording.is_on and settings.recording.is_there and settings.console.is_there


def said_of(settings: Settings, paper: str, language: str) -> str:
    """Return what a paper says of the recording beside the period."""
    if not is_recorded_by(settings):
        return ""
    return (files("vigie") / "privacy" / f"recording_{paper}.{language}.md").read_text(encoding="utf-8")


def periods_of(settings: Settings, language: str) -> list[str]:
    """Return for how long it is kept."""
    return [PERIOD[language].format(days=settings.recording.keep_days)] if is_recorded_by(settings) else []
