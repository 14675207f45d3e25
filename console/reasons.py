"""Reasons: why somebody was not told, or a source is not heard, in the words of a language.

Shape   what the process wrote that knows it, in English; the same in the language of whoever reads, as far as the
        sentence is one of ours. What is not known here is shown as it came
"""

import re
from collections.abc import Callable

SENTENCES: tuple[tuple[str, str], ...] = (
    (r"silence: silence \S+ by (?P<who>.+?): (?P<why>.*)", "silenced by %(who)s: %(why)s"),
    (r"interval: hours of (?P<name>.+)", "not at these hours: %(name)s"),
    (
        r"window: maintenance window (?P<name>.+?) by (?P<who>.+?): (?P<why>.*)",
        "during maintenance (%(name)s, by %(who)s): %(why)s",
    ),
    (
        r"window: exercise window (?P<name>.+?) by (?P<who>.+?): (?P<why>.*)",
        "during an exercise (%(name)s, by %(who)s): %(why)s",
    ),
    (r"inhibition: inhibited by (?P<name>\S*) \(\w*\)", "covered by a greater one: %(name)s"),
    (r"group: waits for others", "waits a moment for others, to be told together"),
    (r"rate: (?P<most>\d+) an hour at most by route (?P<name>.+)", "%(most)s an hour at most by the route %(name)s"),
    (r"words: only words were taken back", "only words were taken back"),
    (
        r"never_told: of an incident of which this receiver was never told, it is not told the end",
        "this receiver was not told of the incident, so it is not told the end",
    ),
    (r"a newer revision stands for it", "a newer revision stands for it"),
    (r"there is no such receiver any more", "there is no such receiver any more"),
    (r"not heard of yet", "not heard of yet"),
    (r"the process that reads it says nothing any more", "the process that reads it says nothing any more"),
    (r"the process that reads it was stopped", "the process that reads it was stopped"),
    (r"no sign of life for more than (?P<span>[\d.]+) minutes", "no sign of life for more than %(span)s minutes"),
    (r"read to its end", "read to its end"),
    (r"(?P<where>.+): cannot (?:connect|be asked): (?P<error>.+)", "%(where)s cannot be reached: %(error)s"),
    (r"(?P<where>.+): the connection closed \((?P<error>.*)\)", "%(where)s closed the connection: %(error)s"),
    (r"(?P<where>.+): silent for (?P<span>[\d.]+) s", "%(where)s was silent for %(span)s s"),
    (r"(?P<where>.+): (?:status|answered) (?P<status>\d{3})", "%(where)s answers %(status)s"),
    (r"(?P<where>.+): cannot (?:be read|read): (?P<error>.+)", "%(where)s cannot be read: %(error)s"),
    (r"(?P<where>.+): asked too often(?: \(.*\))?", "%(where)s was asked too often"),
    (r"(?P<where>.+): none of (?P<count>\d+) feeds can be read", "%(where)s: none of %(count)s feeds can be read"),
)
"""How a sentence of ours begins and ends, and what it says in English; the French stands in the catalogue."""
_KNOWN = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in SENTENCES)


def reason(text: str, gettext: Callable[[str], str]) -> str:
    """Return a reason in words of a language; as it is, where no sentence of ours is known in it."""
    for pattern, words in _KNOWN:
        found = pattern.fullmatch(text)
        if found is not None:
            return gettext(words) % found.groupdict()
    return text
