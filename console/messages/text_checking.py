"""Checking a message's texts: on which channels, how long they get, in which characters, and what they may state."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.messages.channels import Channel, foreign, in_gsm, length_on, page_length, paged_length, substitute
from console.messages.map_shape import LANGUAGE_NAMES, Entry, Finding, guess
from console.messages.message_map import (
    CHANNELS,
    FOR_ALL,
    LANGUAGES,
    NEEDED,
    PLACEHOLDER,
    PLAIN,
    STAGES,
    Language,
    Message,
    MessageMap,
    Placeholder,
)
from console.messages.toml_lines import Path

DOUBT: Mapping[Language, tuple[str, ...]] = {"fr": ("verif", "confirm"), "en": ("check", "verif", "confirm")}
"""A text of an unconfirmed stage has one of these: it is being checked, or is not confirmed."""


def text_findings(entry: Entry, message: Message, whole: MessageMap) -> Iterator[Finding]:
    """Say all that is wrong with a message's texts."""
    yield from _channel_findings(entry, message)
    for piece in _pieces(entry, message):
        yield from _placeholders_of(piece, whole)
        yield from _foreign_in(piece)
        yield from _too_long(piece, whole)
    for language in LANGUAGES:
        for channel, parts in message.texts(language).parts():
            text = _Piece(entry, (language, channel), " ".join(parts), language, channel, message.stage)
            yield from _undoubted(text)
            yield from _unsourced(text, whole)
            if isinstance(getattr(message.texts(language), channel), tuple):
                yield from _too_many_pages(entry, (language, channel), parts, whole)
    yield from _unequal(entry, message)


def widened(text: str, placeholders: Mapping[str, Placeholder]) -> str:
    """Return a text with every placeholder as wide as it may get."""
    return PLACEHOLDER.sub(lambda found: "x" * placeholders[found[1]].most if found[1] in placeholders else "x", text)


def _channel_findings(entry: Entry, message: Message) -> Iterator[Finding]:
    """Say which texts are missing, empty, or on a channel that they do not belong on."""
    for language in LANGUAGES:
        has = {channel for channel, _ in message.texts(language).parts()}
        for channel in CHANNELS:
            yield from _one_channel(entry, message, language, channel, is_there=channel in has)


def _one_channel(
    entry: Entry, message: Message, language: Language, channel: Channel, *, is_there: bool
) -> Iterator[Finding]:
    path: Path = (language, channel)
    is_written = channel in entry.file.said["message"][entry.path[1]][language]
    other: Language = "en" if language == "fr" else "fr"
    if is_written and not is_there:
        yield entry.finding(path, "the text is empty", "write it, or take the line out")
    elif not is_there and channel in NEEDED[message.audience]:
        yield entry.finding(path, f"is missing: {message.audience} is told by it", f'write {channel} = "…"')
    elif not is_there and any(channel == name for name, _ in message.texts(other).parts()):
        mend = f'write {channel} = "…" here, or take the other one out'
        yield entry.finding(path, f"is missing, and is there in {LANGUAGE_NAMES[other]}", mend)
    if is_there and channel == "cell":
        yield from _cell_findings(entry, message, path)


def _cell_findings(entry: Entry, message: Message, path: Path) -> Iterator[Finding]:
    if message.audience not in FOR_ALL:
        mend = f"take it out; it is for {', '.join(FOR_ALL)}"
        yield entry.finding(path, f"a cell broadcast cannot be sent to {message.audience} alone", mend)
    if message.stage in STAGES and not STAGES[message.stage].allows_cell:
        mend = "take it out, or move the message to the stage confirmed"
        yield entry.finding(path, f"nothing is confirmed at the stage {message.stage}: no cell broadcast", mend)


@dataclass(frozen=True)
class _Piece:
    """A text, or a page of one, and where it stands."""

    entry: Entry
    path: Path
    text: str
    language: Language
    channel: Channel
    stage: str
    is_page: bool = False

    def finding(self, what: str, mend: str, word: str = "") -> Finding:
        return self.entry.finding(self.path, what, mend, word=word)


def _pieces(entry: Entry, message: Message) -> Iterator[_Piece]:
    for language in LANGUAGES:
        for channel, parts in message.texts(language).parts():
            is_cut = not isinstance(getattr(message.texts(language), channel), str)
            for number, text in enumerate(parts):
                path: Path = (language, channel, number) if is_cut else (language, channel)
                yield _Piece(entry, path, text, language, channel, message.stage, is_cut)


