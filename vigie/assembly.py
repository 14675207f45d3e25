"""The assembly: parts of all rooms put together as the settings say. Nothing is decided here."""

from functools import partial
from pathlib import Path

import pygeohash

from detectors.detector import Detector
from models.doubts import Doubts
from models.geoparse import Geoparser
from models.geoparse.group import GroupVote
from models.hazard import HazardModel, digest_of
from models.known_texts import known_texts_in
from models.places import Gazetteer
from models.reading import Reader
from models.solidarity import Solidarity
from records import BrokenInvariant
from streams.claims import Claiming
from streams.detect import TOGETHER_FROM, Detect
from streams.enrich import Enrich
from streams.reader_in_force import ReaderInForce
from streams.showing import FINE
from streams.telling import Telling
from streams.wiring import Steps
from vigie import metrics
from vigie.duty_settings import duties_from
from vigie.of_setting import of_setting
from vigie.one_by_one import OneByOne
from vigie.reading_apart import ReadingApart
from vigie.settings import Settings
from vigie.territory import home_of, local_places, profile_of, usual_place


def steps(
    settings: Settings,
    *,
    telling: Telling | None = None,
    is_exact: bool = False,
    reader: HazardModel | None = None,
    is_live: bool = False,
    is_apart: bool = False,
) -> Steps:
    """Return what the worker's agents run; exact ones give the same figures to the last bit each time.

    `reader` reads the posts; where none is given, the model that ships does, apart in a process of its own. Live, the
    one does that people put in force.

    Errors  SettingsError when the settings cannot be used; BrokenInvariant when weights are damaged
    """
    reads = _reading(reader, is_exact=is_exact) if reader or not is_apart else ReadingApart(is_exact=is_exact)
    gazetteer = Gazetteer()
    home = home_of(settings, gazetteer)
    if is_live and home is not None:
        metrics.HOME.labels(home.name, pygeohash.encode(home.lat, home.lon, precision=FINE)).set(1)
    profile = profile_of(settings, home)
    places = {source.name: usual_place(gazetteer, source) for source in settings.sources if source.place}
    if isinstance(reads, ReadingApart):
        reads.get_ready()  # it has loaded its model while we loaded the places
    in_force = ReaderInForce(reads, partial(_loaded, is_exact=is_exact), settings.data.dir) if is_live else None
    enrich = Enrich(
        reader=in_force or reads,
        locator=Geoparser(gazetteer, home=home, local=local_places(settings, gazetteer), votes=GroupVote(gazetteer)),
        hazards=frozenset(profile.hazards),
        source_places=places,
        claiming=Claiming(Solidarity()) if settings.solidarity.listed else None,
        doubts=doubts(settings),
    )
    return Steps(
        enrich=enrich,
        detect=Detect(
            Detector(profile, gazetteer.wide_places(), duties_from(settings.duty)),
            together_from=None if is_exact else TOGETHER_FROM,
        ),
        telling=telling,
        in_force=in_force,
    )


def _reading(given: HazardModel | None, *, is_exact: bool) -> Reader:
    model = given or HazardModel.load()
    return OneByOne(model) if is_exact else model


def _loaded(folder: Path, *, is_exact: bool) -> Reader:
    """Load a model that was put in force, which is in the folder that bears its digest."""
    if digest_of(folder) != folder.name:
        raise BrokenInvariant(f"{folder}: holds other weights than its name says; copy them there again")
    apart = ReadingApart(folder, is_exact=is_exact)
    apart.get_ready()
    return apart


def doubts(settings: Settings) -> Doubts:
    """Return the reader of doubts, with the texts and sites that the settings add.

    Errors  SettingsError when their file cannot be used
    """
    with of_setting("rumours.texts"):
        texts = known_texts_in(settings.rumours.texts) if settings.rumours.texts else []
    return Doubts(texts, settings.rumours.domains, {account.platform for account in settings.official_accounts})
