"""The corpus's findings: what a check found, the report of all of them, and how they look at a post."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from models.posts_corpus import CorpusPost

Kind = Literal["copy", "template", "balance", "place", "word"]

_LINES_NAMED = 8
_ADDRESS = re.compile(r"https?://\S+|(?<!\w)@\w+")
_WORD = re.compile(r"[^\W_]+")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found in the corpus. Its message names lines, and never quotes a post of the test part."""

    kind: Kind
    is_refused: bool  # the corpus must not be used before this is mended; else it is for a person to judge
    strength: float  # the statistic that the message names; comparable within a kind
    message: str
    where: tuple[str, ...] = ()  # "fr-1.tsv: line 12"


class CorpusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the check found, the refused first, then the strongest of each kind."""

    posts: dict[str, int]  # by file
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What must be mended."""
        return tuple(finding for finding in self.findings if finding.is_refused)

    def lines(self, *, most: int = 12) -> list[str]:
        """Return the report for a person: every refused finding, and up to `most` others of each kind."""
        counts = Counter(finding.kind for finding in self.findings if not finding.is_refused)
        lines = [f"{sum(self.posts.values())} posts in {len(self.posts)} files, {len(self.refused)} findings refused"]
        lines += [f"REFUSED {finding.kind}: {finding.message}" for finding in self.refused]
        for kind, count in counts.items():
            chosen = [one for one in self.findings if one.kind == kind and not one.is_refused][:most]
            lines += [f"{kind}: {finding.message}" for finding in chosen]
            if count > len(chosen):
                lines.append(f"{kind}: {count - len(chosen)} more, weaker")
        return lines


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters without accents; addresses and mentions are left out."""
    plain = unicodedata.normalize("NFKD", _ADDRESS.sub(" ", text).casefold())
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def has_label(post: CorpusPost, label: str) -> bool:
    """Say whether a post counts under a hazard (its main one), an actuality, or "witness"."""
    if label == "witness":
        return post.is_witness
    return label in (post.actuality, post.main_hazard)


def lines_of(posts: Sequence[CorpusPost]) -> str:
    """Name the posts by file and line, the first few of them."""
    named = ", ".join(f"{post.source}:{post.line}" for post in posts[:_LINES_NAMED])
    return named if len(posts) <= _LINES_NAMED else f"{named} and {len(posts) - _LINES_NAMED} more"
