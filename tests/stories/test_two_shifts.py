"""The estuary, 3 March: two changes of shift, and what whoever comes on duty finds in the mail and at the webhook."""

import asyncio
import email
import email.policy
import json
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.sinks.apprise import AppriseSink
from connectors.sinks.digest_wording import html_from
from connectors.sinks.message import Voice
from connectors.sinks.outbox import Outbox
from connectors.sinks.webhook import WebhookSink
from connectors.sinks.wording import LANGUAGES, ZONE, Language
from records import Alert, ManualClock, Pulse, SourceStatus, Verdict, decode
from records.digest import Digest
from vigie.digesting import Digesting, Shifts
from vigie.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from tests.stories.telling import Playing

pytestmark = pytest.mark.broker

SECRET = "whsec_" + "dHdvIHNoaWZ0cyBvbmUgZXN0dWFyeSE="
SOURCES = ("bluesky", "facebook", "twitter")
MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """Whom the digests reach: two addresses, in French and in English, and a program."""

    letters: dict[str, list[str]] = field(default_factory=dict)  # by the address
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        body = email.message_from_bytes(content, policy=email.policy.default).get_body(("plain",))
        assert body is not None
        for address in envelope.rcpt_tos:
            self.letters.setdefault(address, []).append(body.get_content())
        return "250 OK"

    async def handle_post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        found = re.search(r"content-length: (\d+)", head)
        assert found
        self.posted.append(json.loads(await reader.readexactly(int(found[1]))))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def served(folder: Path, clock: ManualClock) -> AsyncIterator[tuple[Desk, Outbox]]:
    """Serve mail and a webhook on the loopback; give whom they reach, and the outbox that tells them."""
    desk, loop = Desk(), asyncio.get_running_loop()
    mail = await loop.create_server(lambda: SMTP(desk, hostname="mx.example"), "127.0.0.1", 0)
    web = await asyncio.start_server(desk.handle_post, "127.0.0.1", 0)
    async with mail, web:
        people = []
        for language in LANGUAGES:
            port = mail.sockets[0].getsockname()[1]
            urls = folder / f"{language}.urls"
            urls.write_text(f"mailto://127.0.0.1:{port}?from=vigie@v.example&to={language}@v.example\n")
            kept = folder / f"{language}.sqlite"
            people.append(AppriseSink(urls, kept=kept, clock=clock, voice=Voice(language=language), name=language))
        port = web.sockets[0].getsockname()[1]
        program = WebhookSink(f"http://127.0.0.1:{port}/", secret=SECRET, clock=clock)
        outbox = Outbox(folder / "outbox.sqlite", [*people, program], clock=clock)
        yield desk, outbox
        outbox.close()
        await program.close()
        for one in people:
            one.close()


async def listened(play: "Playing", since: datetime, until: datetime, *, blind: tuple[datetime, datetime]) -> None:
    """Put on the topics what the edge says of its sources: a pulse a minute, but for those in which one was blind."""
    pulses = [
        Pulse(source=source, minute=since + number * MINUTE, language="fr", area="", outcomes={"gated": 1})
        for number in range(int((until - since) / MINUTE))
        for source in SOURCES
        if not (source == "bluesky" and blind[0] <= since + number * MINUTE < blind[1])
    ]
    publisher = play.pipeline.publisher
    await publisher.pulses(pulses)
    await publisher.statuses(
        [SourceStatus(source=one, way="network", state="listening", at=until, since=since) for one in SOURCES]
    )


async def shift(play: "Playing", at: datetime) -> list[Alert]:
    """Tell the story up to a moment, and let time pass until then."""
    await play.pass_time(await play.until(at), at)
    return await play.pipeline.alerts()


