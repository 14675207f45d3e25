"""Problem: what is wrong with a field that somebody has filled in, by a code that pages have words for."""

from typing import NamedTuple

from records import Place


class Problem(NamedTuple):
    """One field that cannot be used as it is."""

    field: str
    code: str
    choices: tuple[Place, ...] = ()  # what may have been meant
