"""Le Havre, 30 January 2012, from the minute the fire began: what may be said, as more and more is known of it."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from console.messages.channels import PAGE, in_gsm, septets
from records import Alert, Verdict
from vigie.cli import main
from vigie.replay import write_alerts
from vigie.story import le_havre_2012

if TYPE_CHECKING:
    from tests.stories.telling import Playing

pytestmark = pytest.mark.broker

LANGUAGES = ("fr", "en")
STAGES = ("first_signal", "unconfirmed", "confirmed", "over")


async def unfolded(tale: Any, playing: Any, folder: Path) -> None:
    """Play the morning, and write what stands on the topic at each stage as the command reads it."""
    story = le_havre_2012()
    posts = [post for post in story.posts if datetime.fromisoformat(post["ts"]) >= story.began_at]

    async def stands(play: "Playing", stage: str, at: datetime) -> Alert:
        await play.pass_time(await play.until(at), at)
        found = await play.pipeline.alerts()
        first = next(one for one in found if one.hazard == "fire" and one.place.insee == story.home)
        fire = [one for one in found if one.incident_id == first.incident_id]
        write_alerts(fire, folder / f"{stage}.jsonl")
        return fire[-1]

    async with playing(tale, posts) as play:
        await stands(play, "first_signal", tale.at("+1 08:38:00"))
        fire = await stands(play, "unconfirmed", tale.at("+1 09:50:00"))
        verdict = Verdict(
            incident_id=fire.incident_id,
            hazard="fire",
            area=fire.area,
            decision="confirm",
            decided_at=tale.at("+1 09:50:00"),
            decided_by="officier de permanence",
        )
        await play.pipeline.verdicts([verdict])
        await stands(play, "confirmed", tale.at("+1 09:52:00"))
        await stands(play, "over", tale.at("+3 12:00:00"))


@dataclass(frozen=True)
class Proposed:
    """What the command printed of one message."""

    id: str
    channels: Mapping[str, str]  # pages of a cell broadcast on lines of their own
    blanks: frozenset[str]  # seen in its texts
    named: frozenset[str]  # that somebody has still to give, as it is told below them
    is_ready: bool

    @property
    def audience(self) -> str:
        """For whom it is."""
        return self.id.rpartition("-")[2]


BLANK = re.compile(r"\[…(?:à compléter : |to fill in: )([^\]]+)\]")
TO_FILL = re.compile(r"^    (?:à compléter|to fill in): (.+?) \([a-z_]+\)", re.MULTILINE)


def proposed_in(block: str) -> Proposed:
    channels = dict(re.findall(r"^  (cell|sms|social|long)\b.*\n((?:^    .*\n|^\n(?=    ))*)", block, re.MULTILINE))
    return Proposed(
        id=block.partition(" · ")[0],
        channels={name: "\n".join(line[4:] for line in text.splitlines()) for name, text in channels.items()},
        blanks=frozenset(BLANK.findall("".join(channels.values()))),
        named=frozenset(TO_FILL.findall(block)),
        is_ready="  complet : " in block or "  complete: " in block,
    )


Says = Callable[..., tuple[str, dict[str, Proposed]]]


@pytest.fixture(scope="module")
def says(tales: Any, telling: Any, tmp_path_factory: pytest.TempPathFactory) -> Says:
    """Return what runs the command on how things stood at a stage: its first line, and the messages by their ids."""
    folder = tmp_path_factory.mktemp("unfolded")
    asyncio.run(unfolded(tales.tale("le_havre_2012"), telling.playing, folder))

    def said(stage: str, language: str, *more: str) -> tuple[str, dict[str, Proposed]]:
        file = str(folder / f"{stage}.jsonl")
        done = CliRunner().invoke(
            main, ["messages", "next", "--settings", devnull, "--language", language, *more, file]
        )
        assert done.exit_code == 0, done.output
        head, *blocks = re.split(r"\n\n(?=[a-z]+-[a-z-]+ · )", done.stdout)
        found = [proposed_in(block + "\n") for block in blocks]
        return head, {one.id: one for one in found}

    return said


PLACE = "Centrale thermique du Havre"
EXPECTED_STAGES = {
    "fr": ("premier signal", "non confirmé", "confirmé par une autorité", "terminé"),
    "en": ("first signal", "not confirmed", "confirmed by an authority", "over"),
}
EXPECTED_MESSAGES = {
    "first_signal": ["fire-first-population", "fire-first-press", "fire-first-staff"],
    "unconfirmed": ["fire-unconfirmed-population", "fire-unconfirmed-press", "fire-unconfirmed-staff"],
    "confirmed": [
        "fire-confirmed-population",
        "fire-evacuation-population",
        "fire-confirmed-press",
        "fire-confirmed-staff",
    ],
    "over": ["end-population", "end-press", "end-staff"],
}
TO_THE_POPULATION = {
    ("first_signal", "fr"): {
        "sms": f"Un message public évoque un incendie, secteur {PLACE}. Nous vérifions, rien n'est confirmé. Si vous"
        " voyez des flammes ou de la fumée : éloignez-vous et appelez le 18 ou le 112.",
        "social": f"Un message évoque un incendie, secteur {PLACE}. Nous vérifions ; rien n'est confirmé. Vous voyez"
        " des flammes ? Éloignez-vous, appelez le 18 ou le 112. Ne relayez pas ce que vous n'avez pas vu.",
    },
    ("first_signal", "en"): {
        "sms": f"A public post speaks of a fire, area of {PLACE}. We are checking; nothing is confirmed. If you see"
        " flames or smoke: move away and call 18 or 112.",
        "social": f"A post speaks of a fire, area of {PLACE}. We are checking; nothing is confirmed. Do you see"
        " flames? Move away and call 18 or 112. Please do not pass on what you have not seen.",
    },
    ("unconfirmed", "fr"): {
        "sms": f"Plusieurs messages publics évoquent un incendie, secteur {PLACE}. Non confirmé : nous vérifions. Par"
        " précaution, évitez le secteur et laissez les accès libres. En cas de fumée : rentrez, fermez les fenetres."
        " Danger immédiat : 18 ou 112 (114 par SMS).",
        "social": f"Plusieurs messages évoquent un incendie, secteur {PLACE}. Non confirmé, nous vérifions. Évitez le"
        " secteur ; si la fumée vous atteint : rentrez et fermez les fenêtres. Danger : 18, 112, ou 114 par SMS.",
    },
    ("unconfirmed", "en"): {
        "sms": f"Several public posts speak of a fire, area of {PLACE}. Not confirmed: we are checking. To be safe,"
        " keep away and keep access roads free. If there is smoke: go inside, close windows. Immediate danger: 18 or"
        " 112 (114 by SMS).",
        "social": f"Several posts speak of a fire, area of {PLACE}. Not confirmed, we are checking. Keep away; if"
        " smoke reaches you, go inside and close the windows. Danger: 18, 112, or 114 by SMS.",
    },
}
"""All that there is to tell the population before somebody has confirmed it."""
BLANKS = {
    "fire-first-population": set(),
    "fire-first-press": {"heure du prochain point"},
    "fire-first-staff": {"heure du prochain point"},
    "fire-unconfirmed-population": set(),
    "fire-unconfirmed-press": {"heure du prochain point", "numéro de la cellule"},
    "fire-unconfirmed-staff": {"heure du prochain point", "numéro de la cellule"},
    "fire-confirmed-population": {"autorité", "compte ou site officiel", "qui confirme"},
    "fire-evacuation-population": {"autorité", "périmètre", "rue", "lieu d'accueil"},
    "fire-confirmed-press": {
        "qui confirme",
        "moyens engagés",
        "bilan humain confirmé",
        "heure du prochain point",
        "numéro de la cellule",
    },
    "fire-confirmed-staff": {"qui confirme", "numéro de la cellule", "heure du prochain point"},
    "end-population": {"autorité", "heure de fin", "compte ou site officiel", "qui confirme"},
    "end-press": {
        "qui confirme",
        "heure de fin",
        "bilan humain confirmé",
        "cause établie",
        "numéro de la cellule",
    },
    "end-staff": {"heure de fin", "qui confirme"},
}
GIVEN = (
    "authority=Préfecture de la Seine-Maritime",
    "source_of_confirmation=le SDIS 76",
    "official_account=ville.example",
    "ended=14:30",
)
PAGES = {
    ("confirmed", "fr"): [
        "ALERTE INCENDIE. Préfecture de la Seine-Maritime.",
        f"Incendie confirmé, secteur {PLACE}.",
        "N'approchez pas. Laissez les accès libres aux secours.",
        "En cas de fumée : rentrez, fermez portes et fenetres, coupez la ventilation.",
        "Enfants : leur école les met à l'abri, n'allez pas les chercher.",
        "Ne téléphonez qu'en cas d'urgence : 18 ou 112, 114 par SMS.",
        "Consignes : ville.example.",
    ],
    ("confirmed", "en"): [
        "FIRE ALERT. Préfecture de la Seine-Maritime.",
        f"Fire confirmed, area of {PLACE}.",
        "Keep away. Leave access roads free for the emergency services.",
        "If there is smoke: go inside, close doors and windows, stop ventilation.",
        "Children: their school shelters them, do not fetch them.",
        "Phone only in an emergency: 18 or 112, 114 by SMS.",
        "Instructions: ville.example.",
    ],
    ("over", "fr"): [
        "FIN D'ALERTE. Préfecture de la Seine-Maritime.",
        f"L'alerte du secteur {PLACE} est levée depuis 14h30.",
        "Vous pouvez sortir. Aérez. N'entrez pas dans les zones encore fermées.",
        "Suites et conseils : ville.example.",
    ],
    ("over", "en"): [
        "END OF ALERT. Préfecture de la Seine-Maritime.",
        f"The alert for {PLACE} has been over since 14:30.",
        "You may go out. Air your home. Keep out of areas that are still closed.",
        "What follows, and advice: ville.example.",
    ],
}
"""The cell broadcast, page by page, once somebody has given what only people can."""
TO_EACH = [pytest.param(stage, language, id=f"{stage} {language}") for stage in STAGES for language in LANGUAGES]
WARNING = {"confirmed": "fire-confirmed-population", "over": "end-population"}


@pytest.mark.parametrize(("stage", "language"), TO_EACH)
def test_the_stage_follows_and_everybody_has_their_messages(says: Says, stage: str, language: str) -> None:
    head, found = says(stage, language)
    assert head.splitlines()[0].endswith(f": {EXPECTED_STAGES[language][STAGES.index(stage)]}")
    assert list(found) == EXPECTED_MESSAGES[stage]
    assert {one.audience for one in found.values()} == {"population", "press", "staff"}


@pytest.mark.parametrize(("stage", "language"), TO_THE_POPULATION)
def test_before_it_is_confirmed_the_population_is_told_what_is_said_and_no_fact(
    says: Says, stage: str, language: str
) -> None:
    (told,) = [one for one in says(stage, language)[1].values() if one.audience == "population"]
    assert told.channels == TO_THE_POPULATION[stage, language]
    assert told.is_ready
    assert "cell" not in told.channels
    for text in told.channels.values():
        assert set(re.findall(r"\d+", text)) <= {"18", "112", "114"}, "no hour, and nobody is counted"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", ["first_signal", "unconfirmed"])
def test_before_it_is_confirmed_every_text_says_so(says: Says, stage: str, language: str) -> None:
    said = {
        "fr": r"(?i)non confirmé|rien n'est confirmé|n'est pas confirmé",
        "en": r"(?i)not confirmed|nothing is conf",
    }
    for one in says(stage, language)[1].values():
        for channel, text in one.channels.items():
            assert re.search(said[language], text), f"{one.id} {channel}"


@pytest.mark.parametrize(("stage", "language"), TO_EACH)
def test_each_blank_is_named_and_who_has_one_is_not_ready(says: Says, stage: str, language: str) -> None:
    for one in says(stage, language)[1].values():
        assert one.blanks == one.named, one.id
        assert one.is_ready == (not one.blanks), one.id
        assert len(one.blanks) == len(BLANKS[one.id]), one.id
        if language == "fr":
            assert one.blanks == BLANKS[one.id]


@pytest.mark.parametrize("language", LANGUAGES)
def test_once_confirmed_the_place_and_the_hour_are_filled_in_and_nothing_that_only_people_know(
    says: Says, language: str
) -> None:
    _, found = says("confirmed", language)
    for one in found.values():
        assert PLACE in "".join(one.channels.values()), one.id
    assert {"fr": "depuis 08h37 environ", "en": "since about 08:37"}[language] in found[
        "fire-confirmed-press"
    ].channels["long"]


@pytest.mark.parametrize(("stage", "language"), PAGES)
def test_completed_the_warning_has_its_pages_of_93_characters(says: Says, stage: str, language: str) -> None:
    given = [word for fact in GIVEN for word in ("--fact", fact)]
    told = says(stage, language, "--audience", "population", *given)[1][WARNING[stage]]
    assert told.is_ready
    pages = [line[3:] for line in told.channels["cell"].splitlines()]
    assert pages == PAGES[stage, language]
    assert all(septets(page) <= PAGE and page == in_gsm(page) for page in pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_it_is_over_waits_for_who_declares_it(says: Says, language: str) -> None:
    (told,) = [one for one in says("over", language)[1].values() if one.audience == "population"]
    assert not told.is_ready
    assert {"fr": "heure de fin", "en": "end"}[language] in told.named
