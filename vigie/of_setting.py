"""Errors that name the setting which led to them."""

from collections.abc import Iterator
from contextlib import contextmanager

from records import SettingsError


@contextmanager
def of_setting(key: str) -> Iterator[None]:
    """Have an error name the setting that led to it."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{key}: {error}") from error
