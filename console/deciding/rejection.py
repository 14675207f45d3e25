"""Rejection: as what an incident was rejected, told again by the words that the form wrote down of it."""

from functools import cache

from console.catalogue import LANGUAGES, words
from console.deciding.decision_form import REJECTED_AS

FREE = "other"
"""The reason that says nothing but what somebody wrote."""


def rejected_as(reason: str) -> str:
    """Return which of the form's reasons a rejection gives, in whatever language it was written; "" where none."""
    return next((code for said, code in _said() if _begins_with(reason.strip(), said)), "")


@cache
def _said() -> tuple[tuple[str, str], ...]:
    codes = [(english, code) for code, english in REJECTED_AS.items() if code != FREE]
    return tuple((words(language).gettext(english), code) for language in LANGUAGES for english, code in codes)


def _begins_with(reason: str, said: str) -> bool:
    """Tell whether a reason is this one, alone or with words of somebody's own behind a colon."""
    return reason == said or reason.startswith((f"{said}:", f"{said} :", f"{said}\N{NO-BREAK SPACE}:"))
