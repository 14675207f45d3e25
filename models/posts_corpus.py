"""The corpus of hand-written posts: read, and checked before anything is learned from it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from models.near_duplicate import fingerprint
from records import ACTUALITIES, SettingsError

CORPUS = Path(__file__).parent / "corpus"
HEADER = "hazard\tactuality\twitness\ttext"
LABELS = frozenset({"fire", "flood", "industrial"})

_COLUMNS = 4
_COPY_BITS = 6  # fingerprints this close are the same post, lightly changed


class CorpusPost(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-written post with its labels."""

    hazards: tuple[str, ...]  # the main one first; empty for "none"
    actuality: str
    is_witness: bool
    text: str
    source: str  # file without suffix: "fr-1"
    line: int

    @property
    def language(self) -> str:
        """The language it was written in."""
        return self.source.partition("-")[0]

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"{self.source}.tsv: line {self.line}"


def read_part(folder: Path) -> list[CorpusPost]:
    """Read every file of one part (`train` or `test`), in the order of file names.

    Errors  SettingsError with file, line, what was found and what would do
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise SettingsError(f"{folder}: no *.tsv file there: name a folder with the corpus's files")
    return [post for path in files for post in _posts_from(path)]


def check(train: Sequence[CorpusPost], test: Sequence[CorpusPost]) -> None:
    """Refuse a corpus that would fool its users: posts given twice, or in both parts.

    Errors  SettingsError naming both lines
    """
    _refuse_repeats([*train, *test])
    _refuse_copies(train, test)


def balance(posts: Iterable[CorpusPost]) -> dict[str, dict[str, int]]:
    """Count the posts of each source by main hazard and by actuality."""
    counts: dict[str, dict[str, int]] = {}
    for post in posts:
        row = counts.setdefault(post.source, {})
        for label in (post.hazards[0] if post.hazards else "none", f"actuality {post.actuality}"):
            row[label] = row.get(label, 0) + 1
    return counts


def _posts_from(path: Path) -> Iterable[CorpusPost]:
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0] != HEADER:
        raise SettingsError(f"{path.name}: line 1: found {lines[0]!r}: the header must be {HEADER!r}")
    for number, line in enumerate(lines[1:], start=2):
        if line:
            yield _post_from(line, path.stem, number)


def _post_from(line: str, source: str, number: int) -> CorpusPost:
    where = f"{source}.tsv: line {number}"
    fields = line.split("\t")
    if len(fields) != _COLUMNS:
        raise SettingsError(f"{where}: found {len(fields)} columns, a post has {_COLUMNS}, set apart by tabs")
    label, actuality, witness, text = fields
    hazards = () if label == "none" else tuple(label.split("+"))
    _refuse_labels(where, hazards, actuality, witness)
    if not text.strip():
        raise SettingsError(f"{where}: the post has no text: write one or remove the line")
    return CorpusPost(
        hazards=hazards,
        actuality=actuality,
        is_witness=witness == "1",
        text=text.replace(" ⏎ ", "\n"),
        source=source,
        line=number,
    )


def _refuse_labels(where: str, hazards: tuple[str, ...], actuality: str, witness: str) -> None:
    for hazard in hazards:
        if hazard not in LABELS:
            raise SettingsError(f'{where}: hazard "{hazard}": use fire, flood, industrial, two with +, or none')
    if actuality not in ACTUALITIES:
        raise SettingsError(f'{where}: actuality "{actuality}": use one of {", ".join(ACTUALITIES)}')
    if hazards and actuality not in ("now", "past"):
        raise SettingsError(f'{where}: actuality "{actuality}" with a hazard: an incident is now or past')
    if not hazards and actuality == "now":
        raise SettingsError(f'{where}: actuality "now" without a hazard: name the hazard, or use other')
    if witness not in ("0", "1") or (witness == "1" and not hazards):
        raise SettingsError(f'{where}: witness "{witness}": use 0 or 1, and always 0 where the hazard is none')


def _refuse_repeats(posts: Sequence[CorpusPost]) -> None:
    seen: dict[str, CorpusPost] = {}
    for post in posts:
        first = seen.setdefault(" ".join(post.text.casefold().split()), post)
        if first is not post:
            raise SettingsError(f"{post.where}: the same post stands at {first.where}: keep one of them")


def _refuse_copies(train: Sequence[CorpusPost], test: Sequence[CorpusPost]) -> None:
    prints = [(fingerprint(post.text), post) for post in train]
    for post in test:
        mine = fingerprint(post.text)
        for other, original in prints:
            if mine and other and (mine ^ other).bit_count() <= _COPY_BITS:
                raise SettingsError(
                    f"{post.where}: nearly the same post as {original.where} of the training part: "
                    "the test part must be new; rewrite it"
                )
