"""Checking a message map: what its parts mean, beside the map that they change, and whom it leaves out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from console.messages.facts import ALERT_FIELDS, ALWAYS_FACTS, BULLETIN_FIELDS
from console.messages.map_shape import Entry, Finding, MapFile, guess, own_map, read_entries
from console.messages.message_map import PLACEHOLDER, STAGES, Audience, Message, MessageMap, Placeholder, Without
from console.messages.text_checking import text_findings

FIELDS: Mapping[str, Mapping[str, object]] = {"alert": ALERT_FIELDS, "bulletin": BULLETIN_FIELDS}


def findings_in(files: Sequence[MapFile], base: MessageMap) -> list[Finding]:
    """Return all that is wrong with a map that replaces parts of another one, or adds to it.

    Shape   in the order of the files and their lines
    """
    entries: list[Entry] = []
    found: list[Finding] = []
    for file in files:
        sound, wrong = read_entries(file)
        entries += sound
        found += wrong
    whole = base.with_own(own_map(entries))
    found += _repeated(entries)
    for entry in entries:
        found += _entry_findings(entry, whole, base)
    found += _uncovered(entries, whole)
    order = {file.name: number for number, file in enumerate(files)}
    return sorted(dict.fromkeys(found), key=lambda one: (order[one.file], one.line))


def _entry_findings(entry: Entry, whole: MessageMap, base: MessageMap) -> Iterator[Finding]:
    if isinstance(entry.part, Message):
        yield from _place_findings(entry, entry.part.situation, entry.part.stage, whole)
        yield from text_findings(entry, entry.part, whole)
    elif isinstance(entry.part, Without):
        yield from _place_findings(
            entry, entry.part.situation, entry.part.stage, whole, is_optional=bool(entry.part.levels)
        )
    elif isinstance(entry.part, Placeholder):
        yield from _placeholder_findings(entry, entry.part, base.placeholders.get(entry.name))


def _repeated(entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[tuple[type, str], Entry] = {}
    for entry in entries:
        key = (type(entry.part), entry.name)
        if key in first:
            there = first[key]
            line = there.file.lines.line_of(there.path)
            yield entry.finding((), f"is there twice, first in {there.file.name}, line {line}", "give it another name")
        first.setdefault(key, entry)


def _place_findings(
    entry: Entry, situation: str, stage: str, whole: MessageMap, *, is_optional: bool = False
) -> Iterator[Finding]:
    if situation not in whole.situations and not (is_optional and not situation):
        mend = guess(situation, sorted(whole.situations), "write [situation.name] for it, or take one of")
        yield entry.finding(("situation",), f"there is no situation {situation!r}", mend)
    if stage not in STAGES and not (is_optional and not stage):
        yield entry.finding(("stage",), f"there is no stage {stage!r}", guess(stage, list(STAGES), "give one of"))


def _placeholder_findings(entry: Entry, own: Placeholder, shipped: Placeholder | None) -> Iterator[Finding]:
    if not PLACEHOLDER.fullmatch(f"{{{entry.name}}}"):
        yield entry.finding((), "is no name of a placeholder", "give small letters a-z and _")
    fields = FIELDS.get(own.origin)
    if fields is not None and own.field not in fields:
        what = f"there is no field {own.field!r} of an {own.origin}" if own.field else "has no field"
        yield entry.finding(("field",), what, guess(own.field, list(fields), "give one of"))
    if own.is_fact:
        return
    mend = "write is_fact = true"
    if shipped is not None and shipped.is_fact:
        yield entry.finding(("is_fact",), "is a fact in the map that comes with Vigie, and stays one", mend)
    elif own.origin == "bulletin" or own.field in ALWAYS_FACTS:
        yield entry.finding(("is_fact",), f"states what happens ({own.field or own.origin}), so it is a fact", mend)


def _uncovered(entries: Sequence[Entry], whole: MessageMap) -> Iterator[Finding]:
    """Say whom a situation leaves out at a stage, without a reason."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        part = entry.part
        if isinstance(part, Message) and (part.situation, part.stage) not in seen:
            seen.add((part.situation, part.stage))
            for audience in _left_out(part.situation, part.stage, whole):
                what = f"{part.situation}, stage {part.stage}: there is no message for {audience}"
                yield entry.finding((), what, "write one, or a [[without]] with the reason")


def _left_out(situation: str, stage: str, whole: MessageMap) -> Iterator[Audience]:
    told = {one.audience for one in whole.messages.values() if (one.situation, one.stage) == (situation, stage)}
    told |= {one.audience for one in whole.without.values() if (one.situation, one.stage) == (situation, stage)}
    yield from (audience for audience in get_args(Audience) if audience not in told)
