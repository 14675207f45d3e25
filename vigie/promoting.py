"""Promoting: `vigie profile`: by which profile running workers decide, and how another one takes its place.

What cannot be used is refused here, before anything is sent: whoever asks is told, and not a dead letter.
"""

import asyncio
from pathlib import Path

from detectors.profile import Profile, profile_from, profile_text
from detectors.promotion import promoted
from models.places import Gazetteer
from records import ProfileChange, SettingsError, decode
from streams.reader import newest
from streams.settings import StreamSettings
from streams.topics import DECISIONS
from vigie.deciding import Asked, after, told, worker_says
from vigie.settings import Settings
from vigie.territory import default_profile, home_of, profile_of

KEY = b"profile"


def usual_profile(settings: Settings) -> Profile:
    """Return the profile of the settings.

    Errors  SettingsError when it cannot be used
    """
    return profile_of(settings, home_of(settings, Gazetteer()))


def in_force(settings: StreamSettings) -> ProfileChange | None:
    """Return the newest change that the broker has; None where it has none, or has forgotten it: it keeps 30 days.

    Errors  SourceUnavailable when the broker does not answer; MalformedRecord when what it has is no change
    """
    value = asyncio.run(newest(settings, DECISIONS)).get(KEY)
    return decode(value, ProfileChange) if value is not None else None


def promotion_of(file: Path, settings: Settings, asked: Asked) -> ProfileChange:
    """Return the change that puts the profile of a file in force.

    Errors  SettingsError, with what would do, when it cannot be used, cannot take over from the one in force, or when
            nobody else approves; SourceUnavailable when the broker does not answer
    """
    toml, usual = profile_text(file), usual_profile(settings)
    profile = profile_from(toml, file=file.name)
    change = _change(toml, profile, asked)
    promoted(change, usual)
    before = in_force(settings.streams())
    taken = [(usual.name, usual.version)] + ([(before.name, before.version)] if before is not None else [])
    if (profile.name, profile.version) in taken:
        raise SettingsError(
            f"{file.name}: {profile.name}/{profile.version} is what another profile is called, and alerts name the one "
            "that they were raised by; give this one a version of its own"
        )
    return after(change, before)


def way_back(settings: Settings, asked: Asked) -> ProfileChange:
    """Return the change that puts the profile of the settings in force again.

    Errors  SettingsError when that cannot be used; SourceUnavailable when the broker does not answer
    """
    return after(_change("", usual_profile(settings), asked), in_force(settings.streams()))


def _change(toml: str, profile: Profile, asked: Asked) -> ProfileChange:
    try:
        return ProfileChange(name=profile.name, version=profile.version, toml=toml, **asked.fields())
    except ValueError as error:
        raise SettingsError(f"profile: {error}") from error


def text_of(change: ProfileChange | None, settings: Settings) -> str:
    """Return the text of the profile that is in force after a change."""
    if change is not None and not change.is_back:
        return change.toml
    return profile_text(settings.territory.profile or default_profile(home_of(settings, Gazetteer())))


def sentence_on(change: ProfileChange | None, settings: Settings) -> str:
    """Return which profile is in force, since when and by whom, and what the worker of this machine says."""
    usual = usual_profile(settings)
    which = f"{usual.name}/{usual.version}, of the settings"
    if change is not None:
        which = told(which if change.is_back else f"{change.name}/{change.version}", change)
    return f"{which}\n{decided_by(settings)}"


def decided_by(settings: Settings) -> str:
    """Return by which profile the worker of this machine decides, in words."""
    known = worker_says(settings).get("profile")
    return (
        f"the worker of this machine decides by {known}"
        if known
        else "no worker of this machine says by which it decides"
    )
