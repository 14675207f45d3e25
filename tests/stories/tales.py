"""The stories that are told: where, when, on which ordinary days, and what happens in them besides."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.sources.notices import Site
from vigie.duty_settings import DutySettings
from vigie.rumour_settings import OfficialAccount
from vigie.story import PARIS, le_havre_2012

if TYPE_CHECKING:
    from tests.stories.everyday import Everyday, everyday
    from tests.stories.telling import Posts, Tale, posts_of
else:
    from stories_everyday import Everyday, everyday  # put there by conftest.py
    from stories_telling import Posts, Tale, posts_of

OLD = {"facebook": 0.55, "twitter": 0.45}
OLD_SMALL = {"facebook": 0.2, "twitter": 0.8}  # seen from a small town
NEW_SMALL = {"facebook": 0.2, "bluesky": 0.35, "twitter": 0.45}
COPIES = 12  # of the bots' texts, each account
BOTS = 10
RELAYS = 200

BOT_TEXTS = (
    "URGENT énorme explosion à l'usine d'Amiens, des flammes partout, fuyez le quartier",
    "Incendie géant à Amiens nord, la fumée est toxique et les médias se taisent",
    "Je viens de voir l'entrepôt d'Amiens brûler, il y a des blessés dans la rue",
    "Fuite de gaz à Amiens, ça sent très fort, l'immeuble est évacué, partagez vite",
)
BOT_PREFIXES = ("", "ALERTE ", "⚠️ ", "Info : ", "!!! ", "vite ")
BOT_SUFFIXES = ("", " !!", " #Amiens", " 🔥🔥", " RT svp", "...", " faites tourner", " !", " #urgent")
RELAYED = "Il y a le feu au marché couvert de Brest, je vois de la fumée noire sortir du toit !!"
COMMENTS = (
    "oh non",
    "quelqu'un confirme ?",
    "Brest en feu ??",
    "je bosse à côté, rien vu",
    "un incendie à Brest, vraiment ?",
    "courage aux pompiers",
    "mon marché préféré brûle 😭",
    "c'est grave ?",
    "encore un incendie",
    "la fumée est toxique ou pas ?",
)


def le_havre(tale: Tale) -> Posts:
    """Return the Le Havre morning and what was still said of it afterwards."""
    story = le_havre_2012()
    morning = [dict(post, happening="fire") if post["id"] in story.incident_ids else post for post in story.posts]
    return morning + posts_of("le_havre_after", "z")(tale)


def bots(tale: Tale) -> Posts:
    """Return ten new accounts' near-copies of four texts, within an hour."""
    chance = random.Random(8)  # noqa: S311  a story, not a secret
    texts = [chance.choice(BOT_PREFIXES) + text + chance.choice(BOT_SUFFIXES) for text in BOT_TEXTS * (COPIES // 4)]
    posts: Posts = []
    for number in range(BOTS * COPIES):
        text = _near_copy(chance.choice(texts), chance)
        said_at = tale.at("15:10:00") + timedelta(seconds=30 * number + chance.randrange(25))
        posts.append(_post(f"k{number:03}", said_at, f"bot{number % BOTS}", text) | {"happening": "bots"})
    return posts


def _near_copy(text: str, chance: random.Random) -> str:
    if chance.random() < 0.3:
        text = text.upper() if chance.random() < 0.3 else text.lower()
    return text + chance.choice(BOT_SUFFIXES)


def cascade(tale: Tale) -> Posts:
    """Return one post and two hundred that pass it on: reposts, copies by hand, quotes with a word of their own."""
    chance = random.Random(9)  # noqa: S311  a story, not a secret
    posts = [_post("first", tale.at("17:30:00"), "origin", RELAYED)]
    for number, at in enumerate(sorted(chance.uniform(20, 7200) for _ in range(RELAYS))):
        relay = _post(f"r{number:03}", tale.at("17:30:00") + timedelta(seconds=at), f"relay{number}", RELAYED)
        posts.append(relay | chance.choices(list(_relays(chance)), (55, 15, 30))[0])
    return [post | {"happening": "cascade"} for post in posts]


def _relays(chance: random.Random) -> Iterator[dict[str, Any]]:
    yield {"text": f"RT @origin: {RELAYED}", "repost_of": "first"}
    yield {"text": f"{RELAYED} via @origin"}
    yield {"text": chance.choice(COMMENTS), "quote_of": "first"}


def chatter(tale: Tale) -> Posts:
    """Return six hours in which everybody talks of a disaster far away and of a film about one."""
    wave = replace(tale.plan, starts_at=tale.at("15:00:00"), hours=6, posts_a_day=1500, trap_share=0.0, seed=10)
    return everyday(replace(wave, frames="chatter", letter="c"))


def _post(post_id: str, said_at: datetime, author: str, text: str) -> dict[str, Any]:
    return {"id": post_id, "source": "twitter", "author": author, "ts": said_at.isoformat(), "text": text}


REFINERY = Site(lat=49.482, lon=0.234, radius_km=3.0, insee="76305")
ESTUARY = {
    "Raffinerie de Normandie": REFINERY,
    "Yara Le Havre": Site(lat=49.478, lon=0.218, radius_km=3.0, insee="76305"),
    "Usine de Port-Jérôme": Site(lat=49.486, lon=0.53, radius_km=3.0, insee="76476"),
    "Ville du Havre": Site(lat=49.494, lon=0.108, radius_km=6.0, insee="76351"),
}
LE_HAVRE_PLACES = Path(str(files("models.places") / "local" / "le_havre.csv"))


def estuary(name: str, starts_at: str, hours: float, seed: int, **more: Any) -> Tale:
    """Return a story of the estuary of Le Havre, where industry announces what it does."""
    plan = Everyday(
        home="Le Havre",
        around=("Harfleur", "Montivilliers", "Gonfreville-l'Orcher", "Sainte-Adresse", "Octeville-sur-Mer"),
        starts_at=_day(starts_at),
        hours=hours,
        posts_a_day=1200,
        seed=seed,
    )
    return Tale(home="76351", plan=plan, own=posts_of(name), local_places=LE_HAVRE_PLACES, sites=ESTUARY, **more)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


TALES = {
    "le_havre_2012": Tale(
        home="76351",
        plan=Everyday(
            home="Le Havre",
            around=("Harfleur", "Montivilliers", "Gonfreville-l'Orcher", "Sainte-Adresse", "Octeville-sur-Mer"),
            starts_at=_day("2012-01-29 18:00"),
            hours=36,
            platforms=OLD,
            seed=1,
            has_emojis=False,
            breaks=((_day("2012-01-30 05:30"), _day("2012-01-30 12:28")),),
        ),
        own=le_havre,
        local_places=Path(str(files("models.places") / "local" / "le_havre.csv")),
    ),
    "saint_fons_2016": Tale(
        home="69199",
        plan=Everyday(
            home="Saint-Fons",
            around=("Feyzin", "Vénissieux", "Pierre-Bénite", "Irigny", "Lyon"),
            starts_at=_day("2016-06-28 00:00"),
            hours=24,
            platforms=OLD_SMALL,
            seed=2,
        ),
        own=posts_of("saint_fons_2016"),
    ),
    "lubrizol_2019": Tale(
        home="76540",
        plan=Everyday(
            home="Rouen",
            around=("Le Petit-Quevilly", "Sotteville-lès-Rouen", "Bois-Guillaume", "Mont-Saint-Aignan", "Darnétal"),
            starts_at=_day("2019-09-26 00:00"),
            hours=24,
            platforms=OLD,
            seed=3,
        ),
        own=posts_of("lubrizol_2019"),
    ),
    "slow_flood": Tale(
        home="62160",
        plan=Everyday(
            home="Boulogne-sur-Mer",
            around=("Outreau", "Saint-Martin-Boulogne", "Le Portel", "Samer", "Isques"),
            starts_at=_day("2024-01-09 00:00"),
            hours=48,
            posts_a_day=2000,
            platforms=NEW_SMALL,
            seed=4,
        ),
        own=posts_of("slow_flood"),
    ),
    "flood_solidarity": Tale(
        home="50502",
        plan=Everyday(
            home="Saint-Lô",
            around=("Agneaux", "Condé-sur-Vire", "Torigni-les-Villes"),
            starts_at=_day("2025-11-13 00:00"),
            hours=18,
            posts_a_day=1200,
            platforms=NEW_SMALL,
            seed=16,
        ),
        own=posts_of("flood_solidarity"),
    ),
    "two_fires": Tale(
        home="44184",
        plan=Everyday(
            home="Saint-Nazaire",
            around=("Trignac", "Pornichet", "Montoir-de-Bretagne", "La Baule-Escoublac"),
            starts_at=_day("2024-05-14 00:00"),
            hours=24,
            platforms=NEW_SMALL,
            seed=5,
        ),
        own=posts_of("two_fires"),
    ),
    "night_odour": Tale(
        home="59183",
        plan=Everyday(
            home="Dunkerque",
            around=("Grande-Synthe", "Coudekerque-Branche", "Téteghem", "Loon-Plage", "Bergues", "Gravelines"),
            starts_at=_day("2024-11-05 12:00"),
            hours=24,
            seed=6,
        ),
        own=posts_of("night_odour"),
    ),
    "trap_day": Tale(
        home="44109",
        plan=Everyday(
            home="Nantes",
            around=("Rezé", "Saint-Herblain", "Orvault", "Carquefou"),
            starts_at=_day("2024-03-06 00:00"),
            hours=24,
            posts_a_day=4000,
            trap_share=0.45,
            seed=7,
        ),
        own=posts_of("trap_day"),
    ),
    "bot_flood": Tale(
        home="80021",
        plan=Everyday(
            home="Amiens",
            around=("Longueau", "Camon", "Rivery", "Dury"),
            starts_at=_day("2024-04-11 00:00"),
            hours=24,
            posts_a_day=2500,
            seed=8,
        ),
        own=bots,
    ),
    "cascade": Tale(
        home="29019",
        plan=Everyday(
            home="Brest",
            around=("Guipavas", "Plouzané", "Le Relecq-Kerhuon"),
            starts_at=_day("2024-06-20 00:00"),
            hours=24,
            posts_a_day=2500,
            seed=9,
        ),
        own=cascade,
    ),
    "national_chatter": Tale(
        home="63113",
        plan=Everyday(
            home="Clermont-Ferrand",
            around=("Cournon-d'Auvergne", "Chamalières", "Riom", "Aubière"),
            starts_at=_day("2024-02-18 00:00"),
            hours=24,
            seed=10,
        ),
        own=chatter,
    ),
    "sirens_2012": Tale(
        home="76351",
        plan=Everyday(
            home="Le Havre",
            around=("Harfleur", "Montivilliers", "Gonfreville-l'Orcher", "Sainte-Adresse", "Octeville-sur-Mer"),
            starts_at=_day("2012-06-14 06:00"),
            hours=24,
            posts_a_day=2500,
            platforms=OLD,
            seed=11,
            has_emojis=False,
        ),
        own=posts_of("sirens_2012"),
        local_places=Path(str(files("models.places") / "local" / "le_havre.csv")),
    ),
    "valve_2026": estuary("valve_2026", "2026-01-18 12:00", 24, 12, notices="valve_2026"),
    "declared_flare": estuary("declared_flare", "2026-03-03 12:00", 12, 13, notices="declared_flare"),
    "the_same_flare_unannounced": estuary("declared_flare", "2026-03-03 12:00", 12, 13),
    "siren_test": estuary("siren_test", "2026-03-04 06:00", 10, 14, notices="siren_test"),
    "rumour": estuary(
        "rumour",
        "2026-03-12 12:00",
        12,
        16,
        officials=(OfficialAccount(platform="twitter", account="p001", name="Préfecture"),),
    ),
    "two_shifts": estuary("two_shifts", "2026-03-03 00:00", 20, 16, notices="two_shifts"),
    "undeclared": estuary(
        "undeclared",
        "2026-03-10 00:00",
        12,
        15,
        duty=(
            DutySettings(name="Raffinerie, poste de garde", number="00 00 00 00 00", site="Raffinerie de Normandie"),
            DutySettings(name="Allo du port", number="00 00 00 00 01", area="76"),
        ),
    ),
}
