"""The corpus of posts written for Vigie: read, line by line, and refused where a label cannot be right.

What a single line cannot show (copies, balance, leakage) is for `corpus_check.py`.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from records import ACTUALITIES, SettingsError

CORPUS = Path(__file__).parent / "corpus"
HEADER = "hazard\tactuality\twitness\ttext"
LABELS = frozenset({"fire", "flood", "industrial"})

_COLUMNS = 4
_MOST_HAZARDS = 2


class CorpusPost(msgspec.Struct, frozen=True, kw_only=True):
    """One post of the corpus with its labels."""

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
    def main_hazard(self) -> str:
        """The hazard it is counted under; "none" where it has none."""
        return self.hazards[0] if self.hazards else "none"

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"{self.source}.tsv: line {self.line}"


def read_part(folder: Path) -> list[CorpusPost]:
    """Read every file of one part (`train`, `test` or `everyday`), in the order of file names.

    Errors  SettingsError with file, line, what was found and what would do
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise SettingsError(f"{folder}: no *.tsv file there: name a folder with the corpus's files")
    return [post for path in files for post in _posts_from(path)]


def _posts_from(path: Path) -> Iterable[CorpusPost]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({error}): save it so") from error
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
    if len(hazards) > _MOST_HAZARDS or len(set(hazards)) < len(hazards):
        raise SettingsError(f'{where}: hazard "{"+".join(hazards)}": join two different ones at most')
    if actuality not in ACTUALITIES:
        raise SettingsError(f'{where}: actuality "{actuality}": use one of {", ".join(ACTUALITIES)}')
    if hazards and actuality not in ("now", "past"):
        raise SettingsError(f'{where}: actuality "{actuality}" with a hazard: an incident is now or past')
    if not hazards and actuality == "now":
        raise SettingsError(f'{where}: actuality "now" without a hazard: name the hazard, or use other')
    if witness not in ("0", "1") or (witness == "1" and not hazards):
        raise SettingsError(f'{where}: witness "{witness}": use 0 or 1, and always 0 where the hazard is none')
