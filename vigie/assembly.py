"""The assembly: parts of all rooms put together as the settings say. Nothing is decided here."""

from collections.abc import Sequence
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
from models.reading import PostReading
from models.solidarity import Solidarity
from records import BrokenInvariant
from streams.claims import Claiming
from streams.detect import Detect
from streams.enrich import Enrich, Reader
from streams.reader_in_force import ReaderInForce
from streams.showing import FINE
from streams.telling import Telling
from streams.wiring import Steps
from vigie import metrics
from vigie.duty_settings import duties_from
from vigie.of_setting import of_setting
from vigie.settings import Settings
from vigie.territory import home_of, local_places, profile_of, usual_place


def steps(
    settings: Settings,
    *,
    telling: Telling | None = None,
    is_exact: bool = False,
    reader: HazardModel | None = None,
    is_live: bool = False,
) -> Steps:
    """Return what the worker's agents run; exact ones give the same figures to the last bit each time.

    `reader` reads the posts; where none is given, the model that ships does. Live, the one does that people put in
    force.

    Errors  SettingsError when the settings cannot be used; BrokenInvariant when weights are damaged
    """
    gazetteer = Gazetteer()
    home = home_of(settings, gazetteer)
    if is_live and home is not None:
        metrics.HOME.labels(home.name, pygeohash.encode(home.lat, home.lon, precision=FINE)).set(1)
    profile = profile_of(settings, home)
    places = {source.name: usual_place(gazetteer, source) for source in settings.sources if source.place}
    reads = _reading(reader or HazardModel.load(), is_exact=is_exact)
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
        detect=Detect(Detector(profile, gazetteer.wide_places(), duties_from(settings.duty)), is_exact=is_exact),
        telling=telling,
        in_force=in_force,
    )


def _reading(model: HazardModel, *, is_exact: bool) -> Reader:
    return OneByOne(model) if is_exact else model


def _loaded(folder: Path, *, is_exact: bool) -> Reader:
    """Load a model that was put in force, which is in the folder that bears its digest."""
    if digest_of(folder) != folder.name:
        raise BrokenInvariant(f"{folder}: holds other weights than its name says; copy them there again")
    return _reading(HazardModel.load(folder), is_exact=is_exact)


class OneByOne:
    """A reader that reads each text by itself, so that a recording gives the same figures to the last bit each time.

    In a batch the linear algebra sums in an order that depends on the other texts.
    """

    def __init__(self, reader: HazardModel) -> None:
        self.reader = reader
        self.version = reader.version

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order."""
        return [self.reader.read([text], [lang])[0] for text, lang in zip(texts, langs, strict=True)]


def doubts(settings: Settings) -> Doubts:
    """Return the reader of doubts, with the texts and sites that the settings add.

    Errors  SettingsError when their file cannot be used
    """
    with of_setting("rumours.texts"):
        texts = known_texts_in(settings.rumours.texts) if settings.rumours.texts else []
    return Doubts(texts, settings.rumours.domains, {account.platform for account in settings.official_accounts})
