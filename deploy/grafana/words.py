"""Words: what labels of metrics are called by people, French and English."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")


class Words(NamedTuple):
    """One text in both languages."""

    fr: str
    en: str

    def of(self, language: Language) -> str:
        """Return it in one of them."""
        return self.fr if language == "fr" else self.en


Names = Mapping[str, Words]


def followed(names: Names, words: Words) -> Names:
    """Return the names of answers whose legend is a label, followed by words."""
    return {
        f"{name}{words.of(language)}": Words(said.fr + words.fr, said.en + words.en)
        for name, said in names.items()
        for language in LANGUAGES
    }


HAZARDS: Names = {
    "fire": Words("incendie", "fire"),
    "flood": Words("inondation", "flood"),
    "industrial": Words("accident industriel", "industrial accident"),
    "other": Words("autre sinistre", "other disaster"),
}
LEVELS: Names = {
    "signal": Words("Signal", "Signal"),
    "watch": Words("Veille", "Watch"),
    "alert": Words("ALERTE", "ALERT"),
    "confirmed": Words("CONFIRMÉ", "CONFIRMED"),
    "monitoring": Words("Suivi", "Monitoring"),
    "resolved": Words("Terminé", "Resolved"),
    "rejected": Words("Écarté", "Rejected"),
}
WAYS: Names = {
    "network": Words("Réseaux ouverts", "Open networks"),
    "page": Words("Page de la ville", "The town's page"),
    "press": Words("Presse", "Press"),
    "people": Words("Signalements directs", "Told by people"),
    "authorities": Words("Autorités, capteurs", "Authorities, gauges"),
}
ACTUALITIES: Names = {
    "now": Words("en ce moment", "now"),
    "past": Words("passé", "past"),
    "exercise": Words("exercice", "exercise"),
    "figurative": Words("figuré", "figurative"),
    "forecast": Words("prévu", "forecast"),
    "other": Words("autre", "other"),
}
PROCESSES: Names = {
    "vigie-worker": Words("lecture et décision", "worker"),
    "vigie-edge": Words("sources", "edge"),
    "vigie-console": Words("console", "console"),
}
COLOURS: Mapping[str, str] = {
    "signal": "#8e8e8e",
    "watch": "orange",
    "alert": "red",
    "confirmed": "purple",
    "monitoring": "blue",
    "resolved": "green",
    "rejected": "#5a5a5a",
}
"""Of the levels, the same in every panel; the word always stands beside it."""
