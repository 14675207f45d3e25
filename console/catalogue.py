"""Catalogue: the words of the console in French and English.

The words stand in the templates in English; `locale/fr/*.po` has them in French, one file for each group of pages.
"""

from collections.abc import Iterable
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Literal, get_args

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Words(NullTranslations):
    """Words by what they are in English; what is not there stays as it is."""

    def __init__(self, found: dict[tuple[str, int], str]) -> None:
        super().__init__()
        self._found = found

    def gettext(self, message: str) -> str:
        """Return a text in this language."""
        return self._found.get((message, 0), message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return a text in this language, for a number: in French, 0 is singular too."""
        plural = int(n > 1)
        return self._found.get((msgid1, plural), msgid2 if n != 1 else msgid1)


@cache
def words(language: Language) -> Words:
    """Return the words of a language; English needs none."""
    return Words({} if language == "en" else dict(_said(messages(language))))


def messages(language: Language) -> list[Message]:
    """Return what the files of a language say."""
    folder = files("console") / "locale" / language
    found: list[Message] = []
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".po"):
            found += [message for message in read_po(BytesIO(file.read_bytes()), language) if message.id]
    return found


def _said(found: Iterable[Message]) -> Iterable[tuple[tuple[str, int], str]]:
    for message in found:
        if isinstance(message.id, tuple):
            yield from (((message.id[0], number), text) for number, text in enumerate(message.string or ()) if text)
        elif message.string:
            yield (str(message.id), 0), str(message.string)


def language_from(chosen: str, accepted: str, default: Language) -> Language:
    """Return the language to speak: as chosen, else as the browser accepts, else the usual one."""
    for wanted in (chosen, *(part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))):
        for language in LANGUAGES:
            if wanted == language:
                return language
    return default
