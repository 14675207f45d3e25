"""`vigie scenario list`: the scenarios in a table, each with what it tells."""

from collections.abc import Sequence
from typing import Literal

from rich.table import Table

from vigie.scenarios.scenario import Scenario

Language = Literal["fr", "en"]

WORDS: dict[Language, tuple[str, ...]] = {
    "fr": ("nom", "ce qu'il raconte", "commune", "heures", "messages", "ce qui arrive"),
    "en": ("name", "what it tells", "town", "hours", "posts", "what happens"),
}
FALSE: dict[Language, str] = {"fr": "{name} (faux)", "en": "{name} (false)"}
NOTHING: dict[Language, str] = {"fr": "rien", "en": "nothing"}


def table_of(scenarios: Sequence[Scenario], language: Language) -> Table:
    """Return them as a table for a terminal."""
    table = Table()
    for heading in WORDS[language]:
        table.add_column(heading, no_wrap=heading == WORDS[language][0])
    for one in scenarios:
        said = f"{one.title.of(language)}. {one.summary.of(language)}"
        count = str(len(one.all_posts))
        table.add_row(one.name, said, one.home, f"{one.hours:g}", count, "\n".join(happenings_of(one, language)))
    return table


def happenings_of(scenario: Scenario, language: Language) -> list[str]:
    """Return in words what happens in a scenario, and what is believed and does not."""
    told = [
        one.name.of(language) if one.is_true else FALSE[language].format(name=one.name.of(language))
        for one in scenario.happenings
    ]
    return told or [NOTHING[language]]