async def told(tale: Scenario, playing: Any, posts: Any, folder: Path) -> Desk:
    """Play the day, with a digest at seven in the morning and one at seven in the evening."""
    clock = ManualClock(tale.at("07:00:20"))
    blind = (tale.at("12:00:00"), tale.at("13:00:00"))
    async with playing(tale, posts) as play, served(folder, clock) as (desk, outbox):
        publish, streams = play.pipeline.publisher.digests_made, play.pipeline.streams
        shifts = Shifts([time(7), time(19)], ZONE)

        async def made(at: datetime) -> None:
            """Look, as a worker that was just started, whether a digest is due."""
            clock.advance(at - clock.now())
            await Digesting(shifts, outbox, ["fr", "en", "webhook"], clock).look(streams, publish, lambda: True)
            await outbox.drain()

        await listened(play, tale.at("-1 18:00:00"), tale.at("07:00:00"), blind=blind)
        await shift(play, tale.at("07:00:00"))
        await made(tale.at("07:00:20"))

        alerts = await shift(play, tale.at("10:30:00"))
        (flood,) = {(one.incident_id, one.area) for one in alerts if one.hazard == "flood"}
        verdict = Verdict(
            incident_id=flood[0],
            hazard="flood",
            area=flood[1],
            decision="reject",
            decided_at=tale.at("10:30:00"),
            decided_by="officier de permanence",
        )
        await play.pipeline.verdicts([verdict])
        await listened(play, tale.at("07:00:00"), tale.at("19:00:00"), blind=blind)
        await shift(play, tale.at("19:00:00"))
        for _ in range(2):
            await made(tale.at("19:00:20"))
        return desk


@pytest.fixture(scope="module")
def desk(tales: Any, telling: Any) -> Desk:
    tale = tales.tale("two_shifts")
    with tempfile.TemporaryDirectory(prefix="vigie-desk-") as folder:
        return asyncio.run(told(tale, telling.playing, tale.all_posts, Path(folder)))


TOLD = {
    "fr": (
        {
            "NOUVEAU": ["ALERTE · incendie · Gare de Montivilliers · depuis 03/03 05:42 · 5 messages, 4 témoins"],
            "EN COURS": ["rien"],
            "ÉCARTÉ": ["rien"],
            "TERMINÉ": ["rien"],
            "DÉCLARÉ PAR UN EXPLOITANT OU UNE AUTORITÉ": ["rien"],
            "CE QUE NOUS N’AVONS PAS VU": [
                "aucune écoute par : autorités et capteurs, page de la collectivité, signalements directs, presse"
            ],
            "QUESTIONS OUVERTES": ["Gare de Montivilliers : Ce qu'on ne sait pas : aucune parole officielle"],
            "CHIFFRES": ["2160 écartés par le filtre", "2160 lus", "0 signaux faibles"],
        },
        {
            "NOUVEAU": ["Suivi · incendie · Raffinerie de Normandie · depuis 03/03 17:24 · 3 messages, 3 témoins"],
            "EN COURS": ["rien"],
            "ÉCARTÉ": [
                "Écarté · inondation · Harfleur · depuis 03/03 09:36 · 3 messages, 2 témoins"
                " · Écarté par officier de permanence"
            ],
            "TERMINÉ": ["Terminé · incendie · Gare de Montivilliers · depuis 03/03 05:42 · 5 messages, 4 témoins"],
            "DÉCLARÉ PAR UN EXPLOITANT OU UNE AUTORITÉ": [
                "Raffinerie de Normandie : notices, « Raffinerie de Normandie : torche. Torche visible et bruit,"
                " redémarrage d'une unité. » · correspond (même endroit, même moment, flammes annoncées)"
            ],
            "BESOINS ET OFFRES AUTOUR DES INCIDENTS": [  # an everyday collection of blood: near, and not for the fire
                "Gare de Montivilliers (incendie) : appel · soins · Le Havre · 03/03 13:38",
                "Non vérifié : lu dans des messages publics. La cellule ne transmet aucune donnée personnelle.",
            ],
            "CE QUE NOUS N’AVONS PAS VU": [
                "bluesky : 60 minutes sans lecture",
                "aucune écoute par : autorités et capteurs, page de la collectivité, signalements directs, presse",
            ],
            "QUESTIONS OUVERTES": ["Raffinerie de Normandie : Ce qu'on ne sait pas : aucune parole officielle"],
            "CHIFFRES": ["2100 écartés par le filtre", "2100 lus", "0 signaux faibles"],
        },
    ),
    "en": (
        {
            "NEW": ["ALERT · fire · Gare de Montivilliers · since 03/03 05:42 · 5 posts, 4 witnesses"],
            "ONGOING": ["nothing"],
            "REJECTED": ["nothing"],
            "OVER": ["nothing"],
            "DECLARED BY AN OPERATOR OR AN AUTHORITY": ["nothing"],
            "WHAT WE HAVE NOT SEEN": [
                "nobody listens by: authorities and sensors, the authority’s page, direct reports, press"
            ],
            "OPEN QUESTIONS": ["Gare de Montivilliers : What is not known : no official word"],
            "FIGURES": ["2160 held back by the filter", "2160 read", "0 weak signals"],
        },
        {
            "NEW": ["Monitoring · fire · Raffinerie de Normandie · since 03/03 17:24 · 3 posts, 3 witnesses"],
            "ONGOING": ["nothing"],
            "REJECTED": [
                "Rejected · flood · Harfleur · since 03/03 09:36 · 3 posts, 2 witnesses"
                " · Rejected by officier de permanence"
            ],
            "OVER": ["Resolved · fire · Gare de Montivilliers · since 03/03 05:42 · 5 posts, 4 witnesses"],
            "DECLARED BY AN OPERATOR OR AN AUTHORITY": [
                "Raffinerie de Normandie : notices, « Raffinerie de Normandie : torche. Torche visible et bruit,"
                " redémarrage d'une unité. » · fits (same place, same time, flames announced)"
            ],
            "NEEDS AND OFFERS AROUND INCIDENTS": [
                "Gare de Montivilliers (fire): call · care · Le Havre · 03/03 13:38",
                "Not verified: read in public posts. The crisis cell passes on no personal data.",
            ],
            "WHAT WE HAVE NOT SEEN": [
                "bluesky : 60 minutes not read",
                "nobody listens by: authorities and sensors, the authority’s page, direct reports, press",
            ],
            "OPEN QUESTIONS": ["Raffinerie de Normandie : What is not known : no official word"],
            "FIGURES": ["2100 held back by the filter", "2100 read", "0 weak signals"],
        },
    ),
}
"""What each digest says, the one of the morning and the one of the evening: the whole of its lists, and no more."""
SINCE = {"fr": ("depuis le 02/03 19:00", "depuis le 03/03 07:00"), "en": ("since 02/03 19:00", "since 03/03 07:00")}