def _placeholders_of(piece: _Piece, whole: MessageMap) -> Iterator[Finding]:
    known = whole.placeholders
    for name in dict.fromkeys(PLACEHOLDER.findall(piece.text)):
        word = f"{{{name}}}"
        if name not in known:
            yield piece.finding(f"there is no placeholder {word}", guess(name, sorted(known), "there are"), word)
        elif known[name].is_fact and piece.stage in STAGES and not STAGES[piece.stage].allows_facts:
            what = f"{word} is a fact, and nothing is confirmed at the stage {piece.stage}"
            yield piece.finding(what, "say what posts report, as in {reported_place}, or take it out", word)
    left = PLACEHOLDER.sub("", piece.text)
    for brace in "{}":
        if brace in left:
            mend = "write placeholders as {place}, small letters and _ between two braces; no braces elsewhere"
            yield piece.finding(f"a {brace} that holds no placeholder", mend, brace)


def _foreign_in(piece: _Piece) -> Iterator[Finding]:
    if piece.channel not in PLAIN:
        return
    cost = "a page would hold 41 characters, not 93" if piece.channel == "cell" else "an SMS would hold 70, not 160"
    for char in foreign(piece.text):
        instead = substitute(char)
        named = unicodedata.name(char, f"U+{ord(char):04X}").lower()
        mend = f'write "{instead}"' if instead else "take it out"
        yield piece.finding(f'"{char}" ({named}) is not of the GSM alphabet: {cost}', mend, char)


def _too_long(piece: _Piece, whole: MessageMap) -> Iterator[Finding]:
    text = widened(in_gsm(piece.text) if piece.channel in PLAIN else piece.text, whole.placeholders)
    length = page_length(text) if piece.is_page else length_on(piece.channel, text)
    what = "the page" if piece.is_page else "the text"
    if length.units > length.most:
        yield piece.finding(
            f"{what} may get {length.units} characters long, with what is filled in; {length.most} are allowed",
            f"shorten it by {length.units - length.most}",
        )
    elif length.parts > length.most_parts:
        yield piece.finding(f"{what} may take {length.parts} parts; {length.most_parts} are allowed", "shorten it")


def _too_many_pages(entry: Entry, path: Path, pages: Sequence[str], whole: MessageMap) -> Iterator[Finding]:
    length = paged_length([widened(in_gsm(page), whole.placeholders) for page in pages])
    if length.parts > length.most_parts:
        mend = f"leave {length.parts - length.most_parts} out"
        yield entry.finding(path, f"has {length.parts} pages; {length.most_parts} are allowed", mend)
    for number, page in enumerate(pages):
        if not page.strip():
            yield entry.finding((*path, number), "the page is empty", "write it, or take it out")


def _undoubted(text: _Piece) -> Iterator[Finding]:
    if text.stage not in STAGES or STAGES[text.stage].allows_facts:
        return
    plain = unicodedata.normalize("NFKD", text.text.casefold())
    said = "".join(char for char in plain if not unicodedata.combining(char))
    if not any(mark in said for mark in DOUBT[text.language]):
        mend = {"fr": '"nous vérifions" or "non confirmé"', "en": '"we are checking" or "not confirmed"'}
        what = f"does not say that nothing is confirmed, at the stage {text.stage}"
        yield text.finding(what, f"say {mend[text.language]}")


def _unsourced(text: _Piece, whole: MessageMap) -> Iterator[Finding]:
    if text.stage not in STAGES or not STAGES[text.stage].needs_source:
        return
    sources = [name for name, one in whole.placeholders.items() if one.names_source]
    if not set(sources) & set(PLACEHOLDER.findall(text.text)):
        what = f"does not say who stands for it, at the stage {text.stage}"
        yield text.finding(what, f"name one of {', '.join(f'{{{name}}}' for name in sources)}")


def _unequal(entry: Entry, message: Message) -> Iterator[Finding]:
    """Say where one language fills in what the other one lacks."""
    french = {channel: " ".join(parts) for channel, parts in message.fr.parts()}
    for channel, parts in message.en.parts():
        english = set(PLACEHOLDER.findall(" ".join(parts)))
        for name in sorted(english ^ set(PLACEHOLDER.findall(french.get(channel, " ".join(parts))))):
            lacking, having = ("fr", "en") if name in english else ("en", "fr")
            what = f"lacks {{{name}}}, which is in the text in {LANGUAGE_NAMES[having]}"
            yield entry.finding((lacking, channel), what, "say the same in both languages")
