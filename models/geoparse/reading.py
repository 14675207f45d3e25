"""Reading: one post prepared for the search of places, its surface and its folded text at the same positions."""

import re
from collections.abc import Container, Sequence

from models.geoparse.words import (
    ENGLISH,
    FRENCH,
    HAPPENINGS,
    SCORE,
    SOURCES,
    SPORT,
    SPORT_HEADS,
    SPORT_PHRASES,
    SURELY_SPORT,
)
from models.places.folding import fold, surface_from

LONGEST_TEXT = 8_000  # what stands beyond has never placed a post
ADDRESSES = re.compile(r"(?:https?://|www\.)\S+")
HANDLES = re.compile(r"(?<!\S)\S*@\S+")
ON_WATER = re.compile(
    r"(?<=\w)[ -]?\bs/[ -]?(?=\w)|(?<=[a-zà-ÿ])/(?=(?:mer|sa[oô]ne|seine|marne|loire|rh[oô]ne|oise|orge|cher|meuse)\b)",
    re.IGNORECASE,
)  # "Chalon s/Saône", "cagnes/mer"
ABBREVIATED = re.compile(r"\b(St|Ste|Ft|Mt|Co)\. (?=[A-ZÀ-Þ])")
HASHTAG = re.compile(r"#(\w+)")
HUMPS = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-Za-zà-ÿ])(?=\d)|(?<=\d)(?=[A-Za-zà-ÿ])|_+")
ACCENTS = re.compile("[éèêàçùôî]")
DIGIT = re.compile(r"\d")
SENTENCE_END = frozenset('.!?…:;|\n"«»“”•–—>)]')
WORDS_BEFORE = 48
SCORE_OF_MATCH = re.compile(SCORE)
NO_CAPITALS = bytes(b for b in range(256) if not bytes((b,)).decode("cp1252", errors="replace").isupper())
SHOUTING_LETTERS = 12
SHOUTING_RATIO = 0.7
SURELY = 3  # small words of the other language
FIRST_SYMBOL = 0x2000


class Reading:
    """A post's text: surface as written (addresses out, hashtags opened), folded text letter for letter the same.

    The rest is worked out by `study`, once there is a name to judge: most posts hold none.
    """

    is_shouted = False  # all in capitals: a capital says nothing
    is_sport = False  # of clubs and matches
    sport_hints = 0
    has_digits = False  # so that a département may be named by number
    words: frozenset[str] | set[str] = frozenset()
    sources: Sequence[int] = ()  # positions of the words for what happens
    effects: Sequence[int] = ()  # and for what one notices of it

    def __init__(self, text: str, lang: str | None, run_together: Container[str] = frozenset()) -> None:
        self.surface = f" {_prepared(text[:LONGEST_TEXT], run_together, lang)} "
        self.folded = fold(self.surface)
        self.lang = lang[:2].lower() if lang else ""

    def study(self) -> None:
        """Work out language, tone and subject."""
        self.words = known = set(self.folded.split())
        self.lang = _language_of(known, self.surface, self.lang)
        capitals = len(self.surface.encode("cp1252", errors="replace").translate(None, NO_CAPITALS))
        if capitals >= SHOUTING_LETTERS:
            self.is_shouted = capitals > SHOUTING_RATIO * sum(map(str.isalpha, self.surface))
        self.has_digits = DIGIT.search(self.folded) is not None
        has_score = self.has_digits and SCORE_OF_MATCH.search(self.surface) is not None
        hints = self.sport_hints = len(known & SPORT) + has_score
        is_named = not known.isdisjoint(SPORT_HEADS) and any(map(self.folded.__contains__, SPORT_PHRASES))
        self.is_sport = hints > 1 or is_named or not known.isdisjoint(SURELY_SPORT)
        if happening := known & HAPPENINGS:
            self.sources = self._positions_of(happening & SOURCES)
            self.effects = self._positions_of(happening - SOURCES)

    def _positions_of(self, words: set[str]) -> list[int]:
        found = []
        for word in sorted(words):
            position = self.folded.find(f" {word} ")
            while position >= 0:
                found.append(position + 1)
                position = self.folded.find(f" {word} ", position + 1)
        return found

    @property
    def happenings(self) -> bool:
        """Whether the post speaks of something that happens."""
        return bool(self.sources or self.effects)

    def before(self, start: int) -> list[str]:
        """Return the folded words before a position, the last one last."""
        return self.folded[max(0, start - WORDS_BEFORE) : start].split()

    def after(self, end: int) -> list[str]:
        """Return the folded words behind a position, in order."""
        return self.folded[end : end + WORDS_BEFORE].split()

    def has_title(self, end: int) -> bool:
        """Tell whether what ends here is set apart by a colon or a comma, as the title of a message is."""
        return self.surface[end : end + 2].lstrip()[:1] in (":", ",")

    def begins_sentence(self, start: int) -> bool:
        """Tell whether a position is the first of a sentence."""
        left = self.surface[:start].rstrip(" #'’-*([")
        return not left or left[-1] in SENTENCE_END or not left[-1].isprintable() or ord(left[-1]) > FIRST_SYMBOL


def _language_of(words: set[str], surface: str, told: str) -> str:
    """Return French, English, nothing, or what was told where the small words of the text do not say otherwise."""
    if told == "fr":
        return "en" if len(words & ENGLISH) >= SURELY and words.isdisjoint(FRENCH) else told
    if told == "en":
        return "fr" if len(words & FRENCH) >= SURELY and words.isdisjoint(ENGLISH) else told
    if told:
        return told
    french, english = len(words & FRENCH), len(words & ENGLISH)
    if french == english:
        return "fr" if ACCENTS.search(surface) else ""
    return "fr" if french > english else "en"


def _prepared(text: str, run_together: Container[str], lang: str | None) -> str:
    """Return the text composed, in one line, without addresses, with abbreviations and hashtags opened.

    Most posts need few of these steps, and to see that is cheaper than to search.
    """
    text = surface_from(_decodable(text))
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "\n").replace("\n", " . ")
    if "St. " in text or "Ste. " in text or "Ft. " in text or "Mt. " in text or "Co. " in text:
        text = ABBREVIATED.sub(r"\1 ", text)
    if "://" in text or "www." in text:
        text = ADDRESSES.sub(".", text)
    if "@" in text:
        text = HANDLES.sub(".", text)
    if "/" in text and lang != "en":
        text = ON_WATER.sub(" sur ", text)
    if "#" in text:
        text = HASHTAG.sub(lambda match: f"# {_opened(match.group(1), run_together)}", text)
    return " ".join(text.split()) if "  " in text or not text.isprintable() else text


def _decodable(text: str) -> str:
    """Return the text without halves of characters, which could not be sent on."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _opened(tag: str, run_together: Container[str]) -> str:
    """Return a hashtag as words, by its humps; one that is a name as a whole stays whole, whatever its humps."""
    if (tag.lower() if tag.isascii() else fold(tag)) in run_together:
        return tag
    return tag if tag.isalpha() and tag.islower() else HUMPS.sub(" ", tag)
