"""One sentence of offers and needs: which things its phrases speak of, and how many of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.solidarity_words import ASIDE, BESIDE, CLAIMS, Found, Phrases, standing

_FIRST_WITHIN, _NEXT_WITHIN = 6, 4  # words from a phrase to its thing, and from one thing to the next
_ANIMALS_WITHIN = 3
_VERB_WITHIN, _READY_WITHIN = 3, 5  # words from "je peux", and from "dispo", to a verb
_BEFORE_WITHIN = 5  # words from a thing to the phrase behind it
_COUNT_WITHIN, _PEOPLE_WITHIN = 3, 12
_LARGEST = 100_000
_COUNTS_PEOPLE = frozenset({"shelter", "transport", "hands"})  # how many people is how many places or hands
_GIFTS = frozenset({"money", "goods"})  # what a call is for that names no other thing
_WORKED = frozenset({"hands", "help"})  # verbs of these alone follow "besoin de"
_CARRIES = frozenset({"shelter", "transport", "hands", "help"})  # what is done for animals


@dataclass(frozen=True)
class Sentence:
    """One sentence: its words in plain letters, the phrases and the things that stand in it, and what stands beside."""

    words: list[str]
    phrases: list[Found]
    things: list[Found]
    beside: list[Found]

    def has(self, section: str) -> bool:
        """Tell whether something of a section stands in the sentence."""
        return any(one.entry.section == section for one in (*self.phrases, *self.beside))

    def text(self, start: int, end: int) -> str:
        """Return words as they stand."""
        return " ".join(self.words[start:end])


def heard(phrases: Phrases, words: list[str]) -> Sentence:
    """Return a sentence as it is heard: where phrases share words, the longest."""
    found = phrases.in_sentence(words)
    stood = standing(one for one in found if one.entry.section not in BESIDE)
    spoken = frozenset((*CLAIMS, *ASIDE))
    return Sentence(
        words=words,
        phrases=[one for one in stood if one.entry.section in spoken],
        things=[one for one in stood if one.entry.section not in spoken],
        beside=[one for one in found if one.entry.section in BESIDE],
    )


class Told(NamedTuple):
    """A phrase and the things that it speaks of, in their order, which may stand in the sentence before."""

    phrase: Found
    things: list[Found]
    sentence: Sentence


def told_by(sentence: Sentence, last: Sentence | None) -> list[Told]:
    """Return the phrases of a sentence with their things; a thing of the phrase before it is none of the one behind."""
    told: list[Told] = []
    spoken: set[int] = set()
    for number, phrase in enumerate(sentence.phrases):
        if phrase.entry.section not in CLAIMS:
            continue
        things = _things_of(sentence, number)
        if phrase.is_behind and not things and number == 0 and last is not None:
            told.append(Told(phrase, _at_end(last), last))
        else:
            fresh = [one for one in things if not phrase.is_behind or one.start not in spoken]
            told.append(Told(phrase, fresh, sentence))
            spoken.update(one.start for one in things)
    return told


def _things_of(sentence: Sentence, number: int) -> list[Found]:
    phrase = sentence.phrases[number]
    section = phrase.entry.section
    if phrase.is_verb:
        return _done(sentence, number)
    if phrase.is_behind:
        return _before(sentence, number) or (_done(sentence, number) if section.endswith("ready") else [])
    ahead = _ahead(sentence, number)
    if section == "call" or phrase.is_closing:
        return [one for one in _called(sentence, number, ahead) if one.entry.thing != "help"]
    if phrase.entry.thing:
        return [one for one in ahead if one.entry.thing == "animals" and phrase.entry.thing == "persons"]
    return _with_animals(sentence, ahead)


def _called(sentence: Sentence, number: int, ahead: list[Found]) -> list[Found]:
    """Return what is collected, or needed no more; not what a gift of money is for: "cagnotte pour le gymnase"."""
    phrase = sentence.phrases[number]
    if not phrase.entry.thing:
        return _nouns(ahead) or _before(sentence, number)
    if phrase.entry.thing not in _GIFTS:
        return []
    is_apart = ahead and not _stops(sentence).isdisjoint(range(phrase.end, ahead[0].start))
    return [] if is_apart else _nouns(ahead)


def _limit(sentence: Sentence, number: int) -> int:
    """Return where the words end that a phrase may speak of: before the next phrase."""
    following = sentence.phrases[number + 1 : number + 2]
    return following[0].start if following else len(sentence.words)


def _ahead(sentence: Sentence, number: int) -> list[Found]:
    """Return the things behind a phrase that are told one after the other."""
    end, limit = sentence.phrases[number].end, _limit(sentence, number)
    things = [one for one in sentence.things if end <= one.start < limit]
    named = {one.start for one in _nouns(things)} | {one.start for one in things if one.entry.thing not in _WORKED}
    return _chain([one for one in things if not one.is_verb or one.start not in named], end, _stops(sentence))


def _chain(things: Iterable[Found], end: int, stops: frozenset[int]) -> list[Found]:
    told: list[Found] = []
    for thing in things:
        is_far = thing.start - end > (_NEXT_WITHIN if told else _FIRST_WITHIN)
        if is_far or (told and not stops.isdisjoint(range(end, thing.start))):
            break
        told.append(thing)
        end = thing.end
    return told


def _stops(sentence: Sentence) -> frozenset[int]:
    return frozenset(one.start for one in sentence.beside if one.entry.section == "stop")


def _before(sentence: Sentence, number: int) -> list[Found]:
    """Return the things before a phrase that are told one after the other: "des bottes et des pelles a donner"."""
    start = sentence.phrases[number].start
    floor = sentence.phrases[number - 1].end if number else 0
    told: list[Found] = []
    for thing in reversed([one for one in _nouns(sentence.things) if floor <= one.start and one.end <= start]):
        if start - thing.end > (_NEXT_WITHIN if told else _BEFORE_WITHIN):
            break
        told.append(thing)
        start = thing.start
    return told[::-1]


def _at_end(sentence: Sentence) -> list[Found]:
    return [one for one in _nouns(sentence.things)[-1:] if len(sentence.words) - one.end <= _BEFORE_WITHIN]


def _nouns(things: Iterable[Found]) -> list[Found]:
    return [one for one in things if not one.is_verb]


def _done(sentence: Sentence, number: int) -> list[Found]:
    """Return the verb behind a phrase such as "je peux" or "dispo pour", or the animals it is for."""
    end, limit = sentence.phrases[number].end, _limit(sentence, number)
    verbs = (one for one in sentence.things if one.is_verb and end <= one.start < limit)
    verb = next(verbs, None)
    if verb is None or verb.start - end > (_READY_WITHIN if sentence.phrases[number].is_behind else _VERB_WITHIN):
        return []
    animals = _animals_behind(sentence, verb, _ANIMALS_WITHIN)
    return animals if animals and verb.entry.thing in _CARRIES else [verb]


def _animals_behind(sentence: Sentence, thing: Found, within: int) -> list[Found]:
    behind = (one for one in sentence.things if thing.end <= one.start <= thing.end + within)
    return [one for one in behind if one.entry.section == "animals"][:1]


def _with_animals(sentence: Sentence, things: list[Found]) -> list[Found]:
    """Add the animals that a shelter or a van is asked for."""
    if not things or things[-1].entry.thing not in _CARRIES:
        return things
    return things + _animals_behind(sentence, things[-1], _FIRST_WITHIN)


def quantity_of(sentence: Sentence, thing: Found, numbers: Mapping[str, int]) -> tuple[int | None, str]:
    """Return how many of a thing are spoken of, and the words that say so; None where nobody says."""
    floor = max((one.end for one in sentence.things if one.end <= thing.start), default=0)
    for at in range(thing.start - 1, max(floor, thing.start - _COUNT_WITHIN) - 1, -1):
        if (number := _number(sentence.words[at], numbers)) and not _is_uncounted(sentence, at):
            return number, sentence.text(at, thing.end)
    if thing.entry.thing not in _COUNTS_PEOPLE:
        return None, ""
    near = range(thing.start - _PEOPLE_WITHIN, thing.end + _PEOPLE_WITHIN)
    for counted in (one for one in sentence.beside if one.entry.section == "counted" and one.start in near):
        if number := _number(sentence.words[counted.start - 1] if counted.start else "", numbers):
            return number, sentence.text(counted.start - 1, counted.end)
    return None, ""


def _number(word: str, numbers: Mapping[str, int]) -> int | None:
    if word.isdecimal() and len(word) < len(str(_LARGEST)):
        return int(word)
    return numbers.get(word)


def _is_uncounted(sentence: Sentence, at: int) -> bool:
    """Tell whether a number counts hours, kilometres, years, not things."""
    return any(one.start == at + 1 for one in sentence.beside if one.entry.section == "uncounted")
