"""The assembly: parts of all rooms put together as the settings say. Nothing is decided here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pygeohash
import structlog
from msgspec.structs import replace

from connectors.contract import Outcome
from connectors.pseudonym import Pseudonyms, RotatingPseudonyms
from connectors.register import Register
from detectors.detector import Detector
from detectors.profile import Profile, load_profile
from models.doubts import Doubts
from models.gate import Gate
from models.geoparse import Geoparser
from models.geoparse.group import GroupVote
from models.hazard import HazardModel, digest_of
from models.known_texts import known_texts_in
from models.places import Gazetteer, LocalPlace, load_local_places
from models.reading import PostReading
from models.solidarity import Solidarity
from records import BrokenInvariant, Clock, Place, SettingsError, SourceUnavailable
from streams.claims import Claiming
from streams.detect import Detect
from streams.enrich import Enrich, Reader
from streams.metrics import start_at_zero
from streams.reader_in_force import ReaderInForce
from streams.showing import FINE
from streams.telling import Telling
from streams.wiring import Steps
from vigie import metrics
from vigie.duty_settings import duties_from
from vigie.rumour_settings import accounts_from
from vigie.settings import Settings
from vigie.source_settings import SourceSettings

log = structlog.get_logger()

HOME_CONFIDENCE = 0.5  # how sure we are that a local source's post without a place speaks of that source's place
HOME_REASON = "aucun lieu dans le texte : lieu habituel de la source"

REASONS = ("empty", "invalid", "undecodable", "too_long")  # for which most values are refused

CITY = 50_000  # inhabitants from which the profile of a city is the default


@contextmanager
def _told_of(key: str) -> Iterator[None]:
    """Have an error name the setting that led to it."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{key}: {error}") from error


def gate(settings: Settings) -> Gate:
    """Return the gate, with the analyst's own words.

    Errors  SettingsError when these cannot be used
    """
    with _told_of("edge.lexicon"):
        return Gate.load(settings.edge.lexicon)


def home_of(settings: Settings, gazetteer: Gazetteer) -> Place | None:
    """Return the home commune, or None where there is none.

    Errors  SettingsError when there is no such commune
    """
    if not settings.territory.commune:
        return None
    with _told_of("territory.commune"):
        return gazetteer.home_place(settings.territory.commune)


def profile_of(settings: Settings, home: Place | None) -> Profile:
    """Return the profile, chosen by the size of the home where none is named.

    Errors  SettingsError when it cannot be used
    """
    with _told_of("territory.profile"):
        return load_profile(settings.territory.profile or default_profile(home), home)


def default_profile(home: Place | None) -> str:
    """Return the name of the profile that fits a home."""
    if home is None:
        return "world"
    return "city" if home.population >= CITY else "commune"


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
        detect=Detect(Detector(profile, gazetteer.wide_places(), duties_from(settings.duty))),
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


def local_places(settings: Settings, gazetteer: Gazetteer) -> list[LocalPlace]:
    """Return the places of the territory that no gazetteer has.

    Errors  SettingsError when their file cannot be used
    """
    with _told_of("territory.local_places"):
        path = settings.territory.local_places
        return load_local_places(path, gazetteer) if path else []


def doubts(settings: Settings) -> Doubts:
    """Return the reader of doubts, with the texts and sites that the settings add.

    Errors  SettingsError when their file cannot be used
    """
    with _told_of("rumours.texts"):
        texts = known_texts_in(settings.rumours.texts) if settings.rumours.texts else []
    return Doubts(texts, settings.rumours.domains, {account.platform for account in settings.official_accounts})


def register(settings: Settings, names: Pseudonyms) -> Register:
    """Return the register of official accounts.

    Errors  SettingsError when one cannot be an account of its platform
    """
    return Register(accounts_from(settings.official_accounts), names)


def usual_place(gazetteer: Gazetteer, source: SourceSettings) -> Place:
    """Return the place of a source's posts that name none: surely less certain than a name.

    Errors  SettingsError when there is no such commune
    """
    with _told_of(f"sources.{source.name}.place"):
        home = gazetteer.home_place(source.place)
    return replace(home, confidence=HOME_CONFIDENCE, source="home", reasons=(HOME_REASON,))


def pseudonyms(settings: Settings, clock: Clock) -> RotatingPseudonyms:
    """Return the pseudonyms of authors, under keys that stay on this machine."""
    return RotatingPseudonyms(settings.data.dir / "pseudonyms.json", clock)


class EdgeMetrics:
    """What happens at the edge, as metrics and log lines."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        """Take the sources that there are, so that each is counted from the start."""
        start_at_zero(metrics.READ, sources, ("kept", "gated", "not_a_post"), ("",))
        start_at_zero(metrics.READ, sources, ("refused",), REASONS)
        start_at_zero(metrics.UNAVAILABLE, sources)
        start_at_zero(metrics.GAP_SECONDS, sources)

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Count values by outcome."""
        metrics.READ.labels(source, outcome, reason).inc(values)

    def lagged(self, source: str, seconds: float) -> None:
        """Note how old the last post was."""
        metrics.LAG.labels(source).set(max(seconds, 0.0))
        metrics.AHEAD.labels(source).set(max(-seconds, 0.0))

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """Count and log a source that cannot be read."""
        metrics.UNAVAILABLE.labels(source).inc()
        log.warning("source unavailable", source=source, error=str(error), retry_secs=round(retry_secs, 1))

    def gap(self, source: str, seconds: float) -> None:
        """Count and log what nobody will ever have seen."""
        metrics.GAP_SECONDS.labels(source).inc(seconds)
        log.error("blind span: these posts cannot be read any more", source=source, seconds=round(seconds))


def cursors_path(settings: Settings) -> Path:
    """Return the file with the sources' cursors."""
    return settings.data.dir / "cursors.sqlite"
