"""Reading: one post prepared for the search of places, its surface and its folded text at the same positions."""

import re

from models.geoparse.words import ENGLISH, FRENCH, HAPPENINGS, SPORT
from models.places.folding import fold, surface_from

LONGEST_TEXT = 8_000  # what stands beyond has never placed a post
ADDRESSES = re.compile(r"https?://\S+|www\.\S+|\S*@\S+")
HASHTAG = re.compile(r"#(\w+)")
HUMPS = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-Za-zà-ÿ])(?=\d)|(?<=\d)(?=[A-Za-zà-ÿ])|_+")
ACCENTS = re.compile("[éèêàçùôî]")
DIGIT = re.compile(r"\d")
SENTENCE_END = frozenset('.!?…:;|\n"«»“”•–—>)]')
WORDS_BEFORE = 48
SHOUTING_LETTERS = 12
SHOUTING_RATIO = 0.7
FIRST_SYMBOL = 0x2000


class Reading:
    """A post's text: surface as written (addresses out, hashtags opened), folded text letter for letter the same.

    The rest is worked out by `study`, once there is a name to judge: most posts hold none.
    """

    def __init__(self, text: str, lang: str | None) -> None:
        self.surface = f" {_prepared(text[:LONGEST_TEXT])} "
        self.folded = fold(self.surface)
        self.lang = lang[:2].lower() if lang else ""
        self.has_digits = DIGIT.search(self.folded) is not None
        self.is_shouted = False  # all in capitals: a capital says nothing
        self.is_sport = False  # of clubs and matches
        self.happenings: list[int] = []  # positions of the words for what happens

    def study(self) -> None:
        """Work out language, tone and subject."""
        words = self.folded.split()
        known = set(words)
        self.lang = self.lang or _language_of(known, self.surface)
        capitals = sum(map(str.isupper, self.surface))
        if capitals >= SHOUTING_LETTERS:
            self.is_shouted = capitals > SHOUTING_RATIO * sum(map(str.isalpha, self.surface))
        self.is_sport = len(known & SPORT) > 1
        position = 0
        if not known.isdisjoint(HAPPENINGS):
            for word in words:
                position = self.folded.find(word, position)
                if word in HAPPENINGS:
                    self.happenings.append(position)
                position += len(word)

    def before(self, start: int) -> list[str]:
        """Return the folded words before a position, the last one last."""
        return self.folded[max(0, start - WORDS_BEFORE) : start].split()

    def begins_sentence(self, start: int) -> bool:
        """Tell whether a position is the first of a sentence."""
        left = self.surface[:start].rstrip(" #'’-*([")
        return not left or left[-1] in SENTENCE_END or not left[-1].isprintable() or ord(left[-1]) > FIRST_SYMBOL


def _language_of(words: set[str], surface: str) -> str:
    """Return French, English or nothing, by the small words of the text."""
    french, english = len(words & FRENCH), len(words & ENGLISH)
    if french == english:
        return "fr" if ACCENTS.search(surface) else ""
    return "fr" if french > english else "en"


def _prepared(text: str) -> str:
    text = surface_from(text)
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "\n").replace("\n", " . ")
    if "/" in text or "@" in text or "www" in text:
        text = ADDRESSES.sub(" . ", text)
    if "#" in text:
        text = HASHTAG.sub(lambda match: f"# {HUMPS.sub(' ', match.group(1))} ", text)
    return " ".join(text.split())
