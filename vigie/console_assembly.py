"""Console assembly: the console's parts put together as the settings say."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.pseudonym import write_private
from console.access.doors import Doors, Oidc
from console.archive.database import address_from, opened
from console.base_map.boundaries import read_boundaries
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import load_map
from console.templating import environments
from console.trust.watching import Watching
from detectors.profile import profile_text
from models.geoparse import Geoparser
from models.places import Gazetteer
from records import Clock, Place, SettingsError
from streams.settings import StreamSettings
from vigie.console_claims import ConsoleClaims
from vigie.console_settings import ConsoleSettings
from vigie.settings import RECORDING, Settings, secret_from
from vigie.solidarity import claims_of
from vigie.territory import default_profile, home_of, local_places
from vigie.trust_watch import TrustWatch, heard_in, measure
from vigie.tuner import LocalTuner

if TYPE_CHECKING:
    from vigie.recorder import Recorder

FILE = "console.sqlite"
KEY_FILE = "console.key"
KEY_BYTES = 32
ZOOM_AT_HOME = 11
YEAR = timedelta(days=365.25)


async def archive_of(settings: Settings) -> AsyncEngine:
    """Return the archive, opened.

    Errors  SettingsError when it cannot be opened
    """
    return await opened(address_of(settings))


def address_of(settings: Settings) -> URL:
    """Return the address of the archive.

    Errors  SettingsError when it is none, or its password cannot be read
    """
    console = settings.console
    url = address_from(console.database or f"sqlite:///{(settings.data.dir / FILE).absolute()}")
    if console.database_password_file is None:
        return url
    return url.set(password=secret_from(console.database_password_file, "console.database_password_file"))


def desk_of(
    settings: Settings, streams: StreamSettings, engine: AsyncEngine, clock: Clock, said: Callable[[], None]
) -> Desk:
    """Return what the pages work with; `said` is called when somebody said something that the broker should have.

    Errors  SettingsError when a file of the settings cannot be used
    """
    setup = setup_of(settings)
    read_past = heard_in(settings.data.dir / RECORDING) if settings.recording.is_there else None
    return Desk(
        engine=engine,
        hub=Hub(),
        clock=clock,
        setup=setup,
        messages=load_map(settings.messages.map),
        templates=environments(setup.zone),
        said=said,
        find_place=place_finder(settings),
        tuner=LocalTuner(settings),
        watching=Watching(TrustWatch(read_past), measure),
        read_claims=ConsoleClaims(streams, claims_of) if settings.solidarity.listed else None,
    )


def setup_of(settings: Settings) -> Setup:
    """Return how the console is set up.

    Errors  SettingsError when a file of the settings cannot be used
    """
    console, home = settings.console, home_of(settings, Gazetteer())
    setup = Setup(
        cell=console.cell,
        language=settings.territory.language,
        zone=settings.digest.zone,
        is_exercise=console.is_exercise,
        online_tiles=console.tiles,
        online_attribution=console.tiles_attribution,
        boundaries=read_boundaries(console.boundaries) if console.boundaries else b"",
        duty=tuple((one.name, one.number) for one in settings.duty),
        shifts=tuple(time.fromisoformat(at) for at in settings.digest.times),
        profile=profile_text(settings.territory.profile or default_profile(home)),
        incidents_kept=console.keep_years * YEAR,
        recording_kept=settings.recording.kept if has_recording(settings) else None,
        pseudonym_key=key_in(settings.data.dir),
    )
    return (
        setup if home is None else replace(setup, home=(home.lat, home.lon), zoom=ZOOM_AT_HOME, insee=home.insee or "")
    )


def recorder_of(settings: Settings, streams: StreamSettings, clock: Clock) -> "Recorder | None":
    """Return what keeps the past for backtests; where it is off, what forgets in older files what was taken back.

    None where its library is not installed, or where it is off and nothing was ever recorded.
    """
    if not has_recording(settings):
        return None
    from vigie.recorder import Recorder  # noqa: PLC0415  needs the extra `recording`
    from vigie.recordings import Recordings  # noqa: PLC0415  the same

    recording = settings.recording
    folder = settings.data.dir / RECORDING
    return Recorder(Recordings(folder), streams, clock, keep=recording.kept, is_on=recording.is_on)


def has_recording(settings: Settings) -> bool:
    """Tell whether anything is recorded here, or was once."""
    recording = settings.recording
    return recording.is_there and (recording.is_on or (settings.data.dir / RECORDING).exists())


def key_in(folder: Path) -> bytes:
    """Return the key of the pseudonyms of those who file reports, made at the first start.

    Errors  SettingsError when it can be neither read nor written
    """
    file = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            write_private(file, secrets.token_bytes(KEY_BYTES))
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"data.dir: {file}: {error.strerror}; give a folder that this user may write") from error


def place_finder(settings: Settings) -> Callable[[str], Sequence[Place]]:
    """Return what finds the places that a typed name may mean; it reads the gazetteer when first asked.

    It takes seconds then, so it is asked in threads; one at a time, for the geoparser is not made for several.
    """
    turn = Lock()

    @cache
    def geoparser() -> Geoparser:
        gazetteer = Gazetteer()
        return Geoparser(gazetteer, home=home_of(settings, gazetteer), local=local_places(settings, gazetteer))

    def find(text: str) -> Sequence[Place]:
        with turn:
            return geoparser().locate(text)

    return find


def doors_of(settings: Settings) -> Doors:
    """Return how the console can be entered.

    Errors  SettingsError when the settings of OIDC do not fit together, or its secret cannot be read
    """
    console = settings.console
    return Doors(oidc=_oidc_of(console), is_https=console.is_https, hosts=console.names)


def _oidc_of(console: ConsoleSettings) -> Oidc | None:
    if not console.oidc_issuer:
        return None
    missing = [
        f"console.{name}: is missing; {hint}"
        for name, hint in (
            ("oidc_client", "give the client id that the issuer knows this console by"),
            ("oidc_secret_file", "give a file that holds the client's secret"),
            ("oidc_roles", 'say which group has which role, as in { "vigie-operators" = "operator" }'),
        )
        if not getattr(console, name)
    ]
    if missing or console.oidc_secret_file is None:
        raise SettingsError("\n".join(missing))
    return Oidc(
        issuer=console.oidc_issuer,
        client_id=console.oidc_client,
        client_secret=secret_from(console.oidc_secret_file, "console.oidc_secret_file"),
        roles_claim=console.oidc_claim,
        roles=tuple(console.oidc_roles.items()),
    )
