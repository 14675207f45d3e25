"""Console assembly: the console's parts put together as the settings say."""

from pathlib import Path

from sqlalchemy.engine import URL

from console.access.doors import Doors, Oidc
from console.archive.database import address_from
from console.base_map.boundaries import read_boundaries
from console.desk import Setup
from console.map_files import load_map, shipped_map
from console.message_map import MessageMap
from models.geoparse.gazetteer import Gazetteer
from records import SettingsError
from vigie.console_settings import ConsoleSettings
from vigie.settings import Settings, secret_from

FILE = "console.sqlite"
ZOOM_AT_HOME = 11


def address_of(settings: Settings) -> URL:
    """Return the address of the archive.

    Errors  SettingsError when it is none, or its password cannot be read
    """
    console = settings.console
    url = address_from(console.database or f"sqlite:///{(settings.data.dir / FILE).absolute()}")
    if console.database_password_file is None:
        return url
    return url.set(password=secret_from(console.database_password_file, "console.database_password_file"))
