"""The territory: what the settings say of home, of the places around it, and of the profile that fits."""

from msgspec.structs import replace

from detectors.profile import Profile, load_profile
from models.places import Gazetteer, LocalPlace, load_local_places
from records import Place
from vigie.of_setting import of_setting
from vigie.settings import Settings
from vigie.source_settings import SourceSettings

HOME_CONFIDENCE = 0.5  # how sure we are that a local source's post without a place speaks of that source's place
HOME_REASON = "aucun lieu dans le texte : lieu habituel de la source"

CITY = 50_000  # inhabitants from which the profile of a city is the default


def home_of(settings: Settings, gazetteer: Gazetteer) -> Place | None:
    """Return the home commune, or None where there is none.

    Errors  SettingsError when there is no such commune
    """
    if not settings.territory.commune:
        return None
    with of_setting("territory.commune"):
        return gazetteer.home_place(settings.territory.commune)


def profile_of(settings: Settings, home: Place | None) -> Profile:
    """Return the profile, chosen by the size of the home where none is named.

    Errors  SettingsError when it cannot be used
    """
    with of_setting("territory.profile"):
        return load_profile(settings.territory.profile or default_profile(home), home)


def default_profile(home: Place | None) -> str:
    """Return the name of the profile that fits a home."""
    if home is None:
        return "world"
    return "city" if home.population >= CITY else "commune"


def local_places(settings: Settings, gazetteer: Gazetteer) -> list[LocalPlace]:
    """Return the places of the territory that no gazetteer has.

    Errors  SettingsError when their file cannot be used
    """
    with of_setting("territory.local_places"):
        path = settings.territory.local_places
        return load_local_places(path, gazetteer) if path else []


def usual_place(gazetteer: Gazetteer, source: SourceSettings) -> Place:
    """Return the place of a source's posts that name none: surely less certain than a name.

    Errors  SettingsError when there is no such commune
    """
    with of_setting(f"sources.{source.name}.place"):
        home = gazetteer.home_place(source.place)
    return replace(home, confidence=HOME_CONFIDENCE, source="home", reasons=(HOME_REASON,))