def parts_in(text: str) -> dict[str, list[str]]:
    """Return the lines of a digest by heading, without the incidents' ids."""
    parts: dict[str, list[str]] = {}
    heading = ""
    for line in re.sub(r" · (fire|flood)-[0-9a-f]{16}", "", text).splitlines():
        if line.startswith("- "):
            parts[heading].append(line[2:])
        elif line and line == line.upper():
            heading = line
            parts[heading] = []
    return parts


def text_in(page: str) -> str:
    """Return a page as the same digest in plain text."""
    with_headings = re.sub(r"<h2>(.*?)</h2>", lambda found: f"\n{found[1].upper()}\n", page)
    with_lines = re.sub(r"<li>(.*?)</li>", r"- \1\n", with_headings)
    return unescape(re.sub(r"<[^>]*>", "", with_lines))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_change_of_shift_is_mailed_its_lists_and_no_other(desk: Desk, language: Language) -> None:
    letters = desk.letters[f"{language}@v.example"]
    assert tuple(parts_in(letter) for letter in letters) == TOLD[language]
    for letter, since in zip(letters, SINCE[language], strict=True):
        assert letter.splitlines()[1] == since


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_is_posted_the_same_in_words_and_as_data_that_make_the_same_page(
    desk: Desk, language: Language
) -> None:
    assert [one["type"] for one in desk.posted] == ["digest", "digest"]
    assert tuple(parts_in(one["text"][language]) for one in desk.posted) == TOLD[language]
    digests = [decode(json.dumps(one["data"]).encode(), Digest) for one in desk.posted]
    assert [one.digest_id for one in digests] == ["digest/2026-03-03T06:00Z", "digest/2026-03-03T18:00Z"]
    assert tuple(parts_in(text_in(html_from(one, language))) for one in digests) == TOLD[language]


def test_no_words_of_posts_are_in_any_of_them(desk: Desk) -> None:
    said = json.dumps([desk.letters, desk.posted], ensure_ascii=False)
    for words in ("grosses flammes", "on ne passe plus", "comme en plein jour"):
        assert words not in said
