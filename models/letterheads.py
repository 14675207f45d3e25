"""Letterheads: whether a text speaks as an authority, rather than about one.

Communiqués are quoted honestly all day, so a heading alone is no sign. A text speaks as an authority where a sentence
of it begins with a letterhead ("Communiqué de la préfecture : …", "Message from the fire department: …") or announces
in its name ("La préfecture vous informe que…"), words of its own follow, and nothing shows a person behind it: no I, no
"selon", no past ("a publié"), no question, no quotation marks around it, nobody who waits for it or warns of it. An
address of an authority beside it shows where it comes from; any page does, for what a headline could say as well.

Which words are which stands in `models/doubts/letterheads.txt`.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from models.folding import words_of
from models.links import without_links
from models.old_links import links_in
from models.phrases import ASK, STOP, Phrases, heads_of, lines_of, sentences_of

DOUBTS = Path(__file__).parent / "doubts"
KINDS = ("letterhead", "announcement", "order")
SECTIONS = ("before", "letterhead", "announcement", "order", "ordered", "aside", "warns", "past")

_MOST_READ = 2_000  # characters
_FEWEST_WORDS = 3  # behind a letterhead: fewer are its name, or point to it
_MOST_BEFORE = 6
_QUOTED = re.compile(r"«[^»]{12,}»|“[^”]{12,}”|\"[^\"]{12,}\"")
_YEAR = re.compile(r"(?<= )(?:19[5-9]|20[0-9])\d(?= )")
_ASKED = re.compile(rf"(?: {STOP})*(?: (?!{STOP}|{ASK})\w+)* {ASK} ")
_HOST = re.compile(r"(?<![\w.@/-])(?:[\w-]+\.)+[a-z]{2,12}(?![\w@-])", re.IGNORECASE)


class Letterheads:
    """Tells whether a text speaks as an authority.

    Shape   `domains`: addresses of authorities beside those of `models/doubts/domains.txt`
    Units   some 6 µs where no authority is named, 0.1 ms where one is
    Errors  none on any text
    """

    def __init__(self, domains: Iterable[str] = ()) -> None:
        self._phrases = phrases = _phrases()
        shipped = (line for _, line in lines_of(DOUBTS / "domains.txt"))
        self._domains = tuple(f".{one.lower().strip('.')}" for one in (*shipped, *domains))
        self._heads = phrases.heads(*KINDS)

    def speaks(self, text: str) -> bool:
        """Tell whether it does, as far as its words go: whose they are, others know."""
        if self._heads.isdisjoint(heads_of(words_of(text[:_MOST_READ]))):
            return False
        read = text[:_MOST_READ]
        plain = sentences_of(_QUOTED.sub(" ", without_links(read)))
        kinds = {kind for kind in KINDS if self._is_headed(kind, plain)}
        if not kinds or any(self._has(sign, plain) for sign in ("aside", "warns", "past")):
            return False
        links = links_in(read)
        if any(map(self.is_official, links)) or self._names_domain(read):
            return False
        return kinds != {"announcement"} or not links

    def warns(self, text: str) -> bool:
        """Tell whether a text speaks of a message that is not to be believed."""
        return self._has("warns", sentences_of(without_links(text[:_MOST_READ])))

    def is_of_past(self, text: str, year: int) -> bool:
        """Tell whether a text of some year says that it is of the past: so, or by naming an earlier year."""
        plain = sentences_of(without_links(text[:_MOST_READ]))
        return self._has("past", plain) or any(int(one) < year for one in _YEAR.findall(plain))

    def is_official(self, link: str) -> bool:
        """Tell whether a link leads to an authority."""
        try:
            host = urlsplit(link if "://" in link else f"//{link}").hostname or ""
        except ValueError:  # such as https://[
            return False
        return f".{host}".endswith(self._domains)

    def _has(self, section: str, plain: str) -> bool:
        return self._phrases.pattern(section).search(plain) is not None

    def _names_domain(self, text: str) -> bool:
        hosts = _HOST.findall(without_links(text))
        return any(f".{host.lower()}".endswith(self._domains) for host in hosts)

    def _is_headed(self, kind: str, plain: str) -> bool:
        begun = _beginning(kind).finditer(plain)
        return any(self._has_words(kind, f" {STOP}{plain[found.end() :]}") for found in begun)

    def _has_words(self, kind: str, behind: str) -> bool:
        """Tell whether words follow, as the kind of beginning wants them; a question asks about it."""
        if kind == "order":
            return self._has("ordered", behind)
        own = [word for word in behind.split() if word not in (ASK, STOP)]
        return len(own) >= _FEWEST_WORDS and not _ASKED.match(behind)


@cache
def _beginning(section: str) -> re.Pattern[str]:
    """Return what finds a section's phrases where a sentence begins, whatever may stand before them there."""
    before, begun = _phrases().written("before"), _phrases().written(section)
    return re.compile(f" {STOP}(?:{before}| {STOP}){{0,{_MOST_BEFORE}}}{begun}")


@cache
def _phrases() -> Phrases:
    return Phrases(DOUBTS / "letterheads.txt", SECTIONS)
