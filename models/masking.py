"""Masking: private persons' names, telephone numbers and e-mail addresses out of what is kept, shown and sent.

Shape   a text in, the same text out with "[…]" where a person was named; a word of a name is masked whole or not at all
Source  word lists in `models/names/*.txt`; where a name may be a place's or a thing's as well, it stays

Not caught: first names alone, family names alone, nicknames, handles, names in small letters or in hashtags, and those
whose first name the list lacks where neither an honorific, nor an age, nor a listed family name in capitals stands by.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from models.places.folding import fold, fold_name, surface_from

MARK = "[…]"
NAMES = Path(__file__).parent / "names"

Span = tuple[int, int]
Phrases = dict[str, list[list[str]]]

_LONGEST_NAME = 7  # words
_LONGEST_THING = 5
_LONGEST_PHRASE = 6
_LONGEST_AGED = 3
_MOST_JOINTS = 4
_SHORT = 3  # letters of an abbreviation, which ends in a full stop; and the fewest of a family name in capitals
_SHOUTING_LETTERS, _SHOUTING_RATIO = 12, 0.7
_HEADLINE_WORDS, _HEADLINE_RATIO = 6, 0.6


def _sections(name: str) -> dict[str, frozenset[str]]:
    """Return the words of a list, section by section; what stands before the first is the section ""."""
    found: dict[str, set[str]] = {"": set()}
    words = found[""]
    for line in (NAMES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            words.update(line.split())
    return {section: frozenset(members) for section, members in found.items()}


def _phrases(names: Iterable[str]) -> Phrases:
    """Return folded names, the longest first, under their first word."""
    found: Phrases = {}
    for words in sorted((name.split() for name in names), key=len, reverse=True):
        if words:
            found.setdefault(words[0], []).append(words)
    return found


def _known() -> Phrases:
    lines = (NAMES / "known.txt").read_text(encoding="utf-8").splitlines()
    return _phrases(name for line in lines if not line.startswith("#") for name in line.split("|"))


_LISTED, _AROUND = _sections("given.txt"), _sections("around.txt")
DOUBTFUL, STORM_NAMES = _LISTED["doubtful"], _LISTED["storms"]
GIVEN = _LISTED["given"] | DOUBTFUL | STORM_NAMES
FAMILY = _sections("family.txt")[""]
ORDINARY = _sections("ordinary.txt")[""]
KNOWN = _known()
HONORIFICS, RANKS, OFFICES = _AROUND["honorifics"], _AROUND["ranks"], _AROUND["offices"]
SMALL, PARTICLES, JOINTS = _AROUND["small"], _AROUND["particles"], _AROUND["joints"]
STREETS, STORMS, THINGS = _AROUND["streets"], _AROUND["storms"], _AROUND["things"] | _AROUND["storms"]
HEADS = STREETS | THINGS
BEHIND, BEHIND_SMALL = _AROUND["behind"], _AROUND["behind small"]
BEFORE_PLACES = _AROUND["before places"]
NEVER = SMALL | OFFICES | HONORIFICS | RANKS | HEADS | _AROUND["no names"]
SURE_FAMILY = FAMILY - ORDINARY  # "Brown" is a colour as well
NO_NAMES = (ORDINARY | NEVER | BEHIND) - (FAMILY - SMALL - HEADS)

_ADDRESS = r"(?:https?://|www\.)\S+"
_WORD, _ACCENTED_WORD = (
    re.compile(rf"{_ADDRESS}|[@#]\w[\w.-]*|((?:[OD]['’](?=[A-ZÀ-Þ]))?{letters}(?:[-‑]{letters})*)")
    for letters in (r"[^\W\d_]+", "(?:[^\\W\\d_][\u0300-\u036f]*)+")
)
_NOT_ONE_FOR_ONE = re.compile("[\u0300-\u036fœŒæÆß]")  # accents by themselves, and ligatures
_SPACES = frozenset(" \u00a0\u202f")
_APOSTROPHES = frozenset("'’")
_OPENINGS = frozenset({" «", " « ", " «\u00a0", " «\u202f", ' "', " “", " '", " ‘"})
_ABBREVIATED = frozenset({". ", ".\u00a0", ".\u202f", "."})
_INITIALS = _ABBREVIATED | {".-"}
_ABBREVIATIONS = frozenset({"m", "mm", "mr", "ms", "me", "dr", "pr", "prof", "rev", "lt", "sgt", "capt", "cpt", "miss"})
_DOTTED = _ABBREVIATIONS | {"mme", "mlle", "mmes", "mrs"}
_TITLED_ONLY = frozenset({"me", "lt", "sgt", "pr"})  # "LT" says "live tweet"
_ROADS = frozenset({"dr", "pr", "ms"})  # "Maple Dr"
_NICKNAME_OPENS, _NICKNAME_CLOSES = (
    frozenset({' "', " “", " «\u00a0", " « "}),
    frozenset({'" ', "” ", "\u00a0» ", " » "}),
)
_OF = frozenset({"de", "du", "des", "d"})
_AGE = re.compile(
    r"\s?[,(–-]\s?(?:âgée? (?:de |d['’])|aged? )?\d{1,3}\s?-?(?:ans?|mois|y/?o|yrs?|years?|months?)\b"
    r"(?! (?:d['’e]|ago|apr[èe]s|plus tard|later|bient[ôo]t|d[ée]j[àa]|aujourd|today|since|on\b))",
    re.IGNORECASE,
)
_BARE_AGE = re.compile(r", \d{1,2}(?=,| (?:of|from|was|who)\b)")

_SEP = "[ .\\-\u00a0\u202f]"
_LABEL = r"[^\W_]+(?:-+[^\W_]+)*"
_EMAIL = re.compile(rf"{_ADDRESS}|((?<![\w.%+-])[\w.%+-]+(?:@| ?[\[(](?:at|arobase)[\])] ?){_LABEL}(?:\.{_LABEL})+)")
_EMAIL_SIGN = re.compile(r"@|[\[(](?:at|arobase)[\])]")
_DIGITS = re.compile("\\d(?:[ .()/\u00a0\u202f-]{0,3}\\d){6}")
_NUMBERS = (
    rf"(?<![\w.,+/=&-])0[1-79]({_SEP}?)\d\d(?:\1\d\d){{3}}(?!\w|[.,]\d)",  # 06 12 34 56 78
    rf"(?<![\w.,+/=&-])0[1-79]\d\d({_SEP})(?:\d\d\1\d\d\1\d\d|\d{{3}}\1\d{{3}})(?!\w|[.,]\d)",  # 0612 34 56 78
    r"(?<![\w.,+/=&-])0[1-79]\d([ -])\d{3}\1\d\d\1\d\d(?!\w)",  # 079 123 45 67
    r"(?<![\w.,+/=&-])0[1-37]\d{1,4}([ -])\d{3,6}(?:\1\d{3,4})?(?!\w|[.,]\d)",  # 020 7946 0958
    r"(?<![\w.,+/=&-])07\d{9}(?!\w)",
    r"(?<![\w+/=&-])(?:\+|00[ .]?(?=[1-9]))[1-9](?:[ .()/\u00a0\u202f-]{0,3}\d){7,13}(?!\w)",  # +33 6 12 34 56 78
    r"(?<![\w.,+/=&-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?![\w-])",  # (512) 555-0147
)
_PHONES = tuple(re.compile(f"{_ADDRESS}|{number}") for number in _NUMBERS)
_LOCAL_PHONE = re.compile(r"(\b(?:call|text|tel|phone|cell|dial)\b[^\d\n]{0,20})\d{3}[.-]\d{4}(?![\w-])", re.IGNORECASE)
_TOLL_FREE = re.compile(r"(?:1[ .-])?\(?8(?:00|33|44|55|66|77|88)\b")
_THOUSANDS = re.compile("\\+\\d{1,3}(?:[ .\u00a0\u202f]\\d{3}){2,3}")
_DEGREES = re.compile(r"\+\d{1,3}\.\d+")
_OF_NUMBERS = re.compile(r"vigilance|d[ée]partement|orange|rouge|jaune|\blot(?:o|tery)\b|tirage", re.IGNORECASE)
_PAIRS = re.compile(r"\d\d")
_SHORTEST_NUMBER, _LONGEST_NATIONAL = 9, 11  # digits
_SAID_BEFORE = 160  # letters


def masked(text: str, keep: Iterable[str] = ()) -> str:
    """Return a text in which private persons can be neither named nor reached.

    Shape   `keep` are names of places found in the text; masked again with the same places, the text stays as it is
    Errors  none on any text
    """
    places = _phrases(map(fold_name, keep))
    while (shorter := _masked_names(_masked_addresses(text), places)) != text:  # each round leaves fewer letters
        text = shorter
    return text


def _masked_addresses(text: str) -> str:
    """Mask e-mail addresses and telephone numbers."""
    if _EMAIL_SIGN.search(text) is not None:
        text = _EMAIL.sub(lambda found: MARK if found[1] else found[0], text)
    if _DIGITS.search(text) is None:
        return text
    for pattern in _PHONES:
        text = pattern.sub(lambda found: MARK if _is_phone(found) else found[0], text)
    return _LOCAL_PHONE.sub(rf"\g<1>{MARK}", text)


def _is_phone(found: re.Match[str]) -> bool:
    """Tell whether what looks like a telephone number is one, and not one that is free for all to call."""
    number = found[0]
    if number[0] not in "+(0123456789":
        return False  # the address of a page
    digits = sum(map(str.isdecimal, number))
    if number[0] == "+":
        amount = _THOUSANDS.fullmatch(number) or _DEGREES.fullmatch(number)
        return digits >= _SHORTEST_NUMBER and amount is None
    if number[0] != "0":
        return _TOLL_FREE.match(number) is None
    if number[1] == "0":
        return digits > _SHORTEST_NUMBER
    return _SHORTEST_NUMBER < digits <= _LONGEST_NATIONAL and not _are_departments(found)


def _are_departments(found: re.Match[str]) -> bool:
    """Tell whether pairs of digits in ascending order are départements, or a draw: "02 14 27 59 76"."""
    pairs = _PAIRS.findall(found[0])
    before = found.string[max(0, found.start() - _SAID_BEFORE) : found.start()]
    return pairs == sorted(set(pairs)) and _OF_NUMBERS.search(before) is not None


@dataclass(slots=True)
class _Word:
    """One word of a text: where it stands, in plain small letters, and what stands between it and the one before."""

    start: int
    end: int
    text: str
    plain: str
    gap: str
    is_capital: bool


def _words_of(text: str) -> list[_Word]:
    """Return the words of a text, without links, handles and hashtags: these are gaps."""
    folded = fold(text)
    is_plain = text.isascii() or _NOT_ONE_FOR_ONE.search(text) is None
    words: list[_Word] = []
    last = 0
    for found in (_WORD if is_plain else _ACCENTED_WORD).finditer(text):
        if (word := found[1]) is not None:
            start, end = found.span()
            plain = folded[start:end] if is_plain else fold(surface_from(word))
            words.append(_Word(start, end, word, plain, text[last:start], word[0].isupper()))
            last = end
    return words


def _masked_names(text: str, places: Phrases) -> str:
    """Mask the names of persons."""
    pieces: list[str] = []
    last = 0
    for start, end in _Names(text, places).spans():
        pieces += (text[last:start], MARK)
        last = end
    return "".join((*pieces, text[last:])) if pieces else text


class _Names:
    """The search for persons' names in one text, word by word from the left."""

    def __init__(self, text: str, places: Phrases) -> None:
        self.text = text
        self.places = places
        self.words = _words_of(text)
        self.rules: tuple[Callable[[int], Span | None], ...] = (
            self._behind_honorific, self._full_name, self._with_initials, self._in_capitals, self._before_age,
        )  # fmt: skip

    @cached_property
    def is_loud(self) -> bool:
        """Tell whether capitals say nothing here."""
        return _is_loud(self.words)

    @cached_property
    def is_headline(self) -> bool:
        """Tell whether most words have a capital, as in a headline."""
        longer = [word for word in self.words if len(word.text) > _SHORT]
        return len(longer) >= _HEADLINE_WORDS and sum(word.is_capital for word in longer) > _HEADLINE_RATIO * len(
            longer
        )

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """The first names that may be something else here."""
        is_stormy = any(word.plain in STORMS for word in self.words)
        return DOUBTFUL | STORM_NAMES if is_stormy else DOUBTFUL

    def spans(self) -> Iterator[Span]:
        """Return where persons are named, in the text's order."""
        at, words = 0, self.words
        while at < len(words):
            behind = self._thing(at)
            if behind == at and (name := self._person(at)) is not None:
                yield words[name[0]].start, words[name[1] - 1].end
                behind = name[1]
            at = max(behind, at + 1)

    def _person(self, at: int) -> Span | None:
        """Return the words of a name that begins here, or behind an honorific here."""
        word = self.words[at]
        if not (word.is_capital or word.plain in RANKS or word.plain in HONORIFICS):
            return None
        for rule in self.rules:
            if (name := rule(at)) is not None:
                return None if self._is_thing_s(name[1]) else name
        return None

    # What stands around

    def _is_joined(self, at: int) -> bool:
        """Tell whether a word stands right behind the one before, in one name."""
        return at < len(self.words) and self.words[at].gap in _SPACES

    def _is_loosely_joined(self, at: int) -> bool:
        """Tell the same of the name of a thing: with an apostrophe, a quotation mark or an abbreviation before it."""
        if at >= len(self.words):
            return False
        gap = self.words[at].gap
        if gap in _ABBREVIATED:
            return len(self.words[at - 1].text) <= _SHORT
        return gap in _SPACES or gap in _APOSTROPHES or gap == "-" or gap in _OPENINGS

    def _thing(self, at: int) -> int:
        """Return where the name of a place or thing ends that begins here; `at` where none does."""
        plain = self.words[at].plain
        first = plain.partition(" ")[0] if " " in plain else plain
        behind = at
        if first in KNOWN:
            behind = self._phrase_end(at, KNOWN[first])
        if behind == at and first in self.places and not self._is_christened(plain):
            behind = self._phrase_end(at, self.places[first])
        if behind == at and plain in HEADS:
            behind = self._called_end(at)
        return behind

    def _is_christened(self, plain: str) -> bool:
        """Tell whether a place's name of one word is a first name above all: "Justin" in Texas."""
        return plain in GIVEN and plain not in self.doubtful and self.places[plain] == [[plain]]

    def _phrase_end(self, at: int, phrases: list[list[str]]) -> int:
        parts: list[str] = []
        ends: dict[int, int] = {}
        for index in range(at, min(at + _LONGEST_PHRASE, len(self.words))):
            if index > at and not self._is_loosely_joined(index):
                break
            parts += self.words[index].plain.split()
            ends[len(parts)] = index + 1
        return next((ends[len(one)] for one in phrases if len(one) in ends and parts[: len(one)] == one), at)

    def _called_end(self, at: int) -> int:
        """Return the end of "rue de l'Abbé Grégoire", "tempête Ciarán"; of several, the end of all."""
        head = self.words[at].plain
        behind = self._behind_joints(at + 1) if head in STREETS else at + 1
        end = self._capitals_end(behind)
        while end > behind and head.endswith("s") and (further := self._next_listed(end)):
            behind = self._behind_joints(further)
            end = self._capitals_end(behind)
        return end if end > at + 1 else at

    def _next_listed(self, end: int) -> int:
        """Return where the next of several names begins: "rues Jean Macé et Paul Bert"."""
        if end >= len(self.words):
            return 0
        if self.words[end].plain in ("et", "and"):
            return end + 1
        return end if self.words[end].gap == ", " else 0

    def _behind_joints(self, at: int) -> int:
        end = at
        while end < min(at + _MOST_JOINTS, len(self.words)) and self._is_loosely_joined(end):
            word = self.words[end]
            if word.is_capital or word.plain not in JOINTS:
                break
            end += 1
        return end

    def _capitals_end(self, at: int) -> int:
        """Return the end of the capitalised words from here on, "de", "la" and "d'" between them included."""
        end = at
        while end < min(at + _LONGEST_THING, len(self.words)) and (end == at or self._is_loosely_joined(end)):
            word = self.words[end]
            if word.is_capital and not (self.is_loud and word.plain in SMALL) and word.plain not in HONORIFICS:
                end += 1
            elif end > at and word.plain in PARTICLES and self._has_capital(end + 1):
                end += 2
            else:
                break
        return end

    def _has_capital(self, at: int) -> bool:
        return self._is_loosely_joined(at) and self.words[at].is_capital

    def _is_thing_s(self, end: int) -> bool:
        """Tell whether a name is a thing's, for what stands behind it: "John F. Kennedy Airport"."""
        for at in range(end, min(end + 2, len(self.words))):
            word = self.words[at]
            if not (self._is_joined(at) or (word.gap in _ABBREVIATED and len(self.words[at - 1].text) <= _SHORT)):
                return False
            if word.plain in BEHIND_SMALL or (word.is_capital and word.plain in BEHIND):
                return True
            if not word.is_capital:
                return False
        return False

    # Words of names

    def _is_given(self, at: int) -> bool:
        word = self.words[at]
        return word.is_capital and (word.plain in GIVEN or (" " in word.plain and GIVEN.issuperset(word.plain.split())))

    def _is_family(self, at: int) -> bool:
        """Tell whether a word is in the list of family names, or a part of it, and no ordinary word."""
        plain = self.words[at].plain
        return plain in SURE_FAMILY or (" " in plain and not SURE_FAMILY.isdisjoint(plain.split()))

    def _may_be_name(self, at: int, *, even_town: bool = False) -> bool:
        """Tell whether a word may be of a person's name: with a capital, no ordinary word, no place that was found.

        `even_town` lets a place of one word through, which the geoparser may have taken for one: "Robert Kennedy".
        """
        word = self.words[at]
        if not word.is_capital or len(word.text) == 1 or word.plain in NO_NAMES:
            return False
        if len(word.text) < _SHORT and word.text.isupper():
            return False  # "Norman OK"
        first, _, others = word.plain.partition(" ")
        if others and first in NEVER:
            return False  # "Saint-Martin"
        if first not in self.places or (even_town and not others and [first] == self.places[first][0]):
            return True
        return self._phrase_end(at, self.places[first]) == at

    def _is_initial(self, at: int) -> bool:
        return self.words[at].is_capital and len(self.words[at].text) == 1

    def _family_end(self, at: int, *, is_strict: bool, even_town: bool = False) -> int:
        """Return the end of one family name that begins here, particles before it; `at` where none does."""
        name = at
        while name < min(at + 3, len(self.words)) and self.words[name].plain in PARTICLES:
            name += 1
            if not (self._is_joined(name) or (name < len(self.words) and self.words[name].gap in _APOSTROPHES)):
                return at
        if name >= len(self.words) or not self._may_be_name(name, even_town=even_town):
            return at
        if is_strict and not self._is_family(name):
            return at
        return name + 1

    # The rules

    def _full_name(self, at: int) -> Span | None:
        """Find "Marie Lambert", "Jean-Pierre DUBOIS", "Maria da Silva", "Ahmed B."."""
        if not self._is_given(at) or self._is_acronym(at):
            return None
        end, name_end = at + 1, 0
        while end < min(at + _LONGEST_NAME, len(self.words)):
            link = self._link_end(end)
            if link == end and (link := self._next_family_end(at, end, is_first=not name_end)) > end:
                name_end = link
            elif link == end:
                if name_end or not (self._is_given(end) and self._may_follow(end)):
                    break
                link = end + 1
            end = link
        if name_end > at + 1:
            return at, name_end
        return self._shortened(at)

    def _is_acronym(self, at: int) -> bool:
        """Tell whether a first name is all in capitals where the next word is not: "SARA Martinique"."""
        return self.words[at].text.isupper() and self._is_joined(at + 1) and not self.words[at + 1].text.isupper()

    def _may_follow(self, at: int) -> bool:
        is_behind_initial = self._is_initial(at - 1) and self._is_behind_stop(at)
        return self._is_joined(at) or is_behind_initial or self.words[at].gap in _NICKNAME_CLOSES

    def _next_family_end(self, given: int, at: int, *, is_first: bool) -> int:
        """Return the end of a family name here, the first or a further one behind a first name; `at` for none."""
        word, is_doubtful = self.words[at], self.words[given].plain in self.doubtful
        if not self._may_follow(at) or (word.plain in _OF and (is_doubtful or not is_first)):
            return at  # "Victoire de Fleury", "Marie Lambert de Rouen"
        if self._is_initial(at - 1) and not self.is_loud and self._may_be_titled(at) and word.plain not in BEHIND:
            return at + 1  # "George W. Bush"
        is_strict = self.is_loud or is_doubtful or (self.is_headline and not is_first)
        return self._family_end(at, is_strict=is_strict, even_town=is_first and not is_strict)

    def _link_end(self, at: int) -> int:
        """Return the end of what stands between first name and family name, an initial or a nickname."""
        word = self.words[at]
        if self._is_initial(at) and (self._is_joined(at) or (self._is_initial(at - 1) and self._is_dotted(at))):
            return at + 1
        is_nickname = word.gap in _NICKNAME_OPENS and at + 1 < len(self.words)
        return at + 1 if is_nickname and self.words[at + 1].gap in _NICKNAME_CLOSES else at

    def _shortened(self, at: int) -> Span | None:
        """Find "Ahmed B.", as the press writes it."""
        initial = at + 1
        if not self._is_joined(initial) or not self._is_initial(initial) or self.words[at].plain in self.doubtful:
            return None
        end = self.words[initial].end
        return (at, initial + 1) if self.text[end : end + 1] == "." else None

    def _behind_honorific(self, at: int) -> Span | None:
        """Find the name behind "Mme", "Dr", "capitaine"; the honorific stays."""
        title, name = self.words[at], at + 1
        if title.plain not in HONORIFICS and title.plain not in RANKS:
            return None
        is_dotted = title.plain in _DOTTED and self._is_behind_stop(name)
        if not (self._is_joined(name) or is_dotted) or not self._is_honorific(at):
            return None
        end = self._titled_end(name, is_sure=title.plain in HONORIFICS)
        return (name, end) if end > name else None

    def _is_behind_stop(self, at: int) -> bool:
        return at < len(self.words) and self.words[at].gap in _ABBREVIATED

    def _is_honorific(self, at: int) -> bool:
        """Tell whether a word is meant as one: "Dr" and not "Maple Dr", "Me Dupont" and not "Tell Me Why"."""
        word = self.words[at]
        if word.plain not in _ABBREVIATIONS:
            return True
        if not word.is_capital or (word.plain in _TITLED_ONLY and word.text.isupper()):
            return False
        if word.plain == "m":
            return self._is_monsieur(at)
        before = self.words[at - 1] if at and self._is_joined(at) else None
        is_behind_name = before is not None and before.is_capital
        if word.plain == "me":
            return not is_behind_name and not self.is_loud
        return word.plain not in _ROADS or before is None or not is_behind_name or before.plain in SMALL

    def _is_monsieur(self, at: int) -> bool:
        """Tell whether an M is "M." or, before a name that is listed, "M"."""
        word, name = self.words[at], at + 1
        if self._is_joined(at) and self.words[at - 1].is_capital and self.words[at - 1].plain not in NO_NAMES:
            return False  # "Boney M."
        if word.start and self.text[word.start - 1] not in ' \n\t\u00a0\u202f«“"(-–—:,[':
            return False
        return self._is_behind_stop(name) or self._is_given(name) or self._is_family(name)

    def _titled_end(self, at: int, *, is_sure: bool) -> int:
        """Return the end of the name that begins behind an honorific."""
        end = at
        while end < min(at + _LONGEST_NAME, len(self.words)) and (
            end == at or self._is_joined(end) or (self._is_initial(end - 1) and self._is_behind_stop(end))
        ):
            is_behind_given = end > at and self._is_given(end - 1) and not self.is_loud
            is_first = ((end == at and is_sure) or is_behind_given) and self._may_be_titled(end)
            is_listed = end > at and self.is_loud and not self._is_given(end - 1)
            if is_first or self._is_initial(end):
                end += 1
                continue
            is_of = end == at and not self.words[at].is_capital and not (is_sure and self.words[at].plain in _OF)
            is_acronym = end == at and self.words[at].text.isupper() and not self._is_family(at)
            further = end if is_of or is_acronym else self._family_end(end, is_strict=is_listed)
            if further == end:
                break
            end = further
        return end if end > at and not self._is_initial(end - 1) else at

    def _may_be_titled(self, at: int) -> bool:
        """Tell whether a word is a name behind "Mme": "Petit" as well, but not "Le" nor "Maire"."""
        word = self.words[at]
        is_name = word.is_capital and len(word.text) > 1
        return is_name and not (word.plain in SMALL or word.plain in PARTICLES or word.plain in OFFICES)

    def _with_initials(self, at: int) -> Span | None:
        """Find "J. Dupont" and "J.-P. Dupont"."""
        end = at
        while end < min(at + 3, len(self.words)) and self._is_initial(end) and (end == at or self._is_dotted(end)):
            end += 1
        is_acronym = end == at + 3 or (at > 0 and self._is_initial(at - 1) and self._is_dotted(at))  # "R.I.P. Ahmed"
        if end == at or is_acronym or not self._is_dotted(end):
            return None
        return (at, end + 1) if self._may_be_name(end) and self._is_family(end) else None

    def _is_dotted(self, at: int) -> bool:
        return at < len(self.words) and self.words[at].gap in _INITIALS

    def _in_capitals(self, at: int) -> Span | None:
        """Find "Kevyn DUPONT" and "DUPONT Jean", whose first name may be unknown."""
        if not self._is_joined(at + 1):
            return None
        first, second = (at, at + 1) if not self.words[at].text.isupper() else (at + 1, at)
        given, family = self.words[first], self.words[second]
        is_family = family.text.isupper() and len(family.text) > _SHORT and self._is_family(second)
        if not is_family or given.text.isupper() or not self._may_be_name(first) or self.is_loud:
            return None
        return (at, at + 2) if first == at or self._is_given(first) else None

    def _before_age(self, at: int) -> Span | None:
        """Find "Jean, 45 ans" and "Jane Doe, 45,"."""
        end = at
        while end < min(at + _LONGEST_AGED, len(self.words)) and (end == at or self._is_joined(end)):
            if not self._may_be_name(end) and not self._is_given(end):
                break
            end += 1
        if end == at:
            return None
        stop = self.words[end - 1].end
        if _AGE.match(self.text, stop) is None and (end == at + 1 or _BARE_AGE.match(self.text, stop) is None):
            return None
        is_given = self._is_given(at) and self.words[at].plain not in self.doubtful
        is_placed = at > 0 and self._is_joined(at) and self.words[at - 1].plain in BEFORE_PLACES
        return (at, end) if is_given or not is_placed else None


def _is_loud(words: list[_Word]) -> bool:
    """Tell whether a text is all in capitals: a capital says nothing."""
    letters = sum(len(word.text) for word in words)
    shouted = sum(len(word.text) for word in words if word.text.isupper())
    return letters >= _SHOUTING_LETTERS and shouted > _SHOUTING_RATIO * letters
