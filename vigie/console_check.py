"""Console check: what stands in the way of the console, as far as it can be tried without starting it."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from console.access.oidc import NotVouched, Provider
from console.archive.database import tried
from console.base_map.boundaries import read_boundaries
from records import Clock, SettingsError
from vigie.console_assembly import address_of, doors_of
from vigie.console_settings import ConsoleSettings
from vigie.serving import listening_on
from vigie.settings import Settings

CONNECT_SECS = 5
HOST_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\]", re.IGNORECASE)
ANY_ADDRESS = "https://console.invalid/login/oidc/back"  # nobody is sent there


def faults_in(settings: Settings, clock: Clock) -> Iterator[SettingsError]:
    """Yield what would keep the console from working, or people from reaching it safely; nothing is changed."""
    console = settings.console
    yield from _tried(lambda: listening_on(console.host, console.port, "console.port").close())
    yield from _seen_from_outside(console)
    yield from _tried(lambda: _database(settings))
    yield from _tried(lambda: _boundaries(console))
    yield from _tried(lambda: _login_service(settings, clock))


def _tried(attempt: Callable[[], None]) -> Iterator[SettingsError]:
    try:
        attempt()
    except SettingsError as error:
        yield from map(SettingsError, str(error).split("\n"))


def _seen_from_outside(console: ConsoleSettings) -> Iterator[SettingsError]:
    if not console.is_local and not console.is_https:
        yield SettingsError(
            f"console.host: on {console.host} others can reach it without HTTPS, and passwords can be read on the way; "
            "put a server with HTTPS in front and write is_https = true, or take 127.0.0.1"
        )
    if (console.is_https or not console.is_local) and not console.names:
        yield SettingsError(
            "console.names: is empty, so that browsers on other machines are refused; "
            'give the names by which they ask for it, as in ["vigie.example.org"]'
        )
    for name in console.names:
        if not HOST_NAME.fullmatch(name):
            yield SettingsError(f"console.names: {name!r} is no host name; write it without https://, port or path")


def _database(settings: Settings) -> None:
    url = address_of(settings)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "").absolute()
        if not file.exists():  # it is made at the first start
            if settings.console.database and not file.parent.is_dir():
                raise SettingsError(f"console.database: no folder {file.parent}; make it, or give another path")
            return
    else:
        url = url.update_query_dict({"connect_timeout": str(CONNECT_SECS)})
    asyncio.run(tried(url))


def _boundaries(console: ConsoleSettings) -> None:
    if console.boundaries is not None:
        try:
            read_boundaries(console.boundaries)
        except SettingsError as error:
            raise SettingsError(f"console.boundaries: {error}") from error


def _login_service(settings: Settings, clock: Clock) -> None:
    oidc = doors_of(settings).oidc
    if oidc is None:
        return
    provider = Provider(oidc)
    try:
        asyncio.run(provider.begin(ANY_ADDRESS, "/", clock.now()))
    except NotVouched as error:
        raise SettingsError(
            f"console.oidc_issuer: {oidc.issuer} gives no answer of an OpenID Connect issuer ({error.__cause__}); "
            "see the address, the network, the proxy"
        ) from error
