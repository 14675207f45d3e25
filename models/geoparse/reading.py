"""Reading: one post prepared for the search of places, its surface and its folded text at the same positions."""

import re
from collections.abc import Container

from models.geoparse.words import ENGLISH, FRENCH, HAPPENINGS, SCORE, SOURCES, SPORT, SPORT_PHRASES, SURELY_SPORT
from models.places.folding import fold, surface_from

LONGEST_TEXT = 8_000  # what stands beyond has never placed a post
ADDRESSES = re.compile(r"https?://\S+|www\.\S+|(?<!\S)\S*@\S+")
ON_WATER = re.compile(
    r"(?<=\w)[ ]?\bs/ ?(?=\w)|(?<=[a-zà-ÿ])/(?=(?:mer|sa[oô]ne|seine|marne|loire|rh[oô]ne|oise|orge|cher|meuse)\b)",
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
OF_SPORT = re.compile(SPORT_PHRASES)
SHOUTING_LETTERS = 12
SHOUTING_RATIO = 0.7
SURELY = 3  # small words of the other language
FIRST_SYMBOL = 0x2000


class Reading:
    """A post's text: surface as written (addresses out, hashtags opened), folded text letter for letter the same.

    The rest is worked out by `study`, once there is a name to judge: most posts hold none.
    """

    def __init__(self, text: str, lang: str | None, run_together: Container[str] = frozenset()) -> None:
        self.surface = f" {_prepared(text[:LONGEST_TEXT], run_together)} "
        self.folded = fold(self.surface)
        self.lang = lang[:2].lower() if lang else ""
        self.has_digits = DIGIT.search(self.folded) is not None
        self.is_shouted = False  # all in capitals: a capital says nothing
        self.is_sport = False  # of clubs and matches
        self.sport_hints = 0
        self.sources: list[int] = []  # positions of the words for what happens
        self.effects: list[int] = []  # and for what one notices of it
        self.words: set[str] = set()

    def study(self) -> None:
        """Work out language, tone and subject."""
        words = self.folded.split()
        self.words = known = set(words)
        self.lang = _language_of(known, self.surface, self.lang)
        capitals = sum(map(str.isupper, self.surface))
        if capitals >= SHOUTING_LETTERS:
            self.is_shouted = capitals > SHOUTING_RATIO * sum(map(str.isalpha, self.surface))
        hints = self.sport_hints = len(known & SPORT) + (SCORE_OF_MATCH.search(self.surface) is not None)
        is_named = hints == 1 and OF_SPORT.search(self.folded) is not None
        self.is_sport = hints > 1 or is_named or not known.isdisjoint(SURELY_SPORT)
        position = 0
        if not known.isdisjoint(HAPPENINGS):
            for word in words:
                position = self.folded.find(word, position)
                if word in HAPPENINGS:
                    (self.sources if word in SOURCES else self.effects).append(position)
                position += len(word)

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

    def begins_sentence(self, start: int) -> bool:
        """Tell whether a position is the first of a sentence."""
        left = self.surface[:start].rstrip(" #'’-*([")
        return not left or left[-1] in SENTENCE_END or not left[-1].isprintable() or ord(left[-1]) > FIRST_SYMBOL


def _language_of(words: set[str], surface: str, told: str) -> str:
    """Return French, English, nothing, or what was told where the small words of the text do not say otherwise."""
    french, english = len(words & FRENCH), len(words & ENGLISH)
    if told:
        if told == "fr" and english >= SURELY and not french:
            return "en"
        return "fr" if told == "en" and french >= SURELY and not english else told
    if french == english:
        return "fr" if ACCENTS.search(surface) else ""
    return "fr" if french > english else "en"


def _prepared(text: str, run_together: Container[str]) -> str:
    text = surface_from(text)
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "\n").replace("\n", " . ")
    if ". " in text:
        text = ABBREVIATED.sub(r"\1 ", text)
    if "/" in text or "@" in text or "www" in text:
        text = ADDRESSES.sub(" . ", text)
        text = ON_WATER.sub(" sur ", text)
    if "#" in text:
        text = HASHTAG.sub(lambda match: f"# {_opened(match.group(1), run_together)} ", text)
    return " ".join(text.split())


def _opened(tag: str, run_together: Container[str]) -> str:
    """Return a hashtag as words, by its humps; one that is a name as a whole stays whole, whatever its humps."""
    return tag if fold(tag) in run_together else HUMPS.sub(" ", tag)
