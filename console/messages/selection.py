"""Selection: which messages fit an incident now, by its hazard, its level, what somebody named, and what was said.

Shape   an alert in; messages out, and for each audience that gets none the reason
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from console.catalogue import language_from, words
from console.messages.facts import Worded, is_confirmed
from console.messages.message_map import STAGES, Audience, Message, MessageMap, Situation
from console.terms import term
from records import Alert, SettingsError
from records.alert import OVER

AUDIENCES: tuple[Audience, ...] = get_args(Audience)

NOTES: Mapping[str, Worded] = {
    "silence": {
        "fr": "Clos par le silence, non par une vérification : rien ne dit que c’est fini, ni qu’il n’y avait rien.",
        "en": "Closed by silence, not by a verification: nothing says that the danger is over, or that there was none.",
    },
    "quiet": {
        "fr": "On en parle moins : cela ne dit pas que le danger diminue.",
        "en": "It is spoken of less: that does not say that the danger is less.",
    },
    "place": {
        "fr": "Le lieu est incertain : il reste à compléter, même si l’incident est confirmé.",
        "en": "The place is uncertain: it stays to be filled in, though the incident may be confirmed.",
    },
    "phenomenon": {
        "fr": "Phénomène non précisé ; pour des textes plus proches : {phenomena}.",
        "en": "No phenomenon named; for closer texts: {phenomena}.",
    },
    "rumour": {
        "fr": "Peut-être une rumeur : le démenti n’est qu’un projet, à n’envoyer qu’une fois la vérification faite.",
        "en": "Maybe a rumour: the denial is a draft only, to be sent once it has been checked.",
    },
    "declared": {
        "fr": "Quelque chose a été annoncé : une explication possible, qui ne vaut pas constat.",
        "en": "Something was announced: a possible explanation, which settles nothing.",
    },
}
"""What to bear in mind when choosing."""


@dataclass(frozen=True)
class Reason:
    """Why an audience gets nothing."""

    audience: Audience
    words: Worded


@dataclass(frozen=True)
class Selection:
    """What fits an incident now."""

    stage: str
    messages: tuple[Message, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[Worded, ...]

    def of(self, audience: Audience) -> tuple[Message, ...]:
        """Return the messages for an audience."""
        return tuple(message for message in self.messages if message.audience == audience)


def stage_of(alert: Alert, said: Collection[str] = ()) -> str:
    """Return how much is known of an incident, for what may be said; `said` are the stages already spoken of."""
    if alert.level == "rejected":
        return "nothing_found"
    if is_confirmed(alert):
        return _confirmed_stage(alert, said)
    if alert.level == "resolved":
        return "nothing_found"
    return "first_signal" if alert.level == "signal" or alert.authors <= 1 else "unconfirmed"


def select(
    found: MessageMap, alert: Alert, *, phenomenon: str = "", said: Collection[str] = (), stage: str = ""
) -> Selection:
    """Return the messages that fit, the closest situation first, and for whom there are none, with the reason.

    Errors  SettingsError when there is no such phenomenon or stage
    """
    _refuse_unknown(found, phenomenon, stage)
    now = stage or stage_of(alert, said)
    fitting = [name for name, one in found.situations.items() if _fits(one, alert, phenomenon)]
    close = [name for name in fitting if phenomenon and phenomenon in found.situations[name].phenomena]
    beside = [name for name, one in found.situations.items() if _stands_beside(one, alert)]
    messages: list[Message] = []
    reasons: list[Reason] = []
    for audience in AUDIENCES:
        maybe = _rumours(found, audience, now, alert)
        is_vetoed = any(one.audience == audience and alert.level in one.levels for one in found.without.values())
        told = () if is_vetoed else _for(found, audience, now, close, fitting)
        messages += told if is_vetoed else (*told, *_for(found, audience, "ongoing", (), beside))
        messages += [one for one in dict.fromkeys(maybe) if one not in messages]
        if not (told or maybe):
            reasons.append(Reason(audience, _reason(found, alert, audience, now, fitting)))
    return Selection(now, tuple(messages), tuple(reasons), tuple(_notes(found, alert, phenomenon, beside)))


def phenomena_of(found: MessageMap) -> tuple[str, ...]:
    """Return every phenomenon that a situation of the map asks for."""
    return tuple(sorted({phenomenon for one in found.situations.values() for phenomenon in one.phenomena}))


def _refuse_unknown(found: MessageMap, phenomenon: str, stage: str) -> None:
    known = phenomena_of(found)
    if phenomenon and phenomenon not in known:
        raise SettingsError(f"phenomenon {phenomenon!r}: the map has none of this name; give one of {', '.join(known)}")
    if stage and stage not in STAGES:
        raise SettingsError(f"stage {stage!r}: there is none of this name; give one of {', '.join(STAGES)}")


def _confirmed_stage(alert: Alert, said: Collection[str]) -> str:
    if alert.level == "resolved":
        return "over"
    return "confirmed" if alert.level == "confirmed" and "confirmed" not in said else "ongoing"


def _fits(situation: Situation, alert: Alert, phenomenon: str) -> bool:
    if alert.hazard not in situation.hazards or (situation.levels and alert.level not in situation.levels):
        return False
    return not situation.phenomena or phenomenon in situation.phenomena


def _stands_beside(situation: Situation, alert: Alert) -> bool:
    stated = {context.kind for context in alert.context if context.fits is not False}
    return alert.level not in OVER and not stated.isdisjoint(situation.bulletins)


def _for(
    found: MessageMap, audience: Audience, stage: str, close: Collection[str], fitting: Collection[str]
) -> tuple[Message, ...]:
    """Return what an audience is told: by the situations that somebody named, else by all that fit."""

    def of(situations: Collection[str]) -> tuple[Message, ...]:
        return tuple(
            one
            for one in found.messages.values()
            if (one.audience, one.stage) == (audience, stage) and one.situation in situations
        )

    return of(close) or of(fitting)


def _rumours(found: MessageMap, audience: Audience, stage: str, alert: Alert) -> tuple[Message, ...]:
    """Return what may be said of what is maybe a rumour: now, and the denial to have at hand.

    What many pass on is no isolated post, though no more than a signal of it is on the map.
    """
    if alert.rumour is None:
        return ()
    of_rumours = [name for name, one in found.situations.items() if one.on_rumour and alert.hazard in one.hazards]
    now = _for(found, audience, "unconfirmed" if stage == "first_signal" else stage, (), of_rumours)
    return now + _for(found, audience, "nothing_found", (), of_rumours)


def _reason(found: MessageMap, alert: Alert, audience: Audience, stage: str, fitting: Collection[str]) -> Worded:
    for one in found.without.values():
        is_here = one.stage == stage and one.situation in fitting
        if one.audience == audience and (alert.level in one.levels or is_here):
            return {"fr": one.fr, "en": one.en}
    return {
        "fr": f"La carte n’a pas de message pour ce danger ({alert.hazard}) à ce stade ({STAGES[stage].fr}).",
        "en": f"The map has no message for this hazard ({alert.hazard}) at this stage ({STAGES[stage].en}).",
    }


def _notes(found: MessageMap, alert: Alert, phenomenon: str, beside: Collection[str]) -> Iterator[Worded]:
    if alert.level == "resolved" and not is_confirmed(alert):
        yield NOTES["silence"]
    if alert.level == "monitoring":
        yield NOTES["quiet"]
    if "place_uncertain" in alert.unknowns:
        yield NOTES["place"]
    if beside:
        yield NOTES["declared"]
    if alert.rumour is not None:
        yield NOTES["rumour"]
    asked = [name for one in found.situations.values() if alert.hazard in one.hazards for name in one.phenomena]
    if asked and not phenomenon:
        yield {
            language: text.format(phenomena=_called(asked, language)) for language, text in NOTES["phenomenon"].items()
        }


def _called(phenomena: Iterable[str], language: str) -> str:
    """Return phenomena as people read them: a map of one's own may name others than there are words for."""
    speaks = words(language_from(language, "", "fr"))
    return ", ".join(speaks.gettext(term("phenomenon", one)) for one in phenomena)
