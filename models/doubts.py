"""Doubts: what in a post speaks against what it tells, before anybody has looked.

A doubt is shown beside a post and is no verdict. It is better not raised than raised wrongly: what carries one
corroborates nothing, and most of who shares an old page or a chain message means well.

- `old_link` (`old_links.py`): not where the text says that it is of the past, and not to a page of an authority, whose
  standing advice is old.
- `recycled_text` (`known_texts.py`): not where the text warns of the message.
- `false_official` (`letterheads.py`): not of who passes it on, and not where no account of the platform is known to be
  official: the real one would be doubted too.

Those who are known, official or of the press, are not doubted at all: a standing page of advice is old, and may be
theirs.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from models.known_texts import KnownTexts, known_texts_in
from models.letterheads import DOUBTS, Letterheads
from models.old_links import has_old_link, links_in
from records.doubt import Doubt

VERSION = "doubts/1"


class Doubts:
    """Reads what speaks against a post.

    Shape   `texts`: recycled texts, `domains`: addresses of authorities, each beside the shipped ones;
            `registered`: the platforms that official accounts are known of, None where somebody has seen to all
    Units   some 30 µs for an everyday post
    Errors  none on any text
    """

    version = VERSION

    def __init__(
        self, texts: Iterable[str] = (), domains: Iterable[str] = (), registered: Collection[str] | None = None
    ) -> None:
        self._known = KnownTexts([*known_texts_in(DOUBTS / "recycled.txt"), *texts])
        self._letterheads = Letterheads(domains)
        self._registered = registered

    def read(
        self, text: str, *, at: datetime, platform: str = "", is_official: bool = False, is_relay: bool = False
    ) -> tuple[Doubt, ...]:
        """Return the doubts of a post: `at` is when it was said.

        `is_official`: its author is known to be an authority, an operator, of the press, or trusted.
        """
        if is_official:
            return ()
        doubts: list[Doubt] = []
        if self._has_old_link(text, at):
            doubts.append("old_link")
        if self._known.has(text) and not self._letterheads.warns(text):
            doubts.append("recycled_text")
        is_known_there = self._registered is None or platform in self._registered
        if not is_relay and is_known_there and self._letterheads.speaks(text):
            doubts.append("false_official")
        return tuple(doubts)

    def _has_old_link(self, text: str, at: datetime) -> bool:
        links = [link for link in links_in(text) if not self._letterheads.is_official(link)]
        return has_old_link(links, at) and not self._letterheads.is_of_past(text, at.year)
